/* A project in many partitions: every question is answered as if it were in one. */
#include "base/ids.h"
#include "run_sql.h"
#include "store/sqlite/bloom.h"
#include "store/sqlite/tag.h"
#include "store_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

enum { SPANS = 40 /* that a partition has before there is another */ };

static int limited_setup(void **state) {
    int rc = fixture_setup(state);
    fixture *f = *state;
    rs_store_limit_partitions(f->store, SPANS, UINT64_MAX);
    return rc;
}

static void reopen_limited(fixture *f) {
    fixture_reopen(f);
    rs_store_limit_partitions(f->store, SPANS, UINT64_MAX);
}

static int count_partitions(fixture *f) {
    char path[128];
    int n = 0;
    snprintf(path, sizeof path, "%s/projects/1", f->dir);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) n += e->d_name[0] == 'p';
    if (d) closedir(d);
    return n;
}

static off_t segment_size(fixture *f, int number) {
    char path[128];
    struct stat st;
    snprintf(path, sizeof path, "%s/projects/1/p%06d/segment", f->dir, number);
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

/* ---- against one partition ----------------------------------------------------------------------------- */

/* What comparing takes of a row. */
typedef struct row {
    int64_t key;
    uint8_t trace_id[16];
    uint32_t spans, errors;
    uint64_t start, end;
} row;

typedef struct rows {
    row items[2000];
    size_t n, most;
} rows;

static bool take_row(void *ctx, const rs_trace_row *r) {
    rows *to = ctx;
    assert_true(to->n < RS_ARRAY_LEN(to->items));
    row *at = &to->items[to->n++];
    memset(at, 0, sizeof *at);
    *at = (row){r->key, {0}, r->span_count, r->error_count, r->start_ns, r->end_ns};
    memcpy(at->trace_id, r->trace_id, 16);
    return to->n < to->most;
}

static void scan(fixture *f, rs_trace_scan what, size_t most, rows *out) {
    out->n = 0;
    out->most = most;
    assert_int_equal(rs_store_scan_traces(f->store, 1, &what, take_row, out, NULL), RS_OK);
}

static void assert_same_rows(const rows *a, const rows *b) {
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) assert_memory_equal(&a->items[i], &b->items[i], sizeof a->items[i]);
}

/* The same question to both: at once, and page by page. */
static void compare_scan(fixture *many, fixture *one, rs_trace_scan what) {
    static rows expected, got, page;
    scan(one, what, SIZE_MAX, &expected);
    scan(many, what, SIZE_MAX, &got);
    assert_same_rows(&got, &expected);
    for (size_t done = 0; done < expected.n; done += page.n) {
        rs_trace_scan next = what;
        if (done) next.has_after = true, next.after = expected.items[done - 1].key;
        scan(many, next, 7, &page);
        assert_true(page.n > 0);
        assert_memory_equal(page.items, &expected.items[done], page.n * sizeof page.items[0]);
    }
}

static bool take_number(void *ctx, int64_t key, const rs_span *head) {
    int64_t *last = ctx;
    (void)head;
    assert_true(key < last[0]); /* newest first */
    last[0] = key;
    return ++last[1] < last[2];
}

/* All of them, once each, and page by page. */
static int64_t scanned(fixture *f, int64_t page) {
    int64_t all = 0;
    for (int64_t before = INT64_MAX, n = page; n == page;) {
        int64_t at[3] = {before, 0, page};
        rs_span_scan what = {.has_before = before != INT64_MAX, .before = before};
        assert_int_equal(rs_store_scan_spans(f->store, 1, &what, take_number, at, NULL), RS_OK);
        before = at[0];
        all += n = at[1];
    }
    return all;
}

static uint64_t tagged(fixture *f, rs_tag tag) {
    uint64_t n;
    assert_int_equal(rs_store_count_tag(f->store, 1, &tag, &n, NULL), RS_OK);
    return n;
}

