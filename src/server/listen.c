#include "server/listen.h"

#include "base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 256 };

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
