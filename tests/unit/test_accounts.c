/* Users, sessions, invites and the log of the control plane; and how often a password may be tried. */
#include "base/str.h"
#include "control_fixture.h"
#include "run_sql.h"
#include "server/signin_limit.h"

static int setup(void **state) {
    fixture *f = open_control(state);
    assert_int_equal(rs_control_first_owner(f->c, &f->owner, NULL), RS_OK);
    return 0;
}

static void link_works_once(void **state) {
    fixture *f = *state;
    char token[RS_SECRET_MAX], session[RS_SECRET_MAX], again[RS_SECRET_MAX];
    rs_session found = {0};
    assert_int_equal(rs_control_create_link(f->c, f->owner.id, token, NULL), RS_OK);
    assert_int_equal(rs_control_check_session(f->c, rs_str_of(token), &found, NULL), RS_ERR_DENIED);
    assert_int_equal(rs_control_redeem_link(f->c, rs_str_of(token), &nowhere, session, NULL), RS_OK);
    assert_int_equal(rs_control_redeem_link(f->c, rs_str_of(token), &nowhere, again, NULL), RS_ERR_DENIED);
    assert_int_equal(rs_control_check_session(f->c, rs_str_of(session), &found, NULL), RS_OK);
    assert_int_equal(found.user, f->owner.id);
    assert_true(found.is_server_owner);
    assert_int_equal(rs_control_end_session(f->c, rs_str_of(session), NULL), RS_OK);
    assert_int_equal(rs_control_check_session(f->c, rs_str_of(session), &found, NULL), RS_ERR_DENIED);
    assert_int_equal(rs_control_end_session(f->c, RS_STR("nothing"), NULL), RS_OK);
    assert_int_equal(rs_control_create_link(f->c, 99, token, NULL), RS_ERR_NOT_FOUND);
}

/* As if the time had come: what is over lets nobody in. */
static void what_expires(void **state) {
    fixture *f = *state;
    char path[128], link[RS_SECRET_MAX], session[RS_SECRET_MAX], token[RS_SECRET_MAX], again[RS_SECRET_MAX];
    rs_session found = {0};
    rs_invite invite;
    assert_int_equal(rs_control_create_link(f->c, f->owner.id, link, NULL), RS_OK);
    assert_int_equal(rs_control_start_session(f->c, f->owner.id, &nowhere, session, NULL), RS_OK);
    assert_int_equal(rs_control_create_invite(f->c, RS_SERVER_ORGANIZATION, RS_ROLE_VIEWER, "", NULL, token,
                                              &invite, NULL),
                     RS_OK);
    assert_int_equal(rs_control_check_session(f->c, rs_str_of(session), &found, NULL), RS_OK);
    assert_int_equal(rs_control_find_invite(f->c, rs_str_of(token), &invite, NULL), RS_OK);
    snprintf(path, sizeof path, "%s/control.db", f->dir);
    run_sql(path,
            "UPDATE session SET expires = 1; UPDATE link SET expires = 1; UPDATE invite SET expires = 1;");
    assert_int_equal(rs_control_check_session(f->c, rs_str_of(session), &found, NULL), RS_ERR_DENIED);
    assert_int_equal(rs_control_redeem_link(f->c, rs_str_of(link), &nowhere, again, NULL), RS_ERR_DENIED);
    assert_int_equal(rs_control_find_invite(f->c, rs_str_of(token), &invite, NULL), RS_ERR_DENIED);
}

