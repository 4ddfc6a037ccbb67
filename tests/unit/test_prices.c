/* Which price holds for which call, and what is wrong in a file. */
#include "normalize/prices.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static rs_prices *parse(const char *text) {
    rs_prices *p;
    rs_err err = {0};
    if (rs_prices_parse(rs_str_of(text), "mine", &p, &err) != RS_OK) fail_msg("%s", err.message);
    return p;
}

static rs_facts call(const char *provider, const char *model, int64_t prompt, int64_t completion) {
    return (rs_facts){.log_type = RS_LOG_CHAT,
                      .usage_source = RS_USAGE_REPORTED,
                      .provider = rs_str_of(provider),
                      .model = rs_str_of(model),
                      .prompt_tokens = prompt,
                      .completion_tokens = completion,
                      .cached_tokens = -1,
                      .reasoning_tokens = -1,
                      .cost = NAN};
}

static double cost(const rs_prices *p, rs_facts f) {
    rs_price_memo memo = {0};
    rs_span s = {.facts = f};
    rs_prices_apply(p, &s, &memo);
    return s.facts.cost;
}

static double cost_of(const rs_prices *p, const char *provider, const char *model) {
    return cost(p, call(provider, model, 1000000, 1000000));
}

static void assert_cost(double got, double wanted) {
    bool same = isnan(wanted) ? isnan(got) : fabs(got - wanted) < 1e-9;
    if (!same) fail_msg("%g instead of %g", got, wanted);
}

static const char mine[] = "# mine\n"
                           "date 2026-01-01\r\n"
                           "local my-box\n"
                           "provider acme ACME.ai\n"
                           "price m* 1 2\n"
                           "price m-large* 10 20 5\n"
                           "price m-large-2 100 200   # exactly\n"
                           "price up-to 1 1 - 1000\n"
                           "price in-only 3\n"
                           "provider other\n"
                           "price m-large-2 7 7\n"
                           "price both 4 4\n"
                           "provider third\n"
                           "price both 4 4\n"
                           "price twice 1 1\n"
                           "price twice 2 2\n"
                           "provider *\n"
                           "price everywhere 1 1";

static void the_longest_pattern_holds(void **state) {
    (void)state;
    rs_prices *p = parse(mine);
    assert_cost(cost_of(p, "acme", "m-small"), 3);
    assert_cost(cost_of(p, "acme", "m"), 3);
    assert_cost(cost_of(p, "Acme.AI", "M-Large-3"), 30);
    assert_cost(cost_of(p, "acme", "m-large-2"), 300);
    assert_cost(cost_of(p, "acme", "m-large-2x"), 30);
    assert_cost(cost_of(p, "third", "twice"), 4);
    assert_cost(cost_of(p, "acme", "everywhere"), 2);
    assert_cost(cost_of(p, "nobody", "everywhere"), 2);
    assert_cost(cost_of(p, "", "everywhere"), 2);
    assert_cost(cost_of(p, "", "acme/m-large-2"), 300);
    assert_cost(cost_of(p, "router", "acme/m-large-2"), 300);
    rs_prices_free(p);
}

static void what_is_not_known_costs_nothing_known(void **state) {
    (void)state;
    rs_prices *p = parse(mine);
    assert_cost(cost_of(p, "acme", "n"), NAN);
    assert_cost(cost_of(p, "nobody", "m"), NAN);
    assert_cost(cost_of(p, "acme", ""), NAN);
    assert_cost(cost_of(p, "", "m-large-2"), NAN); /* two providers, two prices */
    assert_cost(cost_of(p, "", "both"), 8);
    assert_cost(cost_of(p, "acme", "in-only"), NAN);
    assert_cost(cost(p, call("acme", "in-only", 1000000, -1)), 3);
    assert_cost(cost(p, call("acme", "m", -1, 5)), NAN);
    assert_cost(cost(p, call("acme", "up-to", 1000, 0)), 0.001);
    assert_cost(cost(p, call("acme", "up-to", 1001, 0)), NAN);
    rs_facts estimated = call("acme", "m", 5, 5), task = call("acme", "m", 5, 5),
             told = call("acme", "m", 5, 5);
    estimated.usage_source = RS_USAGE_ESTIMATED;
    task.log_type = RS_LOG_TASK;
    told.cost = 0.5;
    assert_cost(cost(p, estimated), NAN);
    assert_cost(cost(p, task), NAN);
    assert_cost(cost(p, told), 0.5);
    rs_facts long_name = call("acme", "m", 5, 5);
    char name[500];
    memset(name, 'm', sizeof name);
    long_name.model = (rs_str){name, sizeof name};
    assert_cost(cost(p, long_name), NAN);
    rs_prices_free(p);
}