static void compare(fixture *many, fixture *one, uint64_t traces) {
    rs_tag tags[] = {{RS_STR("name"), RS_STR("odd")}, {RS_STR("status_code"), RS_STR("error")}};
    for (int oldest = 0; oldest < 2; oldest++) {
        compare_scan(many, one, (rs_trace_scan){.oldest_first = oldest});
        compare_scan(many, one, (rs_trace_scan){.oldest_first = oldest, .tags = tags, .ntags = 1});
        compare_scan(many, one, (rs_trace_scan){.oldest_first = oldest, .tags = tags, .ntags = 2});
        compare_scan(many, one,
                     (rs_trace_scan){.oldest_first = oldest,
                                     .start_min_ns = T0 + 300 * MS,
                                     .start_max_ns = T0 + 700 * MS});
    }
    for (size_t i = 0; i < RS_ARRAY_LEN(tags); i++)
        assert_int_equal(tagged(many, tags[i]), tagged(one, tags[i]));
    rs_store_stats a, b;
    assert_int_equal(rs_store_get_stats(many->store, 1, &a, NULL), RS_OK);
    assert_int_equal(rs_store_get_stats(one->store, 1, &b, NULL), RS_OK);
    assert_int_equal(a.traces, b.traces);
    assert_int_equal(a.spans, b.spans);
    assert_int_equal(scanned(many, INT64_MAX), (int64_t)a.spans);
    assert_int_equal(scanned(many, 13), (int64_t)a.spans);
    for (uint64_t trace = 1; trace <= traces; trace++) {
        rs_spans x = read_trace(many, trace, RS_READ_FULL), y = read_trace(one, trace, RS_READ_FULL);
        assert_int_equal(x.n, y.n);
        for (size_t i = 0; i < x.n; i++) {
            assert_memory_equal(x.items[i].span_id, y.items[i].span_id, 8);
            assert_int_equal(x.items[i].start_ns, y.items[i].start_ns);
        }
        rs_span found;
        rs_arena_deinit(&one->arena);
        assert_int_equal(
            rs_store_read_span(many->store, 1, NULL, x.items[0].span_id, &many->arena, &found, NULL), RS_OK);
        assert_memory_equal(found.trace_id, x.items[0].trace_id, 16);
        rs_arena_deinit(&many->arena);
    }
}

static uint64_t below(uint64_t *seed, uint64_t n) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (*seed >> 33) % n;
}

/* Some spans of some traces: new ones, some of long ago, some sent before; times that overlap and that are equal. */
static size_t make_some(rs_span *spans, uint64_t *seed, uint64_t *traces) {
    size_t n = 1 + below(seed, 14);
    for (size_t i = 0; i < n; i++) {
        bool is_new = *traces == 0 || below(seed, 3) == 0;
        uint64_t trace = is_new ? ++*traces : 1 + below(seed, *traces), id = 1 + below(seed, 6);
        uint64_t at = trace % 60 == 0 ? 500 * MS : (trace * 7 + below(seed, 300)) * MS; /* some at one time */
        spans[i] = make_span(trace, trace * 100 + id, id == 1 ? 0 : trace * 100 + 1, at);
        if (trace % 2) spans[i].name = RS_STR("odd");
        if (id == 3) spans[i].status = RS_STATUS_ERROR;
    }
    return n;
}

static void many_partitions_answer_as_one(void **state) {
    fixture *many = *state, *one;
    assert_int_equal(fixture_setup((void **)&one), 0);
    uint64_t seed = 20251129, traces = 0;
    for (int commit = 0; commit < 150; commit++) {
        rs_span spans[16];
        size_t n = make_some(spans, &seed, &traces);
        commit_spans(many, spans, n);
        commit_spans(one, spans, n);
        if (commit % 50 == 20) reopen_limited(many);
    }
    assert_int_equal(count_partitions(one), 1);
    assert_true(count_partitions(many) > 5);
    compare(many, one, traces);
    reopen_limited(many);
    compare(many, one, traces);
    fixture_teardown((void **)&one);
}