static void users(void **state) {
    fixture *f = *state;
    rs_user ann, found;
    rs_session session;
    char secret[RS_SECRET_MAX];
    rs_err err = {0};
    assert_int_equal(f->owner.role, RS_ROLE_OWNER);
    assert_int_equal(rs_control_add_user(f->c, RS_SERVER_ORGANIZATION, "Ann@example.org", "Ann",
                                         RS_ROLE_VIEWER, "", NULL, &ann, NULL),
                     RS_OK);
    assert_int_equal(rs_control_find_user(f->c, "ann@EXAMPLE.org", &found, NULL), RS_OK);
    assert_int_equal(found.id, ann.id);
    assert_int_equal(rs_control_add_user(f->c, RS_SERVER_ORGANIZATION, "ann@example.ORG", "A", RS_ROLE_OWNER,
                                         "", NULL, &found, NULL),
                     RS_ERR_INVALID);
    static const char *const none[] = {"", "ann", "@x", "a@", "a@b@c", "a b@c", "a@b\n"};
    for (size_t i = 0; i < RS_ARRAY_LEN(none); i++)
        assert_int_equal(rs_control_add_user(f->c, RS_SERVER_ORGANIZATION, none[i], "A", RS_ROLE_VIEWER, "",
                                             NULL, &found, NULL),
                         RS_ERR_INVALID);
    assert_int_equal(rs_control_start_session(f->c, ann.id, &nowhere, secret, NULL), RS_OK);
    assert_int_equal(rs_control_set_role(f->c, RS_SERVER_ORGANIZATION, ann.id, RS_ROLE_MEMBER, NULL, NULL),
                     RS_OK);
    assert_int_equal(rs_control_check_session(f->c, rs_str_of(secret), &session, NULL), RS_OK);
    assert_false(session.is_server_owner);
    assert_int_equal(rs_control_get_member(f->c, RS_SERVER_ORGANIZATION, ann.id, &found, NULL), RS_OK);
    assert_int_equal(found.role, RS_ROLE_MEMBER);
    assert_int_equal(rs_control_set_account(f->c, ann.id, f->owner.email, "Ann", NULL, NULL), RS_ERR_INVALID);
    assert_int_equal(rs_control_set_account(f->c, ann.id, "ann@new.org", "Ann N", NULL, NULL), RS_OK);
    assert_int_equal(rs_control_get_user(f->c, ann.id, &found, NULL), RS_OK);
    assert_string_equal(found.email, "ann@new.org");
    /* somebody has to be an owner */
    assert_int_equal(
        rs_control_set_role(f->c, RS_SERVER_ORGANIZATION, f->owner.id, RS_ROLE_VIEWER, NULL, &err),
        RS_ERR_INVALID);
    assert_int_equal(rs_control_remove_member(f->c, RS_SERVER_ORGANIZATION, f->owner.id, NULL, NULL, NULL),
                     RS_ERR_INVALID);
    assert_int_equal(rs_control_set_role(f->c, RS_SERVER_ORGANIZATION, ann.id, RS_ROLE_OWNER, NULL, NULL),
                     RS_OK);
    assert_int_equal(rs_control_remove_member(f->c, RS_SERVER_ORGANIZATION, f->owner.id, NULL, NULL, NULL),
                     RS_OK);
    assert_int_equal(
        rs_control_set_role(f->c, RS_SERVER_ORGANIZATION, f->owner.id, RS_ROLE_OWNER, NULL, NULL),
        RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_remove_member(f->c, RS_SERVER_ORGANIZATION, ann.id, NULL, NULL, NULL),
                     RS_ERR_INVALID);
    assert_int_equal(rs_control_check_session(f->c, rs_str_of(secret), &session, NULL), RS_OK);
    assert_int_equal(
        rs_control_add_user(f->c, RS_SERVER_ORGANIZATION, "b@x", "B", RS_ROLE_OWNER, "", NULL, &found, NULL),
        RS_OK);
    assert_int_equal(rs_control_remove_member(f->c, RS_SERVER_ORGANIZATION, ann.id, NULL, NULL, NULL), RS_OK);
    assert_int_equal(rs_control_check_session(f->c, rs_str_of(secret), &session, NULL), RS_ERR_DENIED);
}

static void passwords(void **state) {
    fixture *f = *state;
    char hash[RS_PASSWORD_HASH], stored[RS_PASSWORD_HASH], kept[RS_SECRET_MAX], other[RS_SECRET_MAX],
        link[RS_SECRET_MAX];
    rs_session session;
    bool has = true;
    assert_int_equal(rs_password_check(RS_STR("short"), NULL), RS_ERR_INVALID);
    assert_int_equal(rs_control_has_passwords(f->c, &has, NULL), RS_OK);
    assert_false(has);
    assert_int_equal(rs_password_hash(RS_STR("correct horse"), hash, NULL), RS_OK);
    assert_memory_equal(hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31);
    assert_int_equal(rs_control_start_session(f->c, f->owner.id, &nowhere, kept, NULL), RS_OK);
    assert_int_equal(rs_control_start_session(f->c, f->owner.id, &nowhere, other, NULL), RS_OK);
    assert_int_equal(rs_control_create_link(f->c, f->owner.id, link, NULL), RS_OK);
    assert_int_equal(rs_control_set_password(f->c, f->owner.id, hash, rs_str_of(kept), NULL, NULL), RS_OK);
    assert_int_equal(rs_control_get_password(f->c, f->owner.id, stored, NULL), RS_OK);
    assert_true(rs_password_is(stored, RS_STR("correct horse")));
    assert_false(rs_password_is(stored, RS_STR("correct horsf")));
    assert_false(rs_password_is("", RS_STR("correct horse")));
    assert_int_equal(rs_control_has_passwords(f->c, &has, NULL), RS_OK);
    assert_true(has);
    /* whoever else was in is out */
    assert_int_equal(rs_control_check_session(f->c, rs_str_of(kept), &session, NULL), RS_OK);
    assert_int_equal(rs_control_check_session(f->c, rs_str_of(other), &session, NULL), RS_ERR_DENIED);
    assert_int_equal(rs_control_redeem_link(f->c, rs_str_of(link), &nowhere, other, NULL), RS_ERR_DENIED);
}

