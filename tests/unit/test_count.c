/* Counts of lists over a real store of several partitions, in which nine traces in ten come within one minute and the others over a
 * month: exact where they say so, else within a quarter of the truth. */
#include "query/traces.h"
#include "store_fixture.h"

enum { TRACES = 24000, COMMIT = 400, SPARSE = TRACES / 20 /* before the burst, and behind it */ };

#define DAY   (24 * 3600 * 1000ull * MS)
#define BURST (15 * DAY)

typedef struct made {
    uint64_t start; /* from T0 */
    bool in_burst, has_model, has_env, is_long, says, is_user;
    unsigned name;
} made;

static made world[TRACES];
static char names[4][16];

static uint64_t start_of(unsigned i) {
    if (i < SPARSE) return BURST / SPARSE * i;
    if (i >= TRACES - SPARSE) return BURST + DAY / 4 + BURST / SPARSE * (i - (TRACES - SPARSE));
    return BURST + (i - SPARSE) * 60000 * MS / (TRACES - 2 * SPARSE);
}

static int make_world(void **state) {
    int rc = fixture_setup(state);
    fixture *f = *state;
    rs_span spans[COMMIT];
    rs_attr said = {RS_STR("gen_ai.prompt.0.content"), {.type = RS_VALUE_STRING, .s = RS_STR("a marmot")}};
    srand(4);
    rs_store_limit_partitions(f->store, TRACES / 4, UINT64_MAX);
    for (unsigned i = 0; i < 4; i++) snprintf(names[i], sizeof names[i], "agent_%u", i);
    for (unsigned i = 0, n = 0; i < TRACES; i++) {
        made *m = &world[i];
        *m = (made){.start = start_of(i),
                    .in_burst = i >= SPARSE && i < TRACES - SPARSE,
                    .has_model = rand() % 2,
                    .has_env = rand() % 10 == 0,
                    .is_long = rand() % 5 == 0,
                    .says = rand() % 2,
                    .is_user = rand() % 800 == 0,
                    .name = (unsigned)(rand() % 4)};
        spans[n] = make_span(i + 1, i + 1, 0, m->start);
        if (m->is_long) spans[n].end_ns += 5000 * MS;
        if (m->has_model) spans[n].facts.model = RS_STR("tiny");
        if (m->has_env) spans[n].facts.environment = RS_STR("prod");
        spans[n].facts.customer = m->is_user    ? RS_STR("someone")
                                  : m->in_burst ? RS_STR("many")
                                                : RS_STR("few");
        spans[n].name = rs_str_of(names[m->name]);
        if (m->says) spans[n].attrs = (rs_attrs){&said, 1, 0};
        if (++n == COMMIT || i + 1 == TRACES) commit_spans(f, spans, n), n = 0;
    }
    return rc;
}

/* ---- questions ----------------------------------------------------------------------------------------- */

enum {
    MODEL = 1,
    ENV = 2,
    LONG = 4,
    USER = 8,
    NAME = 16,
    MANY = 32,
    NOT_ENV = 64,
    MODEL_OR_ENV = 128,
    ALL = 256
};

static bool holds(const made *m, unsigned question) {
    return (!(question & MODEL) || m->has_model) && (!(question & ENV) || m->has_env) &&
           (!(question & LONG) || m->is_long) && (!(question & USER) || m->is_user) &&
           (!(question & NAME) || m->name == 1) && (!(question & MANY) || (m->in_burst && !m->is_user)) &&
           (!(question & NOT_ENV) || !m->has_env) &&
           (!(question & MODEL_OR_ENV) || m->has_model || m->has_env);
}

static void add(rs_list *l, rs_arena *arena, const char *name, rs_filter_op op, const char *value) {
    rs_err err = {0};
    rs_str text = rs_str_of(value);
    if (rs_filter_add(&l->filter, rs_str_of(name), op, &text, 1, arena, &err) != RS_OK)
        fail_msg("%s", err.message);
}

/* The traces that begin from `from` until `to`; 0 and 0: all. */
static rs_trace_page ask(fixture *f, rs_arena *arena, unsigned question, uint64_t from, uint64_t to) {
    rs_list l;
    rs_trace_page page;
    rs_err err = {0};
    rs_list_init(&l, &rs_trace_fields);
    if (question & MODEL) add(&l, arena, "model", RS_OP_EQUAL, "tiny");
    if (question & ENV) add(&l, arena, "environment", RS_OP_EQUAL, "prod");
    if (question & LONG) add(&l, arena, "duration", RS_OP_GT, "1");
    if (question & USER) add(&l, arena, "customer_identifier", RS_OP_EQUAL, "someone");
    if (question & MANY) add(&l, arena, "customer_identifier", RS_OP_EQUAL, "many");
    if (question & NAME) add(&l, arena, "name", RS_OP_EQUAL, "agent_1");
    if (question & NOT_ENV) add(&l, arena, "environment", RS_OP_NOT, "prod");
    if (question & MODEL_OR_ENV)
        assert_int_equal(
            rs_list_set(&l, RS_STR("q"), RS_STR("(model=tiny OR environment=prod)"), arena, &err), RS_OK);
    if (to) l.start_min_ns = T0 + from, l.start_max_ns = T0 + to;
    if (rs_traces_list(f->store, 1, &l, arena, &page, &err) != RS_OK) fail_msg("%s", err.message);
    return page;
}

