/* Measuring: by sums of hours, by scanning or both, the answer is that of going through all spans by hand. */
#include "query/measure.h"
#include "store_fixture.h"

#define HOUR       3600000000000ull
#define FIRST_HOUR (T0 / HOUR * HOUR)

enum { N = 6000, HOURS = 5 };

static rs_span all[N];

static uint64_t mixed(uint64_t v) {
    v = (v + 1) * 0x9e3779b97f4a7c15u;
    v = (v ^ v >> 29) * 0xbf58476d1ce4e5b9u;
    return v ^ v >> 32;
}

static const char *const models[] = {"", "a", "b", "c"};

/* Traces of four spans, over five hours. */
static void fill(fixture *f) {
    static char customers[40][8];
    for (uint64_t i = 0; i < N; i++) {
        uint64_t trace = i / 4, start = mixed(trace) % (HOURS * HOUR);
        rs_span *s = &all[i];
        *s = make_span(trace + 1, i + 1, i % 4 ? trace * 4 + 1 : 0, 0);
        s->start_ns = FIRST_HOUR + start + i % 4 * MS;
        s->end_ns = s->start_ns + mixed(i) % (3000 * MS);
        s->facts.model = rs_str_of(models[i % 4]);
        if (i % 4) s->facts.log_type = RS_LOG_CHAT, s->facts.prompt_tokens = (int64_t)(i % 100);
        if (mixed(i) % 10 == 0) s->status = RS_STATUS_ERROR;
        s->facts.environment = trace % 3 ? RS_STR("production") : RS_STR("test");
        snprintf(customers[trace % 40], sizeof customers[0], "c%u", (unsigned)(trace % 40));
        s->facts.customer = rs_str_of(customers[trace % 40]);
    }
    for (size_t i = 0; i < N; i += 500) commit_spans(f, all + i, 500);
}

typedef struct question {
    rs_list list;
    rs_grouping grouping;
    rs_measure measure;
} question;

static void set(fixture *f, question *q, const char *name, const char *value) {
    rs_err err = {0};
    if (rs_list_set(&q->list, rs_str_of(name), rs_str_of(value), &f->arena, &err) != RS_OK)
        fail_msg("%s", err.message);
}

static question *ask(fixture *f, const rs_field_table *table, const char *group_by) {
    question *q = rs_arena_zalloc(&f->arena, 1, sizeof *q);
    rs_list_init(&q->list, table);
    assert_int_equal(rs_grouping_find(table, rs_str_of(group_by), &q->grouping, NULL), RS_OK);
    q->measure = (rs_measure){.list = &q->list,
                              .groupings = &q->grouping,
                              .ngroupings = 1,
                              .has_histograms = true,
                              .points = 60,
                              .exact = RS_MEASURE_EXACT};
    return q;
}

static rs_measured answer_of(fixture *f, const question *q) {
    rs_measured out;
    rs_err err = {0};
    if (rs_measure_run(f->store, 1, &q->measure, &f->arena, &out, &err) != RS_OK) fail_msg("%s", err.message);
    return out;
}

static rs_sums sums_of(fixture *f, const rs_measured *m, const char *group) {
    rs_sums sums = {0};
    for (size_t i = 0; i < m->cells.n; i++) {
        const rs_group *g = &m->cells.groups[m->cells.items[i].group];
        if (group && !rs_str_eq(g->value, rs_str_of(group))) continue;
        assert_int_equal(rs_sums_merge(&sums, &m->cells.items[i].sums, 1, &f->arena), RS_OK);
    }
    return sums;
}

static bool is_wanted(const rs_span *s, const char *model, uint64_t min, uint64_t max) {
    return (!model || rs_str_eq(s->facts.model, rs_str_of(model))) && s->start_ns >= min && s->start_ns < max;
}

