#include "server/api_metrics.h"

#include "query/measure.h"
#include "server/api_params.h"
#include "server/server.h"

#include <math.h>
#include <stdlib.h>

#define NS_PER_S 1e9

enum { POINTS = 60, GROUPS = 10, FACET_VALUES = 10 };

/* ---- parameters ---------------------------------------------------------------------------------------- */

enum { OF, GROUP_BY, LIMIT, BUCKET, POINTS_MAX, FIELDS, EXTRAS };

typedef struct question {
    rs_list list;
    rs_list_extra extras[EXTRAS];
    rs_grouping groupings[RS_CELLS_FIELDS];
    rs_str names[RS_CELLS_FIELDS];
    rs_measure measure;
    uint32_t limit;
    rs_measured answer;
} question;

static bool refuse(rs_response *res, const char *field, const char *why) {
    rs_response_error(res, 400, "invalid", field, "%s", why);
    return false;
}

/* Which extras an endpoint has is in `taken`: the others stay unknown parameters. */
static bool read_question(rs_request *req, question *q, unsigned taken, bool of_spans, rs_response *res) {
    static const char *const names[EXTRAS] = {"of", "group_by", "limit", "bucket", "points", "fields"};
    rs_list_extra given[EXTRAS];
    size_t n = 0;
    const char *of = rs_request_query(req, "of");
    *q = (question){0};
    for (unsigned i = 0; i < EXTRAS; i++)
        if (taken >> i & 1) given[n++] = (rs_list_extra){names[i], {0}};
    if (of && strcmp(of, "spans") != 0 && strcmp(of, "traces") != 0)
        return refuse(res, "of", "'of' is traces or spans");
    if (of) of_spans = strcmp(of, "spans") == 0;
    if (!rs_api_read_question(req, of_spans ? &rs_span_fields : &rs_trace_fields, given, n, &q->list, res))
        return false;
    const char *not_taken = q->list.sort         ? "sort_by"
                            : q->list.has_cursor ? "cursor"
                            : q->list.page > 1   ? "page"
                                                 : NULL;
    if (not_taken) {
        rs_response_error(res, 400, "invalid", not_taken, "sums are of all that fits: they take no '%s'",
                          not_taken);
        return false;
    }
    q->list.extras = NULL;
    for (size_t i = 0, at = 0; i < EXTRAS; i++)
        if (taken >> i & 1) q->extras[i] = given[at++];
    if (!of && q->extras[OF].value.p) return refuse(res, "of", "'of' is given in the query");
    q->measure = (rs_measure){.list = &q->list, .groupings = q->groupings, .ngroupings = 1, .points = POINTS};
    return true;
}

/* A whole number from 1 to max; *out keeps its default if it is not given. */
static bool read_number(const question *q, int which, uint32_t max, uint32_t *out, rs_response *res) {
    unsigned long long v;
    rs_str given = q->extras[which].value;
    if (!given.p) return true;
    if (rs_str_to_u64(given, &v) && v >= 1 && v <= max) return *out = (uint32_t)v, true;
    rs_response_error(res, 400, "invalid", q->extras[which].name, "'%s' is a whole number from 1 to %u",
                      q->extras[which].name, max);
    return false;
}

static bool read_bucket(question *q, rs_response *res) {
    static const struct {
        const char *name;
        uint64_t seconds; /* 0: chosen */
    } named[] = {{"auto", 0}, {"minute", 60}, {"hour", 3600}, {"day", 86400}, {"week", 604800}};
    rs_str given = q->extras[BUCKET].value;
    unsigned long long seconds = 0;
    bool known = !given.p;
    for (size_t i = 0; i < RS_ARRAY_LEN(named) && !known; i++) {
        known = rs_str_eq(given, rs_str_of(named[i].name));
        if (known) seconds = named[i].seconds;
    }
    if (!known) known = rs_str_to_u64(given, &seconds) && seconds >= 1 && seconds <= 366 * 86400;
    if (!known)
        return refuse(res, "bucket", "'bucket' is auto, minute, hour, day, week or a number of seconds");
    q->measure.has_buckets = true;
    q->measure.bucket_ns = seconds * 1000000000ull;
    return read_number(q, POINTS_MAX, 1000, &q->measure.points, res);
}

static bool read_grouping(question *q, const char *parameter, rs_str name, size_t at, rs_response *res) {
    rs_err err = {0};
    q->names[at] = name;
    if (rs_grouping_find(q->list.table, name, &q->groupings[at], &err) == RS_OK) return true;
    return refuse(res, parameter, err.message);
}

