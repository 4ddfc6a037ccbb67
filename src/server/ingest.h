/* OTLP/HTTP ingest: body -> inflate -> decode -> normalize, on an HTTP thread; then the writer commits and
 * answers. On an error nothing of the request is stored. */
#ifndef RS_SERVER_INGEST_H
#define RS_SERVER_INGEST_H

#include "server/http.h"

void rs_ingest_traces(rs_server *server, rs_request *req, rs_response *res);

#endif
