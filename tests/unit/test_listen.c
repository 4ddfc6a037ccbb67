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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loopback_and_wildcard),
        cmocka_unit_test(taken),
        cmocka_unit_test(nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
