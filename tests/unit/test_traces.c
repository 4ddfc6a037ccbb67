/* Lists over a store of hand-made rows: order, pages by number and by cursor in both directions, counts, steps, the budget, tags and
 * their verification. The store's reading functions are replaced by ones over an array. */
#include "query/spans.h"
#include "query/traces.h"
#include "query/walk.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- the store ----------------------------------------------------------------------------------------- */

static struct {
    rs_trace_row *rows;       /* by key, ascending */
    size_t n, scans, longest; /* longest: rows handed out by one scan */
    const char *other_model;  /* a model that a second span of each trace has */
    bool bursts;              /* time says nothing of how many traces there are */
} world;

static bool has_tag(const rs_trace_row *row, const rs_tag *tag) {
    if (rs_str_eq(tag->key, RS_STR("environment"))) return rs_str_eq(row->environment, tag->value);
    if (rs_str_eq(tag->key, RS_STR("model")))
        return rs_str_eq(row->model, tag->value) ||
               (world.other_model && rs_str_eq(rs_str_of(world.other_model), tag->value));
    return true;
}

static bool in_scan(const rs_trace_scan *scan, const rs_trace_row *row) {
    if (scan->has_after && (scan->oldest_first ? row->key <= scan->after : row->key >= scan->after))
        return false;
    if (row->start_ns < scan->start_min_ns || (scan->start_max_ns && row->start_ns >= scan->start_max_ns))
        return false;
    for (size_t g = 0; g < scan->ngroups; g++) {
        bool any = false;
        for (size_t i = 0; i < scan->groups[g].n; i++)
            any |= has_tag(row, &scan->tags[scan->groups[g].items[i]]);
        if (!any) return false;
    }
    return true;
}

rs_status rs_store_scan_traces(rs_store *s, uint64_t project, const rs_trace_scan *scan, rs_trace_fn fn,
                               void *ctx, rs_err *err) {
    (void)s, (void)project, (void)err;
    rs_trace_scan copy = *scan; /* the caller moves `after` while the scan runs */
    size_t given = 0;
    world.scans++;
    for (size_t i = 0; i < world.n; i++) {
        const rs_trace_row *row = &world.rows[copy.oldest_first ? i : world.n - 1 - i];
        if (!in_scan(&copy, row)) continue;
        given++;
        uint64_t tags[RS_SCAN_TAGS_MAX / 64 + 1] = {0};
        rs_trace_row handed = copy.keys_only ? (rs_trace_row){.key = row->key} : *row;
        for (size_t t = 0; t < copy.ntags; t++)
            if (has_tag(row, &copy.tags[t])) tags[t / 64] |= 1ull << t % 64;
        handed.tags = tags;
        if (!fn(ctx, &handed)) break;
    }
    if (given > world.longest) world.longest = given;
    return RS_OK;
}

rs_status rs_store_estimate_traces(rs_store *s, uint64_t project, const rs_store_range *keys, double *out,
                                   rs_err *err) {
    (void)s, (void)project, (void)err;
    *out = 0;
    for (size_t i = 0; i < world.n && !world.bursts; i++)
        *out += world.rows[i].key >= keys->low && world.rows[i].key <= keys->high;
    return RS_OK;
}

/* Exact where it is exact: few, or with one tag alone, and no window. */
rs_status rs_store_count_traces(rs_store *s, uint64_t project, rs_trace_count *c, rs_err *err) {
    (void)s, (void)project, (void)err;
    rs_trace_scan as = {.tags = c->tags, .ntags = c->ntags, .groups = c->groups, .ngroups = c->ngroups};
    as.start_min_ns = c->start_min_ns;
    as.start_max_ns = c->start_max_ns;
    size_t n = 0, at = 0;
    for (size_t i = 0; i < world.n; i++) n += in_scan(&as, &world.rows[i]);
    c->count = (double)n;
    c->is_exact = !c->start_min_ns && !c->start_max_ns && (n <= RS_COUNT_EXACT || c->ngroups < 2);
    c->nplaces = 0;
    for (size_t i = world.n; i-- > 0;) {
        if (!in_scan(&as, &world.rows[i])) continue;
        if (c->nplaces < RS_COUNT_PLACES && at++ == n * (2 * c->nplaces + 1) / (2 * RS_COUNT_PLACES))
            c->places[c->nplaces++] = world.rows[i].key;
    }
    if (world.bursts) c->count = 0;
    return RS_OK;
}

