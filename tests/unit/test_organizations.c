/* Organizations of the control plane: who is in which, what he sees by it, and what becomes of a file from before there were any. */
#include "base/str.h"
#include "control_fixture.h"
#include "control_v5.h"
#include "run_sql.h"
#include "store/store.h"

static int setup(void **state) {
    fixture *f = open_control(state);
    assert_int_equal(rs_control_first_owner(f->c, &f->owner, NULL), RS_OK);
    assert_int_equal(
        rs_control_create_project(f->c, RS_SERVER_ORGANIZATION, "default", NULL, &f->project, NULL), RS_OK);
    return 0;
}

static bool count_project(void *ctx, const rs_project *project) {
    (void)project;
    ++*(int *)ctx;
    return true;
}

static bool count_user(void *ctx, const rs_user *user) {
    (void)user;
    ++*(int *)ctx;
    return true;
}

static bool count_organization(void *ctx, const rs_organization *o) {
    (void)o;
    ++*(int *)ctx;
    return true;
}

static bool count_invite(void *ctx, const rs_invite *invite) {
    (void)invite;
    ++*(int *)ctx;
    return true;
}

static bool count_view(void *ctx, const rs_saved_view *view) {
    (void)view;
    ++*(int *)ctx;
    return true;
}

static bool count_row(void *ctx, const rs_audit_row *row) {
    (void)row;
    ++*(int *)ctx;
    return true;
}

static int rows_of(rs_control *c, const char *action, uint64_t organization) {
    int n = 0;
    rs_audit_filter filter = {.action = action, .organization = organization};
    assert_int_equal(rs_control_list_audit(c, &filter, 0, 100, count_row, &n, NULL), RS_OK);
    return n;
}

static rs_role role_in(rs_control *c, uint64_t organization, uint64_t user) {
    rs_user found;
    rs_status st = rs_control_get_member(c, organization, user, &found, NULL);
    assert_true(st == RS_OK || st == RS_ERR_NOT_FOUND);
    return st == RS_OK ? found.role : RS_ROLE_NONE;
}

