#include "server/signin.h"

#include "server/auth.h"
#include "server/server.h"
#include "server/static.h"

#include <stdio.h>

static void redirect(rs_response *res, const char *path) {
    res->status = 303;
    res->content_type = NULL;
    rs_response_header(res, "Location", path);
}

/* ?next= if it is a path of this server (a browser takes //host and /\\host for another one), else "/". */
static const char *next_path(const rs_request *req) {
    const char *next = rs_request_query(req, "next");
    if (!next || next[0] != '/' || next[1] == '/') return "/";
    for (const char *p = next; *p; p++)
        if (*p <= 0x20 || *p >= 0x7f || *p == '\\') return "/";
    return next;
}

/* `secret` empty: the cookie goes away. */
static void set_cookie(rs_request *req, rs_response *res, const char *secret, long lifetime_s) {
    char cookie[RS_COOKIE_MAX];
    int n = snprintf(cookie, sizeof cookie, RS_COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%ld",
                     secret, lifetime_s);
    rs_str kept = rs_arena_copy(&req->arena, (rs_str){cookie, n > 0 ? (size_t)n : 0});
    if (kept.p) rs_response_header(res, "Set-Cookie", kept.p);
    else rs_response_error(res, 503, "unavailable", NULL, "out of memory: retry later");
}

void rs_signin_login(rs_server *server, rs_request *req, rs_response *res) {
    const char *token = rs_request_query(req, "token");
    const char *session = rs_request_cookie(req, RS_COOKIE);
    char secret[RS_SECRET_MAX];
    uint64_t project;
    rs_err err = {0};
    if (strcmp(req->method, "HEAD") == 0)
        return redirect(res, next_path(req)); /* a link preview must not use the token up */
    rs_status st =
        token ? rs_control_redeem_link(server->control, rs_str_of(token), secret, &err) : RS_ERR_DENIED;
    if (st == RS_OK) {
        redirect(res, next_path(req));
        set_cookie(req, res, secret, RS_SESSION_LIFETIME_S);
    } else if (st != RS_ERR_DENIED && st != RS_ERR_NOT_FOUND) {
        rs_response_from_err(res, &err);
    } else if (session &&
               rs_guard_check_session(server->guard, rs_str_of(session), &project, NULL) == RS_OK) {
        redirect(res, next_path(req)); /* the link is used up, but by this very browser */
    } else {
        rs_static_no_session(req, res, 401);
    }
}

void rs_signin_logout(rs_server *server, rs_request *req, rs_response *res) {
    const char *session = rs_request_cookie(req, RS_COOKIE);
    rs_err err = {0};
    if (rs_guard_sent_from_elsewhere(req)) {
        rs_response_error(res, 403, "forbidden", "Sec-Fetch-Site", "only this server's own page signs out");
        return;
    }
    if (session) {
        rs_status st = rs_guard_end_session(server->guard, rs_str_of(session), &err);
        if (st != RS_OK && st != RS_ERR_DENIED && st != RS_ERR_NOT_FOUND) {
            rs_response_from_err(res, &err);
            return;
        }
    }
    redirect(res, "/");
    set_cookie(req, res, "", 0);
}
