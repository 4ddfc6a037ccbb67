/* Organizations of the control plane (control.h, which includes this): a project belongs to one, and users have their roles in it
 * (members.h). Each has a project at least. The first one is the server's: its owners are the server's, and it stays. */
#ifndef RS_STORE_CONTROL_ORGANIZATIONS_H
#define RS_STORE_CONTROL_ORGANIZATIONS_H

#include "store/control.h"
#include "store/control/users.h"

enum { RS_SERVER_ORGANIZATION = 1 };

typedef struct rs_organization {
    uint64_t id; /* from 1; never given twice */
    char name
        [64]; /* without '/': "ORGANIZATION/PROJECT" names a project; no number, and no other one's but for case */
    uint64_t created_ns;
    rs_role role; /* of the user that was asked about; RS_ROLE_NONE: none was */
} rs_organization;

RS_MUST_CHECK rs_status rs_control_get_organization(rs_control *c, uint64_t id, rs_organization *out,
                                                    rs_err *err);
/* `name` NULL: the server's. */
RS_MUST_CHECK rs_status rs_control_find_organization(rs_control *c, const char *name, rs_organization *out,
                                                     rs_err *err);
/* As a user sees it. RS_ERR_NOT_FOUND, in the same words: there is none, or he is not in it. */
RS_MUST_CHECK rs_status rs_control_see_organization(rs_control *c, uint64_t user, uint64_t id,
                                                    rs_organization *out, rs_err *err);
typedef bool (*rs_organization_fn)(void *ctx, const rs_organization *organization);
/* By id: those that a user is in (0: all). */
RS_MUST_CHECK rs_status rs_control_list_organizations(rs_control *c, uint64_t user, rs_organization_fn fn,
                                                      void *ctx, rs_err *err);

/* With a project of its name, and `owner` (0: nobody yet). RS_ERR_INVALID: the name is none, or taken. */
RS_MUST_CHECK rs_status rs_control_create_organization(rs_control *c, const char *name, uint64_t owner,
                                                       const rs_actor *by, rs_organization *out, rs_err *err);
RS_MUST_CHECK rs_status rs_control_rename_organization(rs_control *c, uint64_t id, const char *name,
                                                       const rs_actor *by, rs_err *err);
/* With its projects (their traces are the store's), invites and memberships, and with whoever was in no other one. RS_ERR_INVALID: it
 * is the server's. */
RS_MUST_CHECK rs_status rs_control_delete_organization(rs_control *c, uint64_t id, const rs_actor *by,
                                                       rs_err *err);

#endif
