/* Searching what spans say: every trace that says it, in order, whatever the blocks; and the filters that lead there. */
#include "store/sqlite/word_filter.h"
#include "store_fixture.h"

#include <sqlite3.h>

enum { TRACES = 1500, COMMIT = 40, PARTITION = 1200 };

typedef struct made {
    uint64_t start; /* of the trace, from T0 */
    bool says;      /* "Rare thing", in one of its spans */
} made;

static made world[TRACES];
static rs_arena texts;

static rs_span saying(uint64_t trace, uint64_t id, uint64_t parent, uint64_t at, const char *text) {
    rs_span s = make_span(trace, id, parent, at);
    rs_attr *a = rs_arena_zalloc(&texts, 1, sizeof *a);
    assert_non_null(a);
    a[0] = (rs_attr){RS_STR("gen_ai.prompt.0.content"), {.type = RS_VALUE_STRING, .s = rs_str_of(text)}};
    s.attrs = (rs_attrs){.items = a, .n = 1};
    return s;
}

/* Traces out of order in several partitions; some go on for long, and some say it in a span that comes much later. */
static int make_world(void **state) {
    int rc = fixture_setup(state);
    fixture *f = *state;
    rs_span spans[2 * COMMIT], late[TRACES];
    size_t n = 0, nlate = 0;
    rs_store_limit_partitions(f->store, PARTITION, UINT64_MAX);
    rs_arena_init(&texts, 0);
    srand(11);
    for (size_t i = 0; i < TRACES; i++) {
        world[i].start = i * 10 * MS + (uint64_t)(rand() % 50 == 0 ? rand() % 3000 : rand() % 60) * MS;
        bool rare = rand() % 90 == 0, comes_late = rare && rand() % 3 == 0;
        world[i].says = rare;
        char *text = rs_arena_alloc(&texts, 80);
        assert_non_null(text);
        snprintf(text, 80, "number %zu of %s", i, rare && !comes_late ? "a RARE thing" : "things, rarely");
        spans[n++] = saying(i + 1, 2 * i + 1, 0, world[i].start, "what is said here is common");
        spans[n++] =
            saying(i + 1, 2 * i + 2, 2 * i + 1, world[i].start + (uint64_t)(rand() % 400) * MS, text);
        if (comes_late)
            late[nlate++] =
                saying(i + 1, 1000000 + i, 2 * i + 1, world[i].start + 900 * MS, "this rare thing");
        if (n == 2 * COMMIT || i + 1 == TRACES) commit_spans(f, spans, n), n = 0;
    }
    commit_spans(f, late, nlate);
    return rc;
}

static int drop_world(void **state) {
    rs_arena_deinit(&texts);
    return fixture_teardown(state);
}

typedef struct answer {
    bool oldest_first;
    uint64_t traces[TRACES + 1];
    int64_t last;
    size_t n, most;
} answer;

static bool take(void *ctx, const rs_trace_row *row) {
    answer *a = ctx;
    uint64_t number = 0;
    for (int i = 8; i < 16; i++) number = number << 8 | row->trace_id[i];
    assert_true(a->n <= TRACES);
    if (a->n > 0) assert_true(a->oldest_first ? row->key > a->last : row->key < a->last);
    a->last = row->key;
    a->traces[a->n++] = number;
    return a->n % a->most != 0;
}

static void search(fixture *f, const char *text, rs_text_scan scan, size_t page, uint64_t blocks, answer *a) {
    rs_phrase phrase;
    rs_err err = {0};
    assert_int_equal(rs_phrase_make(rs_str_of(text), &f->arena, &phrase), RS_OK);
    scan.phrase = &phrase;
    *a = (answer){.oldest_first = scan.oldest_first, .most = page};
    size_t rounds = 0;
    do {
        scan.blocks_left = blocks;
        if (rs_store_scan_text(f->store, 1, &scan, take, a, &err) != RS_OK) fail_msg("%s", err.message);
        if (++rounds > 2000)
            fail_msg("%s: page %zu, %llu blocks: at %lld after %zu", text, page, (unsigned long long)blocks,
                     (long long)scan.after, a->n);
    } while (!scan.complete);
}

