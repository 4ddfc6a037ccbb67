/* Spans -> OTLP/JSON (protobuf's JSON mapping as opentelemetry.io/docs/specs/otlp has it: ids in hex, 64-bit integers as strings,
 * enums as numbers): what a sender would have sent, whatever encoding it did send. Decoding it gives the same span.
 * Failure is the buffer's sticky one. No I/O, any thread. */
#ifndef RS_OTLP_ENCODE_JSON_H
#define RS_OTLP_ENCODE_JSON_H

#include "otlp/span.h"

/* An ExportTraceServiceRequest with that span alone, its resource and its scope. */
void rs_otlp_write_json(rs_json *j, const rs_span *span);

#endif
