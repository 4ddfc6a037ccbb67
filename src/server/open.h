/* Spans that have not ended yet, as programs tell of them about once a second: POST /v1/open, an ExportTraceServiceRequest whose
 * spans have no end. They are held in memory (open_table.h). The answer is 202, by which a program knows that it is understood; of
 * spans that were not taken (there is no room, or only that they still run was said of them and they are not known) it says how many, as that of
 * /v1/traces does: the program then tells of all anew. */
#ifndef RS_SERVER_OPEN_H
#define RS_SERVER_OPEN_H

#include "server/http.h"

void rs_open_report(rs_server *server, rs_request *req, rs_response *res);

#endif