static bool run(rs_server *server, rs_request *req, question *q, rs_response *res) {
    rs_err err = {0};
    q->measure.exact = rs_measure_reads_in_full(&q->measure) ? RS_MEASURE_EXACT_FULL : RS_MEASURE_EXACT;
    rs_status st = rs_measure_run(server->store, req->project, &q->measure, &req->arena, &q->answer, &err);
    if (st == RS_OK) return true;
    if (err.code == RS_OK) rs_fail(&err, st, 0, "%s", rs_status_text(st));
    rs_api_list_error(res, &q->list, &err);
    return false;
}

/* ---- sums as JSON -------------------------------------------------------------------------------------- */

/* Mean, which is exact, and percentiles; unit: how many of the histogram's are one of the answer's. */
static void put_histogram(rs_json *j, const char *key, const rs_histogram *h, double unit) {
    static const struct {
        const char *name;
        double q;
    } quantiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}};
    int64_t n = rs_histogram_count(h);
    if (n == 0) {
        rs_json_put_null(j, key);
        return;
    }
    rs_json_key(j, rs_str_of(key));
    rs_json_object(j);
    rs_json_put_double(j, "mean", h->sum / (double)n / unit);
    for (size_t i = 0; i < RS_ARRAY_LEN(quantiles); i++)
        rs_json_put_double(j, quantiles[i].name, (double)rs_histogram_quantile(h, quantiles[i].q) / unit);
    rs_json_object_end(j);
}

static void put_counts(rs_json *j, const rs_sums *s) {
    rs_json_put_int(j, "count", s->n);
    rs_json_put_int(j, "error_count", s->errors);
}

/* A microdollar's sum of doubles has noise that no one asked for. */
static double tidy(double cost) { return round(cost * 1e12) / 1e12; }

static void put_sums(rs_json *j, const rs_sums *s) {
    put_counts(j, s);
    rs_json_put_int(j, "llm_call_count", s->calls);
    rs_json_put_int(j, "prompt_tokens", s->prompt_tokens);
    rs_json_put_int(j, "completion_tokens", s->completion_tokens);
    rs_json_put_int(j, "total_tokens", s->prompt_tokens + s->completion_tokens);
    rs_json_put_double(j, "cost", tidy(s->cost));
    put_histogram(j, "latency", &s->latency, NS_PER_S);
    put_histogram(j, "time_to_first_token", &s->ttft, NS_PER_S);
    put_histogram(j, "tokens_per_second", &s->speed, 1000);
}

static void put_head(rs_json *j, const question *q) {
    const rs_measured *m = &q->answer;
    rs_json_put_str(j, "of", q->list.table == &rs_trace_fields ? RS_STR("traces") : RS_STR("spans"));
    rs_json_put_time(j, "start_time", m->start_ns);
    rs_json_put_time(j, "end_time", m->end_ns);
    if (m->bucket_ns) rs_json_put_int(j, "bucket_seconds", (int64_t)(m->bucket_ns / 1000000000));
    rs_json_put_bool(j, "is_estimate", m->is_estimate);
}

/* ---- groups in order ----------------------------------------------------------------------------------- */

/* The groups of one field, most rows first, the others and those past the limit together last. */
typedef struct ranking {
    struct ranked {
        uint32_t group; /* UINT32_MAX: the others */
        rs_sums sums;
    } * items;
    size_t n;
    rs_sums all;
    uint32_t distinct; /* without the others */
} ranking;

static int by_count(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;
    bool x_others = x->group == UINT32_MAX, y_others = y->group == UINT32_MAX;
    if (x_others != y_others) return x_others ? 1 : -1;
    if (x->sums.n != y->sums.n) return x->sums.n < y->sums.n ? 1 : -1;
    return x->group < y->group ? -1 : 1;
}

static rs_status add_to(rs_sums *to, const rs_sums *s, rs_arena *arena) {
    return rs_sums_merge(to, s, 1, arena);
}

