/* rs_server: what the HTTP handlers share, and its life from open to close.
 *
 * Immutable once started, but for the counters; each part does its own locking. Threads: HTTP threads (http.c) decode, normalize
 * and read; one writer thread (writer.c) commits. The thread that opens the server closes it. */
#ifndef RS_SERVER_SERVER_H
#define RS_SERVER_SERVER_H

#include "base/paths.h"
#include "server/cors.h"
#include "server/listen.h"
#include "server/metrics.h"
#include "store/control.h"
#include "store/store.h"

typedef struct rs_writer rs_writer;             /* writer.h */
typedef struct rs_price_table rs_price_table;   /* price_table.h */
typedef struct rs_guard rs_guard;               /* auth.h */
typedef struct rs_http rs_http;                 /* http.h */
typedef struct rs_live rs_live;                 /* live.h */
typedef struct rs_open_table rs_open_table;     /* open_table.h */
typedef struct rs_signin_limit rs_signin_limit; /* signin_limit.h */

typedef struct rs_server {
    rs_control *control;
    rs_store *store;
    rs_guard *guard;
    rs_signin_limit *signin_limit;
    rs_writer *writer;
    rs_open_table *open;
    rs_live *live;
    rs_http *http, *otlp_http; /* the second is NULL without --otlp */
    rs_price_table *prices;
    rs_metrics metrics;
    rs_cors cors;
    size_t max_body;              /* bytes of an ingest body, compressed or not */
    char url[RS_URL_MAX];         /* "http://127.0.0.1:8460": how this machine reaches it */
    char outside_url[RS_URL_MAX]; /* "https://traces.example": how browsers do; "": as the Host header says */
    char host[RS_URL_MAX];        /* the name in that, or another that clients use; "": none */
    bool is_https;                /* they do it so */
    bool allow_signup;            /* whoever comes may sign up */
    bool is_loopback;             /* nobody but this machine can */
    rs_durability durability;
} rs_server;

typedef struct rs_server_config {
    const char *data_dir;
    const char *listen;      /* "127.0.0.1:8460"; port 0: any free one */
    const char *otlp_listen; /* a second address, or NULL */
    const char
        *host; /* a further name that clients may call the server by ("https://NAME": through TLS), or NULL */
    bool allow_signup;
    const char *prices;   /* the user's price file, or NULL */
    size_t max_body;      /* 0: 64 MiB */
    rs_cors cors;         /* none: pages of other sites may not send */
    unsigned connections; /* of each address at a time; 0: 10,240, or what the limit of files allows */
    rs_durability durability;
} rs_server_config;

/* Opens the data, listens and serves. RS_ERR_DENIED: the data is in use by another server, or the port is
 * taken. */
RS_MUST_CHECK rs_status rs_server_open(const rs_server_config *config, rs_server **out, rs_err *err);

/* Lets requests in progress finish (a few seconds at most), commits what was taken in, closes. */
void rs_server_close(rs_server *s);

#endif