static void assert_sums(fixture *f, const rs_sums *got, const char *model, uint64_t min, uint64_t max) {
    rs_sums sums = {0};
    for (size_t i = 0; i < N; i++)
        if (is_wanted(&all[i], model, min, max))
            assert_int_equal(rs_sums_add_span(&sums, &all[i], 1, &f->arena), RS_OK);
    assert_int_equal(got->n, sums.n);
    assert_int_equal(got->errors, sums.errors);
    assert_int_equal(got->prompt_tokens, sums.prompt_tokens);
    for (double q = 0; q <= 1; q += 0.125)
        assert_int_equal(rs_histogram_quantile(&got->latency, q), rs_histogram_quantile(&sums.latency, q));
}

static void any_window_is_exact(void **state) {
    fixture *f = *state;
    fill(f);
    for (uint64_t i = 0; i < 60; i++) {
        uint64_t min = FIRST_HOUR + mixed(i) % (3 * HOUR), max = min + mixed(i + 99) % (4 * HOUR);
        if (i % 4 == 0) min = min / HOUR * HOUR;
        if (i % 5 == 0) max = max / HOUR * HOUR + HOUR;
        question *q = ask(f, &rs_span_fields, i % 3 ? "model" : "");
        q->list.start_min_ns = min;
        q->list.start_max_ns = max;
        const char *model = i % 2 ? "b" : NULL;
        if (model) set(f, q, "model", "b");
        q->measure.has_buckets = i % 7 == 0;
        q->measure.bucket_ns = HOUR;
        rs_measured m = answer_of(f, q);
        assert_false(m.is_estimate);
        rs_sums sums = sums_of(f, &m, NULL);
        assert_sums(f, &sums, model, min, max);
    }
}

static void groups_and_buckets_add_up(void **state) {
    fixture *f = *state;
    fill(f);
    question *q = ask(f, &rs_span_fields, "model");
    q->measure.has_buckets = true;
    q->measure.bucket_ns = HOUR;
    rs_measured m = answer_of(f, q);
    assert_true(m.from_hours);
    assert_int_equal(m.rows, 0);
    assert_int_equal(m.cells.ngroups, 4);
    rs_sums b = sums_of(f, &m, "b");
    assert_sums(f, &b, "b", 0, UINT64_MAX);
    for (size_t i = 0; i < m.cells.n; i++) {
        const rs_cell *c = &m.cells.items[i];
        rs_str value = m.cells.groups[c->group].value;
        assert_sums(f, &c->sums, value.n ? value.p : "", c->bucket * HOUR, (c->bucket + 1) * HOUR);
    }
    q->measure.bucket_ns = HOUR / 4; /* not by hours: by scanning */
    rs_measured scanned = answer_of(f, q);
    assert_false(scanned.from_hours);
    assert_int_equal(scanned.rows, N);
    for (size_t i = 0; i < scanned.cells.n; i++) {
        const rs_cell *c = &scanned.cells.items[i];
        rs_str value = scanned.cells.groups[c->group].value;
        assert_sums(f, &c->sums, value.n ? value.p : "", c->bucket * HOUR / 4, (c->bucket + 1) * HOUR / 4);
    }
}

static void traces_by_hours_are_those_scanned(void **state) {
    fixture *f = *state;
    fill(f);
    question *q = ask(f, &rs_trace_fields, "");
    rs_measured by_hours = answer_of(f, q);
    assert_true(by_hours.from_hours);
    question *by_customer = ask(f, &rs_trace_fields, "customer_identifier");
    rs_measured scanned = answer_of(f, by_customer);
    assert_false(scanned.from_hours);
    assert_int_equal(scanned.cells.ngroups, 40);
    rs_sums a = sums_of(f, &by_hours, NULL), b = sums_of(f, &scanned, NULL);
    assert_int_equal(a.n, N / 4);
    assert_int_equal(b.n, N / 4);
    assert_int_equal(a.errors, b.errors);
    assert_int_equal(a.prompt_tokens, b.prompt_tokens);
    assert_int_equal(rs_histogram_quantile(&a.latency, 0.9), rs_histogram_quantile(&b.latency, 0.9));
    assert_int_equal(sums_of(f, &scanned, "c7").n, N / 4 / 40 + 1);
}

