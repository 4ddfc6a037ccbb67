/* The endpoints that change what is stored: deleting traces, and compacting (docs/http-api.md). Handlers on HTTP threads;
 * re-entrant. */
#ifndef RS_SERVER_API_KEEP_H
#define RS_SERVER_API_KEEP_H

#include "server/http.h"

void rs_api_delete_trace(rs_server *server, rs_request *req, rs_response *res);
void rs_api_delete_traces(rs_server *server, rs_request *req, rs_response *res);
void rs_api_pin(rs_server *server, rs_request *req, rs_response *res); /* GET, POST, DELETE */
void rs_api_show_compacting(rs_server *server, rs_request *req, rs_response *res);
void rs_api_compact(rs_server *server, rs_request *req, rs_response *res);

#endif
