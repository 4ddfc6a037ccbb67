/* ExportTraceServiceRequest and ExportLogsServiceRequest in JSON, read token by token into the same that the protobuf walk makes.
 * OTLP's own rules over protobuf's mapping: ids in hex, enums by number or name. Every reader begins inside the object of
 * its message and returns false with b.status set. */
#include "otlp/json_value.h"
#include "otlp/log_record.h"

#define IS_EITHER     RS_OJSON_IS
#define IS(key, name) rs_str_eq(key, RS_STR(name))

static bool done(const rs_ojson *d, bool ok) { return ok && d->b.status == RS_OK; }

static bool event(rs_ojson *d) {
    rs_event *e = rs_build_event(&d->b);
    if (!e) return false;
    size_t first_attr = d->b.nattrs;
    rs_str key;
    bool ok = true;
    while (ok && rs_ojson_member(d, &key)) {
        if (IS(key, "attributes")) ok = rs_ojson_attributes(d);
        else if (IS_EITHER(key, "timeUnixNano", "time_unix_nano")) ok = rs_ojson_u64(d, &e->time_ns);
        else if (IS(key, "name")) ok = rs_ojson_text(d, &e->name);
        else if (IS_EITHER(key, "droppedAttributesCount", "dropped_attributes_count"))
            ok = rs_ojson_u32(d, &e->attrs.dropped);
        else ok = rs_ojson_skip(d);
    }
    return done(d, ok) && rs_build_take_attrs(&d->b, first_attr, &e->attrs);
}

static bool events(rs_ojson *d) {
    bool ok = rs_ojson_array(d);
    while (ok && rs_ojson_item(d)) ok = event(d);
    return done(d, ok);
}

/* A link to nowhere is dropped and counted in *lost. */
static bool link_to(rs_ojson *d, uint32_t *lost) {
    rs_link *l = rs_build_link(&d->b);
    if (!l) return false;
    size_t first_attr = d->b.nattrs;
    rs_str key;
    bool ok = true, has_trace = false, has_span = false, given;
    while (ok && rs_ojson_member(d, &key)) {
        if (IS(key, "attributes")) ok = rs_ojson_attributes(d);
        else if (IS_EITHER(key, "traceId", "trace_id"))
            ok = rs_ojson_id(d, l->trace_id, sizeof l->trace_id, &has_trace, &given);
        else if (IS_EITHER(key, "spanId", "span_id"))
            ok = rs_ojson_id(d, l->span_id, sizeof l->span_id, &has_span, &given);
        else if (IS_EITHER(key, "traceState", "trace_state")) ok = rs_ojson_text(d, &l->trace_state);
        else if (IS(key, "flags")) ok = rs_ojson_u32(d, &l->flags);
        else if (IS_EITHER(key, "droppedAttributesCount", "dropped_attributes_count"))
            ok = rs_ojson_u32(d, &l->attrs.dropped);
        else ok = rs_ojson_skip(d);
    }
    if (!done(d, ok) || !rs_build_take_attrs(&d->b, first_attr, &l->attrs)) return false;
    if (!has_trace || !has_span) {
        d->b.nlinks--;
        ++*lost;
    }
    return true;
}

static bool links(rs_ojson *d, uint32_t *lost) {
    bool ok = rs_ojson_array(d);
    while (ok && rs_ojson_item(d)) ok = link_to(d, lost);
    return done(d, ok);
}

static bool status(rs_ojson *d, rs_span *s) {
    static const rs_str names[] = {RS_STR("STATUS_CODE_UNSET"), RS_STR("STATUS_CODE_OK"),
                                   RS_STR("STATUS_CODE_ERROR")};
    rs_str key;
    uint32_t code = 0;
    bool ok = rs_ojson_enter(d);
    while (ok && rs_ojson_member(d, &key)) {
        if (IS(key, "code")) ok = rs_ojson_enum(d, names, RS_ARRAY_LEN(names), &code);
        else if (IS(key, "message")) ok = rs_ojson_text(d, &s->status_message);
        else ok = rs_ojson_skip(d);
    }
    s->status = (rs_status_code)code;
    return done(d, ok);
}

static bool kind(rs_ojson *d, rs_span *s) {
    static const rs_str names[] = {RS_STR("SPAN_KIND_UNSPECIFIED"), RS_STR("SPAN_KIND_INTERNAL"),
                                   RS_STR("SPAN_KIND_SERVER"),      RS_STR("SPAN_KIND_CLIENT"),
                                   RS_STR("SPAN_KIND_PRODUCER"),    RS_STR("SPAN_KIND_CONSUMER")};
    uint32_t v;
    if (!rs_ojson_enum(d, names, RS_ARRAY_LEN(names), &v)) return false;
    s->kind = (uint8_t)v;
    return true;
}

static bool parent_id(rs_ojson *d, rs_span *s, rs_build_ids *ids) {
    bool ok, given;
    if (!rs_ojson_id(d, s->parent_id, sizeof s->parent_id, &ok, &given)) return false;
    ids->bad_parent = given && !ok;
    return true;
}

