/* A trace as JSON, made while it is sent: a tree of any number of spans in little memory.
 *
 * What is kept of all spans is where they are and how they hang together, some 80 bytes each. The spans themselves are read in
 * the order of the tree, a window of RS_TRACE_WINDOW bytes (or one span) at a time, each window the blocks that have its spans:
 * each block once where spans arrived about in the order of the tree, and never more often than there are windows. One thread at a time. */
#ifndef RS_SERVER_TRACE_STREAM_H
#define RS_SERVER_TRACE_STREAM_H

#include "server/http.h"
#include "store/store.h"

enum { RS_TRACE_WINDOW = 8 << 20, RS_TRACE_WHOLE = 1 << 20 };

/* Answers with a trace: whole, if it is no longer than RS_TRACE_WHOLE or so, else as a stream. RS_ERR_NOT_FOUND, RS_ERR_CORRUPT. */
RS_MUST_CHECK rs_status rs_trace_stream(rs_store *store, rs_request *req, const uint8_t trace_id[16],
                                        bool content, bool flat, rs_response *res, rs_err *err);

#endif
