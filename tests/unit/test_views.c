#include "base/str.h"
#include "control_fixture.h"
#include "run_sql.h"

/* A project with two who work in it. */
static int setup(void **state) {
    fixture *f = open_control(state);
    assert_int_equal(
        rs_control_create_project(f->c, RS_SERVER_ORGANIZATION, "default", NULL, &f->project, NULL), RS_OK);
    for (int i = 0; i < 2; i++) {
        char email[16];
        snprintf(email, sizeof email, "%d@x.org", i);
        assert_int_equal(rs_control_add_user(f->c, RS_SERVER_ORGANIZATION, email, i ? "Bo" : "An",
                                             RS_ROLE_OWNER, "", NULL, &f->users[i], NULL),
                         RS_OK);
        f->by[i].user = f->users[i].id;
    }
    return 0;
}

static uint64_t made(fixture *f, int who, const char *name, int shared) {
    uint64_t id = 0;
    rs_err err = {0};
    rs_saved_view_wish wish = {.name = name, .q = "status:error", .is_shared = shared, .is_default = -1};
    if (rs_control_create_view(f->c, f->project.id, RS_SAVED_VIEW_OF_TRACES, &wish, &f->by[who], &id, &err) !=
        RS_OK)
        fail_msg("%s", err.message);
    return id;
}

static bool put_name(void *ctx, const rs_saved_view *view) {
    char *all = ctx;
    size_t n = strlen(all);
    snprintf(all + n, 256 - n, "%.*s%s ", RS_STR_ARG(view->name), view->is_default ? "*" : "");
    return true;
}

static void assert_seen(fixture *f, uint64_t user, const char *names) {
    char all[256] = "";
    assert_int_equal(rs_control_list_views(f->c, f->project.id, user, put_name, all, NULL), RS_OK);
    assert_string_equal(all, names);
}

static rs_status change(fixture *f, int who, uint64_t id, rs_saved_view_wish wish) {
    return rs_control_change_view(f->c, f->project.id, id, &wish, &f->by[who], NULL);
}
#define LEFT .is_shared = -1, .is_default = -1

static bool is_as_saved(void *ctx, const rs_saved_view *v) {
    *(bool *)ctx = rs_str_eq(v->name, RS_STR("slow")) && rs_str_eq(v->q, RS_STR("latency:>2s")) &&
                   rs_str_eq(v->from, RS_STR("-1h")) && v->to.n == 0 &&
                   rs_str_eq(v->sort, RS_STR("-duration")) &&
                   rs_str_eq(v->columns, RS_STR("[{\"id\":\"time\"}]")) &&
                   rs_str_eq(v->created_by, RS_STR("An")) && v->page == RS_SAVED_VIEW_OF_TRACES &&
                   v->is_shared && !v->is_default && v->created_ns && v->changed_ns > v->created_ns;
    return true;
}

static void what_is_saved_is_there(void **state) {
    fixture *f = *state;
    bool same = false;
    uint64_t id = made(f, 0, "failed", 1);
    assert_int_equal(change(f, 1, id,
                            (rs_saved_view_wish){.name = "slow",
                                                 .q = "latency:>2s",
                                                 .from = "-1h",
                                                 .sort = "-duration",
                                                 .columns = "[{\"id\":\"time\"}]",
                                                 LEFT}),
                     RS_OK);
    assert_int_equal(rs_control_get_view(f->c, f->project.id, f->users[1].id, id, is_as_saved, &same, NULL),
                     RS_OK);
    assert_true(same);
    assert_int_equal(rs_control_delete_view(f->c, f->project.id, id, &f->by[1], NULL), RS_OK);
    assert_int_equal(rs_control_delete_view(f->c, f->project.id, id, &f->by[1], NULL), RS_ERR_NOT_FOUND);
}