static bool span(rs_ojson *d) {
    rs_span *s = rs_build_span(&d->b);
    if (!s) return false;
    rs_build_ids ids = {0};
    uint32_t lost_links = 0;
    rs_str key;
    bool ok = true, given;
    while (ok && rs_ojson_member(d, &key)) {
        if (IS_EITHER(key, "traceId", "trace_id"))
            ok = rs_ojson_id(d, s->trace_id, sizeof s->trace_id, &ids.trace, &given);
        else if (IS_EITHER(key, "spanId", "span_id"))
            ok = rs_ojson_id(d, s->span_id, sizeof s->span_id, &ids.span, &given);
        else if (IS_EITHER(key, "parentSpanId", "parent_span_id")) ok = parent_id(d, s, &ids);
        else if (IS(key, "name")) ok = rs_ojson_text(d, &s->name);
        else if (IS(key, "kind")) ok = kind(d, s);
        else if (IS_EITHER(key, "startTimeUnixNano", "start_time_unix_nano"))
            ok = rs_ojson_u64(d, &s->start_ns);
        else if (IS_EITHER(key, "endTimeUnixNano", "end_time_unix_nano")) ok = rs_ojson_u64(d, &s->end_ns);
        else if (IS(key, "attributes")) ok = rs_ojson_attributes(d);
        else if (IS(key, "status")) ok = status(d, s);
        else if (IS(key, "events")) ok = events(d);
        else if (IS(key, "links")) ok = links(d, &lost_links);
        else if (IS(key, "flags")) ok = rs_ojson_u32(d, &s->flags);
        else if (IS_EITHER(key, "traceState", "trace_state")) ok = rs_ojson_text(d, &s->trace_state);
        else if (IS_EITHER(key, "droppedAttributesCount", "dropped_attributes_count"))
            ok = rs_ojson_u32(d, &s->attrs.dropped);
        else if (IS_EITHER(key, "droppedEventsCount", "dropped_events_count"))
            ok = rs_ojson_u32(d, &s->dropped_events);
        else if (IS_EITHER(key, "droppedLinksCount", "dropped_links_count"))
            ok = rs_ojson_u32(d, &s->dropped_links);
        else ok = rs_ojson_skip(d);
    }
    s->dropped_links += lost_links;
    return done(d, ok) && rs_build_finish_span(&d->b, s, ids);
}

/* ---- LogRecord ----------------------------------------------------------------------------------------- */

static bool log_record(rs_ojson *d) {
    rs_log_record r = {0};
    rs_event *e = &r.of.event;
    rs_str key;
    bool ok = true, given;
    while (ok && rs_ojson_member(d, &key)) {
        if (IS_EITHER(key, "traceId", "trace_id"))
            ok = rs_ojson_id(d, r.of.trace_id, sizeof r.of.trace_id, &r.ids.trace, &given);
        else if (IS_EITHER(key, "spanId", "span_id"))
            ok = rs_ojson_id(d, r.of.span_id, sizeof r.of.span_id, &r.ids.span, &given);
        else if (IS_EITHER(key, "timeUnixNano", "time_unix_nano")) ok = rs_ojson_u64(d, &e->time_ns);
        else if (IS_EITHER(key, "observedTimeUnixNano", "observed_time_unix_nano"))
            ok = rs_ojson_u64(d, &r.observed_ns);
        else if (IS_EITHER(key, "eventName", "event_name")) ok = rs_ojson_text(d, &e->name);
        else if (IS(key, "body")) ok = rs_ojson_any_value(d, &r.body);
        else if (IS(key, "attributes")) ok = rs_ojson_attributes(d);
        else if (IS_EITHER(key, "droppedAttributesCount", "dropped_attributes_count"))
            ok = rs_ojson_u32(d, &e->attrs.dropped);
        else ok = rs_ojson_skip(d);
    }
    return done(d, ok) && rs_build_finish_log(&d->b, &r);
}

/* ---- what they lie in ---------------------------------------------------------------------------------- */

/* An array of other messages, each read by `one`. */
static bool each(rs_ojson *d, bool (*one)(rs_ojson *)) {
    bool ok = rs_ojson_array(d);
    while (ok && rs_ojson_item(d)) ok = one(d);
    return done(d, ok);
}

/* An array of spans or log records. One that has something of a wrong type or out of its range is left out, as long as all is JSON. */
static bool each_record(rs_ojson *d, bool (*one)(rs_ojson *), void (*reject)(rs_build *, const char *)) {
    bool ok = rs_ojson_array(d);
    while (ok && rs_ojson_item(d)) {
        uint32_t depth = d->r.depth;
        rs_err why;
        ok = one(d);
        if (ok || !rs_ojson_leave(d, depth, &why)) continue;
        reject(&d->b, why.message);
        ok = true;
    }
    return done(d, ok);
}

