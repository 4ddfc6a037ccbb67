/* What a span says arrives: each span is sent to a fake server and decoded from what that received. */
#include "fake_http.h"
#include "otlp/decode.h"
#include "respan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const fake_answer ok = {.status = 200};

typedef struct fixture {
    fake_http *server;
    respan_config config;
    respan_client *client;
    rs_arena arena;
    rs_spans spans;
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->server = fake_http_start(&ok, 1);
    respan_config_init(&f->config);
    f->config.base_url = fake_http_url(f->server);
    f->config.api_key = "k";
    f->config.app_name = "test-app";
    unsetenv("OTEL_SERVICE_NAME");
    unsetenv("OTEL_RESOURCE_ATTRIBUTES");
    rs_arena_init(&f->arena, 0);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    fake_http_stop(f->server);
    rs_arena_deinit(&f->arena);
    free(f);
    return 0;
}

static void open_client(fixture *f) {
    assert_int_equal(respan_client_open(&f->config, &f->client, NULL), RESPAN_OK);
}

/* Closes the client and decodes the one request that it made. */
static void receive(fixture *f, size_t expected) {
    respan_stats s;
    assert_int_equal(respan_client_close(f->client, 5000, &s), RESPAN_OK);
    assert_int_equal(s.acknowledged, expected);
    assert_int_equal(fake_http_count(f->server), 1);
    rs_err err = {0};
    const rs_buf *body = &fake_http_request(f->server, 0)->body;
    assert_int_equal(rs_otlp_decode_protobuf(rs_buf_slice(body), &f->arena, &f->spans, &err), RS_OK);
    assert_int_equal(f->spans.n, expected);
    assert_int_equal(f->spans.rejected, 0);
}

static void assert_text(rs_str s, const char *expected) {
    assert_int_equal(s.n, strlen(expected));
    assert_memory_equal(s.p, expected, s.n);
}

static void assert_bytes(rs_str s, const char *expected, size_t n) {
    assert_int_equal(s.n, n);
    assert_memory_equal(s.p, expected, n);
}

static const rs_value *find(const rs_attrs *a, const char *key) {
    const rs_attr *found = rs_attrs_find(a, rs_str_of(key));
    assert_non_null(found);
    size_t times = 0;
    for (uint32_t i = 0; i < a->n; i++) times += rs_str_eq(a->items[i].key, rs_str_of(key));
    assert_int_equal(times, 1);
    return &found->value;
}

static void assert_attr(const rs_attrs *a, const char *key, const char *expected) {
    const rs_value *v = find(a, key);
    assert_int_equal(v->type, RS_VALUE_STRING);
    assert_text(v->s, expected);
}

static void set_number_lists(respan_span *s) {
    bool booleans[] = {true, false};
    int64_t integers[] = {INT64_MIN, 0, 7};
    double reals[] = {-0.5};
    respan_attribute lists[] = {
        {{RESPAN_TEXT("booleans")}, RESPAN_TYPE_BOOL_ARRAY, {.booleans = {booleans, 2}}},
        {{RESPAN_TEXT("integers")}, RESPAN_TYPE_INT_ARRAY, {.integers = {integers, 3}}},
        {{RESPAN_TEXT("reals")}, RESPAN_TYPE_DOUBLE_ARRAY, {.reals = {reals, 1}}},
    };
    respan_span_set(s, lists, RS_ARRAY_LEN(lists));
}

/* ArrayValue: field 1, a length, and an AnyValue each. */
static void check_number_lists(const rs_attrs *attrs) {
    assert_bytes(find(attrs, "booleans")->s, RESPAN_TEXT("\x0a\x02\x10\x01\x0a\x02\x10\x00"));
    assert_bytes(find(attrs, "integers")->s,
                 RESPAN_TEXT("\x0a\x0b\x18\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"
                             "\x0a\x02\x18\x00\x0a\x02\x18\x07"));
    assert_bytes(find(attrs, "reals")->s, RESPAN_TEXT("\x0a\x09\x21\x00\x00\x00\x00\x00\x00\xe0\xbf"));
}

