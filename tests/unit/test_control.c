#include "base/clock.h"
#include "base/fingerprint.h"
#include "base/str.h"
#include "control_fixture.h"
#include "run_sql.h"

#include <sys/stat.h>

static int setup(void **state) {
    fixture *f = open_control(state);
    assert_int_equal(
        rs_control_create_project(f->c, RS_SERVER_ORGANIZATION, "default", NULL, &f->project, NULL), RS_OK);
    return 0;
}

static void projects(void **state) {
    fixture *f = *state;
    rs_project p = {0};
    rs_err err = {0};
    assert_int_equal(f->project.id, 1);
    assert_int_equal(rs_control_find_project(f->c, "default", &p, &err), RS_OK);
    assert_int_equal(p.id, 1);
    assert_string_equal(p.name, "default");
    assert_int_equal(rs_control_find_project(f->c, "none", &p, &err), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_get_project(f->c, 7, &p, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_create_project(f->c, RS_SERVER_ORGANIZATION, "default", NULL, &p, NULL),
                     RS_ERR_INVALID);
    assert_int_equal(rs_control_create_project(f->c, RS_SERVER_ORGANIZATION, "", NULL, &p, NULL),
                     RS_ERR_INVALID);
    char longest[65];
    memset(longest, 'x', 64);
    longest[64] = 0;
    assert_int_equal(rs_control_create_project(f->c, RS_SERVER_ORGANIZATION, longest, NULL, &p, NULL),
                     RS_ERR_TOO_LARGE);
    assert_int_equal(rs_control_create_project(f->c, RS_SERVER_ORGANIZATION, "other", NULL, &p, NULL), RS_OK);
    assert_int_equal(rs_control_get_project(f->c, p.id, &p, NULL), RS_OK);
    assert_string_equal(p.name, "other");
}

static bool count_key(void *ctx, const rs_api_key *key) {
    int *counts = ctx;
    counts[key->revoked_ns ? 1 : 0]++;
    return true;
}

static void keys(void **state) {
    fixture *f = *state;
    char secret[RS_SECRET_MAX], second[RS_SECRET_MAX];
    rs_api_key made, found, other;
    rs_project stranger;
    assert_int_equal(
        rs_control_create_project(f->c, RS_SERVER_ORGANIZATION, "stranger", NULL, &stranger, NULL), RS_OK);
    assert_int_equal(
        rs_control_create_key(f->c, 1, &(rs_key_wish){.name = "laptop"}, NULL, secret, &made, NULL), RS_OK);
    assert_int_equal(
        rs_control_create_key(f->c, 1, &(rs_key_wish){.name = "server"}, NULL, second, &other, NULL), RS_OK);
    assert_int_equal(strlen(secret), 47);
    assert_memory_equal(secret, "rsp_", 4);
    assert_string_not_equal(secret, second);
    assert_int_equal(rs_control_check_key(f->c, rs_str_of(secret), &found, NULL), RS_OK);
    assert_int_equal(found.id, made.id);
    assert_int_equal(found.project, 1);
    assert_string_equal(found.name, "laptop");
    assert_memory_equal(found.hint, secret, strlen(found.hint));
    assert_true(found.last_used_ns > 0);
    uint64_t noted = found.last_used_ns;
    assert_int_equal(rs_control_check_key(f->c, rs_str_of(secret), &found, NULL), RS_OK);
    assert_int_equal(found.last_used_ns, noted); /* once a minute at most */

    secret[10] ^= 1;
    assert_int_equal(rs_control_check_key(f->c, rs_str_of(secret), &found, NULL), RS_ERR_DENIED);
    secret[10] ^= 1;
    assert_int_equal(rs_control_check_key(f->c, (rs_str){secret, 46}, &found, NULL), RS_ERR_DENIED);
    assert_int_equal(rs_control_check_key(f->c, (rs_str){0}, &found, NULL), RS_ERR_DENIED);

    assert_int_equal(rs_control_revoke_key(f->c, stranger.id, made.id, NULL, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_revoke_key(f->c, 1, made.id, NULL, NULL), RS_OK);
    assert_int_equal(rs_control_revoke_key(f->c, 1, made.id, NULL, NULL), RS_OK);
    assert_int_equal(rs_control_check_key(f->c, rs_str_of(secret), &found, NULL), RS_ERR_DENIED);
    assert_int_equal(rs_control_check_key(f->c, rs_str_of(second), &found, NULL), RS_OK);
    int counts[2] = {0};
    assert_int_equal(rs_control_list_keys(f->c, 1, count_key, counts, NULL), RS_OK);
    assert_int_equal(counts[0], 1);
    assert_int_equal(counts[1], 1);
    assert_int_equal(rs_control_create_key(f->c, 99, &(rs_key_wish){.name = "x"}, NULL, secret, &made, NULL),
                     RS_ERR_NOT_FOUND);
}

/* By the beginning of a key's hash alone, which is found for those that may send. */
static void the_key_of_a_fingerprint(void **state) {
    fixture *f = *state;
    char secret[RS_SECRET_MAX];
    rs_api_key made, found;
    rs_key_wish wish = {.name = "app", .environment = "staging"};
    assert_int_equal(rs_control_create_key(f->c, 1, &wish, NULL, secret, &made, NULL), RS_OK);
    uint64_t fingerprint = rs_fingerprint(rs_str_of(secret));
    assert_int_equal(rs_control_find_sender(f->c, fingerprint, &found, NULL), RS_OK);
    assert_int_equal(found.id, made.id);
    assert_int_equal(found.project, 1);
    assert_string_equal(found.environment, "staging");
    assert_true(found.last_used_ns == 0); /* nobody has shown it */
    assert_int_equal(rs_control_find_sender(f->c, fingerprint + 1, &found, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_find_sender(f->c, 0, &found, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_revoke_key(f->c, 1, made.id, NULL, NULL), RS_OK);
    assert_int_equal(rs_control_find_sender(f->c, fingerprint, &found, NULL), RS_ERR_NOT_FOUND);

    wish = (rs_key_wish){.name = "reader", .scopes = RS_SCOPE_READ};
    assert_int_equal(rs_control_create_key(f->c, 1, &wish, NULL, secret, &made, NULL), RS_OK);
    fingerprint = rs_fingerprint(rs_str_of(secret));
    assert_int_equal(rs_control_find_sender(f->c, fingerprint, &found, NULL), RS_ERR_NOT_FOUND);
    wish = (rs_key_wish){.name = "short", .expires_ns = rs_clock_wall_ns() + 50000000};
    assert_int_equal(rs_control_create_key(f->c, 1, &wish, NULL, secret, &made, NULL), RS_OK);
    while (rs_clock_wall_ns() <= wish.expires_ns) usleep(1000);
    fingerprint = rs_fingerprint(rs_str_of(secret));
    assert_int_equal(rs_control_find_sender(f->c, fingerprint, &found, NULL), RS_ERR_NOT_FOUND);
}

static void what_a_key_may(void **state) {
    fixture *f = *state;
    char secret[RS_SECRET_MAX];
    rs_api_key made, found;
    rs_key_wish wish = {.name = "ci",
                        .scopes = RS_SCOPE_INGEST,
                        .environment = "staging",
                        .expires_ns = rs_clock_wall_ns() + 3600ull * 1000000000};
    assert_int_equal(rs_control_create_key(f->c, 1, &wish, NULL, secret, &made, NULL), RS_OK);
    assert_int_equal(rs_control_check_key(f->c, rs_str_of(secret), &found, NULL), RS_OK);
    assert_int_equal(found.scopes, RS_SCOPE_INGEST);
    assert_string_equal(found.environment, "staging");
    assert_true(found.expires_ns == wish.expires_ns);
    wish.expires_ns = 1;
    assert_int_equal(rs_control_create_key(f->c, 1, &wish, NULL, secret, &made, NULL), RS_ERR_INVALID);
    wish.expires_ns = rs_clock_wall_ns() + 50000000;
    assert_int_equal(rs_control_create_key(f->c, 1, &wish, NULL, secret, &made, NULL), RS_OK);
    usleep(60000);
    assert_int_equal(rs_control_check_key(f->c, rs_str_of(secret), &found, NULL), RS_ERR_DENIED);
    wish = (rs_key_wish){.name = "x", .scopes = 8};
    assert_int_equal(rs_control_create_key(f->c, 1, &wish, NULL, secret, &made, NULL), RS_ERR_INVALID);
    wish = (rs_key_wish){.name = "a\nb"};
    assert_int_equal(rs_control_create_key(f->c, 1, &wish, NULL, secret, &made, NULL), RS_ERR_INVALID);
}

static void names_of_scopes(void **state) {
    (void)state;
    assert_int_equal(rs_scope_of(RS_STR("ingest")), RS_SCOPE_INGEST);
    assert_int_equal(rs_scope_of(RS_STR("gateway")), RS_SCOPE_GATEWAY);
    assert_int_equal(rs_scope_of(RS_STR("all")), 0);
}

static void projects_change(void **state) {
    fixture *f = *state;
    char secret[RS_SECRET_MAX];
    rs_project p, other;
    rs_api_key key;
    assert_int_equal(rs_control_delete_project(f->c, 1, NULL, NULL), RS_ERR_INVALID); /* the only one */
    assert_int_equal(rs_control_create_project(f->c, RS_SERVER_ORGANIZATION, "other", NULL, &other, NULL),
                     RS_OK);
    assert_int_equal(rs_control_rename_project(f->c, other.id, "default", NULL, NULL), RS_ERR_INVALID);
    assert_int_equal(rs_control_rename_project(f->c, other.id, "better", NULL, NULL), RS_OK);
    assert_int_equal(rs_control_rename_project(f->c, 99, "x", NULL, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_find_project(f->c, "better", &p, NULL), RS_OK);
    assert_int_equal(
        rs_control_create_key(f->c, other.id, &(rs_key_wish){.name = "k"}, NULL, secret, &key, NULL), RS_OK);
    assert_int_equal(rs_control_delete_project(f->c, other.id, NULL, NULL), RS_OK);
    assert_int_equal(rs_control_check_key(f->c, rs_str_of(secret), &key, NULL), RS_ERR_DENIED);
    assert_int_equal(rs_control_get_project(f->c, other.id, &p, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_delete_project(f->c, other.id, NULL, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_create_project(f->c, RS_SERVER_ORGANIZATION, "again", NULL, &p, NULL), RS_OK);
    assert_true(p.id > other.id); /* what it left behind is nobody's */
    assert_int_equal(rs_control_first_project(f->c, RS_SERVER_ORGANIZATION, &p, NULL), RS_OK);
    assert_int_equal(p.id, 1);
}

/* The server and `respan keys` have it open at once; a reopened one knows everything; nothing secret is in
 * the file. */
static void two_at_once(void **state) {
    fixture *f = *state;
    rs_control *second;
    char secret[RS_SECRET_MAX], text[1 << 16];
    rs_api_key key;
    assert_int_equal(rs_control_open(f->dir, &second, NULL), RS_OK);
    assert_int_equal(
        rs_control_create_key(second, 1, &(rs_key_wish){.name = "cli"}, NULL, secret, &key, NULL), RS_OK);
    assert_int_equal(rs_control_check_key(f->c, rs_str_of(secret), &key, NULL), RS_OK);
    assert_int_equal(rs_control_revoke_key(second, 1, key.id, NULL, NULL), RS_OK);
    assert_int_equal(rs_control_check_key(f->c, rs_str_of(secret), &key, NULL), RS_ERR_DENIED);
    rs_control_close(second);
    rs_control_close(f->c);
    assert_int_equal(rs_control_open(f->dir, &f->c, NULL), RS_OK);
    assert_int_equal(rs_control_check_key(f->c, rs_str_of(secret), &key, NULL), RS_ERR_DENIED);
    struct stat st;
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    FILE *file = fopen(f->path, "rb");
    assert_non_null(file);
    size_t n = fread(text, 1, sizeof text, file);
    fclose(file);
    assert_null(memmem(text, n, secret + 12, 20));
}

static bool sum_ids(void *ctx, const rs_project *project) {
    *(uint64_t *)ctx += project->id;
    return project->id < 2;
}

static void retention(void **state) {
    fixture *f = *state;
    rs_project p, other;
    uint64_t ids = 0;
    rs_retention keep = {7 * 24 * 3600 * 1000000000ull, 10ull << 30};
    assert_int_equal(rs_control_create_project(f->c, RS_SERVER_ORGANIZATION, "other", NULL, &other, NULL),
                     RS_OK);
    assert_int_equal(other.keep.age_ns, 0);
    assert_int_equal(rs_control_set_retention(f->c, other.id, &keep, NULL, NULL), RS_OK);
    assert_int_equal(rs_control_set_retention(f->c, 77, &keep, NULL, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_set_retention(f->c, 1, &(rs_retention){UINT64_MAX, 0}, NULL, NULL),
                     RS_ERR_INVALID);
    assert_int_equal(rs_control_find_project(f->c, "other", &p, NULL), RS_OK);
    assert_true(p.keep.age_ns == keep.age_ns && p.keep.bytes == keep.bytes);
    assert_int_equal(rs_control_get_project(f->c, 1, &p, NULL), RS_OK);
    assert_true(p.keep.age_ns == 0 && p.keep.bytes == 0);
    assert_int_equal(rs_control_create_project(f->c, RS_SERVER_ORGANIZATION, "third", NULL, &other, NULL),
                     RS_OK);
    assert_int_equal(rs_control_list_projects(f->c, 0, sum_ids, &ids, NULL), RS_OK);
    assert_int_equal(ids, 3); /* it had enough */
    assert_int_equal(rs_control_list_projects(f->c, 0, sum_ids, &ids, NULL), RS_OK);
}

/* What version 3 had for sessions and links: one of its becomes the owner's. */
static void an_older_one_goes_on(fixture *f, const char *older) {
    char secret[RS_SECRET_MAX], token[RS_SECRET_MAX], session[RS_SECRET_MAX], second[RS_SECRET_MAX];
    rs_api_key key;
    rs_session found;
    rs_user owner;
    assert_int_equal(rs_control_create_key(f->c, 1, &(rs_key_wish){.name = "old"}, NULL, secret, &key, NULL),
                     RS_OK);
    assert_int_equal(rs_control_start_session(f->c, 1, &nowhere, session, NULL), RS_OK);
    assert_int_equal(rs_control_create_link(f->c, 1, token, NULL), RS_OK);
    rs_control_close(f->c);
    run_sql(f->path, WITHOUT_ORGANIZATIONS
            "ALTER TABLE api_key DROP COLUMN scopes; ALTER TABLE api_key DROP COLUMN environment;"
            "ALTER TABLE api_key DROP COLUMN expires;"
            "CREATE TABLE l(prefix INTEGER NOT NULL, hash BLOB NOT NULL, project INTEGER NOT NULL "
            "REFERENCES project,"
            "  expires INTEGER NOT NULL);"
            "INSERT INTO l SELECT prefix, hash, 1, expires FROM link; DROP TABLE link;"
            "ALTER TABLE l RENAME TO link; CREATE INDEX link_prefix ON link(prefix);"
            "CREATE TABLE s(prefix INTEGER NOT NULL, hash BLOB NOT NULL, project INTEGER NOT NULL "
            "REFERENCES project,"
            "  expires INTEGER NOT NULL);"
            "INSERT INTO s SELECT prefix, hash, 1, expires FROM session; DROP TABLE session;"
            "ALTER TABLE s RENAME TO session; CREATE INDEX session_prefix ON session(prefix);"
            "DROP TABLE user; DROP TABLE invite; DROP TABLE audit; DROP TABLE server_key;"
            "DROP TABLE share; DROP TABLE pin;");
    run_sql(f->path, older);
    assert_int_equal(rs_control_look(f->dir, NULL), RS_OK);
    rs_err err = {0};
    if (rs_control_open(f->dir, &f->c, &err) != RS_OK) fail_msg("%s", err.message);
    assert_int_equal(rs_control_check_key(f->c, rs_str_of(secret), &key, NULL), RS_OK);
    assert_int_equal(key.scopes, RS_SCOPE_ALL); /* it could do all there was */
    assert_int_equal(rs_control_check_session(f->c, rs_str_of(session), &found, NULL), RS_OK);
    assert_true(found.is_server_owner);
    assert_int_equal(rs_control_first_owner(f->c, &owner, NULL), RS_OK);
    assert_int_equal(found.user, owner.id);
    assert_false(owner.has_password);
    assert_int_equal(rs_control_redeem_link(f->c, rs_str_of(token), &nowhere, second, NULL), RS_OK);
    assert_int_equal(rs_control_start_session(f->c, owner.id, &nowhere, second, NULL), RS_OK);
}

static void one_of_version_3_goes_on(void **state) { an_older_one_goes_on(*state, "PRAGMA user_version=3"); }

static void one_of_version_1_goes_on(void **state) {
    an_older_one_goes_on(
        *state, "ALTER TABLE project DROP COLUMN keep_ns; ALTER TABLE project DROP COLUMN keep_bytes;"
                "PRAGMA user_version=1");
}

/* Some of version 4 have the tables of links and pins, and keep what is in them; others get them. */
static void one_of_version_4_goes_on(void **state) {
    fixture *f = *state;
    const uint8_t trace[16] = {1};
    char token[RS_SECRET_MAX], key[RS_SECRET_MAX], secret[RS_SECRET_MAX];
    rs_share share;
    rs_api_key found;
    rs_session session;
    rs_user owner;
    bool pinned;
    assert_int_equal(rs_control_start_session(f->c, 1, &nowhere, secret, NULL), RS_OK);
    assert_int_equal(rs_control_create_key(f->c, 1, &(rs_key_wish){.name = "k"}, NULL, key, &found, NULL),
                     RS_OK);
    assert_int_equal(rs_control_share_trace(f->c, 1, trace, true, NULL, token, &share, NULL), RS_OK);
    assert_int_equal(rs_control_pin_trace(f->c, 1, trace, NULL, NULL), RS_OK);
    for (int has_tables = 1; has_tables >= 0; has_tables--) {
        rs_control_close(f->c);
        if (!has_tables) run_sql(f->path, "DROP TABLE share; DROP TABLE pin;");
        run_sql(f->path, WITHOUT_ORGANIZATIONS WITHOUT_SIGNED_IN "PRAGMA user_version=4");
        assert_int_equal(rs_control_look(f->dir, NULL), RS_OK);
        assert_int_equal(rs_control_open(f->dir, &f->c, NULL), RS_OK);
        assert_int_equal(rs_control_check_key(f->c, rs_str_of(key), &found, NULL), RS_OK);
        assert_int_equal(rs_control_find_share(f->c, rs_str_of(token), &share, NULL),
                         has_tables ? RS_OK : RS_ERR_NOT_FOUND);
        assert_int_equal(rs_control_is_pinned(f->c, 1, trace, &pinned, NULL), RS_OK);
        assert_int_equal(pinned, has_tables);
        /* who is signed in stays it */
        assert_int_equal(rs_control_get_user(f->c, 1, &owner, NULL), RS_OK);
        assert_int_equal(owner.seen_ns, 0);
        assert_int_equal(rs_control_check_session(f->c, rs_str_of(secret), &session, NULL), RS_OK);
        assert_int_equal(rs_control_get_user(f->c, 1, &owner, NULL), RS_OK);
        assert_true(owner.seen_ns > 0);
    }
    assert_int_equal(rs_control_share_trace(f->c, 1, trace, true, NULL, token, &share, NULL), RS_OK);
    assert_int_equal(rs_control_pin_trace(f->c, 1, trace, NULL, NULL), RS_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(projects, setup, close_control),
        cmocka_unit_test_setup_teardown(keys, setup, close_control),
        cmocka_unit_test_setup_teardown(the_key_of_a_fingerprint, setup, close_control),
        cmocka_unit_test_setup_teardown(what_a_key_may, setup, close_control),
        cmocka_unit_test(names_of_scopes),
        cmocka_unit_test_setup_teardown(projects_change, setup, close_control),
        cmocka_unit_test_setup_teardown(two_at_once, setup, close_control),
        cmocka_unit_test_setup_teardown(retention, setup, close_control),
        cmocka_unit_test_setup_teardown(one_of_version_1_goes_on, setup, close_control),
        cmocka_unit_test_setup_teardown(one_of_version_3_goes_on, setup, close_control),
        cmocka_unit_test_setup_teardown(one_of_version_4_goes_on, setup, close_control),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
