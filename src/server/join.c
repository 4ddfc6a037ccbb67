#include "server/join.h"

#include "base/log.h"
#include "normalize/normalize.h"
#include "otlp/decode.h"
#include "otlp/encode.h"

#include <stdlib.h>

/* An event of this commit. */
typedef struct fresh {
    uint64_t project;
    size_t batch, order;
    rs_store_event *event; /* the batch's own copy; without a record: refused */
} fresh;

/* A batch under change. */
typedef struct draft {
    rs_span *spans; /* NULL: as they came */
    size_t spans_cap;
    rs_store_event *events; /* its own … */
    rs_store_event *marks;  /* … and those of before that a span of it has now */
    size_t nmarks, marks_cap;
    bool has_others; /* its project has events from before */
} draft;

typedef struct join {
    rs_store *store;
    rs_job *const *jobs;
    rs_store_batch *batches;
    size_t n;
    draft *drafts;
    fresh *fresh; /* by project and span, then in order of arrival */
    size_t nfresh;
    rs_arena *arena;
    rs_err *err;
} join;

/* The events that a span is to have, and what is known of them. */
typedef struct events {
    rs_event *items;
    uint64_t *hashes;
    size_t n, cap, hashes_cap;
} events;

static rs_status no_memory(join *j) {
    return rs_fail(j->err, RS_ERR_MEMORY, 0, "out of memory to join events with their spans");
}

static size_t most(size_t a, size_t b) { return a > b ? a : b; }

/* ---- which events are a span's ------------------------------------------------------------------------- */

static int compare_ids(const fresh *f, uint64_t project, const uint8_t trace_id[16],
                       const uint8_t span_id[8]) {
    if (f->project != project) return f->project < project ? -1 : 1;
    int order = memcmp(f->event->trace_id, trace_id, 16);
    return order ? order : memcmp(f->event->span_id, span_id, 8);
}

static int by_span(const void *a, const void *b) {
    const fresh *x = a, *y = b;
    int order = compare_ids(x, y->project, y->event->trace_id, y->event->span_id);
    return order ? order : (x->order > y->order) - (x->order < y->order);
}

/* The first of the span's, and how many they are. */
static fresh *fresh_of(join *j, uint64_t project, const uint8_t trace_id[16], const uint8_t span_id[8],
                       size_t *n) {
    size_t low = 0, high = j->nfresh;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_ids(&j->fresh[middle], project, trace_id, span_id) < 0) low = middle + 1;
        else high = middle;
    }
    for (*n = 0; low + *n < j->nfresh; ++*n)
        if (compare_ids(&j->fresh[low + *n], project, trace_id, span_id) != 0) break;
    return j->fresh + low;
}

static bool has_hash(const events *e, uint64_t hash) {
    for (size_t i = 0; i < e->n; i++)
        if (e->hashes[i] == hash) return true;
    return false;
}

static bool add(join *j, events *to, const rs_event *event, uint64_t hash) {
    if (!rs_arena_grow(j->arena, (void **)&to->items, to->n, &to->cap, sizeof *to->items) ||
        !rs_arena_grow(j->arena, (void **)&to->hashes, to->n, &to->hashes_cap, sizeof *to->hashes))
        return false;
    to->items[to->n] = *event;
    to->hashes[to->n++] = hash;
    return true;
}

/* A span's events; of those of a stored copy, only what was joined with it if `rows` says what. */
static rs_status add_own(join *j, events *to, const rs_span *span, const rs_stored_event *rows,
                         size_t nrows) {
    rs_buf bytes;
    rs_status st = RS_OK;
    rs_buf_init(&bytes);
    for (uint32_t i = 0; i < span->nevents && st == RS_OK; i++) {
        rs_buf_clear(&bytes);
        rs_otlp_encode_event(&bytes, &span->events[i]);
        uint64_t hash = rs_store_event_hash(rs_buf_slice(&bytes));
        bool wanted = !rows;
        for (size_t r = 0; r < nrows && !wanted; r++) wanted = rows[r].hash == hash && !has_hash(to, hash);
        if (rs_buf_status(&bytes) != RS_OK || (wanted && !add(j, to, &span->events[i], hash)))
            st = no_memory(j);
    }
    rs_buf_deinit(&bytes);
    return st;
}

