#include "server/legacy.h"

#include "base/clock.h"
#include "base/ids.h"
#include "base/json_write.h"
#include "server/intake.h"
#include "server/request_log.h"
#include "server/server.h"

typedef struct legacy_intake {
    rs_intake base; /* first */
    rs_spans spans;
} legacy_intake;

/* The ids of a single log are of use to who sent it: under them it is found here. */
static void put_ids(rs_json *j, const rs_span *s) {
    char hex[33];
    rs_hex(s->trace_id, sizeof s->trace_id, hex);
    rs_json_put_str(j, "trace_unique_id", rs_str_of(hex));
    rs_hex(s->span_id, sizeof s->span_id, hex);
    rs_json_put_str(j, "span_unique_id", rs_str_of(hex));
    rs_json_put_str(j, "unique_id", rs_str_of(hex));
}

static void answer(rs_intake *base) {
    const rs_spans *spans = &((legacy_intake *)base)->spans;
    rs_json j = rs_json_on(&base->res->body);
    rs_metrics_add(&base->server->metrics.spans, spans->n);
    rs_metrics_add(&base->server->metrics.rejected_spans, spans->rejected);
    rs_json_object(&j);
    rs_json_put_str(&j, "message", RS_STR("stored"));
    rs_json_put_int(&j, "stored", (int64_t)spans->n);
    rs_json_put_int(&j, "rejected", (int64_t)spans->rejected);
    if (spans->rejected) rs_json_put_str(&j, "reason", rs_str_of(spans->reject_reason));
    if (spans->n == 1) put_ids(&j, &spans->items[0]);
    rs_json_object_end(&j);
}

void rs_legacy_take(rs_server *server, rs_request *req, rs_response *res) {
    rs_err err = {0};
    rs_str body;
    legacy_intake *in = (legacy_intake *)rs_intake_new(server, req, res, sizeof *in, answer);
    if (!in) return;
    rs_status st = rs_intake_format(req, &in->base.format, &err);
    if (st == RS_OK && in->base.format != RS_BODY_JSON)
        st = rs_fail(&err, RS_ERR_UNSUPPORTED, 0,
                     "request logs are application/json; OTLP goes to /v1/traces");
    if (st == RS_OK) st = rs_intake_body(server, req, &body, &err);
    if (st == RS_OK) st = rs_request_log_decode(body, rs_clock_wall_ns(), &req->arena, &in->spans, &err);
    if (st == RS_ERR_MEMORY) st = rs_intake_no_room(&req->arena, &err);
    if (st == RS_OK) st = rs_intake_spans(&in->base, &in->spans, &err);
    if (st == RS_OK) rs_intake_commit(&in->base, body.n);
    else rs_intake_refuse(res, &err);
}
