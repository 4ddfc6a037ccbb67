#include "query/traces.h"

#include "query/top.h"
#include "query/trace_walk.h"
#include <stdio.h>
#include <stdlib.h>

/* ---- one question -------------------------------------------------------------------------------------- */

typedef struct question {
    rs_store *store;
    uint64_t project;
    rs_list *list;
    rs_arena *arena;
    rs_err *err;
    rs_filter_plan plan;
    uint64_t skip; /* matches before the page */
    rs_trace_page *page;
    size_t cap;
    bool more; /* matches behind the page, in the direction of the walk */
    rs_status failed;
    rs_top top;
    uint64_t matches;
    rs_trace_known *known; /* in the order of the walk */
    size_t nknown, at;     /* at: the next one */
    const rs_trace_known **by_id;
    bool only;
} question;

static rs_trace_walk walk_of(const question *q, uint64_t rows) {
    return (rs_trace_walk){.store = q->store,
                           .project = q->project,
                           .filter = &q->list->filter,
                           .plan = q->plan,
                           .start_min_ns = q->list->start_min_ns,
                           .start_max_ns = q->list->start_max_ns,
                           .rows_left = rows,
                           .reads_left = RS_LIST_READS,
                           .blocks_left = RS_LIST_BLOCKS};
}

static bool keep_row(void *ctx, const rs_trace_row *row) {
    question *q = ctx;
    rs_trace_page *page = q->page;
    if (!rs_arena_grow(q->arena, (void **)&page->rows, page->n, &q->cap, sizeof *page->rows) ||
        !rs_trace_row_copy(q->arena, row, &page->rows[page->n])) {
        q->failed = rs_fail(q->err, RS_ERR_MEMORY, 0, "out of memory");
        return false;
    }
    page->n++;
    return true;
}

static bool take_for_page(question *q, const rs_trace_row *row) {
    if (q->matches < q->skip) return q->matches++, true;
    q->more = q->page->n == q->list->page_size;
    if (q->more) return false;
    q->matches++;
    return keep_row(q, row);
}

/* ---- what the caller knows ----------------------------------------------------------------------------- */

static int newest_first(const void *a, const void *b) {
    const rs_trace_known *x = a, *y = b;
    if (x->row.key != y->row.key) return x->row.key < y->row.key ? 1 : -1;
    return memcmp(x->row.trace_id, y->row.trace_id, 16);
}

static int by_id(const void *a, const void *b) {
    const rs_trace_known *const *x = a, *const *y = b;
    return memcmp((*x)->row.trace_id, (*y)->row.trace_id, 16);
}

static bool sort_known(question *q) {
    rs_trace_known *k = q->known;
    if (q->nknown == 0) return true;
    q->by_id = rs_arena_alloc(q->arena, q->nknown * sizeof(rs_trace_known *));
    if (!q->by_id) return false;
    qsort(k, q->nknown, sizeof *k, newest_first);
    for (size_t i = 1; i < q->nknown; i++)
        if (k[i].row.key >= k[i - 1].row.key) k[i].row.key = k[i - 1].row.key - 1;
    bool backward = q->list->has_cursor && q->list->cursor.backward;
    for (size_t i = 0, j = q->nknown; q->list->ascending != backward && i + 1 < j; i++) {
        rs_trace_known last = k[--j];
        k[j] = k[i];
        k[i] = last;
    }
    for (size_t i = 0; i < q->nknown; i++) q->by_id[i] = &k[i];
    qsort(q->by_id, q->nknown, sizeof(rs_trace_known *), by_id);
    return true;
}

static const rs_trace_known *find_known(const question *q, const uint8_t trace_id[16]) {
    rs_trace_known wanted, *key = &wanted;
    if (q->nknown == 0) return NULL;
    memcpy(wanted.row.trace_id, trace_id, 16);
    const rs_trace_known *const *found = bsearch(&key, q->by_id, q->nknown, sizeof(rs_trace_known *), by_id);
    return found ? *found : NULL;
}

/* Those that stand up to the key, in the direction of the walk. False: the page is full. */
static bool take_known(question *q, int64_t key, bool ascending) {
    for (; q->at < q->nknown; q->at++) {
        const rs_trace_known *k = &q->known[q->at];
        if (ascending ? k->row.key > key : k->row.key < key) return true;
        if (k->fits && !take_for_page(q, &k->row)) return false;
    }
    return true;
}

