/* OTLP's other signals. Of logs, GenAI events are taken, which belong to spans (join.h); this server keeps no other logs and no
 * metrics, and says so. */
#ifndef RS_SERVER_LOGS_H
#define RS_SERVER_LOGS_H

#include "server/http.h"

void rs_logs_take(rs_server *server, rs_request *req, rs_response *res);
void rs_logs_refuse_metrics(rs_server *server, rs_request *req, rs_response *res);

#endif
