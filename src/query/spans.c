#include "query/spans.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct question {
    rs_store *store;
    uint64_t project;
    rs_list *list;
    rs_err *err;
    uint64_t skip;
    int64_t *keys; /* the page's, newest first; page_size of room */
    size_t n;
    uint64_t matches; /* of the whole walk, or before the place it was stopped at */
    bool more;
    /* the walk */
    rs_span_scan scan;                             /* before: the last span seen */
    const rs_phrase *phrases[RS_FILTER_MAX_WORDS]; /* that each span has to say */
    bool in_full;                                  /* the span at hand has its attributes */
    uint8_t trace_id[16];                          /* of the one that it is about, if it names one */
    uint32_t step, left;
    uint64_t seen, last_start; /* spans of the whole walk; start of the last of them */
    bool stopped, complete;
    bool (*take)(struct question *q, int64_t key);
} question;

static bool see_span(void *ctx, int64_t key, const rs_span *span) {
    question *q = ctx;
    q->step++;
    q->left--;
    q->seen++;
    q->last_start = span->start_ns;
    rs_evidence e = {.row = span, .in_full = q->in_full};
    if (rs_filter_judge(&q->list->filter, &e) == RS_YES && !q->take(q, key)) q->stopped = true;
    if (!q->stopped) q->scan.has_before = true, q->scan.before = key;
    return !q->stopped && q->step < RS_LIST_SCAN_STEP && q->left > 0;
}

static rs_status walk(question *q, bool (*take)(question *q, int64_t key)) {
    rs_status st = RS_OK;
    q->take = take;
    q->stopped = q->complete = false;
    while (st == RS_OK && !q->stopped && !q->complete && q->left > 0) {
        q->step = 0;
        st = rs_store_scan_spans(q->store, q->project, &q->scan, see_span, q, q->err);
        q->complete = st == RS_OK && !q->stopped && q->step < RS_LIST_SCAN_STEP && q->left > 0;
    }
    return st;
}

static void rewind_walk(question *q) {
    q->scan.has_before = false;
    q->matches = q->seen = 0;
}

static bool take_for_page(question *q, int64_t key) {
    if (q->matches < q->skip) return q->matches++, true;
    q->more = q->n == q->list->page_size;
    if (q->more) return false;
    q->matches++;
    q->keys[q->n++] = key;
    return true;
}

/* Backward: the last page_size matches before the cursor, in a ring. */
static bool take_until_cursor(question *q, int64_t key) {
    if (key <= q->list->cursor.key) return false;
    q->keys[q->matches++ % q->list->page_size] = key;
    return true;
}

static bool take_for_count(question *q, int64_t key) {
    (void)key;
    return ++q->matches < RS_LIST_COUNT_MATCHES;
}

static bool take_all_for_count(question *q, int64_t key) {
    (void)key;
    q->matches++;
    return true;
}

static int by_key_descending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x < y) - (x > y);
}

static rs_status find_page(question *q, rs_span_page *out) {
    const rs_list *l = q->list;
    if (l->has_cursor && l->cursor.backward) {
        rs_status st = walk(q, take_until_cursor);
        if (st != RS_OK) return st;
        q->n = q->matches < l->page_size ? (size_t)q->matches : l->page_size;
        qsort(q->keys, q->n, sizeof *q->keys, by_key_descending);
        out->has_previous = q->matches > q->n;
        out->has_next = q->n > 0;
    } else {
        q->scan.has_before = l->has_cursor;
        q->scan.before = l->cursor.key;
        rs_status st = walk(q, take_for_page);
        if (st != RS_OK) return st;
        out->has_next = !q->complete;
        out->has_previous = q->n > 0 && (l->has_cursor || q->skip > 0);
    }
    if (q->n > 0) out->previous = (rs_cursor){.backward = true, .key = q->keys[0]};
    bool ran_out = !q->more && !q->complete && !l->cursor.backward;
    out->next.key = ran_out || q->n == 0 ? q->scan.before : q->keys[q->n - 1];
    return RS_OK;
}

/* What was counted in the newest spans, times all there are by those: in a window, by the traces that begin in it. */
static rs_status estimate(question *q, rs_span_page *out) {
    const rs_list *l = q->list;
    rs_store_stats stats;
    rs_store_range all = {.low = (int64_t)(l->start_min_ns / 1000),
                          .high = l->start_max_ns ? (int64_t)(l->start_max_ns / 1000) : INT64_MAX};
    rs_store_range seen = {.low = (int64_t)(q->last_start / 1000), .high = all.high};
    double of_all = 0, of_seen = 0;
    rs_status st = rs_store_get_stats(q->store, q->project, &stats, q->err);
    if (st == RS_OK) st = rs_store_estimate_traces(q->store, q->project, &all, &of_all, q->err);
    if (st == RS_OK) st = rs_store_estimate_traces(q->store, q->project, &seen, &of_seen, q->err);
    if (l->start_min_ns == 0 && l->start_max_ns == 0) of_all = (double)stats.spans, of_seen = (double)q->seen;
    double factor = of_seen > 0 && of_all > of_seen ? of_all / of_seen : 1;
    out->counted = out->is_estimate = true;
    out->count = (uint64_t)((double)q->matches * factor + 0.5);
    return st;
}

