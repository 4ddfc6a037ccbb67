#include "query/measure.h"

#include "base/clock.h"
#include "base/json_read.h"
#include "query/filter_value.h"
#include "query/sample.h"

#include <inttypes.h>
#include <stdio.h>

#define NS_PER_S    1000000000ull
#define NS_PER_HOUR (3600 * NS_PER_S)

/* What the store's sums by the hour know of spans. */
static const char *const kinds[] = {"log_type", "model", "environment"};

typedef struct asking {
    rs_store *store;
    uint64_t project;
    const rs_measure *q;
    rs_arena *arena;
    rs_measured *out;
    rs_err *err;
    rs_status failed;
    int known;       /* 1 or -1: a trace that the caller knows is counted, or what is stored of it no more */
    bool lacks_kind; /* a row of several kinds came where its kind matters */
    uint64_t min, max; /* what is looked at: [min, max); max 0: open */
} asking;

static bool is_of_traces(const asking *a) { return a->q->list->table == &rs_trace_fields; }
static rs_of what_of(const asking *a) { return is_of_traces(a) ? RS_OF_TRACES : RS_OF_SPANS; }

static rs_status blame(const asking *a, const char *parameter) {
    snprintf(a->q->list->bad_field, sizeof a->q->list->bad_field, "%s", parameter);
    return RS_ERR_INVALID;
}

/* ---- groups -------------------------------------------------------------------------------------------- */

rs_status rs_grouping_find(const rs_field_table *table, rs_str name, rs_grouping *out, rs_err *err) {
    static const rs_str metadata = RS_STR("metadata__");
    *out = (rs_grouping){0};
    if (name.n == 0) return RS_OK;
    out->field = rs_field_find(table, name);
    if (!out->field && rs_str_starts(name, metadata) && name.n > metadata.n) {
        out->key = rs_str_from(name, metadata.n);
        return RS_OK;
    }
    const rs_field *f = out->field;
    if (f && !(f->flags & RS_FIELD_CONTENT) &&
        (f->type == RS_FIELD_TEXT || f->type == RS_FIELD_INT || f->type == RS_FIELD_BOOL))
        return RS_OK;
    return rs_fail(err, RS_ERR_INVALID, 0, "%ss are not grouped by '%.*s'", table->what,
                   RS_STR_ARG(rs_str_cut_utf8(name, 60)));
}

static bool is_grouped(const rs_grouping *g) { return g->field || g->key.n > 0 || g->is_keys; }

static bool needs_kind(const asking *a) {
    bool needs = !rs_filter_is_empty(&a->q->list->filter);
    for (size_t i = 0; i < a->q->ngroupings; i++) needs = needs || is_grouped(&a->q->groupings[i]);
    return needs;
}

/* ---- rows ---------------------------------------------------------------------------------------------- */

/* The text of a row's value; p NULL: it has none. Digits go to scratch. */
static rs_str value_of(const rs_grouping *g, const rs_field_table *table, const void *row, rs_field_value *v,
                       char scratch[24], rs_arena *arena) {
    rs_str text = {0};
    if (!is_grouped(g)) return text;
    if (!g->field && table->metadata) return rs_metadata_of_json(table->metadata(row), g->key, arena);
    if (!g->field) return rs_metadata_of_attrs(table->attributes(row), g->key, arena);
    if (!g->field->get(row, v)) return text;
    switch (g->field->type) {
    case RS_FIELD_INT:
        snprintf(scratch, 24, "%" PRId64, v->integer);
        return rs_str_of(scratch);
    case RS_FIELD_BOOL:
        return v->integer ? RS_STR("true") : RS_STR("false");
    default:
        return v->text.n ? v->text : text;
    }
}

/* A trace is counted, or counted no more. */
static rs_status count_trace(rs_cells *cells, unsigned grouping, rs_str text, const rs_trace_row *row,
                             int sign) {
    uint32_t group;
    rs_cell *cell;
    rs_status st = rs_cells_group(cells, grouping, text, &group);
    if (st == RS_OK) st = rs_cells_at(cells, group, 0, &cell);
    if (st != RS_OK || cell->sums.n + sign < 0) return st; /* it was not in the sample */
    cell->sums.n += sign;
    if (row->error_count > 0 && cell->sums.errors + sign >= 0) cell->sums.errors += sign;
    return RS_OK;
}

