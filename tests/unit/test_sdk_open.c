/* Open spans as the exporter tells of them: read while they are written, and never as something that they were not. */
#include "sanitized.h"
#include "spool_fixture.h"

#include "base/clock.h"
#include "base/ids.h"
#include "otlp/decode.h"
#include "otlp/encode.h"
#include "sdk/client.h"
#include "sdk/http_client.h"
#include "sdk/open_tell.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const nobody = "http://127.0.0.1:1/api";
enum { LARGE = 40000 };

/* The exporter of this one tells nothing: the test does. */
static respan_client *quiet_client(void) {
    setenv("RESPAN_OPEN_SPANS", "off", 1);
    respan_client *c = spool_client(nobody, 8 << 20);
    unsetenv("RESPAN_OPEN_SPANS");
    return c;
}

static void close_client(respan_client *c) { (void)respan_client_close(c, 0, NULL); }

static uint64_t long_ago(void) { return rs_clock_wall_ns() - 5000000000u; }

/* What a look tells, in the arena. */
static rs_spans look(rs_open_teller *t, respan_client *c, uint64_t now, rs_arena *arena) {
    rs_spans spans;
    rs_buf scope_spans, resource_spans, body;
    unsigned n = rs_open_teller_look(t, &c->ring, now);
    rs_buf_init(&scope_spans);
    rs_buf_init(&resource_spans);
    rs_buf_init(&body);
    rs_buf_str(&scope_spans, rs_buf_slice(&t->frames));
    rs_pb_bytes(&resource_spans, 2, rs_buf_slice(&scope_spans));
    rs_pb_bytes(&body, 1, rs_buf_slice(&resource_spans));
    rs_str copy = rs_arena_copy(arena, rs_buf_slice(&body));
    assert_int_equal(rs_otlp_decode_protobuf(copy, arena, &spans, NULL), RS_OK);
    assert_int_equal(spans.n, n);
    assert_int_equal(spans.rejected, 0);
    rs_buf_deinit(&scope_spans);
    rs_buf_deinit(&resource_spans);
    rs_buf_deinit(&body);
    return spans;
}

static rs_str text_of(const rs_span *s, rs_str key) {
    const rs_attr *a = rs_attrs_find(&s->attrs, key);
    return a && a->value.type == RS_VALUE_STRING ? a->value.s : (rs_str){0};
}

/* ---- what is told, and when ---------------------------------------------------------------------------- */

static void once_then_when_it_changes(void **state) {
    (void)state;
    rs_open_teller t;
    rs_arena arena;
    respan_client *c = quiet_client();
    uint64_t now = rs_clock_mono_ns(), second = 1000000000;
    rs_arena_init(&arena, 0);
    rs_open_teller_init(&t, false);
    respan_span *young = respan_span_start(c, RESPAN_TEXT("young"), NULL, 0);
    respan_span *s = respan_span_start(c, RESPAN_TEXT("long"), NULL, long_ago());
    respan_span_context at = respan_span_get_context(s);
    respan_span *inner = respan_span_start(c, RESPAN_TEXT("inner"), &at, long_ago());
    respan_span_set_string(s, RESPAN_TEXT("input"), RESPAN_TEXT("so far"));

    rs_spans told = look(&t, c, now, &arena);
    assert_int_equal(told.n, 2); /* by slot */
    const rs_span *first = rs_str_eq(told.items[0].name, RS_STR("long")) ? &told.items[0] : &told.items[1];
    const rs_span *second_one = first == &told.items[0] ? &told.items[1] : &told.items[0];
    assert_true(rs_str_eq(text_of(first, RS_STR("input")), RS_STR("so far")));
    assert_int_equal(first->end_ns, 0);
    assert_memory_equal(first->span_id, at.span_id, 8);
    assert_true(second_one->has_parent);
    assert_memory_equal(second_one->parent_id, at.span_id, 8);

    assert_int_equal(look(&t, c, now + second / 2, &arena).n, 0);
    respan_span_set_string(s, RESPAN_TEXT("more"), RESPAN_TEXT("of it"));
    assert_int_equal(look(&t, c, now + second / 2, &arena).n, 0); /* not so soon */
    told = look(&t, c, now + 2 * second, &arena);
    assert_int_equal(told.n, 1);
    assert_true(rs_str_eq(text_of(&told.items[0], RS_STR("more")), RS_STR("of it")));

    /* The others are said to be open still, without what is known. */
    told = look(&t, c, now + 11 * second, &arena);
    assert_int_equal(told.n, 1);
    assert_int_equal(told.items[0].name.n + told.items[0].attrs.n, 0);
    assert_memory_equal(told.items[0].span_id, second_one->span_id, 8);
    rs_open_teller_forget(&t, now + 12 * second);
    told = look(&t, c, now + 12 * second, &arena);
    assert_int_equal(told.n, 2);
    assert_true(told.items[0].name.n && told.items[1].name.n);

    respan_span_end(s, 0);
    told = look(&t, c, now + 60 * second, &arena);
    for (size_t i = 0; i < told.n; i++) assert_memory_not_equal(told.items[i].span_id, at.span_id, 8);
    respan_span_end(inner, 0);
    respan_span_end(young, 0);
    assert_int_equal(look(&t, c, now + 120 * second, &arena).n, 0);
    rs_open_teller_deinit(&t);
    rs_arena_deinit(&arena);
    close_client(c);
}