static rs_status add_record(join *j, events *to, rs_str record, uint64_t hash) {
    rs_event event;
    if (has_hash(to, hash)) return RS_OK;
    rs_status st = rs_otlp_decode_event(record, j->arena, &event, j->err);
    return st == RS_OK && !add(j, to, &event, hash) ? no_memory(j) : st;
}

static int by_time(const void *a, const void *b) {
    const rs_event *x = *(rs_event *const *)a, *y = *(rs_event *const *)b;
    if (x->time_ns != y->time_ns) return x->time_ns < y->time_ns ? -1 : 1;
    return (x > y) - (x < y);
}

/* The span with these events, in order of time. */
static rs_status complete(join *j, rs_span *span, const events *with) {
    rs_event **order = rs_arena_alloc(j->arena, with->n * sizeof(rs_event *));
    rs_event *sorted = rs_arena_alloc(j->arena, with->n * sizeof *sorted);
    if (!order || !sorted) return no_memory(j);
    for (size_t i = 0; i < with->n; i++) order[i] = &with->items[i];
    if (with->n > 1) qsort(order, with->n, sizeof *order, by_time);
    for (size_t i = 0; i < with->n; i++) sorted[i] = *order[i];
    span->events = sorted;
    span->nevents = (uint32_t)with->n;
    return rs_normalize_again_for_store(span, j->arena) == RS_OK ? RS_OK : no_memory(j);
}

/* ---- what the batches are to have ---------------------------------------------------------------------- */

/* Says that the span has this event of before. */
static rs_status mark_joined(join *j, size_t batch, const rs_span *span, rs_str record) {
    draft *d = &j->drafts[batch];
    if (!rs_arena_grow(j->arena, (void **)&d->marks, d->nmarks, &d->marks_cap, sizeof *d->marks))
        return no_memory(j);
    rs_store_event *e = &d->marks[d->nmarks++];
    *e = (rs_store_event){.record = record, .is_joined = true};
    memcpy(e->trace_id, span->trace_id, sizeof e->trace_id);
    memcpy(e->span_id, span->span_id, sizeof e->span_id);
    return RS_OK;
}

/* Its spans as an array with room for one more, which may be changed. */
static rs_status own_spans(join *j, size_t batch) {
    draft *d = &j->drafts[batch];
    rs_store_batch *b = &j->batches[batch];
    if (!d->spans) {
        d->spans_cap = b->n + 1;
        d->spans = rs_arena_alloc(j->arena, d->spans_cap * sizeof *d->spans);
        if (d->spans && b->n) memcpy(d->spans, b->spans, b->n * sizeof *d->spans);
    } else if (!rs_arena_grow(j->arena, (void **)&d->spans, b->n, &d->spans_cap, sizeof *d->spans)) {
        return no_memory(j);
    }
    b->spans = d->spans;
    b->prepared = NULL;
    return d->spans ? RS_OK : no_memory(j);
}

/* Leaves out those that are too many for one span. */
static void refuse_surplus(join *j, fresh *of, size_t n, size_t known) {
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        if (!of[i].event->record.n) continue;
        bytes += of[i].event->record.n;
        if (known + i < RS_JOIN_EVENTS && bytes <= RS_JOIN_BYTES) continue;
        of[i].event->record = (rs_str){0};
        j->jobs[of[i].batch]->refused++;
    }
}

