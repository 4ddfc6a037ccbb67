/* Going through traces in order, in steps: no read snapshot lasts longer than TRACE_STEP rows. */
#include "store/sqlite/rollup.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/summary.h"
#include "store/sqlite/tag.h"
#include "store/sqlite/tag_cursor.h"

#include <stdlib.h>

enum { TRACE_STEP = 128 };

typedef rs_key_range range; /* what may still come */

rs_status rs_index_trace_row(rs_index *x, sqlite3_stmt *stmt, rs_trace_row *row, rs_err *err) {
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

/* A trace's key is never before its start in µs, and at most `skew` behind it. */
rs_key_range rs_scan_keys(const rs_trace_scan *scan, int64_t skew) {
    rs_key_range r = {INT64_MIN, INT64_MAX};
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

/* What a scan asks of tags, the same for all partitions. */
typedef struct tag_plan {
    size_t ntags, ngroups;
    int64_t *hashes;            /* by number of the tag */
    const rs_tag_group *groups; /* the scan's, or one for each tag */
    rs_tag_group *made;         /* owned, with the rest below */
    uint16_t *numbers;
    uint64_t *bits; /* of the row being handed out; NULL: nobody asks */
} tag_plan;

/* Going through one partition. */
typedef struct trace_scan {
    rs_partition *p;
    rs_index *x;     /* borrowed once it is needed … */
    bool is_reading; /* … and in a transaction: to begin one for each row costs as much as the row */
    unsigned rows;   /* looked at in it */
    const rs_trace_scan *scan;
    const tag_plan *plan;
    rs_tag_cursor *cursors; /* one a tag, from the first look on */
    rs_trace_fn fn;
    void *ctx;
    range keys;   /* what may still come */
    int64_t next; /* no row comes before it; it is one if `is_exact` */
    bool is_exact, done;
    int64_t skew;
    bool *stopped; /* the caller has enough */
} trace_scan;

static bool is_before(const trace_scan *t, int64_t a, int64_t b) {
    return t->scan->oldest_first ? a < b : a > b;
}

/* ---- tags ---------------------------------------------------------------------------------------------- */

static void plan_deinit(tag_plan *plan) {
    free(plan->hashes);
    free(plan->made);
    free(plan->numbers);
    free(plan->bits);
}

static rs_status plan_init(tag_plan *plan, const rs_trace_scan *scan, rs_err *err) {
    size_t n = scan->ntags;
    *plan = (tag_plan){.ntags = n, .ngroups = scan->ngroups, .groups = scan->groups};
    if (n == 0) return RS_OK;
    if (n > RS_SCAN_TAGS_MAX) return rs_fail(err, RS_ERR_TOO_LARGE, 0, "more than %d tags", RS_SCAN_TAGS_MAX);
    bool ok = (plan->hashes = calloc(n, sizeof *plan->hashes)) != NULL;
    if (scan->groups) {
        ok = ok && (plan->bits = calloc(n / 64 + 1, sizeof *plan->bits)) != NULL;
    } else {
        ok = ok && (plan->made = calloc(n, sizeof *plan->made)) != NULL &&
             (plan->numbers = calloc(n, sizeof *plan->numbers)) != NULL;
        plan->groups = plan->made;
        plan->ngroups = n;
    }
    for (size_t i = 0; ok && i < n; i++) {
        plan->hashes[i] = rs_tag_hash(scan->tags[i].key, scan->tags[i].value);
        if (!plan->made) continue;
        plan->numbers[i] = (uint16_t)i;
        plan->made[i] = (rs_tag_group){&plan->numbers[i], 1};
    }
    return ok ? RS_OK : rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
}

static void close_cursors(trace_scan *t) {
    for (size_t i = 0; t->cursors && i < t->plan->ntags; i++) rs_tag_cursor_close(&t->cursors[i]);
    free(t->cursors);
    t->cursors = NULL;
}

static void end_reading(trace_scan *t) {
    rs_err ignored = {0};
    if (t->is_reading && !sqlite3_get_autocommit(t->x->db))
        (void)!rs_index_run(t->x, RS_SQL_COMMIT, &ignored);
    t->is_reading = false;
    t->rows = 0;
}

static rs_status borrow(trace_scan *t, rs_err *err) {
    size_t n = t->plan->ntags;
    rs_status st = t->x ? RS_OK : rs_partition_borrow(t->p, &t->x, err);
    if (st == RS_OK && ++t->rows > TRACE_STEP) end_reading(t);
    if (st == RS_OK && !t->is_reading) {
        st = rs_index_run(t->x, RS_SQL_BEGIN_READ, err);
        t->is_reading = st == RS_OK;
    }
    if (st != RS_OK || n == 0 || t->cursors) return st;
    t->cursors = calloc(n, sizeof *t->cursors);
    if (!t->cursors) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    for (size_t i = 0; i < n; i++) {
        t->cursors[i].hash = t->plan->hashes[i];
        t->cursors[i].oldest_first = t->scan->oldest_first;
    }
    return RS_OK;
}

/* The first key in the range that has that tag. */
static rs_status seek_tag(trace_scan *t, size_t tag, const range *keys, int64_t *key, bool *found,
                          rs_err *err) {
    bool oldest = t->scan->oldest_first;
    return rs_tag_cursor_seek(&t->cursors[tag], t->x, oldest ? keys->low : keys->high,
                              oldest ? keys->high : keys->low,
                              __atomic_load_n(&t->p->tag_spread, __ATOMIC_ACQUIRE), key, found, err);
}

/* The first that has any tag of the group. */
static rs_status seek_group(trace_scan *t, const rs_tag_group *group, const range *keys, int64_t *key,
                            bool *found, rs_err *err) {
    rs_status st = RS_OK;
    *found = false;
    for (size_t i = 0; i < group->n && st == RS_OK; i++) {
        int64_t at = 0;
        bool has = false;
        st = seek_tag(t, group->items[i], keys, &at, &has, err);
        if (has && (!*found || is_before(t, at, *key))) *key = at, *found = true;
    }
    return st;
}

/* Which of the scan's tags the trace has. Keys are asked for in the order of the scan. */
static rs_status ask_tags(trace_scan *t, int64_t key, rs_trace_row *row, rs_err *err) {
    rs_status st = RS_OK;
    range keys = t->keys;
    row->tags = t->plan->bits;
    if (!row->tags) return st;
    if (t->scan->oldest_first) keys.low = key;
    else keys.high = key;
    memset(t->plan->bits, 0, (t->plan->ntags / 64 + 1) * sizeof *t->plan->bits);
    for (size_t i = 0; i < t->plan->ntags && st == RS_OK; i++) {
        int64_t at = 0;
        bool has = false;
        st = seek_tag(t, i, &keys, &at, &has, err);
        if (has && at == key) t->plan->bits[i / 64] |= 1ull << i % 64;
    }
    return st;
}

/* ---- rows ---------------------------------------------------------------------------------------------- */

static rs_status offer_row(trace_scan *t, rs_trace_row *row, rs_err *err) {
    rs_status st = RS_OK;
    bool wanted = rs_in_window(row->start_ns, t->scan->start_min_ns, t->scan->start_max_ns);
    if (wanted) st = ask_tags(t, row->key, row, err);
    if (!advance(&t->keys, t->scan->oldest_first, row->key)) t->done = true;
    if (st == RS_OK && wanted && !t->fn(t->ctx, row)) t->done = *t->stopped = true;
    return st;
}

/* Hands the statement's row out if it is in the window. */
static rs_status offer(trace_scan *t, sqlite3_stmt *stmt, rs_err *err) {
    rs_trace_row row;
    rs_status st = rs_index_trace_row(t->x, stmt, &row, err);
    return st == RS_OK ? offer_row(t, &row, err) : st;
}

/* The same of a statement that gives key and start. */
static rs_status offer_key(trace_scan *t, sqlite3_stmt *stmt, rs_err *err) {
    rs_trace_row row = {.key = sqlite3_column_int64(stmt, 0),
                        .start_ns = (uint64_t)sqlite3_column_int64(stmt, 1)};
    return offer_row(t, &row, err);
}

/* Whether a key alone tells that the trace's start is in the window. */
static bool is_inside(const trace_scan *t, int64_t key) {
    int64_t edge;
    const rs_trace_scan *s = t->scan;
    if (s->start_max_ns && key >= (int64_t)(s->start_max_ns / 1000)) return false;
    if (s->start_min_ns == 0) return true;
    return !__builtin_add_overflow((int64_t)(s->start_min_ns / 1000), t->skew, &edge) && key > edge;
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

/* The next key that has a tag of every group. Each group in turn leaps to the first key that it has at or behind the
 * candidate, so the rarest one sets the pace without anybody counting. */
static rs_status leap(trace_scan *t, int64_t *key, bool *found, rs_err *err) {
    range keys = t->keys;
    size_t agreed = 0;
    rs_status st = RS_OK;
    if (t->plan->ngroups == 0) return seek(t, &keys, key, found, err);
    for (size_t i = 0; agreed < t->plan->ngroups; i = (i + 1) % t->plan->ngroups) {
        int64_t at = 0;
        st = seek_group(t, &t->plan->groups[i], &keys, &at, found, err);
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
    static const rs_sql sql[2][2] = {{RS_SQL_TRACES_NEWEST, RS_SQL_TRACES_OLDEST},
                                     {RS_SQL_KEYS_NEWEST, RS_SQL_KEYS_OLDEST}};
    bool alone = t->scan->keys_only;
    t->rows += TRACE_STEP;
    rs_status st = rs_index_prepare(t->x, sql[alone][t->scan->oldest_first], &stmt, err);
    if (st != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, keys.low);
    sqlite3_bind_int64(stmt, 2, keys.high);
    sqlite3_bind_int64(stmt, 3, TRACE_STEP);
    while (!t->done && (st = rs_db_step(stmt, &row, err)) == RS_OK && row)
        if ((st = alone ? offer_key(t, stmt, err) : offer(t, stmt, err)) != RS_OK) break;
    sqlite3_reset(stmt);
    return st;
}

/* Hands out the one that look_ahead found. */
static rs_status step_tags(trace_scan *t, rs_err *err) {
    sqlite3_stmt *stmt;
    bool found = false;
    if (t->scan->keys_only && is_inside(t, t->next)) {
        rs_trace_row row = {.key = t->next, .start_ns = t->scan->start_min_ns};
        return offer_row(t, &row, err);
    }
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
        st = t->plan->ngroups ? step_tags(t, err) : step_all(t, limit, err);
        if (t->done) {
            close_cursors(t);
            end_reading(t);
        }
        t->is_exact = false; /* what comes next is not before what is left of its range */
        t->next = t->scan->oldest_first ? t->keys.low : t->keys.high;
    }
    return st;
}

/* A trace's key is at most `skew` behind its start: of any partition, since the window is one. */
int64_t rs_partition_set_skew(const rs_partition_set *set) {
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
    int64_t skew = rs_partition_set_skew(set);
    range keys = rs_scan_keys(scan, skew);
    tag_plan plan = {0};
    st = each ? plan_init(&plan, scan, err) : rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    for (size_t i = 0; each && i < set->n; i++) {
        each[i] = (trace_scan){.p = set->items[i],
                               .scan = scan,
                               .plan = &plan,
                               .fn = fn,
                               .ctx = ctx,
                               .keys = keys,
                               .skew = skew,
                               .stopped = &stopped};
        expect_first(&each[i]);
    }
    if (st == RS_OK) st = merge(each, set->n, &stopped, err);
    for (size_t i = 0; each && i < set->n; i++) {
        close_cursors(&each[i]);
        end_reading(&each[i]);
        if (each[i].x) rs_partition_return(each[i].p, each[i].x);
    }
    free(each);
    plan_deinit(&plan);
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
        if (st == RS_OK && !found) st = RS_ERR_NOT_FOUND;
        if (st == RS_OK && (st = rs_index_trace_row(x, stmt, &row, err)) == RS_OK) fn(ctx, &row);
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
    if (!p) return rs_fail(err, RS_ERR_NOT_FOUND, 0, "no such trace");
    uint64_t hash = rs_bloom_hash_id(trace_id);
    const rs_partition_set *set = rs_project_data_hold(p);
    st = RS_ERR_NOT_FOUND;
    for (size_t i = set->n; st == RS_ERR_NOT_FOUND && i-- > 0;)
        if (rs_bloom_may_have(&set->items[i]->traces, hash))
            st = get_from(set->items[i], trace_id, fn, ctx, err);
    rs_project_data_let_go(p, set);
    return st == RS_ERR_NOT_FOUND ? rs_fail(err, st, 0, "no such trace") : st;
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
