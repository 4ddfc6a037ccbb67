/* What the ingest endpoints have in common: the body in its plain form, how the answer is encoded, and the way to the writer.
 * HTTP threads, but for what the writer calls back. */
#ifndef RS_SERVER_INTAKE_H
#define RS_SERVER_INTAKE_H

#include "otlp/span.h"
#include "server/http.h"
#include "server/writer.h"

typedef enum rs_body_format { RS_BODY_PROTOBUF, RS_BODY_JSON } rs_body_format;

/* One request on its way to the store: lives in the request's arena, until the response is sent. */
typedef struct rs_intake {
    rs_job job; /* first: the writer hands it back */
    rs_server *server;
    rs_request *req;
    rs_response *res;
    rs_body_format format;
    /* Writes the answer, once all is safe. On an HTTP thread, or the writer's. */
    void (*answer)(struct rs_intake *in);
} rs_intake;

/* Fills in what every intake has; n bytes of memory are the caller's struct, whose first member it is. NULL: it was answered. */
rs_intake *rs_intake_new(rs_server *server, rs_request *req, rs_response *res, size_t n,
                         void (*answer)(rs_intake *in));

/* By Content-Type: RS_ERR_UNSUPPORTED. */
RS_MUST_CHECK rs_status rs_intake_format(const rs_request *req, rs_body_format *out, rs_err *err);
/* The body, decompressed by Content-Encoding. Spans may be slices of it. */
RS_MUST_CHECK rs_status rs_intake_body(rs_server *server, rs_request *req, rs_str *out, rs_err *err);
/* Spans as they are stored: normalized, of the key's environment where they say none, and, where it is worth it, compressed; in->job.batch has them. */
RS_MUST_CHECK rs_status rs_intake_spans(rs_intake *in, rs_spans *spans, rs_err *err);

/* Answers for the writer once it has committed in->job; at once if there is nothing to commit or it takes no more. `body_bytes`:
 * of the request's body. */
void rs_intake_commit(rs_intake *in, size_t body_bytes);
/* 400 with the place in the body, or what the error is. */
void rs_intake_refuse(rs_response *res, const rs_err *err);

/* An Export…ServiceResponse: {"partialSuccess":{}}, with how many were rejected (member `rejected`) and why, if any were. */
void rs_intake_answer_otlp(rs_intake *in, const char *rejected, size_t n, const char *why);

/* What it means that an arena gave nothing: RS_ERR_TOO_LARGE, so that the request is not sent again, or RS_ERR_MEMORY, so that it is. */
rs_status rs_intake_no_room(const rs_arena *arena, rs_err *err);
/* Normalizes spans for the store, and computes what calls cost that do not say; where the arena is exhausted, rs_intake_no_room. */
RS_MUST_CHECK rs_status rs_intake_normalize(const rs_server *server, rs_spans *spans, rs_arena *arena,
                                            rs_err *err);
/* Of those that say none; borrowed. */
void rs_intake_set_environment(rs_spans *spans, rs_str environment);

#endif
