/* Which row a path meets. */
#include "server/routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void assert_meets(const char *path, const char *pattern, const char *id) {
    rs_str got;
    const rs_route *route = rs_route_find(path, "GET", &got);
    if (!pattern) {
        if (route) fail_msg("%s meets %s", path, route->pattern);
        return;
    }
    if (!route) fail_msg("%s meets nothing", path);
    assert_string_equal(route->pattern, pattern);
    assert_int_equal(got.n, strlen(id));
    assert_memory_equal(got.n ? got.p : "", id, got.n);
}

static void paths(void **state) {
    (void)state;
    assert_meets("/", "/", "");
    assert_meets("/v1/traces", "/v1/traces", "");
    assert_meets("/v1/traces/", "/v1/traces", "");
    assert_meets("/api/traces/list/", "/api/traces/list/", "");
    assert_meets("/api/traces/list", "/api/traces/list/", "");
    assert_meets("/api/traces/0af7/", "/api/traces/{id}/", "0af7");
    assert_meets("/api/traces/0af7", "/api/traces/{id}/", "0af7");
    assert_meets("/api/traces/lists", "/api/traces/{id}/", "lists");
    assert_meets("/api/traces/0af7/share/", "/api/traces/{id}/share/", "0af7");
    assert_meets("/api/share/abc/", "/api/share/{id}/", "abc");
    assert_meets("/api/share/abc/spans/12/", "/api/share/{id}/spans/{id}/", "12");
    assert_meets("/share/abc", "/share/{id}", "abc");
    assert_meets("/traces/0af7", "/traces/{id}", "0af7");
    assert_meets("/users/a/b", "/users/*", "");
    assert_meets("/threads/conv 1", "/threads/*", "");
    assert_meets("/users", "/{id}", "users");
    assert_meets("/assets/a/b.js", "/assets/*", "");
    assert_meets("/project/1/traces/0af7", "/project/{id}/traces/{id}", "0af7");
    assert_meets("/favicon.svg", "/{id}", "favicon.svg");
    assert_meets("//", NULL, "");
    assert_meets("/api/traces//", NULL, "");
    assert_meets("/api/traces/a/b", NULL, "");
    assert_meets("/assets/", "/{id}", "assets");
    assert_meets("/v1/traces//", NULL, "");
    assert_meets("relative", NULL, "");
}

static void methods(void **state) {
    (void)state;
    rs_str id;
    const rs_route *ingest = rs_route_find("/v1/traces", "GET", &id),
                   *list = rs_route_find("/api/traces/list/", "GET", &id);
    assert_true(rs_route_allows(ingest, "POST"));
    assert_false(rs_route_allows(ingest, "GET"));
    assert_false(rs_route_allows(ingest, "HEAD"));
    assert_true(rs_route_allows(list, "GET"));
    assert_true(rs_route_allows(list, "HEAD"));
    assert_true(rs_route_allows(list, "POST"));
    assert_false(rs_route_allows(list, "DELETE"));
    /* a row for each of what a pattern takes, with a demand of its own */
    const rs_route *read = rs_route_find("/api/traces/0af7/", "GET", &id),
                   *remove = rs_route_find("/api/traces/0af7/", "DELETE", &id),
                   *wrong = rs_route_find("/api/traces/0af7/", "PUT", &id);
    assert_int_equal(read->auth, RS_AUTH_ANY);
    assert_int_equal(remove->auth, RS_AUTH_CHANGE);
    assert_true(rs_route_allows(remove, "DELETE") && rs_route_allows(read, "HEAD"));
    assert_false(rs_route_allows(wrong, "PUT"));
    assert_string_equal(rs_route_allow_header(read), rs_route_allow_header(remove));
    assert_non_null(strstr(rs_route_allow_header(read), "GET, HEAD"));
    assert_non_null(strstr(rs_route_allow_header(read), "DELETE"));
    assert_string_equal(rs_route_find("/api/traces/delete/", "GET", &id)->pattern, "/api/traces/delete/");
    assert_false(rs_route_allows(list, "get"));
    assert_string_equal(rs_route_allow_header(ingest), "POST");
    assert_string_equal(rs_route_allow_header(list), "GET, HEAD, POST");
    assert_string_equal(rs_route_allow_header(rs_route_find("/api/traces/0af7/share/", "GET", &id)),
                        "GET, HEAD, POST, DELETE");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(paths), cmocka_unit_test(methods)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
