/* The read endpoints: traces, spans, the session (docs/http-api.md). Handlers on HTTP threads; re-entrant. */
#ifndef RS_SERVER_API_H
#define RS_SERVER_API_H

#include "server/http.h"

void rs_api_list_traces(rs_server *server, rs_request *req, rs_response *res);
void rs_api_get_trace(rs_server *server, rs_request *req, rs_response *res);
void rs_api_list_spans(rs_server *server, rs_request *req, rs_response *res);
void rs_api_get_span(rs_server *server, rs_request *req, rs_response *res);
void rs_api_get_session(rs_server *server, rs_request *req, rs_response *res);

#endif
