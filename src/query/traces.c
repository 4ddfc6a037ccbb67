#include "query/traces.h"

#include "query/top.h"
#include <stdio.h>

/* ---- scanning in steps --------------------------------------------------------------------------------- */

/* A matching row; false to stop. */
typedef bool (*take_fn)(void *ctx, const rs_trace_row *row);

typedef struct walk {
    const rs_filter *filter;
    rs_trace_scan scan;     /* after: the last row seen */
    uint32_t step, left;    /* rows seen in this step; rows that may still be seen */
    bool stopped, complete; /* by take; all rows were seen */
    take_fn take;
    void *ctx;
} walk;

static bool see_row(void *ctx, const rs_trace_row *row) {
    walk *w = ctx;
    w->scan.has_after = true;
    w->scan.after = row->key;
    w->step++;
    w->left--;
    if (rs_filter_matches(w->filter, row) && !w->take(w->ctx, row)) w->stopped = true;
    return !w->stopped && w->step < RS_LIST_SCAN_STEP && w->left > 0;
}

static rs_status run_walk(walk *w, rs_store *store, uint64_t project, rs_err *err) {
    rs_status st = RS_OK;
    w->stopped = w->complete = false;
    while (st == RS_OK && !w->stopped && !w->complete && w->left > 0) {
        w->step = 0;
        st = rs_store_scan_traces(store, project, &w->scan, see_row, w, err);
        w->complete = st == RS_OK && !w->stopped && w->step < RS_LIST_SCAN_STEP && w->left > 0;
    }
    return st;
}

/* ---- one question -------------------------------------------------------------------------------------- */

typedef struct question {
    rs_store *store;
    uint64_t project;
    rs_list *list;
    rs_arena *arena;
    rs_err *err;
    rs_tag tags[RS_FILTER_MAX];
    size_t ntags;
    uint64_t skip; /* matches before the page */
    rs_trace_page *page;
    size_t cap;
    bool more; /* matches behind the page, in the direction of the walk */
    rs_status failed;
    rs_top top;
    uint64_t matches;
} question;

static walk walk_of(question *q, take_fn take, uint32_t left) {
    return (walk){.filter = &q->list->filter,
                  .scan = {.start_min_ns = q->list->start_min_ns,
                           .start_max_ns = q->list->start_max_ns,
                           .tags = q->tags,
                           .ntags = q->ntags},
                  .left = left,
                  .take = take,
                  .ctx = q};
}

static bool copy_text(rs_arena *arena, rs_str *s) {
    if (s->n == 0) return *s = (rs_str){0}, true;
    *s = rs_arena_copy(arena, *s);
    return s->p != NULL;
}

static bool copy_row(rs_arena *arena, const rs_trace_row *row, rs_trace_row *out) {
    *out = *row;
    return copy_text(arena, &out->name) && copy_text(arena, &out->model) && copy_text(arena, &out->input) &&
           copy_text(arena, &out->output) && copy_text(arena, &out->customer) &&
           copy_text(arena, &out->thread) && copy_text(arena, &out->environment) &&
           copy_text(arena, &out->error_message) && copy_text(arena, &out->metadata);
}

static bool keep_row(void *ctx, const rs_trace_row *row) {
    question *q = ctx;
    rs_trace_page *page = q->page;
    if (!rs_arena_grow(q->arena, (void **)&page->rows, page->n, &q->cap, sizeof *page->rows) ||
        !copy_row(q->arena, row, &page->rows[page->n])) {
        q->failed = rs_fail(q->err, RS_ERR_MEMORY, 0, "out of memory");
        return false;
    }
    page->n++;
    return true;
}

static bool take_for_page(void *ctx, const rs_trace_row *row) {
    question *q = ctx;
    if (q->matches < q->skip) return q->matches++, true;
    q->more = q->page->n == q->list->page_size;
    if (q->more) return false;
    q->matches++;
    return keep_row(q, row);
}

static bool take_for_count(void *ctx, const rs_trace_row *row) {
    (void)row;
    ((question *)ctx)->matches++;
    return true;
}

/* ---- by start ------------------------------------------------------------------------------------------ */

/* Everything, and what one tag decides: the store knows without looking at rows. */
static rs_status count_at_once(question *q) {
    const rs_filter *f = &q->list->filter;
    rs_store_stats stats = {0};
    rs_status st = RS_OK;
    if (q->list->start_min_ns || q->list->start_max_ns) return RS_OK;
    if (rs_filter_is_empty(f)) {
        st = rs_store_get_stats(q->store, q->project, &stats, q->err);
        q->page->counted = true;
        q->page->count = stats.traces;
    } else if (f->n == 1 && f->items[0].driven && f->nwords == 0) {
        st = rs_store_count_tag(q->store, q->project, &q->tags[0], &q->page->count, q->err);
        q->page->counted = true;
    }
    return st;
}

