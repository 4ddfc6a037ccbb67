/* The spool: what stands in it when a client closes, dies or finds it damaged, and who delivers it. */
#include "fake_http.h"
#include "otlp/decode.h"
#include "sdk/backlog.h"
#include "sdk/spool_dir.h"
#include "sdk/spool_format.h"
#include "sdk/spool_read.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

extern char **environ;
static const fake_answer ok = {.status = 200}, away = {.status = 503}, no_key = {.status = 401};
static const char *const nobody = "http://127.0.0.1:1/api";
static char root[] = "/tmp/respan-spool-XXXXXX", dir[RS_PATH_MAX];

/* ---- what arrived -------------------------------------------------------------------------------------- */

enum { NUMBERS = 60000 };
static uint8_t arrived[NUMBERS][8]; /* the span id that number came under; zero: it did not */

static bool is_there(int number) { return memcmp(arrived[number], (char[8]){0}, 8) != 0; }

/* A number that comes twice must come as one and the same span: then it is one on the page. Gives how many there
 * are. */
static size_t collect(fake_http *f) {
    memset(arrived, 0, sizeof arrived);
    for (size_t r = 0; r < fake_http_count(f); r++) {
        rs_arena arena;
        rs_spans spans;
        rs_arena_init(&arena, 0);
        assert_int_equal(
            rs_otlp_decode_protobuf(rs_buf_slice(&fake_http_request(f, r)->body), &arena, &spans, NULL),
            RS_OK);
        assert_int_equal(spans.rejected, 0);
        for (size_t i = 0; i < spans.n; i++) {
            const rs_attr *a = rs_attrs_find(&spans.items[i].attrs, RS_STR("number"));
            assert_non_null(a);
            assert_in_range(a->value.i, 0, NUMBERS - 1);
            if (is_there((int)a->value.i))
                assert_memory_equal(arrived[a->value.i], spans.items[i].span_id, 8);
            memcpy(arrived[a->value.i], spans.items[i].span_id, 8);
            const rs_attr *app = rs_attrs_find(&spans.items[i].resource->attrs, RS_STR("service.name"));
            assert_memory_equal(app->value.s.p, "spooled", 7);
        }
        rs_arena_deinit(&arena);
    }
    size_t n = 0;
    for (int i = 0; i < NUMBERS; i++) n += is_there(i);
    return n;
}

/* ---- clients and files --------------------------------------------------------------------------------- */

static uint32_t interval_ms = 5;

static respan_client *open_client(const char *url, uint64_t spool_bytes) {
    respan_config config;
    respan_client *c;
    respan_config_init(&config);
    config.base_url = url;
    config.api_key = "a-secret-key";
    config.app_name = "spooled";
    config.quiet = true;
    config.spool_bytes = spool_bytes;
    config.batch_spans = 32;
    config.batch_interval_ms = interval_ms;
    assert_int_equal(respan_client_open(&config, &c, NULL), RESPAN_OK);
    return c;
}

static void end_number(respan_client *c, int number) {
    respan_span *s = respan_span_start(c, RESPAN_TEXT("numbered"), NULL, 0);
    respan_span_set_int(s, RESPAN_TEXT("number"), number);
    respan_span_end(s, 0);
}

/* Spans 0 … n-1 of a client that nobody answered, in a spool file. */
static respan_stats leave_behind(int n, uint64_t spool_bytes) {
    respan_client *c = open_client(nobody, spool_bytes);
    for (int i = 0; i < n; i++) end_number(c, i);
    respan_stats s;
    assert_int_equal(respan_client_close(c, 0, &s), n ? RESPAN_ERR_TIMEOUT : RESPAN_OK);
    return s;
}

static size_t count_files(void) {
    rs_spool_names names;
    assert_int_equal(rs_spool_list(dir, NULL, NULL, &names, NULL), RS_OK);
    size_t n = names.n;
    rs_spool_names_deinit(&names);
    return n;
}