static bool scope(rs_ojson *d) {
    rs_scope *s = d->b.scope;
    size_t first_attr = d->b.nattrs;
    rs_str key;
    bool ok = rs_ojson_enter(d);
    while (ok && rs_ojson_member(d, &key)) {
        if (IS(key, "name")) ok = rs_ojson_text(d, &s->name);
        else if (IS(key, "version")) ok = rs_ojson_text(d, &s->version);
        else if (IS(key, "attributes")) ok = rs_ojson_attributes(d);
        else if (IS_EITHER(key, "droppedAttributesCount", "dropped_attributes_count"))
            ok = rs_ojson_u32(d, &s->attrs.dropped);
        else ok = rs_ojson_skip(d);
    }
    return done(d, ok) && rs_build_take_attrs(&d->b, first_attr, &s->attrs);
}

static bool scope_spans(rs_ojson *d) {
    rs_str key;
    bool ok = rs_build_scope(&d->b);
    while (ok && rs_ojson_member(d, &key)) {
        if (IS(key, "spans")) ok = each_record(d, span, rs_build_reject_span);
        else if (IS(key, "scope")) ok = scope(d);
        else if (IS_EITHER(key, "schemaUrl", "schema_url")) ok = rs_ojson_text(d, &d->b.scope->schema_url);
        else ok = rs_ojson_skip(d);
    }
    return done(d, ok);
}

static bool scope_logs(rs_ojson *d) {
    rs_str key;
    bool ok = true;
    while (ok && rs_ojson_member(d, &key))
        ok = IS_EITHER(key, "logRecords", "log_records") ? each_record(d, log_record, rs_build_reject_log)
                                                         : rs_ojson_skip(d);
    return done(d, ok);
}

static bool resource(rs_ojson *d) {
    rs_resource *r = d->b.resource;
    rs_str key;
    bool ok = rs_ojson_enter(d);
    while (ok && rs_ojson_member(d, &key)) {
        if (IS(key, "attributes")) ok = rs_ojson_attributes(d);
        else if (IS_EITHER(key, "droppedAttributesCount", "dropped_attributes_count"))
            ok = rs_ojson_u32(d, &r->attrs.dropped);
        else ok = rs_ojson_skip(d);
    }
    return done(d, ok) && rs_build_take_attrs(&d->b, 0, &r->attrs);
}

static bool resource_spans(rs_ojson *d) {
    rs_str key;
    bool ok = rs_build_resource(&d->b);
    while (ok && rs_ojson_member(d, &key)) {
        if (IS(key, "resource")) ok = resource(d);
        else if (IS_EITHER(key, "scopeSpans", "scope_spans")) ok = each(d, scope_spans);
        else if (IS_EITHER(key, "schemaUrl", "schema_url")) ok = rs_ojson_text(d, &d->b.resource->schema_url);
        else ok = rs_ojson_skip(d);
    }
    return done(d, ok);
}

static bool resource_logs(rs_ojson *d) {
    rs_str key;
    bool ok = true;
    while (ok && rs_ojson_member(d, &key))
        ok = IS_EITHER(key, "scopeLogs", "scope_logs") ? each(d, scope_logs) : rs_ojson_skip(d);
    return done(d, ok);
}

/* The request, and nothing behind it. */
static bool request(rs_ojson *d, bool logs) {
    rs_str key;
    bool ok = rs_ojson_enter(d);
    if (ok && d->null) return rs_ojson_fail(d, RS_ERR_INVALID, "an object is expected here");
    while (ok && rs_ojson_member(d, &key)) {
        if (!logs && IS_EITHER(key, "resourceSpans", "resource_spans")) ok = each(d, resource_spans);
        else if (logs && IS_EITHER(key, "resourceLogs", "resource_logs")) ok = each(d, resource_logs);
        else ok = rs_ojson_skip(d);
    }
    if (!done(d, ok)) return false;
    return rs_json_read(&d->r) == RS_JSON_END ||
           rs_build_fail(&d->b, d->r.err.code, d->r.err.offset, d->r.err.message);
}

rs_status rs_otlp_decode_json(rs_str body, rs_arena *arena, rs_spans *out, rs_err *err) {
    enum {
        USUAL_SPAN = 2048,
        MANY = 1024
    }; /* a first guess at the number of spans; the array grows if need be */
    rs_err own = {0};
    rs_ojson d = {.b = {.arena = arena, .err = err ? err : &own}};
    size_t guess = body.n / USUAL_SPAN;
    *out = (rs_spans){0};
    rs_json_read_init(&d.r, body, arena);
    rs_buf_init(&d.scratch);
    if (rs_build_reserve(&d.b, body, guess < MANY ? guess : MANY) && request(&d, false)) *out = d.b.spans;
    rs_buf_deinit(&d.scratch);
    return d.b.status;
}

rs_status rs_otlp_decode_logs_json(rs_str body, rs_arena *arena, rs_loose_events *out, rs_err *err) {
    rs_err own = {0};
    rs_ojson d = {.b = {.arena = arena, .err = err ? err : &own}};
    *out = (rs_loose_events){0};
    rs_json_read_init(&d.r, body, arena);
    rs_buf_init(&d.scratch);
    if (rs_build_reserve(&d.b, body, 0) && request(&d, true)) *out = d.b.loose;
    rs_buf_deinit(&d.scratch);
    return d.b.status;
}
