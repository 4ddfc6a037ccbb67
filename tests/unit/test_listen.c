/* Addresses to listen on, and how the server is then reached. */
#include "server/listen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void loopback_and_wildcard(void **state) {
    (void)state;
    char url[RS_URL_MAX];
    bool loopback;
    int fd;
    assert_int_equal(rs_listen("127.0.0.1:0", &fd, url, &loopback, NULL), RS_OK);
    assert_true(loopback);
    assert_int_equal(strncmp(url, "http://127.0.0.1:", 17), 0);
    close(fd);
    assert_int_equal(rs_listen("0", &fd, url, &loopback, NULL), RS_OK); /* a port alone */
    assert_true(loopback);
    close(fd);
    assert_int_equal(rs_listen("0.0.0.0:0", &fd, url, &loopback, NULL), RS_OK);
    assert_false(loopback);
    assert_int_equal(strncmp(url, "http://127.0.0.1:", 17), 0); /* this machine reaches it so */
    close(fd);
}

static void taken(void **state) {
    (void)state;
    char url[RS_URL_MAX], other[RS_URL_MAX];
    bool loopback;
    int fd, second;
    rs_err err = {0};
    assert_int_equal(rs_listen("127.0.0.1:0", &fd, url, &loopback, NULL), RS_OK);
    assert_int_equal(rs_listen(url + strlen("http://"), &second, other, &loopback, &err), RS_ERR_DENIED);
    assert_int_equal(second, -1);
    assert_non_null(strstr(err.message, "--listen"));
    close(fd);
}

static void nonsense(void **state) {
    (void)state;
    static const char *const bad[] = {"127.0.0.1:x",  "127.0.0.1:70000", "[::1:80",   "no such host:1",
                                      "127.0.0.1:-1", "256.1.1.1:0",     "127.0.0.1:"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char url[RS_URL_MAX];
        bool loopback;
        int fd;
        rs_err err = {0};
        if (rs_listen(bad[i], &fd, url, &loopback, &err) != RS_ERR_INVALID) fail_msg("took %s", bad[i]);
        assert_int_equal(fd, -1);
        assert_true(err.message[0]);
    }
}

typedef struct reach {
    const char *url;
    bool loopback;
    const char *base_url;
    bool reached;
} reach;

static void which_base_urls_are_this_server(void **state) {
    (void)state;
    static const reach cases[] = {
        {"http://127.0.0.1:8460", true, "http://127.0.0.1:8460/api", true},
        {"http://127.0.0.1:8460", true, "HTTP://LocalHost:8460/api/", true},
        {"http://127.0.0.1:8460", true, "http://127.0.0.1:8460", true},
        {"http://127.0.0.1:8460", true, "http://127.0.0.1:8460/v1/traces", true},
        {"http://127.0.0.1:8460", true, "http://127.0.0.1:8460/api/v2/traces/", true},
        {"http://127.0.0.1:8460", true, "http://127.0.0.1:8460/v2/traces", false},
        {"http://127.0.0.1:80", true, "http://127.0.0.1/api", true},
        {"http://[::1]:8460", true, "http://[::1]:8460/api", true},
        {"http://[::1]:8460", true, "http://[0:0:0:0:0:0:0:1]:8460/api", true},
        {"http://[::1]:8460", true, "http://localhost:8460/api", true},
        {"http://127.0.0.1:8460", false, "http://127.0.0.9:8460/api", true}, /* 0.0.0.0 */
        {"http://[::1]:8460", false, "http://127.0.0.1:8460/api", true},     /* [::] */
        {"http://192.168.1.7:8460", false, "http://192.168.1.7:8460/api", true},
        {"http://127.0.0.1:8460", true, "http://127.0.0.1:8461/api", false},
        {"http://127.0.0.1:8460", true, "http://127.0.0.9:8460/api", false},
        {"http://127.0.0.1:8460", true, "http://[::1]:8460/api", false},
        {"http://127.0.0.1:8460", true, "https://127.0.0.1:8460/api", false},
        {"http://127.0.0.1:8460", true, "http://127.0.0.1:8460/other/api", false},
        {"http://127.0.0.1:8460", true, "http://127.0.0.1:8460/api?x=1", false},
        {"http://127.0.0.1:8460", true, "http://localhost.example.com:8460/api", false},
        {"http://127.0.0.1:8460", true, "http://a@127.0.0.1:8460/api", false},
        {"http://127.0.0.1:8460", true, "http://127.0.0.1:8460x/api", false},
        {"http://127.0.0.1:8460", true, "http://127.0.0.1:/api", false},
        {"http://127.0.0.1:8460", true, "http://", false},
        {"http://127.0.0.1:8460", true, "", false},
        {"http://192.168.1.7:8460", false, "http://127.0.0.1:8460/api", false},
        {"http://192.168.1.7:8460", false, "http://localhost:8460/api", false},
        {"http://127.0.0.2:8460", true, "http://localhost:8460/api", false},
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++)
        if (rs_listen_is_reached(cases[i].url, cases[i].loopback, rs_str_of(cases[i].base_url)) !=
            cases[i].reached)
            fail_msg("%s and %s", cases[i].url, cases[i].base_url);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loopback_and_wildcard),
        cmocka_unit_test(taken),
        cmocka_unit_test(nonsense),
        cmocka_unit_test(which_base_urls_are_this_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
