/* The HTTP server proper: libmicrohttpd with a pool of epoll threads.
 *
 * An exchange is one request and its answer, from the request's headers to the last byte sent. It belongs to
 * its connection's HTTP thread, except between rs_request_defer and rs_request_finish, when the connection is
 * suspended and the exchange is whoever finishes it's.
 *
 * A refused request's body is read and thrown away, so that the client gets to read the answer and the
 * connection lives on; only a body too long to be worth that closes it. */
#include "server/http.h"

#include "base/clock.h"
#include "server/auth.h"
#include "server/connections.h"
#include "server/cors.h"
#include "server/framing.h"
#include "server/headers.h"
#include "server/heavy.h"
#include "server/routes.h"
#include "server/server.h"

#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECTION_MEMORY =
        32 << 10,           /* headers and the read buffer; 1 MB cost nine tenths of the small-request rate */
    SPARE_CONNECTIONS = 64, /* of each thread, beyond the limit: those that are being closed */
    QUERY_PARAMETERS = 400, /* more than some 450 use the memory for a connection up, without an answer */
    IDLE_TIMEOUT_S = 60,    /* no byte either way */
    THREAD_STACK = 512 << 10,
    SMALL_BODY = 1 << 20,
    LARGE_BODY =
        64
        << 10, /* over this, a body is handled apart from the HTTP threads, who answer questions meanwhile … */
    HEAVY_BODY = 4 << 20,     /* … and over this apart from those as well, … */
    USUAL_RATIO = 8,          /* … a compressed one by what it is likely to become */
    DISCARD_FACTOR = 4,       /* a refused body up to this many times its limit is read and thrown away */
    BODY_GRACE_S = 30,        /* a body may take this long, and … */
    BODY_MIN_RATE = 16 << 10, /* … a second more for each of these bytes */
    FIRST_RESERVE = 1 << 20,  /* of a declared length, taken at once */
    STREAM_BLOCK = 32 << 10,  /* that libmicrohttpd asks a stream for */
    KEPT_PIECE = 1 << 20,
    ARENA_LIMIT = 256 << 20,
};
#define IN_FLIGHT_BYTES ((size_t)512 << 20) /* all requests' bodies and what is made of them */
#define ADMITTED_NS     90000000ull         /* a stream goes on so long before it is asked who reads it */
#define ANSWERS_BYTES                                                                                        \
    (IN_FLIGHT_BYTES / 4 * 3) /* … where nothing is taken in: who reads slowly keeps no span out */

struct rs_http {
    rs_server *server;
    rs_connections *connections;
    rs_heavy *large, *heavy; /* for bodies of these sizes */
    rs_heavy *passwords;     /* so few are hashed at a time */
    struct MHD_Daemon *daemon;
    const char *names[2]; /* allowed in Host: the machine's, and the configured one */
    char hostname[256];
    pthread_mutex_t lock; /* the following */
    pthread_cond_t idle;
    size_t active, in_flight;
    bool closing;
};

typedef struct exchange {
    rs_request req; /* first: handlers hold it */
    rs_heavy_job heavy;
    bool *handed_on; /* where a heavy one's thread is told that somebody else answers */
    rs_response res;
    rs_http *http;
    struct MHD_Connection *connection;
    rs_connection *at; /* NULL: not looked after */
    const rs_route *route;
    rs_buf body;
    rs_buf piece; /* of a stream, and how much of it was taken */
    size_t piece_at;
    size_t limit, seen, charged;
    uint64_t started_ns, admitted_until_ns; /* a stream: then it is asked again whether it may go on, … */
    uint64_t admitted_at;                   /* … or when this is no more what the guard's count is */
    bool refused;                           /* res is ready, the body is discarded */
    bool endless;                           /* nobody can say where the body ends: it is not read */
    bool deferred;                          /* someone else answers */
    bool ended;                             /* the stream has no more pieces */
    bool last;                              /* the server is closing: so shall the connection */
} exchange;

static exchange *exchange_of(const rs_request *r) { return r->transport; }

/* ---- the request as handlers see it -------------------------------------------------------------------- */