static rs_status rank(const rs_cells *cells, unsigned field, uint32_t limit, rs_arena *arena, ranking *out) {
    rs_status st = RS_OK;
    rs_sums *of_group = rs_arena_zalloc(arena, cells->ngroups, sizeof *of_group), others = {0};
    *out = (ranking){.items = rs_arena_zalloc(arena, cells->ngroups + 1, sizeof *out->items)};
    if (!of_group || !out->items) return RS_ERR_MEMORY;
    for (size_t i = 0; i < cells->n && st == RS_OK; i++) {
        const rs_cell *c = &cells->items[i];
        if (cells->groups[c->group].field != field) continue;
        st = add_to(&of_group[c->group], &c->sums, arena);
        if (st == RS_OK) st = add_to(&out->all, &c->sums, arena);
    }
    for (size_t g = 0; g < cells->ngroups && st == RS_OK; g++) {
        if (cells->groups[g].field != field) continue;
        if (cells->groups[g].is_others) others = of_group[g];
        else out->items[out->n++] = (struct ranked){(uint32_t)g, of_group[g]};
    }
    out->distinct = (uint32_t)out->n;
    if (out->n > 1) qsort(out->items, out->n, sizeof *out->items, by_count);
    for (; out->n > limit && st == RS_OK; out->n--) st = add_to(&others, &out->items[out->n - 1].sums, arena);
    if (st == RS_OK && others.n > 0) out->items[out->n++] = (struct ranked){UINT32_MAX, others};
    return st;
}

/* "value": …, and whether it is that of the others. */
static void put_value(rs_json *j, const rs_cells *cells, uint32_t group) {
    const rs_group *g = group == UINT32_MAX ? NULL : &cells->groups[group];
    rs_json_key(j, RS_STR("value"));
    if (!g || g->is_null) rs_json_null(j);
    else rs_json_str(j, g->value);
    rs_json_put_bool(j, "is_others", !g);
}

/* ---- points -------------------------------------------------------------------------------------------- */

static int by_bucket(const void *a, const void *b) {
    const rs_cell *x = a, *y = b;
    return (x->bucket > y->bucket) - (x->bucket < y->bucket);
}

static bool is_shown(const ranking *r, uint32_t group) {
    for (size_t i = 0; i < r->n; i++)
        if (r->items[i].group == group) return true;
    return false;
}

/* The cells of a group, or (UINT32_MAX) of all that are not shown for themselves, in order of time and each bucket once. */
static rs_status points_of(const rs_cells *cells, unsigned field, const ranking *r, uint32_t group,
                           rs_arena *arena, rs_cell **out, size_t *n) {
    rs_cell *points = *out = rs_arena_zalloc(arena, cells->n, sizeof *points);
    size_t kept = 0;
    rs_status st = RS_OK;
    *n = 0;
    if (!points) return RS_ERR_MEMORY;
    for (size_t i = 0; i < cells->n; i++) {
        const rs_cell *c = &cells->items[i];
        bool wanted = group == UINT32_MAX ? !is_shown(r, c->group) : c->group == group;
        if (wanted && cells->groups[c->group].field == field) points[(*n)++] = *c;
    }
    if (*n > 1) qsort(points, *n, sizeof *points, by_bucket);
    for (size_t i = 0; i < *n && st == RS_OK; i++) {
        if (kept > 0 && points[kept - 1].bucket == points[i].bucket) {
            rs_sums both = {0}; /* a cell's own histograms stay as they are */
            st = add_to(&both, &points[kept - 1].sums, arena);
            if (st == RS_OK) st = add_to(&both, &points[i].sums, arena);
            points[kept - 1].sums = both;
        } else {
            points[kept++] = points[i];
        }
    }
    *n = kept;
    return st;
}

static rs_status put_points(rs_json *j, const question *q, const ranking *r, uint32_t group,
                            rs_arena *arena) {
    rs_cell *points;
    size_t n;
    rs_status st = points_of(&q->answer.cells, 0, r, group, arena, &points, &n);
    if (st != RS_OK) return st;
    rs_json_key(j, RS_STR("points"));
    rs_json_array(j);
    for (size_t i = 0; i < n; i++) {
        if (points[i].sums.n == 0) continue;
        rs_json_object(j);
        rs_json_put_time(j, "time", points[i].bucket * q->answer.bucket_ns);
        put_sums(j, &points[i].sums);
        rs_json_object_end(j);
    }
    rs_json_array_end(j);
    return RS_OK;
}

/* ---- endpoints ----------------------------------------------------------------------------------------- */

static void finish(rs_response *res, rs_status st) {
    rs_err err = {0};
    if (st == RS_OK) st = rs_buf_status(&res->body);
    if (st == RS_OK) return;
    rs_fail(&err, st, 0, "%s", rs_status_text(st));
    rs_response_from_err(res, &err);
}

