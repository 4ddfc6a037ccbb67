/* What golden cases cannot say: the tables' order, exhaustion, limits, previews. The dialects are in tests/golden/. */
#include "normalize/dialect.h"
#include "normalize/messages.h"
#include "normalize/normalize.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

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

static int order(rs_str a, rs_str b) { return a.n != b.n ? (a.n < b.n ? -1 : 1) : memcmp(a.p, b.p, a.n); }

static void tables_are_in_order(void **state) {
    (void)state;
    for (int i = 0; i < RS_DIALECTS; i++) {
        const rs_dialect *d = rs_dialects[i];
        for (size_t k = 0; k < d->nexact; k++) {
            rs_str rest;
            if (k) assert_true(order(d->exact[k - 1].name, d->exact[k].name) < 0);
            assert_ptr_equal(rs_dialect_find(d, d->exact[k].name, &rest), &d->exact[k]);
            assert_true(d->exact[k].rank < RS_RANKS);
            assert_true((d->exact[k].field == RS_FIELD_PARAMETER) == (d->exact[k].plain.n > 0));
        }
        for (size_t k = 0; k < d->nprefixes; k++)
            assert_true(d->prefixes[k].rank < RS_RANKS && (d->letters & RS_LETTER(d->prefixes[k].name.p[0])));
    }
}

static void no_name_is_claimed_twice(void **state) {
    (void)state;
    for (int i = 0; i < RS_DIALECTS; i++)
        for (size_t k = 0; k < rs_dialects[i]->nexact; k++)
            for (int other = 0; other < i; other++) {
                rs_str rest;
                const rs_row *row = rs_dialect_find(rs_dialects[other], rs_dialects[i]->exact[k].name, &rest);
                if (row) fail_msg("%.*s", RS_STR_ARG(row->name));
            }
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
        cmocka_unit_test(tables_are_in_order),
        cmocka_unit_test(no_name_is_claimed_twice),
        cmocka_unit_test(attributes_stay_as_they_were),
        cmocka_unit_test(exhaustion_is_an_error_and_no_more),
        cmocka_unit_test(a_reply_that_only_calls_tools_is_previewed_by_them),
        cmocka_unit_test(repeated_keys_and_many_keys),
        cmocka_unit_test(previews_are_one_line_of_whole_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