static void every_part_of_a_span_arrives(void **state) {
    fixture *f = *state;
    open_client(f);
    respan_span *root = respan_span_start(f->client, RESPAN_TEXT("root.workflow"), NULL, 1000);
    respan_span_context parent = respan_span_get_context(root);
    respan_span *s = respan_span_start(f->client, RESPAN_TEXT("chat"), &parent, 2000);
    respan_span_context context = respan_span_get_context(s);
    respan_span_set_name(s, RESPAN_TEXT("chat smollm2"));
    respan_span_set_kind(s, RESPAN_KIND_CLIENT);
    respan_span_set_string(s, RESPAN_TEXT("text"), RESPAN_TEXT("häl\0lo"));
    respan_span_set_string(s, RESPAN_TEXT("empty"), NULL, 0);
    respan_span_set_int(s, RESPAN_TEXT("int"), INT64_MIN);
    respan_span_set_double(s, RESPAN_TEXT("double"), -0.25);
    respan_span_set_bool(s, RESPAN_TEXT("yes"), true);
    respan_span_set_bool(s, RESPAN_TEXT("no"), false);
    respan_text items[] = {{RESPAN_TEXT("a")}, {RESPAN_TEXT("")}, {RESPAN_TEXT("\xff")}};
    respan_attribute list = {
        {RESPAN_TEXT("list")}, RESPAN_TYPE_STRING_ARRAY, {.strings = {items, RS_ARRAY_LEN(items)}}};
    respan_span_set(s, &list, 1);
    set_number_lists(s);
    respan_span_set_string(s, RESPAN_TEXT(""), RESPAN_TEXT("no key: ignored"));
    respan_attribute detail = {
        {RESPAN_TEXT("exception.type")}, RESPAN_TYPE_STRING, {.string = {RESPAN_TEXT("Oops")}}};
    respan_span_add_event(s, RESPAN_TEXT("exception"), 2500, &detail, 1);
    respan_span_add_event(s, RESPAN_TEXT("now"), 0, NULL, 0);
    respan_span_set_status(s, RESPAN_STATUS_OK, NULL, 0);
    respan_span_set_status(s, RESPAN_STATUS_ERROR, RESPAN_TEXT("it broke"));
    respan_span_end(s, 3000);
    respan_span_end(root, 4000);
    receive(f, 2);

    const rs_span *child = &f->spans.items[0], *top = &f->spans.items[1];
    assert_memory_equal(child->trace_id, context.trace_id, 16);
    assert_memory_equal(child->span_id, context.span_id, 8);
    assert_true(child->has_parent);
    assert_memory_equal(child->parent_id, parent.span_id, 8);
    assert_memory_equal(child->trace_id, top->trace_id, 16);
    assert_false(top->has_parent);
    assert_text(top->name, "root.workflow");
    assert_int_equal(top->kind, RESPAN_KIND_INTERNAL);
    assert_int_equal(top->status, RS_STATUS_UNSET);
    assert_text(child->name, "chat smollm2");
    assert_int_equal(child->kind, RESPAN_KIND_CLIENT);
    assert_int_equal(child->start_ns, 2000);
    assert_int_equal(child->end_ns, 3000);
    assert_int_equal(child->status, RS_STATUS_ERROR);
    assert_text(child->status_message, "it broke");
    assert_int_equal(child->attrs.n, 10);
    check_number_lists(&child->attrs);
    const rs_value *v = find(&child->attrs, "text");
    assert_int_equal(v->s.n, 7);
    assert_memory_equal(v->s.p, "häl\0lo", 7);
    assert_attr(&child->attrs, "empty", "");
    assert_true(find(&child->attrs, "int")->i == INT64_MIN);
    assert_true(find(&child->attrs, "double")->d == -0.25);
    assert_true(find(&child->attrs, "yes")->b);
    assert_int_equal(find(&child->attrs, "no")->type, RS_VALUE_BOOL);
    v = find(&child->attrs, "list");
    assert_int_equal(v->type, RS_VALUE_ARRAY);
    size_t at = 0;
    rs_str key;
    rs_value item;
    const char *expected[] = {"a", "", "\xEF\xBF\xBD"};
    for (int i = 0; i < 3; i++) {
        assert_true(rs_value_next(v, &at, &key, &item));
        assert_text(item.s, expected[i]);
    }
    assert_false(rs_value_next(v, &at, &key, &item));
    assert_int_equal(child->nevents, 2);
    assert_text(child->events[0].name, "exception");
    assert_int_equal(child->events[0].time_ns, 2500);
    assert_attr(&child->events[0].attrs, "exception.type", "Oops");
    assert_true(child->events[1].time_ns > 1700000000000000000u);
}

