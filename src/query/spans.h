/* Lists of spans, newest arrival first: a list request -> one page, handed out span by span.
 *
 * Conditions are decided on span heads; content is read only for the spans of the page. As in traces.h, a
 * request that has looked through list->scan_max spans ends there, and `next` goes on; a count past RS_LIST_COUNT_SPANS spans is an
 * estimate, but where the filter asks for one trace: then its blocks alone are looked through, and all of them. Any thread. */
#ifndef RS_QUERY_SPANS_H
#define RS_QUERY_SPANS_H

#include "query/list.h"

typedef struct rs_span_page {
    size_t n;
    bool counted;
    uint64_t count;   /* of all that match … */
    bool is_estimate; /* … and reckoned from the newest of them */
    bool has_next, has_previous;
    rs_cursor next, previous;
} rs_span_page;

/* Calls fn for each span of the page in order, until it returns false: the page then ends with that span and
 * `next` goes on behind it. The span is valid during the call, which must not use the store. With list->content the spans are in full (rs_read_depth), else heads. */
RS_MUST_CHECK rs_status rs_spans_list(rs_store *store, uint64_t project, rs_list *list, rs_arena *arena,
                                      rs_span_fn fn, void *ctx, rs_span_page *out, rs_err *err);

#endif
