/* Who is in an organization, with which role (control.h, which includes this). Whoever is in none is no user: his account goes with
 * the last membership. An organization that has an owner keeps one. */
#ifndef RS_STORE_CONTROL_MEMBERS_H
#define RS_STORE_CONTROL_MEMBERS_H

#include "store/control.h"
#include "store/control/users.h"

/* RS_ERR_NOT_FOUND, in the same words: there is no such user, or he is not in it. */
RS_MUST_CHECK rs_status rs_control_get_member(rs_control *c, uint64_t organization, uint64_t user,
                                              rs_user *out, rs_err *err);
/* By id. */
RS_MUST_CHECK rs_status rs_control_list_members(rs_control *c, uint64_t organization, rs_user_fn fn,
                                                void *ctx, rs_err *err);
/* The owner of the server's organization with the lowest id: whom a one-time link signs in. */
RS_MUST_CHECK rs_status rs_control_first_owner(rs_control *c, rs_user *out, rs_err *err);

/* A user that there is. RS_ERR_INVALID: he is in it already. */
RS_MUST_CHECK rs_status rs_control_add_member(rs_control *c, uint64_t organization, uint64_t user,
                                              rs_role role, const rs_actor *by, rs_err *err);
/* Of who is an owner no more the invites into it end. RS_ERR_INVALID: he is its only owner. */
RS_MUST_CHECK rs_status rs_control_set_role(rs_control *c, uint64_t organization, uint64_t user, rs_role role,
                                            const rs_actor *by, rs_err *err);
/* The same. If it was the last one that he was in, his account goes, with his sessions and links; *gone (may be NULL) says so. */
RS_MUST_CHECK rs_status rs_control_remove_member(rs_control *c, uint64_t organization, uint64_t user,
                                                 const rs_actor *by, bool *gone, rs_err *err);

#endif
