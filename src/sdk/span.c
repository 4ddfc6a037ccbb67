/* One span: its wire form from the first attribute on, and a head that is written when it ends.
 *
 * A span's fields (attributes, events, name, status) are encoded as they are set, in its slot (open_spans.h); protobuf
 * lets fields stand in any order. At its end the frame is, in this order: the head (ids, kind, times) and those
 * fields. What it has of the shared set and of the client is among them from the start, with a lower rank. */
#include "sdk/attributes.h"
#include "sdk/client.h"
#include "sdk/frame.h"
#include "sdk/redact.h"

#include "base/clock.h"
#include "base/ids.h"
#include "otlp/encode.h"
#include "otlp/protobuf.h"

/* Field numbers of the parts of opentelemetry.proto.trace.v1.Span. */
enum { EVENT_TIME = 1, EVENT_NAME = 2, EVENT_ATTRIBUTES = 3 };
enum { LINK_TRACE_ID = 1, LINK_SPAN_ID = 2, LINK_ATTRIBUTES = 4 };

/* ---- start --------------------------------------------------------------------------------------------- */

static bool is_zero(const uint8_t *id, size_t n) {
    uint8_t any = 0;
    for (size_t i = 0; i < n; i++) any |= id[i];
    return any == 0;
}

/* By the trace's id alone, so that all spans of a trace share its fate, in every process with the same ratio. */
static bool is_sampled(uint64_t below, const uint8_t trace_id[16]) {
    if (__builtin_expect(below == UINT64_MAX, 1)) return true;
    uint64_t id;
    memcpy(&id, trace_id + 8, sizeof id);
    return be64toh(id) < below;
}

static bool move(rs_fields *f, size_t room) {
    respan_span *s = (respan_span *)f; /* its first member */
    return rs_ring_move(&s->client->ring, s, room);
}

RESPAN_API respan_span *respan_span_start(respan_client *client, const char *name, size_t name_len,
                                          const respan_span_context *parent, uint64_t start_ns) {
    if (!client) return NULL;
    respan_span *s = rs_ring_open(&client->ring);
    if (!s) return NULL;
    s->client = client;
    s->generation = client->generation;
    s->is_kind_set = s->has_shared = false;
    s->has_parent = false;
    s->sum = (rs_spool_sum){0};
    s->fields.wire.limit = client->config.ring_bytes;
    s->fields.move = move;
    s->fields.keeps_secrets = client->config.keeps_secrets;
    rs_id_span(s->context.span_id);
    memset(s->parent_id, 0, sizeof s->parent_id);
    if (parent && !is_zero(parent->trace_id, sizeof parent->trace_id)) {
        memcpy(s->context.trace_id, parent->trace_id, sizeof parent->trace_id);
        memcpy(s->parent_id, parent->span_id, sizeof parent->span_id);
        s->has_parent = !is_zero(parent->span_id, sizeof parent->span_id);
    } else {
        rs_id_trace(s->context.trace_id);
    }
    s->is_sampled = is_sampled(client->config.sampled_below, s->context.trace_id);
    s->unseen = !s->is_in_file || !s->is_sampled;
    rs_str text = {name, name ? name_len : 0};
    rs_fields_set_text(&s->fields, RS_SPAN_NAME, RS_FIELD_KIND_NAME, text, client->config.max_content_bytes);
    if (client->config.environment)
        rs_fields_put_set(&s->fields, &client->config.environment->fields, RS_RANK_CLIENT);
    s->start_ns = start_ns ? start_ns : rs_clock_wall_ns();
    rs_open_publish(s);
    /* The exporter says in the spool that the process lives, and how long it did. */
    if (__builtin_expect(!__atomic_load_n(&client->running, __ATOMIC_ACQUIRE), 0))
        (void)!rs_client_start(client); /* if no thread can be had, the next span or a flush tries again */
    return s;
}

/* Whether the span is to be written to: in a child of fork what was open before is the parent's. */
static bool is_own(const respan_span *s) { return s && s->generation == s->client->generation; }

RESPAN_API respan_span_context respan_span_get_context(const respan_span *span) {
    return span ? span->context : (respan_span_context){0};
}

/* ---- while it is open ---------------------------------------------------------------------------------- */

/* For an event, a link or a status of the span. */
static void init_part(const respan_span *span, rs_fields *part) {
    rs_fields_init(part, span->client->config.ring_bytes);
    part->keeps_secrets = span->fields.keeps_secrets;
}

/* Appends a finished event, link or status, and frees it. Without what makes it one (is_one: an event's name, …) it is left
 * out. */
static void put_part(respan_span *span, uint32_t field, rs_field_kind kind, rs_fields *part, bool is_one) {
    rs_fields_compact(part);
    if (is_one && part->dead == 0) {
        rs_fields_set_message(&span->fields, field, kind, rs_buf_slice(&part->wire));
        span->fields.left_out += part->left_out; /* what it could not hold is missing in the span */
    } else {
        span->fields.left_out++;
        span->fields.why = RS_ERR_MEMORY;
    }
    rs_fields_deinit(part);
    (void)rs_open_note(span, 0);
}