/* What spans say is the output of the trace's row, and no filter rules anything out. */
rs_status rs_store_scan_text(rs_store *s, uint64_t project, rs_text_scan *scan, rs_trace_fn fn, void *ctx,
                             rs_err *err) {
    (void)s, (void)project, (void)err;
    rs_trace_scan as = {.oldest_first = scan->oldest_first,
                        .has_after = scan->has_after,
                        .after = scan->after,
                        .start_min_ns = scan->start_min_ns,
                        .start_max_ns = scan->start_max_ns};
    scan->complete = true;
    for (size_t i = 0; i < world.n; i++) {
        const rs_trace_row *row = &world.rows[scan->oldest_first ? i : world.n - 1 - i];
        if (!in_scan(&as, row) || !rs_phrase_is_in(scan->phrase, row->output)) continue;
        scan->complete = fn(ctx, row);
        scan->has_after = true;
        scan->after = row->key;
        if (!scan->complete) break;
    }
    return RS_OK;
}

rs_status rs_store_trace_may_say(rs_store *s, uint64_t project, const uint8_t id[16],
                                 const rs_phrase *const *phrases, size_t n, bool *may, rs_err *err) {
    (void)s, (void)project, (void)id, (void)phrases, (void)err;
    for (size_t i = 0; i < n; i++) may[i] = true;
    return RS_OK;
}

rs_status rs_store_sample_text(rs_store *s, uint64_t project, const rs_phrase *const *phrases, size_t n,
                               unsigned *counts, rs_err *err) {
    (void)s, (void)project, (void)phrases, (void)err;
    for (size_t i = 0; i < n; i++) counts[i] = 0;
    return RS_OK;
}

rs_status rs_store_get_trace(rs_store *s, uint64_t project, const uint8_t id[16], rs_trace_fn fn, void *ctx,
                             rs_err *err) {
    (void)s, (void)project;
    for (size_t i = 0; i < world.n; i++)
        if (memcmp(world.rows[i].trace_id, id, 16) == 0) return fn(ctx, &world.rows[i]), RS_OK;
    return rs_fail(err, RS_ERR_NOT_FOUND, 0, "no such trace");
}

rs_status rs_store_get_stats(rs_store *s, uint64_t project, rs_store_stats *out, rs_err *err) {
    (void)s, (void)project, (void)err;
    *out = (rs_store_stats){.traces = world.n, .spans = world.n};
    return RS_OK;
}

rs_status rs_store_read_trace(rs_store *s, uint64_t project, const uint8_t id[16], rs_read_depth depth,
                              rs_arena *arena, rs_spans *out, rs_err *err) {
    (void)s, (void)project, (void)id, (void)depth, (void)err;
    *out = (rs_spans){.items = rs_arena_zalloc(arena, 2, sizeof(rs_span)), .n = 2};
    out->items[0].facts.model = RS_STR("none of them");
    out->items[1].facts.model = rs_str_of(world.other_model);
    return RS_OK;
}

rs_status rs_store_read_span(rs_store *s, uint64_t project, const uint8_t *trace_id, const uint8_t span_id[8],
                             rs_arena *arena, rs_span *out, rs_err *err) {
    (void)s, (void)project, (void)trace_id, (void)span_id, (void)arena, (void)out;
    return rs_fail(err, RS_ERR_NOT_FOUND, 0, "no such span");
}

