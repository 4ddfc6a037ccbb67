#include "sdk/http_client.h"

#include "sdk/library.h"

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- libcurl, loaded ----------------------------------------------------------------------------------- */

#define CURL_FUNCTIONS(X)                                                                                    \
    X(curl_global_init)                                                                                      \
    X(curl_easy_init)                                                                                        \
    X(curl_easy_cleanup)                                                                                     \
    X(curl_easy_setopt)                                                                                      \
    X(curl_easy_getinfo)                                                                                     \
    X(curl_easy_strerror)                                                                                    \
    X(curl_slist_append)                                                                                     \
    X(curl_slist_free_all)                                                                                   \
    X(curl_multi_init)                                                                                       \
    X(curl_multi_cleanup)                                                                                    \
    X(curl_multi_setopt)                                                                                     \
    X(curl_multi_add_handle)                                                                                 \
    X(curl_multi_remove_handle)                                                                              \
    X(curl_multi_perform)                                                                                    \
    X(curl_multi_poll)                                                                                       \
    X(curl_multi_wakeup)                                                                                     \
    X(curl_multi_info_read)

struct curl_library {
#define X(name) __typeof__(&name) name;
    CURL_FUNCTIONS(X)
#undef X
};

/* Set once, under the lock of library.h. */
static struct curl_library library;
static bool library_loaded;

static bool load_library(char *why, size_t size) {
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4", NULL};
#define X(name) {#name, (void **)&library.name},
    static const rs_library_function functions[] = {CURL_FUNCTIONS(X)};
#undef X
    const char *lacks;
    bool ok = rs_library_open(names, functions, RS_ARRAY_LEN(functions), &lacks);
    if (lacks) snprintf(why, size, "libcurl is too old: it lacks %s", lacks);
    else if (!ok) snprintf(why, size, "libcurl.so.4 is not there: install the package libcurl4");
    else if (!(ok = library.curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK))
        snprintf(why, size, "libcurl could not be set up");
    return ok;
}

static const struct curl_library *get_library(char *why, size_t size) {
    rs_library_lock();
    if (!library_loaded) library_loaded = load_library(why, size);
    bool ok = library_loaded;
    rs_library_unlock();
    return ok ? &library : NULL;
}

/* ---- the connection ------------------------------------------------------------------------------------ */

enum { SOCKETS_MAX = 4 /* open at once: one connection, two while addresses of both families are tried */ };

struct rs_http_client {
    pthread_mutex_t lock; /* for multi's life against rs_http_client_cancel */
    CURLM *multi;
    CURL *easy;
    const struct curl_library *curl;
    bool cancelled;           /* atomic */
    int sockets[SOCKETS_MAX]; /* what a child of fork must close; -1: none */
    /* Of the post under way: */
    size_t header_bytes;
    bool too_long; /* the answer was, and the connection is given up */
    char error[CURL_ERROR_SIZE];
};

rs_http_client *rs_http_client_new(void) {
    rs_http_client *h = calloc(1, sizeof *h);
    if (!h) return NULL;
    pthread_mutex_init(&h->lock, NULL);
    for (int i = 0; i < SOCKETS_MAX; i++) h->sockets[i] = -1;
    return h;
}

void rs_http_client_disconnect(rs_http_client *h) {
    pthread_mutex_lock(&h->lock);
    CURLM *multi = h->multi;
    h->multi = NULL;
    pthread_mutex_unlock(&h->lock);
    if (h->easy) h->curl->curl_easy_cleanup(h->easy);
    if (multi) h->curl->curl_multi_cleanup(multi);
    h->easy = NULL;
}

