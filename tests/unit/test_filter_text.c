/* The filter language: what a text means, as the tree it gives; that the JSON form gives the same; what is refused, and where. */
#include "query/list.h"

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

/* ---- a tree as text ------------------------------------------------------------------------------------ */

static void put_condition(rs_buf *out, const rs_condition *c) {
    static const char *const ops[RS_OP_COUNT] = {"=",        "!=", "i=",       "<",         "<=",
                                                 ">",        ">=", "contains", "icontains", "startswith",
                                                 "endswith", "in", "isnull"};
    if (c->field) rs_buf_text(out, c->field->name);
    else rs_buf_printf(out, c->of_model ? "%.*s" : "metadata[%.*s]", RS_STR_ARG(c->key));
    rs_buf_printf(out, " %s", ops[c->op]);
    for (size_t i = 0; i < c->nvalues; i++)
        rs_buf_printf(out, "%s'%.*s'", i ? "|" : " ", RS_STR_ARG(c->values[i].text));
}

static void put_node(rs_buf *out, const rs_filter_node *node) {
    static const char *const names[] = {"and", "or", "not", "span"};
    if (node->kind == RS_FILTER_CONDITION) {
        put_condition(out, &node->condition);
    } else if (node->kind == RS_FILTER_WORD) {
        rs_buf_printf(out, "word '%.*s'", RS_STR_ARG(node->word));
    } else {
        rs_buf_printf(out, "%s(", names[node->kind]);
        for (const rs_filter_node *c = node->child; c; c = c->next) {
            if (c != node->child) rs_buf_text(out, ", ");
            put_node(out, c);
        }
        rs_buf_text(out, ")");
    }
}

static const char *tree_of(const rs_filter *f) {
    static rs_buf out;
    rs_buf_clear(&out);
    if (f->root) put_node(&out, f->root->child && !f->root->child->next ? f->root->child : f->root);
    return rs_buf_cstr(&out);
}

static const char *tree_of_text(const char *text) {
    rs_list list;
    rs_err err = {0};
    rs_list_init(&list, &rs_trace_fields);
    if (rs_list_set(&list, RS_STR("q"), rs_str_of(text), &arena, &err) != RS_OK)
        fail_msg("%s: %s", text, err.message);
    return tree_of(&list.filter);
}

static void means(const char *text, const char *tree) {
    const char *got = tree_of_text(text);
    if (strcmp(got, tree) != 0) fail_msg("%s\n  gives  %s\n  not    %s", text, got, tree);
}

static void json_means(const char *filters, const char *text) {
    char body[1024];
    rs_list list;
    rs_err err = {0};
    rs_str tree = rs_arena_copy(&arena, rs_str_of(tree_of_text(text)));
    snprintf(body, sizeof body, "{\"filters\":%s}", filters);
    rs_list_init(&list, &rs_trace_fields);
    if (rs_list_set_json(&list, rs_str_of(body), &arena, &err) != RS_OK)
        fail_msg("%s: %s", filters, err.message);
    const char *got = tree_of(&list.filter);
    if (strcmp(got, tree.p) != 0) fail_msg("%s\n  gives  %s\n  not    %s", filters, got, tree.p);
}

static void is_refused(const char *text, size_t at, const char *says) {
    rs_list list;
    rs_err err = {0};
    rs_list_init(&list, &rs_trace_fields);
    rs_status st = rs_list_set(&list, RS_STR("q"), rs_str_of(text), &arena, &err);
    if (st != RS_ERR_INVALID) fail_msg("'%s' is taken: %s", text, tree_of(&list.filter));
    assert_string_equal(list.bad_field, "q");
    if (!strstr(err.message, says)) fail_msg("%s: '%s' does not say '%s'", text, err.message, says);
    if (err.offset != at) fail_msg("%s: %s: at %zu, not %zu", text, err.message, err.offset, at);
}

static void json_is_refused(const char *filters, const char *field, const char *says) {
    char body[1024];
    rs_list list;
    rs_err err = {0};
    snprintf(body, sizeof body, "{\"filters\":%s}", filters);
    rs_list_init(&list, &rs_trace_fields);
    if (rs_list_set_json(&list, rs_str_of(body), &arena, &err) != RS_ERR_INVALID)
        fail_msg("%s is taken", filters);
    assert_string_equal(list.bad_field, field);
    if (!strstr(err.message, says)) fail_msg("%s: '%s' does not say '%s'", filters, err.message, says);
}

