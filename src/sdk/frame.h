/* A span's frame: the Span as it stands inside ScopeSpans, tag and length first. It begins with its lead (tag, length,
 * ids, kind, times), which is written when it ends; its fields follow. No I/O, any thread. */
#ifndef RS_SDK_FRAME_H
#define RS_SDK_FRAME_H

#include "base/str.h"
#include "respan.h"
#include <stdint.h>

/* Field numbers of opentelemetry.proto.trace.v1.Span. */
enum {
    RS_SPAN_TRACE_ID = 1,
    RS_SPAN_ID = 2,
    RS_SPAN_PARENT_ID = 4,
    RS_SPAN_NAME = 5,
    RS_SPAN_KIND = 6,
    RS_SPAN_START = 7,
    RS_SPAN_END = 8,
    RS_SPAN_ATTRIBUTES = 9,
    RS_SPAN_DROPPED_ATTRIBUTES = 10,
    RS_SPAN_EVENTS = 11,
    RS_SPAN_LINKS = 13,
    RS_SPAN_STATUS = 15,
};
enum { RS_STATUS_MESSAGE = 2, RS_STATUS_CODE = 3 }; /* and of its Status */

enum { RS_FRAME_LEAD_MAX = 1 + 5 + 2 + 16 + 2 + 8 + 2 + 8 + 2 + 6 + 9 + 9 };

typedef struct rs_frame_head {
    const uint8_t *trace_id, *span_id, *parent_id; /* parent_id NULL: none */
    uint64_t start_ns, end_ns;
    bool has_kind;     /* among the fields; else it is internal */
    uint32_t left_out; /* attributes, events, … that could not be had */
} rs_frame_head;

/* Writes the lead of a frame whose fields have n bytes, somewhere in `out`, and gives where. */
rs_str rs_frame_lead(const rs_frame_head *head, size_t n, char out[RS_FRAME_LEAD_MAX]);

/* Bytes of the lead of a frame that is not to be trusted: up to and including the end time; 0 if it has none. */
size_t rs_frame_find_lead(rs_str frame);

#endif
