/* The server's table of open spans: what goes when, and how much it holds. */
#include "server/open_table.h"

#include "base/clock.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const rs_resource no_resource;
static const rs_scope no_scope;
static const uint64_t second = 1000000000;
static rs_open_news news;

static rs_span span_of(uint8_t trace, uint16_t number, rs_str name) {
    rs_span s = {.resource = &no_resource, .scope = &no_scope, .name = name, .start_ns = 1000 + number};
    memset(s.trace_id, trace, sizeof s.trace_id);
    memset(s.span_id, 0xee, sizeof s.span_id);
    memcpy(s.span_id, &number, sizeof number);
    return s;
}

static rs_open_table *new_table(void **state) {
    (void)state;
    rs_open_table *t;
    assert_int_equal(rs_open_table_new(&t, NULL), RS_OK);
    return t;
}

static size_t count(rs_open_table *t, uint64_t project, uint8_t trace) {
    rs_arena arena;
    rs_spans spans;
    rs_span any = span_of(trace, 0, RS_STR(""));
    rs_arena_init(&arena, 0);
    assert_int_equal(rs_open_table_read(t, project, any.trace_id, &arena, &spans, NULL), RS_OK);
    for (size_t i = 0; i < spans.n; i++) assert_true(spans.items[i].running);
    size_t n = spans.n;
    rs_arena_deinit(&arena);
    return n;
}

static void it_is_there_until_it_ends(void **state) {
    rs_open_table *t = new_table(state);
    uint64_t now = rs_clock_mono_ns();
    rs_span a = span_of(1, 1, RS_STR("a")), b = span_of(1, 2, RS_STR("b"));
    assert_true(rs_open_table_is_empty(t));
    assert_int_equal(rs_open_table_put(t, 7, &a, "", now, &news), RS_OK);
    assert_int_equal(rs_open_table_put(t, 7, &b, "prod", now, &news), RS_OK);
    a.name = RS_STR("another name");
    assert_int_equal(rs_open_table_put(t, 7, &a, "", now, &news), RS_OK);
    assert_int_equal(count(t, 7, 1), 2);
    assert_int_equal(count(t, 8, 1), 0);

    rs_arena arena;
    rs_span got;
    rs_arena_init(&arena, 0);
    assert_int_equal(rs_open_table_read_span(t, 7, NULL, a.span_id, &arena, &got, NULL), RS_OK);
    assert_true(rs_str_eq(got.name, RS_STR("another name")));
    assert_int_equal(rs_open_table_read_span(t, 7, a.trace_id, b.span_id, &arena, &got, NULL), RS_OK);
    assert_true(rs_str_eq(got.facts.environment, RS_STR("prod")));
    assert_int_equal(rs_open_table_read_span(t, 8, NULL, a.span_id, &arena, &got, NULL), RS_ERR_NOT_FOUND);
    rs_arena_deinit(&arena);

    rs_store_batch other = {.project = 8, .spans = &a, .n = 1}, own = {.project = 7, .spans = &a, .n = 1};
    rs_open_table_ended(t, &other);
    assert_int_equal(count(t, 7, 1), 2);
    rs_open_table_ended(t, &own);
    rs_open_table_ended(t, &own);
    assert_int_equal(count(t, 7, 1), 1);
    a.end_ns = 5000;
    assert_int_equal(rs_open_table_put(t, 7, &a, "", now, &news), RS_ERR_INVALID);
    rs_open_table_forget_project(t, 8);
    assert_int_equal(count(t, 7, 1), 1);
    rs_open_table_forget_project(t, 7);
    assert_true(rs_open_table_is_empty(t));
    rs_open_table_free(t);
}

static void it_goes_when_nobody_speaks_of_it(void **state) {
    rs_open_table *t = new_table(state);
    rs_open_trace gone[4];
    uint64_t now = rs_clock_mono_ns(), later = now + RS_OPEN_TTL_S * second;
    rs_span a = span_of(1, 1, RS_STR("a")), b = span_of(2, 2, RS_STR("b"));
    assert_int_equal(rs_open_table_put(t, 7, &a, "", now, &news), RS_OK);
    assert_int_equal(rs_open_table_put(t, 7, &b, "", now, &news), RS_OK);
    b.name = (rs_str){0};
    assert_int_equal(rs_open_table_put(t, 7, &b, "", now + second, &news), RS_OK);
    assert_int_equal(rs_open_table_put(t, 8, &b, "", now, &news), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_open_table_expire(t, later - 1, gone, 4), 0);
    assert_int_equal(rs_open_table_expire(t, later, gone, 4), 1);
    assert_int_equal(gone[0].project, 7);
    assert_memory_equal(gone[0].trace_id, a.trace_id, 16);
    assert_int_equal(rs_open_table_expire(t, later + second, NULL, 0), 0);
    assert_true(rs_open_table_is_empty(t));
    rs_open_table_free(t);
}

/* One call takes out as much as it can tell of, the next goes on. */
static void what_goes_is_told_of_in_parts(void **state) {
    rs_open_table *t = new_table(state);
    rs_open_trace gone[4];
    uint64_t now = rs_clock_mono_ns(), later = now + RS_OPEN_TTL_S * second;
    for (uint8_t trace = 1; trace <= 10; trace++)
        for (uint16_t n = 0; n < 3; n++) {
            rs_span s = span_of(trace, n, RS_STR("s"));
            assert_int_equal(rs_open_table_put(t, 7, &s, "", now, &news), RS_OK);
        }
    size_t told = 0;
    for (size_t n = 4; n == 4;) told += n = rs_open_table_expire(t, later, gone, 4);
    assert_true(told >= 10); /* of two in one bucket either may be told twice */
    assert_true(rs_open_table_is_empty(t));
    rs_open_table_free(t);
}

