#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void comparisons(void **state) {
    (void)state;
    assert_true(rs_str_eq((rs_str){0}, RS_STR("")));
    assert_true(rs_str_eq(RS_STR("ab"), rs_str_of("ab")));
    assert_false(rs_str_eq(RS_STR("ab"), RS_STR("aB")));
    assert_true(rs_str_eq_nocase(RS_STR("aZ-9"), RS_STR("Az-9")));
    assert_false(rs_str_eq_nocase(RS_STR("a@"), RS_STR("a`"))); /* 32 apart, but no letters */
    assert_true(rs_str_starts(RS_STR("abc"), RS_STR("ab")) && rs_str_ends(RS_STR("abc"), RS_STR("bc")));
    assert_false(rs_str_starts(RS_STR("a"), RS_STR("ab")) || rs_str_ends(RS_STR("b"), RS_STR("ab")));
    assert_int_equal(rs_str_from(RS_STR("abc"), 2).n, 1);
    assert_int_equal(rs_str_from(RS_STR("abc"), 9).n, 0);
    assert_int_equal(rs_str_of(NULL).n, 0);
}

static void cuts_between_characters(void **state) {
    (void)state;
    rs_str s = RS_STR("a😀é");
    static const size_t want[] = {0, 1, 1, 1, 1, 5, 5, 7, 7};
    for (size_t max = 0; max < RS_ARRAY_LEN(want); max++) {
        assert_int_equal(rs_str_cut_utf8(s, max).n, want[max]);
        assert_true(rs_str_is_utf8(rs_str_cut_utf8(s, max)));
    }
}

static void utf8_at_every_place(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"\x7f", true},
        {"\xc2\x80", true},
        {"\xdf\xbf", true},
        {"\xe0\xa0\x80", true},
        {"\xed\x9f\xbf", true},
        {"\xee\x80\x80", true},
        {"\xef\xbf\xbf", true},
        {"\xf0\x90\x80\x80", true},
        {"\x80", false},
        {"\xf4\x8f\xbf\xbf", true},
        {"\xc0\x80", false},
        {"\xc1\xbf", false},
        {"\xc2", false},
        {"\xe0\x9f\xbf", false},
        {"\xed\xa0\x80", false},
        {"\xe8\xaa", false},
        {"\xe8\xaa\x2f", false},
        {"\xf0\x8f\xbf\xbf", false},
        {"\xf4\x90\x80\x80", false},
        {"\xf5\x80\x80\x80", false},
        {"\xff", false},
        {"\xf0\x9f\x98", false},
    };
    char text[80];
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++) {
        size_t n = strlen(cases[i].text);
        for (size_t before = 0; before < 40; before++) { /* past every step of the ASCII loops */
            for (size_t behind = 0; behind < 36; behind += 5) {
                memset(text, 'x', sizeof text);
                memcpy(text + before, cases[i].text, n);
                rs_str s = {text, before + n + behind};
                size_t prefix = rs_str_utf8_prefix(s);
                assert_int_equal(prefix, cases[i].good ? s.n : before);
                assert_int_equal(rs_str_is_utf8(s), cases[i].good);
            }
        }
    }
    assert_true(rs_str_is_utf8((rs_str){0}));
}

static void whole_numbers(void **state) {
    (void)state;
    unsigned long long u = 7;
    long long i = 7;
    assert_true(rs_str_to_u64(RS_STR("18446744073709551615"), &u) && u == UINT64_MAX);
    assert_true(rs_str_to_u64(RS_STR("00"), &u) && u == 0);
    assert_true(rs_str_to_u64(RS_STR("9999999999999999999"), &u) && u == 9999999999999999999u);
    assert_true(rs_str_to_i64(RS_STR("-9223372036854775808"), &i) && i == INT64_MIN);
    assert_true(rs_str_to_i64(RS_STR("9223372036854775807"), &i) && i == INT64_MAX);
    static const char *const bad[] = {"",
                                      "-",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1.0",
                                      "0x1",
                                      "--1",
                                      "18446744073709551616",
                                      "99999999999999999999",
                                      "000000000000000000001"};
    for (size_t k = 0; k < RS_ARRAY_LEN(bad); k++) {
        u = 7, i = 7;
        assert_false(rs_str_to_u64(rs_str_of(bad[k]), &u) || rs_str_to_i64(rs_str_of(bad[k]), &i));
        assert_true(u == 7 && i == 7);
    }
    assert_false(rs_str_to_i64(RS_STR("9223372036854775808"), &i));
    assert_false(rs_str_to_i64(RS_STR("-9223372036854775809"), &i));
    assert_false(rs_str_to_u64(RS_STR("-1"), &u));
}

static void real_numbers(void **state) {
    (void)state;
    double d = 7;
    assert_true(rs_str_to_double(RS_STR("-2.5e-1"), &d) && d == -0.25);
    assert_false(rs_str_to_double(RS_STR("0x10"), &d) || rs_str_to_double(RS_STR("-0X1p3"), &d));
    assert_true(rs_str_to_double((rs_str){"123", 2}, &d) && d == 12); /* not past the slice */
    static const char *const bad[] = {"", " 1", "1 ", "x", "1e999", "nan", "inf", "1,5"};
    for (size_t k = 0; k < RS_ARRAY_LEN(bad); k++) {
        d = 7;
        assert_false(rs_str_to_double(rs_str_of(bad[k]), &d));
        assert_true(d == 7);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparisons),         cmocka_unit_test(cuts_between_characters),
        cmocka_unit_test(utf8_at_every_place), cmocka_unit_test(whole_numbers),
        cmocka_unit_test(real_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
