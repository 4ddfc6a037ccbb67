/* Filters and list parameters: what strangers write, what is refused with its name, and what a row answers. */
#include "query/list.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static rs_arena arena;

static int setup(void **state) {
    (void)state;
    rs_arena_init(&arena, 0);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    rs_arena_deinit(&arena);
    return 0;
}

static rs_trace_row row(void) {
    return (rs_trace_row){
        .key = 7,
        .trace_id = {0x4b, 0xf9, [15] = 0x36},
        .root_span_id = {0x0a},
        .has_root = true,
        .log_type = RS_LOG_WORKFLOW,
        .start_ns = 1700000000u * 1000000000ull,
        .end_ns = 1700000002u * 1000000000ull,
        .span_count = 3,
        .llm_call_count = 1,
        .prompt_tokens = 100,
        .completion_tokens = 20,
        .cost = NAN,
        .ttft = 0.25,
        .tokens_per_second = NAN,
        .name = RS_STR("Rerank_then_write"),
        .model = RS_STR("SmolLM2-135M"),
        .input = RS_STR("Draft the Release notes"),
        .output = RS_STR("Spans are encoded once"),
        .environment = RS_STR("production"),
        .metadata =
            RS_STR("{\"run\":7,\"note\":\"line\\nbreak\",\"gone\":null,\"deep\":{\"a\":[1]},\"ok\":true}"),
    };
}

/* A trace whose one span says what its row says. */
static bool matches(const rs_filter *f, const void *row) {
    const rs_trace_row *r = row;
    rs_span span = {0};
    rs_spans spans = {.items = &span, .n = 1};
    rs_evidence e = {.row = row, .in_full = true};
    if (f->table == &rs_trace_fields) {
        span.facts.model = r->model;
        span.facts.environment = r->environment;
        span.facts.customer = r->customer;
        span.facts.log_type = r->log_type;
        e.spans = &spans;
    }
    return rs_filter_judge(f, &e) == RS_YES;
}

static rs_status parse_json(rs_list *list, const char *body, rs_err *err) {
    *err = (rs_err){0};
    rs_list_init(list, &rs_trace_fields);
    return rs_list_set_json(list, rs_str_of(body), &arena, err);
}

/* Does the row match {"filters": {field: {"operator": op, "value": value}}}? */
static bool holds(const char *field, const char *op, const char *value) {
    char body[512];
    rs_list list;
    rs_err err;
    snprintf(body, sizeof body, "{\"filters\":{\"%s\":{\"operator\":\"%s\",\"value\":%s}}}", field, op,
             value);
    if (parse_json(&list, body, &err) != RS_OK) fail_msg("%s: %s", body, err.message);
    rs_trace_row r = row();
    return matches(&list.filter, &r);
}

static void refused_json(const char *body, const char *field, const char *says) {
    rs_list list;
    rs_err err;
    assert_int_equal(parse_json(&list, body, &err), RS_ERR_INVALID);
    assert_string_equal(list.bad_field, field);
    if (!strstr(err.message, says)) fail_msg("'%s' does not say '%s'", err.message, says);
}

static void refused(const char *name, const char *value, const char *says) {
    rs_list list;
    rs_err err = {0};
    rs_list_init(&list, &rs_trace_fields);
    assert_int_equal(rs_list_set(&list, rs_str_of(name), rs_str_of(value), &arena, &err), RS_ERR_INVALID);
    assert_string_equal(list.bad_field, name);
    if (!strstr(err.message, says)) fail_msg("'%s' does not say '%s'", err.message, says);
}

