/* Where in one trace a filter holds: the same spans as asking each span of it, in the order of its tree, page by page. */
#include "query/find.h"
#include "query/trace_tree.h"
#include "store_fixture.h"

enum { TRACES = 3, SPANS = 700, COMMIT = 90, RESENT = 40 };

static const char *const texts[] = {
    "the question about the document is open",
    "a question, about that document",
    "{\"said\": \"question\\nabout\\u0020the document\"}",
    "no questions asked",
    "Fragen über das Dokument",
};

typedef struct world {
    fixture *f;
    rs_arena arena;
    unsigned parts;
} world;

static rs_span random_span(rs_arena *arena, uint64_t trace, uint64_t id) {
    uint64_t parent = id > 1 && rand() % 30 ? 1 + (uint64_t)rand() % (id - 1) : 0;
    rs_span s = make_span(trace, trace * 10000 + id, parent ? trace * 10000 + parent : 0,
                          (uint64_t)(rand() % SPANS) * MS);
    rs_attr *a = rs_arena_zalloc(arena, 2, sizeof *a);
    assert_non_null(a);
    a[0] = (rs_attr){RS_STR("gen_ai.prompt.0.content"),
                     {.type = RS_VALUE_STRING, .s = rs_str_of(texts[(size_t)rand() % RS_ARRAY_LEN(texts)])}};
    a[1] = (rs_attr){RS_STR("respan.metadata.n"), {.type = RS_VALUE_INT, .i = rand() % 4}};
    s.attrs = (rs_attrs){.items = a, .n = 2};
    if (rand() % 5 == 0) s.facts.model = RS_STR("tiny-gpt2");
    if (rand() % 50 == 0) s.name = RS_STR("question about the document");
    return s;
}

static int setup(void **state) {
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    int rc = fixture_setup((void **)&w->f);
    rs_arena_init(&w->arena, 0);
    srand(5);
    rs_span spans[TRACES * SPANS], copies[RESENT];
    for (size_t i = 0; i < TRACES * SPANS; i++)
        spans[i] = random_span(&w->arena, 1 + i % TRACES, 1 + i / TRACES);
    for (size_t i = 0; i < TRACES * SPANS; i += COMMIT)
        commit_spans(w->f, spans + i, TRACES * SPANS - i < COMMIT ? TRACES * SPANS - i : COMMIT);
    for (size_t i = 0; i < RESENT; i++) {
        copies[i] = spans[(size_t)rand() % (TRACES * SPANS)];
        copies[i].attrs = spans[(size_t)rand() % (TRACES * SPANS)].attrs;
        commit_spans(w->f, &copies[i], 1);
    }
    *state = w;
    return rc;
}

static int teardown(void **state) {
    world *w = *state;
    rs_arena_deinit(&w->arena);
    int rc = fixture_teardown((void **)&w->f);
    free(w);
    return rc;
}

static void ask(world *w, rs_list *list, const char *q) {
    rs_err err = {0};
    rs_list_init(list, &rs_span_fields);
    if (q && rs_list_set(list, RS_STR("q"), rs_str_of(q), &w->arena, &err) != RS_OK)
        fail_msg("%s", err.message);
}

/* The ids of the spans of a trace that match, by asking each. */
static size_t expected(world *w, uint64_t trace, const rs_list *list, uint8_t (*ids)[8]) {
    rs_spans spans = read_trace(w->f, trace, RS_READ_FULL);
    rs_span_place *places = rs_arena_zalloc(&w->arena, spans.n, sizeof *places);
    rs_trace_tree tree;
    size_t n = 0;
    assert_non_null(places);
    for (size_t i = 0; i < spans.n; i++) {
        const rs_span *s = &spans.items[i];
        places[i] = (rs_span_place){.start_ns = s->start_ns, .has_parent = s->has_parent};
        memcpy(places[i].span_id, s->span_id, 8);
        memcpy(places[i].parent_id, s->parent_id, 8);
    }
    assert_int_equal(rs_trace_tree_build(places, spans.n, &w->arena, &tree), RS_OK);
    for (uint32_t i = tree.first_root; i != RS_TREE_NONE; i = rs_trace_tree_next(&tree, i)) {
        rs_evidence e = {.row = &spans.items[i], .in_full = true};
        uint64_t start = spans.items[i].start_ns;
        if (start < list->start_min_ns || (list->start_max_ns && start >= list->start_max_ns)) continue;
        if (rs_filter_judge(&list->filter, &e) == RS_YES) memcpy(ids[n++], spans.items[i].span_id, 8);
    }
    return n;
}

