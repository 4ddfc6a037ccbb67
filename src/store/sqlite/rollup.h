/* Rollups: counts, tokens and cost per hour (of the span's start) and model. A commit collects its changes
 * and adds them to the table in its own transaction. The writer thread only. */
#ifndef RS_STORE_SQLITE_ROLLUP_H
#define RS_STORE_SQLITE_ROLLUP_H

#include "store/sqlite/partition.h"

typedef struct rs_rollup {
    rs_intern keys; /* 8 bytes of hour and the model's name, in the arena */
    rs_arena arena;
    struct rs_rollup_row {
        int64_t spans, calls, errors, prompt_tokens, completion_tokens;
        double cost;
    } * rows; /* by the key's number */
    size_t cap;
    uint32_t last; /* spans come grouped */
    rs_buf key;
    rs_status failed; /* sticky */
} rs_rollup;

void rs_rollup_init(rs_rollup *r);
void rs_rollup_deinit(rs_rollup *r);
void rs_rollup_clear(rs_rollup *r);

/* sign 1: the span is there now; -1: it was superseded. */
void rs_rollup_add(rs_rollup *r, const rs_span *s, int sign);
RS_MUST_CHECK rs_status rs_rollup_write(rs_rollup *r, rs_index *x, rs_err *err);

#endif
