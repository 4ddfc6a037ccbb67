/* The HTTP face of the server: requests and responses as handlers see them, over libmicrohttpd.
 *
 * http.c owns sockets, limits, body collection and timeouts; it asks routes.c which endpoint a request is
 * for, checks who is asking, and calls the endpoint's handler on an HTTP thread with the whole body. A
 * request and its arena live until the response is sent. Handlers are re-entrant; what they share is behind
 * rs_server (server.h). */
#ifndef RS_SERVER_HTTP_H
#define RS_SERVER_HTTP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "server/connections.h"
#include "store/control.h"
#include <stdint.h>

typedef struct rs_server rs_server; /* server.h */

/* Who may ask (auth.c says what each demands). A user's role is the one that he has in the organization that the request is about; one
 * that he is not in does not exist for him, nor does a project of it (404). What changes something, a page of another site cannot have a browser send: a session
 * also needs its X-CSRF-Token. */
typedef enum rs_auth {
    RS_AUTH_NONE,          /* anyone who can connect */
    RS_AUTH_OWN_PAGE,      /* anyone, but through no page of another site */
    RS_AUTH_KEY,           /* a key that may ingest: Authorization: Bearer KEY, or x-api-key */
    RS_AUTH_ANY,           /* a key that may read, or any session */
    RS_AUTH_CHANGE,        /* a key that may ingest and read, or a member's session; it changes something */
    RS_AUTH_USER,          /* any session: no key */
    RS_AUTH_USER_CHANGE,   /* … that changes something */
    RS_AUTH_MEMBER_CHANGE, /* a member's */
    RS_AUTH_OWNER,         /* an owner's */
    RS_AUTH_OWNER_CHANGE,  /* an owner's, that changes something */
    RS_AUTH_LEAVE_CHANGE,  /* the same, or that of the user that {id} is */
    /* An owner's, of the project or the organization that {id} is, whatever the query names. */
    RS_AUTH_PROJECT_CHANGE,
    RS_AUTH_ORG_CHANGE,
    /* Of what is of all organizations: an owner of the server's; without CHANGE, also a key of it that may read. */
    RS_AUTH_SERVER,
    RS_AUTH_SERVER_CHANGE,
    /* Any session, for what is its user's own: no project is looked for. */
    RS_AUTH_SELF,
    RS_AUTH_SELF_CHANGE,
} rs_auth;
enum { RS_AUTH_COUNT = RS_AUTH_SELF_CHANGE + 1 };

/* Who asks: a user by his session, or a key. */
typedef struct rs_identity {
    uint64_t user, key;                   /* 0: not by that */
    rs_role role;                         /* of the user, in the request's organization */
    bool is_server_owner;                 /* he is an owner of the server's organization */
    unsigned scopes;                      /* of the key */
    char environment[RS_ENVIRONMENT_MAX]; /* of the key */
} rs_identity;

typedef struct rs_request {
    rs_arena arena; /* for whatever the answer needs; freed after the response */
    const char *method, *path;
    rs_str id;             /* the {id} segment of the route's pattern */
    rs_str body;           /* as received, still compressed if content_encoding says so */
    uint64_t project;      /* whose data; 0 with RS_AUTH_NONE and RS_AUTH_SELF */
    uint64_t organization; /* in which that stands; who asks is in it (auth.c) */
    rs_identity who;
    void *transport; /* http.c's own */
} rs_request;

/* Query parameter (percent-decoded, NUL-terminated) or NULL; the first if repeated. */
const char *rs_request_query(const rs_request *r, const char *name);
/* Calls fn for every query parameter in order. */
typedef void (*rs_query_fn)(void *ctx, const char *name, const char *value);
void rs_request_each_query(const rs_request *r, rs_query_fn fn, void *ctx);
/* Header value or NULL; name is case-insensitive. */
const char *rs_request_header(const rs_request *r, const char *name);
/* Cookie value or NULL. */
const char *rs_request_cookie(const rs_request *r, const char *name);