static void what_was_deleted_stays_away(void **state) {
    rs_open_table *t = new_table(state);
    uint64_t now = rs_clock_mono_ns();
    rs_span a = span_of(1, 1, RS_STR("a")), b = span_of(1, 2, RS_STR("b")), beat = span_of(1, 1, (rs_str){0});
    assert_int_equal(rs_open_table_put(t, 7, &a, "", now, &news), RS_OK);
    assert_int_equal(news, RS_OPEN_NEW);
    assert_int_equal(rs_open_table_put(t, 7, &a, "", now, &news), RS_OK);
    assert_int_equal(news, RS_OPEN_CHANGED);
    assert_int_equal(rs_open_table_put(t, 7, &beat, "", now, &news), RS_OK);
    assert_int_equal(news, RS_OPEN_NOTHING);
    assert_int_equal(rs_open_table_forget(t, 7, (const uint8_t(*)[16])a.trace_id, 1), 1);
    assert_false(rs_open_table_is_idle(t));
    uint64_t at = now + second;
    for (int i = 0; i < 5; i++, at += 20 * second) { /* as long as it is spoken of */
        rs_span *spans[] = {&a, &b, &beat};
        for (int k = 0; k < 3; k++) {
            assert_int_equal(rs_open_table_put(t, 7, spans[k], "", at, &news), RS_OK);
            assert_int_equal(news, RS_OPEN_NOTHING);
        }
        rs_open_table_expire(t, at, NULL, 0);
    }
    assert_int_equal(rs_open_table_put(t, 8, &a, "", now, &news), RS_OK);
    assert_int_equal(news, RS_OPEN_NEW);
    rs_open_table_forget_project(t, 8);
    assert_true(rs_open_table_is_empty(t));
    rs_open_table_expire(t, at + RS_OPEN_TTL_S * second, NULL, 0);
    assert_true(rs_open_table_is_idle(t));
    assert_int_equal(rs_open_table_put(t, 7, &a, "", now, &news), RS_OK);
    assert_int_equal(news, RS_OPEN_NEW);

    /* It is stored again. */
    rs_open_table_forget(t, 7, (const uint8_t(*)[16])a.trace_id, 1);
    rs_open_table_ended(t, &(rs_store_batch){.project = 7, .spans = &b, .n = 1});
    assert_int_equal(rs_open_table_put(t, 7, &a, "", now, &news), RS_OK);
    assert_int_equal(news, RS_OPEN_NEW);

    /* The last of many are known. */
    for (unsigned i = 0; i < 3 * RS_OPEN_DELETED; i++) {
        rs_span s = span_of((uint8_t)i, (uint16_t)i, RS_STR("s"));
        memcpy(s.trace_id, &i, sizeof i);
        assert_int_equal(rs_open_table_put(t, 7, &s, "", now, &news), RS_OK);
        assert_int_equal(rs_open_table_forget(t, 7, (const uint8_t(*)[16])s.trace_id, 1), 1);
        assert_int_equal(rs_open_table_put(t, 7, &s, "", now, &news), RS_OK);
        assert_int_equal(news, RS_OPEN_NOTHING);
    }
    rs_open_table_free(t);
}

static void one_project_takes_no_more_than_its_part(void **state) {
    rs_open_table *t = new_table(state);
    uint64_t now = rs_clock_mono_ns();
    size_t taken = 0;
    for (unsigned trace = 0; trace < 8; trace++)
        for (uint16_t n = 0; n < RS_OPEN_OF_TRACE + 1; n++) {
            rs_span s = span_of((uint8_t)(trace + 1), n, RS_STR("s"));
            rs_status st = rs_open_table_put(t, 7, &s, "", now, &news);
            assert_true(st == RS_OK || st == RS_ERR_FULL);
            taken += st == RS_OK;
        }
    assert_int_equal(taken, RS_OPEN_SPANS / 4);
    assert_int_equal(count(t, 7, 1), RS_OPEN_OF_TRACE);
    rs_span other = span_of(1, 1, RS_STR("other"));
    assert_int_equal(rs_open_table_put(t, 8, &other, "", now, &news), RS_OK);

    rs_arena arena;
    rs_open_trace *traces;
    size_t n;
    rs_arena_init(&arena, 0);
    assert_int_equal(rs_open_table_list(t, 7, &arena, &traces, &n, NULL), RS_OK);
    assert_int_equal(n, RS_OPEN_SPANS / 4 / RS_OPEN_OF_TRACE);
    rs_arena_deinit(&arena);
    rs_span first = span_of(1, 0, RS_STR("s"));
    assert_int_equal(rs_open_table_forget(t, 7, (const uint8_t(*)[16])first.trace_id, 1), 1);
    assert_int_equal(rs_open_table_put(t, 7, &first, "", now, &news), RS_OK);
    rs_open_table_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_there_until_it_ends),
        cmocka_unit_test(it_goes_when_nobody_speaks_of_it),
        cmocka_unit_test(what_goes_is_told_of_in_parts),
        cmocka_unit_test(what_was_deleted_stays_away),
        cmocka_unit_test(one_project_takes_no_more_than_its_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