static void equal_starts_have_keys_of_their_own(void **state) {
    fixture *f = *state;
    static rows all;
    for (uint64_t trace = 1; trace <= 100; trace++) {
        rs_span spans[3] = {make_span(trace, 1, 0, 0), make_span(trace, 2, 1, 0), make_span(trace, 3, 1, 0)};
        commit_spans(f, spans, 3);
    }
    assert_true(count_partitions(f) > 5);
    scan(f, (rs_trace_scan){0}, SIZE_MAX, &all);
    assert_int_equal(all.n, 100);
    for (size_t i = 1; i < all.n; i++) assert_true(all.items[i].key < all.items[i - 1].key);
}

/* ---- where things go ----------------------------------------------------------------------------------- */

static void fill(fixture *f, uint64_t first, uint64_t traces) {
    for (uint64_t trace = first; trace < first + traces; trace++) {
        rs_span spans[SPANS / 4];
        for (uint64_t i = 0; i < SPANS / 4; i++)
            spans[i] = make_span(trace, trace * 100 + i + 1, i ? trace * 100 + 1 : 0, trace * MS);
        commit_spans(f, spans, SPANS / 4);
    }
}

/* Though a reader's connection stays open. */
static void one_that_rests_has_no_wal(void **state) {
    fixture *f = *state;
    char path[160];
    struct stat st;
    fill(f, 1, 2);
    assert_int_equal(read_trace(f, 1, RS_READ_FULL).n, SPANS / 4);
    fill(f, 3, 3);
    assert_int_equal(count_partitions(f), 2);
    snprintf(path, sizeof path, "%s/projects/1/p000001/index.db-wal", f->dir);
    assert_true(stat(path, &st) != 0 || st.st_size == 0);
    assert_int_equal(read_trace(f, 1, RS_READ_FULL).n, SPANS / 4);
}

static void late_spans_go_to_their_trace(void **state) {
    fixture *f = *state;
    fill(f, 1, 13); /* four of ten spans in each partition, one in the fourth */
    assert_int_equal(count_partitions(f), 4);
    off_t before[5];
    for (int i = 1; i <= 4; i++) before[i] = segment_size(f, i);
    rs_span late[] = {make_span(2, 299, 201, 2 * MS), make_span(6, 699, 601, 6 * MS),
                      make_span(14, 1401, 0, 14 * MS)};
    commit_spans(f, late, 3); /* of one request, into three partitions */
    for (int i = 1; i <= 4; i++) assert_true((segment_size(f, i) > before[i]) == (i != 3));
    assert_int_equal(read_trace(f, 2, RS_READ_FULL).n, 11);
    assert_int_equal(read_trace(f, 6, RS_READ_FULL).n, 11);
    assert_int_equal(read_trace(f, 14, RS_READ_FULL).n, 1);
    commit_spans(f, late, 3); /* sent again: nothing is there twice */
    reopen_limited(f);
    assert_int_equal(read_trace(f, 6, RS_READ_FULL).n, 11);
    assert_int_equal(scanned(f, INT64_MAX), 133);
    assert_int_equal(count_partitions(f), 4);
}

static void an_old_partition_takes_no_new_traces(void **state) {
    fixture *f = *state;
    rs_store_limit_partitions(f->store, UINT64_MAX, 20 * MS);
    fill(f, 1, 1);
    usleep(30000);
    fill(f, 2, 1);
    assert_int_equal(count_partitions(f), 2);
    assert_int_equal(read_trace(f, 1, RS_READ_FULL).n, SPANS / 4);
}

static void put_bytes(fixture *f, const char *name, off_t at, const char *bytes, size_t n) {
    char path[160];
    snprintf(path, sizeof path, "%s/projects/1/p000001/%s", f->dir, name);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, n, at), (ssize_t)n);
    close(fd);
}

static void what_is_wrong_with_a_filter_file_is_not_believed(void **state) {
    fixture *f = *state;
    char path[160];
    fill(f, 1, 9);
    reopen_limited(f);
    snprintf(path, sizeof path, "%s/projects/1/p000001/traces.filter", f->dir);
    assert_int_equal(read_trace(f, 1, RS_READ_FULL).n, SPANS / 4);
    for (int damage = 0; damage < 4; damage++) {
        if (damage == 0) put_bytes(f, "traces.filter", 4096, "\xff\xff\xff", 3);
        if (damage == 1) put_bytes(f, "traces.filter", 0, "XXXXXXXXXXXXXXXXXXXXXXXXXXXX", 28);
        if (damage == 2) assert_int_equal(truncate(path, 1000), 0);
        if (damage == 3) assert_int_equal(unlink(path), 0);
        reopen_limited(f);
        for (uint64_t trace = 1; trace <= 9; trace++)
            assert_int_equal(read_trace(f, trace, RS_READ_FULL).n, SPANS / 4);
        assert_int_equal(access(path, F_OK), 0); /* written anew */
    }
}

