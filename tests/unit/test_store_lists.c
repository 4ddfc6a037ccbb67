/* What the store says of traces without reading them: their summaries, lists of them and of their spans. */
#include "store_fixture.h"

/* ---- summaries ----------------------------------------------------------------------------------------- */

/* A row with its strings, kept after the callback. */
typedef struct kept_row {
    rs_trace_row row;
    rs_arena *arena;
} kept_row;

static bool keep_row(void *ctx, const rs_trace_row *row) {
    kept_row *k = ctx;
    k->row = *row;
    rs_str *strings[] = {&k->row.name,        &k->row.model,         &k->row.input,
                         &k->row.output,      &k->row.customer,      &k->row.thread,
                         &k->row.environment, &k->row.error_message, &k->row.metadata};
    for (size_t i = 0; i < RS_ARRAY_LEN(strings); i++) *strings[i] = rs_arena_copy(k->arena, *strings[i]);
    return false;
}

static rs_trace_row get_trace(fixture *f, uint64_t trace) {
    kept_row k = {.arena = &f->arena};
    uint8_t id[16];
    rs_err err = {0};
    put_number(id, 16, trace);
    if (rs_store_get_trace(f->store, 1, id, keep_row, &k, &err) != RS_OK) fail_msg("%s", err.message);
    return k.row;
}

static rs_span model_call(uint64_t trace, uint64_t id, uint64_t parent, uint64_t at) {
    rs_span s = make_span(trace, id, parent, at);
    s.facts.log_type = RS_LOG_CHAT;
    s.facts.prompt_tokens = 10;
    s.facts.completion_tokens = 5;
    s.facts.cost = 0.5;
    return s;
}

static void fill_story(rs_span s[4]) {
    static rs_attr root_meta[] = {{RS_STR("plan"), {.type = RS_VALUE_STRING, .s = RS_STR("pro")}}};
    static rs_attr call_meta[] = {{RS_STR("plan"), {.type = RS_VALUE_STRING, .s = RS_STR("call's")}},
                                  {RS_STR("n"), {.type = RS_VALUE_INT, .i = 3}}};
    s[0] = make_span(5, 1, 0, 0);
    s[0].name = RS_STR("story.workflow"), s[0].end_ns = T0 + 900 * MS;
    s[0].facts.entity_name = RS_STR("story"), s[0].facts.log_type = RS_LOG_WORKFLOW;
    s[0].facts.input_preview = RS_STR("root in"), s[0].facts.customer = RS_STR("ann");
    s[0].facts.metadata = (rs_attrs){root_meta, 1, 0};
    s[1] = model_call(5, 2, 1, 100 * MS);
    s[1].facts.model = RS_STR("first"), s[1].facts.ttft = 0.2;
    s[1].facts.input_preview = RS_STR("in 1"), s[1].facts.output_preview = RS_STR("out 1");
    s[1].facts.metadata = (rs_attrs){call_meta, 2, 0};
    s[2] = model_call(5, 3, 1, 300 * MS);
    s[2].facts.model = RS_STR("second"), s[2].facts.customer = RS_STR("bob");
    s[2].facts.input_preview = RS_STR("in 2"), s[2].facts.output_preview = RS_STR("out 2");
    s[3] = make_span(5, 4, 1, 500 * MS);
    s[3].status = RS_STATUS_ERROR, s[3].facts.error_message = RS_STR("no such file");
}

static void check_story(const rs_trace_row *r) {
    assert_int_equal(r->span_count, 4);
    assert_int_equal(r->llm_call_count, 2);
    assert_int_equal(r->error_count, 1);
    assert_int_equal(r->prompt_tokens, 20);
    assert_int_equal(r->completion_tokens, 10);
    assert_true(r->cost == 1.0 && r->ttft == 0.2 && isnan(r->tokens_per_second));
    assert_true(r->start_ns == T0 && r->end_ns == T0 + 900 * MS);
    assert_true(r->has_root);
    assert_int_equal(r->root_span_id[7], 1);
    assert_int_equal(r->log_type, RS_LOG_WORKFLOW);
    assert_str(r->name, "story");
    assert_str(r->model, "first");
    assert_str(r->input, "in 1");
    assert_str(r->output, "out 2");
    assert_str(r->customer, "ann");
    assert_str(r->error_message, "no such file");
}

