/* Spans that were open when the process died: each arrives as an interrupted span, with what it had. */
#include "sanitized.h"
#include "spool_fixture.h"

#include "sdk/spool_format.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

extern char **environ;
static const fake_answer ok = {.status = 200};
static const char *const nobody = "http://127.0.0.1:1/api";

/* ---- victims: programs that die with spans open -------------------------------------------------------- */

static respan_span *open_number(respan_client *c, int number, const respan_span_context *parent) {
    respan_span *s = respan_span_start(c, RESPAN_TEXT("open"), parent, 0);
    respan_span_set_int(s, RESPAN_TEXT("number"), number);
    return s;
}

static void set_text(respan_span *s, char byte, size_t n) {
    char *text = malloc(n);
    memset(text, byte, n);
    respan_span_set_string(s, RESPAN_TEXT("text"), text, n);
    free(text);
}

static void die_in_nested_spans(respan_client *c) {
    respan_span *root = open_number(c, 0, NULL);
    respan_span_context at = respan_span_get_context(root);
    respan_span_end(open_number(c, 1, &at), 0);
    respan_span *s = open_number(c, 2, &at);
    respan_span_set_name(s, RESPAN_TEXT("renamed"));
    for (int i = 0; i < 300; i++) {
        char value[32];
        int n = snprintf(value, sizeof value, "value %d", i);
        respan_span_set_string(s, RESPAN_TEXT("text"), value, (size_t)n);
    }
    respan_span_set_status(s, RESPAN_STATUS_ERROR, RESPAN_TEXT("so far"));
    respan_span_set_kind(s, RESPAN_KIND_CLIENT);
    respan_span_add_event(s, RESPAN_TEXT("token"), 0, NULL, 0);
    respan_span_discard(open_number(c, 3, &at));
}

static void die_with_large_spans(respan_client *c) {
    for (int i = 0; i < 4; i++) set_text(open_number(c, i, NULL), (char)('a' + i), (size_t)1000 << 3 * i);
    respan_span *grows = open_number(c, 4, NULL);
    for (size_t n = 10; n < 200000; n *= 3) set_text(grows, 'g', n);
    respan_span *ended = open_number(c, 5, NULL);
    set_text(ended, 'e', 50000);
    respan_span_end(ended, 0); /* its large slot is free again */
    set_text(open_number(c, 6, NULL), 'f', 50000);
}

static void die_with_many_open(respan_client *c) {
    for (int i = 0; i < 2000; i++) open_number(c, i, NULL);
}

static void die_with_a_withheld_span(respan_client *c) {
    respan_span *s = respan_span_start(c, RESPAN_TEXT("withheld"), NULL, 0);
    respan_span_withhold(s);
    respan_span_set_int(s, RESPAN_TEXT("number"), 0);
    set_text(s, 's', 100000);
    respan_span *ended = open_number(c, 1, NULL);
    respan_span_withhold(ended);
    respan_span_end(ended, 0); /* once it ended it is as any other */
    open_number(c, 2, NULL);
}

static void die_with_a_shared_set(respan_client *c) {
    respan_attribute both[] = {
        {{RESPAN_TEXT("text")}, RESPAN_TYPE_STRING, {.string = {RESPAN_TEXT("of the set")}}},
        {{RESPAN_TEXT("user")}, RESPAN_TYPE_STRING, {.string = {RESPAN_TEXT("u1")}}}};
    respan_attributes *set = respan_attributes_new(both, 2), *other = respan_attributes_new(both + 1, 1);
    respan_span_use(open_number(c, 0, NULL), set);
    respan_span *own = open_number(c, 1, NULL);
    respan_span_set_string(own, RESPAN_TEXT("text"), RESPAN_TEXT("its own"));
    respan_span_use(own, set);
    respan_span *replaced = open_number(c, 2, NULL);
    respan_span_use(replaced, set);
    respan_span_use(replaced, other);
}

