/* Sums over a window by looking at rows: all of them, or where those are too many an even sample of them, scaled. One thread. */
#ifndef RS_QUERY_SAMPLE_H
#define RS_QUERY_SAMPLE_H

#include "query/cells.h"
#include "query/walk.h"

typedef struct rs_sample {
    rs_store *store;
    uint64_t project;
    rs_list *list;
    uint64_t exact; /* rows that may be looked at; a sample is of half as many */
    rs_status (*add)(void *ctx, rs_cells *cells, const void *row); /* what a row is worth */
    void *ctx;
    bool in_full; /* spans are read with their attributes, though the filter does not need them */
    /* afterwards */
    uint64_t rows; /* that were looked at */
    bool is_estimate;
} rs_sample;

/* Adds what starts in [min, max) to cells; max 0: open. */
RS_MUST_CHECK rs_status rs_sample_run(rs_sample *s, uint64_t min, uint64_t max, rs_cells *cells, rs_err *err);

#endif
