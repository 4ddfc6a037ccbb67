/* Measure, reserve once, then write without checks: `size_…` and `put_…` of a message always agree.
 * Field numbers: opentelemetry/proto/trace/v1/trace.proto, common/v1/common.proto,
 * resource/v1/resource.proto. Scalars and strings that hold proto3's default are left out, members of
 * AnyValue's oneof never. */
#include "otlp/encode.h"

#include "otlp/protobuf.h"

static size_t size_tag(uint32_t field) { return rs_pb_varint_size((uint64_t)field << 3); }

static uint8_t *put_tag(uint8_t *p, uint32_t field, unsigned wire) {
    return rs_pb_put_varint(p, (uint64_t)field << 3 | wire);
}

/* A message or string of n bytes as a field. */
static size_t size_field(uint32_t field, size_t n) { return size_tag(field) + rs_pb_varint_size(n) + n; }

static uint8_t *put_head(uint8_t *p, uint32_t field, size_t n) {
    return rs_pb_put_varint(put_tag(p, field, RS_PB_BYTES), n);
}

static uint8_t *put_raw(uint8_t *p, const void *bytes, size_t n) {
    if (n) memcpy(p, bytes, n);
    return p + n;
}

static uint8_t *put_bytes(uint8_t *p, uint32_t field, rs_str s) {
    return put_raw(put_head(p, field, s.n), s.p, s.n);
}

static size_t size_text(uint32_t field, rs_str s) { return s.n ? size_field(field, s.n) : 0; }
static uint8_t *put_text(uint8_t *p, uint32_t field, rs_str s) { return s.n ? put_bytes(p, field, s) : p; }

static size_t size_uint(uint32_t field, uint64_t v) { return v ? size_tag(field) + rs_pb_varint_size(v) : 0; }
static uint8_t *put_uint(uint8_t *p, uint32_t field, uint64_t v) {
    return v ? rs_pb_put_varint(put_tag(p, field, RS_PB_VARINT), v) : p;
}

static uint8_t *put_little_endian(uint8_t *p, uint64_t v, int bytes) {
    for (int i = 0; i < bytes; i++) *p++ = (uint8_t)(v >> 8 * i);
    return p;
}

static size_t size_fixed64(uint32_t field, uint64_t v) { return v ? size_tag(field) + 8 : 0; }
static uint8_t *put_fixed64(uint8_t *p, uint32_t field, uint64_t v) {
    return v ? put_little_endian(put_tag(p, field, RS_PB_FIXED64), v, 8) : p;
}

static size_t size_fixed32(uint32_t field, uint32_t v) { return v ? size_tag(field) + 4 : 0; }
static uint8_t *put_fixed32(uint8_t *p, uint32_t field, uint32_t v) {
    return v ? put_little_endian(put_tag(p, field, RS_PB_FIXED32), v, 4) : p;
}

/* ---- AnyValue, KeyValue -------------------------------------------------------------------------------- */

/* The AnyValue member that holds such a value as length-delimited bytes; 0 if it is none of those. */
static uint32_t bytes_member(rs_value_type t) {
    switch (t) {
    case RS_VALUE_STRING:
        return RS_ANY_STRING;
    case RS_VALUE_ARRAY:
        return RS_ANY_ARRAY;
    case RS_VALUE_KVLIST:
        return RS_ANY_KVLIST;
    case RS_VALUE_BYTES:
        return RS_ANY_BYTES;
    default:
        return 0;
    }
}

static size_t size_value(const rs_value *v) {
    switch (v->type) {
    case RS_VALUE_EMPTY:
        return 0;
    case RS_VALUE_BOOL:
        return 2;
    case RS_VALUE_INT:
        return 1 + rs_pb_varint_size((uint64_t)v->i);
    case RS_VALUE_DOUBLE:
        return 9;
    default:
        return size_field(bytes_member(v->type), v->s.n);
    }
}

