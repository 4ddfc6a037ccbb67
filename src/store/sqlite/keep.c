/* Keeping: which partitions are rewritten or get word rows, and when; what is dropped is retain.c's. */
#include "base/clock.h"
#include "base/log.h"
#include "store/sqlite/dictionary.h"
#include "store/sqlite/dictionary_copy.h"
#include "store/sqlite/rewrite.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/word_rows.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull

enum {
    FIRST_LOOK_S = 10, /* after the start: what a process that died left to do */
    LOOK_EVERY_S = 60,
    ERASE_AFTER_S = 10,       /* so that deletions that come together share a rewriting */
    ERASE_LIVE_AFTER_S = 300, /* of the partition that takes new traces, which is closed for it */
    QUIET_S = 60,             /* late spans are mostly over */
    NICE = 15,
};

struct rs_keeper {
    rs_store *store;
    rs_retention_fn retention;
    rs_pins_fn pins;
    void *ctx;
    pthread_t thread;
    pthread_mutex_t lock; /* the following */
    pthread_cond_t wake;
    uint64_t next_ns; /* the next look, by the monotonic clock */
    bool stopping;    /* atomic */
};

/* ---- one project --------------------------------------------------------------------------------------- */

static bool is_quiet(const rs_partition *p) {
    uint64_t written = __atomic_load_n(&p->written_ns, __ATOMIC_ACQUIRE);
    return written == 0 || rs_clock_mono_ns() - written >= QUIET_S * NS_PER_S;
}

static bool is_since(uint64_t wall_ns, uint64_t seconds) {
    uint64_t now = rs_clock_wall_ns();
    return now < wall_ns || now - wall_ns >= seconds * NS_PER_S;
}

/* In the writer's turn. */
static bool is_due(const rs_store *s, const rs_partition *p, bool is_last, bool at_once) {
    const rs_partition_state *state = &p->state;
    bool is_live = is_last && rs_project_data_takes_more(p, &s->limits);
    uint64_t since = state->segment_end - state->sealed_end;
    if (state->segment_end == 0 && !state->erasing_ns) return false;
    if (at_once) return since > 0 || state->erasing_ns;
    if (state->erasing_ns && is_since(state->erasing_ns, is_live ? ERASE_LIVE_AFTER_S : ERASE_AFTER_S))
        return true;
    return !is_live && since > state->sealed_end / 4 && is_quiet(p);
}

/* One that is due, or NULL. Of one that is empty nothing is written anew: it is dropped. */
static rs_status take_next(rs_store *s, rs_project_data *p, bool at_once, rs_partition **due, rs_err *err) {
    rs_status st = RS_OK;
    *due = NULL;
    rs_turns_take(&s->writing);
    for (size_t i = 0; i < p->set->n && !*due; i++)
        if (is_due(s, p->set->items[i], i + 1 == p->set->n, at_once)) *due = p->set->items[i];
    bool is_empty = *due && (*due)->state.traces == 0 && !(*due)->has_events;
    if (is_empty) st = rs_project_data_replace(p, *due, NULL, err);
    rs_turns_give(&s->writing);
    return st != RS_OK || !is_empty ? st : take_next(s, p, at_once, due, err);
}

/* Under s->keeping. */
static rs_status rewrite_due(rs_store *s, rs_project_data *p, bool at_once, const bool *stop, rs_err *err) {
    rs_partition *due;
    rs_turns_take(&s->writing);
    size_t most = p->set->n; /* each once, should one be due again at once */
    rs_turns_give(&s->writing);
    rs_status st = take_next(s, p, at_once, &due, err);
    while (st == RS_OK && due && most-- > 0) {
        st = rs_rewrite(&s->writing, p, due, stop, err);
        if (st == RS_OK) st = take_next(s, p, at_once, &due, err);
    }
    return st;
}

/* In the writer's turn: one that takes no new traces, and of whose segment a quarter or more is in no word rows. */
static rs_partition *pick_for_rows(rs_store *s, rs_project_data *p, uint64_t *end) {
    rs_partition *found = NULL;
    *end = 0;
    rs_turns_take(&s->writing);
    for (size_t i = 0; i < p->set->n && !found; i++) {
        rs_partition *at = p->set->items[i];
        bool is_live = i + 1 == p->set->n && rs_project_data_takes_more(at, &s->limits);
        *end = at->state.segment_end;
        if (!at->has_seen_rows || (!is_live && *end - at->rows_end > *end / 4)) found = at;
    }
    rs_turns_give(&s->writing);
    return found;
}

