/* Which row a path meets. */
#include "server/routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void assert_meets(const char *path, const char *pattern, const char *id) {
    rs_str got;
    const rs_route *route = rs_route_find(path, &got);
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
    const rs_route *ingest = rs_route_find("/v1/traces", &id),
                   *list = rs_route_find("/api/traces/list/", &id);
    assert_true(rs_route_allows(ingest, "POST"));
    assert_false(rs_route_allows(ingest, "GET"));
    assert_false(rs_route_allows(ingest, "HEAD"));
    assert_true(rs_route_allows(list, "GET"));
    assert_true(rs_route_allows(list, "HEAD"));
    assert_true(rs_route_allows(list, "POST"));
    assert_false(rs_route_allows(list, "DELETE"));
    const rs_route *trace = rs_route_find("/api/traces/0af7/", &id);
    assert_true(rs_route_allows(trace, "DELETE"));
    assert_true(rs_route_allows(trace, "HEAD"));
    assert_false(rs_route_allows(trace, "POST"));
    assert_string_equal(rs_route_allow_header(trace), "GET, HEAD, DELETE");
    assert_false(rs_route_allows(list, "get"));
    assert_string_equal(rs_route_allow_header(ingest), "POST");
    assert_string_equal(rs_route_allow_header(list), "GET, HEAD, POST");
    assert_string_equal(rs_route_allow_header(rs_route_find("/api/traces/0af7/share/", &id)),
                        "GET, HEAD, POST, DELETE");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(paths), cmocka_unit_test(methods)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
