#include "random_spans.h"

#include "base/ids.h"
#include "otlp/protobuf.h"
#include <stdio.h>

typedef struct random_source {
    uint64_t state;
    rs_arena *arena;
} random_source;

/* splitmix64 (Steele, Lea, Flood): any seed will do. */
static uint64_t next(random_source *r) {
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint64_t below(random_source *r, uint64_t n) { return next(r) % n; }
static bool one_in(random_source *r, uint64_t n) { return below(r, n) == 0; }

/* Any width from 0 to 64 bits, so that every varint length occurs. */
static uint64_t number(random_source *r) {
    unsigned bits = (unsigned)below(r, 65);
    return bits == 64 ? next(r) : next(r) & ((1ull << bits) - 1);
}

static rs_str text(random_source *r, size_t max) {
    static const char *const pieces[] = {"a",
                                         "model",
                                         " ",
                                         "\n",
                                         "\"",
                                         "\\",
                                         "/",
                                         "\x01",
                                         "\x7f",
                                         "é",
                                         "語",
                                         "😀",
                                         "\t",
                                         "Lorem ipsum dolor sit amet, consectetur",
                                         "{\"k\":[1,2]}",
                                         "0",
                                         "\r",
                                         "ÿ"};
    size_t n = 0, want = below(r, max + 1);
    char *p = rs_arena_alloc(r->arena, max + 64);
    while (n < want) {
        rs_str piece = rs_str_of(pieces[below(r, RS_ARRAY_LEN(pieces))]);
        memcpy(p + n, piece.p, piece.n);
        n += piece.n;
    }
    return (rs_str){p, n};
}

static void id(random_source *r, uint8_t *out, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = (uint8_t)next(r);
    out[0] |= 1;
}

static rs_value value(random_source *r, unsigned depth);

static rs_value composite(random_source *r, rs_value_type type, unsigned depth) {
    rs_buf body, pair;
    rs_buf_init(&body);
    rs_buf_init(&pair);
    for (uint64_t n = below(r, 4); n-- > 0;) {
        bool is_map = type == RS_VALUE_KVLIST;
        rs_attr a = {.key = is_map ? text(r, 8) : (rs_str){0}, .value = value(r, depth + 1)};
        if (is_map) {
            rs_otlp_encode_attr(&body, 1, &a);
            continue;
        }
        rs_buf_clear(&pair); /* an item is the AnyValue of a KeyValue without a key */
        rs_otlp_encode_attr(&pair, 1, &a);
        rs_pb_field f;
        rs_pb_cursor outer = rs_pb_over(rs_buf_slice(&pair));
        rs_pb_next(&outer, &f);
        rs_pb_cursor inner = rs_pb_over(f.s);
        rs_pb_next(&inner, &f);
        rs_pb_bytes(&body, 1, f.s);
    }
    rs_value v = {type, .s = rs_arena_copy(r->arena, rs_buf_slice(&body))};
    rs_buf_deinit(&pair);
    rs_buf_deinit(&body);
    return v;
}

static double real(random_source *r) {
    static const double some[] = {0, -0.0, 0.35, 1e300, -2.5e-300, 1.0 / 3, 4503599627370497.5, 17, -1};
    return some[below(r, RS_ARRAY_LEN(some))];
}

static rs_value value(random_source *r, unsigned depth) {
    switch (below(r, depth > 4 ? 6 : 9)) {
    case 0:
        return (rs_value){RS_VALUE_EMPTY};
    case 1:
        return (rs_value){RS_VALUE_BOOL, .b = one_in(r, 2)};
    case 2:
        return (rs_value){RS_VALUE_INT, .i = (int64_t)number(r)};
    case 3:
        return (rs_value){RS_VALUE_DOUBLE, .d = real(r)};
    case 4:
        return (rs_value){RS_VALUE_BYTES, .s = text(r, 20)};
    case 6:
        return composite(r, RS_VALUE_ARRAY, depth);
    case 7:
        return composite(r, RS_VALUE_KVLIST, depth);
    default:
        return (rs_value){RS_VALUE_STRING, .s = text(r, one_in(r, 5) ? 600 : 30)};
    }
}

static rs_attrs attributes(random_source *r, uint32_t max) {
    rs_attrs a = {.n = (uint32_t)below(r, max + 1), .dropped = one_in(r, 3) ? (uint32_t)number(r) : 0};
    if (a.n) a.items = rs_arena_zalloc(r->arena, a.n, sizeof *a.items);
    for (uint32_t i = 0; i < a.n; i++) a.items[i] = (rs_attr){.key = text(r, 24), .value = value(r, 1)};
    return a;
}

static void fill(random_source *r, rs_span *s) {
    id(r, s->trace_id, 16);
    id(r, s->span_id, 8);
    if ((s->has_parent = one_in(r, 2))) id(r, s->parent_id, 8);
    s->kind = (uint8_t)below(r, 6);
    s->status = (rs_status_code)below(r, 3);
    s->flags = (uint32_t)number(r);
    s->name = text(r, 40);
    s->trace_state = text(r, one_in(r, 2) ? 20 : 0);
    s->status_message = text(r, one_in(r, 2) ? 20 : 0);
    s->start_ns = number(r);
    s->end_ns = number(r);
    s->attrs = attributes(r, 30);
    s->dropped_events = (uint32_t)number(r);
    s->dropped_links = (uint32_t)number(r);
    if ((s->nevents = (uint32_t)below(r, 4)))
        s->events = rs_arena_zalloc(r->arena, s->nevents, sizeof *s->events);
    for (uint32_t i = 0; i < s->nevents; i++)
        s->events[i] = (rs_event){.time_ns = number(r), .name = text(r, 10), .attrs = attributes(r, 4)};
    if ((s->nlinks = (uint32_t)below(r, 3)))
        s->links = rs_arena_zalloc(r->arena, s->nlinks, sizeof *s->links);
    for (uint32_t i = 0; i < s->nlinks; i++) {
        rs_link *l = &s->links[i];
        *l = (rs_link){.trace_state = text(r, 10), .attrs = attributes(r, 4), .flags = (uint32_t)number(r)};
        id(r, l->trace_id, 16);
        id(r, l->span_id, 8);
    }
}

rs_spans random_spans(uint64_t seed, size_t n, rs_arena *arena) {
    random_source r = {seed, arena};
    rs_resource *resource = rs_arena_zalloc(arena, 1, sizeof *resource);
    rs_scope *scope = rs_arena_zalloc(arena, 1, sizeof *scope);
    resource->attrs = attributes(&r, 6);
    *scope = (rs_scope){.name = text(&r, 12), .version = text(&r, 5), .attrs = attributes(&r, 3)};
    rs_spans spans = {.items = rs_arena_zalloc(arena, n, sizeof(rs_span)), .n = n};
    for (size_t i = 0; i < n; i++) {
        fill(&r, &spans.items[i]);
        spans.items[i].resource = resource;
        spans.items[i].scope = scope;
    }
    return spans;
}

void request_protobuf(rs_buf *out, const rs_spans *spans) {
    rs_buf parts[3];
    for (int i = 0; i < 3; i++) rs_buf_init(&parts[i]);
    rs_otlp_encode_resource(&parts[0], spans->items[0].resource);
    rs_otlp_encode_scope(&parts[1], spans->items[0].scope);
    rs_arena arena;
    rs_arena_init(&arena, 0);
    rs_str *bodies = rs_arena_zalloc(&arena, spans->n, sizeof *bodies);
    for (size_t i = 0; i < spans->n; i++) {
        rs_buf_clear(&parts[2]);
        rs_otlp_encode_span(&parts[2], &spans->items[i]);
        bodies[i] = rs_arena_copy(&arena, rs_buf_slice(&parts[2]));
    }
    rs_otlp_encode_request(out, rs_buf_slice(&parts[0]), rs_buf_slice(&parts[1]), bodies, spans->n);
    rs_arena_deinit(&arena);
    for (int i = 0; i < 3; i++) rs_buf_deinit(&parts[i]);
}

/* ---- OTLP/JSON ----------------------------------------------------------------------------------------- */

typedef struct json_writer {
    rs_json j;
    random_source random;
} json_writer;

/* A name of two words or more, as the .proto has it or as JSON prefers it. */
static void key(json_writer *w, const char *snake) {
    char camel[40];
    size_t n = 0;
    bool as_is = one_in(&w->random, 3);
    for (const char *p = snake; *p && n < sizeof camel; p++) {
        if (*p != '_' || as_is) camel[n++] = *p;
        else camel[n++] = (char)(*++p - 'a' + 'A');
    }
    rs_json_key(&w->j, (rs_str){camel, n});
}

static void put_u64(json_writer *w, const char *snake, uint64_t v) {
    if (v == 0 && one_in(&w->random, 2)) return;
    key(w, snake);
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)v);
    if (one_in(&w->random, 2)) rs_json_str(&w->j, (rs_str){digits, (size_t)n});
    else rs_json_uint(&w->j, v);
}