/* Of the blocks that are committed; `end` becomes where they do. */
static rs_status make_rows(rs_partition *p, uint64_t end, rs_err *err) {
    rs_index *x;
    sqlite3_stmt *stmt;
    rs_block_ref *blocks = NULL;
    size_t n = 0, cap = 0;
    bool row;
    rs_status st = rs_partition_borrow(p, &x, err);
    if (st != RS_OK) return st;
    st = rs_index_prepare(x, RS_SQL_BLOCKS_SINCE, &stmt, err);
    if (st == RS_OK) sqlite3_bind_int64(stmt, 1, 0), sqlite3_bind_int64(stmt, 2, 0);
    while (st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_block_ref ref = rs_index_block_ref(stmt);
        if (ref.at + ref.length > end) break;
        if (n == cap) {
            void *more = realloc(blocks, (cap = cap ? cap * 2 : 256) * sizeof *blocks);
            if (more) blocks = more;
            else st = rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
        }
        if (st == RS_OK) blocks[n++] = ref;
    }
    if (stmt) sqlite3_reset(stmt);
    if (st == RS_OK) st = rs_word_rows_make(&p->segment, blocks, n, end, p->rows_path, err);
    rs_partition_return(p, x);
    free(blocks);
    return st;
}

static void look_at_rows(rs_partition *p, uint64_t end) {
    p->has_seen_rows = true;
    if (rs_word_rows_look(p->rows_path, end, true, &p->rows_end) != RS_WORD_ROWS_DAMAGED) return;
    rs_log("%s is damaged: it is made anew", p->rows_path);
    unlink(p->rows_path);
}

/* Under s->keeping. Where it cannot be, questions take longer. */
static void make_due_rows(rs_store *s, rs_project_data *p, const bool *stop) {
    uint64_t end;
    rs_err err = {0};
    for (rs_partition *due; (due = pick_for_rows(s, p, &end)) != NULL;) {
        if (stop && __atomic_load_n(stop, __ATOMIC_ACQUIRE)) return;
        if (!due->has_seen_rows) {
            look_at_rows(due, end);
            continue;
        }
        if (make_rows(due, end, &err) != RS_OK) rs_log("%s: %s", due->rows_path, err.message);
        due->rows_end = end; /* or not before it has grown */
    }
}

/* In the writer's turn: one that was not looked at yet. *number: of its dictionary; 0: its blocks do not tell. */
static rs_partition *pick_for_copy(rs_store *s, rs_project_data *p, uint32_t *number) {
    rs_partition *found = NULL;
    rs_err ignored;
    rs_turns_take(&s->writing);
    for (size_t i = 0; i < p->set->n && !found; i++) {
        rs_partition *at = p->set->items[i];
        if (at->has_copy || at->segment.end < RS_DICTIONARY_STORED) continue;
        rs_status st = rs_dictionary_choose(&at->segment, number, &ignored);
        at->has_copy = true;
        if (st != RS_OK || *number > 0) found = at;
    }
    rs_turns_give(&s->writing);
    return found;
}

/* Under s->keeping. */
static void make_due_copies(rs_store *s, rs_project_data *p, const bool *stop) {
    uint32_t number;
    rs_err err = {0};
    for (rs_partition *due; (due = pick_for_copy(s, p, &number)) != NULL;) {
        if (stop && __atomic_load_n(stop, __ATOMIC_ACQUIRE)) return;
        if (rs_dictionary_copy_keep(&due->segment, number, &err) != RS_OK) rs_log("%s", err.message);
    }
}

/* What makes answers quick or damage harmless, and may be missing. */
static void make_due_files(rs_store *s, rs_project_data *p, const bool *stop) {
    make_due_copies(s, p, stop);
    make_due_rows(s, p, stop);
}

static rs_status make_for(rs_store *s, uint64_t project,
                          void (*make)(rs_store *, rs_project_data *, const bool *), rs_err *err) {
    rs_project_data *p;
    rs_status st = rs_store_find_project(s, project, false, &p, err);
    if (st != RS_OK || !p) return st;
    pthread_mutex_lock(&s->keeping);
    make(s, p, NULL);
    pthread_mutex_unlock(&s->keeping);
    return RS_OK;
}