static rs_found run(world *w, uint64_t trace, rs_list *list, uint32_t size, const rs_find_cursor *cursor) {
    uint8_t id[16];
    rs_found found;
    rs_err err = {0};
    put_number(id, 16, trace);
    rs_find find = {
        .trace_id = id, .list = list, .page_size = size, .has_cursor = cursor != NULL, .parts = w->parts};
    if (cursor) find.cursor = *cursor;
    if (rs_find_run(w->f->store, 1, &find, &w->arena, &found, &err) != RS_OK) fail_msg("%s", err.message);
    return found;
}

static void the_same_as_asking_each(void **state) {
    static const char *const questions[] = {
        NULL,
        "\"question about the document\"",
        "question",
        "fragen",
        "question dokument",
        "\"question about\" model:tiny-gpt2",
        "NOT question",
        "question OR model:tiny-gpt2",
        "metadata.n:2",
        "metadata.n:2 document",
        "model:tiny-gpt2",
        "nothing",
    };
    world *w = *state;
    size_t met = 0;
    for (size_t q = 0; q < RS_ARRAY_LEN(questions); q++) {
        for (uint64_t trace = 1; trace <= TRACES; trace++) {
            uint8_t ids[SPANS][8];
            rs_list list;
            ask(w, &list, questions[q]);
            size_t n = expected(w, trace, &list, ids);
            rs_found found = run(w, trace, &list, SPANS, NULL);
            if (found.count != n) fail_msg("question %zu: %zu found, not %zu", q, (size_t)found.count, n);
            assert_int_equal(found.n, n);
            assert_false(found.has_next || found.has_previous);
            if (n) assert_memory_equal(found.span_ids, ids, n * sizeof *ids);
            met += n > 0;
        }
    }
    assert_int_equal(met, (RS_ARRAY_LEN(questions) - 1) * TRACES);
}

/* Nor does it matter how many threads do it. */
static void in_parts(void **state) {
    world *w = *state;
    for (w->parts = 2; w->parts <= RS_FIND_PARTS; w->parts++) the_same_as_asking_each(state);
    w->parts = 0;
}

static void within_a_window(void **state) {
    world *w = *state;
    uint8_t ids[SPANS][8];
    rs_list list;
    ask(w, &list, "question");
    list.start_min_ns = T0 + 100 * MS;
    list.start_max_ns = T0 + 300 * MS;
    size_t n = expected(w, 2, &list, ids);
    rs_found found = run(w, 2, &list, SPANS, NULL);
    assert_true(n > 0 && n < SPANS / 3);
    assert_int_equal(found.count, n);
    assert_memory_equal(found.span_ids, ids, n * sizeof *ids);
}

/* Forwards, back, and by number: each page says how many there are in all. */
static void page_by_page(void **state) {
    enum { SIZE = 32 };
    world *w = *state;
    uint8_t ids[SPANS][8];
    rs_list list;
    ask(w, &list, "question");
    size_t n = expected(w, 1, &list, ids), at = 0;
    rs_found found = run(w, 1, &list, SIZE, NULL);
    assert_false(found.has_previous);
    for (;; at += SIZE) {
        assert_int_equal(found.count, n);
        assert_int_equal(found.n, n - at < SIZE ? n - at : SIZE);
        assert_memory_equal(found.span_ids, ids[at], found.n * sizeof *ids);
        list.page = (uint32_t)(at / SIZE) + 1;
        assert_memory_equal(run(w, 1, &list, SIZE, NULL).span_ids, ids[at], found.n * sizeof *ids);
        if (!found.has_next) break;
        found = run(w, 1, &list, SIZE, &found.next);
    }
    assert_true(at > 3 * SIZE && at + found.n == n);
    for (; found.has_previous; at -= SIZE) {
        found = run(w, 1, &list, SIZE, &found.previous);
        assert_int_equal(found.n, SIZE);
        assert_memory_equal(found.span_ids, ids[at - SIZE], SIZE * sizeof *ids);
        assert_true(found.has_next);
    }
    assert_int_equal(at, 0);
}