static bool walk_for_page(void *ctx, const rs_trace_row *row) {
    question *q = ctx;
    bool ascending = q->list->ascending != (q->list->has_cursor && q->list->cursor.backward);
    return take_known(q, row->key, ascending) && (find_known(q, row->trace_id) || take_for_page(q, row));
}

/* What was counted is of what is stored. */
static void count_known(question *q) {
    rs_trace_page *page = q->page;
    for (size_t i = 0; i < q->nknown; i++) page->count += q->known[i].fits;
    for (size_t i = 0; i < q->nknown; i++)
        if (q->known[i].stored_fits && page->count > 0) page->count--;
}

static bool take_for_count(void *ctx, const rs_trace_row *row) {
    (void)row;
    return ++((question *)ctx)->matches < RS_LIST_COUNT_MATCHES;
}

/* ---- counting ------------------------------------------------------------------------------------------ */

static void say(question *q, double count, bool is_estimate) {
    uint64_t known = q->skip + q->page->n + q->page->has_next; /* at least */
    q->page->counted = true;
    q->page->is_estimate = is_estimate;
    q->page->count = count > 0 ? (uint64_t)(count + 0.5) : 0;
    if (is_estimate && q->page->count < known) q->page->count = known;
}

/* By words: what was counted between the ends of a walk that was broken off, times all there is by what was gone through. */
static rs_status count_words(question *q) {
    const rs_list *l = q->list;
    rs_store_range all = {.low = l->start_min_ns ? (int64_t)(l->start_min_ns / 1000) : INT64_MIN,
                          .high = l->start_max_ns ? (int64_t)(l->start_max_ns / 1000) : INT64_MAX};
    rs_store_range seen = all;
    double of_all = 0, of_seen = 0;
    rs_trace_walk w = walk_of(q, RS_LIST_COUNT_ROWS);
    if (w.rows_left > l->scan_max) w.rows_left = l->scan_max;
    w.reads_left = RS_LIST_COUNT_READS;
    w.blocks_left = RS_LIST_COUNT_BLOCKS;
    q->matches = 0;
    rs_status st = rs_trace_walk_run(&w, take_for_count, q, q->err);
    if (st == RS_OK && w.complete) return say(q, (double)q->matches, false), RS_OK;
    seen.low = w.after;
    if (st == RS_OK) st = rs_store_estimate_traces(q->store, q->project, &all, &of_all, q->err);
    if (st == RS_OK) st = rs_store_estimate_traces(q->store, q->project, &seen, &of_seen, q->err);
    if (st == RS_OK)
        say(q, (double)q->matches * (of_seen > 0 && of_all > of_seen ? of_all / of_seen : 1), true);
    return st;
}

/* How many of the rows there are to look at: all, if they are few. */
static rs_status count_rows(question *q, uint64_t rows, bool *counted) {
    rs_trace_walk w = walk_of(q, rows);
    if (w.rows_left > q->list->scan_max) w.rows_left = q->list->scan_max;
    w.keys_only = true;
    w.reads_left = RS_LIST_COUNT_READS;
    q->matches = 0;
    rs_status st = rs_trace_walk_run(&w, take_for_count, q, q->err);
    *counted = st == RS_OK && w.complete;
    if (*counted) say(q, (double)q->matches, false);
    return st;
}

/* Of all that may match, a part at each place is looked at. */
static rs_status look_at_places(question *q, const rs_trace_count *c, uint64_t rows, uint64_t *seen,
                                uint64_t *matches) {
    rs_status st = RS_OK;
    if (rows > q->list->scan_max) rows = q->list->scan_max;
    *seen = *matches = 0;
    for (size_t i = 0; i < c->nplaces && st == RS_OK; i++) {
        rs_trace_walk w = walk_of(q, rows / c->nplaces + 1);
        w.keys_only = true;
        w.reads_left = RS_LIST_COUNT_READS / RS_COUNT_PLACES;
        w.has_after = c->places[i] < INT64_MAX;
        w.after = c->places[i] + w.has_after;
        q->matches = 0;
        st = rs_trace_walk_run(&w, take_for_count, q, q->err);
        *seen += w.rows_decided;
        *matches += q->matches;
    }
    return st;
}

