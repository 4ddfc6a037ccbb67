#include "store/sqlite/tag_recent.h"
#include "store/sqlite/wire.h"

#include <stdlib.h>

/* For each trace: key (8 bytes), twice the number of tags and whether they may exist (varint), hashes (8 bytes each). */
typedef struct entry {
    int64_t key;
    uint64_t n;
    bool may_exist;
} entry;

static bool next_entry(rs_cursor *c, entry *e) {
    if (rs_cursor_left(c) == 0) return false;
    e->key = (int64_t)rs_cursor_u64(c);
    uint64_t n = rs_cursor_varint(c);
    e->n = n >> 1;
    e->may_exist = n & 1;
    return !c->bad && e->n <= rs_cursor_left(c) / 8;
}

/* ---- asking -------------------------------------------------------------------------------------------- */

static rs_status no_memory(rs_err *err) { return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory for tags"); }

static bool add_key(rs_recent_keys *k, const entry *e) {
    if (k->n == k->cap) {
        size_t cap = k->cap ? k->cap * 2 : 64;
        struct rs_recent_key *items = realloc(k->items, cap * sizeof *items);
        if (!items) return false;
        k->items = items;
        k->cap = cap;
    }
    k->items[k->n++] = (struct rs_recent_key){e->key, e->may_exist};
    return true;
}

static bool find_in_row(rs_str row, int64_t hash, rs_recent_keys *out) {
    rs_cursor c = rs_cursor_on(row);
    bool ok = true;
    for (entry e; ok && next_entry(&c, &e);) {
        bool has = false;
        for (uint64_t i = 0; i < e.n; i++) has |= (int64_t)rs_cursor_u64(&c) == hash;
        if (has) ok = add_key(out, &e);
    }
    return ok;
}

static int by_key(const void *a, const void *b) {
    int64_t x = ((const struct rs_recent_key *)a)->key, y = ((const struct rs_recent_key *)b)->key;
    return (x > y) - (x < y);
}

rs_status rs_tag_recent_find(rs_index *x, int64_t hash, rs_recent_keys *out, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    size_t kept = 0;
    *out = (rs_recent_keys){0};
    rs_status st = rs_index_prepare(x, RS_SQL_RECENT_TAGS, &stmt, err);
    if (st != RS_OK) return st;
    while ((st = rs_db_step(stmt, &row, err)) == RS_OK && row)
        if (!find_in_row(rs_db_column_str(stmt, 0), hash, out)) {
            st = no_memory(err);
            break;
        }
    sqlite3_reset(stmt);
    if (st != RS_OK) {
        free(out->items);
        *out = (rs_recent_keys){0};
        return st;
    }
    if (out->n > 1) qsort(out->items, out->n, sizeof *out->items, by_key);
    for (size_t i = 0; i < out->n; i++) {
        if (kept == 0 || out->items[kept - 1].key != out->items[i].key) out->items[kept++] = out->items[i];
        else out->items[kept - 1].may_exist &= out->items[i].may_exist; /* one that is new says so */
    }
    out->n = kept;
    return RS_OK;
}

/* ---- the writer ---------------------------------------------------------------------------------------- */

rs_status rs_tag_recent_count(rs_index *x, int64_t *out, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    rs_status st = rs_index_prepare(x, RS_SQL_COUNT_RECENT_TAGS, &stmt, err);
    if (st == RS_OK) st = rs_db_step(stmt, &row, err);
    if (st != RS_OK) return st;
    *out = row ? sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_reset(stmt);
    return RS_OK;
}

rs_status rs_tag_recent_add(rs_index *x, const struct rs_tag_row *rows, size_t n, rs_buf *scratch,
                            rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st = rs_index_prepare(x, RS_SQL_ADD_RECENT_TAGS, &stmt, err);
    if (st != RS_OK) return st;
    rs_buf_clear(scratch);
    for (size_t from = 0, end; from < n; from = end) {
        for (end = from + 1; end < n && rows[end].trace == rows[from].trace;) end++;
        rs_wire_u64(scratch, (uint64_t)rows[from].trace);
        rs_wire_varint(scratch, (uint64_t)(end - from) << 1 | rows[from].may_exist);
        for (size_t i = from; i < end; i++) rs_wire_u64(scratch, (uint64_t)rows[i].hash);
    }
    if (rs_buf_status(scratch) != RS_OK) return no_memory(err);
    sqlite3_bind_int64(stmt, 1, (int64_t)n);
    rs_db_bind_blob(stmt, 2, scratch->p, scratch->n);
    return rs_db_run(stmt, err);
}

static bool take_row(rs_str row, rs_tags *to) {
    rs_cursor c = rs_cursor_on(row);
    for (entry e; next_entry(&c, &e);)
        for (uint64_t i = 0; i < e.n; i++)
            if (!rs_tags_put(to, (int64_t)rs_cursor_u64(&c), e.key, e.may_exist)) return false;
    return true;
}

rs_status rs_tag_recent_take(rs_index *x, rs_tags *to, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    rs_status st = rs_index_prepare(x, RS_SQL_RECENT_TAGS, &stmt, err);
    if (st != RS_OK) return st;
    while ((st = rs_db_step(stmt, &row, err)) == RS_OK && row)
        if (!take_row(rs_db_column_str(stmt, 0), to)) {
            st = no_memory(err);
            break;
        }
    sqlite3_reset(stmt);
    return st == RS_OK ? rs_index_run(x, RS_SQL_CLEAR_RECENT_TAGS, err) : st;
}
