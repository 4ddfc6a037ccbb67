/* A trace as JSON (or lines of it), made while it is sent: a tree of any number of spans in little memory.
 *
 * What is kept of all spans is where they are and how they hang together, some 80 bytes each. The spans themselves are read in
 * the order of the tree, a window of RS_TRACE_WINDOW bytes (or one span) at a time, each window the blocks that have its spans:
 * each block once where spans arrived about in the order of the tree, and never more often than there are windows. Open spans
 * (open_table.h) are held as they were when the answer began. One thread at a time. */
#ifndef RS_SERVER_TRACE_STREAM_H
#define RS_SERVER_TRACE_STREAM_H

#include "server/http.h"
#include "store/store.h"

enum { RS_TRACE_WINDOW = 8 << 20, RS_TRACE_WHOLE = 1 << 20 };

typedef enum rs_trace_form {
    RS_TRACE_NESTED,  /* span_tree */
    RS_TRACE_FLAT,    /* spans in the order of the tree, with their depth */
    RS_TRACE_LIGHT,   /* the same, as rs_api_write_branch writes them; and where to go on from */
    RS_TRACE_COLUMNS, /* what LIGHT has, as lines of columns (trace_columns.h) */
} rs_trace_form;

typedef struct rs_trace_shape {
    rs_trace_form form;
    bool content;
    bool bare; /* without content: nor what rs_api_bare_span takes */
    uint64_t
        since; /* only the spans that arrived from this number on, and the open ones, which are no tree: without depth; 0: all */
} rs_trace_shape;

/* Answers with a trace: whole, if it is no longer than RS_TRACE_WHOLE or so, else as a stream. RS_ERR_NOT_FOUND, RS_ERR_CORRUPT. */
RS_MUST_CHECK rs_status rs_trace_stream(rs_server *server, rs_request *req, const uint8_t trace_id[16],
                                        rs_trace_shape shape, rs_response *res, rs_err *err);

#endif