/* ---- what it means ------------------------------------------------------------------------------------- */

static void test_keys_in_quotes(void **state) {
    (void)state;
    means("metadata.\"my key\":x", "metadata[my key] = 'x'");
    means("metadata__\"my key\">2 a", "and(metadata[my key] > '2', word 'a')");
    means("metadata.\"a \\\"b\\\\\" in (x, y)", "metadata[a \"b\\] = 'x'|'y'");
    means("span.metadata.\"my key\"~x", "span(metadata[my key] icontains 'x')");
    means("has:metadata.\"my key\"", "metadata[my key] isnull 'false'");
    means("NOT has:metadata.\"plan\"", "not(metadata[plan] isnull 'false')");
    means("metadata.\"my key\"", "and(word 'metadata.', word 'my key')"); /* nothing is asked of it */
    is_refused("metadata.\"my key:x", 9, "quote is not closed");
    is_refused("metadata.\"my key\":", 18, "a value is missing behind 'metadata.my key'");
    is_refused("has:metadata.\"my", 13, "quote is not closed");
}

static void test_words_stay_words(void **state) {
    (void)state;
    means("", "");
    means("  \t\n", "");
    means("release notes", "and(word 'release', word 'notes')");
    means("\"release notes\"", "word 'release notes'");
    means("say \"he said \\\"no\\\"\"", "and(word 'say', word 'he said \"no\"')");
    means("http://localhost:80/x?a=b", "word 'http://localhost:80/x?a=b'");
    means("and or not in", "and(word 'and', word 'or', word 'not', word 'in')");
    means("main() f(x,y)", "and(word 'main()', word 'f(x,y)')");
    means("12:30 a=b Note: -x x-y:z", "and(word '12:30', word 'a=b', word 'Note:', word '-x', word 'x-y:z')");
    means("model in the duration", "and(word 'model', word 'in', word 'the', word 'duration')");
    means("naïve 模型", "and(word 'naïve', word '模型')");
    means("\"model:x\" ANDROID", "and(word 'model:x', word 'ANDROID')");
}

static void test_what_cannot_be_seen(void **state) {
    (void)state;
    means("user:\"a\\u202eb\"", "customer_identifier = 'a\xe2\x80\xae"
                                "b'");
    means("user:a\\u202Eb", "customer_identifier = 'a\xe2\x80\xae"
                            "b'");
    means("x\\u007f\\u0085 user in (\\u061c, \\uFEFF)",
          "and(word 'x\x7f\xc2\x85', customer_identifier = '\xd8\x9c'|'\xef\xbb\xbf')");
    means("C:\\users\\u1234 \\u20 \\u0041 \\u",
          "and(word 'C:\\users\\u1234', word '\\u20', word '\\u0041', word '\\u')");
    means("\"a\\\\u202e\"", "word 'a\\u202e'"); /* the backslash itself */
    rs_list list;
    rs_list_init(&list, &rs_trace_fields);
    assert_int_equal(rs_list_set(&list, RS_STR("q"), RS_STR("user:\"a\\u0000b\""), &arena, NULL), RS_OK);
    rs_trace_row row = {.customer = {"a\0b", 3}}, other = {.customer = RS_STR("a")};
    assert_int_equal(rs_filter_judge(&list.filter, &(rs_evidence){.row = &row}), RS_YES);
    assert_int_equal(rs_filter_judge(&list.filter, &(rs_evidence){.row = &other, .spans = &(rs_spans){0}}),
                     RS_NO);
}

