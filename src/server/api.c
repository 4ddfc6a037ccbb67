#include "server/api.h"

#include "base/ids.h"
#include "normalize/normalize.h"
#include "otlp/encode_json.h"
#include "query/spans.h"
#include "server/api_json.h"
#include "server/api_params.h"
#include "server/running.h"
#include "server/server.h"
#include "server/trace_stream.h"

/* Ends every handler: an answer is whole, or it is an error. */
static void finish(rs_response *res, rs_status st, const rs_err *err) {
    if (st == RS_OK) st = rs_buf_status(&res->body);
    if (st == RS_OK) return;
    rs_err said = *err;
    if (said.code == RS_OK) rs_fail(&said, st, 0, "%s", rs_status_text(st));
    rs_response_from_err(res, &said);
}

static void put_count(rs_json *j, bool counted, uint64_t count, bool is_estimate) {
    if (counted) rs_json_put_int(j, "count", (int64_t)count);
    else rs_json_put_null(j, "count");
    rs_json_key(j, RS_STR("count_is_estimate"));
    rs_json_bool(j, is_estimate);
}

/* Of `q`: what was looked for as text and likely was meant otherwise. */
static void put_hint(rs_json *j, const rs_list *list) {
    if (list->filter.hint[0]) rs_json_put_str(j, "hint", rs_str_of(list->filter.hint));
}

/* ---- traces -------------------------------------------------------------------------------------------- */

void rs_api_list_traces(rs_server *server, rs_request *req, rs_response *res) {
    rs_list list;
    rs_trace_page page;
    rs_err err = {0};
    if (!rs_api_read_list(req, &rs_trace_fields, &list, res)) return;
    rs_status st =
        rs_running_list(server->store, server->open, req->project, &list, &req->arena, &page, &err);
    if (st != RS_OK) {
        if (err.code == RS_OK) rs_fail(&err, st, 0, "%s", rs_status_text(st));
        rs_api_list_error(res, &list, &err);
        return;
    }
    rs_json j = rs_json_on(&res->body);
    rs_json_object(&j);
    put_count(&j, page.counted, page.count, page.is_estimate);
    put_hint(&j, &list);
    rs_json_key(&j, RS_STR("results"));
    rs_json_array(&j);
    for (size_t i = 0; i < page.n; i++) {
        rs_json_object(&j);
        rs_api_write_trace(&j, &page.rows[i], list.content);
        rs_json_object_end(&j);
    }
    rs_json_array_end(&j);
    rs_api_put_neighbour(&j, "next", req, &list, page.has_next, &page.next);
    rs_api_put_neighbour(&j, "previous", req, &list, page.has_previous, &page.previous);
    rs_json_object_end(&j);
    finish(res, RS_OK, &err);
}

static bool read_shape(const rs_request *req, rs_trace_shape *out, rs_response *res) {
    const char *view = rs_request_query(req, "view"), *since = rs_request_query(req, "since");
    unsigned long long number;
    bool flat = false;
    *out = (rs_trace_shape){.content = true};
    if (!rs_api_read_flag(req, "content", &out->content, res) || !rs_api_read_flag(req, "flat", &flat, res))
        return false;
    if (flat) out->form = RS_TRACE_FLAT;
    bool is_columns = view && strcmp(view, "columns") == 0;
    if (view && !is_columns && strcmp(view, "tree") != 0) {
        rs_response_error(res, 400, "invalid", "view", "'view' is tree or columns");
        return false;
    }
    if (since && (!view || is_columns || !rs_str_to_u64(rs_str_of(since), &number))) {
        rs_response_error(res, 400, "invalid", "since",
                          "'since' is what an answer gives as next_since, for one with view=tree");
        return false;
    }
    if (view) out->form = RS_TRACE_LIGHT, out->content = false, out->since = since ? number : 0;
    if (is_columns) out->form = RS_TRACE_COLUMNS;
    return true;
}

void rs_api_send_trace(rs_server *server, rs_request *req, const uint8_t id[16], bool bare,
                       rs_response *res) {
    rs_trace_shape shape;
    rs_err err = {0};
    if (!read_shape(req, &shape, res)) return;
    if (bare) shape.content = false, shape.bare = true;
    rs_status st = rs_trace_stream(server, req, id, shape, res, &err);
    if (st == RS_ERR_NOT_FOUND) {
        char hex[33];
        rs_hex(id, 16, hex);
        rs_response_error(res, 404, "not_found", "id", "there is no trace %.32s", hex);
        return;
    }
    finish(res, st, &err);
}

void rs_api_get_trace(rs_server *server, rs_request *req, rs_response *res) {
    uint8_t id[16];
    if (rs_unhex(req->id, id, sizeof id)) rs_api_send_trace(server, req, id, false, res);
    else rs_response_error(res, 404, "not_found", "id", "a trace's id is 32 hex digits");
}