static void cached_tokens_have_their_price(void **state) {
    (void)state;
    rs_prices *p = parse(mine);
    rs_facts f = call("acme", "m-large", 1000000, 0);
    f.cached_tokens = 400000;
    assert_cost(cost(p, f), 0.6 * 10 + 0.4 * 5);
    f.model = RS_STR("m"); /* no price of its own */
    assert_cost(cost(p, f), 1);
    rs_prices_free(p);
}

static void what_runs_here_is_free(void **state) {
    (void)state;
    rs_prices *p = parse(mine);
    assert_cost(cost_of(p, "my-box", "anything"), 0);
    assert_cost(cost_of(p, "Ollama", "llama3"), 0);
    rs_facts f = call("openai", "m", 1000000, 0);
    f.local = RS_LOCAL_SERVER;
    assert_cost(cost(p, f), 0);
    f = call("acme", "m", 1000000, 0);
    f.local = RS_LOCAL_SERVER; /* a proxy of this machine */
    assert_cost(cost(p, f), 1);
    f.local = RS_LOCAL_PROCESS;
    f.usage_source = RS_USAGE_ESTIMATED;
    assert_cost(cost(p, f), 0);
    rs_prices_free(p);
}

/* Prices that will change; what is held to is that the file is read and found in. */
static void vendors_are_built_in(void **state) {
    (void)state;
    rs_prices *p = parse("provider openai\nprice gpt-4o 1 1\n");
    assert_cost(cost_of(p, "openai", "gpt-4o"), 2); /* the user's go before */
    assert_true(cost_of(p, "openai", "gpt-4o-2024-08-06") > 2);
    assert_true(cost_of(p, "anthropic", "claude-sonnet-4-20250514") > 0);
    assert_true(cost_of(p, "gcp.gemini", "gemini-2.5-flash") > 0);
    assert_true(cost_of(p, "", "claude-3-7-sonnet-latest") > 0);
    assert_cost(cost_of(p, "openai", "no-such-model"), NAN);
    rs_prices_free(p);
}

static void the_last_price_is_remembered_for_its_model_alone(void **state) {
    (void)state;
    rs_prices *p = parse(mine);
    rs_price_memo memo = {0};
    const char *const models[] = {"m", "m", "m-large", "nothing", "nothing", "m"};
    const double wanted[] = {3, 3, 30, NAN, NAN, 3};
    for (size_t i = 0; i < RS_ARRAY_LEN(models); i++) {
        rs_span s = {.facts = call("acme", models[i], 1000000, 1000000)};
        rs_prices_apply(p, &s, &memo);
        assert_cost(s.facts.cost, wanted[i]);
    }
    rs_prices_free(p);
}

static void reasoning_tokens_have_their_price(void **state) {
    (void)state;
    rs_prices *p = parse("provider acme\nprice thinks 1 10 - - 3\nprice m 1 10\n");
    rs_facts f = call("acme", "thinks", 0, 1000000);
    f.reasoning_tokens = 400000;
    assert_cost(cost(p, f), 0.6 * 10 + 0.4 * 3);
    f.reasoning_tokens = 2000000; /* more than there are: not believed */
    assert_cost(cost(p, f), 10);
    f.model = RS_STR("m");
    f.reasoning_tokens = 400000;
    assert_cost(cost(p, f), 10);
    rs_prices_free(p);
}

static const rs_own_price own[] = {
    {.id = 7, .model = RS_STR("M-large*"), .provider = RS_STR("ACME.ai"), .input = 50, .output = 50},
    {.id = 8, .model = RS_STR("brand-new"), .input = 1, .output = NAN, .cached = NAN, .reasoning = NAN},
    {.id = 9, .model = RS_STR("llama3"), .provider = RS_STR("ollama"), .input = 2, .output = 2},
    {.id = 10, .model = RS_STR("llama*"), .input = 9, .output = 9},
};