static rs_status read_stored(join *j, uint64_t project, const uint8_t trace_id[16], const uint8_t span_id[8],
                             rs_span *out, bool *found) {
    rs_err why = {0};
    rs_status st = rs_store_read_span(j->store, project, trace_id, span_id, j->arena, out, &why);
    *found = st == RS_OK;
    if (st == RS_ERR_CORRUPT) rs_log("%s", why.message); /* then it is as if it were not there */
    if (st == RS_OK || st == RS_ERR_NOT_FOUND || st == RS_ERR_CORRUPT) return RS_OK;
    return rs_fail(j->err, st, why.offset, "%s", why.message);
}

/* Gives a span what is known of its events. `batch` is whose commit it is; *changed: it got some. */
static rs_status give(join *j, size_t batch, rs_span *span, bool is_stored, fresh *of, size_t n,
                      const rs_stored_event *rows, size_t nrows, bool *changed) {
    events all = {0};
    *changed = false;
    if (span->nevents > RS_JOIN_EVENTS) return RS_OK;
    rs_status st = add_own(j, &all, span, NULL, 0);
    size_t own = all.n;
    bool had = false;
    for (size_t i = 0; i < nrows; i++) had |= rows[i].is_joined;
    if (st == RS_OK && had && !is_stored) {
        rs_span copy;
        st = read_stored(j, j->batches[batch].project, span->trace_id, span->span_id, &copy, &had);
        if (st == RS_OK && had) st = add_own(j, &all, &copy, rows, nrows);
    }
    for (size_t i = 0; i < nrows && st == RS_OK; i++) {
        if (rows[i].is_joined) continue;
        st = add_record(j, &all, rows[i].record, rows[i].hash);
        if (st == RS_OK) st = mark_joined(j, batch, span, rows[i].record);
    }
    for (size_t i = 0; i < n && st == RS_OK; i++) {
        if (!of[i].event->record.n) continue;
        st = add_record(j, &all, of[i].event->record, rs_store_event_hash(of[i].event->record));
        of[i].event->is_joined = true;
    }
    *changed = st == RS_OK && all.n > own;
    return *changed ? complete(j, span, &all) : st;
}

/* Spans that the batch brings. */
static rs_status join_arriving(join *j, size_t batch) {
    rs_store_batch *b = &j->batches[batch];
    draft *d = &j->drafts[batch];
    rs_status st = RS_OK;
    for (size_t i = 0; i < b->n && st == RS_OK && (j->nfresh || d->has_others); i++) {
        rs_span span = b->spans[i];
        rs_stored_event *rows = NULL;
        size_t n, nrows = 0;
        bool changed;
        fresh *of = fresh_of(j, b->project, span.trace_id, span.span_id, &n);
        if (d->has_others)
            st = rs_store_read_events(j->store, b->project, span.trace_id, span.span_id, j->arena, &rows,
                                      &nrows, j->err);
        if (st != RS_OK || (n == 0 && nrows == 0)) continue;
        refuse_surplus(j, of, n, most(nrows, span.nevents));
        st = give(j, batch, &span, false, of, n, rows, nrows, &changed);
        if (st != RS_OK || !changed) continue;
        if ((st = own_spans(j, batch)) == RS_OK) d->spans[i] = span;
    }
    return st;
}

/* A span that is stored already comes again, with its events. */
static rs_status join_stored(join *j, fresh *of, size_t n) {
    size_t batch = of->batch, nrows = 0;
    rs_store_batch *b = &j->batches[batch];
    draft *d = &j->drafts[batch];
    rs_stored_event *rows = NULL;
    rs_span span;
    bool found, changed = false;
    rs_status st = RS_OK;
    if (d->has_others)
        st = rs_store_read_events(j->store, of->project, of->event->trace_id, of->event->span_id, j->arena,
                                  &rows, &nrows, j->err);
    if (st == RS_OK) st = read_stored(j, of->project, of->event->trace_id, of->event->span_id, &span, &found);
    if (st != RS_OK) return st;
    refuse_surplus(j, of, n, found ? most(nrows, span.nevents) : nrows);
    if (!found) return RS_OK;
    st = give(j, batch, &span, true, of, n, rows, nrows, &changed);
    if (st == RS_OK && changed && (st = own_spans(j, batch)) == RS_OK) d->spans[b->n++] = span;
    return st;
}