/* As trace and as span, as JSON and as text. */
static void test_last_part_of_a_model(void **state) {
    (void)state;
    static const struct {
        const char *model, *text;
        bool holds;
    } cases[] = {
        {"sshleifer/tiny-gpt2", "model:tiny-gpt2", true},
        {"sshleifer/tiny-gpt2", "model=tiny-gpt2", true},
        {"sshleifer/tiny-gpt2", "model:sshleifer/tiny-gpt2", true},
        {"sshleifer/tiny-gpt2", "model:gpt2", false},
        {"sshleifer/tiny-gpt2", "model:sshleifer", false},
        {"sshleifer/tiny-gpt2", "model!=tiny-gpt2", false},
        {"sshleifer/tiny-gpt2", "NOT model:tiny-gpt2", false},
        {"sshleifer/tiny-gpt2", "model in (x, tiny-gpt2)", true},
        {"sshleifer/tiny-gpt2", "model in (x, \"tiny-gpt2\")", true},
        {"sshleifer/tiny-gpt2", "model in (\"x\", \"tiny-gpt2\")", false},
        {"sshleifer/tiny-gpt2", "model:\"tiny-gpt2\"", false},
        {"tiny-gpt2", "model:\"tiny-gpt2\"", true},
        {"sshleifer/tiny-gpt2", "model:tiny*", true},
        {"sshleifer/tiny-gpt2", "model:ssh*", true},
        {"sshleifer/tiny-gpt2", "model:\"\"", false},
        {"/models/a/tiny-gpt2", "model:tiny-gpt2", true},
        {"/models/a/tiny-gpt2", "model:a/tiny-gpt2", false},
        {"a/", "model:a", false},
        {"a/", "model:\"\"", false},
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++) {
        rs_trace_row row = {.model = rs_str_of(cases[i].model)};
        rs_span span = {.facts.model = rs_str_of(cases[i].model)};
        const void *rows[] = {&row, &span};
        const rs_field_table *tables[] = {&rs_trace_fields, &rs_span_fields};
        for (int t = 0; t < 2; t++) {
            rs_list list;
            rs_filter_plan plan;
            rs_evidence e = {.row = rows[t], .spans = &(rs_spans){.items = &span, .n = 1}};
            rs_list_init(&list, tables[t]);
            assert_int_equal(rs_list_set(&list, RS_STR("q"), rs_str_of(cases[i].text), &arena, NULL), RS_OK);
            if (rs_filter_judge(&list.filter, &e) != (cases[i].holds ? RS_YES : RS_NO))
                fail_msg("%s of %s, %d", cases[i].text, cases[i].model, t);
            if (t == 1) continue;
            assert_int_equal(rs_filter_make_plan(&list.filter, &arena, &plan, NULL), RS_OK);
            bool is_whole = strstr(cases[i].text, ":\"") || strstr(cases[i].text, "(\"");
            if (plan.ntags > 0) assert_int_equal(plan.tags_decide, !is_whole); /* the tag may be of a part */
        }
    }
    rs_list list;
    rs_list_init(&list, &rs_trace_fields);
    rs_trace_row row = {.model = RS_STR("sshleifer/tiny-gpt2")};
    rs_str body = RS_STR("{\"filters\":{\"model\":{\"value\":[\"tiny-gpt2\"]}}}");
    assert_int_equal(rs_list_set_json(&list, body, &arena, NULL), RS_OK);
    assert_int_equal(rs_filter_judge(&list.filter, &(rs_evidence){.row = &row}), RS_YES);
    rs_list_init(&list, &rs_trace_fields);
    assert_int_equal(rs_list_set(&list, RS_STR("model"), RS_STR("tiny-gpt2"), &arena, NULL), RS_OK);
    assert_int_equal(rs_filter_judge(&list.filter, &(rs_evidence){.row = &row}), RS_YES);
}

static void test_text_operators(void **state) {
    (void)state;
    assert_true(holds("model", "", "[\"SmolLM2-135M\"]"));
    assert_true(holds("model", "", "\"SmolLM2-135M\""));
    assert_false(holds("model", "", "[\"smollm2-135m\"]"));
    assert_true(holds("model", "", "[\"a\",\"SmolLM2-135M\"]"));
    assert_true(holds("model", "not", "[\"gpt\"]"));
    assert_false(holds("model", "not", "[\"gpt\",\"SmolLM2-135M\"]"));
    assert_true(holds("customer_identifier", "not", "[\"someone\"]"));
    assert_true(holds("model", "iexact", "[\"smollm2-135m\"]"));
    assert_true(holds("model", "contains", "[\"LM2\"]"));
    assert_false(holds("model", "contains", "[\"lm2\"]"));
    assert_true(holds("model", "icontains", "[\"lm2-135M\"]"));
    assert_true(holds("model", "startswith", "[\"Smol\"]"));
    assert_false(holds("model", "startswith", "[\"mol\"]"));
    assert_true(holds("model", "endswith", "[\"135M\"]"));
    assert_true(holds("model", "in", "[\"x\",\"SmolLM2-135M\"]"));
    assert_false(holds("model", "in", "[\"x\"]"));
    assert_false(holds("customer_identifier", "contains", "[\"\"]"));
    assert_true(holds("customer_identifier", "", "[\"\"]"));
    assert_true(holds("trace_unique_id", "startswith", "[\"4bf9\"]"));
    assert_true(holds("status_code", "", "[\"ok\"]"));
}