const char *rs_request_query(const rs_request *r, const char *name) {
    return MHD_lookup_connection_value(exchange_of(r)->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *rs_request_header(const rs_request *r, const char *name) {
    return MHD_lookup_connection_value(exchange_of(r)->connection, MHD_HEADER_KIND, name);
}

const char *rs_request_cookie(const rs_request *r, const char *name) {
    return MHD_lookup_connection_value(exchange_of(r)->connection, MHD_COOKIE_KIND, name);
}

typedef struct each_query {
    rs_query_fn fn;
    void *ctx;
} each_query;

static enum MHD_Result on_query(void *cls, enum MHD_ValueKind kind, const char *name, const char *value) {
    (void)kind;
    const each_query *each = cls;
    each->fn(each->ctx, name, value ? value : "");
    return MHD_YES;
}

void rs_request_each_query(const rs_request *r, rs_query_fn fn, void *ctx) {
    each_query each = {fn, ctx};
    MHD_get_connection_values(exchange_of(r)->connection, MHD_GET_ARGUMENT_KIND, on_query, &each);
}

void rs_request_defer(rs_request *r) {
    exchange *x = exchange_of(r);
    if (x->handed_on) {
        *x->handed_on = true; /* it is suspended already */
        return;
    }
    x->deferred = true;
    MHD_suspend_connection(x->connection);
}

void rs_request_count_connections(const rs_request *r, rs_connection_counts *out) {
    rs_connections_count(exchange_of(r)->http->connections, out);
}

void rs_request_finish(rs_request *r) { MHD_resume_connection(exchange_of(r)->connection); }

const char *rs_request_address(rs_request *r) {
    enum { TEXT = 64 };
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange_of(r)->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char *text = rs_arena_alloc(&r->arena, TEXT);
    if (!info || !text) return "";
    const struct sockaddr *from = info->client_addr;
    socklen_t n = from->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    return getnameinfo(from, n, text, TEXT, NULL, 0, NI_NUMERICHOST) == 0 ? text : "";
}

void rs_request_hang_up(rs_request *r) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange_of(r)->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info) shutdown(info->connect_fd, SHUT_RDWR);
}

bool rs_request_charge(rs_request *r, size_t n) {
    exchange *x = exchange_of(r);
    rs_http *h = x->http;
    pthread_mutex_lock(&h->lock);
    bool alone = h->in_flight == x->charged; /* then it may have what it needs */
    bool takes_in = x->route && x->route->body == RS_BODY_INGEST;
    bool fits = alone || h->in_flight + n <= (takes_in ? IN_FLIGHT_BYTES : ANSWERS_BYTES);
    if (fits) h->in_flight += n, x->charged += n;
    pthread_mutex_unlock(&h->lock);
    return fits;
}

rs_str rs_request_replace_body(rs_request *r, rs_buf *buf) {
    exchange *x = exchange_of(r);
    rs_buf_deinit(&x->body);
    x->body = *buf;
    rs_buf_init(buf);
    return r->body = rs_buf_slice(&x->body);
}

/* ---- an exchange's life -------------------------------------------------------------------------------- */

static exchange *exchange_new(rs_http *h, struct MHD_Connection *connection, const char *method,
                              const char *path) {
    exchange *x = calloc(1, sizeof *x);
    if (!x) return NULL;
    x->http = h;
    x->connection = connection;
    x->req.transport = x;
    x->req.method = method;
    x->req.path = path;
    rs_arena_init(&x->req.arena, ARENA_LIMIT);
    x->res.status = MHD_HTTP_OK;
    x->res.content_type = "application/json";
    x->started_ns = rs_clock_mono_ns();
    x->admitted_until_ns = x->started_ns + ADMITTED_NS;
    x->at = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    rs_connections_take(h->connections, x->at);
    pthread_mutex_lock(&h->lock);
    h->active++;
    x->last = h->closing;
    pthread_mutex_unlock(&h->lock);
    return x;
}

static void exchange_free(exchange *x) {
    rs_http *h = x->http;
    if (x->res.stream.free) x->res.stream.free(x->res.stream.ctx);
    rs_arena_deinit(&x->req.arena);
    rs_buf_deinit(&x->piece);
    rs_buf_deinit(&x->body);
    rs_buf_deinit(&x->res.body);
    pthread_mutex_lock(&h->lock);
    h->in_flight -= x->charged;
    if (--h->active == 0) pthread_cond_broadcast(&h->idle);
    pthread_mutex_unlock(&h->lock);
    free(x);
}

