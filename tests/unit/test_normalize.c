/* What golden cases cannot say: the index of names, exhaustion, limits, previews. The dialects are in tests/golden/. */
#include "normalize/dialect.h"
#include "normalize/messages.h"
#include "normalize/normalize.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define TEXT(k, v)                                                                                           \
    {                                                                                                        \
        RS_STR(k), { .type = RS_VALUE_STRING, .s = RS_STR(v) }                                               \
    }
#define NUMBER(k, v)                                                                                         \
    {                                                                                                        \
        RS_STR(k), { .type = RS_VALUE_INT, .i = (v) }                                                        \
    }

static rs_attr chat[] = {
    TEXT("llm.request.type", "chat"),
    TEXT("gen_ai.system", "openai"),
    TEXT("gen_ai.request.model", "m"),
    {RS_STR("gen_ai.request.temperature"), {.type = RS_VALUE_DOUBLE, .d = 0.5}},
    TEXT("gen_ai.prompt.0.role", "system"),
    TEXT("gen_ai.prompt.0.content", "Be brief."),
    TEXT("gen_ai.prompt.1.role", "user"),
    TEXT("gen_ai.prompt.1.content", "Hello"),
    TEXT("gen_ai.completion.0.role", "assistant"),
    TEXT("gen_ai.completion.0.content", "Hi"),
    NUMBER("gen_ai.usage.prompt_tokens", 9),
    NUMBER("gen_ai.usage.completion_tokens", 2),
    TEXT("traceloop.workflow.name", "w"),
    TEXT("traceloop.entity.input", "{\"a\": \"\\u00e9\"}"),
    TEXT("respan.metadata", "{\"plan\":\"p\\u00e9\"}"),
};

static const rs_resource resource;
static const rs_scope scope;

static rs_span span_of(rs_attr *attrs, size_t n) {
    return (rs_span){.name = RS_STR("x"),
                     .attrs = {.items = attrs, .n = (uint32_t)n},
                     .resource = &resource,
                     .scope = &scope};
}

/* make_index refuses a name that stands twice; that every one is found is for us to see. */
static void every_name_is_found(void **state) {
    (void)state;
    for (unsigned d = 0; d < RS_DIALECTS; d++) {
        rs_found found;
        for (size_t k = 0; k < rs_dialects[d]->nexact; k++) {
            const rs_row *row = &rs_dialects[d]->exact[k];
            assert_true(rs_dialect_find(row->name, &found));
            assert_ptr_equal(found.row, row);
            assert_int_equal(found.dialect, d);
            assert_int_equal(found.rest.n, 0);
        }
        for (size_t k = 0; k < rs_dialects[d]->nprefixes; k++) {
            const rs_row *row = &rs_dialects[d]->prefixes[k];
            char name[128];
            int n = snprintf(name, sizeof name, "%.*szzz", RS_STR_ARG(row->name));
            assert_true(rs_dialect_find((rs_str){name, (size_t)n}, &found));
            assert_ptr_equal(found.row, row);
            assert_true(rs_str_eq(found.rest, RS_STR("zzz")));
            if (rs_dialect_find(row->name, &found)) assert_ptr_not_equal(found.row, row);
        }
    }
}

static void other_names_are_not_found(void **state) {
    (void)state;
    static const char *const names[] = {"",         "g",      "gen_ai",       "gen_ai.", "gen_ai.request",
                                        "user.id.", "user.i", "Gen_ai.system"};
    rs_found found;
    for (size_t i = 0; i < RS_ARRAY_LEN(names); i++)
        assert_false(rs_dialect_find(rs_str_of(names[i]), &found));
    char name[32] = "";
    for (unsigned i = 0; i < 100000; i++) {
        int n = snprintf(name, sizeof name, "a%x.%u", i * 2654435761u, i);
        assert_false(rs_dialect_find((rs_str){name, (size_t)n}, &found));
    }
}

/* The longest prefix, and an exact name before any prefix. */
static void the_most_exact_name_wins(void **state) {
    (void)state;
    rs_found found;
    assert_true(rs_dialect_find(RS_STR("ai.telemetry.metadata.userId"), &found));
    assert_int_equal(found.row->field, RS_FIELD_CUSTOMER);
    assert_true(rs_dialect_find(RS_STR("ai.telemetry.metadata.userIds"), &found));
    assert_int_equal(found.row->field, RS_FIELD_METADATA);
}

static void attributes_stay_as_they_were(void **state) {
    (void)state;
    rs_attr before[RS_ARRAY_LEN(chat)];
    memcpy(before, chat, sizeof chat);
    rs_span span = span_of(chat, RS_ARRAY_LEN(chat));
    rs_arena arena;
    rs_arena_init(&arena, 0);
    assert_int_equal(rs_normalize_span(&span, &arena), RS_OK);
    assert_memory_equal(before, chat, sizeof chat);
    assert_int_equal(span.facts.log_type, RS_LOG_CHAT);
    assert_true(rs_str_eq(span.facts.input_preview, RS_STR("Hello")));
    assert_int_equal(span.facts.usage_source, RS_USAGE_REPORTED);
    rs_arena_deinit(&arena);
}

static void exhaustion_is_an_error_and_no_more(void **state) {
    (void)state;
    bool enough = false, short_of = false;
    for (size_t limit = 1; limit < 200000 && !enough; limit += limit / 8 + 1) {
        rs_span span = span_of(chat, RS_ARRAY_LEN(chat));
        rs_arena arena;
        rs_arena_init(&arena, limit);
        rs_status st = rs_normalize_span(&span, &arena);
        assert_true(st == RS_OK || st == RS_ERR_MEMORY);
        short_of |= st == RS_ERR_MEMORY;
        enough = st == RS_OK;
        rs_arena_deinit(&arena);
    }
    assert_true(enough && short_of);
}