static void compare(fixture *f, unsigned question, uint64_t from, uint64_t to, bool *exact) {
    rs_arena arena;
    size_t truth = 0;
    for (size_t i = 0; i < TRACES; i++)
        truth += holds(&world[i], question) && (!to || (world[i].start >= from && world[i].start < to));
    rs_arena_init(&arena, 0);
    rs_trace_page page = ask(f, &arena, question, from, to);
    rs_arena_deinit(&arena);
    assert_true(page.counted);
    *exact = !page.is_estimate;
    if (*exact && page.count != truth) fail_msg("question %u: %zu, not %zu", question, page.count, truth);
    if (!*exact && ((double)page.count < 0.75 * (double)truth || (double)page.count > 1.25 * (double)truth))
        fail_msg("question %u: about %zu, not %zu", question, page.count, truth);
}

static const unsigned questions[] = {
    MODEL,
    ENV,
    USER,
    MANY,
    NAME,
    LONG,
    MODEL | ENV,
    MODEL | MANY,
    ENV | MANY,
    MODEL | USER,
    MODEL | NAME,
    ENV | NAME,
    MANY | NAME,
    USER | NAME,
    LONG | MODEL,
    LONG | NAME,
    MODEL | LONG | MANY,
    MODEL_OR_ENV,
    MODEL_OR_ENV | MANY,
    NOT_ENV,
    NOT_ENV | MODEL,
    NOT_ENV | MANY,
};

static void of_all(void **state) {
    for (size_t i = 0; i < RS_ARRAY_LEN(questions); i++) {
        bool exact;
        for (int again = 0; again < 2; again++) { /* what is known from the first time says the same */
            compare(*state, questions[i], 0, 0, &exact);
            if (questions[i] == MODEL || questions[i] == ENV || questions[i] == USER || questions[i] == MANY)
                assert_true(exact);
            if (questions[i] == (MODEL | USER)) assert_true(exact); /* few */
        }
    }
}

static void in_a_window(void **state) {
    bool exact;
    for (size_t i = 0; i < RS_ARRAY_LEN(questions); i++) {
        compare(*state, questions[i], BURST + 20000 * MS, BURST + 40000 * MS,
                &exact);                                                    /* a third of the burst */
        compare(*state, questions[i], 2 * DAY, BURST + 30000 * MS, &exact); /* half of it, and days before */
        compare(*state, questions[i], 2 * DAY, 4 * DAY, &exact);            /* few */
        assert_true(exact);
    }
    compare(*state, 0, BURST + 20000 * MS, BURST + 40000 * MS, &exact);
    compare(*state, 0, 2 * DAY, BURST + 30000 * MS, &exact);
    compare(*state, 0, 2 * DAY, 4 * DAY, &exact);
    assert_true(exact);
}

/* By words, as far as blocks were gone through. */
static void by_words(void **state) {
    fixture *f = *state;
    rs_list l;
    rs_trace_page page;
    rs_err err = {0};
    size_t truth = 0;
    for (size_t i = 0; i < TRACES; i++) truth += world[i].says;
    rs_list_init(&l, &rs_trace_fields);
    assert_int_equal(rs_list_set(&l, RS_STR("q"), RS_STR("text:marmot"), &f->arena, &err), RS_OK);
    if (rs_traces_list(f->store, 1, &l, &f->arena, &page, &err) != RS_OK) fail_msg("%s", err.message);
    assert_true(page.is_estimate);
    assert_in_range(page.count, truth * 3 / 4, truth * 5 / 4);
}

/* A count that is kept is of no use once there is more, or less. */
static void what_is_known_goes_with_a_commit(void **state) {
    fixture *f = *state;
    rs_arena arena;
    rs_err err = {0};
    uint8_t id[1][16];
    size_t deleted;
    rs_arena_init(&arena, 0);
    uint64_t before = ask(f, &arena, USER, 0, 0).count;
    rs_span more = make_span(TRACES + 1, TRACES + 1, 0, 40 * DAY);
    more.facts.customer = RS_STR("someone");
    commit_spans(f, &more, 1);
    assert_int_equal(ask(f, &arena, USER, 0, 0).count, before + 1);
    put_number(id[0], 16, TRACES + 1);
    assert_int_equal(rs_store_delete_traces(f->store, 1, id, 1, &deleted, &err), RS_OK);
    assert_int_equal(ask(f, &arena, USER, 0, 0).count, before);
    rs_span late = make_span(1, TRACES + 2, 1, MS); /* of the first partition */
    late.facts.customer = RS_STR("someone");
    commit_spans(f, &late, 1);
    assert_int_equal(ask(f, &arena, USER, 0, 0).count, before + !world[0].is_user);
    rs_arena_deinit(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_all), cmocka_unit_test(in_a_window), cmocka_unit_test(by_words),
        cmocka_unit_test(what_is_known_goes_with_a_commit), /* last: it changes the world */
    };
    return cmocka_run_group_tests(tests, make_world, fixture_teardown);
}
