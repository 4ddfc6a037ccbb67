#include "server/api_keep.h"

#include "base/buf.h"
#include "base/ids.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "server/api.h"
#include "server/auth.h"
#include "server/live.h"
#include "server/open_table.h"
#include "server/server.h"

static void fail(rs_response *res, rs_status st, rs_err *err) {
    if (err->code == RS_OK) (void)!rs_fail(err, st, 0, "%s", rs_status_text(st));
    rs_response_from_err(res, err);
}

/* ---- deleting ------------------------------------------------------------------------------------------ */

static void answer_deleted(rs_response *res, size_t deleted) {
    rs_json j = rs_json_on(&res->body);
    rs_json_object(&j);
    rs_json_put_int(&j, "deleted", (int64_t)deleted);
    rs_json_object_end(&j);
}

/* One by its id, several by how many there were and the ids that were asked for, as far as there is room. */
static rs_status log_deleted(rs_server *server, rs_request *req, const uint8_t (*ids)[16], size_t n,
                             size_t deleted, rs_err *err) {
    char hex[33];
    rs_buf target;
    rs_actor by = rs_guard_actor(req);
    rs_buf_init(&target);
    if (n > 1) rs_buf_printf(&target, "%zu traces: ", deleted);
    for (size_t i = 0; i < n && rs_buf_slice(&target).n < RS_AUDIT_TARGET; i++) {
        rs_hex(ids[i], sizeof ids[i], hex);
        rs_buf_printf(&target, "%s%s", i ? " " : "", hex);
    }
    rs_status st = rs_buf_status(&target);
    if (st == RS_OK)
        st = rs_control_note(server->control, &by, "trace.delete", rs_buf_slice(&target), req->project, err);
    rs_buf_deinit(&target);
    return st;
}

/* Their links and pins end with them. */
static rs_status delete_traces(rs_server *server, rs_request *req, const uint8_t (*ids)[16], size_t n,
                               size_t *deleted, rs_err *err) {
    rs_status st = rs_store_delete_traces(server->store, req->project, ids, n, deleted, err);
    size_t open = rs_open_table_forget(server->open, req->project, ids, n);
    if (open > *deleted) *deleted = open; /* of some nothing was stored yet */
    rs_live_note_trace(server->live, req->project, ids, n);
    if (st == RS_OK) st = rs_control_forget_traces(server->control, req->project, ids, n, err);
    if (st == RS_OK && *deleted > 0) st = log_deleted(server, req, ids, n, *deleted, err);
    return st;
}

void rs_api_delete_trace(rs_server *server, rs_request *req, rs_response *res) {
    uint8_t id[1][16];
    size_t deleted;
    rs_err err = {0};
    if (!rs_unhex(req->id, id[0], sizeof id[0])) {
        rs_response_error(res, 404, "not_found", "id", "a trace's id is 32 hex digits");
        return;
    }
    rs_status st = delete_traces(server, req, (const uint8_t(*)[16])id, 1, &deleted, &err);
    if (st != RS_OK) fail(res, st, &err);
    else if (deleted == 0)
        rs_response_error(res, 404, "not_found", "id", "there is no trace %.*s", RS_STR_ARG(req->id));
    else answer_deleted(res, deleted);
}

