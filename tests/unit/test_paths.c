#include "base/paths.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static char dir[] = "/tmp/test_paths.XXXXXX";

static int setup(void **state) {
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    return rmdir(dir);
}

static void xdg_then_home(void **state) {
    (void)state;
    char path[RS_PATH_MAX];
    setenv("HOME", "/home/ada", 1);
    setenv("XDG_DATA_HOME", "/data", 1);
    unsetenv("XDG_CONFIG_HOME");
    setenv("XDG_STATE_HOME", "relative", 1); /* to be ignored */
    assert_int_equal(rs_path_data(path, NULL), RS_OK);
    assert_string_equal(path, "/data/respan");
    assert_int_equal(rs_path_config(path, NULL), RS_OK);
    assert_string_equal(path, "/home/ada/.config/respan");
    assert_int_equal(rs_path_state(path, NULL), RS_OK);
    assert_string_equal(path, "/home/ada/.local/state/respan");
    unsetenv("HOME"); /* the user's entry in the password file */
    assert_int_equal(rs_path_config(path, NULL), RS_OK);
    assert_int_equal(path[0], '/');
}

static void too_long_a_path(void **state) {
    (void)state;
    char path[RS_PATH_MAX], huge[RS_PATH_MAX + 10];
    memset(huge, 'x', sizeof huge);
    huge[0] = '/';
    huge[sizeof huge - 1] = 0;
    rs_err err = {0};
    setenv("XDG_DATA_HOME", huge, 1);
    assert_int_equal(rs_path_data(path, &err), RS_ERR_TOO_LARGE);
    assert_non_null(strstr(err.message, "XDG_DATA_HOME"));
    assert_int_equal(rs_path_join(path, huge, "name", NULL), RS_ERR_TOO_LARGE);
    assert_int_equal(rs_path_make_dirs(huge, NULL), RS_ERR_TOO_LARGE);
    assert_int_equal(rs_path_make_dirs("", NULL), RS_ERR_TOO_LARGE);
}

static void makes_what_is_missing(void **state) {
    (void)state;
    char a[RS_PATH_MAX], b[RS_PATH_MAX], file[RS_PATH_MAX];
    struct stat st;
    rs_err err = {0};
    assert_int_equal(rs_path_join(a, dir, "a", NULL), RS_OK);
    assert_int_equal(rs_path_join(b, a, "b", NULL), RS_OK);
    assert_int_equal(rs_path_make_dirs(b, NULL), RS_OK);
    assert_int_equal(rs_path_make_dirs(b, NULL), RS_OK);
    assert_int_equal(stat(b, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(rs_path_join(file, b, "file", NULL), RS_OK);
    FILE *f = fopen(file, "w");
    assert_non_null(f);
    fclose(f);
    assert_int_equal(rs_path_make_dirs(file, &err), RS_ERR_IO); /* a file is in the way */
    assert_non_null(strstr(err.message, file));
    unlink(file);
    rmdir(b);
    rmdir(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xdg_then_home),
        cmocka_unit_test(too_long_a_path),
        cmocka_unit_test(makes_what_is_missing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
