/* What was prepared before its commit is stored as what was not. */
#include "store_fixture.h"

enum { MANY = 1500 /* spans: two blocks */ };

static const rs_prepared *prepare(fixture *f, uint64_t project, const rs_span *spans, size_t n) {
    const rs_prepared *out;
    rs_err err = {0};
    if (rs_store_prepare(f->store, project, spans, n, &f->arena, &out, &err) != RS_OK)
        fail_msg("%s", err.message);
    return out;
}

/* Traces of five from `trace` on; each span says which it is. */
static rs_span *make_traces(fixture *f, uint64_t trace, size_t n) {
    rs_span *spans = rs_arena_zalloc(&f->arena, n, sizeof *spans);
    for (size_t i = 0; i < n; i++) {
        spans[i] = make_span(trace + i / 5, i % 5 + 1, i % 5 ? 1 : 0, i * MS);
        rs_attr *a = rs_arena_zalloc(&f->arena, 1, sizeof *a);
        *a = (rs_attr){RS_STR("number"), {.type = RS_VALUE_INT, .i = (int64_t)(trace * 1000 + i)}};
        spans[i].attrs = (rs_attrs){a, 1, 0};
    }
    return spans;
}

static void assert_stored(fixture *f, uint64_t trace, const rs_span *spans, size_t n) {
    for (size_t i = 0; i < n; i += 5) {
        rs_spans got = read_trace(f, trace + i / 5, RS_READ_FULL);
        assert_int_equal(got.n, 5);
        for (size_t k = 0; k < 5; k++) {
            assert_memory_equal(got.items[k].span_id, spans[i + k].span_id, 8);
            assert_int_equal(got.items[k].attrs.items[0].value.i, spans[i + k].attrs.items[0].value.i);
        }
    }
}

static bool count_span(void *ctx, int64_t key, const rs_span *head) {
    (void)key, (void)head;
    ++*(int *)ctx;
    return true;
}

static int scanned(fixture *f) {
    int n = 0;
    assert_int_equal(
        rs_store_scan_spans(f->store, 1, &(rs_span_scan){.depth = RS_READ_FULL}, count_span, &n, NULL),
        RS_OK);
    return n;
}

static void commit_all(fixture *f, const rs_store_batch *batches, size_t n) {
    rs_err err = {0};
    if (rs_store_commit(f->store, batches, n, NULL, &err) != RS_OK) fail_msg("%s", err.message);
}

static void few_spans_are_left_to_the_commit(void **state) {
    fixture *f = *state;
    assert_null(prepare(f, 1, make_traces(f, 1, 5), 5));
    assert_null(prepare(f, 1, NULL, 0));
}

static void prepared_and_other_batches_in_one_commit(void **state) {
    fixture *f = *state;
    rs_span *few = make_traces(f, 1, 5), *many = make_traces(f, 100, MANY), *more = make_traces(f, 1000, 200),
            *others = make_traces(f, 1, 300), *last = make_traces(f, 2, 10);
    rs_store_batch batches[] = {{1, few, 5, NULL},
                                {1, many, MANY, prepare(f, 1, many, MANY)},
                                {2, others, 300, prepare(f, 2, others, 300)},
                                {1, more, 200, prepare(f, 1, more, 200)},
                                {1, last, 10, NULL}};
    assert_non_null(batches[1].prepared);
    commit_all(f, batches, RS_ARRAY_LEN(batches));
    for (int reopened = 0; reopened < 2; reopened++) {
        assert_stored(f, 1, few, 5);
        assert_stored(f, 100, many, MANY);
        assert_stored(f, 1000, more, 200);
        assert_stored(f, 2, last, 10);
        assert_int_equal(scanned(f), 5 + MANY + 200 + 10);
        fixture_reopen(f);
    }
}

static void a_span_sent_twice_is_stored_once(void **state) {
    fixture *f = *state;
    rs_span *spans = make_traces(f, 1, 200), *again = make_traces(f, 1, 200);
    again[7].attrs.items[0].value.i = 4711;
    rs_store_batch twice[] = {{1, spans, 200, prepare(f, 1, spans, 200)},
                              {1, again, 200, prepare(f, 1, again, 200)}};
    commit_all(f, twice, 2); /* in one commit */
    assert_stored(f, 1, again, 200);
    assert_int_equal(scanned(f), 200);
    again[9].attrs.items[0].value.i = 4712;
    twice[1].prepared = prepare(f, 1, again, 200);
    commit_all(f, twice + 1, 1); /* in another */
    assert_stored(f, 1, again, 200);
    assert_int_equal(scanned(f), 200);
}

static void late_spans_among_prepared_ones(void **state) {
    fixture *f = *state;
    rs_store_limit_partitions(f->store, 150, UINT64_MAX);
    rs_span *spans = make_traces(f, 1, 400);
    for (size_t at = 0; at < 400; at += 200) {
        rs_span mixed[200];
        for (size_t i = 0; i < 200; i++)
            mixed[i] = spans[i / 5 * 10 + i % 5 + (at ? 5 : 0)]; /* every other trace */
        rs_store_batch batch = {1, mixed, 200, prepare(f, 1, mixed, 200)};
        commit_all(f, &batch, 1);
    }
    rs_span *again = make_traces(f, 1, 400); /* of both partitions */
    again[13].attrs.items[0].value.i = 4713;
    rs_store_batch batch = {1, again, 400, prepare(f, 1, again, 400)};
    commit_all(f, &batch, 1);
    assert_stored(f, 1, again, 400);
    assert_int_equal(scanned(f), 400);
}

int main(void) {
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(few_spans_are_left_to_the_commit),
        TEST(prepared_and_other_batches_in_one_commit),
        TEST(a_span_sent_twice_is_stored_once),
        TEST(late_spans_among_prepared_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