static rs_status count_all(question *q, rs_span_page *out) {
    const rs_list *l = q->list;
    out->counted = true;
    if (q->complete && !l->has_cursor) {
        out->count = q->matches;
        return RS_OK;
    }
    if (rs_filter_is_empty(&l->filter) && l->start_min_ns == 0 && l->start_max_ns == 0) {
        rs_store_stats stats;
        rs_status st = rs_store_get_stats(q->store, q->project, &stats, q->err);
        if (st == RS_OK) out->count = stats.spans;
        return st;
    }
    rewind_walk(q);
    q->left = l->scan_max < RS_LIST_COUNT_SPANS ? l->scan_max : RS_LIST_COUNT_SPANS;
    if (q->scan.depth == RS_READ_FULL) q->left = RS_LIST_COUNT_ROWS;
    if (q->scan.trace_id) q->left = l->scan_max;
    rs_status st = walk(q, q->scan.trace_id ? take_all_for_count : take_for_count);
    out->count = q->matches;
    return st == RS_OK && !q->complete ? estimate(q, out) : st;
}

/* ---- handing out --------------------------------------------------------------------------------------- */

typedef struct delivery {
    const int64_t *keys;
    size_t n, at;
    rs_span_fn fn;
    void *ctx;
    bool enough;
} delivery;

static bool deliver(void *ctx, int64_t key, const rs_span *span) {
    delivery *d = ctx;
    while (d->at < d->n && d->keys[d->at] > key) d->at++; /* one that went meanwhile */
    if (d->at < d->n && d->keys[d->at] == key) {
        d->at++;
        d->enough = !d->fn(d->ctx, key, span);
    }
    return d->at < d->n && !d->enough;
}

static rs_status hand_out(question *q, rs_span_fn fn, void *ctx, rs_span_page *out) {
    out->n = q->n;
    if (q->n == 0) return RS_OK;
    delivery d = {.keys = q->keys, .n = q->n, .fn = fn, .ctx = ctx};
    rs_span_scan scan = q->scan;
    scan.nphrases = 0;
    scan.depth = q->list->content ? RS_READ_FULL : RS_READ_HEADS;
    scan.has_before = q->keys[0] < INT64_MAX;
    scan.before = q->keys[0] + scan.has_before;
    rs_status st = rs_store_scan_spans(q->store, q->project, &scan, deliver, &d, q->err);
    if (!d.enough || d.at == d.n) return st;
    out->n = d.at;
    out->has_next = true;
    out->next = (rs_cursor){.key = d.keys[d.at - 1]};
    return st;
}

rs_status rs_spans_list(rs_store *store, uint64_t project, rs_list *list, rs_arena *arena, rs_span_fn fn,
                        void *ctx, rs_span_page *out, rs_err *err) {
    *out = (rs_span_page){0};
    question q = {.store = store, .project = project, .list = list, .err = err, .left = list->scan_max};
    q.scan = (rs_span_scan){.depth = rs_filter_needs_attributes(&list->filter) ? RS_READ_FULL : RS_READ_HEADS,
                            .start_min_ns = list->start_min_ns,
                            .start_max_ns = list->start_max_ns};
    const rs_filter_node *words[RS_FILTER_MAX_WORDS];
    q.scan.nphrases = rs_filter_words(&list->filter, words);
    for (size_t i = 0; i < q.scan.nphrases; i++) q.phrases[i] = &words[i]->phrase;
    q.scan.phrases = q.phrases;
    q.scan.in_full = &q.in_full;
    if (rs_filter_trace(&list->filter, q.trace_id)) q.scan.trace_id = q.trace_id;
    if (!list->has_cursor) q.skip = (uint64_t)(list->page - 1) * list->page_size;
    if (q.skip + list->page_size > RS_LIST_DEPTH_MAX) {
        snprintf(list->bad_field, sizeof list->bad_field, "page");
        return rs_fail(err, RS_ERR_INVALID, 0, "pages by number end at %d rows: follow 'next' instead",
                       RS_LIST_DEPTH_MAX);
    }
    q.keys = rs_arena_zalloc(arena, list->page_size, sizeof *q.keys);
    if (!q.keys) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    rs_status st = find_page(&q, out);
    if (st == RS_OK) st = count_all(&q, out);
    if (st == RS_OK) st = hand_out(&q, fn, ctx, out);
    return st;
}
