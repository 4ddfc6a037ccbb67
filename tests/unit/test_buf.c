#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void appends_in_every_way(void **state) {
    (void)state;
    rs_buf b;
    rs_buf_init(&b);
    rs_buf_byte(&b, 'a');
    rs_buf_put(&b, "bc", 2);
    rs_buf_put(&b, NULL, 0);
    rs_buf_str(&b, RS_STR("de"));
    rs_buf_text(&b, "f");
    rs_buf_printf(&b, "%d", 7);
    assert_string_equal(rs_buf_cstr(&b), "abcdef7");
    assert_int_equal(b.n, 7);
    rs_buf_clear(&b);
    rs_buf_printf(&b, "%1000d|", 5); /* longer than printf's own first try */
    assert_int_equal(b.n, 1001);
    assert_int_equal(b.p[1000], '|');
    assert_int_equal(rs_buf_status(&b), RS_OK);
    rs_buf_deinit(&b);
    assert_null(b.p);
}

static void url_escapes_all_but_the_unreserved(void **state) {
    (void)state;
    rs_buf b;
    rs_buf_init(&b);
    rs_buf_url(&b, (rs_str){"aZ9-._~ &=/%?\0\xc3\xa9", 15});
    assert_string_equal(rs_buf_cstr(&b), "aZ9-._~%20%26%3D%2F%25%3F%00%C3");
    rs_buf_deinit(&b);
}

static void failure_sticks_until_cleared(void **state) {
    (void)state;
    rs_buf b;
    rs_buf_init(&b);
    b.limit = 300;
    for (int i = 0; i < 100; i++) rs_buf_put(&b, "12345", 5);
    assert_int_equal(rs_buf_status(&b), RS_ERR_TOO_LARGE);
    size_t n = b.n;
    assert_true(n >= 295);
    rs_buf_byte(&b, 'x');
    rs_buf_printf(&b, "y");
    assert_null(rs_buf_reserve(&b, 0));
    assert_null(rs_buf_cstr(&b));
    assert_int_equal(b.n, n);
    rs_buf_clear(&b);
    rs_buf_byte(&b, 'x');
    assert_int_equal(rs_buf_status(&b), RS_OK);
    assert_int_equal(b.n, 1);
    rs_buf_deinit(&b);
}

static void absurd_sizes_are_refused(void **state) {
    (void)state;
    rs_buf b;
    rs_buf_init(&b);
    assert_null(rs_buf_reserve(&b, SIZE_MAX));
    assert_int_equal(rs_buf_status(&b), RS_ERR_TOO_LARGE);
    rs_buf_clear(&b);
    assert_non_null(rs_buf_reserve(&b, 0));
    assert_string_equal(rs_buf_cstr(&b), "");
    rs_buf_deinit(&b);
}

static void bytes_that_are_not_utf8_become_replacements(void **state) {
    (void)state;
    static const struct {
        rs_str in;
        const char *out;
    } cases[] = {
        {RS_STR(""), ""},
        {RS_STR("plain \xc3\xa4"), "plain \xc3\xa4"},
        {RS_STR("\xff"), "\xEF\xBF\xBD"},
        {RS_STR("a\xc3"), "a\xEF\xBF\xBD"},
        {RS_STR("\xf0\x9f z"), "\xEF\xBF\xBD\xEF\xBF\xBD z"},
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++) {
        rs_buf b;
        rs_buf_init(&b);
        rs_buf_put_utf8(&b, cases[i].in);
        assert_string_equal(rs_buf_cstr(&b), cases[i].out);
        rs_buf_deinit(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_in_every_way),
        cmocka_unit_test(url_escapes_all_but_the_unreserved),
        cmocka_unit_test(failure_sticks_until_cleared),
        cmocka_unit_test(absurd_sizes_are_refused),
        cmocka_unit_test(bytes_that_are_not_utf8_become_replacements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
