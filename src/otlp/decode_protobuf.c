/* ExportTraceServiceRequest and ExportLogsServiceRequest in protobuf, walked once: messages become cursors over their slice of the body.
 * Every walker returns false with b->status set. Field numbers: opentelemetry-proto v1, as in encode.c. */
#include "otlp/log_record.h"
#include "otlp/protobuf.h"

typedef struct decoder {
    rs_build b;
    const uint8_t *body;
} decoder;

#define TAG_VARINT(field)  RS_PB_TAG(field, RS_PB_VARINT)
#define TAG_FIXED64(field) RS_PB_TAG(field, RS_PB_FIXED64)
#define TAG_BYTES(field)   RS_PB_TAG(field, RS_PB_BYTES)
#define TAG_FIXED32(field) RS_PB_TAG(field, RS_PB_FIXED32)

#define TOO_DEEP "an attribute's value is nested more than 32 deep"

static bool fail_at(decoder *d, const uint8_t *p, rs_status code, const char *what) {
    return rs_build_fail(&d->b, code, (size_t)(p - d->body), what);
}

/* The end of a message: true, or the cursor's error becomes the decoder's. */
static bool ended(decoder *d, const rs_pb_cursor *c) {
    if (!c->error) return true;
    return fail_at(d, c->p, c->short_of ? RS_ERR_TRUNCATED : RS_ERR_INVALID, c->error);
}

/* A field that has no case in its message. */
static bool unknown(decoder *d, rs_pb_cursor *c, const rs_pb_field *f, uint32_t last_known) {
    return rs_pb_unknown(c, f, last_known) || ended(d, c);
}

/* ---- values -------------------------------------------------------------------------------------------- */

static const uint8_t *start_of(rs_str s) { return (const uint8_t *)s.p; }

/* What a string inside a composite needs to become valid UTF-8 without changing its length. */
static void mask_bad_bytes(rs_str s) {
    for (rs_str rest = s;;) {
        rest = rs_str_from(rest, rs_str_utf8_prefix(rest));
        if (rest.n == 0) break;
        *(char *)rest.p = '?';
    }
}

typedef struct composite_check {
    bool bad_text; /* found: a string that is not UTF-8 */
    bool mask;     /* the bytes are our own copy: put it right */
} composite_check;

static void check_text(composite_check *k, rs_str s) {
    if (rs_str_is_utf8(s)) return;
    k->bad_text = true;
    if (k->mask) mask_bad_bytes(s);
}

/* An ArrayValue or KeyValueList at nesting level `depth`, all the way down. */
static bool check_list(decoder *d, composite_check *k, const rs_value *list, unsigned depth) {
    if (depth > RS_VALUE_MAX_DEPTH) return fail_at(d, start_of(list->s), RS_ERR_TOO_LARGE, TOO_DEEP);
    rs_pb_cursor c = rs_pb_over(list->s);
    rs_pb_field f = {0};
    while (rs_pb_next(&c, &f)) {
        if (f.tag != TAG_BYTES(1)) {
            if (!unknown(d, &c, &f, 1)) return false;
            continue;
        }
        rs_pb_cursor inner = rs_pb_over(f.s);
        rs_str key = {0};
        rs_value v;
        if (list->type == RS_VALUE_KVLIST ? !rs_pb_read_pair(&inner, &key, &v)
                                          : !rs_pb_read_value(&inner, &v))
            return ended(d, &inner);
        check_text(k, key);
        if (v.type == RS_VALUE_STRING) check_text(k, v.s);
        else if ((v.type == RS_VALUE_ARRAY || v.type == RS_VALUE_KVLIST) && !check_list(d, k, &v, depth + 1))
            return false;
    }
    return ended(d, &c);
}

static bool check_composite(decoder *d, rs_value *v) {
    composite_check k = {0};
    if (!check_list(d, &k, v, 1)) return false;
    if (!k.bad_text) return true;
    v->s = rs_arena_copy(d->b.arena, v->s);
    if (!v->s.p) return fail_at(d, d->body, RS_ERR_MEMORY, "no memory to mend an attribute's text");
    k.mask = true;
    return check_list(d, &k, v, 1);
}

