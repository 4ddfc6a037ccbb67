/* Going through spans in order of arrival, newest first, in steps: no read snapshot lasts longer than one step, however slow
 * the callback. */
#include "base/log.h"
#include "store/sqlite/trace_home.h"

#include <stdlib.h>

enum { BLOCK_STEP = 32 };

typedef struct span_scan {
    rs_partition *p;
    rs_index *x;   /* borrowed once it is needed */
    int64_t trace; /* key of the scan's, if it is of one */
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
static rs_status read_block(span_scan *t, const rs_block_ref *ref, rs_read_depth depth, rs_stored_span *spans,
                            size_t *n, rs_err *err) {
    bool more, *gone = rs_arena_zalloc(&t->arena, ref->spans, sizeof *gone);
    if (!gone) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    rs_status st = rs_index_superseded(t->x, ref, gone, err);
    if (st == RS_OK) st = rs_view_open(&t->x->view, ref, depth, err);
    while (st == RS_OK && (st = rs_view_next(&t->x->view, &spans[*n], &more, err)) == RS_OK && more) {
        const rs_stored_span *s = &spans[*n];
        if (s->number >= t->before || gone[s->number - ref->first]) continue;
        if (t->scan->trace_id && memcmp(s->span.trace_id, t->scan->trace_id, 16) != 0) continue;
        if (rs_in_window(s->span.start_ns, t->scan->start_min_ns, t->scan->start_max_ns)) ++*n;
    }
    return st;
}

rs_read_depth rs_span_scan_depth(rs_view *v, const rs_span_scan *s, const rs_block_ref *ref) {
    bool all = s->nphrases > 0;
    for (size_t i = 0; i < s->nphrases && all; i++) all = rs_view_may_say(v, ref, s->phrases[i]);
    rs_read_depth depth = all ? RS_READ_FULL : s->depth;
    if (s->in_full) *s->in_full = depth == RS_READ_FULL;
    return depth;
}

bool rs_span_scan_needs(const rs_view *v, const rs_span_scan *s, const rs_extent *extent) {
    bool needs = s->depth == RS_READ_FULL;
    for (size_t i = 0; i < s->nphrases && !needs; i++) needs = rs_view_span_may_say(v, extent, s->phrases[i]);
    return needs;
}

static rs_status offer_block(span_scan *t, const rs_block_ref *ref, rs_err *err) {
    size_t n = 0;
    if (ref->max_start < t->scan->start_min_ns ||
        (t->scan->start_max_ns && ref->min_start >= t->scan->start_max_ns))
        return RS_OK;
    rs_read_depth depth = rs_span_scan_depth(&t->x->view, t->scan, ref);
    rs_stored_span *spans = rs_arena_zalloc(&t->arena, (size_t)ref->spans + 1, sizeof *spans);
    rs_status st =
        spans ? read_block(t, ref, depth, spans, &n, err) : rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    while (st == RS_OK && n-- > 0 && !*t->stopped) {
        if (depth == RS_READ_FULL && rs_span_scan_needs(&t->x->view, t->scan, &spans[n].extent))
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
    bool of_one = t->scan->trace_id != NULL;
    rs_status st = rs_index_prepare(t->x, of_one ? RS_SQL_LAST_TRACE_BLOCKS : RS_SQL_LAST_BLOCKS, &stmt, err);
    *n = 0;
    if (st != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, (int64_t)t->before);
    sqlite3_bind_int64(stmt, 2, (int64_t)limit);
    sqlite3_bind_int64(stmt, 3, BLOCK_STEP);
    if (of_one) sqlite3_bind_int64(stmt, 4, t->trace);
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
    t->done = n == 0 && t->scan->trace_id;
    return st;
}

/* Of one trace: all of its blocks are in one partition. */
static rs_status scan_one(const rs_partition_set *set, span_scan *t, rs_err *err) {
    rs_trace_home at;
    rs_err why = {0};
    rs_status st = rs_trace_home_find(set, t->scan->trace_id, &at, &why);
    if (st == RS_ERR_NOT_FOUND) return RS_OK;
    if (st != RS_OK) return rs_fail(err, st, why.offset, "%s", why.message);
    t->p = at.p;
    t->x = at.x;
    t->trace = at.key;
    while (st == RS_OK && !*t->stopped && !t->done) st = step_spans(t, 0, err);
    rs_partition_return(at.p, at.x);
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

/* Of any: where the next one is, whichever partition that is. */
static rs_status scan_all(const rs_partition_set *set, const span_scan *like, rs_err *err) {
    uint64_t limit;
    rs_status st = RS_OK;
    span_scan *each = calloc(set->n ? set->n : 1, sizeof *each);
    if (!each) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    for (size_t i = 0; i < set->n; i++) {
        uint64_t end = __atomic_load_n(&set->items[i]->span_end, __ATOMIC_ACQUIRE);
        each[i] = *like;
        each[i].p = set->items[i];
        each[i].before = each[i].next = end < like->before ? end : like->before;
    }
    for (span_scan *t; st == RS_OK && !*like->stopped && (t = latest_of(each, set->n, &limit)) != NULL;)
        st = t->is_exact ? step_spans(t, limit, err) : look_for_block(t, err);
    for (size_t i = 0; i < set->n; i++)
        if (each[i].x) rs_partition_return(each[i].p, each[i].x);
    free(each);
    return st;
}

rs_status rs_store_scan_spans(rs_store *s, uint64_t project, const rs_span_scan *scan, rs_span_fn fn,
                              void *ctx, rs_err *err) {
    rs_project_data *p;
    bool stopped = false;
    span_scan t = {.scan = scan, .fn = fn, .ctx = ctx, .before = INT64_MAX, .stopped = &stopped};
    if (scan->has_before) t.before = scan->before > 0 ? (uint64_t)scan->before : 0;
    rs_status st = rs_store_find_project(s, project, false, &p, err);
    if (st != RS_OK || !p) return st;
    const rs_partition_set *set = rs_project_data_hold(p);
    st = scan->trace_id ? scan_one(set, &t, err) : scan_all(set, &t, err);
    rs_project_data_let_go(p, set);
    return st;
}
