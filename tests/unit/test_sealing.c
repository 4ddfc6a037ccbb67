/* Partitions that are rewritten: everything that was there is there, whatever happens meanwhile. */
#include "random_spans.h"
#include "store/sqlite/dictionary.h"
#include "store_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { TRACES = 59, PER_COMMIT = 12 };

static int limited_setup(void **state) {
    int rc = fixture_setup(state);
    fixture *f = *state;
    rs_store_limit_partitions(f->store, 150, UINT64_MAX);
    return rc;
}

static void reopen(fixture *f) {
    fixture_reopen(f);
    rs_store_limit_partitions(f->store, 150, UINT64_MAX);
}

static void complain(void *ctx, const char *text) {
    (void)ctx;
    print_error("%s\n", text);
}

static void assert_whole(fixture *f) {
    rs_store_report r;
    rs_err err = {0};
    if (rs_store_check(f->dir, complain, NULL, &r, &err) != RS_OK) fail_msg("%s", err.message);
    assert_int_equal(r.problems, 0);
}

static void compact(fixture *f) {
    rs_err err = {0};
    if (rs_store_compact(f->store, 1, &err) != RS_OK) fail_msg("%s", err.message);
}

static int count_folders(fixture *f, const char *end) {
    char path[128];
    int n = 0;
    snprintf(path, sizeof path, "%s/projects/1", f->dir);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        size_t name = strlen(e->d_name), tail = strlen(end);
        n += e->d_name[0] == 'p' && name >= tail && strcmp(e->d_name + name - tail, end) == 0;
    }
    if (d) closedir(d);
    return n;
}

/* Spans with all that spans may have, of TRACES traces, some of them sent again. */
static rs_spans make_all(rs_arena *arena) {
    rs_spans spans = random_spans(7, 800, arena);
    for (size_t i = 0; i < spans.n; i++) {
        uint64_t of = i % 700; /* the last hundred again */
        put_number(spans.items[i].span_id, 8, 1 + of);
        put_number(spans.items[i].trace_id, 16, 1 + (of % 10 ? of : of / 2) / 12); /* some come late */
    }
    return spans;
}

static void commit_all(fixture *f, const rs_spans *spans) {
    for (size_t i = 0; i < spans->n; i += PER_COMMIT)
        commit_spans(f, spans->items + i, spans->n - i < PER_COMMIT ? spans->n - i : PER_COMMIT);
}

/* Every span as it was sent last. */
static void assert_all_there(fixture *f, const rs_spans *spans) {
    for (uint64_t trace = 1; trace <= TRACES; trace++) {
        rs_spans got = read_trace(f, trace, RS_READ_FULL);
        size_t expected = 0;
        for (size_t i = 0; i < spans->n; i++) {
            const rs_span *s = &spans->items[i], *last = i + 700 < spans->n ? &spans->items[i + 700] : s;
            if (s->trace_id[15] != trace || i >= 700) continue;
            expected++;
            size_t at = 0;
            while (at < got.n && memcmp(got.items[at].span_id, s->span_id, 8) != 0) at++;
            if (at == got.n) fail_msg("span %zu is missing", i);
            const char *differs = spans_differ(&got.items[at], last);
            if (differs) fail_msg("span %zu: %s", i, differs);
        }
        assert_int_equal(got.n, expected);
        rs_arena_deinit(&f->arena);
    }
}

static uint64_t tagged(fixture *f, rs_str key, rs_str value) {
    uint64_t n;
    assert_int_equal(rs_store_count_tag(f->store, 1, &(rs_tag){key, value}, &n, NULL), RS_OK);
    return n;
}

static uint64_t tagged_in_all(fixture *f) {
    return tagged(f, RS_STR("status_code"), RS_STR("ok")) +
           100 * tagged(f, RS_STR("status_code"), RS_STR("error")) +
           10000 * tagged(f, RS_STR("status_code"), RS_STR("unset"));
}

