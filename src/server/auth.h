/* rs_guard: who is asking, and whether he may. Keeps what the control plane verified for under a second, so that a check costs
 * microseconds and a revoked key or ended session is out within a second, at once if this process did it. Holds keyed hashes, never
 * secrets. Any thread; a fixed-size table behind a mutex: full means an older entry is forgotten. */
#ifndef RS_SERVER_AUTH_H
#define RS_SERVER_AUTH_H

#include "server/http.h"
#include "store/control.h"

typedef struct rs_guard rs_guard;

RS_MUST_CHECK rs_status rs_guard_new(rs_control *control, rs_guard **out, rs_err *err);
void rs_guard_free(rs_guard *g);

/* Checks a request by its headers for what the route demands, and fills in whose data it is about, in which organization that
 * stands, and who asks, with his role in it: nowhere else is it decided. False: it is answered (401: no or wrong credentials; 403: they
 * are good, but not for this; 404: there is no such project or organization for who asks). */
bool rs_guard_admit(rs_guard *g, rs_request *r, rs_auth auth, rs_response *res);

/* The user of the request's cookie, whatever the route demands. RS_ERR_DENIED: none. */
RS_MUST_CHECK rs_status rs_guard_signed_in(rs_guard *g, const rs_request *r, rs_identity *out, rs_err *err);

/* What was known so far is asked anew: something was revoked, or changed its role. */
void rs_guard_forget(rs_guard *g);
/* How often that was: whoever was admitted at another number is to be asked again. Takes no lock. */
uint64_t rs_guard_forgotten(const rs_guard *g);

/* Who asks, for the log of the control plane; texts are in the request's arena. */
rs_actor rs_guard_actor(rs_request *r);

/* What a page of this server sends back in X-CSRF-Token with what changes something; no other page can read it. */
enum { RS_CSRF_TOKEN = 44 }; /* with its NUL */
void rs_guard_csrf_token(const rs_guard *g, rs_str session, char out[RS_CSRF_TOKEN]);

#define RS_COOKIE "respan_session"

#endif
