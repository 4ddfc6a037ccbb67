#include "server/ingest.h"

#include "normalize/normalize.h"
#include "otlp/body.h"
#include "otlp/decode.h"
#include "otlp/encode.h"
#include "server/headers.h"
#include "server/server.h"
#include "server/writer.h"

#include <stdio.h>

typedef enum format { PROTOBUF, JSON } format;

/* One request on its way to the store: lives in the request's arena, until the response is sent. */
typedef struct intake {
    rs_job job; /* first: the writer hands it back */
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

static rs_status decode(rs_server *server, rs_request *req, intake *in, rs_err *err) {
    rs_encoding encoding;
    rs_str body = req->body;
    rs_status st = parse_format(req, &in->format, err);
    if (st == RS_OK)
        st = rs_encoding_parse(rs_str_of(rs_request_header(req, "Content-Encoding")), &encoding, err);
    if (st == RS_OK && encoding != RS_ENCODING_IDENTITY) st = inflate(server, req, encoding, &body, err);
    if (st != RS_OK) return st;
    st = in->format == PROTOBUF ? rs_otlp_decode_protobuf(body, &req->arena, &in->spans, err)
                                : rs_otlp_decode_json(body, &req->arena, &in->spans, err);
    for (size_t i = 0; st == RS_OK && i < in->spans.n; i++)
        st = rs_normalize_span(&in->spans.items[i], &req->arena);
    if (st == RS_ERR_MEMORY) {
        *err = (rs_err){0};
        return rs_fail(err, RS_ERR_TOO_LARGE, 0,
                       "the request holds more spans than fit in memory: send fewer at once");
    }
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
    in->job.batch = (rs_store_batch){.project = req->project, .spans = in->spans.items, .n = in->spans.n};
    rs_request_defer(req);
    st = rs_writer_push(server->writer, &in->job);
    if (st == RS_OK) return;
    (void)!rs_fail(&err, st, 0,
                   st == RS_ERR_CLOSED ? "the server is shutting down" : "the queue is full: retry later");
    refuse(res, &err);
    rs_request_finish(req);
}