static rs_status count_all(question *q, uint32_t left) {
    rs_status known = count_at_once(q);
    if (known != RS_OK || q->page->counted) return known;
    q->matches = 0;
    walk w = walk_of(q, take_for_count, left);
    rs_status st = run_walk(&w, q->store, q->project, q->err);
    if (st == RS_OK) q->page->counted = w.complete, q->page->count = q->matches;
    return st;
}

static void reverse(rs_trace_page *page) {
    for (size_t i = 0, j = page->n; i + 1 < j; i++) {
        rs_trace_row row = page->rows[i];
        page->rows[i] = page->rows[--j];
        page->rows[j] = row;
    }
}

/* Where the walk may be taken up again (edge) and where it began decide the two neighbours. */
static void place_by_start(question *q, const walk *w, bool backward) {
    rs_trace_page *page = q->page;
    bool unfinished = q->more || !w->complete;
    int64_t edge = w->scan.after;
    if (q->more) edge = page->rows[backward ? 0 : page->n - 1].key;
    rs_cursor ahead = {.backward = backward, .key = edge};
    rs_cursor back = {.backward = !backward};
    bool has_back = page->n > 0 && (q->list->has_cursor || q->skip > 0);
    if (has_back) back.key = page->rows[backward ? page->n - 1 : 0].key;
    page->has_next = backward ? has_back : unfinished;
    page->has_previous = backward ? unfinished : has_back;
    page->next = backward ? back : ahead;
    page->previous = backward ? ahead : back;
}

static rs_status list_by_start(question *q) {
    const rs_list *l = q->list;
    bool backward = l->has_cursor && l->cursor.backward;
    walk w = walk_of(q, take_for_page, l->scan_max);
    w.scan.oldest_first = l->ascending != backward;
    w.scan.has_after = l->has_cursor;
    w.scan.after = l->cursor.key;
    rs_status st = run_walk(&w, q->store, q->project, q->err);
    if (st == RS_OK) st = q->failed;
    if (st != RS_OK) return st;
    if (backward) reverse(q->page);
    place_by_start(q, &w, backward);
    if (w.complete && !l->has_cursor) { /* the walk has seen all there is */
        q->page->counted = true;
        q->page->count = q->matches;
        return RS_OK;
    }
    return count_all(q, w.left);
}

/* ---- by another field ---------------------------------------------------------------------------------- */

static bool take_for_top(void *ctx, const rs_trace_row *row) {
    question *q = ctx;
    const rs_list *l = q->list;
    rs_top_entry e = {.value = rs_field_sort_value(l->sort, row), .key = row->key};
    memcpy(e.trace_id, row->trace_id, 16);
    q->matches++;
    rs_top_entry place = {.value = l->cursor.value, .key = l->cursor.key};
    if (l->has_cursor && rs_top_compare(&q->top, &e, &place) <= 0) return true;
    if (rs_top_offer(&q->top, &e) == RS_OK) return true;
    q->failed = rs_fail(q->err, RS_ERR_MEMORY, 0, "out of memory");
    return false;
}

static rs_cursor place_of(const rs_top_entry *e, bool backward) {
    return (rs_cursor){.backward = backward, .value = e->value, .key = e->key};
}

/* The rows of entries [from, to), in the direction of the walk. One that went meanwhile is left out. */
static rs_status fetch_rows(question *q, size_t from, size_t to) {
    for (size_t i = from; i < to; i++) {
        rs_err gone = {0};
        rs_status st = rs_store_get_trace(q->store, q->project, q->top.heap[i].trace_id, keep_row, q, &gone);
        if (st == RS_OK) st = q->failed;
        if (st == RS_OK || st == RS_ERR_NOT_FOUND) continue;
        if (q->err && q->err->code == RS_OK) *q->err = gone;
        return st;
    }
    return RS_OK;
}