static void test_conditions(void **state) {
    (void)state;
    means("model:gpt-4o", "model = 'gpt-4o'");
    means("model=\"a b\"", "model = 'a b'");
    means("model = gpt", "model = 'gpt'");
    means("model!=gpt", "not(model = 'gpt')");
    means("model~gpt", "model icontains 'gpt'");
    means("model:gpt*", "model startswith 'gpt'");
    means("model:*mini", "model endswith 'mini'");
    means("model:*4o*", "model contains '4o'");
    means("model:\"*\"", "model = '*'");
    means("model:*", "model isnull 'false'");
    means("cost:\"\"", "total_cost isnull 'true'");
    means("cost!=\"\"", "not(total_cost isnull 'true')");
    means("end_time:\"\"", "end_time isnull 'true'");
    means("model:\"\"", "model = ''");
    means("model:\"\"", "model = ''");
    means("name:a(b)c", "name = 'a(b)c'");
    means("duration>2", "duration > '2'");
    means("duration >= 500ms", "duration >= '500ms'");
    means("duration:<2h", "duration < '2h'");
    means("duration<=1.5", "duration <= '1.5'");
    means("model in (a, \"b, c\" ,d)", "model = 'a'|'b, c'|'d'");
    means("start_time>-1h", "start_time > '-1h'");
    means("start_time<2026-11-29", "start_time < '2026-11-29'");
    means("start_time>=\"2026-11-29T10:00:00Z\"", "start_time >= '2026-11-29T10:00:00Z'");
    means("metadata.plan:pro", "metadata[plan] = 'pro'");
    means("metadata__a.b.c>7", "metadata[a.b.c] > '7'");
    means("respan.model.parameters>1e9", "respan.model.parameters > '1e9'");
    means("model.parameters>1e9", "respan.model.parameters > '1e9'");
    means("has:ttft", "time_to_first_token isnull 'false'");
    means("NOT has:metadata.plan", "not(metadata[plan] isnull 'false')");
    means("has:\"metadata.two words\"", "metadata[two words] isnull 'false'");
    means("it has: has:", "and(word 'it', word 'has:', word 'has:')");
    means("is:error -is:ok", "and(status_code = 'error', not(status_code = 'ok'))");
    means("id:x", "word 'id:x'"); /* which is not is */
    means("status:error env:dev user:u type:chat session:s",
          "and(status_code = 'error', environment = 'dev', "
          "customer_identifier = 'u', log_type = 'chat', session_identifier = 's')");
}

static void test_operators(void **state) {
    (void)state;
    means("model:gpt-4o AND (duration>2 OR status:error) AND NOT environment:dev \"free text\"",
          "and(model = 'gpt-4o', or(duration > '2', status_code = 'error'), not(environment = 'dev'), word "
          "'free text')");
    means("a b OR c d", "or(and(word 'a', word 'b'), and(word 'c', word 'd'))");
    means("NOT a b", "and(not(word 'a'), word 'b')");
    means("NOT NOT a", "not(not(word 'a'))");
    means("NOT (a OR b)", "not(or(word 'a', word 'b'))");
    means("((a))", "word 'a'");
    means("(a)(b)", "and(word 'a', word 'b')");
    means("span(log_type:tool AND latency>1 AND status:error)",
          "span(and(log_type = 'tool', latency > '1', status_code = 'error'))");
    means("NOT span(name:x) y", "and(not(span(name = 'x')), word 'y')");
    means("span.name:generate", "span(name = 'generate')");
    means("span.latency:>2s span.metadata.plan!=pro",
          "and(span(latency > '2s'), span(not(metadata[plan] = 'pro')))");
    means("NOT span.has:ttft", "not(span(time_to_first_token isnull 'false'))");
    means("span.type in (tool, chat)", "span(log_type = 'tool'|'chat')");
    means("span.end() span.wombat:7 span.", "and(word 'span.end()', word 'span.wombat:7', word 'span.')");
    means(
        "model:tiny-gpt2 latency:>2s status:error user:user_123 metadata.plan:pro has:ttft "
        "span.name:generate \"free text\"",
        "and(model = 'tiny-gpt2', duration > '2s', status_code = 'error', customer_identifier = 'user_123', "
        "metadata[plan] = 'pro', time_to_first_token isnull 'false', span(name = 'generate'), word 'free "
        "text')");
    means("span (a)", "and(word 'span', word 'a')");
}

static void test_a_minus_negates(void **state) {
    (void)state;
    means("-status:error x", "and(not(status_code = 'error'), word 'x')");
    means("-has:ttft -latency>2s -metadata.plan:pro",
          "and(not(time_to_first_token isnull 'false'), not(duration > '2s'), not(metadata[plan] = 'pro'))");
    means("-metadata.\"my key\":x -\"a b\"", "and(not(metadata[my key] = 'x'), not(word 'a b'))");
    means("-(a OR b) -span(type:tool) -span.name:x",
          "and(not(or(word 'a', word 'b')), not(span(log_type = 'tool')), not(span(name = 'x')))");
    means("-model in (a, b) -model in", "and(not(model = 'a'|'b'), word '-model', word 'in')");
    means("NOT -status:error", "not(not(status_code = 'error'))");
    means("start_time>-1h metadata.n:-5 gpt-4", "and(start_time > '-1h', metadata[n] = '-5', word 'gpt-4')");
    means(
        "-1h -5 -v --model=x -model - -wombat:x",
        "and(word '-1h', word '-5', word '-v', word '--model=x', word '-model', word '-', word '-wombat:x')");
    is_refused("a -sttaus:error", 3, "did you mean 'status'?");
    is_refused("-(a", 1, "not closed");
    is_refused("-\"a", 1, "quote is not closed");
}

