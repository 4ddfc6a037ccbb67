/* Browser sessions and one-time links of the control plane (control.h, which includes this). A link's token works once and for
 * RS_LINK_LIFETIME_S; it buys a session for RS_SESSION_LIFETIME_S, as a password does. Each sign-in has a new secret. */
#ifndef RS_STORE_CONTROL_SESSIONS_H
#define RS_STORE_CONTROL_SESSIONS_H

#include "store/control.h"
#include "store/control/users.h"

enum { RS_LINK_LIFETIME_S = 24 * 3600, RS_SESSION_LIFETIME_S = 30 * 24 * 3600 };

RS_MUST_CHECK rs_status rs_control_create_link(rs_control *c, uint64_t user, char token[RS_SECRET_MAX],
                                               rs_err *err);
/* Where a session is begun: what its user knows it by. Either may be NULL. */
typedef struct rs_signin_from {
    const char *address;
    const char *agent; /* as the browser calls itself; what is no printable ASCII becomes '?' */
} rs_signin_from;
RS_MUST_CHECK rs_status rs_control_redeem_link(rs_control *c, rs_str token, const rs_signin_from *from,
                                               char session[RS_SECRET_MAX], rs_err *err);
/* For whoever has shown who he is. */
RS_MUST_CHECK rs_status rs_control_start_session(rs_control *c, uint64_t user, const rs_signin_from *from,
                                                 char session[RS_SECRET_MAX], rs_err *err);

typedef struct rs_session {
    uint64_t user;
    bool is_server_owner; /* he is an owner of the server's organization */
} rs_session;
/* RS_ERR_DENIED: there is none, or it has expired. */
RS_MUST_CHECK rs_status rs_control_check_session(rs_control *c, rs_str session, rs_session *out, rs_err *err);
RS_MUST_CHECK rs_status rs_control_end_session(rs_control *c, rs_str session, rs_err *err);

/* A session as its user sees it. */
typedef struct rs_session_row {
    uint64_t id; /* as long as there is this session */
    uint64_t created_ns, used_ns, expires_ns;
    char address[64], agent[256]; /* where it was begun; "": not known */
    bool is_asked;                /* it is the one of the secret that was given */
} rs_session_row;
typedef bool (*rs_session_fn)(void *ctx, const rs_session_row *row);
/* Those of a user that have not expired, the last used first. `mine`: a session's secret, or empty. */
RS_MUST_CHECK rs_status rs_control_list_sessions(rs_control *c, uint64_t user, rs_str mine, rs_session_fn fn,
                                                 void *ctx, rs_err *err);
/* RS_ERR_NOT_FOUND: that user has no such session. */
RS_MUST_CHECK rs_status rs_control_end_session_of(rs_control *c, uint64_t user, uint64_t id,
                                                  const rs_actor *by, rs_err *err);
/* All of a user's, but for the one whose secret is `kept` (empty: all); *ended: how many. */
RS_MUST_CHECK rs_status rs_control_end_other_sessions(rs_control *c, uint64_t user, rs_str kept,
                                                      const rs_actor *by, uint64_t *ended, rs_err *err);

/* Of this server, for ever: what the tokens against cross-site requests are made with. */
enum { RS_SERVER_KEY = 32 };
RS_MUST_CHECK rs_status rs_control_get_server_key(rs_control *c, uint8_t out[RS_SERVER_KEY], rs_err *err);

#endif
