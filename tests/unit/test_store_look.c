/* A store seen from outside, while it is open and when it is not. */
#include "run_sql.h"
#include "store_fixture.h"

#include "store/control.h"
#include <sys/stat.h>

static void commit_one(fixture *f, uint64_t id) {
    rs_span s = make_span(id, id, 0, 0);
    commit_spans(f, &s, 1);
}

static const char *index_path(const fixture *f) {
    static char path[200];
    snprintf(path, sizeof path, "%s/projects/1/p000001/index.db", f->dir);
    return path;
}

static void set_version(const char *path, int version) {
    char sql[60];
    snprintf(sql, sizeof sql, "PRAGMA user_version=%d", version);
    run_sql(path, sql);
}

static void what_is_in_it_and_who_has_it(void **state) {
    fixture *f = *state;
    rs_store_facts facts;
    assert_int_equal(rs_store_look(f->dir, &facts, NULL), RS_OK);
    assert_int_equal(facts.holder, getpid());
    assert_int_equal(facts.spans, 0);
    commit_one(f, 1);
    commit_one(f, 2);
    assert_int_equal(rs_store_look(f->dir, &facts, NULL), RS_OK);
    assert_int_equal(facts.spans, 2);
    assert_int_equal(facts.traces, 2);
    assert_int_equal(facts.projects, 1);
    assert_true(facts.bytes > 1000);
    rs_store_close(f->store);
    f->store = NULL;
    assert_int_equal(rs_store_look(f->dir, &facts, NULL), RS_OK);
    assert_int_equal(facts.holder, 0);
    assert_int_equal(facts.spans, 2);
    fixture_reopen(f); /* looking left nothing that is in the way */
    commit_one(f, 3);
}

static void nothing_there(void **state) {
    (void)state;
    rs_store_facts facts;
    rs_err err = {0};
    assert_int_equal(rs_store_look("/nonexistent", &facts, NULL), RS_OK);
    assert_int_equal(facts.projects + facts.bytes, 0);
    assert_int_equal(rs_control_look("/nonexistent", &err), RS_ERR_NOT_FOUND);
    assert_int_not_equal(access("/nonexistent", F_OK), 0);
}

static void another_version(void **state) {
    fixture *f = *state;
    rs_store_facts facts;
    rs_err err = {0};
    commit_one(f, 1);
    rs_store_close(f->store);
    f->store = NULL;
    set_version(index_path(f), 99);
    assert_int_equal(rs_store_look(f->dir, &facts, &err), RS_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "has format 99"));
}

static void not_a_database(void **state) {
    fixture *f = *state;
    rs_store_facts facts;
    rs_err err = {0};
    commit_one(f, 1);
    rs_store_close(f->store);
    f->store = NULL;
    FILE *file = fopen(index_path(f), "w");
    assert_non_null(file);
    for (int i = 0; i < 5000; i++) fputc('x', file);
    fclose(file);
    assert_int_equal(rs_store_look(f->dir, &facts, &err), RS_ERR_CORRUPT);
    assert_non_null(strstr(err.message, "index.db"));
}

int main(void) {
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_in_it_and_who_has_it),
        cmocka_unit_test(nothing_there),
        TEST(another_version),
        TEST(not_a_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