RESPAN_API void respan_span_set(respan_span *span, const respan_attribute *attributes, size_t count) {
    if (!is_own(span) || !attributes) return;
    size_t max = span->client->config.max_content_bytes;
    for (size_t i = 0; i < count; i++) rs_fields_set(&span->fields, RS_SPAN_ATTRIBUTES, &attributes[i], max);
    (void)rs_open_note(span, 0);
}

RESPAN_API void respan_span_set_string(respan_span *span, const char *key, size_t key_len, const char *value,
                                       size_t value_len) {
    if (!is_own(span)) return;
    rs_fields_set_string(&span->fields, RS_SPAN_ATTRIBUTES, (rs_str){key, key_len},
                         (rs_str){value, value ? value_len : 0}, span->client->config.max_content_bytes);
    (void)rs_open_note(span, 0);
}

RESPAN_API void respan_span_set_int(respan_span *span, const char *key, size_t key_len, int64_t value) {
    if (!is_own(span)) return;
    rs_fields_set_int(&span->fields, RS_SPAN_ATTRIBUTES, (rs_str){key, key_len}, value);
    (void)rs_open_note(span, 0);
}

RESPAN_API void respan_span_set_double(respan_span *span, const char *key, size_t key_len, double value) {
    if (!is_own(span)) return;
    rs_fields_set_double(&span->fields, RS_SPAN_ATTRIBUTES, (rs_str){key, key_len}, value);
    (void)rs_open_note(span, 0);
}

RESPAN_API void respan_span_set_bool(respan_span *span, const char *key, size_t key_len, bool value) {
    if (!is_own(span)) return;
    rs_fields_set_bool(&span->fields, RS_SPAN_ATTRIBUTES, (rs_str){key, key_len}, value);
    (void)rs_open_note(span, 0);
}

RESPAN_API void respan_span_set_name(respan_span *span, const char *name, size_t name_len) {
    if (!is_own(span)) return;
    rs_str text = {name, name ? name_len : 0};
    rs_fields_set_text(&span->fields, RS_SPAN_NAME, RS_FIELD_KIND_NAME, text,
                       span->client->config.max_content_bytes);
    (void)rs_open_note(span, 0);
}

RESPAN_API void respan_span_set_kind(respan_span *span, respan_span_kind kind) {
    if (!is_own(span) || kind < RESPAN_KIND_INTERNAL || kind > RESPAN_KIND_CONSUMER) return;
    uint32_t left_out = span->fields.left_out;
    rs_fields_set_enum(&span->fields, RS_SPAN_KIND, RS_FIELD_KIND_SPAN_KIND, (uint8_t)kind);
    if (span->fields.left_out == left_out) span->is_kind_set = true;
    (void)rs_open_note(span, 0);
}

RESPAN_API void respan_span_set_status(respan_span *span, respan_status_code code, const char *message,
                                       size_t message_len) {
    if (!is_own(span) || code < RESPAN_STATUS_UNSET || code > RESPAN_STATUS_ERROR) return;
    rs_fields status;
    init_part(span, &status);
    if (message && message_len && code == RESPAN_STATUS_ERROR)
        rs_fields_set_text(&status, RS_STATUS_MESSAGE, RS_FIELD_KIND_PART, (rs_str){message, message_len},
                           span->client->config.max_content_bytes);
    uint32_t left_out = status.left_out;
    rs_fields_set_enum(&status, RS_STATUS_CODE, RS_FIELD_KIND_PART, (uint8_t)code);
    put_part(span, RS_SPAN_STATUS, RS_FIELD_KIND_STATUS, &status, status.left_out == left_out);
}

static bool has_ids(const respan_span_context *c) {
    return c && !is_zero(c->trace_id, sizeof c->trace_id) && !is_zero(c->span_id, sizeof c->span_id);
}

RESPAN_API void respan_span_add_event(respan_span *span, const char *name, size_t name_len, uint64_t time_ns,
                                      const respan_attribute *attributes, size_t count) {
    if (!is_own(span)) return;
    size_t max = span->client->config.max_content_bytes;
    rs_fields event;
    init_part(span, &event);
    rs_fields_set_time(&event, EVENT_TIME, time_ns ? time_ns : rs_clock_wall_ns());
    rs_fields_set_text(&event, EVENT_NAME, RS_FIELD_KIND_PART, (rs_str){name, name ? name_len : 0}, max);
    bool is_one = event.left_out == 0;
    for (size_t i = 0; attributes && i < count; i++)
        rs_fields_set(&event, EVENT_ATTRIBUTES, &attributes[i], max);
    put_part(span, RS_SPAN_EVENTS, RS_FIELD_KIND_PART, &event, is_one);
}

