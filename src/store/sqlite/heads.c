#include "store/sqlite/heads.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

enum bits {
    BIT_PARENT = 1,
    BIT_INTERRUPTED = 2,
    BIT_STATUS = 4, /* two bits */
    BIT_COST = 16,
    BIT_TTFT = 32,
    BIT_SPEED = 64,
    BIT_CACHED = 128,
    BIT_REASONING = 256,
    BIT_COST_SOURCE = 512, /* three bits */
};

static const rs_resource no_resource;
static const rs_scope no_scope;

/* The string columns, in their order from RS_COLUMN_NAME. */
enum { FIRST_STRING = RS_COLUMN_NAME, STRINGS = RS_COLUMN_ERROR_MESSAGE - RS_COLUMN_NAME + 1 };
static const size_t string_at[STRINGS] = {
    offsetof(rs_span, name),
    offsetof(rs_span, status_message),
    offsetof(rs_span, facts.model),
    offsetof(rs_span, facts.provider),
    offsetof(rs_span, facts.entity_name),
    offsetof(rs_span, facts.workflow),
    offsetof(rs_span, facts.path),
    offsetof(rs_span, facts.customer),
    offsetof(rs_span, facts.thread),
    offsetof(rs_span, facts.environment),
    offsetof(rs_span, facts.error_message),
};

static rs_str *span_string(rs_span *s, size_t i) { return (rs_str *)(void *)((char *)s + string_at[i]); }

/* ---- encoding ------------------------------------------------------------------------------------------ */

void rs_heads_writer_init(rs_heads_writer *w) {
    *w = (rs_heads_writer){0};
    rs_heads_writer_clear(w);
}

void rs_heads_writer_deinit(rs_heads_writer *w) {
    for (int c = 0; c < RS_COLUMN_COUNT; c++) rs_buf_deinit(&w->columns[c]);
    rs_intern_deinit(&w->strings);
    rs_intern_deinit(&w->traces);
}

void rs_heads_writer_clear(rs_heads_writer *w) {
    for (int c = 0; c < RS_COLUMN_COUNT; c++) rs_buf_clear(&w->columns[c]);
    rs_intern_clear(&w->strings);
    rs_intern_clear(&w->traces);
    w->last_start = 0;
}

/* Most spans are no model calls: what few have costs the others nothing. */
static unsigned put_tokens(rs_buf *b, const rs_facts *f) {
    unsigned bits = 0;
    rs_wire_zigzag(b, f->prompt_tokens);
    rs_wire_zigzag(b, f->completion_tokens);
    if (f->cached_tokens >= 0) bits |= BIT_CACHED, rs_wire_zigzag(b, f->cached_tokens);
    if (f->reasoning_tokens >= 0) bits |= BIT_REASONING, rs_wire_zigzag(b, f->reasoning_tokens);
    return bits;
}

static unsigned put_doubles(rs_buf *b, const rs_facts *f) {
    unsigned bits = 0;
    if (!isnan(f->cost)) {
        bits |= BIT_COST | ((unsigned)f->cost_source & 7) * BIT_COST_SOURCE;
        rs_wire_double(b, f->cost);
    }
    if (!isnan(f->ttft)) bits |= BIT_TTFT, rs_wire_double(b, f->ttft);
    if (!isnan(f->tokens_per_second)) bits |= BIT_SPEED, rs_wire_double(b, f->tokens_per_second);
    return bits;
}

void rs_heads_add(rs_heads_writer *w, const rs_span *s, size_t details, size_t content) {
    rs_buf *c = w->columns;
    const rs_facts *f = &s->facts;
    unsigned bits = ((unsigned)s->status & 3) * BIT_STATUS;
    if (s->has_parent) {
        bits |= BIT_PARENT;
        rs_buf_put(&c[RS_COLUMN_PARENT_ID], s->parent_id, sizeof s->parent_id);
    }
    if (f->interrupted) bits |= BIT_INTERRUPTED;
    bits |= put_doubles(&c[RS_COLUMN_DOUBLES], f) | put_tokens(&c[RS_COLUMN_TOKENS], f);
    rs_wire_varint(&c[RS_COLUMN_TRACE],
                   rs_intern_put_likely(&w->traces, (rs_str){(const char *)s->trace_id, 16},
                                        &w->likely[RS_COLUMN_TRACE]));
    rs_buf_put(&c[RS_COLUMN_SPAN_ID], s->span_id, sizeof s->span_id);
    rs_wire_u16(&c[RS_COLUMN_BITS], (uint16_t)bits);
    rs_buf_byte(&c[RS_COLUMN_KIND], s->kind);
    rs_buf_byte(&c[RS_COLUMN_LOG_TYPE], (uint8_t)f->log_type);
    rs_buf_byte(&c[RS_COLUMN_USAGE], (uint8_t)f->usage_source);
    rs_wire_zigzag(&c[RS_COLUMN_START], (int64_t)(s->start_ns - w->last_start));
    rs_wire_zigzag(&c[RS_COLUMN_DURATION], (int64_t)(s->end_ns - s->start_ns));
    w->last_start = s->start_ns;
    for (size_t i = 0; i < STRINGS; i++) {
        const rs_str *str = (const rs_str *)(const void *)((const char *)s + string_at[i]);
        uint32_t *likely = &w->likely[FIRST_STRING + i];
        rs_wire_varint(&c[FIRST_STRING + i],
                       str->n ? rs_intern_put_likely(&w->strings, *str, likely) + 1 : 0);
    }
    rs_wire_varint(&c[RS_COLUMN_EXTENT], details);
    rs_wire_varint(&c[RS_COLUMN_EXTENT], content);
}

