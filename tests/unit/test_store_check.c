/* rs_store_check finds what is damaged, and nothing where all is whole. */
#include "run_sql.h"
#include "store_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

static char last_problem[4096];

static void keep(void *ctx, const char *text) {
    (void)ctx;
    snprintf(last_problem, sizeof last_problem, "%s", text);
}

static rs_store_report check(fixture *f) {
    rs_store_report r;
    rs_err err = {0};
    last_problem[0] = 0;
    if (rs_store_check(f->dir, keep, NULL, &r, &err) != RS_OK) fail_msg("%s", err.message);
    return r;
}

/* Traces of ten in three partitions, one of them sent again, and another project. */
static int filled_setup(void **state) {
    int rc = fixture_setup(state);
    fixture *f = *state;
    rs_span spans[10];
    rs_store_limit_partitions(f->store, 40, UINT64_MAX);
    for (uint64_t trace = 1; trace <= 10; trace++) {
        for (uint64_t i = 0; i < 10; i++)
            spans[i] = make_span(trace, trace * 100 + i + 1, i ? trace * 100 + 1 : 0, trace * MS);
        commit_spans(f, spans, 10);
    }
    commit_spans(f, spans + 4, 3);
    commit_to(f, 2, spans, 10);
    return rc;
}

static void a_whole_store(void **state) {
    fixture *f = *state;
    for (int closed = 0; closed < 2; closed++) { /* beside its owner, and without */
        rs_store_report r = check(f);
        assert_string_equal(last_problem, "");
        assert_int_equal(r.problems, 0);
        assert_int_equal(r.partitions, 4);
        assert_int_equal(r.traces, 11);
        assert_int_equal(r.spans, 110);
        assert_int_equal(r.blocks, 12);
        rs_store_close(f->store);
        f->store = NULL;
    }
}

static void nothing_at_all(void **state) {
    (void)state;
    rs_store_report r;
    assert_int_equal(rs_store_check("/nonexistent", NULL, NULL, &r, NULL), RS_OK);
    assert_int_equal(r.partitions, 0);
}

static void path_of(fixture *f, const char *file, char out[160]) {
    snprintf(out, 160, "%s/projects/1/p000001/%s", f->dir, file);
}

/* Each byte of the segment is under some checksum. */
static void every_flipped_byte_of_a_segment(void **state) {
    fixture *f = *state;
    char path[160];
    struct stat st;
    path_of(f, "segment", path);
    assert_int_equal(stat(path, &st), 0);
    int fd = open(path, O_RDWR);
    for (off_t at = 0; at < st.st_size; at += 1 + at % 5) {
        unsigned char byte, flipped;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        flipped = byte ^ (unsigned char)(1 << at % 8);
        assert_int_equal(pwrite(fd, &flipped, 1, at), 1);
        if (check(f).problems == 0) fail_msg("byte %lld is not missed", (long long)at);
        assert_non_null(strstr(last_problem, "p000001"));
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    close(fd);
    assert_int_equal(check(f).problems, 0);
}

static void a_torn_segment(void **state) {
    fixture *f = *state;
    char path[160];
    struct stat st;
    path_of(f, "segment", path);
    assert_int_equal(stat(path, &st), 0);
    for (off_t size = st.st_size - 1; size > 0; size -= 97) {
        assert_int_equal(truncate(path, size), 0);
        assert_true(check(f).problems > 0);
    }
    assert_int_equal(unlink(path), 0);
    assert_true(check(f).problems > 0);
}

static void an_index_that_says_otherwise(void **state) {
    fixture *f = *state;
    static const struct {
        const char *change, *back, *said;
    } cases[] = {
        {"UPDATE state SET spans = spans + 1", "UPDATE state SET spans = spans - 1", "the state says"},
        {"UPDATE state SET traces = traces + 1", "UPDATE state SET traces = traces - 1", "the state says"},
        {"UPDATE state SET segment_end = segment_end + 9", "UPDATE state SET segment_end = segment_end - 9",
         "end at byte"},
        {"UPDATE trace SET spans = spans + 1 WHERE key = (SELECT min(key) FROM trace)",
         "UPDATE trace SET spans = spans - 1 WHERE key = (SELECT min(key) FROM trace)", "its row says"},
        {"UPDATE block SET spans = spans + 1 WHERE first = 1",
         "UPDATE block SET spans = spans - 1 WHERE first = 1", "byte 0"},
        {"UPDATE block SET at = at + 1 WHERE first = 11", "UPDATE block SET at = at - 1 WHERE first = 11",
         "begins at"},
        {"UPDATE rollup SET n = n + 1 WHERE of = 1", "UPDATE rollup SET n = n - 1 WHERE of = 1",
         "the rollups"},
    };
    char path[160];
    path_of(f, "index.db", path);
    rs_store_close(f->store);
    f->store = NULL;
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++) {
        run_sql(path, cases[i].change);
        if (check(f).problems == 0) fail_msg("%s is not missed", cases[i].change);
        run_sql(path, cases[i].back);
        assert_int_equal(check(f).problems, 0);
    }
    run_sql(path, "DELETE FROM trace WHERE key = (SELECT min(key) FROM trace)");
    assert_true(check(f).problems >= 2);
}

static void a_torn_index(void **state) {
    fixture *f = *state;
    char path[160];
    struct stat st;
    rs_store_close(f->store);
    f->store = NULL;
    path_of(f, "index.db", path);
    assert_int_equal(stat(path, &st), 0);
    for (off_t size = st.st_size - 4096; size > 0; size -= 8192) {
        assert_int_equal(truncate(path, size), 0);
        assert_true(check(f).problems > 0);
    }
    int fd = open(path, O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, "this is no database, and never was one", 38), 38);
    close(fd);
    assert_true(check(f).problems > 0);
}

/* As if the log had lost the last commit. */
static void blocks_that_the_index_does_not_name(void **state) {
    fixture *f = *state;
    char path[160], older[170];
    snprintf(path, sizeof path, "%s/projects/1/p000003/index.db", f->dir); /* that takes new traces */
    snprintf(older, sizeof older, "%s.older", path);
    assert_int_equal(rs_db_copy(path, older, NULL), RS_OK);
    rs_span s = make_span(700, 7, 0, 0);
    commit_spans(f, &s, 1);
    rs_store_close(f->store);
    f->store = NULL;
    assert_int_equal(check(f).problems, 0);
    assert_int_equal(rename(older, path), 0);
    assert_int_equal(check(f).problems, 1);
    fixture_reopen(f); /* it is cut, and the log says so */
    assert_int_equal(read_trace(f, 10, RS_READ_HEADS).n, 10);
    assert_int_equal(check(f).problems, 0);
}

int main(void) {
#define TEST(t) cmocka_unit_test_setup_teardown(t, filled_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_whole_store),
        cmocka_unit_test(nothing_at_all),
        TEST(every_flipped_byte_of_a_segment),
        TEST(a_torn_segment),
        TEST(an_index_that_says_otherwise),
        TEST(a_torn_index),
        TEST(blocks_that_the_index_does_not_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