static void what_is_sealed_is_the_same(void **state) {
    fixture *f = *state;
    rs_arena arena = {0};
    rs_spans spans = make_all(&arena);
    commit_all(f, &spans);
    assert_true(count_folders(f, "") > 3);
    uint64_t tags = tagged_in_all(f);
    assert_true(tags > 10000);
    compact(f);
    assert_int_equal(tagged_in_all(f), tags);
    assert_int_equal(count_folders(f, ".2"), count_folders(f, ""));
    assert_whole(f);
    assert_all_there(f, &spans);
    int partitions = count_folders(f, "");
    compact(f); /* nothing is left to do */
    assert_int_equal(count_folders(f, ".2"), partitions);
    reopen(f);
    assert_all_there(f, &spans);
    commit_all(f, &spans); /* sent again: late spans of sealed partitions, beside one for new traces */
    assert_int_equal(count_folders(f, ""), partitions + 1);
    assert_all_there(f, &spans);
    assert_whole(f);
    compact(f);
    assert_int_equal(count_folders(f, ".3"), partitions);
    assert_whole(f);
    assert_all_there(f, &spans);
    rs_span fresh = make_span(1000, 1, 0, 0);
    commit_spans(f, &fresh, 1); /* a new trace does not go to a sealed partition */
    assert_int_equal(count_folders(f, ""), partitions + 1);
    assert_whole(f);
    rs_arena_deinit(&arena);
}

static void delete_one(fixture *f, uint64_t trace, size_t expected) {
    uint8_t id[1][16];
    size_t deleted;
    rs_err err = {0};
    put_number(id[0], 16, trace);
    if (rs_store_delete_traces(f->store, 1, (const uint8_t(*)[16])id, 1, &deleted, &err) != RS_OK)
        fail_msg("%s", err.message);
    assert_int_equal(deleted, expected);
}

/* ---- meanwhile ----------------------------------------------------------------------------------------- */

typedef struct busy {
    fixture *f;
    const rs_spans *spans;
    atomic_bool stop;
} busy;

/* Sends the same spans again and again: late spans of every partition. */
static void *keep_writing(void *arg) {
    busy *b = arg;
    while (!atomic_load(&b->stop))
        for (size_t i = 0; i < b->spans->n && !atomic_load(&b->stop); i += PER_COMMIT) {
            size_t n = b->spans->n - i < PER_COMMIT ? b->spans->n - i : PER_COMMIT;
            rs_store_batch batch = {.project = 1, .spans = b->spans->items + i, .n = n};
            if (rs_store_commit(b->f->store, &batch, 1, NULL, NULL) != RS_OK) abort();
        }
    return NULL;
}

static bool count_row(void *ctx, const rs_trace_row *row) {
    (void)row;
    ++*(size_t *)ctx;
    return true;
}

/* Each trace is in the list once and can be read, at any moment. */
static void *keep_reading(void *arg) {
    busy *b = arg;
    while (!atomic_load(&b->stop)) {
        size_t n = 0;
        if (rs_store_scan_traces(b->f->store, 1, &(rs_trace_scan){0}, count_row, &n, NULL) != RS_OK) abort();
        if (n != TRACES) abort();
        for (uint64_t trace = 1; trace <= TRACES; trace += 7) {
            rs_arena arena = {0};
            rs_spans out;
            uint8_t id[16];
            put_number(id, 16, trace);
            if (rs_store_read_trace(b->f->store, 1, id, RS_READ_FULL, &arena, &out, NULL) != RS_OK) abort();
            rs_arena_deinit(&arena);
        }
    }
    return NULL;
}

static void others_go_on_meanwhile(void **state) {
    fixture *f = *state;
    rs_arena arena = {0};
    rs_spans spans = make_all(&arena);
    busy b = {f, &spans, false};
    pthread_t threads[3];
    commit_all(f, &spans);
    pthread_create(&threads[0], NULL, keep_writing, &b);
    for (int i = 1; i < 3; i++) pthread_create(&threads[i], NULL, keep_reading, &b);
    for (int round = 0; round < 2; round++) compact(f);
    atomic_store(&b.stop, true);
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    assert_whole(f);
    commit_all(f, &spans);
    assert_all_there(f, &spans);
    compact(f);
    assert_whole(f);
    assert_all_there(f, &spans);
    rs_arena_deinit(&arena);
}

/* ---- killed -------------------------------------------------------------------------------------------- */

static long calls_left = -1; /* of those that change something on the disk, before this process dies */

static void count_call(void) {
    if (calls_left >= 0 && calls_left-- == 0) _exit(99);
}

#define EVERYBODYS __attribute__((visibility("default")))

EVERYBODYS int fsync(int fd) {
    (void)fd;
    count_call();
    return 0; /* no machine loses its power here */
}

