#include "store/sqlite/rewrite.h"
#include "base/log.h"
#include "store/sqlite/reblock.h"
#include "store/sqlite/tag.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>

enum { PROGRESS_STEPS = 100000 }; /* of SQLite, between two looks at whether to stop: some milliseconds */

typedef struct rewrite {
    rs_project_data *project;
    rs_partition *old;
    rs_folder folder;
    char dir[RS_PATH_MAX], beside[RS_PATH_MAX]; /* where it is to be; where it is written */
    rs_index x;                                 /* main: the old index, fresh: the new one */
    rs_reblock blocks;
    rs_partition_state seen; /* the old one's, when it was copied */
    uint64_t seen_changes, sealed_end;
} rewrite;

/* ---- beside the old one -------------------------------------------------------------------------------- */

static rs_status make_folder(rewrite *r, rs_err *err) {
    rs_status st = rs_folder_path(r->project->dir, &r->folder, r->dir, err);
    int n = snprintf(r->beside, sizeof r->beside, "%s.new", r->dir);
    if (st == RS_OK && (n < 0 || (size_t)n >= sizeof r->beside))
        st = rs_fail(err, RS_ERR_TOO_LARGE, 0, "path %s is too long", r->dir);
    return st == RS_OK ? rs_path_make_dirs(r->beside, err) : st;
}

static rs_status make_index(rewrite *r, rs_err *err) {
    char path[RS_PATH_MAX];
    sqlite3 *db = NULL;
    sqlite3_stmt *attach = NULL;
    rs_status st = rs_path_join(path, r->beside, "index.db", err);
    if (st == RS_OK) st = rs_db_open(path, true, NULL, &db, err);
    if (st == RS_OK) st = rs_db_migrate(db, RS_SCHEMA_VERSION, rs_schema, rs_schema_upgrades, err);
    sqlite3_close(db);
    if (st == RS_OK)
        st = rs_index_open(&r->x, r->old->index_path, &r->old->segment, false, rs_schema_rewriter_pragmas,
                           err);
    if (st == RS_OK) st = rs_db_prepare(r->x.db, rs_sql_attach, &attach, err);
    if (st != RS_OK) return st;
    rs_db_bind_str(attach, 1, rs_str_of(path));
    st = rs_db_run(attach, err);
    sqlite3_finalize(attach);
    return st == RS_OK ? rs_db_exec(r->x.db, rs_schema_fresh_pragmas, err) : st;
}

static rs_status copy_tables(rewrite *r, rs_err *err) {
    sqlite3_stmt *stmt = NULL;
    bool row = false;
    rs_status st = rs_db_prepare(r->x.db, rs_sql_tables_to_copy, &stmt, err);
    while (st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        const char *name = (const char *)sqlite3_column_text(stmt, 0);
        char *sql = name ? sqlite3_mprintf(rs_sql_copy_table, name, name, name) : NULL;
        st = sql ? rs_db_exec(r->x.db, sql, err) : rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
        sqlite3_free(sql);
    }
    sqlite3_finalize(stmt);
    return st == RS_OK ? rs_db_exec(r->x.db, rs_schema_fresh_index, err) : st;
}

static rs_status set_end(rewrite *r, uint64_t erasing_ns, rs_err *err) {
    sqlite3_stmt *stmt = NULL;
    rs_status st = rs_db_prepare(r->x.db, rs_sql_set_fresh_end, &stmt, err);
    if (st != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, (int64_t)r->blocks.to.end);
    sqlite3_bind_int64(stmt, 2, (int64_t)r->sealed_end);
    sqlite3_bind_int64(stmt, 3, (int64_t)erasing_ns);
    st = rs_db_run(stmt, err);
    sqlite3_finalize(stmt);
    return st;
}

/* Nobody needs the tags that came last apart any more. */
static rs_status settle_tags(rewrite *r, rs_err *err) {
    rs_status st = rs_project_data_wake(r->project, r->old, err);
    return st == RS_OK ? rs_tags_settle_partition(r->old, err) : st;
}

/* One moment of the old index, which takes no new traces from then on. */
static rs_status look(rewrite *r, rs_err *err) {
    r->old->is_closed = true;
    rs_status st = settle_tags(r, err);
    r->seen_changes = r->old->changes;
    if (st == RS_OK) st = rs_db_exec(r->x.db, "BEGIN", err);
    return st == RS_OK ? rs_index_get_state(&r->x, &r->seen, err) : st;
}

