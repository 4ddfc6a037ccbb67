/* Seeded random spans for property tests, benchmarks and fuzz corpora, and what those need around them:
 * requests in both encodings, and a comparison that says where two spans differ. */
#ifndef RS_TESTS_RANDOM_SPANS_H
#define RS_TESTS_RANDOM_SPANS_H

#include "otlp/decode.h"
#include "otlp/encode.h"

/* n spans with every field in play; all memory in the arena. The same seed gives the same spans. */
rs_spans random_spans(uint64_t seed, size_t n, rs_arena *arena);

/* An ExportTraceServiceRequest around the spans: one ResourceSpans for all, taken from the first span. */
void request_protobuf(rs_buf *out, const rs_spans *spans);
/* The same as OTLP/JSON. seed varies what the encoding leaves open: 64-bit integers as strings or numbers, enums as
 * numbers or names, lowerCamelCase or snake_case, escapes. */
void request_json(rs_buf *out, const rs_spans *spans, uint64_t seed);

/* NULL if they are the same, else the name of what differs. */
const char *spans_differ(const rs_span *a, const rs_span *b);

#endif
