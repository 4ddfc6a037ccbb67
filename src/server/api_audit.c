#include "server/api_audit.h"

#include "base/json_write.h"
#include "server/api_body.h"
#include "server/server.h"

#include <stdio.h>

enum { PAGE = 100 };

typedef struct page {
    rs_json json;
    size_t n;
    uint64_t last;
    bool more;
} page;

static bool write_row(void *ctx, const rs_audit_row *row) {
    page *p = ctx;
    rs_json *j = &p->json;
    if (p->n == PAGE) {
        p->more = true;
        return false;
    }
    rs_json_object(j);
    rs_json_put_int(j, "id", (int64_t)row->id);
    rs_json_put_time(j, "time", row->time_ns);
    rs_json_put_str(j, "actor", row->actor);
    rs_json_put_str(j, "action", row->action);
    rs_json_put_str(j, "target", row->target);
    if (row->project) rs_json_put_int(j, "project", (int64_t)row->project);
    else rs_json_put_null(j, "project");
    rs_json_put_str_or_null(j, "address", row->address);
    rs_json_object_end(j);
    p->n++;
    p->last = row->id;
    return true;
}

void rs_api_list_audit(rs_server *server, rs_request *req, rs_response *res) {
    unsigned long long before = 0;
    const char *cursor = rs_request_query(req, "cursor");
    rs_err err = {0};
    if (cursor && (!rs_str_to_u64(rs_str_of(cursor), &before) || before == 0)) {
        rs_response_error(res, 400, "invalid", "cursor", "'cursor' is what another page gives in next");
        return;
    }
    page p = {.json = rs_api_begin_results(res)};
    rs_status st = rs_control_list_audit(server->control, before, PAGE + 1, write_row, &p, &err);
    rs_json_array_end(&p.json);
    char next[48];
    snprintf(next, sizeof next, "/api/audit/?cursor=%llu", (unsigned long long)p.last);
    rs_json_put_str_or_null(&p.json, "next", p.more ? rs_str_of(next) : (rs_str){0});
    rs_json_object_end(&p.json);
    if (st != RS_OK) rs_response_from_err(res, &err);
}
