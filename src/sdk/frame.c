#include "sdk/frame.h"

#include "otlp/encode.h"
#include "otlp/protobuf.h"

enum {
    FRAME_HEAD_MAX = 1 + 5 /* tag and length */,
    FRAME_TAG = RS_PB_TAG(2, RS_PB_BYTES) /* ScopeSpans.spans */
};

static char *put_id(char *p, unsigned field, const uint8_t *id, size_t n) {
    *p++ = (char)RS_PB_TAG(field, RS_PB_BYTES);
    *p++ = (char)n;
    memcpy(p, id, n);
    return p + n;
}

static char *put_time(char *p, unsigned field, uint64_t ns) {
    *p++ = (char)RS_PB_TAG(field, RS_PB_FIXED64);
    ns = htole64(ns);
    memcpy(p, &ns, sizeof ns);
    return p + sizeof ns;
}

/* Tag and length go right before the rest, since their size is known last. */
rs_str rs_frame_lead(const rs_frame_head *h, size_t n, char out[RS_FRAME_LEAD_MAX]) {
    char *begin = out + FRAME_HEAD_MAX;
    char *p = put_id(begin, RS_SPAN_TRACE_ID, h->trace_id, 16);
    p = put_id(p, RS_SPAN_ID, h->span_id, 8);
    if (h->parent_id) p = put_id(p, RS_SPAN_PARENT_ID, h->parent_id, 8);
    if (!h->has_kind) {
        *p++ = RS_PB_TAG(RS_SPAN_KIND, RS_PB_VARINT);
        *p++ = RESPAN_KIND_INTERNAL;
    }
    if (h->left_out) {
        *p++ = RS_PB_TAG(RS_SPAN_DROPPED_ATTRIBUTES, RS_PB_VARINT);
        p = (char *)rs_pb_put_varint((uint8_t *)p, h->left_out);
    }
    p = put_time(p, RS_SPAN_START, h->start_ns);
    p = put_time(p, RS_SPAN_END, h->end_ns);
    uint64_t body = (uint64_t)(p - begin) + n;
    begin -= rs_pb_varint_size(body);
    rs_pb_put_varint((uint8_t *)begin, body);
    *--begin = FRAME_TAG;
    return (rs_str){begin, (size_t)(p - begin)};
}

size_t rs_frame_find_lead(rs_str frame) {
    rs_pb_cursor outer = rs_pb_over(frame);
    rs_pb_field span = {0}, field = {0};
    if (!rs_pb_next(&outer, &span) || span.tag != FRAME_TAG || outer.p != outer.end) return 0;
    rs_pb_cursor inner = rs_pb_over(span.s);
    while (rs_pb_next(&inner, &field))
        if (field.tag == RS_PB_TAG(RS_SPAN_END, RS_PB_FIXED64))
            return (size_t)((const char *)inner.p - frame.p);
    return 0;
}