static void first_file(char path[RS_PATH_MAX]) {
    rs_spool_names names;
    assert_int_equal(rs_spool_list(dir, NULL, NULL, &names, NULL), RS_OK);
    assert_true(names.n > 0);
    assert_int_equal(rs_path_join(path, dir, names.items[0].name, NULL), RS_OK);
    rs_spool_names_deinit(&names);
}

/* Sends what was left for `url` to f. */
static rs_backlog_counts deliver(const char *url, fake_http *f) {
    respan_config given;
    rs_config config;
    rs_backlog_counts counts;
    char why[240];
    respan_config_init(&given);
    given.base_url = url;
    given.api_key = "k";
    assert_int_equal(rs_config_resolve(&config, &given, NULL), RS_OK);
    free(config.traces_url);
    assert_true(asprintf(&config.traces_url, "%s/v2/traces", fake_http_url(f)) > 0);
    assert_int_equal(rs_backlog_send_alone(&config, dir, &counts, why), RS_OK);
    rs_config_deinit(&config);
    return counts;
}

static int remove_files(void **state) {
    (void)state;
    for (char path[RS_PATH_MAX]; count_files();) first_file(path), unlink(path);
    return 0;
}

/* ---- left and found ------------------------------------------------------------------------------------ */

static void unsent_spans_outlive_the_client(void **state) {
    (void)state;
    respan_stats s = leave_behind(100, 1 << 20);
    assert_int_equal(s.kept, 100);
    assert_int_equal(s.dropped + s.pending + s.rejected, 0);
    char path[RS_PATH_MAX];
    struct stat st;
    first_file(path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);

    fake_http *f = fake_http_start(&ok, 1);
    rs_backlog_counts n = deliver(nobody, f);
    assert_int_equal(n.acknowledged, 100);
    assert_int_equal(n.damaged + n.rejected + n.kept, 0);
    assert_int_equal(collect(f), 100);
    assert_int_equal(count_files(), 0);
    fake_http_stop(f);
}

static void the_key_is_not_in_the_file(void **state) {
    (void)state;
    leave_behind(10, 1 << 20);
    char path[RS_PATH_MAX];
    first_file(path);
    int fd = open(path, O_RDONLY);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    char *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_non_null(memmem(p, (size_t)st.st_size, "spooled", 7));
    assert_null(memmem(p, (size_t)st.st_size, "a-secret-key", 12));
    munmap(p, (size_t)st.st_size);
    close(fd);
}

static void what_is_acknowledged_leaves_no_file(void **state) {
    (void)state;
    fake_http *f = fake_http_start(&ok, 1);
    respan_client *c = open_client(fake_http_url(f), 1 << 20);
    assert_int_equal(count_files(), 0); /* none before the first span */
    for (int i = 0; i < 1000; i++) end_number(c, i);
    assert_int_equal(count_files(), 1);
    assert_int_equal(respan_client_close(c, 20000, NULL), RESPAN_OK);
    assert_int_equal(count_files(), 0);
    assert_int_equal(collect(f), 1000);
    fake_http_stop(f);
}

static void the_next_client_sends_first_what_it_finds(void **state) {
    (void)state;
    const fake_answer script[] = {away, ok};
    fake_http *f = fake_http_start(script, 2);
    respan_client *c = open_client(fake_http_url(f), 1 << 20);
    for (int i = 0; i < 50; i++) end_number(c, i);
    respan_stats s;
    while (fake_http_count(f) == 0) usleep(1000);
    assert_int_equal(respan_client_close(c, 0, &s), RESPAN_ERR_TIMEOUT);
    assert_int_equal(s.kept, 50);
    c = open_client(fake_http_url(f), 1 << 20);
    for (int i = 50; i < 100; i++) end_number(c, i);
    assert_int_equal(respan_client_close(c, 20000, &s), RESPAN_OK);
    assert_int_equal(s.acknowledged, 50);
    assert_int_equal(collect(f), 100);
    assert_int_equal(count_files(), 0);
    fake_http_stop(f);
}

