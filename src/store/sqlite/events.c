#include "store/sqlite/events.h"
#include "base/clock.h"
#include "base/xxh.h"

#include <stdlib.h>

uint64_t rs_store_event_hash(rs_str record) { return XXH3_64bits(record.p, record.n); }

/* ---- writing ------------------------------------------------------------------------------------------- */

typedef struct placed {
    rs_partition *at;
    const rs_store_event *event;
    size_t order; /* of arrival within the commit */
} placed;

static rs_status has_row(rs_partition *p, const rs_store_event *e, bool *has, rs_err *err) {
    sqlite3_stmt *stmt;
    rs_index *x;
    rs_status st = rs_partition_borrow(p, &x, err);
    if (st != RS_OK) return st;
    if ((st = rs_index_prepare(x, RS_SQL_HAS_EVENT, &stmt, err)) == RS_OK) {
        rs_db_bind_blob(stmt, 1, e->trace_id, 16);
        rs_db_bind_blob(stmt, 2, e->span_id, 8);
        sqlite3_bind_int64(stmt, 3, (int64_t)rs_store_event_hash(e->record));
        st = rs_db_step(stmt, has, err);
        sqlite3_reset(stmt);
    }
    rs_partition_return(p, x);
    return st;
}

/* Where it lies already, else where its trace is. */
static rs_status find_place(rs_project_data *p, const rs_store_event *e, rs_partition **out, rs_err *err) {
    rs_status st = RS_OK;
    bool has = false;
    for (size_t i = p->set->n; st == RS_OK && !has && i-- > 0;) {
        *out = p->set->items[i];
        if (rs_partition_may_have_event(*out, e->trace_id, e->span_id)) st = has_row(*out, e, &has, err);
    }
    return st == RS_OK && !has ? rs_project_data_home(p, e->trace_id, out, err) : st;
}