static bool text(decoder *d, rs_str s, rs_str *out) { return rs_build_text(&d->b, s, out); }

static bool check_value(decoder *d, rs_value *v) {
    switch (v->type) {
    case RS_VALUE_STRING:
        return text(d, v->s, &v->s);
    case RS_VALUE_ARRAY:
    case RS_VALUE_KVLIST:
        return check_composite(d, v);
    default:
        return true;
    }
}

/* The rest of the message if it is one field of bytes, with that tag of one byte. */
static bool is_one_field(const uint8_t *p, size_t n, uint8_t tag, rs_str *out) {
    if (n < 2 || p[0] != tag) return false;
    size_t head = p[1] < 0x80 ? 2 : 3, length = p[1] & 0x7f;
    if (head > n || (head == 3 && p[2] >= 0x80)) return false;
    if (head == 3) length |= (size_t)p[2] << 7;
    *out = (rs_str){(const char *)p + head, length};
    return length == n - head;
}

/* A KeyValue as exporters write most: a short key, then a text of less than 16 KiB, and nothing else. False: it is to be looked at
 * field by field. */
static bool is_plain_pair(rs_str message, rs_str *key, rs_value *v) {
    const uint8_t *p = (const uint8_t *)message.p;
    size_t n = message.n;
    rs_str value;
    if (n < 4 || p[0] != TAG_BYTES(1) || p[1] >= 0x80 || p[1] + 2u > n) return false;
    *key = (rs_str){(const char *)p + 2, p[1]};
    *v = (rs_value){RS_VALUE_STRING};
    p += 2 + key->n;
    n -= 2 + key->n;
    return is_one_field(p, n, TAG_BYTES(2), &value) &&
           is_one_field((const uint8_t *)value.p, value.n, RS_PB_TAG(RS_ANY_STRING, RS_PB_BYTES), &v->s);
}

static bool attribute(decoder *d, rs_str message) {
    rs_attr *a = rs_build_attr(&d->b);
    if (!a) return false;
    if (is_plain_pair(message, &a->key, &a->value))
        return text(d, a->key, &a->key) && text(d, a->value.s, &a->value.s);
    rs_pb_cursor c = rs_pb_over(message);
    if (!rs_pb_read_pair(&c, &a->key, &a->value)) return ended(d, &c);
    return text(d, a->key, &a->key) && check_value(d, &a->value);
}

static bool any_value(decoder *d, rs_str message, rs_value *out) {
    rs_pb_cursor c = rs_pb_over(message);
    return rs_pb_read_value(&c, out) ? check_value(d, out) : ended(d, &c);
}

/* ---- Event, Link, Status ------------------------------------------------------------------------------- */

static bool read_event(decoder *d, rs_str message, rs_event *e) {
    size_t first_attr = d->b.nattrs;
    rs_pb_cursor c = rs_pb_over(message);
    rs_pb_field f = {0};
    bool ok = true;
    while (ok && rs_pb_next(&c, &f)) {
        switch (f.tag) {
        case TAG_FIXED64(1):
            e->time_ns = f.n;
            break;
        case TAG_BYTES(2):
            ok = text(d, f.s, &e->name);
            break;
        case TAG_BYTES(3):
            ok = attribute(d, f.s);
            break;
        case TAG_VARINT(4):
            e->attrs.dropped = (uint32_t)f.n;
            break;
        default:
            ok = unknown(d, &c, &f, 4);
        }
    }
    return ok && ended(d, &c) && rs_build_take_attrs(&d->b, first_attr, &e->attrs);
}

static bool event(decoder *d, rs_str message) {
    rs_event *e = rs_build_event(&d->b);
    return e && read_event(d, message, e);
}

/* True if s is an id of n bytes, which is then copied. */
static bool take_id(rs_str s, uint8_t *id, size_t n) {
    if (s.n != n) return false;
    memcpy(id, s.p, n);
    return true;
}

