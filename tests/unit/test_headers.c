/* Header values from outside: what they mean, and that nonsense means nothing. */
#include "server/headers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_str(rs_str got, const char *want) {
    assert_int_equal(got.n, strlen(want));
    assert_memory_equal(got.n ? got.p : "", want, got.n);
}

static void media_type(void **state) {
    (void)state;
    assert_str(rs_header_media_type(RS_STR("application/json")), "application/json");
    assert_str(rs_header_media_type(RS_STR(" application/json ; charset=utf-8; a=b")), "application/json");
    assert_str(rs_header_media_type(RS_STR(";")), "");
    assert_str(rs_header_media_type((rs_str){0}), "");
}

static void bearer(void **state) {
    (void)state;
    assert_str(rs_header_bearer(RS_STR("Bearer rsp_x")), "rsp_x");
    assert_str(rs_header_bearer(RS_STR("bEARER \t rsp_x ")), "rsp_x");
    assert_str(rs_header_bearer(RS_STR("Basic rsp_x")), "");
    assert_str(rs_header_bearer(RS_STR("Bearer")), "");
    assert_str(rs_header_bearer(RS_STR("Bearerx y")), "");
    assert_str(rs_header_bearer((rs_str){0}), "");
}

static void basic(void **state) {
    (void)state;
    char storage[16];
    rs_str user, password;
    static const struct {
        const char *value, *user, *password;
    } good[] = {
        {"Basic cGs6c2s=", "pk", "sk"}, /* pk:sk */
        {"bASIC \t cGs6c2s= ", "pk", "sk"},
        {"Basic cGs6", "pk", ""},
        {"Basic OnNrOmE=", "", "sk:a"},
        {"Basic YWFhYWFhYWE6YmJiYmJiYg==", "aaaaaaaa", "bbbbbbb"}, /* as long as fits */
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(good); i++) {
        assert_true(rs_header_basic(rs_str_of(good[i].value), storage, sizeof storage, &user, &password));
        assert_str(user, good[i].user);
        assert_str(password, good[i].password);
    }
    static const char *const bad[] = {"",
                                      "Basic",
                                      "Basic cGtzaw==",                  /* no colon */
                                      "Basic cGs6c2s",                   /* no padding */
                                      "Basic cGs6c2s=x",                 /* more behind it */
                                      "Basic cGs6 c2s=",                 /* a blank within */
                                      "Basic rsp_x",                     /* not base64 */
                                      "Bearer cGs6c2s=",                 /* another scheme */
                                      "Basic YWFhYWFhYWE6YmJiYmJiYmI="}; /* one more */
    for (size_t i = 0; i < RS_ARRAY_LEN(bad); i++)
        assert_false(rs_header_basic(rs_str_of(bad[i]), storage, sizeof storage, &user, &password));
}

static void accepts_gzip(void **state) {
    (void)state;
    assert_true(rs_header_accepts_gzip(RS_STR("gzip")));
    assert_true(rs_header_accepts_gzip(RS_STR("br, GZIP;q=0.5")));
    assert_true(rs_header_accepts_gzip(RS_STR("*")));
    assert_false(rs_header_accepts_gzip(RS_STR("gzip;q=0")));
    assert_false(rs_header_accepts_gzip(RS_STR("gzip ; Q=0.000, *")));
    assert_false(rs_header_accepts_gzip(RS_STR("identity, gzipx")));
    assert_false(rs_header_accepts_gzip((rs_str){0}));
}

static void etags(void **state) {
    (void)state;
    assert_true(rs_header_etag_matches(RS_STR("\"a\""), RS_STR("\"a\"")));
    assert_true(rs_header_etag_matches(RS_STR("\"b\", W/\"a\""), RS_STR("\"a\"")));
    assert_true(rs_header_etag_matches(RS_STR("*"), RS_STR("\"a\"")));
    assert_false(rs_header_etag_matches(RS_STR("a, \"b\""), RS_STR("\"a\"")));
    assert_false(rs_header_etag_matches((rs_str){0}, RS_STR("\"a\"")));
}

static void hosts(void **state) {
    (void)state;
    static const char *const names[] = {NULL, "box"};
    static const char *const ours[] = {"localhost",  "LOCALHOST:8460", "127.0.0.1",   "127.0.0.1:1",
                                       "[::1]:8460", "[::1]",          "10.1.2.3:80", "box",
                                       "Box:8460",   "localhost:"};
    static const char *const others[] = {"",
                                         "evil.example",
                                         "127.0.0.1.evil.example",
                                         "localhost.evil.example:8460",
                                         "[::1",
                                         "[::1]x",
                                         "::1",
                                         "localhost:80x",
                                         "evil:1",
                                         "[localhost]",
                                         "127.0.0.1@evil.example",
                                         "boxx",
                                         "256.0.0.1",
                                         "[]",
                                         ":80"};
    for (size_t i = 0; i < RS_ARRAY_LEN(ours); i++)
        if (!rs_header_host_is_ours(rs_str_of(ours[i]), names, 2)) fail_msg("refused %s", ours[i]);
    for (size_t i = 0; i < RS_ARRAY_LEN(others); i++)
        if (rs_header_host_is_ours(rs_str_of(others[i]), names, 2)) fail_msg("let in %s", others[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(media_type),   cmocka_unit_test(bearer), cmocka_unit_test(basic),
        cmocka_unit_test(accepts_gzip), cmocka_unit_test(etags),  cmocka_unit_test(hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
