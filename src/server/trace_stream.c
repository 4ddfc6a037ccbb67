#include "server/trace_stream.h"

#include "base/log.h"
#include "normalize/normalize.h"
#include "query/trace_tree.h"
#include "server/api_json.h"
#include "server/running.h"
#include "server/server.h"
#include "server/trace_columns.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    PIECE = 64 << 10,     /* handed to the socket at a time */
    FIRST_WINDOW = 64,    /* spans: so that something is sent early */
    LINE = 1024,          /* spans of a line, at most */
    SPAN_BYTES = 1 << 10, /* what a span takes beside what was sent of it, about */
    SMALL_WINDOW =
        1 << 20, /* bytes, while spans come about as they arrived: then it stays near the processor */
    KEPT_FACTS = 1 << 20, /* memory of one span's facts that the next one's are made in */
};

static const uint64_t FIRST_OPEN = (uint64_t)1
                                   << 63; /* numbers of open spans: their place in `running`, from there on */

typedef struct trace_stream {
    rs_store *store;
    uint64_t project;
    const uint8_t *trace_id;
    rs_trace_shape shape;
    uint64_t start_ns; /* of the trace */
    rs_json json;
    /* of all spans, in the request's arena */
    rs_span_place *places;
    size_t n;
    rs_spans running; /* in the request's arena, too */
    rs_trace_tree tree;
    uint32_t next; /* node to be written */
    uint32_t open; /* nodes whose brackets are open */
    /* the window: spans of the nodes that come next */
    rs_arena arena;
    rs_span *spans;  /* by arrival */
    uint32_t *order; /* of the tree: places in spans */
    size_t spans_at, spans_n, windows;
    bool by_arrival;      /* the last window was */
    rs_arena facts;       /* of the span that is written: a window does not hold all of them */
    rs_api_origin origin; /* of the last one */
    rs_trace_columns *columns;
} trace_stream;

/* ---- windows ------------------------------------------------------------------------------------------- */

typedef struct wanted {
    uint64_t number;
    size_t at; /* in the window */
} wanted;

static int by_number(const void *a, const void *b) {
    const wanted *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

/* How many nodes from the next on fit one. */
static size_t window_size(const trace_stream *s) {
    size_t n = 0, bytes = 0, limit = s->windows == 0 ? FIRST_WINDOW : SIZE_MAX;
    size_t most = s->by_arrival ? SMALL_WINDOW : RS_TRACE_WINDOW;
    for (uint32_t i = s->next; i != RS_TREE_NONE && n < limit; i = rs_trace_tree_next(&s->tree, i)) {
        bytes += s->shape.content ? s->places[i].bytes + SPAN_BYTES : SPAN_BYTES;
        if (n > 0 && bytes > most) break;
        n++;
    }
    return n;
}

/* Memory that is freed and taken anew is given to the kernel and back, which takes longer than what is done with it. */
static void reuse(rs_arena *arena, size_t most) {
    if (arena->held > most) rs_arena_deinit(arena);
    else rs_arena_reset(arena);
}

/* The blocks are read in their order, the spans handed out in that of the tree. */
static rs_status read_window(trace_stream *s, rs_err *err) {
    size_t n = window_size(s), at = 0;
    rs_api_origin_forget(&s->origin);
    reuse(&s->arena, 4 * (size_t)RS_TRACE_WINDOW);
    wanted *wanted_spans = rs_arena_alloc(&s->arena, n * sizeof *wanted_spans);
    uint64_t *numbers = rs_arena_alloc(&s->arena, n * sizeof *numbers);
    s->order = rs_arena_alloc(&s->arena, n * sizeof *s->order);
    s->spans = rs_arena_alloc(&s->arena, n * sizeof *s->spans);
    if (!wanted_spans || !numbers || !s->order || !s->spans)
        return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    s->by_arrival = true;
    for (uint32_t i = s->next; at < n; i = rs_trace_tree_next(&s->tree, i), at++) {
        wanted_spans[at] = (wanted){s->places[i].number, at};
        if (at > 0 && wanted_spans[at - 1].number > wanted_spans[at].number) s->by_arrival = false;
    }
    if (!s->by_arrival) qsort(wanted_spans, n, sizeof *wanted_spans, by_number);
    if (wanted_spans[n - 1].number - wanted_spans[0].number > 4 * n) s->by_arrival = false;
    size_t stored = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t number = numbers[i] = wanted_spans[i].number;
        s->order[wanted_spans[i].at] = (uint32_t)i;
        if (number < FIRST_OPEN) stored++;
        else s->spans[i] = s->running.items[number - FIRST_OPEN];
    }
    rs_status st = stored == 0 ? RS_OK
                               : rs_store_read_places(s->store, s->project, s->trace_id, numbers, stored,
                                                      s->shape.content ? RS_READ_FULL : RS_READ_HEADS,
                                                      &s->arena, s->spans, err);
    s->spans_at = 0;
    s->spans_n = st == RS_OK ? n : 0;
    s->windows++;
    return st;
}

