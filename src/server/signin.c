#include "server/signin.h"

#include "server/auth.h"
#include "server/server.h"
#include "server/static.h"

#include <stdio.h>

enum { COOKIE_MAX = 192 };

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

rs_signin_from rs_signin_origin(rs_request *req) {
    return (rs_signin_from){rs_request_address(req), rs_request_header(req, "User-Agent")};
}

void rs_signin_set_cookie(const rs_server *server, rs_request *req, rs_response *res, const char *secret,
                          long lifetime_s) {
    char cookie[COOKIE_MAX];
    int n = snprintf(cookie, sizeof cookie, RS_COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%ld%s",
                     secret, lifetime_s, server->is_https ? "; Secure" : "");
    rs_str kept = rs_arena_copy(&req->arena, (rs_str){cookie, n > 0 ? (size_t)n : 0});
    if (kept.p) rs_response_header(res, "Set-Cookie", kept.p);
    else rs_response_error(res, 503, "unavailable", NULL, "out of memory: retry later");
}

/* A session that this browser had is over: it gets a new secret. */
static void end_old(rs_server *server, const rs_request *req) {
    const char *old = rs_request_cookie(req, RS_COOKIE);
    if (old && rs_control_end_session(server->control, rs_str_of(old), NULL) == RS_OK)
        rs_guard_forget(server->guard);
}

void rs_signin_login(rs_server *server, rs_request *req, rs_response *res) {
    const char *token = rs_request_query(req, "token");
    char secret[RS_SECRET_MAX];
    rs_identity who;
    rs_err err = {0};
    if (strcmp(req->method, "HEAD") == 0)
        return redirect(res, next_path(req)); /* a link preview must not use the token up */
    rs_signin_from from = rs_signin_origin(req);
    rs_status st = token ? rs_control_redeem_link(server->control, rs_str_of(token), &from, secret, &err)
                         : RS_ERR_DENIED;
    if (st == RS_OK) {
        end_old(server, req);
        redirect(res, next_path(req));
        rs_signin_set_cookie(server, req, res, secret, RS_SESSION_LIFETIME_S);
    } else if (st != RS_ERR_DENIED && st != RS_ERR_NOT_FOUND) {
        rs_response_from_err(res, &err);
    } else if (rs_guard_signed_in(server->guard, req, &who, NULL) == RS_OK) {
        redirect(res, next_path(req)); /* the link is used up, but by this very browser */
    } else {
        rs_static_no_session(req, res, 401);
    }
}

void rs_signin_logout(rs_server *server, rs_request *req, rs_response *res) {
    const char *session = rs_request_cookie(req, RS_COOKIE);
    rs_err err = {0};
    if (session && rs_control_end_session(server->control, rs_str_of(session), &err) != RS_OK) {
        rs_response_from_err(res, &err);
        return;
    }
    rs_guard_forget(server->guard);
    redirect(res, "/");
    rs_signin_set_cookie(server, req, res, "", 0);
}