void rs_http_client_free(rs_http_client *h) {
    if (!h) return;
    rs_http_client_disconnect(h);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

rs_http_client *rs_http_client_forget(rs_http_client *h) {
    /* curl's handles are leaked on purpose: to clean them up would say goodbye on the parent's connection. */
    for (int i = 0; h && i < SOCKETS_MAX; i++)
        if (h->sockets[i] >= 0) close(h->sockets[i]);
    free(h);
    return rs_http_client_new();
}

void rs_http_client_cancel(rs_http_client *h) {
    __atomic_store_n(&h->cancelled, true, __ATOMIC_RELEASE);
    pthread_mutex_lock(&h->lock);
    if (h->multi) h->curl->curl_multi_wakeup(h->multi);
    pthread_mutex_unlock(&h->lock);
}

static bool is_cancelled(const rs_http_client *h) { return __atomic_load_n(&h->cancelled, __ATOMIC_ACQUIRE); }

/* ---- curl calls us ------------------------------------------------------------------------------------- */

typedef struct receiver {
    rs_http_client *http;
    rs_http_answer *answer;
} receiver;

/* Taking less than was offered ends the transfer. */
static size_t on_body(char *data, size_t size, size_t n, void *context) {
    receiver *r = context;
    size_t got = size * n, room = RS_HTTP_ANSWER_MAX - r->answer->body.n;
    rs_buf_put(&r->answer->body, data, got < room ? got : room);
    r->http->too_long = got > room;
    return got <= room ? got : 0;
}

/* True for a header line Accept-Encoding that names zstd, and not as what is liked least (q=0…). */
static bool offers_zstd(rs_str line) {
    static const rs_str name = RS_STR("accept-encoding:");
    if (line.n < name.n || !rs_str_eq_nocase((rs_str){line.p, name.n}, name)) return false;
    for (rs_str rest = rs_str_from(line, name.n); rest.n; rest = rs_str_from(rest, 1)) {
        while (rest.n && strchr(" ,\t", *rest.p)) rest = rs_str_from(rest, 1);
        rs_str item = {rest.p, 0};
        while (item.n < rest.n && !strchr(",; \t\r\n", rest.p[item.n])) item.n++;
        rest = rs_str_from(rest, item.n);
        if (rs_str_eq_nocase(item, RS_STR("zstd"))) return !rs_str_starts(rest, RS_STR(";q=0"));
    }
    return false;
}

static size_t on_header(char *data, size_t size, size_t n, void *context) {
    receiver *r = context;
    rs_str line = {data, size * n};
    r->http->header_bytes += line.n;
    if (offers_zstd(line)) r->answer->takes_zstd = true;
    return r->http->header_bytes <= RS_HTTP_HEADERS_MAX ? line.n : 0;
}

static curl_socket_t on_open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    (void)purpose;
    rs_http_client *h = context;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    for (int i = 0; fd >= 0 && i < SOCKETS_MAX; i++)
        if (h->sockets[i] < 0) {
            h->sockets[i] = fd;
            break;
        }
    return fd;
}

static int on_close_socket(void *context, curl_socket_t fd) {
    rs_http_client *h = context;
    for (int i = 0; i < SOCKETS_MAX; i++)
        if (h->sockets[i] == fd) h->sockets[i] = -1;
    return close(fd);
}

/* ---- a post -------------------------------------------------------------------------------------------- */

static void fail(rs_http_answer *a, const char *why) {
    a->status = 0;
    snprintf(a->why, sizeof a->why, "%.*s", (int)sizeof a->why - 1, why);
}

static bool open_connection(rs_http_client *h, rs_http_answer *a) {
    if (h->easy) return true;
    h->curl = get_library(a->why, sizeof a->why);
    if (!h->curl) return false;
    CURLM *multi = h->curl->curl_multi_init();
    h->easy = multi ? h->curl->curl_easy_init() : NULL;
    if (!h->easy) {
        if (multi) h->curl->curl_multi_cleanup(multi);
        fail(a, "out of memory");
        return false;
    }
    h->curl->curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 1L);
    pthread_mutex_lock(&h->lock);
    h->multi = multi;
    pthread_mutex_unlock(&h->lock);
    return true;
}

