#include "server/running.h"

#include "base/clock.h"
#include "query/walk.h"

/* ---- one trace ----------------------------------------------------------------------------------------- */

static rs_status no_memory(rs_err *err) { return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory"); }

/* What the stored spans' row does not know yet. */
static void add_open(rs_trace_row *row, const rs_trace_row *open) {
    if (open->has_root && !row->has_root) {
        row->has_root = true;
        memcpy(row->root_span_id, open->root_span_id, sizeof row->root_span_id);
        row->name = open->name;
        row->log_type = open->log_type;
        if (open->input.n && !row->input.n) row->input = open->input;
    }
    if (open->start_ns && open->start_ns < row->start_ns) row->start_ns = open->start_ns;
    if (!row->customer.n) row->customer = open->customer;
    if (!row->thread.n) row->thread = open->thread;
    if (!row->environment.n) row->environment = open->environment;
}

rs_status rs_running_get(rs_store *store, rs_open_table *open, uint64_t project, const uint8_t trace_id[16],
                         rs_arena *arena, rs_trace_row *row, rs_spans *spans, rs_err *err) {
    rs_trace_row of_open;
    rs_status st = rs_open_table_read(open, project, trace_id, arena, spans, err);
    if (st != RS_OK) return st;
    st = rs_traces_get(store, project, trace_id, arena, row, err);
    if (spans->n == 0 || (st != RS_OK && st != RS_ERR_NOT_FOUND)) return st;
    if (rs_store_summarize(spans->items, spans->n, arena, &of_open) != RS_OK) return no_memory(err);
    if (st == RS_OK) {
        add_open(row, &of_open);
    } else {
        if (err) *err = (rs_err){0};
        *row = of_open;
        row->span_count = row->llm_call_count = row->error_count = 0;
    }
    uint64_t now = rs_clock_wall_ns();
    if (row->end_ns < now) row->end_ns = now;
    row->running = true;
    return RS_OK;
}

rs_status rs_running_fits(rs_store *store, uint64_t project, const rs_list *list, const rs_trace_row *row,
                          const rs_spans *spans, bool *fits, rs_err *err) {
    *fits = false;
    if (row->start_ns < list->start_min_ns || (list->start_max_ns && row->start_ns >= list->start_max_ns))
        return RS_OK;
    if (row->span_count > 0) return rs_walk_decide(store, project, list, row, fits, err);
    rs_evidence e = {.row = row, .spans = spans, .in_full = true};
    *fits = rs_filter_judge(&list->filter, &e) == RS_YES;
    return RS_OK;
}

/* ---- lists --------------------------------------------------------------------------------------------- */

/* It holds for no trace that is not running. */
static bool asks_running(const rs_filter_node *node) {
    const rs_condition *c = &node->condition;
    if (node->kind == RS_FILTER_AND)
        for (const rs_filter_node *at = node->child; at; at = at->next)
            if (asks_running(at)) return true;
    if (node->kind != RS_FILTER_CONDITION || !c->field || c->op != RS_OP_EQUAL) return false;
    if (strcmp(c->field->name, "running") == 0) return c->nvalues == 1 && c->values[0].integer;
    return strcmp(c->field->name, "status_code") == 0 && c->nvalues == 1 &&
           rs_str_eq(c->values[0].text, RS_STR("running"));
}

bool rs_running_is_asked(const rs_list *list) { return list->filter.root && asks_running(list->filter.root); }

/* Whether a row of this key belongs on the page, which has those that are stored. */
static bool is_on_page(const rs_list *list, const rs_trace_page *page, int64_t key) {
    int64_t sign = list->ascending ? -1 : 1; /* as if the newest came first */
    if (list->has_cursor && list->cursor.backward) return false;
    if (list->has_cursor && sign * key >= sign * list->cursor.key) return false;
    if (!list->has_cursor && list->page > 1) return false; /* where the one before it ended is not known */
    return !page->has_next || sign * key > sign * page->next.key;
}

/* Puts a row in where it stands by its key. *cap: of the rows. */
static bool insert(const rs_list *list, rs_trace_page *page, size_t *cap, const rs_trace_row *row,
                   rs_arena *arena) {
    if (!rs_arena_grow(arena, (void **)&page->rows, page->n, cap, sizeof *page->rows)) return false;
    size_t at = page->n++;
    for (; at > 0; at--) {
        const rs_trace_row *above = &page->rows[at - 1];
        if (list->ascending ? above->key <= row->key : above->key >= row->key) break;
        page->rows[at] = *above;
    }
    page->rows[at] = *row;
    return true;
}

static rs_status place(rs_store *store, uint64_t project, const rs_list *list, rs_trace_page *page,
                       size_t *cap, const rs_trace_row *row, const rs_spans *spans, bool only,
                       rs_arena *arena, rs_err *err) {
    bool fits;
    size_t at = 0;
    rs_status st = rs_running_fits(store, project, list, row, spans, &fits, err);
    if (st == RS_ERR_NOT_FOUND) return RS_OK; /* deleted meanwhile */
    if (st != RS_OK) return st;
    while (at < page->n && memcmp(page->rows[at].trace_id, row->trace_id, 16) != 0) at++;
    if (at < page->n && fits) {
        page->rows[at] = *row;
    } else if (at < page->n) {
        memmove(&page->rows[at], &page->rows[at + 1], (--page->n - at) * sizeof *page->rows);
        if (page->counted && page->count) page->count--;
    } else if (fits && !list->sort) {
        page->count += page->counted && (only || row->span_count == 0);
        if (is_on_page(list, page, row->key) && !insert(list, page, cap, row, arena)) return no_memory(err);
    }
    return RS_OK;
}

/* Of those that run alone no more than a page. */
static void cut(const rs_list *list, rs_trace_page *page) {
    page->has_next = page->n > list->page_size;
    if (!page->has_next) return;
    page->n = list->page_size;
    page->next = (rs_cursor){.key = page->rows[page->n - 1].key};
}

rs_status rs_running_list(rs_store *store, rs_open_table *open, uint64_t project, rs_list *list,
                          rs_arena *arena, rs_trace_page *out, rs_err *err) {
    rs_open_trace *traces;
    size_t n, cap;
    rs_spans spans;
    rs_trace_row row;
    bool only = !list->sort && rs_running_is_asked(list);
    *out = (rs_trace_page){.counted = true};
    rs_status st = rs_open_table_list(open, project, arena, &traces, &n, err);
    if (n > RS_RUNNING_LISTED) n = RS_RUNNING_LISTED;
    if (st == RS_OK && !only) st = rs_traces_list(store, project, list, arena, out, err);
    cap = out->n; /* so that it is copied before it grows */
    for (size_t i = 0; i < n && st == RS_OK; i++) {
        st = rs_running_get(store, open, project, traces[i].trace_id, arena, &row, &spans, err);
        if (st == RS_ERR_NOT_FOUND) st = RS_OK, *err = (rs_err){0};
        else if (st == RS_OK && spans.n > 0)
            st = place(store, project, list, out, &cap, &row, &spans, only, arena, err);
    }
    if (only) cut(list, out);
    return st;
}
