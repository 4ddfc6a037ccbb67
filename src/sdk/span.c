/* One span: its wire form from the first attribute on, and a head that is written when it ends.
 *
 * A span's fields (attributes, events, name, status) are encoded as they are set, into an rs_fields; protobuf
 * lets fields stand in any order. At its end the body is, in this order: the head (ids, kind, times), those
 * fields, those of the shared set, the client's respan.environment; of the last two only what the span does
 * not set itself. */
#include "sdk/attributes.h"
#include "sdk/client.h"

#include "base/clock.h"
#include "base/ids.h"
#include <stdlib.h>

/* Field numbers of opentelemetry.proto.trace.v1.Span and of its parts. */
enum {
    SPAN_TRACE_ID = 1,
    SPAN_ID = 2,
    SPAN_PARENT_ID = 4,
    SPAN_NAME = 5,
    SPAN_KIND = 6,
    SPAN_START = 7,
    SPAN_END = 8,
    SPAN_ATTRIBUTES = 9,
    SPAN_DROPPED_ATTRIBUTES = 10,
    SPAN_EVENTS = 11,
    SPAN_LINKS = 13,
    SPAN_STATUS = 15,
};
enum { EVENT_NAME = 2, EVENT_ATTRIBUTES = 3, STATUS_MESSAGE = 2 };
enum { LINK_TRACE_ID = 1, LINK_SPAN_ID = 2, LINK_ATTRIBUTES = 4 };

/* Fields that are replaced like attributes have hashes of their own; a key that hashes so, one in 2^63, loses
 * to them. */
enum { HASH_NONE = 0, HASH_NAME = 2, HASH_STATUS = 3 };

struct respan_span {
    respan_client *client; /* a reference */
    uint64_t start_ns;
    respan_span_context context;
    uint8_t parent_id[8];
    bool has_parent;
    uint8_t kind;
    unsigned generation; /* of the process that started it: in a child of fork it is the parent's to send */
    respan_attributes *shared; /* a reference, or NULL */
    rs_fields fields;
};

/* ---- start --------------------------------------------------------------------------------------------- */

static bool is_zero(const uint8_t *id, size_t n) {
    uint8_t any = 0;
    for (size_t i = 0; i < n; i++) any |= id[i];
    return any == 0;
}

RESPAN_API respan_span *respan_span_start(respan_client *client, const char *name, size_t name_len,
                                          const respan_span_context *parent, uint64_t start_ns) {
    if (!client) return NULL;
    respan_span *s = malloc(sizeof *s);
    if (!s) return NULL;
    rs_client_retain(client);
    __atomic_add_fetch(&client->started, 1, __ATOMIC_RELAXED);
    s->client = client;
    s->kind = RESPAN_KIND_INTERNAL;
    s->generation = client->generation;
    s->shared = NULL;
    s->has_parent = false;
    rs_id_span(s->context.span_id);
    if (parent && !is_zero(parent->trace_id, sizeof parent->trace_id)) {
        memcpy(s->context.trace_id, parent->trace_id, sizeof parent->trace_id);
        memcpy(s->parent_id, parent->span_id, sizeof parent->span_id);
        s->has_parent = !is_zero(parent->span_id, sizeof parent->span_id);
    } else {
        rs_id_trace(s->context.trace_id);
    }
    rs_fields_init(&s->fields, client->config.ring_bytes);
    respan_span_set_name(s, name, name_len);
    s->start_ns = start_ns ? start_ns : rs_clock_wall_ns();
    return s;
}

RESPAN_API respan_span_context respan_span_get_context(const respan_span *span) {
    return span ? span->context : (respan_span_context){0};
}

/* ---- while it is open ---------------------------------------------------------------------------------- */

static void set(respan_span *s, const respan_attribute *a) {
    rs_fields_set(&s->fields, SPAN_ATTRIBUTES, a, s->client->config.max_content_bytes);
}

RESPAN_API void respan_span_set(respan_span *span, const respan_attribute *attributes, size_t count) {
    if (!span || !attributes) return;
    for (size_t i = 0; i < count; i++) set(span, &attributes[i]);
}

RESPAN_API void respan_span_set_string(respan_span *span, const char *key, size_t key_len, const char *value,
                                       size_t value_len) {
    if (!span) return;
    set(span,
        &(respan_attribute){{key, key_len}, RESPAN_TYPE_STRING, {.string = {value, value ? value_len : 0}}});
}

RESPAN_API void respan_span_set_int(respan_span *span, const char *key, size_t key_len, int64_t value) {
    if (span) set(span, &(respan_attribute){{key, key_len}, RESPAN_TYPE_INT, {.integer = value}});
}

RESPAN_API void respan_span_set_double(respan_span *span, const char *key, size_t key_len, double value) {
    if (span) set(span, &(respan_attribute){{key, key_len}, RESPAN_TYPE_DOUBLE, {.real = value}});
}