static void resource_and_scope_say_who_speaks(void **state) {
    fixture *f = *state;
    setenv("OTEL_RESOURCE_ATTRIBUTES", "host.name=box%2C1, service.name = loses ,broken,over=1", 1);
    setenv("OTEL_SERVICE_NAME", "loses-too", 1);
    respan_attribute own = {{RESPAN_TEXT("over")}, RESPAN_TYPE_INT, {.integer = 2}};
    f->config.resource_attributes = &own;
    f->config.resource_attribute_count = 1;
    f->config.environment = "staging";
    open_client(f);
    respan_span_end(respan_span_start(f->client, RESPAN_TEXT("s"), NULL, 0), 0);
    receive(f, 1);
    const rs_span *s = &f->spans.items[0];
    const rs_attrs *r = &s->resource->attrs;
    assert_attr(r, "service.name", "test-app");
    assert_attr(r, "telemetry.sdk.name", "respan");
    assert_attr(r, "telemetry.sdk.version", respan_version());
    assert_attr(r, "host.name", "box,1");
    assert_attr(r, "deployment.environment.name", "staging");
    assert_int_equal(find(r, "over")->i, 2);
    assert_attr(&s->attrs, "respan.environment", "staging");
    assert_text(s->scope->name, "respan");
    assert_text(s->scope->version, respan_version());
    assert_true(s->end_ns >= s->start_ns && s->start_ns > 1700000000000000000u);
}

static void a_key_set_again_has_its_last_value(void **state) {
    fixture *f = *state;
    open_client(f);
    respan_span *s = respan_span_start(f->client, RESPAN_TEXT("s"), NULL, 0);
    char text[3000];
    memset(text, 'x', sizeof text);
    for (int i = 0; i < 5000; i++) { /* a completion that grows: no more room than twice its size */
        respan_span_set_string(s, RESPAN_TEXT("grows"), text, (size_t)i % sizeof text);
        respan_span_set_int(s, RESPAN_TEXT("counts"), i);
    }
    for (int i = 0; i < 300; i++) {
        char key[16];
        int n = snprintf(key, sizeof key, "key.%d", i);
        respan_span_set_int(s, key, (size_t)n, i);
    }
    respan_span_set_bool(s, RESPAN_TEXT("key.7"), true);
    respan_span_end(s, 0);
    receive(f, 1);
    const rs_attrs *a = &f->spans.items[0].attrs;
    assert_int_equal(a->n, 302);
    assert_int_equal(find(a, "grows")->s.n, 4999 % sizeof text);
    assert_int_equal(find(a, "counts")->i, 4999);
    assert_int_equal(find(a, "key.299")->i, 299);
    assert_int_equal(find(a, "key.7")->type, RS_VALUE_BOOL);
    assert_true(fake_http_request(f->server, 0)->body.n < 20000);
}

