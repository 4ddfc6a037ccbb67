#include "server/ingest.h"

#include "otlp/decode.h"
#include "otlp/encode.h"
#include "server/intake.h"
#include "server/server.h"

#include <pthread.h>

enum { LOCAL_ARENA_LIMIT = 256 << 20 };

typedef struct trace_intake {
    rs_intake base; /* first */
    rs_spans spans;
} trace_intake;

static rs_status decode_spans(rs_body_format as, rs_str body, rs_arena *arena, rs_spans *out, rs_err *err) {
    rs_status st = as == RS_BODY_PROTOBUF ? rs_otlp_decode_protobuf(body, arena, out, err)
                                          : rs_otlp_decode_json(body, arena, out, err);
    return st == RS_ERR_MEMORY ? rs_intake_no_room(arena, err) : st;
}

static void answer(rs_intake *base) {
    const rs_spans *spans = &((trace_intake *)base)->spans;
    rs_metrics_add(&base->server->metrics.spans, spans->n);
    rs_metrics_add(&base->server->metrics.rejected_spans, spans->rejected);
    rs_intake_answer_otlp(base, "rejectedSpans", spans->rejected, spans->reject_reason);
}

void rs_ingest_traces(rs_server *server, rs_request *req, rs_response *res) {
    rs_err err = {0};
    rs_str body;
    trace_intake *in = (trace_intake *)rs_intake_new(server, req, res, sizeof *in, answer);
    if (!in) return;
    rs_status st = rs_intake_format(req, &in->base.format, &err);
    if (st == RS_OK) st = rs_intake_body(server, req, &body, &err);
    if (st == RS_OK) st = decode_spans(in->base.format, body, &req->arena, &in->spans, &err);
    if (st == RS_OK) st = rs_intake_spans(&in->base, &in->spans, &err);
    if (st == RS_OK) rs_intake_commit(&in->base, body.n);
    else rs_intake_refuse(res, &err);
}

/* ---- without HTTP -------------------------------------------------------------------------------------- */

/* A caller that waits for the writer; lives on its stack. */
typedef struct local_intake {
    rs_job job; /* first: the writer hands it back */
    pthread_mutex_t lock;
    pthread_cond_t decided;
    bool done;
    rs_err err; /* code RS_OK: it is stored */
} local_intake;

static void on_local_committed(rs_job *job, const rs_err *err) {
    local_intake *in = (local_intake *)job;
    pthread_mutex_lock(&in->lock);
    if (err) in->err = *err;
    in->done = true;
    pthread_cond_signal(&in->decided);
    pthread_mutex_unlock(&in->lock);
}

static rs_status commit_and_wait(rs_writer *writer, uint64_t project, const rs_spans *spans, size_t bytes,
                                 rs_err *err) {
    local_intake in = {.job = {.batch = {.project = project, .spans = spans->items, .n = spans->n},
                               .bytes = bytes,
                               .done = on_local_committed},
                       .lock = PTHREAD_MUTEX_INITIALIZER,
                       .decided = PTHREAD_COND_INITIALIZER};
    rs_status st = rs_writer_push(writer, &in.job);
    if (st == RS_OK) {
        pthread_mutex_lock(&in.lock);
        while (!in.done) pthread_cond_wait(&in.decided, &in.lock);
        pthread_mutex_unlock(&in.lock);
        if ((st = in.err.code) != RS_OK && err) *err = in.err;
    } else {
        (void)!rs_fail(err, st, 0, "%s", rs_status_text(st));
    }
    pthread_cond_destroy(&in.decided);
    pthread_mutex_destroy(&in.lock);
    return st;
}

/* An ExportTraceServiceRequest around spans that are encoded already. */
static rs_status build_request(const rs_ingest_spans *in, rs_buf *out) {
    rs_buf scope_spans, resource_spans;
    rs_buf_init(&scope_spans);
    rs_buf_init(&resource_spans);
    rs_pb_bytes(&scope_spans, 1, in->scope);
    rs_buf_str(&scope_spans, in->frames);
    rs_pb_bytes(&resource_spans, 1, in->resource);
    rs_pb_bytes(&resource_spans, 2, rs_buf_slice(&scope_spans));
    rs_pb_bytes(out, 1, rs_buf_slice(&resource_spans));
    rs_status st = rs_buf_status(&scope_spans);
    if (st == RS_OK) st = rs_buf_status(&resource_spans);
    rs_buf_deinit(&scope_spans);
    rs_buf_deinit(&resource_spans);
    return st == RS_OK ? rs_buf_status(out) : st;
}

rs_status rs_ingest_local(rs_server *server, uint64_t project, const rs_ingest_spans *in, rs_ingested *out,
                          rs_err *err) {
    rs_arena arena;
    rs_buf body;
    rs_spans spans = {0};
    rs_err why = {0};
    *out = (rs_ingested){0};
    rs_buf_init(&body);
    rs_arena_init(&arena, LOCAL_ARENA_LIMIT);
    rs_status st = build_request(in, &body);
    if (st != RS_OK) (void)!rs_fail(&why, st, 0, "%s", rs_status_text(st));
    else st = decode_spans(RS_BODY_PROTOBUF, rs_buf_slice(&body), &arena, &spans, &why);
    if (st == RS_OK) st = rs_intake_normalize(server, &spans, &arena, &why);
    if (st == RS_OK) rs_intake_set_environment(&spans, in->environment);
    if (st == RS_OK && spans.n)
        st = commit_and_wait(server->writer, project, &spans, body.n + arena.held, &why);
    if (st == RS_OK) {
        *out = (rs_ingested){.stored = spans.n, .rejected = spans.rejected};
        rs_metrics_add(&server->metrics.spans, spans.n);
        rs_metrics_add(&server->metrics.rejected_spans, spans.rejected);
    } else if (err) {
        *err = why;
    }
    rs_arena_deinit(&arena);
    rs_buf_deinit(&body);
    return st;
}
