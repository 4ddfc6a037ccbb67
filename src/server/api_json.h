/* Traces and spans as JSON, as docs/http-api.md lists their fields.
 * Failure is the buffer's sticky one. Any thread. */
#ifndef RS_SERVER_API_JSON_H
#define RS_SERVER_API_JSON_H

#include "base/json_write.h"
#include "store/store.h"

/* The members of an object that the caller opens and closes, so that it can add more. Without content, input,
 * output and whatever the sender attached are left out. Spans with content must be normalized. */
void rs_api_write_trace(rs_json *j, const rs_trace_row *row, bool content);
void rs_api_write_span(rs_json *j, const rs_span *span, bool content);

#endif
