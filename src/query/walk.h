/* A walk: going through every row that a list's filter holds for, in a window of time, without an end of the page. For what is
 * counted, exported or watched rather than listed.
 *
 * Goes in steps of RS_LIST_SCAN_STEP rows, so that no read snapshot lasts longer, and can be taken up again where it stopped: by
 * another thread, hours later. Rows that arrive meanwhile neither repeat nor hide any. One thread at a time. */
#ifndef RS_QUERY_WALK_H
#define RS_QUERY_WALK_H

#include "query/list.h"

enum { RS_WALK_READ_ROWS = 32 };

typedef struct rs_walk {
    rs_store *store;
    uint64_t project;
    const rs_list *list;
    rs_filter_plan plan; /* of traces: what tags see to */
    /* The caller's to set before a run. */
    uint64_t start_min_ns, start_max_ns; /* the list's, at first */
    bool oldest_first;                   /* of traces alone */
    bool content;                        /* of spans: in full, else heads unless the filter needs more */
    bool has_after;                      /* goes on behind `after`: a trace's or span's key */
    int64_t after;
    uint64_t
        left; /* rows that may be looked at; what was looked at is taken off. A trace whose spans have to be read to decide on it
                      counts as RS_WALK_READ_ROWS: then the walk may end before */
    uint64_t cpu_until_ns; /* of traces: trace_walk.h; 0: each run has its own */
    /* Afterwards. */
    bool complete; /* there is no more */
} rs_walk;

/* row: rs_trace_row or rs_span, by the list's table; during the call alone. False to stop behind it. Must not use the store. */
typedef bool (*rs_walk_fn)(void *ctx, int64_t key, const void *row);

/* Prepares the list's filter, once. The list outlives the walk. */
RS_MUST_CHECK rs_status rs_walk_init(rs_walk *w, rs_store *store, uint64_t project, rs_list *list,
                                     rs_arena *arena, rs_err *err);
/* Until fn stops it, `left` is used up or all is seen. Traces are walked by trace_walk.h. */
RS_MUST_CHECK rs_status rs_walk_run(rs_walk *w, rs_walk_fn fn, void *ctx, rs_err *err);

/* Whether the filter can be decided by these fields of a row alone. */
bool rs_walk_needs_only(const rs_list *list, const char *const *fields, size_t n);
/* Whether it holds for a row that is at hand; of a trace: as far as its row says. */
bool rs_walk_matches(const rs_list *list, const void *row);

/* Whether it holds for a trace of which the row is at hand: what that does not tell, its spans do, which are then read (of a trace
 * of more than RS_WALK_DECIDE_SPANS it is taken to hold). */
enum { RS_WALK_DECIDE_SPANS = 20000 };
RS_MUST_CHECK rs_status rs_walk_decide(rs_store *store, uint64_t project, const rs_list *list,
                                       const rs_trace_row *row, bool *holds, rs_err *err);

#endif
