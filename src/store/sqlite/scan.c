/* Going through traces or spans in order, in steps: no read snapshot lasts longer than one step, however slow
 * the callback. */
#include "base/log.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/summary.h"
#include "store/sqlite/tag.h"

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

typedef struct trace_scan {
    rs_index *x;
    const rs_trace_scan *scan;
    rs_trace_fn fn;
    void *ctx;
    range keys;
    bool done;
} trace_scan;

/* Hands the statement's row out if it is in the window. */
static rs_status offer(trace_scan *t, sqlite3_stmt *stmt, rs_err *err) {
    rs_trace_row row;
    rs_status st = hand_out_row(t->x, stmt, &row, err);
    if (st != RS_OK) return st;
    if (!advance(&t->keys, t->scan->oldest_first, row.key)) t->done = true;
    if (in_window(row.start_ns, t->scan->start_min_ns, t->scan->start_max_ns) && !t->fn(t->ctx, &row))
        t->done = true;
    return RS_OK;
}

static rs_status step_all(trace_scan *t, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = true;
    int rows = 0;
    rs_status st = rs_index_prepare(t->x, t->scan->oldest_first ? RS_SQL_TRACES_OLDEST : RS_SQL_TRACES_NEWEST,
                                    &stmt, err);
    if (st != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, t->keys.low);
    sqlite3_bind_int64(stmt, 2, t->keys.high);
    sqlite3_bind_int64(stmt, 3, TRACE_STEP);
    for (; !t->done && (st = rs_db_step(stmt, &row, err)) == RS_OK && row; rows++)
        if ((st = offer(t, stmt, err)) != RS_OK) break;
    sqlite3_reset(stmt);
    if (rows < TRACE_STEP) t->done = true;
    return st;
}

/* The first key in the range that has the tag. */
static rs_status seek_tag(trace_scan *t, const rs_tag *tag, const range *keys, int64_t *key, bool *found,
                          rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st =
        rs_index_prepare(t->x, t->scan->oldest_first ? RS_SQL_TAG_OLDEST : RS_SQL_TAG_NEWEST, &stmt, err);
    if (st != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, rs_tag_hash(tag->key, tag->value));
    sqlite3_bind_int64(stmt, 2, keys->low);
    sqlite3_bind_int64(stmt, 3, keys->high);
    st = rs_db_step(stmt, found, err);
    if (*found) *key = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return st;
}

/* The next key that has every tag. Each tag in turn leaps to the first key that it has at or behind the
 * candidate, so the rarest one sets the pace without anybody counting. */
