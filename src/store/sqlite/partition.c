#include "store/sqlite/partition.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/sqlite/dictionary.h"
#include "store/sqlite/model_parts.h"
#include "store/sqlite/rollup.h"
#include "store/sqlite/tag_recent.h"
#include "store/sqlite/wire.h"
#include "store/sqlite/word_rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- a connection -------------------------------------------------------------------------------------- */

rs_status rs_index_open(rs_index *x, const char *path, const rs_segment *segment, bool create,
                        const char *pragmas, rs_err *err) {
    *x = (rs_index){.segment = segment};
    rs_status st = rs_view_init(&x->view, segment, err);
    return st == RS_OK ? rs_db_open(path, create, pragmas, &x->db, err) : st;
}

void rs_index_close(rs_index *x) {
    for (int i = 0; i < RS_SQL_COUNT; i++) sqlite3_finalize(x->stmts[i]);
    sqlite3_close(x->db);
    rs_view_deinit(&x->view);
    rs_buf_deinit(&x->metadata);
    *x = (rs_index){0};
}

rs_status rs_index_prepare(rs_index *x, rs_sql sql, sqlite3_stmt **out, rs_err *err) {
    rs_status st = rs_db_prepare(x->db, rs_sql_text[sql], &x->stmts[sql], err);
    *out = x->stmts[sql];
    return st;
}

rs_status rs_index_run(rs_index *x, rs_sql sql, rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st = rs_index_prepare(x, sql, &stmt, err);
    return st == RS_OK ? rs_db_run(stmt, err) : st;
}

rs_block_ref rs_index_block_ref(sqlite3_stmt *stmt) {
    bool has_words = sqlite3_column_count(stmt) > 8; /* else it is an older version's */
    return (rs_block_ref){
        .first = (uint64_t)sqlite3_column_int64(stmt, 0),
        .at = (uint64_t)sqlite3_column_int64(stmt, 1),
        .length = (size_t)sqlite3_column_int64(stmt, 2),
        .heads_length = (size_t)sqlite3_column_int64(stmt, 3),
        .spans = (uint32_t)sqlite3_column_int64(stmt, 4),
        .min_start = (uint64_t)sqlite3_column_int64(stmt, 5),
        .max_start = (uint64_t)sqlite3_column_int64(stmt, 6),
        .words = has_words ? (size_t)sqlite3_column_int64(stmt, 7) : 0,
        .min_key = has_words && sqlite3_column_type(stmt, 8) == SQLITE_INTEGER ? sqlite3_column_int64(stmt, 8)
                                                                               : INT64_MIN,
    };
}

void rs_index_bind_block(sqlite3_stmt *stmt, const rs_block_ref *ref) {
    sqlite3_bind_int64(stmt, 1, (int64_t)ref->first);
    sqlite3_bind_int64(stmt, 2, (int64_t)ref->at);
    sqlite3_bind_int64(stmt, 3, (int64_t)ref->length);
    sqlite3_bind_int64(stmt, 4, (int64_t)ref->heads_length);
    sqlite3_bind_int64(stmt, 5, ref->spans);
    sqlite3_bind_int64(stmt, 6, (int64_t)ref->min_start);
    sqlite3_bind_int64(stmt, 7, (int64_t)ref->max_start);
    sqlite3_bind_int64(stmt, 8, (int64_t)ref->words);
    if (ref->min_key == INT64_MIN) sqlite3_bind_null(stmt, 9);
    else sqlite3_bind_int64(stmt, 9, ref->min_key);
}

rs_status rs_index_get_state(rs_index *x, rs_partition_state *out, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    rs_status st = rs_index_prepare(x, RS_SQL_GET_STATE, &stmt, err);
    if (st == RS_OK) st = rs_db_step(stmt, &row, err);
    if (st == RS_OK && !row) st = rs_fail(err, RS_ERR_CORRUPT, 0, "the index has no state");
    if (st != RS_OK) return st;
    *out = (rs_partition_state){
        .next_span = (uint64_t)sqlite3_column_int64(stmt, 0),
        .segment_end = (uint64_t)sqlite3_column_int64(stmt, 1),
        .spans = (uint64_t)sqlite3_column_int64(stmt, 2),
        .traces = (uint64_t)sqlite3_column_int64(stmt, 3),
        .skew = sqlite3_column_int64(stmt, 4),
        .opened_ns = (uint64_t)sqlite3_column_int64(stmt, 5),
        .tag_spread = sqlite3_column_int64(stmt, 6),
        .has_rollups = sqlite3_column_int(stmt, 7) != 0,
        .sealed_end = (uint64_t)sqlite3_column_int64(stmt, 8),
        .erasing_ns = (uint64_t)sqlite3_column_int64(stmt, 9),
        .has_model_parts = sqlite3_column_int(stmt, 10) != 0,
    };
    sqlite3_reset(stmt);
    return RS_OK;
}

