/* What the files of the SQLite back end share of a store. store.c owns it; commit.c writes; read.c and scan.c
 * read. */
#ifndef RS_STORE_SQLITE_SQLITE_STORE_H
#define RS_STORE_SQLITE_SQLITE_STORE_H

#include "store/sqlite/prepare.h"
#include "store/sqlite/project_data.h"
#include "store/sqlite/turns.h"
#include "store/store.h"

typedef struct rs_keeper rs_keeper; /* keep.c */
typedef struct rs_commit rs_commit; /* commit.h: the writer's scratch */

struct rs_store {
    char dir[RS_PATH_MAX];
    int lock_fd;
    rs_partition_limits limits;
    rs_durability durability;
    pthread_mutex_t lock; /* over the list */
    rs_project_data *projects;
    rs_turns writing; /* what the writer's own is: the commit below, connections, states, sets */
    rs_commit *commit;
    rs_block_writers writers;
    pthread_mutex_t
        keeping;       /* held by whoever rewrites or drops partitions: while it is, no other one goes away */
    rs_keeper *keeper; /* NULL: none was started */
};

/* The project, opened if it was not; if not `create`, *out is NULL if it has nothing stored. Any thread. */
RS_MUST_CHECK rs_status rs_store_find_project(rs_store *s, uint64_t project, bool create,
                                              rs_project_data **out, rs_err *err);

/* Start in [min, max); max 0: open. */
static inline bool rs_in_window(uint64_t start, uint64_t min, uint64_t max) {
    return start >= min && (max == 0 || start < max);
}

/* Both ends inclusive. */
typedef struct rs_key_range {
    int64_t low, high;
} rs_key_range;
/* The keys that a scan of traces may hand out; `skew`: the most that a key is behind its trace's start. */
rs_key_range rs_scan_keys(const rs_trace_scan *scan, int64_t skew);
int64_t rs_partition_set_skew(const rs_partition_set *set);

/* The row that a statement of the columns of a trace is at, valid until its next step. */
RS_MUST_CHECK rs_status rs_index_trace_row(rs_index *x, sqlite3_stmt *stmt, rs_trace_row *row, rs_err *err);

/* As rs_store_retain; under s->keeping. *stop (atomic, may be NULL) makes it give up: RS_ERR_CLOSED. */
/* Unlinks all of it; under s->keeping. */
RS_MUST_CHECK rs_status rs_drop_all(rs_store *s, rs_project_data *p, rs_err *err);
RS_MUST_CHECK rs_status rs_retain(rs_store *s, rs_project_data *p, const rs_retention *keep,
                                  const rs_pins *pins, const bool *stop, size_t *dropped, rs_err *err);

/* Ends the keeper's thread, if there is one. */
void rs_keeper_stop(rs_keeper *k);
/* Something is to be erased: not later than that. */
void rs_keeper_wake(rs_keeper *k);

/* Copies of spans, in an arena. */
typedef struct rs_stored_spans {
    rs_stored_span *items;
    size_t n, cap;
} rs_stored_spans;

/* All copies of a trace's spans, or of that one span if span_id is not NULL, by arrival, appended to *spans.
 * A block that is corrupt is skipped, and the first such error is the result. */
RS_MUST_CHECK rs_status rs_index_gather(rs_index *x, int64_t trace_key, const uint8_t trace_id[16],
                                        const uint8_t *span_id, rs_read_depth depth, rs_arena *arena,
                                        rs_stored_spans *spans, rs_err *err);
/* Keeps of each span id the copy that came last; the order is then by span id. */
void rs_stored_spans_dedupe(rs_stored_spans *spans);

/* Which of the block's spans were sent again: gone[i] of the i-th, of ref->spans, is set. */
RS_MUST_CHECK rs_status rs_index_superseded(rs_index *x, const rs_block_ref *ref, bool *gone, rs_err *err);

/* How deep a block is read: in full where its filter lets it have all of the scan's phrases. */
rs_read_depth rs_span_scan_depth(rs_view *v, const rs_span_scan *scan, const rs_block_ref *ref);
/* Of a block that was: whether a span's attributes are asked for, or may have one of the phrases. */
bool rs_span_scan_needs(const rs_view *v, const rs_span_scan *scan, const rs_extent *extent);

/* Four bytes of a span id, as table trace_block keeps them. */
uint32_t rs_span_fingerprint(const uint8_t span_id[8]);

#endif
