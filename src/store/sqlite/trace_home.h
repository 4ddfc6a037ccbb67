/* Where a trace is: its partition, its row, and the blocks that have spans of it. Any thread that reads. */
#ifndef RS_STORE_SQLITE_TRACE_HOME_H
#define RS_STORE_SQLITE_TRACE_HOME_H

#include "store/sqlite/sqlite_store.h"

/* A connection to its partition, which is the caller's to return, and its row. */
typedef struct rs_trace_home {
    rs_partition *p;
    rs_index *x;
    int64_t key;
    size_t spans;
} rs_trace_home;

/* RS_ERR_NOT_FOUND: no partition has it. */
RS_MUST_CHECK rs_status rs_trace_home_find(const rs_partition_set *set, const uint8_t trace_id[16],
                                           rs_trace_home *out, rs_err *err);

enum { RS_TRACE_BLOCKS_PAGE = 64 }; /* rows read in one statement: what bounds a read snapshot */

/* The next blocks of the trace behind `after`, by arrival; with a span id only those that may have it. *rows: how many were looked at:
 * RS_TRACE_BLOCKS_PAGE while there may be more. */
RS_MUST_CHECK rs_status rs_trace_home_blocks(rs_index *x, int64_t key, const uint8_t *span_id,
                                             uint64_t *after, rs_block_ref refs[RS_TRACE_BLOCKS_PAGE],
                                             size_t *n, size_t *rows, rs_err *err);

/* Whether the four bytes of a span id are among those of a row of trace_block. */
bool rs_ids_have(rs_str ids, uint32_t fingerprint);

#endif
