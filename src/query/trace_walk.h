/* Walking the traces that match a filter, in the order of their keys (which is that of their starts).
 *
 * Where words have to be found, the blocks that may have the rarest of them lead, and of the other rows those whose own fields have
 * it are found among the next RS_LIST_WORD_ROWS. Else the store's tags drive the walk as far as the filter's equalities allow (rs_filter_plan); what is left is decided on rows, and of
 * what rows do not decide, on the spans of the trace. The store is read in steps of RS_LIST_SCAN_STEP rows, so that no read snapshot
 * lasts long, and within a budget of rows and of traces whose spans are read: a walk that ends before all was seen is taken up again
 * behind `after`. One thread; blocks on reads of the store. Rows are handed out between two reads: fn may use the store. */
#ifndef RS_QUERY_TRACE_WALK_H
#define RS_QUERY_TRACE_WALK_H

#include "query/list.h"

typedef struct rs_trace_walk {
    /* the question, set by the caller */
    rs_store *store;
    uint64_t project;
    const rs_filter *filter;
    rs_filter_plan plan; /* of the filter */
    bool oldest_first;
    bool has_after;                      /* go on behind this key */
    int64_t after;                       /* when the walk ends: that of the last row which was decided */
    uint64_t start_min_ns, start_max_ns; /* trace start in [min, max); max 0: open */
    bool keys_only; /* rows have their key alone, if the plan's tags decide all; else they are whole */
    uint64_t rows_left, reads_left, blocks_left; /* blocks: that a search for words unpacks */
    uint64_t
        cpu_until_ns; /* by rs_clock_cpu_ns: no more spans are read then, but of one trace; 0: RS_LIST_CPU_MS from the beginning */
    bool has_read; /* spans of a trace */
    /* the answer */
    uint64_t rows_seen, rows_decided; /* decided: up to `after` */
    uint64_t matches;
    bool complete; /* there is nothing more */
} rs_trace_walk;

/* Return false to stop. The row is valid during the call. */
typedef bool (*rs_trace_walk_fn)(void *ctx, const rs_trace_row *row);

/* Finds out of which traces the spans are whose ids are words of a filter on traces. Before the walk. */
RS_MUST_CHECK rs_status rs_trace_walk_find_spans(rs_store *store, uint64_t project, rs_filter *filter,
                                                 rs_err *err);

/* Calls fn for each trace that matches, until it returns false, the budget is used up, or there are no more. */
RS_MUST_CHECK rs_status rs_trace_walk_run(rs_trace_walk *w, rs_trace_walk_fn fn, void *ctx, rs_err *err);

/* Whether a trace matches for certain: what tags promised is looked up in its spans where its row does not show it. */
RS_MUST_CHECK rs_status rs_trace_walk_verify(rs_trace_walk *w, const rs_trace_row *row, bool *holds,
                                             rs_err *err);

/* A row with all it points to copied into the arena; false: out of memory. */
bool rs_trace_row_copy(rs_arena *arena, const rs_trace_row *row, rs_trace_row *out);

#endif
