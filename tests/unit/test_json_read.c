#include "base/json_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* The tokens of a text, one letter each; '!' for an error, '.' for the end. */
static const char *tokens(const char *text) {
    static char out[300];
    rs_json_reader r;
    rs_json_token t;
    size_t n = 0;
    rs_json_read_init(&r, rs_str_of(text), NULL);
    do {
        t = rs_json_read(&r);
        out[n++] = "!.{}[]ksntf0"[t];
    } while (t > RS_JSON_END && n < sizeof out - 1);
    out[n] = 0;
    return out;
}

static void tokens_in_order(void **state) {
    (void)state;
    assert_string_equal(tokens("{\"a\":[1,\"x\",{}],\"b\":null}"), "{k[ns{}]k0}.");
    assert_string_equal(tokens(" \t\r\n[ true , false ] "), "[tf].");
    assert_string_equal(tokens("0"), "n.");
    assert_string_equal(tokens("[]"), "[].");
}

static void malformed_text(void **state) {
    (void)state;
    static const struct {
        const char *text;
        rs_status code;
        size_t offset;
    } cases[] = {
        {"", RS_ERR_TRUNCATED, 0},
        {"  ", RS_ERR_TRUNCATED, 2},
        {"[1", RS_ERR_TRUNCATED, 2},
        {"{\"a\"", RS_ERR_TRUNCATED, 4},
        {"\"ab", RS_ERR_TRUNCATED, 3},
        {"\"a\\", RS_ERR_TRUNCATED, 3},
        {"\"\\u12", RS_ERR_TRUNCATED, 5},
        {"tru", RS_ERR_TRUNCATED, 3},
        {"-", RS_ERR_TRUNCATED, 1},
        {"1.", RS_ERR_TRUNCATED, 2},
        {"1e+", RS_ERR_TRUNCATED, 3},
        {"[1,]", RS_ERR_INVALID, 3},
        {"[,1]", RS_ERR_INVALID, 1},
        {"{,}", RS_ERR_INVALID, 1},
        {"{\"a\":1,}", RS_ERR_INVALID, 7},
        {"{1:2}", RS_ERR_INVALID, 1},
        {"{\"a\" 1}", RS_ERR_INVALID, 5},
        {"[1 2]", RS_ERR_INVALID, 3},
        {"[1}", RS_ERR_INVALID, 2},
        {"{\"a\":1]", RS_ERR_INVALID, 6},
        {"1 1", RS_ERR_INVALID, 2},
        {"01", RS_ERR_INVALID, 1},
        {"+1", RS_ERR_INVALID, 0},
        {"[-x]", RS_ERR_INVALID, 2},
        {"1.e5", RS_ERR_INVALID, 2},
        {"trux", RS_ERR_INVALID, 0},
        {"nul!", RS_ERR_INVALID, 0},
        {"'a'", RS_ERR_INVALID, 0},
        {"\"\n\"", RS_ERR_INVALID, 1},
        {"\"\\x\"", RS_ERR_INVALID, 1},
        {"\"\\u12g4\"", RS_ERR_INVALID, 1},
        {"\"a\xff\"", RS_ERR_INVALID, 2},
        {"\xef\xbb\xbf{}", RS_ERR_INVALID, 0},
        {"]", RS_ERR_INVALID, 0},
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++) {
        rs_json_reader r;
        rs_json_token t;
        rs_json_read_init(&r, rs_str_of(cases[i].text), NULL);
        do t = rs_json_read(&r);
        while (t > RS_JSON_END);
        if (t != RS_JSON_ERROR || r.err.code != cases[i].code || r.err.offset != cases[i].offset)
            fail_msg("%s: %d at %zu: %s", cases[i].text, r.err.code, r.err.offset, r.err.message);
        assert_int_equal(rs_json_read(&r), RS_JSON_ERROR);
        assert_false(rs_json_is_valid(rs_str_of(cases[i].text)));
    }
}

