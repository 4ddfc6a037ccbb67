/* What holds for whatever a decoder hands out; shared by the OTLP fuzz targets. Aborts where it does not. */
#ifndef RS_FUZZ_OTLP_INVARIANTS_H
#define RS_FUZZ_OTLP_INVARIANTS_H

#include "base/json_read.h"
#include "otlp/decode.h"
#include "otlp/encode.h"
#include "random_spans.h"
#include <stdlib.h>

static inline void hold(bool condition) {
    if (!condition) abort();
}

static inline void attrs_hold(const rs_attrs *a) {
    rs_buf out;
    rs_buf_init(&out);
    rs_json j = rs_json_on(&out);
    rs_attrs_write_json(&j, a);
    hold(rs_buf_status(&out) == RS_OK && rs_json_is_valid(rs_buf_slice(&out)));
    rs_buf_deinit(&out);
    for (uint32_t i = 0; i < a->n; i++) {
        hold(rs_str_is_utf8(a->items[i].key));
        if (a->items[i].value.type == RS_VALUE_STRING) hold(rs_str_is_utf8(a->items[i].value.s));
    }
}

static inline void span_holds(const rs_span *s) {
    hold(s->resource && s->scope && s->kind <= 5 && s->status <= RS_STATUS_ERROR);
    hold(rs_str_is_utf8(s->name) && rs_str_is_utf8(s->status_message) && rs_str_is_utf8(s->trace_state));
    attrs_hold(&s->attrs);
    attrs_hold(&s->resource->attrs);
    attrs_hold(&s->scope->attrs);
    for (uint32_t i = 0; i < s->nevents; i++) attrs_hold(&s->events[i].attrs);
    for (uint32_t i = 0; i < s->nlinks; i++) attrs_hold(&s->links[i].attrs);
}

/* The decoded spans are sound, and come back the same when encoded and decoded again. */
static inline void decoded_holds(rs_status status, const rs_spans *spans, const rs_err *err, rs_str body) {
    hold(err->code == status && err->offset <= body.n);
    if (status != RS_OK) {
        hold(err->message[0] && spans->n == 0);
        return;
    }
    hold((spans->rejected > 0) == (spans->reject_reason[0] != 0));
    for (size_t i = 0; i < spans->n; i++) {
        span_holds(&spans->items[i]);
        rs_arena arena;
        rs_spans one = {.items = &spans->items[i], .n = 1}, back;
        rs_buf again;
        rs_arena_init(&arena, 0);
        rs_buf_init(&again);
        request_protobuf(&again, &one);
        hold(rs_otlp_decode_protobuf(rs_buf_slice(&again), &arena, &back, NULL) == RS_OK && back.n == 1);
        hold(!spans_differ(&spans->items[i], &back.items[0]));
        rs_buf_deinit(&again);
        rs_arena_deinit(&arena);
    }
}

#endif