/* ---- writing ------------------------------------------------------------------------------------------- */

/* Behind the last one that is in this answer; text, as numbers of 64 bits are in JSON. */
static void put_next_since(trace_stream *s) {
    char text[24];
    uint64_t next = s->shape.since;
    for (size_t i = 0; i < s->n; i++)
        if (s->places[i].number >= next && s->places[i].number < FIRST_OPEN) next = s->places[i].number + 1;
    int n = snprintf(text, sizeof text, "%llu", (unsigned long long)next);
    rs_json_put_str(&s->json, "next_since", (rs_str){text, (size_t)n});
}

static void end_line(trace_stream *s) {
    rs_buf_byte(s->json.out, '\n');
    s->json.comma = false;
}

static void begin(trace_stream *s, const rs_trace_row *row) {
    rs_json_object(&s->json);
    rs_api_write_trace(&s->json, row, s->shape.content);
    if (s->shape.form == RS_TRACE_LIGHT || s->columns) put_next_since(s);
    if (s->columns) {
        rs_json_put_int(&s->json, "spans", (int64_t)s->n);
        rs_json_object_end(&s->json);
        end_line(s);
        return;
    }
    rs_json_key(&s->json, s->shape.form == RS_TRACE_NESTED ? RS_STR("span_tree") : RS_STR("spans"));
    rs_json_array(&s->json);
}

static void close_nodes(trace_stream *s, uint32_t depth) {
    for (; s->open > depth; s->open--) {
        rs_json_array_end(&s->json);
        rs_json_object_end(&s->json);
    }
}

static rs_status write_node(trace_stream *s, rs_err *err) {
    rs_json *j = &s->json;
    uint32_t depth = s->tree.nodes[s->next].depth;
    if (s->spans_at == s->spans_n) {
        rs_status st = read_window(s, err);
        if (st != RS_OK) return st;
    }
    rs_span *span = &s->spans[s->order[s->spans_at++]];
    reuse(&s->facts, KEPT_FACTS);
    rs_status st = s->shape.content ? rs_normalize_stored(span, &s->facts) : RS_OK;
    if (st == RS_OK) {
        bool nested = s->shape.form == RS_TRACE_NESTED;
        if (s->shape.bare) rs_api_bare_span(span);
        if (nested) close_nodes(s, depth);
        rs_json_object(j);
        if (!nested && s->shape.since == 0) rs_json_put_int(j, "depth", depth);
        if (s->shape.form == RS_TRACE_LIGHT) rs_api_write_branch(j, span, s->start_ns);
        else rs_api_write_span(j, span, s->shape.content, &s->origin);
        if (!nested) {
            rs_json_object_end(j);
        } else {
            rs_json_key(j, RS_STR("children"));
            rs_json_array(j);
            s->open++;
        }
        s->next = rs_trace_tree_next(&s->tree, s->next);
    } else {
        rs_fail(err, st, 0, "%s", rs_status_text(st));
    }
    return st;
}

/* Of the window as many spans as make a line. */
static rs_status write_line(trace_stream *s, rs_err *err) {
    rs_span *spans[LINE];
    uint32_t depths[LINE];
    size_t n = 0;
    if (s->spans_at == s->spans_n) {
        rs_status st = read_window(s, err);
        if (st != RS_OK) return st;
    }
    for (; n < LINE && s->spans_at < s->spans_n; n++, s->next = rs_trace_tree_next(&s->tree, s->next)) {
        spans[n] = &s->spans[s->order[s->spans_at++]];
        depths[n] = s->tree.nodes[s->next].depth;
        if (s->shape.bare) rs_api_bare_span(spans[n]);
    }
    rs_trace_columns_write(s->columns, &s->json, spans, depths, n, s->start_ns);
    end_line(s);
    return RS_OK;
}

/* Up to `enough` bytes or the end. */
static rs_status write_nodes(trace_stream *s, size_t enough, rs_err *err) {
    rs_status st = RS_OK;
    while (st == RS_OK && s->next != RS_TREE_NONE && s->json.out->n < enough)
        st = s->columns ? write_line(s, err) : write_node(s, err);
    if (st != RS_OK || s->next != RS_TREE_NONE) return st;
    if (s->columns) return rs_buf_status(s->json.out);
    close_nodes(s, 0);
    rs_json_array_end(&s->json);
    rs_json_object_end(&s->json);
    return rs_buf_status(s->json.out);
}

/* ---- the stream ---------------------------------------------------------------------------------------- */