/* Room for n more body bytes, counted against the server's memory; false: refuse. */
static bool body_reserve(exchange *x, size_t n) {
    size_t before = x->body.cap;
    if (!rs_buf_reserve(&x->body, n)) return false;
    return x->body.cap == before || rs_request_charge(&x->req, x->body.cap - before);
}

static void refuse_busy(exchange *x) {
    x->refused = true;
    rs_buf_deinit(&x->body);
    rs_response_error(&x->res, 503, "unavailable", NULL, "too much is being taken in at once: retry later");
}

static void refuse_too_large(exchange *x) {
    x->refused = true;
    rs_buf_deinit(&x->body);
    rs_response_error(&x->res, 413, "too_large", NULL, "the body is longer than %zu bytes", x->limit);
}

/* Checks what the headers alone decide: host, endpoint, method, credentials, declared length. */
static void check_headers(exchange *x) {
    rs_http *h = x->http;
    rs_request *r = &x->req;
    x->limit = SMALL_BODY;
    const char *fault = rs_framing_fault(x->connection);
    if (fault) {
        rs_response_error(&x->res, 400, "invalid", fault,
                          "names and values without control characters or a space before the colon, one "
                          "Host, and one Content-Length or else Transfer-Encoding: chunked");
        x->refused = x->endless = x->last = true;
        return;
    }
    const char *host = rs_request_header(r, MHD_HTTP_HEADER_HOST);
    if (host && !rs_header_host_is_ours(rs_str_of(host), h->names, RS_ARRAY_LEN(h->names))) {
        rs_response_error(&x->res, 403, "forbidden", "Host",
                          "this server is not called that: use its address, or start it with --host NAME");
        x->refused = true;
        return;
    }
    x->route = rs_route_find(r->path, r->method, &r->id);
    if (!x->route) {
        rs_response_error(&x->res, 404, "not_found", NULL,
                          "there is no such endpoint; the API is under /api");
        x->refused = true;
        return;
    }
    if (x->route->body == RS_BODY_INGEST) x->limit = h->server->max_body;
    rs_cors_allow(&h->server->cors, x->route, r, &x->res);
    if (rs_cors_preflight(&h->server->cors, x->route, r, &x->res)) {
        x->refused = true; /* it is answered */
        return;
    }
    if (!rs_route_allows(x->route, r->method)) {
        rs_response_error(&x->res, 405, "method_not_allowed", NULL, "this endpoint takes %s",
                          rs_route_allow_header(x->route));
        rs_response_header(&x->res, MHD_HTTP_HEADER_ALLOW, rs_route_allow_header(x->route));
        x->refused = true;
        return;
    }
    x->admitted_at = rs_guard_forgotten(h->server->guard);
    if (!rs_guard_admit(h->server->guard, r, x->route->auth, &x->res)) {
        x->refused = true;
        return;
    }
    const char *length = rs_request_header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
    unsigned long long declared = 0;
    if (!length || !rs_str_to_u64(rs_str_of(length), &declared))
        return; /* none, or chunked: counted while reading */
    if (declared > x->limit) refuse_too_large(x);
    else if (declared && !body_reserve(x, declared < FIRST_RESERVE ? declared : FIRST_RESERVE))
        refuse_busy(x);
}

/* Whether to answer a refusal now, without its body: the client waits for our word before it sends it, or it
 * is too long to read. libmicrohttpd closes the connection after such an answer. */
static bool answers_early(const exchange *x) {
    if (!x->refused || x->endless) return x->endless;
    const char *expect = rs_request_header(&x->req, MHD_HTTP_HEADER_EXPECT);
    const char *length = rs_request_header(&x->req, MHD_HTTP_HEADER_CONTENT_LENGTH);
    unsigned long long declared = 0;
    if (length) (void)!rs_str_to_u64(rs_str_of(length), &declared);
    return (expect && strcasecmp(expect, "100-continue") == 0) || declared / DISCARD_FACTOR > x->limit;
}