static bool count_invite(void *ctx, const rs_invite *invite) {
    (void)invite;
    ++*(int *)ctx;
    return true;
}

static void invites(void **state) {
    fixture *f = *state;
    char token[RS_SECRET_MAX], open[RS_SECRET_MAX];
    rs_invite made, found;
    rs_user user;
    int n = 0;
    assert_int_equal(rs_control_create_invite(f->c, RS_SERVER_ORGANIZATION, RS_ROLE_MEMBER, "ann@x.org", NULL,
                                              token, &made, NULL),
                     RS_OK);
    assert_int_equal(
        rs_control_create_invite(f->c, RS_SERVER_ORGANIZATION, RS_ROLE_VIEWER, "", NULL, open, &found, NULL),
        RS_OK);
    assert_int_equal(rs_control_create_invite(f->c, RS_SERVER_ORGANIZATION, RS_ROLE_VIEWER, "no mail", NULL,
                                              open, &found, NULL),
                     RS_ERR_INVALID);
    assert_int_equal(rs_control_find_invite(f->c, rs_str_of(token), &found, NULL), RS_OK);
    assert_int_equal(found.role, RS_ROLE_MEMBER);
    assert_int_equal(rs_control_list_invites(f->c, RS_SERVER_ORGANIZATION, count_invite, &n, NULL), RS_OK);
    assert_int_equal(n, 2);
    assert_int_equal(
        rs_control_accept_invite(f->c, rs_str_of(token), "bob@x.org", "Bob", "h", "", &user, NULL),
        RS_ERR_DENIED);
    assert_int_equal(
        rs_control_accept_invite(f->c, rs_str_of(token), "ANN@x.org", "Ann", "h", "", &user, NULL), RS_OK);
    assert_int_equal(user.role, RS_ROLE_MEMBER);
    assert_int_equal(
        rs_control_accept_invite(f->c, rs_str_of(token), "ann2@x.org", "Ann", "h", "", &user, NULL),
        RS_ERR_DENIED);
    /* an address that somebody has leaves the invite as it was */
    assert_int_equal(
        rs_control_accept_invite(f->c, rs_str_of(open), "ann@x.org", "Ann", "h", "", &user, NULL),
        RS_ERR_INVALID);
    assert_int_equal(rs_control_find_invite(f->c, rs_str_of(open), &found, NULL), RS_OK);
    assert_int_equal(rs_control_delete_invite(f->c, RS_SERVER_ORGANIZATION, found.id, NULL, NULL), RS_OK);
    assert_int_equal(rs_control_delete_invite(f->c, RS_SERVER_ORGANIZATION, found.id, NULL, NULL),
                     RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_find_invite(f->c, rs_str_of(open), &found, NULL), RS_ERR_DENIED);
}

typedef struct last_row {
    char actor[64], action[64], target[300], address[64];
    uint64_t id;
    int n;
} last_row;

static bool take_row(void *ctx, const rs_audit_row *row) {
    last_row *last = ctx;
    if (last->n++) return true;
    last->id = row->id;
    snprintf(last->actor, sizeof last->actor, "%.*s", RS_STR_ARG(row->actor));
    snprintf(last->action, sizeof last->action, "%.*s", RS_STR_ARG(row->action));
    snprintf(last->target, sizeof last->target, "%.*s", RS_STR_ARG(row->target));
    snprintf(last->address, sizeof last->address, "%.*s", RS_STR_ARG(row->address));
    return true;
}

