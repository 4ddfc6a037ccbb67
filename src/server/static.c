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
    (void)server;
    const rs_embedded *index = find("/index.html");
    if (index) send_file(req, res, index, "no-cache");
    else send_builtin(req, res, "/builtin/not-built.html", 200);
}

void rs_static_page(rs_server *server, rs_request *req, rs_response *res) {
    const char *session = rs_request_cookie(req, RS_COOKIE);
    uint64_t project;
    rs_err err = {0};
    rs_status st =
        session ? rs_guard_check_session(server->guard, rs_str_of(session), &project, &err) : RS_ERR_DENIED;
    if (st == RS_ERR_DENIED || st == RS_ERR_NOT_FOUND) rs_static_no_session(req, res, 401);
    else if (st != RS_OK) rs_response_from_err(res, &err);
    else rs_static_open_page(server, req, res);
}

void rs_static_file_or_page(rs_server *server, rs_request *req, rs_response *res) {
    if (memchr(req->id.p, '.', req->id.n)) rs_static_file(server, req, res);
    else rs_static_page(server, req, res);
}
