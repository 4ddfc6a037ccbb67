/* Going through traces or spans in order, in steps: no read snapshot lasts longer than one step, however slow
 * the callback. */
#include "base/log.h"
#include "store/sqlite/rollup.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/summary.h"
#include "store/sqlite/tag.h"
#include "store/sqlite/tag_index.h"

#include <stdlib.h>

enum { TRACE_STEP = 128, BLOCK_STEP = 32 };

/* Keys that may still come, both ends inclusive. */
typedef struct range {
    int64_t low, high;
} range;

/* ---- traces -------------------------------------------------------------------------------------------- */

static rs_status hand_out_row(rs_index *x, sqlite3_stmt *stmt, rs_trace_row *row, rs_err *err) {
    rs_summary s;
    rs_summary_init(&s);
    rs_buf_clear(&x->metadata);
    bool ok = rs_summary_load(&s, stmt, NULL);
    *row = s.row;
    rs_summary_metadata_json(row->metadata, &x->metadata);
    row->metadata = rs_buf_slice(&x->metadata);
    rs_summary_deinit(&s);
    return ok && rs_buf_status(&x->metadata) == RS_OK ? RS_OK
                                                      : rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
}

static bool in_window(uint64_t start, uint64_t min, uint64_t max) {
    return start >= min && (max == 0 || start < max);
}

/* A trace's key is never before its start in µs, and at most `skew` behind it. */
static range key_range(const rs_trace_scan *scan, int64_t skew) {
    range r = {INT64_MIN, INT64_MAX};
    if (scan->start_min_ns) r.low = (int64_t)(scan->start_min_ns / 1000);
    if (scan->start_max_ns && __builtin_add_overflow((int64_t)(scan->start_max_ns / 1000), skew, &r.high))
        r.high = INT64_MAX;
    if (!scan->has_after) return r;
    if (scan->oldest_first) {
        if (scan->after == INT64_MAX) r.high = INT64_MIN;
        else if (scan->after + 1 > r.low) r.low = scan->after + 1;
    } else {
        if (scan->after == INT64_MIN) r.high = INT64_MIN;
        else if (scan->after - 1 < r.high) r.high = scan->after - 1;
    }
    return r;
}

/* Takes `key` and all before it (in the order of the scan) out of the range. */
static bool advance(range *r, bool oldest_first, int64_t key) {
    if (key == (oldest_first ? INT64_MAX : INT64_MIN)) return false;
    if (oldest_first) r->low = key + 1;
    else r->high = key - 1;
    return r->low <= r->high;
}

/* Going through one partition. */
typedef struct trace_scan {
    rs_partition *p;
    rs_index *x; /* borrowed once it is needed */
    const rs_trace_scan *scan;
    rs_trace_fn fn;
    void *ctx;
    range keys;   /* what may still come */
    int64_t next; /* no row comes before it; it is one if `is_exact` */
    bool is_exact, done;
    bool *stopped; /* the caller has enough */
} trace_scan;

static bool is_before(const trace_scan *t, int64_t a, int64_t b) {
    return t->scan->oldest_first ? a < b : a > b;
}

static rs_status borrow(trace_scan *t, rs_err *err) {
    return t->x ? RS_OK : rs_partition_borrow(t->p, &t->x, err);
}

/* Hands the statement's row out if it is in the window. */
static rs_status offer(trace_scan *t, sqlite3_stmt *stmt, rs_err *err) {
    rs_trace_row row;
    rs_status st = hand_out_row(t->x, stmt, &row, err);
    if (st != RS_OK) return st;
    if (!advance(&t->keys, t->scan->oldest_first, row.key)) t->done = true;
    if (in_window(row.start_ns, t->scan->start_min_ns, t->scan->start_max_ns) && !t->fn(t->ctx, &row))
        t->done = *t->stopped = true;
    return RS_OK;
}

/* The first key in the range, of all traces. */
static rs_status seek(trace_scan *t, const range *keys, int64_t *key, bool *found, rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st =
        rs_index_prepare(t->x, t->scan->oldest_first ? RS_SQL_KEY_OLDEST : RS_SQL_KEY_NEWEST, &stmt, err);
    if (st != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, keys->low);
    sqlite3_bind_int64(stmt, 2, keys->high);
    st = rs_db_step(stmt, found, err);
    *found = *found && sqlite3_column_type(stmt, 0) != SQLITE_NULL;
    if (*found) *key = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return st;
}