static struct curl_slist *make_headers(rs_http_client *h, const rs_http_request *r) {
    struct curl_slist *list = NULL, *longer;
    rs_buf bearer, encoding;
    rs_buf_init(&bearer);
    if (r->bearer && *r->bearer) rs_buf_printf(&bearer, "Authorization: Bearer %s", r->bearer);
    rs_buf_init(&encoding);
    if (r->encoding) rs_buf_printf(&encoding, "Content-Encoding: %s", r->encoding);
    const char *own[] = {"Content-Type: application/x-protobuf", "Accept: application/x-protobuf",
                         "Expect:" /* no round trip before a large body */,
                         bearer.n ? rs_buf_cstr(&bearer) : "", encoding.n ? rs_buf_cstr(&encoding) : ""};
    const size_t own_n = RS_ARRAY_LEN(own);
    for (size_t i = 0; i < own_n + r->header_count; i++) {
        const char *line = i < own_n ? own[i] : r->headers[i - own_n];
        if (line && !*line) continue;
        longer = line ? h->curl->curl_slist_append(list, line) : NULL;
        if (!longer) {
            h->curl->curl_slist_free_all(list);
            list = NULL;
            break;
        }
        list = longer;
    }
    rs_buf_deinit(&bearer);
    rs_buf_deinit(&encoding);
    return list;
}

