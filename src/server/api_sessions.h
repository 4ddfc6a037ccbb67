/* Where a user is signed in, over HTTP: his own sessions, and ending one or all others (docs/http-api.md). Re-entrant. */
#ifndef RS_SERVER_API_SESSIONS_H
#define RS_SERVER_API_SESSIONS_H

#include "server/http.h"

void rs_api_list_sessions(rs_server *server, rs_request *req, rs_response *res);
void rs_api_end_session(rs_server *server, rs_request *req, rs_response *res);
void rs_api_end_other_sessions(rs_server *server, rs_request *req, rs_response *res);

#endif
