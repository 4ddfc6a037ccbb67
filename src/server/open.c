#include "server/open.h"

#include "base/clock.h"
#include "otlp/decode.h"
#include "server/intake.h"
#include "server/live.h"
#include "server/open_table.h"
#include "server/server.h"

#include <stdio.h>

enum {
    ACCEPTED = 202,
    ENDED_MOST = 256, /* of a request that are looked up and were stored already: more is no mistake */
    BEATS_TOLD =
        64, /* of a request with more spans, those of which something new is said alone are told to who listens */
};

static const char *why_not(rs_status st) {
    switch (st) {
    case RS_ERR_NOT_FOUND:
        return "a span is not known: tell all of it";
    case RS_ERR_INVALID:
        return "a span has ended: send it to /v1/traces";
    case RS_ERR_FULL:
        return "there is no room for more open spans";
    default:
        return "out of memory";
    }
}

static bool is_stored(rs_server *server, uint64_t project, const rs_span *s) {
    rs_arena arena;
    rs_span stored;
    rs_err err = {0};
    rs_arena_init(&arena, 0);
    rs_status st = rs_store_read_span(server->store, project, s->trace_id, s->span_id, &arena, &stored, &err);
    rs_arena_deinit(&arena);
    return st == RS_OK;
}

static void take(rs_server *server, const rs_request *req, rs_spans *spans) {
    uint64_t now = rs_clock_mono_ns();
    size_t ended = 0;
    bool any_new = false;
    rs_live_expire(server->live); /* those that nobody spoke of for long make room first */
    for (size_t i = 0; i < spans->n; i++) {
        rs_span *s = &spans->items[i];
        rs_open_news news;
        rs_status st = rs_open_table_put(server->open, req->project, s, req->who.environment, now, &news);
        if (news == RS_OPEN_NEW && (ended == ENDED_MOST || is_stored(server, req->project, s))) {
            /* A message may come after the ended span: its sender did not wait for it. */
            rs_open_table_ended(server->open, &(rs_store_batch){.project = req->project, .spans = s, .n = 1});
            if (ended < ENDED_MOST) ended++;
            st = RS_ERR_INVALID;
        }
        any_new = any_new || news == RS_OPEN_NEW;
        if (st == RS_OK) {
            if (spans->n <= BEATS_TOLD || news != RS_OPEN_NOTHING)
                rs_live_note_trace(server->live, req->project, (const uint8_t(*)[16])s->trace_id, 1);
        } else if (spans->rejected++ == 0) {
            snprintf(spans->reject_reason, sizeof spans->reject_reason, "%s", why_not(st));
        }
    }
    if (any_new) rs_live_wake(server->live);
}

void rs_open_report(rs_server *server, rs_request *req, rs_response *res) {
    rs_err err = {0};
    rs_str body;
    rs_spans spans = {0};
    rs_intake *in = rs_intake_new(server, req, res, sizeof *in, NULL);
    if (!in) return;
    rs_status st = rs_intake_format(req, &in->format, &err);
    if (st == RS_OK) st = rs_intake_body(server, req, &body, &err);
    if (st == RS_OK) {
        st = in->format == RS_BODY_PROTOBUF ? rs_otlp_decode_protobuf(body, &req->arena, &spans, &err)
                                            : rs_otlp_decode_json(body, &req->arena, &spans, &err);
        if (st == RS_ERR_MEMORY) st = rs_intake_no_room(&req->arena, &err);
    }
    if (st != RS_OK) {
        rs_intake_refuse(res, &err);
        return;
    }
    take(server, req, &spans);
    res->status = ACCEPTED;
    rs_intake_answer_otlp(in, "rejectedSpans", spans.rejected, spans.reject_reason);
}
