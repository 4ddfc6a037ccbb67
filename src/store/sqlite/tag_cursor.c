#include "store/sqlite/tag_cursor.h"
#include "store/sqlite/tag_recent.h"

#include <stdlib.h>

enum { BATCH_MIN = 3, BATCH_MAX = 16 }; /* rows of at most 1,024 keys */

void rs_tag_cursor_close(rs_tag_cursor *c) {
    free(c->keys);
    free(c->spare);
    *c = (rs_tag_cursor){.hash = c->hash, .oldest_first = c->oldest_first};
}

static bool comes_before(const rs_tag_cursor *c, int64_t a, int64_t b) {
    return c->oldest_first ? a < b : a > b;
}

static int64_t sum(int64_t a, int64_t b) {
    int64_t out;
    return __builtin_add_overflow(a, b, &out) ? (b < 0 ? INT64_MIN : INT64_MAX) : out;
}

/* ---- keys at hand -------------------------------------------------------------------------------------- */

static bool make_room(rs_tag_cursor *c, size_t more) {
    size_t wanted = c->n - c->at + more, cap = c->cap ? c->cap : 1024;
    if (wanted <= c->cap) return true;
    while (cap < wanted) cap *= 2;
    int64_t *keys = realloc(c->keys, cap * sizeof *keys);
    if (keys) c->keys = keys;
    int64_t *spare = keys ? realloc(c->spare, cap * sizeof *spare) : NULL;
    if (spare) c->spare = spare, c->cap = cap;
    return spare != NULL;
}

static void reverse(int64_t *keys, size_t n) {
    for (size_t i = 0, j = n; i + 1 < j; i++) {
        int64_t key = keys[i];
        keys[i] = keys[--j];
        keys[j] = key;
    }
}

/* A row's keys come last first; they are put among those at hand, which rarely reach so far. */
static bool take_row(rs_tag_cursor *c, sqlite3_stmt *stmt) {
    rs_tag_keys row = rs_tag_keys_of(stmt);
    size_t left = c->n - c->at, n = 0, out = 0, i = 0;
    if (!make_room(c, 1 + rs_cursor_left(&row.rest))) return false;
    int64_t *to = c->spare, *old = c->keys + c->at, *fresh = to + left; /* behind all that is at hand */
    do fresh[n++] = row.key;
    while (rs_tag_keys_previous(&row));
    if (c->oldest_first) reverse(fresh, n);
    for (size_t k = 0; k < n; k++) { /* out <= left + k: what is still to be taken is not written over */
        while (i < left && comes_before(c, old[i], fresh[k])) to[out++] = old[i++];
        to[out++] = fresh[k];
    }
    while (i < left) to[out++] = old[i++];
    c->spare = c->keys;
    c->keys = to;
    c->at = 0;
    c->n = out;
    return true;
}

/* Forgets what comes before `from`. */
static void pass(rs_tag_cursor *c, int64_t from) {
    size_t step = 1, low = c->at, high;
    if (low == c->n || !comes_before(c, c->keys[low], from)) return;
    while (low + step < c->n && comes_before(c, c->keys[low + step], from)) low += step, step *= 2;
    high = low + step < c->n ? low + step : c->n;
    while (high - low > 1) { /* low comes before, high does not */
        size_t middle = low + (high - low) / 2;
        if (comes_before(c, c->keys[middle], from)) low = middle;
        else high = middle;
    }
    c->at = high;
}

/* Whether no row that is still to be read can have a key before that one. */
static bool is_certain(const rs_tag_cursor *c, int64_t key, int64_t spread) {
    if (c->complete) return true;
    if (!c->has_edge) return false;
    return c->oldest_first ? key <= sum(c->edge, -spread) : key >= c->edge;
}

/* ---- rows ---------------------------------------------------------------------------------------------- */

/* The first keys at hand: rows of `tag` are put among them. */
static rs_status read_recent(rs_tag_cursor *c, rs_index *x, rs_err *err) {
    rs_recent_keys recent;
    rs_status st = rs_tag_recent_find(x, c->hash, &recent, err);
    if (st != RS_OK) return st;
    if (make_room(c, recent.n)) {
        for (size_t i = 0; i < recent.n; i++) c->keys[c->n++] = recent.items[i].key;
        if (!c->oldest_first) reverse(c->keys, c->n);
        c->has_recent = true;
    } else {
        st = rs_fail(err, RS_ERR_MEMORY, 0, "out of memory for tags");
    }
    free(recent.items);
    return st;
}

/* The next rows that may have a key from `from` to `limit`. */
static rs_status read_rows(rs_tag_cursor *c, rs_index *x, int64_t from, int64_t limit, int64_t spread,
                           rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    unsigned rows = 0;
    int64_t low = c->oldest_first ? from : limit, high = sum(c->oldest_first ? limit : from, spread);
    bool leaps = c->has_edge && (c->oldest_first ? low > sum(c->edge, spread) : high < sum(c->edge, -spread));
    if (c->has_edge && c->oldest_first && sum(c->edge, 1) > low) low = sum(c->edge, 1);
    if (c->has_edge && !c->oldest_first && c->edge - 1 < high) high = c->edge - 1;
    if (c->batch == 0 || leaps) c->batch = BATCH_MIN; /* what is read ahead would be passed */
    rs_status st =
        rs_index_prepare(x, c->oldest_first ? RS_SQL_TAG_SOME_OLDEST : RS_SQL_TAG_SOME_NEWEST, &stmt, err);
    if (st != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, c->hash);
    sqlite3_bind_int64(stmt, 2, low);
    sqlite3_bind_int64(stmt, 3, high);
    sqlite3_bind_int64(stmt, 4, c->batch);
    while ((st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        c->edge = sqlite3_column_int64(stmt, 0);
        c->has_edge = true;
        rows++;
        if (!take_row(c, stmt)) {
            st = rs_fail(err, RS_ERR_MEMORY, 0, "out of memory for tags");
            break;
        }
    }
    sqlite3_reset(stmt);
    c->complete = rows < c->batch;
    if (c->batch < BATCH_MAX) c->batch *= 2;
    return st;
}

rs_status rs_tag_cursor_seek(rs_tag_cursor *c, rs_index *x, int64_t from, int64_t limit, int64_t spread,
                             int64_t *key, bool *found, rs_err *err) {
    rs_status st = c->has_recent ? RS_OK : read_recent(c, x, err);
    *found = false;
    if (st != RS_OK) return st;
    for (;;) {
        pass(c, from);
        if (c->at < c->n && is_certain(c, c->keys[c->at], spread)) break;
        if (c->complete) break;
        if ((st = read_rows(c, x, from, limit, spread, err)) != RS_OK) return st;
    }
    if (c->at < c->n && !comes_before(c, limit, c->keys[c->at])) *key = c->keys[c->at], *found = true;
    return st;
}

rs_status rs_tag_cursor_has(rs_tag_cursor *c, rs_index *x, int64_t key, int64_t spread, bool *has,
                            rs_err *err) {
    int64_t at;
    rs_status st = c->has_recent ? RS_OK : read_recent(c, x, err);
    if (st != RS_OK) return st;
    size_t low = 0, n = c->n; /* of the last commits alone: no row was put among them */
    while (low < n) {
        size_t middle = low + (n - low) / 2;
        if (comes_before(c, c->keys[middle], key)) low = middle + 1;
        else n = middle;
    }
    *has = low < c->n && c->keys[low] == key;
    return *has ? st : rs_tag_seek(x, c->hash, key, key, false, spread, &at, has, err);
}