static void test_number_operators(void **state) {
    (void)state;
    assert_true(holds("total_tokens", "", "[120]"));
    assert_true(holds("total_tokens", "", "[\"120\"]"));
    assert_true(holds("total_tokens", "gt", "[119]"));
    assert_false(holds("total_tokens", "gt", "[120]"));
    assert_true(holds("total_tokens", "gte", "120"));
    assert_true(holds("total_tokens", "lt", "[120.5]"));
    assert_false(holds("total_tokens", "lt", "[1.2e2]"));
    assert_true(holds("total_tokens", "lte", "[120]"));
    assert_true(holds("duration", "gte", "[2]"));
    assert_false(holds("duration", "gt", "[2]"));
    assert_true(holds("span_count", "in", "[1,2,3]"));
    assert_true(holds("span_count", "not", "[4]"));
    assert_false(holds("total_cost", "lt", "[1000]"));
    assert_true(holds("total_cost", "not", "[1]"));
}

static void test_null_and_time(void **state) {
    (void)state;
    assert_true(holds("total_cost", "isnull", "[true]"));
    assert_false(holds("total_cost", "isnull", "[false]"));
    assert_true(holds("time_to_first_token", "isnull", "false"));
    assert_true(holds("start_time", "gte", "[\"2023-11-14T22:13:20Z\"]"));
    assert_true(holds("start_time", "", "[\"2023-11-14T23:13:20+01:00\"]"));
    assert_false(holds("start_time", "gt", "[1700000000]"));
    assert_true(holds("end_time", "gt", "[\"2023-11-14T22:13:21.999999999Z\"]"));
}

static void test_metadata(void **state) {
    (void)state;
    assert_true(holds("metadata__run", "", "[7]"));
    assert_true(holds("metadata__run", "", "[\"7\"]"));
    assert_true(holds("metadata__run", "gt", "[6.5]"));
    assert_false(holds("metadata__run", "lt", "[7]"));
    assert_true(holds("metadata__note", "", "[\"line\\nbreak\"]"));
    assert_true(holds("metadata__note", "endswith", "[\"break\"]"));
    assert_false(holds("metadata__note", "gt", "[0]"));
    assert_true(holds("metadata__gone", "isnull", "[true]"));
    assert_true(holds("metadata__never", "isnull", "[true]"));
    assert_false(holds("metadata__run", "isnull", "[true]"));
    assert_true(holds("metadata__deep", "contains", "[\"[1]\"]"));
    assert_true(holds("metadata__ok", "", "[true]"));
    assert_true(holds("metadata__never", "not", "[\"x\"]"));
}

static void test_words(void **state) {
    (void)state;
    rs_trace_row r = row();
    const struct {
        const char *q;
        bool found;
    } cases[] = {{"release", true},         {"RELEASE smol", true}, {"release gpt", false}, {"  ", true},
                 {"rerank\tencoded", true}, {"production", false},  {"once ", true}};
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++) {
        rs_list list;
        rs_list_init(&list, &rs_trace_fields);
        assert_int_equal(rs_list_set(&list, RS_STR("q"), rs_str_of(cases[i].q), &arena, NULL), RS_OK);
        assert_int_equal(matches(&list.filter, &r), cases[i].found);
    }
}

