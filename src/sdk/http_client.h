/* rs_http_client: one keep-alive connection that posts bodies to one address, over libcurl.
 *
 * libcurl is loaded (dlopen) at the first post, so that a program that traces nothing, or that exits first,
 * never pays for it and librespan links without it (library.h). TLS certificates are verified, redirects are not
 * followed, and a loopback address never goes through a proxy. One thread posts; any thread may cancel: the
 * post under way and all later ones then end at once. */
#ifndef RS_SDK_HTTP_CLIENT_H
#define RS_SDK_HTTP_CLIENT_H

#include "base/buf.h"
#include "base/str.h"
#include <stdint.h>

typedef struct rs_http_client rs_http_client;

/* What is read of an answer's body and of its headers: then the connection is given up, and the status stands. */
enum { RS_HTTP_ANSWER_MAX = 64 << 10, RS_HTTP_HEADERS_MAX = 128 << 10 };

typedef struct rs_http_request {
    const char *url, *bearer;   /* bearer: NULL or "" for none */
    const char *const *headers; /* "name: value" */
    size_t header_count;
    rs_str body;          /* application/x-protobuf */
    const char *encoding; /* the body's Content-Encoding; NULL: none */
    uint32_t timeout_ms;
    bool
        direct; /* never through a proxy; else as http_proxy, https_proxy, all_proxy and no_proxy say to libcurl */
    const char *ca_file;                         /* trusted certificates; NULL: the system's */
    const char *client_certificate, *client_key; /* PEM files; NULL: none */
    bool (*gives_way)(void *ctx);                /* asked now and then: true gives the post up; may be NULL */
    void *ctx;
} rs_http_request;

typedef struct rs_http_answer {
    long status;            /* HTTP status; 0: there was no answer, and `why` says so */
    uint64_t retry_after_s; /* of Retry-After; 0: none */
    bool refused;           /* nobody listens at the address */
    bool takes_zstd;        /* Accept-Encoding of the answer names it (RFC 9110, 12.5.3) */
    bool cancelled;
    char why[240];
    rs_buf body; /* the caller's, cleared at each post */
} rs_http_answer;

rs_http_client *rs_http_client_new(void); /* NULL: out of memory */
void rs_http_client_free(rs_http_client *http);

void rs_http_client_post(rs_http_client *http, const rs_http_request *request, rs_http_answer *answer);
void rs_http_client_cancel(rs_http_client *http);
/* By the thread that posts: says goodbye to the server; the next post connects anew. */
void rs_http_client_disconnect(rs_http_client *http);

/* In the child of fork: a connection is forgotten without a word to the server, since it is the parent's. */
rs_http_client *rs_http_client_forget(rs_http_client *http); /* gives a fresh one for the child, or NULL */

#endif
