#include "query/walk.h"

rs_status rs_walk_init(rs_walk *w, rs_store *store, uint64_t project, rs_list *list, rs_arena *arena,
                       rs_err *err) {
    *w = (rs_walk){.store = store,
                   .project = project,
                   .list = list,
                   .start_min_ns = list->start_min_ns,
                   .start_max_ns = list->start_max_ns,
                   .left = UINT64_MAX};
    if (list->table != &rs_trace_fields) return RS_OK;
    w->tags = rs_arena_zalloc(arena, RS_FILTER_MAX, sizeof *w->tags);
    if (!w->tags) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    w->ntags = rs_filter_drive(&list->filter, arena, w->tags);
    return RS_OK;
}

typedef struct step {
    rs_walk *w;
    rs_walk_fn fn;
    void *ctx;
    uint32_t rows;
    bool stopped;
} step;

static bool see(step *s, int64_t key, const void *row) {
    rs_walk *w = s->w;
    w->has_after = true;
    w->after = key;
    w->left--;
    s->rows++;
    if (rs_filter_matches(&w->list->filter, row) && !s->fn(s->ctx, key, row)) s->stopped = true;
    return !s->stopped && s->rows < RS_LIST_SCAN_STEP && w->left > 0;
}

static bool see_trace(void *ctx, const rs_trace_row *row) { return see(ctx, row->key, row); }
static bool see_span(void *ctx, int64_t key, const rs_span *head) { return see(ctx, key, head); }

static rs_status step_traces(step *s, rs_err *err) {
    const rs_walk *w = s->w;
    rs_trace_scan scan = {.oldest_first = w->oldest_first,
                          .has_after = w->has_after,
                          .after = w->after,
                          .start_min_ns = w->start_min_ns,
                          .start_max_ns = w->start_max_ns,
                          .tags = w->tags,
                          .ntags = w->ntags};
    return rs_store_scan_traces(w->store, w->project, &scan, see_trace, s, err);
}

static rs_status step_spans(step *s, rs_err *err) {
    const rs_walk *w = s->w;
    bool full = w->content || rs_filter_needs_attributes(&w->list->filter);
    rs_span_scan scan = {.has_before = w->has_after,
                         .before = w->after,
                         .depth = full ? RS_READ_FULL : RS_READ_HEADS,
                         .start_min_ns = w->start_min_ns,
                         .start_max_ns = w->start_max_ns};
    return rs_store_scan_spans(w->store, w->project, &scan, see_span, s, err);
}

rs_status rs_walk_run(rs_walk *w, rs_walk_fn fn, void *ctx, rs_err *err) {
    step s = {.w = w, .fn = fn, .ctx = ctx};
    rs_status st = RS_OK;
    w->complete = false;
    while (st == RS_OK && !s.stopped && !w->complete && w->left > 0) {
        s.rows = 0;
        st = w->list->table == &rs_trace_fields ? step_traces(&s, err) : step_spans(&s, err);
        w->complete = st == RS_OK && !s.stopped && s.rows < RS_LIST_SCAN_STEP && w->left > 0;
    }
    return st;
}

bool rs_walk_needs_only(const rs_list *list, const char *const *fields, size_t n) {
    const rs_filter *f = &list->filter;
    for (size_t i = 0; i < f->n; i++) {
        bool is_one = false;
        for (size_t k = 0; k < n && f->items[i].field; k++)
            is_one = is_one || strcmp(f->items[i].field->name, fields[k]) == 0;
        if (!is_one) return false;
    }
    return f->nwords == 0;
}

bool rs_walk_matches(const rs_list *list, const void *row) { return rs_filter_matches(&list->filter, row); }