rs_status rs_heads_finish(rs_heads_writer *w, rs_buf *out) {
    rs_buf *strings = &w->columns[RS_COLUMN_STRINGS], *traces = &w->columns[RS_COLUMN_TRACES];
    rs_wire_varint(strings, w->strings.n);
    for (uint32_t i = 0; i < w->strings.n; i++) rs_wire_str(strings, w->strings.items[i]);
    rs_wire_varint(traces, w->traces.n);
    for (uint32_t i = 0; i < w->traces.n; i++) rs_buf_str(traces, w->traces.items[i]);
    rs_status st = w->strings.failed != RS_OK ? w->strings.failed : w->traces.failed;
    for (int c = 0; c < RS_COLUMN_COUNT; c++) {
        if (w->columns[c].failed != RS_OK) st = w->columns[c].failed;
        if (w->columns[c].n > UINT32_MAX) st = RS_ERR_TOO_LARGE;
        rs_wire_u32(out, (uint32_t)w->columns[c].n);
    }
    for (int c = 0; c < RS_COLUMN_COUNT && st == RS_OK; c++) rs_buf_str(out, rs_buf_slice(&w->columns[c]));
    return st != RS_OK ? st : rs_buf_status(out);
}

/* ---- decoding ------------------------------------------------------------------------------------------ */

static rs_status corrupt(rs_err *err, const char *what) {
    return rs_fail(err, RS_ERR_CORRUPT, 0, "block heads: %s", what);
}

static rs_status open_strings(rs_heads *h, rs_err *err) {
    rs_cursor *c = &h->columns[RS_COLUMN_STRINGS];
    uint64_t n = rs_cursor_varint(c);
    if (c->bad || n > rs_cursor_left(c)) return corrupt(err, "bad dictionary");
    h->strings = malloc((n + 1) * sizeof *h->strings);
    if (!h->strings) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    h->nstrings = (uint32_t)n + 1; /* number 0 is the empty string */
    h->strings[0] = (rs_str){0};
    for (uint64_t i = 1; i <= n; i++) h->strings[i] = rs_cursor_str(c);
    return c->bad ? corrupt(err, "bad dictionary") : RS_OK;
}

static rs_status open_traces(rs_heads *h, rs_err *err) {
    rs_cursor *c = &h->columns[RS_COLUMN_TRACES];
    uint64_t n = rs_cursor_varint(c);
    if (c->bad || n > rs_cursor_left(c) / 16) return corrupt(err, "bad trace ids");
    h->ntraces = (uint32_t)n;
    h->traces = c->at;
    return RS_OK;
}

rs_status rs_heads_open(rs_heads *h, rs_str raw, uint32_t n, rs_err *err) {
    *h = (rs_heads){.left = n};
    rs_cursor all = rs_cursor_on(raw);
    uint32_t lengths[RS_COLUMN_COUNT];
    for (int c = 0; c < RS_COLUMN_COUNT; c++) lengths[c] = rs_cursor_u32(&all);
    for (int c = 0; c < RS_COLUMN_COUNT; c++) h->columns[c] = rs_cursor_on(rs_cursor_bytes(&all, lengths[c]));
    if (all.bad || rs_cursor_left(&all) != 0) return corrupt(err, "column lengths do not add up");
    rs_status st = open_strings(h, err);
    return st == RS_OK ? open_traces(h, err) : st;
}

