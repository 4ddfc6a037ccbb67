/* The endpoints that change what is stored: deleting traces, and compacting (docs/http-api.md). Handlers on HTTP threads;
 * re-entrant. */
#ifndef RS_SERVER_API_KEEP_H
#define RS_SERVER_API_KEEP_H

#include "server/http.h"

/* Whether this request may change anything; false: it is answered. */
bool rs_api_may_change(const rs_request *req, rs_response *res);

void rs_api_trace(rs_server *server, rs_request *req, rs_response *res); /* DELETE; or rs_api_get_trace */
void rs_api_delete_traces(rs_server *server, rs_request *req, rs_response *res);
void rs_api_compact(rs_server *server, rs_request *req, rs_response *res);

#endif