static void shared_sets_yield_to_the_span(void **state) {
    fixture *f = *state;
    f->config.environment = "client";
    open_client(f);
    respan_attribute pairs[] = {
        {{RESPAN_TEXT("user")}, RESPAN_TYPE_STRING, {.string = {RESPAN_TEXT("first, replaced in the set")}}},
        {{RESPAN_TEXT("user")}, RESPAN_TYPE_STRING, {.string = {RESPAN_TEXT("u1")}}},
        {{RESPAN_TEXT("tier")}, RESPAN_TYPE_INT, {.integer = 3}},
    };
    respan_attribute environment = {
        {RESPAN_TEXT("respan.environment")}, RESPAN_TYPE_STRING, {.string = {RESPAN_TEXT("set")}}};
    respan_attributes *set = respan_attributes_new(pairs, 3), *other = respan_attributes_new(&environment, 1);
    respan_span *plain = respan_span_start(f->client, RESPAN_TEXT("plain"), NULL, 0);
    respan_span_use(plain, other);
    respan_span_use(plain, set); /* replaces the first one */
    respan_span *own = respan_span_start(f->client, RESPAN_TEXT("own"), NULL, 0);
    respan_span_set_int(own, RESPAN_TEXT("tier"), 9);
    respan_span_use(own, set);
    respan_span *named = respan_span_start(f->client, RESPAN_TEXT("named"), NULL, 0);
    respan_span_use(named, other);
    respan_attributes_free(set); /* the spans keep it */
    respan_attributes_free(other);
    respan_span_end(plain, 0);
    respan_span_end(own, 0);
    respan_span_end(named, 0);
    receive(f, 3);
    const rs_attrs *a = &f->spans.items[0].attrs;
    assert_int_equal(a->n, 3);
    assert_attr(a, "user", "u1");
    assert_int_equal(find(a, "tier")->i, 3);
    assert_attr(a, "respan.environment", "client");
    a = &f->spans.items[1].attrs;
    assert_int_equal(a->n, 3);
    assert_attr(a, "user", "u1");
    assert_int_equal(find(a, "tier")->i, 9);
    a = &f->spans.items[2].attrs;
    assert_int_equal(a->n, 1);
    assert_attr(a, "respan.environment", "set");
}

static void long_text_is_cut_and_says_so(void **state) {
    fixture *f = *state;
    f->config.max_content_bytes = 10;
    open_client(f);
    respan_span *s = respan_span_start(f->client, RESPAN_TEXT("a name over ten"), NULL, 0);
    respan_span_set_string(s, RESPAN_TEXT("long"), RESPAN_TEXT("123456789ä and more"));
    respan_span_set_string(s, RESPAN_TEXT("whole"), RESPAN_TEXT("1234567890"));
    respan_span_set_string(s, RESPAN_TEXT("was"), RESPAN_TEXT("12345678901"));
    respan_span_set_string(s, RESPAN_TEXT("was"), RESPAN_TEXT("short now"));
    char key[2000];
    memset(key, 'k', sizeof key);
    respan_span_set_int(s, key, sizeof key, 1);
    respan_span_end(s, 0);
    receive(f, 1);
    const rs_span *got = &f->spans.items[0];
    assert_text(got->name, "a name ove");
    assert_attr(&got->attrs, "long", "123456789");
    assert_int_equal(find(&got->attrs, "long.full_length")->i, 20);
    assert_attr(&got->attrs, "whole", "1234567890");
    assert_null(rs_attrs_find(&got->attrs, RS_STR("whole.full_length")));
    assert_attr(&got->attrs, "was", "short now");
    assert_null(rs_attrs_find(&got->attrs, RS_STR("was.full_length")));
    assert_int_equal(got->attrs.n, 5);
}

static void bytes_that_are_not_utf8_are_replaced(void **state) {
    fixture *f = *state;
    open_client(f);
    respan_span *s = respan_span_start(f->client, RESPAN_TEXT("na\xffme"), NULL, 0);
    respan_span_set_string(s, RESPAN_TEXT("k\xc3"), RESPAN_TEXT("a\xed\xa0\x80z\xf0\x9f"));
    respan_span_set_status(s, RESPAN_STATUS_ERROR, RESPAN_TEXT("\x80"));
    respan_span_add_event(s, RESPAN_TEXT("\xfe"), 1, NULL, 0);
    respan_span_end(s, 0);
    receive(f, 1);
#define BAD "\xEF\xBF\xBD"
    const rs_span *got = &f->spans.items[0];
    assert_text(got->name, "na" BAD "me");
    assert_attr(&got->attrs, "k" BAD, "a" BAD BAD BAD "z" BAD BAD);
    assert_text(got->status_message, BAD);
    assert_text(got->events[0].name, BAD);
}

