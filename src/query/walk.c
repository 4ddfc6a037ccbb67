#include "query/walk.h"

#include "query/trace_walk.h"

rs_status rs_walk_init(rs_walk *w, rs_store *store, uint64_t project, rs_list *list, rs_arena *arena,
                       rs_err *err) {
    *w = (rs_walk){.store = store,
                   .project = project,
                   .list = list,
                   .start_min_ns = list->start_min_ns,
                   .start_max_ns = list->start_max_ns,
                   .left = UINT64_MAX};
    if (list->table != &rs_trace_fields) return RS_OK;
    rs_status st = rs_filter_make_plan(&list->filter, arena, &w->plan, err);
    return st == RS_OK ? rs_trace_walk_find_spans(store, project, &list->filter, err) : st;
}

typedef struct step {
    rs_walk *w;
    rs_walk_fn fn;
    void *ctx;
    uint32_t rows;
    bool stopped, in_full;
} step;

static bool see_trace(void *ctx, const rs_trace_row *row) {
    step *s = ctx;
    s->stopped = !s->fn(s->ctx, row->key, row);
    return !s->stopped;
}

static rs_status walk_traces(step *s, rs_err *err) {
    rs_walk *w = s->w;
    rs_trace_walk t = {.store = w->store,
                       .project = w->project,
                       .filter = &w->list->filter,
                       .plan = w->plan,
                       .oldest_first = w->oldest_first,
                       .has_after = w->has_after,
                       .after = w->after,
                       .start_min_ns = w->start_min_ns,
                       .start_max_ns = w->start_max_ns,
                       .rows_left = w->left,
                       .reads_left = w->left / RS_WALK_READ_ROWS + 1,
                       .blocks_left = w->left / RS_LIST_BLOCK_ROWS + 1,
                       .cpu_until_ns = w->cpu_until_ns};
    rs_status st = rs_trace_walk_run(&t, see_trace, s, err);
    w->left = t.rows_left;
    w->has_after = t.has_after;
    w->after = t.after;
    w->complete = t.complete;
    return st;
}

static bool see_span(void *ctx, int64_t key, const rs_span *span) {
    step *s = ctx;
    rs_walk *w = s->w;
    rs_evidence e = {.row = span, .in_full = s->in_full};
    w->has_after = true;
    w->after = key;
    w->left--;
    s->rows++;
    if (rs_filter_judge(&w->list->filter, &e) == RS_YES && !s->fn(s->ctx, key, span)) s->stopped = true;
    return !s->stopped && s->rows < RS_LIST_SCAN_STEP && w->left > 0;
}

static rs_status step_spans(step *s, rs_err *err) {
    const rs_walk *w = s->w;
    const rs_filter_node *words[RS_FILTER_MAX_WORDS];
    const rs_phrase *phrases[RS_FILTER_MAX_WORDS];
    size_t n = rs_filter_words(&w->list->filter, words);
    bool full = w->content || rs_filter_needs_attributes(&w->list->filter);
    for (size_t i = 0; i < n; i++) phrases[i] = &words[i]->phrase;
    rs_span_scan scan = {.has_before = w->has_after,
                         .before = w->after,
                         .depth = full ? RS_READ_FULL : RS_READ_HEADS,
                         .phrases = phrases,
                         .nphrases = n,
                         .in_full = &s->in_full,
                         .start_min_ns = w->start_min_ns,
                         .start_max_ns = w->start_max_ns};
    uint8_t trace_id[16];
    if (rs_filter_trace(&w->list->filter, trace_id)) scan.trace_id = trace_id;
    return rs_store_scan_spans(w->store, w->project, &scan, see_span, s, err);
}

rs_status rs_walk_run(rs_walk *w, rs_walk_fn fn, void *ctx, rs_err *err) {
    step s = {.w = w, .fn = fn, .ctx = ctx};
    rs_status st = RS_OK;
    w->complete = false;
    if (w->list->table == &rs_trace_fields) return walk_traces(&s, err);
    while (st == RS_OK && !s.stopped && !w->complete && w->left > 0) {
        s.rows = 0;
        st = step_spans(&s, err);
        w->complete = st == RS_OK && !s.stopped && s.rows < RS_LIST_SCAN_STEP && w->left > 0;
    }
    return st;
}

static bool needs_only(const rs_filter_node *node, const char *const *fields, size_t n) {
    if (node->kind == RS_FILTER_WORD) return false;
    for (const rs_filter_node *c = node->child; c; c = c->next)
        if (!needs_only(c, fields, n)) return false;
    bool is_one = node->kind != RS_FILTER_CONDITION;
    for (size_t k = 0; k < n && !is_one; k++)
        is_one = node->condition.field && strcmp(node->condition.field->name, fields[k]) == 0;
    return is_one;
}

bool rs_walk_needs_only(const rs_list *list, const char *const *fields, size_t n) {
    return !list->filter.root || needs_only(list->filter.root, fields, n);
}

bool rs_walk_matches(const rs_list *list, const void *row) {
    return rs_filter_judge(&list->filter, &(rs_evidence){.row = row}) == RS_YES;
}

rs_status rs_walk_decide(rs_store *store, uint64_t project, const rs_list *list, const rs_trace_row *row,
                         bool *holds, rs_err *err) {
    rs_evidence e = {.row = row};
    rs_truth t = rs_filter_judge(&list->filter, &e);
    rs_status st = RS_OK;
    for (int depth = RS_READ_HEADS; st == RS_OK && t == RS_MAYBE && depth <= RS_READ_FULL; depth++) {
        rs_arena arena;
        rs_spans spans;
        if (row->span_count > RS_WALK_DECIDE_SPANS) break;
        rs_arena_init(&arena, 0);
        st = rs_store_read_trace(store, project, row->trace_id, (rs_read_depth)depth, &arena, &spans, err);
        e.spans = &spans;
        e.in_full = depth == RS_READ_FULL;
        if (st == RS_OK) t = rs_filter_judge(&list->filter, &e);
        rs_arena_deinit(&arena);
    }
    *holds = t != RS_NO;
    return st;
}
