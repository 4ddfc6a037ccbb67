#include "server/api_params.h"

typedef struct reading {
    rs_list *list;
    rs_arena *arena;
    rs_status status;
    rs_err err;
} reading;

static void read_one(void *ctx, const char *name, const char *value) {
    reading *r = ctx;
    if (r->status != RS_OK || strcmp(name, "project") == 0) return; /* whose list: auth.h */
    r->status = rs_list_set(r->list, rs_str_of(name), rs_str_of(value ? value : ""), r->arena, &r->err);
}

void rs_api_list_error(rs_response *res, const rs_list *list, const rs_err *err) {
    bool in_text = strcmp(list->bad_field, "q") == 0;
    if (err->code == RS_ERR_INVALID && in_text)
        rs_response_error_at(res, list->bad_field, err->offset, err->message);
    else if (err->code == RS_ERR_INVALID && list->bad_field[0] && err->offset > 0)
        rs_response_error(res, 400, "invalid", list->bad_field, "%s (at byte %zu of the body)", err->message,
                          err->offset);
    else if (err->code == RS_ERR_INVALID && list->bad_field[0])
        rs_response_error(res, 400, "invalid", list->bad_field, "%s", err->message);
    else if (err->code == RS_ERR_INVALID || err->code == RS_ERR_TRUNCATED)
        rs_response_error(res, 400, "invalid", NULL, "%s (at byte %zu of the body)", err->message,
                          err->offset);
    else rs_response_from_err(res, err);
}

bool rs_api_read_list(rs_request *req, const rs_field_table *table, rs_list *out, rs_response *res) {
    return rs_api_read_question(req, table, NULL, 0, out, res);
}

bool rs_api_read_question(rs_request *req, const rs_field_table *table, rs_list_extra *extras, size_t nextras,
                          rs_list *out, rs_response *res) {
    rs_list_init(out, table);
    out->extras = extras;
    out->nextras = nextras;
    reading r = {.list = out, .arena = &req->arena};
    if (req->body.n > 0) r.status = rs_list_set_json(out, req->body, &req->arena, &r.err);
    rs_request_each_query(req, read_one, &r);
    if (r.status == RS_OK && out->has_cursor && out->cursor.order != rs_list_order(out)) {
        rs_response_error(res, 400, "invalid", "cursor",
                          "'cursor' is of another list, or of this one in another order: begin without it");
        return false;
    }
    if (r.status == RS_OK) return true;
    if (r.err.code == RS_OK) rs_fail(&r.err, r.status, 0, "%s", rs_status_text(r.status));
    rs_api_list_error(res, out, &r.err);
    return false;
}

bool rs_api_read_flag(const rs_request *req, const char *name, bool *out, rs_response *res) {
    const char *value = rs_request_query(req, name);
    if (!value) return true;
    *out = strcmp(value, "true") == 0;
    if (*out || strcmp(value, "false") == 0) return true;
    rs_response_error(res, 400, "invalid", name, "'%s' is true or false", name);
    return false;
}

/* ---- neighbours ---------------------------------------------------------------------------------------- */

static void put_parameter(void *ctx, const char *name, const char *value) {
    rs_buf *b = ctx;
    if (strcmp(name, "cursor") == 0 || strcmp(name, "page") == 0 || strcmp(name, "project") == 0) return;
    rs_buf_byte(b, '&');
    rs_buf_url(b, rs_str_of(name));
    rs_buf_byte(b, '=');
    rs_buf_url(b, rs_str_of(value));
}

void rs_api_put_neighbour(rs_json *j, const char *key, const rs_request *req, const rs_list *list, bool has,
                          const rs_cursor *cursor) {
    char text[RS_CURSOR_LEN + 1];
    rs_cursor placed = *cursor;
    placed.order = rs_list_order(list);
    rs_cursor_format(&placed, text);
    rs_api_put_neighbour_at(j, key, req, has ? text : NULL);
}

void rs_api_put_neighbour_at(rs_json *j, const char *key, const rs_request *req, const char *cursor) {
    if (!cursor) {
        rs_json_put_null(j, key);
        return;
    }
    rs_buf path;
    rs_buf_init(&path);
    rs_buf_printf(&path, "%s?cursor=%s", req->path, cursor);
    rs_request_each_query(req, put_parameter, &path);
    const char *project = rs_request_query(req, "project");
    if (project) { /* once, whoever adds it to this again */
        rs_buf_text(&path, "&project=");
        rs_buf_url(&path, rs_str_of(project));
    }
    if (rs_buf_status(&path) != RS_OK) j->out->failed = rs_buf_status(&path);
    else rs_json_put_str(j, key, rs_buf_slice(&path));
    rs_buf_deinit(&path);
}