rs_status rs_store_make_word_rows(rs_store *s, uint64_t project, rs_err *err) {
    return make_for(s, project, make_due_rows, err);
}

rs_status rs_store_copy_dictionaries(rs_store *s, uint64_t project, rs_err *err) {
    return make_for(s, project, make_due_copies, err);
}

rs_status rs_store_compact(rs_store *s, uint64_t project, rs_err *err) {
    rs_project_data *p;
    rs_status st = rs_store_find_project(s, project, false, &p, err);
    if (st != RS_OK || !p) return st;
    pthread_mutex_lock(&s->keeping);
    st = rewrite_due(s, p, true, NULL, err);
    if (st == RS_OK) make_due_files(s, p, NULL);
    pthread_mutex_unlock(&s->keeping);
    return st;
}

/* ---- all of them --------------------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

rs_status rs_store_list_projects(rs_store *s, uint64_t **out, size_t *n, rs_err *err) {
    char path[RS_PATH_MAX];
    size_t cap = 0;
    *out = NULL;
    *n = 0;
    rs_status st = rs_path_join(path, s->dir, "projects", err);
    if (st != RS_OK) return st;
    DIR *d = opendir(path);
    if (!d && errno == ENOENT) return RS_OK;
    if (!d) return rs_fail(err, RS_ERR_IO, 0, "cannot read %s: %s", path, strerror(errno));
    for (struct dirent *e; st == RS_OK && (e = readdir(d));) {
        unsigned long long id;
        if (!rs_str_to_u64(rs_str_of(e->d_name), &id) || id == 0) continue;
        if (*n == cap) {
            uint64_t *more = realloc(*out, (cap = cap ? cap * 2 : 16) * sizeof *more);
            if (more) *out = more;
            else st = rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
        }
        if (st == RS_OK) (*out)[(*n)++] = id;
    }
    closedir(d);
    if (*n) qsort(*out, *n, sizeof **out, by_id);
    return st;
}

/* While it cannot be read what is pinned, nothing goes. */
static rs_status retain(rs_keeper *k, rs_project_data *p, const rs_retention *keep, rs_err *err) {
    rs_pins pins = {0};
    rs_status st = k->pins ? k->pins(k->ctx, p->id, &pins, err) : RS_OK;
    if (st == RS_OK) st = rs_retain(k->store, p, keep, &pins, &k->stopping, NULL, err);
    free(pins.ids);
    return st;
}

static void note_outcome(rs_keeper *k, rs_project_data *p, const char *error) {
    pthread_mutex_lock(&k->lock);
    snprintf(p->compact_error, sizeof p->compact_error, "%s", error);
    pthread_mutex_unlock(&k->lock);
}

static void keep_project(rs_keeper *k, uint64_t project) {
    rs_store *s = k->store;
    rs_project_data *p;
    rs_err err = {0};
    rs_status st = rs_store_find_project(s, project, false, &p, &err);
    rs_retention keep = k->retention ? k->retention(k->ctx, project) : (rs_retention){0};
    if (st == RS_OK && p) {
        /* Taken now: who asks while this goes on is not served by it. */
        bool at_once = __atomic_load_n(&p->wants_compacting, __ATOMIC_ACQUIRE);
        __atomic_store_n(&p->is_compacting, at_once, __ATOMIC_RELEASE);
        if (at_once) __atomic_store_n(&p->wants_compacting, false, __ATOMIC_RELEASE);
        pthread_mutex_lock(&s->keeping);
        if (keep.is_deleted) st = rs_drop_all(s, p, &err);
        else if (keep.age_ns || keep.bytes) st = retain(k, p, &keep, &err);
        if (st == RS_OK) make_due_files(s, p, &k->stopping);
        if (st == RS_OK) st = rewrite_due(s, p, at_once, &k->stopping, &err);
        if (st == RS_OK) make_due_files(s, p, &k->stopping);
        pthread_mutex_unlock(&s->keeping);
        if (st != RS_ERR_CLOSED) note_outcome(k, p, st == RS_OK ? "" : err.message);
        __atomic_store_n(&p->is_compacting, false, __ATOMIC_RELEASE);
    }
    if (st != RS_OK && st != RS_ERR_CLOSED)
        rs_log("project %llu: %s", (unsigned long long)project, err.message);
}

