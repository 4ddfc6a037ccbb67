/* Exports: everything that a list's filters fit, as a file that is made while it is sent. Handlers; any HTTP thread.
 *
 * An export holds a piece of the file (1 MiB, and with Parquet a row group), never a read snapshot for longer than a step: how slowly
 * the client reads costs the store nothing, and what arrives meanwhile neither repeats rows nor hides any. */
#ifndef RS_SERVER_EXPORT_H
#define RS_SERVER_EXPORT_H

#include "server/http.h"

void rs_export_traces(rs_server *server, rs_request *req, rs_response *res);
void rs_export_spans(rs_server *server, rs_request *req, rs_response *res);

#endif
