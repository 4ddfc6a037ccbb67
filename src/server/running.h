/* Running traces: what is stored of a trace and what is open of it (open_table.h), as one.
 *
 * A row with open spans is `running` and ends now; while its root is open, or nothing of it is stored, it has what that says of it
 * (name, kind, start). Its counts are of what is stored. Any thread; blocks on reads of the store. */
#ifndef RS_SERVER_RUNNING_H
#define RS_SERVER_RUNNING_H

#include "query/traces.h"
#include "server/open_table.h"

/* A trace's row and its open spans, in the arena. RS_ERR_NOT_FOUND: nothing of it is stored, and nothing open. */
RS_MUST_CHECK rs_status rs_running_get(rs_store *store, rs_open_table *open, uint64_t project,
                                       const uint8_t trace_id[16], rs_arena *arena, rs_trace_row *row,
                                       rs_spans *spans, rs_err *err);

/* Whether the list's filter and window hold for a row as that gives it, with those spans. */
RS_MUST_CHECK rs_status rs_running_fits(rs_store *store, uint64_t project, const rs_list *list,
                                        const rs_trace_row *row, const rs_spans *spans, bool *fits,
                                        rs_err *err);

/* The list is of running traces alone: what is over is in it no more. */
bool rs_running_is_asked(const rs_list *list);

enum { RS_RUNNING_LISTED = 200 };

/* The traces that run, as a list and what is counted beside it take them, in the arena. Of more than RS_RUNNING_LISTED those that began
 * last are; the others are as they are stored. */
RS_MUST_CHECK rs_status rs_running_know(rs_store *store, rs_open_table *open, uint64_t project,
                                        const rs_list *list, rs_arena *arena, rs_trace_known **out, size_t *n,
                                        rs_err *err);

/* rs_traces_list with those in their places, by what they are as running ones: its pages, in either direction and by number,
 * have each once, and its count counts them. In a list by start those of which nothing is stored yet stand where they
 * started; in another only what is stored is, where that stands. What only running traces can be is answered from what is open. */
RS_MUST_CHECK rs_status rs_running_list(rs_store *store, rs_open_table *open, uint64_t project, rs_list *list,
                                        rs_arena *arena, rs_trace_page *out, rs_err *err);

#endif
