#include "store/sqlite/model_parts.h"
#include "base/arena.h"
#include "base/log.h"
#include "store/sqlite/tag.h"
#include "store/sqlite/tag_cursor.h"
#include "store/sqlite/tag_recent.h"

/* The names that have a slash with something behind it. */
typedef struct names {
    rs_intern all;
    rs_arena arena;
} names;

static rs_status put(names *n, rs_str name, rs_err *err) {
    if (rs_str_behind_slash(name).n == 0 || rs_intern_find(&n->all, name) != UINT32_MAX) return RS_OK;
    rs_str kept = rs_arena_copy(&n->arena, name);
    if (kept.p) rs_intern_put(&n->all, kept);
    return kept.p && n->all.failed == RS_OK ? RS_OK : rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
}

static rs_status names_of_block(names *n, rs_index *x, const rs_block_ref *ref, rs_err *err) {
    rs_stored_span s;
    rs_err why = {0};
    bool more = true;
    rs_status st = rs_view_open(&x->view, ref, RS_READ_HEADS, &why);
    while (st == RS_OK && (st = rs_view_next(&x->view, &s, &more, &why)) == RS_OK && more)
        if ((st = put(n, s.span.facts.model, &why)) != RS_OK) break;
    if (st != RS_ERR_CORRUPT) return st == RS_OK ? st : rs_fail(err, st, why.offset, "%s", why.message);
    rs_log("%s: left out of the tags of models", why.message);
    return RS_OK;
}

/* Where there were too many kinds for the rollups to know each. */
static rs_status names_of_blocks(names *n, rs_index *x, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    rs_status st = rs_index_prepare(x, RS_SQL_ALL_BLOCKS, &stmt, err);
    while (st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_block_ref ref = rs_index_block_ref(stmt);
        st = names_of_block(n, x, &ref, err);
    }
    if (stmt) sqlite3_reset(stmt);
    return st;
}

static rs_status find_names(names *n, rs_index *x, rs_err *err) {
    sqlite3_stmt *mixed, *stmt;
    bool is_mixed = false, row = false;
    rs_status st = rs_index_prepare(x, RS_SQL_HAS_MIXED_ROLLUPS, &mixed, err);
    if (st != RS_OK) return st;
    sqlite3_bind_int(mixed, 1, RS_OF_SPANS);
    st = rs_db_step(mixed, &is_mixed, err);
    sqlite3_reset(mixed);
    if (st == RS_OK && is_mixed) return names_of_blocks(n, x, err);
    if (st == RS_OK) st = rs_index_prepare(x, RS_SQL_MODEL_NAMES, &stmt, err);
    if (st != RS_OK) return st;
    sqlite3_bind_int(stmt, 1, RS_OF_SPANS);
    while (st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row)
        st = put(n, rs_db_column_str(stmt, 0), err);
    sqlite3_reset(stmt);
    return st;
}

/* The traces of a model get the tag of its last part. */
static rs_status add_part(rs_tags *t, rs_index *x, rs_str name, int64_t spread, rs_err *err) {
    int64_t part = rs_tag_hash(RS_STR("model"), rs_str_behind_slash(name)), from = INT64_MAX, key;
    rs_tag_cursor c = {.hash = rs_tag_hash(RS_STR("model"), name)};
    bool found = true;
    rs_status st = RS_OK;
    while (found && st == RS_OK) {
        st = rs_tag_cursor_seek(&c, x, from, INT64_MIN, spread, &key, &found, err);
        if (st != RS_OK || !found) break;
        if (!rs_tags_put(t, part, key, true)) st = rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
        found = key > INT64_MIN;
        from = found ? key - 1 : key;
    }
    rs_tag_cursor_close(&c);
    return st;
}

rs_status rs_model_parts_make(rs_index *x, int64_t *spread, rs_err *err) {
    names n = {0};
    rs_tags tags;
    int64_t recent = RS_TAG_RECENT_MAX; /* so that all go where they belong */
    rs_arena_init(&n.arena, 0);
    rs_tags_init(&tags);
    rs_status st = find_names(&n, x, err);
    for (uint32_t i = 0; i < n.all.n && st == RS_OK; i++)
        st = add_part(&tags, x, n.all.items[i], *spread, err);
    if (st == RS_OK) st = rs_tags_write(&tags, x, &recent, spread, err);
    rs_tags_deinit(&tags);
    rs_intern_deinit(&n.all);
    rs_arena_deinit(&n.arena);
    return st;
}
