/* Going through the traces that say a phrase, in the order of their keys, block by block.
 *
 * The keys of a block's traces are bounded: the index knows the smallest, and a trace's key is at most `skew` behind the start of any of
 * its spans. Blocks are gone through by that bound; whatever was found before it is complete, and
 * is handed out. A partition's blocks are looked up when its turn comes. */
#include "base/log.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/word_rows.h"

#include <stdlib.h>

typedef struct text_block {
    rs_block_ref ref;
    bool may_say;  /* known from rows; else its filter is asked when its turn comes */
    int64_t bound; /* no trace of it comes before, in the order of the scan */
} text_block;

typedef struct part {
    rs_partition *p;
    rs_index *x; /* borrowed once it is needed */
    bool is_loaded;
    text_block *blocks; /* in order; owned */
    size_t n, at, cap;
    int64_t bound;     /* of what comes next */
    rs_key_range keys; /* of its traces, when the scan began */
} part;

/* A trace that says it. */
typedef struct hit {
    int64_t key;
    part *in;
} hit;

typedef struct text_scan {
    rs_text_scan *scan;
    rs_key_range keys;
    int64_t skew;
    part *parts;
    size_t nparts;
    hit *hits; /* in order; those before `at` were handed out; owned */
    size_t nhits, at, hits_cap;
    rs_buf scratch;
    rs_trace_fn fn;
    void *ctx;
    bool stopped;
} text_scan;

static bool is_before(const text_scan *t, int64_t a, int64_t b) {
    return t->scan->oldest_first ? a < b : a > b;
}

