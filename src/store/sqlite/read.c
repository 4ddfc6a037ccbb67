/* Reading one trace or one span: index -> blocks -> spans in the caller's arena. */
#include "store/sqlite/summary.h"
#include "store/sqlite/trace_home.h"

#include <stdlib.h>

enum { IDS_PAGE = 4096 }; /* rows read in one statement: what bounds a read snapshot */

uint32_t rs_span_fingerprint(const uint8_t span_id[8]) {
    uint32_t a, b;
    memcpy(&a, span_id, 4);
    memcpy(&b, span_id + 4, 4);
    return le32toh(a ^ b);
}

static rs_status no_room(rs_err *err) {
    return rs_fail(err, RS_ERR_MEMORY, 0, "the spans do not fit the memory that the request may use");
}

/* ---- the blocks of a trace ----------------------------------------------------------------------------- */

static rs_status gather_block(rs_index *x, const rs_block_ref *ref, const uint8_t trace_id[16],
                              const uint8_t *span_id, rs_read_depth depth, rs_arena *arena,
                              rs_stored_spans *out, rs_err *err) {
    rs_stored_span s;
    bool more;
    rs_status st = rs_view_open(&x->view, ref, depth, err);
    while (st == RS_OK && (st = rs_view_next(&x->view, &s, &more, err)) == RS_OK && more) {
        if (memcmp(s.span.trace_id, trace_id, 16) != 0) continue;
        if (span_id && memcmp(s.span.span_id, span_id, 8) != 0) continue;
        void *items = out->items;
        if (!rs_arena_grow(arena, &items, out->n, &out->cap, sizeof s)) return no_room(err);
        out->items = items;
        if ((st = rs_view_keep(&x->view, &s, depth, arena, err)) == RS_OK) out->items[out->n++] = s;
    }
    return st;
}

rs_status rs_index_superseded(rs_index *x, const rs_block_ref *ref, bool *gone, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    rs_status st = rs_index_prepare(x, RS_SQL_SUPERSEDED, &stmt, err);
    if (st != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, (int64_t)ref->first);
    sqlite3_bind_int64(stmt, 2, (int64_t)(ref->first + ref->spans));
    while ((st = rs_db_step(stmt, &row, err)) == RS_OK && row)
        gone[(uint64_t)sqlite3_column_int64(stmt, 0) - ref->first] = true;
    return st;
}

rs_status rs_index_gather(rs_index *x, int64_t key, const uint8_t trace_id[16], const uint8_t *span_id,
                          rs_read_depth depth, rs_arena *arena, rs_stored_spans *out, rs_err *err) {
    rs_block_ref refs[RS_TRACE_BLOCKS_PAGE];
    rs_status corrupt = RS_OK;
    uint64_t after = 0;
    size_t n, rows = RS_TRACE_BLOCKS_PAGE;
    while (rows == RS_TRACE_BLOCKS_PAGE) {
        rs_status st = rs_trace_home_blocks(x, key, span_id, &after, refs, &n, &rows, err);
        if (st != RS_OK) return st;
        for (size_t i = 0; i < n; i++) {
            st = gather_block(x, &refs[i], trace_id, span_id, depth, arena, out, err);
            if (st == RS_ERR_CORRUPT) corrupt = st;
            else if (st != RS_OK) return st;
        }
    }
    return corrupt;
}

static int by_id_then_newest(const void *a, const void *b) {
    const rs_stored_span *x = a, *y = b;
    int order = memcmp(x->span.span_id, y->span.span_id, 8);
    return order ? order : (x->number < y->number) - (x->number > y->number);
}

void rs_stored_spans_dedupe(rs_stored_spans *s) {
    size_t kept = 0;
    if (s->n > 1) qsort(s->items, s->n, sizeof *s->items, by_id_then_newest);
    for (size_t i = 0; i < s->n; i++)
        if (kept == 0 || memcmp(s->items[i].span.span_id, s->items[kept - 1].span.span_id, 8) != 0)
            s->items[kept++] = s->items[i];
    s->n = kept;
}

/* ---- questions ----------------------------------------------------------------------------------------- */

static rs_status not_found(const char *what, rs_err *err) {
    return rs_fail(err, RS_ERR_NOT_FOUND, 0, "no such %s", what);
}

/* Room for that many at once; a trace whose spans were sent again needs more and takes it as it comes. */
static rs_status expect(rs_stored_spans *s, size_t n, rs_arena *arena, rs_err *err) {
    s->items = rs_arena_alloc(arena, n * sizeof *s->items);
    s->cap = n;
    return s->items ? RS_OK : no_room(err);
}

