#include "base/json_read.h"
#include "otlp/decode.h"
#include "otlp/encode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_attrs(const rs_attrs *a, const char *want) {
    rs_buf out = {0};
    rs_json j = rs_json_on(&out);
    rs_attrs_write_json(&j, a);
    assert_string_equal(rs_buf_cstr(&out), want);
    rs_buf_deinit(&out);
}

static void every_type_as_json(void **state) {
    (void)state;
    rs_attr items[] = {
        {RS_STR("e"), {RS_VALUE_EMPTY}},
        {RS_STR("s"), {RS_VALUE_STRING, .s = RS_STR("\"")}},
        {RS_STR("b"), {RS_VALUE_BOOL, .b = true}},
        {RS_STR("i"), {RS_VALUE_INT, .i = INT64_MIN}},
        {RS_STR("d"), {RS_VALUE_DOUBLE, .d = 0.35}},
        {RS_STR("x0"), {RS_VALUE_BYTES, .s = RS_STR("")}},
        {RS_STR("x1"), {RS_VALUE_BYTES, .s = RS_STR("f")}},
        {RS_STR("x2"), {RS_VALUE_BYTES, .s = RS_STR("fo")}},
        {RS_STR("x3"), {RS_VALUE_BYTES, .s = RS_STR("foo")}},
        {RS_STR("a"), {RS_VALUE_ARRAY, .s = RS_STR("\x0a\x02\x18\x01\x0a\x00")}},
        {RS_STR("k"), {RS_VALUE_KVLIST, .s = RS_STR("\x0a\x07\x0a\x01n\x12\x02\x10\x00")}},
    };
    assert_attrs(&(rs_attrs){items, RS_ARRAY_LEN(items), 0},
                 "{\"e\":null,\"s\":\"\\\"\",\"b\":true,\"i\":-9223372036854775808,\"d\":0.35,\"x0\":\"\","
                 "\"x1\":\"Zg==\","
                 "\"x2\":\"Zm8=\",\"x3\":\"Zm9v\",\"a\":[1,null],\"k\":{\"n\":false}}");
    assert_attrs(&(rs_attrs){0}, "{}");
}

static void the_last_of_a_key_wins(void **state) {
    (void)state;
    rs_attr items[] = {
        {RS_STR("a"), {RS_VALUE_INT, .i = 1}},
        {RS_STR("b"), {RS_VALUE_INT, .i = 2}},
        {RS_STR("a"), {RS_VALUE_INT, .i = 3}},
    };
    rs_attrs a = {items, RS_ARRAY_LEN(items), 0};
    assert_attrs(&a, "{\"b\":2,\"a\":3}");
    assert_int_equal(rs_attrs_find(&a, RS_STR("a"))->value.i, 3);
    assert_null(rs_attrs_find(&a, RS_STR("c")));
}

/* By the hundred they are sorted rather than compared each with each: the result must be the same. */
static void the_last_of_a_key_wins_among_many(void **state) {
    (void)state;
    enum { N = 1000, KEYS = 300 };
    static rs_attr items[N];
    static char names[N][8];
    rs_buf want = {0};
    rs_json j = rs_json_on(&want);
    for (int i = 0; i < N; i++) {
        snprintf(names[i], sizeof names[i], "%d", i * 7 % KEYS);
        items[i] = (rs_attr){rs_str_of(names[i]), {RS_VALUE_INT, .i = i}};
    }
    rs_attrs a = {items, N, 0};
    rs_json_object(&j);
    for (int i = 0; i < N; i++)
        if (rs_attrs_find(&a, items[i].key) == &items[i]) rs_json_put_int(&j, names[i], i);
    rs_json_object_end(&j);
    assert_attrs(&a, rs_buf_cstr(&want));
    rs_buf_deinit(&want);
}

static void composites_are_opened_step_by_step(void **state) {
    (void)state;
    rs_value list = {RS_VALUE_KVLIST,
                     .s = RS_STR("\x0a\x07\x0a\x01n\x12\x02\x10\x01\x10\x05\x0a\x03\x0a\x01m")};
    size_t at = 0;
    rs_str key;
    rs_value v;
    assert_true(rs_value_next(&list, &at, &key, &v));
    assert_true(rs_str_eq(key, RS_STR("n")) && v.type == RS_VALUE_BOOL && v.b);
    assert_true(rs_value_next(&list, &at, &key, &v));
    assert_true(rs_str_eq(key, RS_STR("m")) && v.type == RS_VALUE_EMPTY);
    assert_false(rs_value_next(&list, &at, &key, &v));
    assert_false(rs_value_next(&list, &at, &key, &v));
}

/* Bytes that were never checked end the list; they do not end the program. */
static void damaged_composites_end_early(void **state) {
    (void)state;
    char bytes[64];
    for (unsigned seed = 0; seed < 3000; seed++) {
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (char)("\x0a\x12\x2a\x32\x02\x08\x20\x00"[rand() % 8]);
        rs_value v = {seed % 2 ? RS_VALUE_ARRAY : RS_VALUE_KVLIST, .s = {bytes, sizeof bytes}};
        rs_buf out = {0};
        rs_json j = rs_json_on(&out);
        rs_value_write_json(&j, &v);
        assert_true(rs_json_is_valid(rs_buf_slice(&out)));
        rs_buf_deinit(&out);
    }
}

static void names_of_log_types(void **state) {
    (void)state;
    for (int t = 0; t < RS_LOG_TYPE_COUNT; t++) {
        assert_true(rs_log_type_name((rs_log_type)t).n > 0);
        assert_int_equal(rs_log_type_from_name(rs_log_type_name((rs_log_type)t)), t);
    }
    assert_int_equal(rs_log_type_from_name(RS_STR("nonsense")), RS_LOG_UNKNOWN);
    assert_true(rs_log_type_is_model_call(RS_LOG_CHAT) && !rs_log_type_is_model_call(RS_LOG_WORKFLOW));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_as_json),
        cmocka_unit_test(the_last_of_a_key_wins),
        cmocka_unit_test(the_last_of_a_key_wins_among_many),
        cmocka_unit_test(composites_are_opened_step_by_step),
        cmocka_unit_test(damaged_composites_end_early),
        cmocka_unit_test(names_of_log_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
