/* Links and pins of traces, and what ends them. */
#include "store/control.h"
#include "store/trace_marks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "run_sql.h"

typedef struct fixture {
    char dir[64];
    rs_control *c;
    rs_trace_marks *m;
} fixture;

static const uint8_t A[16] = {1}, B[16] = {2};

static int setup(void **state) {
    fixture *f = calloc(1, sizeof *f);
    rs_project project;
    assert_non_null(f);
    snprintf(f->dir, sizeof f->dir, "/tmp/test_trace_marks.XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    assert_int_equal(rs_control_open(f->dir, &f->c, NULL), RS_OK);
    assert_int_equal(rs_control_create_project(f->c, "one", NULL, &project, NULL), RS_OK);
    assert_int_equal(rs_control_create_project(f->c, "two", NULL, &project, NULL), RS_OK);
    assert_int_equal(rs_trace_marks_open(f->dir, &f->m, NULL), RS_OK);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    static const char *const files[] = {"control.db", "control.db-wal", "control.db-shm"};
    fixture *f = *state;
    char path[128];
    rs_trace_marks_close(f->m);
    rs_control_close(f->c);
    for (size_t i = 0; i < RS_ARRAY_LEN(files); i++) {
        snprintf(path, sizeof path, "%s/%s", f->dir, files[i]);
        unlink(path);
    }
    rmdir(f->dir);
    free(f);
    return 0;
}

static void links(void **state) {
    fixture *f = *state;
    char first[RS_SHARE_TOKEN_MAX], second[RS_SHARE_TOKEN_MAX];
    rs_share share;
    assert_int_equal(rs_trace_marks_get_share(f->m, 1, A, &share, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_trace_marks_share(f->m, 1, A, true, first, NULL), RS_OK);
    assert_int_equal(strlen(first), 43);
    assert_int_equal(rs_trace_marks_find_share(f->m, rs_str_of(first), &share, NULL), RS_OK);
    assert_int_equal(share.project, 1);
    assert_memory_equal(share.trace_id, A, 16);
    assert_true(share.content && share.created_ns > 0);
    /* another link ends the first */
    assert_int_equal(rs_trace_marks_share(f->m, 1, A, false, second, NULL), RS_OK);
    assert_int_equal(rs_trace_marks_find_share(f->m, rs_str_of(first), &share, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_trace_marks_find_share(f->m, rs_str_of(second), &share, NULL), RS_OK);
    assert_false(share.content);
    /* of one project, and of one trace */
    assert_int_equal(rs_trace_marks_get_share(f->m, 2, A, &share, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_trace_marks_unshare(f->m, 2, A, NULL), RS_OK);
    assert_int_equal(rs_trace_marks_unshare(f->m, 1, B, NULL), RS_OK);
    assert_int_equal(rs_trace_marks_get_share(f->m, 1, A, &share, NULL), RS_OK);
    assert_int_equal(rs_trace_marks_unshare(f->m, 1, A, NULL), RS_OK);
    assert_int_equal(rs_trace_marks_find_share(f->m, rs_str_of(second), &share, NULL), RS_ERR_NOT_FOUND);
}

static void hostile_tokens(void **state) {
    fixture *f = *state;
    char token[RS_SHARE_TOKEN_MAX], longer[4096];
    rs_share share;
    assert_int_equal(rs_trace_marks_share(f->m, 1, A, true, token, NULL), RS_OK);
    memset(longer, 'A', sizeof longer);
    const rs_str tokens[] = {
        RS_STR(""), RS_STR("x"), {token, 42}, {longer, sizeof longer}, RS_STR("' OR 1=1 --")};
    for (size_t i = 0; i < RS_ARRAY_LEN(tokens); i++)
        assert_int_equal(rs_trace_marks_find_share(f->m, tokens[i], &share, NULL), RS_ERR_NOT_FOUND);
}

static void pins(void **state) {
    fixture *f = *state;
    uint8_t(*ids)[16];
    size_t n;
    bool pinned;
    assert_int_equal(rs_trace_marks_list_pins(f->m, 1, &ids, &n, NULL), RS_OK);
    assert_int_equal(n, 0);
    assert_null(ids);
    for (int again = 0; again < 2; again++) assert_int_equal(rs_trace_marks_pin(f->m, 1, B, NULL), RS_OK);
    assert_int_equal(rs_trace_marks_pin(f->m, 1, A, NULL), RS_OK);
    assert_int_equal(rs_trace_marks_list_pins(f->m, 1, &ids, &n, NULL), RS_OK);
    assert_int_equal(n, 2);
    assert_memory_equal(ids[0], A, 16);
    assert_memory_equal(ids[1], B, 16);
    free(ids);
    assert_int_equal(rs_trace_marks_is_pinned(f->m, 2, A, &pinned, NULL), RS_OK);
    assert_false(pinned);
    assert_int_equal(rs_trace_marks_unpin(f->m, 1, A, NULL), RS_OK);
    assert_int_equal(rs_trace_marks_is_pinned(f->m, 1, A, &pinned, NULL), RS_OK);
    assert_false(pinned);
    assert_int_equal(rs_trace_marks_is_pinned(f->m, 1, B, &pinned, NULL), RS_OK);
    assert_true(pinned);
}

static void so_many_pins(void **state) {
    fixture *f = *state;
    char path[128];
    uint8_t id[16] = {0};
    rs_err err = {0};
    snprintf(path, sizeof path, "%s/control.db", f->dir);
    run_sql(path, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
                  " INSERT INTO pin SELECT 1, CAST(printf('%016d', i) AS BLOB), 1 FROM n");
    assert_int_equal(rs_trace_marks_pin(f->m, 1, A, &err), RS_ERR_INVALID);
    assert_non_null(strstr(err.message, "10000"));
    memcpy(id, "0000000000000007", 16);
    assert_int_equal(rs_trace_marks_pin(f->m, 1, id, NULL), RS_OK); /* it is one of them */
    assert_int_equal(rs_trace_marks_unpin(f->m, 1, id, NULL), RS_OK);
    assert_int_equal(rs_trace_marks_pin(f->m, 1, A, NULL), RS_OK);
}

/* With the trace, and with the project. */
static void what_ends_both(void **state) {
    fixture *f = *state;
    const uint8_t gone[2][16] = {{1}, {9}};
    char token[RS_SHARE_TOKEN_MAX], path[128];
    rs_share share;
    bool pinned;
    for (uint64_t project = 1; project <= 2; project++) {
        assert_int_equal(rs_trace_marks_share(f->m, project, A, true, token, NULL), RS_OK);
        assert_int_equal(rs_trace_marks_pin(f->m, project, A, NULL), RS_OK);
    }
    assert_int_equal(rs_trace_marks_forget(f->m, 1, gone, 2, NULL), RS_OK);
    assert_int_equal(rs_trace_marks_get_share(f->m, 1, A, &share, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_trace_marks_is_pinned(f->m, 1, A, &pinned, NULL), RS_OK);
    assert_false(pinned);
    assert_int_equal(rs_trace_marks_find_share(f->m, rs_str_of(token), &share, NULL), RS_OK);
    snprintf(path, sizeof path, "%s/control.db", f->dir);
    run_sql(path, "PRAGMA foreign_keys=ON; DELETE FROM project WHERE id = 2");
    assert_int_equal(rs_trace_marks_find_share(f->m, rs_str_of(token), &share, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_trace_marks_is_pinned(f->m, 2, A, &pinned, NULL), RS_OK);
    assert_false(pinned);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(links, setup, teardown),
        cmocka_unit_test_setup_teardown(hostile_tokens, setup, teardown),
        cmocka_unit_test_setup_teardown(pins, setup, teardown),
        cmocka_unit_test_setup_teardown(so_many_pins, setup, teardown),
        cmocka_unit_test_setup_teardown(what_ends_both, setup, teardown),
    };
    return cmocka_run_group_tests_name("trace_marks", tests, NULL, NULL);
}