/* The child of a fork has its copy of the span, and of the file's pages. */
static void die_after_a_fork(respan_client *c) {
    respan_span *s = open_number(c, 0, NULL);
    set_text(s, 'p', 10);
    int status;
    pid_t child = fork();
    if (child == 0) {
        set_text(s, 'c', 10);
        set_text(s, 'c', 5000);
        respan_span_end(s, 0);
        open_number(c, 1, NULL);
        kill(getpid(), SIGKILL);
    }
    waitpid(child, &status, 0);
    respan_span_set_int(s, RESPAN_TEXT("after"), 1);
}

static void die_after_a_second(respan_client *c) {
    open_number(c, 0, NULL);
    usleep(1600000); /* the exporter says again and again that the process lives */
}

static void close_with_open_spans(respan_client *c) {
    respan_span *s = open_number(c, 0, NULL), *large = open_number(c, 1, NULL);
    set_text(large, 'l', 50000);
    spool_end_number(c, 2); /* so that the file stays */
    (void)respan_client_close(c, 0, NULL);
    set_text(s, 'x', 100);
    set_text(s, 'x', 10000);
    set_text(large, 'x', 200000);
    respan_span_end(s, 0);
    respan_span_discard(large);
    exit(0);
}

static void *fork_and_end(void *client) {
    pid_t child = fork();
    if (child == 0) {
        spool_end_number(client, 1);
        return NULL; /* the child's only thread of its own ends here */
    }
    int status;
    alarm(20);
    if (waitpid(child, &status, 0) != child || status != 0) abort();
    return NULL;
}

static void fork_in_a_thread(respan_client *c) {
    pthread_t thread;
    spool_end_number(c, 0);
    if (pthread_create(&thread, NULL, fork_and_end, c) != 0 || pthread_join(thread, NULL) != 0) abort();
}

/* As daemons do; and what is opened then has the spool's number. */
static void close_all_descriptors(respan_client *c) {
    char path[RS_PATH_MAX + 16];
    struct stat st;
    spool_end_number(c, 0);
    for (int fd = 3; fd < 100; fd++) close(fd);
    snprintf(path, sizeof path, "%s/own", getenv("XDG_STATE_HOME"));
    for (int i = 0; i < 20; i++)
        if (open(path, O_RDWR | O_CREAT, 0600) < 0) exit(2);
    for (int i = 1; i < 300; i++) {
        respan_span *s = open_number(c, i, NULL);
        set_text(s, 'x', 3000);
        respan_span_end(s, 0);
    }
    (void)respan_client_close(c, 0, NULL);
    exit(stat(path, &st) == 0 && st.st_size == 0 && unlink(path) == 0 ? 0 : 3);
}

static void use_the_first_descriptors(respan_client *c) {
    for (int fd = 0; fd < 3; fd++) close(fd);
    spool_end_number(c, 0);
    struct stat st;
    for (int fd = 0; fd < 3; fd++)
        if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) exit(4);
}

static void die_as_memory_is_scribbled(respan_client *c) {
    for (int i = 0; i < 10; i++) set_text(open_number(c, i, NULL), 't', 100);
}

/* Ends span after span below one that stays open, and says in shared memory how far it came. */
typedef struct progress {
    uint64_t opened, ended;
} progress;

static void work_until_killed(respan_client *c, progress *p) {
    respan_span *root = open_number(c, SPOOL_NUMBERS - 1, NULL);
    respan_span_context at = respan_span_get_context(root);
    for (int i = 0; i < SPOOL_NUMBERS - 1; i++) {
        respan_span *s = open_number(c, i, &at);
        __atomic_store_n(&p->opened, i + 1, __ATOMIC_RELEASE);
        if (i % 10 == 0) set_text(s, 'x', 3000);
        respan_span_end(s, 0);
        __atomic_store_n(&p->ended, i + 1, __ATOMIC_RELEASE);
    }
    pause();
}

