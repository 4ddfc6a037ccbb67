/* Tags of the last commits are found as those that lie where they belong are: against a plain list of who has what. */
#include "store/sqlite/tag_recent.h"
#include "store_fixture.h"

#include <sqlite3.h>

enum { TRACES = 6000, SPANS = 3, CUSTOMERS = 40, STEP = 5 /* traces of a commit */ };

/* The customer of each span; 0: it was not sent. */
static uint8_t customer_of[TRACES][SPANS];
static char names[CUSTOMERS + 1][16];

static uint64_t below(uint64_t *seed, uint64_t n) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (*seed >> 33) % n;
}

static rs_span span_of(uint64_t trace, uint64_t span, uint64_t *seed) {
    rs_span s = make_span(trace + 1, span + 1, span ? 1 : 0, trace * MS);
    uint64_t customer = 1 + below(seed, CUSTOMERS);
    customer_of[trace][span] = (uint8_t)customer;
    s.facts.customer = rs_str_of(names[customer]);
    s.facts.environment = RS_STR("test");
    s.facts.workflow = rs_str_of(names[below(seed, 3)]);
    return s;
}

static bool has(uint64_t trace, uint64_t customer) {
    for (int i = 0; i < SPANS; i++)
        if (customer_of[trace][i] == customer) return true;
    return false;
}

typedef struct seen {
    uint64_t traces[TRACES], n;
} seen;

static bool see(void *ctx, const rs_trace_row *row) {
    seen *s = ctx;
    assert_true(s->n < TRACES);
    s->traces[s->n++] = (uint64_t)row->trace_id[14] << 8 | row->trace_id[15];
    return true;
}

static void compare(fixture *f, uint64_t customer) {
    static seen got;
    rs_tag tag = {RS_STR("customer_identifier"), rs_str_of(names[customer])};
    rs_err err = {0};
    uint64_t count, expected = 0;
    for (uint64_t t = 0; t < TRACES; t++) expected += has(t, customer);
    for (int oldest = 0; oldest < 2; oldest++) {
        rs_trace_scan scan = {.oldest_first = oldest, .tags = &tag, .ntags = 1};
        got.n = 0;
        if (rs_store_scan_traces(f->store, 1, &scan, see, &got, &err) != RS_OK) fail_msg("%s", err.message);
        assert_int_equal(got.n, expected);
        for (uint64_t i = 0; i < got.n; i++) {
            assert_true(has(got.traces[i] - 1, customer));
            if (i > 0)
                assert_true(oldest ? got.traces[i] > got.traces[i - 1] : got.traces[i] < got.traces[i - 1]);
        }
    }
    assert_int_equal(rs_store_count_tag(f->store, 1, &tag, &count, &err), RS_OK);
    assert_int_equal(count, expected);
}

static int64_t ask(fixture *f, const char *sql) {
    char path[128];
    sqlite3 *db;
    sqlite3_stmt *stmt;
    snprintf(path, sizeof path, "%s/projects/1/p000001/index.db", f->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return n;
}

/* New traces, spans of old ones, and spans that are sent again with another customer. */
static size_t draw(uint64_t upto, rs_span *out, uint64_t *seed) {
    size_t n = 0;
    for (uint64_t t = upto; t < upto + STEP; t++) out[n++] = span_of(t, 0, seed);
    for (uint64_t i = below(seed, 4); i > 0 && upto > 0; i--) {
        uint64_t t = below(seed, 4) ? upto - 1 - below(seed, upto < 50 ? upto : 50) : below(seed, upto);
        uint64_t span = below(seed, 40) ? 1 + below(seed, SPANS - 1) : 0;
        if (customer_of[t][span] && below(seed, 10)) continue;
        out[n++] = span_of(t, span, seed);
    }
    return n;
}

static void delete_one(fixture *f, uint64_t trace) {
    uint8_t id[1][16];
    size_t deleted;
    put_number(id[0], 16, trace + 1);
    assert_int_equal(rs_store_delete_traces(f->store, 1, (const uint8_t(*)[16])id, 1, &deleted, NULL), RS_OK);
    memset(customer_of[trace], 0, sizeof customer_of[trace]);
}

static void small_commits(void **state) {
    fixture *f = *state;
    uint64_t seed = 11, settled = 0;
    rs_span spans[2 * STEP];
    int64_t most = 0;
    memset(customer_of, 0, sizeof customer_of);
    for (int i = 0; i <= CUSTOMERS; i++) snprintf(names[i], sizeof names[i], "customer %d", i);
    for (uint64_t upto = 0; upto < TRACES; upto += STEP) {
        size_t n = draw(upto, spans, &seed);
        commit_spans(f, spans, n);
        if (upto % (40 * STEP) != 0) continue;
        int64_t recent = ask(f, "SELECT coalesce(sum(n), 0) FROM tag_recent");
        settled += recent < most;
        most = recent;
        assert_true(recent <= RS_TAG_RECENT_MAX);
        if (upto % (120 * STEP) == 0) delete_one(f, below(&seed, upto + STEP));
        for (uint64_t c = 1; c <= CUSTOMERS; c += 7) compare(f, c);
        if (upto % (400 * STEP) == 0) fixture_reopen(f);
    }
    assert_true(settled > 0);
    fixture_reopen(f);
    for (uint64_t c = 1; c <= CUSTOMERS; c++) compare(f, c);
    rs_store_report report;
    assert_int_equal(rs_store_check(f->dir, NULL, NULL, &report, NULL), RS_OK);
    assert_int_equal(report.problems, 0);
}

/* Each commit would change a page for each of its tags. */
static void small_commits_write_little(void **state) {
    fixture *f = *state;
    rs_span span = make_span(1, 1, 0, 0);
    commit_spans(f, &span, 1);
    for (uint64_t t = 2; t < 100; t++) {
        span = make_span(t, 1, 0, t * MS);
        span.facts.environment = RS_STR("test");
        commit_spans(f, &span, 1);
    }
    assert_int_equal(ask(f, "SELECT count(*) FROM tag"), 0);
    assert_int_equal(ask(f, "SELECT count(*) FROM tag_recent"), 99);
}

/* Questions go through them, in each partition: those that take no new traces have none. */
static void they_are_where_they_belong_in_a_full_partition(void **state) {
    fixture *f = *state;
    uint64_t seed = 5;
    rs_span spans[STEP];
    memset(customer_of, 0, sizeof customer_of);
    for (int i = 0; i <= CUSTOMERS; i++) snprintf(names[i], sizeof names[i], "customer %d", i);
    rs_store_limit_partitions(f->store, TRACES / 4, UINT64_MAX);
    for (uint64_t upto = 0; upto < TRACES / 2; upto += STEP) {
        if (upto == TRACES / 4) assert_true(ask(f, "SELECT count(*) FROM tag_recent") > 0);
        for (uint64_t t = 0; t < STEP; t++) spans[t] = span_of(upto + t, 0, &seed);
        commit_spans(f, spans, STEP);
    }
    assert_int_equal(ask(f, "SELECT count(*) FROM tag_recent"), 0); /* of the first */
    for (uint64_t c = 1; c <= CUSTOMERS; c++) compare(f, c);
    fixture_reopen(f);
    for (uint64_t c = 1; c <= CUSTOMERS; c++) compare(f, c);
}

int main(void) {
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(small_commits),
        TEST(small_commits_write_little),
        TEST(they_are_where_they_belong_in_a_full_partition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
