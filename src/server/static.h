/* The page and its files, embedded in the binary by tools/embed.py: identity and gzip, ETag, far-future
 * caching for hashed assets. The files hold no data and are for anyone; the page itself (index.html) is for a
 * signed-in browser; whoever else asks is sent to where one signs in, or gets a page that says how to where nobody has a password. No state; any thread. */
#ifndef RS_SERVER_STATIC_H
#define RS_SERVER_STATIC_H

#include "server/http.h"

void rs_static_health(rs_server *server, rs_request *req, rs_response *res);
void rs_static_file(rs_server *server, rs_request *req, rs_response *res);
void rs_static_page(rs_server *server, rs_request *req, rs_response *res);
/* The page for anyone: where one signs in, and what was shared by link. */
void rs_static_open_page(rs_server *server, rs_request *req, rs_response *res);
/* A file in the page's root ("/favicon.svg") or else a client-side route ("/settings"). */
void rs_static_file_or_page(rs_server *server, rs_request *req, rs_response *res);
void rs_static_openapi(rs_server *server, rs_request *req,
                       rs_response *res); /* what the API is, for programs */

/* Answers with the built-in page that says how to get a sign-in link. */
void rs_static_no_session(rs_request *req, rs_response *res, int status);

/* One embedded file; the table is generated (embedded.c) and sorted by path. */
typedef struct rs_embedded {
    const char *path; /* "/assets/index-3f2a.js" */
    const char *content_type;
    const char *etag;   /* quoted */
    bool hashed;        /* its name changes with its content */
    rs_str plain, gzip; /* gzip empty where it would not be smaller */
} rs_embedded;
extern const rs_embedded rs_embedded_files[];
extern const size_t rs_embedded_count;

#endif
