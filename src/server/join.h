/* Events that came apart from their spans (OTLP log records, logs.c) become events of these spans: whichever comes first, and
 * whatever happens in between.
 *
 * An event waits in the store until its span comes. When the span comes, or is there, a copy of it with the event is stored, as if it
 * had been sent again: so whoever reads finds a span with its events, and nothing else knows of this. A span that really is sent
 * again without its events gets those of the copy that it replaces. The writer thread, right before each commit (writer.h), where
 * nothing else can come in between. */
#ifndef RS_SERVER_JOIN_H
#define RS_SERVER_JOIN_H

#include "server/writer.h"

enum {
    RS_JOIN_EVENTS = 4096, /* that a span has; more are refused: it is written anew for each batch of them */
    RS_JOIN_BYTES = 16 << 20, /* of those that come at once */
};

/* An rs_writer_complete. */
RS_MUST_CHECK rs_status rs_join_events(rs_store *store, rs_job *const jobs[], rs_store_batch batches[],
                                       size_t n, rs_arena *arena, rs_err *err);

#endif
