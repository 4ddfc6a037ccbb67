/* Retention: which partitions are past what a project keeps. They are unlinked whole; of one that has pinned traces the others are
 * deleted and it is rewritten, so that the disk is free all the same. */
#include "base/clock.h"
#include "store/sqlite/rewrite.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/word_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define NS_PER_S 1000000000ull

/* ---- looking at a partition ---------------------------------------------------------------------------- */

static uint64_t bytes_of(const rs_partition *p) {
    static const char *const files[] = {"segment", "index.db", "index.db-wal", "traces.filter",
                                        RS_WORD_ROWS_FILE};
    rs_str dir = rs_partition_dir(p);
    uint64_t bytes = 0;
    for (size_t i = 0; i < RS_ARRAY_LEN(files); i++) {
        char path[RS_PATH_MAX];
        struct stat st;
        int n = snprintf(path, sizeof path, "%.*s/%s", RS_STR_ARG(dir), files[i]);
        if (n > 0 && (size_t)n < sizeof path && stat(path, &st) == 0) bytes += (uint64_t)st.st_size;
    }
    return bytes;
}

/* The last start in it. A clock that was ahead does not keep it for ever: then it is what the segment was written last. */
static uint64_t newest_of(const rs_partition *p, uint64_t now) {
    struct stat st;
    uint64_t newest = __atomic_load_n(&p->newest_ns, __ATOMIC_ACQUIRE);
    if (newest <= now || fstat(p->segment.fd, &st) != 0) return newest;
    return (uint64_t)st.st_mtim.tv_sec * NS_PER_S;
}

static int by_id(const void *a, const void *b) { return memcmp(a, b, 16); }

static bool is_pinned(const rs_pins *pins, const uint8_t *trace_id) {
    return pins->n && bsearch(trace_id, pins->ids, pins->n, sizeof *pins->ids, by_id);
}

static rs_status has_trace(rs_index *x, const uint8_t trace_id[16], bool *has, rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st = rs_index_prepare(x, RS_SQL_TRACE_BY_ID, &stmt, err);
    if (st != RS_OK) return st;
    rs_db_bind_blob(stmt, 1, trace_id, 16);
    st = rs_db_step(stmt, has, err);
    sqlite3_reset(stmt);
    return st;
}

/* How many of its traces are pinned. */
static rs_status count_pinned(rs_partition *p, const rs_pins *pins, uint64_t *out, rs_err *err) {
    rs_index *x = NULL;
    rs_status st = RS_OK;
    *out = 0;
    for (size_t i = 0; i < pins->n && st == RS_OK; i++) {
        bool has = false;
        if (!rs_bloom_may_have(&p->traces, rs_bloom_hash_id(pins->ids[i]))) continue;
        if (!x) st = rs_partition_borrow(p, &x, err);
        if (st == RS_OK) st = has_trace(x, pins->ids[i], &has, err);
        *out += has;
    }
    if (x) rs_partition_return(p, x);
    return st;
}

/* ---- making it smaller --------------------------------------------------------------------------------- */

/* Up to RS_DELETE_MOST that are not pinned, from *after on, which moves. */
static rs_status take_unpinned(rs_index *x, const rs_pins *pins, int64_t *after, uint8_t (*ids)[16],
                               size_t *n, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    *n = 0;
    rs_status st = rs_index_prepare(x, RS_SQL_TRACES_AFTER, &stmt, err);
    if (st != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, *after);
    while (*n < RS_DELETE_MOST && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_str id = rs_db_column_str(stmt, 1);
        *after = sqlite3_column_int64(stmt, 0);
        if (id.n == 16 && !is_pinned(pins, (const uint8_t *)id.p)) memcpy(ids[(*n)++], id.p, 16);
    }
    sqlite3_reset(stmt);
    return st;
}

static rs_status delete_unpinned(rs_store *s, rs_partition *p, const rs_pins *pins, const bool *stop,
                                 rs_err *err) {
    int64_t after = INT64_MIN;
    size_t n, deleted;
    uint8_t(*ids)[16] = malloc(RS_DELETE_MOST * sizeof *ids);
    rs_status st = ids ? RS_OK : rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    do {
        rs_index *x;
        n = 0;
        if (st != RS_OK || (st = rs_partition_borrow(p, &x, err)) != RS_OK) break;
        st = take_unpinned(x, pins, &after, ids, &n, err);
        rs_partition_return(p, x);
        if (st == RS_OK && n)
            st = rs_store_delete_traces(s, p->project, (const uint8_t(*)[16])ids, n, &deleted, err);
        if (st == RS_OK && stop && __atomic_load_n(stop, __ATOMIC_ACQUIRE))
            st = rs_fail(err, RS_ERR_CLOSED, 0, "stopped");
    } while (n == RS_DELETE_MOST);
    free(ids);
    return st;
}

