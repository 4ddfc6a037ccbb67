#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static void formats_and_reads_back(void **state) {
    (void)state;
    static const struct {
        uint64_t ns;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000000000Z"},
        {1, "1970-01-01T00:00:00.000000001Z"},
        {951782400u * 1000000000ull, "2000-02-29T00:00:00.000000000Z"},
        {1795523921207000000u, "2026-11-24T12:38:41.207000000Z"},
        {9223372036854775807u, "2262-04-11T23:47:16.854775807Z"},
        {18446744072999999999u, "2554-07-21T23:34:32.999999999Z"},
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++) {
        char text[RS_RFC3339_LEN + 1];
        uint64_t back;
        rs_clock_format(cases[i].ns, text);
        assert_string_equal(text, cases[i].text);
        assert_true(rs_clock_parse(rs_str_of(text), &back));
        assert_int_equal(back, cases[i].ns);
    }
}

static void every_day_has_its_date(void **state) {
    (void)state;
    for (int64_t day = 0; day < 106751; day++) { /* what 64 bits of nanoseconds hold from 1970 on, signed */
        char text[RS_RFC3339_LEN + 1], want[32];
        time_t seconds = day * 86400 + day % 86400;
        struct tm tm;
        rs_clock_format((uint64_t)seconds * 1000000000u, text);
        strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%S.000000000Z", gmtime_r(&seconds, &tm));
        assert_string_equal(text, want);
    }
}

static void reads_what_people_write(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t seconds, ns;
    } cases[] = {
        {"2026-11-24", 1795478400, 0},
        {"2026-11-24T12:38:41Z", 1795523921, 0},
        {"2026-11-24 12:38:41", 1795523921, 0},
        {"2026-11-24T12:38:41.5z", 1795523921, 500000000},
        {"2026-11-24T12:38:41.1234567891234Z", 1795523921, 123456789},
        {"2026-11-24T14:38:41+02:00", 1795523921, 0},
        {"2026-11-24T07:08:41-0530", 1795523921, 0},
        {"1795523921", 1795523921, 0},
        {"0", 0, 0},
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++) {
        uint64_t ns = 0;
        if (!rs_clock_parse(rs_str_of(cases[i].text), &ns)) fail_msg("%s is not read", cases[i].text);
        assert_int_equal(ns, cases[i].seconds * 1000000000u + cases[i].ns);
    }
}

static void refuses_what_is_no_time(void **state) {
    (void)state;
    static const rs_str cases[] = {
        RS_STR(""),
        RS_STR("yesterday"),
        RS_STR("1969-12-31T23:59:59Z"),
        RS_STR("1970-01-01T00:00:00+01:00"),
        RS_STR("2554-07-21T23:34:34Z"),
        RS_STR("9999-12-31"),
        RS_STR("0000-00-01"),
        RS_STR("1795523921000"),
        RS_STR("2026-13-01"),
        RS_STR("2026-02-29"),
        RS_STR("2026-11-24T24:00:00Z"),
        RS_STR("2026-11-24T12:60:00Z"),
        RS_STR("2026-11-24T12:38:41.Z"),
        RS_STR("2026-11-24T12:38:41Zulu"),
        RS_STR("2026-11-24T12:38:41+2"),
        RS_STR("2026-11-24\0"
               "12:38:41Z"),
        RS_STR("99999999999999"),
        RS_STR("-5"),
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++) {
        uint64_t ns = 77;
        if (rs_clock_parse(cases[i], &ns)) fail_msg("%s is read", cases[i].p);
        assert_int_equal(ns, 77);
    }
}

static void bounds_may_lie_outside(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t ns;
    } cases[] = {{"0001-01-01T00:00:00Z", 0},
                 {"1969-12-31T23:59:59.999Z", 0},
                 {"1970-01-01T00:00:01Z", 1000000000},
                 {"2554-07-21T23:34:32.5Z", 18446744072500000000u},
                 {"9999-12-31T23:59:59.999999Z", UINT64_MAX}};
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++) {
        uint64_t ns = 77;
        if (!rs_clock_parse_bound(rs_str_of(cases[i].text), &ns)) fail_msg("%s is not read", cases[i].text);
        assert_int_equal(ns, cases[i].ns);
    }
    uint64_t ns;
    assert_false(rs_clock_parse_bound(RS_STR("1795523921000"), &ns)); /* milliseconds */
}

static void clocks_go_forward(void **state) {
    (void)state;
    uint64_t a = rs_clock_mono_ns(), b = rs_clock_mono_ns();
    assert_true(b >= a);
    assert_true(rs_clock_wall_ns() > 1700000000ull * 1000000000u);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_and_reads_back),  cmocka_unit_test(every_day_has_its_date),
        cmocka_unit_test(reads_what_people_write), cmocka_unit_test(refuses_what_is_no_time),
        cmocka_unit_test(bounds_may_lie_outside),  cmocka_unit_test(clocks_go_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