static rs_prices *set(const rs_prices *base, const rs_time_price *times, size_t ntimes) {
    rs_prices *p;
    rs_err err = {0};
    if (rs_prices_with(base, own, RS_ARRAY_LEN(own), times, ntimes, &p, &err) != RS_OK)
        fail_msg("%s", err.message);
    return p;
}

static void what_the_owner_set_goes_before_all(void **state) {
    (void)state;
    rs_prices *base = parse(mine), *p = set(base, NULL, 0);
    assert_cost(cost_of(p, "acme", "m-large-2"), 100); /* by another name of the same provider */
    assert_cost(cost_of(p, "acme", "m-small"), 3);
    assert_cost(cost_of(p, "other", "m-large-2"), 14);
    assert_cost(cost(p, call("anybody", "brand-new", 1000000, 0)), 1);
    assert_cost(cost_of(base, "anybody", "brand-new"), NAN);
    assert_cost(cost_of(p, "ollama", "llama3"), 4); /* local, and it was said of that very provider */
    assert_cost(cost_of(p, "ollama", "llama2"), 0); /* what is said of whoever is asked is of no local one */
    assert_cost(cost_of(p, "groq", "llama2"), 18);
    rs_prices_free(p);
    rs_prices_free(base);
}

typedef struct seen {
    const rs_prices *p;
    size_t n, own_rows;
    bool shadowed, kept;
} seen;

static bool see(void *ctx, const rs_price_row *row) {
    seen *s = ctx;
    s->n++;
    s->own_rows += row->origin == RS_PRICE_OWN;
    if (row->origin == RS_PRICE_OWN) assert_true(row->in_force && row->price.id >= 7);
    if (row->origin != RS_PRICE_FILE) return true;
    if (rs_str_eq(row->price.model, RS_STR("m-large-2")) && row->price.output == 200)
        s->shadowed = !row->in_force;
    if (rs_str_eq(row->price.model, RS_STR("m")) && row->is_beginning) s->kept = row->in_force;
    return true;
}

static void it_is_told_which_price_is_in_force(void **state) {
    (void)state;
    rs_prices *base = parse(mine), *p = set(base, NULL, 0);
    seen s = {.p = p};
    rs_price_row row;
    rs_prices_each(p, see, &s);
    assert_true(s.n > 1000 && s.own_rows == RS_ARRAY_LEN(own) && s.shadowed && s.kept);
    assert_true(rs_prices_find(p, RS_STR("acme"), RS_STR("M-LARGE-9"), &row));
    assert_true(row.origin == RS_PRICE_OWN && row.price.id == 7 && row.is_beginning && row.nproviders == 2);
    assert_true(rs_prices_find(p, RS_STR("acme"), RS_STR("m-small"), &row) && row.origin == RS_PRICE_FILE);
    assert_true(rs_prices_find(p, RS_STR("openai"), RS_STR("gpt-4o"), &row) &&
                row.origin == RS_PRICE_BUILTIN);
    assert_false(rs_prices_find(p, RS_STR("openai"), RS_STR("no-such-model"), &row));
    rs_prices_free(p);
    rs_prices_free(base);
}

/* ---- prices of time ------------------------------------------------------------------------------------ */

#define NS_PER_S 1000000000ull

static rs_span local_call(rs_attr *device, const char *name, uint64_t seconds) {
    rs_span s = {.start_ns = 1, .end_ns = 1 + seconds * NS_PER_S, .facts = call("huggingface", "gpt2", 5, 5)};
    *device = (rs_attr){RS_STR("device"), {.type = RS_VALUE_STRING, .s = rs_str_of(name)}};
    s.facts.local = RS_LOCAL_PROCESS;
    s.facts.model_facts = (rs_attrs){.items = device, .n = 1};
    return s;
}

static double cost_on(const rs_prices *p, const char *devices, uint64_t seconds, rs_cost_source *source) {
    rs_price_memo memo = {0};
    rs_attr device;
    rs_span s = local_call(&device, devices, seconds);
    rs_prices_apply(p, &s, &memo);
    *source = s.facts.cost_source;
    return s.facts.cost;
}

