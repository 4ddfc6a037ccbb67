#include "server/device.h"

#include "server/auth.h"
#include "server/server.h"

#include <sodium.h>
#include <stdio.h>

enum { NONCE = 16, NONCE_TEXT = 23, LIFETIME_S = 365 * 86400, COOKIE_MAX = 256, TEXT_MAX = 512 };

/* Of a text that no session's secret is: those have no spaces. */
static void sign(const rs_server *server, rs_str nonce, const char *email, char out[RS_CSRF_TOKEN]) {
    char text[TEXT_MAX];
    int n = snprintf(text, sizeof text, "device %.*s %s", RS_STR_ARG(nonce), email);
    size_t length = n < 0 ? 0 : n < TEXT_MAX ? (size_t)n : sizeof text - 1;
    for (size_t i = 0; i < length; i++)
        if (text[i] >= 'A' && text[i] <= 'Z' && i >= sizeof "device " + nonce.n) text[i] |= 32;
    rs_guard_csrf_token(server->guard, (rs_str){text, length}, out);
}

rs_str rs_device_known(const rs_server *server, const rs_request *req, const char *email) {
    char token[RS_CSRF_TOKEN];
    rs_str cookie = rs_str_of(rs_request_cookie(req, RS_DEVICE_COOKIE)), nonce = {cookie.p, NONCE_TEXT - 1};
    if (cookie.n != nonce.n + RS_CSRF_TOKEN || cookie.p[nonce.n] != '.') return (rs_str){0};
    sign(server, nonce, email, token);
    bool is_ours = sodium_memcmp(cookie.p + nonce.n + 1, token, RS_CSRF_TOKEN - 1) == 0;
    return is_ours ? nonce : (rs_str){0};
}

void rs_device_remember(const rs_server *server, rs_request *req, rs_response *res, const char *email) {
    uint8_t random[NONCE];
    char nonce[NONCE_TEXT], token[RS_CSRF_TOKEN], cookie[COOKIE_MAX];
    randombytes_buf(random, sizeof random);
    sodium_bin2base64(nonce, sizeof nonce, random, sizeof random, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sign(server, rs_str_of(nonce), email, token);
    int n = snprintf(cookie, sizeof cookie,
                     RS_DEVICE_COOKIE "=%s.%s; Path=/api/auth/; HttpOnly; SameSite=Strict; Max-Age=%d%s",
                     nonce, token, LIFETIME_S, server->is_https ? "; Secure" : "");
    rs_str kept = rs_arena_copy(&req->arena, (rs_str){cookie, n > 0 ? (size_t)n : 0});
    if (kept.p) rs_response_header(res, "Set-Cookie", kept.p); /* without it he is a stranger, no more */
}
