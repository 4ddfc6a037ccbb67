#include "query/trace_walk.h"

#include "base/clock.h"

enum {
    PENDING = 32,     /* rows that are kept until their spans were read */
    MAY_SAY_ROWS = 8, /* that looking into a trace's word filters counts for */
};

/* One step: rows that wait, in order, behind one whose spans have to be read. */
typedef struct step {
    rs_trace_walk *walk;
    rs_trace_walk_fn fn;
    void *ctx;
    rs_trace_scan scan;
    uint32_t rows;
    bool stopped, exhausted;    /* by fn; memory is */
    const rs_filter_node *lead; /* the word that leads; NULL: none does */
    bool lead_is_said;          /* by all rows of this step; else by none */
    rs_arena arena;             /* of what waits */
    struct {
        rs_trace_row row;
        bool holds;
        int64_t seen;  /* the last row that was seen before the next one that waits … */
        uint64_t rows; /* … and how many were until then */
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
    s->pending[s->n].rows = s->walk->rows_seen;
    s->pending[s->n++].seen = row->key;
    return s->n < PENDING;
}

static bool has_room(const step *s) { return s->rows < RS_LIST_SCAN_STEP && s->walk->rows_left > 0; }

/* One that may match waits for its spans, and with it those behind it. */
static bool see_row(void *ctx, const rs_trace_row *row) {
    step *s = ctx;
    rs_trace_walk *w = s->walk;
    rs_evidence e = {.row = s->scan.keys_only ? NULL : row,
                     .tags = row->tags,
                     .trusts_tags = true,
                     .lead = s->lead,
                     .lead_is_said = s->lead_is_said};
    rs_truth t = rs_filter_judge(w->filter, &e);
    s->rows++;
    w->rows_left--;
    w->rows_seen++;
    s->scan.has_after = true;
    s->scan.after = row->key;
    if (t == RS_MAYBE || (t == RS_YES && s->n > 0)) return keep(s, row, t == RS_YES) && has_room(s);
    if (s->n > 0) {
        s->pending[s->n - 1].seen = row->key;
        s->pending[s->n - 1].rows = w->rows_seen;
        return has_room(s);
    }
    w->rows_decided = w->rows_seen;
    w->after = row->key;
    w->has_after = true;
    if (t == RS_YES) {
        w->matches++;
        s->stopped = !s->fn(s->ctx, row);
    }
    return !s->stopped && has_room(s);
}

/* ---- spans --------------------------------------------------------------------------------------------- */

static const rs_filter_node *find_word(const rs_filter_node *node, unsigned number) {
    if (node->kind == RS_FILTER_WORD && node->number == number) return node;
    for (const rs_filter_node *c = node->child; c; c = c->next) {
        const rs_filter_node *found = find_word(c, number);
        if (found) return found;
    }
    return NULL;
}

/* Which words the trace may say. */
static rs_status ask_filters(const rs_trace_walk *w, const rs_trace_row *row, bool *may, rs_err *err) {
    const rs_phrase *phrases[RS_FILTER_MAX_WORDS];
    for (unsigned i = 0; i < w->filter->words; i++) phrases[i] = &find_word(w->filter->root, i)->phrase;
    return rs_store_trace_may_say(w->store, w->project, row->trace_id, phrases, w->filter->words, may, err);
}

static rs_status judge_in(const rs_trace_walk *w, rs_evidence *e, const rs_trace_row *row, bool full,
                          rs_truth *t, rs_err *err) {
    rs_arena arena;
    rs_spans spans;
    rs_arena_init(&arena, 0);
    rs_status st = rs_store_read_trace(w->store, w->project, row->trace_id,
                                       full ? RS_READ_FULL : RS_READ_HEADS, &arena, &spans, err);
    e->spans = &spans;
    e->in_full = full;
    if (st == RS_OK || st == RS_ERR_CORRUPT) *t = rs_filter_judge(w->filter, e), st = RS_OK;
    e->spans = NULL;
    rs_arena_deinit(&arena);
    return st;
}

/* Word filters first, then heads, and all there is only if they do not decide. A trace that went meanwhile does not match; of one
 * with a damaged block what can be read decides. */
static rs_status read_and_judge(rs_trace_walk *w, const rs_trace_row *row, const step *s, rs_truth *t,
                                rs_err *err) {
    bool may[RS_FILTER_MAX_WORDS];
    rs_err why = {0};
    rs_status st = RS_OK;
    rs_evidence e = {
        .row = row, .tags = row->tags, .lead = s ? s->lead : NULL, .lead_is_said = s && s->lead_is_said};
    if (w->filter->words > 0) {
        st = ask_filters(w, row, may, &why);
        e.may_say = may;
        e.trusts_tags = true;
        *t = st == RS_OK ? rs_filter_judge(w->filter, &e) : RS_MAYBE;
        e.trusts_tags = false;
        w->rows_left -= w->rows_left < MAY_SAY_ROWS ? w->rows_left : MAY_SAY_ROWS;
    }
    for (int full = 0; full < 2 && *t == RS_MAYBE && st == RS_OK; full++) {
        if (full == 0 && w->reads_left > 0) w->reads_left--;
        st = judge_in(w, &e, row, full, t, &why);
    }
    if (st == RS_ERR_NOT_FOUND) return *t = RS_NO, RS_OK;
    return st == RS_OK ? st : rs_fail(err, st, why.offset, "%s", why.message);
}

rs_status rs_trace_walk_verify(rs_trace_walk *w, const rs_trace_row *row, bool *holds, rs_err *err) {
    rs_evidence e = {.row = row, .tags = row->tags};
    rs_truth t = rs_filter_judge(w->filter, &e);
    rs_status st = t == RS_MAYBE ? read_and_judge(w, row, NULL, &t, err) : RS_OK;
    *holds = t == RS_YES;
    return st;
}

/* Filters may ask much of long texts: one question must not keep a thread for minutes. */
static bool is_spent(const rs_trace_walk *w) {
    return w->reads_left == 0 || (w->has_read && rs_clock_cpu_ns() >= w->cpu_until_ns);
}

/* Decides those that wait, in order. */
static rs_status settle(step *s, rs_err *err) {
    rs_trace_walk *w = s->walk;
    rs_status st = RS_OK;
    for (size_t i = 0; i < s->n && st == RS_OK && !s->stopped; i++) {
        rs_truth t = RS_YES;
        const rs_trace_row *row = &s->pending[i].row;
        if (!s->pending[i].holds) {
            if (is_spent(w)) return s->stopped = true, RS_OK;
            t = RS_MAYBE;
            w->has_read = true;
            if ((st = read_and_judge(w, row, s, &t, err)) != RS_OK) break;
        }
        bool goes_on = true;
        if (t == RS_YES) {
            w->matches++;
            goes_on = s->fn(s->ctx, row);
        }
        s->stopped = !goes_on;
        w->has_after = true;
        if (goes_on) w->rows_decided = s->pending[i].rows;
        if (goes_on) w->after = s->pending[i].seen;
        else if (!s->lead_is_said) w->after = row->key; /* else fn has seen to it */
    }
    s->n = 0;
    rs_arena_deinit(&s->arena);
    return st;
}

/* ---- by tags, or row by row ---------------------------------------------------------------------------- */

static rs_status walk_rows(rs_trace_walk *w, const rs_filter_node *lead, rs_trace_walk_fn fn, void *ctx,
                           rs_err *err) {
    step s = {.walk = w, .fn = fn, .ctx = ctx, .lead = lead};
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

/* ---- by words ------------------------------------------------------------------------------------------ */

/* The two ways to a word: rows whose own fields have it were found before, and wait for their place among those that say it. */
typedef struct merge {
    rs_trace_walk *walk;
    rs_trace_walk_fn fn;
    void *ctx;
    rs_arena arena;
    rs_trace_row *rows; /* in the arena */
    size_t n, at, cap;
    bool stopped, exhausted; /* by fn; memory is */
    bool has_named;          /* the trace whose id the word is … */
    size_t named;            /* … is that row */
} merge;

static bool keep_found(void *ctx, const rs_trace_row *row) {
    merge *m = ctx;
    void *rows = m->rows;
    m->exhausted = !rs_arena_grow(&m->arena, &rows, m->n, &m->cap, sizeof *m->rows);
    m->rows = rows;
    m->exhausted = m->exhausted || !rs_trace_row_copy(&m->arena, row, &m->rows[m->n]);
    return !m->exhausted && ++m->n < RS_LIST_WORD_ROWS;
}

/* Hands out what waits before `key`, or all of it. */
static bool flush(merge *m, bool all, int64_t key) {
    while (!m->stopped && m->at < m->n) {
        int64_t at = m->rows[m->at].key;
        if (!all && (m->walk->oldest_first ? at >= key : at <= key)) break;
        m->stopped = !m->fn(m->ctx, &m->rows[m->at++]);
        m->walk->has_after = true;
        m->walk->after = at;
    }
    return !m->stopped;
}

static bool take_said(void *ctx, const rs_trace_row *row) {
    merge *m = ctx;
    if (!flush(m, false, row->key)) return false;
    if (m->at < m->n && m->rows[m->at].key == row->key) m->at++; /* it was found both ways */
    m->walk->has_after = true;
    m->walk->after = row->key;
    m->stopped = !m->fn(m->ctx, row);
    return !m->stopped;
}

/* Those that say it. */
static rs_status walk_said(rs_trace_walk *w, const rs_filter_node *lead, merge *m, rs_err *err) {
    step s = {.walk = w, .fn = take_said, .ctx = m, .lead = lead, .lead_is_said = true};
    rs_status st = RS_OK;
    rs_text_scan scan = {.phrase = &lead->phrase,
                         .oldest_first = w->oldest_first,
                         .has_after = w->has_after,
                         .after = w->after,
                         .start_min_ns = w->start_min_ns,
                         .start_max_ns = w->start_max_ns,
                         .blocks_left = w->blocks_left};
    rs_arena_init(&s.arena, 0);
    w->complete = false;
    while (st == RS_OK && !s.stopped && !w->complete && w->rows_left > 0 && scan.blocks_left > 0) {
        s.rows = 0;
        st = rs_store_scan_text(w->store, w->project, &scan, see_row, &s, err);
        bool all = scan.complete;
        if (s.exhausted) st = rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
        if (st == RS_OK && s.n > 0) st = settle(&s, err);
        w->complete = st == RS_OK && all && !s.stopped;
    }
    w->blocks_left = scan.blocks_left;
    if (st == RS_OK && !s.stopped && scan.has_after) w->has_after = true, w->after = scan.after;
    rs_arena_deinit(&s.arena);
    return st;
}

/* The word that the fewest of the newest blocks may have, and of those the longest. */
static rs_status choose_lead(const rs_trace_walk *w, const rs_filter_node **lead, rs_err *err) {
    const rs_phrase *phrases[RS_FILTER_MAX_WORDS];
    unsigned counts[RS_FILTER_MAX_WORDS] = {0};
    size_t n = w->plan.nwords, best = 0;
    rs_status st = RS_OK;
    for (size_t i = 0; i < n; i++) phrases[i] = &w->plan.words[i]->phrase;
    if (n > 1) st = rs_store_sample_text(w->store, w->project, phrases, n, counts, err);
    for (size_t i = 1; i < n; i++)
        if (counts[i] < counts[best] ||
            (counts[i] == counts[best] && w->plan.words[i]->word.n > w->plan.words[best]->word.n))
            best = i;
    *lead = w->plan.words[best];
    return st;
}

/* The trace whose id the word is, wherever it stands: among the rows that were found, where it belongs. */
static bool take_named(void *ctx, const rs_trace_row *row) {
    merge *m = ctx;
    const rs_trace_walk *w = m->walk;
    bool in_window =
        row->start_ns >= w->start_min_ns && (!w->start_max_ns || row->start_ns < w->start_max_ns);
    bool is_behind = !w->has_after || (w->oldest_first ? row->key > w->after : row->key < w->after);
    size_t at = 0;
    while (at < m->n && (w->oldest_first ? m->rows[at].key < row->key : m->rows[at].key > row->key)) at++;
    if (!in_window || !is_behind || (at < m->n && m->rows[at].key == row->key)) return false;
    size_t n = m->n;
    if (!keep_found(m, row) && m->exhausted) return false;
    rs_trace_row copy = m->rows[n];
    memmove(&m->rows[at + 1], &m->rows[at], (n - at) * sizeof *m->rows);
    m->rows[at] = copy;
    m->n = n + 1;
    m->named = at;
    m->has_named = true;
    return false;
}

static rs_status add_named(rs_trace_walk *w, const rs_filter_node *lead, merge *m, rs_err *err) {
    rs_err why = {0};
    bool holds = false;
    rs_status st = rs_store_get_trace(w->store, w->project, lead->trace_id, take_named, m, &why);
    if (st == RS_ERR_NOT_FOUND) return RS_OK;
    if (st != RS_OK) return rs_fail(err, st, why.offset, "%s", why.message);
    if (!m->has_named) return RS_OK;
    st = rs_trace_walk_verify(w, &m->rows[m->named], &holds, err);
    if (st == RS_OK && !holds) {
        m->n--;
        memmove(&m->rows[m->named], &m->rows[m->named + 1], (m->n - m->named) * sizeof *m->rows);
    }
    return st;
}

static rs_status find_span(rs_store *store, uint64_t project, rs_filter_node *node, rs_err *err) {
    rs_arena arena;
    rs_span span;
    rs_err why = {0};
    rs_arena_init(&arena, 0);
    rs_status st = rs_store_read_span(store, project, NULL, node->span_id, &arena, &span, &why);
    node->is_trace = st == RS_OK;
    if (st == RS_OK) memcpy(node->trace_id, span.trace_id, sizeof node->trace_id);
    rs_arena_deinit(&arena);
    if (st == RS_OK || st == RS_ERR_NOT_FOUND || st == RS_ERR_CORRUPT) return RS_OK;
    return rs_fail(err, st, why.offset, "%s", why.message);
}

static rs_status find_spans(rs_store *store, uint64_t project, rs_filter_node *node, rs_err *err) {
    rs_status st = RS_OK;
    if (node->kind == RS_FILTER_SPAN) return RS_OK; /* the span itself is asked */
    if (node->kind == RS_FILTER_WORD && node->is_span) return find_span(store, project, node, err);
    for (rs_filter_node *c = node->child; c && st == RS_OK; c = c->next)
        st = find_spans(store, project, c, err);
    return st;
}

rs_status rs_trace_walk_find_spans(rs_store *store, uint64_t project, rs_filter *filter, rs_err *err) {
    return filter->root ? find_spans(store, project, filter->root, err) : RS_OK;
}

static rs_status walk_words(rs_trace_walk *w, rs_trace_walk_fn fn, void *ctx, rs_err *err) {
    const rs_filter_node *lead;
    merge m = {.walk = w, .fn = fn, .ctx = ctx};
    rs_trace_walk rows = *w;
    rs_arena_init(&m.arena, 0);
    rs_status st = choose_lead(w, &lead, err);
    uint64_t most =
        w->plan.ngroups ? RS_LIST_WORD_ROWS / 4 : RS_LIST_WORD_ROWS; /* row by row they cost more */
    if (rows.rows_left > most) rows.rows_left = most;
    if (st == RS_OK && !lead->is_text) st = walk_rows(&rows, lead, keep_found, &m, err);
    if (st == RS_OK && !m.exhausted && lead->is_trace && !lead->is_text) st = add_named(w, lead, &m, err);
    if (m.exhausted) st = rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    w->rows_seen += rows.rows_seen;
    w->rows_left -= rows.rows_seen < w->rows_left ? rows.rows_seen : w->rows_left;
    w->matches = 0;
    if (st == RS_OK) st = walk_said(w, lead, &m, err);
    if (st == RS_OK && !m.stopped) flush(&m, w->complete, w->after);
    w->complete = w->complete && !m.stopped;
    rs_arena_deinit(&m.arena);
    return st;
}

rs_status rs_trace_walk_run(rs_trace_walk *w, rs_trace_walk_fn fn, void *ctx, rs_err *err) {
    if (w->cpu_until_ns == 0) w->cpu_until_ns = rs_clock_cpu_ns() + RS_LIST_CPU_MS * 1000000ull;
    return w->plan.nwords > 0 ? walk_words(w, fn, ctx, err) : walk_rows(w, NULL, fn, ctx, err);
}
