#include "server/ingest.h"

#include "normalize/normalize.h"
#include "otlp/body.h"
#include "otlp/decode.h"
#include "otlp/encode.h"
#include "server/headers.h"
#include "server/server.h"
#include "server/writer.h"

#include <pthread.h>
#include <stdio.h>

enum { LOCAL_ARENA_LIMIT = 256 << 20 };

typedef enum format { PROTOBUF, JSON } format;

/* One request on its way to the store: lives in the request's arena, until the response is sent. */
typedef struct intake {
    rs_job job; /* first: the writer hands it back */
    rs_server *server;
    rs_request *req;
    rs_response *res;
    format format;
    rs_spans spans;
} intake;

static rs_status parse_format(const rs_request *r, format *out, rs_err *err) {
    rs_str type = rs_header_media_type(rs_str_of(rs_request_header(r, "Content-Type")));
    if (rs_str_eq_nocase(type, RS_STR("application/x-protobuf"))) *out = PROTOBUF;
    else if (rs_str_eq_nocase(type, RS_STR("application/json"))) *out = JSON;
    else
        return rs_fail(err, RS_ERR_UNSUPPORTED, 0,
                       "Content-Type is '%.*s': send application/x-protobuf or application/json",
                       (int)(type.n < 80 ? type.n : 80), type.n ? type.p : "");
    return RS_OK;
}

/* The spans will be slices of the plain body; the compressed one is no longer needed. */
static rs_status inflate(rs_server *server, rs_request *req, rs_encoding encoding, rs_str *body,
                         rs_err *err) {
    rs_buf plain;
    rs_buf_init(&plain);
    rs_status st = rs_body_inflate(encoding, req->body, server->max_body, &plain, err);
    if (st == RS_OK && !rs_request_charge(req, plain.cap))
        st = rs_fail(err, RS_ERR_FULL, 0, "too much is being taken in at once: retry later");
    if (st == RS_OK) *body = rs_request_replace_body(req, &plain);
    rs_buf_deinit(&plain);
    return st;
}

static rs_status decode_spans(format as, rs_str body, rs_arena *arena, rs_spans *out, rs_err *err) {
    rs_status st = as == PROTOBUF ? rs_otlp_decode_protobuf(body, arena, out, err)
                                  : rs_otlp_decode_json(body, arena, out, err);
    for (size_t i = 0; st == RS_OK && i < out->n; i++) st = rs_normalize_for_store(&out->items[i], arena);
    if (st != RS_ERR_MEMORY) return st;
    *err = (rs_err){0};
    return rs_fail(err, RS_ERR_TOO_LARGE, 0,
                   "the request holds more spans than fit in memory: send fewer at once");
}

static rs_status decode(rs_server *server, rs_request *req, intake *in, rs_err *err) {
    rs_encoding encoding;
    rs_str body = req->body;
    rs_metrics_add(&server->metrics.body_bytes, body.n);
    rs_status st = parse_format(req, &in->format, err);
    if (st == RS_OK)
        st = rs_encoding_parse(rs_str_of(rs_request_header(req, "Content-Encoding")), &encoding, err);
    if (st == RS_OK && encoding != RS_ENCODING_IDENTITY) st = inflate(server, req, encoding, &body, err);
    if (st != RS_OK) return st;
    st = decode_spans(in->format, body, &req->arena, &in->spans, err);
    if (st == RS_OK && rs_store_prepare(server->store, req->project, in->spans.items, in->spans.n,
                                        &req->arena, &in->job.batch.prepared, NULL) != RS_OK)
        in->job.batch.prepared = NULL; /* then the commit does it, or says what is wrong */
    if (st == RS_OK && !rs_request_charge(req, req->arena.held))
        st = rs_fail(err, RS_ERR_FULL, 0, "too much is being taken in at once: retry later");
    in->job.bytes = body.n + req->arena.held;
    return st;
}

/* An ExportTraceServiceResponse: field 1 is ExportTracePartialSuccess {1: rejected_spans, 2: error_message}. */
static void answer_protobuf(rs_response *res, const rs_spans *spans) {
    res->content_type = "application/x-protobuf";
    if (!spans->rejected) return;
    rs_str reason = rs_str_of(spans->reject_reason);
    size_t n = 1 + rs_pb_varint_size(spans->rejected) + 1 + rs_pb_varint_size(reason.n) + reason.n;
    rs_pb_varint(&res->body, 1 << 3 | 2);
    rs_pb_varint(&res->body, n);
    rs_pb_varint(&res->body, 1 << 3 | 0);
    rs_pb_varint(&res->body, spans->rejected);
    rs_pb_bytes(&res->body, 2, reason);
}

static void answer_json(rs_response *res, const rs_spans *spans) {
    rs_json j = rs_json_on(&res->body);
    rs_json_object(&j);
    rs_json_key(&j, RS_STR("partialSuccess"));
    rs_json_object(&j);
    if (spans->rejected) {
        char count[24];
        snprintf(count, sizeof count, "%zu", spans->rejected); /* OTLP/JSON: 64-bit integers are strings */
        rs_json_put_str(&j, "rejectedSpans", rs_str_of(count));
        rs_json_put_str(&j, "errorMessage", rs_str_of(spans->reject_reason));
    }
    rs_json_object_end(&j);
    rs_json_object_end(&j);
}

static void answer(intake *in) {
    rs_metrics_add(&in->server->metrics.spans, in->spans.n);
    rs_metrics_add(&in->server->metrics.rejected_spans, in->spans.rejected);
    rs_response_header(in->res, "Accept-Encoding",
                       "zstd, gzip, deflate"); /* for bodies to come (RFC 9110, 12.5.3) */
    if (in->format == PROTOBUF) answer_protobuf(in->res, &in->spans);
    else answer_json(in->res, &in->spans);
}

static void refuse(rs_response *res, const rs_err *err) {
    if (err->code == RS_ERR_INVALID || err->code == RS_ERR_TRUNCATED)
        rs_response_error(res, 400, "malformed", NULL, "%s (at byte %zu)", err->message, err->offset);
    else rs_response_from_err(res, err);
}

/* On the writer thread, after the commit. */
static void on_committed(rs_job *job, const rs_err *err) {
    intake *in = (intake *)job;
    if (err) refuse(in->res, err);
    else answer(in);
    rs_request_finish(in->req);
}

void rs_ingest_traces(rs_server *server, rs_request *req, rs_response *res) {
    rs_err err = {0};
    intake *in = rs_arena_zalloc(&req->arena, 1, sizeof *in);
    if (!in) {
        rs_response_error(res, 503, "unavailable", NULL, "out of memory: retry later");
        return;
    }
    in->server = server;
    in->req = req;
    in->res = res;
    in->job.done = on_committed;
    rs_status st = decode(server, req, in, &err);
    if (st != RS_OK) {
        refuse(res, &err);
        return;
    }
    if (in->spans.n == 0) {
        answer(in);
        return;
    }
    in->job.batch.project = req->project;
    in->job.batch.spans = in->spans.items;
    in->job.batch.n = in->spans.n;
    rs_request_defer(req);
    st = rs_writer_push(server->writer, &in->job);
    if (st == RS_OK) return;
    (void)!rs_fail(&err, st, 0,
                   st == RS_ERR_CLOSED ? "the server is shutting down" : "the queue is full: retry later");
    refuse(res, &err);
    rs_request_finish(req);
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
    else st = decode_spans(PROTOBUF, rs_buf_slice(&body), &arena, &spans, &why);
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