static void answer_sums(rs_server *server, rs_request *req, rs_response *res, question *q, bool with_points) {
    uint32_t limit = GROUPS;
    ranking r;
    rs_str by = q->extras[GROUP_BY].value;
    q->measure.has_histograms = true;
    if (!read_number(q, LIMIT, with_points ? 100 : RS_CELLS_GROUPS, &limit, res)) return;
    if (!read_grouping(q, "group_by", by, 0, res) || !run(server, req, q, res)) return;
    rs_status st = rank(&q->answer.cells, 0, limit, &req->arena, &r);
    if (st != RS_OK) {
        finish(res, st);
        return;
    }
    rs_json j = rs_json_on(&res->body);
    rs_json_object(&j);
    put_head(&j, q);
    rs_json_put_str_or_null(&j, "group_by", by);
    rs_json_key(&j, RS_STR("totals"));
    rs_json_object(&j);
    put_sums(&j, &r.all);
    rs_json_object_end(&j);
    rs_json_key(&j, RS_STR("groups"));
    rs_json_array(&j);
    for (size_t i = 0; i < r.n && st == RS_OK; i++) {
        rs_json_object(&j);
        put_value(&j, &q->answer.cells, r.items[i].group);
        put_sums(&j, &r.items[i].sums);
        if (with_points) st = put_points(&j, q, &r, r.items[i].group, &req->arena);
        rs_json_object_end(&j);
    }
    rs_json_array_end(&j);
    rs_json_object_end(&j);
    finish(res, st);
}

void rs_api_metrics_totals(rs_server *server, rs_request *req, rs_response *res) {
    question q;
    if (!read_question(req, &q, 1 << OF | 1 << GROUP_BY | 1 << LIMIT, true, res)) return;
    answer_sums(server, req, res, &q, false);
}

void rs_api_metrics_series(rs_server *server, rs_request *req, rs_response *res) {
    question q;
    unsigned taken = 1 << OF | 1 << GROUP_BY | 1 << LIMIT | 1 << BUCKET | 1 << POINTS_MAX;
    if (!read_question(req, &q, taken, true, res) || !read_bucket(&q, res)) return;
    answer_sums(server, req, res, &q, true);
}

void rs_api_metrics_histogram(rs_server *server, rs_request *req, rs_response *res) {
    question q;
    ranking r;
    rs_cell *points = NULL;
    size_t n = 0, at = 0;
    if (!read_question(req, &q, 1 << OF | 1 << BUCKET | 1 << POINTS_MAX, false, res) || !read_bucket(&q, res))
        return;
    if (!run(server, req, &q, res)) return;
    rs_status st = rank(&q.answer.cells, 0, 1, &req->arena, &r);
    if (st == RS_OK && r.n > 0)
        st = points_of(&q.answer.cells, 0, &r, r.items[0].group, &req->arena, &points, &n);
    if (st != RS_OK) {
        finish(res, st);
        return;
    }
    rs_json j = rs_json_on(&res->body);
    rs_json_object(&j);
    put_head(&j, &q);
    put_counts(&j, &r.all);
    rs_json_key(&j, RS_STR("buckets"));
    rs_json_array(&j);
    uint64_t ns = q.answer.bucket_ns, first = q.answer.start_ns / ns,
             end = q.answer.end_ns / ns + (q.answer.end_ns % ns != 0);
    for (uint64_t b = first; b < end; b++) {
        rs_sums none = {0};
        while (at < n && points[at].bucket < b) at++;
        rs_json_object(&j);
        rs_json_put_time(&j, "time", b * ns);
        put_counts(&j, at < n && points[at].bucket == b ? &points[at].sums : &none);
        rs_json_object_end(&j);
    }
    rs_json_array_end(&j);
    rs_json_object_end(&j);
    finish(res, st);
}

/* The next of names with commas between them. */
static rs_str next_name(rs_str *left) {
    const char *comma = left->n ? memchr(left->p, ',', left->n) : NULL;
    rs_str name = {left->p, comma ? (size_t)(comma - left->p) : left->n};
    *left = comma ? rs_str_from(*left, name.n + 1) : (rs_str){0};
    return name;
}

