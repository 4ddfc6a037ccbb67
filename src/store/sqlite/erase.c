/* Deleting traces: out of the index at once, in one transaction of each partition that has some. Of their blocks, which others'
 * spans are in as well, only the numbers of their spans are noted as counting no more; rewrite.c then leaves them out. */
#include "base/clock.h"
#include "store/sqlite/rollup.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/summary.h"
#include "store/sqlite/tag.h"
#include "store/sqlite/tag_index.h"

#include <stdlib.h>

typedef struct erase {
    rs_project_data *project;
    rs_partition *partition;
    rs_partition_state state; /* as it will be */
    rs_rollup rollup;
    rs_arena arena; /* spans of one trace */
    rs_buf scratch;
    int64_t *keys; /* of the traces */
    size_t n;
    struct erase_tag {
        int64_t hash, key;
    } * tags;
    size_t ntags, tags_cap;
} erase;

static rs_status no_memory(rs_err *err) {
    return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory for deleting");
}

/* ---- one trace ----------------------------------------------------------------------------------------- */

static rs_status run_with(rs_index *x, rs_sql sql, int64_t value, rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st = rs_index_prepare(x, sql, &stmt, err);
    if (st != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, value);
    return rs_db_run(stmt, err);
}

/* All copies count no more, and the last ones are taken out of what counts spans. A block that cannot be read keeps its secrets
 * from everybody; it is carried over until retention drops it. */
static rs_status erase_spans(erase *e, rs_index *x, int64_t key, const uint8_t trace_id[16], rs_err *err) {
    rs_stored_spans spans = {0};
    rs_status st = rs_index_gather(x, key, trace_id, NULL, RS_READ_HEADS, &e->arena, &spans, err);
    if (st == RS_ERR_CORRUPT) st = RS_OK;
    for (size_t i = 0; i < spans.n && st == RS_OK; i++)
        st = run_with(x, RS_SQL_ADD_SUPERSEDED, (int64_t)spans.items[i].number, err);
    if (st != RS_OK) return st;
    rs_stored_spans_dedupe(&spans);
    for (size_t i = 0; i < spans.n; i++) rs_rollup_add(&e->rollup, &spans.items[i].span, -1);
    e->state.spans -= spans.n;
    return RS_OK;
}

static rs_status erase_trace(erase *e, rs_index *x, const uint8_t trace_id[16], rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    rs_summary summary;
    rs_status st = rs_index_prepare(x, RS_SQL_TRACE_BY_ID, &stmt, err);
    if (st != RS_OK) return st;
    rs_db_bind_blob(stmt, 1, trace_id, 16);
    st = rs_db_step(stmt, &row, err);
    rs_summary_init(&summary);
    if (row && !rs_summary_load(&summary, stmt, NULL)) st = no_memory(err);
    if (st == RS_OK && row) rs_rollup_add_trace(&e->rollup, &summary.row, -1);
    int64_t key = summary.row.key;
    rs_summary_deinit(&summary);
    sqlite3_reset(stmt);
    if (st != RS_OK || !row) return st;
    st = erase_spans(e, x, key, trace_id, err);
    if (st == RS_OK) st = run_with(x, RS_SQL_DROP_TRACE, key, err);
    if (st == RS_OK) st = run_with(x, RS_SQL_DROP_TRACE_BLOCKS, key, err);
    e->state.traces--;
    e->keys[e->n++] = key;
    rs_arena_deinit(&e->arena);
    return st;
}

/* What waits for spans of the trace, wherever it lies. *some: there was any. */
static rs_status erase_events(erase *e, rs_index *x, const uint8_t (*ids)[16], size_t n, bool *some,
                              rs_err *err) {
    sqlite3_stmt *stmt;
    *some = false;
    if (!__atomic_load_n(&e->project->has_events, __ATOMIC_ACQUIRE)) return RS_OK;
    rs_status st = rs_index_prepare(x, RS_SQL_DROP_EVENTS, &stmt, err);
    for (size_t i = 0; i < n && st == RS_OK; i++) {
        rs_db_bind_blob(stmt, 1, ids[i], 16);
        if ((st = rs_db_run(stmt, err)) == RS_OK) *some |= sqlite3_changes(x->db) > 0;
    }
    return st;
}

