/* Request logs -> spans: the JSON objects that PyPI's older packages send (respan-exporter-haystack, respan-exporter-openai-agents,
 * keywordsai; fields: RespanTextLogParams of respan-sdk 2.9.0, KeywordsAILogParams of keywordsai-sdk 0.5.2).
 *
 * A table (request_log.c) says which attribute a field becomes, in Respan's own names where it has one; what is in no table is
 * attribute respan.log.FIELD, null is nothing. Ids that are not hex of the right length (UUIDs are) become the XXH3 of their text, so
 * that spans which name each other find each other; the text stays, as respan.log.trace_unique_id and so on. A log without
 * ids gets them from its own text if that says when it was, so that one sent again is the same span; else at random. Pure; any thread. */
#ifndef RS_SERVER_REQUEST_LOG_H
#define RS_SERVER_REQUEST_LOG_H

#include "otlp/span.h"

/* One object, an array of them, or an array as member "data" of an object. What is no object is rejected and counted. `now_ns` is when
 * a log was that does not say. RS_ERR_INVALID, RS_ERR_TRUNCATED: malformed; RS_ERR_MEMORY: the arena is exhausted. */
RS_MUST_CHECK rs_status rs_request_log_decode(rs_str body, uint64_t now_ns, rs_arena *arena, rs_spans *out,
                                              rs_err *err);

#endif
