#include "query/find.h"

#include "base/ids.h"
#include "query/trace_tree.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

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

/* Spans by arrival, in an arena. */
typedef struct places {
    rs_span_place *items;
    bool *match; /* of each */
    size_t n, items_cap, match_cap;
} places;

static bool add_place(places *p, rs_arena *arena, const rs_span_place *place, bool matches) {
    if (!rs_arena_grow(arena, (void **)&p->items, p->n, &p->items_cap, sizeof *p->items) ||
        !rs_arena_grow(arena, (void **)&p->match, p->n, &p->match_cap, sizeof *p->match))
        return false;
    p->match[p->n] = matches;
    p->items[p->n++] = *place;
    return true;
}

/* What one thread looks through. */
typedef struct part {
    const rs_find *find;
    rs_store *store;
    uint64_t project;
    rs_span_scan scan;
    bool in_full;    /* the span at hand has its attributes */
    rs_arena *arena; /* the question's; that of another thread is … */
    rs_arena own;
    places found;
    bool exhausted;
    rs_status status;
    rs_err err;
    pthread_t thread;
    bool has_thread;
} part;

static bool see_span(void *ctx, int64_t key, const rs_span *span) {
    part *p = ctx;
    const rs_list *l = p->find->list;
    rs_span_place place = {
        .number = (uint64_t)key, .start_ns = span->start_ns, .has_parent = span->has_parent};
    memcpy(place.span_id, span->span_id, sizeof place.span_id);
    memcpy(place.parent_id, span->parent_id, sizeof place.parent_id);
    rs_evidence e = {.row = span, .in_full = p->in_full};
    bool matches = span->start_ns >= l->start_min_ns &&
                   (l->start_max_ns == 0 || span->start_ns < l->start_max_ns) &&
                   rs_filter_judge(&l->filter, &e) == RS_YES;
    p->exhausted = !add_place(&p->found, p->arena, &place, matches);
    return !p->exhausted;
}

static void *look_through(void *ctx) {
    part *p = ctx;
    p->scan.in_full = &p->in_full;
    p->status = rs_store_scan_trace(p->store, p->project, p->find->trace_id, &p->scan, see_span, p, &p->err);
    if (p->exhausted) p->status = rs_fail(&p->err, RS_ERR_MEMORY, 0, "out of memory");
    return NULL;
}

/* All parts' spans, by arrival. */
static rs_status put_together(part *parts, unsigned n, rs_arena *arena, places *out, rs_err *err) {
    size_t at[RS_FIND_PARTS] = {0};
    for (;;) {
        part *next = NULL;
        for (unsigned i = 0; i < n; i++) {
            const places *here = &parts[i].found;
            if (at[i] < here->n &&
                (!next || here->items[at[i]].number < next->found.items[at[next - parts]].number))
                next = &parts[i];
        }
        if (!next) return RS_OK;
        size_t i = at[next - parts]++;
        if (!add_place(out, arena, &next->found.items[i], next->found.match[i]))
            return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    }
}

static bool take_size(void *ctx, const rs_trace_row *row) {
    *(uint32_t *)ctx = row->span_count;
    return false;
}

static unsigned parts_of(const rs_find *find, uint32_t spans) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned n = find->parts > 0 ? find->parts : spans / RS_FIND_PART_SPANS;
    if (find->parts == 0 && processors > 0 && n > (unsigned long)processors) n = (unsigned)processors;
    return n < 1 ? 1 : n > RS_FIND_PARTS ? RS_FIND_PARTS : n;
}

/* All spans of the trace, and which of them match, by as many threads. */
static rs_status see_in_parts(const rs_find *find, rs_store *store, uint64_t project, unsigned n,
                              rs_arena *arena, places *out, rs_err *err) {
    const rs_filter *filter = &find->list->filter;
    const rs_filter_node *words[RS_FILTER_MAX_WORDS];
    const rs_phrase *phrases[RS_FILTER_MAX_WORDS];
    part parts[RS_FIND_PARTS];
    rs_status st = RS_OK;
    rs_span_scan scan = {.depth = rs_filter_needs_attributes(filter) ? RS_READ_FULL : RS_READ_HEADS,
                         .phrases = phrases,
                         .nphrases = rs_filter_words(filter, words),
                         .parts = n};
    for (size_t i = 0; i < scan.nphrases; i++) phrases[i] = &words[i]->phrase;
    for (unsigned i = n; i-- > 0;) {
        part *p = &parts[i];
        *p = (part){.find = find, .store = store, .project = project, .scan = scan};
        p->scan.part = i;
        p->arena = i > 0 ? &p->own : arena;
        rs_arena_init(&p->own, arena->limit);
        p->has_thread = i > 0 && pthread_create(&p->thread, NULL, look_through, p) == 0;
        if (!p->has_thread) look_through(p);
    }
    for (unsigned i = 0; i < n; i++) {
        if (parts[i].has_thread) pthread_join(parts[i].thread, NULL);
        if (st == RS_OK && parts[i].status != RS_OK)
            st = rs_fail(err, parts[i].status, 0, "%s", parts[i].err.message);
    }
    if (st == RS_OK && n == 1) *out = parts[0].found;
    else if (st == RS_OK) st = put_together(parts, n, arena, out, err);
    for (unsigned i = 0; i < n; i++) rs_arena_deinit(&parts[i].own);
    return st;
}

static rs_status see_all(const rs_find *find, rs_store *store, uint64_t project, rs_arena *arena, places *out,
                         rs_err *err) {
    uint32_t spans = 0;
    rs_status st = rs_store_get_trace(store, project, find->trace_id, take_size, &spans, err);
    if (st != RS_OK) return st;
    unsigned n = parts_of(find, spans);
    st = see_in_parts(find, store, project, n, arena, out, err);
    /* Blocks that were rewritten meanwhile may have been nobody's part, or that of two. */
    if (st == RS_OK && n > 1 && out->n != spans) {
        *out = (places){0};
        st = see_in_parts(find, store, project, 1, arena, out, err);
    }
    return st;
}

/* ---- the page ------------------------------------------------------------------------------------------ */

/* Those that match, in the order of the tree; *at: the first of them that is not before the cursor's span, *is_at: it is that one. */
static rs_status put_in_order(const rs_find *f, const places *spans, rs_arena *arena, rs_found *out,
                              size_t *at, bool *is_at, rs_err *err) {
    rs_trace_tree tree;
    bool met = !f->has_cursor;
    rs_status st = rs_trace_tree_build(spans->items, spans->n, arena, &tree);
    out->span_ids = rs_arena_alloc(arena, spans->n * sizeof *out->span_ids);
    if (st != RS_OK || !out->span_ids) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    for (uint32_t i = tree.first_root; i != RS_TREE_NONE; i = rs_trace_tree_next(&tree, i)) {
        const rs_span_place *p = &spans->items[i];
        if (!met && memcmp(p->span_id, f->cursor.span_id, sizeof p->span_id) == 0) {
            met = true;
            *at = (size_t)out->count;
            *is_at = spans->match[i];
        }
        if (spans->match[i]) memcpy(out->span_ids[out->count++], p->span_id, sizeof p->span_id);
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
    places spans = {0};
    size_t at = 0;
    bool is_at = false;
    *out = (rs_found){0};
    rs_status st = see_all(find, store, project, arena, &spans, err);
    if (st == RS_OK) st = put_in_order(find, &spans, arena, out, &at, &is_at, err);
    if (st == RS_OK) choose_page(find, at, is_at, out);
    return st;
}