static void a_server_that_comes_back_gets_all_in_order(void **state) {
    (void)state;
    enum { N = 5000 };
    const fake_answer script[] = {away, away, away, ok};
    fake_http *f = fake_http_start(script, 4);
    respan_client *c = open_client(fake_http_url(f), 4 << 20);
    for (int i = 0; i < N; i++) end_number(c, i);
    respan_stats s;
    assert_int_equal(respan_client_close(c, 30000, &s), RESPAN_OK);
    assert_int_equal(s.acknowledged, N);
    assert_int_equal(s.dropped + s.kept, 0);
    assert_int_equal(collect(f), N);
    assert_int_equal(count_files(), 0);
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

/* The spans of one application in two clients at the same time: each has a file, neither sends the other's. */
static void two_at_once_send_each_their_own(void **state) {
    (void)state;
    fake_http *f = fake_http_start(&ok, 1);
    respan_client *c[2];
    respan_stats s[2];
    for (int i = 0; i < 2; i++) c[i] = open_client(fake_http_url(f), 1 << 20);
    for (int i = 0; i < 2000; i++) end_number(c[i % 2], i);
    assert_int_equal(count_files(), 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(respan_client_close(c[i], 20000, &s[i]), RESPAN_OK);
        assert_int_equal(s[i].acknowledged, 1000);
    }
    assert_int_equal(collect(f), 2000);
    assert_int_equal(count_files(), 0);
    fake_http_stop(f);
}

static void what_the_server_took_of_a_batch_is_not_sent_again(void **state) {
    (void)state;
    enum { N = 32 };
    const fake_answer script[] = {{.status = 413}, ok, away};
    fake_http *f = fake_http_start(script, 3), *later = fake_http_start(&ok, 1);
    interval_ms = 10000; /* they are one batch */
    respan_client *c = open_client(fake_http_url(f), 4 << 20);
    interval_ms = 5;
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
    rs_backlog_counts n = deliver(fake_http_url(f), later);
    assert_int_equal(n.acknowledged, stats.kept);
    assert_int_equal(n.damaged, 0);
    assert_int_equal(collect(later), stats.kept);
    for (int i = 0; i < N; i++) assert_int_equal(is_there(i), i >= (int)stats.acknowledged);
    fake_http_stop(later);
    fake_http_stop(f);
}

static void the_files_of_others_are_left_alone(void **state) {
    (void)state;
    fake_http *f = fake_http_start(&ok, 1);
    leave_behind(10, 1 << 20);
    respan_client *c = open_client("http://127.0.0.1:2/api", 1 << 20); /* alive: its file has an owner */
    end_number(c, 1);
    rs_backlog_counts n = deliver("http://127.0.0.1:2/api", f);
    assert_int_equal(n.foreign, 1);
    assert_int_equal(n.acknowledged, 0);
    assert_int_equal(fake_http_count(f), 0);
    assert_int_equal(count_files(), 2);
    respan_client_close(c, 0, NULL);
    assert_int_equal(deliver("http://127.0.0.1:2/api", f).acknowledged, 1);
    fake_http_stop(f);
}

static void without_a_valid_key_the_file_stays(void **state) {
    (void)state;
    leave_behind(10, 1 << 20);
    fake_http *f = fake_http_start(&no_key, 1);
    assert_int_equal(deliver(nobody, f).kept, 1);
    fake_http_stop(f);
    f = fake_http_start(&away, 1);
    assert_int_equal(deliver(nobody, f).kept, 1);
    fake_http_stop(f);
    f = fake_http_start(&ok, 1);
    assert_int_equal(deliver(nobody, f).acknowledged, 10);
    assert_int_equal(count_files(), 0);
    fake_http_stop(f);
}

/* ---- limits -------------------------------------------------------------------------------------------- */

static void full_drops_the_oldest(void **state) {
    (void)state;
    enum { N = 20000 };
    respan_stats s = leave_behind(N, 8 * RS_SPOOL_BLOCK);
    assert_true(s.dropped > 0 && s.kept > 500);
    assert_int_equal(s.kept + s.dropped, N);
    fake_http *f = fake_http_start(&ok, 1);
    assert_int_equal(deliver(nobody, f).acknowledged, s.kept);
    assert_int_equal(collect(f), s.kept);
    for (int i = N - 500; i < N; i++) assert_true(is_there(i));
    fake_http_stop(f);
}

static void files_together_are_bounded(void **state) {
    (void)state;
    for (int i = 0; i < 5; i++) leave_behind(10, 4 << 20);
    rs_spool_names names;
    assert_int_equal(rs_spool_list(dir, "spooled", nobody, &names, NULL), RS_OK);
    assert_int_equal(names.n, 5);
    assert_int_equal(rs_spool_prune(dir, &names, 2 * names.items[0].bytes), 3);
    rs_spool_names_deinit(&names);
    assert_int_equal(count_files(), 2);
    respan_client *alive =
        open_client("http://127.0.0.1:2/api", 4 << 20); /* those that have an owner do not count */
    end_number(alive, 0);
    assert_int_equal(rs_spool_list(dir, NULL, NULL, &names, NULL), RS_OK);
    uint64_t ownerless = names.items[0].bytes + names.items[1].bytes;
    assert_int_equal(names.n, 3);
    assert_int_equal(rs_spool_prune(dir, &names, ownerless), 0);
    assert_int_equal(rs_spool_prune(dir, &names, 0), 2);
    rs_spool_names_deinit(&names);
    assert_int_equal(count_files(), 1);
    respan_client_close(alive, 0, NULL);
}

static void large_spans_take_blocks_in_a_row(void **state) {
    (void)state;
    fake_http *f = fake_http_start(&ok, 1);
    respan_client *c = open_client(nobody, 4 << 20);
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
    assert_int_equal(deliver(nobody, f).acknowledged, 3);
    assert_int_equal(collect(f), 3);
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
        respan_client *c = open_client(fake_http_url(f), 1 << 20);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        for (int i = 0; i < 3000; i++) end_number(c, i);
        assert_int_equal(respan_client_close(c, 20000, NULL), RESPAN_OK);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(collect(f), 3000);
        assert_int_equal(count_files(), 0);
        fake_http_stop(f);
    }
    signal(SIGXFSZ, SIG_DFL);
}