/* Adds a row to the group of a grouping that has this text. */
static rs_status add_to(const asking *a, rs_cells *cells, unsigned grouping, rs_str text, const void *row) {
    if (a->known) return count_trace(cells, grouping, text, row, a->known);
    bool traces = is_of_traces(a);
    uint64_t start = traces ? ((const rs_trace_row *)row)->start_ns : ((const rs_span *)row)->start_ns,
             bucket = a->out->bucket_ns ? start / a->out->bucket_ns : 0;
    const uint8_t *trace_id =
        traces ? ((const rs_trace_row *)row)->trace_id : ((const rs_span *)row)->trace_id;
    rs_arena *histograms = a->q->has_histograms ? cells->arena : NULL;
    uint32_t group;
    rs_cell *cell;
    rs_status st = rs_cells_group(cells, grouping, text, &group);
    if (st == RS_OK) st = rs_cells_at(cells, group, bucket, &cell);
    if (st != RS_OK) return st;
    rs_cell_see(cell, start, trace_id);
    return traces ? rs_sums_add_trace(&cell->sums, row, 1, histograms)
                  : rs_sums_add_span(&cell->sums, row, 1, histograms);
}

static rs_status add_to_keys(const asking *a, rs_cells *cells, unsigned grouping, const void *row,
                             rs_arena *arena) {
    rs_json_reader r;
    rs_status st = RS_OK;
    rs_json_read_init(&r, a->q->list->table->metadata(row), arena);
    if (rs_json_read(&r) != RS_JSON_OBJECT) return RS_OK;
    while (st == RS_OK && rs_json_read(&r) == RS_JSON_KEY) {
        if (r.text.n > 0) st = add_to(a, cells, grouping, r.text, row);
        if (!rs_json_read_skip(&r, NULL)) break;
    }
    return st;
}

static rs_status add_row(void *ctx, rs_cells *cells, const void *row) {
    const asking *a = ctx;
    const rs_measure *q = a->q;
    rs_arena scratch;
    rs_status st = RS_OK;
    rs_arena_init(&scratch, 0);
    for (unsigned i = 0; i < q->ngroupings && st == RS_OK; i++) {
        const rs_grouping *g = &q->groupings[i];
        rs_field_value v;
        char digits[24];
        st = g->is_keys ? add_to_keys(a, cells, i, row, &scratch)
                        : add_to(a, cells, i, value_of(g, q->list->table, row, &v, digits, &scratch), row);
    }
    rs_arena_deinit(&scratch);
    return st;
}

rs_status rs_measure_count_known(const rs_measure *question, const rs_trace_known *known, size_t n,
                                 rs_arena *arena, rs_measured *out) {
    asking more = {.q = question, .arena = arena, .out = out, .known = 1}, less = more;
    rs_status st = RS_OK;
    less.known = -1;
    for (size_t i = 0; i < n && st == RS_OK; i++) {
        if (known[i].stored_fits) st = add_row(&less, &out->cells, &known[i].stored);
        if (known[i].fits && st == RS_OK) st = add_row(&more, &out->cells, &known[i].row);
    }
    return st;
}

static rs_status scan(asking *a, uint64_t min, uint64_t max) {
    rs_sample s = {.store = a->store,
                   .project = a->project,
                   .list = a->q->list,
                   .exact = a->q->exact,
                   .in_full = rs_measure_reads_in_full(a->q),
                   .add = add_row,
                   .ctx = a};
    if (max != 0 && min >= max) return RS_OK;
    rs_status st = rs_sample_run(&s, min, max, &a->out->cells, a->err);
    a->out->rows += s.rows;
    a->out->is_estimate = a->out->is_estimate || s.is_estimate;
    return st;
}

/* ---- sums by the hour ---------------------------------------------------------------------------------- */

