/* The spool: what stands in it when a client closes, dies or finds it damaged, and who delivers it. */
#include "spool_fixture.h"

#include "base/fingerprint.h"
#include "otlp/decode.h"
#include "sdk/spool_format.h"
#include "sdk/spool_read.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const fake_answer ok = {.status = 200}, away = {.status = 503}, no_key = {.status = 401};
static const char *const nobody = "http://127.0.0.1:1/api";
/* Spans 0 … n-1 of a client that nobody answered, in a spool file. */
static respan_stats leave_behind(int n, uint64_t spool_bytes) {
    respan_client *c = spool_client(nobody, spool_bytes);
    for (int i = 0; i < n; i++) spool_end_number(c, i);
    respan_stats s;
    assert_int_equal(respan_client_close(c, 0, &s), n ? RESPAN_ERR_TIMEOUT : RESPAN_OK);
    return s;
}

/* ---- left and found ------------------------------------------------------------------------------------ */

static void unsent_spans_outlive_the_client(void **state) {
    (void)state;
    respan_stats s = leave_behind(100, 1 << 20);
    assert_int_equal(s.kept, 100);
    assert_int_equal(s.dropped + s.pending + s.rejected, 0);
    char path[RS_PATH_MAX];
    struct stat st;
    spool_first_file(path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(spool_dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);

    fake_http *f = fake_http_start(&ok, 1);
    rs_backlog_counts n = spool_deliver(nobody, f);
    assert_int_equal(n.acknowledged, 100);
    assert_int_equal(n.damaged + n.rejected + n.kept, 0);
    assert_int_equal(spool_collect(f, NULL), 100);
    assert_int_equal(spool_count_files(), 0);
    fake_http_stop(f);
}

static void the_key_is_not_in_the_file(void **state) {
    (void)state;
    leave_behind(10, 1 << 20);
    char path[RS_PATH_MAX];
    spool_first_file(path);
    int fd = open(path, O_RDONLY);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    char *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_non_null(memmem(p, (size_t)st.st_size, "spooled", 7));
    assert_null(memmem(p, (size_t)st.st_size, SPOOL_KEY, 12));
    munmap(p, (size_t)st.st_size);
    close(fd);
}

static void what_is_acknowledged_leaves_no_file(void **state) {
    (void)state;
    fake_http *f = fake_http_start(&ok, 1);
    respan_client *c = spool_client(fake_http_url(f), 1 << 20);
    assert_int_equal(spool_count_files(), 0); /* none before the first span */
    for (int i = 0; i < 1000; i++) spool_end_number(c, i);
    assert_int_equal(spool_count_files(), 1);
    assert_int_equal(respan_client_close(c, 20000, NULL), RESPAN_OK);
    assert_int_equal(spool_count_files(), 0);
    assert_int_equal(spool_collect(f, NULL), 1000);
    fake_http_stop(f);
}

static void the_next_client_sends_first_what_it_finds(void **state) {
    (void)state;
    const fake_answer script[] = {away, ok};
    fake_http *f = fake_http_start(script, 2);
    respan_client *c = spool_client(fake_http_url(f), 1 << 20);
    for (int i = 0; i < 50; i++) spool_end_number(c, i);
    respan_stats s;
    while (fake_http_count(f) == 0) usleep(1000);
    assert_int_equal(respan_client_close(c, 0, &s), RESPAN_ERR_TIMEOUT);
    assert_int_equal(s.kept, 50);
    c = spool_client(fake_http_url(f), 1 << 20);
    for (int i = 50; i < 100; i++) spool_end_number(c, i);
    assert_int_equal(respan_client_close(c, 20000, &s), RESPAN_OK);
    assert_int_equal(s.acknowledged, 50);
    assert_int_equal(spool_collect(f, NULL), 100);
    assert_int_equal(spool_count_files(), 0);
    fake_http_stop(f);
}

static void a_server_that_comes_back_gets_all_in_order(void **state) {
    (void)state;
    enum { N = 5000 };
    const fake_answer script[] = {away, away, away, ok};
    fake_http *f = fake_http_start(script, 4);
    respan_client *c = spool_client(fake_http_url(f), 4 << 20);
    for (int i = 0; i < N; i++) spool_end_number(c, i);
    respan_stats s;
    assert_int_equal(respan_client_close(c, 30000, &s), RESPAN_OK);
    assert_int_equal(s.acknowledged, N);
    assert_int_equal(s.dropped + s.kept, 0);
    assert_int_equal(spool_collect(f, NULL), N);
    assert_int_equal(spool_count_files(), 0);
    int64_t next = 0;
    for (size_t r = 3; r < fake_http_count(f);
         r++) { /* what waited together still goes in requests of batch_spans */
        rs_arena arena;
        rs_spans spans;
        rs_arena_init(&arena, 0);
        rs_str body = rs_buf_slice(&fake_http_request(f, r)->body);
        assert_int_equal(rs_otlp_decode_protobuf(body, &arena, &spans, NULL), RS_OK);
        assert_in_range(spans.n, 1, 32);
        for (size_t i = 0; i < spans.n; i++)
            assert_int_equal(rs_attrs_find(&spans.items[i].attrs, RS_STR("number"))->value.i, next++);
        rs_arena_deinit(&arena);
    }
    assert_int_equal(next, N);
    fake_http_stop(f);
}

/* Of mapped files, in bytes. */
static long resident_file_bytes(void) {
    long sum = 0, kb;
    char line[256];
    FILE *f = fopen("/proc/self/status", "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "RssFile: %ld", &kb) == 1 || sscanf(line, "RssShmem: %ld", &kb) == 1)
            sum += kb << 10;
    fclose(f);
    return sum;
}

static void what_piles_up_is_in_the_file_and_not_in_memory(void **state) {
    (void)state;
    enum { N = 20000, TEXT = 2000, WAIT_US = 20000000, STEP_US = 10000 };
    static char text[TEXT];
    memset(text, 'x', sizeof text);
    fake_http *f = fake_http_start(&away, 1);
    respan_client *c = spool_client(fake_http_url(f), 64 << 20);
    spool_end_number(c, 0);
    while (fake_http_count(f) == 0)
        usleep(STEP_US); /* from here on the exporter waits between its attempts */
    long before = resident_file_bytes(), after = before;
    for (int i = 0; i < N; i++) {
        respan_span *s = respan_span_start(c, RESPAN_TEXT("large"), NULL, 0);
        respan_span_set_string(s, RESPAN_TEXT("text"), text, sizeof text);
        respan_span_end(s, 0);
    }
    respan_stats s;
    respan_client_stats(c, &s);
    assert_int_equal(s.dropped, 0);
    for (int waited = 0; waited < WAIT_US; waited += STEP_US) {
        if ((after = resident_file_bytes()) - before < 12 << 20) break;
        usleep(STEP_US);
    }
    assert_true(after - before < 12 << 20); /* of 40 MB and more */
    respan_client_close(c, 0, &s);
    assert_int_equal(s.kept, N + 1);
    fake_http_stop(f);
}

/* The spans of one application in two clients at the same time: each has a file, neither sends the other's. */
static void two_at_once_send_each_their_own(void **state) {
    (void)state;
    fake_http *f = fake_http_start(&ok, 1);
    respan_client *c[2];
    respan_stats s[2];
    for (int i = 0; i < 2; i++) c[i] = spool_client(fake_http_url(f), 1 << 20);
    for (int i = 0; i < 2000; i++) spool_end_number(c[i % 2], i);
    assert_int_equal(spool_count_files(), 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(respan_client_close(c[i], 20000, &s[i]), RESPAN_OK);
        assert_int_equal(s[i].acknowledged, 1000);
    }
    assert_int_equal(spool_collect(f, NULL), 2000);
    assert_int_equal(spool_count_files(), 0);
    fake_http_stop(f);
}

static void what_the_server_took_of_a_batch_is_not_sent_again(void **state) {
    (void)state;
    enum { N = 32 };
    const fake_answer script[] = {{.status = 413}, ok, away};
    fake_http *f = fake_http_start(script, 3), *later = fake_http_start(&ok, 1);
    spool_interval_ms = 10000; /* they are one batch */
    respan_client *c = spool_client(fake_http_url(f), 4 << 20);
    spool_interval_ms = 5;
    static char text[10000];
    memset(text, 'x', sizeof text);
    respan_span *s[N];
    for (int i = 0; i < N; i++) {
        s[i] = respan_span_start(c, RESPAN_TEXT("large"), NULL, 0);
        respan_span_set_int(s[i], RESPAN_TEXT("number"), i);
        respan_span_set_string(s[i], RESPAN_TEXT("text"), text, sizeof text);
    }
    for (int i = 0; i < N; i++) respan_span_end(s[i], 0);
    while (fake_http_count(f) < 3) usleep(1000);
    respan_stats stats;
    (void)respan_client_close(c, 0, &stats);
    assert_true(stats.acknowledged > 0 && stats.kept > 0);
    assert_int_equal(stats.acknowledged + stats.kept, N);
    rs_backlog_counts n = spool_deliver(fake_http_url(f), later);
    assert_int_equal(n.acknowledged, stats.kept);
    assert_int_equal(n.damaged, 0);
    assert_int_equal(spool_collect(later, NULL), stats.kept);
    for (int i = 0; i < N; i++) assert_int_equal(spool_is_there(i), i >= (int)stats.acknowledged);
    fake_http_stop(later);
    fake_http_stop(f);
}

static void the_files_of_others_are_left_alone(void **state) {
    (void)state;
    fake_http *f = fake_http_start(&ok, 1);
    leave_behind(10, 1 << 20);
    respan_client *c = spool_client("http://127.0.0.1:2/api", 1 << 20); /* alive: its file has an owner */
    spool_end_number(c, 1);
    rs_backlog_counts n = spool_deliver("http://127.0.0.1:2/api", f);
    assert_int_equal(n.foreign, 1);
    assert_int_equal(n.acknowledged, 0);
    assert_int_equal(fake_http_count(f), 0);
    assert_int_equal(spool_count_files(), 2);
    respan_client_close(c, 0, NULL);
    assert_int_equal(spool_deliver("http://127.0.0.1:2/api", f).acknowledged, 1);
    fake_http_stop(f);
}

static void without_a_valid_key_the_file_stays(void **state) {
    (void)state;
    leave_behind(10, 1 << 20);
    fake_http *f = fake_http_start(&no_key, 1);
    assert_int_equal(spool_deliver(nobody, f).kept, 1);
    fake_http_stop(f);
    f = fake_http_start(&away, 1);
    assert_int_equal(spool_deliver(nobody, f).kept, 1);
    fake_http_stop(f);
    f = fake_http_start(&ok, 1);
    assert_int_equal(spool_deliver(nobody, f).acknowledged, 10);
    assert_int_equal(spool_count_files(), 0);
    fake_http_stop(f);
}

/* ---- limits -------------------------------------------------------------------------------------------- */

static void full_drops_the_oldest(void **state) {
    (void)state;
    enum { N = 20000 };
    respan_stats s = leave_behind(N, 16 * RS_SPOOL_BLOCK);
    assert_true(s.dropped > 0 && s.kept > 500);
    assert_int_equal(s.kept + s.dropped, N);
    fake_http *f = fake_http_start(&ok, 1);
    assert_int_equal(spool_deliver(nobody, f).acknowledged, s.kept);
    assert_int_equal(spool_collect(f, NULL), s.kept);
    for (int i = N - 500; i < N; i++) assert_true(spool_is_there(i));
    fake_http_stop(f);
}

/* The file knows how many, and of the spans that ended afterwards the first says so. */
static void what_is_dropped_is_told(void **state) {
    (void)state;
    respan_stats s = leave_behind(20000, 16 * RS_SPOOL_BLOCK);
    char path[RS_PATH_MAX];
    rs_spool_file file;
    spool_first_file(path);
    int fd = open(path, O_RDONLY);
    assert_int_equal(rs_spool_read_open(&file, fd, NULL), RS_OK);
    assert_int_equal(file.dropped, s.dropped);
    rs_spool_read_close(&file);
    close(fd);
    fake_http *f = fake_http_start(&ok, 1);
    assert_int_equal(spool_deliver(nobody, f).acknowledged, s.kept);
    int64_t told = 0;
    for (size_t r = 0; r < fake_http_count(f); r++) {
        rs_arena arena;
        rs_spans spans;
        rs_arena_init(&arena, 0);
        rs_str body = rs_buf_slice(&fake_http_request(f, r)->body);
        assert_int_equal(rs_otlp_decode_protobuf(body, &arena, &spans, NULL), RS_OK);
        for (size_t i = 0; i < spans.n; i++)
            for (uint32_t k = 0; k < spans.items[i].nevents; k++) {
                const rs_event *e = &spans.items[i].events[k];
                assert_true(rs_str_eq(e->name, RS_STR("respan.spans_dropped")));
                told += rs_attrs_find(&e->attrs, RS_STR("respan.dropped_spans"))->value.i;
            }
        rs_arena_deinit(&arena);
    }
    assert_in_range(told, 1, s.dropped);
    fake_http_stop(f);
}

/* A program that is faster than its server, and has more than the spool holds. Unslowed, a third of this is dropped. */
static void a_burst_is_slowed_down_rather_than_cut(void **state) {
    (void)state;
    enum { N = 100000 };
    fake_http *f = fake_http_start(&ok, 1);
    respan_client *c = spool_client(fake_http_url(f), 16 << 20);
    char text[200];
    memset(text, 'x', sizeof text);
    spool_end_number(c, 0);
    assert_int_equal(respan_client_flush(c, 20000), RESPAN_OK); /* there is a server, and it takes spans */
    for (int i = 1; i < N; i++) {
        respan_span *s = respan_span_start(c, RESPAN_TEXT("burst"), NULL, 0);
        respan_span_set_string(s, RESPAN_TEXT("text"), text, sizeof text);
        respan_span_end(s, 0);
    }
    respan_stats s;
    (void)respan_client_close(c, 60000, &s);
    assert_int_equal(s.ended, N);
    assert_in_range(s.dropped, 0, N / 20);
    fake_http_stop(f);
}

static void files_together_are_bounded(void **state) {
    (void)state;
    for (int i = 0; i < 5; i++) leave_behind(10, 4 << 20);
    rs_spool_names names;
    assert_int_equal(
        rs_spool_list(spool_dir, "spooled", nobody, rs_fingerprint(RS_STR(SPOOL_KEY)), &names, NULL), RS_OK);
    assert_int_equal(names.n, 5);
    assert_int_equal(rs_spool_prune(spool_dir, &names, 2 * names.items[0].bytes), 3);
    rs_spool_names_deinit(&names);
    assert_int_equal(spool_count_files(), 2);
    respan_client *alive =
        spool_client("http://127.0.0.1:2/api", 4 << 20); /* those that have an owner do not count */
    spool_end_number(alive, 0);
    assert_int_equal(rs_spool_list(spool_dir, NULL, NULL, 0, &names, NULL), RS_OK);
    uint64_t ownerless = names.items[0].bytes + names.items[1].bytes;
    assert_int_equal(names.n, 3);
    assert_int_equal(rs_spool_prune(spool_dir, &names, ownerless), 0);
    assert_int_equal(rs_spool_prune(spool_dir, &names, 0), 2);
    rs_spool_names_deinit(&names);
    assert_int_equal(spool_count_files(), 1);
    respan_client_close(alive, 0, NULL);
}

static void large_spans_take_blocks_in_a_row(void **state) {
    (void)state;
    fake_http *f = fake_http_start(&ok, 1);
    respan_client *c = spool_client(nobody, 4 << 20);
    char *text = malloc(1 << 20);
    memset(text, 'x', 1 << 20);
    for (int i = 0; i < 3; i++) {
        respan_span *s = respan_span_start(c, RESPAN_TEXT("large"), NULL, 0);
        respan_span_set_int(s, RESPAN_TEXT("number"), i);
        respan_span_set_string(s, RESPAN_TEXT("text"), text, 1 << 20);
        respan_span_end(s, 0);
    }
    free(text);
    respan_client_close(c, 0, NULL);
    assert_int_equal(spool_deliver(nobody, f).acknowledged, 3);
    assert_int_equal(spool_collect(f, NULL), 3);
    fake_http_stop(f);
}

static void no_room_on_disk_is_the_heap(void **state) {
    (void)state;
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    for (rlim_t room = 0; room < 100000; room += 30000) {
        small = (struct rlimit){room, before.rlim_max};
        fake_http *f = fake_http_start(&ok, 1);
        respan_client *c = spool_client(fake_http_url(f), 1 << 20);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        for (int i = 0; i < 3000; i++) spool_end_number(c, i);
        assert_int_equal(respan_client_close(c, 20000, NULL), RESPAN_OK);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(spool_collect(f, NULL), 3000);
        assert_int_equal(spool_count_files(), 0);
        fake_http_stop(f);
    }
    signal(SIGXFSZ, SIG_DFL);
}

static void no_folder_is_the_heap(void **state) {
    (void)state;
    assert_int_equal(setenv("XDG_STATE_HOME", "/proc/nowhere", 1), 0);
    fake_http *f = fake_http_start(&ok, 1);
    respan_client *c = spool_client(fake_http_url(f), 1 << 20);
    for (int i = 0; i < 100; i++) spool_end_number(c, i);
    assert_int_equal(respan_client_close(c, 20000, NULL), RESPAN_OK);
    assert_int_equal(spool_collect(f, NULL), 100);
    fake_http_stop(f);
    assert_int_equal(setenv("XDG_STATE_HOME", spool_root, 1), 0);
}

/* ---- damage -------------------------------------------------------------------------------------------- */

/* Where entry `place` of the first region is, and its frame. */
static void find_entry(uint32_t place, uint64_t *entry_at, uint64_t *frame_at) {
    char path[RS_PATH_MAX];
    rs_spool_file file;
    rs_spool_entry e;
    spool_first_file(path);
    int fd = open(path, O_RDONLY);
    assert_int_equal(rs_spool_read_open(&file, fd, NULL), RS_OK);
    *entry_at = file.regions[0].at + sizeof(rs_spool_region) + place * sizeof e;
    assert_int_equal(pread(fd, &e, sizeof e, (off_t)*entry_at), sizeof e);
    *frame_at = file.regions[0].at + e.at;
    rs_spool_read_close(&file);
    close(fd);
}

static void expect_all_but(int missing, size_t n) {
    fake_http *f = fake_http_start(&ok, 1);
    assert_int_equal(spool_deliver(nobody, f).damaged, missing >= 0);
    assert_int_equal(spool_collect(f, NULL), missing >= 0 ? n - 1 : n);
    if (missing >= 0) assert_false(spool_is_there(missing));
    assert_int_equal(spool_count_files(), 0);
    fake_http_stop(f);
}

static void a_scribbled_frame_or_entry_loses_its_own_span(void **state) {
    (void)state;
    for (int what = 0; what < 3; what++) {
        uint64_t entry, frame;
        leave_behind(100, 1 << 20);
        find_entry(7, &entry, &frame);
        spool_overwrite(what == 0 ? frame + 20 : what == 1 ? entry + 8 : entry, what == 0 ? 1 : 4, 0xa5);
        expect_all_but(7, 100);
    }
}

static void a_scribbled_header_has_a_copy(void **state) {
    (void)state;
    leave_behind(100, 1 << 20);
    spool_overwrite(0, 4096, 0xff);
    expect_all_but(-1, 100);
    leave_behind(100, 1 << 20);
    spool_overwrite(0, 4096, 0);
    spool_overwrite(4096, 4096, 0);
    fake_http *f = fake_http_start(&ok, 1);
    assert_int_equal(spool_deliver(nobody, f).kept, 1);
    assert_int_equal(fake_http_count(f), 0);
    fake_http_stop(f);
}

static void a_cut_file_gives_what_is_before_the_cut(void **state) {
    (void)state;
    for (int where = 0; where < 40; where++) {
        leave_behind(600, 1 << 20);
        char path[RS_PATH_MAX];
        struct stat st;
        spool_first_file(path);
        assert_int_equal(stat(path, &st), 0);
        off_t cut = st.st_size * where / 40;
        assert_int_equal(truncate(path, cut), 0);
        fake_http *f = fake_http_start(&ok, 1);
        rs_backlog_counts n = spool_deliver(nobody, f);
        assert_int_equal(spool_collect(f, NULL), n.acknowledged);
        if (where > 20) assert_true(n.acknowledged > 0);
        for (size_t i = 0; i < n.acknowledged; i++) assert_true(spool_is_there((int)i));
        fake_http_stop(f);
        spool_remove_files(NULL);
    }
}

static void noise_anywhere_is_survived(void **state) {
    (void)state;
    srandom(7);
    for (int round = 0; round < 60; round++) {
        leave_behind(300, 1 << 20);
        char path[RS_PATH_MAX];
        struct stat st;
        spool_first_file(path);
        assert_int_equal(stat(path, &st), 0);
        for (int i = 0; i < 20; i++)
            spool_overwrite((uint64_t)(random() % st.st_size), 1 + (size_t)random() % 64, (uint8_t)random());
        fake_http *f = fake_http_start(&ok, 1);
        rs_backlog_counts n = spool_deliver(nobody, f);
        assert_int_equal(spool_collect(f, NULL),
                         n.acknowledged); /* every span that is sent is one that was made */
        fake_http_stop(f);
        spool_remove_files(NULL);
    }
}

int main(void) {
    spool_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(unsent_spans_outlive_the_client, spool_remove_files),
        cmocka_unit_test_teardown(the_key_is_not_in_the_file, spool_remove_files),
        cmocka_unit_test_teardown(what_is_acknowledged_leaves_no_file, spool_remove_files),
        cmocka_unit_test_teardown(the_next_client_sends_first_what_it_finds, spool_remove_files),
        cmocka_unit_test_teardown(a_server_that_comes_back_gets_all_in_order, spool_remove_files),
        cmocka_unit_test_teardown(what_piles_up_is_in_the_file_and_not_in_memory, spool_remove_files),
        cmocka_unit_test_teardown(two_at_once_send_each_their_own, spool_remove_files),
        cmocka_unit_test_teardown(what_the_server_took_of_a_batch_is_not_sent_again, spool_remove_files),
        cmocka_unit_test_teardown(the_files_of_others_are_left_alone, spool_remove_files),
        cmocka_unit_test_teardown(without_a_valid_key_the_file_stays, spool_remove_files),
        cmocka_unit_test_teardown(full_drops_the_oldest, spool_remove_files),
        cmocka_unit_test_teardown(what_is_dropped_is_told, spool_remove_files),
        cmocka_unit_test_teardown(a_burst_is_slowed_down_rather_than_cut, spool_remove_files),
        cmocka_unit_test_teardown(files_together_are_bounded, spool_remove_files),
        cmocka_unit_test_teardown(large_spans_take_blocks_in_a_row, spool_remove_files),
        cmocka_unit_test_teardown(no_room_on_disk_is_the_heap, spool_remove_files),
        cmocka_unit_test_teardown(no_folder_is_the_heap, spool_remove_files),
        cmocka_unit_test_teardown(a_scribbled_frame_or_entry_loses_its_own_span, spool_remove_files),
        cmocka_unit_test_teardown(a_scribbled_header_has_a_copy, spool_remove_files),
        cmocka_unit_test_teardown(a_cut_file_gives_what_is_before_the_cut, spool_remove_files),
        cmocka_unit_test_teardown(noise_anywhere_is_survived, spool_remove_files),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    spool_end();
    return failed;
}