static rs_status drop(rs_store *s, rs_project_data *p, rs_partition *old, rs_err *err) {
    rs_turns_take(&s->writing);
    rs_status st = rs_project_data_replace(p, old, NULL, err);
    rs_turns_give(&s->writing);
    return st;
}

/* ---- a project ----------------------------------------------------------------------------------------- */

typedef struct looked {
    rs_partition *p;
    uint64_t bytes, pinned;
    bool is_live;   /* it takes new traces, and stays */
    bool is_pinned; /* all of it is */
} looked;

static rs_status look(rs_store *s, const rs_partition_set *set, const rs_pins *pins, looked *out,
                      rs_err *err) {
    for (size_t i = 0; i < set->n; i++) {
        rs_partition *p = set->items[i];
        out[i] = (looked){.p = p, .bytes = bytes_of(p)};
        rs_status st = count_pinned(p, pins, &out[i].pinned, err);
        if (st != RS_OK) return st;
        rs_turns_take(&s->writing);
        out[i].is_live = i + 1 == set->n && rs_project_data_takes_more(p, &s->limits);
        out[i].is_pinned = out[i].pinned > 0 && out[i].pinned == p->state.traces;
        rs_turns_give(&s->writing);
    }
    return RS_OK;
}

/* The oldest go first. What is pinned counts for nothing: else it would push out all the rest. */
static rs_status retain_all(rs_store *s, rs_project_data *p, const rs_retention *keep, const rs_pins *pins,
                            looked *parts, size_t n, const bool *stop, size_t *dropped, rs_err *err) {
    uint64_t now = rs_clock_wall_ns(), bytes = 0;
    rs_status st = RS_OK;
    for (size_t i = 0; i < n; i++) bytes += parts[i].is_pinned ? 0 : parts[i].bytes;
    for (size_t i = 0; i < n && st == RS_OK; i++) {
        const looked *at = &parts[i];
        if (at->is_live || at->is_pinned) continue;
        bool is_past = keep->age_ns && now > keep->age_ns && newest_of(at->p, now) < now - keep->age_ns;
        if (!is_past && !(keep->bytes && bytes > keep->bytes)) continue;
        if (at->pinned == 0) {
            st = drop(s, p, at->p, err);
            if (st == RS_OK && dropped) ++*dropped;
        } else {
            st = delete_unpinned(s, at->p, pins, stop, err);
            if (st == RS_OK) st = rs_rewrite(&s->writing, p, at->p, stop, err);
        }
        bytes -= at->bytes;
    }
    return st;
}

rs_status rs_retain(rs_store *s, rs_project_data *p, const rs_retention *keep, const rs_pins *pins,
                    const bool *stop, size_t *dropped, rs_err *err) {
    const rs_partition_set *set = rs_project_data_hold(p);
    looked *parts = malloc((set->n ? set->n : 1) * sizeof *parts);
    rs_status st = parts ? look(s, set, pins, parts, err) : rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    if (st == RS_OK) st = retain_all(s, p, keep, pins, parts, set->n, stop, dropped, err);
    free(parts);
    rs_project_data_let_go(p, set);
    return st;
}

rs_status rs_store_retain(rs_store *s, uint64_t project, const rs_retention *keep, const rs_pins *pins,
                          size_t *dropped, rs_err *err) {
    rs_project_data *p;
    if (dropped) *dropped = 0;
    rs_status st = rs_store_find_project(s, project, false, &p, err);
    if (st != RS_OK || !p) return st;
    pthread_mutex_lock(&s->keeping);
    st = rs_retain(s, p, keep, pins ? pins : &(rs_pins){0}, NULL, dropped, err);
    pthread_mutex_unlock(&s->keeping);
    return st;
}

/* The one that takes new traces, too: the next commit would make another. */
rs_status rs_drop_all(rs_store *s, rs_project_data *p, rs_err *err) {
    rs_status st = RS_OK;
    rs_turns_take(&s->writing);
    while (st == RS_OK && p->set->n > 0) st = rs_project_data_replace(p, p->set->items[0], NULL, err);
    rs_turns_give(&s->writing);
    return st;
}

rs_status rs_store_drop_project(rs_store *s, uint64_t project, rs_err *err) {
    rs_project_data *p;
    rs_status st = rs_store_find_project(s, project, false, &p, err);
    if (st != RS_OK || !p) return st;
    pthread_mutex_lock(&s->keeping);
    st = rs_drop_all(s, p, err);
    pthread_mutex_unlock(&s->keeping);
    return st;
}