/* {"ids": ["32 hex digits", …]}. False: it is answered. */
static bool read_ids(rs_request *req, rs_response *res, uint8_t (*ids)[16], size_t *n) {
    rs_json_reader r;
    rs_json_read_init(&r, req->body, &req->arena);
    bool ok = rs_json_read(&r) == RS_JSON_OBJECT && rs_json_read(&r) == RS_JSON_KEY &&
              rs_str_eq(r.text, RS_STR("ids")) && rs_json_read(&r) == RS_JSON_ARRAY;
    rs_json_token token = RS_JSON_ERROR;
    *n = 0;
    while (ok && (token = rs_json_read(&r)) == RS_JSON_STRING) {
        if (*n == RS_DELETE_MOST) {
            rs_response_error(res, 400, "invalid", "ids", "at most %d ids at once", RS_DELETE_MOST);
            return false;
        }
        if (!rs_unhex(r.text, ids[*n], sizeof ids[*n])) {
            rs_response_error(res, 400, "invalid", "ids", "a trace's id is 32 hex digits, not '%.40s'",
                              r.text.n <= 40 ? rs_arena_copy(&req->arena, r.text).p : "something longer");
            return false;
        }
        ++*n;
    }
    if (ok && token == RS_JSON_ARRAY_END && rs_json_read(&r) == RS_JSON_OBJECT_END &&
        rs_json_read(&r) == RS_JSON_END)
        return true;
    rs_response_error(res, 400, "invalid", "ids", "the body is {\"ids\": [trace id, …]}");
    return false;
}

void rs_api_delete_traces(rs_server *server, rs_request *req, rs_response *res) {
    rs_err err = {0};
    size_t n, deleted;
    uint8_t(*ids)[16] = rs_arena_alloc(&req->arena, RS_DELETE_MOST * sizeof *ids);
    if (!ids) {
        fail(res, RS_ERR_MEMORY, &err);
        return;
    }
    if (!read_ids(req, res, ids, &n)) return;
    rs_status st = delete_traces(server, req, (const uint8_t(*)[16])ids, n, &deleted, &err);
    if (st != RS_OK) fail(res, st, &err);
    else answer_deleted(res, deleted);
}

/* ---- pinning ------------------------------------------------------------------------------------------- */

void rs_api_pin(rs_server *server, rs_request *req, rs_response *res) {
    uint8_t id[16];
    bool pinned = false;
    rs_err err = {0};
    rs_status st = RS_OK;
    bool is_post = strcmp(req->method, "POST") == 0, is_delete = strcmp(req->method, "DELETE") == 0;
    if (!rs_unhex(req->id, id, sizeof id)) {
        rs_response_error(res, 404, "not_found", "id", "a trace's id is 32 hex digits");
        return;
    }
    if (is_post) st = rs_api_find_trace(server, req, id, &err);
    rs_actor by = rs_guard_actor(req);
    if (st == RS_OK && is_post) st = rs_control_pin_trace(server->control, req->project, id, &by, &err);
    if (is_delete) st = rs_control_unpin_trace(server->control, req->project, id, &by, &err);
    if (st == RS_OK) st = rs_control_is_pinned(server->control, req->project, id, &pinned, &err);
    if (st != RS_OK) {
        fail(res, st, &err);
        return;
    }
    rs_json j = rs_json_on(&res->body);
    rs_json_object(&j);
    rs_json_put_bool(&j, "pinned", pinned);
    rs_json_object_end(&j);
}

/* ---- compacting ---------------------------------------------------------------------------------------- */

void rs_api_show_compacting(rs_server *server, rs_request *req, rs_response *res) {
    rs_compacting how;
    rs_json j = rs_json_on(&res->body);
    rs_store_get_compacting(server->store, req->project, &how);
    rs_json_object(&j);
    rs_json_put_bool(&j, "compacting", how.is_at_it);
    rs_json_put_bool(&j, "erased", how.is_rid);
    rs_json_put_str_or_null(&j, "error", rs_str_of(how.error));
    rs_json_object_end(&j);
}

/* It takes seconds or minutes: the keeper begins. */
void rs_api_compact(rs_server *server, rs_request *req, rs_response *res) {
    rs_err err = {0};
    rs_actor by = rs_guard_actor(req);
    rs_status st = rs_control_note(server->control, &by, "project.compact", (rs_str){0}, req->project, &err);
    if (st != RS_OK) {
        fail(res, st, &err);
        return;
    }
    rs_store_ask_compact(server->store, req->project);
    rs_api_show_compacting(server, req, res);
}
