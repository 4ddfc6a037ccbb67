#include "server/api_members.h"

#include "base/json_write.h"
#include "server/api_body.h"
#include "server/auth.h"
#include "server/server.h"

/* ---- members ------------------------------------------------------------------------------------------- */

static bool write_member(void *ctx, const rs_user *user) {
    rs_json *j = ctx;
    rs_json_object(j);
    rs_json_put_int(j, "id", (int64_t)user->id);
    rs_json_put_str(j, "email", rs_str_of(user->email));
    rs_json_put_str(j, "name", rs_str_of(user->name));
    rs_json_put_str(j, "role", rs_str_of(rs_role_name(user->role)));
    rs_json_put_bool(j, "has_password", user->has_password);
    rs_json_put_time(j, "created_at", user->created_ns);
    rs_json_put_time(j, "last_seen_at", user->seen_ns);
    rs_json_object_end(j);
    return true;
}

void rs_api_list_members(rs_server *server, rs_request *req, rs_response *res) {
    rs_err err = {0};
    rs_json j = rs_api_begin_results(res);
    rs_status st = rs_control_list_members(server->control, req->organization, write_member, &j, &err);
    rs_api_end_results(res, &j, st, &err);
}

/* False: it is answered. */
static bool read_role(const char *text, rs_role *out, rs_response *res) {
    *out = rs_role_of(rs_str_of(text));
    if (*out == RS_ROLE_NONE)
        rs_response_error(res, 400, "invalid", "role", "'role' is viewer, member or owner");
    return *out != RS_ROLE_NONE;
}

void rs_api_set_role(rs_server *server, rs_request *req, rs_response *res) {
    uint64_t id;
    rs_role role;
    rs_user user;
    const char *text = NULL;
    rs_err err = {0};
    const rs_member members[] = {{.name = "role", .text = &text, .required = true}};
    if (!rs_api_read_id(req, &id, res) || !rs_api_read_body(req, res, members, 1) ||
        !read_role(text, &role, res))
        return;
    rs_actor by = rs_guard_actor(req);
    rs_status st = rs_control_set_role(server->control, req->organization, id, role, &by, &err);
    if (st == RS_OK) st = rs_control_get_member(server->control, req->organization, id, &user, &err);
    if (st != RS_OK) {
        rs_api_refuse(res, "role", &err);
        return;
    }
    rs_guard_forget(server->guard);
    rs_json j = rs_json_on(&res->body);
    write_member(&j, &user);
}

void rs_api_remove_member(rs_server *server, rs_request *req, rs_response *res) {
    uint64_t id;
    rs_err err = {0};
    if (!rs_api_read_id(req, &id, res)) return;
    rs_actor by = rs_guard_actor(req);
    if (rs_control_remove_member(server->control, req->organization, id, &by, NULL, &err) != RS_OK) {
        rs_api_refuse(res, "id", &err);
        return;
    }
    rs_guard_forget(server->guard);
    rs_api_done(res);
}

/* ---- invites ------------------------------------------------------------------------------------------- */

/* `url`: only when it was just made. */
static void write_invite(rs_json *j, const rs_invite *invite, rs_str url) {
    rs_json_object(j);
    rs_json_put_int(j, "id", (int64_t)invite->id);
    rs_json_put_str(j, "role", rs_str_of(rs_role_name(invite->role)));
    rs_json_put_str_or_null(j, "email", rs_str_of(invite->email));
    rs_json_put_time(j, "created_at", invite->created_ns);
    rs_json_put_time(j, "expires_at", invite->expires_ns);
    if (url.n) rs_json_put_str(j, "url", url);
    rs_json_object_end(j);
}

static bool write_row(void *ctx, const rs_invite *invite) {
    write_invite(ctx, invite, (rs_str){0});
    return true;
}

void rs_api_list_invites(rs_server *server, rs_request *req, rs_response *res) {
    rs_err err = {0};
    rs_json j = rs_api_begin_results(res);
    rs_status st = rs_control_list_invites(server->control, req->organization, write_row, &j, &err);
    rs_api_end_results(res, &j, st, &err);
}

/* As whoever makes it reaches this server: others do so, too. The Host header was looked at (http.c). */
static void put_url(rs_buf *out, const rs_server *server, const rs_request *req, const char *token) {
    const char *host = rs_request_header(req, "Host");
    if (server->outside_url[0]) rs_buf_text(out, server->outside_url);
    else if (host) rs_buf_printf(out, "http://%s", host);
    else rs_buf_text(out, server->url);
    rs_buf_printf(out, "/invite/%s", token);
}

void rs_api_create_invite(rs_server *server, rs_request *req, rs_response *res) {
    const char *role_text = NULL, *email = NULL;
    char token[RS_SECRET_MAX];
    rs_role role;
    rs_invite invite;
    rs_err err = {0};
    const rs_member members[] = {{.name = "role", .text = &role_text, .required = true},
                                 {.name = "email", .text = &email}};
    if (!rs_api_read_body(req, res, members, RS_ARRAY_LEN(members)) || !read_role(role_text, &role, res))
        return;
    rs_actor by = rs_guard_actor(req);
    if (rs_control_create_invite(server->control, req->organization, role, email ? email : "", &by, token,
                                 &invite, &err) != RS_OK) {
        rs_api_refuse(res, "email", &err);
        return;
    }
    rs_buf url;
    rs_buf_init(&url);
    put_url(&url, server, req, token);
    rs_json j = rs_json_on(&res->body);
    write_invite(&j, &invite, rs_buf_slice(&url));
    if (rs_buf_status(&url) != RS_OK) res->body.failed = rs_buf_status(&url);
    rs_buf_deinit(&url);
}

void rs_api_delete_invite(rs_server *server, rs_request *req, rs_response *res) {
    uint64_t id;
    rs_err err = {0};
    if (!rs_api_read_id(req, &id, res)) return;
    rs_actor by = rs_guard_actor(req);
    if (rs_control_delete_invite(server->control, req->organization, id, &by, &err) == RS_OK)
        rs_api_done(res);
    else rs_api_refuse(res, "id", &err);
}
