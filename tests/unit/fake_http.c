#include "fake_http.h"

#include "base/clock.h"
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 256 };

struct fake_http {
    const fake_answer *script;
    size_t script_n;
    int listener, port;
    char url[64];
    pthread_t acceptor;
    pthread_mutex_t lock; /* for all below */
    pthread_cond_t stopping;
    bool stopped;
    pthread_t threads[CONNECTIONS_MAX];
    int sockets[CONNECTIONS_MAX];
    size_t connections;
    fake_request **requests;
    size_t count;
    size_t next; /* answer of the script */
    uint64_t sent;
};

typedef struct connection {
    fake_http *server;
    int fd;
} connection;

static double seconds(void) { return (double)rs_clock_mono_ns() / 1e9; }

static void must(bool ok, const char *what) {
    if (ok) return;
    perror(what);
    abort();
}

/* Sleeps; false if the server stops meanwhile. */
static bool pause_ms(fake_http *f, unsigned ms) {
    uint64_t until = rs_clock_wall_ns() + ms * 1000000ull;
    struct timespec t = {(time_t)(until / 1000000000u), (long)(until % 1000000000u)};
    pthread_mutex_lock(&f->lock);
    while (!f->stopped && rs_clock_wall_ns() < until) pthread_cond_timedwait(&f->stopping, &f->lock, &t);
    bool go_on = !f->stopped;
    pthread_mutex_unlock(&f->lock);
    return go_on;
}

/* Reads one request; NULL at the connection's end. */
static fake_request *read_request(int fd) {
    rs_buf in;
    rs_buf_init(&in);
    char *end = NULL;
    size_t body_n = 0, head_n = 0;
    for (;;) {
        char *room = rs_buf_reserve(&in, 65536);
        must(room != NULL, "memory");
        ssize_t n = recv(fd, room, 65536, 0);
        if (n <= 0) return rs_buf_deinit(&in), NULL;
        in.n += (size_t)n;
        if (!end && (end = memmem(in.p, in.n, "\r\n\r\n", 4))) {
            head_n = (size_t)(end - in.p) + 4;
            for (char *line = in.p; line < in.p + head_n - 2; line = (char *)memchr(line, '\n', head_n) + 1)
                if (strncasecmp(line, "content-length:", 15) == 0) body_n = (size_t)atol(line + 15);
        }
        if (end && in.n >= head_n + body_n) break;
    }
    fake_request *r = calloc(1, sizeof *r);
    must(r != NULL, "memory");
    r->head = strndup(in.p, head_n);
    rs_buf_put(&r->body, in.p + head_n, body_n);
    r->at = seconds();
    rs_buf_deinit(&in);
    return r;
}

static const fake_answer *keep(fake_http *f, fake_request *r) {
    pthread_mutex_lock(&f->lock);
    f->requests = realloc(f->requests, (f->count + 1) * sizeof *f->requests);
    must(f->requests != NULL, "memory");
    f->requests[f->count++] = r;
    r->answer = &f->script[f->next < f->script_n ? f->next : f->script_n - 1];
    f->next++;
    pthread_mutex_unlock(&f->lock);
    return r->answer;
}

/* The same bytes again and again, until the other side has enough. */
static void send_often(fake_http *f, int fd, const char *opening, const char *line, uint64_t most) {
    char block[64 << 10];
    size_t line_n = strlen(line), n = 0;
    while (n + line_n <= sizeof block) memcpy(block + n, line, line_n), n += line_n;
    send(fd, opening, strlen(opening), MSG_NOSIGNAL);
    uint64_t sent = 0;
    for (ssize_t k = 1; k > 0 && sent < most && pause_ms(f, 0); sent += k > 0 ? (uint64_t)k : 0)
        k = send(fd, block, n, MSG_NOSIGNAL);
    pthread_mutex_lock(&f->lock);
    f->sent += sent;
    pthread_mutex_unlock(&f->lock);
}

