#include "server/api_metrics.h"

#include "query/measure.h"
#include "query/ranking.h"
#include "server/api_json.h"
#include "server/api_params.h"
#include "server/running.h"
#include "server/server.h"

#include <math.h>
#include <stdlib.h>

#define NS_PER_S 1e9

enum { POINTS = 60, GROUPS = 10, FACET_VALUES = 10, LIMIT_MAX = 1000 };

/* ---- parameters ---------------------------------------------------------------------------------------- */

enum { OF, GROUP_BY, LIMIT, SORT_BY, PAGE, LATEST, BUCKET, POINTS_MAX, FIELDS, EXTRAS };

typedef struct question {
    rs_list list;
    rs_list_extra extras[EXTRAS];
    rs_grouping groupings[RS_CELLS_FIELDS];
    rs_str names[RS_CELLS_FIELDS];
    rs_measure measure;
    rs_ranking_order order;
    uint32_t limit, page;
    bool latest; /* each group with its newest trace */
    rs_measured answer;
} question;

static bool is_of_spans(const question *q) { return q->list.table == &rs_span_fields; }

static bool refuse(rs_response *res, const char *field, const char *why) {
    rs_response_error(res, 400, "invalid", field, "%s", why);
    return false;
}

/* Which extras an endpoint has is in `taken`: the others stay unknown parameters. */
static bool read_question(rs_request *req, question *q, unsigned taken, bool of_spans, rs_response *res) {
    static const char *const names[EXTRAS] = {"of",     "group_by", "limit",  "sort_by", "page",
                                              "latest", "bucket",   "points", "fields"};
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

/* Which groups are shown, and in which order. */
static bool read_ranking(question *q, uint32_t limit_max, rs_response *res) {
    rs_str sort = q->extras[SORT_BY].value, latest = q->extras[LATEST].value;
    q->limit = GROUPS;
    q->page = 1;
    if (!read_number(q, LIMIT, limit_max, &q->limit, res) ||
        !read_number(q, PAGE, RS_MEASURE_GROUPS, &q->page, res))
        return false;
    if (sort.p && !rs_ranking_order_find(sort, &q->order))
        return refuse(res, "sort_by",
                      "'sort_by' is one of the sums, first_time, last_time or value, with or without -");
    q->latest = rs_str_eq(latest, RS_STR("true"));
    if (latest.p && !q->latest && !rs_str_eq(latest, RS_STR("false")))
        return refuse(res, "latest", "'latest' is true or false");
    if (q->latest && q->list.table != &rs_trace_fields)
        return refuse(res, "latest", "'latest' is of traces: give of=traces");
    return true;
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

static void put_sums(rs_json *j, const rs_sums *s, bool of_spans) {
    put_counts(j, s);
    rs_json_put_int(j, "llm_call_count", s->calls);
    rs_json_put_int(j, "prompt_tokens", s->prompt_tokens);
    rs_json_put_int(j, "completion_tokens", s->completion_tokens);
    rs_json_put_int(j, "total_tokens", s->prompt_tokens + s->completion_tokens);
    if (of_spans) {
        rs_json_put_int(j, "cached_tokens", s->cached_tokens);
        rs_json_put_int(j, "reasoning_tokens", s->reasoning_tokens);
    }
    rs_json_put_double(j, "cost", tidy(s->cost));
    put_histogram(j, "latency", &s->latency, NS_PER_S);
    put_histogram(j, "time_to_first_token", &s->ttft, NS_PER_S);
    put_histogram(j, "tokens_per_second", &s->speed, 1000);
}

/* When the first and the last of them started; null where that is known by the hour alone. */
static void put_seen(rs_json *j, const rs_measured *m, const rs_cell *c) {
    rs_json_put_time(j, "first_time", m->from_hours ? 0 : c->first_ns);
    rs_json_put_time(j, "last_time", m->from_hours ? 0 : c->last_ns);
}

static void put_head(rs_json *j, const question *q) {
    const rs_measured *m = &q->answer;
    rs_json_put_str(j, "of", is_of_spans(q) ? RS_STR("spans") : RS_STR("traces"));
    rs_json_put_time(j, "start_time", m->start_ns);
    rs_json_put_time(j, "end_time", m->end_ns);
    if (m->bucket_ns) rs_json_put_int(j, "bucket_seconds", (int64_t)(m->bucket_ns / 1000000000));
    rs_json_put_bool(j, "is_estimate", m->is_estimate);
}

/* ---- groups --------------------------------------------------------------------------------------------- */

/* "value": …, and whether it is that of the others. */
static void put_value(rs_json *j, const rs_cells *cells, uint32_t group) {
    const rs_group *g = group == RS_RANKING_OTHERS ? NULL : &cells->groups[group];
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

static bool is_shown(const rs_ranking *r, uint32_t group) {
    for (size_t i = 0; i < r->n; i++)
        if (r->items[i].group == group) return true;
    return false;
}

/* The cells of a group, or (RS_RANKING_OTHERS) of all that are not shown for themselves, in order of time and each bucket once. */
static rs_status points_of(const rs_cells *cells, unsigned field, const rs_ranking *r, uint32_t group,
                           rs_arena *arena, rs_cell **out, size_t *n) {
    rs_cell *points = *out = rs_arena_zalloc(arena, cells->n, sizeof *points);
    size_t kept = 0;
    rs_status st = RS_OK;
    *n = 0;
    if (!points) return RS_ERR_MEMORY;
    for (size_t i = 0; i < cells->n; i++) {
        const rs_cell *c = &cells->items[i];
        bool wanted = group == RS_RANKING_OTHERS ? !is_shown(r, c->group) : c->group == group;
        if (wanted && cells->groups[c->group].field == field) points[(*n)++] = *c;
    }
    if (*n > 1) qsort(points, *n, sizeof *points, by_bucket);
    for (size_t i = 0; i < *n && st == RS_OK; i++) {
        if (kept > 0 && points[kept - 1].bucket == points[i].bucket) {
            rs_sums both = {0}; /* a cell's own histograms stay as they are */
            st = rs_sums_merge(&both, &points[kept - 1].sums, 1, arena);
            if (st == RS_OK) st = rs_sums_merge(&both, &points[i].sums, 1, arena);
            points[kept - 1].sums = both;
        } else {
            points[kept++] = points[i];
        }
    }
    *n = kept;
    return st;
}

static rs_status put_points(rs_json *j, const question *q, const rs_ranking *r, uint32_t group,
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
        put_sums(j, &points[i].sums, is_of_spans(q));
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

typedef struct trace_writer {
    rs_json *json;
    bool content, written;
} trace_writer;

static bool write_trace(void *ctx, const rs_trace_row *row) {
    trace_writer *w = ctx;
    rs_json_object(w->json);
    rs_api_write_trace(w->json, row, w->content);
    rs_json_object_end(w->json);
    w->written = true;
    return false;
}

/* Null if it was deleted meanwhile, and of the others. */
static rs_status put_latest(rs_json *j, rs_store *store, const rs_request *req, const question *q,
                            const rs_ranked *item) {
    rs_err err = {0};
    rs_status st = RS_OK;
    trace_writer w = {.json = j, .content = q->list.content};
    rs_json_key(j, RS_STR("latest"));
    if (item->group != RS_RANKING_OTHERS && item->cell.last_ns)
        st = rs_store_get_trace(store, req->project, item->cell.last_trace, write_trace, &w, &err);
    if (!w.written) rs_json_null(j);
    return st == RS_ERR_NOT_FOUND ? RS_OK : st;
}

static void answer_sums(rs_server *server, rs_request *req, rs_response *res, question *q, bool with_points) {
    rs_ranking r;
    rs_str by = q->extras[GROUP_BY].value;
    q->measure.has_histograms = true;
    if (!with_points) q->measure.groups_max = RS_MEASURE_GROUPS;
    if (!read_ranking(q, with_points ? 100 : LIMIT_MAX, res)) return;
    if (!read_grouping(q, "group_by", by, 0, res) || !run(server, req, q, res)) return;
    rs_status st =
        rs_ranking_make(&q->answer.cells, 0, q->order, (q->page - 1) * q->limit, q->limit, &req->arena, &r);
    if (st != RS_OK) {
        finish(res, st);
        return;
    }
    rs_json j = rs_json_on(&res->body);
    rs_json_object(&j);
    put_head(&j, q);
    rs_json_put_str_or_null(&j, "group_by", by);
    rs_json_put_int(&j, "group_count", by.n ? r.distinct : 0);
    rs_json_key(&j, RS_STR("totals"));
    rs_json_object(&j);
    put_sums(&j, &r.all.sums, is_of_spans(q));
    put_seen(&j, &q->answer, &r.all);
    rs_json_object_end(&j);
    rs_json_key(&j, RS_STR("groups"));
    rs_json_array(&j);
    for (size_t i = 0; i < r.n && st == RS_OK; i++) {
        rs_json_object(&j);
        put_value(&j, &q->answer.cells, r.items[i].group);
        put_sums(&j, &r.items[i].cell.sums, is_of_spans(q));
        put_seen(&j, &q->answer, &r.items[i].cell);
        if (q->latest) st = put_latest(&j, server->store, req, q, &r.items[i]);
        if (with_points && st == RS_OK) st = put_points(&j, q, &r, r.items[i].group, &req->arena);
        rs_json_object_end(&j);
    }
    rs_json_array_end(&j);
    rs_json_object_end(&j);
    finish(res, st);
}

void rs_api_metrics_totals(rs_server *server, rs_request *req, rs_response *res) {
    question q;
    unsigned taken = 1 << OF | 1 << GROUP_BY | 1 << LIMIT | 1 << SORT_BY | 1 << PAGE | 1 << LATEST;
    if (!read_question(req, &q, taken, true, res)) return;
    answer_sums(server, req, res, &q, false);
}

void rs_api_metrics_series(rs_server *server, rs_request *req, rs_response *res) {
    question q;
    unsigned taken = 1 << OF | 1 << GROUP_BY | 1 << LIMIT | 1 << SORT_BY | 1 << BUCKET | 1 << POINTS_MAX;
    if (!read_question(req, &q, taken, true, res) || !read_bucket(&q, res)) return;
    answer_sums(server, req, res, &q, true);
}

void rs_api_metrics_histogram(rs_server *server, rs_request *req, rs_response *res) {
    question q;
    rs_ranking r;
    rs_cell *points = NULL;
    size_t n = 0, at = 0;
    if (!read_question(req, &q, 1 << OF | 1 << BUCKET | 1 << POINTS_MAX, false, res) || !read_bucket(&q, res))
        return;
    if (!run(server, req, &q, res)) return;
    rs_status st = rs_ranking_make(&q.answer.cells, 0, (rs_ranking_order){0}, 0, 1, &req->arena, &r);
    if (st == RS_OK && r.n > 0)
        st = points_of(&q.answer.cells, 0, &r, r.items[0].group, &req->arena, &points, &n);
    if (st != RS_OK) {
        finish(res, st);
        return;
    }
    rs_json j = rs_json_on(&res->body);
    rs_json_object(&j);
    put_head(&j, &q);
    put_counts(&j, &r.all.sums);
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
        if (rs_str_eq(name, RS_STR("metadata"))) {
            if (is_of_spans(q)) return refuse(res, "fields", "keys of metadata are counted of traces alone");
            q->names[n] = name;
            q->groupings[n++] = (rs_grouping){.is_keys = true};
        } else if (!read_grouping(q, "fields", name, n++, res)) {
            return false;
        }
    }
    q->measure.ngroupings = n;
    if (n > 0 && left.n == 0) return true;
    return refuse(res, "fields", "'fields' is 1 to 32 names of fields with commas between them");
}

/* As a list shows them: else "ok" would be more than it has. */
static bool count_running(rs_server *server, rs_request *req, question *q, rs_response *res) {
    rs_trace_known *known;
    size_t n;
    rs_err err = {0};
    if (is_of_spans(q)) return true;
    rs_status st =
        rs_running_know(server->store, server->open, req->project, &q->list, &req->arena, &known, &n, &err);
    if (st == RS_OK) st = rs_measure_count_known(&q->measure, known, n, &req->arena, &q->answer);
    if (st == RS_OK) return true;
    finish(res, st);
    return false;
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
    if (!run(server, req, &own, res) || !count_running(server, req, &own, res)) return false;
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
    if (nshared > 0 && (!run(server, req, &shared, res) || !count_running(server, req, &shared, res)))
        return false;
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
    if (!read_number(&q, LIMIT, LIMIT_MAX, &limit, res) || !read_fields(&q, res)) return;
    if (!run_facets(server, req, &q, facets, res)) return;
    rs_json j = rs_json_on(&res->body);
    rs_json_object(&j);
    put_head(&j, &q);
    rs_json_key(&j, RS_STR("facets"));
    rs_json_array(&j);
    for (unsigned f = 0; f < q.measure.ngroupings && st == RS_OK; f++) {
        rs_ranking r;
        const rs_cells *cells = &facets[f].answer.cells;
        st = rs_ranking_make(cells, facets[f].field, (rs_ranking_order){0}, 0, limit, &req->arena, &r);
        rs_json_object(&j);
        rs_json_put_str(&j, "field", q.names[f]);
        rs_json_put_int(&j, "distinct", r.distinct);
        rs_json_key(&j, RS_STR("values"));
        rs_json_array(&j);
        for (size_t i = 0; i < r.n; i++) {
            rs_json_object(&j);
            put_value(&j, cells, r.items[i].group);
            put_counts(&j, &r.items[i].cell.sums);
            rs_json_object_end(&j);
        }
        rs_json_array_end(&j);
        rs_json_object_end(&j);
    }
    rs_json_array_end(&j);
    rs_json_object_end(&j);
    finish(res, st);
}