static const struct victim {
    const char *name;
    void (*act)(respan_client *c);
} victims[] = {
    {"nested", die_in_nested_spans},
    {"large", die_with_large_spans},
    {"many", die_with_many_open},
    {"withheld", die_with_a_withheld_span},
    {"shared", die_with_a_shared_set},
    {"fork", die_after_a_fork},
    {"second", die_after_a_second},
    {"closed", close_with_open_spans},
    {"scribbled", die_as_memory_is_scribbled},
    {"thread", fork_in_a_thread},
    {"descriptors", close_all_descriptors},
    {"standard", use_the_first_descriptors},
};

/* argv: victim, URL, file of shared memory or "" */
static int be_victim(char **argv) {
    respan_client *c = spool_client(argv[2], 64 << 20);
    if (strcmp(argv[1], "work") == 0) {
        int fd = open(argv[3], O_RDWR);
        work_until_killed(c, mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    }
    for (size_t i = 0; i < RS_ARRAY_LEN(victims); i++)
        if (strcmp(victims[i].name, argv[1]) == 0) victims[i].act(c);
    kill(getpid(), SIGKILL);
    return 1;
}

static pid_t start(const char *victim, const char *url, const char *shared) {
    char *argv[] = {(char *)"test", (char *)victim, (char *)url, (char *)shared, NULL};
    pid_t pid;
    assert_int_equal(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ), 0);
    return pid;
}