static rs_status copy(rewrite *r, const bool *stop, rs_err *err) {
    rs_status st = rs_reblock_init(&r->blocks, &r->x, r->beside, err);
    if (st == RS_OK) st = rs_reblock_run(&r->blocks, stop, err);
    r->sealed_end = r->blocks.to.end;
    if (st == RS_OK) st = copy_tables(r, err);
    if (st == RS_OK) st = set_end(r, 0, err);
    if (st == RS_OK) st = rs_segment_sync(&r->blocks.to, err);
    return st == RS_OK ? rs_db_exec(r->x.db, "COMMIT", err) : st;
}

/* The filter file, so that it need not be made while the writer waits. Without it the index is asked. */
static void save_filter(rewrite *r) {
    char path[RS_PATH_MAX];
    rs_bloom filter = {0};
    sqlite3_stmt *stmt = NULL;
    bool row = false;
    uint64_t n = 0;
    rs_err err = {0};
    rs_status st = rs_path_join(path, r->beside, "traces.filter", &err);
    if (st == RS_OK) st = rs_db_prepare(r->x.db, "SELECT key, trace_id FROM fresh.trace", &stmt, &err);
    while (st == RS_OK && (st = rs_db_step(stmt, &row, &err)) == RS_OK && row) {
        rs_bloom_add_trace(&filter, rs_db_column_str(stmt, 1), sqlite3_column_int64(stmt, 0));
        n++;
    }
    sqlite3_finalize(stmt);
    if (st == RS_OK) st = rs_bloom_save(&filter, n, path, &err);
    if (st != RS_OK) rs_log("%s", err.message);
    rs_bloom_deinit(&filter);
}

/* ---- in its turn --------------------------------------------------------------------------------------- */

/* What was written since: late spans, deletions. The writer waits. */
static rs_status catch_up(rewrite *r, rs_err *err) {
    uint64_t from = r->seen.next_span;
    if (r->old->changes == r->seen_changes) return RS_OK;
    rs_status st = look(r, err);
    if (st == RS_OK) st = rs_reblock_carry(&r->blocks, from, err);
    if (st == RS_OK) st = copy_tables(r, err);
    if (st == RS_OK) st = rs_db_exec(r->x.db, rs_schema_drop_strays, err);
    if (st == RS_OK) st = set_end(r, r->seen.erasing_ns, err);
    if (st == RS_OK) st = rs_segment_sync(&r->blocks.to, err);
    return st == RS_OK ? rs_db_exec(r->x.db, "COMMIT", err) : st;
}

/* Nothing of it is open but the connection's, which is closed here. */
static void let_go(rewrite *r) {
    rs_reblock_deinit(&r->blocks);
    rs_index_close(&r->x);
}

static rs_status take_place(rewrite *r, rs_err *err) {
    rs_partition *made = NULL;
    rs_status st = rs_path_sync_dir(r->beside, err);
    if (st != RS_OK) return st;
    if (rename(r->beside, r->dir) != 0)
        return rs_fail(err, RS_ERR_IO, 0, "cannot rename %s: %s", r->beside, strerror(errno));
    st = rs_path_sync_dir(r->project->dir, err); /* before the old one goes */
    if (st == RS_OK)
        st = rs_partition_open(r->project->id, &r->folder, r->dir, r->project->durability, &made, err);
    if (st == RS_OK) {
        rs_partition_rest(made);
        st = rs_project_data_replace(r->project, r->old, made, err);
        if (st != RS_OK) rs_partition_close(made);
    }
    if (st != RS_OK) rs_folder_remove(r->dir);
    return st;
}

static int is_stopped(void *stop) { return stop && __atomic_load_n((const bool *)stop, __ATOMIC_ACQUIRE); }

rs_status rs_rewrite(rs_turns *writing, rs_project_data *p, rs_partition *old, const bool *stop,
                     rs_err *err) {
    rewrite r = {.project = p,
                 .old = old,
                 .folder = {old->folder.number, old->folder.generation + 1},
                 .blocks = {.to = {.fd = -1}}};
    rs_status st = make_folder(&r, err);
    if (st == RS_OK) st = make_index(&r, err);
    if (st == RS_OK) sqlite3_progress_handler(r.x.db, PROGRESS_STEPS, is_stopped, (void *)stop);
    rs_turns_take(writing);
    if (st == RS_OK) st = look(&r, err);
    rs_turns_give(writing);
    if (st == RS_OK) st = copy(&r, stop, err);
    if (st == RS_OK) save_filter(&r);
    rs_turns_take(writing);
    if (st == RS_OK) st = catch_up(&r, err);
    let_go(&r);
    if (st == RS_OK) st = take_place(&r, err);
    rs_turns_give(writing);
    malloc_trim(0); /* it took some tens of MB */
    if (st != RS_OK) rs_folder_remove(r.beside);
    return st != RS_OK && is_stopped((void *)stop) ? rs_fail(err, RS_ERR_CLOSED, 0, "stopped") : st;
}