static void assert_about(int64_t got, int64_t wanted, double off) {
    if (fabs((double)(got - wanted)) > off * (double)wanted)
        fail_msg("%lld is not about %lld", (long long)got, (long long)wanted);
}

static void what_is_too_much_is_sampled(void **state) {
    fixture *f = *state;
    fill(f);
    question *q = ask(f, &rs_trace_fields, "environment");
    q->measure.exact = 400;
    rs_measured m = answer_of(f, q);
    assert_true(m.is_estimate);
    assert_true(m.rows < N / 4 + 400);
    assert_about(sums_of(f, &m, NULL).n, N / 4, 0.25);
    assert_about(sums_of(f, &m, "production").n, N / 4 * 2 / 3, 0.3);
    question *spans = ask(f, &rs_span_fields, "customer_identifier");
    spans->measure.exact = 1500;
    rs_measured of_spans = answer_of(f, spans);
    assert_true(of_spans.is_estimate);
    assert_about(sums_of(f, &of_spans, NULL).n, N, 0.1);
    spans->list.start_min_ns = FIRST_HOUR + HOUR; /* and in a window */
    spans->list.start_max_ns = FIRST_HOUR + 4 * HOUR;
    of_spans = answer_of(f, spans);
    assert_true(of_spans.is_estimate);
    assert_about(sums_of(f, &of_spans, NULL).n, N * 3 / 5, 0.15);
}

static void too_much_is_refused(void **state) {
    fixture *f = *state;
    rs_measured out;
    rs_err err = {0};
    fill(f);
    question *q = ask(f, &rs_span_fields, "model");
    q->measure.has_buckets = true;
    q->measure.bucket_ns = 1000 * MS;
    assert_int_equal(rs_measure_run(f->store, 1, &q->measure, &f->arena, &out, &err), RS_ERR_INVALID);
    assert_string_equal(q->list.bad_field, "bucket");
    rs_grouping g;
    assert_int_equal(rs_grouping_find(&rs_span_fields, RS_STR("latency"), &g, NULL), RS_ERR_INVALID);
    assert_int_equal(rs_grouping_find(&rs_trace_fields, RS_STR("input"), &g, NULL), RS_ERR_INVALID);
    assert_int_equal(rs_grouping_find(&rs_span_fields, RS_STR("metadata__"), &g, NULL), RS_ERR_INVALID);
}

/* Spans without times, and of clocks that are far off, are counted, but no window is theirs unless there is no other. */
static void odd_times_make_no_window(void **state) {
    fixture *f = *state;
    static const uint64_t odd[] = {0, 5000, UINT64_MAX, UINT64_MAX - HOUR, 1ull << 63};
    rs_span spans[RS_ARRAY_LEN(odd)];
    size_t n = RS_ARRAY_LEN(odd);
    for (size_t i = 0; i < n; i++) {
        spans[i] = make_span(900000 + i, 900000 + i, 0, 0);
        spans[i].start_ns = spans[i].end_ns = odd[i];
    }
    commit_spans(f, spans, n);
    for (int of_traces = 0; of_traces < 2; of_traces++) { /* there is no other */
        question *q = ask(f, of_traces ? &rs_trace_fields : &rs_span_fields, "model");
        q->measure.has_buckets = true;
        rs_measured m = answer_of(f, q);
        assert_true(m.start_ns == 0 && m.end_ns == UINT64_MAX);
        assert_int_equal(sums_of(f, &m, NULL).n, n);
    }
    fill(f);
    for (int i = 0; i < 8; i++) {
        bool of_traces = i & 1, by_hours = i & 2, has_buckets = i & 4;
        question *q =
            ask(f, of_traces ? &rs_trace_fields : &rs_span_fields, by_hours ? "" : "customer_identifier");
        q->measure.has_buckets = has_buckets;
        q->measure.bucket_ns = by_hours ? HOUR : HOUR / 4;
        rs_measured m = answer_of(f, q);
        assert_true(m.start_ns == FIRST_HOUR && m.end_ns == FIRST_HOUR + HOURS * HOUR);
        assert_int_equal(sums_of(f, &m, NULL).n, (of_traces ? N / 4 : N) + (has_buckets ? 0 : n));
    }
    question *q = ask(f, &rs_span_fields, "");
    q->measure.has_buckets = true;
    set(f, q, "start_time", "0");
    rs_measured m = answer_of(f, q);
    assert_true(m.start_ns == 0 && m.end_ns == FIRST_HOUR + HOURS * HOUR);
    assert_int_equal(sums_of(f, &m, NULL).n, N + 2);
    q = ask(f, &rs_trace_fields, "environment"); /* a sample looks at them too */
    q->measure.exact = 400;
    m = answer_of(f, q);
    assert_true(m.is_estimate);
    q = ask(f, &rs_span_fields, "model");
    set(f, q, "q", "start_time>2261-01-01");
    m = answer_of(f, q);
    assert_int_equal(sums_of(f, &m, NULL).n, 3);
}

