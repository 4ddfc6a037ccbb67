#include "otlp/encode_json.h"

#include "otlp/decode.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static void put_u64(rs_json *j, const char *key, uint64_t v) {
    char text[24];
    int n = snprintf(text, sizeof text, "%" PRIu64, v);
    rs_json_put_str(j, key, (rs_str){text, (size_t)n});
}

/* What is the default is left out, as protobuf's mapping does. */
static void put_text(rs_json *j, const char *key, rs_str s) {
    if (s.n) rs_json_put_str(j, key, s);
}

static void put_number(rs_json *j, const char *key, uint32_t v) {
    if (v) rs_json_put_int(j, key, v);
}

static void put_double(rs_json *j, double v) {
    if (isnan(v)) rs_json_put_str(j, "doubleValue", RS_STR("NaN"));
    else if (isinf(v)) rs_json_put_str(j, "doubleValue", v < 0 ? RS_STR("-Infinity") : RS_STR("Infinity"));
    else rs_json_put_double(j, "doubleValue", v);
}

static void write_value(rs_json *j, const rs_value *v, unsigned depth);

static void write_pair(rs_json *j, rs_str key, const rs_value *v, unsigned depth) {
    rs_json_object(j);
    rs_json_put_str(j, "key", key);
    rs_json_key(j, RS_STR("value"));
    write_value(j, v, depth);
    rs_json_object_end(j);
}

static void write_composite(rs_json *j, const rs_value *v, unsigned depth) {
    bool is_map = v->type == RS_VALUE_KVLIST;
    size_t at = 0;
    rs_str key;
    rs_value item;
    rs_json_key(j, is_map ? RS_STR("kvlistValue") : RS_STR("arrayValue"));
    rs_json_object(j);
    rs_json_key(j, RS_STR("values"));
    rs_json_array(j);
    while (depth <= RS_VALUE_MAX_DEPTH && rs_value_next(v, &at, &key, &item)) {
        if (is_map) write_pair(j, key, &item, depth + 1);
        else write_value(j, &item, depth + 1);
    }
    rs_json_array_end(j);
    rs_json_object_end(j);
}

static void write_value(rs_json *j, const rs_value *v, unsigned depth) {
    rs_json_object(j);
    switch (v->type) {
    case RS_VALUE_EMPTY:
        break;
    case RS_VALUE_STRING:
        rs_json_put_str(j, "stringValue", v->s);
        break;
    case RS_VALUE_BOOL:
        rs_json_put_bool(j, "boolValue", v->b);
        break;
    case RS_VALUE_INT: {
        char text[24];
        int n = snprintf(text, sizeof text, "%" PRId64, v->i);
        rs_json_put_str(j, "intValue", (rs_str){text, (size_t)n});
        break;
    }
    case RS_VALUE_DOUBLE:
        put_double(j, v->d);
        break;
    case RS_VALUE_BYTES:
        rs_json_key(j, RS_STR("bytesValue"));
        rs_value_write_json(j, v); /* base64 */
        break;
    case RS_VALUE_ARRAY:
    case RS_VALUE_KVLIST:
        write_composite(j, v, depth);
        break;
    }
    rs_json_object_end(j);
}

static void put_attrs(rs_json *j, const rs_attrs *a) {
    if (a->n) {
        rs_json_key(j, RS_STR("attributes"));
        rs_json_array(j);
        for (uint32_t i = 0; i < a->n; i++) write_pair(j, a->items[i].key, &a->items[i].value, 1);
        rs_json_array_end(j);
    }
    put_number(j, "droppedAttributesCount", a->dropped);
}

static void put_events(rs_json *j, const rs_span *s) {
    if (s->nevents == 0) return;
    rs_json_key(j, RS_STR("events"));
    rs_json_array(j);
    for (uint32_t i = 0; i < s->nevents; i++) {
        const rs_event *e = &s->events[i];
        rs_json_object(j);
        put_u64(j, "timeUnixNano", e->time_ns);
        put_text(j, "name", e->name);
        put_attrs(j, &e->attrs);
        rs_json_object_end(j);
    }
    rs_json_array_end(j);
}

static void put_links(rs_json *j, const rs_span *s) {
    if (s->nlinks == 0) return;
    rs_json_key(j, RS_STR("links"));
    rs_json_array(j);
    for (uint32_t i = 0; i < s->nlinks; i++) {
        const rs_link *l = &s->links[i];
        rs_json_object(j);
        rs_json_put_hex(j, "traceId", l->trace_id, sizeof l->trace_id);
        rs_json_put_hex(j, "spanId", l->span_id, sizeof l->span_id);
        put_text(j, "traceState", l->trace_state);
        put_attrs(j, &l->attrs);
        put_number(j, "flags", l->flags);
        rs_json_object_end(j);
    }
    rs_json_array_end(j);
}

static void write_span(rs_json *j, const rs_span *s) {
    rs_json_object(j);
    rs_json_put_hex(j, "traceId", s->trace_id, sizeof s->trace_id);
    rs_json_put_hex(j, "spanId", s->span_id, sizeof s->span_id);
    put_text(j, "traceState", s->trace_state);
    if (s->has_parent) rs_json_put_hex(j, "parentSpanId", s->parent_id, sizeof s->parent_id);
    put_number(j, "flags", s->flags);
    put_text(j, "name", s->name);
    put_number(j, "kind", s->kind);
    put_u64(j, "startTimeUnixNano", s->start_ns);
    put_u64(j, "endTimeUnixNano", s->end_ns);
    put_attrs(j, &s->attrs);
    put_events(j, s);
    put_number(j, "droppedEventsCount", s->dropped_events);
    put_links(j, s);
    put_number(j, "droppedLinksCount", s->dropped_links);
    rs_json_key(j, RS_STR("status"));
    rs_json_object(j);
    put_text(j, "message", s->status_message);
    put_number(j, "code", s->status);
    rs_json_object_end(j);
    rs_json_object_end(j);
}

void rs_otlp_write_json(rs_json *j, const rs_span *span) {
    const rs_resource *resource = span->resource;
    const rs_scope *scope = span->scope;
    rs_json_object(j);
    rs_json_key(j, RS_STR("resourceSpans"));
    rs_json_array(j);
    rs_json_object(j);
    rs_json_key(j, RS_STR("resource"));
    rs_json_object(j);
    put_attrs(j, &resource->attrs);
    rs_json_object_end(j);
    rs_json_key(j, RS_STR("scopeSpans"));
    rs_json_array(j);
    rs_json_object(j);
    rs_json_key(j, RS_STR("scope"));
    rs_json_object(j);
    put_text(j, "name", scope->name);
    put_text(j, "version", scope->version);
    put_attrs(j, &scope->attrs);
    rs_json_object_end(j);
    rs_json_key(j, RS_STR("spans"));
    rs_json_array(j);
    write_span(j, span);
    rs_json_array_end(j);
    put_text(j, "schemaUrl", scope->schema_url);
    rs_json_object_end(j);
    rs_json_array_end(j);
    put_text(j, "schemaUrl", resource->schema_url);
    rs_json_object_end(j);
    rs_json_array_end(j);
    rs_json_object_end(j);
}
