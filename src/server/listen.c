#include "server/listen.h"

#include "base/credentials.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

/* Splits an address into host and port, with defaults for what is missing. */
static bool split(const char *address, char host[256], char port[8]) {
    const char *colon = strrchr(address, ':');
    const char *close = strrchr(address, ']');
    bool only_port = address[0] && address[strspn(address, "0123456789")] == 0;
    rs_str h = rs_str_of(address), p = RS_STR("8460");
    if (only_port) h = (rs_str){0}, p = rs_str_of(address);
    else if (colon && (!close || colon > close)) h.n = (size_t)(colon - address), p = rs_str_of(colon + 1);
    if (h.n >= 2 && h.p[0] == '[' && h.p[h.n - 1] == ']') h = (rs_str){h.p + 1, h.n - 2};
    if (h.n == 0) h = RS_STR("127.0.0.1");
    unsigned long long number;
    if (h.n >= 256 || !rs_str_to_u64(p, &number) || number > 65535) return false;
    snprintf(host, 256, "%.*s", RS_STR_ARG(h));
    snprintf(port, 8, "%llu", number);
    return true;
}

/* How this machine reaches the socket: a wildcard address is reached by loopback. */
static bool describe(int fd, char url[RS_URL_MAX], bool *loopback) {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } name;
    socklen_t n = sizeof name;
    char text[INET6_ADDRSTRLEN] = "";
    if (getsockname(fd, &name.any, &n) != 0) return false;
    if (name.any.sa_family == AF_INET6) {
        bool wild = IN6_IS_ADDR_UNSPECIFIED(&name.v6.sin6_addr);
        *loopback = IN6_IS_ADDR_LOOPBACK(&name.v6.sin6_addr);
        inet_ntop(AF_INET6, &name.v6.sin6_addr, text, sizeof text);
        snprintf(url, RS_URL_MAX, "http://[%s]:%u", wild ? "::1" : text, ntohs(name.v6.sin6_port));
    } else {
        uint32_t ip = ntohl(name.v4.sin_addr.s_addr);
        *loopback = ip >> 24 == 127;
        inet_ntop(AF_INET, &name.v4.sin_addr, text, sizeof text);
        snprintf(url, RS_URL_MAX, "http://%s:%u", ip == INADDR_ANY ? "127.0.0.1" : text,
                 ntohs(name.v4.sin_port));
    }
    return true;
}

static int open_socket(const struct addrinfo *at) {
    int one = 1;
    int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, at->ai_protocol);
    if (fd < 0) return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
        bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

rs_status rs_listen(const char *address, int *fd, char url[RS_URL_MAX], bool *loopback, rs_err *err) {
    char host[256], port[8];
    *fd = -1;
    if (!split(address, host, port))
        return rs_fail(err, RS_ERR_INVALID, 0, "'%s' is not an address to listen on: give ADDR:PORT",
                       address);
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found;
    int failed = getaddrinfo(host, port, &hints, &found);
    if (failed)
        return rs_fail(err, RS_ERR_INVALID, 0, "'%s' is not an address to listen on: %s", address,
                       gai_strerror(failed));
    for (const struct addrinfo *at = found; at && *fd < 0; at = at->ai_next) *fd = open_socket(at);
    int saved = errno;
    freeaddrinfo(found);
    if (*fd >= 0 && describe(*fd, url, loopback)) return RS_OK;
    if (*fd >= 0) saved = errno, close(*fd), *fd = -1;
    if (saved == EADDRINUSE)
        return rs_fail(
            err, RS_ERR_DENIED, 0,
            "port %s on %s is taken: another server runs there, or pick another with --listen %s:PORT", port,
            host, host);
    return rs_fail(err, RS_ERR_IO, 0, "cannot listen on %s: %s", address, strerror(saved));
}

/* What a base URL of ours has behind its authority: nothing, the API, or where it takes spans. */
static bool is_our_path(rs_str path) {
    static const char *const paths[] = {"", "/api", "/v1/traces", "/api/v1/traces", "/api/v2/traces"};
    while (path.n && path.p[path.n - 1] == '/') path.n--;
    for (size_t i = 0; i < RS_ARRAY_LEN(paths); i++)
        if (rs_str_eq(path, rs_str_of(paths[i]))) return true;
    return false;
}

/* Host and port of an http URL without user, query and any path but ours; false for every other one. */
static bool split_url(rs_str url, char host[256], unsigned long long *port) {
    if (url.n < 7 || !rs_str_eq_nocase((rs_str){url.p, 7}, RS_STR("http://"))) return false;
    rs_str rest = rs_str_from(url, 7), h = rest;
    const char *slash = memchr(rest.p, '/', rest.n);
    if (slash) h.n = (size_t)(slash - rest.p);
    if (!is_our_path(rs_str_from(rest, h.n))) return false;
    *port = 80;
    const char *bracket = memchr(h.p, ']', h.n), *colon = memrchr(h.p, ':', h.n);
    if (colon && (!bracket || colon > bracket)) {
        if (!rs_str_to_u64(rs_str_from(h, (size_t)(colon + 1 - h.p)), port)) return false;
        h.n = (size_t)(colon - h.p);
    }
    if (h.n > 2 && h.p[0] == '[' && h.p[h.n - 1] == ']') h = (rs_str){h.p + 1, h.n - 2};
    if (h.n == 0 || h.n >= 256 || memchr(h.p, 0, h.n)) return false;
    memcpy(host, h.p, h.n);
    host[h.n] = 0;
    return true;
}

bool rs_listen_is_reached(const char *url, bool loopback, rs_str base_url) {
    char own[256], host[256];
    unsigned long long own_port, port;
    struct in_addr v4, own_v4;
    struct in6_addr v6, own_v6;
    if (!split_url(rs_str_of(url), own, &own_port) || !split_url(base_url, host, &port) || port != own_port)
        return false;
    bool wild = !loopback && rs_url_is_loopback(url); /* how rs_listen describes a wildcard */
    bool own_is_v4 = inet_pton(AF_INET, own, &own_v4) == 1,
         own_is_v6 = inet_pton(AF_INET6, own, &own_v6) == 1;
    if (strcasecmp(host, "localhost") == 0)
        return wild || strcmp(own, "127.0.0.1") == 0 || (own_is_v6 && IN6_IS_ADDR_LOOPBACK(&own_v6));
    if (inet_pton(AF_INET, host, &v4) == 1) /* [::] takes IPv4 too */
        return (own_is_v4 && v4.s_addr == own_v4.s_addr) || (wild && ntohl(v4.s_addr) >> 24 == 127);
    return inet_pton(AF_INET6, host, &v6) == 1 && own_is_v6 && memcmp(&v6, &own_v6, sizeof v6) == 0;
}