static void test_several_conditions(void **state) {
    (void)state;
    rs_list list;
    rs_err err;
    rs_trace_row r = row();
    assert_int_equal(
        parse_json(&list,
                   "{\"filters\":{\"total_tokens\":[{\"operator\":\"gt\",\"value\":[100]},"
                   "{\"operator\":\"lt\",\"value\":[200]}],\"model\":{\"value\":[\"SmolLM2-135M\"]}},"
                   "\"environment\":\"production\",\"page_size\":7,\"page\":null,\"sort_by\":\"duration\"}",
                   &err),
        RS_OK);
    assert_int_equal(list.filter.leaves, 4);
    assert_int_equal(list.page_size, 7);
    assert_string_equal(list.sort->name, "duration");
    assert_true(list.ascending);
    assert_true(matches(&list.filter, &r));
    r.prompt_tokens = 300;
    assert_false(matches(&list.filter, &r));
}

static void test_what_is_refused(void **state) {
    (void)state;
    refused("colour", "red", "a trace has no field 'colour'");
    refused("metadata", "x", "metadata__KEY");
    refused("metadata__", "x", "no field 'metadata__'");
    refused("page", "0", "whole number from 1");
    refused("page_size", "1001", "1 to 1000");
    refused("page_size", "-1", "1 to 1000");
    refused("cursor", "f00", "next");
    refused("sort_by", "-model", "not sorted by '-model'");
    refused("start_time", "yesterday", "yesterday");
    refused("total_tokens", "many", "'many' of field 'total_tokens' is not a number");
    refused("content", "no", "true or false");
    refused("q", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", "more than 16 words");
    refused_json("{\"filters\":{\"colour\":{\"value\":[1]}}}", "colour", "no field 'colour'");
    refused_json("{\"filters\":{\"model\":{\"operator\":\"like\",\"value\":[\"x\"]}}}", "model",
                 "no operator 'like'");
    refused_json("{\"filters\":{\"duration\":{\"operator\":\"contains\",\"value\":[\"x\"]}}}", "duration",
                 "'contains'");
    refused_json("{\"filters\":{\"duration\":{\"operator\":\"gt\",\"value\":[\"x\"]}}}", "duration", "'x'");
    refused_json("{\"filters\":{\"duration\":{\"operator\":\"gt\",\"value\":[1,2]}}}", "duration",
                 "takes one value");
    refused_json("{\"filters\":{\"duration\":{\"operator\":\"gt\"}}}", "duration", "takes one value");
    refused_json("{\"filters\":{\"duration\":{\"operator\":\"in\",\"value\":[]}}}", "duration",
                 "at least one");
    refused_json("{\"filters\":{\"duration\":{\"value\":[null]}}}", "duration", "a filter's value is");
    refused_json("{\"filters\":{\"duration\":{\"value\":[[1]]}}}", "duration", "a filter's value is");
    refused_json("{\"filters\":{\"duration\":{\"valeu\":[1]}}}", "duration", "not 'valeu'");
    refused_json("{\"filters\":{\"duration\":7}}", "duration", "an object with");
    refused_json("{\"filters\":[]}", "filters", "is an object");
    refused_json("{\"model\":{}}", "model", "not text");
    refused_json("{\"colour\":1}", "colour", "no field");
    refused_json("[]", "", "JSON object");
}

static void test_body_that_is_not_json(void **state) {
    (void)state;
    const char *bodies[] = {"",
                            "{",
                            "{\"filters\":{\"model\":{\"value\":[\"x\"",
                            "{\"page\":1} x",
                            "{\"page\":1,}",
                            "{'a':1}",
                            "{\"filters\":{\"model\":{\"value\":\"\xff\"}}}"};
    for (size_t i = 0; i < RS_ARRAY_LEN(bodies); i++) {
        rs_list list;
        rs_err err;
        rs_status st = parse_json(&list, bodies[i], &err);
        assert_true(st == RS_ERR_INVALID || st == RS_ERR_TRUNCATED);
        assert_string_equal(list.bad_field, "");
        assert_true(err.message[0] != 0);
    }
}

static void test_limits(void **state) {
    (void)state;
    rs_list list;
    rs_list_init(&list, &rs_trace_fields);
    for (int i = 0; i < RS_FILTER_MAX; i++)
        assert_int_equal(rs_list_set(&list, RS_STR("model"), RS_STR("x"), &arena, NULL), RS_OK);
    assert_int_equal(rs_list_set(&list, RS_STR("model"), RS_STR("x"), &arena, NULL), RS_ERR_INVALID);
    rs_arena small;
    rs_arena_init(&small, 16);
    rs_list_init(&list, &rs_trace_fields);
    rs_err err = {0};
    assert_int_equal(rs_list_set(&list, RS_STR("model"), RS_STR("x"), &small, &err), RS_ERR_MEMORY);
    rs_arena_deinit(&small);
}

static rs_filter_plan plan_of(rs_list *list) {
    rs_filter_plan plan;
    assert_int_equal(rs_filter_make_plan(&list->filter, &arena, &plan, NULL), RS_OK);
    return plan;
}

static void test_tags(void **state) {
    (void)state;
    rs_list list;
    rs_list_init(&list, &rs_trace_fields);
    const char *parameters[][2] = {
        {"session_identifier", "conv"}, {"metadata__run", "7"}, {"name", "n"}, {"environment", ""}};
    for (size_t i = 0; i < RS_ARRAY_LEN(parameters); i++)
        assert_int_equal(
            rs_list_set(&list, rs_str_of(parameters[i][0]), rs_str_of(parameters[i][1]), &arena, NULL),
            RS_OK);
    rs_filter_plan plan = plan_of(&list);
    assert_int_equal(plan.ngroups, 3);
    assert_false(plan.tags_decide);
    const rs_tag *tags = plan.tags;
    assert_true(rs_str_eq(tags[0].key, RS_STR("thread_identifier")) &&
                rs_str_eq(tags[0].value, RS_STR("conv")));
    assert_true(rs_str_eq(tags[1].key, RS_STR("metadata__run")) && rs_str_eq(tags[1].value, RS_STR("7")));
    assert_true(rs_str_eq(tags[2].key, RS_STR("name")));
    const rs_filter_node *first = list.filter.root->child;
    assert_true(first->condition.tags_decide);        /* any span of the trace may have it */
    assert_false(first->next->condition.tags_decide); /* the row says */
    assert_false(first->next->next->condition.tags_decide);
}

/* Of traces the store's tags know; a span has its attributes. */
static void test_facts_of_models(void **state) {
    (void)state;
    rs_list list;
    rs_trace_row r = row();
    rs_list_init(&list, &rs_trace_fields);
    assert_int_equal(rs_list_set(&list, RS_STR("respan.model.dtype"), RS_STR("float32"), &arena, NULL),
                     RS_OK);
    assert_false(matches(&list.filter, &r)); /* no span has it */
    rs_filter_plan plan = plan_of(&list);
    assert_int_equal(plan.ngroups, 1);
    assert_true(plan.tags_decide);
    assert_true(rs_str_eq(plan.tags[0].key, RS_STR("respan.model.dtype")) &&
                rs_str_eq(plan.tags[0].value, RS_STR("float32")));
    uint64_t has = 1, has_not = 0;
    assert_int_equal(rs_filter_judge(&list.filter, &(rs_evidence){.row = &r, .tags = &has}), RS_MAYBE);
    assert_int_equal(rs_filter_judge(&list.filter, &(rs_evidence){.row = &r, .tags = &has_not}), RS_NO);
    assert_int_equal(
        rs_filter_judge(&list.filter, &(rs_evidence){.row = &r, .tags = &has, .trusts_tags = true}), RS_YES);
    refused("respan.model.", "x", "no field");

    rs_attr attrs[] = {{RS_STR("respan.model.dtype"), {.type = RS_VALUE_STRING, .s = RS_STR("float32")}},
                       {RS_STR("respan.model.parameters"), {.type = RS_VALUE_INT, .i = 1000}}};
    const rs_span span = {.attrs = {.items = attrs, .n = 2}};
    const struct {
        const char *body;
        bool holds;
    } cases[] = {
        {"{\"respan.model.dtype\":\"float32\"}", true},
        {"{\"respan.model.dtype\":\"float\"}", false},
        {"{\"respan.model.parameters\":1000}", true},
        {"{\"filters\":{\"respan.model.parameters\":{\"operator\":\"gt\",\"value\":[999]}}}", true},
        {"{\"filters\":{\"respan.model.parameters\":{\"operator\":\"lt\",\"value\":[999]}}}", false},
        {"{\"filters\":{\"respan.model.revision\":{\"operator\":\"isnull\",\"value\":[true]}}}", true},
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++) {
        rs_list_init(&list, &rs_span_fields);
        assert_false(rs_filter_needs_attributes(&list.filter));
        assert_int_equal(rs_list_set_json(&list, rs_str_of(cases[i].body), &arena, NULL), RS_OK);
        assert_true(rs_filter_needs_attributes(&list.filter));
        if (matches(&list.filter, &span) != cases[i].holds) fail_msg("%s", cases[i].body);
    }
}

static void test_cursor(void **state) {
    (void)state;
    const rs_cursor cursors[] = {{false, 0, 0, 1},
                                 {true, 1, 1.5, INT64_MAX},
                                 {false, 0x8000, -INFINITY, INT64_MIN},
                                 {true, UINT16_MAX, -0.0, -1},
                                 {false, 7, 1e308, 0}};
    for (size_t i = 0; i < RS_ARRAY_LEN(cursors); i++) {
        char text[RS_CURSOR_LEN + 1];
        rs_cursor back;
        rs_cursor_format(&cursors[i], text);
        assert_true(rs_cursor_parse(rs_str_of(text), &back));
        assert_int_equal(back.backward, cursors[i].backward);
        assert_int_equal(back.order, cursors[i].order);
        assert_int_equal(back.key, cursors[i].key);
        assert_true(back.value == cursors[i].value);
    }
    rs_cursor c;
    assert_false(rs_cursor_parse(RS_STR("f00007ff80000000000000000000000000000x"), &c));
    assert_false(rs_cursor_parse(RS_STR("f00007ff80000000000000000000000000000"), &c)); /* NaN */
    assert_false(rs_cursor_parse(RS_STR("x000000000000000000000000000000000000"), &c));
}

static void test_span_fields(void **state) {
    (void)state;
    rs_span span = {.kind = 3,
                    .status = RS_STATUS_ERROR,
                    .name = RS_STR("work.task"),
                    .start_ns = 1,
                    .end_ns = 500000001};
    span.facts = (rs_facts){
        .entity_name = RS_STR("work"), .prompt_tokens = -1, .completion_tokens = 4, .interrupted = true};
    const char *matching[][2] = {{"kind", "client"},         {"status_code", "error"}, {"name", "work"},
                                 {"span_name", "work.task"}, {"interrupted", "true"},  {"latency", "0.5"},
                                 {"total_tokens", "4"},      {"log_type", "unknown"}};
    for (size_t i = 0; i < RS_ARRAY_LEN(matching); i++) {
        rs_list list;
        rs_list_init(&list, &rs_span_fields);
        assert_int_equal(
            rs_list_set(&list, rs_str_of(matching[i][0]), rs_str_of(matching[i][1]), &arena, NULL), RS_OK);
        if (!matches(&list.filter, &span)) fail_msg("%s", matching[i][0]);
    }
    rs_list list;
    rs_list_init(&list, &rs_span_fields);
    assert_int_equal(rs_list_set(&list, RS_STR("sort_by"), RS_STR("-start_time"), &arena, NULL), RS_OK);
    assert_int_equal(rs_list_set(&list, RS_STR("sort_by"), RS_STR("latency"), &arena, NULL), RS_ERR_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last_part_of_a_model),
        cmocka_unit_test(test_text_operators),
        cmocka_unit_test(test_number_operators),
        cmocka_unit_test(test_null_and_time),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_several_conditions),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_body_that_is_not_json),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_tags),
        cmocka_unit_test(test_facts_of_models),
        cmocka_unit_test(test_cursor),
        cmocka_unit_test(test_span_fields),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
