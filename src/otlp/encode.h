/* Spans -> OTLP protobuf. Shared by the SDK (each span encoded once, when it ends) and by the server (composite
 * values that came as JSON; raw view; export). Appends to a caller's rs_buf; failure is the buffer's sticky one.
 * No I/O, any thread.
 *
 * The pieces nest as in ExportTraceServiceRequest: a span's bytes, once made, are only copied from then on:
 *   request = field 1 (ResourceSpans){ field 1 (Resource), field 2 (ScopeSpans){ field 1 (Scope), field 2 (Span)… } } */
#ifndef RS_OTLP_ENCODE_H
#define RS_OTLP_ENCODE_H

#include "otlp/span.h"

/* Body of a Span message (no tag, no length). Attributes, events, links and status as set in *s. */
void rs_otlp_encode_span(rs_buf *out, const rs_span *s);

/* One attribute as field `field` of the enclosing message (9 in Span, 1 in Resource, 3 in Event, 4 in Link). */
void rs_otlp_encode_attr(rs_buf *out, uint32_t field, const rs_attr *a);

/* Body of an AnyValue: nothing for an empty one. */
void rs_otlp_encode_value(rs_buf *out, const rs_value *v);

/* Body of an Event message. */
void rs_otlp_encode_event(rs_buf *out, const rs_event *e);

/* Body of a Resource / InstrumentationScope message. */
void rs_otlp_encode_resource(rs_buf *out, const rs_resource *r);
void rs_otlp_encode_scope(rs_buf *out, const rs_scope *s);

/* A whole ExportTraceServiceRequest around span bodies that are encoded already: resource and scope are message
 * bodies as made above; spans[i] are Span bodies. */
void rs_otlp_encode_request(rs_buf *out, rs_str resource, rs_str scope, const rs_str *spans, size_t n);

/* Protobuf primitives (protobuf.dev/programming-guides/encoding). */
void rs_pb_varint(rs_buf *out, uint64_t v);
void rs_pb_bytes(rs_buf *out, uint32_t field, rs_str s); /* wire type 2 */
static inline size_t rs_pb_varint_size(uint64_t v) {
    if (__builtin_expect(v < 0x80, 1)) return 1;
    return (size_t)(63 - __builtin_clzll(v)) / 7 + 1;
}

#endif
