#include "otlp/build.h"

#include <stdio.h>

bool rs_build_fail(rs_build *b, rs_status code, size_t offset, const char *what) {
    if (b->status == RS_OK) b->status = rs_fail(b->err, code, offset, "%s", what);
    return false;
}

static bool out_of_memory(rs_build *b) {
    return rs_build_fail(b, RS_ERR_MEMORY, 0, "the request needs more memory than it may have");
}

bool rs_build_reserve(rs_build *b, rs_str body, size_t spans) {
    if (body.n > UINT32_MAX) return rs_build_fail(b, RS_ERR_TOO_LARGE, UINT32_MAX, "the body is over 4 GiB");
    if (spans == 0) return true;
    b->spans.items = rs_arena_alloc(b->arena, spans * sizeof *b->spans.items);
    b->cap = spans;
    return b->spans.items || out_of_memory(b);
}

/* One more zeroed element on the stack *items. */
static void *push(rs_build *b, void **items, size_t *n, size_t *cap, size_t size) {
    if (*n == *cap && !rs_arena_grow(b->arena, items, *n, cap, size)) {
        out_of_memory(b);
        return NULL;
    }
    return memset((char *)*items + size * (*n)++, 0, size);
}

rs_attr *rs_build_attr(rs_build *b) {
    return push(b, (void **)&b->attrs, &b->nattrs, &b->attrs_cap, sizeof *b->attrs);
}

rs_event *rs_build_event(rs_build *b) {
    return push(b, (void **)&b->events, &b->nevents, &b->events_cap, sizeof *b->events);
}

rs_link *rs_build_link(rs_build *b) {
    return push(b, (void **)&b->links, &b->nlinks, &b->links_cap, sizeof *b->links);
}

/* n elements in the arena; *out is NULL for none. */
static bool copy_out(rs_build *b, const void *items, size_t n, size_t size, void **out) {
    *out = NULL;
    if (n == 0) return true;
    *out = rs_arena_alloc(b->arena, n * size);
    if (!*out) return out_of_memory(b);
    memcpy(*out, items, n * size);
    return true;
}

bool rs_build_take_attrs(rs_build *b, size_t from, rs_attrs *out) {
    size_t n = b->nattrs - from;
    b->nattrs = from;
    out->n = (uint32_t)n;
    return copy_out(b, n ? b->attrs + from : NULL, n, sizeof *b->attrs, (void **)&out->items);
}

bool rs_build_resource(rs_build *b) {
    b->resource = rs_arena_zalloc(b->arena, 1, sizeof *b->resource);
    return b->resource || out_of_memory(b);
}

bool rs_build_scope(rs_build *b) {
    b->scope = rs_arena_zalloc(b->arena, 1, sizeof *b->scope);
    return b->scope || out_of_memory(b);
}

rs_span *rs_build_span(rs_build *b) {
    rs_spans *out = &b->spans;
    if (!rs_arena_grow(b->arena, (void **)&out->items, out->n, &b->cap, sizeof *out->items)) {
        out_of_memory(b);
        return NULL;
    }
    rs_span *s = memset(&out->items[out->n], 0, sizeof *s);
    s->resource = b->resource;
    s->scope = b->scope;
    return s;
}

static void reject(rs_build *b, const rs_span *s, const char *why) {
    if (b->spans.rejected++ > 0) return;
    rs_str name = rs_str_cut_utf8(s->name, 60);
    snprintf(b->spans.reject_reason, sizeof b->spans.reject_reason, "span \"%.*s\": %s", RS_STR_ARG(name),
             why);
}

bool rs_build_finish_span(rs_build *b, rs_span *s, rs_build_ids ids) {
    s->nevents = (uint32_t)b->nevents;
    s->nlinks = (uint32_t)b->nlinks;
    size_t nevents = b->nevents, nlinks = b->nlinks;
    b->nevents = b->nlinks = 0;
    const char *why = NULL;
    if (!ids.trace || rs_id_is_zero(s->trace_id, sizeof s->trace_id))
        why = "its trace id is not 16 bytes (32 hex digits), or all zero";
    else if (!ids.span || rs_id_is_zero(s->span_id, sizeof s->span_id))
        why = "its span id is not 8 bytes (16 hex digits), or all zero";
    else if (ids.bad_parent) why = "its parent span id is not 8 bytes (16 hex digits)";
    if (why) {
        b->nattrs = 0;
        reject(b, s, why);
        return true;
    }
    s->has_parent = !rs_id_is_zero(s->parent_id, sizeof s->parent_id);
    b->spans.n++;
    return rs_build_take_attrs(b, 0, &s->attrs) &&
           copy_out(b, b->events, nevents, sizeof *b->events, (void **)&s->events) &&
           copy_out(b, b->links, nlinks, sizeof *b->links, (void **)&s->links);
}

void rs_build_reject_span(rs_build *b, const char *why) {
    b->nattrs = b->nevents = b->nlinks = 0;
    reject(b, &b->spans.items[b->spans.n], why);
}

bool rs_build_text(rs_build *b, rs_str s, rs_str *out) {
    *out = s;
    size_t good = rs_str_utf8_prefix(s);
    if (__builtin_expect(good == s.n, 1)) return true;
    char *p = rs_arena_alloc(b->arena, s.n * 3); /* U+FFFD takes three bytes */
    if (!p) return out_of_memory(b);
    *out = (rs_str){p, 0};
    for (rs_str rest = s;; good = rs_str_utf8_prefix(rest)) {
        memcpy(p, rest.p, good);
        p += good;
        if (good == rest.n) break;
        memcpy(p, "\xEF\xBF\xBD", 3);
        p += 3;
        rest = rs_str_from(rest, good + 1);
    }
    out->n = (size_t)(p - out->p);
    return true;
}