static rs_status sample_rows(question *q, const rs_trace_count *c, uint64_t rows) {
    uint64_t seen, matches;
    rs_status st = look_at_places(q, c, rows, &seen, &matches);
    if (st == RS_OK && matches < RS_LIST_COUNT_FEW && seen >= rows / 2)
        st = look_at_places(q, c, rows * (q->plan.ngroups ? 8 : 2), &seen, &matches);
    if (st == RS_OK) say(q, seen ? c->count * (double)matches / (double)seen : 0, true);
    return st;
}

/* Whatever the page is. Everything: the store knows without looking. */
static rs_status count_all(question *q) {
    rs_store_stats stats = {0};
    if (q->only) return say(q, 0, false), RS_OK;
    const rs_list *l = q->list;
    const rs_filter_plan *plan = &q->plan;
    if (rs_filter_is_empty(&l->filter) && !l->start_min_ns && !l->start_max_ns) {
        rs_status st = rs_store_get_stats(q->store, q->project, &stats, q->err);
        if (st == RS_OK) say(q, (double)stats.traces, false);
        return st;
    }
    if (plan->nwords > 0) return count_words(q);
    rs_trace_count c = {.tags = plan->tags,
                        .ntags = plan->ntags,
                        .groups = plan->groups,
                        .ngroups = plan->ngroups,
                        .start_min_ns = l->start_min_ns,
                        .start_max_ns = l->start_max_ns,
                        .is_rough = !plan->groups_decide};
    rs_status st = rs_store_count_traces(q->store, q->project, &c, q->err);
    if (st != RS_OK) return st;
    if (plan->groups_decide && c.is_exact) return say(q, c.count, false), RS_OK;
    uint64_t most = plan->ngroups == 0  ? RS_LIST_COUNT_ROWS
                    : plan->tags_decide ? RS_LIST_COUNT_KEYS
                                        : RS_LIST_COUNT_TAGGED;
    bool counted = false;
    if (c.count <= (double)most) st = count_rows(q, most * 2, &counted);
    if (st != RS_OK || counted) return st;
    if (plan->groups_decide || rs_filter_is_empty(&l->filter)) return say(q, c.count, true), RS_OK;
    return sample_rows(q, &c, most / 2);
}

/* ---- by start ------------------------------------------------------------------------------------------ */

static void reverse(rs_trace_page *page) {
    for (size_t i = 0, j = page->n; i + 1 < j; i++) {
        rs_trace_row row = page->rows[i];
        page->rows[i] = page->rows[--j];
        page->rows[j] = row;
    }
}

/* Where the walk may be taken up again (edge) and where it began decide the two neighbours. */
static void place_by_start(question *q, const rs_trace_walk *w, bool backward) {
    rs_trace_page *page = q->page;
    bool unfinished = q->more || !w->complete;
    int64_t edge = w->after;
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
    rs_trace_walk w = walk_of(q, l->scan_max);
    w.oldest_first = l->ascending != backward;
    w.has_after = l->has_cursor;
    w.after = l->cursor.key;
    w.complete = q->only;
    for (; l->has_cursor && q->at < q->nknown; q->at++) /* those before it */
        if (w.oldest_first ? q->known[q->at].row.key > w.after : q->known[q->at].row.key < w.after) break;
    rs_status st = q->only ? RS_OK : rs_trace_walk_run(&w, walk_for_page, q, q->err);
    if (st == RS_OK && !q->more)
        take_known(q, !w.complete ? w.after : w.oldest_first ? INT64_MAX : INT64_MIN, w.oldest_first);
    if (st == RS_OK) st = q->failed;
    if (st != RS_OK) return st;
    if (backward) reverse(q->page);
    place_by_start(q, &w, backward);
    if (w.complete && !q->more && !l->has_cursor) { /* the walk has seen all there is */
        q->page->counted = true;
        q->page->count = q->matches;
        return RS_OK;
    }
    st = count_all(q);
    if (st == RS_OK) count_known(q);
    return st;
}

/* ---- by another field ---------------------------------------------------------------------------------- */