EVERYBODYS int fdatasync(int fd) {
    (void)fd;
    count_call();
    return 0;
}

EVERYBODYS int rename(const char *from, const char *to) {
    count_call();
    return (int)syscall(SYS_rename, from, to);
}

EVERYBODYS int unlink(const char *path) {
    count_call();
    return (int)syscall(SYS_unlink, path);
}

EVERYBODYS int rmdir(const char *path) {
    count_call();
    return (int)syscall(SYS_rmdir, path);
}

static void run(const char *command) { assert_int_equal(system(command), 0); }

/* In a process that dies at the n-th such call. False: it came to its end before. */
static bool compact_and_die(fixture *f, long n) {
    int status;
    rs_store_close(f->store);
    pid_t child = fork();
    if (child == 0) {
        if (rs_store_open(f->dir, &f->store, NULL) != RS_OK) _exit(1);
        rs_store_limit_partitions(f->store, 150, UINT64_MAX);
        calls_left = n;
        _exit(rs_store_compact(f->store, 1, NULL) == RS_OK ? 0 : 2);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 99 || WEXITSTATUS(status) == 0));
    assert_int_equal(rs_store_open(f->dir, &f->store, NULL), RS_OK);
    rs_store_limit_partitions(f->store, 150, UINT64_MAX);
    return WEXITSTATUS(status) == 99;
}

static void killed_at_any_point_it_is_the_old_or_the_new(void **state) {
    fixture *f = *state;
    char save[256], back[256];
    rs_arena arena = {0};
    rs_spans spans = make_all(&arena);
    snprintf(save, sizeof save, "cp -r %s/projects %s/saved", f->dir, f->dir);
    snprintf(back, sizeof back, "rm -rf %s/projects && cp -r %s/saved %s/projects", f->dir, f->dir, f->dir);
    commit_all(f, &spans);
    delete_one(f, 3, 1);
    rs_store_close(f->store);
    run(save);
    assert_int_equal(rs_store_open(f->dir, &f->store, NULL), RS_OK);
    bool dies = true;
    long points = 0;
    for (long n = 0; dies; n += 1 + n / 6, points++) {
        dies = compact_and_die(f, n);
        rs_spans out;
        uint8_t id[16];
        put_number(id, 16, 3);
        assert_int_equal(rs_store_read_trace(f->store, 1, id, RS_READ_HEADS, &f->arena, &out, NULL),
                         RS_ERR_NOT_FOUND);
        assert_whole(f); /* what is left over beside counts for nothing */
        put_number(id, 16, 4);
        assert_int_equal(rs_store_read_trace(f->store, 1, id, RS_READ_FULL, &f->arena, &out, NULL), RS_OK);
        assert_int_equal(count_folders(f, ".new"), 0);
        assert_int_equal(count_folders(f, ".old"), 0);
        rs_store_close(f->store);
        if (dies) run(back);
        assert_int_equal(rs_store_open(f->dir, &f->store, NULL), RS_OK);
    }
    assert_true(points > 10);
    rs_arena_deinit(&arena);
}

/* ---- deleting ------------------------------------------------------------------------------------------ */

/* Whether any block of any folder of the project, or any other file as it is, has the text. */
static bool block_has(const rs_segment *segment, rs_str block, rs_str text) {
    rs_block_header h;
    ZSTD_DCtx *zstd = ZSTD_createDCtx();
    rs_buf raw = {0};
    bool has = false;
    rs_dictionary *d = NULL;
    assert_int_equal(rs_block_read_header(block, &h, NULL), RS_OK);
    if (h.dictionary) assert_int_equal(rs_dictionary_borrow(segment, h.dictionary, &d, NULL), RS_OK);
    for (int i = 0; i < RS_SECTION_COUNT; i++) {
        assert_int_equal(
            rs_block_unpack(&h, (rs_section)i, block, d ? rs_dictionary_blocks(d) : NULL, zstd, &raw, NULL),
            RS_OK);
        has |= raw.n && memmem(raw.p, raw.n, text.p, text.n) != NULL;
    }
    rs_buf_deinit(&raw);
    ZSTD_freeDCtx(zstd);
    if (d) rs_dictionary_return(d);
    return has;
}

static bool wanted_is_found;
static rs_str wanted;

