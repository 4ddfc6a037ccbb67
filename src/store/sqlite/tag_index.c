#include "store/sqlite/tag_index.h"
#include "store/sqlite/tag_recent.h"
#include "store/sqlite/wire.h"

#include <stdlib.h>

enum { KEYS_MAX = 1024 /* of a row */ };

rs_tag_keys rs_tag_keys_of(sqlite3_stmt *stmt) {
    return (rs_tag_keys){sqlite3_column_int64(stmt, 0), rs_cursor_on(rs_db_column_str(stmt, 2))};
}

bool rs_tag_keys_previous(rs_tag_keys *row) {
    if (rs_cursor_left(&row->rest) == 0) return false;
    row->key -= (int64_t)rs_cursor_varint(&row->rest);
    return !row->rest.bad;
}

static int64_t first_of(sqlite3_stmt *stmt) {
    return sqlite3_column_int64(stmt, 0) - sqlite3_column_int64(stmt, 1);
}

/* ---- asking -------------------------------------------------------------------------------------------- */

/* The greatest key of the row up to `high`. */
static bool greatest_to(sqlite3_stmt *stmt, int64_t high, int64_t *key) {
    rs_tag_keys k = rs_tag_keys_of(stmt);
    if (first_of(stmt) > high) return false;
    while (k.key > high)
        if (!rs_tag_keys_previous(&k)) return false;
    *key = k.key;
    return true;
}

/* The smallest key of the row from `low` on; its last one is not before. */
static int64_t smallest_from(sqlite3_stmt *stmt, int64_t low) {
    if (first_of(stmt) >= low) return first_of(stmt);
    rs_tag_keys k = rs_tag_keys_of(stmt);
    int64_t found = k.key;
    while (rs_tag_keys_previous(&k) && k.key >= low) found = k.key;
    return found;
}

