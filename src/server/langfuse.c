#include "server/langfuse.h"

#include "base/ids.h"
#include "server/server.h"

#include <inttypes.h>
#include <stdio.h>

static void refuse(rs_response *res) {
    rs_response_from_err(res, &(rs_err){.code = RS_ERR_MEMORY, .message = "out of memory"});
}

/* An object with an id and a name, which the caller ends. */
static void put_owner(rs_json *j, rs_str id, rs_str name) {
    rs_json_object(j);
    rs_json_key(j, RS_STR("id"));
    rs_json_str(j, id);
    rs_json_key(j, RS_STR("name"));
    rs_json_str(j, name);
}

void rs_langfuse_projects(rs_server *server, rs_request *req, rs_response *res) {
    rs_project project;
    rs_organization organization;
    rs_err err = {0};
    if (rs_control_get_project(server->control, req->project, &project, &err) != RS_OK ||
        rs_control_get_organization(server->control, req->organization, &organization, &err) != RS_OK) {
        rs_response_from_err(res, &err);
        return;
    }
    char id[24];
    snprintf(id, sizeof id, "%" PRIu64, req->project);
    rs_json j = rs_json_on(&res->body);
    rs_json_object(&j);
    rs_json_key(&j, RS_STR("data"));
    rs_json_array(&j);
    put_owner(&j, rs_str_of(id), rs_str_of(project.name));
    rs_json_key(&j, RS_STR("organization"));
    snprintf(id, sizeof id, "%" PRIu64, organization.id);
    put_owner(&j, rs_str_of(id), rs_str_of(organization.name));
    rs_json_object_end(&j);
    rs_json_key(&j, RS_STR("metadata"));
    rs_json_object(&j);
    rs_json_object_end(&j);
    rs_json_object_end(&j);
    rs_json_array_end(&j);
    rs_json_object_end(&j);
    if (rs_buf_status(&res->body) != RS_OK) refuse(res);
}

void rs_langfuse_trace_page(rs_server *server, rs_request *req, rs_response *res) {
    (void)server;
    enum { SIZE = sizeof "/traces/" + 32 };
    uint8_t id[16];
    if (!rs_unhex(req->id, id, sizeof id)) {
        rs_response_error(res, 404, "not_found", "id", "a trace's id is 32 hex digits");
        return;
    }
    char *page = rs_arena_alloc(&req->arena, SIZE);
    if (!page) {
        refuse(res);
        return;
    }
    snprintf(page, SIZE, "/traces/%.*s", RS_STR_ARG(req->id));
    res->status = 303;
    res->content_type = NULL;
    rs_response_header(res, "Location", page);
}
