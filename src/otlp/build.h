/* Spans under construction, for both decoders. Private to otlp/.
 *
 * Attributes, events and links of unknown number are collected on stacks that are reused from span to span,
 * and copied to the arena, tight, when their owner is complete: an event's attributes lie above those of its
 * span until then. All memory is the arena's. Functions that can fail return false with b->status set, and
 * the walk ends there. */
#ifndef RS_OTLP_BUILD_H
#define RS_OTLP_BUILD_H

#include "otlp/decode.h"

typedef struct rs_build {
    rs_arena *arena;
    rs_err *err;
    rs_status status;
    rs_spans spans;
    rs_loose_events loose;
    size_t cap, loose_cap;
    rs_resource *resource; /* of the spans that are read now */
    rs_scope *scope;
    rs_attr *attrs;
    rs_event *events;
    rs_link *links;
    size_t nattrs, nevents, nlinks, attrs_cap, events_cap, links_cap;
} rs_build;

/* To begin: room for the given number of spans, so that their array need not grow. A body over 4 GiB is
 * refused: counts are 32 bits wide. */
bool rs_build_reserve(rs_build *b, rs_str body, size_t spans);

/* Which ids of the span that is read now had the right length. */
typedef struct rs_build_ids {
    bool trace, span, bad_parent;
} rs_build_ids;

/* Places of the next attribute, event, link; zeroed. NULL when the arena is exhausted. */
rs_attr *rs_build_attr(rs_build *b);
rs_event *rs_build_event(rs_build *b);
rs_link *rs_build_link(rs_build *b);

/* Moves the attributes from stack place `from` on to the arena and into *out. */
bool rs_build_take_attrs(rs_build *b, size_t from, rs_attrs *out);

/* New resource and scope for the spans that follow. */
bool rs_build_resource(rs_build *b);
bool rs_build_scope(rs_build *b);

/* The place of the next span, zeroed but for resource and scope; it counts only once it is finished. */
rs_span *rs_build_span(rs_build *b);
/* Completes it with what is on the stacks, or rejects it if its ids are unusable; empties the stacks. */
bool rs_build_finish_span(rs_build *b, rs_span *s, rs_build_ids ids);

/* Leaves it out, wherever reading it stopped; empties the stacks. */
void rs_build_reject_span(rs_build *b, const char *why);

/* False, with b->status and *b->err set. */
bool rs_build_fail(rs_build *b, rs_status code, size_t offset, const char *what);

/* s if it is valid UTF-8, else a copy with U+FFFD for each byte that is not part of a character. */
bool rs_build_text(rs_build *b, rs_str s, rs_str *out);

static inline bool rs_id_is_zero(const uint8_t *id, size_t n) {
    uint8_t any = 0;
    for (size_t i = 0; i < n; i++) any |= id[i];
    return any == 0;
}

#endif
