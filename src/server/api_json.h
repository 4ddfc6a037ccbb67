/* Traces and spans as JSON, as docs/http-api.md lists their fields.
 * Failure is the buffer's sticky one. Any thread. */
#ifndef RS_SERVER_API_JSON_H
#define RS_SERVER_API_JSON_H

#include "base/json_write.h"
#include "store/store.h"

/* Where the last span came from, as JSON: the next one is likely to have come from there too. Zeroed by its owner; to be forgotten
 * before the memory that the span was in is used for another. */
typedef struct rs_api_origin {
    const rs_resource *resource;
    const rs_scope *scope;
    rs_buf text;
} rs_api_origin;
static inline void rs_api_origin_forget(rs_api_origin *o) { o->resource = NULL, o->scope = NULL; }
static inline void rs_api_origin_deinit(rs_api_origin *o) { rs_buf_deinit(&o->text); }

/* The members of an object that the caller opens and closes, so that it can add more. Without content, input,
 * output and whatever the sender attached are left out. Spans with content must be normalized. `origin` may be NULL. */
void rs_api_write_trace(rs_json *j, const rs_trace_row *row, bool content);
void rs_api_write_span(rs_json *j, const rs_span *span, bool content, rs_api_origin *origin);
/* Takes what content may be in, and whose it is, out of what is written next: metadata, what errors say, customer and thread. */
void rs_api_bare_trace(rs_trace_row *row);
void rs_api_bare_span(rs_span *span);
/* What a tree and its waterfall draw of a span's head, about 200 bytes: what is not known is left out, texts are cut. */
void rs_api_write_branch(rs_json *j, const rs_span *span, uint64_t trace_start_ns);

#endif
