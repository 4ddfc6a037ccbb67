/* A user's way in and out over HTTP, and what he changes of his own: sign in, sign up, sign out, password, account
 * (docs/http-api.md). Those that take a password run on threads of their own (routes.h); re-entrant. */
#ifndef RS_SERVER_API_AUTH_H
#define RS_SERVER_API_AUTH_H

#include "server/http.h"

void rs_api_auth(rs_server *server, rs_request *req, rs_response *res);
void rs_api_signin(rs_server *server, rs_request *req, rs_response *res);
void rs_api_signup(rs_server *server, rs_request *req, rs_response *res);
/* Whoever is signed in joins an organization that he is invited to. */
void rs_api_join(rs_server *server, rs_request *req, rs_response *res);
void rs_api_signout(rs_server *server, rs_request *req, rs_response *res);
void rs_api_set_password(rs_server *server, rs_request *req, rs_response *res);
void rs_api_set_account(rs_server *server, rs_request *req, rs_response *res);

#endif
