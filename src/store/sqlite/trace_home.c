#include "store/sqlite/trace_home.h"

#include "store/sqlite/summary.h"

bool rs_ids_have(rs_str ids, uint32_t fingerprint) {
    rs_cursor c = rs_cursor_on(ids);
    while (rs_cursor_left(&c) >= 4)
        if (rs_cursor_u32(&c) == fingerprint) return true;
    return false;
}

rs_status rs_trace_home_blocks(rs_index *x, int64_t key, const uint8_t *span_id, uint64_t *after,
                               rs_block_ref refs[RS_TRACE_BLOCKS_PAGE], size_t *n, size_t *rows,
                               rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    uint32_t fingerprint = span_id ? rs_span_fingerprint(span_id) : 0;
    rs_status st = rs_index_prepare(x, RS_SQL_TRACE_BLOCKS, &stmt, err);
    *n = *rows = 0;
    if (st != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, key);
    sqlite3_bind_int64(stmt, 2, (int64_t)*after);
    sqlite3_bind_int64(stmt, 3, RS_TRACE_BLOCKS_PAGE);
    while ((st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        refs[*n] = rs_index_block_ref(stmt);
        *after = refs[*n].first;
        ++*rows;
        *n += !span_id || rs_ids_have(rs_db_column_str(stmt, 9), fingerprint);
    }
    return st;
}

static rs_status no_trace(rs_err *err) { return rs_fail(err, RS_ERR_NOT_FOUND, 0, "no such trace"); }

static rs_status find_key(rs_index *x, const uint8_t trace_id[16], int64_t *key, size_t *spans, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    rs_status st = rs_index_prepare(x, RS_SQL_TRACE_BY_ID, &stmt, err);
    if (st != RS_OK) return st;
    rs_db_bind_blob(stmt, 1, trace_id, 16);
    st = rs_db_step(stmt, &row, err);
    if (row) {
        *key = sqlite3_column_int64(stmt, RS_TRACE_KEY);
        *spans = (size_t)sqlite3_column_int64(stmt, RS_TRACE_SPANS);
    }
    sqlite3_reset(stmt);
    return st == RS_OK && !row ? no_trace(err) : st;
}

rs_status rs_trace_home_find(const rs_partition_set *set, const uint8_t trace_id[16], rs_trace_home *out,
                             rs_err *err) {
    uint64_t hash = rs_bloom_hash_id(trace_id);
    for (size_t i = set->n; i-- > 0;) {
        rs_partition *p = set->items[i];
        if (!rs_bloom_may_have(&p->traces, hash)) continue;
        rs_status st = rs_partition_borrow(p, &out->x, err);
        if (st != RS_OK) return st;
        out->p = p;
        rs_err why = {0}; /* that it is not in this one is no error yet */
        st = find_key(out->x, trace_id, &out->key, &out->spans, &why);
        if (st == RS_OK) return RS_OK;
        rs_partition_return(p, out->x);
        if (st != RS_ERR_NOT_FOUND) return rs_fail(err, st, why.offset, "%s", why.message);
    }
    return no_trace(err);
}
