#include "server/logs.h"

#include "otlp/decode.h"
#include "otlp/encode.h"
#include "server/intake.h"
#include "server/join.h"
#include "server/server.h"

#include <stdio.h>

typedef struct log_intake {
    rs_intake base; /* first */
    rs_loose_events events;
} log_intake;

static void answer(rs_intake *base) {
    log_intake *in = (log_intake *)base;
    char too_many[96];
    size_t refused = in->events.rejected + base->job.refused;
    const char *why = in->events.reject_reason;
    if (!in->events.rejected) {
        snprintf(too_many, sizeof too_many, "a span has at most %d events", RS_JOIN_EVENTS);
        why = too_many;
    }
    rs_metrics_add(&base->server->metrics.events, in->events.n - base->job.refused);
    rs_intake_answer_otlp(base, "rejectedLogRecords", refused, why);
}

/* Each as it is stored until its span comes. */
static rs_status make_records(log_intake *in, rs_err *err) {
    rs_arena *arena = &in->base.req->arena;
    rs_store_event *events = rs_arena_zalloc(arena, in->events.n, sizeof *events);
    rs_buf record;
    rs_status st = events ? RS_OK : RS_ERR_MEMORY;
    rs_buf_init(&record);
    for (size_t i = 0; i < in->events.n && st == RS_OK; i++) {
        const rs_loose_event *e = &in->events.items[i];
        rs_buf_clear(&record);
        rs_otlp_encode_event(&record, &e->event);
        memcpy(events[i].trace_id, e->trace_id, sizeof e->trace_id);
        memcpy(events[i].span_id, e->span_id, sizeof e->span_id);
        events[i].record = rs_arena_copy(arena, rs_buf_slice(&record));
        if (rs_buf_status(&record) != RS_OK || !events[i].record.p) st = RS_ERR_MEMORY;
    }
    rs_buf_deinit(&record);
    in->base.job.batch.events = events;
    in->base.job.batch.nevents = in->events.n;
    return st == RS_OK ? st : rs_intake_no_room(arena, err);
}

static rs_status decode(log_intake *in, rs_str body, rs_err *err) {
    rs_arena *arena = &in->base.req->arena;
    rs_status st = in->base.format == RS_BODY_PROTOBUF
                       ? rs_otlp_decode_logs_protobuf(body, arena, &in->events, err)
                       : rs_otlp_decode_logs_json(body, arena, &in->events, err);
    if (st == RS_ERR_MEMORY) return rs_intake_no_room(arena, err);
    return st == RS_OK ? make_records(in, err) : st;
}

void rs_logs_take(rs_server *server, rs_request *req, rs_response *res) {
    rs_err err = {0};
    rs_str body;
    log_intake *in = (log_intake *)rs_intake_new(server, req, res, sizeof *in, answer);
    if (!in) return;
    rs_status st = rs_intake_format(req, &in->base.format, &err);
    if (st == RS_OK) st = rs_intake_body(server, req, &body, &err);
    if (st == RS_OK) st = decode(in, body, &err);
    if (st != RS_OK) rs_intake_refuse(res, &err);
    else if (in->events.others && in->events.others == in->events.rejected && in->events.n == 0)
        rs_response_error(
            res, 404, "not_found", NULL,
            "this server keeps traces, and of logs only GenAI events (gen_ai.*), with their spans: "
            "switch the exporter of logs off (OTEL_LOGS_EXPORTER=none) or send these elsewhere "
            "(OTEL_EXPORTER_OTLP_LOGS_ENDPOINT)");
    else rs_intake_commit(&in->base, body.n);
}

void rs_logs_refuse_metrics(rs_server *server, rs_request *req, rs_response *res) {
    (void)server, (void)req;
    rs_response_error(res, 404, "not_found", NULL,
                      "this server keeps traces only: switch the exporter of metrics off "
                      "(OTEL_METRICS_EXPORTER=none) or send them elsewhere "
                      "(OTEL_EXPORTER_OTLP_METRICS_ENDPOINT)");
}