static void hints(const char *text, const char *says) {
    rs_list list;
    rs_list_init(&list, &rs_trace_fields);
    assert_int_equal(rs_list_set(&list, RS_STR("q"), rs_str_of(text), &arena, NULL), RS_OK);
    if (strcmp(list.filter.hint, says) != 0) fail_msg("%s: '%s', not '%s'", text, list.filter.hint, says);
}

static void test_what_was_likely_meant_otherwise(void **state) {
    (void)state;
    hints("a foo:bar b=c", "'foo:bar' was looked for as text: a trace has no field 'foo'");
    hints("foo=bar wombat:x", "'foo=bar' was looked for as text: a trace has no field 'foo'");
    hints("span(foo:bar)", "'foo:bar' was looked for as text: a span has no field 'foo'");
    hints("span.foo:bar", "'foo:bar' was looked for as text: a span has no field 'foo'");
    hints("a -refund", "'-refund' was looked for as text: without it is NOT refund");
    hints(
        "http://x 12:30 std::vector C:\\x Note: a=b -x -1h --verbose gpt-4o \"foo:bar\" model:x NOT env:dev",
        "");
    rs_buf long_one;
    rs_buf_init(&long_one);
    for (int i = 0; i < 100; i++) rs_buf_text(&long_one, "\xc3\xa4w");
    rs_buf_text(&long_one, ":y");
    char text[400];
    snprintf(text, sizeof text, "w%s", rs_buf_cstr(&long_one));
    rs_buf_deinit(&long_one);
    hints(text, ""); /* no name */
    memset(text, 'w', 200);
    memcpy(text + 200, ":y", 3);
    rs_list list;
    rs_list_init(&list, &rs_trace_fields);
    assert_int_equal(rs_list_set(&list, RS_STR("q"), rs_str_of(text), &arena, NULL), RS_OK);
    assert_true(strlen(list.filter.hint) < sizeof list.filter.hint - 1); /* whole */
}

static void test_json_gives_the_same(void **state) {
    (void)state;
    json_means("{\"model\":{\"value\":[\"a\",\"b\"]},\"duration\":{\"operator\":\"gt\",\"value\":2}}",
               "model in (a,b) duration>2");
    json_means("{\"or\":[{\"duration\":{\"operator\":\"gt\",\"value\":[2]}},{\"status_code\":{\"value\":["
               "\"error\"]}}],"
               "\"not\":{\"environment\":{\"value\":\"dev\"}}}",
               "(duration>2 OR status:error) AND NOT env:dev");
    json_means("{\"span\":{\"log_type\":{\"value\":\"tool\"},\"latency\":{\"operator\":\"gt\",\"value\":1}}}",
               "span(type:tool latency>1)");
    json_means("{\"not\":{\"model\":{\"value\":\"a\"},\"name\":{\"value\":\"b\"}}}", "NOT (model:a name:b)");
    json_means(
        "{\"and\":[{\"or\":[{\"model\":{\"value\":\"a\"}},{\"not\":{\"span\":{\"or\":[{\"name\":{\"value\":"
        "\"x\"}},"
        "{\"kind\":{\"value\":\"client\"}}]}}}]},{\"metadata__k\":{\"operator\":\"not\",\"value\":true}}]}",
        "((model:a OR NOT span(name:x OR kind:client)) metadata.k!=true)");
    json_means("{}", "");
}

