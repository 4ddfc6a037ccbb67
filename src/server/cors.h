/* CORS (fetch.spec.whatwg.org): which pages of other sites may send to the ingest endpoints, with a key of their own in a header. Off
 * unless origins are configured; never for what a session's cookie opens, and never with credentials. Any thread. */
#ifndef RS_SERVER_CORS_H
#define RS_SERVER_CORS_H

#include "server/http.h"
#include "server/routes.h"

typedef struct rs_cors {
    const char *const *origins; /* "https://app.example", or "*" for all; borrowed */
    size_t n;
} rs_cors;

/* Whether it can be one: "*", or scheme and host and nothing behind them. */
bool rs_cors_is_origin(const char *text);

/* Adds what lets the page that asks read the answer, if it may. */
void rs_cors_allow(const rs_cors *cors, const rs_route *route, const rs_request *req, rs_response *res);

/* A browser's question before it sends, on an ingest endpoint: then it is answered. */
bool rs_cors_preflight(const rs_cors *cors, const rs_route *route, const rs_request *req, rs_response *res);

#endif