static int look_into(const char *path, const struct stat *st, int flag, struct FTW *at) {
    (void)at;
    if (flag != FTW_F || st->st_size == 0) return 0;
    char *bytes = malloc((size_t)st->st_size);
    int fd = open(path, O_RDONLY);
    assert_int_equal(read(fd, bytes, (size_t)st->st_size), st->st_size);
    bool is_segment = strcmp(path + strlen(path) - 8, "/segment") == 0;
    rs_segment segment = {.fd = -1};
    char dir[256];
    snprintf(dir, sizeof dir, "%.*s", (int)(strlen(path) - 8), path);
    if (is_segment) assert_int_equal(rs_segment_open_to_read(&segment, dir, NULL), RS_OK);
    if (is_segment) close(fd); /* a database stays open: with it SQLite's locks of this process would go */
    rs_str rest = {bytes, (size_t)st->st_size};
    if (!is_segment) wanted_is_found |= memmem(rest.p, rest.n, wanted.p, wanted.n) != NULL;
    while (is_segment && rest.n) {
        rs_block_header h;
        assert_int_equal(rs_block_read_header(rest, &h, NULL), RS_OK);
        size_t n = rs_block_length(&h, RS_SECTION_CONTENT);
        wanted_is_found |= block_has(&segment, (rs_str){rest.p, n}, wanted);
        rest = (rs_str){rest.p + n, rest.n - n};
    }
    rs_segment_close(&segment);
    free(bytes);
    return 0;
}

static bool is_anywhere(fixture *f, rs_str text) {
    wanted = text;
    wanted_is_found = false;
    nftw(f->dir, look_into, 16, FTW_PHYS);
    return wanted_is_found;
}

#define SECRET "the patient of bed 7 is Erika Mustermann"

static bool find_row(void *ctx, const rs_trace_row *row) {
    *(bool *)ctx |= row->trace_id[15] == 20;
    return true;
}

static bool find_span(void *ctx, int64_t key, const rs_span *head) {
    (void)key;
    *(bool *)ctx |= head->trace_id[15] == 20;
    return true;
}