static void not_what_nobody_is_to_see(void **state) {
    (void)state;
    rs_open_teller t;
    rs_arena arena;
    rs_arena_init(&arena, 0);
    rs_open_teller_init(&t, false);
    setenv("OTEL_TRACES_SAMPLER", "always_off", 1);
    respan_client *c = quiet_client();
    unsetenv("OTEL_TRACES_SAMPLER");
    respan_span *s = respan_span_start(c, RESPAN_TEXT("not sampled"), NULL, long_ago());
    assert_int_equal(look(&t, c, rs_clock_mono_ns(), &arena).n, 0);
    respan_span_end(s, 0);
    close_client(c);

    c = quiet_client();
    s = respan_span_start(c, RESPAN_TEXT("withheld"), NULL, long_ago());
    respan_span_withhold(s);
    respan_span_set_string(s, RESPAN_TEXT("input"), RESPAN_TEXT("secret"));
    respan_span *masked = respan_span_start(c, RESPAN_TEXT("masked"), NULL, long_ago());
    respan_span_set_string(masked, RESPAN_TEXT("input"), RESPAN_TEXT("AKIAIOSFODNN7EXAMPLE is my key"));
    t.from = NULL;
    rs_spans told = look(&t, c, rs_clock_mono_ns(), &arena);
    assert_int_equal(told.n, 1);
    assert_true(rs_str_eq(told.items[0].name, RS_STR("masked")));
    assert_null(strstr(rs_arena_copy(&arena, text_of(&told.items[0], RS_STR("input"))).p, "IOSFODNN7"));
    respan_span_end(s, 0);
    respan_span_end(masked, 0);
    rs_open_teller_deinit(&t);
    rs_arena_deinit(&arena);
    close_client(c);
}

static void of_a_very_large_one_what_is_small(void **state) {
    (void)state;
    rs_open_teller t;
    rs_arena arena;
    respan_client *c = quiet_client();
    rs_arena_init(&arena, 0);
    rs_open_teller_init(&t, false);
    char *text = calloc(1, OPEN_SPAN_MAX);
    memset(text, 'x', OPEN_SPAN_MAX);
    respan_span *s = respan_span_start(c, RESPAN_TEXT("large"), NULL, long_ago());
    respan_span_set_string(s, RESPAN_TEXT("input"), text, OPEN_SPAN_MAX);
    respan_span_set_string(s, RESPAN_TEXT("small"), RESPAN_TEXT("is told"));
    rs_spans told = look(&t, c, rs_clock_mono_ns(), &arena);
    assert_int_equal(told.n, 1);
    assert_int_equal(text_of(&told.items[0], RS_STR("input")).n, 0);
    assert_true(rs_str_eq(text_of(&told.items[0], RS_STR("small")), RS_STR("is told")));
    respan_span_end(s, 0);
    free(text);
    rs_open_teller_deinit(&t);
    rs_arena_deinit(&arena);
    close_client(c);
}

/* ---- while others write -------------------------------------------------------------------------------- */

typedef struct writer {
    respan_client *client;
    pthread_t thread;
    char mark; /* all that its spans say is made of it */
    bool *stop;
} writer;

static void *write_on(void *arg) {
    writer *w = arg;
    char text[LARGE];
    memset(text, w->mark, sizeof text);
    for (unsigned i = 0; !__atomic_load_n(w->stop, __ATOMIC_RELAXED); i++) {
        respan_span *s = respan_span_start(w->client, text, 8, NULL, long_ago());
        for (unsigned k = 0; k < i % 7; k++) {
            char key[] = {'k', (char)('0' + k)};
            respan_span_set_string(s, key, sizeof key, text, 1 + i * 37 % 300);
        }
        if (i % 50 == 0) respan_span_set_string(s, RESPAN_TEXT("large"), text, sizeof text);
        if (i % 11 == 0) respan_span_discard(s);
        else respan_span_end(s, 0);
    }
    return NULL;
}

static bool is_made_of(rs_str s, char mark) {
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != mark) return false;
    return true;
}

