/* GET|POST /api/traces/{id}/find/: where in a trace a filter holds (docs/http-api.md). On HTTP threads; re-entrant. */
#ifndef RS_SERVER_API_FIND_H
#define RS_SERVER_API_FIND_H

#include "server/http.h"

void rs_api_find_in_trace(rs_server *server, rs_request *req, rs_response *res);

#endif
