/* fork: parent and child both send, each its own, once. */
#include "numbered_spans.h"
#include "sanitized.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const fake_answer ok = {.status = 200};

/* Runs in the child; nothing of cmocka may, so failure is the exit status. */
static int child_work(respan_client *c, int first, int count, respan_span *open_at_fork) {
    respan_stats s;
    respan_client_stats(c, &s);
    if (s.started || s.ended || s.pending || s.last_error[0]) return 10;
    numbered_make(&(numbered_job){c, first, count});
    respan_span_end(open_at_fork, 0); /* the parent's to send */
    if (respan_client_flush(c, 20000) != RESPAN_OK) return 11;
    if (respan_client_close(c, 20000, &s) != RESPAN_OK) return 12;
    return s.acknowledged == (uint64_t)count && s.ended == (uint64_t)count ? 0 : 13;
}

static void fork_and_both_send(bool exporter_runs) {
    enum { EACH = 500, CHILDREN = 4, TOTAL = EACH * (CHILDREN + 2) + 1 };
    fake_http *f = fake_http_start(&ok, 1);
    respan_config config;
    respan_config_init(&config);
    respan_client *c = numbered_open(f, &config);
    if (exporter_runs) {
        numbered_make(&(numbered_job){c, 0, EACH / 2});
        assert_int_equal(respan_client_flush(c, 20000), RESPAN_OK); /* a connection is open */
        numbered_make(&(numbered_job){c, EACH / 2, EACH / 2});      /* unsent at the fork */
    }
    respan_span *open_at_fork = respan_span_start(c, RESPAN_TEXT("open"), NULL, 0);
    respan_span_set_int(open_at_fork, RESPAN_TEXT("number"), TOTAL - 1);
    pid_t children[CHILDREN];
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) _exit(child_work(c, EACH * (i + 1), EACH, open_at_fork));
    }
    numbered_make(&(numbered_job){c, EACH * (CHILDREN + 1), EACH});
    respan_span_end(open_at_fork, 0);
    for (int i = 0; i < CHILDREN; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    assert_int_equal(respan_client_close(c, 20000, NULL), RESPAN_OK);
    unsigned times[TOTAL] = {0};
    size_t n = numbered_count(f, times, TOTAL);
    assert_int_equal(n, exporter_runs ? TOTAL : TOTAL - EACH);
    for (int i = exporter_runs ? 0 : EACH; i < TOTAL; i++) assert_int_equal(times[i], 1);
    fake_http_stop(f);
}

static void fork_before_the_first_span(void **state) {
    (void)state;
    fork_and_both_send(false);
}

static void fork_with_an_exporter_at_work(void **state) {
    (void)state;
    fork_and_both_send(true);
}

static void fork_while_threads_write(void **state) {
    (void)state;
    fake_http *f = fake_http_start(&ok, 1);
    respan_config config;
    respan_config_init(&config);
    config.batch_spans = 8;
    respan_client *c = numbered_open(f, &config);
    pthread_t threads[2];
    numbered_job jobs[2];
    for (int i = 0; i < 2; i++) {
        jobs[i] = (numbered_job){c, i * 5000, 5000};
        assert_int_equal(pthread_create(&threads[i], NULL, numbered_make, &jobs[i]), 0);
    }
    for (int i = 0; i < 20; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            alarm(30);
            _exit(child_work(c, 10000 + i * 10, 10, NULL));
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    assert_int_equal(respan_client_close(c, 20000, NULL), RESPAN_OK);
    static unsigned times[10200];
    assert_int_equal(numbered_count(f, times, 10200), 10200);
    for (int i = 0; i < 10200; i++) assert_int_equal(times[i], 1);
    fake_http_stop(f);
}

enum { LATE = 20000 };
static respan_span *late[LATE];

static void *end_late(void *context) {
    (void)context;
    for (int i = 1; i < LATE; i++) respan_span_end(late[i], 0);
    return NULL;
}

/* Another thread is ending spans of a closed client, and in the child it is gone: what it held must not stay held. */
static void fork_while_a_closed_clients_spans_end(void **state) {
    (void)state;
    for (int round = 0; round < 5; round++) {
        fake_http *f = fake_http_start(&ok, 1);
        respan_config config;
        respan_config_init(&config);
        respan_client *c = numbered_open(f, &config);
        for (int i = 0; i < LATE; i++) late[i] = respan_span_start(c, RESPAN_TEXT("late"), NULL, 0);
        assert_int_equal(respan_client_close(c, 1000, NULL), RESPAN_OK);
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, end_late, NULL), 0);
        for (int i = 0; i < 10; i++) {
            pid_t child = fork();
            assert_true(child >= 0);
            if (child == 0) {
                alarm(10);
                respan_span_set_int(late[0], RESPAN_TEXT("number"), i);
                respan_span_end(late[0], 0);
                _exit(0);
            }
            int status;
            assert_int_equal(waitpid(child, &status, 0), child);
            assert_int_equal(status, 0);
        }
        pthread_join(thread, NULL);
        respan_span_end(late[0], 0);
        assert_int_equal(fake_http_count(f), 0);
        fake_http_stop(f);
    }
}

int main(void) {
    if (IS_SANITIZED) return 77; /* skipped */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fork_before_the_first_span),
        cmocka_unit_test(fork_with_an_exporter_at_work),
        cmocka_unit_test(fork_while_threads_write),
        cmocka_unit_test(fork_while_a_closed_clients_spans_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