static void no_folder_is_the_heap(void **state) {
    (void)state;
    assert_int_equal(setenv("XDG_STATE_HOME", "/proc/nowhere", 1), 0);
    fake_http *f = fake_http_start(&ok, 1);
    respan_client *c = open_client(fake_http_url(f), 1 << 20);
    for (int i = 0; i < 100; i++) end_number(c, i);
    assert_int_equal(respan_client_close(c, 20000, NULL), RESPAN_OK);
    assert_int_equal(collect(f), 100);
    fake_http_stop(f);
    assert_int_equal(setenv("XDG_STATE_HOME", root, 1), 0);
}

/* ---- damage -------------------------------------------------------------------------------------------- */

static void overwrite(uint64_t at, size_t n, uint8_t with) {
    char path[RS_PATH_MAX], bytes[4096];
    memset(bytes, with, sizeof bytes);
    first_file(path);
    int fd = open(path, O_WRONLY);
    for (; n; n -= n < sizeof bytes ? n : sizeof bytes, at += sizeof bytes)
        assert_true(pwrite(fd, bytes, n < sizeof bytes ? n : sizeof bytes, (off_t)at) > 0);
    close(fd);
}

/* Where entry `place` of the first region is, and its frame. */
static void find_entry(uint32_t place, uint64_t *entry_at, uint64_t *frame_at) {
    char path[RS_PATH_MAX];
    rs_spool_file file;
    rs_spool_entry e;
    first_file(path);
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
    assert_int_equal(deliver(nobody, f).damaged, missing >= 0);
    assert_int_equal(collect(f), missing >= 0 ? n - 1 : n);
    if (missing >= 0) assert_false(is_there(missing));
    assert_int_equal(count_files(), 0);
    fake_http_stop(f);
}