RESPAN_API void respan_span_set_bool(respan_span *span, const char *key, size_t key_len, bool value) {
    if (span) set(span, &(respan_attribute){{key, key_len}, RESPAN_TYPE_BOOL, {.boolean = value}});
}

RESPAN_API void respan_span_set_name(respan_span *span, const char *name, size_t name_len) {
    if (!span) return;
    rs_str text = {name, name ? name_len : 0};
    size_t begin = rs_fields_begin(&span->fields);
    rs_pb_text(&span->fields.wire, SPAN_NAME, text, span->client->config.max_content_bytes);
    rs_fields_commit(&span->fields, begin, HASH_NAME);
}

RESPAN_API void respan_span_set_kind(respan_span *span, respan_span_kind kind) {
    if (span && kind >= RESPAN_KIND_INTERNAL && kind <= RESPAN_KIND_CONSUMER) span->kind = (uint8_t)kind;
}

RESPAN_API void respan_span_set_status(respan_span *span, respan_status_code code, const char *message,
                                       size_t message_len) {
    if (!span || code < RESPAN_STATUS_UNSET || code > RESPAN_STATUS_ERROR) return;
    rs_buf body;
    rs_buf_init(&body);
    if (message && message_len && code == RESPAN_STATUS_ERROR)
        rs_pb_text(&body, STATUS_MESSAGE, (rs_str){message, message_len},
                   span->client->config.max_content_bytes);
    rs_buf_byte(&body, 3 << 3); /* Status.code */
    rs_buf_byte(&body, (uint8_t)code);
    size_t begin = rs_fields_begin(&span->fields);
    rs_pb_bytes(&span->fields.wire, SPAN_STATUS, rs_buf_slice(&body));
    if (body.failed != RS_OK) span->fields.wire.failed = body.failed;
    rs_fields_commit(&span->fields, begin, HASH_STATUS);
    rs_buf_deinit(&body);
}

/* Appends a finished event or link, and frees it. */
static void put_part(respan_span *span, uint32_t field, rs_fields *part) {
    size_t begin = rs_fields_begin(&span->fields);
    rs_pb_bytes(&span->fields.wire, field, rs_buf_slice(&part->wire));
    if (part->wire.failed != RS_OK) span->fields.wire.failed = part->wire.failed;
    rs_fields_commit(&span->fields, begin, HASH_NONE);
    rs_fields_deinit(part);
}

static bool has_ids(const respan_span_context *c) {
    return c && !is_zero(c->trace_id, sizeof c->trace_id) && !is_zero(c->span_id, sizeof c->span_id);
}

RESPAN_API void respan_span_add_event(respan_span *span, const char *name, size_t name_len, uint64_t time_ns,
                                      const respan_attribute *attributes, size_t count) {
    if (!span) return;
    size_t max = span->client->config.max_content_bytes;
    if (time_ns == 0) time_ns = rs_clock_wall_ns();
    rs_fields event;
    rs_fields_init(&event, span->client->config.ring_bytes);
    for (size_t i = 0; attributes && i < count; i++)
        rs_fields_set(&event, EVENT_ATTRIBUTES, &attributes[i], max);
    rs_fields_compact(&event);
    rs_buf_byte(&event.wire, 1 << 3 | 1); /* Event.time_unix_nano */
    for (int i = 0; i < 8; i++) rs_buf_byte(&event.wire, (uint8_t)(time_ns >> 8 * i));
    rs_pb_text(&event.wire, EVENT_NAME, (rs_str){name, name ? name_len : 0}, max);
    put_part(span, SPAN_EVENTS, &event);
}

RESPAN_API void respan_span_add_link(respan_span *span, const respan_span_context *to,
                                     const respan_attribute *attributes, size_t count) {
    if (!span || !has_ids(to)) return;
    rs_fields link;
    rs_fields_init(&link, span->client->config.ring_bytes);
    for (size_t i = 0; attributes && i < count; i++)
        rs_fields_set(&link, LINK_ATTRIBUTES, &attributes[i], span->client->config.max_content_bytes);
    rs_fields_compact(&link);
    rs_pb_bytes(&link.wire, LINK_TRACE_ID, (rs_str){(const char *)to->trace_id, sizeof to->trace_id});
    rs_pb_bytes(&link.wire, LINK_SPAN_ID, (rs_str){(const char *)to->span_id, sizeof to->span_id});
    put_part(span, SPAN_LINKS, &link);
}

RESPAN_API void respan_span_set_context(respan_span *span, const respan_span_context *own) {
    if (span && has_ids(own)) span->context = *own;
}

RESPAN_API void respan_span_use(respan_span *span, respan_attributes *shared) {
    if (!span) return;
    if (shared) rs_attributes_retain(shared);
    respan_attributes_free(span->shared);
    span->shared = shared;
}

