/* --durability=power: what is acknowledged was synced before; without it nothing waits for the disk. */
#include "store_fixture.h"

#include <errno.h>
#include <sys/syscall.h>

/* Every sync of this process goes through here, SQLite's as well. */
static char synced[64][128]; /* paths, in order */
static int syncs;
static const char *failing; /* a path that ends so cannot be synced */

static bool ends_with(const char *s, const char *end) {
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

static int note(int fd, long call) {
    char link[32], path[128] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    (void)!readlink(link, path, sizeof path - 1);
    if (failing && ends_with(path, failing)) {
        errno = EIO;
        return -1;
    }
    if (syncs < 64) memcpy(synced[syncs++], path, sizeof path);
    return (int)syscall(call, fd);
}

#define EVERYBODYS __attribute__((visibility("default")))
EVERYBODYS int fsync(int fd) { return note(fd, SYS_fsync); }
EVERYBODYS int fdatasync(int fd) { return note(fd, SYS_fdatasync); }

/* The place of the first sync of such a path from `from` on; -1: none. */
static int find_sync(const char *end, int from) {
    for (int i = from; i < syncs; i++)
        if (ends_with(synced[i], end)) return i;
    return -1;
}

static void commit_one(fixture *f, uint64_t trace) {
    rs_span span = make_span(trace, 1, 0, trace * MS);
    commit_spans(f, &span, 1);
}

static void a_commit_is_on_the_disk(void **state) {
    fixture *f = *state;
    rs_store_set_durability(f->store, RS_DURABLE_POWER);
    syncs = 0;
    commit_one(f, 1); /* makes a partition: its folders are to be found again */
    assert_true(find_sync("/p000001", 0) >= 0);
    assert_true(find_sync("/projects/1", 0) >= 0);
    assert_true(find_sync("/projects", 0) >= 0);
    assert_true(find_sync(f->dir, 0) >= 0);
    for (uint64_t trace = 2; trace < 5; trace++) {
        syncs = 0;
        commit_one(f, trace);
        int segment = find_sync("/p000001/segment", 0);
        assert_true(segment >= 0);
        assert_true(find_sync("/p000001/index.db-wal", segment + 1) >
                    segment); /* names what is there already */
    }
}

static void nothing_waits_for_the_disk_by_default(void **state) {
    fixture *f = *state;
    commit_one(f, 1);
    syncs = 0;
    commit_one(f, 2);
    assert_int_equal(syncs, 0);
}

static void what_cannot_be_synced_is_not_acknowledged(void **state) {
    fixture *f = *state;
    rs_store_set_durability(f->store, RS_DURABLE_POWER);
    commit_one(f, 1);
    const char *const each[] = {"/segment", "-wal"};
    for (uint64_t i = 0; i < 2; i++) {
        rs_span span = make_span(2 + i, 1, 0, MS);
        rs_store_batch batch = {.project = 1, .spans = &span, .n = 1};
        failing = each[i];
        assert_int_not_equal(rs_store_commit(f->store, &batch, 1, NULL, NULL), RS_OK);
        failing = NULL;
    }
    commit_one(f, 4);
    assert_int_equal(read_trace(f, 1, RS_READ_FULL).n, 1);
    assert_int_equal(read_trace(f, 4, RS_READ_FULL).n, 1);
}

int main(void) {
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_commit_is_on_the_disk),
        TEST(nothing_waits_for_the_disk_by_default),
        TEST(what_cannot_be_synced_is_not_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
