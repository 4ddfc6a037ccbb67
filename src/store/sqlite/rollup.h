/* Rollups: sums (sums.h) of spans per hour of their start, log type, model and environment, and of traces per hour of theirs. A
 * commit collects its changes and adds them to the table in its own transaction: what is superseded or deleted is taken
 * away in the same way.
 *
 * A partition has at most RS_ROLLUP_ROWS_MAX kinds of rows: what comes with a new one then goes to the row of its hour that is
 * of no kind, and so do names longer than RS_ROLLUP_NAME_MAX. Rows are not removed one by one, so what once went there
 * goes there again; but deleting traces removes rows that are of nothing any more, while there never were too many. The writer thread only, but for rs_rollup_scan. */
#ifndef RS_STORE_SQLITE_ROLLUP_H
#define RS_STORE_SQLITE_ROLLUP_H

#include "store/sqlite/partition.h"

enum { RS_ROLLUP_ROWS_MAX = 20000, RS_ROLLUP_NAME_MAX = 256 };

typedef struct rs_rollup {
    rs_intern numbers; /* of a row's key, see rollup.c; the strings are in the arena */
    rs_arena arena;
    rs_sums *changes; /* by number */
    size_t cap;
    uint32_t last; /* spans come grouped */
    rs_buf key, latency, ttft, speed;
    rs_status failed; /* sticky */
} rs_rollup;

void rs_rollup_init(rs_rollup *r);
void rs_rollup_deinit(rs_rollup *r);
void rs_rollup_clear(rs_rollup *r);

/* sign 1: it is there now; -1: no longer, or not as it was. */
void rs_rollup_add(rs_rollup *r, const rs_span *head, int sign);
void rs_rollup_add_trace(rs_rollup *r, const rs_trace_row *row, int sign);
/* Adds the changes to the table. *rows: how many it has; negative: not known. */
RS_MUST_CHECK rs_status rs_rollup_write(rs_rollup *r, rs_index *x, int64_t *rows, rs_err *err);

/* Makes the table anew from all heads and trace rows, in the caller's transaction. What cannot be read is left out, with a line in
 * the log. */
RS_MUST_CHECK rs_status rs_rollup_make(rs_index *x, rs_err *err);

/* Calls fn for each row of the table that the scan is about; *stopped: it had enough. Any thread. */
RS_MUST_CHECK rs_status rs_rollup_scan(rs_index *x, const rs_hour_scan *scan, rs_hour_fn fn, void *ctx,
                                       bool *stopped, rs_err *err);

/* The function hist_add that the statements use; for a connection that writes. */
RS_MUST_CHECK rs_status rs_rollup_register(sqlite3 *db, rs_err *err);

#endif
