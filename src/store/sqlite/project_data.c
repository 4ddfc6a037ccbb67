#include "store/sqlite/project_data.h"
#include "base/clock.h"
#include "store/sqlite/dictionary.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- sets ---------------------------------------------------------------------------------------------- */

static rs_partition_set *set_new(size_t n) {
    rs_partition_set *set = calloc(1, sizeof *set + n * sizeof(rs_partition *));
    if (set) set->users = 1, set->n = n;
    return set;
}

const rs_partition_set *rs_project_data_hold(rs_project_data *p) {
    pthread_mutex_lock(&p->lock);
    rs_partition_set *set = p->set;
    set->users++;
    pthread_mutex_unlock(&p->lock);
    return set;
}

void rs_project_data_let_go(rs_project_data *p, const rs_partition_set *held) {
    rs_partition_set *set = (rs_partition_set *)held;
    size_t unused = 0;
    pthread_mutex_lock(&p->lock);
    bool is_last = --set->users == 0;
    for (size_t i = 0; is_last && i < set->n; i++)
        if (--set->items[i]->users == 0) set->items[unused++] = set->items[i];
    pthread_mutex_unlock(&p->lock);
    if (!is_last) return;
    for (size_t i = 0; i < unused; i++) rs_partition_close(set->items[i]);
    free(set);
}

/* Takes the set; whoever reads in the one before goes on in that. */
static void publish(rs_project_data *p, rs_partition_set *set) {
    pthread_mutex_lock(&p->lock);
    rs_partition_set *old = p->set;
    for (size_t i = 0; i < set->n; i++) set->items[i]->users++;
    p->set = set;
    pthread_mutex_unlock(&p->lock);
    rs_project_data_let_go(p, old);
}

/* One partition more. */
static rs_status extend(rs_project_data *p, rs_partition *last, rs_err *err) {
    rs_partition_set *old = p->set, *set = set_new(old->n + 1);
    if (!set) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    memcpy(set->items, old->items, old->n * sizeof *set->items);
    set->items[old->n] = last;
    p->last_number = last->folder.number;
    publish(p, set);
    return RS_OK;
}

rs_status rs_project_data_replace(rs_project_data *p, rs_partition *old, rs_partition *made, rs_err *err) {
    rs_partition_set *set = set_new(p->set->n);
    if (!set) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    set->n = 0;
    for (size_t i = 0; i < p->set->n; i++) {
        rs_partition *at = p->set->items[i] == old ? made : p->set->items[i];
        if (at) set->items[set->n++] = at;
    }
    if (p->awake == old) p->awake = NULL;
    pthread_mutex_lock(&p->lock);
    old->is_dropped = true;
    pthread_mutex_unlock(&p->lock);
    publish(p, set);
    return RS_OK;
}

/* ---- opening ------------------------------------------------------------------------------------------- */

/* The files of a partition are to be found again: their entries, and those of the folders up to the store's. */
static rs_status sync_folders(const char *dir, rs_err *err) {
    static const char *const up[] = {".", "..", "../..", "../../.."};
    char path[RS_PATH_MAX];
    rs_status st = RS_OK;
    for (size_t i = 0; i < RS_ARRAY_LEN(up) && st == RS_OK; i++) {
        st = rs_path_join(path, dir, up[i], err);
        if (st == RS_OK) st = rs_path_sync_dir(path, err);
    }
    return st;
}

static rs_status open_partition(rs_project_data *p, const rs_folder *folder, rs_partition **out,
                                rs_err *err) {
    char dir[RS_PATH_MAX];
    rs_status st = rs_folder_path(p->dir, folder, dir, err);
    if (st == RS_OK) st = rs_partition_open(p->id, folder, dir, p->durability, out, err);
    if (st != RS_OK || p->durability == RS_DURABLE_PROCESS) return st;
    if ((st = sync_folders(dir, err)) != RS_OK) rs_partition_close(*out), *out = NULL;
    return st;
}

static rs_status open_all(rs_project_data *p, const rs_folder *folders, size_t n, rs_err *err) {
    rs_status st = RS_OK;
    if (!(p->set = set_new(n))) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    p->set->n = 0; /* so many are open */
    for (size_t i = 0; st == RS_OK && i < n; i++) {
        rs_partition *at;
        if ((st = open_partition(p, &folders[i], &at, err)) != RS_OK) break;
        at->users = 1;
        p->set->items[p->set->n++] = at;
        p->last_number = at->folder.number;
        if (at->state.next_span > p->next_span) p->next_span = at->state.next_span;
        p->has_events |= at->has_events;
        if (i + 1 < n) rs_partition_rest(at);
        else rs_partition_learn_spans(at);
    }
    return st;
}

