#include "server/share.h"

#include "base/ids.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "server/api.h"
#include "server/auth.h"
#include "server/server.h"
#include "server/static.h"

#define PREFIX "/api/share/"

static void fail(rs_response *res, rs_status st, rs_err *err) {
    if (err->code == RS_OK) (void)!rs_fail(err, st, 0, "%s", rs_status_text(st));
    rs_response_from_err(res, err);
}

/* ---- by the project ------------------------------------------------------------------------------------ */

/* {"content": true|false}; an empty body is {"content": true}. False: it is answered. */
static bool read_content(rs_request *req, bool *content, rs_response *res) {
    rs_json_reader r;
    rs_json_token token;
    *content = true;
    if (req->body.n == 0) return true;
    rs_json_read_init(&r, req->body, &req->arena);
    if (rs_json_find_key(&r, RS_STR("content"))) {
        token = rs_json_read(&r);
        *content = token == RS_JSON_TRUE;
        if (token == RS_JSON_TRUE || token == RS_JSON_FALSE) return true;
    }
    rs_response_error(res, 400, "invalid", "content",
                      "the body is {\"content\": true} or {\"content\": false}");
    return false;
}

static void put_share(rs_json *j, const rs_share *share) {
    rs_json_put_bool(j, "shared", share != NULL);
    if (!share) return;
    rs_json_put_bool(j, "content", share->content);
    rs_json_put_time(j, "created_at", share->created_ns);
}

/* No trace without spans has a link: an id that comes later would be shared from its first span on. */
static rs_status make_share(rs_server *server, rs_request *req, const uint8_t id[16], bool content,
                            rs_response *res, rs_err *err) {
    char token[RS_SECRET_MAX];
    rs_share share;
    rs_actor by = rs_guard_actor(req);
    rs_status st = rs_api_find_trace(server, req, id, err);
    if (st == RS_OK)
        st = rs_control_share_trace(server->control, req->project, id, content, &by, token, &share, err);
    if (st != RS_OK) return st;
    rs_buf url;
    rs_buf_init(&url);
    rs_buf_printf(&url, "%s/share/%s", server->url, token);
    rs_json j = rs_json_on(&res->body);
    rs_json_object(&j);
    rs_json_put_str(&j, "url", rs_buf_slice(&url));
    put_share(&j, &share);
    rs_json_object_end(&j);
    st = rs_buf_status(&url);
    rs_buf_deinit(&url);
    return st;
}

static rs_status show_share(rs_server *server, rs_request *req, const uint8_t id[16], rs_response *res,
                            rs_err *err) {
    rs_share share;
    rs_status st = rs_control_get_share(server->control, req->project, id, &share, err);
    if (st != RS_OK && st != RS_ERR_NOT_FOUND) return st;
    rs_json j = rs_json_on(&res->body);
    rs_json_object(&j);
    put_share(&j, st == RS_OK ? &share : NULL);
    rs_json_object_end(&j);
    return RS_OK;
}

void rs_share_manage(rs_server *server, rs_request *req, rs_response *res) {
    uint8_t id[16];
    bool content, is_get = strcmp(req->method, "GET") == 0 || strcmp(req->method, "HEAD") == 0;
    rs_err err = {0};
    rs_status st;
    if (!rs_unhex(req->id, id, sizeof id)) {
        rs_response_error(res, 404, "not_found", "id", "a trace's id is 32 hex digits");
        return;
    }
    if (strcmp(req->method, "POST") == 0) {
        if (!read_content(req, &content, res)) return;
        st = make_share(server, req, id, content, res, &err);
    } else {
        rs_actor by = rs_guard_actor(req);
        st = is_get ? RS_OK : rs_control_unshare_trace(server->control, req->project, id, &by, &err);
        if (st == RS_OK) st = show_share(server, req, id, res, &err);
    }
    if (st != RS_OK) fail(res, st, &err);
}

/* ---- by anybody ---------------------------------------------------------------------------------------- */

/* Whose trace the link in the path is of, and that the request is about from here on. False: it is answered. */
static bool open_link(rs_server *server, rs_request *req, rs_share *share, rs_response *res) {
    rs_err err = {0};
    const char *token = req->path + sizeof PREFIX - 1;
    rs_status st = rs_control_find_share(server->control, (rs_str){token, strcspn(token, "/")}, share, &err);
    if (st != RS_OK) {
        fail(res, st, &err);
        return false;
    }
    req->project = share->project;
    return true;
}

static const char *no_index = "noindex, nofollow";

void rs_share_get_trace(rs_server *server, rs_request *req, rs_response *res) {
    rs_share share;
    if (open_link(server, req, &share, res))
        rs_api_send_trace(server, req, share.trace_id, !share.content, res);
    rs_response_header(res, "X-Robots-Tag", no_index);
}

void rs_share_get_span(rs_server *server, rs_request *req, rs_response *res) {
    rs_share share;
    if (open_link(server, req, &share, res))
        rs_api_send_span(server, req, share.trace_id, !share.content, res);
    rs_response_header(res, "X-Robots-Tag", no_index);
}

void rs_share_page(rs_server *server, rs_request *req, rs_response *res) {
    rs_static_open_page(server, req, res);
    rs_response_header(res, "X-Robots-Tag", no_index);
}
