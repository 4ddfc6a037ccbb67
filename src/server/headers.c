#include "server/headers.h"

#include <arpa/inet.h>
#include <sodium.h>

static rs_str trim(rs_str s) {
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) s.p++, s.n--;
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t')) s.n--;
    return s;
}

/* Cuts *rest at the first `at`: returns what stands before it, trimmed, and leaves what stands behind. */
static rs_str cut(rs_str *rest, char at) {
    const char *end = rest->n ? memchr(rest->p, at, rest->n) : NULL;
    size_t n = end ? (size_t)(end - rest->p) : rest->n;
    rs_str part = {rest->p, n};
    *rest = rs_str_from(*rest, end ? n + 1 : n);
    return trim(part);
}

rs_str rs_header_media_type(rs_str value) { return cut(&value, ';'); }

static rs_str credentials(rs_str value, rs_str wanted) {
    value = trim(value);
    rs_str scheme = cut(&value, ' ');
    return rs_str_eq_nocase(scheme, wanted) ? trim(value) : (rs_str){0};
}

rs_str rs_header_bearer(rs_str value) { return credentials(value, RS_STR("bearer")); }

bool rs_header_basic(rs_str value, char *storage, size_t size, rs_str *user, rs_str *password) {
    rs_str packed = credentials(value, RS_STR("basic"));
    size_t n;
    if (!packed.n || sodium_base642bin((unsigned char *)storage, size, packed.p, packed.n, NULL, &n, NULL,
                                       sodium_base64_VARIANT_ORIGINAL) != 0)
        return false;
    const char *colon = memchr(storage, ':', n);
    if (!colon) return false;
    *user = (rs_str){storage, (size_t)(colon - storage)};
    *password = rs_str_from((rs_str){storage, n}, user->n + 1);
    return true;
}

/* q=0, q=0.0 …: the client refuses. */
static bool refuses(rs_str parameters) {
    while (parameters.n) {
        rs_str p = cut(&parameters, ';');
        if (p.n < 3 || (p.p[0] | 32) != 'q' || p.p[1] != '=') continue;
        double q;
        return rs_str_to_double(trim(rs_str_from(p, 2)), &q) && q <= 0;
    }
    return false;
}

bool rs_header_accepts_gzip(rs_str value) {
    while (value.n) {
        rs_str item = cut(&value, ',');
        rs_str coding = cut(&item, ';');
        if (rs_str_eq_nocase(coding, RS_STR("gzip")) || rs_str_eq(coding, RS_STR("*"))) return !refuses(item);
    }
    return false;
}

bool rs_header_etag_matches(rs_str value, rs_str etag) {
    while (value.n) {
        rs_str item = cut(&value, ',');
        if (rs_str_eq(item, RS_STR("*"))) return true;
        if (rs_str_starts(item, RS_STR("W/"))) item = rs_str_from(item, 2);
        if (rs_str_eq(item, etag)) return true;
    }
    return false;
}

/* "host", "host:port" and "[v6]:port" -> host; empty if it is none of them. */
static rs_str without_port(rs_str v) {
    size_t n = 0;
    if (v.n && v.p[0] == '[') {
        const char *close = memchr(v.p, ']', v.n);
        if (!close) return (rs_str){0};
        n = (size_t)(close - v.p) + 1;
    } else {
        while (n < v.n && v.p[n] != ':') n++;
    }
    for (size_t i = n; i < v.n; i++)
        if (i == n ? v.p[i] != ':' : v.p[i] < '0' || v.p[i] > '9') return (rs_str){0};
    return (rs_str){v.p, n};
}

static bool is_ip_literal(rs_str host) {
    char text[INET6_ADDRSTRLEN + 1];
    unsigned char address[16];
    int family = AF_INET;
    if (host.n > 2 && host.p[0] == '[') family = AF_INET6, host = (rs_str){host.p + 1, host.n - 2};
    if (host.n >= sizeof text) return false;
    memcpy(text, host.p, host.n);
    text[host.n] = 0;
    return inet_pton(family, text, address) == 1;
}

bool rs_header_host_is_ours(rs_str value, const char *const *names, size_t n) {
    rs_str host = without_port(trim(value));
    if (host.n == 0) return false;
    if (rs_str_eq_nocase(host, RS_STR("localhost")) || is_ip_literal(host)) return true;
    for (size_t i = 0; i < n; i++)
        if (names[i] && rs_str_eq_nocase(host, rs_str_of(names[i]))) return true;
    return false;
}