/* ---- the commit ---------------------------------------------------------------------------------------- */

/* The batches' events as copies that may be changed, and a list of them in order. */
static rs_status collect(join *j) {
    j->drafts = rs_arena_zalloc(j->arena, j->n, sizeof *j->drafts);
    j->fresh = rs_arena_alloc(j->arena, (j->nfresh + 1) * sizeof *j->fresh);
    if (!j->drafts || !j->fresh) return no_memory(j);
    size_t at = 0;
    for (size_t b = 0; b < j->n; b++) {
        rs_store_batch *batch = &j->batches[b];
        draft *d = &j->drafts[b];
        rs_status st = rs_store_may_have_events(j->store, batch->project, &d->has_others, j->err);
        if (st != RS_OK) return st;
        if (batch->nevents == 0) continue;
        d->events = rs_arena_alloc(j->arena, batch->nevents * sizeof *d->events);
        if (!d->events) return no_memory(j);
        memcpy(d->events, batch->events, batch->nevents * sizeof *d->events);
        batch->events = d->events;
        for (size_t i = 0; i < batch->nevents; i++, at++)
            j->fresh[at] = (fresh){batch->project, b, at, &d->events[i]};
    }
    if (j->nfresh > 1) qsort(j->fresh, j->nfresh, sizeof *j->fresh, by_span);
    return RS_OK;
}

/* Those of spans that did not come with this commit. */
static rs_status join_rest(join *j) {
    rs_status st = RS_OK;
    for (size_t from = 0, n; from < j->nfresh && st == RS_OK; from += n) {
        const fresh *f = &j->fresh[from];
        bool joined = false;
        fresh *of = fresh_of(j, f->project, f->event->trace_id, f->event->span_id, &n);
        for (size_t i = 0; i < n; i++) joined |= of[i].event->is_joined;
        if (!joined) st = join_stored(j, of, n);
    }
    return st;
}

/* What the store is to know of events: the batch's but for those refused, and the marks. */
static rs_status put_events(join *j, size_t batch) {
    rs_store_batch *b = &j->batches[batch];
    const draft *d = &j->drafts[batch];
    size_t kept = 0;
    if (b->nevents == 0 && d->nmarks == 0) return RS_OK;
    rs_store_event *all = rs_arena_alloc(j->arena, (b->nevents + d->nmarks) * sizeof *all);
    if (!all) return no_memory(j);
    for (size_t i = 0; i < b->nevents; i++)
        if (d->events[i].record.n) all[kept++] = d->events[i];
    for (size_t i = 0; i < d->nmarks; i++) all[kept++] = d->marks[i];
    b->events = all;
    b->nevents = kept;
    return RS_OK;
}

rs_status rs_join_events(rs_store *store, rs_job *const jobs[], rs_store_batch batches[], size_t n,
                         rs_arena *arena, rs_err *err) {
    join j = {.store = store, .jobs = jobs, .batches = batches, .n = n, .arena = arena, .err = err};
    bool others = false;
    rs_status st = RS_OK;
    for (size_t b = 0; b < n && st == RS_OK; b++) {
        j.nfresh += batches[b].nevents;
        jobs[b]->refused = 0;
        if (!others) st = rs_store_may_have_events(store, batches[b].project, &others, err);
    }
    if (st != RS_OK || (j.nfresh == 0 && !others)) return st;
    st = collect(&j);
    for (size_t b = 0; b < n && st == RS_OK; b++) st = join_arriving(&j, b);
    if (st == RS_OK) st = join_rest(&j);
    for (size_t b = 0; b < n && st == RS_OK; b++) st = put_events(&j, b);
    return st;
}