static rs_status seek_tag(trace_scan *t, const rs_tag *tag, const range *keys, int64_t *key, bool *found,
                          rs_err *err) {
    int64_t spread = __atomic_load_n(&t->p->tag_spread, __ATOMIC_ACQUIRE);
    return rs_tag_seek(t->x, rs_tag_hash(tag->key, tag->value), keys->low, keys->high, t->scan->oldest_first,
                       spread, key, found, err);
}

/* The next key that has every tag. Each tag in turn leaps to the first key that it has at or behind the
 * candidate, so the rarest one sets the pace without anybody counting. */
static rs_status leap(trace_scan *t, int64_t *key, bool *found, rs_err *err) {
    range keys = t->keys;
    size_t agreed = 0;
    rs_status st = RS_OK;
    if (t->scan->ntags == 0) return seek(t, &keys, key, found, err);
    for (size_t i = 0; agreed < t->scan->ntags; i = (i + 1) % t->scan->ntags) {
        int64_t at = 0;
        st = seek_tag(t, &t->scan->tags[i], &keys, &at, found, err);
        if (st != RS_OK || !*found) return st;
        agreed = agreed > 0 && at == *key ? agreed + 1 : 1;
        *key = at;
        if (t->scan->oldest_first) keys.low = at;
        else keys.high = at;
    }
    return st;
}

/* Finds out what comes next. */
static rs_status look_ahead(trace_scan *t, rs_err *err) {
    bool found = false;
    rs_status st = borrow(t, err);
    if (st == RS_OK) st = leap(t, &t->next, &found, err);
    t->is_exact = true;
    if (st != RS_OK || !found) t->done = true;
    return st;
}

/* Hands out what there is up to `limit`, inclusive, in one step. */
static rs_status step_all(trace_scan *t, int64_t limit, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = true;
    range keys = t->keys;
    if (t->scan->oldest_first && limit < keys.high) keys.high = limit;
    if (!t->scan->oldest_first && limit > keys.low) keys.low = limit;
    rs_status st = rs_index_prepare(t->x, t->scan->oldest_first ? RS_SQL_TRACES_OLDEST : RS_SQL_TRACES_NEWEST,
                                    &stmt, err);
    if (st != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, keys.low);
    sqlite3_bind_int64(stmt, 2, keys.high);
    sqlite3_bind_int64(stmt, 3, TRACE_STEP);
    while (!t->done && (st = rs_db_step(stmt, &row, err)) == RS_OK && row)
        if ((st = offer(t, stmt, err)) != RS_OK) break;
    sqlite3_reset(stmt);
    return st;
}

/* Hands out the one that look_ahead found. */
static rs_status step_tags(trace_scan *t, rs_err *err) {
    sqlite3_stmt *stmt;
    bool found = false;
    rs_status st = rs_index_prepare(t->x, RS_SQL_TRACE_BY_KEY, &stmt, err);
    if (st != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, t->next);
    st = rs_db_step(stmt, &found, err);
    if (st == RS_OK && found) st = offer(t, stmt, err);
    else if (st == RS_OK && !advance(&t->keys, t->scan->oldest_first, t->next)) t->done = true;
    sqlite3_reset(stmt);
    return st;
}

/* What can be told of the first key without asking the index. */
static void expect_first(trace_scan *t) {
    int64_t min = __atomic_load_n(&t->p->key_min, __ATOMIC_ACQUIRE),
            max = __atomic_load_n(&t->p->key_max, __ATOMIC_ACQUIRE);
    t->done = t->keys.low > t->keys.high || min > max || t->keys.low > max || t->keys.high < min;
    t->next = t->scan->oldest_first ? (min > t->keys.low ? min : t->keys.low)
              : max < t->keys.high  ? max
                                    : t->keys.high;
}

/* Which comes first, or may; *limit is as far as it goes before another one has its turn. */
static trace_scan *first_of(trace_scan *each, size_t n, int64_t *limit) {
    trace_scan *first = NULL;
    bool has_limit = false;
    for (size_t i = 0; i < n; i++) {
        trace_scan *t = &each[i];
        if (t->done) continue;
        bool wins = !first || is_before(t, t->next, first->next) || (t->next == first->next && !t->is_exact);
        const trace_scan *other = wins ? first : t;
        if (other && (!has_limit || is_before(t, other->next, *limit)))
            *limit = other->next, has_limit = true;
        if (wins) first = t;
    }
    if (first && !has_limit) *limit = first->scan->oldest_first ? INT64_MAX : INT64_MIN;
    return first;
}

