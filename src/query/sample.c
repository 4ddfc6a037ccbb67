#include "query/sample.h"

#include "base/clock.h"

#include <stdlib.h>

#define NS_PER_HOUR 3600000000000ull

enum { PARTS = 128 }; /* a sample's, more or less */

/* What a sample looks at: the exact answer was tried before it, perhaps, and twice as many rows are not twice as good. */
static uint64_t rows_of(const rs_sample *s) { return s->exact / 2; }

/* ---- one stretch --------------------------------------------------------------------------------------- */

typedef struct stretch {
    rs_sample *s;
    rs_cells cells;
    rs_status failed;
    int64_t low; /* of spans: ends at this arrival number */
    bool reached_low;
} stretch;

static bool take(void *ctx, int64_t key, const void *row) {
    stretch *t = ctx;
    t->reached_low = key < t->low;
    if (t->reached_low) return false;
    t->failed = t->s->add(t->s->ctx, &t->cells, row);
    return t->failed == RS_OK;
}

/* Looks at up to n rows; *more: there are others. */
static rs_status look(stretch *t, rs_walk *w, uint64_t n, bool *more, rs_err *err) {
    w->left = n;
    rs_status st = rs_walk_run(w, take, t, err);
    t->s->rows += n - w->left;
    *more = !w->complete && !t->reached_low;
    return st == RS_OK ? t->failed : st;
}

/* The stretch's sums, `scale` times. */
static rs_status keep(stretch *t, rs_cells *cells, double scale) {
    return rs_cells_merge(cells, &t->cells, scale);
}

/* ---- a sample of traces: a piece of each stretch of time ----------------------------------------------- */

/* What a stretch has that was looked at for n rows, newest first, until `last` (ns): what is left has as many for its length. */
static double scale_of(uint64_t from, uint64_t to, uint64_t last) {
    if (last <= from || last >= to) return 1;
    return (double)(to - from) / (double)(to - last);
}

static rs_status sample_time(rs_sample *s, rs_walk walk, uint64_t from, uint64_t to, uint64_t n,
                             rs_cells *cells, rs_err *err) {
    rs_arena arena;
    bool more = false;
    rs_arena_init(&arena, 0);
    stretch t = {.s = s, .cells = {.arena = &arena, .most = cells->most}, .low = INT64_MIN};
    walk.start_min_ns = from;
    walk.start_max_ns = to;
    rs_status st = look(&t, &walk, n, &more, err);
    double scale = more ? scale_of(from, to, (uint64_t)walk.after * 1000) : 1;
    if (st == RS_OK) st = keep(&t, cells, scale);
    rs_arena_deinit(&arena);
    return st;
}

/* Hours that have traces, and how many: where to look. */
typedef struct hours {
    rs_arena *arena;
    struct hour {
        uint64_t hour;
        int64_t n;
    } * items;
    size_t n, cap;
    int64_t total;
    bool failed;
} hours;

static bool take_hour(void *ctx, const rs_hour_row *row) {
    hours *h = ctx;
    if (row->sums.n <= 0) return true;
    h->failed = !rs_arena_grow(h->arena, (void **)&h->items, h->n, &h->cap, sizeof *h->items);
    if (h->failed) return false;
    h->items[h->n++] = (struct hour){row->hour, row->sums.n};
    h->total += row->sums.n;
    return true;
}

static int by_hour(const void *a, const void *b) {
    const struct hour *x = a, *y = b;
    return (x->hour > y->hour) - (x->hour < y->hour);
}

/* Partitions have hours in common. */
static void put_together(hours *h) {
    size_t kept = 0;
    if (h->n > 1) qsort(h->items, h->n, sizeof *h->items, by_hour);
    for (size_t i = 0; i < h->n; i++) {
        if (kept > 0 && h->items[kept - 1].hour == h->items[i].hour) h->items[kept - 1].n += h->items[i].n;
        else h->items[kept++] = h->items[i];
    }
    h->n = kept;
}

/* Of each hour as many rows as its part of all, in pieces where it has many. */
static rs_status sample_traces(rs_sample *s, const rs_walk *walk, const hours *h, uint64_t min, uint64_t max,
                               rs_cells *cells, rs_err *err) {
    enum { LEAST = 16 };
    int64_t target = h->total / PARTS + 1;
    rs_status st = RS_OK;
    for (size_t i = 0; i < h->n && st == RS_OK; i++) {
        uint64_t begin = h->items[i].hour * NS_PER_HOUR,
                 end = begin > UINT64_MAX - NS_PER_HOUR ? UINT64_MAX : begin + NS_PER_HOUR;
        uint64_t pieces = (uint64_t)(h->items[i].n / target) + 1, length = NS_PER_HOUR / pieces + 1;
        double part = (double)h->items[i].n / (double)h->total / (double)pieces;
        uint64_t n = (uint64_t)(part * (double)rows_of(s)) + LEAST;
        for (uint64_t at = begin; at < end && st == RS_OK; at = end - at > length ? at + length : end) {
            uint64_t low = at > min ? at : min, high = end - at > length ? at + length : end;
            if (max && high > max) high = max;
            if (low < high) st = sample_time(s, *walk, low, high, n, cells, err);
        }
    }
    return st;
}