/* Whatever order and however many commits the spans come in. */
static void summary_in_any_order(void **state) {
    static const int orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}, {1, 3, 2, 0}};
    for (size_t o = 0; o < RS_ARRAY_LEN(orders); o++) {
        for (size_t per_commit = 1; per_commit <= 4; per_commit++) {
            fixture *f = *state;
            rs_span story[4], sent[4];
            fill_story(story);
            for (int i = 0; i < 4; i++) sent[i] = story[orders[o][i]];
            for (size_t i = 0; i < 4; i += per_commit)
                commit_spans(f, sent + i, 4 - i < per_commit ? 4 - i : per_commit);
            rs_trace_row row = get_trace(f, 5);
            check_story(&row);
            bool root_first = row.metadata.p[2] == 'p';
            if (root_first) assert_str(row.metadata, "{\"plan\":\"pro\",\"n\":3}");
            else assert_str(row.metadata, "{\"n\":3,\"plan\":\"pro\"}");
            assert_int_equal(read_trace(f, 5, RS_READ_HEADS).n, 4);
            fixture_teardown(state);
            fixture_setup(state);
        }
    }
}

static void summary_without_a_root(void **state) {
    fixture *f = *state;
    rs_span late = make_span(6, 3, 1, 100 * MS), early = make_span(6, 2, 1, 50 * MS);
    late.name = RS_STR("late"), early.name = RS_STR("early");
    commit_spans(f, &late, 1);
    commit_spans(f, &early, 1);
    rs_trace_row row = get_trace(f, 6);
    assert_false(row.has_root);
    assert_str(row.name, "early");
    assert_int_equal(row.prompt_tokens, -1);
    assert_true(isnan(row.cost));
    assert_true(row.start_ns == T0 + 50 * MS);
    assert_int_equal(row.key, (T0 + 100 * MS) / 1000); /* as first seen */
    assert_str(row.metadata, "{}");
}

static rs_store_stats stats(fixture *f, uint64_t project) {
    rs_store_stats s;
    assert_int_equal(rs_store_get_stats(f->store, project, &s, NULL), RS_OK);
    return s;
}

static bool count_span(void *ctx, int64_t key, const rs_span *head) {
    (void)key, (void)head;
    ++*(int *)ctx;
    return true;
}

static int scanned_spans(fixture *f) {
    int n = 0;
    assert_int_equal(rs_store_scan_spans(f->store, 1, &(rs_span_scan){0}, count_span, &n, NULL), RS_OK);
    return n;
}

/* ---- lists --------------------------------------------------------------------------------------------- */

typedef struct listed {
    int64_t keys[512];
    uint64_t traces[512];
    size_t n, limit;
} listed;

static bool list_trace(void *ctx, const rs_trace_row *row) {
    listed *l = ctx;
    assert_true(l->n < RS_ARRAY_LEN(l->keys));
    l->keys[l->n] = row->key;
    l->traces[l->n++] = (uint64_t)row->trace_id[14] << 8 | row->trace_id[15];
    return l->n != l->limit;
}

static listed list(fixture *f, rs_trace_scan scan, size_t limit) {
    listed l = {.limit = limit};
    rs_err err = {0};
    if (rs_store_scan_traces(f->store, 1, &scan, list_trace, &l, &err) != RS_OK) fail_msg("%s", err.message);
    return l;
}

