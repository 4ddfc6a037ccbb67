#include "server/api_organizations.h"

#include "base/buf.h"
#include "base/json_write.h"
#include "server/api_body.h"
#include "server/api_projects.h"
#include "server/auth.h"
#include "server/server.h"

static bool write_row(void *ctx, const rs_organization *o) {
    rs_json *j = ctx;
    rs_json_object(j);
    rs_json_put_int(j, "id", (int64_t)o->id);
    rs_json_put_str(j, "name", rs_str_of(o->name));
    rs_json_put_str(j, "role", rs_str_of(rs_role_name(o->role)));
    rs_json_put_time(j, "created_at", o->created_ns);
    rs_json_object_end(j);
    return true;
}

/* Those that he is in. */
void rs_api_list_organizations(rs_server *server, rs_request *req, rs_response *res) {
    rs_err err = {0};
    rs_json j = rs_api_begin_results(res);
    rs_status st = rs_control_list_organizations(server->control, req->who.user, write_row, &j, &err);
    rs_api_end_results(res, &j, st, &err);
}

static void answer(rs_server *server, rs_request *req, rs_response *res, uint64_t id, rs_status st,
                   rs_err *err) {
    rs_organization organization;
    rs_json j = rs_json_on(&res->body);
    if (st == RS_OK) st = rs_control_see_organization(server->control, req->who.user, id, &organization, err);
    if (st == RS_OK) write_row(&j, &organization);
    else rs_api_refuse(res, st == RS_ERR_NOT_FOUND ? "id" : "name", err);
}

/* Its first owner is who makes it. */
void rs_api_create_organization(rs_server *server, rs_request *req, rs_response *res) {
    const char *name = NULL;
    rs_organization made = {0};
    rs_err err = {0};
    const rs_member members[] = {{.name = "name", .text = &name, .required = true}};
    if (!rs_api_read_body(req, res, members, 1)) return;
    rs_actor by = rs_guard_actor(req);
    rs_status st = rs_control_create_organization(server->control, name, req->who.user, &by, &made, &err);
    rs_guard_forget(server->guard);
    answer(server, req, res, made.id, st, &err);
}

void rs_api_rename_organization(rs_server *server, rs_request *req, rs_response *res) {
    const char *name = NULL;
    rs_err err = {0};
    const rs_member members[] = {{.name = "name", .text = &name, .required = true}};
    if (!rs_api_read_body(req, res, members, 1)) return;
    rs_actor by = rs_guard_actor(req);
    rs_status st = rs_control_rename_organization(server->control, req->organization, name, &by, &err);
    answer(server, req, res, req->organization, st, &err);
}

static bool take_id(void *ctx, const rs_project *project) {
    rs_buf_put(ctx, (const char *)&project->id, sizeof project->id);
    return true;
}

/* As each of its projects is deleted: first the keys, then all that there is. What another process, or one that dies, does not come to,
 * the keeper does. */
static rs_status delete_all(rs_server *server, const rs_actor *by, uint64_t id, rs_buf *projects,
                            rs_err *err) {
    rs_status st = rs_control_list_projects(server->control, id, take_id, projects, err);
    if (st == RS_OK && (st = rs_buf_status(projects)) != RS_OK)
        (void)!rs_fail(err, st, 0, "%s", rs_status_text(st));
    if (st == RS_OK) st = rs_control_delete_organization(server->control, id, by, err);
    rs_guard_forget(server->guard);
    for (size_t at = 0; at < projects->n && st == RS_OK; at += sizeof(uint64_t)) {
        uint64_t project;
        memcpy(&project, projects->p + at, sizeof project);
        st = rs_api_drop_project(server, project, err);
    }
    return st;
}

void rs_api_delete_organization(rs_server *server, rs_request *req, rs_response *res) {
    const char *name = NULL;
    rs_organization organization;
    rs_buf projects;
    rs_err err = {0};
    const rs_member members[] = {{.name = "name", .text = &name, .required = true}};
    if (!rs_api_read_body(req, res, members, 1)) return;
    rs_status st = rs_control_get_organization(server->control, req->organization, &organization, &err);
    if (st == RS_OK && strcmp(organization.name, name) != 0) {
        rs_response_error(res, 400, "invalid", "name", "this is not its name: nothing was deleted");
        return;
    }
    rs_actor by = rs_guard_actor(req);
    rs_buf_init(&projects);
    if (st == RS_OK) st = delete_all(server, &by, organization.id, &projects, &err);
    rs_buf_deinit(&projects);
    if (st == RS_OK) rs_api_done(res);
    else rs_api_refuse(res, "id", &err);
}
