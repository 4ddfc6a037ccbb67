#include "server/export.h"

#include "base/clock.h"
#include "base/log.h"
#include "normalize/normalize.h"
#include "query/walk.h"
#include "server/api_params.h"
#include "server/export_format.h"
#include "server/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    PIECE = 1 << 20,      /* a block is decompressed once for each piece that takes from it */
    ROWS_A_PIECE = 8192,  /* looked at, matching or not: others wait for the thread */
    HELD_BYTES = 4 << 20, /* counted for an export: its piece, a block */
};

typedef struct exporting {
    rs_list list;
    rs_walk walk;
    const rs_export_format *format;
    rs_export_writer writer;
    rs_buf *out;        /* the piece at hand */
    uint64_t threshold; /* of sample_of: below it a trace is in; UINT64_MAX: all are */
    uint64_t left;      /* rows that may still be sent */
    rs_status failed;
    bool began;
} exporting;

/* ---- samples ------------------------------------------------------------------------------------------- */

/* The same for a trace whoever asks, and whatever is asked: evenly spread, also over ids that are not random. */
static uint64_t sample_of(const uint8_t trace_id[16]) {
    uint64_t halves[2], x;
    memcpy(halves, trace_id, sizeof halves);
    x = halves[0] ^ (halves[1] * 0x9e3779b97f4a7c15ull);
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return x ^ x >> 31;
}

static bool is_in_sample(const exporting *e, const void *row) {
    bool of_spans = e->list.table == &rs_span_fields;
    const uint8_t *id = of_spans ? ((const rs_span *)row)->trace_id : ((const rs_trace_row *)row)->trace_id;
    return e->threshold == UINT64_MAX || sample_of(id) < e->threshold;
}

/* ---- rows ---------------------------------------------------------------------------------------------- */

static bool put_row(void *ctx, int64_t key, const void *row) {
    exporting *e = ctx;
    (void)key;
    if (!is_in_sample(e, row)) return true;
    e->left--;
    if (e->list.table == &rs_span_fields && e->list.content) {
        rs_span span = *(const rs_span *)row;
        rs_arena facts;
        rs_arena_init(&facts, 0);
        e->failed = rs_normalize_span(&span, &facts);
        if (e->failed == RS_OK) e->format->row(&e->writer, &span, e->out);
        rs_arena_deinit(&facts);
    } else {
        e->format->row(&e->writer, row, e->out);
    }
    if (e->failed == RS_OK) e->failed = rs_buf_status(e->out);
    return e->failed == RS_OK && e->left > 0 && e->out->n < PIECE;
}

static rs_stream_state next_piece(void *ctx, rs_buf *out) {
    exporting *e = ctx;
    rs_err err = {0};
    e->out = out;
    if (!e->began) e->format->begin(&e->writer, out);
    e->began = true;
    e->walk.left = ROWS_A_PIECE;
    rs_status st = rs_walk_run(&e->walk, put_row, e, &err);
    if (st == RS_OK && e->failed != RS_OK) st = rs_fail(&err, e->failed, 0, "%s", rs_status_text(e->failed));
    if (st == RS_OK && !e->walk.complete && e->left > 0) return RS_STREAM_MORE;
    if (st == RS_OK) e->format->end(&e->writer, out);
    if (st == RS_OK) return RS_STREAM_END;
    rs_log("an export could not be sent to its end: %s", err.message);
    return RS_STREAM_FAIL;
}

static void free_export(void *ctx) {
    exporting *e = ctx;
    rs_export_writer_deinit(&e->writer);
    free(e);
}

/* ---- the request --------------------------------------------------------------------------------------- */

