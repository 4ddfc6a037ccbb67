#include "server/api_audit.h"

#include "base/clock.h"
#include "base/json_write.h"
#include "base/log.h"
#include "server/api_body.h"
#include "server/csv.h"
#include "server/server.h"

#include <stdio.h>
#include <stdlib.h>

enum { PAGE = 100, EXPORTED_AT_ONCE = 500 };

/* Texts are the request's. */
static rs_audit_filter read_filter(const rs_request *req) {
    return (rs_audit_filter){.actor = rs_request_query(req, "actor"),
                             .action = rs_request_query(req, "action"),
                             .text = rs_request_query(req, "text"),
                             .organization = req->organization};
}

void rs_api_put_audit_row(rs_json *j, const rs_audit_row *row) {
    rs_json_object(j);
    rs_json_put_int(j, "id", (int64_t)row->id);
    rs_json_put_time(j, "time", row->time_ns);
    rs_json_put_str(j, "actor", row->actor);
    rs_json_put_str(j, "action", row->action);
    rs_json_put_str(j, "target", row->target);
    if (row->project) rs_json_put_int(j, "project", (int64_t)row->project);
    else rs_json_put_null(j, "project");
    if (row->organization) rs_json_put_int(j, "organization", (int64_t)row->organization);
    else rs_json_put_null(j, "organization");
    rs_json_put_str_or_null(j, "address", row->address);
    rs_json_object_end(j);
}

/* ---- pages --------------------------------------------------------------------------------------------- */

typedef struct page {
    rs_json json;
    size_t n;
    uint64_t last;
    bool more;
} page;

static bool write_row(void *ctx, const rs_audit_row *row) {
    page *p = ctx;
    if (p->n == PAGE) {
        p->more = true;
        return false;
    }
    rs_api_put_audit_row(&p->json, row);
    p->n++;
    p->last = row->id;
    return true;
}

/* The page behind this one asks the same, of the same organization. */
static void put_next(rs_buf *out, const rs_request *req, const rs_audit_filter *filter, uint64_t last) {
    const struct {
        const char *name, *text;
    } asked[] = {{"actor", filter->actor},
                 {"action", filter->action},
                 {"text", filter->text},
                 {"project", rs_request_query(req, "project")},
                 {"organization", rs_request_query(req, "organization")}};
    rs_buf_printf(out, "/api/audit/?cursor=%llu", (unsigned long long)last);
    for (size_t i = 0; i < RS_ARRAY_LEN(asked); i++) {
        if (!asked[i].text || !asked[i].text[0]) continue;
        rs_buf_printf(out, "&%s=", asked[i].name);
        rs_buf_url(out, rs_str_of(asked[i].text));
    }
}

static void list_page(rs_server *server, const rs_request *req, const rs_audit_filter *filter,
                      uint64_t before, rs_response *res) {
    rs_err err = {0};
    rs_buf next;
    page p = {.json = rs_api_begin_results(res)};
    rs_status st = rs_control_list_audit(server->control, filter, before, PAGE + 1, write_row, &p, &err);
    rs_json_array_end(&p.json);
    rs_buf_init(&next);
    if (p.more) put_next(&next, req, filter, p.last);
    rs_json_put_str_or_null(&p.json, "next", rs_buf_slice(&next));
    rs_json_object_end(&p.json);
    if (rs_buf_status(&next) != RS_OK) res->body.failed = rs_buf_status(&next);
    rs_buf_deinit(&next);
    if (st != RS_OK) rs_response_from_err(res, &err);
}

/* ---- files --------------------------------------------------------------------------------------------- */

typedef struct exporting {
    rs_control *control;
    rs_audit_filter filter;
    bool csv, began;
    uint64_t before;
    size_t n; /* of the piece at hand */
    rs_buf *out;
} exporting;

static void put_csv_row(rs_buf *out, const rs_audit_row *row) {
    char time[RS_RFC3339_LEN + 1];
    rs_clock_format(row->time_ns, time);
    rs_buf_printf(out, "%llu,%s,", (unsigned long long)row->id, time);
    rs_csv_put_text(out, row->actor);
    rs_buf_byte(out, ',');
    rs_csv_put_text(out, row->action);
    rs_buf_byte(out, ',');
    rs_csv_put_text(out, row->target);
    rs_buf_byte(out, ',');
    if (row->project) rs_buf_printf(out, "%llu", (unsigned long long)row->project);
    rs_buf_byte(out, ',');
    rs_csv_put_text(out, row->address);
    rs_buf_byte(out, ',');
    if (row->organization) rs_buf_printf(out, "%llu", (unsigned long long)row->organization);
    rs_buf_text(out, "\r\n");
}

static bool export_row(void *ctx, const rs_audit_row *row) {
    exporting *e = ctx;
    rs_json j = rs_json_on(e->out);
    if (e->csv) put_csv_row(e->out, row);
    else rs_api_put_audit_row(&j, row), rs_buf_byte(e->out, '\n');
    e->before = row->id;
    e->n++;
    return rs_buf_status(e->out) == RS_OK;
}

static rs_stream_state next_piece(void *ctx, rs_buf *out) {
    exporting *e = ctx;
    rs_err err = {0};
    e->out = out;
    e->n = 0;
    if (e->csv && !e->began) rs_buf_text(out, "id,time,actor,action,target,project,address,organization\r\n");
    e->began = true;
    rs_status st =
        rs_control_list_audit(e->control, &e->filter, e->before, EXPORTED_AT_ONCE, export_row, e, &err);
    if (st != RS_OK) rs_log("the log could not be sent to its end: %s", err.message);
    if (st != RS_OK || rs_buf_status(out) != RS_OK) return RS_STREAM_FAIL;
    return e->n < EXPORTED_AT_ONCE ? RS_STREAM_END : RS_STREAM_MORE;
}

static void export_all(rs_server *server, const rs_audit_filter *filter, bool csv, rs_response *res) {
    exporting *e = malloc(sizeof *e);
    if (!e) {
        rs_response_error(res, 503, "unavailable", NULL, "out of memory");
        return;
    }
    *e = (exporting){.control = server->control, .filter = *filter, .csv = csv};
    res->content_type = csv ? "text/csv; charset=utf-8" : "application/x-ndjson";
    rs_response_header(res, "Content-Disposition",
                       csv ? "attachment; filename=\"audit.csv\"" : "attachment; filename=\"audit.jsonl\"");
    res->stream = (rs_stream){next_piece, free, e};
}

/* ---- the request --------------------------------------------------------------------------------------- */

void rs_api_list_audit(rs_server *server, rs_request *req, rs_response *res) {
    unsigned long long before = 0;
    const char *cursor = rs_request_query(req, "cursor"), *format = rs_request_query(req, "format");
    rs_audit_filter filter = read_filter(req);
    if (cursor && (!rs_str_to_u64(rs_str_of(cursor), &before) || before == 0)) {
        rs_response_error(res, 400, "invalid", "cursor", "'cursor' is what another page gives in next");
    } else if (!format) {
        list_page(server, req, &filter, before, res);
    } else if (cursor) {
        rs_response_error(res, 400, "invalid", "cursor", "a file has all that fits: it takes no 'cursor'");
    } else if (strcmp(format, "csv") == 0 || strcmp(format, "jsonl") == 0) {
        export_all(server, &filter, strcmp(format, "csv") == 0, res);
    } else {
        rs_response_error(res, 400, "invalid", "format", "'format' is csv or jsonl");
    }
}
