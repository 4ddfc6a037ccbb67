/* Going through the spans of one trace: its blocks alone, a few at a time, so that no read snapshot lasts. */
#include "base/log.h"
#include "store/sqlite/trace_home.h"

#include <stdlib.h>

typedef struct trace_scan {
    const rs_span_scan *scan;
    const uint8_t *trace_id;
    rs_span_fn fn;
    void *ctx;
    rs_trace_home at;
    rs_arena arena; /* of the span at hand */
    bool stopped;
} trace_scan;

static rs_status offer_block(trace_scan *t, const rs_block_ref *ref, bool *gone, rs_err *err) {
    rs_view *v = &t->at.x->view;
    rs_stored_span s;
    bool more;
    rs_read_depth depth = rs_span_scan_depth(v, t->scan, ref);
    rs_status st = rs_index_superseded(t->at.x, ref, gone, err);
    if (st == RS_OK) st = rs_view_open(v, ref, depth, err);
    while (st == RS_OK && !t->stopped && (st = rs_view_next(v, &s, &more, err)) == RS_OK && more) {
        if (gone[s.number - ref->first] || memcmp(s.span.trace_id, t->trace_id, 16) != 0) continue;
        if (depth == RS_READ_FULL && rs_span_scan_needs(v, t->scan, &s.extent)) {
            rs_arena_reset(&t->arena);
            st = rs_view_borrow(v, &s, &t->arena, err);
        }
        if (st == RS_OK) t->stopped = !t->fn(t->ctx, (int64_t)s.number, &s.span);
    }
    return st;
}

static rs_status take_block(trace_scan *t, const rs_block_ref *ref, rs_err *err) {
    rs_err why = {0};
    bool *gone = calloc((size_t)ref->spans + 1, sizeof *gone);
    if (!gone) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    rs_status st = offer_block(t, ref, gone, &why);
    free(gone);
    if (st == RS_ERR_CORRUPT) rs_log("%s: left out of a trace", why.message), st = RS_OK;
    return st == RS_OK ? st : rs_fail(err, st, why.offset, "%s", why.message);
}

static rs_status scan_trace(trace_scan *t, rs_err *err) {
    rs_block_ref refs[RS_TRACE_BLOCKS_PAGE];
    uint64_t after = 0;
    size_t n, at = 0, rows = RS_TRACE_BLOCKS_PAGE;
    unsigned parts = t->scan->parts > 0 ? t->scan->parts : 1;
    rs_status st = RS_OK;
    while (st == RS_OK && !t->stopped && rows == RS_TRACE_BLOCKS_PAGE) {
        st = rs_trace_home_blocks(t->at.x, t->at.key, NULL, &after, refs, &n, &rows, err);
        for (size_t i = 0; i < n && st == RS_OK && !t->stopped; i++, at++)
            if (at % parts == t->scan->part) st = take_block(t, &refs[i], err);
    }
    return st;
}

rs_status rs_store_scan_trace(rs_store *s, uint64_t project, const uint8_t trace_id[16],
                              const rs_span_scan *scan, rs_span_fn fn, void *ctx, rs_err *err) {
    rs_project_data *p;
    trace_scan t = {.scan = scan, .trace_id = trace_id, .fn = fn, .ctx = ctx};
    rs_status st = rs_store_find_project(s, project, false, &p, err);
    if (st != RS_OK) return st;
    if (!p) return rs_fail(err, RS_ERR_NOT_FOUND, 0, "no such trace");
    const rs_partition_set *set = rs_project_data_hold(p);
    rs_arena_init(&t.arena, 0);
    st = rs_trace_home_find(set, trace_id, &t.at, err);
    if (st == RS_OK) {
        st = scan_trace(&t, err);
        rs_partition_return(t.at.p, t.at.x);
    }
    rs_arena_deinit(&t.arena);
    rs_project_data_let_go(p, set);
    return st;
}
