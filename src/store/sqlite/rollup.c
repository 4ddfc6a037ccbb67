#include "store/sqlite/rollup.h"

#include <math.h>
#include <stdlib.h>

#define NS_PER_HOUR 3600000000000ull

void rs_rollup_init(rs_rollup *r) { *r = (rs_rollup){0}; }

void rs_rollup_deinit(rs_rollup *r) {
    rs_intern_deinit(&r->keys);
    rs_arena_deinit(&r->arena);
    rs_buf_deinit(&r->key);
    free(r->rows);
    *r = (rs_rollup){0};
}

void rs_rollup_clear(rs_rollup *r) {
    rs_intern_clear(&r->keys);
    rs_arena_deinit(&r->arena);
    rs_buf_clear(&r->key);
    r->failed = RS_OK;
}

static bool make_row(rs_rollup *r, uint32_t number) {
    if (number == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 64;
        struct rs_rollup_row *rows = realloc(r->rows, cap * sizeof *rows);
        if (!rows) return false;
        r->rows = rows;
        r->cap = cap;
    }
    r->rows[number] = (struct rs_rollup_row){0};
    r->keys.items[number] = rs_arena_copy(&r->arena, rs_buf_slice(&r->key));
    return r->keys.items[number].p != NULL;
}

static struct rs_rollup_row *row_of(rs_rollup *r, const rs_span *s) {
    uint64_t hour = s->start_ns / NS_PER_HOUR;
    rs_buf_clear(&r->key);
    rs_wire_u64(&r->key, hour);
    rs_buf_str(&r->key, s->facts.model);
    if (r->keys.n > 0 && rs_str_eq(r->keys.items[r->last], rs_buf_slice(&r->key))) return &r->rows[r->last];
    uint32_t before = r->keys.n;
    r->last = rs_intern_put(&r->keys, rs_buf_slice(&r->key));
    if (r->keys.failed != RS_OK || r->key.failed != RS_OK || (r->keys.n > before && !make_row(r, r->last))) {
        r->failed = RS_ERR_MEMORY;
        return NULL;
    }
    return &r->rows[r->last];
}

/* Numbers out of this world are left out rather than wrapped. */
static void add_tokens(int64_t *sum, int64_t v, int sign) {
    int64_t more;
    if (v > 0 && !__builtin_add_overflow(*sum, sign * v, &more)) *sum = more;
}

void rs_rollup_add(rs_rollup *r, const rs_span *s, int sign) {
    struct rs_rollup_row *row = r->failed == RS_OK ? row_of(r, s) : NULL;
    const rs_facts *f = &s->facts;
    if (!row) return;
    row->spans += sign;
    if (s->status == RS_STATUS_ERROR) row->errors += sign;
    if (!rs_log_type_is_model_call(f->log_type)) return;
    row->calls += sign;
    add_tokens(&row->prompt_tokens, f->prompt_tokens, sign);
    add_tokens(&row->completion_tokens, f->completion_tokens, sign);
    if (!isnan(f->cost)) row->cost += sign * f->cost;
}

rs_status rs_rollup_write(rs_rollup *r, rs_index *x, rs_err *err) {
    sqlite3_stmt *stmt;
    if (r->failed != RS_OK) return rs_fail(err, r->failed, 0, "out of memory for rollups");
    rs_status st = rs_index_prepare(x, RS_SQL_ADD_ROLLUP, &stmt, err);
    for (uint32_t i = 0; i < r->keys.n && st == RS_OK; i++) {
        rs_cursor key = rs_cursor_on(r->keys.items[i]);
        const struct rs_rollup_row *row = &r->rows[i];
        sqlite3_bind_int64(stmt, 1, (int64_t)rs_cursor_u64(&key));
        rs_db_bind_str(stmt, 2, rs_cursor_bytes(&key, rs_cursor_left(&key)));
        sqlite3_bind_int64(stmt, 3, row->spans);
        sqlite3_bind_int64(stmt, 4, row->calls);
        sqlite3_bind_int64(stmt, 5, row->errors);
        sqlite3_bind_int64(stmt, 6, row->prompt_tokens);
        sqlite3_bind_int64(stmt, 7, row->completion_tokens);
        sqlite3_bind_double(stmt, 8, row->cost);
        st = rs_db_run(stmt, err);
    }
    return st;
}
