#include "query/trace_walk.h"

enum { PENDING = 32 }; /* rows that are kept until their spans were read */

/* One step: rows that wait, in order, behind one whose spans have to be read. */
typedef struct step {
    rs_trace_walk *walk;
    rs_trace_walk_fn fn;
    void *ctx;
    rs_trace_scan scan;
    uint32_t rows;
    bool stopped, exhausted; /* by fn; memory is */
    rs_arena arena;          /* of what waits */
    struct {
        rs_trace_row row;
        bool holds;
        int64_t seen; /* the last row that was seen before the next one that waits */
    } pending[PENDING];
    size_t n;
} step;

static bool copy_text(rs_arena *arena, rs_str *s) {
    if (s->n == 0) return *s = (rs_str){0}, true;
    *s = rs_arena_copy(arena, *s);
    return s->p != NULL;
}

bool rs_trace_row_copy(rs_arena *arena, const rs_trace_row *row, rs_trace_row *out) {
    *out = *row;
    out->tags = NULL;
    return copy_text(arena, &out->name) && copy_text(arena, &out->model) && copy_text(arena, &out->input) &&
           copy_text(arena, &out->output) && copy_text(arena, &out->customer) &&
           copy_text(arena, &out->thread) && copy_text(arena, &out->environment) &&
           copy_text(arena, &out->error_message) && copy_text(arena, &out->metadata);
}

/* ---- rows ---------------------------------------------------------------------------------------------- */

static bool keep(step *s, const rs_trace_row *row, bool holds) {
    const uint64_t *tags = row->tags;
    size_t words = s->walk->plan.ntags / 64 + 1;
    uint64_t *kept = tags ? rs_arena_zalloc(&s->arena, words, sizeof *kept) : NULL;
    s->exhausted = (tags && !kept) || !rs_trace_row_copy(&s->arena, row, &s->pending[s->n].row);
    if (s->exhausted) return false;
    if (kept) memcpy(kept, tags, words * sizeof *kept);
    s->pending[s->n].row.tags = kept;
    s->pending[s->n].holds = holds;
    s->pending[s->n++].seen = row->key;
    return s->n < PENDING;
}

static bool has_room(const step *s) { return s->rows < RS_LIST_SCAN_STEP && s->walk->rows_left > 0; }

/* One that may match waits for its spans, and with it those behind it. */
static bool see_row(void *ctx, const rs_trace_row *row) {
    step *s = ctx;
    rs_trace_walk *w = s->walk;
    rs_evidence e = {.row = s->scan.keys_only ? NULL : row, .tags = row->tags, .trusts_tags = true};
    rs_truth t = rs_filter_judge(w->filter, &e);
    s->rows++;
    w->rows_left--;
    w->rows_seen++;
    s->scan.has_after = true;
    s->scan.after = row->key;
    if (t == RS_MAYBE || (t == RS_YES && s->n > 0)) return keep(s, row, t == RS_YES) && has_room(s);
    if (s->n > 0) {
        s->pending[s->n - 1].seen = row->key;
        return has_room(s);
    }
    w->after = row->key;
    w->has_after = true;
    if (t == RS_YES) {
        w->matches++;
        s->stopped = !s->fn(s->ctx, row);
    }
    return !s->stopped && has_room(s);
}

/* ---- spans --------------------------------------------------------------------------------------------- */

/* Heads first, and all there is only if they do not decide. A trace that went meanwhile does not match; of one with a damaged block
 * what can be read decides. */
static rs_status read_and_judge(const rs_trace_walk *w, const rs_trace_row *row, rs_truth *t, rs_err *err) {
    rs_status st = RS_OK;
    *t = RS_MAYBE;
    for (int full = 0; full < 2 && *t == RS_MAYBE && st == RS_OK; full++) {
        rs_arena arena;
        rs_spans spans;
        rs_err why = {0};
        rs_arena_init(&arena, 0);
        st = rs_store_read_trace(w->store, w->project, row->trace_id, full ? RS_READ_FULL : RS_READ_HEADS,
                                 &arena, &spans, &why);
        if (st == RS_OK || st == RS_ERR_CORRUPT) {
            rs_evidence e = {.row = row, .tags = row->tags, .spans = &spans, .in_full = full};
            *t = rs_filter_judge(w->filter, &e);
            st = RS_OK;
        } else if (st == RS_ERR_NOT_FOUND) {
            *t = RS_NO;
            st = RS_OK;
        } else {
            (void)!rs_fail(err, st, why.offset, "%s", why.message);
        }
        rs_arena_deinit(&arena);
    }
    return st;
}

rs_status rs_trace_walk_verify(const rs_trace_walk *w, const rs_trace_row *row, bool *holds, rs_err *err) {
    rs_evidence e = {.row = row, .tags = row->tags};
    rs_truth t = rs_filter_judge(w->filter, &e);
    rs_status st = t == RS_MAYBE ? read_and_judge(w, row, &t, err) : RS_OK;
    *holds = t == RS_YES;
    return st;
}

/* Decides those that wait, in order. */
static rs_status settle(step *s, rs_err *err) {
    rs_trace_walk *w = s->walk;
    rs_status st = RS_OK;
    for (size_t i = 0; i < s->n && st == RS_OK && !s->stopped; i++) {
        rs_truth t = RS_YES;
        const rs_trace_row *row = &s->pending[i].row;
        if (!s->pending[i].holds) {
            if (w->reads_left == 0) return s->stopped = true, RS_OK;
            w->reads_left--;
            if ((st = read_and_judge(w, row, &t, err)) != RS_OK) break;
        }
        bool goes_on = true;
        if (t == RS_YES) {
            w->matches++;
            goes_on = s->fn(s->ctx, row);
        }
        s->stopped = !goes_on;
        w->has_after = true;
        w->after = goes_on ? s->pending[i].seen : row->key;
    }
    s->n = 0;
    rs_arena_deinit(&s->arena);
    return st;
}

rs_status rs_trace_walk_run(rs_trace_walk *w, rs_trace_walk_fn fn, void *ctx, rs_err *err) {
    step s = {.walk = w, .fn = fn, .ctx = ctx};
    rs_status st = RS_OK;
    w->complete = false;
    rs_arena_init(&s.arena, 0);
    while (st == RS_OK && !s.stopped && !w->complete && w->rows_left > 0) {
        s.scan = (rs_trace_scan){.oldest_first = w->oldest_first,
                                 .has_after = w->has_after,
                                 .after = w->after,
                                 .start_min_ns = w->start_min_ns,
                                 .start_max_ns = w->start_max_ns,
                                 .tags = w->plan.tags,
                                 .ntags = w->plan.ntags,
                                 .groups = w->plan.groups,
                                 .ngroups = w->plan.ngroups,
                                 .keys_only = w->keys_only && w->plan.tags_decide};
        s.rows = 0;
        st = rs_store_scan_traces(w->store, w->project, &s.scan, see_row, &s, err);
        bool all = !s.stopped && has_room(&s) && s.n < PENDING;
        if (s.exhausted) st = rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
        if (st == RS_OK && s.n > 0) st = settle(&s, err);
        w->complete = st == RS_OK && all && !s.stopped;
    }
    rs_arena_deinit(&s.arena);
    return st;
}