static rs_status merge(trace_scan *each, size_t n, const bool *stopped, rs_err *err) {
    rs_status st = RS_OK;
    int64_t limit = 0;
    for (trace_scan *t; st == RS_OK && !*stopped && (t = first_of(each, n, &limit)) != NULL;) {
        if (!t->is_exact) {
            st = look_ahead(t, err);
            continue;
        }
        st = t->scan->ntags ? step_tags(t, err) : step_all(t, limit, err);
        t->is_exact = false; /* what comes next is not before what is left of its range */
        t->next = t->scan->oldest_first ? t->keys.low : t->keys.high;
    }
    return st;
}

/* A trace's key is at most `skew` behind its start: of any partition, since the window is one. */
static int64_t skew_of(const rs_partition_set *set) {
    int64_t skew = 0;
    for (size_t i = 0; i < set->n; i++) {
        int64_t of_it = __atomic_load_n(&set->items[i]->skew, __ATOMIC_ACQUIRE);
        if (of_it > skew) skew = of_it;
    }
    return skew;
}

rs_status rs_store_scan_traces(rs_store *s, uint64_t project, const rs_trace_scan *scan, rs_trace_fn fn,
                               void *ctx, rs_err *err) {
    rs_project_data *p;
    bool stopped = false;
    rs_status st = rs_store_find_project(s, project, false, &p, err);
    if (st != RS_OK || !p) return st;
    const rs_partition_set *set = rs_project_data_hold(p);
    trace_scan *each = calloc(set->n ? set->n : 1, sizeof *each);
    range keys = key_range(scan, skew_of(set));
    if (!each) st = rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    for (size_t i = 0; each && i < set->n; i++) {
        each[i] = (trace_scan){
            .p = set->items[i], .scan = scan, .fn = fn, .ctx = ctx, .keys = keys, .stopped = &stopped};
        expect_first(&each[i]);
    }
    if (st == RS_OK) st = merge(each, set->n, &stopped, err);
    for (size_t i = 0; each && i < set->n; i++)
        if (each[i].x) rs_partition_return(each[i].p, each[i].x);
    free(each);
    rs_project_data_let_go(p, set);
    return st;
}

static rs_status count_in(rs_partition *p, int64_t hash, uint64_t *out, rs_err *err) {
    rs_index *x;
    uint64_t n = 0;
    rs_status st = rs_partition_borrow(p, &x, err);
    if (st != RS_OK) return st;
    st = rs_tag_count(x, hash, &n, err);
    rs_partition_return(p, x);
    *out += n;
    return st;
}

rs_status rs_store_count_tag(rs_store *s, uint64_t project, const rs_tag *tag, uint64_t *out, rs_err *err) {
    rs_project_data *p;
    *out = 0;
    rs_status st = rs_store_find_project(s, project, false, &p, err);
    if (st != RS_OK || !p) return st;
    const rs_partition_set *set = rs_project_data_hold(p);
    for (size_t i = 0; i < set->n && st == RS_OK; i++)
        st = count_in(set->items[i], rs_tag_hash(tag->key, tag->value), out, err);
    rs_project_data_let_go(p, set);
    return st;
}

/* RS_ERR_NOT_FOUND: it is not in this partition. */
static rs_status get_from(rs_partition *p, const uint8_t trace_id[16], rs_trace_fn fn, void *ctx,
                          rs_err *err) {
    rs_index *x;
    sqlite3_stmt *stmt;
    bool found = false;
    rs_trace_row row;
    rs_status st = rs_partition_borrow(p, &x, err);
    if (st != RS_OK) return st;
    if ((st = rs_index_prepare(x, RS_SQL_TRACE_BY_ID, &stmt, err)) == RS_OK) {
        rs_db_bind_blob(stmt, 1, trace_id, 16);
        st = rs_db_step(stmt, &found, err);
        if (st == RS_OK && !found) st = rs_fail(err, RS_ERR_NOT_FOUND, 0, "no such trace");
        if (st == RS_OK && (st = hand_out_row(x, stmt, &row, err)) == RS_OK) fn(ctx, &row);
        sqlite3_reset(stmt);
    }
    rs_partition_return(p, x);
    return st;
}

