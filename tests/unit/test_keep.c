/* What is past what a project keeps goes, in whole partitions, and nothing else does. */
#include "base/clock.h"
#include "store_fixture.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>

#define DAY (24 * 3600 * 1000000000ull)

enum { PARTITIONS = 6, TRACES = 4 /* of each, with a span each */ };

static int count_partitions(fixture *f) {
    char path[128];
    int n = 0;
    snprintf(path, sizeof path, "%s/projects/1", f->dir);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) n += e->d_name[0] == 'p';
    if (d) closedir(d);
    return n;
}

/* Partition n, from 1, has the spans of a day: the last one today's. */
static int days_setup(void **state) {
    int rc = fixture_setup(state);
    fixture *f = *state;
    uint64_t now = rs_clock_wall_ns();
    rs_store_limit_partitions(f->store, TRACES, UINT64_MAX);
    for (uint64_t n = 1; n <= PARTITIONS; n++)
        for (uint64_t i = 0; i < TRACES; i++) {
            rs_span s = make_span(n * 10 + i, 1, 0, 0);
            s.start_ns = now - (PARTITIONS - n) * DAY - i * MS;
            s.end_ns = s.start_ns + MS;
            commit_spans(f, &s, 1);
        }
    assert_int_equal(count_partitions(f), PARTITIONS);
    return rc;
}

static size_t retain_but(fixture *f, uint64_t age_ns, uint64_t bytes, const rs_pins *pins) {
    size_t dropped;
    rs_err err = {0};
    if (rs_store_retain(f->store, 1, &(rs_retention){age_ns, bytes}, pins, &dropped, &err) != RS_OK)
        fail_msg("%s", err.message);
    return dropped;
}

static size_t retain(fixture *f, uint64_t age_ns, uint64_t bytes) {
    return retain_but(f, age_ns, bytes, NULL);
}

typedef struct rows {
    int64_t after;
    size_t n, most;
} rows;

static bool take_row(void *ctx, const rs_trace_row *row) {
    rows *r = ctx;
    if (r->n++) assert_true(row->key < r->after);
    r->after = row->key;
    return r->n < r->most;
}

static void assert_left(fixture *f, size_t partitions) {
    rs_store_stats stats;
    rs_store_report report;
    rows all = {.most = SIZE_MAX};
    assert_int_equal(rs_store_get_stats(f->store, 1, &stats, NULL), RS_OK);
    assert_int_equal(stats.traces, partitions * TRACES);
    assert_int_equal(stats.spans, partitions * TRACES);
    assert_int_equal(rs_store_scan_traces(f->store, 1, &(rs_trace_scan){0}, take_row, &all, NULL), RS_OK);
    assert_int_equal(all.n, partitions * TRACES);
    assert_int_equal(count_partitions(f), partitions);
    assert_int_equal(rs_store_check(f->dir, NULL, NULL, &report, NULL), RS_OK);
    assert_int_equal(report.problems, 0);
    if (partitions) read_trace(f, PARTITIONS * 10, RS_READ_FULL);
}

static void by_age(void **state) {
    fixture *f = *state;
    assert_int_equal(retain(f, 0, 0), 0);
    assert_int_equal(retain(f, 30 * DAY, 0), 0);
    assert_int_equal(retain(f, 5 * DAY / 2, 0), 3);
    assert_left(f, 3);
    assert_int_equal(retain(f, 5 * DAY / 2, 0), 0);
    fixture_reopen(f);
    rs_store_limit_partitions(f->store, TRACES, UINT64_MAX);
    assert_left(f, 3);
    assert_int_equal(retain(f, DAY / 2, 0), 2);
    assert_left(f, 1);
    rs_span s = make_span(1, 1, 0, 0); /* of a trace that is gone: new again */
    commit_spans(f, &s, 1);
    assert_int_equal(read_trace(f, 1, RS_READ_FULL).n, 1);
}