static void put_text(json_writer *w, const char *snake, rs_str s) {
    if (s.n == 0 && one_in(&w->random, 2)) return;
    key(w, snake);
    rs_json_str(&w->j, s);
}

static void put_id(json_writer *w, const char *snake, const uint8_t *bytes, size_t n) {
    char hex[33];
    rs_hex(bytes, n, hex);
    for (char *p = hex; *p; p++)
        if (*p >= 'a' && one_in(&w->random, 4)) *p = (char)(*p - 'a' + 'A');
    put_text(w, snake, (rs_str){hex, 2 * n});
}

static void put_enum(json_writer *w, const char *name, unsigned v, const char *const *names) {
    rs_json_key(&w->j, rs_str_of(name));
    if (one_in(&w->random, 2)) rs_json_str(&w->j, rs_str_of(names[v]));
    else rs_json_uint(&w->j, v);
}

static void put_value(json_writer *w, const rs_value *v);

static void put_pair(json_writer *w, rs_str name, const rs_value *v) {
    bool value_first = one_in(&w->random, 4);
    rs_json_object(&w->j);
    if (!value_first) rs_json_put_str(&w->j, "key", name);
    rs_json_key(&w->j, RS_STR("value"));
    put_value(w, v);
    if (value_first) rs_json_put_str(&w->j, "key", name);
    rs_json_object_end(&w->j);
}

