/* Memory that runs out, at every allocation in turn: no crash, no leak, NULL or an error, and what is said stays true. */
#include "failing_memory.h"
#include "fake_http.h"
#include "otlp/decode.h"
#include "respan.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const fake_answer ok = {.status = 200};

enum { EVENT_NAME = 700 /* bytes: more than an event's first piece of memory */ };

static void make_rich_span(respan_client *c) {
    respan_text items[] = {{RESPAN_TEXT("a")}, {RESPAN_TEXT("\xff")}};
    respan_attribute list = {{RESPAN_TEXT("list")}, RESPAN_TYPE_STRING_ARRAY, {.strings = {items, 2}}};
    respan_attributes *set = respan_attributes_new(&list, 1);
    respan_span *s = respan_span_start(c, RESPAN_TEXT("a na\xffme"), NULL, 0);
    respan_span_use(s, set);
    respan_attributes_free(set);
    for (int i = 0; i < 40; i++) {
        char key[16];
        int n = snprintf(key, sizeof key, "key.%d", i);
        respan_span_set_string(s, key, (size_t)n, RESPAN_TEXT("some text \xff that has to be repaired"));
    }
    respan_span_set(s, &list, 1);
    char name[EVENT_NAME];
    memset(name, 'e', sizeof name);
    respan_span_context to = {{1}, {2}};
    respan_span_add_event(s, name, sizeof name, 1, &list, 1);
    respan_span_add_link(s, &to, &list, 1);
    respan_span_set_status(s, RESPAN_STATUS_ERROR, RESPAN_TEXT("message"));
    respan_span_end(s, 0);
}

/* An attribute may be missing; but an event has its name and time, a link its ids, and what is gone was counted. */
static void check_parts(const rs_span *s) {
    uint32_t events = 0;
    for (uint32_t i = 0; i < s->nevents; i++) {
        assert_true(s->events[i].time_ns > 0);
        if (rs_str_eq(s->events[i].name, RS_STR("respan.spans_dropped"))) continue; /* the library's own */
        assert_int_equal(s->events[i].name.n, EVENT_NAME);
        events++;
    }
    for (uint32_t i = 0; i < s->nlinks; i++) {
        assert_int_equal(s->links[i].trace_id[0], 1);
        assert_int_equal(s->links[i].span_id[0], 2);
    }
    if (events == 0 || s->nlinks == 0) assert_true(s->attrs.dropped > 0);
}

static void spans_survive(bool from_then_on) {
    fake_http *f = fake_http_start(&ok, 1);
    respan_config config;
    respan_config_init(&config);
    config.base_url = fake_http_url(f);
    config.api_key = "k";
    config.quiet = true;
    respan_client *c;
    assert_int_equal(respan_client_open(&config, &c, NULL), RESPAN_OK);
    long nth = 0;
    do {
        fail_at(++nth, from_then_on);
        make_rich_span(c);
        fail_none();
    } while (has_failed());
    assert_true(nth > 40);
    respan_stats s;
    (void)respan_client_close(c, 10000, &s);
    assert_int_equal(s.ended, s.acknowledged + s.dropped);
    assert_true(s.acknowledged > 0 && s.rejected == 0);
    for (size_t i = 0; i < fake_http_count(f);
         i++) { /* whatever was left out, what was sent is well-formed */
        rs_arena arena;
        rs_spans spans;
        rs_arena_init(&arena, 0);
        rs_str body = rs_buf_slice(&fake_http_request(f, i)->body);
        assert_int_equal(rs_otlp_decode_protobuf(body, &arena, &spans, NULL), RS_OK);
        assert_int_equal(spans.rejected, 0);
        for (uint32_t n = 0; n < spans.n; n++) check_parts(&spans.items[n]);
        rs_arena_deinit(&arena);
    }
    fake_http_stop(f);
}

static void a_span_survives_one_failure(void **state) {
    (void)state;
    spans_survive(false);
}

static void a_span_survives_the_end_of_memory(void **state) {
    (void)state;
    spans_survive(true);
}

static void open_fails_cleanly(void **state) {
    (void)state;
    respan_header headers[] = {{"a", "b"}, {"c", "d"}};
    respan_attribute own = {{RESPAN_TEXT("k\xff")}, RESPAN_TYPE_STRING, {.string = {RESPAN_TEXT("v\xff")}}};
    respan_config config;
    respan_config_init(&config);
    config.base_url = "http://127.0.0.1:1/api";
    config.api_key = "k";
    config.environment = "e";
    config.headers = headers;
    config.header_count = 2;
    config.resource_attributes = &own;
    config.resource_attribute_count = 1;
    setenv("OTEL_RESOURCE_ATTRIBUTES", "a=b,c=d", 1);
    for (long nth = 1;; nth++) {
        respan_client *c = NULL;
        respan_error err;
        fail_at(nth, true);
        respan_status st = respan_client_open(&config, &c, &err);
        fail_none();
        if (st == RESPAN_OK) {
            assert_int_equal(respan_client_close(c, 0, NULL), RESPAN_OK);
            if (!has_failed()) break;
        } else {
            assert_int_equal(st, RESPAN_ERR_MEMORY);
            assert_null(c);
            assert_true(err.message[0] != 0);
        }
        assert_true(nth < 200);
    }
    unsetenv("OTEL_RESOURCE_ATTRIBUTES");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_span_survives_one_failure),
        cmocka_unit_test(a_span_survives_the_end_of_memory),
        cmocka_unit_test(open_fails_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
