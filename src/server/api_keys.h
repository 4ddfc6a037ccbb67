/* API keys over HTTP: list, create, revoke (docs/http-api.md). Handlers on HTTP threads; re-entrant. */
#ifndef RS_SERVER_API_KEYS_H
#define RS_SERVER_API_KEYS_H

#include "server/http.h"

void rs_api_list_keys(rs_server *server, rs_request *req, rs_response *res);
void rs_api_create_key(rs_server *server, rs_request *req, rs_response *res);
void rs_api_revoke_key(rs_server *server, rs_request *req, rs_response *res);

#endif