static bool take_any(void *ctx, const rs_trace_row *row) {
    (void)ctx, (void)row;
    return true;
}

rs_status rs_api_find_trace(rs_server *server, const rs_request *req, const uint8_t id[16], rs_err *err) {
    rs_status st = rs_store_get_trace(server->store, req->project, id, take_any, NULL, err);
    if (st != RS_ERR_NOT_FOUND) return st;
    return rs_fail(err, st, 0, "there is no trace %.*s", RS_STR_ARG(req->id));
}

/* ---- spans --------------------------------------------------------------------------------------------- */

/* A page of spans ends early once it is that long: a prompt may be as large as a request. */
enum { PAGE_BYTES = 32 << 20 };

typedef struct span_writer {
    rs_json json;
    bool content;
    rs_status status;
} span_writer;

static bool write_span(void *ctx, int64_t key, const rs_span *stored) {
    (void)key;
    span_writer *w = ctx;
    rs_span span = *stored;
    rs_arena arena; /* one span's facts, so that a page does not hold them all */
    rs_arena_init(&arena, 0);
    if (w->content) w->status = rs_normalize_stored(&span, &arena);
    if (w->status == RS_OK) {
        rs_json_object(&w->json);
        rs_api_write_span(&w->json, &span, w->content, NULL);
        rs_json_object_end(&w->json);
    }
    rs_arena_deinit(&arena);
    return w->status == RS_OK && w->json.out->n < PAGE_BYTES;
}

void rs_api_list_spans(rs_server *server, rs_request *req, rs_response *res) {
    rs_list list;
    rs_span_page page;
    rs_err err = {0};
    if (!rs_api_read_list(req, &rs_span_fields, &list, res)) return;
    span_writer w = {.json = rs_json_on(&res->body), .content = list.content};
    rs_json_object(&w.json);
    rs_json_key(&w.json, RS_STR("results"));
    rs_json_array(&w.json);
    rs_status st =
        rs_spans_list(server->store, req->project, &list, &req->arena, write_span, &w, &page, &err);
    if (st == RS_OK) st = w.status;
    if (st != RS_OK) {
        if (err.code == RS_OK) rs_fail(&err, st, 0, "%s", rs_status_text(st));
        rs_api_list_error(res, &list, &err);
        return;
    }
    rs_json_array_end(&w.json);
    put_count(&w.json, page.counted, page.count, page.is_estimate);
    put_hint(&w.json, &list);
    rs_api_put_neighbour(&w.json, "next", req, &list, page.has_next, &page.next);
    rs_api_put_neighbour(&w.json, "previous", req, &list, page.has_previous, &page.previous);
    rs_json_object_end(&w.json);
    finish(res, RS_OK, &err);
}

void rs_api_send_span(rs_server *server, rs_request *req, const uint8_t *trace_id, bool bare,
                      rs_response *res) {
    uint8_t id[8];
    rs_span span;
    rs_err err = {0};
    const char *format = rs_request_query(req, "format");
    if (format &&
        (bare || strcmp(format, "otlp") != 0)) { /* what was sent has all that a bare span leaves out */
        rs_response_error(res, 400, "invalid", "format",
                          bare ? "there is no 'format' without content" : "'format' is otlp, or not given");
        return;
    }
    if (!rs_unhex(req->id, id, sizeof id)) {
        rs_response_error(res, 404, "not_found", "id", "a span's id is 16 hex digits");
        return;
    }
    rs_status st = rs_store_read_span(server->store, req->project, trace_id, id, &req->arena, &span, &err);
    if (st == RS_ERR_NOT_FOUND)
        st = rs_open_table_read_span(server->open, req->project, trace_id, id, &req->arena, &span, &err);
    if (st == RS_ERR_NOT_FOUND) {
        rs_response_error(res, 404, "not_found", "id", "there is no span %.*s", RS_STR_ARG(req->id));
        return;
    }
    if (st == RS_OK && format) {
        rs_json j = rs_json_on(&res->body);
        rs_otlp_write_json(&j, &span);
        finish(res, RS_OK, &err);
        return;
    }
    if (st == RS_OK) st = rs_normalize_stored(&span, &req->arena);
    if (st == RS_OK) {
        rs_json j = rs_json_on(&res->body);
        if (bare) rs_api_bare_span(&span);
        rs_json_object(&j);
        rs_api_write_span(&j, &span, !bare, NULL);
        rs_json_object_end(&j);
    }
    finish(res, st, &err);
}

void rs_api_get_span(rs_server *server, rs_request *req, rs_response *res) {
    uint8_t trace_id[16];
    const char *trace = rs_request_query(req, "trace_id");
    if (!trace || rs_unhex(rs_str_of(trace), trace_id, sizeof trace_id))
        rs_api_send_span(server, req, trace ? trace_id : NULL, false, res);
    else rs_response_error(res, 404, "not_found", "trace_id", "a trace's id is 32 hex digits");
}