static void put_list(json_writer *w, const rs_value *v) {
    size_t at = 0;
    rs_str name;
    rs_value item;
    rs_json_object(&w->j);
    rs_json_key(&w->j, RS_STR("values"));
    rs_json_array(&w->j);
    while (rs_value_next(v, &at, &name, &item)) {
        if (v->type == RS_VALUE_KVLIST) put_pair(w, name, &item);
        else put_value(w, &item);
    }
    rs_json_array_end(&w->j);
    rs_json_object_end(&w->j);
}

static void put_value(json_writer *w, const rs_value *v) {
    static const char *const members[] = {
        [RS_VALUE_STRING] = "string_value", [RS_VALUE_BOOL] = "bool_value",
        [RS_VALUE_INT] = "int_value",       [RS_VALUE_DOUBLE] = "double_value",
        [RS_VALUE_ARRAY] = "array_value",   [RS_VALUE_KVLIST] = "kvlist_value",
        [RS_VALUE_BYTES] = "bytes_value"};
    rs_json_object(&w->j);
    if (v->type != RS_VALUE_EMPTY) key(w, members[v->type]);
    switch (v->type) {
    case RS_VALUE_EMPTY:
        break;
    case RS_VALUE_INT: {
        char digits[24];
        int n = snprintf(digits, sizeof digits, "%lld", (long long)v->i);
        if (one_in(&w->random, 2)) rs_json_str(&w->j, (rs_str){digits, (size_t)n});
        else rs_json_int(&w->j, v->i);
        break;
    }
    case RS_VALUE_ARRAY:
    case RS_VALUE_KVLIST:
        put_list(w, v);
        break;
    default:
        rs_value_write_json(&w->j, v);
    }
    rs_json_object_end(&w->j);
}