static rs_status leap(trace_scan *t, int64_t *key, bool *found, rs_err *err) {
    range keys = t->keys;
    size_t agreed = 0;
    rs_status st = RS_OK;
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

static rs_status step_tags(trace_scan *t, rs_err *err) {
    sqlite3_stmt *stmt;
    int64_t key = 0;
    bool found = false;
    rs_status st = leap(t, &key, &found, err);
    if (st != RS_OK || !found) {
        t->done = true;
        return st;
    }
    if ((st = rs_index_prepare(t->x, RS_SQL_TRACE_BY_KEY, &stmt, err)) != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, key);
    st = rs_db_step(stmt, &found, err);
    if (st == RS_OK && found) st = offer(t, stmt, err);
    else if (st == RS_OK && !advance(&t->keys, t->scan->oldest_first, key)) t->done = true;
    sqlite3_reset(stmt);
    return st;
}

rs_status rs_store_scan_traces(rs_store *s, uint64_t project, const rs_trace_scan *scan, rs_trace_fn fn,
                               void *ctx, rs_err *err) {
    rs_partition *p;
    rs_partition_state state;
    trace_scan t = {.scan = scan, .fn = fn, .ctx = ctx};
    rs_status st = rs_store_find_partition(s, project, false, &p, err);
    if (st != RS_OK || !p || (st = rs_partition_borrow(p, &t.x, err)) != RS_OK) return st;
    st = rs_index_get_state(t.x, &state, err);
    if (st == RS_OK) t.keys = key_range(scan, state.skew);
    t.done = st != RS_OK || t.keys.low > t.keys.high;
    while (st == RS_OK && !t.done) st = scan->ntags ? step_tags(&t, err) : step_all(&t, err);
    rs_partition_return(p, t.x);
    return st;
}

rs_status rs_store_count_tag(rs_store *s, uint64_t project, const rs_tag *tag, uint64_t *out, rs_err *err) {
    rs_partition *p;
    rs_index *x;
    sqlite3_stmt *stmt;
    bool row = false;
    *out = 0;
    rs_status st = rs_store_find_partition(s, project, false, &p, err);
    if (st != RS_OK || !p || (st = rs_partition_borrow(p, &x, err)) != RS_OK) return st;
    if ((st = rs_index_prepare(x, RS_SQL_TAG_COUNT, &stmt, err)) == RS_OK) {
        sqlite3_bind_int64(stmt, 1, rs_tag_hash(tag->key, tag->value));
        if ((st = rs_db_step(stmt, &row, err)) == RS_OK && row)
            *out = (uint64_t)sqlite3_column_int64(stmt, 0);
        sqlite3_reset(stmt);
    }
    rs_partition_return(p, x);
    return st;
}

rs_status rs_store_get_trace(rs_store *s, uint64_t project, const uint8_t trace_id[16], rs_trace_fn fn,
                             void *ctx, rs_err *err) {
    rs_partition *p;
    rs_index *x;
    sqlite3_stmt *stmt;
    bool found = false;
    rs_trace_row row;
    rs_status st = rs_store_find_partition(s, project, false, &p, err);
    if (st != RS_OK) return st;
    if (!p) return rs_fail(err, RS_ERR_NOT_FOUND, 0, "no such trace");
    if ((st = rs_partition_borrow(p, &x, err)) != RS_OK) return st;
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

/* ---- spans --------------------------------------------------------------------------------------------- */

typedef struct span_scan {
    rs_index *x;
    const rs_span_scan *scan;
    rs_span_fn fn;
    void *ctx;
    uint64_t before; /* arrival number */
    rs_arena arena;  /* of the block at hand */
    bool done;
} span_scan;

static rs_status superseded(rs_index *x, const rs_block_ref *ref, bool *gone, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    rs_status st = rs_index_prepare(x, RS_SQL_SUPERSEDED, &stmt, err);
    if (st != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, (int64_t)ref->first);
    sqlite3_bind_int64(stmt, 2, (int64_t)(ref->first + ref->spans));
    while ((st = rs_db_step(stmt, &row, err)) == RS_OK && row)
        gone[(uint64_t)sqlite3_column_int64(stmt, 0) - ref->first] = true;
    return st;
}

/* Heads are read forwards and handed out backwards. */
static rs_status read_block(span_scan *t, const rs_block_ref *ref, rs_stored_span *spans, size_t *n,
                            rs_err *err) {
    bool more, *gone = rs_arena_zalloc(&t->arena, ref->spans, sizeof *gone);
    if (!gone) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    rs_status st = superseded(t->x, ref, gone, err);
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
    while (st == RS_OK && n-- > 0 && !t->done) {
        if (t->scan->depth == RS_READ_FULL)
            st = rs_view_keep(&t->x->view, &spans[n], RS_READ_FULL, &t->arena, err);
        if (st == RS_OK && !t->fn(t->ctx, (int64_t)spans[n].number, &spans[n].span)) t->done = true;
    }
    return st;
}

static rs_status next_blocks(span_scan *t, rs_block_ref refs[BLOCK_STEP], size_t *n, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    rs_status st = rs_index_prepare(t->x, RS_SQL_LAST_BLOCKS, &stmt, err);
    *n = 0;
    if (st != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, (int64_t)t->before);
    sqlite3_bind_int64(stmt, 2, BLOCK_STEP);
    while ((st = rs_db_step(stmt, &row, err)) == RS_OK && row) refs[(*n)++] = rs_index_block_ref(stmt);
    return st;
}

rs_status rs_store_scan_spans(rs_store *s, uint64_t project, const rs_span_scan *scan, rs_span_fn fn,
                              void *ctx, rs_err *err) {
    rs_partition *p;
    rs_block_ref refs[BLOCK_STEP];
    size_t n = BLOCK_STEP;
    span_scan t = {.scan = scan, .fn = fn, .ctx = ctx, .before = INT64_MAX};
    if (scan->has_before) t.before = scan->before > 0 ? (uint64_t)scan->before : 0;
    rs_status st = rs_store_find_partition(s, project, false, &p, err);
    if (st != RS_OK || !p || (st = rs_partition_borrow(p, &t.x, err)) != RS_OK) return st;
    while (st == RS_OK && !t.done && n == BLOCK_STEP) {
        st = next_blocks(&t, refs, &n, err);
        for (size_t i = 0; i < n && st == RS_OK && !t.done; i++) {
            rs_err trouble = {0};
            st = offer_block(&t, &refs[i], &trouble);
            if (st == RS_ERR_CORRUPT) rs_log("%s: left out of the list", trouble.message), st = RS_OK;
            else if (st != RS_OK) rs_fail(err, st, trouble.offset, "%s", trouble.message);
            t.before = refs[i].first;
            rs_arena_deinit(&t.arena);
        }
    }
    rs_partition_return(p, t.x);
    return st;
}