static void a_span_sent_again(void **state) {
    fixture *f = *state;
    rs_span story[4], again;
    fill_story(story);
    commit_spans(f, story, 4);
    commit_spans(f, story, 4); /* a retry of the whole request */
    commit_spans(f, story + 1, 1);
    rs_trace_row row = get_trace(f, 5);
    check_story(&row);
    assert_int_equal(read_trace(f, 5, RS_READ_FULL).n, 4);
    assert_int_equal(stats(f, 1).spans, 4);
    assert_int_equal(stats(f, 1).traces, 1);
    assert_int_equal(scanned_spans(f), 4);

    again = story[2]; /* other facts: the last sent wins */
    again.facts.completion_tokens = 105;
    again.facts.output_preview = RS_STR("longer");
    rs_span twice[] = {story[2], again, make_span(5, 9, 1, 600 * MS)};
    commit_spans(f, twice, 3);
    row = get_trace(f, 5);
    assert_int_equal(row.span_count, 5);
    assert_int_equal(row.llm_call_count, 2);
    assert_int_equal(row.completion_tokens, 110);
    assert_str(row.output, "longer");
    rs_spans spans = read_trace(f, 5, RS_READ_HEADS);
    assert_int_equal(spans.n, 5);
    assert_int_equal(spans.items[2].facts.completion_tokens, 105);
    assert_int_equal(scanned_spans(f), 5);

    uint64_t errors;
    rs_tag error = {RS_STR("status_code"), RS_STR("error")}, unset = {RS_STR("status_code"), RS_STR("unset")};
    assert_int_equal(list(f, (rs_trace_scan){.tags = &error, .ntags = 1}, 0).n, 1);
    rs_span mended =
        story[3]; /* what it no longer is finds its trace no longer; what the others are still does */
    mended.status = RS_STATUS_OK;
    commit_spans(f, &mended, 1);
    assert_int_equal(list(f, (rs_trace_scan){.tags = &error, .ntags = 1}, 0).n, 0);
    assert_int_equal(rs_store_count_tag(f->store, 1, &error, &errors, NULL), RS_OK);
    assert_int_equal(errors, 0);
    assert_int_equal(list(f, (rs_trace_scan){.tags = &unset, .ntags = 1}, 0).n, 1);

    rs_span sent_twice_at_once[] = {make_span(8, 1, 0, 0), make_span(8, 1, 0, 0)};
    commit_spans(f, sent_twice_at_once, 2);
    assert_int_equal(get_trace(f, 8).span_count, 1);
    rs_span one;
    assert_int_equal(rs_store_read_span(f->store, 1, NULL, story[2].span_id, &f->arena, &one, NULL), RS_OK);
    assert_int_equal(one.facts.completion_tokens, 105);
}

static void paging_in_both_orders(void **state) {
    enum { TRACES = 300 };
    fixture *f = *state;
    rs_span spans[TRACES];
    for (uint64_t i = 0; i < TRACES; i++)
        spans[i] = make_span(i + 1, 1, 0, i / 3 * MS); /* three start at once */
    commit_spans(f, spans, TRACES);
    listed newest = list(f, (rs_trace_scan){0}, 0),
           oldest = list(f, (rs_trace_scan){.oldest_first = true}, 0);
    assert_int_equal(newest.n, TRACES);
    assert_int_equal(oldest.n, TRACES);
    for (size_t i = 0; i < TRACES; i++) {
        assert_true(newest.keys[i] == oldest.keys[TRACES - 1 - i]);
        assert_true(i == 0 || oldest.keys[i - 1] < oldest.keys[i]);
    }
    for (int order = 0; order < 2; order++) {
        rs_trace_scan scan = {.oldest_first = order};
        const listed *all = order ? &oldest : &newest;
        for (size_t seen = 0; seen < TRACES;) {
            listed page = list(f, scan, 7);
            for (size_t i = 0; i < page.n; i++) assert_true(page.keys[i] == all->keys[seen + i]);
            seen += page.n;
            scan.has_after = true;
            scan.after = page.keys[page.n - 1];
        }
        assert_int_equal(list(f, scan, 0).n, 0);
    }
    listed window = list(f, (rs_trace_scan){.start_min_ns = T0 + 10 * MS, .start_max_ns = T0 + 12 * MS}, 0);
    assert_int_equal(window.n, 6);
}

/* Its key stays behind its start: a window still finds it. */
static void a_late_span_moves_the_start(void **state) {
    fixture *f = *state;
    rs_span child = make_span(1, 2, 1, 5000 * MS), root = make_span(1, 1, 0, 0),
            other = make_span(2, 1, 0, 2000 * MS);
    commit_spans(f, &child, 1);
    commit_spans(f, &root, 1);
    commit_spans(f, &other, 1);
    listed l = list(f, (rs_trace_scan){.start_max_ns = T0 + 1000 * MS}, 0);
    assert_int_equal(l.n, 1);
    assert_int_equal(l.traces[0], 1);
    l = list(f, (rs_trace_scan){.start_min_ns = T0 + 1000 * MS}, 0);
    assert_int_equal(l.n, 1);
    assert_int_equal(l.traces[0], 2);
}