static void test_what_is_refused(void **state) {
    (void)state;
    is_refused("a AND", 5, "missing here");
    is_refused("OR a", 0, "missing here");
    is_refused("a OR OR b", 5, "missing here");
    is_refused("NOT", 3, "missing here");
    is_refused("a (b", 2, "not closed");
    is_refused("a ) b", 2, "closes none");
    is_refused("()", 1, "missing here");
    is_refused("a \"b", 2, "quote is not closed");
    is_refused("\"\"", 0, "nothing in these quotes");
    is_refused("model:", 6, "a value is missing behind 'model'");
    is_refused("model: gpt", 6, "a value is missing behind 'model'");
    is_refused("modle:gpt", 0, "did you mean 'model'?");
    is_refused("x duratoin>2", 2, "did you mean 'duration'?");
    is_refused("sttaus:error", 0, "did you mean 'status'? Or put it in quotes to look for it as text");
    is_refused("a usr:x", 2, "did you mean 'user'?");
    is_refused("costs>1", 0, "did you mean 'cost'?");
    is_refused("\"unclosed", 0, "quote is not closed");
    is_refused("(((((", 5, "missing here");
    is_refused("wombat>2", 0, "a trace has no field 'wombat'; put it in quotes");
    is_refused("duration>0x10", 9, "is not a number");
    is_refused("span(type:chat input:foo)", 15, "not filtered by their input");
    is_refused("span(type:chat output~foo)", 15, "text:WORD");
    is_refused("span(metadata:foo)", 5, "metadata.KEY");
    is_refused("duration>fast", 9, "'fast' of field 'duration' is not a number");
    is_refused("start_time>soon", 11, "a time from now as '-1h'");
    is_refused("duration~2", 9, "'icontains' does not go with field 'duration'");
    is_refused("model in (a", 11, "ends with )");
    is_refused("model in (a,)", 12, "value is missing in the list");
    is_refused("span(a", 4, "not closed");
    is_refused("span()", 5, "missing here");
    is_refused("span(span(a))", 5, "lists of traces");
    is_refused("span(duratio>1)", 5, "a span has no field 'duratio'");
    is_refused("a span.modle:x", 7, "a span has no field 'modle': did you mean 'model'?");
    is_refused("span.latency:soon", 13, "'soon' of field 'latency' is not a number");
    is_refused("span(span.name:x)", 5, "lists of traces");
    is_refused("has:tttft", 4, "a trace has no field 'tttft'");
    is_refused("x has:modle", 6, "did you mean 'model'?");
    is_refused("has:\"model", 4, "quote is not closed");
    is_refused("metadata:x", 9, "metadata__KEY");
    json_is_refused("{\"or\":{}}", "or", "lists of objects");
    json_is_refused("{\"or\":[]}", "or", "empty");
    json_is_refused("{\"not\":{}}", "not", "a condition is missing");
    json_is_refused("{\"not\":[]}", "not", "are objects");
    json_is_refused("{\"and\":[{\"model\":{\"value\":\"a\"}},3]}", "model", "lists of objects");
    json_is_refused("{\"span\":{\"span\":{\"name\":{\"value\":\"a\"}}}}", "span", "lists of traces");
    json_is_refused("{\"not\":{\"colour\":{\"value\":\"a\"}}}", "colour", "no field 'colour'");
}

static void test_depth(void **state) {
    (void)state;
    char text[RS_FILTER_MAX_DEPTH * 2 + 8];
    for (int deep = RS_FILTER_MAX_DEPTH; deep <= RS_FILTER_MAX_DEPTH + 1; deep++) {
        snprintf(text, sizeof text, "%.*sa%.*s", deep, "(((((((((((((((((((((((((((((((((", deep,
                 ")))))))))))))))))))))))))))))))))");
        if (deep <= RS_FILTER_MAX_DEPTH) means(text, "word 'a'");
        else is_refused(text, RS_FILTER_MAX_DEPTH, "nested at most 32 deep");
    }
    char nots[RS_FILTER_MAX_DEPTH * 8 + 16] = "";
    for (int i = 0; i <= RS_FILTER_MAX_DEPTH; i++) memcpy(nots + (size_t)i * 4, "NOT ", 5);
    is_refused(strcat(nots, "a"), RS_FILTER_MAX_DEPTH * 4, "nested");
}

/* ---- what holds ---------------------------------------------------------------------------------------- */

static void holds(const char *text, const rs_evidence *e, rs_truth expected) {
    rs_list list;
    rs_filter_plan plan;
    rs_list_init(&list, &rs_trace_fields);
    assert_int_equal(rs_list_set(&list, RS_STR("q"), rs_str_of(text), &arena, NULL), RS_OK);
    assert_int_equal(rs_filter_make_plan(&list.filter, &arena, &plan, NULL), RS_OK);
    rs_truth got = rs_filter_judge(&list.filter, e);
    if (got != expected) fail_msg("%s: %d, not %d", text, got, expected);
}

#define NOON 1764000000000000000ull /* what began before the clock was set has no length */

