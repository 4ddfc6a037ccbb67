#include "base/credentials.h"

#include "base/str.h"
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static char dir[] = "/tmp/test_credentials.XXXXXX";
static char folder[128], path[160];

static int setup(void **state) {
    (void)state;
    if (!mkdtemp(dir)) return -1;
    snprintf(folder, sizeof folder, "%s/respan", dir);
    snprintf(path, sizeof path, "%s/credentials", folder);
    return setenv("XDG_CONFIG_HOME", dir, 1);
}

static int teardown(void **state) {
    (void)state;
    unlink(path);
    rmdir(folder);
    return rmdir(dir);
}

static void what_is_written_is_read(void **state) {
    (void)state;
    rs_err err = {0};
    rs_credentials in = {"rs-key-1", "http://127.0.0.1:8460/api"}, out;
    assert_int_equal(rs_credentials_read(&out, &err), RS_ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, path));
    assert_int_equal(rs_credentials_write(&in, NULL), RS_OK);
    assert_int_equal(rs_credentials_read(&out, NULL), RS_OK);
    assert_string_equal(out.api_key, in.api_key);
    assert_string_equal(out.base_url, in.base_url);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(folder, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
}

static void reads_what_a_shell_would(void **state) {
    (void)state;
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(
        f,
        "# mine\nexport RESPAN_API_KEY='quoted key'\r\nRESPAN_API_KEYS=no\nRESPAN_BASE_URL=\"http://h/\"\n");
    fclose(f);
    rs_credentials c;
    assert_int_equal(rs_credentials_read(&c, NULL), RS_OK);
    assert_string_equal(c.api_key, "quoted key");
    assert_string_equal(c.base_url, "http://h/");
}

static void a_value_too_long_is_left_out(void **state) {
    (void)state;
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "RESPAN_API_KEY=%0500d\nRESPAN_BASE_URL=x\n", 1);
    fclose(f);
    rs_credentials c;
    assert_int_equal(rs_credentials_read(&c, NULL), RS_OK);
    assert_string_equal(c.api_key, "");
    assert_string_equal(c.base_url, "x");
}

/* The local key goes only where nobody else listens. */
static void loopback_addresses(void **state) {
    (void)state;
    static const char *const yes[] = {"http://localhost",       "http://LOCALHOST:8460/api",
                                      "https://127.0.0.1/",     "http://127.1.2.3:1/x",
                                      "http://[::1]:8460/api",  "http://[::1]",
                                      "http://user@localhost/", "HTTP://127.0.0.1?x=1"};
    static const char *const no[] = {"",
                                     "localhost",
                                     "ftp://localhost",
                                     "http://localhost.example.com",
                                     "http://127.0.0.1.example.com",
                                     "http://127.example.com",
                                     "http://128.0.0.1",
                                     "http://localhost@example.com",
                                     "http://a@localhost:80@example.com",
                                     "http://127.0.0.1:80@example.com/",
                                     "http://[::1].example.com",
                                     "http://[::2]",
                                     "http://example.com/localhost",
                                     "http://example.com#@localhost"};
    for (size_t i = 0; i < RS_ARRAY_LEN(yes); i++)
        if (!rs_url_is_loopback(yes[i])) fail_msg("%s is loopback", yes[i]);
    for (size_t i = 0; i < RS_ARRAY_LEN(no); i++)
        if (rs_url_is_loopback(no[i])) fail_msg("%s is not loopback", no[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(reads_what_a_shell_would),
        cmocka_unit_test(a_value_too_long_is_left_out),
        cmocka_unit_test(loopback_addresses),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
