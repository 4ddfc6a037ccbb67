#include "base/json_read.h"
#include "base/json_write.h"

#include <math.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void commas_stand_where_they_belong(void **state) {
    (void)state;
    rs_buf b;
    rs_buf_init(&b);
    rs_json j = rs_json_on(&b);
    rs_json_object(&j);
    rs_json_put_str(&j, "s", RS_STR("x"));
    rs_json_put_str_or_null(&j, "n", (rs_str){0});
    rs_json_put_int(&j, "i", INT64_MIN);
    rs_json_put_bool(&j, "b", true);
    rs_json_put_null(&j, "z");
    rs_json_put_time(&j, "t", 0);
    rs_json_put_time(&j, "u", 1);
    rs_json_put_hex(&j, "h", (const uint8_t *)"\x01\xff", 2);
    rs_json_put_seconds(&j, "d", -1500000001);
    rs_json_key(&j, RS_STR("a"));
    rs_json_array(&j);
    rs_json_uint(&j, UINT64_MAX);
    rs_json_object(&j);
    rs_json_object_end(&j);
    rs_json_array(&j);
    rs_json_array_end(&j);
    rs_json_raw(&j, RS_STR("[1]"));
    rs_json_null(&j);
    rs_json_array_end(&j);
    rs_json_object_end(&j);
    assert_string_equal(rs_buf_cstr(&b),
                        "{\"s\":\"x\",\"n\":null,\"i\":-9223372036854775808,\"b\":true,\"z\":null,\"t\":null,"
                        "\"u\":\"1970-01-01T00:00:00.000000001Z\",\"h\":\"01ff\",\"d\":-1.500000001,"
                        "\"a\":[18446744073709551615,{},[],[1],null]}");
    rs_buf_deinit(&b);
}

static void assert_written(rs_str text, const char *want) {
    rs_buf b;
    rs_buf_init(&b);
    rs_json j = rs_json_on(&b);
    rs_json_str(&j, text);
    assert_string_equal(rs_buf_cstr(&b), want);
    assert_true(rs_json_is_valid(rs_buf_slice(&b)));
    rs_buf_deinit(&b);
}

static void strings_are_escaped(void **state) {
    (void)state;
    assert_written((rs_str){0}, "\"\"");
    assert_written(RS_STR("a\"b\\c\n\r\t/\x01\x1f\x7f"), "\"a\\\"b\\\\c\\n\\r\\t/\\u0001\\u001f\x7f\"");
    assert_written(RS_STR("nul\0!"), "\"nul\\u0000!\"");
    assert_written(RS_STR("é語😀"), "\"é語😀\"");
    assert_written(RS_STR("bad\xff"
                          "end\xe8\xaa"),
                   "\"bad\xEF\xBF\xBD"
                   "end\xEF\xBF\xBD\xEF\xBF\xBD\"");
    assert_written(RS_STR("\xed\xa0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""); /* a surrogate */
}

/* Wherever it stands, also where eight or sixteen bytes are looked at together. */
static void every_byte_is_escaped_that_has_to_be(void **state) {
    (void)state;
    for (int c = 0; c < 256; c++)
        for (size_t at = 0; at < 45; at++) {
            char text[45];
            rs_buf b;
            memset(text, 'x', sizeof text);
            text[at] = (char)c;
            rs_buf_init(&b);
            rs_json j = rs_json_on(&b);
            rs_json_str(&j, (rs_str){text, sizeof text});
            assert_true(rs_json_is_valid(rs_buf_slice(&b)));
            bool plain = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
            assert_int_equal(b.n == sizeof text + 2, plain);
            if (plain) assert_int_equal(b.p[at + 1], c);
            rs_buf_deinit(&b);
        }
}

/* Text that is not ASCII, between escapes and bytes that are no UTF-8, at any distance from where it began. */
static void long_texts_are_copied_whole(void **state) {
    (void)state;
    for (size_t before = 0; before < 40; before++) {
        rs_buf text, want;
        rs_buf_init(&text);
        rs_buf_init(&want);
        rs_buf_byte(&want, '"');
        for (size_t i = 0; i < before; i++) rs_buf_byte(&text, 'x'), rs_buf_byte(&want, 'x');
        for (int i = 0; i < 50; i++) {
            rs_buf_text(&text, "日本語のテキスト, and more of it\n\xff\"");
            rs_buf_text(&want, "日本語のテキスト, and more of it\\n\xEF\xBF\xBD\\\"");
        }
        rs_buf_byte(&want, '"');
        assert_written(rs_buf_slice(&text), rs_buf_cstr(&want));
        rs_buf_deinit(&text);
        rs_buf_deinit(&want);
    }
}

static void doubles_read_back_the_same(void **state) {
    (void)state;
    static const double values[] = {0,        -0.0, 0.1,  1.0 / 3, 1e300, 5e-324, 123456789012345678.0, -2.5,
                                    1e22,     0.57, 1e-9, -1e-9,   1e-10, 9e6,    1234567.123456789,    100,
                                    0.3 - 0.2};
    for (size_t i = 0; i < RS_ARRAY_LEN(values); i++) {
        rs_buf b;
        rs_buf_init(&b);
        rs_json j = rs_json_on(&b);
        rs_json_double(&j, values[i]);
        double back = strtod(rs_buf_cstr(&b), NULL);
        assert_memory_equal(&back, &values[i], sizeof back);
        assert_true(rs_json_is_valid(rs_buf_slice(&b)));
        rs_buf_clear(&b);
        j = rs_json_on(&b);
        rs_json_double(&j, i % 2 ? NAN : INFINITY);
        assert_string_equal(rs_buf_cstr(&b), "null");
        rs_buf_deinit(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_stand_where_they_belong),       cmocka_unit_test(strings_are_escaped),
        cmocka_unit_test(every_byte_is_escaped_that_has_to_be), cmocka_unit_test(long_texts_are_copied_whole),
        cmocka_unit_test(doubles_read_back_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