static void by_bytes(void **state) {
    fixture *f = *state;
    rs_store_stats before;
    assert_int_equal(rs_store_get_stats(f->store, 1, &before, NULL), RS_OK);
    assert_int_equal(retain(f, 0, 1ull << 40), 0);
    assert_true(retain(f, 0, before.bytes / 2) >= 2);
    rs_store_stats after;
    assert_int_equal(rs_store_get_stats(f->store, 1, &after, NULL), RS_OK);
    assert_true(after.bytes <= before.bytes / 2 && after.spans > 0);
}

/* The last partition stays while it takes new traces, however old; once it does not, it goes as any other. */
static void the_last_one(void **state) {
    fixture *f = *state;
    rs_store_limit_partitions(f->store, 1000, UINT64_MAX);
    assert_int_equal(retain(f, 1, 1), PARTITIONS - 1);
    assert_left(f, 1);
    rs_store_limit_partitions(f->store, TRACES, UINT64_MAX);
    usleep(1000);
    assert_int_equal(retain(f, 1, 0), 1);
    assert_left(f, 0);
    rs_span s = make_span(PARTITIONS * 10, 1, 0, 0);
    commit_spans(f, &s, 1);
    assert_int_equal(read_trace(f, PARTITIONS * 10, RS_READ_FULL).n, 1);
}

/* A cursor into what was dropped goes on with what is left. */
static void a_cursor_goes_on(void **state) {
    fixture *f = *state;
    rows page = {.most = 2}, rest = {.most = SIZE_MAX};
    rs_trace_scan scan = {.oldest_first = false};
    assert_int_equal(rs_store_scan_traces(f->store, 1, &scan, take_row, &page, NULL), RS_OK);
    retain(f, 3 * DAY / 2, 0);
    scan.has_after = true;
    scan.after = page.after;
    assert_int_equal(rs_store_scan_traces(f->store, 1, &scan, take_row, &rest, NULL), RS_OK);
    assert_int_equal(rest.n, 2 * TRACES - 2);
}

typedef struct reader {
    fixture *f;
    atomic_bool stop;
    atomic_int rounds;
} reader;

static bool linger(void *ctx, const rs_trace_row *row) {
    (void)ctx, (void)row;
    usleep(200);
    return true;
}

static void *keep_reading(void *arg) {
    reader *r = arg;
    while (!atomic_load(&r->stop)) {
        if (rs_store_scan_traces(r->f->store, 1, &(rs_trace_scan){0}, linger, NULL, NULL) != RS_OK) abort();
        atomic_fetch_add(&r->rounds, 1);
    }
    return NULL;
}

static void a_reader_in_the_middle(void **state) {
    fixture *f = *state;
    reader r = {.f = f};
    pthread_t thread;
    pthread_create(&thread, NULL, keep_reading, &r);
    for (uint64_t days = PARTITIONS - 1; days >= 1; days--) {
        retain(f, days * DAY + DAY / 2, 0);
        usleep(2000);
    }
    int before = atomic_load(&r.rounds);
    while (atomic_load(&r.rounds) < before + 2) usleep(500);
    atomic_store(&r.stop, true);
    pthread_join(thread, NULL);
    assert_left(f, 2);
}

static void assert_stored(fixture *f, uint64_t traces) {
    rs_store_stats stats;
    rs_store_report report;
    rows all = {.most = SIZE_MAX};
    assert_int_equal(rs_store_get_stats(f->store, 1, &stats, NULL), RS_OK);
    assert_int_equal(stats.traces, traces);
    assert_int_equal(rs_store_scan_traces(f->store, 1, &(rs_trace_scan){0}, take_row, &all, NULL), RS_OK);
    assert_int_equal(all.n, traces);
    assert_int_equal(rs_store_check(f->dir, NULL, NULL, &report, NULL), RS_OK);
    assert_int_equal(report.problems, 0);
}