static bool can_use_hours(const asking *a) {
    const rs_measure *q = a->q;
    if (a->out->bucket_ns % NS_PER_HOUR != 0) return false;
    if (is_of_traces(a)) return !needs_kind(a);
    for (size_t i = 0; i < q->ngroupings; i++) {
        bool known = !is_grouped(&q->groupings[i]);
        for (size_t k = 0; k < RS_ARRAY_LEN(kinds) && q->groupings[i].field; k++)
            known = known || strcmp(q->groupings[i].field->name, kinds[k]) == 0;
        if (!known) return false;
    }
    return rs_walk_needs_only(q->list, kinds, RS_ARRAY_LEN(kinds));
}

/* A row of sums is asked as a span that has what it is of. */
static bool take_hour(void *ctx, const rs_hour_row *row) {
    asking *a = ctx;
    const rs_measure *q = a->q;
    rs_cells *cells = &a->out->cells;
    bool needs = needs_kind(a);
    if (row->sums.n == 0) return true;
    a->lacks_kind = needs && !row->has_kind;
    if (a->lacks_kind) return false;
    rs_span like = {
        .facts = {.log_type = row->log_type, .model = row->model, .environment = row->environment}};
    if (needs && !rs_walk_matches(q->list, &like)) return true;
    uint64_t bucket = a->out->bucket_ns ? row->hour / (a->out->bucket_ns / NS_PER_HOUR) : 0;
    for (size_t i = 0; i < q->ngroupings && a->failed == RS_OK; i++) {
        rs_field_value v;
        char digits[24];
        uint32_t group;
        rs_cell *cell;
        rs_str value = value_of(&q->groupings[i], q->list->table, &like, &v, digits, a->arena);
        a->failed = rs_cells_group(cells, (unsigned)i, value, &group);
        if (a->failed == RS_OK) a->failed = rs_cells_at(cells, group, bucket, &cell);
        if (a->failed == RS_OK) a->failed = rs_sums_merge(&cell->sums, &row->sums, 1, a->arena);
    }
    return a->failed == RS_OK;
}

static rs_status add_hours(asking *a, uint64_t first, uint64_t end) {
    rs_hour_scan hours = {
        .of = what_of(a), .first = first, .last = end - 1, .has_histograms = a->q->has_histograms};
    a->out->from_hours = true;
    if (end <= first) return RS_OK;
    rs_status st = rs_store_scan_hours(a->store, a->project, &hours, take_hour, a, a->err);
    return st == RS_OK ? a->failed : st;
}

/* Whole hours from their sums, what the window cuts off them by scanning. */
static rs_status answer_by_hours(asking *a) {
    uint64_t min = a->min, max = a->max;
    uint64_t first = min / NS_PER_HOUR + (min % NS_PER_HOUR != 0);
    uint64_t end = max ? max / NS_PER_HOUR : INT64_MAX;
    if (end < first) return scan(a, min, max); /* within one hour */
    rs_status st = add_hours(a, first, end);
    if (st == RS_OK && !a->lacks_kind && min < first * NS_PER_HOUR) st = scan(a, min, first * NS_PER_HOUR);
    if (st == RS_OK && !a->lacks_kind && max) st = scan(a, end * NS_PER_HOUR, max);
    return st;
}

/* ---- the window and its buckets ------------------------------------------------------------------------ */

/* From the first to the last hour that has something. */
typedef struct extent {
    uint64_t first, last;
    bool any;
} extent;

typedef struct extents {
    extent all, sensible;
    uint64_t least, most; /* hours that may be sensible */
} extents;

static void widen(extent *e, uint64_t hour) {
    if (!e->any || hour < e->first) e->first = hour;
    if (!e->any || hour > e->last) e->last = hour;
    e->any = true;
}

static bool take_extent(void *ctx, const rs_hour_row *row) {
    extents *e = ctx;
    if (row->sums.n <= 0) return true;
    widen(&e->all, row->hour);
    if (row->hour >= e->least && row->hour <= e->most) widen(&e->sensible, row->hour);
    return true;
}

static uint64_t end_of_hour(uint64_t hour) {
    return hour < UINT64_MAX / NS_PER_HOUR ? (hour + 1) * NS_PER_HOUR : UINT64_MAX;
}

/* Closes what the question leaves open: with what is sensibly dated, if anything is. A clock that was not set, or a span without
 * times, would else make all buckets years long. What lies outside is in no bucket; without buckets it counts. */
