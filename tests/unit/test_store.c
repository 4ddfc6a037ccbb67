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
        TEST(every_field_comes_back),      TEST(a_kept_block_for_another_arena),
        TEST(summary_in_any_order),        TEST(summary_without_a_root),
        TEST(a_span_sent_again),           TEST(paging_in_both_orders),
        TEST(a_late_span_moves_the_start), TEST(tags_narrow_a_list),
        TEST(a_trace_by_places),           TEST(spans_newest_first),
        TEST(projects_are_apart),          TEST(odd_times_do_no_harm),
        TEST(one_opener_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
