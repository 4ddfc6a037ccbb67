/* What older clients send instead of OTLP: request logs (request_log.h), as arrays of spans or one by one. */
#ifndef RS_SERVER_LEGACY_H
#define RS_SERVER_LEGACY_H

#include "server/http.h"

void rs_legacy_take(rs_server *server, rs_request *req, rs_response *res);

#endif
