/* The spool beside a server: what killed programs of this user left there for this very server is taken in while it
 * runs, straight into its writer, without a connection or a key.
 *
 * Owns one thread, which sleeps until a file of the folder is closed after writing (the kernel does that for a dead
 * process too), and looks at the folder once a minute all the same. A file whose lock is held has an owner and is left
 * alone, as is one for another address; a file that was taken in whole is removed. What stands in the way (no room)
 * is said once on standard error, and tried again. */
#ifndef RS_CLI_SPOOL_WATCH_H
#define RS_CLI_SPOOL_WATCH_H

#include "server/server.h"

typedef struct rs_spool_watch rs_spool_watch;

/* Watches $XDG_STATE_HOME/respan/spool, which is made. Spans go to `project`: a file does not say whose key its program
 * had. The server outlives the watch. */
RS_MUST_CHECK rs_status rs_spool_watch_start(rs_server *server, uint64_t project, rs_spool_watch **out,
                                             rs_err *err);
/* Ends the thread, after the commit that it waits for; NULL is allowed. */
void rs_spool_watch_stop(rs_spool_watch *w);

#endif