static void the_log(void **state) {
    fixture *f = *state;
    rs_project project;
    rs_actor by = {.user = f->owner.id, .name = "not this", .address = "192.0.2.1"};
    last_row last = {0};
    char long_text[1000];
    assert_int_equal(rs_control_create_project(f->c, RS_SERVER_ORGANIZATION, "p", &by, &project, NULL),
                     RS_OK);
    assert_int_equal(rs_control_list_audit(f->c, &(rs_audit_filter){0}, 0, 10, take_row, &last, NULL), RS_OK);
    assert_int_equal(last.n, 1);
    assert_string_equal(last.actor, f->owner.email);
    assert_string_equal(last.action, "project.create");
    assert_string_equal(last.target, "p");
    assert_string_equal(last.address, "192.0.2.1");
    assert_int_equal(rs_control_create_project(f->c, RS_SERVER_ORGANIZATION, "p", &by, &project, NULL),
                     RS_ERR_INVALID);
    memset(long_text, 'x', sizeof long_text);
    assert_int_equal(
        rs_control_note(f->c, NULL, "signin.failed", (rs_str){long_text, sizeof long_text}, 0, NULL), RS_OK);
    uint64_t first = last.id;
    last = (last_row){0};
    assert_int_equal(rs_control_list_audit(f->c, &(rs_audit_filter){0}, 0, 10, take_row, &last, NULL), RS_OK);
    assert_int_equal(last.n, 2); /* what failed is not in it */
    assert_string_equal(last.actor, "command line");
    assert_int_equal(strlen(last.target), 256);
    uint64_t newest = last.id;
    last = (last_row){0};
    assert_int_equal(rs_control_list_audit(f->c, &(rs_audit_filter){0}, newest, 10, take_row, &last, NULL),
                     RS_OK);
    assert_true(last.id == first && last.n == 1);
    last = (last_row){0};
    assert_int_equal(rs_control_list_audit(f->c, &(rs_audit_filter){0}, 0, 1, take_row, &last, NULL), RS_OK);
    assert_int_equal(last.n, 1);
    const struct {
        rs_audit_filter filter;
        int n;
    } asked[] = {
        {{.actor = "COMMAND line"}, 1},
        {{.actor = "command"}, 0},
        {{.action = "project.create"}, 1},
        {{.action = "project."}, 1},
        {{.action = "project"}, 0},
        {{.text = "192.0.2"}, 1},
        {{.text = "PROJECT"}, 1},
        {{.text = "%"}, 0},
        {{.actor = "command line", .text = "x"}, 1},
        {{.actor = "command line", .action = "project."}, 0},
        {{.actor = "", .action = "", .text = ""}, 2},
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(asked); i++) {
        last = (last_row){0};
        assert_int_equal(rs_control_list_audit(f->c, &asked[i].filter, 0, 10, take_row, &last, NULL), RS_OK);
        if (last.n != asked[i].n) fail_msg("question %zu finds %d", i, last.n);
    }
}

static void tries(void **state) {
    (void)state;
    rs_signin_limit *l;
    uint64_t now = 5000000000000ull;
    char address[48], account[48];
    assert_int_equal(rs_signin_limit_new(&l, NULL), RS_OK);
    for (int i = 0; i < RS_SIGNIN_ACCOUNT; i++) {
        snprintf(address, sizeof address, "192.0.2.%d", i);
        assert_int_equal(rs_signin_limit_begin(l, rs_str_of(address), RS_STR("a@x"), now), 0);
    }
    /* whoever else comes, and however the address is written */
    assert_int_equal(rs_signin_limit_begin(l, RS_STR("198.51.100.1"), RS_STR("A@X"), now),
                     RS_SIGNIN_WINDOW_S + 1);
    assert_int_equal(rs_signin_limit_begin(l, RS_STR("198.51.100.1"), RS_STR("b@x"), now), 0);
    rs_signin_limit_forgive(l, RS_STR("198.51.100.1"), RS_STR("a@x"));
    assert_int_equal(rs_signin_limit_begin(l, RS_STR("198.51.100.1"), RS_STR("a@x"), now), 0);
    /* all accounts from one network */
    for (int i = 0; i < RS_SIGNIN_ADDRESS; i++) {
        snprintf(address, sizeof address, "2001:db8::%x", i + 1);
        snprintf(account, sizeof account, "u%d@x", i);
        assert_int_equal(rs_signin_limit_begin(l, rs_str_of(address), rs_str_of(account), now), 0);
    }
    assert_true(rs_signin_limit_begin(l, RS_STR("2001:db8::ffff"), RS_STR("new@x"), now) > 0);
    assert_int_equal(rs_signin_limit_begin(l, RS_STR("2001:db8:0:1::1"), RS_STR("new@x"), now), 0);
    now += (RS_SIGNIN_WINDOW_S + 1) * 1000000000ull;
    assert_int_equal(rs_signin_limit_begin(l, RS_STR("2001:db8::ffff"), RS_STR("new@x"), now), 0);
    rs_signin_limit_free(l);
}

