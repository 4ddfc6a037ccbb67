/* Many threads, many spans: nothing lost, nothing doubled, what is dropped is counted. */
#include "numbered_spans.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const fake_answer ok = {.status = 200};

enum { THREADS = 8 };

static void make_on_threads(respan_client *c, int total) {
    pthread_t threads[THREADS];
    numbered_job jobs[THREADS];
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (numbered_job){c, total / THREADS * i, total / THREADS};
        assert_int_equal(pthread_create(&threads[i], NULL, numbered_make, &jobs[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

static void a_hundred_thousand_at_once_all_arrive_once(void **state) {
    (void)state;
    enum { TOTAL = 100000 };
    fake_http *f = fake_http_start(&ok, 1);
    respan_config config;
    respan_config_init(&config);
    respan_client *c = numbered_open(f, &config);
    make_on_threads(c, TOTAL);
    respan_stats s;
    assert_int_equal(respan_client_close(c, 60000, &s), RESPAN_OK);
    assert_int_equal(s.started, TOTAL);
    assert_int_equal(s.ended, TOTAL);
    assert_int_equal(s.acknowledged, TOTAL);
    unsigned *times = calloc(TOTAL, sizeof *times);
    assert_int_equal(numbered_count(f, times, TOTAL), TOTAL);
    for (int i = 0; i < TOTAL; i++) assert_int_equal(times[i], 1);
    free(times);
    fake_http_stop(f);
}

static void a_full_ring_drops_the_newest_and_counts(void **state) {
    (void)state;
    fake_answer hang = {.kind = FAKE_HANG};
    fake_http *f = fake_http_start(&hang, 1);
    respan_config config;
    respan_config_init(&config);
    config.ring_bytes = 10000;
    config.spool_bytes = 0; /* a full spool drops the oldest */
    config.batch_spans = 7;
    respan_client *c = numbered_open(f, &config);
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
    respan_client *c = numbered_open(f, &config);
    for (int i = 0; i < 50; i++) {
        numbered_make(&(numbered_job){c, 0, 100});
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
    respan_client *c = numbered_open(f, &config);
    pthread_t threads[4];
    numbered_job jobs[4];
    for (int i = 0; i < 4; i++) {
        jobs[i] = (numbered_job){c, 0, 2000};
        assert_int_equal(pthread_create(&threads[i], NULL, numbered_make, &jobs[i]), 0);
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

enum { LATE = 2000 };

static void *end_all(void *spans) {
    for (int i = 0; i < LATE; i++) respan_span_end(((respan_span **)spans)[i], 0);
    return NULL;
}

static void close_while_other_threads_end_their_spans(void **state) {
    (void)state;
    static respan_span *spans[4][LATE];
    for (int round = 0; round < 5; round++) {
        fake_http *f = fake_http_start(&ok, 1);
        respan_config config;
        respan_config_init(&config);
        config.batch_spans = 16;
        respan_client *c = numbered_open(f, &config);
        pthread_t threads[4];
        for (int t = 0; t < 4; t++) {
            for (int i = 0; i < LATE; i++) {
                spans[t][i] = respan_span_start(c, RESPAN_TEXT("late"), NULL, 0);
                respan_span_set_int(spans[t][i], RESPAN_TEXT("number"), t * LATE + i);
            }
            assert_int_equal(pthread_create(&threads[t], NULL, end_all, spans[t]), 0);
        }
        respan_stats s;
        (void)respan_client_close(c, 1000, &s);
        for (int t = 0; t < 4; t++) pthread_join(threads[t], NULL);
        static unsigned times[4 * LATE];
        memset(times, 0, sizeof times);
        assert_int_equal(s.started, 4 * LATE);
        assert_int_equal(s.ended, s.acknowledged + s.dropped + s.kept);
        assert_true(numbered_count(f, times, 4 * LATE) >= s.acknowledged);
        fake_http_stop(f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundred_thousand_at_once_all_arrive_once),
        cmocka_unit_test(a_full_ring_drops_the_newest_and_counts),
        cmocka_unit_test(room_comes_back_when_the_server_does),
        cmocka_unit_test(threads_may_flush_and_ask_while_others_write),
        cmocka_unit_test(close_while_other_threads_end_their_spans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