static void put_attrs(json_writer *w, const rs_attrs *a) {
    put_u64(w, "dropped_attributes_count", a->dropped);
    rs_json_key(&w->j, RS_STR("attributes"));
    rs_json_array(&w->j);
    for (uint32_t i = 0; i < a->n; i++) put_pair(w, a->items[i].key, &a->items[i].value);
    rs_json_array_end(&w->j);
}

static void put_event(json_writer *w, const rs_event *e) {
    rs_json_object(&w->j);
    put_attrs(w, &e->attrs);
    put_u64(w, "time_unix_nano", e->time_ns);
    put_text(w, "name", e->name);
    rs_json_object_end(&w->j);
}

static void put_link(json_writer *w, const rs_link *l) {
    rs_json_object(&w->j);
    put_id(w, "trace_id", l->trace_id, sizeof l->trace_id);
    put_id(w, "span_id", l->span_id, sizeof l->span_id);
    put_text(w, "trace_state", l->trace_state);
    put_u64(w, "flags", l->flags);
    put_attrs(w, &l->attrs);
    rs_json_object_end(&w->j);
}

static void put_span(json_writer *w, const rs_span *s) {
    static const char *const kinds[] = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER",
                                        "SPAN_KIND_CLIENT",      "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"};
    static const char *const codes[] = {"STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"};
    rs_json_object(&w->j);
    put_text(w, "name", s->name);
    put_id(w, "trace_id", s->trace_id, sizeof s->trace_id);
    put_id(w, "span_id", s->span_id, sizeof s->span_id);
    if (s->has_parent) put_id(w, "parent_span_id", s->parent_id, sizeof s->parent_id);
    put_attrs(w, &s->attrs);
    put_enum(w, "kind", s->kind, kinds);
    put_u64(w, "start_time_unix_nano", s->start_ns);
    put_u64(w, "end_time_unix_nano", s->end_ns);
    put_text(w, "trace_state", s->trace_state);
    put_u64(w, "flags", s->flags);
    put_u64(w, "dropped_events_count", s->dropped_events);
    put_u64(w, "dropped_links_count", s->dropped_links);
    rs_json_key(&w->j, RS_STR("events"));
    rs_json_array(&w->j);
    for (uint32_t i = 0; i < s->nevents; i++) put_event(w, &s->events[i]);
    rs_json_array_end(&w->j);
    rs_json_key(&w->j, RS_STR("links"));
    rs_json_array(&w->j);
    for (uint32_t i = 0; i < s->nlinks; i++) put_link(w, &s->links[i]);
    rs_json_array_end(&w->j);
    rs_json_key(&w->j, RS_STR("status"));
    rs_json_object(&w->j);
    put_enum(w, "code", s->status, codes);
    put_text(w, "message", s->status_message);
    rs_json_object_end(&w->j);
    rs_json_object_end(&w->j);
}

