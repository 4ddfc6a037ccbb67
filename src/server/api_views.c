#include "server/api_views.h"

#include "base/clock.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "query/list.h"
#include "server/api_body.h"
#include "server/api_params.h"
#include "server/auth.h"
#include "server/server.h"

#include <ctype.h>

enum { COLUMNS_MAX = 64, COLUMN_ID_MAX = 256, WIDTH_MIN = 30, WIDTH_MAX = 2000 };

typedef struct view_writer {
    rs_json json;
    uint64_t user;
} view_writer;

static bool write_view(void *ctx, const rs_saved_view *view) {
    view_writer *w = ctx;
    rs_json *j = &w->json;
    rs_json_object(j);
    rs_json_put_int(j, "id", (int64_t)view->id);
    rs_json_put_str(j, "page", rs_str_of(rs_saved_view_page_names[view->page]));
    rs_json_put_str(j, "name", view->name);
    rs_json_put_str(j, "q", view->q);
    rs_json_put_str(j, "from", view->from);
    rs_json_put_str(j, "to", view->to);
    rs_json_put_str(j, "sort", view->sort);
    rs_json_put_str(j, "options", view->options);
    rs_json_key(j, RS_STR("columns"));
    rs_json_raw(j, view->columns.n ? view->columns : RS_STR("[]"));
    rs_json_put_bool(j, "shared", view->is_shared);
    rs_json_put_bool(j, "default", view->is_default);
    rs_json_put_bool(j, "mine", view->user && view->user == w->user);
    rs_json_put_str_or_null(j, "created_by", view->created_by);
    rs_json_put_time(j, "created_at", view->created_ns);
    rs_json_put_time(j, "changed_at", view->changed_ns);
    rs_json_object_end(j);
    return true;
}

void rs_api_list_views(rs_server *server, rs_request *req, rs_response *res) {
    rs_err err = {0};
    view_writer w = {rs_api_begin_results(res), req->who.user};
    rs_status st = rs_control_list_views(server->control, req->project, req->who.user, write_view, &w, &err);
    rs_api_end_results(res, &w.json, st, &err);
}

/* ---- what is sent -------------------------------------------------------------------------------------- */

typedef struct sent {
    rs_saved_view_wish wish;
    const char *page;
    rs_str columns, shared, is_default, position;
} sent;

static bool refuse(rs_response *res, const char *field, const char *why) {
    rs_response_error(res, 400, "invalid", field, "%s", why);
    return false;
}

/* It is kept as it will be asked: what cannot be asked is refused here, and says where. */
static bool check_filter(rs_request *req, const sent *s, bool of_dashboard, rs_response *res) {
    rs_err err = {0};
    rs_list list;
    rs_status st = RS_OK;
    if (s->wish.q && s->wish.q[0]) {
        rs_list_init(&list, of_dashboard ? &rs_span_fields : &rs_trace_fields);
        st = rs_list_set(&list, RS_STR("q"), rs_str_of(s->wish.q), &req->arena, &err);
        if (st == RS_ERR_INVALID && of_dashboard) { /* which may count traces, too */
            rs_err unused = {0};
            rs_list traces;
            rs_list_init(&traces, &rs_trace_fields);
            if (rs_list_set(&traces, RS_STR("q"), rs_str_of(s->wish.q), &req->arena, &unused) == RS_OK)
                st = RS_OK;
        }
        if (st != RS_OK) {
            rs_api_list_error(res, &list, &err);
            return false;
        }
    }
    if (!s->wish.sort || !s->wish.sort[0]) return true;
    if (of_dashboard) return refuse(res, "sort", "a dashboard has no order");
    rs_list_init(&list, &rs_trace_fields);
    st = rs_list_set(&list, RS_STR("sort_by"), rs_str_of(s->wish.sort), &req->arena, &err);
    return st == RS_OK || refuse(res, "sort", err.message);
}