static int64_t add(int64_t a, int64_t b) {
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static rs_status seek_newest(sqlite3_stmt *stmt, int64_t low, int64_t high, int64_t *key, bool *found,
                             rs_err *err) {
    bool row;
    rs_status st;
    while ((st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        int64_t last = sqlite3_column_int64(stmt, 0), at;
        if (greatest_to(stmt, high, &at) && at >= low && (!*found || at > *key)) *key = at, *found = true;
        if (last <= high) break; /* all others end before */
    }
    sqlite3_reset(stmt);
    return st;
}

static rs_status seek_oldest(sqlite3_stmt *stmt, int64_t low, int64_t high, int64_t spread, int64_t *key,
                             bool *found, rs_err *err) {
    bool row;
    rs_status st;
    while ((st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        int64_t last = sqlite3_column_int64(stmt, 0);
        if (last > add(*found ? *key : high, spread)) break; /* all others begin behind */
        int64_t at = smallest_from(stmt, low);
        if (at <= high && (!*found || at < *key)) *key = at, *found = true;
    }
    sqlite3_reset(stmt);
    return st;
}

rs_status rs_tag_seek(rs_index *x, int64_t hash, int64_t low, int64_t high, bool oldest, int64_t spread,
                      int64_t *key, bool *found, rs_err *err) {
    sqlite3_stmt *stmt;
    *found = false;
    rs_status st = rs_index_prepare(x, oldest ? RS_SQL_TAG_OLDEST : RS_SQL_TAG_NEWEST, &stmt, err);
    if (st != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, hash);
    sqlite3_bind_int64(stmt, 2, low);
    sqlite3_bind_int64(stmt, 3, add(high, spread));
    return oldest ? seek_oldest(stmt, low, high, spread, key, found, err)
                  : seek_newest(stmt, low, high, key, found, err);
}

static void halve(rs_tag_tally *t) {
    for (unsigned i = 0; i < t->nmarks; i++) {
        if (i % 2) t->marks[i / 2].n += t->marks[i].n;
        else t->marks[i / 2] = t->marks[i];
    }
    t->nmarks = (t->nmarks + 1) / 2;
    t->rows_a_mark *= 2;
}

/* The i-th row, counted from 0. */
static void mark(rs_tag_tally *t, size_t i, int64_t last, uint64_t n) {
    t->keys += n;
    if (t->nmarks == RS_TAG_MARKS && i % t->rows_a_mark == 0) halve(t);
    if (i % t->rows_a_mark == 0) t->marks[t->nmarks++] = (struct rs_tag_mark){last, n};
    else t->marks[t->nmarks - 1].n += n;
}

/* How many of the row's keys are in [low, high]; of one that is in part, about. */
static uint64_t keys_within(sqlite3_stmt *stmt, int64_t low, int64_t high) {
    int64_t first = first_of(stmt), last = sqlite3_column_int64(stmt, 0);
    double n = (double)sqlite3_column_int64(stmt, 2), reach = (double)last - (double)first + 1;
    int64_t from = first > low ? first : low, to = last < high ? last : high;
    if (from > to) return 0;
    return (uint64_t)(n * (((double)to - (double)from + 1) / reach) + 0.5);
}

static rs_status tally_settled(rs_index *x, int64_t hash, int64_t low, int64_t high, int64_t spread,
                               rs_tag_tally *tally, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    size_t rows = 0, marked = tally->nmarks;
    rs_status st = rs_index_prepare(x, RS_SQL_TAG_TALLY, &stmt, err);
    if (st != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, hash);
    sqlite3_bind_int64(stmt, 2, low);
    sqlite3_bind_int64(stmt, 3, add(high, spread));
    sqlite3_bind_int64(stmt, 4, tally->most ? (int64_t)tally->most : -1);
    while ((st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rows++;
        tally->edge = sqlite3_column_int64(stmt, 0);
        uint64_t n = keys_within(stmt, low, high);
        if (n > 0) mark(tally, marked++, tally->edge, n);
    }
    sqlite3_reset(stmt);
    tally->is_complete = rows < tally->most || tally->most == 0;
    return st;
}

rs_status rs_tag_tally_make(rs_index *x, int64_t hash, int64_t low, int64_t high, int64_t spread,
                            rs_tag_tally *tally, rs_err *err) {
    rs_recent_keys recent = {0};
    int64_t key, last = 0;
    uint64_t n = 0;
    *tally = (rs_tag_tally){.most = tally->most, .rows_a_mark = 1};
    rs_status st = rs_tag_recent_find(x, hash, &recent, err);
    for (size_t i = 0; i < recent.n && st == RS_OK; i++) {
        bool has = false;
        int64_t at = recent.items[i].key;
        if (at < low || at > high) continue;
        if (recent.items[i].may_exist)
            st = rs_tag_seek(x, hash, at, at, false, RS_TAG_SPREAD_MAX, &key, &has, err);
        if (!has) n++, last = at;
    }
    free(recent.items);
    if (st == RS_OK && n > 0) mark(tally, 0, last, n);
    return st == RS_OK ? tally_settled(x, hash, low, high, spread, tally, err) : st;
}

rs_status rs_tag_count(rs_index *x, int64_t hash, uint64_t *out, rs_err *err) {
    rs_tag_tally tally = {0};
    *out = 0;
    rs_status st = rs_index_run(x, RS_SQL_BEGIN_READ, err);
    if (st != RS_OK) return st;
    st = rs_tag_tally_make(x, hash, INT64_MIN, INT64_MAX, 0, &tally, err);
    *out = tally.keys;
    rs_status ended = rs_index_run(x, RS_SQL_COMMIT, err);
    return st != RS_OK ? st : ended;
}

/* The first of the sorted keys that is not before `key`. */
static size_t lower_bound(const int64_t *sorted, size_t n, int64_t key) {
    size_t low = 0;
    while (low < n) {
        size_t middle = low + (n - low) / 2;
        if (sorted[middle] < key) low = middle + 1;
        else n = middle;
    }
    return low;
}

rs_status rs_tag_find_keys(rs_index *x, const int64_t *sorted, size_t n, rs_tag_fn fn, void *ctx,
                           rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    rs_status st = rs_index_prepare(x, RS_SQL_EVERY_TAG, &stmt, err);
    while (st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        size_t at = lower_bound(sorted, n, first_of(stmt));
        rs_tag_keys k = rs_tag_keys_of(stmt);
        if (at == n || sorted[at] > k.key) continue; /* most rows are of other times */
        do {
            at = lower_bound(sorted, n, k.key);
            if (at < n && sorted[at] == k.key) st = fn(ctx, sqlite3_column_int64(stmt, 3), k.key, err);
        } while (st == RS_OK && rs_tag_keys_previous(&k));
    }
    if (st != RS_OK) sqlite3_reset(stmt);
    return st;
}

/* ---- writing ------------------------------------------------------------------------------------------- */

static rs_status put_row(rs_index *x, int64_t hash, const int64_t *sorted, size_t n, rs_buf *scratch,
                         rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st = rs_index_prepare(x, RS_SQL_ADD_TAG, &stmt, err);
    if (st != RS_OK) return st;
    rs_buf_clear(scratch);
    for (size_t i = n - 1; i > 0; i--) rs_wire_varint(scratch, (uint64_t)(sorted[i] - sorted[i - 1]));
    if (rs_buf_status(scratch) != RS_OK) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory for tags");
    sqlite3_bind_int64(stmt, 1, hash);
    sqlite3_bind_int64(stmt, 2, sorted[n - 1]);
    sqlite3_bind_int64(stmt, 3, sorted[n - 1] - sorted[0]);
    sqlite3_bind_int64(stmt, 4, (int64_t)n);
    if (n > 1) rs_db_bind_blob(stmt, 5, scratch->p, scratch->n);
    else sqlite3_bind_null(stmt, 5);
    return rs_db_run(stmt, err);
}

rs_status rs_tag_put(rs_index *x, int64_t hash, const int64_t *sorted, size_t n, rs_buf *scratch,
                     int64_t *spread, rs_err *err) {
    rs_status st = RS_OK;
    for (size_t from = 0, end; from < n && st == RS_OK; from = end) {
        for (end = from + 1;
             end < n && end - from < KEYS_MAX && sorted[end] - sorted[from] <= RS_TAG_SPREAD_MAX;)
            end++;
        st = put_row(x, hash, sorted + from, end - from, scratch, err);
        if (sorted[end - 1] - sorted[from] > *spread) *spread = sorted[end - 1] - sorted[from];
    }
    return st;
}

/* The keys of the row that has this one; n 0: none has. */
static rs_status find_row(rs_index *x, int64_t hash, int64_t key, int64_t spread, int64_t *out, size_t *n,
                          rs_err *err) {
    sqlite3_stmt *stmt;
    bool row, has = false;
    rs_status st = rs_index_prepare(x, RS_SQL_TAG_OLDEST, &stmt, err);
    *n = 0;
    if (st != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, hash);
    sqlite3_bind_int64(stmt, 2, key);
    sqlite3_bind_int64(stmt, 3, add(key, spread));
    while (!has && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_tag_keys k = rs_tag_keys_of(stmt);
        *n = 0;
        do {
            out[(*n)++] = k.key;
            has |= k.key == key;
        } while (*n < KEYS_MAX && rs_tag_keys_previous(&k));
    }
    sqlite3_reset(stmt);
    if (!has) *n = 0;
    return st;
}

rs_status rs_tag_drop(rs_index *x, int64_t hash, int64_t key, int64_t spread, rs_buf *scratch, rs_err *err) {
    int64_t found[KEYS_MAX], kept[KEYS_MAX];
    size_t n, left = 0;
    sqlite3_stmt *stmt;
    rs_status st = find_row(x, hash, key, spread, found, &n, err);
    if (st != RS_OK || n == 0) return st;
    if ((st = rs_index_prepare(x, RS_SQL_DROP_TAG, &stmt, err)) != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, hash);
    sqlite3_bind_int64(stmt, 2, found[0]);
    st = rs_db_run(stmt, err);
    while (n-- > 0) /* they came last first */
        if (found[n] != key) kept[left++] = found[n];
    return st == RS_OK && left ? put_row(x, hash, kept, left, scratch, err) : st;
}