static bool take_for_top(question *q, const rs_trace_row *row, double value) {
    const rs_list *l = q->list;
    rs_top_entry e = {.value = value, .key = row->key};
    memcpy(e.trace_id, row->trace_id, 16);
    q->matches++;
    rs_top_entry place = {.value = l->cursor.value, .key = l->cursor.key};
    if (l->has_cursor && rs_top_compare(&q->top, &e, &place) <= 0) return true;
    if (rs_top_offer(&q->top, &e) == RS_OK) return true;
    q->failed = rs_fail(q->err, RS_ERR_MEMORY, 0, "out of memory");
    return false;
}

static bool walk_for_top(void *ctx, const rs_trace_row *row) {
    question *q = ctx;
    return find_known(q, row->trace_id) || take_for_top(q, row, rs_field_sort_value(q->list->sort, row));
}

static rs_cursor place_of(const rs_top_entry *e, bool backward) {
    return (rs_cursor){.backward = backward, .value = e->value, .key = e->key};
}

/* The rows of entries [from, to), in the direction of the walk. One that went meanwhile is left out. */
static rs_status fetch_rows(question *q, size_t from, size_t to) {
    for (size_t i = from; i < to; i++) {
        rs_err gone = {0};
        rs_status st = RS_OK;
        const rs_trace_known *k = find_known(q, q->top.heap[i].trace_id);
        if (k) keep_row(q, &k->row);
        else st = rs_store_get_trace(q->store, q->project, q->top.heap[i].trace_id, keep_row, q, &gone);
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
    rs_trace_walk w = walk_of(q, l->scan_max);
    w.complete = q->only;
    rs_status st = q->only ? RS_OK : rs_trace_walk_run(&w, walk_for_top, q, q->err);
    for (size_t i = 0; i < q->nknown && st == RS_OK && q->failed == RS_OK; i++)
        if (q->known[i].fits && q->known[i].is_stored)
            take_for_top(q, &q->known[i].row, rs_field_sort_value(l->sort, &q->known[i].stored));
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

/* A new copy of a span may have taken a fact of the model back. What the caller knows was decided by it. */
static rs_status verify(question *q) {
    rs_trace_page *page = q->page;
    rs_trace_walk w = walk_of(q, 0);
    size_t kept = 0;
    for (size_t i = 0; i < page->n; i++) {
        bool holds = find_known(q, page->rows[i].trace_id) != NULL;
        rs_status st = holds ? RS_OK : rs_trace_walk_verify(&w, &page->rows[i], &holds, q->err);
        if (st != RS_OK) return st;
        if (holds) page->rows[kept++] = page->rows[i];
        else if (page->count > 0) page->count--;
    }
    page->n = kept;
    return RS_OK;
}

rs_status rs_traces_list_with(rs_store *store, uint64_t project, rs_list *list, rs_trace_known *known,
                              size_t nknown, bool only, rs_arena *arena, rs_trace_page *out, rs_err *err) {
    *out = (rs_trace_page){0};
    question q = {.store = store,
                  .project = project,
                  .list = list,
                  .arena = arena,
                  .err = err,
                  .page = out,
                  .known = known,
                  .nknown = nknown,
                  .only = only};
    if (!sort_known(&q)) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    if (!list->has_cursor) q.skip = (uint64_t)(list->page - 1) * list->page_size;
    if (q.skip + list->page_size > RS_LIST_DEPTH_MAX) {
        snprintf(list->bad_field, sizeof list->bad_field, "page");
        return rs_fail(err, RS_ERR_INVALID, 0, "pages by number end at %d rows: follow 'next' instead",
                       RS_LIST_DEPTH_MAX);
    }
    rs_status st = rs_filter_make_plan(&list->filter, arena, &q.plan, err);
    if (st == RS_OK) st = rs_trace_walk_find_spans(store, project, &list->filter, err);
    if (st == RS_OK) st = list->sort ? list_by_value(&q) : list_by_start(&q);
    return st == RS_OK && q.plan.may_be_stale ? verify(&q) : st;
}

rs_status rs_traces_list(rs_store *store, uint64_t project, rs_list *list, rs_arena *arena,
                         rs_trace_page *out, rs_err *err) {
    return rs_traces_list_with(store, project, list, NULL, 0, false, arena, out, err);
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
