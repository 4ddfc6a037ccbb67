/* Links and pins of traces, and what ends them. */
#include "control_fixture.h"
#include "run_sql.h"

static const uint8_t A[16] = {1}, B[16] = {2};

static int setup(void **state) {
    fixture *f = open_control(state);
    assert_int_equal(rs_control_create_project(f->c, RS_SERVER_ORGANIZATION, "one", NULL, &f->project, NULL),
                     RS_OK);
    assert_int_equal(rs_control_create_project(f->c, RS_SERVER_ORGANIZATION, "two", NULL, &f->project, NULL),
                     RS_OK);
    return 0;
}

static void links(void **state) {
    fixture *f = *state;
    char first[RS_SECRET_MAX], second[RS_SECRET_MAX];
    rs_share share;
    assert_int_equal(rs_control_get_share(f->c, 1, A, &share, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_share_trace(f->c, 1, A, true, NULL, first, &share, NULL), RS_OK);
    assert_int_equal(strlen(first), 43);
    assert_int_equal(rs_control_find_share(f->c, rs_str_of(first), &share, NULL), RS_OK);
    assert_int_equal(share.project, 1);
    assert_memory_equal(share.trace_id, A, 16);
    assert_true(share.content && share.created_ns > 0);
    /* another link ends the first */
    assert_int_equal(rs_control_share_trace(f->c, 1, A, false, NULL, second, &share, NULL), RS_OK);
    assert_int_equal(rs_control_find_share(f->c, rs_str_of(first), &share, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_find_share(f->c, rs_str_of(second), &share, NULL), RS_OK);
    assert_false(share.content);
    /* of one project, and of one trace */
    assert_int_equal(rs_control_get_share(f->c, 2, A, &share, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_unshare_trace(f->c, 2, A, NULL, NULL), RS_OK);
    assert_int_equal(rs_control_unshare_trace(f->c, 1, B, NULL, NULL), RS_OK);
    assert_int_equal(rs_control_get_share(f->c, 1, A, &share, NULL), RS_OK);
    assert_int_equal(rs_control_unshare_trace(f->c, 1, A, NULL, NULL), RS_OK);
    assert_int_equal(rs_control_find_share(f->c, rs_str_of(second), &share, NULL), RS_ERR_NOT_FOUND);
}

static void hostile_tokens(void **state) {
    fixture *f = *state;
    char token[RS_SECRET_MAX], longer[4096];
    rs_share share;
    assert_int_equal(rs_control_share_trace(f->c, 1, A, true, NULL, token, &share, NULL), RS_OK);
    memset(longer, 'A', sizeof longer);
    const rs_str tokens[] = {
        RS_STR(""), RS_STR("x"), {token, 42}, {longer, sizeof longer}, RS_STR("' OR 1=1 --")};
    for (size_t i = 0; i < RS_ARRAY_LEN(tokens); i++)
        assert_int_equal(rs_control_find_share(f->c, tokens[i], &share, NULL), RS_ERR_NOT_FOUND);
}

static void pins(void **state) {
    fixture *f = *state;
    uint8_t(*ids)[16];
    size_t n;
    bool pinned;
    assert_int_equal(rs_control_list_pins(f->c, 1, &ids, &n, NULL), RS_OK);
    assert_int_equal(n, 0);
    assert_null(ids);
    for (int again = 0; again < 2; again++)
        assert_int_equal(rs_control_pin_trace(f->c, 1, B, NULL, NULL), RS_OK);
    assert_int_equal(rs_control_pin_trace(f->c, 1, A, NULL, NULL), RS_OK);
    assert_int_equal(rs_control_list_pins(f->c, 1, &ids, &n, NULL), RS_OK);
    assert_int_equal(n, 2);
    assert_memory_equal(ids[0], A, 16);
    assert_memory_equal(ids[1], B, 16);
    free(ids);
    assert_int_equal(rs_control_is_pinned(f->c, 2, A, &pinned, NULL), RS_OK);
    assert_false(pinned);
    assert_int_equal(rs_control_unpin_trace(f->c, 1, A, NULL, NULL), RS_OK);
    assert_int_equal(rs_control_is_pinned(f->c, 1, A, &pinned, NULL), RS_OK);
    assert_false(pinned);
    assert_int_equal(rs_control_is_pinned(f->c, 1, B, &pinned, NULL), RS_OK);
    assert_true(pinned);
}

static void so_many_pins(void **state) {
    fixture *f = *state;
    uint8_t id[16] = {0};
    rs_err err = {0};
    run_sql(f->path, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
                     " INSERT INTO pin SELECT 1, CAST(printf('%016d', i) AS BLOB), 1 FROM n");
    assert_int_equal(rs_control_pin_trace(f->c, 1, A, NULL, &err), RS_ERR_INVALID);
    assert_non_null(strstr(err.message, "10000"));
    memcpy(id, "0000000000000007", 16);
    assert_int_equal(rs_control_pin_trace(f->c, 1, id, NULL, NULL), RS_OK); /* it is one of them */
    assert_int_equal(rs_control_unpin_trace(f->c, 1, id, NULL, NULL), RS_OK);
    assert_int_equal(rs_control_pin_trace(f->c, 1, A, NULL, NULL), RS_OK);
}

/* With the trace, and with the project. */
static void what_ends_both(void **state) {
    fixture *f = *state;
    const uint8_t gone[2][16] = {{1}, {9}};
    char token[RS_SECRET_MAX];
    rs_share share;
    bool pinned;
    for (uint64_t project = 1; project <= 2; project++) {
        assert_int_equal(rs_control_share_trace(f->c, project, A, true, NULL, token, &share, NULL), RS_OK);
        assert_int_equal(rs_control_pin_trace(f->c, project, A, NULL, NULL), RS_OK);
    }
    assert_int_equal(rs_control_forget_traces(f->c, 1, gone, 2, NULL), RS_OK);
    assert_int_equal(rs_control_get_share(f->c, 1, A, &share, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_is_pinned(f->c, 1, A, &pinned, NULL), RS_OK);
    assert_false(pinned);
    assert_int_equal(rs_control_find_share(f->c, rs_str_of(token), &share, NULL), RS_OK);
    run_sql(f->path, "PRAGMA foreign_keys=ON; DELETE FROM project WHERE id = 2");
    assert_int_equal(rs_control_find_share(f->c, rs_str_of(token), &share, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_is_pinned(f->c, 2, A, &pinned, NULL), RS_OK);
    assert_false(pinned);
}

typedef struct rows {
    char text[1024];
} rows;

static bool add_row(void *ctx, const rs_audit_row *row) {
    rows *r = ctx;
    size_t n = strlen(r->text);
    snprintf(r->text + n, sizeof r->text - n, "%.*s %.*s %d\n", RS_STR_ARG(row->action),
             RS_STR_ARG(row->target), (int)row->project);
    return true;
}

/* What changes nothing is not in the log. */
static void who_did_it_is_known(void **state) {
    fixture *f = *state;
    char token[RS_SECRET_MAX];
    rs_share share;
    rows r = {""};
    for (int again = 0; again < 2; again++)
        assert_int_equal(rs_control_pin_trace(f->c, 2, A, NULL, NULL), RS_OK);
    for (int again = 0; again < 2; again++)
        assert_int_equal(rs_control_unpin_trace(f->c, 2, A, NULL, NULL), RS_OK);
    assert_int_equal(rs_control_share_trace(f->c, 1, B, false, NULL, token, &share, NULL), RS_OK);
    for (int again = 0; again < 2; again++)
        assert_int_equal(rs_control_unshare_trace(f->c, 1, B, NULL, NULL), RS_OK);
    assert_int_equal(rs_control_list_audit(f->c, &(rs_audit_filter){0}, 0, 4, add_row, &r, NULL), RS_OK);
    assert_string_equal(r.text, "trace.unshare 02000000000000000000000000000000 1\n"
                                "trace.share 02000000000000000000000000000000 1\n"
                                "trace.unpin 01000000000000000000000000000000 2\n"
                                "trace.pin 01000000000000000000000000000000 2\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(links, setup, close_control),
        cmocka_unit_test_setup_teardown(hostile_tokens, setup, close_control),
        cmocka_unit_test_setup_teardown(pins, setup, close_control),
        cmocka_unit_test_setup_teardown(so_many_pins, setup, close_control),
        cmocka_unit_test_setup_teardown(what_ends_both, setup, close_control),
        cmocka_unit_test_setup_teardown(who_did_it_is_known, setup, close_control),
    };
    return cmocka_run_group_tests_name("trace_marks", tests, NULL, NULL);
}