static bool read_fields(question *q, rs_response *res) {
    static const char of_traces[] =
        "log_type,model,environment,customer_identifier,session_identifier,name,status_code",
                      of_spans[] =
                          "log_type,model,provider,environment,customer_identifier,thread_identifier,name,"
                          "span_workflow_name,status_code,usage_source";
    rs_str left = q->extras[FIELDS].value;
    size_t n = 0;
    if (!left.p) left = rs_str_of(q->list.table == &rs_trace_fields ? of_traces : of_spans);
    while (left.n > 0 && n < RS_CELLS_FIELDS) {
        rs_str name = next_name(&left);
        if (name.n == 0) return refuse(res, "fields", "'fields' is names of fields with commas between them");
        if (!read_grouping(q, "fields", name, n++, res)) return false;
    }
    q->measure.ngroupings = n;
    if (n > 0 && left.n == 0) return true;
    return refuse(res, "fields", "'fields' is 1 to 32 names of fields with commas between them");
}

/* A facet is of what all other conditions leave: a value that was chosen does not hide those that might be chosen instead. */
typedef struct facet {
    unsigned field; /* its number in the cells */
    rs_measured answer;
} facet;

static bool run_alone(rs_server *server, rs_request *req, const question *q, size_t at,
                      const rs_filter *filter, facet *out, rs_response *res) {
    question own = *q;
    own.list.filter = *filter;
    own.groupings[0] = q->groupings[at];
    own.measure.list = &own.list;
    own.measure.groupings = own.groupings;
    own.measure.ngroupings = 1;
    if (!run(server, req, &own, res)) return false;
    *out = (facet){0, own.answer};
    return true;
}

/* Those that the filter does not speak of, together; the others one by one. */
static bool run_facets(rs_server *server, rs_request *req, question *q, facet *facets, rs_response *res) {
    question shared = *q;
    size_t n = q->measure.ngroupings, nshared = 0, first = n;
    bool ok = true, is_alone[RS_CELLS_FIELDS];
    for (size_t i = 0; i < n && ok; i++) {
        rs_filter filter;
        bool failed, alone = rs_filter_without(&q->list.filter, q->groupings[i].field, q->groupings[i].key,
                                               &req->arena, &filter, &failed);
        if (failed) return finish(res, RS_ERR_MEMORY), false;
        if (alone && first == n) first = i;
        if (alone) ok = run_alone(server, req, q, i, &filter, &facets[i], res);
        else facets[i].field = (unsigned)nshared, shared.groupings[nshared++] = q->groupings[i];
        is_alone[i] = alone;
    }
    if (!ok) return false;
    shared.measure.list = &shared.list;
    shared.measure.groupings = shared.groupings;
    shared.measure.ngroupings = nshared;
    if (nshared > 0 && !run(server, req, &shared, res)) return false;
    q->answer = nshared > 0 ? shared.answer : facets[first].answer;
    for (size_t i = 0; i < n; i++) {
        if (!is_alone[i]) facets[i].answer = shared.answer;
        else if (facets[i].answer.is_estimate) q->answer.is_estimate = true;
    }
    return true;
}

void rs_api_metrics_facets(rs_server *server, rs_request *req, rs_response *res) {
    question q;
    facet facets[RS_CELLS_FIELDS] = {0};
    uint32_t limit = FACET_VALUES;
    rs_status st = RS_OK;
    if (!read_question(req, &q, 1 << OF | 1 << LIMIT | 1 << FIELDS, false, res)) return;
    if (!read_number(&q, LIMIT, RS_CELLS_GROUPS, &limit, res) || !read_fields(&q, res)) return;
    if (!run_facets(server, req, &q, facets, res)) return;
    rs_json j = rs_json_on(&res->body);
    rs_json_object(&j);
    put_head(&j, &q);
    rs_json_key(&j, RS_STR("facets"));
    rs_json_array(&j);
    for (unsigned f = 0; f < q.measure.ngroupings && st == RS_OK; f++) {
        ranking r;
        const rs_cells *cells = &facets[f].answer.cells;
        st = rank(cells, facets[f].field, limit, &req->arena, &r);
        rs_json_object(&j);
        rs_json_put_str(&j, "field", q.names[f]);
        rs_json_put_int(&j, "distinct", r.distinct);
        rs_json_key(&j, RS_STR("values"));
        rs_json_array(&j);
        for (size_t i = 0; i < r.n; i++) {
            rs_json_object(&j);
            put_value(&j, cells, r.items[i].group);
            put_counts(&j, &r.items[i].sums);
            rs_json_object_end(&j);
        }
        rs_json_array_end(&j);
        rs_json_object_end(&j);
    }
    rs_json_array_end(&j);
    rs_json_object_end(&j);
    finish(res, st);
}
