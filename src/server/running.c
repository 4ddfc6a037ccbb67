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

/* *stored: what is stored of it, if any is. */
static rs_status get(rs_store *store, rs_open_table *open, uint64_t project, const uint8_t trace_id[16],
                     rs_arena *arena, rs_trace_row *row, rs_trace_row *stored, rs_spans *spans, rs_err *err) {
    rs_trace_row of_open;
    rs_status st = rs_open_table_read(open, project, trace_id, arena, spans, err);
    if (st != RS_OK) return st;
    st = rs_traces_get(store, project, trace_id, arena, row, err);
    if (st == RS_OK) *stored = *row;
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

rs_status rs_running_get(rs_store *store, rs_open_table *open, uint64_t project, const uint8_t trace_id[16],
                         rs_arena *arena, rs_trace_row *row, rs_spans *spans, rs_err *err) {
    rs_trace_row stored;
    return get(store, open, project, trace_id, arena, row, &stored, spans, err);
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

/* What is known of one, into *k. RS_ERR_NOT_FOUND: it is over. */
static rs_status know(rs_store *store, rs_open_table *open, uint64_t project, const rs_list *list,
                      const uint8_t trace_id[16], rs_arena *arena, rs_trace_known *k, rs_err *err) {
    rs_spans spans;
    *k = (rs_trace_known){0};
    rs_status st = get(store, open, project, trace_id, arena, &k->row, &k->stored, &spans, err);
    if (st == RS_OK && spans.n == 0) return RS_ERR_NOT_FOUND;
    if (st == RS_OK) st = rs_running_fits(store, project, list, &k->row, &spans, &k->fits, err);
    k->is_stored = k->row.span_count > 0;
    if (st != RS_OK || !k->is_stored) return st;
    return rs_running_fits(store, project, list, &k->stored, &spans, &k->stored_fits, err);
}

rs_status rs_running_know(rs_store *store, rs_open_table *open, uint64_t project, const rs_list *list,
                          rs_arena *arena, rs_trace_known **out, size_t *n, rs_err *err) {
    rs_open_trace *traces;
    size_t all;
    *out = NULL;
    *n = 0;
    rs_status st = rs_open_table_list(open, project, arena, &traces, &all, err);
    if (all > RS_RUNNING_LISTED) all = RS_RUNNING_LISTED;
    if (all > 0 && !(*out = rs_arena_alloc(arena, all * sizeof **out))) return no_memory(err);
    for (size_t i = 0; i < all && st == RS_OK; i++) {
        st = know(store, open, project, list, traces[i].trace_id, arena, *out + *n, err);
        if (st == RS_ERR_NOT_FOUND) st = RS_OK, *err = (rs_err){0}; /* it ended, or was deleted */
        else ++*n;
    }
    return st;
}

rs_status rs_running_list(rs_store *store, rs_open_table *open, uint64_t project, rs_list *list,
                          rs_arena *arena, rs_trace_page *out, rs_err *err) {
    rs_trace_known *known;
    size_t n;
    rs_status st = rs_running_know(store, open, project, list, arena, &known, &n, err);
    if (st != RS_OK) return st;
    return rs_traces_list_with(store, project, list, known, n, rs_running_is_asked(list), arena, out, err);
}
