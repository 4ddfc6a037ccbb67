#include "store_fixture.h"

static bool same(rs_str a, rs_str b) { return rs_str_eq(a, b); }

static void check_attrs(const rs_attrs *got, const rs_attrs *want) {
    assert_int_equal(got->n, want->n);
    assert_int_equal(got->dropped, want->dropped);
    for (uint32_t i = 0; i < want->n; i++) {
        const rs_value *g = &got->items[i].value, *w = &want->items[i].value;
        assert_true(same(got->items[i].key, want->items[i].key));
        assert_int_equal(g->type, w->type);
        switch (w->type) {
        case RS_VALUE_BOOL:
            assert_int_equal(g->b, w->b);
            break;
        case RS_VALUE_INT:
            assert_true(g->i == w->i);
            break;
        case RS_VALUE_DOUBLE:
            assert_memory_equal(&g->d, &w->d, sizeof g->d);
            break;
        case RS_VALUE_EMPTY:
            break;
        default:
            assert_true(same(g->s, w->s));
        }
    }
}

static bool same_double(double a, double b) { return (isnan(a) && isnan(b)) || a == b; }

static void check_head(const rs_span *got, const rs_span *want) {
    const rs_facts *g = &got->facts, *w = &want->facts;
    assert_memory_equal(got->trace_id, want->trace_id, 16);
    assert_memory_equal(got->span_id, want->span_id, 8);
    assert_memory_equal(got->parent_id, want->parent_id, 8);
    assert_int_equal(got->has_parent, want->has_parent);
    assert_int_equal(got->kind, want->kind);
    assert_int_equal(got->status, want->status);
    assert_true(got->start_ns == want->start_ns && got->end_ns == want->end_ns);
    assert_true(same(got->name, want->name) && same(got->status_message, want->status_message));
    assert_int_equal(g->log_type, w->log_type);
    assert_int_equal(g->usage_source, w->usage_source);
    assert_int_equal(g->cost_source, w->cost_source);
    assert_true(same(g->model, w->model) && same(g->provider, w->provider) &&
                same(g->entity_name, w->entity_name));
    assert_true(same(g->workflow, w->workflow) && same(g->path, w->path) && same(g->customer, w->customer));
    assert_true(same(g->thread, w->thread) && same(g->environment, w->environment));
    assert_true(same(g->error_message, w->error_message));
    assert_true(g->prompt_tokens == w->prompt_tokens && g->completion_tokens == w->completion_tokens);
    assert_true(g->cached_tokens == w->cached_tokens && g->reasoning_tokens == w->reasoning_tokens);
    assert_true(same_double(g->cost, w->cost) && same_double(g->ttft, w->ttft));
    assert_true(same_double(g->tokens_per_second, w->tokens_per_second));
    assert_int_equal(g->interrupted, w->interrupted);
}

