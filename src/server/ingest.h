/* OTLP ingest: body -> inflate -> decode -> normalize, on an HTTP thread; then the writer commits and
 * answers. On an error nothing of the request is stored. The same without HTTP for spans that lie on this machine. */
#ifndef RS_SERVER_INGEST_H
#define RS_SERVER_INGEST_H

#include "server/http.h"

void rs_ingest_traces(rs_server *server, rs_request *req, rs_response *res);

/* Spans as an SDK encodes them: Resource and InstrumentationScope messages, and Spans each with tag and length as they stand
 * in ScopeSpans. */
typedef struct rs_ingest_spans {
    rs_str resource, scope, frames;
    rs_str environment; /* of those that say none; empty: it stays so */
} rs_ingest_spans;

typedef struct rs_ingested {
    size_t stored, rejected; /* spans; rejected: without valid ids */
} rs_ingested;

/* Takes them in and waits for the commit; borrows *in until it returns. Any thread but the HTTP threads and the writer's.
 * RS_ERR_INVALID, RS_ERR_TRUNCATED: malformed; RS_ERR_TOO_LARGE; RS_ERR_FULL: no room in the queue or on the disk, try
 * later; RS_ERR_CLOSED: the server is closing, or its data was removed. Nothing is stored on an error. */
RS_MUST_CHECK rs_status rs_ingest_local(rs_server *server, uint64_t project, const rs_ingest_spans *in,
                                        rs_ingested *out, rs_err *err);

#endif