static rs_status find_window(asking *a) {
    const rs_list *l = a->q->list;
    rs_measured *out = a->out;
    extents found = {.least = RS_MEASURE_SENSIBLE_FROM / NS_PER_HOUR,
                     .most = rs_clock_wall_ns() / NS_PER_HOUR + RS_MEASURE_AHEAD_HOURS};
    out->start_ns = a->min = l->start_min_ns;
    out->end_ns = a->max = l->start_max_ns;
    bool open_start = !l->has_start && !a->min, open_end = !l->has_end && !a->max;
    if (!open_start && a->max) return RS_OK;
    rs_hour_scan hours = {.of = what_of(a),
                          .first = a->min / NS_PER_HOUR,
                          .last = a->max ? (a->max - 1) / NS_PER_HOUR : UINT64_MAX};
    rs_status st = rs_store_scan_hours(a->store, a->project, &hours, take_extent, &found, a->err);
    if (st != RS_OK || !found.all.any) return st;
    const extent *e = found.sensible.any ? &found.sensible : &found.all;
    if (open_start) out->start_ns = e->first * NS_PER_HOUR;
    if (!a->max) out->end_ns = end_of_hour(open_end ? e->last : found.all.last);
    if (out->end_ns < out->start_ns) out->end_ns = out->start_ns;
    if (a->q->has_buckets && open_start && e->first > found.all.first) a->min = out->start_ns;
    if (a->q->has_buckets && open_end && e->last < found.all.last) a->max = out->end_ns;
    return RS_OK;
}

static rs_status choose_bucket(asking *a) {
    static const uint32_t seconds[] = {1,     2,     5,     10,     15,      30,      60,
                                       120,   300,   600,   900,    1800,    3600,    10800,
                                       21600, 43200, 86400, 604800, 2592000, 7776000, 31536000};
    rs_measured *out = a->out;
    uint64_t length = out->end_ns > out->start_ns ? out->end_ns - out->start_ns : 0;
    if (!a->q->has_buckets) return RS_OK;
    out->bucket_ns = a->q->bucket_ns;
    for (size_t i = 0; !a->q->bucket_ns && i < RS_ARRAY_LEN(seconds); i++) {
        out->bucket_ns = seconds[i] * NS_PER_S;
        if (length / out->bucket_ns < a->q->points) break;
    }
    if (length / out->bucket_ns <= RS_MEASURE_BUCKETS_MAX) return RS_OK;
    return rs_fail(a->err, blame(a, "bucket"), 0,
                   "that is more than %d buckets: take longer ones, or narrow start_time and end_time",
                   RS_MEASURE_BUCKETS_MAX);
}

bool rs_measure_reads_in_full(const rs_measure *q) {
    bool in_full = rs_filter_needs_attributes(&q->list->filter);
    for (size_t i = 0; i < q->ngroupings; i++) in_full = in_full || q->groupings[i].key.n > 0;
    return in_full && q->list->table == &rs_span_fields;
}

rs_status rs_measure_run(rs_store *store, uint64_t project, const rs_measure *question, rs_arena *arena,
                         rs_measured *out, rs_err *err) {
    *out = (rs_measured){.cells = {.arena = arena, .most = question->groups_max}};
    asking a = {.store = store, .project = project, .q = question, .arena = arena, .out = out, .err = err};
    rs_status st = find_window(&a);
    if (st == RS_OK) st = choose_bucket(&a);
    if (st != RS_OK) return st;
    if (can_use_hours(&a)) st = answer_by_hours(&a);
    if (st == RS_OK && (!out->from_hours || a.lacks_kind)) {
        *out = (rs_measured){.cells = {.arena = arena, .most = question->groups_max},
                             .bucket_ns = out->bucket_ns,
                             .start_ns = out->start_ns,
                             .end_ns = out->end_ns};
        st = scan(&a, a.min, a.max);
    }
    if (st == RS_ERR_TOO_LARGE)
        return rs_fail(err, blame(&a, "group_by"), 0,
                       "more than %d groups in buckets: take longer buckets, or narrow the question",
                       RS_CELLS_MAX);
    return st;
}
