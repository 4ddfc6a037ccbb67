/* What Langfuse's SDKs ask a server for beside its ingest path: whose the keys are, and the page of a trace. Its scores, prompts and
 * datasets have no place here. */
#ifndef RS_SERVER_LANGFUSE_H
#define RS_SERVER_LANGFUSE_H

#include "server/http.h"

void rs_langfuse_projects(rs_server *server, rs_request *req, rs_response *res);
/* /project/ANY/traces/ID, which its get_trace_url() gives. */
void rs_langfuse_trace_page(rs_server *server, rs_request *req, rs_response *res);

#endif