rs_status rs_project_data_open(uint64_t id, const char *dir, rs_durability durability, rs_project_data **out,
                               rs_err *err) {
    rs_folder *folders = NULL;
    size_t n = 0;
    *out = NULL;
    rs_project_data *p = calloc(1, sizeof *p);
    if (!p) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    p->id = id;
    p->durability = durability;
    p->next_span = 1;
    pthread_mutex_init(&p->lock, NULL);
    snprintf(p->dir, sizeof p->dir, "%s", dir);
    rs_folders_clean(dir);
    rs_status st = rs_folders_list(dir, &folders, &n, err);
    if (st == RS_OK) st = open_all(p, folders, n, err);
    free(folders);
    if (st == RS_OK) *out = p;
    else rs_project_data_close(p);
    return st;
}

void rs_project_data_close(rs_project_data *p) {
    for (size_t i = 0; p->set && i < p->set->n; i++) rs_partition_close(p->set->items[i]);
    free(p->set);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

/* ---- the writer ---------------------------------------------------------------------------------------- */

rs_partition *rs_project_data_last(const rs_project_data *p) {
    return p->set->n ? p->set->items[p->set->n - 1] : NULL;
}

bool rs_project_data_takes_more(const rs_partition *p, const rs_partition_limits *limits) {
    const rs_partition_state *s = &p->state;
    if (p->is_closed || s->sealed_end > 0) return false;
    if (s->spans == 0) return true;
    uint64_t now = rs_clock_wall_ns();
    return s->spans < limits->spans && (now < s->opened_ns || now - s->opened_ns < limits->age_ns);
}

rs_status rs_project_data_make_room(rs_project_data *p, const rs_partition_limits *limits, rs_err *err) {
    rs_partition *last = rs_project_data_last(p), *made;
    if (last && rs_project_data_takes_more(last, limits)) return RS_OK;
    rs_folder folder = {p->last_number + 1, 1};
    rs_status st = open_partition(p, &folder, &made, err);
    if (st != RS_OK) return st;
    if ((st = extend(p, made, err)) != RS_OK) {
        rs_partition_close(made);
        return st;
    }
    rs_partition_learn_spans(made);
    if (!last) return RS_OK;
    rs_partition_rest(last);
    rs_dictionary_forget(&last->segment); /* it was packed with */
    return RS_OK;
}

rs_status rs_project_data_wake(rs_project_data *p, rs_partition *partition, rs_err *err) {
    if (partition == p->awake) return RS_OK;
    if (partition == rs_project_data_last(p)) return rs_partition_wake(partition, err);
    if (p->awake) rs_partition_rest(p->awake);
    p->awake = NULL;
    rs_status st = rs_partition_wake(partition, err);
    if (st != RS_OK) return st;
    p->awake = partition;
    return rs_db_exec(partition->writer.db, rs_schema_late_pragmas, err);
}

/* Whether a statement that takes one value finds a row, over a reader's connection: this one may be at rest. */
static rs_status finds(rs_partition *p, rs_sql sql, const uint8_t *trace_id, int64_t key, bool *row,
                       rs_err *err) {
    sqlite3_stmt *stmt;
    rs_index *x;
    rs_status st = rs_partition_borrow(p, &x, err);
    if (st != RS_OK) return st;
    if ((st = rs_index_prepare(x, sql, &stmt, err)) == RS_OK) {
        if (trace_id) rs_db_bind_blob(stmt, 1, trace_id, 16);
        else sqlite3_bind_int64(stmt, 1, key);
        st = rs_db_step(stmt, row, err);
        sqlite3_reset(stmt);
    }
    rs_partition_return(p, x);
    return st;
}

rs_status rs_project_data_home(rs_project_data *p, const uint8_t trace_id[16], rs_partition **out,
                               rs_err *err) {
    uint64_t hash = rs_bloom_hash_id(trace_id);
    rs_status st = RS_OK;
    bool found = false;
    *out = rs_project_data_last(p);
    for (size_t i = p->set->n; st == RS_OK && !found && i-- > 0;) {
        rs_partition *at = p->set->items[i];
        if (at == rs_project_data_last(p) || !rs_bloom_may_have(&at->traces, hash)) continue;
        st = finds(at, RS_SQL_TRACE_BY_ID, trace_id, 0, &found, err);
        if (found) *out = at;
    }
    return st;
}

rs_status rs_project_data_has_key(rs_project_data *p, const rs_partition *but, int64_t key, bool *has,
                                  rs_err *err) {
    uint64_t hash = rs_bloom_hash_key(key);
    rs_status st = RS_OK;
    *has = false;
    for (size_t i = p->set->n; st == RS_OK && !*has && i-- > 0;) {
        rs_partition *at = p->set->items[i];
        if (at == but || key < at->key_min || key > at->key_max || !rs_bloom_may_have(&at->traces, hash))
            continue;
        st = finds(at, RS_SQL_HAS_KEY, NULL, key, has, err);
    }
    return st;
}