static rs_status list_by_value(question *q) {
    rs_list *l = q->list;
    bool backward = l->has_cursor && l->cursor.backward;
    q->top = (rs_top){.arena = q->arena,
                      .ascending = l->ascending != backward,
                      .limit = (size_t)q->skip + l->page_size + 1};
    walk w = walk_of(q, take_for_top, l->scan_max);
    rs_status st = run_walk(&w, q->store, q->project, q->err);
    if (st == RS_OK) st = q->failed;
    if (st != RS_OK) return st;
    if (!w.complete) {
        snprintf(l->bad_field, sizeof l->bad_field, "sort_by");
        return rs_fail(q->err, RS_ERR_INVALID, 0,
                       "more than %u traces to sort by %s: narrow start_time and end_time, or filter",
                       l->scan_max, l->sort->name);
    }
    rs_top_sort(&q->top);
    size_t from = q->skip < q->top.n ? (size_t)q->skip : q->top.n, to = from + l->page_size;
    bool more = q->top.n > to;
    if (!more) to = q->top.n;
    st = fetch_rows(q, from, to);
    if (st != RS_OK) return st;
    if (backward) reverse(q->page);
    rs_trace_page *page = q->page;
    page->counted = true;
    page->count = q->matches;
    if (from == to) return RS_OK;
    bool came_from = l->has_cursor || q->skip > 0;
    rs_cursor ahead = place_of(&q->top.heap[to - 1], backward),
              back = place_of(&q->top.heap[from], !backward);
    page->has_next = backward ? came_from : more;
    page->has_previous = backward ? more : came_from;
    page->next = backward ? back : ahead;
    page->previous = backward ? ahead : back;
    return RS_OK;
}

/* ---- checking what tags promised ----------------------------------------------------------------------- */

/* True if a span of the trace has the condition's value: a tag is a hash, and hashes can collide. */
static rs_status any_span_holds(question *q, const rs_condition *c, const rs_trace_row *row, bool *holds) {
    rs_arena arena;
    rs_arena_init(&arena, 0);
    rs_spans spans;
    rs_status st = rs_store_read_trace(q->store, q->project, row->trace_id,
                                       c->of_model ? RS_READ_FULL : RS_READ_HEADS, &arena, &spans, q->err);
    rs_filter on_spans = {.table = &rs_span_fields};
    rs_condition of_span = *c;
    if (c->field) of_span.field = rs_field_find(&rs_span_fields, rs_str_of(c->field->tag));
    *holds = false;
    for (size_t i = 0; st == RS_OK && i < spans.n && !*holds; i++)
        *holds = rs_condition_holds(&on_spans, &of_span, &spans.items[i]);
    rs_arena_deinit(&arena);
    return st;
}

static rs_status verify(question *q) {
    rs_trace_page *page = q->page;
    const rs_filter *f = &q->list->filter;
    size_t kept = 0;
    for (size_t i = 0; i < page->n; i++) {
        bool holds = true;
        for (size_t c = 0; c < f->n && holds; c++) {
            if (!f->items[c].driven || rs_condition_holds(f, &f->items[c], &page->rows[i])) continue;
            rs_status st = any_span_holds(q, &f->items[c], &page->rows[i], &holds);
            if (st != RS_OK) return st;
        }
        if (holds) page->rows[kept++] = page->rows[i];
        else if (page->count > 0) page->count--;
    }
    page->n = kept;
    return RS_OK;
}

rs_status rs_traces_list(rs_store *store, uint64_t project, rs_list *list, rs_arena *arena,
                         rs_trace_page *out, rs_err *err) {
    *out = (rs_trace_page){0};
    question q = {.store = store, .project = project, .list = list, .arena = arena, .err = err, .page = out};
    if (!list->has_cursor) q.skip = (uint64_t)(list->page - 1) * list->page_size;
    if (q.skip + list->page_size > RS_LIST_DEPTH_MAX) {
        snprintf(list->bad_field, sizeof list->bad_field, "page");
        return rs_fail(err, RS_ERR_INVALID, 0, "pages by number end at %d rows: follow 'next' instead",
                       RS_LIST_DEPTH_MAX);
    }
    q.ntags = rs_filter_drive(&list->filter, arena, q.tags);
    rs_status st = list->sort ? list_by_value(&q) : list_by_start(&q);
    return st == RS_OK ? verify(&q) : st;
}

rs_status rs_traces_get(rs_store *store, uint64_t project, const uint8_t trace_id[16], rs_arena *arena,
                        rs_trace_row *out, rs_err *err) {
    rs_trace_page page = {0};
    question q = {.arena = arena, .err = err, .page = &page};
    rs_status st = rs_store_get_trace(store, project, trace_id, keep_row, &q, err);
    if (st == RS_OK) st = q.failed;
    if (st == RS_OK) *out = page.rows[0];
    return st;
}