/* False if the connection is to be closed. */
static bool answer(fake_http *f, int fd, const fake_answer *a) {
    rs_buf out;
    rs_buf_init(&out);
    bool go_on = a->kind == FAKE_ANSWER;
    switch (a->kind) {
    case FAKE_ANSWER:
        rs_buf_printf(&out, "HTTP/1.1 %d Whatever\r\n%sContent-Length: %zu\r\n\r\n", a->status,
                      a->headers ? a->headers : "", a->body.n);
        rs_buf_str(&out, a->body);
        send(fd, out.p, out.n, MSG_NOSIGNAL);
        break;
    case FAKE_HANG:
        while (pause_ms(f, 60000)) {
        }
        break;
    case FAKE_TRICKLE:
        for (const char *p =
                 "HTTP/1.1 200 OK\r\nX-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
             *p && pause_ms(f, 50) && send(fd, p, 1, MSG_NOSIGNAL) == 1; p++) {
        }
        break;
    case FAKE_GARBAGE:
        send(fd, "\x16\x03\x01 not HTTP at all\r\n\r\n", 24, MSG_NOSIGNAL);
        break;
    case FAKE_CLOSE:
        break;
    case FAKE_RESET:
        connect(fd, &(struct sockaddr){.sa_family = AF_UNSPEC}, sizeof(struct sockaddr)); /* sends RST */
        break;
    case FAKE_ENDLESS_HEADERS:
        send_often(f, fd, "HTTP/1.1 200 OK\r\n", "X-More: and more and more and more\r\n", UINT64_MAX);
        break;
    case FAKE_GIGABYTE:
        send_often(f, fd, "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", "nothing of interest ",
                   1 << 30);
        break;
    }
    rs_buf_deinit(&out);
    return go_on;
}

static void *serve(void *context) {
    connection c = *(connection *)context;
    free(context);
    fake_http *f = c.server;
    for (fake_request *r; (r = read_request(c.fd));) {
        if (!answer(f, c.fd, keep(f, r))) break;
    }
    shutdown(c.fd, SHUT_RDWR);
    return NULL;
}

static void *accept_all(void *context) {
    fake_http *f = context;
    for (;;) {
        int fd = accept(f->listener, NULL, NULL);
        if (fd < 0) return NULL;
        connection *c = malloc(sizeof *c);
        must(c != NULL, "memory");
        *c = (connection){f, fd};
        pthread_mutex_lock(&f->lock);
        must(f->connections < CONNECTIONS_MAX, "connections");
        f->sockets[f->connections] = fd;
        must(pthread_create(&f->threads[f->connections++], NULL, serve, c) == 0, "thread");
        pthread_mutex_unlock(&f->lock);
    }
}

fake_http *fake_http_start(const fake_answer *script, size_t n) {
    fake_http *f = calloc(1, sizeof *f);
    must(f != NULL, "memory");
    f->script = script;
    f->script_n = n;
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->stopping, NULL);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(f->listener >= 0 && bind(f->listener, (struct sockaddr *)&a, size) == 0, "bind");
    must(listen(f->listener, 64) == 0 && getsockname(f->listener, (struct sockaddr *)&a, &size) == 0,
         "listen");
    f->port = ntohs(a.sin_port);
    snprintf(f->url, sizeof f->url, "http://127.0.0.1:%d/api", f->port);
    must(pthread_create(&f->acceptor, NULL, accept_all, f) == 0, "thread");
    return f;
}

void fake_http_stop(fake_http *f) {
    shutdown(f->listener, SHUT_RDWR);
    pthread_join(f->acceptor, NULL);
    pthread_mutex_lock(&f->lock);
    f->stopped = true;
    pthread_cond_broadcast(&f->stopping);
    for (size_t i = 0; i < f->connections; i++) shutdown(f->sockets[i], SHUT_RDWR);
    pthread_mutex_unlock(&f->lock);
    for (size_t i = 0; i < f->connections; i++) {
        pthread_join(f->threads[i], NULL);
        close(f->sockets[i]);
    }
    close(f->listener);
    for (size_t i = 0; i < f->count; i++) {
        free(f->requests[i]->head);
        rs_buf_deinit(&f->requests[i]->body);
        free(f->requests[i]);
    }
    free(f->requests);
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->stopping);
    free(f);
}

int fake_http_port(const fake_http *f) { return f->port; }
const char *fake_http_url(const fake_http *f) { return f->url; }

void fake_http_skip(fake_http *f, size_t n) {
    pthread_mutex_lock(&f->lock);
    if (f->next < n) f->next = n;
    pthread_mutex_unlock(&f->lock);
}

size_t fake_http_count(fake_http *f) {
    pthread_mutex_lock(&f->lock);
    size_t n = f->count;
    pthread_mutex_unlock(&f->lock);
    return n;
}

size_t fake_http_connections(fake_http *f) {
    pthread_mutex_lock(&f->lock);
    size_t n = f->connections;
    pthread_mutex_unlock(&f->lock);
    return n;
}

uint64_t fake_http_sent(fake_http *f) {
    pthread_mutex_lock(&f->lock);
    uint64_t n = f->sent;
    pthread_mutex_unlock(&f->lock);
    return n;
}

const fake_request *fake_http_request(fake_http *f, size_t i) {
    pthread_mutex_lock(&f->lock);
    const fake_request *r = f->requests[i];
    pthread_mutex_unlock(&f->lock);
    return r;
}
