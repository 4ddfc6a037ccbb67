/* Lists of traces: a list request -> one page of summary rows, its count, and the places before and behind
 * it.
 *
 * What matches is found by a walk (trace_walk.h). By start, it stops when the page is full; by another field, the best rows
 * are kept in a bounded heap over all of it. Where its budget ends, list->scan_max rows:
 *   - by start, the page holds what was found so far (perhaps nothing), and `next` goes on from there;
 *   - by another field the request is refused (RS_ERR_INVALID, `sort_by`): a part in order would be a wrong
 * answer.
 * The count is the index's where that knows it, else that of a look at all rows if they are few, else an estimate from some of them that
 * lie all over what may match: what comes in bursts counts for what it is.
 * Any thread; blocks on reads of the store. */
#ifndef RS_QUERY_TRACES_H
#define RS_QUERY_TRACES_H

#include "query/list.h"

typedef struct rs_trace_page {
    rs_trace_row *rows; /* in the arena, as is what they point to */
    size_t n;
    bool counted;
    uint64_t count;   /* of all that match, on this page or not … */
    bool is_estimate; /* … and reckoned from some of them */
    bool has_next, has_previous;
    rs_cursor next, previous;
} rs_trace_page;

/* A trace of which the caller knows more than the store: its row stands in a list for what is stored of it. */
typedef struct rs_trace_known {
    rs_trace_row row; /* key: where it stands in a list by start */
    bool fits;        /* the list's filter and window hold for it; else it is in no list */
    rs_trace_row
        stored; /* what is: by that it stands in a list by another field, where only what is_stored is */
    bool is_stored, stored_fits;
} rs_trace_known;

/* A list with those in it. `only`: the filter holds for nothing that is merely stored. Their order is changed, and equal keys are
 * told apart. */
RS_MUST_CHECK rs_status rs_traces_list_with(rs_store *store, uint64_t project, rs_list *list,
                                            rs_trace_known *known, size_t nknown, bool only, rs_arena *arena,
                                            rs_trace_page *out, rs_err *err);

RS_MUST_CHECK rs_status rs_traces_list(rs_store *store, uint64_t project, rs_list *list, rs_arena *arena,
                                       rs_trace_page *out, rs_err *err);

/* One trace's row, in the arena. RS_ERR_NOT_FOUND. */
RS_MUST_CHECK rs_status rs_traces_get(rs_store *store, uint64_t project, const uint8_t trace_id[16],
                                      rs_arena *arena, rs_trace_row *out, rs_err *err);

#endif
