/* Scans that are driven by groups of tags, and say which tags a row has, against a look at every trace. */
#include "store_fixture.h"

enum { TRACES = 6000, COMMIT = 37, KINDS = 40 };

typedef struct made {
    uint64_t start;      /* of the trace, from T0 */
    unsigned model, env; /* numbers of its values */
    bool has_user;
} made;

static made world[TRACES];
static char names[KINDS][16];

static rs_str name_of(unsigned n) { return rs_str_of(names[n]); }

/* Traces out of order, some far from their neighbours, so that rows of a tag overlap and end early. */
static int make_world(void **state) {
    int rc = fixture_setup(state);
    fixture *f = *state;
    rs_span spans[COMMIT];
    rs_store_limit_partitions(f->store, TRACES / 3, UINT64_MAX);
    srand(7);
    for (unsigned i = 0; i < KINDS; i++) snprintf(names[i], sizeof names[i], "kind_%u", i);
    for (size_t i = 0, n = 0; i < TRACES; i++) {
        uint64_t jump = (uint64_t)(rand() % 50 == 0 ? rand() % 9000 : rand() % 40) * MS;
        world[i] = (made){.start = i * 10 * MS + jump,
                          .model = (unsigned)(rand() % (rand() % KINDS + 1)),
                          .env = (unsigned)(rand() % 3),
                          .has_user = rand() % 500 == 0};
        spans[n] = make_span(i + 1, i + 1, 0, world[i].start);
        spans[n].facts.model = name_of(world[i].model);
        spans[n].facts.environment = name_of(world[i].env);
        if (world[i].has_user) spans[n].facts.customer = RS_STR("someone");
        if (++n == COMMIT || i + 1 == TRACES) commit_spans(f, spans, n), n = 0;
    }
    return rc;
}

typedef struct answer {
    const rs_trace_scan *scan;
    uint64_t traces[TRACES];
    int64_t keys[TRACES];
    size_t n;
} answer;

static uint64_t number_of(const uint8_t id[16]) {
    uint64_t n = 0;
    for (int i = 8; i < 16; i++) n = n << 8 | id[i];
    return n;
}

static bool has(const made *m, const rs_tag *tag) {
    if (rs_str_eq(tag->key, RS_STR("model"))) return rs_str_eq(name_of(m->model), tag->value);
    if (rs_str_eq(tag->key, RS_STR("environment"))) return rs_str_eq(name_of(m->env), tag->value);
    return m->has_user;
}

static bool take(void *ctx, const rs_trace_row *row) {
    answer *a = ctx;
    assert_true(a->n < TRACES);
    if (a->n > 0)
        assert_true(a->scan->oldest_first ? row->key > a->keys[a->n - 1] : row->key < a->keys[a->n - 1]);
    a->keys[a->n] = row->key;
    a->traces[a->n] = a->scan->keys_only ? 0 : number_of(row->trace_id);
    for (size_t t = 0; !a->scan->keys_only && t < a->scan->ntags; t++)
        assert_int_equal(row->tags[t / 64] >> t % 64 & 1,
                         has(&world[a->traces[a->n] - 1], &a->scan->tags[t]));
    a->n++;
    return true;
}

static bool wanted(const rs_trace_scan *scan, const made *m) {
    uint64_t start = T0 + m->start;
    if (start < scan->start_min_ns || (scan->start_max_ns && start >= scan->start_max_ns)) return false;
    for (size_t g = 0; g < scan->ngroups; g++) {
        bool any = false;
        for (size_t i = 0; i < scan->groups[g].n; i++) any |= has(m, &scan->tags[scan->groups[g].items[i]]);
        if (!any) return false;
    }
    return true;
}

static void compare(fixture *f, const rs_trace_scan *scan) {
    static answer a;
    rs_err err = {0};
    size_t expected = 0;
    for (size_t i = 0; i < TRACES; i++) expected += wanted(scan, &world[i]);
    a.scan = scan;
    a.n = 0;
    if (rs_store_scan_traces(f->store, 1, scan, take, &a, &err) != RS_OK) fail_msg("%s", err.message);
    assert_int_equal(a.n, expected);
    for (size_t i = 0; i < a.n && !scan->keys_only; i++) assert_true(wanted(scan, &world[a.traces[i] - 1]));
}

static void test_groups(void **state) {
    fixture *f = *state;
    rs_tag tags[KINDS + 4];
    for (unsigned i = 0; i < KINDS; i++) tags[i] = (rs_tag){RS_STR("model"), name_of(i)};
    for (unsigned i = 0; i < 3; i++) tags[KINDS + i] = (rs_tag){RS_STR("environment"), name_of(i)};
    tags[KINDS + 3] = (rs_tag){RS_STR("customer_identifier"), RS_STR("someone")};
    for (int round = 0; round < 120; round++) {
        uint16_t numbers[3][8];
        rs_tag_group groups[3];
        for (size_t g = 0; g < 3; g++) {
            groups[g] = (rs_tag_group){numbers[g], (size_t)(rand() % 8 + 1)};
            for (size_t i = 0; i < groups[g].n; i++) numbers[g][i] = (uint16_t)(rand() % (KINDS + 4));
        }
        rs_trace_scan scan = {.oldest_first = round & 1,
                              .tags = tags,
                              .ntags = KINDS + 4,
                              .groups = groups,
                              .ngroups = (size_t)(rand() % 4),
                              .keys_only = round & 2};
        if (round & 4) scan.start_min_ns = T0 + (uint64_t)(rand() % TRACES) * 10 * MS;
        if (round & 8) scan.start_max_ns = T0 + (uint64_t)(rand() % TRACES) * 10 * MS + 1;
        compare(f, &scan);
    }
}

/* About half of the keys lie in the first half. */
static void test_estimate(void **state) {
    fixture *f = *state;
    double all, half;
    rs_store_range every = {INT64_MIN, INT64_MAX},
                   first = {INT64_MIN, (int64_t)(T0 / 1000) + TRACES * 10000 / 2};
    assert_int_equal(rs_store_estimate_traces(f->store, 1, &every, &all, NULL), RS_OK);
    assert_int_equal(rs_store_estimate_traces(f->store, 1, &first, &half, NULL), RS_OK);
    assert_true(all > TRACES - 0.5 && all < TRACES + 0.5);
    assert_true(half > TRACES * 0.35 && half < TRACES * 0.65);
}

static void test_too_many_tags(void **state) {
    fixture *f = *state;
    static rs_tag tags[RS_SCAN_TAGS_MAX + 1];
    static answer a;
    rs_trace_scan scan = {.tags = tags, .ntags = RS_SCAN_TAGS_MAX + 1};
    rs_err err = {0};
    assert_int_equal(rs_store_scan_traces(f->store, 1, &scan, take, &a, &err), RS_ERR_TOO_LARGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_estimate),
        cmocka_unit_test(test_too_many_tags),
    };
    return cmocka_run_group_tests(tests, make_world, fixture_teardown);
}