static void a_scribbled_frame_or_entry_loses_its_own_span(void **state) {
    (void)state;
    for (int what = 0; what < 3; what++) {
        uint64_t entry, frame;
        leave_behind(100, 1 << 20);
        find_entry(7, &entry, &frame);
        overwrite(what == 0 ? frame + 20 : what == 1 ? entry + 8 : entry, what == 0 ? 1 : 4, 0xa5);
        expect_all_but(7, 100);
    }
}

static void a_scribbled_header_has_a_copy(void **state) {
    (void)state;
    leave_behind(100, 1 << 20);
    overwrite(0, 4096, 0xff);
    expect_all_but(-1, 100);
    leave_behind(100, 1 << 20);
    overwrite(0, 4096, 0);
    overwrite(4096, 4096, 0);
    fake_http *f = fake_http_start(&ok, 1);
    assert_int_equal(deliver(nobody, f).kept, 1);
    assert_int_equal(fake_http_count(f), 0);
    fake_http_stop(f);
}

static void a_cut_file_gives_what_is_before_the_cut(void **state) {
    (void)state;
    for (int where = 0; where < 40; where++) {
        leave_behind(600, 1 << 20);
        char path[RS_PATH_MAX];
        struct stat st;
        first_file(path);
        assert_int_equal(stat(path, &st), 0);
        off_t cut = st.st_size * where / 40;
        assert_int_equal(truncate(path, cut), 0);
        fake_http *f = fake_http_start(&ok, 1);
        rs_backlog_counts n = deliver(nobody, f);
        assert_int_equal(collect(f), n.acknowledged);
        if (where > 20) assert_true(n.acknowledged > 0);
        for (size_t i = 0; i < n.acknowledged; i++) assert_true(is_there((int)i));
        fake_http_stop(f);
        remove_files(NULL);
    }
}

static void noise_anywhere_is_survived(void **state) {
    (void)state;
    srandom(7);
    for (int round = 0; round < 60; round++) {
        leave_behind(300, 1 << 20);
        char path[RS_PATH_MAX];
        struct stat st;
        first_file(path);
        assert_int_equal(stat(path, &st), 0);
        for (int i = 0; i < 20; i++)
            overwrite((uint64_t)(random() % st.st_size), 1 + (size_t)random() % 64, (uint8_t)random());
        fake_http *f = fake_http_start(&ok, 1);
        rs_backlog_counts n = deliver(nobody, f);
        assert_int_equal(collect(f), n.acknowledged); /* every span that is sent is one that was made */
        fake_http_stop(f);
        remove_files(NULL);
    }
}

/* ---- kill -9 ------------------------------------------------------------------------------------------- */

/* The victim: ends span after span, and says in shared memory how many ends returned. */
static int write_until_killed(const char *url, const char *shared) {
    int fd = open(shared, O_RDWR);
    uint64_t *ended = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    respan_client *c = open_client(url, 8 << 20);
    for (int i = 0; i < NUMBERS; i++) {
        end_number(c, i);
        __atomic_store_n(ended, i + 1, __ATOMIC_RELEASE);
    }
    pause();
    return 0;
}

