#include "store/sqlite/rollup.h"
#include "base/log.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/summary.h"

#include <stdlib.h>

#define NS_PER_HOUR 3600000000000ull

/* log_type of a row that is of no kind */
enum { NO_KIND = 255 };

void rs_rollup_init(rs_rollup *r) { *r = (rs_rollup){0}; }

void rs_rollup_deinit(rs_rollup *r) {
    rs_intern_deinit(&r->numbers);
    rs_arena_deinit(&r->arena);
    rs_buf_deinit(&r->key);
    rs_buf_deinit(&r->latency);
    rs_buf_deinit(&r->ttft);
    rs_buf_deinit(&r->speed);
    free(r->changes);
    *r = (rs_rollup){0};
}

void rs_rollup_clear(rs_rollup *r) {
    rs_intern_clear(&r->numbers);
    rs_arena_deinit(&r->arena);
    r->failed = RS_OK;
}

/* ---- collecting ---------------------------------------------------------------------------------------- */

/* What a row is of. As bytes: of, log type, hour (8), length of the model, model, environment. */
typedef struct row_key {
    uint8_t of, log_type;
    uint64_t hour;
    rs_str model, environment;
} row_key;

static row_key without_kind(row_key k) { return (row_key){.of = k.of, .log_type = NO_KIND, .hour = k.hour}; }

static void put_key(rs_buf *b, row_key k) {
    if (k.model.n > RS_ROLLUP_NAME_MAX || k.environment.n > RS_ROLLUP_NAME_MAX) k = without_kind(k);
    rs_buf_clear(b);
    rs_buf_byte(b, k.of);
    rs_buf_byte(b, k.log_type);
    rs_wire_u64(b, k.hour);
    rs_wire_str(b, k.model);
    rs_buf_str(b, k.environment);
}

static row_key read_key(rs_str bytes) {
    rs_cursor c = rs_cursor_on(bytes);
    row_key k = {.of = rs_cursor_byte(&c)};
    k.log_type = rs_cursor_byte(&c);
    k.hour = rs_cursor_u64(&c);
    k.model = rs_cursor_str(&c);
    k.environment = rs_cursor_bytes(&c, rs_cursor_left(&c));
    return k;
}

static bool make_row(rs_rollup *r, uint32_t number) {
    if (number == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 64;
        rs_sums *changes = realloc(r->changes, cap * sizeof *changes);
        if (!changes) return false;
        r->changes = changes;
        r->cap = cap;
    }
    r->changes[number] = (rs_sums){0};
    r->numbers.items[number] = rs_arena_copy(&r->arena, rs_buf_slice(&r->key));
    return r->numbers.items[number].p != NULL;
}

static rs_sums *changes_of(rs_rollup *r, row_key k) {
    rs_intern *t = &r->numbers;
    if (r->failed != RS_OK) return NULL;
    put_key(&r->key, k);
    if (r->last < t->n && rs_str_eq(t->items[r->last], rs_buf_slice(&r->key))) return &r->changes[r->last];
    uint32_t before = t->n;
    r->last = rs_intern_put(t, rs_buf_slice(&r->key));
    if (t->failed != RS_OK || r->key.failed != RS_OK || (t->n > before && !make_row(r, r->last))) {
        r->failed = RS_ERR_MEMORY;
        return NULL;
    }
    return &r->changes[r->last];
}

void rs_rollup_add(rs_rollup *r, const rs_span *head, int sign) {
    const rs_facts *f = &head->facts;
    rs_sums *sums = changes_of(r, (row_key){.of = RS_OF_SPANS,
                                            .log_type = (uint8_t)f->log_type,
                                            .hour = head->start_ns / NS_PER_HOUR,
                                            .model = f->model,
                                            .environment = f->environment});
    if (sums) r->failed = rs_sums_add_span(sums, head, sign, &r->arena);
}

void rs_rollup_add_trace(rs_rollup *r, const rs_trace_row *row, int sign) {
    rs_sums *sums = changes_of(r, (row_key){.of = RS_OF_TRACES, .hour = row->start_ns / NS_PER_HOUR});
    if (sums) r->failed = rs_sums_add_trace(sums, row, sign, &r->arena);
}

/* ---- histograms as the table has them ------------------------------------------------------------------ */

/* Nothing, or the sum (8 bytes) and for each range that has any, in order, how far it is from the one before and its count
 * (zigzag). */
static void store(const rs_histogram *h, rs_buf *out) {
    uint32_t next = 0;
    rs_buf_clear(out);
    for (uint32_t i = 0; i < h->n; i++) {
        if (h->counts[i] == 0) continue;
        if (out->n == 0) rs_wire_double(out, h->sum);
        rs_wire_varint(out, h->from + i - next);
        rs_wire_zigzag(out, h->counts[i]);
        next = h->from + i + 1;
    }
}