static void each_is_one_that_was(void **state) {
    (void)state;
    enum { WRITERS = 4, WANTED = IS_SANITIZED ? 5000 : 60000 };
    respan_client *c = quiet_client();
    rs_open_teller t;
    bool stop = false;
    writer writers[WRITERS];
    rs_open_teller_init(&t, false);
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (writer){.client = c, .mark = (char)('A' + i), .stop = &stop};
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_on, &writers[i]), 0);
    }
    uint64_t now = rs_clock_mono_ns();
    for (size_t seen = 0; seen < WANTED;) {
        rs_arena arena;
        rs_arena_init(&arena, 0);
        t.epoch++;
        rs_spans told = look(&t, c, now, &arena);
        for (size_t i = 0; i < told.n; i++) {
            const rs_span *s = &told.items[i];
            assert_int_equal(s->name.n, 8);
            assert_true(is_made_of(s->name, s->name.p[0]) && s->name.p[0] >= 'A' &&
                        s->name.p[0] < 'A' + WRITERS);
            for (uint32_t k = 0; k < s->attrs.n; k++)
                assert_true(is_made_of(s->attrs.items[k].value.s, s->name.p[0]));
            seen++;
        }
        rs_arena_deinit(&arena);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < WRITERS; i++) pthread_join(writers[i].thread, NULL);
    rs_open_teller_deinit(&t);
    close_client(c);
}

/* ---- who waits for it ---------------------------------------------------------------------------------- */

static bool at_the_fourth(void *asked) { return ++*(int *)asked == 4; }

/* The time that it has is longer than a test may take. */
static void a_post_gives_way(void **state) {
    (void)state;
    static const fake_answer hang = {.kind = FAKE_HANG};
    fake_http *f = fake_http_start(&hang, 1);
    rs_http_client *http = rs_http_client_new();
    int asked = 0;
    rs_http_request request = {.url = fake_http_url(f),
                               .body = RS_STR("body"),
                               .timeout_ms = 3600000,
                               .direct = true,
                               .gives_way = at_the_fourth,
                               .ctx = &asked};
    rs_http_answer answer = {0};
    rs_http_client_post(http, &request, &answer);
    assert_int_equal(answer.status, 0);
    assert_int_equal(asked, 4);
    assert_false(answer.cancelled);
    rs_buf_deinit(&answer.body);
    rs_http_client_free(http);
    fake_http_stop(f);
}

static bool is_to(const fake_request *r, const char *path) {
    return strncmp(r->head, path, strlen(path)) == 0;
}

/* A server that never answers what it does not know. */
static void ended_spans_come_past_one_that_hangs(void **state) {
    (void)state;
    static const fake_answer script[] = {{.kind = FAKE_HANG}, {.status = 200}};
    fake_http *f = fake_http_start(script, 2);
    respan_client *c = spool_client(fake_http_url(f), 8 << 20);
    respan_span *s = respan_span_start(c, RESPAN_TEXT("long"), NULL, long_ago());
    while (fake_http_count(f) == 0) usleep(1000);
    assert_true(is_to(fake_http_request(f, 0), "POST /api/v2/open "));
    assert_int_equal(fake_http_request(f, 0)->body.n, 0);
    respan_span_end(s, 0);
    assert_int_equal(respan_client_flush(c, 60000), RESPAN_OK);
    assert_true(is_to(fake_http_request(f, 1), "POST /api/v2/traces "));
    assert_int_equal(respan_client_close(c, 60000, NULL), RESPAN_OK);
    fake_http_stop(f);
}

/* What a post of open spans gives way to. */
static void a_batch_that_waits_is_due(void **state) {
    (void)state;
    respan_client *c = quiet_client();
    assert_false(rs_ring_is_due(&c->ring));
    for (int i = 0; i < 2; i++) { /* the first is taken, and nobody takes it in */
        respan_span_end(respan_span_start(c, RESPAN_TEXT("s"), NULL, 0), 0);
        rs_ring_counts counts;
        for (bool taken = false; i == 0 && !taken; usleep(1000)) {
            rs_ring_lock(&c->ring);
            taken = c->ring.taken != NULL;
            rs_ring_unlock(&c->ring);
        }
        rs_ring_count(&c->ring, &counts);
        assert_int_equal(rs_ring_pending(&counts), i + 1);
    }
    while (!rs_ring_is_due(&c->ring)) usleep(1000);
    assert_false(rs_ring_is_hurried(&c->ring));
    close_client(c);
}

int main(void) {
    spool_begin();
    unsetenv("RESPAN_OPEN_SPANS");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(once_then_when_it_changes, spool_remove_files),
        cmocka_unit_test_teardown(not_what_nobody_is_to_see, spool_remove_files),
        cmocka_unit_test_teardown(of_a_very_large_one_what_is_small, spool_remove_files),
        cmocka_unit_test_teardown(each_is_one_that_was, spool_remove_files),
        cmocka_unit_test(a_post_gives_way),
        cmocka_unit_test_teardown(a_batch_that_waits_is_due, spool_remove_files),
        cmocka_unit_test_teardown(ended_spans_come_past_one_that_hangs, spool_remove_files),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    spool_end();
    return failed;
}
