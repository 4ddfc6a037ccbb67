/* The browser's way in: /login?token= turns a one-time link into a session cookie, /logout ends the session. */
#ifndef RS_SERVER_SIGNIN_H
#define RS_SERVER_SIGNIN_H

#include "server/http.h"
#include "store/control.h"

void rs_signin_login(rs_server *server, rs_request *req, rs_response *res);
void rs_signin_logout(rs_server *server, rs_request *req, rs_response *res);

/* What a session that is begun by this request is known by; borrowed from it. */
rs_signin_from rs_signin_origin(rs_request *req);

/* The session's cookie; `secret` empty: it goes away. */
void rs_signin_set_cookie(const rs_server *server, rs_request *req, rs_response *res, const char *secret,
                          long lifetime_s);

#endif
