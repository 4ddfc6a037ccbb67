/* Histograms, and the sums by hour that the store keeps: whatever is sent, and however often, they are those of what is there. */
#include "run_sql.h"
#include "store/histogram.h"
#include "store_fixture.h"

#define HOUR_NS 3600000000000ull

/* ---- histograms ---------------------------------------------------------------------------------------- */

static void a_range_is_near_each_of_its_values(void **state) {
    (void)state;
    unsigned last = 0;
    assert_int_equal(rs_histogram_range(0), 0);
    assert_int_equal(rs_histogram_range(UINT64_MAX), RS_HISTOGRAM_RANGES - 1);
    for (uint64_t v = 1; v < UINT64_MAX / 3; v += 1 + v / 77) {
        unsigned range = rs_histogram_range(v);
        double middle = (double)rs_histogram_middle(range);
        assert_true(range >= last && range < RS_HISTOGRAM_RANGES);
        assert_int_equal(rs_histogram_range(rs_histogram_middle(range)), range);
        assert_true(fabs(middle - (double)v) <= (double)v / 32);
        last = range;
    }
}

static void quantiles_of_a_sum_are_those_of_all_values(void **state) {
    fixture *f = *state;
    enum { N = 10000 };
    rs_histogram parts[3] = {0}, sum = {0};
    static const double qs[] = {0, 0.5, 0.9, 0.95, 0.99, 1};
    for (uint64_t i = 0; i < N; i++) /* of i² */
        assert_int_equal(rs_histogram_add(&parts[i % 3], i * i, 1, &f->arena), RS_OK);
    for (int p = 2; p >= 0; p--) assert_int_equal(rs_histogram_merge(&sum, &parts[p], 1, &f->arena), RS_OK);
    assert_int_equal(rs_histogram_count(&sum), N);
    for (size_t i = 0; i < RS_ARRAY_LEN(qs); i++) {
        double exact = qs[i] * (N - 1) * qs[i] * (N - 1);
        assert_true(fabs((double)rs_histogram_quantile(&sum, qs[i]) - exact) <= exact / 32 + 2 * N * 1.5);
    }
    for (uint64_t i = 0; i < N; i++) assert_int_equal(rs_histogram_add(&sum, i * i, -1, &f->arena), RS_OK);
    assert_int_equal(rs_histogram_count(&sum), 0);
    assert_int_equal(rs_histogram_quantile(&sum, 0.5), 0);
}

/* ---- what the store keeps ------------------------------------------------------------------------------ */

typedef struct tally {
    rs_sums sums;
    rs_arena *arena;
    rs_str model; /* of these alone, if not NULL */
    uint64_t rows, without_kind, hours[4];
} tally;

static bool take_hour(void *ctx, const rs_hour_row *row) {
    tally *t = ctx;
    if (t->model.p && !rs_str_eq(row->model, t->model)) return true;
    t->rows++;
    if (!row->has_kind) t->without_kind += (uint64_t)row->sums.n;
    uint64_t hour = row->hour - T0 / HOUR_NS;
    if (hour < RS_ARRAY_LEN(t->hours)) t->hours[hour] += (uint64_t)row->sums.n;
    assert_int_equal(rs_sums_merge(&t->sums, &row->sums, 1, t->arena), RS_OK);
    return true;
}

static tally tally_of(fixture *f, rs_of of, const char *model) {
    tally t = {.arena = &f->arena, .model = rs_str_of(model)};
    rs_err err = {0};
    rs_hour_scan scan = {.of = of, .last = UINT64_MAX, .has_histograms = true};
    if (rs_store_scan_hours(f->store, 1, &scan, take_hour, &t, &err) != RS_OK) fail_msg("%s", err.message);
    return t;
}