static rs_stream_state next_piece(void *ctx, rs_buf *out) {
    trace_stream *s = ctx;
    rs_err err = {0};
    s->json.out = out;
    if (write_nodes(s, PIECE, &err) != RS_OK) {
        rs_log("a trace could not be sent to its end: %s", err.message);
        return RS_STREAM_FAIL;
    }
    return s->next == RS_TREE_NONE ? RS_STREAM_END : RS_STREAM_MORE;
}

static void free_stream(void *ctx) {
    trace_stream *s = ctx;
    rs_arena_deinit(&s->arena);
    rs_arena_deinit(&s->facts);
    rs_api_origin_deinit(&s->origin);
    rs_trace_columns_free(s->columns);
    free(s);
}

static size_t bytes_of(const trace_stream *s) {
    size_t bytes = 0;
    for (size_t i = 0; i < s->n; i++) bytes += SPAN_BYTES + (s->shape.content ? s->places[i].bytes : 0);
    return bytes;
}

static int by_id(const void *a, const void *b) { return memcmp(a, b, 8); }

/* The open spans behind the others, but for those that ended meanwhile. */
static rs_status add_open(trace_stream *s, rs_arena *arena, rs_err *err) {
    size_t m = s->running.n;
    if (m == 0) return RS_OK;
    rs_span_place *all = rs_arena_zalloc(arena, s->n + m, sizeof *all);
    uint8_t(*ended)[8] = rs_arena_alloc(arena, (s->n + 1) * sizeof *ended);
    if (!all || !ended) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    for (size_t i = 0; i < s->n; i++) {
        all[i] = s->places[i];
        memcpy(ended[i], all[i].span_id, 8);
    }
    qsort(ended, s->n, sizeof *ended, by_id);
    size_t n = s->n;
    for (size_t i = 0; i < m; i++) {
        const rs_span *span = &s->running.items[i];
        if (bsearch(span->span_id, ended, s->n, sizeof *ended, by_id)) continue;
        rs_span_place *p = &all[n++];
        *p = (rs_span_place){.number = FIRST_OPEN + i,
                             .start_ns = span->start_ns,
                             .bytes = SPAN_BYTES,
                             .has_parent = span->has_parent};
        memcpy(p->span_id, span->span_id, 8);
        memcpy(p->parent_id, span->parent_id, 8);
    }
    s->places = all;
    s->n = n;
    return RS_OK;
}

/* What comes first lies in res->body: with a stream that is its first piece. */
static rs_status start(trace_stream *s, rs_request *req, const rs_trace_row *row, rs_response *res,
                       rs_err *err) {
    size_t bytes = bytes_of(s);
    s->json = rs_json_on(&res->body);
    begin(s, row);
    if (bytes <= RS_TRACE_WHOLE) return write_nodes(s, SIZE_MAX, err);
    if (!rs_request_charge(req, bytes < RS_TRACE_WINDOW ? bytes : RS_TRACE_WINDOW))
        return rs_fail(err, RS_ERR_FULL, 0, "too much is being answered at once: retry later");
    rs_status st = write_nodes(s, PIECE, err); /* what is wrong at the beginning can still be said */
    if (st == RS_OK && s->next != RS_TREE_NONE) res->stream = (rs_stream){next_piece, free_stream, s};
    return st;
}

rs_status rs_trace_stream(rs_server *server, rs_request *req, const uint8_t trace_id[16],
                          rs_trace_shape shape, rs_response *res, rs_err *err) {
    rs_trace_row row;
    trace_stream *s = calloc(1, sizeof *s);
    if (!s) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    *s = (trace_stream){.store = server->store, .project = req->project, .shape = shape};
    rs_str id = rs_arena_copy(&req->arena, (rs_str){(const char *)trace_id, 16});
    s->trace_id = (const uint8_t *)id.p;
    bool has_memory = id.p != NULL;
    if (shape.form == RS_TRACE_COLUMNS) {
        res->content_type = "application/x-ndjson";
        has_memory = has_memory && (s->columns = rs_trace_columns_new()) != NULL;
    }
    rs_status st = has_memory ? rs_running_get(server->store, server->open, req->project, trace_id,
                                               &req->arena, &row, &s->running, err)
                              : rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    if (st == RS_OK && row.span_count > 0)
        st = rs_store_find_places(server->store, req->project, trace_id, shape.since, &req->arena, &s->places,
                                  &s->n, err);
    if (st == RS_OK) st = add_open(s, &req->arena, err);
    if (st == RS_OK) s->start_ns = row.start_ns;
    if (st == RS_OK && shape.bare) rs_api_bare_trace(&row);
    if (st == RS_OK && (st = rs_trace_tree_build(s->places, s->n, &req->arena, &s->tree)) != RS_OK)
        rs_fail(err, st, 0, "%s", rs_status_text(st));
    s->next = st == RS_OK ? s->tree.first_root : RS_TREE_NONE;
    if (st == RS_OK) st = start(s, req, &row, res, err);
    if (!res->stream.next) free_stream(s);
    return st;
}