/* "" is open; else a time, or one from now: -15m. */
static bool is_moment(const char *text) {
    uint64_t ns;
    if (!text || !text[0]) return true;
    if (text[0] != '-' || !isdigit((unsigned char)text[1])) return rs_clock_parse_bound(rs_str_of(text), &ns);
    text += 1 + strspn(text + 1, "0123456789.");
    return text[0] && strchr("smhdw", text[0]) && !text[1];
}

static bool read_width(rs_str raw, rs_json *j) {
    unsigned long long width;
    if (rs_str_eq(raw, RS_STR("null"))) return true;
    if (!rs_str_to_u64(raw, &width) || width < WIDTH_MIN || width > WIDTH_MAX) return false;
    rs_json_put_int(j, "width", (int64_t)width);
    return true;
}

/* {"id": …, "width": …}, whose width may be missing or null; written again without what it does not need. */
static bool read_column(rs_json_reader *r, rs_json *j) {
    rs_str width = RS_STR("null"), id = {0};
    rs_json_token token;
    while ((token = rs_json_read(r)) == RS_JSON_KEY) {
        bool is_id = rs_str_eq(r->text, RS_STR("id"));
        if (!is_id && !rs_str_eq(r->text, RS_STR("width"))) return false;
        if (!is_id && !rs_json_read_skip(r, &width)) return false;
        if (is_id && rs_json_read(r) != RS_JSON_STRING) return false;
        if (is_id) id = r->text;
    }
    if (token != RS_JSON_OBJECT_END || id.n == 0 || id.n > COLUMN_ID_MAX) return false;
    rs_json_object(j);
    rs_json_put_str(j, "id", id);
    bool ok = read_width(width, j);
    rs_json_object_end(j);
    return ok;
}

static bool read_columns(rs_request *req, rs_str raw, const char **out, rs_response *res) {
    rs_buf text;
    rs_json_reader r;
    rs_json_token token;
    size_t n = 0;
    bool ok = true;
    if (raw.n == 0 || rs_str_eq(raw, RS_STR("null"))) return true;
    rs_json_read_init(&r, raw, &req->arena);
    if (rs_json_read(&r) != RS_JSON_ARRAY)
        return refuse(res, "columns", "'columns' is an array of {\"id\", \"width\"}");
    rs_buf_init(&text);
    rs_json j = rs_json_on(&text);
    rs_json_array(&j);
    while (ok && (token = rs_json_read(&r)) != RS_JSON_ARRAY_END)
        ok = token == RS_JSON_OBJECT && ++n <= COLUMNS_MAX && read_column(&r, &j);
    rs_json_array_end(&j);
    if (ok && rs_buf_status(&text) == RS_OK) *out = rs_arena_copy(&req->arena, rs_buf_slice(&text)).p;
    rs_buf_deinit(&text);
    if (!ok)
        return refuse(res, "columns",
                      "'columns' is at most 64 of {\"id\": a text, \"width\": 30 to 2000 pixels or null}");
    if (*out) return true;
    rs_response_error(res, 503, "unavailable", NULL, "out of memory: retry later");
    return false;
}

static bool read_flag(rs_str raw, const char *name, int *out, rs_response *res) {
    if (raw.n == 0 || rs_str_eq(raw, RS_STR("null"))) return true;
    *out = rs_str_eq(raw, RS_STR("true"));
    return *out || rs_str_eq(raw, RS_STR("false")) || refuse(res, name, "this is true or false");
}