/* ---- a sample of spans: a piece of each stretch of arrival --------------------------------------------- */

static bool take_first(void *ctx, int64_t key, const rs_span *span) {
    (void)span;
    *(int64_t *)ctx = key;
    return false;
}

static rs_status sample_spans(rs_sample *s, const rs_walk *walk, rs_cells *cells, rs_err *err) {
    int64_t newest = 0;
    rs_span_scan scan = {.depth = RS_READ_HEADS};
    rs_status st = rs_store_scan_spans(s->store, s->project, &scan, take_first, &newest, err);
    int64_t length = newest / PARTS + 1;
    uint64_t n = rows_of(s) / PARTS + 1;
    for (int64_t low = 1; low <= newest && st == RS_OK; low += length) {
        rs_arena arena;
        rs_walk w = *walk;
        bool more = false;
        rs_arena_init(&arena, 0);
        stretch t = {.s = s, .cells = {.arena = &arena, .most = cells->most}, .low = low};
        w.has_after = true;
        w.after = low + length;
        st = look(&t, &w, n, &more, err);
        int64_t seen = low + length - (w.after > low ? w.after : low);
        double scale = more && seen > 0 ? (double)length / (double)seen : 1;
        if (st == RS_OK) st = keep(&t, cells, scale);
        rs_arena_deinit(&arena);
    }
    return st;
}

/* ---- all, or a sample ---------------------------------------------------------------------------------- */

static rs_status sample(rs_sample *s, const rs_walk *walk, rs_cells *cells, rs_err *err) {
    rs_arena arena;
    uint64_t min = walk->start_min_ns, max = walk->start_max_ns;
    s->is_estimate = true;
    if (s->list->table != &rs_trace_fields) return sample_spans(s, walk, cells, err);
    rs_arena_init(&arena, 0);
    hours h = {.arena = &arena};
    rs_hour_scan scan = {
        .of = RS_OF_TRACES, .first = min / NS_PER_HOUR, .last = max ? (max - 1) / NS_PER_HOUR : UINT64_MAX};
    rs_status st = rs_store_scan_hours(s->store, s->project, &scan, take_hour, &h, err);
    if (h.failed) st = rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    put_together(&h);
    if (st == RS_OK) st = sample_traces(s, walk, &h, min, max, cells, err);
    rs_arena_deinit(&arena);
    return st;
}

static bool add_count(void *ctx, const rs_hour_row *row) {
    *(int64_t *)ctx += row->sums.n;
    return true;
}

/* Whether it is known, without looking, that there are more rows than may be looked at. */
static rs_status is_too_much(const rs_sample *s, uint64_t min, uint64_t max, bool *is, rs_err *err) {
    int64_t n = 0;
    rs_hour_scan whole = {.of = s->list->table == &rs_trace_fields ? RS_OF_TRACES : RS_OF_SPANS,
                          .first = min / NS_PER_HOUR + (min % NS_PER_HOUR != 0),
                          .last = max ? max / NS_PER_HOUR : UINT64_MAX};
    *is = false;
    if (!rs_filter_is_empty(&s->list->filter) || (max && whole.last <= whole.first)) return RS_OK;
    if (max) whole.last--;
    rs_status st = rs_store_scan_hours(s->store, s->project, &whole, add_count, &n, err);
    *is = n > 0 && (uint64_t)n > s->exact;
    return st;
}

rs_status rs_sample_run(rs_sample *s, uint64_t min, uint64_t max, rs_cells *cells, rs_err *err) {
    rs_arena arena;
    rs_walk walk;
    bool more = false;
    s->rows = 0;
    s->is_estimate = false;
    rs_arena_init(&arena, 0);
    rs_status st = rs_walk_init(&walk, s->store, s->project, s->list, &arena, err);
    if (st == RS_OK) st = is_too_much(s, min, max, &more, err);
    walk.start_min_ns = min;
    walk.start_max_ns = max;
    walk.content = s->in_full;
    walk.cpu_until_ns = rs_clock_cpu_ns() + RS_LIST_CPU_MS * 1000000ull;
    if (st == RS_OK && !more) {
        rs_arena *place = cells->n == 0 ? cells->arena : &arena; /* of many groups a second copy is dear */
        stretch all = {.s = s, .cells = {.arena = place, .most = cells->most}, .low = INT64_MIN};
        rs_walk whole = walk;
        st = look(&all, &whole, s->exact, &more, err);
        if (st == RS_OK && !more && cells->n == 0) *cells = all.cells;
        else if (st == RS_OK && !more) st = keep(&all, cells, 1);
    }
    if (st == RS_OK && more) st = sample(s, &walk, cells, err);
    rs_arena_deinit(&arena);
    return st;
}
