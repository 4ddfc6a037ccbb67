/* The read endpoints: traces and spans (docs/http-api.md). Handlers on HTTP threads; re-entrant. */
#ifndef RS_SERVER_API_H
#define RS_SERVER_API_H

#include "server/http.h"

void rs_api_list_traces(rs_server *server, rs_request *req, rs_response *res);
void rs_api_get_trace(rs_server *server, rs_request *req, rs_response *res);
void rs_api_list_spans(rs_server *server, rs_request *req, rs_response *res);
void rs_api_get_span(rs_server *server, rs_request *req, rs_response *res);

/* The same of a trace, or of its span req->id, that the caller chose: req->project has it. bare: without content, and as
 * rs_api_bare_trace says. trace_id may be NULL for a span: then any of the project's. */
void rs_api_send_trace(rs_server *server, rs_request *req, const uint8_t trace_id[16], bool bare,
                       rs_response *res);
void rs_api_send_span(rs_server *server, rs_request *req, const uint8_t *trace_id, bool bare,
                      rs_response *res);
/* RS_ERR_NOT_FOUND: the project has no such trace. */
RS_MUST_CHECK rs_status rs_api_find_trace(rs_server *server, const rs_request *req,
                                          const uint8_t trace_id[16], rs_err *err);

#endif
