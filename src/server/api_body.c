#include "server/api_body.h"

#include "base/json_read.h"

static bool refuse(rs_response *res, const char *field, const char *why) {
    rs_response_error(res, 400, "invalid", field, "%s", why);
    return false;
}

static bool read_text(rs_json_reader *r, rs_arena *arena, const rs_member *m, rs_response *res) {
    rs_json_token token = rs_json_read(r);
    if (token == RS_JSON_NULL) return true;
    if (token != RS_JSON_STRING) return refuse(res, m->name, "this is to be a string");
    if (memchr(r->text.p ? r->text.p : "", 0, r->text.n)) return refuse(res, m->name, "this has a NUL");
    *m->text = rs_arena_copy(arena, r->text).p;
    if (*m->text) return true;
    rs_response_error(res, 503, "unavailable", NULL, "out of memory: retry later");
    return false;
}

static bool read_raw(rs_json_reader *r, const rs_member *m, rs_response *res) {
    return rs_json_read_skip(r, m->raw) || refuse(res, m->name, "this is no JSON");
}

static const rs_member *find(const rs_member *members, size_t n, rs_str name) {
    for (size_t i = 0; i < n; i++)
        if (rs_str_eq(name, rs_str_of(members[i].name))) return &members[i];
    return NULL;
}

static bool read_members(rs_json_reader *r, rs_request *req, rs_response *res, const rs_member *members,
                         size_t n) {
    rs_json_token token = rs_json_read(r);
    if (token != RS_JSON_OBJECT) return refuse(res, NULL, "the body is to be a JSON object");
    while ((token = rs_json_read(r)) == RS_JSON_KEY) {
        const rs_member *m = find(members, n, r->text);
        if (!m) {
            rs_str name = rs_arena_copy(&req->arena, rs_str_cut_utf8(r->text, 64));
            return refuse(res, name.p, "there is no such member here");
        }
        if (!(m->text ? read_text(r, &req->arena, m, res) : read_raw(r, m, res))) return false;
    }
    if (token != RS_JSON_OBJECT_END || rs_json_read(r) != RS_JSON_END)
        return refuse(res, NULL, "the body is to be one JSON object");
    return true;
}

bool rs_api_read_body(rs_request *req, rs_response *res, const rs_member *members, size_t n) {
    rs_json_reader r;
    rs_json_read_init(&r, req->body, &req->arena);
    if (req->body.n > 0 && !read_members(&r, req, res, members, n)) return false;
    for (size_t i = 0; i < n; i++)
        if (members[i].required && (members[i].text ? !*members[i].text : members[i].raw->n == 0))
            return refuse(res, members[i].name, "this is needed");
    return true;
}

bool rs_api_read_amount(rs_str raw, const char *name, uint64_t *out, rs_response *res) {
    unsigned long long number = 0;
    if (!rs_str_eq(raw, RS_STR("null")) && !rs_str_to_u64(raw, &number))
        return refuse(res, name, "this is a whole number from 0, or null");
    *out = number;
    return true;
}

bool rs_api_read_id(const rs_request *req, uint64_t *out, rs_response *res) {
    unsigned long long number;
    if (!rs_str_to_u64(req->id, &number)) {
        rs_response_error(res, 404, "not_found", "id", "an id is a number");
        return false;
    }
    *out = number;
    return true;
}

void rs_api_refuse(rs_response *res, const char *field, const rs_err *err) {
    if (err->code == RS_ERR_DENIED) rs_response_error(res, 403, "forbidden", field, "%s", err->message);
    else if (err->code == RS_ERR_INVALID || err->code == RS_ERR_TOO_LARGE)
        rs_response_error(res, 400, "invalid", field, "%s", err->message);
    else rs_response_from_err(res, err);
}

void rs_api_done(rs_response *res) {
    rs_json j = rs_json_on(&res->body);
    rs_json_object(&j);
    rs_json_put_bool(&j, "ok", true);
    rs_json_object_end(&j);
}

rs_json rs_api_begin_results(rs_response *res) {
    rs_json j = rs_json_on(&res->body);
    rs_json_object(&j);
    rs_json_key(&j, RS_STR("results"));
    rs_json_array(&j);
    return j;
}

void rs_api_end_results(rs_response *res, rs_json *j, rs_status st, const rs_err *err) {
    rs_json_array_end(j);
    rs_json_object_end(j);
    if (st != RS_OK) rs_response_from_err(res, err);
}
