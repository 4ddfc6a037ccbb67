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

/* rs_traces_list, with running traces in their place: in a list by start those of which nothing is stored yet stand where they
 * started, but for pages asked for by a number behind the first, and may make the page longer by as many; else only what is stored is listed. What only running traces can be is answered
 * from what is open. Of more than RS_RUNNING_LISTED running traces those that began last are. */
RS_MUST_CHECK rs_status rs_running_list(rs_store *store, rs_open_table *open, uint64_t project, rs_list *list,
                                        rs_arena *arena, rs_trace_page *out, rs_err *err);

#endif