static void set_options(rs_http_client *h, const rs_http_request *r, struct curl_slist *headers,
                        receiver *into) {
    __typeof__(&curl_easy_setopt) set = h->curl->curl_easy_setopt;
    CURL *easy = h->easy;
    set(easy, CURLOPT_URL, r->url);
    set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_HTTPHEADER, headers);
    set(easy, CURLOPT_USERAGENT, "respan-c/" RS_VERSION);
    set(easy, CURLOPT_POST, 1L);
    set(easy, CURLOPT_POSTFIELDS, r->body.p);
    set(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
    set(easy, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
    set(easy, CURLOPT_NOSIGNAL, 1L);   /* the program's signals are its own */
    set(easy, CURLOPT_QUICK_EXIT, 1L); /* never wait for a name lookup that was given up */
    set(easy, CURLOPT_WRITEFUNCTION, on_body);
    set(easy, CURLOPT_WRITEDATA, into);
    set(easy, CURLOPT_HEADERFUNCTION, on_header);
    set(easy, CURLOPT_HEADERDATA, into);
    set(easy, CURLOPT_ERRORBUFFER, h->error);
    set(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    set(easy, CURLOPT_OPENSOCKETDATA, h);
    set(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
    set(easy, CURLOPT_CLOSESOCKETDATA, h);
    if (r->ca_file) {
        set(easy, CURLOPT_CAINFO, r->ca_file);
        set(easy, CURLOPT_PROXY_CAINFO, r->ca_file);
    }
    if (r->client_certificate) set(easy, CURLOPT_SSLCERT, r->client_certificate);
    if (r->client_key) set(easy, CURLOPT_SSLKEY, r->client_key);
    set(easy, CURLOPT_KEYPASSWD, ""); /* or the TLS library asks for one on the terminal, and waits */
    if (r->direct) set(easy, CURLOPT_NOPROXY, "*");
}

/* Runs the transfer to its end; CURLE_ABORTED_BY_CALLBACK if it was cancelled. */
static CURLcode run(rs_http_client *h, const rs_http_request *r) {
    enum { ASK_MS = 20 };
    const struct curl_library *c = h->curl;
    int running = 1, left;
    while (!is_cancelled(h) && !(r->gives_way && r->gives_way(r->ctx))) {
        if (c->curl_multi_perform(h->multi, &running) != CURLM_OK) return CURLE_FAILED_INIT;
        for (CURLMsg *m; (m = c->curl_multi_info_read(h->multi, &left));)
            if (m->msg == CURLMSG_DONE) return m->data.result;
        if (!running) return CURLE_FAILED_INIT;
        if (c->curl_multi_poll(h->multi, NULL, 0, r->gives_way ? ASK_MS : 1000, NULL) != CURLM_OK)
            return CURLE_FAILED_INIT;
    }
    return CURLE_ABORTED_BY_CALLBACK;
}

/* Why there was no answer, with the remedy where there is one. */
static void explain(rs_http_client *h, CURLcode code, rs_http_answer *a) {
    const char *detail = h->error[0] ? h->error : h->curl->curl_easy_strerror(code);
    /* X509_V_ERR_… with which no other CA would help; OTHER is a wrong name, too. */
    enum { OTHER = 1, NOT_YET_VALID = 9, HAS_EXPIRED = 10 };
    long problem = 0;
    a->status = 0;
    switch (code) {
    case CURLE_OK:
        fail(a, "no HTTP answer");
        break;
    case CURLE_PEER_FAILED_VERIFICATION:
        h->curl->curl_easy_getinfo(h->easy, CURLINFO_SSL_VERIFYRESULT, &problem);
        snprintf(a->why, sizeof a->why, "the server's certificate is not valid: %.110s%s", detail,
                 problem > OTHER && problem != NOT_YET_VALID && problem != HAS_EXPIRED
                     ? "; OTEL_EXPORTER_OTLP_CERTIFICATE names a file of CAs to trust"
                     : "");
        break;
    case CURLE_SSL_CACERT_BADFILE:
        snprintf(a->why, sizeof a->why,
                 "cannot read the CAs to trust: %.90s; see OTEL_EXPORTER_OTLP_CERTIFICATE", detail);
        break;
    case CURLE_SSL_CERTPROBLEM:
        snprintf(a->why, sizeof a->why,
                 "the client certificate is not usable: %.90s; see OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and "
                 "_CLIENT_KEY",
                 detail);
        break;
    default:
        fail(a, h->header_bytes > RS_HTTP_HEADERS_MAX ? "the answer's headers do not end" : detail);
    }
}

static void read_outcome(rs_http_client *h, CURLcode code, rs_http_answer *a) {
    curl_off_t retry_after = 0;
    long os_error = 0;
    a->cancelled = is_cancelled(h);
    h->curl->curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &a->status);
    h->curl->curl_easy_getinfo(h->easy, CURLINFO_RETRY_AFTER, &retry_after);
    h->curl->curl_easy_getinfo(h->easy, CURLINFO_OS_ERRNO, &os_error);
    if (retry_after > 0) a->retry_after_s = (uint64_t)retry_after;
    if ((code == CURLE_OK || h->too_long) && a->status > 0) return;
    a->refused = code == CURLE_COULDNT_CONNECT && os_error == ECONNREFUSED;
    if (a->refused) fail(a, "connection refused");
    else explain(h, code, a);
}

void rs_http_client_post(rs_http_client *h, const rs_http_request *r, rs_http_answer *a) {
    rs_buf body = a->body;
    rs_buf_clear(&body);
    *a = (rs_http_answer){.body = body};
    if (is_cancelled(h)) {
        a->cancelled = true;
        fail(a, "cancelled");
        return;
    }
    if (!open_connection(h, a)) return;
    struct curl_slist *headers = make_headers(h, r);
    if (!headers) {
        fail(a, "out of memory");
        return;
    }
    h->header_bytes = 0;
    h->too_long = false;
    h->error[0] = 0;
    set_options(h, r, headers, &(receiver){h, a});
    if (h->curl->curl_multi_add_handle(h->multi, h->easy) == CURLM_OK) {
        CURLcode code = run(h, r);
        read_outcome(h, code, a);
        h->curl->curl_multi_remove_handle(h->multi, h->easy);
    } else {
        fail(a, "libcurl could not start the transfer");
    }
    h->curl->curl_slist_free_all(headers);
}
