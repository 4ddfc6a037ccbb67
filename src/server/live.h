/* rs_live: tells listeners of traces that are new, have grown or are gone (GET /api/live/, server-sent events).
 *
 * The writer notes which traces a commit was about, and whoever deletes which are gone: a few of each project under a short lock, and none of one to which nobody listens. One thread
 * takes these notes every LIVE_TICK_MS, reads the rows of the traces once for all listeners, and puts an event into the buffer of each
 * whose filter fits. Buffers are bounded: of a listener that does not keep up, and where more traces change at once than anybody can
 * look at, what is left is dropped and an event says so, to those who listen to that project. Listeners are suspended connections and
 * cost no thread. The same thread takes out open spans of which nobody speaks any more. */
#ifndef RS_SERVER_LIVE_H
#define RS_SERVER_LIVE_H

#include "server/http.h"
#include "server/open_table.h"

typedef struct rs_live rs_live;

/* Borrows both until rs_live_free. */
RS_MUST_CHECK rs_status rs_live_start(rs_store *store, rs_open_table *open, rs_live **out, rs_err *err);
/* Ends all listeners' answers, and takes no more of them. May be called again. */
void rs_live_stop(rs_live *live);
/* Frees one that was stopped; nobody listens or writes any more. */
void rs_live_free(rs_live *live);

/* The writer (rs_writer_stored): spans of these traces are stored, and no longer open. */
void rs_live_note(void *live, const rs_store_batch *batch);

/* Any thread: these traces are deleted (after the store's answer), or something is known of their open spans. One that is not there is
 * told to be gone. */
void rs_live_note_trace(rs_live *live, uint64_t project, const uint8_t (*ids)[16], size_t n);

/* Any thread: open spans of which nobody speaks any more are taken out, and told to be gone. */
void rs_live_expire(rs_live *live);
/* Any thread: there are open spans that may come to that. */
void rs_live_wake(rs_live *live);

/* The handler. */
void rs_live_listen(rs_server *server, rs_request *req, rs_response *res);

#endif