static void nothing_happens_to_nothing(void **state) {
    fixture *f = *state;
    open_client(f);
    assert_null(respan_span_start(NULL, RESPAN_TEXT("x"), NULL, 0));
    respan_span_set_string(NULL, RESPAN_TEXT("k"), RESPAN_TEXT("v"));
    respan_span_set_int(NULL, RESPAN_TEXT("k"), 1);
    respan_span_set_double(NULL, RESPAN_TEXT("k"), 1);
    respan_span_set_bool(NULL, RESPAN_TEXT("k"), true);
    respan_span_set_name(NULL, RESPAN_TEXT("k"));
    respan_span_set_kind(NULL, RESPAN_KIND_CLIENT);
    respan_span_set_status(NULL, RESPAN_STATUS_OK, NULL, 0);
    respan_span_set(NULL, NULL, 1);
    respan_span_add_event(NULL, NULL, 0, 0, NULL, 0);
    respan_span_use(NULL, NULL);
    respan_span_end(NULL, 0);
    respan_span_discard(NULL);
    respan_attributes_free(NULL);
    respan_config_init(NULL);
    respan_client_stats(NULL, NULL);
    assert_int_equal(respan_client_flush(NULL, 1), RESPAN_OK);
    respan_span_context none = respan_span_get_context(NULL);
    char trace[33], span[17];
    respan_trace_id_hex(&none, trace);
    respan_span_id_hex(NULL, span);
    assert_string_equal(trace, "00000000000000000000000000000000");
    assert_string_equal(span, "0000000000000000");

    respan_span *gone = respan_span_start(f->client, RESPAN_TEXT("discarded"), NULL, 0);
    respan_span_discard(gone);
    respan_span *s = respan_span_start(f->client, NULL, 0, &none, 0); /* a zero parent is none */
    respan_span_set_kind(s, (respan_span_kind)77);
    respan_span_set_status(s, (respan_status_code)77, NULL, 0);
    respan_attribute odd = {{RESPAN_TEXT("odd")}, (respan_type)99, {.integer = 1}};
    respan_span_set(s, &odd, 1);
    respan_span_set(s, NULL, 5);
    respan_span_end(s, 0);
    receive(f, 1);
    assert_int_equal(f->spans.items[0].attrs.n, 0);
    assert_false(f->spans.items[0].has_parent);
}

static void a_span_that_outlives_its_client_goes_nowhere(void **state) {
    fixture *f = *state;
    open_client(f);
    respan_span *late = respan_span_start(f->client, RESPAN_TEXT("late"), NULL, 0);
    respan_span_end(respan_span_start(f->client, RESPAN_TEXT("in time"), NULL, 0), 0);
    receive(f, 1);
    respan_span_set_int(late, RESPAN_TEXT("k"), 1);
    respan_span_end(late, 0);
    assert_int_equal(fake_http_count(f->server), 1);
}

static void links_and_ids_of_another_tracer_arrive(void **state) {
    fixture *f = *state;
    open_client(f);
    respan_span *target = respan_span_start(f->client, RESPAN_TEXT("target"), NULL, 0);
    respan_span_context to = respan_span_get_context(target), none = {0}, own;
    respan_span *s = respan_span_start(f->client, RESPAN_TEXT("linked"), NULL, 0);
    respan_attribute why = {{RESPAN_TEXT("why")}, RESPAN_TYPE_STRING, {.string = {RESPAN_TEXT("asked")}}};
    respan_span_add_link(s, &to, &why, 1);
    respan_span_add_link(s, &to, NULL, 0);
    respan_span_add_link(s, &none, NULL, 0);
    respan_span_add_link(NULL, &to, NULL, 0);
    memset(&own, 0x5a, sizeof own);
    respan_span_set_context(s, &own);
    respan_span_set_context(s, &none);
    respan_span_end(s, 0);
    respan_span_discard(target);
    receive(f, 1);
    const rs_span *got = &f->spans.items[0];
    assert_memory_equal(got->trace_id, own.trace_id, 16);
    assert_memory_equal(got->span_id, own.span_id, 8);
    assert_int_equal(got->nlinks, 2);
    assert_memory_equal(got->links[0].trace_id, to.trace_id, 16);
    assert_memory_equal(got->links[0].span_id, to.span_id, 8);
    assert_attr(&got->links[0].attrs, "why", "asked");
    assert_int_equal(got->links[1].attrs.n, 0);
}

