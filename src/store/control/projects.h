/* Projects of the control plane (control.h, which includes this). */
#ifndef RS_STORE_CONTROL_PROJECTS_H
#define RS_STORE_CONTROL_PROJECTS_H

#include "store/control.h"
#include "store/retention.h"

typedef struct rs_project {
    uint64_t id; /* from 1; never given twice */
    char name[64];
    rs_retention keep;
} rs_project;
RS_MUST_CHECK rs_status rs_control_find_project(rs_control *c, const char *name, rs_project *out,
                                                rs_err *err);
RS_MUST_CHECK rs_status rs_control_get_project(rs_control *c, uint64_t id, rs_project *out, rs_err *err);
/* The one with the lowest id. */
RS_MUST_CHECK rs_status rs_control_first_project(rs_control *c, rs_project *out, rs_err *err);
RS_MUST_CHECK rs_status rs_control_create_project(rs_control *c, const char *name, const rs_actor *by,
                                                  rs_project *out, rs_err *err);
RS_MUST_CHECK rs_status rs_control_rename_project(rs_control *c, uint64_t id, const char *name,
                                                  const rs_actor *by, rs_err *err);

typedef bool (*rs_project_fn)(void *ctx, const rs_project *project);
/* By id. Return false to stop. */
RS_MUST_CHECK rs_status rs_control_list_projects(rs_control *c, rs_project_fn fn, void *ctx, rs_err *err);
RS_MUST_CHECK rs_status rs_control_set_retention(rs_control *c, uint64_t project, const rs_retention *keep,
                                                 const rs_actor *by, rs_err *err);
/* With its keys; its traces are the store's. RS_ERR_INVALID: it is the only one. */
RS_MUST_CHECK rs_status rs_control_delete_project(rs_control *c, uint64_t id, const rs_actor *by,
                                                  rs_err *err);

/* Whether there was a project of that number, and it was deleted. */
RS_MUST_CHECK rs_status rs_control_was_project_deleted(rs_control *c, uint64_t id, bool *deleted,
                                                       rs_err *err);

#endif