static void a_reply_that_only_calls_tools_is_previewed_by_them(void **state) {
    (void)state;
    const struct {
        const char *messages, *preview;
    } cases[] = {
        {"[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":"
         "\"{\\\"a\\\":1}\"}},"
         "{\"name\":\"g\",\"arguments\":{\"b\": [2]}}]}]",
         "f({\"a\":1}), g({\"b\": [2]})"},
        {"[{\"role\":\"assistant\",\"content\":\"Let me see.\",\"tool_calls\":[{\"name\":\"f\"}]}]",
         "Let me see."},
        {"[{\"role\":\"assistant\",\"parts\":[{\"type\":\"tool_call\",\"name\":\"f\",\"arguments\":{\"a\":1}}"
         "]}]",
         "f({\"a\":1})"},
        {"[{\"role\":\"assistant\",\"tool_calls\":[7,{}]}]",
         "[{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[7,{}]}]"},
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++) {
        rs_attr attrs[] = {
            {RS_STR("gen_ai.output.messages"), {.type = RS_VALUE_STRING, .s = rs_str_of(cases[i].messages)}}};
        rs_span span = span_of(attrs, 1);
        rs_arena arena;
        rs_arena_init(&arena, 0);
        assert_int_equal(rs_normalize_span(&span, &arena), RS_OK);
        rs_str preview = span.facts.output_preview;
        if (!rs_str_eq(preview, rs_str_of(cases[i].preview))) fail_msg("%.*s", RS_STR_ARG(preview));
        rs_arena_deinit(&arena);
    }
}

static void repeated_keys_and_many_keys(void **state) {
    (void)state;
    static rs_attr many[1000];
    static char names[1000][40];
    for (int i = 0; i < 1000; i++) {
        snprintf(names[i], sizeof names[i], "gen_ai.request.p%d", i % 900);
        many[i] = (rs_attr){rs_str_of(names[i]), {.type = RS_VALUE_INT, .i = i}};
    }
    rs_span span = span_of(many, RS_ARRAY_LEN(many));
    rs_arena arena;
    rs_arena_init(&arena, 0);
    assert_int_equal(rs_normalize_span(&span, &arena), RS_OK);
    assert_int_equal(span.facts.parameters.n, 128);
    assert_int_equal(rs_attrs_find(&span.facts.parameters, RS_STR("p5"))->value.i, 905);
    rs_arena_deinit(&arena);
}

/* A byte at a time. */
static size_t plain_line(rs_str s, char line[RS_PREVIEW_MAX]) {
    size_t n = 0;
    bool blank = false;
    for (size_t i = 0; i < s.n; i++) {
        bool is_blank = (unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f;
        if (!is_blank && blank && n > 0 && n < RS_PREVIEW_MAX) line[n++] = ' ';
        if (!is_blank && n < RS_PREVIEW_MAX) line[n++] = s.p[i];
        blank = is_blank;
    }
    return n;
}

static void previews_are_the_same_eight_bytes_at_a_time(void **state) {
    (void)state;
    srand(5);
    for (int round = 0; round < 20000; round++) {
        size_t n = (size_t)(rand() % (round % 4 ? 40 : 300)), spaces = round % 3 ? 5 : 60;
        char *text = malloc(n + 1), expected[RS_PREVIEW_MAX]; /* to its very end */
        rs_arena arena;
        rs_str line;
        assert_non_null(text);
        for (size_t i = 0; i < n; i++)
            text[i] = (size_t)rand() % spaces ? "abc!~z"[rand() % 6] : "    \n\t\x7f\x1f"[rand() % 8];
        rs_arena_init(&arena, 0);
        assert_int_equal(rs_content_preview((rs_str){text, n}, &arena, &line), RS_OK);
        size_t length = plain_line((rs_str){text, n}, expected);
        if (line.n != length || (length && memcmp(line.p, expected, length) != 0))
            fail_msg("%.*s", (int)n, text);
        rs_arena_deinit(&arena);
        free(text);
    }
}

static void previews_are_one_line_of_whole_characters(void **state) {
    (void)state;
    rs_arena arena;
    rs_arena_init(&arena, 0);
    rs_str line;
    assert_int_equal(rs_content_preview(RS_STR(" \n a\t\tb \x01 c \n"), &arena, &line), RS_OK);
    assert_true(rs_str_eq(line, RS_STR("a b c")));
    char text[400];
    for (size_t lead = 0; lead < 4; lead++) {
        memset(text, 'x', lead);
        for (size_t i = lead; i + 3 <= sizeof text; i += 3) memcpy(text + i, "€", 3);
        assert_int_equal(rs_content_preview((rs_str){text, lead + 390}, &arena, &line), RS_OK);
        assert_true(rs_str_is_utf8(line) && line.n <= RS_PREVIEW_MAX && line.n > RS_PREVIEW_MAX - 3);
    }
    rs_arena_deinit(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_is_found),
        cmocka_unit_test(other_names_are_not_found),
        cmocka_unit_test(the_most_exact_name_wins),
        cmocka_unit_test(attributes_stay_as_they_were),
        cmocka_unit_test(exhaustion_is_an_error_and_no_more),
        cmocka_unit_test(a_reply_that_only_calls_tools_is_previewed_by_them),
        cmocka_unit_test(repeated_keys_and_many_keys),
        cmocka_unit_test(previews_are_the_same_eight_bytes_at_a_time),
        cmocka_unit_test(previews_are_one_line_of_whole_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