static int wait_for(pid_t pid) {
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/* Lets it die, and delivers what it left; how many numbers arrived. */
static size_t recover(const char *victim, rs_backlog_counts *n) {
    int status = wait_for(start(victim, nobody, ""));
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    fake_http *f = fake_http_start(&ok, 1);
    size_t without;
    *n = spool_deliver(nobody, f);
    size_t there = spool_collect(f, &without);
    assert_int_equal(without, 0);
    assert_int_equal(n->kept + n->rejected, 0);
    assert_int_equal(spool_count_files(), 0);
    fake_http_stop(f);
    return there;
}

/* ---- what arrives -------------------------------------------------------------------------------------- */

static void open_spans_arrive_as_they_were(void **state) {
    (void)state;
    rs_backlog_counts n;
    assert_int_equal(recover("nested", &n), 3);
    assert_int_equal(n.acknowledged, 3);
    assert_int_equal(n.interrupted, 2);
    assert_int_equal(n.damaged, 0);
    const spool_arrival *root = &spool_arrived[0], *ended = &spool_arrived[1], *open = &spool_arrived[2];
    assert_true(root->interrupted && open->interrupted && !ended->interrupted);
    assert_memory_equal(ended->parent_id, root->span_id, 8);
    assert_memory_equal(open->parent_id, root->span_id, 8);
    assert_string_equal(open->name, "renamed");
    assert_string_equal(open->text, "value 299");
    assert_int_equal(open->attributes, 3); /* number, text, the mark */
    assert_int_equal(root->attributes, 2);
    assert_true(open->end_ns >= open->start_ns);
    assert_false(spool_is_there(3)); /* it was discarded */
}

static void large_ones_too(void **state) {
    (void)state;
    rs_backlog_counts n;
    assert_int_equal(recover("large", &n), 7);
    assert_int_equal(n.interrupted, 6);
    assert_int_equal(n.damaged, 0);
    for (int i = 0; i < 4; i++) assert_int_equal(spool_arrived[i].text[30], 'a' + i);
    assert_int_equal(spool_arrived[4].text[30], 'g');
    assert_false(spool_arrived[5].interrupted);
    assert_int_equal(spool_arrived[6].text[30], 'f');
}

static void and_many_at_once(void **state) {
    (void)state;
    rs_backlog_counts n;
    assert_int_equal(recover("many", &n), 2000);
    assert_int_equal(n.interrupted, 2000);
}

static void a_withheld_span_is_in_no_file_before_it_ends(void **state) {
    (void)state;
    rs_backlog_counts n;
    assert_int_equal(recover("withheld", &n), 2);
    assert_false(spool_is_there(0));
    assert_true(spool_is_there(1) && !spool_arrived[1].interrupted);
    assert_true(spool_arrived[2].interrupted);
}

static void shared_attributes_are_with_them(void **state) {
    (void)state;
    rs_backlog_counts n;
    assert_int_equal(recover("shared", &n), 3);
    assert_string_equal(spool_arrived[0].text, "of the set");
    assert_int_equal(spool_arrived[0].attributes, 4);
    assert_string_equal(spool_arrived[1].text, "its own");
    assert_int_equal(spool_arrived[1].attributes, 4);
    assert_string_equal(spool_arrived[2].text, ""); /* the second set replaced the first */
    assert_int_equal(spool_arrived[2].attributes, 3);
}

static void the_copy_of_a_fork_changes_nothing(void **state) {
    (void)state;
    if (IS_SANITIZED) skip();
    rs_backlog_counts n;
    assert_int_equal(recover("fork", &n), 2);
    assert_int_equal(n.damaged, 0);
    assert_string_equal(spool_arrived[0].text, "pppppppppp");
    assert_int_equal(spool_arrived[0].attributes, 4);
    assert_true(spool_arrived[0].interrupted && spool_arrived[1].interrupted);
}

static void its_end_is_when_the_process_last_lived(void **state) {
    (void)state;
    rs_backlog_counts n;
    assert_int_equal(recover("second", &n), 1);
    uint64_t ns = spool_arrived[0].end_ns - spool_arrived[0].start_ns;
    assert_in_range(ns, 1200000000, 20000000000);
}

/* What becomes of it afterwards is nobody's business, but that it is discarded. */
static void so_does_what_is_open_when_its_client_is_closed(void **state) {
    (void)state;
    rs_backlog_counts n;
    assert_int_equal(recover("closed", &n), 2);
    assert_true(spool_arrived[0].interrupted && !spool_is_there(1) && spool_is_there(2));
    assert_int_equal(n.interrupted, 1);
    assert_int_equal(n.damaged, 0);
}

/* The child of a fork in a thread has that thread alone; when it ends, the process does, exporter or not. */
static void a_process_ends_with_its_last_thread(void **state) {
    (void)state;
    if (IS_SANITIZED) skip();
    rs_backlog_counts n;
    assert_int_equal(recover("thread", &n), 2);
}

/* A program that closes what the exporter is looking at is a race, as TSan says if it comes about. */
static void closed_descriptors_hurt_nobody(void **state) {
    (void)state;
    if (IS_THREAD_SANITIZED) skip();
    rs_backlog_counts n;
    recover("descriptors", &n);
}

static void the_standard_descriptors_are_left_alone(void **state) {
    (void)state;
    rs_backlog_counts n;
    assert_int_equal(recover("standard", &n), 1);
}

/* A byte of one slot changed: that span is gone, the others are there. */
static void a_scribbled_slot_loses_its_own_span(void **state) {
    (void)state;
    for (size_t at = 0; at < 60; at += 7) {
        wait_for(start("scribbled", nobody, ""));
        char path[RS_PATH_MAX], *p;
        struct stat st;
        spool_first_file(path);
        int fd = open(path, O_RDWR);
        assert_int_equal(fstat(fd, &st), 0);
        p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        char *text = memmem(p, (size_t)st.st_size, "tttttttttttttttt", 16);
        assert_non_null(text);
        text[at] ^= 4;
        munmap(p, (size_t)st.st_size);
        close(fd);
        fake_http *f = fake_http_start(&ok, 1);
        rs_backlog_counts n = spool_deliver(nobody, f);
        assert_int_equal(n.damaged, 1);
        assert_int_equal(spool_collect(f, NULL), 9);
        fake_http_stop(f);
    }
}

/* ---- kill -9 ------------------------------------------------------------------------------------------- */

static void kill_at_work(const char *url, progress *p, const char *shared) {
    *p = (progress){0};
    pid_t pid = start("work", url, shared);
    while (__atomic_load_n(&p->ended, __ATOMIC_ACQUIRE) == 0) usleep(100);
    usleep((useconds_t)random() % 4000);
    assert_int_equal(kill(pid, SIGKILL), 0);
    int status = wait_for(pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void check_nothing_lost(const progress *p, size_t there, size_t without, int round) {
    for (uint64_t i = 0; i < p->opened; i++) {
        if (!spool_is_there((int)i))
            fail_msg("round %d: span %d of %d is lost", round, (int)i, (int)p->opened);
        if (i < p->ended && spool_arrived[i].interrupted)
            fail_msg("round %d: span %d ended and arrived as interrupted", round, (int)i);
    }
    /* One may have been started and not counted, with its number or without it yet. */
    assert_in_range(there + without, p->opened + 1, p->opened + 2);
    const spool_arrival *root = &spool_arrived[SPOOL_NUMBERS - 1];
    assert_true(root->interrupted);
    for (uint64_t i = 0; i < p->opened; i++)
        assert_memory_equal(spool_arrived[i].parent_id, root->span_id, 8);
}

static void killed_at_any_moment_loses_nothing(void **state) {
    (void)state;
    char shared[RS_PATH_MAX];
    snprintf(shared, sizeof shared, "%s/progress", spool_root);
    int fd = open(shared, O_RDWR | O_CREAT, 0600);
    assert_int_equal(ftruncate(fd, 4096), 0);
    progress *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    srandom((unsigned)time(NULL));
    size_t recovered = 0, interrupted = 0;
    for (int round = 0; round < 200; round++) {
        fake_http *f = fake_http_start(&ok, 1);
        bool answered = round % 2; /* half of them die while they send, half with all in the spool */
        const char *url = answered ? fake_http_url(f) : nobody;
        kill_at_work(url, p, shared);
        rs_backlog_counts n = spool_deliver(url, f);
        assert_int_equal(n.damaged + n.rejected + n.kept, 0);
        size_t without, there = spool_collect(f, &without);
        check_nothing_lost(p, there, without, round);
        recovered += n.acknowledged;
        interrupted += n.interrupted;
        assert_int_equal(spool_count_files(), 0);
        fake_http_stop(f);
    }
    assert_true(recovered > 400 && interrupted >= 200);
    munmap(p, 4096);
    close(fd);
    unlink(shared);
}

int main(int argc, char **argv) {
    if (argc == 4) return be_victim(argv);
    spool_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(open_spans_arrive_as_they_were, spool_remove_files),
        cmocka_unit_test_teardown(large_ones_too, spool_remove_files),
        cmocka_unit_test_teardown(and_many_at_once, spool_remove_files),
        cmocka_unit_test_teardown(a_withheld_span_is_in_no_file_before_it_ends, spool_remove_files),
        cmocka_unit_test_teardown(shared_attributes_are_with_them, spool_remove_files),
        cmocka_unit_test_teardown(the_copy_of_a_fork_changes_nothing, spool_remove_files),
        cmocka_unit_test_teardown(its_end_is_when_the_process_last_lived, spool_remove_files),
        cmocka_unit_test_teardown(so_does_what_is_open_when_its_client_is_closed, spool_remove_files),
        cmocka_unit_test_teardown(a_process_ends_with_its_last_thread, spool_remove_files),
        cmocka_unit_test_teardown(closed_descriptors_hurt_nobody, spool_remove_files),
        cmocka_unit_test_teardown(the_standard_descriptors_are_left_alone, spool_remove_files),
        cmocka_unit_test_teardown(a_scribbled_slot_loses_its_own_span, spool_remove_files),
        cmocka_unit_test_teardown(killed_at_any_moment_loses_nothing, spool_remove_files),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    spool_end();
    return failed;
}
