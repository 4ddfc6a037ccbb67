/* rs_connections: the connections of one listening socket, so that nobody who holds many of them, or holds one for long, keeps others
 * out.
 *
 * A connection is idle from its opening until a request's headers are in, and again once the answer is out. When there are as many as
 * the limit, the one that has been idle longest is closed for the one that comes; where one address (but this machine's own) has half
 * of them, it is one of its own. Only if none is idle is the new one refused. So a client that sends headers byte by byte is idle.
 *
 * A connection that is not idle has a deadline: for a request's body and for reading the answer so long as at 16 KiB a second, and
 * half a minute; of a stream, for each piece of it. Whoever is slower is closed, so that nobody holds memory by trickling.
 *
 * To close means to shut the socket down: the HTTP thread that owns it finds its end. Any thread; one lock. */
#ifndef RS_SERVER_CONNECTIONS_H
#define RS_SERVER_CONNECTIONS_H

#include "base/status.h"
#include <stdbool.h>
#include <sys/socket.h>

typedef struct rs_connections rs_connections;
typedef struct rs_connection rs_connection;

/* limit: connections at a time. */
RS_MUST_CHECK rs_status rs_connections_new(unsigned limit, rs_connections **out, rs_err *err);
void rs_connections_free(rs_connections *c); /* all of them are closed */

/* Whether there is room for one more from this address: may close an idle one for it. Threads that ask at the same moment may each be
 * told so: there may be as many more as there are threads. */
bool rs_connections_admit(rs_connections *c, const struct sockaddr *from);
/* NULL: out of memory; the connection is then not looked after. */
rs_connection *rs_connections_open(rs_connections *c, int fd, const struct sockaddr *from);
/* Before fd is closed. one may be NULL, here and below. */
void rs_connections_close(rs_connections *c, rs_connection *one);

/* A request begins, whose body, if any, takes its time; n bytes of answer are being sent; the answer is out. */
void rs_connections_take(rs_connections *c, rs_connection *one);
void rs_connections_answer(rs_connections *c, rs_connection *one, size_t n);
void rs_connections_idle(rs_connections *c, rs_connection *one);
/* It waits for us: no deadline until the answer. */
void rs_connections_hold(rs_connections *c, rs_connection *one);
/* So many bytes of the body came: what more time it has. */
void rs_connections_grant(rs_connections *c, rs_connection *one, size_t n);

typedef struct rs_connection_counts {
    unsigned open, idle, limit;
    unsigned long long evicted, late, refused; /* closed for another one; for being slow; not let in */
} rs_connection_counts;
void rs_connections_count(rs_connections *c, rs_connection_counts *out);

#endif