/* Takes or discards a piece of the body; false: close the connection. */
static bool take_body(exchange *x, const char *data, size_t n) {
    x->seen += n;
    rs_connections_grant(x->http->connections, x->at, n);
    uint64_t allowed_ns = (BODY_GRACE_S + x->seen / BODY_MIN_RATE) * 1000000000ULL;
    if (rs_clock_mono_ns() - x->started_ns > allowed_ns) return false;
    if (x->refused) return x->seen / DISCARD_FACTOR <= x->limit;
    if (x->seen > x->limit) refuse_too_large(x);
    else if (!body_reserve(x, n)) refuse_busy(x);
    else rs_buf_put(&x->body, data, n);
    return true;
}

static void add_headers(const exchange *x, struct MHD_Response *answer) {
    static const struct {
        const char *name, *value;
    } always[] = {
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(always); i++)
        MHD_add_response_header(answer, always[i].name, always[i].value);
    bool cached = false;
    for (size_t i = 0; i < x->res.nheaders; i++) {
        MHD_add_response_header(answer, x->res.headers[i].name, x->res.headers[i].value);
        cached |= strcmp(x->res.headers[i].name, MHD_HTTP_HEADER_CACHE_CONTROL) == 0;
    }
    if (!cached) MHD_add_response_header(answer, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (x->last) MHD_add_response_header(answer, MHD_HTTP_HEADER_CONNECTION, "close");
    if (x->res.content_type)
        MHD_add_response_header(answer, MHD_HTTP_HEADER_CONTENT_TYPE, x->res.content_type);
}

/* Whether who asked may still be answered: a key is revoked, a session ends, also while they are. */
static bool may_go_on(exchange *x) {
    uint64_t now = rs_clock_mono_ns(), forgotten = rs_guard_forgotten(x->http->server->guard);
    rs_response refusal = {0};
    if (now < x->admitted_until_ns && forgotten == x->admitted_at) return true;
    x->admitted_at = forgotten;
    x->admitted_until_ns = now + ADMITTED_NS;
    uint64_t project = x->req.project; /* where none was named, it may be another one now that is his first */
    bool admitted = rs_guard_admit(x->http->server->guard, &x->req, x->route->auth, &refusal);
    admitted = admitted && x->req.project == project;
    rs_buf_deinit(&refusal.body);
    return admitted || refusal.status >= 500; /* it could not be told */
}

/* The next bytes of a stream; libmicrohttpd calls it when there is room in the socket. */
static ssize_t read_stream(void *cls, uint64_t pos, char *out, size_t max) {
    exchange *x = cls;
    rs_stream *s = &x->res.stream;
    rs_connections *all = x->http->connections;
    (void)pos;
    while (x->piece_at == x->piece.n) {
        if (x->ended) return MHD_CONTENT_READER_END_OF_STREAM;
        if (!may_go_on(x)) return MHD_CONTENT_READER_END_WITH_ERROR;
        if (x->piece.cap > KEPT_PIECE) rs_buf_deinit(&x->piece);
        rs_buf_clear(&x->piece);
        x->piece_at = 0;
        rs_connections_hold(all, x->at); /* it waits for us … */
        rs_stream_state state = s->next(s->ctx, &x->piece);
        if (state == RS_STREAM_WAIT) return 0;
        rs_connections_answer(all, x->at, x->piece.n); /* … and we for it */
        if (state == RS_STREAM_FAIL || rs_buf_status(&x->piece) != RS_OK ||
            !may_go_on(x)) /* he left meanwhile */
            return MHD_CONTENT_READER_END_WITH_ERROR;
        x->ended = state == RS_STREAM_END;
        if (x->piece.n == 0 && !x->ended) return 0; /* others have their turn */
    }
    size_t n = x->piece.n - x->piece_at < max ? x->piece.n - x->piece_at : max;
    memcpy(out, x->piece.p + x->piece_at, n);
    x->piece_at += n;
    return (ssize_t)n;
}

static struct MHD_Response *make_response(exchange *x) {
    rs_response *res = &x->res;
    if (res->stream.next) {
        x->piece = res->body;
        rs_buf_init(&res->body);
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, x, NULL);
    }
    /* The exchange, and so the body, outlives the response's use of it. */
    rs_str bytes = res->static_body.n ? res->static_body : rs_buf_slice(&res->body);
    return MHD_create_response_from_buffer(bytes.n, (void *)(uintptr_t)bytes.p, MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result send_answer(exchange *x) {
    rs_response *res = &x->res;
    if (rs_buf_status(&res->body) != RS_OK) {
        rs_buf_deinit(&res->body);
        rs_response_error(res, 503, "unavailable", NULL, "out of memory for the answer");
    }
    /* A slow reader holds all of it: as with bodies, only so much at once. */
    if (!rs_request_charge(&x->req, res->body.cap + (x->deferred ? 0 : x->req.arena.held))) {
        rs_buf_deinit(&res->body);
        rs_response_error(res, 503, "unavailable", NULL, "too much is being answered at once: retry later");
    }
    struct MHD_Response *answer = make_response(x);
    if (!answer) return MHD_NO;
    add_headers(x, answer);
    rs_metrics_count_answer(&x->http->server->metrics, res->status);
    rs_connections_answer(x->http->connections, x->at, res->body.n); /* of a stream: its first piece */
    enum MHD_Result queued = MHD_queue_response(x->connection, (unsigned)res->status, answer);
    MHD_destroy_response(answer);
    return queued;
}

/* The threads for such a body; NULL: this one. */
static rs_heavy *threads_for(const exchange *x) {
    if (x->route->body == RS_BODY_PASSWORD) return x->http->passwords;
    bool compressed = rs_request_header(&x->req, MHD_HTTP_HEADER_CONTENT_ENCODING) != NULL;
    size_t n = x->body.n * (compressed ? USUAL_RATIO : 1);
    if (n > HEAVY_BODY) return x->http->heavy;
    return n > LARGE_BODY ? x->http->large : NULL;
}

/* On a thread of rs_heavy, while the connection is suspended. */
static void handle_heavy(rs_heavy_job *job, bool is_ending) {
    exchange *x = (exchange *)(void *)((char *)job - offsetof(exchange, heavy));
    bool handed_on = false; /* if it is, x may be gone */
    x->handed_on = &handed_on;
    if (is_ending) rs_response_error(&x->res, 503, "unavailable", NULL, "the server is shutting down");
    else x->route->handler(x->http->server, &x->req, &x->res);
    if (!handed_on) MHD_resume_connection(x->connection);
}

static void handle(exchange *x) {
    x->req.body = rs_buf_slice(&x->body);
    rs_connections_hold(x->http->connections, x->at);
    rs_heavy *apart = threads_for(x);
    if (!apart) {
        x->route->handler(x->http->server, &x->req, &x->res);
        return;
    }
    rs_request_defer(&x->req);
    x->heavy.run = handle_heavy;
    rs_heavy_push(apart, &x->heavy);
}

/* What a request with such a query has in place of an exchange, until its headers are in. */
static char too_many_parameters, nul_in_uri;

static bool is_refused_query(const void *slot) { return slot == &too_many_parameters || slot == &nul_in_uri; }

static void refuse_query(exchange *x, const void *why) {
    x->limit = SMALL_BODY;
    x->refused = true;
    if (why == &nul_in_uri)
        rs_response_error(&x->res, 400, "invalid", NULL,
                          "no path and no query parameter has a NUL: %%00 is not taken");
    else
        rs_response_error(&x->res, 400, "invalid", NULL,
                          "more than %d query parameters: send them in the body of a POST", QUERY_PARAMETERS);
}

/* libmicrohttpd calls this when the headers are in, for each piece of body, at its end, and after a resume. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_size, void **slot) {
    (void)version;
    const void *refused = is_refused_query(*slot) ? *slot : NULL;
    exchange *x = refused ? NULL : *slot;
    if (!x) {
        x = *slot = exchange_new(cls, connection, method, url);
        if (!x) return MHD_NO;
        if (refused) refuse_query(x, refused);
        else check_headers(x);
        return answers_early(x) ? send_answer(x) : MHD_YES;
    }
    if (*data_size) {
        size_t n = *data_size;
        *data_size = 0;
        return take_body(x, data, n) ? MHD_YES : MHD_NO;
    }
    if (!x->refused && !x->deferred) {
        handle(x);
        if (x->deferred) return MHD_YES;
    }
    return send_answer(x);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **slot,
                         enum MHD_RequestTerminationCode why) {
    (void)cls, (void)connection, (void)why;
    exchange *x = *slot;
    *slot = NULL;
    if (!x || is_refused_query(x)) return;
    rs_connections_idle(x->http->connections, x->at);
    exchange_free(x);
}

/* ---- connections --------------------------------------------------------------------------------------- */

static enum MHD_Result on_accept(void *cls, const struct sockaddr *from, socklen_t n) {
    (void)n;
    const rs_http *h = cls;
    return rs_connections_admit(h->connections, from) ? MHD_YES : MHD_NO;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what) {
    const rs_http *h = cls;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        const struct sockaddr *from =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
        *context = rs_connections_open(h->connections, fd, from);
    } else {
        rs_connections_close(h->connections, *context);
        *context = NULL;
    }
}

/* Before libmicrohttpd takes the query apart, for which it might not have the memory: then it need not. */
static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection) {
    (void)cls, (void)connection;
    const char *query = strchr(uri, '?');
    unsigned n = 0;
    for (const char *at = query; at; at = strchr(at + 1, '&')) n++;
    const char *nul = strstr(uri, "%00"); /* a path or a value would end there, to us alone */
    if (!nul && n <= QUERY_PARAMETERS) return NULL;
    bool in_query = query && (!nul || nul > query);
    if (in_query) ((char *)(uintptr_t)query)[1] = 0; /* its own buffer */
    if (in_query && rs_route_is_page((rs_str){uri, (size_t)(query - uri)})) return NULL;
    return nul ? &nul_in_uri : &too_many_parameters;
}