rs_status rs_index_set_state(rs_index *x, const rs_partition_state *state, rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st = rs_index_prepare(x, RS_SQL_SET_STATE, &stmt, err);
    if (st != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, (int64_t)state->next_span);
    sqlite3_bind_int64(stmt, 2, (int64_t)state->segment_end);
    sqlite3_bind_int64(stmt, 3, (int64_t)state->spans);
    sqlite3_bind_int64(stmt, 4, (int64_t)state->traces);
    sqlite3_bind_int64(stmt, 5, state->skew);
    sqlite3_bind_int64(stmt, 6, (int64_t)state->opened_ns);
    sqlite3_bind_int64(stmt, 7, state->tag_spread);
    sqlite3_bind_int(stmt, 8, state->has_rollups);
    sqlite3_bind_int64(stmt, 9, (int64_t)state->sealed_end);
    sqlite3_bind_int64(stmt, 10, (int64_t)state->erasing_ns);
    sqlite3_bind_int(stmt, 11, state->has_model_parts);
    return rs_db_run(stmt, err);
}

/* ---- the partition ------------------------------------------------------------------------------------- */

static unsigned idle_readers; /* atomic: of all partitions */

static void drop_reader(rs_index *x) {
    rs_index_close(x);
    free(x);
    __atomic_fetch_sub(&idle_readers, 1, __ATOMIC_RELAXED);
}

/* The index knows all of them: what a filter file would have said, had it been written. */
static rs_status read_traces(rs_partition *p, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    rs_status st = rs_index_prepare(&p->writer, RS_SQL_ALL_TRACES, &stmt, err);
    while (st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_bloom_add_trace(&p->traces, rs_db_column_str(stmt, 1), sqlite3_column_int64(stmt, 0));
    }
    return st;
}

static rs_status read_keys(rs_partition *p, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    p->key_min = INT64_MAX;
    p->key_max = INT64_MIN;
    rs_status st = rs_index_prepare(&p->writer, RS_SQL_KEY_RANGE, &stmt, err);
    if (st == RS_OK) st = rs_db_step(stmt, &row, err);
    if (st != RS_OK || !row) return st;
    if (sqlite3_column_type(stmt, 0) != SQLITE_NULL) {
        p->key_min = sqlite3_column_int64(stmt, 0);
        p->key_max = sqlite3_column_int64(stmt, 1);
    }
    sqlite3_reset(stmt);
    return RS_OK;
}

/* Of an old partition they are not waited for any more. */
static rs_status read_events(rs_partition *p, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    uint64_t now = rs_clock_wall_ns(), opened = p->state.opened_ns;
    if (opened && opened < now && now - opened > RS_EVENTS_WAIT_NS) return RS_OK;
    rs_status st = rs_index_prepare(&p->writer, RS_SQL_EVERY_EVENT, &stmt, err);
    while (st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_str trace_id = rs_db_column_str(stmt, 0), span_id = rs_db_column_str(stmt, 1);
        if (trace_id.n != 16 || span_id.n != 8) continue;
        rs_partition_note_event(p, (const uint8_t *)trace_id.p, (const uint8_t *)span_id.p);
    }
    return st;
}

static rs_status read_newest(rs_partition *p, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    rs_status st = rs_index_prepare(&p->writer, RS_SQL_NEWEST_START, &stmt, err);
    if (st == RS_OK) st = rs_db_step(stmt, &row, err);
    if (st == RS_OK && row) p->newest_ns = (uint64_t)sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return st;
}