static void they_are_made_and_named(void **state) {
    fixture *f = *state;
    rs_organization made, found;
    rs_project project;
    rs_err err = {0};
    int n = 0;
    assert_int_equal(rs_control_find_organization(f->c, NULL, &found, NULL), RS_OK);
    assert_string_equal(found.name, "default");
    assert_int_equal(found.id, RS_SERVER_ORGANIZATION);
    assert_int_equal(rs_control_create_organization(f->c, "acme", f->owner.id, NULL, &made, NULL), RS_OK);
    assert_int_equal(made.id, 2);
    assert_int_equal(made.role, RS_ROLE_OWNER);
    assert_int_equal(role_in(f->c, made.id, f->owner.id), RS_ROLE_OWNER);
    assert_int_equal(rs_control_first_project(f->c, made.id, &project, NULL), RS_OK);
    assert_string_equal(project.name, "acme");
    /* nor what could be taken for another one, or for an id */
    static const char *const none[] = {"",      "acme",  "a/b", "a\nb", "ACME", "Acme",
                                       " acme", "acme ", " x",  "7",    "1"};
    for (size_t i = 0; i < RS_ARRAY_LEN(none); i++) {
        assert_int_equal(rs_control_create_organization(f->c, none[i], 0, NULL, &found, NULL),
                         RS_ERR_INVALID);
        if (!rs_str_eq_nocase(rs_str_of(none[i]), RS_STR("acme")))
            assert_int_equal(rs_control_rename_organization(f->c, made.id, none[i], NULL, NULL),
                             RS_ERR_INVALID);
    }
    assert_int_equal(rs_control_rename_organization(f->c, made.id, "default", NULL, &err), RS_ERR_INVALID);
    assert_int_equal(rs_control_rename_organization(f->c, made.id, "DEFAULT", NULL, &err), RS_ERR_INVALID);
    assert_int_equal(rs_control_rename_organization(f->c, made.id, "Acme 7", NULL, NULL), RS_OK);
    assert_int_equal(rs_control_rename_organization(f->c, made.id, "ACME 7", NULL, NULL), RS_OK);
    assert_int_equal(rs_control_rename_organization(f->c, made.id, "better", NULL, NULL), RS_OK);
    assert_int_equal(rs_control_rename_organization(f->c, 9, "other", NULL, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_find_organization(f->c, "better", &found, NULL), RS_OK);
    assert_int_equal(found.id, made.id);
    assert_int_equal(rs_control_list_organizations(f->c, 0, count_organization, &n, NULL), RS_OK);
    assert_int_equal(n, 2);
    /* one of whom nobody is the owner yet, or of somebody that there is not */
    assert_int_equal(rs_control_create_organization(f->c, "empty", 0, NULL, &found, NULL), RS_OK);
    assert_int_equal(found.role, RS_ROLE_NONE);
    assert_int_not_equal(rs_control_create_organization(f->c, "of nobody", 99, NULL, &found, NULL), RS_OK);
    assert_int_equal(rs_control_find_organization(f->c, "of nobody", &found, NULL), RS_ERR_NOT_FOUND);
}

static void what_a_project_is_called(void **state) {
    fixture *f = *state;
    rs_organization acme, beta;
    rs_project made, found;
    rs_err err = {0};
    assert_int_equal(rs_control_create_organization(f->c, "acme", 0, NULL, &acme, NULL), RS_OK);
    assert_int_equal(rs_control_create_organization(f->c, "beta", 0, NULL, &beta, NULL), RS_OK);
    assert_int_equal(rs_control_create_project(f->c, acme.id, "acme", NULL, &made, NULL), RS_ERR_INVALID);
    assert_int_equal(rs_control_create_project(f->c, acme.id, "default", NULL, &made, NULL), RS_OK);
    assert_int_equal(rs_control_create_project(f->c, acme.id, "only", NULL, &made, NULL), RS_OK);
    assert_int_equal(rs_control_find_project(f->c, "only", &found, NULL), RS_OK);
    assert_int_equal(found.id, made.id);
    assert_int_equal(found.organization, acme.id);
    /* the server's own goes before */
    assert_int_equal(rs_control_find_project(f->c, "default", &found, NULL), RS_OK);
    assert_int_equal(found.id, f->project.id);
    assert_int_equal(rs_control_find_project(f->c, "acme/default", &found, NULL), RS_OK);
    assert_int_equal(found.organization, acme.id);
    assert_int_equal(rs_control_find_project_in(f->c, beta.id, "only", &found, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_create_project(f->c, beta.id, "only", NULL, &found, NULL), RS_OK);
    assert_int_equal(rs_control_find_project(f->c, "only", &found, &err), RS_ERR_INVALID);
    assert_non_null(strstr(err.message, "acme/only, beta/only"));
    assert_int_equal(rs_control_find_project(f->c, "beta/only", &found, NULL), RS_OK);
    assert_int_equal(found.organization, beta.id);
    assert_int_equal(rs_control_find_project(f->c, "gamma/only", &found, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_find_project(f->c, "beta/none", &found, NULL), RS_ERR_NOT_FOUND);
    /* a name from before there were organizations may have a slash itself */
    assert_int_equal(rs_control_create_project(f->c, acme.id, "a/b", NULL, &made, NULL), RS_ERR_INVALID);
    assert_int_equal(rs_control_rename_project(f->c, made.id, "a/b", NULL, NULL), RS_ERR_INVALID);
    assert_int_equal(rs_control_create_project(f->c, acme.id, "ab", NULL, &made, NULL), RS_OK);
    run_sql(f->path, "UPDATE project SET name = 'a/b' WHERE name = 'ab'");
    assert_int_equal(rs_control_find_project(f->c, "a/b", &found, NULL), RS_OK);
    assert_int_equal(rs_control_find_project(f->c, "acme/a/b", &found, NULL), RS_OK);
    assert_int_equal(found.id, made.id);
    /* each keeps one */
    assert_int_equal(rs_control_find_project(f->c, "beta/beta", &found, NULL), RS_OK);
    assert_int_equal(rs_control_delete_project(f->c, found.id, NULL, NULL), RS_OK);
    assert_int_equal(rs_control_find_project(f->c, "beta/only", &found, NULL), RS_OK);
    assert_int_equal(rs_control_delete_project(f->c, found.id, NULL, NULL), RS_ERR_INVALID);
    assert_int_equal(rs_control_delete_project(f->c, f->project.id, NULL, NULL), RS_ERR_INVALID);
}

/* Who may call his organization and his project what he likes does not get what is meant for another's. */
static void nobody_is_taken_for_another(void **state) {
    fixture *f = *state;
    rs_organization theirs;
    rs_project web, old, found;
    rs_err err = {0};
    assert_int_equal(rs_control_create_project(f->c, RS_SERVER_ORGANIZATION, "old", NULL, &old, NULL), RS_OK);
    run_sql(f->path, "UPDATE project SET name = 'prod/web' WHERE name = 'old'");
    assert_int_equal(rs_control_find_project(f->c, "prod/web", &found, NULL), RS_OK);
    assert_int_equal(found.id, old.id);
    assert_int_equal(rs_control_create_organization(f->c, "prod", 0, NULL, &theirs, NULL), RS_OK);
    assert_int_equal(rs_control_create_project(f->c, theirs.id, "web", NULL, &web, NULL), RS_OK);
    assert_int_equal(rs_control_find_project(f->c, "prod/web", &found, &err), RS_ERR_INVALID);
    assert_non_null(strstr(err.message, "default/prod/web, prod/web"));
    /* it can be named, and so be called something else */
    assert_int_equal(rs_control_find_project(f->c, "default/prod/web", &found, NULL), RS_OK);
    assert_int_equal(found.id, old.id);
    assert_int_equal(rs_control_rename_project(f->c, old.id, "old", NULL, NULL), RS_OK);
    assert_int_equal(rs_control_find_project(f->c, "prod/web", &found, NULL), RS_OK);
    assert_int_equal(found.id, web.id);
}

static void who_sees_what(void **state) {
    fixture *f = *state;
    rs_organization acme, seen;
    rs_project theirs, found;
    rs_user ann;
    rs_err unknown = {0}, foreign = {0};
    int n = 0;
    assert_int_equal(rs_control_create_organization(f->c, "acme", 0, NULL, &acme, NULL), RS_OK);
    assert_int_equal(
        rs_control_add_user(f->c, acme.id, "ann@x.org", "Ann", RS_ROLE_MEMBER, "", NULL, &ann, NULL), RS_OK);
    assert_int_equal(rs_control_first_project_of_user(f->c, ann.id, &theirs, NULL), RS_OK);
    assert_int_equal(theirs.organization, acme.id);
    assert_int_equal(rs_control_see_project(f->c, ann.id, theirs.id, &found, NULL), RS_OK);
    assert_int_equal(found.role, RS_ROLE_MEMBER);
    assert_int_equal(rs_control_see_organization(f->c, ann.id, acme.id, &seen, NULL), RS_OK);
    assert_int_equal(seen.role, RS_ROLE_MEMBER);
    /* what is not there and what he is not in is one answer */
    assert_int_equal(rs_control_see_project(f->c, ann.id, f->project.id, &found, &foreign), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_see_project(f->c, ann.id, 99, &found, &unknown), RS_ERR_NOT_FOUND);
    assert_string_equal(foreign.message, unknown.message);
    assert_int_equal(rs_control_see_organization(f->c, ann.id, 1, &seen, &foreign), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_see_organization(f->c, ann.id, 99, &seen, &unknown), RS_ERR_NOT_FOUND);
    assert_string_equal(foreign.message, unknown.message);
    assert_int_equal(rs_control_see_project(f->c, f->owner.id, theirs.id, &found, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_list_projects_of_user(f->c, ann.id, count_project, &n, NULL), RS_OK);
    assert_int_equal(n, 1);
    n = 0;
    assert_int_equal(rs_control_list_organizations(f->c, ann.id, count_organization, &n, NULL), RS_OK);
    assert_int_equal(n, 1);
    n = 0;
    assert_int_equal(rs_control_list_members(f->c, RS_SERVER_ORGANIZATION, count_user, &n, NULL), RS_OK);
    assert_int_equal(n, 1);
    /* a role in one is none in another */
    assert_int_equal(rs_control_set_role(f->c, RS_SERVER_ORGANIZATION, ann.id, RS_ROLE_OWNER, NULL, NULL),
                     RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_remove_member(f->c, RS_SERVER_ORGANIZATION, ann.id, NULL, NULL, NULL),
                     RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_add_member(f->c, RS_SERVER_ORGANIZATION, ann.id, RS_ROLE_VIEWER, NULL, NULL),
                     RS_OK);
    assert_int_equal(rs_control_add_member(f->c, RS_SERVER_ORGANIZATION, ann.id, RS_ROLE_OWNER, NULL, NULL),
                     RS_ERR_INVALID);
    assert_int_equal(rs_control_see_project(f->c, ann.id, f->project.id, &found, NULL), RS_OK);
    assert_int_equal(found.role, RS_ROLE_VIEWER);
    assert_int_equal(role_in(f->c, acme.id, ann.id), RS_ROLE_MEMBER);
}

static void who_leaves(void **state) {
    fixture *f = *state;
    char session[RS_SECRET_MAX];
    rs_session found;
    rs_organization acme;
    rs_project theirs;
    rs_user ann;
    uint64_t view;
    bool gone = true;
    int n = 0;
    assert_int_equal(rs_control_create_organization(f->c, "acme", 0, NULL, &acme, NULL), RS_OK);
    assert_int_equal(rs_control_first_project(f->c, acme.id, &theirs, NULL), RS_OK);
    assert_int_equal(
        rs_control_add_user(f->c, acme.id, "ann@x.org", "Ann", RS_ROLE_OWNER, "", NULL, &ann, NULL), RS_OK);
    assert_int_equal(rs_control_add_member(f->c, RS_SERVER_ORGANIZATION, ann.id, RS_ROLE_MEMBER, NULL, NULL),
                     RS_OK);
    assert_int_equal(rs_control_start_session(f->c, ann.id, &nowhere, session, NULL), RS_OK);
    const rs_actor by = {.user = ann.id};
    const uint64_t in[] = {theirs.id, f->project.id};
    for (size_t i = 0; i < RS_ARRAY_LEN(in); i++)
        assert_int_equal(
            rs_control_create_view(f->c, in[i], RS_SAVED_VIEW_OF_TRACES,
                                   &(rs_saved_view_wish){.name = "v", .is_shared = -1, .is_default = -1}, &by,
                                   &view, NULL),
            RS_OK);
    /* the last owner stays, of this one as of the other */
    assert_int_equal(rs_control_remove_member(f->c, acme.id, ann.id, NULL, NULL, NULL), RS_ERR_INVALID);
    assert_int_equal(rs_control_set_role(f->c, acme.id, ann.id, RS_ROLE_MEMBER, NULL, NULL), RS_ERR_INVALID);
    assert_int_equal(
        rs_control_set_role(f->c, RS_SERVER_ORGANIZATION, f->owner.id, RS_ROLE_VIEWER, NULL, NULL),
        RS_ERR_INVALID);
    assert_int_equal(rs_control_add_member(f->c, acme.id, f->owner.id, RS_ROLE_OWNER, NULL, NULL), RS_OK);
    assert_int_equal(rs_control_remove_member(f->c, acme.id, ann.id, NULL, &gone, NULL), RS_OK);
    assert_false(gone);
    assert_int_equal(rs_control_check_session(f->c, rs_str_of(session), &found, NULL), RS_OK);
    assert_false(found.is_server_owner);
    assert_int_equal(rs_control_see_project(f->c, ann.id, theirs.id, &theirs, NULL), RS_ERR_NOT_FOUND);
    /* his own view of it went, the other is there */
    assert_int_equal(rs_control_list_views(f->c, in[0], ann.id, count_view, &n, NULL), RS_OK);
    assert_int_equal(n, 0);
    assert_int_equal(rs_control_list_views(f->c, in[1], ann.id, count_view, &n, NULL), RS_OK);
    assert_int_equal(n, 1);
    assert_int_equal(rs_control_remove_member(f->c, RS_SERVER_ORGANIZATION, ann.id, NULL, &gone, NULL),
                     RS_OK);
    assert_true(gone);
    assert_int_equal(rs_control_check_session(f->c, rs_str_of(session), &found, NULL), RS_ERR_DENIED);
    assert_int_equal(rs_control_find_user(f->c, "ann@x.org", &ann, NULL), RS_ERR_NOT_FOUND);
}

static void invites_are_of_one(void **state) {
    fixture *f = *state;
    char token[RS_SECRET_MAX], second[RS_SECRET_MAX];
    rs_organization acme;
    rs_invite made, found;
    rs_user ann;
    int n = 0;
    assert_int_equal(rs_control_create_organization(f->c, "acme", 0, NULL, &acme, NULL), RS_OK);
    assert_int_equal(
        rs_control_create_invite(f->c, acme.id, RS_ROLE_MEMBER, "ann@x.org", NULL, token, &made, NULL),
        RS_OK);
    assert_int_equal(rs_control_list_invites(f->c, RS_SERVER_ORGANIZATION, count_invite, &n, NULL), RS_OK);
    assert_int_equal(n, 0);
    assert_int_equal(rs_control_list_invites(f->c, acme.id, count_invite, &n, NULL), RS_OK);
    assert_int_equal(n, 1);
    assert_int_equal(rs_control_delete_invite(f->c, RS_SERVER_ORGANIZATION, made.id, NULL, NULL),
                     RS_ERR_NOT_FOUND);
    /* who is there joins; another one does not */
    assert_int_equal(rs_control_join_by_invite(f->c, rs_str_of(token), f->owner.id, "", NULL), RS_ERR_DENIED);
    assert_int_equal(rs_control_find_invite(f->c, rs_str_of(token), &found, NULL), RS_OK);
    assert_int_equal(found.organization, acme.id);
    assert_int_equal(
        rs_control_accept_invite(f->c, rs_str_of(token), "ann@x.org", "Ann", "h", "", &ann, NULL), RS_OK);
    assert_int_equal(role_in(f->c, acme.id, ann.id), RS_ROLE_MEMBER);
    assert_int_equal(role_in(f->c, RS_SERVER_ORGANIZATION, ann.id), RS_ROLE_NONE);
    assert_int_equal(
        rs_control_create_invite(f->c, RS_SERVER_ORGANIZATION, RS_ROLE_VIEWER, "", NULL, second, &made, NULL),
        RS_OK);
    assert_int_equal(rs_control_join_by_invite(f->c, rs_str_of(second), f->owner.id, "", NULL),
                     RS_ERR_INVALID);
    assert_int_equal(role_in(f->c, RS_SERVER_ORGANIZATION, f->owner.id), RS_ROLE_OWNER);
    assert_int_equal(rs_control_join_by_invite(f->c, rs_str_of(second), ann.id, "", NULL), RS_OK);
    assert_int_equal(role_in(f->c, RS_SERVER_ORGANIZATION, ann.id), RS_ROLE_VIEWER);
    assert_int_equal(rs_control_join_by_invite(f->c, rs_str_of(second), ann.id, "", NULL), RS_ERR_DENIED);
    assert_int_equal(rows_of(f->c, "invite.", acme.id), 2);
    assert_int_equal(rows_of(f->c, "invite.", RS_SERVER_ORGANIZATION), 2);
}

/* An owner who is none any more does not come back by an invite that he made before. */
static void his_invites_end_with_him(void **state) {
    fixture *f = *state;
    char his[3][RS_SECRET_MAX], other[RS_SECRET_MAX];
    rs_organization acme;
    rs_invite made;
    rs_user ann, bo;
    int n = 0;
    assert_int_equal(rs_control_create_organization(f->c, "acme", f->owner.id, NULL, &acme, NULL), RS_OK);
    assert_int_equal(
        rs_control_add_user(f->c, acme.id, "ann@x.org", "Ann", RS_ROLE_OWNER, "", NULL, &ann, NULL), RS_OK);
    assert_int_equal(
        rs_control_add_user(f->c, acme.id, "bo@x.org", "Bo", RS_ROLE_MEMBER, "", NULL, &bo, NULL), RS_OK);
    assert_int_equal(rs_control_add_member(f->c, RS_SERVER_ORGANIZATION, ann.id, RS_ROLE_OWNER, NULL, NULL),
                     RS_OK);
    const rs_actor by_ann = {.user = ann.id}, by_owner = {.user = f->owner.id}, by_bo = {.user = bo.id};
    for (int demoted = 1; demoted >= 0; demoted--) {
        for (int i = 0; i < 3; i++)
            assert_int_equal(rs_control_create_invite(f->c, i < 2 ? acme.id : RS_SERVER_ORGANIZATION,
                                                      RS_ROLE_OWNER, "", &by_ann, his[i], &made, NULL),
                             RS_OK);
        assert_int_equal(
            rs_control_create_invite(f->c, acme.id, RS_ROLE_OWNER, "", &by_owner, other, &made, NULL), RS_OK);
        assert_int_equal(rs_control_set_role(f->c, acme.id, ann.id, RS_ROLE_OWNER, NULL, NULL), RS_OK);
        assert_int_equal(rs_control_find_invite(f->c, rs_str_of(his[0]), &made, NULL), RS_OK);
        assert_int_equal(demoted ? rs_control_set_role(f->c, acme.id, ann.id, RS_ROLE_MEMBER, &by_owner, NULL)
                                 : rs_control_remove_member(f->c, acme.id, ann.id, &by_owner, NULL, NULL),
                         RS_OK);
        for (int i = 0; i < 2; i++)
            assert_int_equal(rs_control_join_by_invite(f->c, rs_str_of(his[i]), ann.id, "", NULL),
                             RS_ERR_DENIED);
        assert_int_equal(role_in(f->c, acme.id, ann.id), demoted ? RS_ROLE_MEMBER : RS_ROLE_NONE);
        /* those of others, and into what he owns still, go on; what ended is in the log */
        assert_int_equal(rs_control_find_invite(f->c, rs_str_of(other), &made, NULL), RS_OK);
        assert_int_equal(rs_control_find_invite(f->c, rs_str_of(his[2]), &made, NULL), RS_OK);
        assert_int_equal(rows_of(f->c, "invite.delete", acme.id), demoted ? 2 : 4);
        /* nor does he make another one while a server has yet to hear of it */
        assert_int_equal(
            rs_control_create_invite(f->c, acme.id, RS_ROLE_OWNER, "", &by_ann, his[0], &made, NULL),
            RS_ERR_DENIED);
        assert_int_equal(
            rs_control_create_invite(f->c, acme.id, RS_ROLE_VIEWER, "", &by_bo, his[0], &made, NULL),
            RS_ERR_DENIED);
        if (demoted)
            assert_int_equal(rs_control_set_role(f->c, acme.id, ann.id, RS_ROLE_OWNER, NULL, NULL), RS_OK);
    }
    /* the server's own invites nobody ends by leaving */
    assert_int_equal(rs_control_create_invite(f->c, acme.id, RS_ROLE_OWNER, "", NULL, other, &made, NULL),
                     RS_OK);
    assert_int_equal(rs_control_remove_member(f->c, acme.id, bo.id, NULL, NULL, NULL), RS_OK);
    assert_int_equal(rs_control_list_invites(f->c, acme.id, count_invite, &n, NULL), RS_OK);
    assert_int_equal(n, 3);
}

static void one_is_deleted(void **state) {
    fixture *f = *state;
    char key[RS_SECRET_MAX], session[RS_SECRET_MAX], other[RS_SECRET_MAX], token[RS_SECRET_MAX];
    rs_organization acme, again;
    rs_project theirs;
    rs_api_key found;
    rs_session who;
    rs_invite invite;
    rs_user ann, bo;
    bool deleted = false;
    assert_int_equal(rs_control_create_organization(f->c, "acme", 0, NULL, &acme, NULL), RS_OK);
    assert_int_equal(rs_control_first_project(f->c, acme.id, &theirs, NULL), RS_OK);
    assert_int_equal(
        rs_control_add_user(f->c, acme.id, "ann@x.org", "Ann", RS_ROLE_OWNER, "", NULL, &ann, NULL), RS_OK);
    assert_int_equal(rs_control_add_user(f->c, acme.id, "bo@x.org", "Bo", RS_ROLE_OWNER, "", NULL, &bo, NULL),
                     RS_OK);
    assert_int_equal(rs_control_add_member(f->c, RS_SERVER_ORGANIZATION, bo.id, RS_ROLE_VIEWER, NULL, NULL),
                     RS_OK);
    assert_int_equal(rs_control_start_session(f->c, ann.id, &nowhere, session, NULL), RS_OK);
    assert_int_equal(rs_control_start_session(f->c, bo.id, &nowhere, other, NULL), RS_OK);
    assert_int_equal(
        rs_control_create_key(f->c, theirs.id, &(rs_key_wish){.name = "k"}, NULL, key, &found, NULL), RS_OK);
    assert_int_equal(rs_control_create_invite(f->c, acme.id, RS_ROLE_VIEWER, "", NULL, token, &invite, NULL),
                     RS_OK);
    assert_int_equal(rs_control_delete_organization(f->c, RS_SERVER_ORGANIZATION, NULL, NULL),
                     RS_ERR_INVALID);
    assert_int_equal(rs_control_delete_organization(f->c, 9, NULL, NULL), RS_ERR_NOT_FOUND);
    const rs_actor by = {.user = ann.id};
    assert_int_equal(rs_control_delete_organization(f->c, acme.id, &by, NULL), RS_OK);
    assert_int_equal(rs_control_check_key(f->c, rs_str_of(key), &found, NULL), RS_ERR_DENIED);
    assert_int_equal(rs_control_find_invite(f->c, rs_str_of(token), &invite, NULL), RS_ERR_DENIED);
    assert_int_equal(rs_control_get_project(f->c, theirs.id, &theirs, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_was_project_deleted(f->c, theirs.id, &deleted, NULL), RS_OK);
    assert_true(deleted); /* so that the keeper drops what is left of it */
    assert_int_equal(rs_control_check_session(f->c, rs_str_of(session), &who, NULL), RS_ERR_DENIED);
    assert_int_equal(rs_control_check_session(f->c, rs_str_of(other), &who, NULL), RS_OK);
    assert_int_equal(rows_of(f->c, "organization.delete", RS_SERVER_ORGANIZATION), 1);
    assert_int_equal(rows_of(f->c, "organization.create", acme.id), 1);
    assert_int_equal(rs_control_create_organization(f->c, "acme", 0, NULL, &again, NULL), RS_OK);
    assert_true(again.id > acme.id); /* never given twice: nobody gets into what was another's */
}

static void the_log_of_each(void **state) {
    fixture *f = *state;
    rs_organization acme;
    rs_project theirs;
    assert_int_equal(rs_control_create_organization(f->c, "acme", 0, NULL, &acme, NULL), RS_OK);
    assert_int_equal(rs_control_create_project(f->c, acme.id, "p", NULL, &theirs, NULL), RS_OK);
    assert_int_equal(rs_control_note(f->c, NULL, "trace.delete", RS_STR("x"), theirs.id, NULL), RS_OK);
    assert_int_equal(rs_control_note(f->c, NULL, "signin.failed", RS_STR("x"), 0, NULL), RS_OK);
    assert_int_equal(rs_control_delete_project(f->c, theirs.id, NULL, NULL), RS_OK);
    assert_int_equal(rows_of(f->c, "", acme.id), 4); /* made, project made, trace deleted, project deleted */
    assert_int_equal(rows_of(f->c, "signin.failed", acme.id), 0);
    assert_int_equal(rows_of(f->c, "signin.failed", RS_SERVER_ORGANIZATION), 1);
    assert_int_equal(rows_of(f->c, "trace.", RS_SERVER_ORGANIZATION), 0);
    assert_int_equal(rows_of(f->c, "", RS_SERVER_ORGANIZATION), 2);
    assert_int_equal(rows_of(f->c, "", 0), 6);
}

/* ---- from before --------------------------------------------------------------------------------------- */

static void become_version_5(fixture *f) {
    sqlite3 *db;
    rs_err err = {0};
    rs_control_close(f->c);
    f->c = NULL;
    unlink(f->path);
    assert_int_equal(rs_db_open(f->path, true, "PRAGMA journal_mode=WAL;", &db, &err), RS_OK);
    if (rs_db_exec(db, control_v5_schema, &err) != RS_OK || rs_db_exec(db, control_v5_rows, &err) != RS_OK)
        fail_msg("%s", err.message);
    sqlite3_close(db);
}

static void one_of_version_5_goes_on(void **state) {
    fixture *f = *state;
    const uint8_t trace[16] = {1};
    rs_err err = {0};
    rs_organization organization;
    rs_project project, made;
    rs_session session;
    rs_api_key key;
    rs_share share;
    rs_user user;
    bool pinned = false, deleted = false;
    char secret[RS_SECRET_MAX];
    int n = 0;
    become_version_5(f);
    assert_int_equal(rs_control_look(f->dir, NULL), RS_OK);
    if (rs_control_open(f->dir, &f->c, &err) != RS_OK) fail_msg("%s", err.message);
    /* one organization, with all that there was */
    assert_int_equal(rs_control_list_organizations(f->c, 0, count_organization, &n, NULL), RS_OK);
    assert_int_equal(n, 1);
    assert_int_equal(rs_control_find_organization(f->c, "default", &organization, NULL), RS_OK);
    assert_int_equal(organization.id, RS_SERVER_ORGANIZATION);
    static const rs_role roles[] = {0, RS_ROLE_OWNER, RS_ROLE_MEMBER, 0, 0, RS_ROLE_VIEWER};
    for (uint64_t id = 1; id < RS_ARRAY_LEN(roles); id++)
        assert_int_equal(role_in(f->c, organization.id, id), roles[id]);
    assert_int_equal(rs_control_find_project(f->c, "support", &project, NULL), RS_OK);
    assert_true(project.id == 2 && project.organization == organization.id && project.keep.age_ns > 0);
    /* whoever is signed in stays it, with what he may; keys, links and invites work */
    assert_int_equal(rs_control_check_session(f->c, RS_STR("old session of the owner"), &session, NULL),
                     RS_OK);
    assert_true(session.user == 1 && session.is_server_owner);
    assert_int_equal(rs_control_check_session(f->c, RS_STR("old session of Ann"), &session, NULL), RS_OK);
    assert_true(session.user == 2 && !session.is_server_owner);
    assert_int_equal(rs_control_redeem_link(f->c, RS_STR("old link of Bo"), &nowhere, secret, NULL), RS_OK);
    assert_int_equal(rs_control_check_key(f->c, RS_STR("rsp_old key"), &key, NULL), RS_OK);
    assert_int_equal(key.project, 2);
    assert_int_equal(
        rs_control_accept_invite(f->c, RS_STR("old invite"), "new@x.org", "New", "h", "", &user, NULL),
        RS_OK);
    assert_int_equal(role_in(f->c, organization.id, user.id), RS_ROLE_VIEWER);
    assert_int_equal(user.id, 8); /* no number is given twice */
    /* what hangs on projects and users is there still */
    n = 0;
    assert_int_equal(rs_control_list_views(f->c, 2, 2, count_view, &n, NULL), RS_OK);
    assert_int_equal(n, 2);
    assert_int_equal(rs_control_find_share(f->c, RS_STR("old share"), &share, NULL), RS_OK);
    assert_int_equal(rs_control_is_pinned(f->c, 2, trace, &pinned, NULL), RS_OK);
    assert_true(pinned);
    assert_int_equal(rs_control_was_project_deleted(f->c, 3, &deleted, NULL), RS_OK);
    assert_true(deleted);
    assert_int_equal(rs_control_create_project(f->c, organization.id, "gone", NULL, &made, NULL), RS_OK);
    assert_int_equal(made.id, 4);
    /* and goes with them */
    assert_int_equal(rs_control_delete_project(f->c, 2, NULL, NULL), RS_OK);
    assert_int_equal(rs_control_find_share(f->c, RS_STR("old share"), &share, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_remove_member(f->c, organization.id, 2, NULL, NULL, NULL), RS_OK);
    assert_int_equal(rs_control_check_session(f->c, RS_STR("old session of Ann"), &session, NULL),
                     RS_ERR_DENIED);
    assert_int_equal(rows_of(f->c, "project.delete", organization.id), 2);
    /* again: it is of this version now */
    rs_control_close(f->c);
    assert_int_equal(rs_control_open(f->dir, &f->c, NULL), RS_OK);
    assert_int_equal(role_in(f->c, organization.id, 1), RS_ROLE_OWNER);
}

/* Of whom an invite of version 6 is nobody knows: it goes on. */
static void one_of_version_6_goes_on(void **state) {
    fixture *f = *state;
    char token[RS_SECRET_MAX];
    rs_invite made;
    rs_user ann;
    const rs_actor by = {.user = f->owner.id};
    assert_int_equal(
        rs_control_create_invite(f->c, RS_SERVER_ORGANIZATION, RS_ROLE_MEMBER, "", &by, token, &made, NULL),
        RS_OK);
    rs_control_close(f->c);
    run_sql(f->path, WITHOUT_INVITERS "PRAGMA user_version=6");
    assert_int_equal(rs_control_look(f->dir, NULL), RS_OK);
    assert_int_equal(rs_control_open(f->dir, &f->c, NULL), RS_OK);
    assert_int_equal(rs_control_accept_invite(f->c, rs_str_of(token), "ann@x.org", "Ann", "", "", &ann, NULL),
                     RS_OK);
    assert_int_equal(role_in(f->c, RS_SERVER_ORGANIZATION, ann.id), RS_ROLE_MEMBER);
}

/* A server of an older version that is at work would find its tables changed under it. */
static void an_older_server_at_work_keeps_its_file(void **state) {
    fixture *f = *state;
    rs_store *store;
    rs_err err = {0};
    char command[160];
    become_version_5(f);
    assert_int_equal(rs_store_open(f->dir, &store, NULL), RS_OK);
    assert_int_equal(rs_control_open(f->dir, &f->c, &err), RS_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "restart it first"));
    rs_store_close(store);
    assert_int_equal(rs_control_open(f->dir, &f->c, NULL), RS_OK);
    snprintf(command, sizeof command, "rm -rf %s/projects %s/lock", f->dir, f->dir);
    assert_int_equal(system(command), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(they_are_made_and_named, setup, close_control),
        cmocka_unit_test_setup_teardown(what_a_project_is_called, setup, close_control),
        cmocka_unit_test_setup_teardown(nobody_is_taken_for_another, setup, close_control),
        cmocka_unit_test_setup_teardown(who_sees_what, setup, close_control),
        cmocka_unit_test_setup_teardown(who_leaves, setup, close_control),
        cmocka_unit_test_setup_teardown(invites_are_of_one, setup, close_control),
        cmocka_unit_test_setup_teardown(his_invites_end_with_him, setup, close_control),
        cmocka_unit_test_setup_teardown(one_is_deleted, setup, close_control),
        cmocka_unit_test_setup_teardown(the_log_of_each, setup, close_control),
        cmocka_unit_test_setup_teardown(one_of_version_5_goes_on, setup, close_control),
        cmocka_unit_test_setup_teardown(one_of_version_6_goes_on, setup, close_control),
        cmocka_unit_test_setup_teardown(an_older_server_at_work_keeps_its_file, setup, close_control),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