static void test_one_span_fulfils_all(void **state) {
    (void)state;
    rs_attr attrs[] = {{RS_STR("respan.metadata.plan"), {.type = RS_VALUE_STRING, .s = RS_STR("7")}},
                       {RS_STR("respan.model.parameters"), {.type = RS_VALUE_INT, .i = 1000}}};
    rs_span items[2] = {{.name = RS_STR("fast"), .status = RS_STATUS_ERROR},
                        {.name = RS_STR("slow"), .attrs = {.items = attrs, .n = 2}}};
    items[0].start_ns = items[1].start_ns = NOON;
    items[0].end_ns = NOON + 1000000000;
    items[1].end_ns = NOON + 5000000000;
    items[0].facts.log_type = items[1].facts.log_type = RS_LOG_TOOL;
    items[1].facts.model = RS_STR("gpt");
    rs_spans spans = {.items = items, .n = 2};
    rs_trace_row row = {.name = RS_STR("root"), .error_count = 1, .model = RS_STR("other")};
    row.start_ns = NOON;
    row.end_ns = items[1].end_ns;
    rs_evidence heads = {.row = &row, .spans = &spans},
                full = {.row = &row, .spans = &spans, .in_full = true}, alone = {.row = &row};
    holds("span(status:error latency>2)", &heads, RS_NO); /* one has the one, another the other */
    holds("span(status:error) span(latency>2)", &heads, RS_YES);
    holds("span(type:tool latency>2)", &heads, RS_YES);
    holds("span(type:tool latency>2)", &alone, RS_MAYBE);
    holds("span(status:error latency>2) OR duration>4", &alone, RS_YES);
    holds("span(status:error latency>2) duration>6", &alone, RS_NO);
    holds("NOT span(name:none)", &heads, RS_YES);
    holds("span(NOT type:tool)", &heads, RS_NO);
    holds("model:gpt", &heads, RS_YES); /* of any span */
    holds("model!=gpt", &heads, RS_NO);
    holds("model!=nothing", &heads, RS_YES);
    holds("model~oth", &alone, RS_YES);
    holds("span(metadata.plan:7)", &heads, RS_MAYBE);
    holds("span(metadata.plan:7 name:slow)", &full, RS_YES);
    holds("span(metadata.plan>6)", &full, RS_YES);
    holds("span(metadata.plan:7 name:fast)", &full, RS_NO);
    holds("respan.model.parameters>999", &heads, RS_MAYBE);
    holds("respan.model.parameters>999", &full, RS_YES);
    holds("respan.model.parameters<999", &full, RS_NO);
    holds("respan.model.parameters:1e3", &full, RS_YES);
}

static void test_tags_and_groups(void **state) {
    (void)state;
    rs_list list;
    rs_filter_plan plan;
    rs_list_init(&list, &rs_trace_fields);
    const char *text = "(model:a OR env:b) user in (c, d) NOT type:tool span(status:error latency>1)";
    assert_int_equal(rs_list_set(&list, RS_STR("q"), rs_str_of(text), &arena, NULL), RS_OK);
    assert_int_equal(rs_filter_make_plan(&list.filter, &arena, &plan, NULL), RS_OK);
    assert_int_equal(plan.ntags, 6);
    assert_int_equal(plan.ngroups, 3); /* a or b; c or d; a span in error */
    assert_int_equal(plan.groups[0].n, 2);
    assert_int_equal(plan.groups[1].n, 2);
    assert_int_equal(plan.groups[2].n, 1);
    assert_false(plan.tags_decide);
    /* "error" of a trace is tagged by its spans, and "ok" is not. */
    rs_list_init(&list, &rs_trace_fields);
    assert_int_equal(rs_list_set(&list, RS_STR("q"), RS_STR("status:ok"), &arena, NULL), RS_OK);
    assert_int_equal(rs_filter_make_plan(&list.filter, &arena, &plan, NULL), RS_OK);
    assert_int_equal(plan.ntags, 0);
    /* A number may have been sent as one, or as text. */
    rs_list_init(&list, &rs_trace_fields);
    assert_int_equal(rs_list_set(&list, RS_STR("q"), RS_STR("metadata.run:7.0"), &arena, NULL), RS_OK);
    assert_int_equal(rs_filter_make_plan(&list.filter, &arena, &plan, NULL), RS_OK);
    assert_true(plan.ntags >= 2 && plan.ngroups == 1 && plan.groups[0].n == plan.ntags);
    holds("metadata.run:7.0", &(rs_evidence){.row = &(rs_trace_row){.metadata = RS_STR("{\"run\":7}")}},
          RS_YES);
    holds("metadata.run:7.0", &(rs_evidence){.row = &(rs_trace_row){.metadata = RS_STR("{\"run\":\"7\"}")}},
          RS_NO);
    holds("metadata.run>=7.0", &(rs_evidence){.row = &(rs_trace_row){.metadata = RS_STR("{\"run\":\"7\"}")}},
          RS_YES);
    holds("metadata.ok:true", &(rs_evidence){.row = &(rs_trace_row){.metadata = RS_STR("{\"ok\":true}")}},
          RS_YES);
    holds("metadata.v>=b", &(rs_evidence){.row = &(rs_trace_row){.metadata = RS_STR("{\"v\":\"c\"}")}},
          RS_YES);
}