/* What is kept in memory of it. */
static rs_status learn(rs_partition *p, rs_err *err) {
    rs_status st = rs_index_get_state(&p->writer, &p->state, err);
    if (st == RS_OK) st = read_keys(p, err);
    if (st == RS_OK) st = read_events(p, err);
    if (st == RS_OK) st = read_newest(p, err);
    if (st != RS_OK) return st;
    p->span_end = p->state.next_span;
    p->skew = p->state.skew;
    p->tag_spread = p->state.tag_spread;
    rs_bloom_file filter = rs_bloom_load(&p->traces, p->state.traces, p->filter_path);
    p->is_filter_saved = filter == RS_BLOOM_FITS;
    if (filter == RS_BLOOM_DAMAGED) rs_log("%s is damaged: it is made anew", p->filter_path);
    return p->is_filter_saved ? RS_OK : read_traces(p, err);
}

/* Of a partition that an older version wrote: once. Rollups take a second or so for a million spans, the others far less. */
static rs_status make_what_it_lacks(rs_partition *p, rs_err *err) {
    rs_partition_state state = p->state;
    rs_status st = rs_index_run(&p->writer, RS_SQL_BEGIN, err);
    if (st != RS_OK) return st;
    if (!state.has_rollups) st = rs_rollup_make(&p->writer, err);
    if (st == RS_OK && !state.has_model_parts) st = rs_model_parts_make(&p->writer, &state.tag_spread, err);
    state.has_rollups = state.has_model_parts = true;
    if (st == RS_OK) rs_partition_note_state(p, &state);
    if (st == RS_OK) st = rs_index_set_state(&p->writer, &state, err);
    if (st == RS_OK) st = rs_index_run(&p->writer, RS_SQL_COMMIT, err);
    if (st == RS_OK) p->state = state;
    else sqlite3_exec(p->writer.db, "ROLLBACK", NULL, NULL, NULL);
    return st;
}

/* Of blocks that the index lost with the machine's power: others will lie where they did. */
static void drop_stray_rows(rs_partition *p) {
    uint64_t end;
    if (rs_word_rows_look(p->rows_path, p->state.segment_end, false, &end) != RS_WORD_ROWS_DAMAGED) return;
    rs_log("%s is damaged, or of blocks that are lost: it is made anew", p->rows_path);
    unlink(p->rows_path);
}

/* A folder counts from when it has its name on (folders.h): whoever copies or checks it then finds all its files. */
static rs_status make_folder(const char *dir, rs_err *err) {
    char beside[RS_PATH_MAX], path[RS_PATH_MAX];
    sqlite3 *db = NULL;
    rs_segment segment = {.fd = -1};
    int n = snprintf(beside, sizeof beside, "%s.new", dir);
    if (n < 0 || (size_t)n >= sizeof beside)
        return rs_fail(err, RS_ERR_TOO_LARGE, 0, "path %s is too long", dir);
    rs_status st = rs_path_make_dirs(beside, err);
    if (st == RS_OK) st = rs_path_join(path, beside, "index.db", err);
    if (st == RS_OK) st = rs_db_open(path, true, rs_schema_writer_pragmas, &db, err);
    if (st == RS_OK) st = rs_db_migrate(db, RS_SCHEMA_VERSION, rs_schema, rs_schema_upgrades, err);
    sqlite3_close(db);
    if (st == RS_OK) st = rs_segment_open(&segment, beside, 0, err);
    rs_segment_close(&segment);
    if (st == RS_OK && rename(beside, dir) != 0)
        st = rs_fail(err, RS_ERR_IO, 0, "cannot rename %s: %s", beside, strerror(errno));
    if (st != RS_OK) rs_folder_remove(beside);
    return st;
}

rs_status rs_partition_open(uint64_t project, const rs_folder *folder, const char *dir,
                            rs_durability durability, rs_partition **out, rs_err *err) {
    *out = NULL;
    rs_partition *p = calloc(1, sizeof *p);
    if (!p) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    p->project = project;
    p->folder = *folder;
    p->durability = durability;
    p->segment.fd = -1;
    p->rollup_rows = p->recent_tags = -1;
    pthread_mutex_init(&p->lock, NULL);
    rs_tag_known_init(&p->known);
    pthread_cond_init(&p->returned, NULL);
    rs_status st = access(dir, F_OK) == 0 ? RS_OK : make_folder(dir, err);
    if (st == RS_OK) st = rs_path_join(p->index_path, dir, "index.db", err);
    if (st == RS_OK) st = rs_path_join(p->filter_path, dir, "traces.filter", err);
    if (st == RS_OK) st = rs_path_join(p->rows_path, dir, RS_WORD_ROWS_FILE, err);
    if (st == RS_OK) st = rs_partition_wake(p, err);
    if (st == RS_OK) st = learn(p, err);
    if (st == RS_OK) drop_stray_rows(p);
    if (st == RS_OK) st = rs_segment_open(&p->segment, dir, p->state.segment_end, err);
    if (st == RS_OK && !(p->state.has_rollups && p->state.has_model_parts)) st = make_what_it_lacks(p, err);
    if (st == RS_OK) *out = p;
    else rs_partition_close(p);
    return st;
}

