/* Invites of the control plane (control.h, which includes this): a link that lets somebody sign up or join, with a role in an
 * organization, once, within RS_INVITE_LIFETIME_S. */
#ifndef RS_STORE_CONTROL_INVITES_H
#define RS_STORE_CONTROL_INVITES_H

#include "store/control.h"
#include "store/control/users.h"

enum { RS_INVITE_LIFETIME_S = 7 * 24 * 3600 };

typedef struct rs_invite {
    uint64_t id, organization;
    rs_role role;
    char email[256]; /* the only one it is for; "": anybody's */
    uint64_t created_ns, expires_ns;
} rs_invite;

/* `email` "": whoever has the link. It ends when who made it is an owner there no more. RS_ERR_DENIED: he is none. */
RS_MUST_CHECK rs_status rs_control_create_invite(rs_control *c, uint64_t organization, rs_role role,
                                                 const char *email, const rs_actor *by,
                                                 char token[RS_SECRET_MAX], rs_invite *out, rs_err *err);
typedef bool (*rs_invite_fn)(void *ctx, const rs_invite *invite);
/* Those that can be used. */
RS_MUST_CHECK rs_status rs_control_list_invites(rs_control *c, uint64_t organization, rs_invite_fn fn,
                                                void *ctx, rs_err *err);
RS_MUST_CHECK rs_status rs_control_delete_invite(rs_control *c, uint64_t organization, uint64_t id,
                                                 const rs_actor *by, rs_err *err);
/* RS_ERR_DENIED: unknown, used or expired. */
RS_MUST_CHECK rs_status rs_control_find_invite(rs_control *c, rs_str token, rs_invite *out, rs_err *err);
/* Uses it up and adds the user. RS_ERR_DENIED as above or of another e-mail address; RS_ERR_INVALID as rs_control_add_user. */
RS_MUST_CHECK rs_status rs_control_accept_invite(rs_control *c, rs_str token, const char *email,
                                                 const char *name, const char *password, const char *address,
                                                 rs_user *out, rs_err *err);
/* The same for a user that there is. RS_ERR_INVALID: he is in that organization already; the invite stays as it was. */
RS_MUST_CHECK rs_status rs_control_join_by_invite(rs_control *c, rs_str token, uint64_t user,
                                                  const char *address, rs_err *err);

#endif