static void ones_own_are_seen_by_oneself(void **state) {
    fixture *f = *state;
    rs_project other;
    uint64_t own = made(f, 0, "mine", 0), shared = made(f, 0, "ours", 1);
    assert_seen(f, f->users[0].id, "mine ours ");
    assert_seen(f, f->users[1].id, "ours ");
    assert_seen(f, 0, "ours ");
    assert_int_equal(change(f, 1, own, (rs_saved_view_wish){.name = "x", LEFT}), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_delete_view(f->c, f->project.id, own, &f->by[1], NULL), RS_ERR_NOT_FOUND);
    /* the project has it until he who made it takes it back */
    assert_int_equal(change(f, 1, shared, (rs_saved_view_wish){.is_shared = 0, .is_default = -1}),
                     RS_ERR_DENIED);
    assert_int_equal(change(f, 0, shared, (rs_saved_view_wish){.is_shared = 0, .is_default = -1}), RS_OK);
    assert_seen(f, f->users[1].id, "");
    /* that of one project is none of another */
    assert_int_equal(rs_control_create_project(f->c, RS_SERVER_ORGANIZATION, "other", NULL, &other, NULL),
                     RS_OK);
    assert_int_equal(rs_control_delete_view(f->c, other.id, shared, &f->by[0], NULL), RS_ERR_NOT_FOUND);
}

static void names_are_there_once(void **state) {
    fixture *f = *state;
    uint64_t id, dashboard;
    rs_saved_view_wish again = {.name = "failed", .is_shared = 1, .is_default = -1};
    made(f, 0, "failed", 1);
    made(f, 0, "failed", 0);
    made(f, 1, "failed", 0);
    assert_int_equal(
        rs_control_create_view(f->c, f->project.id, RS_SAVED_VIEW_OF_TRACES, &again, &f->by[1], &id, NULL),
        RS_ERR_INVALID);
    assert_int_equal(rs_control_create_view(f->c, f->project.id, RS_SAVED_VIEW_OF_DASHBOARD, &again,
                                            &f->by[1], &dashboard, NULL),
                     RS_OK);
    id = made(f, 1, "slow", 1);
    assert_int_equal(change(f, 1, id, again), RS_ERR_INVALID);
    again.is_shared = 0; /* of a key, which has none of its own */
    again.name = "key's";
    assert_int_equal(rs_control_create_view(f->c, f->project.id, RS_SAVED_VIEW_OF_TRACES, &again,
                                            &(rs_actor){.name = "key 1"}, &id, NULL),
                     RS_ERR_INVALID);
}

static void they_stand_where_they_were_put(void **state) {
    fixture *f = *state;
    uint64_t a = made(f, 0, "a", 1), b = made(f, 0, "b", 1), c = made(f, 0, "c", 0);
    assert_int_equal(change(f, 0, c, (rs_saved_view_wish){.position = 1, LEFT}), RS_OK);
    assert_seen(f, f->users[0].id, "c a b ");
    assert_int_equal(change(f, 0, c, (rs_saved_view_wish){.position = 2, LEFT}), RS_OK);
    assert_seen(f, f->users[0].id, "a c b ");
    assert_int_equal(change(f, 0, a, (rs_saved_view_wish){.position = 99, LEFT}), RS_OK);
    assert_seen(f, f->users[0].id, "c b a ");
    assert_int_equal(change(f, 1, b, (rs_saved_view_wish){.position = 2, LEFT}), RS_OK);
    assert_seen(f, f->users[1].id, "a b ");
    made(f, 1, "d", 1);
    assert_seen(f, f->users[1].id, "a b d ");
}

static void a_project_has_one_default(void **state) {
    fixture *f = *state;
    uint64_t a = made(f, 0, "a", 1), b = made(f, 0, "b", 1), own = made(f, 0, "own", 0);
    assert_int_equal(change(f, 0, a, (rs_saved_view_wish){.is_shared = -1, .is_default = 1}), RS_OK);
    assert_seen(f, 0, "a* b ");
    assert_int_equal(change(f, 1, b, (rs_saved_view_wish){.is_shared = -1, .is_default = 1}), RS_OK);
    assert_seen(f, 0, "a b* ");
    assert_int_equal(change(f, 0, own, (rs_saved_view_wish){.is_shared = -1, .is_default = 1}),
                     RS_ERR_INVALID);
    assert_int_equal(change(f, 0, b, (rs_saved_view_wish){.is_shared = 0, .is_default = -1}), RS_OK);
    assert_seen(f, f->users[0].id, "a b own ");
    assert_int_equal(change(f, 0, a, (rs_saved_view_wish){.is_shared = -1, .is_default = 0}), RS_OK);
}

