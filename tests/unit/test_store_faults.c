/* What happens to the store when the disk, the process or a file lets it down. */
#include "store_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void segment_path(const fixture *f, char out[128]) {
    snprintf(out, 128, "%s/projects/1/p000001/segment", f->dir);
}

static off_t file_size(const char *path) {
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

static void commit_trace(fixture *f, uint64_t trace) {
    rs_span spans[2] = {make_span(trace, 1, 0, trace * MS), make_span(trace, 2, 1, trace * MS)};
    commit_spans(f, spans, 2);
}

static rs_status try_read(fixture *f, uint64_t trace, rs_read_depth depth, rs_spans *out, rs_err *err) {
    uint8_t id[16];
    put_number(id, 16, trace);
    return rs_store_read_trace(f->store, 1, id, depth, &f->arena, out, err);
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

static void an_orphan_tail_is_cut(void **state) {
    fixture *f = *state;
    char path[128];
    segment_path(f, path);
    commit_trace(f, 1);
    off_t size = file_size(path);
    rs_store_close(f->store);
    int fd = open(path, O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "a block that nobody acknowledged", 32), 32);
    close(fd);
    assert_int_equal(rs_store_open(f->dir, &f->store, NULL), RS_OK);
    assert_int_equal(read_trace(f, 1, RS_READ_FULL).n, 2);
    assert_true(file_size(path) == size);
    commit_trace(f, 2);
    assert_int_equal(read_trace(f, 2, RS_READ_FULL).n, 2);
}

static void a_torn_last_block(void **state) {
    fixture *f = *state;
    char path[128];
    rs_spans out;
    rs_err err = {0};
    segment_path(f, path);
    commit_trace(f, 1);
    commit_trace(f, 2);
    rs_store_close(f->store);
    assert_int_equal(truncate(path, file_size(path) - 5), 0);
    assert_int_equal(rs_store_open(f->dir, &f->store, NULL), RS_OK);
    assert_int_equal(read_trace(f, 1, RS_READ_FULL).n, 2);
    assert_int_equal(try_read(f, 2, RS_READ_FULL, &out, &err), RS_ERR_CORRUPT);
    commit_trace(f, 3); /* behind the hole */
    assert_int_equal(read_trace(f, 3, RS_READ_FULL).n, 2);
    commit_trace(f, 2); /* sent again: its blocks cannot be compared, and it is there again */
    assert_int_equal(try_read(f, 2, RS_READ_HEADS, &out, NULL), RS_OK);
    assert_int_equal(out.n, 2);
}

/* Whichever byte of a block is flipped, reading it says so, and its neighbours are read. */
static void a_flipped_byte_is_found(void **state) {
    fixture *f = *state;
    char path[128], place[64];
    rs_spans out;
    segment_path(f, path);
    commit_trace(f, 1);
    off_t from = file_size(path);
    commit_trace(f, 2);
    off_t to = file_size(path);
    commit_trace(f, 3);
    snprintf(place, sizeof place, "segment at byte %lld:", (long long)from);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    for (off_t at = from; at < to; at++) {
        uint8_t byte, flipped;
        rs_err err = {0};
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        flipped = byte ^ 0x10;
        assert_int_equal(pwrite(fd, &flipped, 1, at), 1);
        read_trace(f, 3, RS_READ_FULL); /* so that no earlier view of the block is at hand */
        assert_int_equal(try_read(f, 2, RS_READ_FULL, &out, &err), RS_ERR_CORRUPT);
        assert_non_null(strstr(err.message, place));
        if (at == from + 50) assert_int_equal(scanned_spans(f), 4);
        assert_int_equal(read_trace(f, 1, RS_READ_FULL).n, 2);
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        rs_arena_deinit(&f->arena);
    }
    close(fd);
    assert_int_equal(read_trace(f, 2, RS_READ_FULL).n, 2);
}

/* A limit on the size of files stands for a full disk: it hits the segment or the index, wherever the limit is. */
static void a_full_disk(void **state) {
    fixture *f = *state;
    char path[128];
    struct rlimit before, limit;
    int full = 0, stored = 0;
    segment_path(f, path);
    commit_trace(f, 1);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    for (rlim_t size = 0; size < 600000; size += 3001) {
        rs_err err = {0};
        rs_span span = make_span(100 + (uint64_t)size, 1, 0, 0);
        rs_store_batch batch = {1, &span, 1};
        bool failed = false;
        off_t segment = file_size(path);
        limit = (rlim_t)size < before.rlim_max ? (struct rlimit){size, before.rlim_max} : before;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        rs_status st = rs_store_commit(f->store, &batch, 1, &failed, &err);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        if (st == RS_OK) {
            stored++;
        } else {
            full++;
            if (st != RS_ERR_FULL) fail_msg("%d: %s", st, err.message);
            assert_true(failed);
            assert_true(file_size(path) == segment);
        }
        rs_store_stats stats;
        assert_int_equal(rs_store_get_stats(f->store, 1, &stats, NULL), RS_OK);
        assert_int_equal(stats.spans, 2 + stored);
        assert_int_equal(read_trace(f, 1, RS_READ_FULL).n, 2);
    }
    assert_true(full > 5);
    assert_true(stored > 5);
    fixture_reopen(f);
    assert_int_equal(scanned_spans(f), 2 + stored);
}

/* ---- kill -9 ------------------------------------------------------------------------------------------- */

/* The child: commits traces for ever and says the number of each down the pipe once commit returned. */
static void commit_until_killed(fixture *f, uint64_t from, int acknowledge) {
    rs_store *store;
    if (rs_store_open(f->dir, &store, NULL) != RS_OK) _exit(1);
    rs_store_limit_partitions(store, 30, UINT64_MAX);
    for (uint64_t trace = from;; trace++) {
        rs_span spans[2] = {make_span(trace, 1, 0, trace * MS), make_span(trace, 2, 1, trace * MS)};
        rs_store_batch batch = {1, spans, 2};
        if (rs_store_commit(store, &batch, 1, NULL, NULL) != RS_OK) _exit(1);
        if (write(acknowledge, &trace, sizeof trace) != sizeof trace) _exit(1);
    }
}

static void what_was_acknowledged_survives_kill_9(void **state) {
    fixture *f = *state;
    uint64_t acknowledged = 0;
    rs_store_close(f->store);
    f->store = NULL;
    for (int round = 0; round < 8; round++) {
        int ends[2];
        uint64_t first = acknowledged;
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) commit_until_killed(f, acknowledged + 1, ends[1]);
        close(ends[1]);
        while (acknowledged < first + 20 + (uint64_t)round * 7)
            if (read(ends[0], &acknowledged, sizeof acknowledged) != sizeof acknowledged)
                fail_msg("the child died");
        usleep((useconds_t)(round * 173));
        kill(child, SIGKILL);
        while (read(ends[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged) continue;
        close(ends[0]);
        waitpid(child, NULL, 0);

        assert_int_equal(rs_store_open(f->dir, &f->store, NULL), RS_OK);
        for (uint64_t trace = 1; trace <= acknowledged; trace++)
            assert_int_equal(read_trace(f, trace, RS_READ_FULL).n, 2);
        rs_store_stats stats;
        assert_int_equal(rs_store_get_stats(f->store, 1, &stats, NULL), RS_OK);
        assert_true(stats.traces == acknowledged ||
                    stats.traces == acknowledged + 1); /* one may be unacknowledged */
        assert_int_equal(scanned_spans(f), 2 * stats.traces);
        acknowledged = stats.traces;
        rs_store_close(f->store);
        f->store = NULL;
        rs_arena_deinit(&f->arena);
    }
    assert_int_equal(rs_store_open(f->dir, &f->store, NULL), RS_OK);
}

/* ---- readers beside the writer ------------------------------------------------------------------------- */

typedef struct reader {
    rs_store *store;
    atomic_bool *stop;
    uint64_t reads;
    rs_status failed;
} reader;

static bool take_id(void *ctx, const rs_trace_row *row) {
    memcpy(ctx, row->trace_id, 16);
    return false;
}

static bool stop_after_many(void *ctx, int64_t key, const rs_span *head) {
    (void)key, (void)head;
    return ++*(int *)ctx < 500;
}

static void *read_until_stopped(void *arg) {
    reader *r = arg;
    while (!atomic_load(r->stop) && r->failed == RS_OK) {
        uint8_t id[16] = {0};
        int n = 0;
        rs_arena arena;
        rs_spans spans;
        rs_store_stats stats;
        rs_tag tag = {RS_STR("log_type"), RS_STR("task")};
        rs_arena_init(&arena, 0);
        r->failed =
            rs_store_scan_traces(r->store, 1, &(rs_trace_scan){.tags = &tag, .ntags = 1}, take_id, id, NULL);
        if (r->failed == RS_OK && id[15] + id[14] != 0) {
            r->failed = rs_store_read_trace(r->store, 1, id, RS_READ_FULL, &arena, &spans, NULL);
            if (r->failed == RS_OK && spans.n != 5)
                r->failed = RS_ERR_INVALID; /* a trace is seen whole or not at all */
        }
        if (r->failed == RS_OK)
            r->failed = rs_store_scan_spans(r->store, 1, &(rs_span_scan){0}, stop_after_many, &n, NULL);
        if (r->failed == RS_OK) r->failed = rs_store_get_stats(r->store, 1, &stats, NULL);
        rs_arena_deinit(&arena);
        r->reads++;
    }
    return NULL;
}

static void readers_beside_the_writer(void **state) {
    enum { READERS = 10 }; /* more than there are connections */
    fixture *f = *state;
    atomic_bool stop = false;
    reader readers[READERS];
    pthread_t threads[READERS];
    rs_store_limit_partitions(f->store, 700, UINT64_MAX);
    for (int i = 0; i < READERS; i++) {
        readers[i] = (reader){.store = f->store, .stop = &stop};
        assert_int_equal(pthread_create(&threads[i], NULL, read_until_stopped, &readers[i]), 0);
    }
    for (uint64_t commit = 0; commit < 100; commit++) {
        rs_span spans[50];
        for (uint64_t i = 0; i < 50; i++)
            spans[i] = make_span(commit * 10 + i / 5 + 1, i % 5 + 1, i % 5, commit * MS);
        commit_spans(f, spans, 50);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(readers[i].failed, RS_OK);
        assert_true(readers[i].reads > 0);
    }
    assert_int_equal(scanned_spans(f), 5000);
}

int main(void) {
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_orphan_tail_is_cut),
        TEST(a_torn_last_block),
        TEST(a_flipped_byte_is_found),
        TEST(a_full_disk),
        TEST(what_was_acknowledged_survives_kill_9),
        TEST(readers_beside_the_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