/* Spans: one per row, its key the row's. */
rs_status rs_store_scan_spans(rs_store *s, uint64_t project, const rs_span_scan *scan, rs_span_fn fn,
                              void *ctx, rs_err *err) {
    (void)s, (void)project, (void)err;
    rs_span_scan copy = *scan;
    size_t given = 0;
    for (size_t i = world.n; i-- > 0;) {
        const rs_trace_row *row = &world.rows[i];
        rs_span span = {.name = row->name, .start_ns = row->start_ns, .end_ns = row->end_ns};
        span.facts.environment = row->environment;
        if (copy.has_before && row->key >= copy.before) continue;
        if (row->start_ns < copy.start_min_ns || (copy.start_max_ns && row->start_ns >= copy.start_max_ns))
            continue;
        given++;
        if (!fn(ctx, row->key, &span)) break;
    }
    if (given > world.longest) world.longest = given;
    return RS_OK;
}

static void make_world(size_t n) {
    free(world.rows);
    memset(&world, 0, sizeof world);
    world.rows = calloc(n + 100, sizeof *world.rows);
    assert_non_null(world.rows);
    for (world.n = 0; world.n < n; world.n++) {
        size_t i = world.n;
        uint64_t id = i + 1;
        rs_trace_row *row = &world.rows[i];
        *row = (rs_trace_row){.key = (int64_t)(10 * i),
                              .start_ns = (100000 + i) * 1000000000ull,
                              .end_ns = (100000 + i) * 1000000000ull + i % 7 * 1000000000ull,
                              .span_count = (uint32_t)(i % 10),
                              .prompt_tokens = i % 3 ? (int64_t)(i * 7919 % 1000) : -1,
                              .completion_tokens = -1,
                              .cost = NAN,
                              .environment = i % 2 ? RS_STR("production") : RS_STR("staging"),
                              .model = RS_STR("small"),
                              .name = RS_STR("work")};
        memcpy(row->trace_id, &id, sizeof id);
    }
}

static int drop_world(void **state) {
    (void)state;
    free(world.rows);
    world.rows = NULL;
    return 0;
}

/* ---- asking -------------------------------------------------------------------------------------------- */

typedef struct answer {
    rs_arena arena;
    rs_list list;
    rs_trace_page page;
} answer;

/* parameters: name, value, name, value, …, NULL */
static void ask_with(answer *a, const rs_cursor *cursor, uint32_t scan_max, const char *const *parameters) {
    rs_err err = {0};
    rs_arena_init(&a->arena, 0);
    rs_list_init(&a->list, &rs_trace_fields);
    if (scan_max) a->list.scan_max = scan_max;
    for (; *parameters; parameters += 2)
        assert_int_equal(
            rs_list_set(&a->list, rs_str_of(parameters[0]), rs_str_of(parameters[1]), &a->arena, &err),
            RS_OK);
    if (cursor) a->list.has_cursor = true, a->list.cursor = *cursor;
    rs_status st = rs_traces_list(NULL, 1, &a->list, &a->arena, &a->page, &err);
    if (st != RS_OK) fail_msg("%s", err.message);
}
#define ASK(a, cursor, ...) ask_with(a, cursor, 0, (const char *const[]){__VA_ARGS__, NULL})