static uint8_t *put_value(uint8_t *p, const rs_value *v) {
    uint64_t bits;
    switch (v->type) {
    case RS_VALUE_EMPTY:
        return p;
    case RS_VALUE_BOOL:
        return rs_pb_put_varint(put_tag(p, RS_ANY_BOOL, RS_PB_VARINT), v->b);
    case RS_VALUE_INT:
        return rs_pb_put_varint(put_tag(p, RS_ANY_INT, RS_PB_VARINT), (uint64_t)v->i);
    case RS_VALUE_DOUBLE:
        memcpy(&bits, &v->d, 8);
        return put_little_endian(put_tag(p, RS_ANY_DOUBLE, RS_PB_FIXED64), bits, 8);
    default:
        return put_bytes(p, bytes_member(v->type), v->s);
    }
}

static size_t size_attr_body(const rs_attr *a) {
    return size_text(1, a->key) + size_field(2, size_value(&a->value));
}

static uint8_t *put_attr(uint8_t *p, uint32_t field, const rs_attr *a) {
    p = put_head(p, field, size_attr_body(a));
    p = put_text(p, 1, a->key);
    return put_value(put_head(p, 2, size_value(&a->value)), &a->value);
}

/* Attributes as `field` and dropped_attributes_count as the field behind it, as in every message that has
 * both. */
static size_t size_attrs(uint32_t field, const rs_attrs *a) {
    size_t n = size_uint(field + 1, a->dropped);
    for (uint32_t i = 0; i < a->n; i++) n += size_field(field, size_attr_body(&a->items[i]));
    return n;
}

static uint8_t *put_attrs(uint8_t *p, uint32_t field, const rs_attrs *a) {
    for (uint32_t i = 0; i < a->n; i++) p = put_attr(p, field, &a->items[i]);
    return put_uint(p, field + 1, a->dropped);
}

/* ---- Event, Link, Status ------------------------------------------------------------------------------- */

static size_t size_event(const rs_event *e) {
    return size_fixed64(1, e->time_ns) + size_text(2, e->name) + size_attrs(3, &e->attrs);
}

static uint8_t *put_event(uint8_t *p, const rs_event *e) {
    p = put_fixed64(p, 1, e->time_ns);
    p = put_text(p, 2, e->name);
    return put_attrs(p, 3, &e->attrs);
}

static rs_str slice(const uint8_t *id, size_t n) { return (rs_str){(const char *)id, n}; }

static size_t size_link(const rs_link *l) {
    return size_field(1, sizeof l->trace_id) + size_field(2, sizeof l->span_id) +
           size_text(3, l->trace_state) + size_attrs(4, &l->attrs) + size_fixed32(6, l->flags);
}

static uint8_t *put_link(uint8_t *p, const rs_link *l) {
    p = put_head(p, 13, size_link(l));
    p = put_bytes(p, 1, slice(l->trace_id, sizeof l->trace_id));
    p = put_bytes(p, 2, slice(l->span_id, sizeof l->span_id));
    p = put_text(p, 3, l->trace_state);
    p = put_attrs(p, 4, &l->attrs);
    return put_fixed32(p, 6, l->flags);
}

static size_t size_status(const rs_span *s) {
    return size_text(2, s->status_message) + size_uint(3, s->status);
}

static uint8_t *put_status(uint8_t *p, const rs_span *s) {
    size_t n = size_status(s);
    if (n == 0) return p;
    p = put_head(p, 15, n);
    p = put_text(p, 2, s->status_message);
    return put_uint(p, 3, s->status);
}

/* ---- Span ---------------------------------------------------------------------------------------------- */

static size_t size_span(const rs_span *s) {
    size_t n = size_field(1, sizeof s->trace_id) + size_field(2, sizeof s->span_id) +
               size_text(3, s->trace_state) + size_text(5, s->name) + size_uint(6, s->kind) +
               size_fixed64(7, s->start_ns) + size_fixed64(8, s->end_ns) + size_attrs(9, &s->attrs) +
               size_uint(12, s->dropped_events) + size_uint(14, s->dropped_links) +
               size_fixed32(16, s->flags);
    if (s->has_parent) n += size_field(4, sizeof s->parent_id);
    for (uint32_t i = 0; i < s->nevents; i++) n += size_field(11, size_event(&s->events[i]));
    for (uint32_t i = 0; i < s->nlinks; i++) n += size_field(13, size_link(&s->links[i]));
    size_t status = size_status(s);
    return status ? n + size_field(15, status) : n;
}