/* A link to nowhere is dropped and counted. */
static bool link_to(decoder *d, rs_span *s, rs_str message) {
    rs_link *l = rs_build_link(&d->b);
    if (!l) return false;
    size_t first_attr = d->b.nattrs;
    rs_pb_cursor c = rs_pb_over(message);
    rs_pb_field f = {0};
    bool ok = true, has_trace = false, has_span = false;
    while (ok && rs_pb_next(&c, &f)) {
        switch (f.tag) {
        case TAG_BYTES(1):
            has_trace = take_id(f.s, l->trace_id, sizeof l->trace_id);
            break;
        case TAG_BYTES(2):
            has_span = take_id(f.s, l->span_id, sizeof l->span_id);
            break;
        case TAG_BYTES(3):
            ok = text(d, f.s, &l->trace_state);
            break;
        case TAG_BYTES(4):
            ok = attribute(d, f.s);
            break;
        case TAG_VARINT(5):
            l->attrs.dropped = (uint32_t)f.n;
            break;
        case TAG_FIXED32(6):
            l->flags = (uint32_t)f.n;
            break;
        default:
            ok = unknown(d, &c, &f, 6);
        }
    }
    if (!ok || !ended(d, &c) || !rs_build_take_attrs(&d->b, first_attr, &l->attrs)) return false;
    if (!has_trace || !has_span) {
        d->b.nlinks--;
        s->dropped_links++;
    }
    return true;
}

static bool status(decoder *d, rs_span *s, rs_str message) {
    rs_pb_cursor c = rs_pb_over(message);
    rs_pb_field f = {0};
    while (rs_pb_next(&c, &f)) {
        if (f.tag == TAG_BYTES(2)) {
            if (!text(d, f.s, &s->status_message)) return false;
        } else if (f.tag == TAG_VARINT(3)) {
            s->status = f.n <= RS_STATUS_ERROR ? (rs_status_code)f.n : RS_STATUS_UNSET;
        } else if (f.tag != TAG_VARINT(1) && !unknown(d, &c, &f, 3)) { /* 1: a code of before v1.0 */
            return false;
        }
    }
    return ended(d, &c);
}

/* ---- Span ---------------------------------------------------------------------------------------------- */

static bool span(decoder *d, rs_str message) {
    rs_span *s = rs_build_span(&d->b);
    if (!s) return false;
    rs_build_ids ids = {0};
    uint32_t dropped_links = 0;
    rs_pb_cursor c = rs_pb_over(message);
    rs_pb_field f = {0};
    bool ok = true;
    while (ok && rs_pb_next(&c, &f)) {
        switch (f.tag) {
        case TAG_BYTES(1):
            ids.trace = take_id(f.s, s->trace_id, sizeof s->trace_id);
            break;
        case TAG_BYTES(2):
            ids.span = take_id(f.s, s->span_id, sizeof s->span_id);
            break;
        case TAG_BYTES(3):
            ok = text(d, f.s, &s->trace_state);
            break;
        case TAG_BYTES(4):
            ids.bad_parent = !take_id(f.s, s->parent_id, sizeof s->parent_id) && f.s.n > 0;
            break;
        case TAG_BYTES(5):
            ok = text(d, f.s, &s->name);
            break;
        case TAG_VARINT(6):
            s->kind = f.n <= 5 ? (uint8_t)f.n : 0;
            break;
        case TAG_FIXED64(7):
            s->start_ns = f.n;
            break;
        case TAG_FIXED64(8):
            s->end_ns = f.n;
            break;
        case TAG_BYTES(9):
            ok = attribute(d, f.s);
            break;
        case TAG_VARINT(10):
            s->attrs.dropped = (uint32_t)f.n;
            break;
        case TAG_BYTES(11):
            ok = event(d, f.s);
            break;
        case TAG_VARINT(12):
            s->dropped_events = (uint32_t)f.n;
            break;
        case TAG_BYTES(13):
            ok = link_to(d, s, f.s);
            break;
        case TAG_VARINT(14):
            dropped_links = (uint32_t)f.n;
            break;
        case TAG_BYTES(15):
            ok = status(d, s, f.s);
            break;
        case TAG_FIXED32(16):
            s->flags = (uint32_t)f.n;
            break;
        default:
            ok = unknown(d, &c, &f, 16);
        }
    }
    s->dropped_links += dropped_links;
    return ok && ended(d, &c) && rs_build_finish_span(&d->b, s, ids);
}

/* ---- LogRecord ----------------------------------------------------------------------------------------- */