static void strings_are_unescaped(void **state) {
    (void)state;
    static const struct {
        const char *text;
        rs_str want;
    } cases[] = {
        {"\"\"", RS_STR("")},
        {"\"plain and longer than sixteen\"", RS_STR("plain and longer than sixteen")},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", RS_STR("\"\\/\b\f\n\r\t")},
        {"\"0123456789abcde\\n0123456789abcdef\\n\"", RS_STR("0123456789abcde\n0123456789abcdef\n")},
        {"\"\\u0041\\u00e9\\u8a9E\\u0000\"", RS_STR("Aé語\0")},
        {"\"\\ud83d\\ude00\"", RS_STR("😀")},
        {"\"\\ud83d!\"", RS_STR("\xEF\xBF\xBD!")},
        {"\"\\ude00\\ud83d\"", RS_STR("\xEF\xBF\xBD\xEF\xBF\xBD")},
        {"\"\\ud83d\\u0041\"", RS_STR("\xEF\xBF\xBD"
                                      "A")},
        {"\"é\\n語\"", RS_STR("é\n語")},
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++) {
        rs_arena arena;
        rs_json_reader r;
        rs_arena_init(&arena, 0);
        rs_json_read_init(&r, rs_str_of(cases[i].text), &arena);
        assert_int_equal(rs_json_read(&r), RS_JSON_STRING);
        if (!rs_str_eq(r.text, cases[i].want)) fail_msg("%s gives %.*s", cases[i].text, RS_STR_ARG(r.text));
        assert_int_equal(rs_json_read(&r), RS_JSON_END);
        rs_arena_deinit(&arena);
    }
}

static void no_memory_for_a_string(void **state) {
    (void)state;
    rs_arena arena;
    rs_json_reader r;
    rs_arena_init(&arena, 1);
    rs_json_read_init(&r, RS_STR("\"\\n\""), &arena);
    assert_int_equal(rs_json_read(&r), RS_JSON_ERROR);
    assert_int_equal(r.err.code, RS_ERR_MEMORY);
    rs_arena_deinit(&arena);
}

static void nesting_is_bounded(void **state) {
    (void)state;
    char text[2 * RS_JSON_MAX_DEPTH + 3];
    for (size_t depth = RS_JSON_MAX_DEPTH; depth <= RS_JSON_MAX_DEPTH + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        assert_int_equal(rs_json_is_valid((rs_str){text, 2 * depth}), depth == RS_JSON_MAX_DEPTH);
    }
}

static void values_are_skipped_whole(void **state) {
    (void)state;
    rs_json_reader r;
    rs_str raw;
    rs_json_read_init(&r, RS_STR("{\"a\": {\"x\":[1,{}]} , \"b\":[ 12 ,\"s\"]}"), NULL);
    assert_int_equal(rs_json_read(&r), RS_JSON_OBJECT);
    assert_int_equal(rs_json_read(&r), RS_JSON_KEY);
    assert_true(rs_json_read_skip(&r, &raw));
    assert_true(rs_str_eq(raw, RS_STR("{\"x\":[1,{}]}")));
    assert_int_equal(rs_json_read(&r), RS_JSON_KEY);
    assert_int_equal(rs_json_read(&r), RS_JSON_ARRAY);
    assert_true(rs_json_read_skip(&r, &raw));
    assert_true(rs_str_eq(raw, RS_STR("12")));
    assert_true(rs_json_read_skip(&r, NULL));
    assert_false(rs_json_read_skip(&r, &raw)); /* nothing is left in the array */
    assert_int_equal(r.err.code, RS_ERR_INVALID);
    assert_int_equal(rs_json_read(&r), RS_JSON_ERROR);
}

static void elements_come_one_by_one(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t n; /* elements before the end, or the error */
        bool whole;
    } cases[] = {{"[]", 0, true},
                 {"[ \n]", 0, true},
                 {"[1 , [2,[]],{} ]", 3, true},
                 {"[\"]\",\"a\"]", 2, true},
                 {"[1,]", 1, false},
                 {"[1", 1, false},
                 {"[", 0, false},
                 {"[1 2]", 1, false}};
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++) {
        rs_json_reader r;
        rs_str raw, last = {0};
        size_t n = 0;
        rs_json_read_init(&r, rs_str_of(cases[i].text), NULL);
        assert_int_equal(rs_json_read(&r), RS_JSON_ARRAY);
        for (; rs_json_read_element(&r, &raw); n++) last = raw;
        if (n != cases[i].n) fail_msg("%s: %zu, last %.*s", cases[i].text, n, RS_STR_ARG(last));
        assert_int_equal(rs_json_read(&r), cases[i].whole ? RS_JSON_END : RS_JSON_ERROR);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_in_order),          cmocka_unit_test(malformed_text),
        cmocka_unit_test(strings_are_unescaped),    cmocka_unit_test(no_memory_for_a_string),
        cmocka_unit_test(nesting_is_bounded),       cmocka_unit_test(values_are_skipped_whole),
        cmocka_unit_test(elements_come_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