typedef struct seen_sessions {
    size_t n;
    rs_session_row rows[4];
} seen_sessions;

static bool take_session(void *ctx, const rs_session_row *row) {
    seen_sessions *s = ctx;
    assert_true(s->n < RS_ARRAY_LEN(s->rows));
    s->rows[s->n++] = *row;
    return true;
}

/* A user sees his own sessions, and ends one, or all but the one he has. */
static void own_sessions(void **state) {
    fixture *f = *state;
    char here[RS_SECRET_MAX], there[RS_SECRET_MAX], anns[RS_SECRET_MAX];
    rs_session found;
    rs_user ann;
    seen_sessions s = {0};
    uint64_t ended;
    rs_signin_from phone = {"192.0.2.7", "Phone\x1b[2J/1 \xc3\xbc"};
    rs_actor by = {.user = f->owner.id};
    assert_int_equal(f->owner.seen_ns, 0);
    assert_int_equal(rs_control_add_user(f->c, RS_SERVER_ORGANIZATION, "ann@example.org", "Ann",
                                         RS_ROLE_VIEWER, "", NULL, &ann, NULL),
                     RS_OK);
    assert_int_equal(rs_control_start_session(f->c, f->owner.id, &nowhere, here, NULL), RS_OK);
    assert_int_equal(rs_control_start_session(f->c, f->owner.id, &phone, there, NULL), RS_OK);
    assert_int_equal(rs_control_start_session(f->c, ann.id, &nowhere, anns, NULL), RS_OK);
    assert_int_equal(rs_control_list_sessions(f->c, f->owner.id, rs_str_of(here), take_session, &s, NULL),
                     RS_OK);
    assert_int_equal(s.n, 2);
    assert_string_equal(s.rows[0].address, "192.0.2.7");
    assert_string_equal(s.rows[0].agent, "Phone?[2J/1 ??"); /* a terminal takes no orders from it */
    assert_false(s.rows[0].is_asked);
    assert_true(s.rows[1].is_asked);
    assert_string_equal(s.rows[1].address, "");
    assert_true(s.rows[0].used_ns >= s.rows[0].created_ns && s.rows[0].expires_ns > s.rows[0].used_ns);
    assert_int_equal(rs_control_get_user(f->c, f->owner.id, &f->owner, NULL), RS_OK);
    assert_true(f->owner.seen_ns > 0);
    /* nobody ends another's */
    assert_int_equal(rs_control_end_session_of(f->c, ann.id, s.rows[0].id, &by, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_end_session_of(f->c, f->owner.id, s.rows[0].id, &by, NULL), RS_OK);
    assert_int_equal(rs_control_end_session_of(f->c, f->owner.id, s.rows[0].id, &by, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_check_session(f->c, rs_str_of(there), &found, NULL), RS_ERR_DENIED);
    assert_int_equal(rs_control_start_session(f->c, f->owner.id, &phone, there, NULL), RS_OK);
    assert_int_equal(rs_control_end_other_sessions(f->c, f->owner.id, rs_str_of(here), &by, &ended, NULL),
                     RS_OK);
    assert_int_equal(ended, 1);
    assert_int_equal(rs_control_check_session(f->c, rs_str_of(there), &found, NULL), RS_ERR_DENIED);
    assert_int_equal(rs_control_check_session(f->c, rs_str_of(here), &found, NULL), RS_OK);
    assert_int_equal(rs_control_check_session(f->c, rs_str_of(anns), &found, NULL), RS_OK);
    assert_int_equal(rs_control_end_other_sessions(f->c, f->owner.id, rs_str_of(here), &by, &ended, NULL),
                     RS_OK);
    assert_int_equal(ended, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(own_sessions, setup, close_control),
        cmocka_unit_test_setup_teardown(link_works_once, setup, close_control),
        cmocka_unit_test_setup_teardown(what_expires, setup, close_control),
        cmocka_unit_test_setup_teardown(users, setup, close_control),
        cmocka_unit_test_setup_teardown(passwords, setup, close_control),
        cmocka_unit_test_setup_teardown(invites, setup, close_control),
        cmocka_unit_test_setup_teardown(the_log, setup, close_control),
        cmocka_unit_test(tries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