static const char *file_name(rs_request *req, const exporting *e) {
    char name[128];
    time_t now = (time_t)(rs_clock_wall_ns() / 1000000000);
    struct tm at;
    gmtime_r(&now, &at);
    size_t n = (size_t)snprintf(name, sizeof name, "attachment; filename=\"%ss-", e->list.table->what);
    n += strftime(name + n, sizeof name - n, "%Y%m%dT%H%M%SZ", &at);
    snprintf(name + n, sizeof name - n, ".%s\"", e->format->name);
    return rs_arena_copy(&req->arena, rs_str_of(name)).p;
}

/* Which part is wanted: all of it, unless it is said. */
static bool read_part(exporting *e, rs_str sample, rs_str limit, rs_response *res) {
    double share = 1;
    unsigned long long rows = UINT64_MAX;
    if (sample.p && (!rs_str_to_double(sample, &share) || !(share > 0 && share <= 1))) {
        rs_response_error(res, 400, "invalid", "sample",
                          "'sample' is a share of all traces: above 0, and 1 at most");
        return false;
    }
    if (limit.p && (!rs_str_to_u64(limit, &rows) || rows == 0)) {
        rs_response_error(res, 400, "invalid", "limit", "'limit' is how many rows there may be: 1 or more");
        return false;
    }
    e->threshold = share < 1 ? (uint64_t)(share * 0x1p64) : UINT64_MAX;
    e->left = rows;
    return true;
}

static bool read_request(rs_request *req, const rs_field_table *table, exporting *e, rs_response *res) {
    rs_list_extra extras[] = {{"format", {0}}, {"sample", {0}}, {"limit", {0}}};
    if (!rs_api_read_question(req, table, extras, RS_ARRAY_LEN(extras), &e->list, res)) return false;
    e->list.extras = NULL;
    e->list.nextras = 0;
    e->format = rs_export_format_find(extras[0].value.p ? extras[0].value.p : "jsonl");
    if (!e->format) {
        rs_response_error(res, 400, "invalid", "format", "'format' is jsonl, csv or parquet");
        return false;
    }
    if (!read_part(e, extras[1].value, extras[2].value, res)) return false;
    const char *not_taken = e->list.sort         ? "sort_by"
                            : e->list.has_cursor ? "cursor"
                            : e->list.page > 1   ? "page"
                                                 : NULL;
    if (not_taken)
        rs_response_error(res, 400, "invalid", not_taken,
                          "an export is of everything, newest first: it takes no '%s'", not_taken);
    return !not_taken;
}

static void export_rows(rs_server *server, rs_request *req, rs_response *res, const rs_field_table *table) {
    rs_err err = {0};
    exporting *e = calloc(1, sizeof *e);
    if (!e) {
        rs_response_error(res, 503, "unavailable", NULL, "out of memory");
        return;
    }
    if (!read_request(req, table, e, res)) {
        free(e);
        return;
    }
    rs_status st = rs_walk_init(&e->walk, server->store, req->project, &e->list, &req->arena, &err);
    e->walk.content = e->list.content;
    e->walk.oldest_first = e->list.ascending;
    if (st == RS_OK &&
        (st = rs_export_writer_init(&e->writer, e->format, table, e->list.content, &req->arena)) != RS_OK)
        rs_fail(&err, st, 0, "out of memory");
    size_t held = HELD_BYTES + (e->writer.parquet ? 2 * RS_PARQUET_GROUP : 0);
    if (st == RS_OK && !rs_request_charge(req, held))
        st = rs_fail(&err, RS_ERR_FULL, 0, "too much is being answered at once: retry later");
    if (st == RS_OK) {
        res->content_type = e->format->content_type;
        rs_response_header(res, "Content-Disposition", file_name(req, e));
        res->stream = (rs_stream){next_piece, free_export, e};
        return;
    }
    rs_api_list_error(res, &e->list, &err);
    free_export(e);
}

void rs_export_traces(rs_server *server, rs_request *req, rs_response *res) {
    export_rows(server, req, res, &rs_trace_fields);
}

void rs_export_spans(rs_server *server, rs_request *req, rs_response *res) {
    export_rows(server, req, res, &rs_span_fields);
}