static void kill_once(const char *url, uint64_t *ended, const char *shared) {
    __atomic_store_n(ended, 0, __ATOMIC_RELEASE);
    char *argv[] = {(char *)"victim", (char *)url, (char *)shared, NULL};
    pid_t pid;
    assert_int_equal(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ), 0);
    while (__atomic_load_n(ended, __ATOMIC_ACQUIRE) == 0) usleep(100);
    usleep((useconds_t)random() % 4000);
    assert_int_equal(kill(pid, SIGKILL), 0);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void killed_at_any_moment_loses_no_ended_span(void **state) {
    (void)state;
    char shared[RS_PATH_MAX];
    snprintf(shared, sizeof shared, "%s/ended", root);
    int fd = open(shared, O_RDWR | O_CREAT, 0600);
    assert_int_equal(ftruncate(fd, 4096), 0);
    uint64_t *ended = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    srandom((unsigned)time(NULL));
    size_t recovered = 0;
    for (int round = 0; round < 200; round++) {
        fake_http *f = fake_http_start(&ok, 1);
        bool answered = round % 2; /* half of them die while they send, half with all in the spool */
        const char *url = answered ? fake_http_url(f) : nobody;
        kill_once(url, ended, shared);
        rs_backlog_counts n = deliver(url, f);
        assert_int_equal(n.damaged + n.rejected + n.kept, 0);
        size_t there = collect(f);
        recovered += n.acknowledged;
        for (uint64_t i = 0; i < *ended; i++)
            if (!is_there((int)i)) fail_msg("round %d: span %d of %d is lost", round, (int)i, (int)*ended);
        assert_in_range(there, *ended, *ended + 1); /* the last may have been ended and not counted */
        assert_int_equal(count_files(), 0);
        fake_http_stop(f);
    }
    assert_true(recovered > 200);
    munmap(ended, 4096);
    close(fd);
    unlink(shared);
}

int main(int argc, char **argv) {
    if (argc == 3) return write_until_killed(argv[1], argv[2]);
    if (!mkdtemp(root) || setenv("XDG_STATE_HOME", root, 1) != 0 || rs_spool_dir(dir, NULL) != RS_OK)
        return 1;
    unsetenv("RESPAN_SPOOL");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(unsent_spans_outlive_the_client, remove_files),
        cmocka_unit_test_teardown(the_key_is_not_in_the_file, remove_files),
        cmocka_unit_test_teardown(what_is_acknowledged_leaves_no_file, remove_files),
        cmocka_unit_test_teardown(the_next_client_sends_first_what_it_finds, remove_files),
        cmocka_unit_test_teardown(a_server_that_comes_back_gets_all_in_order, remove_files),
        cmocka_unit_test_teardown(two_at_once_send_each_their_own, remove_files),
        cmocka_unit_test_teardown(what_the_server_took_of_a_batch_is_not_sent_again, remove_files),
        cmocka_unit_test_teardown(the_files_of_others_are_left_alone, remove_files),
        cmocka_unit_test_teardown(without_a_valid_key_the_file_stays, remove_files),
        cmocka_unit_test_teardown(full_drops_the_oldest, remove_files),
        cmocka_unit_test_teardown(files_together_are_bounded, remove_files),
        cmocka_unit_test_teardown(large_spans_take_blocks_in_a_row, remove_files),
        cmocka_unit_test_teardown(no_room_on_disk_is_the_heap, remove_files),
        cmocka_unit_test_teardown(no_folder_is_the_heap, remove_files),
        cmocka_unit_test_teardown(a_scribbled_frame_or_entry_loses_its_own_span, remove_files),
        cmocka_unit_test_teardown(a_scribbled_header_has_a_copy, remove_files),
        cmocka_unit_test_teardown(a_cut_file_gives_what_is_before_the_cut, remove_files),
        cmocka_unit_test_teardown(noise_anywhere_is_survived, remove_files),
        cmocka_unit_test_teardown(killed_at_any_moment_loses_no_ended_span, remove_files),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char path[RS_PATH_MAX];
    rmdir(dir);
    if (rs_path_join(path, root, "respan", NULL) == RS_OK) rmdir(path);
    rmdir(root);
    return failed;
}