static void tags_narrow_a_list(void **state) {
    enum { TRACES = 200 };
    static const rs_str models[] = {RS_STR("gpt2"), RS_STR("smollm2"), RS_STR("bert")};
    fixture *f = *state;
    rs_span spans[2 * TRACES];
    rs_attr meta[] = {{RS_STR("plan"), {.type = RS_VALUE_STRING, .s = RS_STR("pro")}},
                      {RS_STR("seat"), {.type = RS_VALUE_INT, .i = 4}}};
    for (uint64_t i = 0; i < TRACES; i++) {
        spans[2 * i] = make_span(i + 1, 1, 0, i * MS);
        spans[2 * i + 1] = model_call(i + 1, 2, 1, i * MS);
        spans[2 * i + 1].facts.model = models[i % 3];
        if (i % 50 == 0) spans[2 * i].facts.metadata = (rs_attrs){meta, 2, 0};
        if (i % 2) spans[2 * i].status = RS_STATUS_ERROR;
    }
    commit_spans(f, spans, 2 * TRACES);
    rs_tag model = {RS_STR("model"), RS_STR("gpt2")}, error = {RS_STR("status_code"), RS_STR("error")},
           plan = {RS_STR("metadata__plan"), RS_STR("pro")}, seat = {RS_STR("metadata__seat"), RS_STR("4")},
           nothing = {RS_STR("model"), RS_STR("gpt3")}, type = {RS_STR("log_type"), RS_STR("chat")};
    assert_int_equal(list(f, (rs_trace_scan){.tags = &model, .ntags = 1}, 0).n, 67);
    assert_int_equal(list(f, (rs_trace_scan){.tags = &type, .ntags = 1}, 0).n, TRACES);
    assert_int_equal(list(f, (rs_trace_scan){.tags = &nothing, .ntags = 1}, 0).n, 0);
    assert_int_equal(list(f, (rs_trace_scan){.tags = &seat, .ntags = 1}, 0).n, 4);
    rs_tag both[] = {model, error}, three[] = {type, plan, model}, none[] = {plan, error};
    for (int order = 0; order < 2; order++) {
        listed l = list(f, (rs_trace_scan){.tags = both, .ntags = 2, .oldest_first = order}, 0);
        assert_int_equal(l.n, 33);
        for (size_t i = 0; i < l.n; i++)
            assert_true((l.traces[i] - 1) % 3 == 0 && (l.traces[i] - 1) % 2 == 1);
        l = list(f, (rs_trace_scan){.tags = three, .ntags = 3, .oldest_first = order}, 0);
        assert_int_equal(l.n, 2); /* 0 and 150 */
        l = list(f, (rs_trace_scan){.tags = none, .ntags = 2, .oldest_first = order}, 0);
        assert_int_equal(l.n, 0);
    }
    listed first = list(f, (rs_trace_scan){.tags = both, .ntags = 2}, 5);
    rs_trace_scan behind = {.tags = both, .ntags = 2, .has_after = true, .after = first.keys[4]};
    assert_int_equal(list(f, behind, 0).n, 28);
}

typedef struct span_list {
    int64_t last;
    size_t n, limit;
    rs_read_depth depth;
} span_list;

static bool list_span(void *ctx, int64_t key, const rs_span *head) {
    span_list *l = ctx;
    assert_true(l->n == 0 || key < l->last);
    assert_int_equal(head->attrs.n, l->depth == RS_READ_FULL ? 1 : 0);
    l->last = key;
    return ++l->n != l->limit;
}