/* False: it is answered. */
static bool read_view(rs_request *req, bool is_new, sent *s, rs_response *res) {
    *s = (sent){.wish = {.is_shared = -1, .is_default = -1}};
    rs_saved_view_wish *w = &s->wish;
    const rs_member members[] = {{.name = "name", .text = &w->name, .required = is_new},
                                 {.name = "q", .text = &w->q},
                                 {.name = "from", .text = &w->from},
                                 {.name = "to", .text = &w->to},
                                 {.name = "sort", .text = &w->sort},
                                 {.name = "options", .text = &w->options},
                                 {.name = "columns", .raw = &s->columns},
                                 {.name = "shared", .raw = &s->shared},
                                 {.name = "default", .raw = &s->is_default},
                                 {.name = "position", .raw = &s->position},
                                 {.name = "page", .text = &s->page}};
    if (!rs_api_read_body(req, res, members, RS_ARRAY_LEN(members) - !is_new)) return false;
    if (!is_moment(w->from)) return refuse(res, "from", "'from' is a time, or one from now: -15m");
    if (!is_moment(w->to)) return refuse(res, "to", "'to' is a time, or one from now: -15m");
    return read_columns(req, s->columns, &w->columns, res) &&
           read_flag(s->shared, "shared", &w->is_shared, res) &&
           read_flag(s->is_default, "default", &w->is_default, res) &&
           (s->position.n == 0 || rs_api_read_amount(s->position, "position", &w->position, res));
}

static void answer(rs_server *server, rs_request *req, rs_response *res, uint64_t id) {
    rs_err err = {0};
    view_writer w = {rs_json_on(&res->body), req->who.user};
    rs_status st =
        rs_control_get_view(server->control, req->project, req->who.user, id, write_view, &w, &err);
    if (st != RS_OK) rs_api_refuse(res, "id", &err);
}

void rs_api_create_view(rs_server *server, rs_request *req, rs_response *res) {
    sent s;
    uint64_t id;
    rs_err err = {0};
    if (!read_view(req, true, &s, res)) return;
    bool of_dashboard = s.page && strcmp(s.page, rs_saved_view_page_names[RS_SAVED_VIEW_OF_DASHBOARD]) == 0;
    if (s.page && !of_dashboard && strcmp(s.page, rs_saved_view_page_names[RS_SAVED_VIEW_OF_TRACES]) != 0) {
        refuse(res, "page", "'page' is traces or dashboard");
        return;
    }
    if (!check_filter(req, &s, of_dashboard, res)) return;
    if (s.wish.is_shared < 0) s.wish.is_shared = req->who.user == 0;
    rs_actor by = rs_guard_actor(req);
    if (rs_control_create_view(server->control, req->project,
                               of_dashboard ? RS_SAVED_VIEW_OF_DASHBOARD : RS_SAVED_VIEW_OF_TRACES, &s.wish,
                               &by, &id, &err) != RS_OK)
        rs_api_refuse(res, "name", &err);
    else answer(server, req, res, id);
}

static bool take_page(void *ctx, const rs_saved_view *view) {
    *(rs_saved_view_page *)ctx = view->page;
    return false;
}

void rs_api_change_view(rs_server *server, rs_request *req, rs_response *res) {
    sent s;
    uint64_t id;
    rs_saved_view_page page = RS_SAVED_VIEW_OF_TRACES;
    rs_err err = {0};
    if (!rs_api_read_id(req, &id, res) || !read_view(req, false, &s, res)) return;
    rs_status st =
        rs_control_get_view(server->control, req->project, req->who.user, id, take_page, &page, &err);
    if (st == RS_OK && !check_filter(req, &s, page == RS_SAVED_VIEW_OF_DASHBOARD, res)) return;
    rs_actor by = rs_guard_actor(req);
    if (st == RS_OK) st = rs_control_change_view(server->control, req->project, id, &s.wish, &by, &err);
    if (st != RS_OK) rs_api_refuse(res, st == RS_ERR_NOT_FOUND ? "id" : "name", &err);
    else answer(server, req, res, id);
}

void rs_api_delete_view(rs_server *server, rs_request *req, rs_response *res) {
    uint64_t id;
    rs_err err = {0};
    if (!rs_api_read_id(req, &id, res)) return;
    rs_actor by = rs_guard_actor(req);
    if (rs_control_delete_view(server->control, req->project, id, &by, &err) == RS_OK) rs_api_done(res);
    else rs_api_refuse(res, "id", &err);
}
