#include "server/static.h"

#include "server/auth.h"
#include "server/headers.h"
#include "server/server.h"

#include <stdlib.h>

/* Scripts, styles and connections of our own origin only; nothing inline, no frames. */
static const char content_security_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

static int compare_path(const void *key, const void *item) {
    return strcmp(key, ((const rs_embedded *)item)->path);
}

static const rs_embedded *find(const char *path) {
    return bsearch(path, rs_embedded_files, rs_embedded_count, sizeof rs_embedded_files[0], compare_path);
}

static void send_file(rs_request *req, rs_response *res, const rs_embedded *file, const char *caching) {
    res->content_type = file->content_type;
    rs_response_header(res, "Cache-Control", caching);
    if (rs_str_starts(rs_str_of(file->content_type), RS_STR("text/html")))
        rs_response_header(res, "Content-Security-Policy", content_security_policy);
    if (res->status == 200) {
        rs_response_header(res, "ETag", file->etag);
        const char *have = rs_request_header(req, "If-None-Match");
        if (have && rs_header_etag_matches(rs_str_of(have), rs_str_of(file->etag))) {
            res->status = 304;
            return;
        }
    }
    res->static_body = file->plain;
    if (!file->gzip.n) return;
    rs_response_header(res, "Vary", "Accept-Encoding");
    const char *accepts = rs_request_header(req, "Accept-Encoding");
    if (!accepts || !rs_header_accepts_gzip(rs_str_of(accepts))) return;
    rs_response_header(res, "Content-Encoding", "gzip");
    res->static_body = file->gzip;
}

/* The built-in pages of src/server/pages are always embedded. */
static void send_builtin(rs_request *req, rs_response *res, const char *path, int status) {
    const rs_embedded *page = find(path);
    res->status = status;
    if (page) send_file(req, res, page, "no-store");
    else rs_response_error(res, 404, "not_found", NULL, "there is no such page");
}

void rs_static_no_session(rs_request *req, rs_response *res, int status) {
    send_builtin(req, res, "/builtin/no-session.html", status);
}

void rs_static_health(rs_server *server, rs_request *req, rs_response *res) {
    (void)server, (void)req;
    res->content_type = "text/plain; charset=utf-8";
    res->static_body = RS_STR("ok\n");
}

void rs_static_file(rs_server *server, rs_request *req, rs_response *res) {
    (void)server;
    const rs_embedded *file = find(req->path);
    if (file && rs_str_ends(rs_str_of(file->path), RS_STR(".html")))
        file = NULL; /* pages have their own ways in */
    if (file) send_file(req, res, file, file->hashed ? "public, max-age=31536000, immutable" : "no-cache");
    else rs_response_error(res, 404, "not_found", NULL, "there is no such file");
}

void rs_static_open_page(rs_server *server, rs_request *req, rs_response *res) {
    const rs_embedded *index = find("/index.html");
    (void)server;
    if (index) send_file(req, res, index, "no-cache");
    else send_builtin(req, res, "/builtin/not-built.html", 200);
}

static void put_parameter(void *ctx, const char *name, const char *value) {
    rs_buf *b = ctx;
    rs_buf_byte(b, memchr(b->p, '?', b->n) ? '&' : '?');
    rs_buf_url(b, rs_str_of(name));
    rs_buf_byte(b, '=');
    rs_buf_url(b, rs_str_of(value));
}

/* To the form, which leads back to what was asked for. */
static void send_to_signin(rs_request *req, rs_response *res) {
    rs_buf next, path;
    rs_buf_init(&next);
    rs_buf_init(&path);
    rs_buf_text(&next, req->path);
    rs_request_each_query(req, put_parameter, &next);
    rs_buf_text(&path, "/signin?next=");
    rs_buf_url(&path, rs_buf_slice(&next));
    rs_str location = {0};
    if (rs_buf_status(&next) == RS_OK && rs_buf_status(&path) == RS_OK)
        location = rs_arena_copy(&req->arena, rs_buf_slice(&path));
    rs_buf_deinit(&next);
    rs_buf_deinit(&path);
    res->status = 303;
    res->content_type = NULL;
    rs_response_header(res, "Location", location.p ? location.p : "/signin");
}

void rs_static_page(rs_server *server, rs_request *req, rs_response *res) {
    rs_identity who;
    bool has_passwords = false;
    rs_err err = {0};
    rs_status st = rs_guard_signed_in(server->guard, req, &who, &err);
    if (st == RS_OK) {
        rs_static_open_page(server, req, res);
        return;
    }
    if (st == RS_ERR_DENIED) {
        err = (rs_err){0};
        st = rs_control_has_passwords(server->control, &has_passwords, &err);
    }
    if (st != RS_OK) rs_response_from_err(res, &err);
    else if (has_passwords || server->allow_signup) send_to_signin(req, res);
    else rs_static_no_session(req, res, 401);
}

void rs_static_openapi(rs_server *server, rs_request *req, rs_response *res) {
    (void)server;
    const rs_embedded *document = find("/openapi.json");
    if (document) send_file(req, res, document, "no-cache");
    else rs_response_error(res, 404, "not_found", NULL, "this build has no such document");
}

void rs_static_file_or_page(rs_server *server, rs_request *req, rs_response *res) {
    if (memchr(req->id.p, '.', req->id.n)) rs_static_file(server, req, res);
    else rs_static_page(server, req, res);
}