/* An answer that is made while it is sent, so that it needs no memory of its size. */
typedef enum rs_stream_state {
    RS_STREAM_MORE, /* something was appended; there may be more */
    RS_STREAM_WAIT, /* nothing for now: rs_request_defer was called, and some thread will call rs_request_finish */
    RS_STREAM_END, /* that, if anything, was the last */
    RS_STREAM_FAIL, /* it cannot go on: the connection ends without the answer's end, so that the client knows */
} rs_stream_state;

typedef struct rs_stream {
    /* Appends the next piece to out, which is empty: some 64 KiB, quickly, since others wait for the thread. Called on the HTTP
     * thread when the client has taken what was there. */
    rs_stream_state (*next)(void *ctx, rs_buf *out);
    void (*free)(void *ctx); /* once, whether all was sent or the client left; the request is still there */
    void *ctx;
} rs_stream;

typedef struct rs_response {
    int status;               /* 200 unless set */
    const char *content_type; /* "application/json" unless set; static storage */
    rs_buf body;              /* handlers append; taken by http.c */
    rs_stream stream;         /* if it has `next`: what comes behind body; freed by http.c */
    rs_str static_body;       /* instead of body: bytes that live as long as the program */
    struct {
        const char *name, *value; /* static storage, or the request's arena */
    } headers[8];
    size_t nheaders;
} rs_response;

void rs_response_header(rs_response *res, const char *name, const char *value);

/* {"error":{"code":…,"message":…,"field":…}} with that status; field may be NULL. */
void rs_response_error(rs_response *res, int status, const char *code, const char *field, const char *fmt,
                       ...) __attribute__((format(printf, 5, 6)));
/* A 400 that says where in the text of `field`, in bytes: in the message, and as "position". */
void rs_response_error_at(rs_response *res, const char *field, size_t position, const char *why);
/* The same from an rs_err: status chosen by err->code (400, 404, 413, 415, 503, 500). */
void rs_response_from_err(rs_response *res, const rs_err *err);

typedef void (*rs_handler)(rs_server *server, rs_request *req, rs_response *res);

/* An answer that another thread will give (ingest: the writer, after its commit). The handler calls defer,
 * hands req and res on and returns; the other thread fills *res and calls finish exactly once, after which it
 * may touch neither. */
void rs_request_defer(rs_request *r);
void rs_request_finish(rs_request *r);

/* Any thread, while the request is there: its connection takes and sends no more, and so it ends. */
void rs_request_hang_up(rs_request *r);

/* Where it comes from ("127.0.0.1"); in its arena, "" if there is no memory. */
const char *rs_request_address(rs_request *r);

/* Counts n more bytes that the request holds until it is answered (what was inflated or decoded) against the
 * server's memory for requests in flight; false if that is used up: answer 503. */
bool rs_request_charge(rs_request *r, size_t n);

/* Of the address that it came to. */
void rs_request_count_connections(const rs_request *r, rs_connection_counts *out);

/* Takes buf's content in place of the body as received, which is freed; lives as long as the request. */
rs_str rs_request_replace_body(rs_request *r, rs_buf *buf);

/* ---- the server around it (server.c) ------------------------------------------------------------------- */

typedef struct rs_http rs_http;

/* Serves on a listening socket, which it takes (*listen_fd becomes -1). `threads` HTTP threads, at most so many connections; requests
 * reach handlers at once. `host` is a further name allowed in Host headers, or NULL. */
RS_MUST_CHECK rs_status rs_http_start(rs_server *server, int *listen_fd, unsigned threads,
                                      unsigned connections, const char *host, rs_http **out, rs_err *err);
/* Takes no more connections; waits up to timeout_ms for requests in progress. May be called again. */
void rs_http_quiesce(rs_http *h, unsigned timeout_ms);
void rs_http_stop(rs_http *h);

#endif