static int by_start(const void *a, const void *b) {
    const rs_stored_span *x = a, *y = b;
    if (x->span.start_ns != y->span.start_ns) return x->span.start_ns < y->span.start_ns ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

static rs_status hand_out(rs_stored_spans *found, rs_arena *arena, rs_spans *out, rs_err *err) {
    rs_stored_spans_dedupe(found);
    if (found->n > 1) qsort(found->items, found->n, sizeof *found->items, by_start);
    rs_span *spans = rs_arena_zalloc(arena, found->n, sizeof *spans);
    if (!spans) return no_room(err);
    for (size_t i = 0; i < found->n; i++) spans[i] = found->items[i].span;
    *out = (rs_spans){.items = spans, .n = found->n};
    return RS_OK;
}

static rs_status read_trace(const rs_partition_set *set, const uint8_t trace_id[16], rs_read_depth depth,
                            rs_arena *arena, rs_spans *out, rs_err *err) {
    rs_stored_spans found = {0};
    rs_trace_home at;
    rs_status st = rs_trace_home_find(set, trace_id, &at, err);
    if (st != RS_OK) return st;
    st = expect(&found, at.spans, arena, err);
    if (st == RS_OK) st = rs_index_gather(at.x, at.key, trace_id, NULL, depth, arena, &found, err);
    rs_partition_return(at.p, at.x);
    if (st != RS_OK && st != RS_ERR_CORRUPT) return st;
    rs_status handed = hand_out(&found, arena, out, err);
    return handed == RS_OK ? st : handed;
}

rs_status rs_store_read_trace(rs_store *s, uint64_t project, const uint8_t trace_id[16], rs_read_depth depth,
                              rs_arena *arena, rs_spans *out, rs_err *err) {
    rs_project_data *p;
    *out = (rs_spans){0};
    rs_status st = rs_store_find_project(s, project, false, &p, err);
    if (st != RS_OK) return st;
    if (!p) return not_found("trace", err);
    const rs_partition_set *set = rs_project_data_hold(p);
    st = read_trace(set, trace_id, depth, arena, out, err);
    rs_project_data_let_go(p, set);
    return st;
}

/* ---- by place ------------------------------------------------------------------------------------------ */

typedef struct places {
    rs_span_place *items;
    size_t n, cap;
} places;

static rs_status gather_places(rs_index *x, const rs_block_ref *ref, const uint8_t trace_id[16],
                               uint64_t since, rs_arena *arena, places *out, rs_err *err) {
    rs_stored_span s;
    bool more;
    rs_status st = rs_view_open(&x->view, ref, RS_READ_HEADS, err);
    while (st == RS_OK && (st = rs_view_next(&x->view, &s, &more, err)) == RS_OK && more) {
        if (s.number < since || memcmp(s.span.trace_id, trace_id, 16) != 0) continue;
        if (!rs_arena_grow(arena, (void **)&out->items, out->n, &out->cap, sizeof *out->items))
            return no_room(err);
        size_t bytes = s.extent.details + s.extent.content;
        rs_span_place *p = &out->items[out->n++];
        *p = (rs_span_place){.number = s.number,
                             .start_ns = s.span.start_ns,
                             .bytes = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX,
                             .has_parent = s.span.has_parent};
        memcpy(p->span_id, s.span.span_id, 8);
        memcpy(p->parent_id, s.span.parent_id, 8);
    }
    return st;
}

static int place_by_id_then_newest(const void *a, const void *b) {
    const rs_span_place *x = a, *y = b;
    int order = memcmp(x->span_id, y->span_id, 8);
    return order ? order : (x->number < y->number) - (x->number > y->number);
}

static int place_by_start(const void *a, const void *b) {
    const rs_span_place *x = a, *y = b;
    if (x->start_ns != y->start_ns) return x->start_ns < y->start_ns ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

/* As rs_stored_spans_dedupe, and in start order. */
static void put_in_order(places *p, bool has_copies) {
    size_t kept = 0;
    if (has_copies) {
        qsort(p->items, p->n, sizeof *p->items, place_by_id_then_newest);
        for (size_t i = 0; i < p->n; i++)
            if (kept == 0 || memcmp(p->items[i].span_id, p->items[kept - 1].span_id, 8) != 0)
                p->items[kept++] = p->items[i];
        p->n = kept;
    }
    if (p->n > 1) qsort(p->items, p->n, sizeof *p->items, place_by_start);
}

static rs_status find_places(const rs_partition_set *set, const uint8_t trace_id[16], uint64_t since,
                             rs_arena *arena, places *out, rs_err *err) {
    rs_block_ref refs[RS_TRACE_BLOCKS_PAGE];
    rs_status corrupt = RS_OK;
    uint64_t after = 0;
    size_t n, rows = RS_TRACE_BLOCKS_PAGE;
    rs_trace_home at;
    rs_status st = rs_trace_home_find(set, trace_id, &at, err);
    if (st != RS_OK) return st;
    while (st == RS_OK && rows == RS_TRACE_BLOCKS_PAGE) {
        st = rs_trace_home_blocks(at.x, at.key, NULL, &after, refs, &n, &rows, err);
        for (size_t i = 0; i < n && st == RS_OK; i++) {
            if (refs[i].first + refs[i].spans <= since) continue;
            st = gather_places(at.x, &refs[i], trace_id, since, arena, out, err);
            if (st == RS_ERR_CORRUPT) corrupt = st, st = RS_OK;
        }
    }
    rs_partition_return(at.p, at.x);
    put_in_order(out, out->n != at.spans);
    return st == RS_OK ? corrupt : st;
}

rs_status rs_store_find_places(rs_store *s, uint64_t project, const uint8_t trace_id[16], uint64_t since,
                               rs_arena *arena, rs_span_place **out, size_t *n, rs_err *err) {
    rs_project_data *p;
    places found = {0};
    *out = NULL;
    *n = 0;
    rs_status st = rs_store_find_project(s, project, false, &p, err);
    if (st != RS_OK) return st;
    if (!p) return not_found("trace", err);
    const rs_partition_set *set = rs_project_data_hold(p);
    st = find_places(set, trace_id, since, arena, &found, err);
    rs_project_data_let_go(p, set);
    *out = found.items;
    *n = found.n;
    return st;
}

static rs_status find_block(rs_index *x, uint64_t number, rs_block_ref *out, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    rs_status st = rs_index_prepare(x, RS_SQL_LAST_BLOCKS, &stmt, err);
    if (st != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, (int64_t)number + 1);
    sqlite3_bind_int64(stmt, 2, 0);
    sqlite3_bind_int64(stmt, 3, 1);
    st = rs_db_step(stmt, &row, err);
    if (row) *out = rs_index_block_ref(stmt);
    sqlite3_reset(stmt);
    return st == RS_OK && (!row || number >= out->first + out->spans) ? not_found("span", err) : st;
}

/* Those of the numbers that are in the block; *done: how many of them are read. */
static rs_status read_from_block(rs_index *x, const rs_block_ref *ref, const uint8_t trace_id[16],
                                 const uint64_t *numbers, size_t n, rs_read_depth depth, rs_arena *arena,
                                 rs_span *out, size_t *done, rs_err *err) {
    rs_stored_span s;
    bool more;
    rs_status st = rs_view_open(&x->view, ref, depth, err);
    while (st == RS_OK && *done < n && (st = rs_view_next(&x->view, &s, &more, err)) == RS_OK && more) {
        if (s.number != numbers[*done]) continue;
        if (memcmp(s.span.trace_id, trace_id, 16) != 0) return not_found("span", err);
        if ((st = rs_view_keep(&x->view, &s, depth, arena, err)) == RS_OK) out[(*done)++] = s.span;
    }
    return st;
}

rs_status rs_store_read_places(rs_store *s, uint64_t project, const uint8_t trace_id[16],
                               const uint64_t *numbers, size_t n, rs_read_depth depth, rs_arena *arena,
                               rs_span *out, rs_err *err) {
    rs_project_data *p;
    rs_block_ref ref;
    size_t done = 0;
    rs_trace_home at;
    rs_status st = rs_store_find_project(s, project, false, &p, err);
    if (st != RS_OK) return st;
    if (!p) return not_found("trace", err);
    const rs_partition_set *set = rs_project_data_hold(p);
    st = rs_trace_home_find(set, trace_id, &at, err);
    if (st == RS_OK) {
        while (st == RS_OK && done < n) {
            size_t before = done;
            st = find_block(at.x, numbers[done], &ref, err);
            if (st == RS_OK)
                st = read_from_block(at.x, &ref, trace_id, numbers, n, depth, arena, out, &done, err);
            if (st == RS_OK && done == before) st = not_found("span", err);
        }
        rs_partition_return(at.p, at.x);
    }
    rs_project_data_let_go(p, set);
    return st;
}

/* ---- one span ------------------------------------------------------------------------------------------ */

static rs_status may_say(rs_index *x, int64_t key, const rs_phrase *const *phrases, size_t n, bool *may,
                         rs_err *err) {
    rs_block_ref refs[RS_TRACE_BLOCKS_PAGE];
    uint64_t after = 0;
    size_t blocks, rows = RS_TRACE_BLOCKS_PAGE;
    while (rows == RS_TRACE_BLOCKS_PAGE) {
        rs_status st = rs_trace_home_blocks(x, key, NULL, &after, refs, &blocks, &rows, err);
        if (st != RS_OK) return st;
        for (size_t b = 0; b < blocks; b++)
            for (size_t i = 0; i < n; i++) may[i] = may[i] || rs_view_may_say(&x->view, &refs[b], phrases[i]);
    }
    return RS_OK;
}

rs_status rs_store_trace_may_say(rs_store *s, uint64_t project, const uint8_t trace_id[16],
                                 const rs_phrase *const *phrases, size_t n, bool *may, rs_err *err) {
    rs_project_data *p;
    rs_trace_home at;
    for (size_t i = 0; i < n; i++) may[i] = false;
    rs_status st = rs_store_find_project(s, project, false, &p, err);
    if (st != RS_OK) return st;
    if (!p) return not_found("trace", err);
    const rs_partition_set *set = rs_project_data_hold(p);
    st = rs_trace_home_find(set, trace_id, &at, err);
    if (st == RS_OK) {
        st = may_say(at.x, at.key, phrases, n, may, err);
        rs_partition_return(at.p, at.x);
    }
    rs_project_data_let_go(p, set);
    return st;
}

/* The trace that the row of this key is of. */
static rs_status find_trace_id(rs_index *x, int64_t key, uint8_t trace_id[16], rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    rs_status st = rs_index_prepare(x, RS_SQL_TRACE_BY_KEY, &stmt, err);
    if (st != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, key);
    st = rs_db_step(stmt, &row, err);
    rs_str id = row ? rs_db_column_str(stmt, RS_TRACE_ID) : (rs_str){0};
    if (id.n == 16) memcpy(trace_id, id.p, 16);
    sqlite3_reset(stmt);
    return st == RS_OK && id.n != 16 ? not_found("trace", err) : st;
}

/* Traces behind (key, block), newest first, one of whose spans has this fingerprint: the first, if any. */
static rs_status next_candidate(rs_index *x, uint32_t fingerprint, int64_t *key, int64_t *block, bool *found,
                                rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = true;
    *found = false;
    rs_status st = rs_index_prepare(x, RS_SQL_ALL_IDS, &stmt, err);
    for (size_t rows = IDS_PAGE; st == RS_OK && !*found && rows == IDS_PAGE;) {
        rows = 0;
        sqlite3_bind_int64(stmt, 1, *key);
        sqlite3_bind_int64(stmt, 2, *block);
        sqlite3_bind_int64(stmt, 3, IDS_PAGE);
        while (!*found && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
            *key = sqlite3_column_int64(stmt, 0);
            *block = sqlite3_column_int64(stmt, 1);
            *found = rs_ids_have(rs_db_column_str(stmt, 2), fingerprint);
            rows++;
        }
        sqlite3_reset(stmt);
    }
    return st;
}

static rs_status find_anywhere(rs_index *x, const uint8_t span_id[8], rs_arena *arena, rs_stored_spans *out,
                               rs_err *err) {
    int64_t key = INT64_MAX, block = INT64_MAX;
    uint8_t trace_id[16];
    bool found = true;
    rs_status st = RS_OK;
    while (st == RS_OK && found && out->n == 0) {
        st = next_candidate(x, rs_span_fingerprint(span_id), &key, &block, &found, err);
        if (st != RS_OK || !found) break;
        if ((st = find_trace_id(x, key, trace_id, err)) == RS_OK)
            st = rs_index_gather(x, key, trace_id, span_id, RS_READ_FULL, arena, out, err);
    }
    return st;
}

/* In the trace that is known, or in any. */
static rs_status read_span(const rs_partition_set *set, const uint8_t *trace_id, const uint8_t span_id[8],
                           rs_arena *arena, rs_stored_spans *found, rs_err *err) {
    rs_status st = RS_OK;
    rs_trace_home at;
    if (trace_id) {
        if ((st = rs_trace_home_find(set, trace_id, &at, err)) != RS_OK) return st;
        st = rs_index_gather(at.x, at.key, trace_id, span_id, RS_READ_FULL, arena, found, err);
        rs_partition_return(at.p, at.x);
        return st;
    }
    for (size_t i = set->n; i-- > 0 && st == RS_OK && found->n == 0;) {
        rs_index *x;
        if ((st = rs_partition_borrow(set->items[i], &x, err)) != RS_OK) return st;
        st = find_anywhere(x, span_id, arena, found, err);
        rs_partition_return(set->items[i], x);
    }
    return st;
}

rs_status rs_store_read_span(rs_store *s, uint64_t project, const uint8_t *trace_id, const uint8_t span_id[8],
                             rs_arena *arena, rs_span *out, rs_err *err) {
    rs_project_data *p;
    rs_stored_spans found = {0};
    rs_status st = rs_store_find_project(s, project, false, &p, err);
    if (st != RS_OK) return st;
    if (!p) return not_found("span", err);
    const rs_partition_set *set = rs_project_data_hold(p);
    st = read_span(set, trace_id, span_id, arena, &found, err);
    rs_project_data_let_go(p, set);
    rs_stored_spans_dedupe(&found);
    if (st == RS_OK && found.n == 0) return not_found("span", err);
    if (st == RS_OK) *out = found.items[0].span;
    return st;
}