static rs_status no_memory(rs_err *err) { return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory"); }

static int64_t plus(int64_t a, int64_t b) {
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? (b < 0 ? INT64_MIN : INT64_MAX) : sum;
}

/* ---- blocks -------------------------------------------------------------------------------------------- */

/* The keys that traces of a block may have. */
static rs_key_range keys_of(const text_scan *t, const part *in, const rs_block_ref *ref) {
    int64_t low = ref->min_key, high = plus((int64_t)(ref->max_start / 1000), t->skew);
    return (rs_key_range){low > in->keys.low ? low : in->keys.low,
                          high < in->keys.high ? high : in->keys.high};
}

static rs_status keep_block(text_scan *t, part *in, const rs_block_ref *ref, bool may_say, rs_err *err) {
    rs_key_range keys = keys_of(t, in, ref);
    if (keys.high < t->keys.low || keys.low > t->keys.high) return RS_OK;
    if (in->n == in->cap) {
        size_t cap = in->cap ? in->cap * 2 : 256;
        text_block *blocks = realloc(in->blocks, cap * sizeof *blocks);
        if (!blocks) return no_memory(err);
        in->blocks = blocks;
        in->cap = cap;
    }
    in->blocks[in->n++] = (text_block){*ref, may_say, t->scan->oldest_first ? keys.low : keys.high};
    return RS_OK;
}

static int newest_first(const void *a, const void *b) {
    int64_t x = ((const text_block *)a)->bound, y = ((const text_block *)b)->bound;
    return (x < y) - (x > y);
}
static int oldest_first(const void *a, const void *b) { return newest_first(b, a); }

/* The blocks of a statement's rows. */
static rs_status keep_blocks(text_scan *t, part *in, sqlite3_stmt *stmt, bool may_say, rs_err *err) {
    bool row;
    rs_status st;
    while ((st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_block_ref ref = rs_index_block_ref(stmt);
        if (ref.max_start < t->scan->start_min_ns) continue;
        if ((st = keep_block(t, in, &ref, may_say, err)) != RS_OK) break;
    }
    sqlite3_reset(stmt);
    return st;
}

/* Those of which rows say that they may have it, or say nothing; of a word that many have all blocks are looked up together. */
static rs_status load_known(text_scan *t, part *in, uint64_t *next, rs_err *err) {
    sqlite3_stmt *stmt;
    rs_word_rows_answer known;
    *next = 0;
    if (!rs_word_rows_ask(in->p->rows_path, t->scan->phrase, &known)) return RS_OK;
    rs_status st = RS_OK;
    if (known.n <= known.of / 4) {
        st = rs_index_prepare(in->x, RS_SQL_BLOCK, &stmt, err);
        for (size_t i = 0; i < known.n && st == RS_OK; i++) {
            sqlite3_bind_int64(stmt, 1, (int64_t)known.may[i]);
            st = keep_blocks(t, in, stmt, known.is_sure[i], err);
        }
        *next = known.next;
    }
    rs_word_rows_answer_deinit(&known);
    return st;
}

static rs_status load(text_scan *t, part *in, rs_err *err) {
    sqlite3_stmt *stmt;
    uint64_t next;
    rs_status st = in->x ? RS_OK : rs_partition_borrow(in->p, &in->x, err);
    if (st == RS_OK) st = load_known(t, in, &next, err);
    if (st == RS_OK) st = rs_index_prepare(in->x, RS_SQL_BLOCKS_SINCE, &stmt, err);
    if (st != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, (int64_t)t->scan->start_min_ns);
    sqlite3_bind_int64(stmt, 2, (int64_t)next);
    st = keep_blocks(t, in, stmt, false, err);
    if (in->n > 1)
        qsort(in->blocks, in->n, sizeof *in->blocks, t->scan->oldest_first ? oldest_first : newest_first);
    in->is_loaded = true;
    return st;
}

/* ---- hits ---------------------------------------------------------------------------------------------- */

static rs_status add_hit(text_scan *t, part *in, int64_t key, rs_err *err) {
    size_t at = t->nhits;
    if (key < t->keys.low || key > t->keys.high) return RS_OK;
    if (t->at > 0 && !is_before(t, t->hits[t->at - 1].key, key)) return RS_OK; /* it came meanwhile */
    while (at > t->at && is_before(t, key, t->hits[at - 1].key)) at--;
    if (at > t->at && t->hits[at - 1].key == key) return RS_OK;
    if (t->nhits == t->hits_cap) {
        size_t cap = t->hits_cap ? t->hits_cap * 2 : 256;
        hit *hits = realloc(t->hits, cap * sizeof *hits);
        if (!hits) return no_memory(err);
        t->hits = hits;
        t->hits_cap = cap;
    }
    memmove(&t->hits[at + 1], &t->hits[at], (t->nhits - at) * sizeof *t->hits);
    t->hits[at] = (hit){key, in};
    t->nhits++;
    return RS_OK;
}

static rs_status find_trace(text_scan *t, part *in, const uint8_t trace_id[16], rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    rs_status st = rs_index_prepare(in->x, RS_SQL_TRACE_BY_ID, &stmt, err);
    if (st != RS_OK) return st;
    rs_db_bind_blob(stmt, 1, trace_id, 16);
    st = rs_db_step(stmt, &row, err);
    int64_t key = row ? sqlite3_column_int64(stmt, RS_TRACE_KEY) : 0;
    sqlite3_reset(stmt);
    return st == RS_OK && row ? add_hit(t, in, key, err) : st;
}

/* Whether a span says it: what it says besides its name is read in full only if the bytes may have it. */
static rs_status ask_span(text_scan *t, rs_view *v, rs_stored_span *s, bool *says, rs_err *err) {
    const rs_phrase *phrase = t->scan->phrase;
    rs_arena arena;
    *says = rs_phrase_is_in(phrase, s->span.name) || rs_phrase_is_in(phrase, s->span.status_message);
    if (*says || !rs_view_span_may_say(v, &s->extent, phrase)) return RS_OK;
    rs_arena_init(&arena, 0);
    rs_status st = rs_view_keep(v, s, RS_READ_FULL, &arena, err);
    if (st == RS_OK && (st = rs_span_says(&s->span, phrase, &t->scratch, says)) != RS_OK)
        rs_fail(err, st, 0, "out of memory");
    v->details.arena = NULL; /* it goes, and its address may come again */
    rs_arena_deinit(&arena);
    return st;
}

static rs_status search_block(text_scan *t, part *in, const rs_block_ref *ref, bool *gone, rs_err *err) {
    rs_view *v = &in->x->view;
    rs_stored_span s;
    bool more = true;
    uint8_t last[16] = {0};
    rs_status st = rs_index_superseded(in->x, ref, gone, err);
    if (st == RS_OK) st = rs_view_open(v, ref, RS_READ_FULL, err);
    if (st != RS_OK || !rs_view_block_may_say(v, t->scan->phrase)) return st;
    while (st == RS_OK && (st = rs_view_next(v, &s, &more, err)) == RS_OK && more) {
        bool says = false;
        if (gone[s.number - ref->first] || memcmp(last, s.span.trace_id, 16) == 0) continue;
        uint8_t id[16];
        memcpy(id, s.span.trace_id, 16);
        st = ask_span(t, v, &s, &says, err);
        if (st == RS_OK && says) {
            memcpy(last, id, 16);
            st = find_trace(t, in, id, err);
        }
    }
    return st;
}

/* A block that begins before the place where the scan is taken up again was unpacked by the one before, and would be again and again if
 * it counted. */
static bool is_seen_before(const text_scan *t, int64_t bound) {
    return is_before(t, bound, t->scan->oldest_first ? t->keys.low : t->keys.high);
}

/* A corrupt block is left out, with a line in the log. */
static rs_status take_block(text_scan *t, part *in, rs_err *err) {
    const rs_block_ref *ref = &in->blocks[in->at++].ref;
    rs_err why = {0};
    if (t->scan->blocks_left > 0) t->scan->blocks_left -= !is_seen_before(t, in->bound);
    bool *gone = calloc((size_t)ref->spans + 1, sizeof *gone);
    if (!gone) return no_memory(err);
    rs_status st = search_block(t, in, ref, gone, &why);
    free(gone);
    if (st == RS_ERR_CORRUPT) rs_log("%s: left out of the search", why.message), st = RS_OK;
    return st == RS_OK ? st : rs_fail(err, st, why.offset, "%s", why.message);
}

/* ---- in order ------------------------------------------------------------------------------------------ */

static rs_status hand_out(text_scan *t, const hit *h, rs_err *err) {
    sqlite3_stmt *stmt;
    bool found = false;
    rs_trace_row row;
    rs_status st = rs_index_prepare(h->in->x, RS_SQL_TRACE_BY_KEY, &stmt, err);
    if (st != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, h->key);
    st = rs_db_step(stmt, &found, err);
    if (st == RS_OK && found && (st = rs_index_trace_row(h->in->x, stmt, &row, err)) == RS_OK &&
        rs_in_window(row.start_ns, t->scan->start_min_ns, t->scan->start_max_ns))
        t->stopped = !t->fn(t->ctx, &row);
    sqlite3_reset(stmt);
    t->scan->has_after = true;
    t->scan->after = h->key;
    return st;
}

/* Skips blocks whose filters say no; what comes next, or NULL. */
static part *next_part(text_scan *t) {
    part *first = NULL;
    const rs_phrase *phrase = t->scan->phrase;
    for (size_t i = 0; i < t->nparts; i++) {
        part *in = &t->parts[i];
        while (in->is_loaded && in->at < in->n && !in->blocks[in->at].may_say &&
               !rs_view_may_say(&in->x->view, &in->blocks[in->at].ref, phrase))
            in->at++;
        if (in->is_loaded && in->at == in->n) continue;
        int64_t bound = in->is_loaded ? in->blocks[in->at].bound : in->bound;
        in->bound = bound;
        if (!first || is_before(t, bound, first->bound)) first = in;
    }
    return first;
}

static rs_status run(text_scan *t, rs_err *err) {
    rs_status st = RS_OK;
    part *next = NULL;
    int64_t taken =
        0; /* the bound of the block that was taken last: those with the same are taken together */
    bool has_taken = false;
    while (st == RS_OK && !t->stopped) {
        next = next_part(t);
        while (st == RS_OK && !t->stopped && t->at < t->nhits &&
               (!next || is_before(t, t->hits[t->at].key, next->bound)))
            st = hand_out(t, &t->hits[t->at++], err);
        if (st != RS_OK || t->stopped || !next) break;
        bool may_wait = !is_seen_before(t, next->bound) && !(has_taken && taken == next->bound);
        if (next->is_loaded && t->scan->blocks_left == 0 && may_wait) break;
        if (next->is_loaded) has_taken = true, taken = next->bound;
        st = next->is_loaded ? take_block(t, next, err) : load(t, next, err);
    }
    t->scan->complete = st == RS_OK && !t->stopped && !next;
    if (st == RS_OK && !t->stopped && next) { /* up to where the next block begins all is decided */
        int64_t edge = t->scan->oldest_first ? plus(next->bound, -1) : plus(next->bound, 1);
        if (!t->scan->has_after || is_before(t, t->scan->after, edge)) t->scan->after = edge;
        t->scan->has_after = true;
    }
    return st;
}

static rs_status begin(text_scan *t, const rs_partition_set *set, rs_err *err) {
    const rs_text_scan *s = t->scan;
    rs_trace_scan as = {.oldest_first = s->oldest_first,
                        .has_after = s->has_after,
                        .after = s->after,
                        .start_min_ns = s->start_min_ns,
                        .start_max_ns = s->start_max_ns};
    t->skew = rs_partition_set_skew(set);
    t->keys = rs_scan_keys(&as, t->skew);
    t->parts = calloc(set->n ? set->n : 1, sizeof *t->parts);
    if (!t->parts) return no_memory(err);
    for (size_t i = 0; i < set->n; i++) {
        rs_partition *p = set->items[i];
        int64_t min = __atomic_load_n(&p->key_min, __ATOMIC_ACQUIRE),
                max = __atomic_load_n(&p->key_max, __ATOMIC_ACQUIRE);
        if (min > t->keys.high || max < t->keys.low || min > max) continue;
        t->parts[t->nparts++] = (part){.p = p, .bound = s->oldest_first ? min : max, .keys = {min, max}};
    }
    return RS_OK;
}

static void end(text_scan *t) {
    for (size_t i = 0; i < t->nparts; i++) {
        if (t->parts[i].x) rs_partition_return(t->parts[i].p, t->parts[i].x);
        free(t->parts[i].blocks);
    }
    free(t->parts);
    free(t->hits);
    rs_buf_deinit(&t->scratch);
}

rs_status rs_store_scan_text(rs_store *s, uint64_t project, rs_text_scan *scan, rs_trace_fn fn, void *ctx,
                             rs_err *err) {
    rs_project_data *p;
    text_scan t = {.scan = scan, .fn = fn, .ctx = ctx};
    scan->complete = true;
    rs_status st = rs_store_find_project(s, project, false, &p, err);
    if (st != RS_OK || !p || scan->phrase->nwords == 0) return st;
    const rs_partition_set *set = rs_project_data_hold(p);
    rs_buf_init(&t.scratch);
    st = begin(&t, set, err);
    if (st == RS_OK) st = run(&t, err);
    end(&t);
    rs_project_data_let_go(p, set);
    return st;
}

rs_status rs_store_sample_text(rs_store *s, uint64_t project, const rs_phrase *const *phrases, size_t n,
                               unsigned *counts, rs_err *err) {
    enum { SAMPLE = 64 };
    rs_project_data *p;
    rs_index *x;
    sqlite3_stmt *stmt;
    bool row;
    for (size_t i = 0; i < n; i++) counts[i] = 0;
    rs_status st = rs_store_find_project(s, project, false, &p, err);
    if (st != RS_OK || !p) return st;
    const rs_partition_set *set = rs_project_data_hold(p);
    rs_partition *last = set->n ? set->items[set->n - 1] : NULL;
    if (last && (st = rs_partition_borrow(last, &x, err)) == RS_OK) {
        if ((st = rs_index_prepare(x, RS_SQL_LAST_BLOCKS, &stmt, err)) == RS_OK) {
            sqlite3_bind_int64(stmt, 1, INT64_MAX);
            sqlite3_bind_int64(stmt, 2, 0);
            sqlite3_bind_int64(stmt, 3, SAMPLE);
            while ((st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
                rs_block_ref ref = rs_index_block_ref(stmt);
                for (size_t i = 0; i < n; i++) counts[i] += rs_view_may_say(&x->view, &ref, phrases[i]);
            }
        }
        rs_partition_return(last, x);
    }
    rs_project_data_let_go(p, set);
    return st;
}