/* A cursor names a span, whether it matches or not. */
static void behind_any_span(void **state) {
    world *w = *state;
    uint8_t ids[SPANS][8], all[SPANS][8];
    rs_list list, every;
    ask(w, &list, "model:tiny-gpt2");
    ask(w, &every, NULL);
    size_t n = expected(w, 3, &list, ids), nall = expected(w, 3, &every, all), behind = n;
    rs_find_cursor cursor = {0};
    for (size_t i = nall; i-- > 0;) {
        memcpy(cursor.span_id, all[i], 8);
        rs_found found = run(w, 3, &list, SPANS, &cursor);
        assert_int_equal(found.n, n - behind);
        behind -= behind > 0 && memcmp(all[i], ids[behind - 1], 8) == 0;
        cursor.backward = true;
        assert_int_equal(run(w, 3, &list, SPANS, &cursor).n, behind);
        cursor.backward = false;
    }
}

static void what_is_not_there(void **state) {
    world *w = *state;
    uint8_t id[16];
    rs_found found;
    rs_err err = {0};
    rs_list list;
    rs_find find = {.trace_id = id, .list = &list, .page_size = 10, .has_cursor = true};
    ask(w, &list, "question");
    put_number(id, 16, TRACES + 1);
    assert_int_equal(rs_find_run(w->f->store, 1, &find, &w->arena, &found, &err), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_find_run(w->f->store, 2, &find, &w->arena, &found, &err), RS_ERR_NOT_FOUND);
    put_number(id, 16, 1);
    err = (rs_err){0};
    assert_int_equal(rs_find_run(w->f->store, 1, &find, &w->arena, &found, &err), RS_ERR_INVALID);
    assert_string_equal(list.bad_field, "cursor");
}

typedef struct seen {
    uint64_t trace;
    size_t n;
    int64_t last;
} seen;

static bool see(void *ctx, int64_t key, const rs_span *span) {
    seen *s = ctx;
    assert_int_equal(span->trace_id[15], s->trace);
    assert_true(key < s->last);
    s->last = key;
    s->n++;
    return true;
}

/* A list of spans that names the trace reads the same blocks alone. */
static void a_list_of_one_trace(void **state) {
    world *w = *state;
    uint8_t id[16], named[16];
    rs_err err = {0};
    for (uint64_t trace = 1; trace <= TRACES + 1; trace++) {
        seen s = {.trace = trace, .last = INT64_MAX};
        rs_span_scan scan = {.trace_id = id};
        put_number(id, 16, trace);
        if (rs_store_scan_spans(w->f->store, 1, &scan, see, &s, &err) != RS_OK) fail_msg("%s", err.message);
        assert_int_equal(s.n, trace <= TRACES ? SPANS : 0);
    }
    static const struct {
        const char *q;
        bool names;
    } questions[] = {
        {"trace_id:00000000000000000000000000000003", true},
        {"question model:m (trace_id:00000000000000000000000000000003 document)", true},
        {"NOT trace_id:00000000000000000000000000000003", false},
        {"trace_id:00000000000000000000000000000003 OR question", false},
        {"trace_id:3", false},
        {"span_id:0000000000000003", false},
        {"question", false},
    };
    put_number(id, 16, 3);
    for (size_t i = 0; i < RS_ARRAY_LEN(questions); i++) {
        rs_list list;
        ask(w, &list, questions[i].q);
        assert_int_equal(rs_filter_trace(&list.filter, named), questions[i].names);
        if (questions[i].names) assert_memory_equal(named, id, 16);
    }
}

static void cursors_as_text(void **state) {
    (void)state;
    rs_find_cursor c = {.backward = true, .span_id = {1, 2, 3, 4, 5, 6, 7, 0xff}}, back;
    char text[RS_FIND_CURSOR_LEN + 1];
    rs_find_cursor_format(&c, text);
    assert_string_equal(text, "b01020304050607ff");
    assert_true(rs_find_cursor_parse(rs_str_of(text), &back));
    assert_true(back.backward);
    assert_memory_equal(back.span_id, c.span_id, 8);
    static const char *const bad[] = {"", "b", "x01020304050607ff", "f01020304050607fg",
                                      "f01020304050607ff0"};
    for (size_t i = 0; i < RS_ARRAY_LEN(bad); i++)
        assert_false(rs_find_cursor_parse(rs_str_of(bad[i]), &back));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_as_asking_each), cmocka_unit_test(in_parts),
        cmocka_unit_test(within_a_window),         cmocka_unit_test(page_by_page),
        cmocka_unit_test(behind_any_span),         cmocka_unit_test(what_is_not_there),
        cmocka_unit_test(a_list_of_one_trace),     cmocka_unit_test(cursors_as_text),
    };
    return cmocka_run_group_tests_name("find", tests, setup, teardown);
}
