/* Listening sockets. Any thread, no state. */
#ifndef RS_SERVER_LISTEN_H
#define RS_SERVER_LISTEN_H

#include "base/status.h"
#include "base/str.h"

enum { RS_URL_MAX = 300 };

/* Listens on "ADDR:PORT", "[v6]:PORT", ":PORT" or "PORT" (127.0.0.1 then) or "ADDR" (8460 then); port 0: any
 * free one. url gets how this machine reaches it: "http://127.0.0.1:8460" (loopback for a wildcard address).
 * *loopback: nobody but this machine can. RS_ERR_DENIED: the port is taken; RS_ERR_INVALID: not an address. */
RS_MUST_CHECK rs_status rs_listen(const char *address, int *fd, char url[RS_URL_MAX], bool *loopback,
                                  rs_err *err);

/* Whether a client on this machine whose base URL is `base_url` speaks to the socket that rs_listen described as `url` and
 * `loopback`: http, the same port, no path, that of the API or of its ingest, and an address that is bound, which for a loopback
 * or wildcard address "localhost" is too. Other names are not looked up: false. */
bool rs_listen_is_reached(const char *url, bool loopback, rs_str base_url);

#endif
