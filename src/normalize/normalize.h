/* Attributes of any dialect -> rs_facts.
 *
 * One table per dialect (respan.c, langfuse.c, …; dialects.c lists them): attribute name -> field. Our own names are read
 * first and win; the order of dialects is the order of rs_dialects[]. The attributes themselves are never changed.
 * No I/O, no globals, any thread. Strings of the facts are slices of the span's attributes or live in the arena. */
#ifndef RS_NORMALIZE_NORMALIZE_H
#define RS_NORMALIZE_NORMALIZE_H

#include "otlp/span.h"

/* Fills span->facts from its name, status, attributes, events, resource and scope.
 * RS_ERR_MEMORY if the arena is exhausted. Any content, however odd, is taken: what does not fit a field stays an
 * attribute. */
RS_MUST_CHECK rs_status rs_normalize_span(rs_span *span, rs_arena *arena);
/* The same but for input and output, which are left empty: what a store keeps beside the attributes are their previews. */
RS_MUST_CHECK rs_status rs_normalize_for_store(rs_span *span, rs_arena *arena);

/* The same of a span that has facts already, as one that a store handed out: the cost and the environment that they tell stay where the
 * span itself tells none. rs_normalize_stored makes no previews: a whole trace's would take as long as the rest. */
RS_MUST_CHECK rs_status rs_normalize_stored(rs_span *span, rs_arena *arena);
RS_MUST_CHECK rs_status rs_normalize_again_for_store(rs_span *span, rs_arena *arena);

#endif