rs_status rs_partition_wake(rs_partition *p, rs_err *err) {
    if (p->writer.db) return RS_OK;
    rs_status st = rs_index_open(&p->writer, p->index_path, &p->segment, true, rs_schema_writer_pragmas, err);
    if (st == RS_OK) st = rs_rollup_register(p->writer.db, err);
    if (st == RS_OK && p->durability == RS_DURABLE_POWER)
        st = rs_db_exec(p->writer.db, rs_schema_power_pragmas, err);
    if (st == RS_OK) st = rs_db_migrate(p->writer.db, RS_SCHEMA_VERSION, rs_schema, rs_schema_upgrades, err);
    if (st != RS_OK) rs_index_close(&p->writer);
    return st;
}

/* Closing the last connection empties the WAL; readers' stay open. One that is just reading keeps some of it. */
static void empty_wal(rs_partition *p) {
    sqlite3_busy_timeout(p->writer.db, 0);
    (void)sqlite3_wal_checkpoint_v2(p->writer.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

/* Every question would go through them. A few, of late spans, stay: there may be more soon. */
static void settle_tags(rs_partition *p) {
    rs_err err = {0};
    int64_t n = 0;
    rs_status st = rs_tag_recent_count(&p->writer, &n, &err);
    if (st == RS_OK && n > RS_TAG_RECENT_MAX / 8) st = rs_tags_settle_partition(p, &err);
    if (st != RS_OK) rs_log("%s: tags stay where they are: %s", p->index_path, err.message);
}

void rs_partition_rest(rs_partition *p) {
    rs_err err = {0};
    if (!p->writer.db) return;
    settle_tags(p);
    empty_wal(p);
    rs_index_close(&p->writer);
    rs_bloom_deinit(&p->spans);
    p->knows_spans = false;
    if (p->is_filter_saved) return;
    p->is_filter_saved = rs_bloom_save(&p->traces, p->state.traces, p->filter_path, &err) == RS_OK;
    if (!p->is_filter_saved) rs_log("%s: the next start reads the index instead", err.message);
}

void rs_partition_learn_spans(rs_partition *p) {
    sqlite3_stmt *stmt;
    bool row = false;
    rs_err err = {0};
    rs_status st = rs_index_prepare(&p->writer, RS_SQL_EVERY_ID, &stmt, &err);
    while (st == RS_OK && (st = rs_db_step(stmt, &row, &err)) == RS_OK && row) {
        rs_cursor ids = rs_cursor_on(rs_db_column_str(stmt, 1));
        while (rs_cursor_left(&ids) >= 4)
            rs_bloom_add(&p->spans, rs_bloom_hash_span(sqlite3_column_int64(stmt, 0), rs_cursor_u32(&ids)));
    }
    p->knows_spans = st == RS_OK;
}

/* Blocks are lost with those that their dictionary is made of: these are on the disk first. */
void rs_partition_learn_dictionary(rs_partition *p) {
    uint32_t number = 0;
    rs_err err = {0};
    if (p->dictionary || p->has_no_dictionary || p->segment.end < RS_DICTIONARY_STORED) return;
    rs_status st = rs_dictionary_choose(&p->segment, &number, &err);
    if (st == RS_OK && number) st = rs_segment_sync(&p->segment, &err);
    if (st != RS_OK) rs_log("%s: blocks are packed without a dictionary: %s", p->segment.path, err.message);
    p->has_no_dictionary = st != RS_OK || number == 0;
    if (!p->has_no_dictionary) __atomic_store_n(&p->dictionary, number, __ATOMIC_RELEASE);
}

void rs_partition_note_span(rs_partition *p, int64_t key, uint32_t fingerprint) {
    if (p->knows_spans) rs_bloom_add(&p->spans, rs_bloom_hash_span(key, fingerprint));
}

void rs_partition_note_trace(rs_partition *p, const uint8_t trace_id[16], int64_t key) {
    p->is_filter_saved = false;
    rs_bloom_add(&p->traces, rs_bloom_hash_id(trace_id));
    rs_bloom_add(&p->traces, rs_bloom_hash_key(key));
    if (key < p->key_min) __atomic_store_n(&p->key_min, key, __ATOMIC_RELEASE);
    if (key > p->key_max) __atomic_store_n(&p->key_max, key, __ATOMIC_RELEASE);
}

void rs_partition_note_event(rs_partition *p, const uint8_t trace_id[16], const uint8_t span_id[8]) {
    rs_bloom_add(&p->events, rs_bloom_hash_ids(trace_id, span_id));
    __atomic_store_n(&p->has_events, true, __ATOMIC_RELEASE);
}

bool rs_partition_may_have_event(const rs_partition *p, const uint8_t trace_id[16],
                                 const uint8_t span_id[8]) {
    return __atomic_load_n(&p->has_events, __ATOMIC_ACQUIRE) &&
           rs_bloom_may_have(&p->events, rs_bloom_hash_ids(trace_id, span_id));
}

void rs_partition_note_state(rs_partition *p, const rs_partition_state *state) {
    __atomic_store_n(&p->skew, state->skew, __ATOMIC_RELEASE);
    __atomic_store_n(&p->tag_spread, state->tag_spread, __ATOMIC_RELEASE);
    __atomic_store_n(&p->span_end, state->next_span, __ATOMIC_RELEASE);
}

rs_str rs_partition_dir(const rs_partition *p) {
    const char *slash = strrchr(p->index_path, '/');
    return (rs_str){p->index_path, slash ? (size_t)(slash - p->index_path) : 0};
}

void rs_partition_close(rs_partition *p) {
    for (rs_index *x = p->idle, *next; x; x = next) {
        next = x->next;
        drop_reader(x);
    }
    rs_index_close(&p->writer); /* last: it checkpoints and removes the WAL */
    rs_dictionary_forget(&p->segment);
    rs_segment_close(&p->segment);
    rs_bloom_deinit(&p->traces);
    rs_bloom_deinit(&p->spans);
    rs_bloom_deinit(&p->events);
    if (p->is_dropped) {
        rs_str dir = rs_partition_dir(p);
        p->index_path[dir.n] = 0;
        rs_folder_remove(p->index_path);
    }
    pthread_cond_destroy(&p->returned);
    pthread_mutex_destroy(&p->lock);
    rs_tag_known_deinit(&p->known);
    free(p);
}

rs_status rs_partition_borrow(rs_partition *p, rs_index **out, rs_err *err) {
    pthread_mutex_lock(&p->lock);
    while (!p->idle && p->readers == RS_PARTITION_READERS) pthread_cond_wait(&p->returned, &p->lock);
    rs_index *x = p->idle;
    if (x) p->idle = x->next;
    else p->readers++;
    pthread_mutex_unlock(&p->lock);
    *out = x;
    if (x) {
        __atomic_fetch_sub(&idle_readers, 1, __ATOMIC_RELAXED);
        return RS_OK;
    }

    rs_status st = RS_ERR_MEMORY;
    x = calloc(1, sizeof *x);
    if (!x) rs_fail(err, st, 0, "out of memory");
    else if ((st = rs_index_open(x, p->index_path, &p->segment, false, rs_schema_reader_pragmas, err)) !=
             RS_OK)
        rs_index_close(x), free(x);
    if (st == RS_OK) {
        *out = x;
        return RS_OK;
    }
    pthread_mutex_lock(&p->lock);
    p->readers--;
    pthread_cond_signal(&p->returned);
    pthread_mutex_unlock(&p->lock);
    return st;
}

void rs_partition_return(rs_partition *p, rs_index *x) {
    bool stays = __atomic_add_fetch(&idle_readers, 1, __ATOMIC_RELAXED) <= RS_IDLE_READERS;
    if (stays) rs_view_trim(&x->view);
    else drop_reader(x);
    pthread_mutex_lock(&p->lock);
    if (stays) {
        x->next = p->idle;
        p->idle = x;
    } else {
        p->readers--;
    }
    pthread_cond_signal(&p->returned);
    pthread_mutex_unlock(&p->lock);
}
