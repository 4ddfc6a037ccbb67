#include "server/intake.h"

#include "base/json_write.h"
#include "normalize/normalize.h"
#include "otlp/body.h"
#include "otlp/encode.h"
#include "server/headers.h"
#include "server/price_table.h"
#include "server/server.h"

#include <stdio.h>

static void on_committed(rs_job *job, const rs_err *err) {
    rs_intake *in = (rs_intake *)job;
    if (err) rs_intake_refuse(in->res, err);
    else in->answer(in);
    rs_request_finish(in->req);
}

rs_intake *rs_intake_new(rs_server *server, rs_request *req, rs_response *res, size_t n,
                         void (*answer)(rs_intake *in)) {
    rs_intake *in = rs_arena_zalloc(&req->arena, 1, n);
    if (!in) {
        rs_response_error(res, 503, "unavailable", NULL, "out of memory: retry later");
        return NULL;
    }
    in->server = server;
    in->req = req;
    in->res = res;
    in->answer = answer;
    in->job.done = on_committed;
    in->job.batch.project = req->project;
    return in;
}

/* ---- the body ------------------------------------------------------------------------------------------ */

rs_status rs_intake_format(const rs_request *req, rs_body_format *out, rs_err *err) {
    rs_str type = rs_header_media_type(rs_str_of(rs_request_header(req, "Content-Type")));
    if (rs_str_eq_nocase(type, RS_STR("application/x-protobuf"))) *out = RS_BODY_PROTOBUF;
    else if (rs_str_eq_nocase(type, RS_STR("application/json"))) *out = RS_BODY_JSON;
    else
        return rs_fail(err, RS_ERR_UNSUPPORTED, 0,
                       "Content-Type is '%.*s': send application/x-protobuf or application/json",
                       (int)(type.n < 80 ? type.n : 80), type.n ? type.p : "");
    return RS_OK;
}

/* Slices will be of the plain body; the compressed one is no longer needed. */
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

rs_status rs_intake_body(rs_server *server, rs_request *req, rs_str *out, rs_err *err) {
    rs_encoding encoding;
    *out = req->body;
    rs_metrics_add(&server->metrics.body_bytes, req->body.n);
    rs_status st = rs_encoding_parse(rs_str_of(rs_request_header(req, "Content-Encoding")), &encoding, err);
    return st == RS_OK && encoding != RS_ENCODING_IDENTITY ? inflate(server, req, encoding, out, err) : st;
}

rs_status rs_intake_no_room(const rs_arena *arena, rs_err *err) {
    *err = (rs_err){0};
    if (!arena->is_over_limit) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory: retry later");
    return rs_fail(err, RS_ERR_TOO_LARGE, 0, "the request holds more than fits in memory: send less at once");
}

rs_status rs_intake_normalize(const rs_server *server, rs_spans *spans, rs_arena *arena, rs_err *err) {
    rs_status st = RS_OK;
    rs_price_memo memo = {0};
    const rs_prices *prices = rs_price_table_take(server->prices);
    for (size_t i = 0; st == RS_OK && i < spans->n; i++) {
        st = rs_normalize_for_store(&spans->items[i], arena);
        if (st == RS_OK) rs_prices_apply(prices, &spans->items[i], &memo);
    }
    rs_price_table_give(server->prices, prices);
    if (st == RS_OK) st = rs_prices_count_time_once(spans, arena);
    return st == RS_OK ? st : rs_intake_no_room(arena, err);
}

void rs_intake_set_environment(rs_spans *spans, rs_str environment) {
    for (size_t i = 0; environment.n && i < spans->n; i++)
        if (!spans->items[i].facts.environment.n) spans->items[i].facts.environment = environment;
}

rs_status rs_intake_spans(rs_intake *in, rs_spans *spans, rs_err *err) {
    rs_store_batch *batch = &in->job.batch;
    rs_arena *arena = &in->req->arena;
    rs_status st = rs_intake_normalize(in->server, spans, arena, err);
    if (st != RS_OK) return st;
    rs_intake_set_environment(spans, rs_str_of(in->req->who.environment));
    batch->spans = spans->items;
    batch->n = spans->n;
    if (rs_store_prepare(in->server->store, in->req->project, spans->items, spans->n, arena, &batch->prepared,
                         NULL) != RS_OK)
        batch->prepared = NULL; /* then the commit does it, or says what is wrong */
    return RS_OK;
}

/* ---- the way to the writer ----------------------------------------------------------------------------- */

void rs_intake_commit(rs_intake *in, size_t body_bytes) {
    rs_err err = {0};
    rs_request *req = in->req;
    in->job.bytes = body_bytes + req->arena.held;
    if (in->job.batch.n == 0 && in->job.batch.nevents == 0) {
        in->answer(in);
        return;
    }
    if (!rs_request_charge(req, req->arena.held)) {
        (void)!rs_fail(&err, RS_ERR_FULL, 0, "too much is being taken in at once: retry later");
        rs_intake_refuse(in->res, &err);
        return;
    }
    rs_request_defer(req);
    rs_status st = rs_writer_push(in->server->writer, &in->job);
    if (st == RS_OK) return;
    (void)!rs_fail(&err, st, 0,
                   st == RS_ERR_CLOSED ? "the server is shutting down" : "the queue is full: retry later");
    rs_intake_refuse(in->res, &err);
    rs_request_finish(req);
}

/* ---- answers ------------------------------------------------------------------------------------------- */

void rs_intake_refuse(rs_response *res, const rs_err *err) {
    if (err->code == RS_ERR_INVALID || err->code == RS_ERR_TRUNCATED)
        rs_response_error(res, 400, "malformed", NULL, "%s (at byte %zu)", err->message, err->offset);
    else rs_response_from_err(res, err);
}

/* Field 1 is Export…PartialSuccess {1: rejected_…, 2: error_message}, for spans and for log records. */
static void answer_protobuf(rs_response *res, size_t n, const char *why) {
    res->content_type = "application/x-protobuf";
    if (!n) return;
    rs_str reason = rs_str_of(why);
    size_t length = 1 + rs_pb_varint_size(n) + 1 + rs_pb_varint_size(reason.n) + reason.n;
    rs_pb_varint(&res->body, 1 << 3 | 2);
    rs_pb_varint(&res->body, length);
    rs_pb_varint(&res->body, 1 << 3 | 0);
    rs_pb_varint(&res->body, n);
    rs_pb_bytes(&res->body, 2, reason);
}

static void answer_json(rs_response *res, const char *rejected, size_t n, const char *why) {
    rs_json j = rs_json_on(&res->body);
    rs_json_object(&j);
    rs_json_key(&j, RS_STR("partialSuccess"));
    rs_json_object(&j);
    if (n) {
        char count[24];
        snprintf(count, sizeof count, "%zu", n); /* OTLP/JSON: 64-bit integers are strings */
        rs_json_put_str(&j, rejected, rs_str_of(count));
        rs_json_put_str(&j, "errorMessage", rs_str_of(why));
    }
    rs_json_object_end(&j);
    rs_json_object_end(&j);
}

void rs_intake_answer_otlp(rs_intake *in, const char *rejected, size_t n, const char *why) {
    rs_response_header(in->res, "Accept-Encoding",
                       "zstd, gzip, deflate"); /* for bodies to come (RFC 9110, 12.5.3) */
    if (in->format == RS_BODY_PROTOBUF) answer_protobuf(in->res, n, why);
    else answer_json(in->res, rejected, n, why);
}
