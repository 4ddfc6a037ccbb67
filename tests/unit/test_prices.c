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
    rs_prices_apply(p, &f, &memo);
    return f.cost;
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
        rs_facts f = call("acme", models[i], 1000000, 1000000);
        rs_prices_apply(p, &f, &memo);
        assert_cost(f.cost, wanted[i]);
    }
    rs_prices_free(p);
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
        {"price m 1 1 1 5 6", "mine:1: nothing is expected at '6'"},
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
        cmocka_unit_test(what_runs_here_is_free),
        cmocka_unit_test(vendors_are_built_in),
        cmocka_unit_test(the_last_price_is_remembered_for_its_model_alone),
        cmocka_unit_test(mistakes_are_named_with_their_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