static void assert_keys(const answer *a, const int64_t *keys, size_t n) {
    assert_int_equal(a->page.n, n);
    for (size_t i = 0; i < n; i++) assert_int_equal(a->page.rows[i].key, keys[i]);
}
#define ASSERT_KEYS(a, ...)                                                                                  \
    assert_keys(a, (const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static void test_newest_first(void **state) {
    (void)state;
    make_world(10);
    answer a;
    ASK(&a, NULL, "page_size", "3");
    ASSERT_KEYS(&a, 90, 80, 70);
    assert_int_equal(a.page.count, 10);
    assert_true(a.page.counted && a.page.has_next && !a.page.has_previous);
    rs_arena_deinit(&a.arena);
    ASK(&a, NULL, "page_size", "3", "page", "4");
    ASSERT_KEYS(&a, 0);
    assert_true(!a.page.has_next && a.page.has_previous);
    rs_cursor back = a.page.previous;
    rs_arena_deinit(&a.arena);
    ASK(&a, &back, "page_size", "3");
    ASSERT_KEYS(&a, 30, 20, 10);
    assert_true(a.page.has_next && a.page.has_previous);
    rs_arena_deinit(&a.arena);
    ASK(&a, NULL, "page_size", "3", "page", "5");
    assert_int_equal(a.page.n, 0);
    assert_int_equal(a.page.count, 10);
    rs_arena_deinit(&a.arena);
    ASK(&a, NULL, "page_size", "4", "sort_by", "start_time");
    ASSERT_KEYS(&a, 0, 10, 20, 30);
    rs_arena_deinit(&a.arena);
}

/* Follows `next` to the end, then `previous` to the start: each row once, in the same order both ways. */
static void walk_all(const char *sort_by, size_t expected, const char *environment) {
    static int64_t seen[20000];
    size_t n = 0;
    answer a;
    rs_cursor cursor = {0};
    bool go = true, first = true;
    for (; go; first = false) {
        ASK(&a, first ? NULL : &cursor, "page_size", "7", "sort_by", sort_by, "environment", environment);
        assert_int_equal(a.page.count, expected);
        for (size_t i = 0; i < a.page.n; i++) seen[n++] = a.page.rows[i].key;
        go = a.page.has_next;
        cursor = go ? a.page.next : a.page.previous;
        if (go) rs_arena_deinit(&a.arena);
    }
    assert_int_equal(n, expected);
    size_t at = n - a.page.n;
    bool more = a.page.has_previous;
    rs_arena_deinit(&a.arena);
    while (more) {
        ASK(&a, &cursor, "page_size", "7", "sort_by", sort_by, "environment", environment);
        at -= a.page.n;
        for (size_t i = 0; i < a.page.n; i++) assert_int_equal(a.page.rows[i].key, seen[at + i]);
        assert_true(a.page.has_next);
        more = a.page.has_previous;
        cursor = a.page.previous;
        rs_arena_deinit(&a.arena);
    }
    assert_int_equal(at, 0);
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++) sum += seen[i];
    assert_int_equal(sum, 10 * (int64_t)(n * (n - 1)) +
                              (strcmp(environment, "production") == 0 ? 10 * (int64_t)n : 0));
}

static void test_every_order_both_ways(void **state) {
    (void)state;
    make_world(200);
    const char *orders[] = {"-start_time",   "start_time", "duration",    "-duration",   "total_tokens",
                            "-total_tokens", "span_count", "-span_count", "error_count", "-total_cost"};
    for (size_t i = 0; i < RS_ARRAY_LEN(orders); i++)
        walk_all(orders[i], 100, i % 2 ? "production" : "staging");
}

static void test_sorted_values_unknown_last(void **state) {
    (void)state;
    make_world(50);
    answer a;
    ASK(&a, NULL, "page_size", "50", "sort_by", "-total_tokens");
    for (size_t i = 1; i < a.page.n; i++)
        assert_true(a.page.rows[i - 1].prompt_tokens >= a.page.rows[i].prompt_tokens);
    assert_int_equal(a.page.rows[49].prompt_tokens, -1);
    rs_arena_deinit(&a.arena);
}

static void test_rows_that_arrive_meanwhile(void **state) {
    (void)state;
    make_world(100);
    bool seen[100] = {0};
    answer a;
    rs_cursor cursor = {0};
    for (bool go = true, first = true; go; first = false) {
        ASK(&a, first ? NULL : &cursor, "page_size", "9");
        for (size_t i = 0; i < a.page.n; i++) {
            size_t at = (size_t)a.page.rows[i].key / 10;
            assert_true(at < 100 && !seen[at]);
            seen[at] = true;
        }
        go = a.page.has_next;
        cursor = a.page.next;
        rs_arena_deinit(&a.arena);
        world.rows[world.n] = world.rows[world.n - 1];
        world.rows[world.n].key += 10;
        world.n++;
    }
    for (size_t i = 0; i < 100; i++) assert_true(seen[i]);
}

static void test_scans_are_stepped(void **state) {
    (void)state;
    make_world(3 * RS_LIST_SCAN_STEP);
    answer a;
    ASK(&a, NULL, "span_count", "3", "page_size", "1");
    assert_true(a.page.counted && a.page.is_estimate); /* of the newest */
    assert_in_range(a.page.count, 3 * RS_LIST_SCAN_STEP / 10 - 30, 3 * RS_LIST_SCAN_STEP / 10 + 30);
    rs_arena_deinit(&a.arena);
    ASK(&a, NULL, "span_count", "3", "page_size", "1000"); /* more than one step to fill it */
    assert_int_equal(world.longest, RS_LIST_SCAN_STEP);
    rs_arena_deinit(&a.arena);
    world.bursts = true;
    ASK(&a, NULL, "span_count", "3", "page_size", "1000"); /* never less than what is shown, and one more */
    assert_true(a.page.is_estimate);
    assert_int_equal(a.page.count, 1001);
    rs_arena_deinit(&a.arena);
    world.bursts = false;
    ASK(&a, NULL, "span_count", "11", "page_size", "1"); /* all was gone through for the page */
    assert_true(a.page.counted && !a.page.is_estimate);
    assert_int_equal(a.page.count, 0);
    rs_arena_deinit(&a.arena);
}

static void test_budget(void **state) {
    (void)state;
    make_world(1000);
    size_t found = 0, pages = 0;
    rs_cursor cursor = {0};
    answer a;
    const char *parameters[] = {"span_count", "3", "page_size", "1000", NULL};
    for (bool go = true; go; pages++) {
        ask_with(&a, pages ? &cursor : NULL, 300, parameters);
        assert_true(a.page.is_estimate);
        assert_in_range(a.page.count, 85, 115);
        found += a.page.n;
        go = a.page.has_next;
        cursor = a.page.next;
        rs_arena_deinit(&a.arena);
    }
    assert_int_equal(found, 100);
    assert_true(pages >= 4);
    rs_err err = {0};
    rs_arena_init(&a.arena, 0);
    rs_list_init(&a.list, &rs_trace_fields);
    a.list.scan_max = 300;
    assert_int_equal(rs_list_set(&a.list, RS_STR("sort_by"), RS_STR("duration"), &a.arena, NULL), RS_OK);
    assert_int_equal(rs_traces_list(NULL, 1, &a.list, &a.arena, &a.page, &err), RS_ERR_INVALID);
    assert_string_equal(a.list.bad_field, "sort_by");
    rs_arena_deinit(&a.arena);
}

static bool count_row(void *ctx, int64_t key, const void *row) {
    (void)key, (void)row;
    ++*(size_t *)ctx;
    return true;
}

/* Whatever is asked of their texts: a walk whose time is over looks into the spans of one trace more, and goes on behind it. */
static void test_spans_are_read_for_so_long(void **state) {
    (void)state;
    make_world(50);
    world.other_model = "wanted";
    rs_arena arena;
    rs_list list;
    rs_walk walk;
    rs_err err = {0};
    size_t found = 0, runs = 0;
    rs_arena_init(&arena, 0);
    rs_list_init(&list, &rs_trace_fields);
    assert_int_equal(rs_list_set(&list, RS_STR("q"), RS_STR("span(model~want)"), &arena, &err), RS_OK);
    assert_int_equal(rs_walk_init(&walk, NULL, 1, &list, &arena, &err), RS_OK);
    walk.cpu_until_ns = 1;
    for (walk.left = 100000; !walk.complete && runs < 1000; runs++)
        assert_int_equal(rs_walk_run(&walk, count_row, &found, &err), RS_OK);
    assert_int_equal(found, 50);
    assert_in_range(runs, 50, 51);
    rs_arena_deinit(&arena);
}

static void test_time_range(void **state) {
    (void)state;
    make_world(50);
    answer a;
    ASK(&a, NULL, "start_time", "100010", "end_time", "100013");
    ASSERT_KEYS(&a, 120, 110, 100);
    assert_int_equal(a.page.count, 3);
    rs_arena_deinit(&a.arena);
    ASK(&a, NULL, "start_time", "100010", "end_time", "100013", "page_size", "1");
    assert_int_equal(a.page.count, 3);
    rs_arena_deinit(&a.arena);
}

static void test_tags_are_verified(void **state) {
    (void)state;
    make_world(20);
    answer a;
    ASK(&a, NULL, "respan.model.dtype", "stale"); /* the tag says so, no span does */
    assert_int_equal(a.page.n, 0);
    assert_int_equal(a.page.count, 0);
    rs_arena_deinit(&a.arena);
    world.other_model = "large";
    ASK(&a, NULL, "model", "large"); /* not the row's, but a span's */
    assert_int_equal(a.page.n, 20);
    rs_arena_deinit(&a.arena);
    ASK(&a, NULL, "model", "large", "environment", "staging");
    assert_int_equal(a.page.n, 10);
    rs_arena_deinit(&a.arena);
}

static void test_too_deep_a_page(void **state) {
    (void)state;
    make_world(1);
    rs_err err = {0};
    answer a;
    rs_arena_init(&a.arena, 0);
    rs_list_init(&a.list, &rs_trace_fields);
    a.list.page = UINT32_MAX;
    assert_int_equal(rs_traces_list(NULL, 1, &a.list, &a.arena, &a.page, &err), RS_ERR_INVALID);
    assert_string_equal(a.list.bad_field, "page");
    rs_arena_deinit(&a.arena);
}

/* ---- spans --------------------------------------------------------------------------------------------- */

typedef struct keys {
    int64_t items[2000];
    size_t n;
} keys;

static bool keep_key(void *ctx, int64_t key, const rs_span *span) {
    (void)span;
    keys *k = ctx;
    k->items[k->n++] = key;
    return true;
}

static void ask_spans(keys *k, rs_span_page *page, const rs_cursor *cursor, const char *const *parameters) {
    rs_err err = {0};
    rs_arena arena;
    rs_list list;
    rs_arena_init(&arena, 0);
    rs_list_init(&list, &rs_span_fields);
    for (; *parameters; parameters += 2)
        assert_int_equal(rs_list_set(&list, rs_str_of(parameters[0]), rs_str_of(parameters[1]), &arena, &err),
                         RS_OK);
    if (cursor) list.has_cursor = true, list.cursor = *cursor;
    k->n = 0;
    assert_int_equal(rs_spans_list(NULL, 1, &list, &arena, keep_key, k, page, &err), RS_OK);
    rs_arena_deinit(&arena);
}

static void test_spans_both_ways(void **state) {
    (void)state;
    make_world(100);
    keys k;
    rs_span_page page;
    rs_cursor cursor = {0};
    int64_t expected = 990;
    const char *parameters[] = {"page_size", "7", "environment", "production", NULL};
    for (bool go = true, first = true; go; first = false) {
        ask_spans(&k, &page, first ? NULL : &cursor, parameters);
        assert_int_equal(page.count, 50);
        for (size_t i = 0; i < k.n; i++, expected -= 20) assert_int_equal(k.items[i], expected);
        go = page.has_next;
        cursor = page.next;
    }
    assert_int_equal(expected, -10);
    for (bool go = page.has_previous; go; go = page.has_previous) {
        cursor = page.previous;
        ask_spans(&k, &page, &cursor, parameters);
        assert_int_equal(k.n, 7);
        assert_int_equal(k.items[6], cursor.key + 20);
    }
    assert_int_equal(k.items[0], 990);
    const char *second[] = {"page_size", "7", "page", "2", NULL};
    ask_spans(&k, &page, NULL, second);
    assert_int_equal(k.items[0], 920);
    assert_int_equal(page.count, 100);
    assert_true(page.has_previous);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_newest_first),
        cmocka_unit_test(test_every_order_both_ways),
        cmocka_unit_test(test_sorted_values_unknown_last),
        cmocka_unit_test(test_rows_that_arrive_meanwhile),
        cmocka_unit_test(test_scans_are_stepped),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_spans_are_read_for_so_long),
        cmocka_unit_test(test_time_range),
        cmocka_unit_test(test_tags_are_verified),
        cmocka_unit_test(test_too_deep_a_page),
        cmocka_unit_test(test_spans_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, drop_world);
}