static int by_partition(const void *a, const void *b) {
    const placed *x = a, *y = b;
    if (x->at != y->at) return x->at->folder.number < y->at->folder.number ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

/* Before it is committed: from then on it can be found. */
static void note(rs_project_data *p, rs_partition *at, const rs_store_event *e) {
    rs_partition_note_event(at, e->trace_id, e->span_id);
    __atomic_store_n(&p->has_events, true, __ATOMIC_RELEASE);
}

static rs_status write_row(rs_index *x, const placed *e, int64_t now, rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st =
        rs_index_prepare(x, e->event->is_joined ? RS_SQL_JOIN_EVENT : RS_SQL_ADD_EVENT, &stmt, err);
    if (st != RS_OK) return st;
    rs_db_bind_blob(stmt, 1, e->event->trace_id, 16);
    rs_db_bind_blob(stmt, 2, e->event->span_id, 8);
    sqlite3_bind_int64(stmt, 3, (int64_t)rs_store_event_hash(e->event->record));
    sqlite3_bind_int64(stmt, 4, now + (int64_t)e->order);
    if (!e->event->is_joined) rs_db_bind_blob(stmt, 5, e->event->record.p, e->event->record.n);
    return rs_db_run(stmt, err);
}

/* Those of one partition. */
static rs_status write_to(rs_project_data *p, const placed *events, size_t n, int64_t now, rs_err *err) {
    rs_partition *at = events[0].at;
    rs_status st = rs_project_data_wake(p, at, err);
    if (st == RS_OK) st = rs_index_run(&at->writer, RS_SQL_BEGIN, err);
    for (size_t i = 0; i < n && st == RS_OK; i++) {
        note(p, at, events[i].event);
        st = write_row(&at->writer, &events[i], now, err);
    }
    if (st == RS_OK) st = rs_index_run(&at->writer, RS_SQL_COMMIT, err);
    __atomic_fetch_add(&at->changes, 1, __ATOMIC_RELEASE); /* even if it seems to have failed */
    if (st != RS_OK && at->writer.db && !sqlite3_get_autocommit(at->writer.db))
        sqlite3_exec(at->writer.db, "ROLLBACK", NULL, NULL, NULL);
    return st;
}

rs_status rs_events_write(rs_project_data *p, const rs_partition_limits *limits,
                          const rs_store_batch *batches, size_t n, rs_err *err) {
    size_t total = 0, at = 0;
    for (size_t b = 0; b < n; b++)
        if (batches[b].project == p->id) total += batches[b].nevents;
    if (total == 0) return RS_OK;
    rs_status st = rs_project_data_make_room(p, limits, err);
    if (st != RS_OK) return st;
    placed *events = malloc(total * sizeof *events);
    if (!events) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory for a commit");
    for (size_t b = 0; b < n; b++)
        for (size_t i = 0; batches[b].project == p->id && i < batches[b].nevents && st == RS_OK; i++, at++) {
            events[at] = (placed){.event = &batches[b].events[i], .order = at};
            st = find_place(p, events[at].event, &events[at].at, err);
        }
    if (st == RS_OK) qsort(events, total, sizeof *events, by_partition);
    int64_t now = (int64_t)rs_clock_wall_ns();
    for (size_t from = 0, to; from < total && st == RS_OK; from = to) {
        for (to = from + 1; to < total && events[to].at == events[from].at;) to++;
        st = write_to(p, events + from, to - from, now, err);
    }
    free(events);
    return st;
}

/* ---- reading ------------------------------------------------------------------------------------------- */

typedef struct found {
    rs_stored_event *items;
    size_t n, cap;
} found;

static rs_status read_from(rs_partition *p, const uint8_t trace_id[16], const uint8_t span_id[8],
                           rs_arena *arena, found *out, rs_err *err) {
    sqlite3_stmt *stmt;
    rs_index *x;
    bool row = false;
    rs_status st = rs_partition_borrow(p, &x, err);
    if (st != RS_OK) return st;
    if ((st = rs_index_prepare(x, RS_SQL_EVENTS_OF, &stmt, err)) == RS_OK) {
        rs_db_bind_blob(stmt, 1, trace_id, 16);
        rs_db_bind_blob(stmt, 2, span_id, 8);
    }
    while (st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_str record = rs_db_column_str(stmt, 1);
        bool joined = sqlite3_column_type(stmt, 1) == SQLITE_NULL;
        rs_str copy = joined ? record : rs_arena_copy(arena, record);
        if ((!joined && !copy.p) ||
            !rs_arena_grow(arena, (void **)&out->items, out->n, &out->cap, sizeof *out->items)) {
            sqlite3_reset(stmt);
            st = rs_fail(err, RS_ERR_MEMORY, 0, "out of memory for a span's events");
            break;
        }
        out->items[out->n++] = (rs_stored_event){
            .hash = (uint64_t)sqlite3_column_int64(stmt, 0), .record = copy, .is_joined = joined};
    }
    rs_partition_return(p, x);
    return st;
}

rs_status rs_store_read_events(rs_store *s, uint64_t project, const uint8_t trace_id[16],
                               const uint8_t span_id[8], rs_arena *arena, rs_stored_event **out, size_t *n,
                               rs_err *err) {
    rs_project_data *p;
    found all = {0};
    *n = 0;
    rs_status st = rs_store_find_project(s, project, false, &p, err);
    if (st != RS_OK || !p || !__atomic_load_n(&p->has_events, __ATOMIC_ACQUIRE)) return st;
    const rs_partition_set *set = rs_project_data_hold(p);
    for (size_t i = 0; i < set->n && st == RS_OK; i++)
        if (rs_partition_may_have_event(set->items[i], trace_id, span_id))
            st = read_from(set->items[i], trace_id, span_id, arena, &all, err);
    rs_project_data_let_go(p, set);
    *out = all.items;
    *n = all.n;
    return st;
}

rs_status rs_store_may_have_events(rs_store *s, uint64_t project, bool *may, rs_err *err) {
    rs_project_data *p;
    rs_status st = rs_store_find_project(s, project, false, &p, err);
    *may = st == RS_OK && p && __atomic_load_n(&p->has_events, __ATOMIC_ACQUIRE);
    return st;
}
