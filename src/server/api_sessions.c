#include "server/api_sessions.h"

#include "base/json_write.h"
#include "server/api_body.h"
#include "server/auth.h"
#include "server/server.h"

static bool write_session(void *ctx, const rs_session_row *row) {
    rs_json *j = ctx;
    rs_json_object(j);
    rs_json_put_int(j, "id", (int64_t)row->id);
    rs_json_put_bool(j, "current", row->is_asked);
    rs_json_put_time(j, "created_at", row->created_ns);
    rs_json_put_time(j, "last_used_at", row->used_ns);
    rs_json_put_time(j, "expires_at", row->expires_ns);
    rs_json_put_str_or_null(j, "address", rs_str_of(row->address));
    rs_json_put_str_or_null(j, "agent", rs_str_of(row->agent));
    rs_json_object_end(j);
    return true;
}

static rs_str own_session(const rs_request *req) { return rs_str_of(rs_request_cookie(req, RS_COOKIE)); }

void rs_api_list_sessions(rs_server *server, rs_request *req, rs_response *res) {
    rs_err err = {0};
    rs_json j = rs_json_on(&res->body);
    rs_json_object(&j);
    rs_json_key(&j, RS_STR("results"));
    rs_json_array(&j);
    rs_status st =
        rs_control_list_sessions(server->control, req->who.user, own_session(req), write_session, &j, &err);
    rs_json_array_end(&j);
    rs_json_object_end(&j);
    if (st != RS_OK) rs_response_from_err(res, &err);
}

/* It may be the one that asks. */
void rs_api_end_session(rs_server *server, rs_request *req, rs_response *res) {
    uint64_t id;
    rs_err err = {0};
    if (!rs_api_read_id(req, &id, res)) return;
    rs_actor by = rs_guard_actor(req);
    if (rs_control_end_session_of(server->control, req->who.user, id, &by, &err) != RS_OK) {
        rs_api_refuse(res, "id", &err);
        return;
    }
    rs_guard_forget(server->guard);
    rs_api_done(res);
}

void rs_api_end_other_sessions(rs_server *server, rs_request *req, rs_response *res) {
    uint64_t ended;
    rs_err err = {0};
    rs_actor by = rs_guard_actor(req);
    if (rs_control_end_other_sessions(server->control, req->who.user, own_session(req), &by, &ended, &err) !=
        RS_OK) {
        rs_api_refuse(res, NULL, &err);
        return;
    }
    rs_guard_forget(server->guard);
    rs_json j = rs_json_on(&res->body);
    rs_json_object(&j);
    rs_json_put_int(&j, "ended", (int64_t)ended);
    rs_json_object_end(&j);
}
