#include "server/api_users.h"

#include "base/json_read.h"
#include "base/json_write.h"
#include "server/auth.h"
#include "server/live.h"
#include "server/open_table.h"
#include "server/server.h"

#include <stdio.h>

/* Of one request, so that it does not take minutes; whoever asks then asks again. */
enum { BATCHES_MOST = 10 };

typedef struct found {
    rs_str customer;
    uint8_t (*ids)[16];
    bool *is_sure; /* else the index alone says so: its hashes may collide */
    size_t n;
    int64_t after;
} found;

static bool take(void *ctx, const rs_trace_row *row) {
    found *f = ctx;
    memcpy(f->ids[f->n], row->trace_id, 16);
    f->is_sure[f->n++] = rs_str_eq(row->customer, f->customer);
    f->after = row->key;
    return f->n < RS_DELETE_MOST;
}

/* Whether a span says so, where the trace's summary does not: of several the summary has one. */
static rs_status is_theirs(rs_server *server, uint64_t project, const uint8_t id[16], rs_str customer,
                           bool *out, rs_err *err) {
    rs_arena arena;
    rs_spans spans = {0};
    *out = false;
    rs_arena_init(&arena, 0);
    rs_status st = rs_store_read_trace(server->store, project, id, RS_READ_HEADS, &arena, &spans, err);
    if (st == RS_ERR_NOT_FOUND || st == RS_ERR_CORRUPT) st = RS_OK;
    for (size_t i = 0; i < spans.n && !*out; i++) *out = rs_str_eq(spans.items[i].facts.customer, customer);
    rs_arena_deinit(&arena);
    return st;
}

/* The next RS_DELETE_MOST traces with that tag are gone through; *more: there may be others. */
static rs_status delete_some(rs_server *server, uint64_t project, found *f, bool *more, uint64_t *deleted,
                             rs_err *err) {
    const rs_tag tag = {RS_STR("customer_identifier"), f->customer};
    rs_trace_scan scan = {.tags = &tag, .ntags = 1, .has_after = f->n > 0, .after = f->after};
    size_t kept = 0, gone;
    f->n = 0;
    rs_status st = rs_store_scan_traces(server->store, project, &scan, take, f, err);
    *more = f->n == RS_DELETE_MOST;
    for (size_t i = 0; i < f->n && st == RS_OK; i++) {
        bool theirs = f->is_sure[i];
        if (!theirs) st = is_theirs(server, project, f->ids[i], f->customer, &theirs, err);
        if (theirs) memmove(f->ids[kept++], f->ids[i], 16);
    }
    if (st == RS_OK)
        st = rs_store_delete_traces(server->store, project, (const uint8_t(*)[16])f->ids, kept, &gone, err);
    rs_open_table_forget(server->open, project, (const uint8_t(*)[16])f->ids, kept);
    rs_live_note_trace(server->live, project, (const uint8_t(*)[16])f->ids, kept);
    if (st != RS_OK) return st;
    *deleted += gone;
    return rs_control_forget_traces(server->control, project, (const uint8_t(*)[16])f->ids, kept, err);
}

/* Traces of theirs of which nothing is stored yet. */
static rs_status forget_open(rs_server *server, rs_request *req, rs_str customer, rs_err *err) {
    rs_open_trace *traces;
    size_t n;
    rs_status st = rs_open_table_list(server->open, req->project, &req->arena, &traces, &n, err);
    for (size_t i = 0; i < n && st == RS_OK; i++) {
        const uint8_t(*id)[16] = (const uint8_t(*)[16])traces[i].trace_id;
        bool theirs = false;
        rs_arena arena;
        rs_spans spans;
        rs_arena_init(&arena, 0);
        st = rs_open_table_read(server->open, req->project, *id, &arena, &spans, err);
        for (size_t k = 0; k < spans.n && !theirs; k++)
            theirs = rs_str_eq(spans.items[k].facts.customer, customer);
        rs_arena_deinit(&arena);
        if (!theirs) continue;
        rs_open_table_forget(server->open, req->project, id, 1);
        rs_live_note_trace(server->live, req->project, id, 1);
    }
    return st;
}

/* Not whose they were: he is to be forgotten. */
static rs_status log_deleted(rs_server *server, rs_request *req, uint64_t deleted, rs_err *err) {
    char target[64];
    rs_actor by = rs_guard_actor(req);
    snprintf(target, sizeof target, "%llu traces of one user", (unsigned long long)deleted);
    return rs_control_note(server->control, &by, "trace.delete", rs_str_of(target), req->project, err);
}

/* {"customer_identifier": "…"}. False: it is answered. */
static bool read_customer(rs_request *req, rs_str *out, rs_response *res) {
    rs_json_reader r;
    rs_json_read_init(&r, req->body, &req->arena);
    if (rs_json_find_key(&r, RS_STR("customer_identifier")) && rs_json_read(&r) == RS_JSON_STRING &&
        r.text.n > 0) {
        *out = r.text;
        return true;
    }
    rs_response_error(res, 400, "invalid", "customer_identifier",
                      "the body is {\"customer_identifier\": \"…\"}");
    return false;
}

void rs_api_delete_user(rs_server *server, rs_request *req, rs_response *res) {
    rs_err err = {0};
    found f = {0};
    uint64_t deleted = 0;
    bool more = true;
    if (!read_customer(req, &f.customer, res)) return;
    f.ids = rs_arena_alloc(&req->arena, RS_DELETE_MOST * sizeof *f.ids);
    f.is_sure = rs_arena_alloc(&req->arena, RS_DELETE_MOST * sizeof *f.is_sure);
    rs_status st = f.ids && f.is_sure ? RS_OK : rs_fail(&err, RS_ERR_MEMORY, 0, "out of memory");
    for (int i = 0; i < BATCHES_MOST && st == RS_OK && more; i++)
        st = delete_some(server, req->project, &f, &more, &deleted, &err);
    if (st == RS_OK) st = forget_open(server, req, f.customer, &err);
    if (st == RS_OK && deleted > 0) st = log_deleted(server, req, deleted, &err);
    if (st != RS_OK) {
        rs_response_from_err(res, &err);
        return;
    }
    rs_compacting how;
    if (!more) rs_store_ask_compact(server->store, req->project);
    rs_store_get_compacting(server->store, req->project, &how);
    rs_json j = rs_json_on(&res->body);
    rs_json_object(&j);
    rs_json_put_int(&j, "deleted", (int64_t)deleted);
    rs_json_put_bool(&j, "more", more);
    rs_json_put_bool(&j, "compacting", how.is_at_it);
    rs_json_object_end(&j);
}