static double take_double(rs_heads *h, unsigned bits, unsigned bit) {
    return bits & bit ? rs_cursor_double(&h->columns[RS_COLUMN_DOUBLES]) : NAN;
}

static bool take_strings(rs_heads *h, rs_span *out) {
    for (size_t i = 0; i < STRINGS; i++) {
        uint64_t number = rs_cursor_varint(&h->columns[FIRST_STRING + i]);
        if (number >= h->nstrings) return false;
        *span_string(out, i) = h->strings[number];
    }
    return true;
}

static bool any_bad(const rs_heads *h) {
    for (int c = 0; c < RS_COLUMN_COUNT; c++)
        if (h->columns[c].bad) return true;
    return false;
}

bool rs_heads_next(rs_heads *h, rs_span *out, rs_extent *extent) {
    rs_cursor *c = h->columns;
    if (h->left == 0) return false;
    *out = (rs_span){.resource = &no_resource, .scope = &no_scope};
    uint64_t trace = rs_cursor_varint(&c[RS_COLUMN_TRACE]);
    if (trace >= h->ntraces || !take_strings(h, out)) goto bad;
    memcpy(out->trace_id, h->traces + 16 * trace, 16);
    rs_cursor_copy(&c[RS_COLUMN_SPAN_ID], out->span_id, 8);
    unsigned bits = rs_cursor_u16(&c[RS_COLUMN_BITS]);
    out->has_parent = bits & BIT_PARENT;
    if (out->has_parent) rs_cursor_copy(&c[RS_COLUMN_PARENT_ID], out->parent_id, 8);
    out->status = (rs_status_code)(bits / BIT_STATUS & 3);
    out->kind = rs_cursor_byte(&c[RS_COLUMN_KIND]);
    out->start_ns = h->last_start += (uint64_t)rs_cursor_zigzag(&c[RS_COLUMN_START]);
    out->end_ns = out->start_ns + (uint64_t)rs_cursor_zigzag(&c[RS_COLUMN_DURATION]);
    rs_facts *f = &out->facts;
    uint8_t log_type = rs_cursor_byte(&c[RS_COLUMN_LOG_TYPE]), usage = rs_cursor_byte(&c[RS_COLUMN_USAGE]);
    f->log_type = log_type < RS_LOG_TYPE_COUNT ? (rs_log_type)log_type : RS_LOG_UNKNOWN;
    f->usage_source = usage <= RS_USAGE_ESTIMATED ? (rs_usage_source)usage : RS_USAGE_NONE;
    f->interrupted = bits & BIT_INTERRUPTED;
    f->prompt_tokens = rs_cursor_zigzag(&c[RS_COLUMN_TOKENS]);
    f->completion_tokens = rs_cursor_zigzag(&c[RS_COLUMN_TOKENS]);
    f->cached_tokens = bits & BIT_CACHED ? rs_cursor_zigzag(&c[RS_COLUMN_TOKENS]) : -1;
    f->reasoning_tokens = bits & BIT_REASONING ? rs_cursor_zigzag(&c[RS_COLUMN_TOKENS]) : -1;
    f->cost = take_double(h, bits, BIT_COST);
    f->cost_source = (rs_cost_source)(bits / BIT_COST_SOURCE & 7);
    f->ttft = take_double(h, bits, BIT_TTFT);
    f->tokens_per_second = take_double(h, bits, BIT_SPEED);
    uint64_t details = rs_cursor_varint(&c[RS_COLUMN_EXTENT]),
             content = rs_cursor_varint(&c[RS_COLUMN_EXTENT]);
    if (details > UINT32_MAX || content > UINT32_MAX || any_bad(h)) goto bad;
    *extent = (rs_extent){h->details_at, h->content_at, (size_t)details, (size_t)content};
    h->details_at += details;
    h->content_at += content;
    h->left--;
    return true;
bad:
    rs_cursor_fail(&c[RS_COLUMN_TRACE]);
    return false;
}

bool rs_heads_is_whole(const rs_heads *h) { return h->left == 0 && !any_bad(h); }

void rs_heads_close(rs_heads *h) {
    free(h->strings);
    h->strings = NULL;
}

bool rs_heads_keep(rs_span *s, rs_arena *arena) {
    size_t n = 0;
    for (size_t i = 0; i < STRINGS; i++) n += span_string(s, i)->n;
    char *to = rs_arena_alloc(arena, n);
    if (!to) return false;
    for (size_t i = 0; i < STRINGS; i++) {
        rs_str *str = span_string(s, i);
        if (str->n == 0) continue;
        memcpy(to, str->p, str->n);
        str->p = to;
        to += str->n;
    }
    return true;
}