static uint8_t *put_span(uint8_t *p, const rs_span *s) {
    p = put_bytes(p, 1, slice(s->trace_id, sizeof s->trace_id));
    p = put_bytes(p, 2, slice(s->span_id, sizeof s->span_id));
    p = put_text(p, 3, s->trace_state);
    if (s->has_parent) p = put_bytes(p, 4, slice(s->parent_id, sizeof s->parent_id));
    p = put_text(p, 5, s->name);
    p = put_uint(p, 6, s->kind);
    p = put_fixed64(p, 7, s->start_ns);
    p = put_fixed64(p, 8, s->end_ns);
    p = put_attrs(p, 9, &s->attrs);
    for (uint32_t i = 0; i < s->nevents; i++)
        p = put_event(put_head(p, 11, size_event(&s->events[i])), &s->events[i]);
    p = put_uint(p, 12, s->dropped_events);
    for (uint32_t i = 0; i < s->nlinks; i++) p = put_link(p, &s->links[i]);
    p = put_uint(p, 14, s->dropped_links);
    p = put_status(p, s);
    return put_fixed32(p, 16, s->flags);
}

/* ---- what the header offers ---------------------------------------------------------------------------- */

/* Adds what was written from the reserved place up to `end`. */
static void commit(rs_buf *out, const uint8_t *end) { out->n = (size_t)((const char *)end - out->p); }

void rs_pb_varint(rs_buf *out, uint64_t v) {
    char *p = rs_buf_reserve(out, rs_pb_varint_size(v));
    if (p) commit(out, rs_pb_put_varint((uint8_t *)p, v));
}

void rs_pb_bytes(rs_buf *out, uint32_t field, rs_str s) {
    char *p = rs_buf_reserve(out, size_field(field, s.n));
    if (p) commit(out, put_bytes((uint8_t *)p, field, s));
}

void rs_otlp_encode_span(rs_buf *out, const rs_span *s) {
    char *p = rs_buf_reserve(out, size_span(s));
    if (p) commit(out, put_span((uint8_t *)p, s));
}

void rs_otlp_encode_attr(rs_buf *out, uint32_t field, const rs_attr *a) {
    char *p = rs_buf_reserve(out, size_field(field, size_attr_body(a)));
    if (p) commit(out, put_attr((uint8_t *)p, field, a));
}

void rs_otlp_encode_value(rs_buf *out, const rs_value *v) {
    size_t n = size_value(v);
    char *p = n ? rs_buf_reserve(out, n) : NULL;
    if (p) commit(out, put_value((uint8_t *)p, v));
}

void rs_otlp_encode_event(rs_buf *out, const rs_event *e) {
    size_t n = size_event(e);
    char *p = n ? rs_buf_reserve(out, n) : NULL;
    if (p) commit(out, put_event((uint8_t *)p, e));
}

void rs_otlp_encode_resource(rs_buf *out, const rs_resource *r) {
    size_t n = size_attrs(1, &r->attrs);
    char *p = n ? rs_buf_reserve(out, n) : NULL;
    if (p) commit(out, put_attrs((uint8_t *)p, 1, &r->attrs));
}

void rs_otlp_encode_scope(rs_buf *out, const rs_scope *s) {
    size_t n = size_text(1, s->name) + size_text(2, s->version) + size_attrs(3, &s->attrs);
    char *p = n ? rs_buf_reserve(out, n) : NULL;
    if (!p) return;
    uint8_t *at = put_text((uint8_t *)p, 1, s->name);
    at = put_text(at, 2, s->version);
    commit(out, put_attrs(at, 3, &s->attrs));
}

void rs_otlp_encode_request(rs_buf *out, rs_str resource, rs_str scope, const rs_str *spans, size_t n) {
    size_t scope_spans = size_field(1, scope.n);
    for (size_t i = 0; i < n; i++) scope_spans += size_field(2, spans[i].n);
    size_t resource_spans = size_field(1, resource.n) + size_field(2, scope_spans);
    char *p = rs_buf_reserve(out, size_field(1, resource_spans));
    if (!p) return;
    uint8_t *at = put_head((uint8_t *)p, 1, resource_spans);
    at = put_bytes(at, 1, resource);
    at = put_head(at, 2, scope_spans);
    at = put_bytes(at, 1, scope);
    for (size_t i = 0; i < n; i++) at = put_bytes(at, 2, spans[i]);
    commit(out, at);
}