static rs_span call(uint64_t trace, uint64_t id, uint64_t at, uint64_t length, const char *model) {
    rs_span s = make_span(trace, id, id == 1 ? 0 : 1, at);
    s.end_ns = s.start_ns + length;
    s.facts.log_type = RS_LOG_CHAT;
    s.facts.model = rs_str_of(model);
    s.facts.prompt_tokens = 10;
    s.facts.completion_tokens = 5;
    s.facts.cached_tokens = 4;
    s.facts.reasoning_tokens = 3;
    s.facts.cost = 0.25;
    s.facts.ttft = 0.5;
    s.facts.tokens_per_second = 40;
    return s;
}

static void assert_near(uint64_t got, double wanted) {
    if (fabs((double)got - wanted) > wanted / 32)
        fail_msg("%llu is not near %f", (unsigned long long)got, wanted);
}

static void sums_are_of_what_is_there(void **state) {
    fixture *f = *state;
    rs_span spans[] = {call(1, 1, 0, 100 * MS, "a"), call(1, 2, 1, 300 * MS, "a"),
                       call(2, 3, HOUR_NS, 200 * MS, "b"), make_span(2, 4, 3, HOUR_NS)};
    spans[2].status = RS_STATUS_ERROR;
    spans[3].facts.prompt_tokens = 99; /* of no model call */
    commit_spans(f, spans, 4);
    tally all = tally_of(f, RS_OF_SPANS, NULL), a = tally_of(f, RS_OF_SPANS, "a");
    assert_int_equal(all.sums.n, 4);
    assert_int_equal(all.sums.calls, 3);
    assert_int_equal(all.sums.errors, 1);
    assert_int_equal(all.sums.prompt_tokens, 30);
    assert_int_equal(all.sums.cached_tokens, 12);
    assert_int_equal(all.sums.reasoning_tokens, 9);
    assert_true(all.sums.cost == 0.75);
    assert_int_equal(all.hours[0] + all.hours[1] + all.hours[2], 4);
    assert_int_equal(a.sums.n, 2);
    assert_near(rs_histogram_quantile(&a.sums.latency, 0), 100e6);
    assert_near(rs_histogram_quantile(&a.sums.latency, 1), 300e6);
    assert_true(a.sums.latency.sum == 400e6);
    assert_near(rs_histogram_quantile(&a.sums.ttft, 0.5), 0.5e9);
    assert_near(rs_histogram_quantile(&a.sums.speed, 0.5), 40e3);
    tally traces = tally_of(f, RS_OF_TRACES, NULL);
    assert_int_equal(traces.sums.n, 2);
    assert_int_equal(traces.sums.errors, 1);
    assert_int_equal(traces.sums.calls, 3);
    assert_near(rs_histogram_quantile(&traces.sums.latency, 1), 300e6);
}

/* A workflow may repeat what its calls cost; what was reckoned by time is of that very span. */
static void costs_of_time_count_whatever_the_task(void **state) {
    fixture *f = *state;
    rs_span spans[] = {make_span(1, 1, 0, 0), make_span(1, 2, 1, MS), make_span(1, 3, 1, 2 * MS)};
    for (size_t i = 0; i < RS_ARRAY_LEN(spans); i++) {
        spans[i].facts.log_type = RS_LOG_CUSTOM;
        spans[i].facts.cost = 1 << i;
        spans[i].facts.cost_source = i == 0 ? RS_COST_SENT : i == 1 ? RS_COST_TIME : RS_COST_LOCAL;
    }
    commit_spans(f, spans, RS_ARRAY_LEN(spans));
    for (int again = 0; again < 2; again++) {
        tally t = tally_of(f, RS_OF_SPANS, "");
        assert_true(t.sums.cost == 6 && t.sums.calls == 0);
        t = tally_of(f, RS_OF_TRACES, "");
        assert_true(t.sums.cost == 6 && t.sums.calls == 0);
        commit_spans(f, &spans[1], 1); /* and so once it was sent again */
    }
}