/* One range after another; false at the end. */
typedef struct ranges {
    rs_cursor c;
    uint64_t range; /* the one at hand */
    int64_t count;
    bool started;
} ranges;

static bool next_range(ranges *r) {
    if (rs_cursor_left(&r->c) == 0) return false;
    r->range = r->range + r->started + rs_cursor_varint(&r->c);
    r->count = rs_cursor_zigzag(&r->c);
    r->started = true;
    if (r->range >= RS_HISTOGRAM_RANGES) rs_cursor_fail(&r->c);
    return !r->c.bad;
}

static ranges ranges_of(rs_str stored, double *sum) {
    ranges r = {.c = rs_cursor_on(stored)};
    *sum = stored.n ? rs_cursor_double(&r.c) : 0;
    return r;
}

/* Into counts, which has all ranges. */
static rs_status load(rs_str stored, int64_t counts[RS_HISTOGRAM_RANGES], rs_histogram *out) {
    double sum;
    ranges r = ranges_of(stored, &sum);
    *out = (rs_histogram){.sum = sum};
    while (next_range(&r)) {
        if (out->n == 0) out->from = (uint32_t)r.range;
        uint32_t n = (uint32_t)r.range - out->from + 1;
        memset(counts + out->n, 0, (n - out->n) * sizeof *counts);
        counts[n - 1] = r.count;
        out->n = n;
    }
    out->counts = counts;
    return r.c.bad ? RS_ERR_CORRUPT : RS_OK;
}

/* The sum of two stored histograms. What is stored and damaged counts for nothing. */
static void hist_add(sqlite3_context *context, int n, sqlite3_value **values) {
    enum { ENTRY_MAX = 2 * 10 };
    char bytes[8 + RS_HISTOGRAM_RANGES * ENTRY_MAX];
    rs_buf out = {
        .p = bytes, .cap = sizeof bytes, .limit = sizeof bytes}; /* that much fits: it never grows */
    double sum, other;
    (void)n;
    rs_str a = {sqlite3_value_blob(values[0]), (size_t)sqlite3_value_bytes(values[0])},
           b = {sqlite3_value_blob(values[1]), (size_t)sqlite3_value_bytes(values[1])};
    ranges x = ranges_of(a, &sum), y = ranges_of(b, &other);
    bool has_x = next_range(&x), has_y = next_range(&y);
    uint64_t next = 0;
    rs_wire_double(&out, sum + other);
    while (has_x || has_y) {
        uint64_t range = !has_y || (has_x && x.range < y.range) ? x.range : y.range;
        int64_t count = 0;
        if (has_x && x.range == range) count += x.count, has_x = next_range(&x);
        if (has_y && y.range == range) count += y.count, has_y = next_range(&y);
        if (count == 0) continue;
        rs_wire_varint(&out, range - next);
        rs_wire_zigzag(&out, count);
        next = range + 1;
    }
    if (out.n > 8) sqlite3_result_blob(context, out.p, (int)out.n, SQLITE_TRANSIENT);
    else sqlite3_result_null(context);
}

rs_status rs_rollup_register(sqlite3 *db, rs_err *err) {
    int rc =
        sqlite3_create_function_v2(db, "hist_add", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
                                   NULL, hist_add, NULL, NULL, NULL);
    return rc == SQLITE_OK ? RS_OK : rs_db_fail(db, rc, "cannot register a function", err);
}

/* ---- writing ------------------------------------------------------------------------------------------- */

static void bind_histogram(sqlite3_stmt *stmt, int at, const rs_histogram *h, rs_buf *scratch) {
    store(h, scratch);
    if (scratch->n) rs_db_bind_blob(stmt, at, scratch->p, scratch->n);
    else sqlite3_bind_null(stmt, at);
}