static void spans_newest_first(void **state) {
    enum { SPANS = 2500 };
    fixture *f = *state;
    rs_attr attr = {RS_STR("k"), {.type = RS_VALUE_INT, .i = 1}};
    rs_span *spans = calloc(SPANS, sizeof *spans);
    assert_non_null(spans);
    for (uint64_t i = 0; i < SPANS; i++) {
        spans[i] = make_span(i / 10 + 1, i + 1, i % 10, i * MS);
        spans[i].attrs = (rs_attrs){&attr, 1, 0};
    }
    commit_spans(f, spans, SPANS); /* three blocks */
    free(spans);
    for (rs_read_depth depth = RS_READ_HEADS; depth <= RS_READ_FULL; depth++) {
        size_t seen = 0;
        rs_span_scan scan = {.depth = depth};
        for (size_t pages = 0; seen < SPANS && pages < SPANS; pages++) {
            span_list l = {.limit = 999, .depth = depth};
            assert_int_equal(rs_store_scan_spans(f->store, 1, &scan, list_span, &l, NULL), RS_OK);
            seen += l.n;
            scan.has_before = true;
            scan.before = l.last;
        }
        assert_int_equal(seen, SPANS);
    }
    span_list l = {0};
    rs_span_scan window = {.start_min_ns = T0 + 100 * MS, .start_max_ns = T0 + 200 * MS};
    assert_int_equal(rs_store_scan_spans(f->store, 1, &window, list_span, &l, NULL), RS_OK);
    assert_int_equal(l.n, 100);
    assert_int_equal(read_trace(f, 103, RS_READ_FULL).n, 10); /* over the border of two blocks */
}

static void projects_are_apart(void **state) {
    fixture *f = *state;
    rs_span mine = make_span(1, 1, 0, 0), yours[2] = {make_span(1, 1, 0, 0), make_span(2, 1, 0, MS)};
    rs_store_batch batches[] = {{1, &mine, 1}, {2, yours, 1}, {2, yours + 1, 1}};
    bool failed[3];
    assert_int_equal(rs_store_commit(f->store, batches, 3, failed, NULL), RS_OK);
    assert_false(failed[0] || failed[1] || failed[2]);
    assert_int_equal(stats(f, 1).traces, 1);
    assert_int_equal(stats(f, 2).traces, 2);
    assert_int_equal(stats(f, 3).traces, 0);
    uint8_t id[16];
    rs_spans out;
    put_number(id, 16, 2);
    assert_int_equal(rs_store_read_trace(f->store, 1, id, RS_READ_HEADS, &f->arena, &out, NULL),
                     RS_ERR_NOT_FOUND);
    assert_int_equal(rs_store_read_trace(f->store, 2, id, RS_READ_HEADS, &f->arena, &out, NULL), RS_OK);
    assert_int_equal(rs_store_read_trace(f->store, 3, id, RS_READ_HEADS, &f->arena, &out, NULL),
                     RS_ERR_NOT_FOUND);
    assert_int_equal(list(f, (rs_trace_scan){0}, 0).n, 1);
}

static void odd_times_do_no_harm(void **state) {
    fixture *f = *state;
    rs_span s[3] = {make_span(1, 1, 0, 0), make_span(2, 1, 0, 0), make_span(2, 2, 1, 0)};
    s[0].start_ns = UINT64_MAX, s[0].end_ns = 0;
    s[1].start_ns = 0, s[1].end_ns = UINT64_MAX;
    s[2].facts.prompt_tokens = s[1].facts.prompt_tokens = INT64_MAX;
    s[2].facts.log_type = s[1].facts.log_type = RS_LOG_CHAT;
    commit_spans(f, s, 3);
    rs_spans spans = read_trace(f, 1, RS_READ_FULL);
    assert_true(spans.items[0].start_ns == UINT64_MAX && spans.items[0].end_ns == 0);
    assert_int_equal(list(f, (rs_trace_scan){0}, 0).n, 2);
    assert_true(get_trace(f, 2).prompt_tokens == INT64_MAX);
}

int main(void) {
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(summary_in_any_order),  TEST(summary_without_a_root),      TEST(a_span_sent_again),
        TEST(paging_in_both_orders), TEST(a_late_span_moves_the_start), TEST(tags_narrow_a_list),
        TEST(spans_newest_first),    TEST(projects_are_apart),          TEST(odd_times_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
