/* The endpoints, in ONE table (routes.c): a feature is one row and one handler. Immutable; any thread. */
#ifndef RS_SERVER_ROUTES_H
#define RS_SERVER_ROUTES_H

#include "server/http.h"

enum { RS_GET = 1, RS_POST = 2, RS_DELETE = 4 }; /* HEAD goes with GET */

typedef enum rs_body_limit {
    RS_BODY_SMALL,  /* 1 MiB */
    RS_BODY_INGEST, /* the server's max_body */
    RS_BODY_PASSWORD, /* 1 MiB; it is handled apart, few at a time, for its password takes memory and time to hash */
} rs_body_limit;

typedef struct rs_route {
    const char *
        pattern; /* "/api/traces/{id}/": {id} is one segment (of several the last counts); the last slash is optional; "/…/" + "*":
                            anything below */
    unsigned methods; /* RS_GET, RS_POST, RS_DELETE */
    rs_auth auth;
    rs_body_limit body;
    rs_handler handler;
} rs_route;

/* The first row whose pattern fits, or the one of the same pattern that takes the method; NULL: there is none. *id is its {id} segment
 * (empty if it has none), a slice of path. */
const rs_route *rs_route_find(const char *path, const char *method, rs_str *id);

/* Whether the page is what a path gives. It reads its address itself: whatever stands behind the path, the page says what is wrong. */
bool rs_route_is_page(rs_str path);

/* Whether the row takes this method, and the value of an Allow header for its pattern (static storage). */
bool rs_route_allows(const rs_route *route, const char *method);
const char *rs_route_allow_header(const rs_route *route);

#endif