void request_json(rs_buf *out, const rs_spans *spans, uint64_t seed) {
    json_writer w = {.j = rs_json_on(out), .random = {.state = seed}};
    const rs_span *first = &spans->items[0];
    rs_json_object(&w.j);
    key(&w, "resource_spans");
    rs_json_array(&w.j);
    rs_json_object(&w.j);
    rs_json_key(&w.j, RS_STR("resource"));
    rs_json_object(&w.j);
    put_attrs(&w, &first->resource->attrs);
    rs_json_object_end(&w.j);
    key(&w, "scope_spans");
    rs_json_array(&w.j);
    rs_json_object(&w.j);
    rs_json_key(&w.j, RS_STR("spans"));
    rs_json_array(&w.j);
    for (size_t i = 0; i < spans->n; i++) put_span(&w, &spans->items[i]);
    rs_json_array_end(&w.j);
    rs_json_key(&w.j, RS_STR("scope")); /* behind the spans: order means nothing */
    rs_json_object(&w.j);
    put_text(&w, "name", first->scope->name);
    put_text(&w, "version", first->scope->version);
    put_attrs(&w, &first->scope->attrs);
    rs_json_object_end(&w.j);
    rs_json_object_end(&w.j);
    rs_json_array_end(&w.j);
    rs_json_object_end(&w.j);
    rs_json_array_end(&w.j);
    rs_json_object_end(&w.j);
}

/* ---- comparison ---------------------------------------------------------------------------------------- */

static bool same_value(const rs_value *a, const rs_value *b) {
    if (a->type != b->type) return false;
    switch (a->type) {
    case RS_VALUE_EMPTY:
        return true;
    case RS_VALUE_BOOL:
        return a->b == b->b;
    case RS_VALUE_INT:
        return a->i == b->i;
    case RS_VALUE_DOUBLE:
        return memcmp(&a->d, &b->d, sizeof a->d) == 0;
    default:
        return rs_str_eq(a->s, b->s);
    }
}

static bool same_attrs(const rs_attrs *a, const rs_attrs *b) {
    if (a->n != b->n || a->dropped != b->dropped) return false;
    for (uint32_t i = 0; i < a->n; i++)
        if (!rs_str_eq(a->items[i].key, b->items[i].key) ||
            !same_value(&a->items[i].value, &b->items[i].value))
            return false;
    return true;
}

static bool same_event(const rs_event *a, const rs_event *b) {
    return a->time_ns == b->time_ns && rs_str_eq(a->name, b->name) && same_attrs(&a->attrs, &b->attrs);
}

static bool same_link(const rs_link *a, const rs_link *b) {
    return memcmp(a->trace_id, b->trace_id, 16) == 0 && memcmp(a->span_id, b->span_id, 8) == 0 &&
           rs_str_eq(a->trace_state, b->trace_state) && same_attrs(&a->attrs, &b->attrs) &&
           a->flags == b->flags;
}

const char *spans_differ(const rs_span *a, const rs_span *b) {
    if (memcmp(a->trace_id, b->trace_id, 16) || memcmp(a->span_id, b->span_id, 8)) return "ids";
    if (a->has_parent != b->has_parent || memcmp(a->parent_id, b->parent_id, 8)) return "parent";
    if (a->kind != b->kind || a->flags != b->flags) return "kind or flags";
    if (a->status != b->status || !rs_str_eq(a->status_message, b->status_message)) return "status";
    if (!rs_str_eq(a->name, b->name) || !rs_str_eq(a->trace_state, b->trace_state))
        return "name or trace state";
    if (a->start_ns != b->start_ns || a->end_ns != b->end_ns) return "times";
    if (!same_attrs(&a->attrs, &b->attrs)) return "attributes";
    if (a->nevents != b->nevents || a->dropped_events != b->dropped_events) return "number of events";
    if (a->nlinks != b->nlinks || a->dropped_links != b->dropped_links) return "number of links";
    for (uint32_t i = 0; i < a->nevents; i++)
        if (!same_event(&a->events[i], &b->events[i])) return "an event";
    for (uint32_t i = 0; i < a->nlinks; i++)
        if (!same_link(&a->links[i], &b->links[i])) return "a link";
    if (!same_attrs(&a->resource->attrs, &b->resource->attrs)) return "resource";
    if (!rs_str_eq(a->scope->name, b->scope->name) || !rs_str_eq(a->scope->version, b->scope->version) ||
        !same_attrs(&a->scope->attrs, &b->scope->attrs))
        return "scope";
    return NULL;
}