static void look_around(rs_keeper *k) {
    uint64_t *projects;
    size_t n;
    rs_err err = {0};
    if (rs_store_list_projects(k->store, &projects, &n, &err) != RS_OK) rs_log("%s", err.message);
    for (size_t i = 0; i < n && !__atomic_load_n(&k->stopping, __ATOMIC_ACQUIRE); i++)
        keep_project(k, projects[i]);
    free(projects);
}

static void *run(void *arg) {
    rs_keeper *k = arg;
    /* Of this thread alone: that is what it means on Linux. */
    (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
    pthread_mutex_lock(&k->lock);
    while (!k->stopping) {
        uint64_t now = rs_clock_mono_ns();
        if (now < k->next_ns) {
            struct timespec until = {(time_t)(k->next_ns / NS_PER_S), (long)(k->next_ns % NS_PER_S)};
            pthread_cond_timedwait(&k->wake, &k->lock, &until);
            continue;
        }
        k->next_ns = now + LOOK_EVERY_S * NS_PER_S;
        pthread_mutex_unlock(&k->lock);
        look_around(k);
        pthread_mutex_lock(&k->lock);
    }
    pthread_mutex_unlock(&k->lock);
    return NULL;
}

rs_status rs_store_start_keeper(rs_store *s, rs_retention_fn fn, rs_pins_fn pins, void *ctx, rs_err *err) {
    rs_keeper *k = calloc(1, sizeof *k);
    if (!k) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    *k = (rs_keeper){.store = s, .retention = fn, .pins = pins, .ctx = ctx};
    k->next_ns = rs_clock_mono_ns() + FIRST_LOOK_S * NS_PER_S;
    pthread_mutex_init(&k->lock, NULL);
    rs_clock_cond_init(&k->wake);
    if (pthread_create(&k->thread, NULL, run, k) == 0) {
        s->keeper = k;
        return RS_OK;
    }
    pthread_cond_destroy(&k->wake);
    pthread_mutex_destroy(&k->lock);
    free(k);
    return rs_fail(err, RS_ERR_MEMORY, 0, "cannot start the keeper's thread");
}

void rs_keeper_stop(rs_keeper *k) {
    if (!k) return;
    pthread_mutex_lock(&k->lock);
    __atomic_store_n(&k->stopping, true, __ATOMIC_RELEASE);
    pthread_cond_signal(&k->wake);
    pthread_mutex_unlock(&k->lock);
    pthread_join(k->thread, NULL);
    pthread_cond_destroy(&k->wake);
    pthread_mutex_destroy(&k->lock);
    free(k);
}

static void look_by(rs_keeper *k, uint64_t seconds) {
    if (!k) return;
    uint64_t at = rs_clock_mono_ns() + seconds * NS_PER_S;
    pthread_mutex_lock(&k->lock);
    if (at < k->next_ns) k->next_ns = at;
    pthread_cond_signal(&k->wake);
    pthread_mutex_unlock(&k->lock);
}

void rs_keeper_wake(rs_keeper *k) { look_by(k, ERASE_AFTER_S + 1); }

void rs_store_ask_compact(rs_store *s, uint64_t project) {
    rs_project_data *p;
    if (!s->keeper || rs_store_find_project(s, project, false, &p, NULL) != RS_OK || !p) return;
    __atomic_store_n(&p->wants_compacting, true, __ATOMIC_RELEASE);
    look_by(s->keeper, 0);
}

void rs_store_get_compacting(rs_store *s, uint64_t project, rs_compacting *out) {
    rs_project_data *p;
    *out = (rs_compacting){.is_rid = true};
    if (rs_store_find_project(s, project, false, &p, NULL) != RS_OK || !p) return;
    out->is_at_it = __atomic_load_n(&p->wants_compacting, __ATOMIC_ACQUIRE) ||
                    __atomic_load_n(&p->is_compacting, __ATOMIC_ACQUIRE);
    if (s->keeper) {
        pthread_mutex_lock(&s->keeper->lock);
        memcpy(out->error, p->compact_error, sizeof out->error);
        pthread_mutex_unlock(&s->keeper->lock);
    }
    rs_turns_take(&s->writing);
    for (size_t i = 0; i < p->set->n; i++)
        if (p->set->items[i]->state.erasing_ns) out->is_rid = false;
    rs_turns_give(&s->writing);
}