/* ---- end ----------------------------------------------------------------------------------------------- */

static void free_span(respan_span *s) {
    respan_client *client = s->client;
    respan_attributes_free(s->shared);
    rs_fields_deinit(&s->fields);
    free(s);
    rs_client_release(client);
}

/* What the span does not set itself of a set: all of it as it stands, or its fields appended to the span's
 * own. */
static rs_str shared_piece(rs_fields *own, const respan_attributes *set) {
    if (!set) return (rs_str){0};
    const rs_fields *f = &set->fields;
    bool overridden = false;
    for (uint32_t i = 0; i < f->count && !overridden; i++)
        overridden = rs_fields_find(own, f->index[i].hash) != NULL;
    if (!overridden) return rs_buf_slice(&f->wire);
    for (uint32_t i = 0, n = f->count; i < n; i++) {
        const rs_field *e = &f->index[i];
        if (rs_fields_find(own, e->hash)) continue;
        size_t begin = rs_fields_begin(own);
        rs_buf_put(&own->wire, f->wire.p + e->at, e->n);
        rs_fields_commit(own, begin, e->hash);
    }
    return (rs_str){0};
}

/* The client's one attribute, unless the span or its set says it. */
static rs_str environment_piece(const respan_span *s) {
    const respan_attributes *environment = s->client->config.environment;
    if (!environment) return (rs_str){0};
    uint64_t hash = environment->fields.index[0].hash;
    if (rs_fields_find(&s->fields, hash) || (s->shared && rs_fields_find(&s->shared->fields, hash)))
        return (rs_str){0};
    return rs_buf_slice(&environment->fields.wire);
}

enum { HEAD_MAX = 2 + 16 + 2 + 8 + 2 + 8 + 2 + 9 + 9 + 1 + 5 };

static char *put_id(char *p, unsigned field, const uint8_t *id, size_t n) {
    *p++ = (char)(field << 3 | 2);
    *p++ = (char)n;
    memcpy(p, id, n);
    return p + n;
}

static char *put_time(char *p, unsigned field, uint64_t ns) {
    *p++ = (char)(field << 3 | 1);
    for (int i = 0; i < 8; i++) *p++ = (char)(ns >> 8 * i);
    return p;
}

static size_t write_head(const respan_span *s, uint64_t end_ns, char head[HEAD_MAX]) {
    char *p = put_id(head, SPAN_TRACE_ID, s->context.trace_id, 16);
    p = put_id(p, SPAN_ID, s->context.span_id, 8);
    if (s->has_parent) p = put_id(p, SPAN_PARENT_ID, s->parent_id, 8);
    *p++ = SPAN_KIND << 3;
    *p++ = (char)s->kind;
    p = put_time(p, SPAN_START, s->start_ns);
    p = put_time(p, SPAN_END, end_ns);
    if (s->fields.left_out) {
        *p++ = SPAN_DROPPED_ATTRIBUTES << 3;
        uint32_t v = s->fields.left_out;
        for (; v >= 0x80; v >>= 7) *p++ = (char)(v | 0x80);
        *p++ = (char)v;
    }
    return (size_t)(p - head);
}

RESPAN_API void respan_span_end(respan_span *s, uint64_t end_ns) {
    if (!s) return;
    respan_client *c = s->client;
    if (!__atomic_load_n(&c->closed, __ATOMIC_ACQUIRE) && s->generation == c->generation) {
        if (end_ns == 0) {
            end_ns = rs_clock_wall_ns();
            if (end_ns < s->start_ns) end_ns = s->start_ns; /* the clock was set back */
        }
        rs_fields_compact(&s->fields);
        rs_str environment = environment_piece(s), shared = shared_piece(&s->fields, s->shared);
        char head[HEAD_MAX];
        rs_str pieces[] = {
            {head, write_head(s, end_ns, head)}, rs_buf_slice(&s->fields.wire), shared, environment};
        bool stored = rs_ring_put(&c->ring, pieces, RS_ARRAY_LEN(pieces));
        /* If no thread can be had the span waits in the ring; the next one, or a flush, tries again. */
        if (stored) (void)!rs_client_start(c);
    }
    free_span(s);
}

RESPAN_API void respan_span_discard(respan_span *span) {
    if (span) free_span(span);
}

/* ---- ids ----------------------------------------------------------------------------------------------- */

RESPAN_API void respan_trace_id_hex(const respan_span_context *context, char out[33]) {
    static const respan_span_context none;
    rs_hex(context ? context->trace_id : none.trace_id, 16, out);
}

RESPAN_API void respan_span_id_hex(const respan_span_context *context, char out[17]) {
    static const respan_span_context none;
    rs_hex(context ? context->span_id : none.span_id, 8, out);
}