static rs_status run_on_row(rs_rollup *r, rs_index *x, rs_sql sql, const row_key *k, const rs_sums *s,
                            rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st = rs_index_prepare(x, sql, &stmt, err);
    if (st != RS_OK) return st;
    sqlite3_bind_int(stmt, 1, k->of);
    sqlite3_bind_int64(stmt, 2, (int64_t)k->hour);
    sqlite3_bind_int(stmt, 3, k->log_type);
    rs_db_bind_str(stmt, 4, k->model);
    rs_db_bind_str(stmt, 5, k->environment);
    sqlite3_bind_int64(stmt, 6, s->n);
    sqlite3_bind_int64(stmt, 7, s->calls);
    sqlite3_bind_int64(stmt, 8, s->errors);
    sqlite3_bind_int64(stmt, 9, s->prompt_tokens);
    sqlite3_bind_int64(stmt, 10, s->completion_tokens);
    sqlite3_bind_double(stmt, 11, s->cost);
    bind_histogram(stmt, 12, &s->latency, &r->latency);
    bind_histogram(stmt, 13, &s->ttft, &r->ttft);
    bind_histogram(stmt, 14, &s->speed, &r->speed);
    sqlite3_bind_int64(stmt, 15, s->cached_tokens);
    sqlite3_bind_int64(stmt, 16, s->reasoning_tokens);
    if (r->latency.failed != RS_OK || r->ttft.failed != RS_OK || r->speed.failed != RS_OK)
        return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory for rollups");
    return rs_db_run(stmt, err);
}

static rs_status count_rows(rs_index *x, int64_t *rows, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    rs_status st = rs_index_prepare(x, RS_SQL_COUNT_ROLLUPS, &stmt, err);
    if (st == RS_OK) st = rs_db_step(stmt, &row, err);
    if (st != RS_OK || !row) return st;
    *rows = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return RS_OK;
}

static rs_status write_row(rs_rollup *r, rs_index *x, row_key k, const rs_sums *s, int64_t *rows,
                           rs_err *err) {
    rs_status st = run_on_row(r, x, RS_SQL_ADD_ROLLUP, &k, s, err);
    if (st != RS_OK || sqlite3_changes(x->db) > 0) return st;
    if (*rows < 0 && (st = count_rows(x, rows, err)) != RS_OK) return st;
    if (*rows >= RS_ROLLUP_ROWS_MAX && k.of == RS_OF_SPANS && k.log_type != NO_KIND)
        return write_row(r, x, without_kind(k), s, rows, err);
    ++*rows;
    return run_on_row(r, x, RS_SQL_NEW_ROLLUP, &k, s, err);
}

rs_status rs_rollup_write(rs_rollup *r, rs_index *x, int64_t *rows, rs_err *err) {
    if (r->failed != RS_OK) return rs_fail(err, r->failed, 0, "out of memory for rollups");
    rs_status st = RS_OK;
    for (uint32_t i = 0; i < r->numbers.n && st == RS_OK; i++)
        st = write_row(r, x, read_key(r->numbers.items[i]), &r->changes[i], rows, err);
    return st;
}

/* ---- reading ------------------------------------------------------------------------------------------- */

enum {
    AT_HOUR,
    AT_LOG_TYPE,
    AT_MODEL,
    AT_ENVIRONMENT,
    AT_N,
    AT_CALLS,
    AT_ERRORS,
    AT_PROMPT_TOKENS,
    AT_COMPLETION_TOKENS,
    AT_COST,
    AT_LATENCY,
    AT_TTFT,
    AT_SPEED,
    AT_CACHED_TOKENS,
    AT_REASONING_TOKENS,
};

static rs_hour_row row_at(sqlite3_stmt *stmt, rs_of of) {
    int log_type = sqlite3_column_int(stmt, AT_LOG_TYPE);
    return (rs_hour_row){
        .hour = (uint64_t)sqlite3_column_int64(stmt, AT_HOUR),
        .has_kind = of == RS_OF_SPANS && log_type >= 0 && log_type < RS_LOG_TYPE_COUNT,
        .log_type = (rs_log_type)log_type,
        .model = rs_db_column_str(stmt, AT_MODEL),
        .environment = rs_db_column_str(stmt, AT_ENVIRONMENT),
        .sums = {.n = sqlite3_column_int64(stmt, AT_N),
                 .calls = sqlite3_column_int64(stmt, AT_CALLS),
                 .errors = sqlite3_column_int64(stmt, AT_ERRORS),
                 .prompt_tokens = sqlite3_column_int64(stmt, AT_PROMPT_TOKENS),
                 .completion_tokens = sqlite3_column_int64(stmt, AT_COMPLETION_TOKENS),
                 .cached_tokens = sqlite3_column_int64(stmt, AT_CACHED_TOKENS),
                 .reasoning_tokens = sqlite3_column_int64(stmt, AT_REASONING_TOKENS),
                 .cost = sqlite3_column_double(stmt, AT_COST)},
    };
}