static void time_costs_what_its_device_does(void **state) {
    (void)state;
    static const rs_time_price times[] = {
        {RS_STR("cuda"), 3.6}, {RS_STR("cuda:1"), 7.2}, {RS_STR("cpu"), 0.36}};
    rs_prices *base = parse(mine), *p = set(base, times, RS_ARRAY_LEN(times));
    rs_cost_source source;
    static const struct {
        const char *devices;
        double cost;
        rs_cost_source source;
    } cases[] = {
        {"cuda:0", 0.01, RS_COST_TIME},
        {"CUDA:1", 0.02, RS_COST_TIME},
        {"cuda:0, cuda:1", 0.03, RS_COST_TIME},
        {"cpu", 0.001, RS_COST_TIME},
        {"cpu, cuda:0", 0.01, RS_COST_TIME}, /* the machine's memory beside it is no second device */
        {"disk, cpu", 0.001, RS_COST_TIME},
        {"mps", 0, RS_COST_LOCAL},
        {"", 0, RS_COST_LOCAL},
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++) {
        assert_cost(cost_on(p, cases[i].devices, 10, &source), cases[i].cost);
        assert_int_equal(source, cases[i].source);
    }
    assert_cost(cost_on(base, "cuda:0", 10, &source), 0);
    assert_int_equal(source, RS_COST_LOCAL);
    rs_prices_free(p);
    rs_prices_free(base);
}

static void a_local_server_has_its_own_price_of_time(void **state) {
    (void)state;
    static const rs_time_price all[] = {{RS_STR("*"), 36}},
                               servers[] = {{RS_STR("*"), 36}, {RS_STR("server"), 0}};
    rs_prices *base = parse(mine), *p = set(base, all, 1), *q = set(base, servers, 2);
    rs_price_memo memo = {0};
    rs_span s = {.start_ns = 1, .end_ns = 1 + NS_PER_S, .facts = call("vllm", "llama2", 5, 5)};
    rs_prices_apply(p, &s, &memo);
    assert_cost(s.facts.cost, 0.01);
    assert_int_equal(s.facts.cost_source, RS_COST_TIME);
    s.facts.cost = NAN;
    memo = (rs_price_memo){0};
    rs_prices_apply(q, &s, &memo);
    assert_cost(s.facts.cost, 0);
    rs_cost_source source;
    assert_cost(cost_on(p, "mps", 1, &source), 0.01);
    rs_prices_free(q);
    rs_prices_free(p);
    rs_prices_free(base);
}

/* A pipeline that labels or draws is no model call, but its model works as long as any. */
static void time_has_its_price_whatever_the_task(void **state) {
    (void)state;
    static const rs_time_price all[] = {{RS_STR("cuda"), 36}};
    rs_prices *base = parse(mine), *p = set(base, all, 1);
    rs_price_memo memo = {0};
    rs_attr device;
    rs_span labels = local_call(&device, "cuda:0", 1), free = labels, sent = labels, tool = labels,
            far = labels;
    labels.facts.log_type = free.facts.log_type = sent.facts.log_type = far.facts.log_type = RS_LOG_CUSTOM;
    tool.facts.log_type = RS_LOG_TOOL;
    sent.facts.cost = 7;
    far.facts.local = RS_LOCAL_NO;
    far.facts.model = RS_STR("everywhere"); /* has a price of tokens */
    rs_prices_apply(p, &labels, &memo);
    assert_cost(labels.facts.cost, 0.01);
    assert_int_equal(labels.facts.cost_source, RS_COST_TIME);
    rs_prices_apply(base, &free, &memo);
    assert_cost(free.facts.cost, 0);
    assert_int_equal(free.facts.cost_source, RS_COST_LOCAL);
    rs_prices_apply(p, &sent, &memo);
    assert_cost(sent.facts.cost, 7);
    rs_prices_apply(p, &tool, &memo);
    rs_prices_apply(p, &far, &memo);
    assert_cost(tool.facts.cost, NAN);
    assert_cost(far.facts.cost, NAN);
    rs_prices_free(p);
    rs_prices_free(base);
}