static void nothing_is_nothing(void **state) {
    fixture *f = *state;
    question *q = ask(f, &rs_span_fields, "model");
    q->measure.has_buckets = true;
    rs_measured m = answer_of(f, q);
    assert_int_equal(m.cells.n, 0);
    assert_int_equal(m.end_ns, 0);
}

static void groups_past_the_limit_are_others(void **state) {
    fixture *f = *state;
    rs_cells c = {.arena = &f->arena};
    char text[24];
    uint32_t number, first = UINT32_MAX;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < RS_CELLS_GROUPS + 50; i++) {
            snprintf(text, sizeof text, "%d", i);
            assert_int_equal(rs_cells_group(&c, 3, rs_str_of(text), &number), RS_OK);
            if (i == 7) assert_true(first == UINT32_MAX || first == number);
            if (i == 7) first = number;
            assert_int_equal(c.groups[number].is_others, i >= RS_CELLS_GROUPS);
        }
    rs_cell *cell;
    for (uint64_t b = 0; b < RS_CELLS_MAX; b++) assert_int_equal(rs_cells_at(&c, first, b * 3, &cell), RS_OK);
    assert_int_equal(rs_cells_at(&c, first, 3, &cell), RS_OK);
    assert_int_equal(rs_cells_at(&c, first, 4, &cell), RS_ERR_TOO_LARGE);
}

static void long_values_past_the_limit_are_others(void **state) {
    fixture *f = *state;
    rs_cells c = {.arena = &f->arena, .most = RS_MEASURE_GROUPS};
    char text[RS_CELLS_TEXT_MAX];
    uint32_t number;
    memset(text, 'u', sizeof text);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < RS_CELLS_TEXTS_MAX / RS_CELLS_TEXT_MAX + 50; i++) {
            snprintf(text, sizeof text, "%08d", i);
            text[8] = 'u'; /* in place of the NUL */
            assert_int_equal(rs_cells_group(&c, 0, (rs_str){text, sizeof text}, &number), RS_OK);
            assert_int_equal(c.groups[number].is_others, i >= RS_CELLS_TEXTS_MAX / RS_CELLS_TEXT_MAX);
        }
    assert_int_equal(c.texts, RS_CELLS_TEXTS_MAX);
}

int main(void) {
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(any_window_is_exact),
        TEST(groups_and_buckets_add_up),
        TEST(traces_by_hours_are_those_scanned),
        TEST(what_is_too_much_is_sampled),
        TEST(too_much_is_refused),
        TEST(odd_times_make_no_window),
        TEST(nothing_is_nothing),
        TEST(groups_past_the_limit_are_others),
        TEST(long_values_past_the_limit_are_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