static void what_is_sent_again_counts_once(void **state) {
    fixture *f = *state;
    rs_span first = call(1, 1, 0, 100 * MS, "a"), again = call(1, 1, 2 * HOUR_NS, 50 * MS, "b"),
            late = make_span(1, 2, 1, 0);
    commit_spans(f, &first, 1);
    commit_spans(f, &late, 1);
    for (int i = 0; i < 3; i++) commit_spans(f, &again, 1);
    fixture_reopen(f);
    tally all = tally_of(f, RS_OF_SPANS, NULL), a = tally_of(f, RS_OF_SPANS, "a"),
          b = tally_of(f, RS_OF_SPANS, "b");
    assert_int_equal(all.sums.n, 2);
    assert_int_equal(a.sums.n, 0);
    assert_int_equal(rs_histogram_count(&a.sums.latency), 0);
    assert_int_equal(b.sums.n, 1);
    assert_int_equal(rs_histogram_count(&b.sums.latency), 1);
    assert_near(rs_histogram_quantile(&b.sums.latency, 0.5), 50e6);
    tally traces = tally_of(f, RS_OF_TRACES, NULL); /* it began earlier, grew, and its first span moved */
    assert_int_equal(traces.sums.n, 1);
    assert_int_equal(rs_histogram_count(&traces.sums.latency), 1);
    assert_near(rs_histogram_quantile(&traces.sums.latency, 0.5), 2 * 3600e9 + 50e6);
}