rs_status rs_store_get_trace(rs_store *s, uint64_t project, const uint8_t trace_id[16], rs_trace_fn fn,
                             void *ctx, rs_err *err) {
    rs_project_data *p;
    rs_status st = rs_store_find_project(s, project, false, &p, err);
    if (st != RS_OK) return st;
    st = rs_fail(err, RS_ERR_NOT_FOUND, 0, "no such trace");
    if (!p) return st;
    uint64_t hash = rs_bloom_hash_id(trace_id);
    const rs_partition_set *set = rs_project_data_hold(p);
    for (size_t i = set->n; st == RS_ERR_NOT_FOUND && i-- > 0;)
        if (rs_bloom_may_have(&set->items[i]->traces, hash))
            st = get_from(set->items[i], trace_id, fn, ctx, err);
    rs_project_data_let_go(p, set);
    return st;
}

/* ---- hours --------------------------------------------------------------------------------------------- */

rs_status rs_store_scan_hours(rs_store *s, uint64_t project, const rs_hour_scan *scan, rs_hour_fn fn,
                              void *ctx, rs_err *err) {
    rs_project_data *p;
    bool stopped = false;
    rs_status st = rs_store_find_project(s, project, false, &p, err);
    if (st != RS_OK || !p) return st;
    const rs_partition_set *set = rs_project_data_hold(p);
    for (size_t i = 0; i < set->n && st == RS_OK && !stopped; i++) {
        rs_index *x;
        st = rs_partition_borrow(set->items[i], &x, err);
        if (st != RS_OK) break;
        st = rs_rollup_scan(x, scan, fn, ctx, &stopped, err);
        rs_partition_return(set->items[i], x);
    }
    rs_project_data_let_go(p, set);
    return st;
}

/* ---- spans --------------------------------------------------------------------------------------------- */

typedef struct span_scan {
    rs_partition *p;
    rs_index *x; /* borrowed once it is needed */
    const rs_span_scan *scan;
    rs_span_fn fn;
    void *ctx;
    uint64_t before; /* arrival number: all from there on were handed out */
    uint64_t next;   /* its next block begins below; right below if `is_exact` */
    bool is_exact;
    rs_arena arena; /* of the block at hand */
    bool done;
    bool *stopped; /* the caller has enough */
} span_scan;

/* Heads are read forwards and handed out backwards. */
static rs_status read_block(span_scan *t, const rs_block_ref *ref, rs_stored_span *spans, size_t *n,
                            rs_err *err) {
    bool more, *gone = rs_arena_zalloc(&t->arena, ref->spans, sizeof *gone);
    if (!gone) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    rs_status st = rs_index_superseded(t->x, ref, gone, err);
    if (st == RS_OK) st = rs_view_open(&t->x->view, ref, t->scan->depth, err);
    while (st == RS_OK && (st = rs_view_next(&t->x->view, &spans[*n], &more, err)) == RS_OK && more) {
        const rs_stored_span *s = &spans[*n];
        if (s->number >= t->before || gone[s->number - ref->first]) continue;
        if (in_window(s->span.start_ns, t->scan->start_min_ns, t->scan->start_max_ns)) ++*n;
    }
    return st;
}

static rs_status offer_block(span_scan *t, const rs_block_ref *ref, rs_err *err) {
    size_t n = 0;
    if (ref->max_start < t->scan->start_min_ns ||
        (t->scan->start_max_ns && ref->min_start >= t->scan->start_max_ns))
        return RS_OK;
    rs_stored_span *spans = rs_arena_zalloc(&t->arena, (size_t)ref->spans + 1, sizeof *spans);
    rs_status st =
        spans ? read_block(t, ref, spans, &n, err) : rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    while (st == RS_OK && n-- > 0 && !*t->stopped) {
        if (t->scan->depth == RS_READ_FULL)
            st = rs_view_keep(&t->x->view, &spans[n], RS_READ_FULL, &t->arena, err);
        if (st == RS_OK && !t->fn(t->ctx, (int64_t)spans[n].number, &spans[n].span)) *t->stopped = true;
    }
    return st;
}