/* ---- the server ---------------------------------------------------------------------------------------- */

static void on_log(void *cls, const char *fmt, va_list ap) {
    (void)cls, (void)fmt, (void)ap; /* peers that hang up or talk nonsense are not news */
}

static void http_free(rs_http *h) {
    rs_heavy_stop(h->large); /* the HTTP server does not stop while connections are suspended */
    rs_heavy_stop(h->heavy);
    rs_heavy_stop(h->passwords);
    if (h->daemon) MHD_stop_daemon(h->daemon);
    rs_connections_free(h->connections);
    pthread_cond_destroy(&h->idle);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

rs_status rs_http_start(rs_server *server, int *listen_fd, unsigned threads, unsigned connections,
                        const char *host, rs_http **out, rs_err *err) {
    *out = NULL;
    rs_http *h = calloc(1, sizeof *h);
    if (!h) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    h->server = server;
    pthread_mutex_init(&h->lock, NULL);
    rs_clock_cond_init(&h->idle);
    if (rs_connections_new(connections, &h->connections, err) != RS_OK ||
        rs_heavy_start(&h->large, err) != RS_OK || rs_heavy_start(&h->heavy, err) != RS_OK ||
        rs_heavy_start(&h->passwords, err) != RS_OK) {
        http_free(h);
        return RS_ERR_MEMORY;
    }
    if (gethostname(h->hostname, sizeof h->hostname - 1) == 0) h->names[0] = h->hostname;
    h->names[1] = host;
    h->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, on_accept, h,
        on_request, h, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_LISTEN_SOCKET, *listen_fd,
        MHD_OPTION_THREAD_POOL_SIZE, threads, MHD_OPTION_THREAD_STACK_SIZE, (size_t)THREAD_STACK,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_LIMIT,
        (connections + SPARE_CONNECTIONS) * threads, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
        MHD_OPTION_URI_LOG_CALLBACK, on_uri, h, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
    if (!h->daemon) {
        http_free(h);
        return rs_fail(err, RS_ERR_IO, 0, "the HTTP server cannot start: out of memory, threads or files");
    }
    *listen_fd = -1;
    *out = h;
    return RS_OK;
}

void rs_http_quiesce(rs_http *h, unsigned timeout_ms) {
    pthread_mutex_lock(&h->lock);
    bool listening = !h->closing;
    h->closing = true;
    pthread_mutex_unlock(&h->lock);
    int fd = listening ? MHD_quiesce_daemon(h->daemon) : -1;
    if (fd >= 0) close(fd);
    uint64_t until = rs_clock_mono_ns() + timeout_ms * 1000000ULL;
    struct timespec deadline = {(time_t)(until / 1000000000), (long)(until % 1000000000)};
    pthread_mutex_lock(&h->lock);
    while (h->active && pthread_cond_timedwait(&h->idle, &h->lock, &deadline) == 0) {
    }
    pthread_mutex_unlock(&h->lock);
}

void rs_http_stop(rs_http *h) {
    if (!h) return;
    http_free(h);
}
