/* Bytes -> spans, for the two encodings of OTLP/HTTP (opentelemetry.io/docs/specs/otlp, v1).
 *
 * One walk over the body. Strings are slices of the body (JSON strings with escapes are unescaped into the arena),
 * so body and arena must outlive the spans. Unknown fields are skipped. A span without a valid trace or span id is
 * left out and counted (partial success), and so is one that JSON gives a value of a wrong type or out of its range; a body that is not an ExportTraceServiceRequest is an error as a whole,
 * with the byte offset, and nothing of it may be used. No I/O, no globals, any thread.
 *
 * Text that is not UTF-8 does not cost the span: in protobuf each stray byte becomes U+FFFD, in a copy ('?' inside
 * composite values, whose length must not change); JSON must be UTF-8 as a whole, and lone surrogate escapes become
 * U+FFFD. Times are kept as sent, even an end before its start. A link without valid ids counts as dropped. */
#ifndef RS_OTLP_DECODE_H
#define RS_OTLP_DECODE_H

#include "otlp/span.h"

/* ExportTraceServiceRequest -> out. RS_ERR_INVALID / RS_ERR_TRUNCATED (malformed), RS_ERR_TOO_LARGE (nesting
 * beyond what can be left out), RS_ERR_MEMORY (arena limit). A span with an attribute nested too deep is rejected alone. */
RS_MUST_CHECK rs_status rs_otlp_decode_protobuf(rs_str body, rs_arena *arena, rs_spans *out, rs_err *err);
RS_MUST_CHECK rs_status rs_otlp_decode_json(rs_str body, rs_arena *arena, rs_spans *out, rs_err *err);

/* ExportLogsServiceRequest -> those of its records that are events of GenAI's conventions (event_name, or the attribute event.name,
 * begins with "gen_ai.") and say of which span. The event has the record's attributes, then the members of its body if that is a
 * map, else the body as attribute "body"; its time is the record's, else when it was observed. */
RS_MUST_CHECK rs_status rs_otlp_decode_logs_protobuf(rs_str body, rs_arena *arena, rs_loose_events *out,
                                                     rs_err *err);
RS_MUST_CHECK rs_status rs_otlp_decode_logs_json(rs_str body, rs_arena *arena, rs_loose_events *out,
                                                 rs_err *err);

/* The body of an Event message, as rs_otlp_encode_event makes it. */
RS_MUST_CHECK rs_status rs_otlp_decode_event(rs_str message, rs_arena *arena, rs_event *out, rs_err *err);

/* Iterates a composite value's protobuf bytes (RS_VALUE_ARRAY: key stays empty; RS_VALUE_KVLIST).
 * at: 0 to begin; false at the end. */
bool rs_value_next(const rs_value *composite, size_t *at, rs_str *key, rs_value *value);

#endif