static void a_trace_is_sampled_as_a_whole(void **state) {
    fixture *f = *state;
    setenv("OTEL_TRACES_SAMPLER", "traceidratio", 1);
    setenv("OTEL_TRACES_SAMPLER_ARG", "0.5", 1);
    open_client(f);
    unsetenv("OTEL_TRACES_SAMPLER");
    unsetenv("OTEL_TRACES_SAMPLER_ARG");
    size_t expected = 0;
    for (int i = 0; i < 100; i++) {
        respan_span *root = respan_span_start(f->client, RESPAN_TEXT("root"), NULL, 0);
        respan_span_context at = respan_span_get_context(root);
        respan_span *child = respan_span_start(f->client, RESPAN_TEXT("child"), &at, 0);
        if (!(at.trace_id[8] & 0x80)) expected += 2;
        respan_span_end(child, 0);
        respan_span_end(root, 0);
    }
    assert_in_range(expected, 2, 198);
    respan_stats s;
    respan_client_stats(f->client, &s);
    assert_int_equal(s.started, 200);
    assert_int_equal(s.ended, expected);
    receive(f, expected);
    for (size_t i = 0; i < f->spans.n; i++) assert_false(f->spans.items[i].trace_id[8] & 0x80);
}

/* Events are never looked for: many of them cost no more than few. */
static void many_events_arrive(void **state) {
    enum { N = 50000 };
    fixture *f = *state;
    open_client(f);
    respan_span *s = respan_span_start(f->client, RESPAN_TEXT("eventful"), NULL, 0);
    for (int i = 0; i < N; i++) respan_span_add_event(s, RESPAN_TEXT("e"), 1, NULL, 0);
    respan_span_set_int(s, RESPAN_TEXT("last"), 7);
    respan_span_end(s, 0);
    receive(f, 1);
    assert_int_equal(f->spans.items[0].nevents, N);
    assert_int_equal(find(&f->spans.items[0].attrs, "last")->i, 7);
}

/* A flush that says that the server has all must not overlook what never got that far. */
static void what_there_is_no_room_for_is_told_by_the_next_flush(void **state) {
    fixture *f = *state;
    f->config.ring_bytes = 300000;
    f->config.spool_bytes = 0;
    f->config.quiet = true;
    open_client(f);
    char *text = calloc(1, 400000);
    memset(text, 'x', 400000);
    respan_span_end(respan_span_start(f->client, RESPAN_TEXT("small"), NULL, 0), 0);
    assert_int_equal(respan_client_flush(f->client, 5000), RESPAN_OK);
    for (int i = 0; i < 2000; i++) {
        respan_span *s = respan_span_start(f->client, RESPAN_TEXT("large"), NULL, 0);
        respan_span_set_string(s, RESPAN_TEXT("text"), text, 200000);
        respan_span_end(s, 0);
        respan_stats n;
        respan_client_stats(f->client, &n);
        if (n.dropped) break;
    }
    free(text);
    assert_int_equal(respan_client_flush(f->client, 20000), RESPAN_ERR_REFUSED);
    assert_int_equal(respan_client_flush(f->client, 20000), RESPAN_OK);
    assert_int_equal(respan_client_close(f->client, 20000, NULL), RESPAN_OK);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_part_of_a_span_arrives),
        TEST(resource_and_scope_say_who_speaks),
        TEST(a_key_set_again_has_its_last_value),
        TEST(shared_sets_yield_to_the_span),
        TEST(long_text_is_cut_and_says_so),
        TEST(bytes_that_are_not_utf8_are_replaced),
        TEST(nothing_happens_to_nothing),
        TEST(a_span_that_outlives_its_client_goes_nowhere),
        TEST(links_and_ids_of_another_tracer_arrive),
        TEST(a_trace_is_sampled_as_a_whole),
        TEST(many_events_arrive),
        TEST(what_there_is_no_room_for_is_told_by_the_next_flush),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