static void too_many_kinds_go_together(void **state) {
    fixture *f = *state;
    enum { N = 21000 };
    rs_span *spans = calloc(N, sizeof *spans);
    char(*models)[16] = calloc(N, sizeof *models), longest[300];
    memset(longest, 'm', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    for (uint64_t i = 0; i < N; i++) {
        snprintf(models[i], sizeof models[i], "m%llu", (unsigned long long)i);
        spans[i] = call(i / 100 + 1, i + 1, 0, MS, models[i]);
    }
    spans[0].facts.model = rs_str_of(longest);
    for (int i = 0; i < N; i += 1000) commit_spans(f, spans + i, 1000);
    commit_spans(f, spans + N - 1000, 1000); /* again */
    tally all = tally_of(f, RS_OF_SPANS, NULL);
    assert_int_equal(all.sums.n, N);
    assert_in_range(all.rows, 19000, 20001);
    assert_int_equal(all.without_kind, N - (all.rows - 1));
    assert_int_equal(rs_histogram_count(&all.sums.latency), N);
    free(models);
    free(spans);
}

/* ---- an older store ------------------------------------------------------------------------------------ */

static void a_store_of_version_2_gets_its_sums(void **state) {
    fixture *f = *state;
    char path[160];
    for (uint64_t i = 1; i <= 30; i++) {
        rs_span spans[] = {call(i, 1, i * MS, i * MS, "a"), call(i, 2, 2 * HOUR_NS, MS, i % 2 ? "b" : "c")};
        commit_spans(f, spans, 2);
        if (i % 5 == 0) commit_spans(f, spans, 2);
    }
    tally spans = tally_of(f, RS_OF_SPANS, NULL), traces = tally_of(f, RS_OF_TRACES, NULL);
    rs_store_close(f->store);
    snprintf(path, sizeof path, "%s/projects/1/p000001/index.db", f->dir);
    const char *sql =
        "ALTER TABLE block DROP COLUMN words; ALTER TABLE block DROP COLUMN min_key;"
        "ALTER TABLE state DROP COLUMN has_rollups; ALTER TABLE state DROP COLUMN sealed_end;"
        "ALTER TABLE state DROP COLUMN erasing; ALTER TABLE state DROP COLUMN has_model_parts; DROP TABLE "
        "rollup;"
        "CREATE TABLE rollup(hour INTEGER NOT NULL, model TEXT NOT NULL, PRIMARY KEY(hour, model));"
        "INSERT INTO rollup VALUES(1, 'nonsense'); PRAGMA user_version=2;";
    run_sql(path, sql);
    assert_int_equal(rs_store_open(f->dir, &f->store, NULL), RS_OK);
    tally spans_now = tally_of(f, RS_OF_SPANS, NULL), traces_now = tally_of(f, RS_OF_TRACES, NULL);
    assert_int_equal(spans_now.sums.n, 60);
    assert_int_equal(spans_now.sums.cached_tokens, 240);
    assert_int_equal(spans_now.rows, spans.rows);
    assert_int_equal(traces_now.sums.n, 30);
    static const double qs[] = {0, 0.5, 1};
    for (size_t i = 0; i < RS_ARRAY_LEN(qs); i++) {
        assert_int_equal(rs_histogram_quantile(&spans_now.sums.latency, qs[i]),
                         rs_histogram_quantile(&spans.sums.latency, qs[i]));
        assert_int_equal(rs_histogram_quantile(&traces_now.sums.latency, qs[i]),
                         rs_histogram_quantile(&traces.sums.latency, qs[i]));
    }
    fixture_reopen(f); /* once is enough */
    rs_span more = call(31, 1, 0, MS, "a");
    commit_spans(f, &more, 1);
    assert_int_equal(tally_of(f, RS_OF_SPANS, NULL).sums.n, 61);
}

static void a_store_of_version_8_gets_its_cached_tokens(void **state) {
    fixture *f = *state;
    char path[160];
    rs_span s = call(1, 1, 0, MS, "a");
    commit_spans(f, &s, 1);
    rs_store_close(f->store);
    snprintf(path, sizeof path, "%s/projects/1/p000001/index.db", f->dir);
    run_sql(path,
            "ALTER TABLE rollup DROP COLUMN cached_tokens; ALTER TABLE rollup DROP COLUMN reasoning_tokens;"
            "ALTER TABLE state DROP COLUMN has_model_parts;"
            "PRAGMA user_version=8;");
    assert_int_equal(rs_store_open(f->dir, &f->store, NULL), RS_OK);
    for (int i = 0; i < 2; i++) {
        rs_sums sums = tally_of(f, RS_OF_SPANS, NULL).sums;
        assert_int_equal(sums.n, 1);
        assert_int_equal(sums.cached_tokens, 4);
        assert_int_equal(sums.reasoning_tokens, 3);
        fixture_reopen(f);
    }
}

/* As a dashboard asks of millions: a hundred hours' histograms, added up, against the sorted values. */
static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void quantiles_of_millions_are_near_the_exact_ones(void **state) {
    fixture *f = *state;
    enum { N = 2000000, HOURS = 100 };
    static const double qs[] = {0, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 1};
    uint64_t *values = malloc(N * sizeof *values), seed = 7;
    rs_histogram hours[HOURS] = {0}, sum = {0};
    assert_non_null(values);
    for (int i = 0; i < N; i++) { /* latencies of a long tail: 1 ms to some hours */
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        double u = ((double)(seed >> 11) + 1) / 9007199254740993.0;
        values[i] = (uint64_t)(1e6 / pow(u, 1.1));
        assert_int_equal(rs_histogram_add(&hours[i % HOURS], values[i], 1, &f->arena), RS_OK);
    }
    for (int h = 0; h < HOURS; h++)
        assert_int_equal(rs_histogram_merge(&sum, &hours[h], 1, &f->arena), RS_OK);
    qsort(values, N, sizeof *values, by_value);
    for (size_t i = 0; i < RS_ARRAY_LEN(qs); i++)
        assert_near(rs_histogram_quantile(&sum, qs[i]), (double)values[(size_t)(qs[i] * (N - 1))]);
    free(values);
}

int main(void) {
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_is_near_each_of_its_values),
        TEST(quantiles_of_a_sum_are_those_of_all_values),
        TEST(sums_are_of_what_is_there),
        TEST(costs_of_time_count_whatever_the_task),
        TEST(what_is_sent_again_counts_once),
        TEST(too_many_kinds_go_together),
        TEST(a_store_of_version_2_gets_its_sums),
        TEST(a_store_of_version_8_gets_its_cached_tokens),
        TEST(quantiles_of_millions_are_near_the_exact_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