/* A pipeline around another around a third, one beside them, and one whose parents form a ring. */
static void time_is_paid_once(void **state) {
    (void)state;
    static const rs_time_price all[] = {{RS_STR("*"), 3600}};
    static const int parents[] = {-1, 0, 1, 2, -1, 6, 5};
    static const double wanted[] = {1, 0, 0, 0, 1, 0, 0};
    enum { SPANS = RS_ARRAY_LEN(parents) };
    rs_prices *base = parse(mine), *p = set(base, all, 1);
    rs_price_memo memo = {0};
    rs_arena arena;
    rs_span items[SPANS];
    rs_attr device;
    rs_spans spans = {.items = items, .n = SPANS};
    rs_arena_init(&arena, 0);
    for (int i = 0; i < (int)SPANS; i++) {
        items[i] = local_call(&device, "cuda", 1);
        if (i == 0) items[i].facts.log_type = RS_LOG_CUSTOM;
        items[i].span_id[0] = (uint8_t)(i + 1);
        items[i].has_parent = parents[i] >= 0;
        items[i].parent_id[0] = (uint8_t)(parents[i] + 1);
        if (i == 1) items[i].facts.log_type = RS_LOG_TASK; /* between them a function */
        rs_prices_apply(p, &items[i], &memo);
    }
    assert_int_equal(rs_prices_count_time_once(&spans, &arena), RS_OK);
    for (size_t i = 0; i < SPANS; i++) {
        if (i == 1) continue;
        assert_cost(items[i].facts.cost, wanted[i]);
        assert_int_equal(items[i].facts.cost_source, wanted[i] > 0 ? RS_COST_TIME : RS_COST_OUTER);
    }
    rs_span inner = local_call(&device, "cuda", 1); /* what is around it comes in another request */
    inner.facts.is_nested = true;
    rs_prices_apply(p, &inner, &memo);
    assert_cost(inner.facts.cost, 0);
    assert_int_equal(inner.facts.cost_source, RS_COST_OUTER);
    rs_arena_deinit(&arena);
    rs_prices_free(p);
    rs_prices_free(base);
}

static void mistakes_are_named_with_their_line(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"\nprize m 1",
         "mine:2: a line begins with 'provider', 'price', 'local' or 'date', not with 'prize'"},
        {"price", "mine:1: a model's name is missing behind 'price'"},
        {"price m", "mine:1: the price of input tokens is no number of dollars for a million tokens: ''"},
        {"price m -", "mine:1: the price of input tokens is no number of dollars for a million tokens: '-'"},
        {"price m -1",
         "mine:1: the price of input tokens is no number of dollars for a million tokens: '-1'"},
        {"price m nan",
         "mine:1: the price of input tokens is no number of dollars for a million tokens: 'nan'"},
        {"price m 1 x",
         "mine:1: the price of output tokens is no number of dollars for a million tokens, nor '-': 'x'"},
        {"price m 1 1 $1",
         "mine:1: the price of cached tokens is no number of dollars for a million tokens, nor '-': '$1'"},
        {"price m 1 1 1 0", "mine:1: the most prompt tokens that a price holds for is no number: '0'"},
        {"price m 1 1 1 5 x",
         "mine:1: the price of reasoning tokens is no number of dollars for a million tokens, nor '-': 'x'"},
        {"price m 1 1 1 5 6 7", "mine:1: nothing is expected at '7'"},
        {"price a*b 1", "mine:1: '*' stands at a name's end only: 'a*b'"},
        {"provider", "mine:1: a provider's name is missing behind 'provider'"},
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++) {
        rs_prices *p;
        rs_err err = {0};
        assert_int_equal(rs_prices_parse(rs_str_of(cases[i].text), "mine", &p, &err), RS_ERR_INVALID);
        assert_string_equal(err.message, cases[i].message);
        assert_null(p);
    }
    rs_prices *p;
    rs_err err = {0};
    assert_int_equal(rs_prices_open("/nowhere/prices.txt", &p, &err), RS_ERR_IO);
    assert_non_null(strstr(err.message, "/nowhere/prices.txt"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_pattern_holds),
        cmocka_unit_test(what_is_not_known_costs_nothing_known),
        cmocka_unit_test(cached_tokens_have_their_price),
        cmocka_unit_test(reasoning_tokens_have_their_price),
        cmocka_unit_test(what_the_owner_set_goes_before_all),
        cmocka_unit_test(it_is_told_which_price_is_in_force),
        cmocka_unit_test(time_costs_what_its_device_does),
        cmocka_unit_test(a_local_server_has_its_own_price_of_time),
        cmocka_unit_test(time_has_its_price_whatever_the_task),
        cmocka_unit_test(time_is_paid_once),
        cmocka_unit_test(what_runs_here_is_free),
        cmocka_unit_test(vendors_are_built_in),
        cmocka_unit_test(the_last_price_is_remembered_for_its_model_alone),
        cmocka_unit_test(mistakes_are_named_with_their_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
