/* Many threads, many spans, forks: nothing lost, nothing doubled, what is dropped is counted. */
#include "fake_http.h"
#include "otlp/decode.h"
#include "respan.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { THREADS = 8 };

static const fake_answer ok = {.status = 200};

static respan_client *open_at(const char *url, respan_config *config) {
    config->base_url = url;
    config->api_key = "k";
    config->quiet = true;
    respan_client *c;
    assert_int_equal(respan_client_open(config, &c, NULL), RESPAN_OK);
    return c;
}

typedef struct job {
    respan_client *client;
    int first, count;
} job;

static void *make_numbered(void *context) {
    const job *j = context;
    for (int i = j->first; i < j->first + j->count; i++) {
        respan_span *s = respan_span_start(j->client, RESPAN_TEXT("numbered"), NULL, 0);
        respan_span_set_int(s, RESPAN_TEXT("number"), i);
        respan_span_end(s, 0);
    }
    return NULL;
}

static void make_on_threads(respan_client *c, int total) {
    pthread_t threads[THREADS];
    job jobs[THREADS];
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (job){c, total / THREADS * i, total / THREADS};
        assert_int_equal(pthread_create(&threads[i], NULL, make_numbered, &jobs[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

/* How often each number in 0..total arrived; ids, if given, gets the span ids of all. */
static size_t count_numbers(fake_http *f, unsigned *times, int total, uint64_t *ids, size_t max) {
    size_t n = 0;
    for (size_t r = 0; r < fake_http_count(f); r++) {
        rs_arena arena;
        rs_spans spans;
        rs_arena_init(&arena, 0);
        rs_str body = rs_buf_slice(&fake_http_request(f, r)->body);
        assert_int_equal(rs_otlp_decode_protobuf(body, &arena, &spans, NULL), RS_OK);
        assert_int_equal(spans.rejected, 0);
        for (size_t i = 0; i < spans.n; i++) {
            const rs_attr *a = rs_attrs_find(&spans.items[i].attrs, RS_STR("number"));
            assert_non_null(a);
            assert_true(a->value.i >= 0 && a->value.i < total);
            times[a->value.i]++;
            assert_true(n < max);
            memcpy(&ids[n++], spans.items[i].span_id, 8);
        }
        rs_arena_deinit(&arena);
    }
    return n;
}

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void assert_distinct(uint64_t *ids, size_t n) {
    qsort(ids, n, sizeof *ids, by_value);
    for (size_t i = 1; i < n; i++) assert_true(ids[i] != ids[i - 1]);
}

static void a_hundred_thousand_at_once_all_arrive_once(void **state) {
    (void)state;
    enum { TOTAL = 100000 };
    fake_http *f = fake_http_start(&ok, 1);
    respan_config config;
    respan_config_init(&config);
    respan_client *c = open_at(fake_http_url(f), &config);
    make_on_threads(c, TOTAL);
    respan_stats s;
    assert_int_equal(respan_client_close(c, 60000, &s), RESPAN_OK);
    assert_int_equal(s.started, TOTAL);
    assert_int_equal(s.ended, TOTAL);
    assert_int_equal(s.acknowledged, TOTAL);
    unsigned *times = calloc(TOTAL, sizeof *times);
    uint64_t *ids = calloc(TOTAL, sizeof *ids);
    assert_int_equal(count_numbers(f, times, TOTAL, ids, TOTAL), TOTAL);
    for (int i = 0; i < TOTAL; i++) assert_int_equal(times[i], 1);
    assert_distinct(ids, TOTAL);
    free(times);
    free(ids);
    fake_http_stop(f);
}

static void a_full_ring_drops_the_newest_and_counts(void **state) {
    (void)state;
    fake_answer hang = {.kind = FAKE_HANG};
    fake_http *f = fake_http_start(&hang, 1);
    respan_config config;
    respan_config_init(&config);
    config.ring_bytes = 10000;
    config.batch_spans = 7;
    respan_client *c = open_at(fake_http_url(f), &config);
    make_on_threads(c, 8000);
    respan_stats s;
    respan_client_stats(c, &s);
    assert_int_equal(s.ended, 8000);
    assert_int_equal(s.dropped + s.pending, 8000);
    assert_true(s.pending > 50 && s.pending < 150);
    respan_span *large = respan_span_start(c, RESPAN_TEXT("large"), NULL, 0);
    char text[20000];
    memset(text, 'x', sizeof text);
    respan_span_set_string(large, RESPAN_TEXT("text"), text,
                           sizeof text); /* larger than the ring: left out */
    respan_span_end(large, 0);
    respan_stats last;
    assert_int_equal(respan_client_close(c, 100, &last), RESPAN_ERR_TIMEOUT);
    assert_int_equal(last.dropped, 8001);
    fake_http_stop(f);
}

static void room_comes_back_when_the_server_does(void **state) {
    (void)state;
    fake_http *f = fake_http_start(&ok, 1);
    respan_config config;
    respan_config_init(&config);
    config.ring_bytes = 20000;
    config.batch_bytes = 2000;
    respan_client *c = open_at(fake_http_url(f), &config);
    for (int i = 0; i < 50; i++) {
        make_numbered(&(job){c, 0, 100});
        assert_int_equal(respan_client_flush(c, 5000), RESPAN_OK);
    }
    respan_stats s;
    (void)respan_client_close(c, 5000, &s);
    assert_int_equal(s.acknowledged, 5000);
    fake_http_stop(f);
}

static void threads_may_flush_and_ask_while_others_write(void **state) {
    (void)state;
    fake_http *f = fake_http_start(&ok, 1);
    respan_config config;
    respan_config_init(&config);
    config.batch_spans = 16;
    respan_client *c = open_at(fake_http_url(f), &config);
    pthread_t threads[4];
    job jobs[4];
    for (int i = 0; i < 4; i++) {
        jobs[i] = (job){c, 0, 2000};
        assert_int_equal(pthread_create(&threads[i], NULL, make_numbered, &jobs[i]), 0);
    }
    respan_stats s;
    for (int i = 0; i < 50; i++) {
        assert_int_equal(respan_client_flush(c, 10000), RESPAN_OK);
        respan_client_stats(c, &s);
        assert_int_equal(s.ended, s.acknowledged + s.pending);
    }
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    assert_int_equal(respan_client_close(c, 10000, &s), RESPAN_OK);
    assert_int_equal(s.acknowledged, 8000);
    fake_http_stop(f);
}

/* ---- fork ------------------------------------------------------------------------------------ */

/* Runs in the child; nothing of cmocka may, so failure is the exit status. */
static int child_work(respan_client *c, int first, int count, respan_span *open_at_fork) {
    respan_stats s;
    respan_client_stats(c, &s);
    if (s.started || s.ended || s.pending || s.last_error[0]) return 10;
    make_numbered(&(job){c, first, count});
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
    respan_client *c = open_at(fake_http_url(f), &config);
    if (exporter_runs) {
        make_numbered(&(job){c, 0, EACH / 2});
        assert_int_equal(respan_client_flush(c, 20000), RESPAN_OK); /* a connection is open */
        make_numbered(&(job){c, EACH / 2, EACH / 2});               /* unsent at the fork */
    }
    respan_span *open_at_fork = respan_span_start(c, RESPAN_TEXT("open"), NULL, 0);
    respan_span_set_int(open_at_fork, RESPAN_TEXT("number"), TOTAL - 1);
    pid_t children[CHILDREN];
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) _exit(child_work(c, EACH * (i + 1), EACH, open_at_fork));
    }
    make_numbered(&(job){c, EACH * (CHILDREN + 1), EACH});
    respan_span_end(open_at_fork, 0);
    for (int i = 0; i < CHILDREN; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    assert_int_equal(respan_client_close(c, 20000, NULL), RESPAN_OK);
    unsigned times[TOTAL] = {0};
    uint64_t ids[TOTAL];
    size_t n = count_numbers(f, times, TOTAL, ids, TOTAL);
    assert_int_equal(n, exporter_runs ? TOTAL : TOTAL - EACH);
    for (int i = exporter_runs ? 0 : EACH; i < TOTAL; i++) assert_int_equal(times[i], 1);
    assert_distinct(ids, n);
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
    respan_client *c = open_at(fake_http_url(f), &config);
    pthread_t threads[2];
    job jobs[2];
    for (int i = 0; i < 2; i++) {
        jobs[i] = (job){c, i * 5000, 5000};
        assert_int_equal(pthread_create(&threads[i], NULL, make_numbered, &jobs[i]), 0);
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
    static uint64_t ids[10200];
    assert_int_equal(count_numbers(f, times, 10200, ids, 10200), 10200);
    for (int i = 0; i < 10200; i++) assert_int_equal(times[i], 1);
    assert_distinct(ids, 10200);
    fake_http_stop(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundred_thousand_at_once_all_arrive_once),
        cmocka_unit_test(a_full_ring_drops_the_newest_and_counts),
        cmocka_unit_test(room_comes_back_when_the_server_does),
        cmocka_unit_test(threads_may_flush_and_ask_while_others_write),
        cmocka_unit_test(fork_before_the_first_span),
        cmocka_unit_test(fork_with_an_exporter_at_work),
        cmocka_unit_test(fork_while_threads_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