static void assert_not_there(fixture *f) {
    bool found = false;
    rs_spans out;
    rs_span span;
    uint8_t id[16], span_id[8];
    put_number(id, 16, 20);
    put_number(span_id, 8, 2001);
    assert_int_equal(rs_store_read_trace(f->store, 1, id, RS_READ_HEADS, &f->arena, &out, NULL),
                     RS_ERR_NOT_FOUND);
    assert_int_equal(rs_store_get_trace(f->store, 1, id, find_row, &found, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_store_read_span(f->store, 1, NULL, span_id, &f->arena, &span, NULL),
                     RS_ERR_NOT_FOUND);
    assert_int_equal(rs_store_scan_traces(f->store, 1, &(rs_trace_scan){0}, find_row, &found, NULL), RS_OK);
    assert_int_equal(rs_store_scan_spans(f->store, 1, &(rs_span_scan){0}, find_span, &found, NULL), RS_OK);
    assert_false(found);
    assert_int_equal(tagged(f, RS_STR("metadata__run"), RS_STR("secret")), 0);
    assert_int_equal(tagged(f, RS_STR("metadata__run"), RS_STR("older")), 0);
    assert_int_equal(tagged(f, RS_STR("model"), RS_STR("secret-model")), 0);
}

/* Sent apart from a span of the trace that has not come yet. */
static void commit_event(fixture *f) {
    rs_store_event event = {.record = RS_STR(SECRET)};
    put_number(event.trace_id, 16, 20);
    put_number(event.span_id, 8, 2009);
    rs_store_batch batch = {.project = 1, .events = &event, .nevents = 1};
    assert_int_equal(rs_store_commit(f->store, &batch, 1, NULL, NULL), RS_OK);
}

/* Trace 20 among others: a model call with a secret in its content, its metadata and its name, sent twice. */
static void commit_secret(fixture *f) {
    for (int round = 0; round < 2; round++) {
        rs_attr content = {RS_STR("gen_ai.prompt.0.content"), {.type = RS_VALUE_STRING, .s = RS_STR(SECRET)}};
        rs_attr run = {RS_STR("run"),
                       {.type = RS_VALUE_STRING, .s = round ? RS_STR("secret") : RS_STR("older")}};
        rs_span spans[4] = {make_span(20, 2001, 0, 20 * MS), make_span(20, 2002, 2001, 20 * MS),
                            make_span(21, 2101, 0, 21 * MS), make_span(22, 2201, 0, 22 * MS)};
        spans[1].attrs = (rs_attrs){&content, 1, 0};
        spans[1].name = spans[1].facts.input_preview = RS_STR(SECRET);
        spans[1].facts.log_type = RS_LOG_CHAT;
        spans[1].facts.model = RS_STR("secret-model");
        spans[1].facts.metadata = (rs_attrs){&run, 1, 0};
        commit_spans(f, spans, 4);
    }
}

static void what_is_deleted_is_gone(void **state) {
    fixture *f = *state;
    rs_arena arena = {0};
    rs_spans others = make_all(&arena);
    rs_store_stats before, after;
    for (size_t i = 0; i < others.n; i++) put_number(others.items[i].trace_id, 16, 100 + i / 10);
    commit_spans(f, others.items, 60);
    assert_int_equal(rs_store_get_stats(f->store, 1, &before, NULL), RS_OK);
    commit_secret(f);
    commit_event(f);
    delete_one(f, 21, 1);
    delete_one(f, 22, 1);
    assert_true(is_anywhere(f, RS_STR(SECRET)));
    assert_int_equal(tagged(f, RS_STR("metadata__run"), RS_STR("secret")), 1);
    delete_one(f, 20, 1);
    delete_one(f, 20, 0);
    assert_not_there(f);
    assert_whole(f);
    assert_int_equal(rs_store_get_stats(f->store, 1, &after, NULL), RS_OK);
    assert_int_equal(after.traces, before.traces);
    assert_int_equal(after.spans, before.spans);
    reopen(f);
    assert_not_there(f);
    compact(f);
    assert_not_there(f);
    assert_whole(f);
    assert_false(is_anywhere(f, RS_STR(SECRET)));
    assert_int_equal(read_trace(f, 101, RS_READ_FULL).n, 10);
    commit_secret(f); /* a late span of a deleted trace begins it anew */
    assert_int_equal(read_trace(f, 20, RS_READ_FULL).n, 2);
    assert_whole(f);
    rs_arena_deinit(&arena);
}

/* In a partition that has nothing but events: those of others stay. */
static void events_alone(void **state) {
    fixture *f = *state;
    rs_store_event other = {.record = RS_STR("of another trace")};
    rs_store_batch batch = {.project = 1, .events = &other, .nevents = 1};
    rs_stored_event *found;
    size_t n;
    put_number(other.trace_id, 16, 30);
    put_number(other.span_id, 8, 3001);
    commit_event(f);
    assert_int_equal(rs_store_commit(f->store, &batch, 1, NULL, NULL), RS_OK);
    assert_true(is_anywhere(f, RS_STR(SECRET)));
    delete_one(f, 20, 0);
    compact(f);
    assert_false(is_anywhere(f, RS_STR(SECRET)));
    for (int round = 0; round < 2; round++) {
        assert_int_equal(
            rs_store_read_events(f->store, 1, other.trace_id, other.span_id, &f->arena, &found, &n, NULL),
            RS_OK);
        assert_int_equal(n, 1);
        reopen(f);
    }
    rs_span span = make_span(31, 1, 0, 0);
    commit_spans(f, &span, 1);
    assert_int_equal(read_trace(f, 31, RS_READ_FULL).n, 1);
    assert_whole(f);
}

static void where_all_is_deleted_nothing_is_left(void **state) {
    fixture *f = *state;
    commit_secret(f);
    for (uint64_t trace = 20; trace <= 22; trace++) delete_one(f, trace, 1);
    compact(f);
    assert_int_equal(count_folders(f, ""), 0);
    assert_false(is_anywhere(f, RS_STR(SECRET)));
    commit_secret(f);
    assert_int_equal(read_trace(f, 21, RS_READ_FULL).n, 1);
    reopen(f);
    assert_int_equal(read_trace(f, 21, RS_READ_FULL).n, 1);
    assert_whole(f);
}

int main(void) {
#define TEST(t) cmocka_unit_test_setup_teardown(t, limited_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_sealed_is_the_same),
        TEST(others_go_on_meanwhile),
        TEST(killed_at_any_point_it_is_the_old_or_the_new),
        TEST(what_is_deleted_is_gone),
        TEST(events_alone),
        TEST(where_all_is_deleted_nothing_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
