#include "server/api_session.h"

#include "base/json_write.h"
#include "server/auth.h"
#include "server/server.h"

static bool write_organization(void *ctx, const rs_organization *organization) {
    rs_json *j = ctx;
    rs_json_object(j);
    rs_json_put_int(j, "id", (int64_t)organization->id);
    rs_json_put_str(j, "name", rs_str_of(organization->name));
    rs_json_put_str_or_null(j, "role",
                            rs_str_of(organization->role ? rs_role_name(organization->role) : NULL));
    rs_json_object_end(j);
    return true;
}

static bool write_project(void *ctx, const rs_project *project) {
    rs_json *j = ctx;
    rs_json_object(j);
    rs_json_put_int(j, "id", (int64_t)project->id);
    rs_json_put_str(j, "name", rs_str_of(project->name));
    rs_json_put_int(j, "organization", (int64_t)project->organization);
    rs_json_put_str_or_null(j, "role", rs_str_of(project->role ? rs_role_name(project->role) : NULL));
    rs_json_object_end(j);
    return true;
}

/* What who asks sees: all that a user is in, or what a key is of. */
static rs_status write_places(rs_server *server, rs_request *req, const rs_project *project, rs_json *j,
                              rs_err *err) {
    rs_organization own;
    uint64_t user = req->who.user;
    rs_status st = RS_OK;
    rs_json_key(j, RS_STR("organizations"));
    rs_json_array(j);
    if (user) st = rs_control_list_organizations(server->control, user, write_organization, j, err);
    else st = rs_control_get_organization(server->control, req->organization, &own, err);
    if (st == RS_OK && !user) write_organization(j, &own);
    rs_json_array_end(j);
    rs_json_key(j, RS_STR("projects"));
    rs_json_array(j);
    if (!user) write_project(j, project);
    else if (st == RS_OK) st = rs_control_list_projects_of_user(server->control, user, write_project, j, err);
    rs_json_array_end(j);
    return st;
}

static void write_user(rs_json *j, const rs_user *user) {
    rs_json_object(j);
    rs_json_put_int(j, "id", (int64_t)user->id);
    rs_json_put_str(j, "email", rs_str_of(user->email));
    rs_json_put_str(j, "name", rs_str_of(user->name));
    rs_json_put_bool(j, "has_password", user->has_password);
    rs_json_object_end(j);
}

/* The user's part: null where a key asks. */
static rs_status write_who(rs_server *server, rs_request *req, const rs_project *project, rs_json *j,
                           rs_err *err) {
    rs_user user = {0};
    char token[RS_CSRF_TOKEN] = "";
    bool is_user = req->who.user != 0;
    rs_status st = is_user ? rs_control_get_user(server->control, req->who.user, &user, err) : RS_OK;
    if (st != RS_OK) return st;
    const char *role = is_user ? rs_role_name(req->who.role) : NULL;
    if (is_user) rs_guard_csrf_token(server->guard, rs_str_of(rs_request_cookie(req, RS_COOKIE)), token);
    rs_json_put_int(j, "project_id", (int64_t)req->project);
    rs_json_put_int(j, "organization_id", (int64_t)req->organization);
    st = write_places(server, req, project, j, err);
    rs_json_key(j, RS_STR("user"));
    if (is_user) write_user(j, &user);
    else rs_json_null(j);
    rs_json_put_str_or_null(j, "role", rs_str_of(role));
    rs_json_put_bool(j, "server_owner", req->who.is_server_owner);
    rs_json_put_str_or_null(j, "csrf_token", rs_str_of(token));
    return st;
}

void rs_api_get_session(rs_server *server, rs_request *req, rs_response *res) {
    rs_project project;
    rs_store_stats stats;
    rs_err err = {0};
    rs_status st = rs_control_get_project(server->control, req->project, &project, &err);
    if (st == RS_OK) st = rs_store_get_stats(server->store, req->project, &stats, &err);
    if (st == RS_OK) {
        rs_json j = rs_json_on(&res->body);
        rs_json_object(&j);
        rs_json_put_str(&j, "project", rs_str_of(project.name));
        rs_json_put_int(&j, "spans", (int64_t)stats.spans);
        rs_json_put_int(&j, "traces", (int64_t)stats.traces);
        rs_json_put_int(&j, "bytes", (int64_t)stats.bytes);
        rs_json_put_str(&j, "version", RS_STR(RS_VERSION));
        st = write_who(server, req, &project, &j, &err);
        rs_json_object_end(&j);
    }
    if (st != RS_OK) rs_response_from_err(res, &err);
}
