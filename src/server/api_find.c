#include "server/api_find.h"

#include "base/ids.h"
#include "query/find.h"
#include "server/api_params.h"
#include "server/server.h"

enum { PAGE_SIZE, CURSOR, EXTRAS };

typedef struct question {
    uint8_t trace_id[16];
    rs_list list;
    rs_list_extra extras[EXTRAS];
    rs_find find;
} question;

static bool refuse(rs_response *res, const char *field, const char *why) {
    rs_response_error(res, 400, "invalid", field, "%s", why);
    return false;
}

static bool read_question(rs_request *req, question *q, rs_response *res) {
    *q = (question){.extras = {[PAGE_SIZE] = {.name = "page_size"}, [CURSOR] = {.name = "cursor"}}};
    if (!rs_unhex(req->id, q->trace_id, sizeof q->trace_id)) {
        rs_response_error(res, 404, "not_found", "id", "a trace's id is 32 hex digits");
        return false;
    }
    if (!rs_api_read_question(req, &rs_span_fields, q->extras, EXTRAS, &q->list, res)) return false;
    rs_str size = q->extras[PAGE_SIZE].value, cursor = q->extras[CURSOR].value;
    unsigned long long n = RS_FIND_PAGE_SIZE;
    if (size.p && (!rs_str_to_u64(size, &n) || n < 1 || n > RS_FIND_PAGE_SIZE_MAX)) {
        rs_response_error(res, 400, "invalid", "page_size", "'page_size' is a whole number from 1 to %d",
                          RS_FIND_PAGE_SIZE_MAX);
        return false;
    }
    q->find = (rs_find){
        .trace_id = q->trace_id, .list = &q->list, .page_size = (uint32_t)n, .has_cursor = cursor.p != NULL};
    if (cursor.p && !rs_find_cursor_parse(cursor, &q->find.cursor))
        return refuse(res, "cursor", "'cursor' is not one that 'next' or 'previous' gave");
    return true;
}

static void put_neighbour(rs_json *j, const char *key, const rs_request *req, bool has,
                          const rs_find_cursor *cursor) {
    char text[RS_FIND_CURSOR_LEN + 1];
    rs_find_cursor_format(cursor, text);
    rs_api_put_neighbour_at(j, key, req, has ? text : NULL);
}

void rs_api_find_in_trace(rs_server *server, rs_request *req, rs_response *res) {
    question q;
    rs_found found;
    rs_err err = {0};
    if (!read_question(req, &q, res)) return;
    rs_status st = rs_find_run(server->store, req->project, &q.find, &req->arena, &found, &err);
    if (st == RS_ERR_NOT_FOUND) {
        rs_response_error(res, 404, "not_found", "id", "there is no trace %.*s", RS_STR_ARG(req->id));
        return;
    }
    if (st != RS_OK) {
        rs_api_list_error(res, &q.list, &err);
        return;
    }
    rs_json j = rs_json_on(&res->body);
    rs_json_object(&j);
    rs_json_put_int(&j, "count", (int64_t)found.count);
    rs_json_key(&j, RS_STR("results"));
    rs_json_array(&j);
    for (size_t i = 0; i < found.n; i++) {
        char hex[17];
        rs_hex(found.span_ids[i], 8, hex);
        rs_json_object(&j);
        rs_json_put_str(&j, "span_unique_id", rs_str_of(hex));
        rs_json_object_end(&j);
    }
    rs_json_array_end(&j);
    put_neighbour(&j, "next", req, found.has_next, &found.next);
    put_neighbour(&j, "previous", req, found.has_previous, &found.previous);
    rs_json_object_end(&j);
    st = rs_buf_status(&res->body);
    if (st == RS_OK) return;
    rs_fail(&err, st, 0, "%s", rs_status_text(st));
    rs_response_from_err(res, &err);
}