static bool log_record(decoder *d, rs_str message) {
    rs_log_record r = {0};
    rs_event *e = &r.of.event;
    rs_pb_cursor c = rs_pb_over(message);
    rs_pb_field f = {0};
    bool ok = true;
    while (ok && rs_pb_next(&c, &f)) {
        switch (f.tag) {
        case TAG_FIXED64(1):
            e->time_ns = f.n;
            break;
        case TAG_VARINT(2): /* severity, in two ways, and flags */
        case TAG_BYTES(3):
        case TAG_FIXED32(8):
            break;
        case TAG_BYTES(5):
            ok = any_value(d, f.s, &r.body);
            break;
        case TAG_BYTES(6):
            ok = attribute(d, f.s);
            break;
        case TAG_VARINT(7):
            e->attrs.dropped = (uint32_t)f.n;
            break;
        case TAG_BYTES(9):
            r.ids.trace = take_id(f.s, r.of.trace_id, sizeof r.of.trace_id);
            break;
        case TAG_BYTES(10):
            r.ids.span = take_id(f.s, r.of.span_id, sizeof r.of.span_id);
            break;
        case TAG_FIXED64(11):
            r.observed_ns = f.n;
            break;
        case TAG_BYTES(12):
            ok = text(d, f.s, &e->name);
            break;
        default:
            ok = unknown(d, &c, &f, 12);
        }
    }
    return ok && ended(d, &c) && rs_build_finish_log(&d->b, &r);
}

/* ---- what they lie in ---------------------------------------------------------------------------------- */

static bool scope(decoder *d, rs_str message) {
    rs_scope *s = d->b.scope;
    size_t first_attr = d->b.nattrs;
    rs_pb_cursor c = rs_pb_over(message);
    rs_pb_field f = {0};
    bool ok = true;
    while (ok && rs_pb_next(&c, &f)) {
        switch (f.tag) {
        case TAG_BYTES(1):
            ok = text(d, f.s, &s->name);
            break;
        case TAG_BYTES(2):
            ok = text(d, f.s, &s->version);
            break;
        case TAG_BYTES(3):
            ok = attribute(d, f.s);
            break;
        case TAG_VARINT(4):
            s->attrs.dropped = (uint32_t)f.n;
            break;
        default:
            ok = unknown(d, &c, &f, 4);
        }
    }
    return ok && ended(d, &c) && rs_build_take_attrs(&d->b, first_attr, &s->attrs);
}

/* A span or log record that is nested too deep is left out. */
static bool leave_out(decoder *d, void (*reject)(rs_build *, const char *)) {
    if (d->b.status != RS_ERR_TOO_LARGE) return false;
    d->b.status = RS_OK;
    if (d->b.err) *d->b.err = (rs_err){0};
    reject(&d->b, TOO_DEEP);
    return true;
}

static bool scope_spans(decoder *d, rs_str message) {
    if (!rs_build_scope(&d->b)) return false;
    rs_pb_cursor c = rs_pb_over(message);
    rs_pb_field f = {0};
    bool ok = true;
    while (ok && rs_pb_next(&c, &f)) {
        switch (f.tag) {
        case TAG_BYTES(1):
            ok = scope(d, f.s);
            break;
        case TAG_BYTES(2):
            ok = span(d, f.s) || leave_out(d, rs_build_reject_span);
            break;
        case TAG_BYTES(3):
            ok = text(d, f.s, &d->b.scope->schema_url);
            break;
        default:
            ok = unknown(d, &c, &f, 3);
        }
    }
    return ok && ended(d, &c);
}

static bool resource(decoder *d, rs_str message) {
    rs_resource *r = d->b.resource;
    rs_pb_cursor c = rs_pb_over(message);
    rs_pb_field f = {0};
    bool ok = true;
    while (ok && rs_pb_next(&c, &f)) {
        switch (f.tag) {
        case TAG_BYTES(1):
            ok = attribute(d, f.s);
            break;
        case TAG_VARINT(2):
            r->attrs.dropped = (uint32_t)f.n;
            break;
        default:
            ok = unknown(d, &c, &f, 2);
        }
    }
    return ok && ended(d, &c) && rs_build_take_attrs(&d->b, 0, &r->attrs);
}