/* ---- what many share ----------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static rs_status note_tag(void *ctx, int64_t hash, int64_t key, rs_err *err) {
    erase *e = ctx;
    if (e->ntags == e->tags_cap) {
        size_t cap = e->tags_cap ? e->tags_cap * 2 : 1024;
        void *more = realloc(e->tags, cap * sizeof *e->tags);
        if (!more) return no_memory(err);
        e->tags = more;
        e->tags_cap = cap;
    }
    e->tags[e->ntags++] = (struct erase_tag){hash, key};
    return RS_OK;
}

/* Heads do not tell a trace's tags (its metadata is not in them): whoever has its key is looked for. */
static rs_status erase_tags(erase *e, rs_index *x, rs_err *err) {
    qsort(e->keys, e->n, sizeof *e->keys, by_value);
    e->ntags = 0;
    rs_status st = rs_tags_settle(x, &e->partition->recent_tags, &e->state.tag_spread, err);
    if (st == RS_OK) st = rs_tag_find_keys(x, e->keys, e->n, note_tag, e, err);
    for (size_t i = 0; i < e->ntags && st == RS_OK; i++)
        st = rs_tag_drop(x, e->tags[i].hash, e->tags[i].key, e->state.tag_spread, &e->scratch, err);
    return st;
}

/* ---- one partition ------------------------------------------------------------------------------------- */

static rs_status erase_all(erase *e, rs_index *x, const uint8_t (*ids)[16], size_t n, rs_err *err) {
    bool had_events = false;
    rs_status st = rs_index_run(x, RS_SQL_BEGIN, err);
    for (size_t i = 0; i < n && st == RS_OK; i++)
        if (rs_bloom_may_have(&e->partition->traces, rs_bloom_hash_id(ids[i])))
            st = erase_trace(e, x, ids[i], err);
    if (st == RS_OK) st = erase_events(e, x, ids, n, &had_events, err);
    if (st == RS_OK && e->n > 0) st = erase_tags(e, x, err);
    if (st == RS_OK) st = rs_rollup_write(&e->rollup, x, &e->partition->rollup_rows, err);
    if (st == RS_OK && e->n > 0) st = run_with(x, RS_SQL_DROP_EMPTY_ROLLUPS, RS_ROLLUP_ROWS_MAX, err);
    e->partition->rollup_rows = e->partition->recent_tags = -1;
    if ((e->n > 0 || had_events) && e->state.erasing_ns == 0) e->state.erasing_ns = rs_clock_wall_ns();
    if (st == RS_OK) st = rs_index_set_state(x, &e->state, err);
    if (st == RS_OK) rs_partition_note_state(e->partition, &e->state); /* tags may reach further */
    return st == RS_OK ? rs_index_run(x, RS_SQL_COMMIT, err) : st;
}

static bool may_have_any(const rs_partition *p, const uint8_t (*ids)[16], size_t n) {
    for (size_t i = 0; i < n; i++)
        if (rs_bloom_may_have(&p->traces, rs_bloom_hash_id(ids[i]))) return true;
    return false;
}

/* In the writer's turn. */
static rs_status erase_from(erase *e, rs_partition *p, const uint8_t (*ids)[16], size_t n, rs_err *err) {
    if (!__atomic_load_n(&e->project->has_events, __ATOMIC_ACQUIRE) && !may_have_any(p, ids, n)) return RS_OK;
    rs_status st = rs_project_data_wake(e->project, p, err);
    if (st != RS_OK) return st;
    e->partition = p;
    e->state = p->state;
    e->n = 0;
    rs_rollup_clear(&e->rollup);
    st = erase_all(e, &p->writer, ids, n, err);
    __atomic_fetch_add(&p->changes, 1, __ATOMIC_RELEASE); /* even if it seems to have failed */
    if (st == RS_OK) {
        p->state = e->state;
    } else { /* a commit that failed may have taken all the same */
        if (!sqlite3_get_autocommit(p->writer.db)) sqlite3_exec(p->writer.db, "ROLLBACK", NULL, NULL, NULL);
        if (rs_index_get_state(&p->writer, &e->state, NULL) == RS_OK) p->state = e->state;
    }
    rs_arena_deinit(&e->arena);
    return st;
}

rs_status rs_store_delete_traces(rs_store *s, uint64_t project, const uint8_t (*ids)[16], size_t n,
                                 size_t *deleted, rs_err *err) {
    erase e = {0};
    *deleted = 0;
    if (n > RS_DELETE_MOST)
        return rs_fail(err, RS_ERR_TOO_LARGE, 0, "at most %d traces are deleted at once", RS_DELETE_MOST);
    rs_status st = rs_store_find_project(s, project, false, &e.project, err);
    if (st != RS_OK || !e.project || n == 0) return st;
    e.keys = malloc(n * sizeof *e.keys);
    rs_rollup_init(&e.rollup);
    rs_buf_init(&e.scratch);
    if (!e.keys) st = no_memory(err);
    rs_turns_take(&s->writing);
    for (size_t i = 0; i < e.project->set->n && st == RS_OK; i++) {
        st = erase_from(&e, e.project->set->items[i], ids, n, err);
        if (st == RS_OK) *deleted += e.n;
        e.n = 0;
    }
    rs_turns_give(&s->writing);
    if (*deleted) rs_keeper_wake(s->keeper);
    rs_rollup_deinit(&e.rollup);
    rs_buf_deinit(&e.scratch);
    free(e.keys);
    free(e.tags);
    return st;
}