static void every_field_comes_back(void **state) {
    fixture *f = *state;
    static char text[5000];
    memset(text, 'x', sizeof text);
    rs_attr attrs[] = {
        {RS_STR("s"), {.type = RS_VALUE_STRING, .s = RS_STR("grüße")}},
        {RS_STR("gen_ai.prompt.0.content"), {.type = RS_VALUE_STRING, .s = RS_STR("Once upon")}},
        {RS_STR("long"), {.type = RS_VALUE_STRING, .s = {text, sizeof text}}},
        {RS_STR("empty string"), {.type = RS_VALUE_STRING}},
        {RS_STR(""), {.type = RS_VALUE_EMPTY}},
        {RS_STR("b"), {.type = RS_VALUE_BOOL, .b = true}},
        {RS_STR("i"), {.type = RS_VALUE_INT, .i = INT64_MIN}},
        {RS_STR("d"), {.type = RS_VALUE_DOUBLE, .d = -0.1}},
        {RS_STR("a"), {.type = RS_VALUE_ARRAY, .s = RS_STR("\x0a\x03\x0a\x01z")}},
        {RS_STR("k"), {.type = RS_VALUE_KVLIST, .s = RS_STR("\x0a\x07\x0a\x01q\x12\x02\x10\x01")}},
        {RS_STR("bytes"), {.type = RS_VALUE_BYTES, .s = RS_STR("\0\xff")}},
        {RS_STR("s"), {.type = RS_VALUE_STRING, .s = RS_STR("a key again")}},
    };
    rs_attr more[] = {{RS_STR("s"), {.type = RS_VALUE_STRING, .s = {text, 300}}},
                      {RS_STR("other"), {.type = RS_VALUE_INT, .i = 7}}};
    rs_event events[] = {{T0 - 5, RS_STR("exception"), {more, 2, 3}}, {T0 + 5, RS_STR(""), {0}}};
    rs_link links[] = {{.trace_id = {1},
                        .span_id = {2},
                        .trace_state = RS_STR("v=1"),
                        .attrs = {more + 1, 1, 0},
                        .flags = 257}};
    rs_resource resource = {{more + 1, 1, 4}, RS_STR("https://schema/resource")};
    rs_scope scope = {RS_STR("respan"), RS_STR("0.1"), RS_STR("https://schema/scope"), {more, 1, 0}};
    rs_span spans[2] = {make_span(7, 1, 0, 0), make_span(7, 2, 1, MS)};
    rs_span *s = &spans[1];
    s->kind = 5, s->status = RS_STATUS_ERROR, s->flags = 0x301;
    s->trace_state = RS_STR("k=v"), s->status_message = RS_STR("boom");
    s->attrs = (rs_attrs){attrs, RS_ARRAY_LEN(attrs), 9};
    s->events = events, s->nevents = 2, s->dropped_events = 11;
    s->links = links, s->nlinks = 1, s->dropped_links = 12;
    s->resource = &resource, s->scope = &scope;
    s->facts = (rs_facts){RS_LOG_CHAT,
                          RS_USAGE_MEASURED,
                          RS_COST_OUTER,
                          RS_STR("gpt2"),
                          RS_STR("hf"),
                          RS_STR("entity"),
                          RS_STR("wf"),
                          RS_STR("a.b"),
                          RS_STR("customer"),
                          RS_STR("thread"),
                          RS_STR("prod"),
                          RS_STR("boom"),
                          .prompt_tokens = 12,
                          .completion_tokens = 0,
                          .cached_tokens = 11,
                          .reasoning_tokens = 0,
                          .cost = 0.25,
                          .ttft = 0.5,
                          .tokens_per_second = 40,
                          .interrupted = true};
    commit_spans(f, spans, 2);
    for (int round = 0; round < 2; round++) {
        rs_spans heads = read_trace(f, 7, RS_READ_HEADS), full = read_trace(f, 7, RS_READ_FULL);
        assert_int_equal(heads.n, 2);
        assert_int_equal(full.n, 2);
        for (int i = 0; i < 2; i++)
            check_head(&heads.items[i], &spans[i]), check_head(&full.items[i], &spans[i]);
        assert_int_equal(heads.items[1].attrs.n, 0);
        const rs_span *got = &full.items[1];
        assert_int_equal(got->flags, s->flags);
        assert_true(same(got->trace_state, s->trace_state));
        check_attrs(&got->attrs, &s->attrs);
        assert_int_equal(got->nevents, 2);
        assert_int_equal(got->dropped_events, 11);
        for (int i = 0; i < 2; i++) {
            assert_true(got->events[i].time_ns == events[i].time_ns &&
                        same(got->events[i].name, events[i].name));
            check_attrs(&got->events[i].attrs, &events[i].attrs);
        }
        assert_int_equal(got->nlinks, 1);
        assert_int_equal(got->dropped_links, 12);
        assert_memory_equal(got->links[0].trace_id, links[0].trace_id, 16);
        assert_memory_equal(got->links[0].span_id, links[0].span_id, 8);
        assert_int_equal(got->links[0].flags, 257);
        assert_true(same(got->links[0].trace_state, links[0].trace_state));
        check_attrs(&got->links[0].attrs, &links[0].attrs);
        check_attrs(&got->resource->attrs, &resource.attrs);
        assert_true(same(got->resource->schema_url, resource.schema_url));
        assert_true(same(got->scope->name, scope.name) && same(got->scope->version, scope.version));
        assert_true(same(got->scope->schema_url, scope.schema_url));
        check_attrs(&got->scope->attrs, &scope.attrs);
        fixture_reopen(f);
    }
    rs_span one;
    assert_int_equal(rs_store_read_span(f->store, 1, s->trace_id, s->span_id, &f->arena, &one, NULL), RS_OK);
    check_attrs(&one.attrs, &s->attrs);
    assert_int_equal(rs_store_read_span(f->store, 1, NULL, s->span_id, &f->arena, &one, NULL), RS_OK);
    check_attrs(&one.attrs, &s->attrs);
    uint8_t nobody[8] = {9};
    assert_int_equal(rs_store_read_span(f->store, 1, NULL, nobody, &f->arena, &one, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_store_read_span(f->store, 1, s->trace_id, nobody, &f->arena, &one, NULL),
                     RS_ERR_NOT_FOUND);
}

/* A connection keeps the last block unpacked; the next reader's arena may be at the same address as the last one's. */
static void a_kept_block_for_another_arena(void **state) {
    fixture *f = *state;
    rs_attr attrs[] = {{RS_STR("a key of some length"), {.type = RS_VALUE_INT, .i = 1}}};
    rs_resource resource = {.attrs = {attrs, 1, 0}};
    rs_span s = make_span(1, 1, 0, 0);
    s.attrs = (rs_attrs){attrs, 1, 0};
    s.resource = &resource;
    commit_spans(f, &s, 1);
    for (int i = 0; i < 3; i++) {
        rs_arena arena = {0};
        rs_spans out;
        assert_int_equal(rs_store_read_trace(f->store, 1, s.trace_id, RS_READ_FULL, &arena, &out, NULL),
                         RS_OK);
        check_attrs(&out.items[0].attrs, &s.attrs);
        check_attrs(&out.items[0].resource->attrs, &resource.attrs);
        rs_arena_deinit(&arena);
    }
}

/* Places in any order give the same spans as the whole trace, sent again or not, in each depth. */
static void a_trace_by_places(void **state) {
    fixture *f = *state;
    enum { SPANS = 3000 };
    rs_span *spans = calloc(SPANS, sizeof *spans);
    for (uint64_t i = 0; i < SPANS; i++)
        spans[i] = make_span(1, i + 1, i ? i / 2 + 1 : 0, i * 7919 % SPANS * MS);
    for (size_t i = 0; i < SPANS; i += 500) commit_spans(f, spans + i, 500);
    rs_span other = make_span(2, 1, 0, 0);
    commit_spans(f, &other, 1);
    for (int round = 0; round < 2; round++) {
        rs_span_place *places;
        size_t n;
        rs_err err = {0};
        uint8_t id[16];
        put_number(id, 16, 1);
        rs_spans whole = read_trace(f, 1, RS_READ_HEADS);
        assert_int_equal(rs_store_find_places(f->store, 1, id, 0, &f->arena, &places, &n, &err), RS_OK);
        assert_int_equal(n, whole.n);
        for (size_t i = 0; i < n; i++) {
            assert_memory_equal(places[i].span_id, whole.items[i].span_id, 8);
            assert_memory_equal(places[i].parent_id, whole.items[i].parent_id, 8);
            assert_int_equal(places[i].start_ns, whole.items[i].start_ns);
        }
        for (size_t step = 1; step < n; step = step * 3 + 1) {
            uint64_t numbers[SPANS];
            rs_span read[SPANS];
            size_t count = 0;
            for (uint64_t number = 1; number < 2 * SPANS; number++)
                for (size_t i = 0; i < n; i += step)
                    if (places[i].number == number) numbers[count++] = number;
            assert_int_equal(
                rs_store_read_places(f->store, 1, id, numbers, count, RS_READ_FULL, &f->arena, read, &err),
                RS_OK);
            for (size_t k = 0, i = 0; k < count; k++) {
                for (i = 0; places[i].number != numbers[k];) i++;
                assert_memory_equal(read[k].span_id, places[i].span_id, 8);
            }
        }
        size_t late;
        rs_span_place *later;
        for (uint64_t since = 1; since < SPANS + 500; since += 250) {
            size_t expected = 0;
            for (size_t i = 0; i < n; i++) expected += places[i].number >= since;
            assert_int_equal(rs_store_find_places(f->store, 1, id, since, &f->arena, &later, &late, &err),
                             RS_OK);
            assert_int_equal(late, expected);
            for (size_t i = 0; i < late; i++) assert_true(later[i].number >= since);
        }
        uint64_t gone = 123456;
        rs_span none;
        assert_int_equal(
            rs_store_read_places(f->store, 1, id, &gone, 1, RS_READ_HEADS, &f->arena, &none, &err),
            RS_ERR_NOT_FOUND);
        for (size_t i = 0; i < 100; i++) spans[i * 29].start_ns += 5 * MS;
        for (size_t i = 0; i < 100; i++) commit_spans(f, spans + i * 29, 1);
    }
    free(spans);
}

static void one_opener_at_a_time(void **state) {
    fixture *f = *state;
    rs_store *second;
    rs_err err = {0};
    char pid[32];
    assert_int_equal(rs_store_open(f->dir, &second, &err), RS_ERR_DENIED);
    snprintf(pid, sizeof pid, "process %d", (int)getpid());
    assert_non_null(strstr(err.message, pid));
}

int main(void) {
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_field_comes_back),
        TEST(a_kept_block_for_another_arena),
        TEST(a_trace_by_places),
        TEST(one_opener_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