/* Of the partitions 1, 2 and 5 a trace each; and one that is nowhere. */
static void what_is_pinned_stays(void **state) {
    fixture *f = *state;
    uint8_t ids[4][16] = {{0}};
    const uint64_t pinned[] = {10, 22, 53, 999};
    rs_pins pins = {ids, 4};
    for (size_t i = 0; i < 4; i++) put_number(ids[i], 16, pinned[i]);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(retain_but(f, 5 * DAY / 2, 0, &pins), again ? 0 : 1);
        assert_stored(f, 3 * TRACES + 2);
        assert_int_equal(count_partitions(f), PARTITIONS - 1);
    }
    for (size_t i = 0; i < 3; i++) read_trace(f, pinned[i], RS_READ_FULL);
    fixture_reopen(f);
    rs_store_limit_partitions(f->store, TRACES, UINT64_MAX);
    assert_stored(f, 3 * TRACES + 2);
    rs_span late = make_span(22, 2, 1, 0); /* goes to its trace */
    commit_spans(f, &late, 1);
    assert_int_equal(read_trace(f, 22, RS_READ_FULL).n, 2);
    /* unpinned, they go as any other */
    assert_int_equal(retain(f, 5 * DAY / 2, 0), 1 + 1);
    assert_stored(f, 3 * TRACES);
}

static uint64_t bytes_found;

static int add_bytes(const char *path, const struct stat *st, int flag, struct FTW *at) {
    (void)at;
    if (flag == FTW_F && !strstr(path, "-shm") && !strstr(path, "p000001/"))
        bytes_found += (uint64_t)st->st_size;
    return 0;
}

/* They count for no bytes: what is not pinned stays as far as it would without them. */
static void pins_push_nothing_out(void **state) {
    fixture *f = *state;
    uint8_t ids[TRACES][16];
    rs_pins pins = {ids, TRACES};
    for (uint64_t i = 0; i < TRACES; i++) put_number(ids[i], 16, 10 + i);
    bytes_found = 0;
    nftw(f->dir, add_bytes, 16, FTW_PHYS);
    assert_int_equal(retain_but(f, 0, bytes_found, &pins), 0); /* the first partition is pinned */
    assert_stored(f, PARTITIONS * TRACES);
    assert_true(retain_but(f, 0, 1, &pins) == PARTITIONS - 1);
    assert_stored(f, TRACES);
}

/* More than one deletion takes, and the bytes are gone. */
static void many_around_a_pin(void **state) {
    fixture *f = *state;
    enum { MANY = RS_DELETE_MOST * 2 + 500 };
    uint64_t now = rs_clock_wall_ns();
    uint8_t id[1][16];
    rs_pins pins = {id, 1};
    for (uint64_t i = 0; i < MANY; i++) {
        rs_span s = make_span(100000 + i, 1, 0, 0);
        s.start_ns = now - 90 * DAY + i * MS;
        s.end_ns = s.start_ns + MS;
        commit_spans(f, &s, 1);
        if (i == 0) rs_store_limit_partitions(f->store, MANY, UINT64_MAX); /* it begins a partition */
    }
    put_number(id[0], 16, 100000 + MANY / 2);
    rs_store_limit_partitions(f->store, TRACES, UINT64_MAX);
    retain_but(f, DAY, 0, &pins);
    assert_int_equal(read_trace(f, 100000 + MANY / 2, RS_READ_FULL).n, 1);
    rs_store_stats stats;
    assert_int_equal(rs_store_get_stats(f->store, 1, &stats, NULL), RS_OK);
    assert_true(stats.traces < 2 * TRACES + 1);
    assert_true(stats.bytes < 400000);
    assert_stored(f, stats.traces);
}

static void a_project_is_dropped(void **state) {
    fixture *f = *state;
    assert_int_equal(rs_store_drop_project(f->store, 7, NULL), RS_OK);
    assert_int_equal(rs_store_drop_project(f->store, 1, NULL), RS_OK);
    assert_left(f, 0);
    fixture_reopen(f);
    assert_left(f, 0);
    rs_span s = make_span(1, 1, 0, 0);
    commit_spans(f, &s, 1);
    assert_int_equal(read_trace(f, 1, RS_READ_FULL).n, 1);
}

int main(void) {
#define TEST(t) cmocka_unit_test_setup_teardown(t, days_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(by_age),
        TEST(by_bytes),
        TEST(the_last_one),
        TEST(a_cursor_goes_on),
        TEST(a_reader_in_the_middle),
        TEST(what_is_pinned_stays),
        TEST(pins_push_nothing_out),
        TEST(many_around_a_pin),
        TEST(a_project_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