static void there_are_only_so_many(void **state) {
    fixture *f = *state;
    char text[RS_SAVED_VIEW_TEXT + 1];
    uint64_t id;
    char sql[512];
    snprintf(
        sql, sizeof sql,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
        "INSERT INTO saved_view(project, user, page, shared, is_default, position, name, q, starts, ends,"
        " sort, options, columns, created, changed)"
        " SELECT %d, %d, 0, 0, 0, i, 'v' || i, '', '', '', '', '', '', 1, 1 FROM n",
        RS_SAVED_VIEWS_MAX, (int)f->project.id, (int)f->users[0].id);
    run_sql(f->path, sql);
    rs_saved_view_wish wish = {.name = "one more", LEFT};
    assert_int_equal(
        rs_control_create_view(f->c, f->project.id, RS_SAVED_VIEW_OF_TRACES, &wish, &f->by[0], &id, NULL),
        RS_ERR_INVALID);
    made(f, 1, "his first", 0);
    made(f, 0, "shared", 1);
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = 0;
    wish.q = text;
    assert_int_equal(
        rs_control_create_view(f->c, f->project.id, RS_SAVED_VIEW_OF_TRACES, &wish, &f->by[1], &id, NULL),
        RS_ERR_TOO_LARGE);
    wish = (rs_saved_view_wish){.name = "a\nb", LEFT};
    assert_int_equal(
        rs_control_create_view(f->c, f->project.id, RS_SAVED_VIEW_OF_TRACES, &wish, &f->by[1], &id, NULL),
        RS_ERR_INVALID);
}

static void what_a_user_shared_stays(void **state) {
    fixture *f = *state;
    rs_project other;
    made(f, 0, "own", 0);
    made(f, 0, "shared", 1);
    assert_int_equal(rs_control_remove_member(f->c, RS_SERVER_ORGANIZATION, f->users[0].id, NULL, NULL, NULL),
                     RS_OK);
    assert_seen(f, 0, "shared ");
    assert_seen(f, f->users[0].id, "shared ");
    assert_int_equal(rs_control_create_project(f->c, RS_SERVER_ORGANIZATION, "other", NULL, &other, NULL),
                     RS_OK);
    assert_int_equal(rs_control_delete_project(f->c, f->project.id, NULL, NULL), RS_OK);
    assert_seen(f, 0, "");
}

static void one_of_version_4_goes_on(void **state) {
    fixture *f = *state;
    rs_err err = {0};
    rs_control_close(f->c);
    run_sql(f->path, WITHOUT_ORGANIZATIONS WITHOUT_SIGNED_IN "DROP TABLE saved_view; PRAGMA user_version=4");
    assert_int_equal(rs_control_look(f->dir, NULL), RS_OK);
    if (rs_control_open(f->dir, &f->c, &err) != RS_OK) fail_msg("%s", err.message);
    made(f, 0, "a", 1);
    assert_seen(f, 0, "a ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_saved_is_there, setup, close_control),
        cmocka_unit_test_setup_teardown(ones_own_are_seen_by_oneself, setup, close_control),
        cmocka_unit_test_setup_teardown(names_are_there_once, setup, close_control),
        cmocka_unit_test_setup_teardown(they_stand_where_they_were_put, setup, close_control),
        cmocka_unit_test_setup_teardown(a_project_has_one_default, setup, close_control),
        cmocka_unit_test_setup_teardown(there_are_only_so_many, setup, close_control),
        cmocka_unit_test_setup_teardown(what_a_user_shared_stays, setup, close_control),
        cmocka_unit_test_setup_teardown(one_of_version_4_goes_on, setup, close_control),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