/* ---- an older store ------------------------------------------------------------------------------------ */

static void a_store_of_version_1_goes_on(void **state) {
    fixture *f = *state;
    char path[160];
    fill(f, 1, 2);
    rs_store_close(f->store);
    snprintf(path, sizeof path, "%s/projects/1/p000001/index.db", f->dir);
    run_sql(path, "ALTER TABLE block DROP COLUMN words; ALTER TABLE block DROP COLUMN min_key;"
                  "ALTER TABLE state DROP COLUMN opened; ALTER TABLE state DROP COLUMN tag_spread;"
                  "ALTER TABLE state DROP COLUMN has_rollups; ALTER TABLE state DROP COLUMN sealed_end;"
                  "ALTER TABLE state DROP COLUMN erasing; ALTER TABLE state DROP COLUMN has_model_parts;"
                  "CREATE TABLE old(hash INTEGER NOT NULL, trace INTEGER NOT NULL, PRIMARY KEY(hash, trace)) "
                  "WITHOUT ROWID;"
                  "INSERT INTO old SELECT hash, last FROM tag; DROP TABLE tag; ALTER TABLE old RENAME TO tag;"
                  "PRAGMA user_version=1;");
    assert_int_equal(rs_store_open(f->dir, &f->store, NULL), RS_OK);
    assert_int_equal(read_trace(f, 1, RS_READ_FULL).n, SPANS / 4);
    rs_span late = make_span(1, 199, 101, MS);
    commit_spans(f, &late, 1);
    fill(f, 3, 1);
    reopen_limited(f);
    assert_int_equal(read_trace(f, 1, RS_READ_FULL).n, SPANS / 4 + 1);
    assert_int_equal(tagged(f, (rs_tag){RS_STR("name"), RS_STR("step")}), 3);
    assert_int_equal(scanned(f, INT64_MAX), 3 * SPANS / 4 + 1);
    rs_store_close(f->store);
    run_sql(path, "PRAGMA user_version=99;");
    rs_err err = {0};
    rs_spans out;
    uint8_t id[16] = {0};
    assert_int_equal(rs_store_open(f->dir, &f->store, NULL), RS_OK);
    assert_int_equal(rs_store_read_trace(f->store, 1, id, RS_READ_HEADS, &f->arena, &out, &err),
                     RS_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "format 99"));
}

/* Of spans whose tags are in the table `tag` alone, from which those of the names' last parts are taken away. `and_then`: in SQL. */
static void models_get_their_parts(fixture *f, const char *and_then) {
    enum { TRACES = 6000 };
    rs_tag part = {RS_STR("model"), RS_STR("tiny")}, whole = {RS_STR("model"), RS_STR("b/c/tiny")};
    rs_span *spans = calloc(TRACES, sizeof *spans);
    char path[160], sql[600];
    assert_non_null(spans);
    for (uint64_t i = 0; i < TRACES; i++) {
        spans[i] = make_span(i + 1, 1, 0, i * MS);
        spans[i].facts.model = i % 3 ? RS_STR("a/tiny") : RS_STR("b/c/tiny");
        if (i % 10 == 0) spans[i].facts.model = RS_STR("a/");
    }
    commit_spans(f, spans, TRACES);
    free(spans);
    assert_int_equal(tagged(f, part), TRACES * 9 / 10);
    rs_store_close(f->store);
    snprintf(path, sizeof path, "%s/projects/1/p000001/index.db", f->dir);
    snprintf(sql, sizeof sql,
             "DELETE FROM tag WHERE hash = %lld; ALTER TABLE state DROP COLUMN has_model_parts; %s;"
             "PRAGMA user_version=9;",
             (long long)rs_tag_hash(part.key, part.value), and_then);
    run_sql(path, sql);
    assert_int_equal(rs_store_open(f->dir, &f->store, NULL), RS_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(tagged(f, part), TRACES * 9 / 10);
        assert_int_equal(tagged(f, whole), TRACES * 3 / 10);
        fixture_reopen(f);
    }
}

