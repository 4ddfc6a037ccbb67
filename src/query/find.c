#include "query/find.h"

#include "base/ids.h"
#include "query/trace_tree.h"

#include <stdio.h>

/* ---- cursors ------------------------------------------------------------------------------------------- */

void rs_find_cursor_format(const rs_find_cursor *c, char out[RS_FIND_CURSOR_LEN + 1]) {
    out[0] = c->backward ? 'b' : 'f';
    rs_hex(c->span_id, sizeof c->span_id, out + 1);
}

bool rs_find_cursor_parse(rs_str s, rs_find_cursor *out) {
    if (s.n != RS_FIND_CURSOR_LEN || (s.p[0] != 'f' && s.p[0] != 'b')) return false;
    out->backward = s.p[0] == 'b';
    return rs_unhex(rs_str_from(s, 1), out->span_id, sizeof out->span_id);
}

/* ---- the spans ----------------------------------------------------------------------------------------- */

typedef struct question {
    const rs_find *find;
    rs_arena *arena;
    rs_span_place *places; /* of all spans of the trace */
    bool *matches;         /* likewise */
    size_t n, places_cap, matches_cap;
    bool in_full; /* the span at hand has its attributes */
    bool exhausted;
} question;

static bool see_span(void *ctx, int64_t key, const rs_span *span) {
    question *q = ctx;
    const rs_list *l = q->find->list;
    q->exhausted = !rs_arena_grow(q->arena, (void **)&q->places, q->n, &q->places_cap, sizeof *q->places) ||
                   !rs_arena_grow(q->arena, (void **)&q->matches, q->n, &q->matches_cap, sizeof *q->matches);
    if (q->exhausted) return false;
    rs_span_place *p = &q->places[q->n];
    *p = (rs_span_place){
        .number = (uint64_t)key, .start_ns = span->start_ns, .has_parent = span->has_parent};
    memcpy(p->span_id, span->span_id, sizeof p->span_id);
    memcpy(p->parent_id, span->parent_id, sizeof p->parent_id);
    rs_evidence e = {.row = span, .in_full = q->in_full};
    q->matches[q->n++] = span->start_ns >= l->start_min_ns &&
                         (l->start_max_ns == 0 || span->start_ns < l->start_max_ns) &&
                         rs_filter_judge(&l->filter, &e) == RS_YES;
    return true;
}

static rs_status see_all(question *q, rs_store *store, uint64_t project, rs_err *err) {
    const rs_filter *filter = &q->find->list->filter;
    const rs_filter_node *words[RS_FILTER_MAX_WORDS];
    const rs_phrase *phrases[RS_FILTER_MAX_WORDS];
    size_t n = rs_filter_words(filter, words);
    for (size_t i = 0; i < n; i++) phrases[i] = &words[i]->phrase;
    rs_span_scan scan = {.depth = rs_filter_needs_attributes(filter) ? RS_READ_FULL : RS_READ_HEADS,
                         .phrases = phrases,
                         .nphrases = n,
                         .in_full = &q->in_full};
    rs_status st = rs_store_scan_trace(store, project, q->find->trace_id, &scan, see_span, q, err);
    return q->exhausted ? rs_fail(err, RS_ERR_MEMORY, 0, "out of memory") : st;
}

/* ---- the page ------------------------------------------------------------------------------------------ */

/* Those that match, in the order of the tree; *at: the first of them that is not before the cursor's span, *is_at: it is that one. */
static rs_status put_in_order(question *q, rs_found *out, size_t *at, bool *is_at, rs_err *err) {
    rs_trace_tree tree;
    const rs_find *f = q->find;
    bool met = !f->has_cursor;
    rs_status st = rs_trace_tree_build(q->places, q->n, q->arena, &tree);
    out->span_ids = rs_arena_alloc(q->arena, q->n * sizeof *out->span_ids);
    if (st != RS_OK || !out->span_ids) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    for (uint32_t i = tree.first_root; i != RS_TREE_NONE; i = rs_trace_tree_next(&tree, i)) {
        const rs_span_place *p = &q->places[i];
        if (!met && memcmp(p->span_id, f->cursor.span_id, sizeof p->span_id) == 0) {
            met = true;
            *at = (size_t)out->count;
            *is_at = q->matches[i];
        }
        if (q->matches[i]) memcpy(out->span_ids[out->count++], p->span_id, sizeof p->span_id);
    }
    if (met) return RS_OK;
    snprintf(f->list->bad_field, sizeof f->list->bad_field, "cursor");
    return rs_fail(err, RS_ERR_INVALID, 0, "'cursor' is of a span that is not there: begin without it");
}

static void choose_page(const rs_find *f, size_t at, bool is_at, rs_found *out) {
    size_t all = (size_t)out->count, from = at + is_at, to;
    if (!f->has_cursor) {
        uint64_t skip = (uint64_t)(f->list->page - 1) * f->page_size;
        from = skip < all ? (size_t)skip : all;
    }
    if (f->has_cursor && f->cursor.backward) {
        to = at;
        from = to > f->page_size ? to - f->page_size : 0;
    } else {
        to = all - from > f->page_size ? from + f->page_size : all;
    }
    out->span_ids += from;
    out->n = to - from;
    if (out->n == 0) return;
    out->has_next = to < all;
    out->has_previous = from > 0;
    out->previous.backward = true;
    memcpy(out->previous.span_id, out->span_ids[0], sizeof out->previous.span_id);
    memcpy(out->next.span_id, out->span_ids[out->n - 1], sizeof out->next.span_id);
}

rs_status rs_find_run(rs_store *store, uint64_t project, const rs_find *find, rs_arena *arena, rs_found *out,
                      rs_err *err) {
    question q = {.find = find, .arena = arena};
    size_t at = 0;
    bool is_at = false;
    *out = (rs_found){0};
    rs_status st = see_all(&q, store, project, err);
    if (st == RS_OK) st = put_in_order(&q, out, &at, &is_at, err);
    if (st == RS_OK) choose_page(find, at, is_at, out);
    return st;
}
