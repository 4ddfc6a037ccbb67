/* Spans of a tree as columns: lines of JSON, each with the spans that come next, as docs/http-api.md has them. A third of what one
 * object for each takes, and quicker to write and to read.
 *
 * Texts stand once in a line's `strings` and are named by their place among those of all lines so far; which ones were there is known
 * of the last KEPT different short texts, so that memory does not grow with the trace. One thread; failure is the buffer's sticky one. */
#ifndef RS_SERVER_TRACE_COLUMNS_H
#define RS_SERVER_TRACE_COLUMNS_H

#include "base/json_write.h"
#include "store/store.h"

typedef struct rs_trace_columns rs_trace_columns;

rs_trace_columns *rs_trace_columns_new(void); /* NULL: out of memory */
void rs_trace_columns_free(rs_trace_columns *c);

/* One object, a line but for its end, of n spans' heads and how deep they are in the tree. */
void rs_trace_columns_write(rs_trace_columns *c, rs_json *j, rs_span *const *spans, const uint32_t *depths,
                            size_t n, uint64_t trace_start_ns);

#endif