static size_t expected(rs_text_scan scan) {
    size_t n = 0;
    for (size_t i = 0; i < TRACES; i++)
        n += world[i].says && T0 + world[i].start >= scan.start_min_ns &&
             (scan.start_max_ns == 0 || T0 + world[i].start < scan.start_max_ns);
    return n;
}

static void test_all_of_them(void **state) {
    fixture *f = *state;
    static answer all, pages;
    for (int round = 0; round < 8; round++) {
        rs_text_scan scan = {.oldest_first = round & 1};
        if (round & 2) scan.start_min_ns = T0 + 4000 * MS;
        if (round & 4) scan.start_max_ns = T0 + 9000 * MS;
        search(f, "rare thing", scan, SIZE_MAX, UINT64_MAX, &all);
        assert_int_equal(all.n, expected(scan));
        for (size_t i = 0; i < all.n; i++) assert_true(world[all.traces[i] - 1].says);
        search(f, "RARE", scan, 3, UINT64_MAX, &pages); /* page by page */
        assert_int_equal(pages.n, all.n);
        assert_memory_equal(pages.traces, all.traces, all.n * sizeof all.traces[0]);
        search(f, "rare", scan, 2, 1, &pages); /* and a block at a time */
        assert_int_equal(pages.n, all.n);
        assert_memory_equal(pages.traces, all.traces, all.n * sizeof all.traces[0]);
        search(f, "rare", scan, 5, 2, &pages);
        assert_int_equal(pages.n, all.n);
        assert_memory_equal(pages.traces, all.traces, all.n * sizeof all.traces[0]);
    }
    search(f, "nowhere", (rs_text_scan){0}, SIZE_MAX, 1, &all);
    assert_int_equal(all.n, 0);
    search(f, "thing rare", (rs_text_scan){0}, SIZE_MAX, UINT64_MAX, &all);
    assert_int_equal(all.n, 0);
    search(f, "common", (rs_text_scan){0}, SIZE_MAX, UINT64_MAX, &all);
    assert_int_equal(all.n, TRACES);
    search(f, "number 77 of", (rs_text_scan){0}, SIZE_MAX, UINT64_MAX, &all);
    assert_int_equal(all.n, 1);
    search(f, "step", (rs_text_scan){0}, SIZE_MAX, UINT64_MAX, &all); /* the spans' name */
    assert_int_equal(all.n, TRACES);
}

/* A copy that is replaced says nothing any more. */
static void test_a_span_sent_again(void **state) {
    fixture *f = *state;
    static answer a;
    rs_span span = saying(50000, 500001, 0, 0, "xylophone");
    commit_spans(f, &span, 1);
    search(f, "xylophone", (rs_text_scan){0}, SIZE_MAX, UINT64_MAX, &a);
    assert_int_equal(a.n, 1);
    span = saying(50000, 500001, 0, 0, "accordion");
    commit_spans(f, &span, 1);
    search(f, "xylophone", (rs_text_scan){0}, SIZE_MAX, UINT64_MAX, &a);
    assert_int_equal(a.n, 0);
    search(f, "accordion", (rs_text_scan){0}, SIZE_MAX, UINT64_MAX, &a);
    assert_int_equal(a.n, 1);
}

