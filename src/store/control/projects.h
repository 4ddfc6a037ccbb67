/* Projects of the control plane (control.h, which includes this). */
#ifndef RS_STORE_CONTROL_PROJECTS_H
#define RS_STORE_CONTROL_PROJECTS_H

#include "store/control.h"
#include "store/control/users.h"
#include "store/retention.h"

typedef struct rs_project {
    uint64_t id; /* from 1; never given twice */
    uint64_t organization;
    char name
        [64]; /* no other one of the organization has it; those from before there were any may have a '/' */
    rs_retention keep;
    rs_role role; /* of the user that was asked about; RS_ROLE_NONE: none was */
} rs_project;
/* As somebody at the server's machine names it: ORGANIZATION/NAME, or NAME where that is one's alone, or that of one of the server's
 * organization. RS_ERR_INVALID: several are called that (also if one is it by its own name, and another with its organization's);
 * the message has them. */
RS_MUST_CHECK rs_status rs_control_find_project(rs_control *c, const char *name, rs_project *out,
                                                rs_err *err);
RS_MUST_CHECK rs_status rs_control_get_project(rs_control *c, uint64_t id, rs_project *out, rs_err *err);
/* The one with the lowest id of an organization, or of all that a user sees. */
RS_MUST_CHECK rs_status rs_control_first_project(rs_control *c, uint64_t organization, rs_project *out,
                                                 rs_err *err);
RS_MUST_CHECK rs_status rs_control_first_project_of_user(rs_control *c, uint64_t user, rs_project *out,
                                                         rs_err *err);
/* One of an organization, by its name. */
RS_MUST_CHECK rs_status rs_control_find_project_in(rs_control *c, uint64_t organization, const char *name,
                                                   rs_project *out, rs_err *err);
/* As a user sees it, with his role. RS_ERR_NOT_FOUND, in the same words: there is none, or he is not in its organization. */
RS_MUST_CHECK rs_status rs_control_see_project(rs_control *c, uint64_t user, uint64_t id, rs_project *out,
                                               rs_err *err);
RS_MUST_CHECK rs_status rs_control_create_project(rs_control *c, uint64_t organization, const char *name,
                                                  const rs_actor *by, rs_project *out, rs_err *err);
RS_MUST_CHECK rs_status rs_control_rename_project(rs_control *c, uint64_t id, const char *name,
                                                  const rs_actor *by, rs_err *err);

typedef bool (*rs_project_fn)(void *ctx, const rs_project *project);
/* By id, those of an organization (0: all). Return false to stop. */
RS_MUST_CHECK rs_status rs_control_list_projects(rs_control *c, uint64_t organization, rs_project_fn fn,
                                                 void *ctx, rs_err *err);
/* Those that a user sees, with his role; organization after organization. */
RS_MUST_CHECK rs_status rs_control_list_projects_of_user(rs_control *c, uint64_t user, rs_project_fn fn,
                                                         void *ctx, rs_err *err);
RS_MUST_CHECK rs_status rs_control_set_retention(rs_control *c, uint64_t project, const rs_retention *keep,
                                                 const rs_actor *by, rs_err *err);
/* With its keys; its traces are the store's. RS_ERR_INVALID: it is the only one of its organization. */
RS_MUST_CHECK rs_status rs_control_delete_project(rs_control *c, uint64_t id, const rs_actor *by,
                                                  rs_err *err);

/* Whether there was a project of that number, and it was deleted. */
RS_MUST_CHECK rs_status rs_control_was_project_deleted(rs_control *c, uint64_t id, bool *deleted,
                                                       rs_err *err);

#endif