RESPAN_API void respan_span_add_link(respan_span *span, const respan_span_context *to,
                                     const respan_attribute *attributes, size_t count) {
    if (!is_own(span) || !has_ids(to)) return;
    rs_fields link;
    init_part(span, &link);
    rs_str trace_id = {(const char *)to->trace_id, sizeof to->trace_id};
    rs_str span_id = {(const char *)to->span_id, sizeof to->span_id};
    rs_fields_set_message(&link, LINK_TRACE_ID, RS_FIELD_KIND_PART, trace_id);
    rs_fields_set_message(&link, LINK_SPAN_ID, RS_FIELD_KIND_PART, span_id);
    bool is_one = link.left_out == 0;
    for (size_t i = 0; attributes && i < count; i++)
        rs_fields_set(&link, LINK_ATTRIBUTES, &attributes[i], span->client->config.max_content_bytes);
    put_part(span, RS_SPAN_LINKS, RS_FIELD_KIND_PART, &link, is_one);
}

RESPAN_API void respan_span_set_context(respan_span *span, const respan_span_context *own) {
    if (!is_own(span) || !has_ids(own)) return;
    rs_open_withdraw(span);
    span->context = *own;
    rs_open_publish(span);
}

static size_t copy(char *out, size_t size, size_t at, rs_str s) {
    if (at < size && s.n) memcpy(out + at, s.p, s.n < size - at ? s.n : size - at);
    return at + s.n;
}

RESPAN_API size_t respan_mask_secrets(const char *text, size_t text_len, char *out, size_t size) {
    rs_secret secret;
    rs_str s = {text, text_len};
    if (!text || !rs_redact_find(s, 0, &secret)) return 0;
    size_t n = 0, done = 0;
    do {
        n = copy(out, size, n, (rs_str){text + done, secret.at - done});
        n = copy(out, size, n, secret.by);
        done = secret.end;
    } while (rs_redact_find(s, done, &secret));
    return copy(out, size, n, (rs_str){text + done, text_len - done});
}

RESPAN_API bool respan_span_masks_secrets(const respan_span *span) {
    return !span || !span->fields.keeps_secrets;
}

RESPAN_API void respan_span_use(respan_span *span, respan_attributes *shared) {
    if (!is_own(span)) return;
    const respan_attributes *environment = span->client->config.environment;
    if (span->has_shared) {
        rs_fields_remove_rank(&span->fields, RS_RANK_SHARED);
        if (environment) rs_fields_put_set(&span->fields, &environment->fields, RS_RANK_CLIENT);
    }
    span->has_shared = shared != NULL;
    if (shared) rs_fields_put_set(&span->fields, &shared->fields, RS_RANK_SHARED);
    (void)rs_open_note(span, 0);
}

RESPAN_API void respan_span_withhold(respan_span *span) {
    if (!is_own(span)) return;
    rs_open_withdraw(span);
    span->unseen = true;
}

/* ---- end ----------------------------------------------------------------------------------------------- */

/* What did not fit anywhere is known to the next span that comes to an end. */
static void report_dropped(respan_span *s) {
    uint64_t n = __atomic_exchange_n(&s->client->ring.unreported, 0, __ATOMIC_RELAXED);
    respan_attribute count = {
        {RESPAN_TEXT("respan.dropped_spans")}, RESPAN_TYPE_INT, {.integer = (int64_t)n}};
    if (n) respan_span_add_event(s, RESPAN_TEXT("respan.spans_dropped"), 0, &count, 1);
}

static void let_go(respan_client *c, rs_ring_put_result result) {
    if (__builtin_expect(result.last, 0)) rs_client_release(c);
}

RESPAN_API void respan_span_end(respan_span *s, uint64_t end_ns) {
    if (!s) return;
    respan_client *c = s->client;
    if (!is_own(s)) {
        rs_client_release(c); /* see fork.c */
        return;
    }
    if (__builtin_expect(__atomic_load_n(&c->closed, __ATOMIC_ACQUIRE) || !s->is_sampled, 0)) {
        let_go(c, rs_ring_discard(&c->ring, s, true));
        return;
    }
    if (__builtin_expect(__atomic_load_n(&c->ring.unreported, __ATOMIC_RELAXED), 0)) report_dropped(s);
    if (end_ns == 0) {
        end_ns = rs_clock_wall_ns();
        if (end_ns < s->start_ns) end_ns = s->start_ns; /* the clock was set back */
    }
    rs_frame_head head = {.trace_id = s->context.trace_id,
                          .span_id = s->context.span_id,
                          .parent_id = s->has_parent ? s->parent_id : NULL,
                          .start_ns = s->start_ns,
                          .end_ns = end_ns,
                          .has_kind = s->is_kind_set,
                          .left_out = s->fields.left_out};
    char out[RS_FRAME_LEAD_MAX];
    rs_str lead = rs_frame_lead(&head, rs_fields_live_size(&s->fields), out);
    __atomic_store_n(&s->slot->end_ns, end_ns, __ATOMIC_RELAXED);
    let_go(c, rs_ring_put(&c->ring, s, lead, rs_open_note(s, end_ns)));
}

RESPAN_API void respan_span_discard(respan_span *span) {
    if (!span) return;
    respan_client *c = span->client;
    if (is_own(span)) let_go(c, rs_ring_discard(&c->ring, span, false));
    else rs_client_release(c);
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