/* Blocks below `t->before`, newest first, that begin at `limit` or later. */
static rs_status next_blocks(span_scan *t, uint64_t limit, rs_block_ref refs[BLOCK_STEP], size_t *n,
                             rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    rs_status st = rs_index_prepare(t->x, RS_SQL_LAST_BLOCKS, &stmt, err);
    *n = 0;
    if (st != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, (int64_t)t->before);
    sqlite3_bind_int64(stmt, 2, (int64_t)limit);
    sqlite3_bind_int64(stmt, 3, BLOCK_STEP);
    while ((st = rs_db_step(stmt, &row, err)) == RS_OK && row) refs[(*n)++] = rs_index_block_ref(stmt);
    return st;
}

/* Finds out where its next block begins. */
static rs_status look_for_block(span_scan *t, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    rs_status st = t->x ? RS_OK : rs_partition_borrow(t->p, &t->x, err);
    if (st == RS_OK) st = rs_index_prepare(t->x, RS_SQL_LAST_BLOCK, &stmt, err);
    if (st != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, (int64_t)t->before);
    st = rs_db_step(stmt, &row, err);
    if (st != RS_OK || !row) return st;
    t->is_exact = true;
    if (sqlite3_column_type(stmt, 0) == SQLITE_NULL) t->done = true;
    else t->next = (uint64_t)sqlite3_column_int64(stmt, 0) + 1;
    sqlite3_reset(stmt);
    return RS_OK;
}

static rs_status step_spans(span_scan *t, uint64_t limit, rs_err *err) {
    rs_block_ref refs[BLOCK_STEP];
    size_t n;
    rs_status st = next_blocks(t, limit, refs, &n, err);
    for (size_t i = 0; i < n && st == RS_OK && !*t->stopped; i++) {
        rs_err trouble = {0};
        st = offer_block(t, &refs[i], &trouble);
        if (st == RS_ERR_CORRUPT) rs_log("%s: left out of the list", trouble.message), st = RS_OK;
        else if (st != RS_OK) rs_fail(err, st, trouble.offset, "%s", trouble.message);
        t->before = t->next = refs[i].first;
        rs_arena_deinit(&t->arena);
    }
    t->is_exact = false;
    return st;
}

/* Whose blocks come next, or may; *limit: below it another one's do. */
static span_scan *latest_of(span_scan *each, size_t n, uint64_t *limit) {
    span_scan *first = NULL;
    *limit = 0;
    for (size_t i = 0; i < n; i++) {
        span_scan *t = &each[i];
        if (t->done) continue;
        bool wins = !first || t->next > first->next || (t->next == first->next && !t->is_exact);
        const span_scan *other = wins ? first : t;
        if (other && other->next > *limit) *limit = other->next;
        if (wins) first = t;
    }
    return first;
}

rs_status rs_store_scan_spans(rs_store *s, uint64_t project, const rs_span_scan *scan, rs_span_fn fn,
                              void *ctx, rs_err *err) {
    rs_project_data *p;
    bool stopped = false;
    uint64_t limit, before = INT64_MAX;
    if (scan->has_before) before = scan->before > 0 ? (uint64_t)scan->before : 0;
    rs_status st = rs_store_find_project(s, project, false, &p, err);
    if (st != RS_OK || !p) return st;
    const rs_partition_set *set = rs_project_data_hold(p);
    span_scan *each = calloc(set->n ? set->n : 1, sizeof *each);
    if (!each) st = rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    for (size_t i = 0; each && i < set->n; i++) {
        uint64_t end = __atomic_load_n(&set->items[i]->span_end, __ATOMIC_ACQUIRE);
        each[i] = (span_scan){.p = set->items[i], .scan = scan, .fn = fn, .ctx = ctx, .stopped = &stopped};
        each[i].before = each[i].next = end < before ? end : before;
    }
    for (span_scan *t; st == RS_OK && !stopped && (t = latest_of(each, set->n, &limit)) != NULL;)
        st = t->is_exact ? step_spans(t, limit, err) : look_for_block(t, err);
    for (size_t i = 0; each && i < set->n; i++)
        if (each[i].x) rs_partition_return(each[i].p, each[i].x);
    free(each);
    rs_project_data_let_go(p, set);
    return st;
}
