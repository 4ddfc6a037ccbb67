#include "server/api_projects.h"
#include "server/open_table.h"

#include "base/json_write.h"
#include "server/api_body.h"
#include "server/auth.h"
#include "server/server.h"

#define NS_PER_DAY (24 * 3600 * 1000000000ull)

static void put_amount(rs_json *j, const char *name, uint64_t amount) {
    if (amount) rs_json_put_int(j, name, (int64_t)amount);
    else rs_json_put_null(j, name);
}

/* An age that was set in hours (`respan projects set`) is so many days and a part. */
static void put_days(rs_json *j, const char *name, uint64_t ns) {
    if (ns % NS_PER_DAY) rs_json_put_double(j, name, (double)ns / (double)NS_PER_DAY);
    else put_amount(j, name, ns / NS_PER_DAY);
}

typedef struct project_writer {
    rs_server *server;
    rs_json *json;
    rs_status status;
    rs_err *err;
} project_writer;

static rs_status write_project(rs_server *server, rs_json *j, const rs_project *project, rs_err *err) {
    rs_store_stats stats;
    rs_status st = rs_store_get_stats(server->store, project->id, &stats, err);
    if (st != RS_OK) return st;
    rs_json_object(j);
    rs_json_put_int(j, "id", (int64_t)project->id);
    rs_json_put_str(j, "name", rs_str_of(project->name));
    rs_json_put_int(j, "organization", (int64_t)project->organization);
    put_days(j, "retention_days", project->keep.age_ns);
    put_amount(j, "retention_bytes", project->keep.bytes);
    rs_json_put_int(j, "spans", (int64_t)stats.spans);
    rs_json_put_int(j, "traces", (int64_t)stats.traces);
    rs_json_put_int(j, "bytes", (int64_t)stats.bytes);
    rs_json_object_end(j);
    return RS_OK;
}

static bool write_row(void *ctx, const rs_project *project) {
    project_writer *w = ctx;
    w->status = write_project(w->server, w->json, project, w->err);
    return w->status == RS_OK;
}

void rs_api_list_projects(rs_server *server, rs_request *req, rs_response *res) {
    rs_err err = {0};
    rs_json j = rs_api_begin_results(res);
    project_writer w = {.server = server, .json = &j, .err = &err};
    rs_status st = rs_control_list_projects(server->control, req->organization, write_row, &w, &err);
    if (st == RS_OK) st = w.status;
    rs_api_end_results(res, &j, st, &err);
}

static void answer(rs_server *server, rs_response *res, uint64_t id, rs_status st, const char *field,
                   rs_err *err) {
    rs_project project;
    rs_json j = rs_json_on(&res->body);
    if (st == RS_OK) st = rs_control_get_project(server->control, id, &project, err);
    if (st == RS_OK) st = write_project(server, &j, &project, err);
    if (st != RS_OK) rs_api_refuse(res, field, err);
}

void rs_api_create_project(rs_server *server, rs_request *req, rs_response *res) {
    const char *name = NULL;
    rs_project project = {0};
    rs_err err = {0};
    const rs_member members[] = {{.name = "name", .text = &name, .required = true}};
    if (!rs_api_read_body(req, res, members, 1)) return;
    rs_actor by = rs_guard_actor(req);
    rs_status st = rs_control_create_project(server->control, req->organization, name, &by, &project, &err);
    answer(server, res, project.id, st, "name", &err);
}

/* How much is to be kept, of what the body says. False: it is answered. */
static bool read_retention(rs_str days, rs_str bytes, rs_retention *keep, rs_response *res) {
    uint64_t amount;
    if (days.n) {
        if (!rs_api_read_amount(days, "retention_days", &amount, res)) return false;
        if (__builtin_mul_overflow(amount, NS_PER_DAY, &keep->age_ns) || keep->age_ns > INT64_MAX) {
            rs_response_error(res, 400, "invalid", "retention_days", "nothing is kept that long");
            return false;
        }
    }
    return !bytes.n || rs_api_read_amount(bytes, "retention_bytes", &keep->bytes, res);
}

void rs_api_change_project(rs_server *server, rs_request *req, rs_response *res) {
    uint64_t id;
    const char *name = NULL;
    rs_str days = {0}, bytes = {0};
    rs_project project;
    rs_err err = {0};
    const rs_member members[] = {{.name = "name", .text = &name},
                                 {.name = "retention_days", .raw = &days},
                                 {.name = "retention_bytes", .raw = &bytes}};
    if (!rs_api_read_id(req, &id, res) || !rs_api_read_body(req, res, members, RS_ARRAY_LEN(members))) return;
    if (rs_control_get_project(server->control, id, &project, &err) != RS_OK) {
        rs_api_refuse(res, "id", &err);
        return;
    }
    if (!read_retention(days, bytes, &project.keep, res)) return;
    rs_actor by = rs_guard_actor(req);
    rs_status st = name ? rs_control_rename_project(server->control, id, name, &by, &err) : RS_OK;
    const char *field = st == RS_OK ? "retention_bytes" : "name";
    if (st == RS_OK && (days.n || bytes.n))
        st = rs_control_set_retention(server->control, id, &project.keep, &by, &err);
    answer(server, res, id, st, field, &err);
}

rs_status rs_api_drop_project(rs_server *server, uint64_t id, rs_err *err) {
    rs_open_table_forget_project(server->open, id);
    return rs_store_drop_project(server->store, id, err);
}

/* First its keys: nothing more is taken in for it. Then all that there is. */
void rs_api_delete_project(rs_server *server, rs_request *req, rs_response *res) {
    uint64_t id;
    const char *name = NULL;
    rs_project project;
    rs_err err = {0};
    const rs_member members[] = {{.name = "name", .text = &name, .required = true}};
    if (!rs_api_read_id(req, &id, res) || !rs_api_read_body(req, res, members, 1)) return;
    rs_status st = rs_control_get_project(server->control, id, &project, &err);
    if (st == RS_OK && strcmp(project.name, name) != 0) {
        rs_response_error(res, 400, "invalid", "name", "this is not its name: nothing was deleted");
        return;
    }
    rs_actor by = rs_guard_actor(req);
    if (st == RS_OK) st = rs_control_delete_project(server->control, id, &by, &err);
    rs_guard_forget(server->guard);
    if (st == RS_OK) st = rs_api_drop_project(server, id, &err);
    if (st == RS_OK) rs_api_done(res);
    else rs_api_refuse(res, "id", &err);
}