rs_status rs_rollup_scan(rs_index *x, const rs_hour_scan *scan, rs_hour_fn fn, void *ctx, bool *stopped,
                         rs_err *err) {
    int64_t latency[RS_HISTOGRAM_RANGES], ttft[RS_HISTOGRAM_RANGES], speed[RS_HISTOGRAM_RANGES];
    sqlite3_stmt *stmt;
    bool found = false;
    rs_status st = rs_index_prepare(x, RS_SQL_ROLLUPS, &stmt, err);
    if (st != RS_OK) return st;
    sqlite3_bind_int(stmt, 1, (int)scan->of);
    sqlite3_bind_int64(stmt, 2, scan->first > INT64_MAX ? INT64_MAX : (int64_t)scan->first);
    sqlite3_bind_int64(stmt, 3, scan->last > INT64_MAX ? INT64_MAX : (int64_t)scan->last);
    while (!*stopped && (st = rs_db_step(stmt, &found, err)) == RS_OK && found) {
        rs_hour_row row = row_at(stmt, scan->of);
        if (scan->has_histograms) {
            st = load(rs_db_column_str(stmt, AT_LATENCY), latency, &row.sums.latency);
            if (st == RS_OK) st = load(rs_db_column_str(stmt, AT_TTFT), ttft, &row.sums.ttft);
            if (st == RS_OK) st = load(rs_db_column_str(stmt, AT_SPEED), speed, &row.sums.speed);
            if (st != RS_OK) {
                st = rs_fail(err, st, 0, "%s: a rollup's histogram is malformed",
                             sqlite3_db_filename(x->db, "main"));
                break;
            }
        }
        *stopped = !fn(ctx, &row);
    }
    sqlite3_reset(stmt);
    return st;
}

/* ---- making the table anew ----------------------------------------------------------------------------- */

static rs_status add_block(rs_rollup *r, rs_index *x, const rs_block_ref *ref, rs_err *err) {
    rs_stored_span s;
    rs_err why = {0};
    bool more = true, *gone = calloc((size_t)ref->spans + 1, sizeof *gone);
    if (!gone) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    rs_status st = rs_index_superseded(x, ref, gone, err);
    if (st == RS_OK) {
        st = rs_view_open(&x->view, ref, RS_READ_HEADS, &why);
        while (st == RS_OK && (st = rs_view_next(&x->view, &s, &more, &why)) == RS_OK && more)
            if (!gone[s.number - ref->first]) rs_rollup_add(r, &s.span, 1);
        if (st == RS_ERR_CORRUPT) rs_log("%s: left out of the rollups", why.message), st = RS_OK;
        else if (st != RS_OK) rs_fail(err, st, why.offset, "%s", why.message);
    }
    free(gone);
    return st;
}

/* Each block is added before the next, so memory does not grow with the partition. */
static rs_status add_blocks(rs_rollup *r, rs_index *x, int64_t *rows, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    rs_status st = rs_index_prepare(x, RS_SQL_ALL_BLOCKS, &stmt, err);
    while (st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_block_ref ref = rs_index_block_ref(stmt);
        st = add_block(r, x, &ref, err);
        if (st == RS_OK) st = rs_rollup_write(r, x, rows, err);
        rs_rollup_clear(r);
    }
    if (stmt) sqlite3_reset(stmt);
    return st;
}

static rs_status add_traces(rs_rollup *r, rs_index *x, int64_t *rows, rs_err *err) {
    enum { TOGETHER = 4096 };
    sqlite3_stmt *stmt;
    bool row = false;
    rs_summary s;
    rs_summary_init(&s);
    rs_status st = rs_index_prepare(x, RS_SQL_TRACES_OLDEST, &stmt, err);
    if (st == RS_OK) {
        sqlite3_bind_int64(stmt, 1, INT64_MIN);
        sqlite3_bind_int64(stmt, 2, INT64_MAX);
        sqlite3_bind_int64(stmt, 3, -1); /* no limit */
    }
    for (size_t n = 1; st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row; n++) {
        if (!rs_summary_load(&s, stmt, NULL)) st = rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
        else rs_rollup_add_trace(r, &s.row, 1);
        if (n % TOGETHER != 0) continue;
        if (st == RS_OK) st = rs_rollup_write(r, x, rows, err);
        rs_rollup_clear(r);
    }
    if (st == RS_OK) st = rs_rollup_write(r, x, rows, err);
    if (stmt) sqlite3_reset(stmt);
    rs_summary_deinit(&s);
    return st;
}

rs_status rs_rollup_make(rs_index *x, rs_err *err) {
    rs_rollup r;
    int64_t rows = 0;
    rs_rollup_init(&r);
    rs_status st = rs_index_run(x, RS_SQL_DROP_ROLLUPS, err);
    if (st == RS_OK) st = add_blocks(&r, x, &rows, err);
    if (st == RS_OK) st = add_traces(&r, x, &rows, err);
    rs_rollup_deinit(&r);
    return st;
}