/* In quotes is what was sent as text; a fact of the model, and what is no number, is the same either way. */
static void test_quotes_are_text(void **state) {
    (void)state;
    static const struct {
        const char *q, *metadata;
        rs_truth holds;
    } cases[] = {
        {"metadata.n:1", "{\"n\":1}", RS_YES},
        {"metadata.n:1", "{\"n\":\"1\"}", RS_YES},
        {"metadata.n:\"1\"", "{\"n\":\"1\"}", RS_YES},
        {"metadata.n:\"1\"", "{\"n\":1}", RS_NO},
        {"metadata.n:\"1.0\"", "{\"n\":1}", RS_NO},
        {"NOT metadata.n:\"1\"", "{\"n\":1}", RS_YES},
        {"metadata.n!=\"1\"", "{\"n\":1}", RS_YES},
        {"metadata.n in (\"1\", \"2\")", "{\"n\":2}", RS_NO},
        {"metadata.n in (\"1\", 2)", "{\"n\":2}", RS_YES},
        {"metadata.ok:\"true\"", "{\"ok\":true}", RS_NO},
        {"metadata.ok:\"true\"", "{\"ok\":\"true\"}", RS_YES},
        {"metadata.ok:true", "{\"ok\":\"True\"}", RS_YES},
        {"metadata.ok:True", "{\"ok\":true}", RS_YES},
        {"metadata.ok in (FALSE, no)", "{\"ok\":\"false\"}", RS_YES},
        {"metadata.ok!=true", "{\"ok\":\"True\"}", RS_NO},
        {"metadata.ok:false", "{\"ok\":\"True\"}", RS_NO},
        {"metadata.ok:true", "{\"ok\":\"tRUE\"}", RS_NO},
        {"metadata.ok:\"true\"", "{\"ok\":\"True\"}", RS_NO},
        {"metadata.plan:\"pro\"", "{\"plan\":\"pro\"}", RS_YES},
        {"metadata.n>\"0\"", "{\"n\":1}", RS_YES},
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++)
        holds(cases[i].q, &(rs_evidence){.row = &(rs_trace_row){.metadata = rs_str_of(cases[i].metadata)}},
              cases[i].holds);
    rs_attr attrs[] = {{RS_STR("respan.metadata.n"), {.type = RS_VALUE_INT, .i = 1}},
                       {RS_STR("respan.metadata.ok"), {.type = RS_VALUE_BOOL, .b = true}},
                       {RS_STR("respan.model.parameters"), {.type = RS_VALUE_INT, .i = 7}}};
    rs_span span = {.attrs = {.items = attrs, .n = RS_ARRAY_LEN(attrs)}};
    rs_spans spans = {.items = &span, .n = 1};
    rs_evidence full = {.spans = &spans, .in_full = true};
    holds("span(metadata.n:1)", &full, RS_YES);
    holds("span(metadata.n:\"1\")", &full, RS_NO);
    holds("span(metadata.ok:\"true\")", &full, RS_NO);
    holds("span(model.parameters:\"7\")", &full, RS_YES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quotes_are_text),
        cmocka_unit_test(test_words_stay_words),
        cmocka_unit_test(test_keys_in_quotes),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_operators),
        cmocka_unit_test(test_what_cannot_be_seen),
        cmocka_unit_test(test_a_minus_negates),
        cmocka_unit_test(test_what_was_likely_meant_otherwise),
        cmocka_unit_test(test_json_gives_the_same),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_one_span_fulfils_all),
        cmocka_unit_test(test_tags_and_groups),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
