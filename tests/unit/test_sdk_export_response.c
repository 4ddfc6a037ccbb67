/* What a server says to an export, whatever bytes it says it with. */
#include "sdk/export_response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void partial_success_is_read(void **state) {
    (void)state;
    rs_export_response r;
    assert_true(rs_export_response_read((rs_str){0}, &r));
    assert_int_equal(r.rejected_spans, 0);
    /* an unknown field of each wire type, then partial_success with one inside */
    assert_true(rs_export_response_read(RS_STR("\x10\x7f\x1d"
                                               "abcd\x21"
                                               "abcdefgh\x0a\x0b\x08\x85\x01\x12\x02no\x1a\x02xx"),
                                        &r));
    assert_int_equal(r.rejected_spans, 133);
    assert_true(rs_str_eq(r.message, RS_STR("no")));
    /* -1 as ten bytes */
    assert_true(rs_export_response_read(RS_STR("\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), &r));
    assert_int_equal(r.rejected_spans, 0);
}

static void malformed_answers_reject_nothing(void **state) {
    (void)state;
    static const rs_str bad[] = {
        RS_STR("\x0a"),                                             /* no length */
        RS_STR("\x0a\x05\x08\x01"),                                 /* shorter than it says */
        RS_STR("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),     /* longer than anything */
        RS_STR("\x0a\x03\x08\x01\x12"),                             /* cut inside */
        RS_STR("\x03"),                                             /* field number 0, group */
        RS_STR("\x0b\x0c"),                                         /* groups */
        RS_STR("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), /* varint of eleven bytes */
        RS_STR("{\"partialSuccess\":{}}"),
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(bad); i++) {
        rs_export_response r;
        assert_false(rs_export_response_read(bad[i], &r));
        assert_int_equal(r.rejected_spans, 0);
        assert_int_equal(r.message.n, 0);
    }
}

static void error_text_is_one_printable_line(void **state) {
    (void)state;
    static const struct {
        rs_str body;
        const char *text;
    } cases[] = {
        {RS_STR("{\"error\":{\"code\":\"x\",\"message\":\"the key is \\\"k\\\"\",\"field\":null}}"),
         "the key is \\\"k\\\""},
        {RS_STR("{\"message\" : 7}"), "{\"message\" : 7}"},
        {RS_STR("{\"message\":\"open"), "open"},
        {RS_STR("{\"message\":\"open\\"), "open\\"},
        {RS_STR("\"message\""), "\"message\""},
        {RS_STR("plain\r\ntext\n\x1b[31m"), "plain  text  [31m"},
        {RS_STR("\xff\xfe"), ""},
        {RS_STR(""), ""},
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++) {
        char out[64];
        rs_export_error_text(cases[i].body, out, sizeof out);
        assert_string_equal(out, cases[i].text);
    }
    char small[8];
    rs_export_error_text(RS_STR("123456\xc3\xa4 more"), small, sizeof small);
    assert_string_equal(small, "123456");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partial_success_is_read),
        cmocka_unit_test(malformed_answers_reject_nothing),
        cmocka_unit_test(error_text_is_one_printable_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
