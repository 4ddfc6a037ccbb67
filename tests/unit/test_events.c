/* Events that came apart from their spans: kept until the span comes, known of afterwards, wherever they and their traces lie. */
#include "run_sql.h"
#include "store_fixture.h"

static rs_store_event make_event(uint64_t trace, uint64_t span, const char *record, bool is_joined) {
    rs_store_event e = {.record = rs_str_of(record), .is_joined = is_joined};
    put_number(e.trace_id, 16, trace);
    put_number(e.span_id, 8, span);
    return e;
}

static void commit_events(fixture *f, const rs_store_event *events, size_t n) {
    rs_err err = {0};
    rs_store_batch batch = {.project = 1, .events = events, .nevents = n};
    if (rs_store_commit(f->store, &batch, 1, NULL, &err) != RS_OK) fail_msg("%s", err.message);
}

/* "a b- c": the records of the span's events by arrival; "-" where it was joined. */
static const char *events_of(fixture *f, uint64_t trace, uint64_t span) {
    static char text[200];
    uint8_t trace_id[16], span_id[8];
    rs_stored_event *items;
    size_t n;
    put_number(trace_id, 16, trace);
    put_number(span_id, 8, span);
    assert_int_equal(rs_store_read_events(f->store, 1, trace_id, span_id, &f->arena, &items, &n, NULL),
                     RS_OK);
    text[0] = 0;
    for (size_t i = 0; i < n; i++) {
        size_t at = strlen(text);
        snprintf(text + at, sizeof text - at, "%s%.*s%s", i ? " " : "", RS_STR_ARG(items[i].record),
                 items[i].is_joined ? "-" : "");
    }
    return text;
}

static bool may_have(fixture *f) {
    bool may;
    assert_int_equal(rs_store_may_have_events(f->store, 1, &may, NULL), RS_OK);
    return may;
}

static void they_wait_and_are_known_of_afterwards(void **state) {
    fixture *f = *state;
    assert_false(may_have(f));
    rs_store_event some[] = {make_event(1, 11, "b", false), make_event(1, 12, "x", false),
                             make_event(1, 11, "a", false), make_event(1, 11, "b", false)};
    commit_events(f, some, 4);
    assert_string_equal(events_of(f, 1, 11), "b a");
    fixture_reopen(f);
    assert_true(rs_store_event_hash(RS_STR("a")) != rs_store_event_hash(RS_STR("b")));
    assert_string_equal(events_of(f, 1, 11), "b a");
    assert_true(may_have(f));
    rs_store_event joined = make_event(1, 11, "b", true);
    commit_events(f, &joined, 1);
    commit_events(f, some, 1); /* sent once more */
    assert_string_equal(events_of(f, 1, 11), "- a");
    assert_string_equal(events_of(f, 1, 12), "x");
    assert_string_equal(events_of(f, 2, 11), "");
}

static void commit_new_trace(fixture *f, uint64_t trace) {
    rs_span s = make_span(trace, trace * 10 + 1, 0, trace * MS);
    commit_spans(f, &s, 1);
}

/* The event came before any span of its trace, which then went elsewhere. */
static void they_are_found_in_another_partition(void **state) {
    fixture *f = *state;
    rs_store_limit_partitions(f->store, 1, UINT64_MAX);
    rs_store_event e = make_event(3, 31, "a", false), known = make_event(1, 12, "b", false);
    commit_new_trace(f, 1);
    commit_events(f, &e, 1);
    commit_new_trace(f, 2);
    commit_new_trace(f, 3);
    commit_events(f, &known, 1);
    assert_string_equal(events_of(f, 3, 31), "a");
    e.is_joined = true;
    commit_events(f, &e, 1); /* where it lies, not where the trace is */
    assert_string_equal(events_of(f, 3, 31), "-");
    fixture_reopen(f);
    assert_string_equal(events_of(f, 3, 31), "-");
    assert_string_equal(events_of(f, 1, 12), "b");
}

static void spans_and_events_of_one_commit(void **state) {
    fixture *f = *state;
    rs_span s = make_span(1, 11, 0, 0);
    rs_store_event e = make_event(1, 11, "a", true), other = make_event(7, 11, "c", false);
    rs_store_batch batches[] = {{.project = 1, .spans = &s, .n = 1, .events = &e, .nevents = 1},
                                {.project = 2, .events = &other, .nevents = 1}};
    assert_int_equal(rs_store_commit(f->store, batches, 2, NULL, NULL), RS_OK);
    assert_int_equal(read_trace(f, 1, RS_READ_FULL).n, 1);
    assert_string_equal(events_of(f, 1, 11), "-");
    assert_string_equal(events_of(f, 7, 11), ""); /* another project's */
    rs_store_report report;
    assert_int_equal(rs_store_check(f->dir, NULL, NULL, &report, NULL), RS_OK);
    assert_int_equal(report.problems, 0);
}

static void a_store_of_version_3_goes_on(void **state) {
    fixture *f = *state;
    char path[160];
    commit_new_trace(f, 1);
    rs_store_close(f->store);
    snprintf(path, sizeof path, "%s/projects/1/p000001/index.db", f->dir);
    run_sql(path, "ALTER TABLE block DROP COLUMN words; ALTER TABLE block DROP COLUMN min_key;"
                  "DROP TABLE event; ALTER TABLE state DROP COLUMN sealed_end;"
                  "ALTER TABLE state DROP COLUMN erasing;"
                  "ALTER TABLE state DROP COLUMN has_model_parts; PRAGMA user_version=3;");
    assert_int_equal(rs_store_open(f->dir, &f->store, NULL), RS_OK);
    rs_store_event e = make_event(1, 11, "a", false);
    commit_events(f, &e, 1);
    assert_string_equal(events_of(f, 1, 11), "a");
    assert_int_equal(read_trace(f, 1, RS_READ_FULL).n, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(they_wait_and_are_known_of_afterwards),
        TEST(they_are_found_in_another_partition),
        TEST(spans_and_events_of_one_commit),
        TEST(a_store_of_version_3_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
