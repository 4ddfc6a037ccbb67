/* rs_guard: who is asking. Keeps what the control plane verified for under a second, so that a check costs
 * microseconds and a revoked key or ended session is out within a second. Holds keyed hashes, never secrets.
 * Any thread; a fixed-size table behind a mutex: full means an older entry is forgotten. */
#ifndef RS_SERVER_AUTH_H
#define RS_SERVER_AUTH_H

#include "server/http.h"
#include "store/control.h"

typedef struct rs_guard rs_guard;

RS_MUST_CHECK rs_status rs_guard_new(rs_control *control, rs_guard **out, rs_err *err);
void rs_guard_free(rs_guard *g);

/* RS_ERR_DENIED (unknown, revoked, expired) or what the control plane failed with. */
RS_MUST_CHECK rs_status rs_guard_check_key(rs_guard *g, rs_str key, uint64_t *project, rs_err *err);
RS_MUST_CHECK rs_status rs_guard_check_session(rs_guard *g, rs_str session, uint64_t *project, rs_err *err);
/* Ends the session now. */
RS_MUST_CHECK rs_status rs_guard_end_session(rs_guard *g, rs_str session, rs_err *err);

/* Checks a request by its headers for what the route demands. RS_ERR_DENIED: no or wrong credentials. */
RS_MUST_CHECK rs_status rs_guard_admit(rs_guard *g, const rs_request *r, rs_auth auth, uint64_t *project,
                                       rs_err *err);

/* Whether a page of another site or port had the browser send this: it must not change anything. */
bool rs_guard_sent_from_elsewhere(const rs_request *r);

enum { RS_COOKIE_MAX = 160 };
#define RS_COOKIE "respan_session"

#endif