static void a_store_of_version_9_knows_the_parts_of_models(void **state) {
    models_get_their_parts(*state, "");
}

/* The rollups do not say which models there are. */
static void so_does_one_of_too_many_kinds(void **state) {
    models_get_their_parts(*state, "DELETE FROM rollup WHERE of = 0 AND model <> 'a/';"
                                   "UPDATE rollup SET log_type = 255, model = '' WHERE of = 0");
}

/* ---- the filter ---------------------------------------------------------------------------------------- */

static void a_filter_knows_what_it_was_given(void **state) {
    (void)state;
    enum { N = 300000 };
    rs_bloom f = {0};
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < N; i++) rs_bloom_add(&f, i * 0x9e3779b97f4a7c15u);
    for (uint64_t i = 0; i < N; i++) assert_true(rs_bloom_may_have(&f, i * 0x9e3779b97f4a7c15u));
    for (uint64_t i = 0; i < N; i++) wrong += rs_bloom_may_have(&f, ~(i * 0x9e3779b97f4a7c15u));
    if (wrong > N / 50) fail_msg("%llu of %d are wrong", (unsigned long long)wrong, N);
    rs_bloom_deinit(&f);
    assert_false(rs_bloom_may_have(&f, 0));
}

/* ---- whoever looks meanwhile ---------------------------------------------------------------------------- */

typedef struct watch {
    const fixture *f;
    bool stop;
    int seen, halves;
} watch;

/* As a backup or a check does. */
static void *look_on(void *ctx) {
    watch *w = ctx;
    char dir[128], path[512];
    snprintf(dir, sizeof dir, "%s/projects/1", w->f->dir);
    while (!__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE)) {
        DIR *d = opendir(dir);
        for (struct dirent *e; d && (e = readdir(d));) {
            if (e->d_name[0] != 'p' || strchr(e->d_name, '.')) continue;
            w->seen++;
            for (int i = 0; i < 2; i++) {
                snprintf(path, sizeof path, "%s/%s/%s", dir, e->d_name, i ? "segment" : "index.db");
                w->halves += access(path, F_OK) != 0;
            }
        }
        if (d) closedir(d);
    }
    return NULL;
}

static void a_new_one_is_whole_at_once(void **state) {
    enum { PARTITIONS = 40 };
    fixture *f = *state;
    watch w = {.f = f};
    pthread_t thread;
    rs_span spans[SPANS];
    assert_int_equal(pthread_create(&thread, NULL, look_on, &w), 0);
    for (uint64_t at = 0; at < PARTITIONS * SPANS; at += SPANS) {
        for (uint64_t i = 0; i < SPANS; i++) spans[i] = make_span(at + i + 1, 1, 0, (at + i) * MS);
        commit_spans(f, spans, SPANS);
    }
    __atomic_store_n(&w.stop, true, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    assert_int_equal(count_partitions(f), PARTITIONS);
    assert_true(w.seen > 0);
    assert_int_equal(w.halves, 0);
}

int main(void) {
#define TEST(t) cmocka_unit_test_setup_teardown(t, limited_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(many_partitions_answer_as_one),
        TEST(equal_starts_have_keys_of_their_own),
        TEST(one_that_rests_has_no_wal),
        TEST(late_spans_go_to_their_trace),
        TEST(an_old_partition_takes_no_new_traces),
        TEST(what_is_wrong_with_a_filter_file_is_not_believed),
        TEST(a_store_of_version_1_goes_on),
        cmocka_unit_test_setup_teardown(a_store_of_version_9_knows_the_parts_of_models, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(so_does_one_of_too_many_kinds, fixture_setup, fixture_teardown),
        TEST(a_new_one_is_whole_at_once),
        cmocka_unit_test(a_filter_knows_what_it_was_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