static bool resource_spans(decoder *d, rs_str message) {
    if (!rs_build_resource(&d->b)) return false;
    rs_pb_cursor c = rs_pb_over(message);
    rs_pb_field f = {0};
    bool ok = true;
    while (ok && rs_pb_next(&c, &f)) {
        switch (f.tag) {
        case TAG_BYTES(1):
            ok = resource(d, f.s);
            break;
        case TAG_BYTES(2):
            ok = scope_spans(d, f.s);
            break;
        case TAG_BYTES(3):
            ok = text(d, f.s, &d->b.resource->schema_url);
            break;
        default:
            ok = unknown(d, &c, &f, 3);
        }
    }
    return ok && ended(d, &c);
}

/* A message of which only the messages of one field count, each read by `one`. */
static bool each(decoder *d, rs_str message, uint32_t tag, uint32_t last_known,
                 bool (*one)(decoder *, rs_str)) {
    rs_pb_cursor c = rs_pb_over(message);
    rs_pb_field f = {0};
    bool ok = true;
    while (ok && rs_pb_next(&c, &f)) {
        if (f.tag == tag) ok = one(d, f.s);
        else ok = (f.tag & 7) == RS_PB_BYTES || unknown(d, &c, &f, last_known);
    }
    return ok && ended(d, &c);
}

static bool log_record_or_none(decoder *d, rs_str message) {
    return log_record(d, message) || leave_out(d, rs_build_reject_log);
}

static bool scope_logs(decoder *d, rs_str message) {
    return each(d, message, TAG_BYTES(2), 3, log_record_or_none);
}
static bool resource_logs(decoder *d, rs_str message) {
    return each(d, message, TAG_BYTES(2), 3, scope_logs);
}

static bool request(decoder *d, rs_str body) {
    rs_pb_cursor c = rs_pb_over(body);
    rs_pb_field f = {0};
    bool ok = true;
    while (ok && rs_pb_next(&c, &f))
        ok = f.tag == TAG_BYTES(1) ? resource_spans(d, f.s) : unknown(d, &c, &f, 1);
    return ok && ended(d, &c);
}

/* Spans in a message `levels` above them, by tags and lengths alone, so that their array is made once at its
 * size. Stops at what is malformed: the walk proper says so. */
static size_t count_spans(rs_str message, int levels) {
    enum { SMALLEST_SPAN = 2 + 16 + 2 + 8 }; /* its two ids */
    static const uint32_t next_tag[] = {0, TAG_BYTES(2), TAG_BYTES(2), TAG_BYTES(1)};
    rs_pb_cursor c = rs_pb_over(message);
    rs_pb_field f = {0};
    size_t n = 0;
    while (rs_pb_next(&c, &f))
        if (f.tag == next_tag[levels])
            n += levels > 1 ? count_spans(f.s, levels - 1) : f.s.n >= SMALLEST_SPAN;
    return n;
}

rs_status rs_otlp_decode_protobuf(rs_str body, rs_arena *arena, rs_spans *out, rs_err *err) {
    decoder d = {.b = {.arena = arena, .err = err}, .body = (const uint8_t *)body.p};
    *out = (rs_spans){0};
    if (!rs_build_reserve(&d.b, body, count_spans(body, 3)) || !request(&d, body)) return d.b.status;
    *out = d.b.spans;
    return RS_OK;
}

rs_status rs_otlp_decode_logs_protobuf(rs_str body, rs_arena *arena, rs_loose_events *out, rs_err *err) {
    decoder d = {.b = {.arena = arena, .err = err}, .body = (const uint8_t *)body.p};
    *out = (rs_loose_events){0};
    if (!rs_build_reserve(&d.b, body, 0) || !each(&d, body, TAG_BYTES(1), 1, resource_logs))
        return d.b.status;
    *out = d.b.loose;
    return RS_OK;
}

rs_status rs_otlp_decode_event(rs_str message, rs_arena *arena, rs_event *out, rs_err *err) {
    decoder d = {.b = {.arena = arena, .err = err}, .body = (const uint8_t *)message.p};
    *out = (rs_event){0};
    return read_event(&d, message, out) ? RS_OK : d.b.status;
}
