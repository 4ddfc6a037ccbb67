/* Browser sessions and one-time links of the control plane (control.h, which includes this). A link's token works once and for
 * RS_LINK_LIFETIME_S; it buys a session for RS_SESSION_LIFETIME_S, as a password does. Each sign-in has a new secret. */
#ifndef RS_STORE_CONTROL_SESSIONS_H
#define RS_STORE_CONTROL_SESSIONS_H

#include "store/control.h"
#include "store/control/users.h"

enum { RS_LINK_LIFETIME_S = 24 * 3600, RS_SESSION_LIFETIME_S = 30 * 24 * 3600 };

RS_MUST_CHECK rs_status rs_control_create_link(rs_control *c, uint64_t user, char token[RS_SECRET_MAX],
                                               rs_err *err);
RS_MUST_CHECK rs_status rs_control_redeem_link(rs_control *c, rs_str token, const char *address,
                                               char session[RS_SECRET_MAX], rs_err *err);
/* For whoever has shown who he is. */
RS_MUST_CHECK rs_status rs_control_start_session(rs_control *c, uint64_t user, const char *address,
                                                 char session[RS_SECRET_MAX], rs_err *err);

typedef struct rs_session {
    uint64_t user;
    rs_role role;
} rs_session;
/* RS_ERR_DENIED: there is none, or it has expired. */
RS_MUST_CHECK rs_status rs_control_check_session(rs_control *c, rs_str session, rs_session *out, rs_err *err);
RS_MUST_CHECK rs_status rs_control_end_session(rs_control *c, rs_str session, rs_err *err);

/* Of this server, for ever: what the tokens against cross-site requests are made with. */
enum { RS_SERVER_KEY = 32 };
RS_MUST_CHECK rs_status rs_control_get_server_key(rs_control *c, uint8_t out[RS_SERVER_KEY], rs_err *err);

#endif