static void test_what_a_trace_may_say(void **state) {
    fixture *f = *state;
    size_t wrong = 0;
    rs_phrase rare, absent, common;
    assert_int_equal(rs_phrase_make(RS_STR("rare"), &f->arena, &rare), RS_OK);
    assert_int_equal(rs_phrase_make(RS_STR("absent"), &f->arena, &absent), RS_OK);
    assert_int_equal(rs_phrase_make(RS_STR("common"), &f->arena, &common), RS_OK);
    const rs_phrase *phrases[] = {&rare, &absent, &common};
    for (size_t i = 0; i < TRACES; i++) {
        uint8_t id[16];
        bool may[3];
        put_number(id, 16, i + 1);
        assert_int_equal(rs_store_trace_may_say(f->store, 1, id, phrases, 3, may, NULL), RS_OK);
        assert_true(may[2] && (may[0] || !world[i].says));
        wrong += may[1];
    }
    assert_true(wrong < TRACES / 5);
    unsigned counts[3];
    assert_int_equal(rs_store_sample_text(f->store, 1, phrases, 3, counts, NULL), RS_OK);
    assert_true(counts[1] < counts[2]);
}

static void change_index(const fixture *f, const char *sql) {
    char path[160];
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/projects/1/p000001/index.db", f->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) fail_msg("%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

/* A filter whose size says that it was made by older rules is not asked for letters that these had in two cases. */
static void test_filters_of_older_rules(void **state) {
    void *own;
    static answer a;
    (void)state;
    assert_int_equal(fixture_setup(&own), 0);
    fixture *f = own;
    rs_span span = saying(1, 1, 0, 0, "ΑΘΉΝΑ");
    commit_spans(f, &span, 1);
    search(f, "αθήνα", (rs_text_scan){0}, SIZE_MAX, UINT64_MAX, &a);
    assert_int_equal(a.n, 1);
    change_index(f, "UPDATE block SET words = words - 2");
    fixture_reopen(f);
    search(f, "αθήνα", (rs_text_scan){0}, SIZE_MAX, UINT64_MAX, &a);
    assert_int_equal(a.n, 1);
    fixture_teardown(&own);
}

/* Of the words that were added each is known, and of others few. */
static void test_filter(void **state) {
    (void)state;
    static const uint32_t words[] = {1, 20, 300, 5000, 40000};
    for (size_t k = 0; k < RS_ARRAY_LEN(words); k++) {
        rs_word_set set = {0};
        rs_buf out;
        rs_arena arena;
        char text[32];
        rs_buf_init(&out);
        rs_arena_init(&arena, 0);
        for (uint32_t i = 0; i < words[k]; i++) {
            rs_span s = {.name = {text, (size_t)snprintf(text, sizeof text, "word%u", i)}};
            rs_word_set_add(&set, &s);
            rs_word_set_add(&set, &s);
        }
        assert_int_equal(set.words, words[k]);
        assert_int_equal(rs_word_set_finish(&set, 1000, &out), RS_OK);
        assert_true(out.n <= words[k] * 13 / 4 + RS_WORD_LINE);
        size_t wrong = 0;
        for (uint32_t i = 0; i < words[k] + 20000; i++) {
            rs_phrase p;
            snprintf(text, sizeof text, "word%u", i);
            assert_int_equal(rs_phrase_make(rs_str_of(text), &arena, &p), RS_OK);
            bool may = rs_word_line_may_have(out.n, out.p + rs_word_filter_line(out.n, p.keys[0]), p.keys[0]);
            assert_true(may || i >= words[k]);
            wrong += may && i >= words[k];
        }
        if (wrong > 20) fail_msg("%u words: %zu of 20000 wrong", words[k], wrong);
        rs_word_set_deinit(&set);
        rs_buf_deinit(&out);
        rs_arena_deinit(&arena);
    }
}

/* A word whose bits were mostly the same would be said to be in most blocks. */
static void test_bits_of_a_word(void **state) {
    (void)state;
    size_t few = 0;
    for (uint64_t n = 1; n <= 200000; n++) {
        uint32_t bits[RS_WORD_PROBES], same = 0;
        int probes = rs_word_line_bits(3584 + RS_WORD_RULES, n * 0xd1342543de82ef95u ^ n << 40, bits);
        assert_int_equal(probes, RS_WORD_PROBES);
        for (int i = 0; i < probes; i++) {
            assert_true(bits[i] < RS_WORD_LINE * 8);
            for (int k = 0; k < i; k++) same += bits[k] == bits[i];
        }
        few += same > 2;
    }
    assert_true(few < 4);
}

static void put_damage(const char *path, long at) {
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, at < 0 ? SEEK_END : SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_equal(fseek(file, -1, SEEK_CUR), 0);
    fputc(byte ^ 1, file);
    assert_int_equal(fclose(file), 0);
}

static size_t problems(const fixture *f) {
    rs_store_report report;
    rs_err err = {0};
    assert_int_equal(rs_store_check(f->dir, NULL, NULL, &report, &err), RS_OK);
    return report.problems;
}

static void make_rows(fixture *f) {
    rs_err err = {0};
    if (rs_store_make_word_rows(f->store, 1, &err) != RS_OK) fail_msg("%s", err.message);
}

/* What rows say is what the filters say, whatever is added, sealed or damaged later. */
static void test_word_rows(void **state) {
    fixture *f = *state;
    static const char *const words[] = {"rare thing",   "RARE", "nowhere", "common",
                                        "number 77 of", "7",    "step",    "never"};
    static answer before[RS_ARRAY_LEN(words) * 2], a;
    char path[160];
    snprintf(path, sizeof path, "%s/projects/1/p000001/words.rows", f->dir);
    assert_int_equal(access(path, F_OK), -1);
    for (size_t i = 0; i < RS_ARRAY_LEN(before); i++)
        search(f, words[i / 2], (rs_text_scan){.oldest_first = i & 1}, SIZE_MAX, UINT64_MAX, &before[i]);
    for (int round = 0; round < 7; round++) {
        if (round == 2) put_damage(path, -1); /* a row */
        if (round == 3) put_damage(path, 60); /* what is said of a block */
        if (round == 4) put_damage(path, 8);  /* the end of the segment */
        if (round == 5) assert_int_equal(truncate(path, 100), 0);
        if (round >= 2 && round < 6) assert_int_equal(problems(f), 1);
        if (round > 0) {
            rs_store_limit_partitions(f->store, PARTITION, UINT64_MAX);
            fixture_reopen(f);
            rs_store_limit_partitions(f->store, PARTITION, UINT64_MAX);
        }
        if (round == 6) assert_int_equal(rs_store_compact(f->store, 1, NULL), RS_OK);
        else make_rows(f);
        if (round < 6) assert_int_equal(access(path, F_OK), 0);
        for (size_t i = 0; i < RS_ARRAY_LEN(before); i++) {
            search(f, words[i / 2], (rs_text_scan){.oldest_first = i & 1}, i % 3 ? 7 : SIZE_MAX,
                   i % 3 ? 1 : UINT64_MAX, &a);
            assert_int_equal(a.n, before[i].n);
            assert_memory_equal(a.traces, before[i].traces, a.n * sizeof a.traces[0]);
        }
        assert_int_equal(problems(f), 0);
        if (round == 0) { /* late spans are found beside it */
            rs_span late = saying(1, 700000, 1, 0, "a late oboe");
            commit_spans(f, &late, 1);
            search(f, "oboe", (rs_text_scan){0}, SIZE_MAX, UINT64_MAX, &a);
            assert_int_equal(a.n, 1);
        }
    }
}

static void test_filters_know_every_word(void **state) {
    fixture *f = *state;
    rs_store_report report;
    rs_err err = {0};
    assert_int_equal(rs_store_check(f->dir, NULL, NULL, &report, &err), RS_OK);
    assert_int_equal(report.problems, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_of_them),
        cmocka_unit_test(test_a_span_sent_again),
        cmocka_unit_test(test_what_a_trace_may_say),
        cmocka_unit_test(test_filter),
        cmocka_unit_test(test_filters_of_older_rules),
        cmocka_unit_test(test_filters_know_every_word),
        cmocka_unit_test(test_bits_of_a_word),
        cmocka_unit_test(test_word_rows),
    };
    return cmocka_run_group_tests(tests, make_world, drop_world);
}
