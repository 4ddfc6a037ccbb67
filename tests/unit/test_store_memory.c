/* Memory that runs out, at every allocation of ours in turn: an error, no leak, nothing half stored, and the store goes on. */
#include "failing_memory.h"
#include "store_fixture.h"

/* Two traces, one of them known before with one span sent again. */
static rs_status commit_some(fixture *f, uint64_t trace) {
    static rs_attr attrs[] = {{RS_STR("k"), {.type = RS_VALUE_STRING, .s = RS_STR("v")}},
                              {RS_STR("n"), {.type = RS_VALUE_INT, .i = 4}}};
    rs_span s[4] = {make_span(trace, 1, 0, 0), make_span(trace, 2, 1, MS), make_span(1, 2, 1, MS),
                    make_span(1, 9, 1, MS)};
    for (int i = 0; i < 4; i++) s[i].attrs = s[i].facts.metadata = (rs_attrs){attrs, 2, 0};
    rs_store_batch batch = {1, s, 4};
    return rs_store_commit(f->store, &batch, 1, NULL, NULL);
}

static bool any_row(void *ctx, const rs_trace_row *row) {
    ++*(size_t *)ctx;
    return row->key != 0;
}

static void commit_runs_out_of_memory(void **state) {
    fixture *f = *state;
    rs_span first[2] = {make_span(1, 1, 0, 0), make_span(1, 2, 1, MS)};
    commit_spans(f, first, 2);
    uint64_t stored = 1;
    for (int good = 0; good < 2; good++) {
        bool failed = true;
        long nth = 1;
        for (; failed && nth < 100000; nth++) {
            rs_store_stats stats;
            fixture_reopen(f); /* so that no buffer is there already */
            fail_at(nth, good);
            rs_status st = commit_some(f, 100 + stored);
            failed = has_failed();
            fail_none();
            if (st == RS_OK) stored++;
            else assert_int_equal(st, RS_ERR_MEMORY);
            assert_int_equal(rs_store_get_stats(f->store, 1, &stats, NULL), RS_OK);
            assert_int_equal(stats.traces, stored);
            assert_int_equal(stats.spans, 2 * stored + (stored > 1));
        }
        assert_false(failed);
        assert_true(nth > 20); /* there was something to fail */
    }
    assert_int_equal(read_trace(f, 1, RS_READ_FULL).n, 3);
}

static void reading_runs_out_of_memory(void **state) {
    fixture *f = *state;
    rs_span first[2] = {make_span(1, 1, 0, 0), make_span(1, 2, 1, MS)};
    commit_spans(f, first, 2);
    assert_int_equal(commit_some(f, 2), RS_OK);
    bool failed = true;
    for (long nth = 1; failed && nth < 100000; nth++) {
        rs_arena arena = {0};
        rs_spans spans;
        rs_span span;
        size_t rows = 0;
        fixture_reopen(f);
        fail_at(nth, false);
        rs_status st = rs_store_scan_traces(f->store, 1, &(rs_trace_scan){0}, any_row, &rows, NULL);
        if (st == RS_OK)
            st = rs_store_read_trace(f->store, 1, first[0].trace_id, RS_READ_FULL, &arena, &spans, NULL);
        if (st == RS_OK) st = rs_store_read_span(f->store, 1, NULL, first[1].span_id, &arena, &span, NULL);
        failed = has_failed();
        fail_none();
        assert_true(st == RS_OK ||
                    (failed && st == RS_ERR_MEMORY)); /* a filter that cannot be had is done without */
        if (st == RS_OK) assert_int_equal(spans.n, 3);
        rs_arena_deinit(&arena);
    }
    assert_false(failed);
}

static uint64_t stored_traces(fixture *f) {
    rs_store_stats stats;
    assert_int_equal(rs_store_get_stats(f->store, 1, &stats, NULL), RS_OK);
    return stats.traces;
}

static void assert_whole(fixture *f) {
    rs_store_report report;
    assert_int_equal(rs_store_check(f->dir, NULL, NULL, &report, NULL), RS_OK);
    assert_int_equal(report.problems, 0);
}

static void delete_trace(fixture *f, uint8_t id[1][16]) {
    size_t deleted;
    assert_int_equal(rs_store_delete_traces(f->store, 1, (const uint8_t(*)[16])id, 1, &deleted, NULL), RS_OK);
    assert_int_equal(deleted, 1);
}

/* Deleting and rewriting: done or not done. */
static void keeping_runs_out_of_memory(void **state) {
    fixture *f = *state;
    bool failed = true;
    uint64_t next = 2;
    long nth = 1;
    assert_int_equal(commit_some(f, 1), RS_OK);
    for (; failed && nth < 100000; nth += 1 + nth / 12) {
        uint8_t id[1][16];
        size_t deleted;
        fixture_reopen(f);
        assert_int_equal(commit_some(f, ++next), RS_OK);
        uint64_t before = stored_traces(f);
        fixture_reopen(f);
        put_number(id[0], 16, next);
        fail_at(nth, false);
        rs_status st = rs_store_delete_traces(f->store, 1, (const uint8_t(*)[16])id, 1, &deleted, NULL);
        bool is_deleted = st == RS_OK;
        if (st == RS_OK) st = rs_store_compact(f->store, 1, NULL);
        failed = has_failed();
        fail_none();
        assert_true(st == RS_OK || (failed && st == RS_ERR_MEMORY));
        assert_int_equal(stored_traces(f), before - is_deleted);
        if (!is_deleted) delete_trace(f, id);
        assert_whole(f);
    }
    assert_false(failed);
    assert_true(nth > 100);
    assert_whole(f);
    assert_true(read_trace(f, 1, RS_READ_FULL).n >= 3);
}

/* A request may use only so much: too large a trace is an error, not a death. */
static void an_arena_has_a_limit(void **state) {
    fixture *f = *state;
    static char text[100000];
    rs_attr attr = {RS_STR("long"), {.type = RS_VALUE_STRING, .s = {text, sizeof text}}};
    rs_span s = make_span(1, 1, 0, 0);
    rs_spans out;
    rs_arena small = {.limit = 50000};
    s.attrs = (rs_attrs){&attr, 1, 0};
    commit_spans(f, &s, 1);
    assert_int_equal(rs_store_read_trace(f->store, 1, s.trace_id, RS_READ_HEADS, &small, &out, NULL), RS_OK);
    assert_int_equal(rs_store_read_trace(f->store, 1, s.trace_id, RS_READ_FULL, &small, &out, NULL),
                     RS_ERR_MEMORY);
    rs_arena_deinit(&small);
    assert_int_equal(read_trace(f, 1, RS_READ_FULL).items[0].attrs.items[0].value.s.n, sizeof text);
}

int main(void) {
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(commit_runs_out_of_memory),
        TEST(reading_runs_out_of_memory),
        TEST(keeping_runs_out_of_memory),
        TEST(an_arena_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
