/* Four threads that make traces of ten spans, each with six attributes, for as long as it takes; to the server of
 * $RESPAN_BASE_URL. What bench/sustained.py is for Python; it prints the same line of JSON.
 *
 *     bench_sustained SPANS RATE      RATE: spans a second of all threads together; 0: as fast as they can */
#include "base/clock.h"
#include "own_state.h"
#include "respan.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, PER_TRACE = 10, FLUSH_MS = 60000 };

typedef struct job {
    respan_client *client;
    size_t traces;
    double rate;    /* traces a second; 0: no limit */
    uint64_t *took; /* ns per trace */
} job;

static respan_span *begin(respan_client *c, const respan_span_context *parent, int i) {
    respan_span *s = respan_span_start(c, RESPAN_TEXT("chat smollm2"), parent, 0);
    respan_span_set_string(s, RESPAN_TEXT("respan.entity.log_type"), RESPAN_TEXT("chat"));
    respan_span_set_string(s, RESPAN_TEXT("gen_ai.request.model"), RESPAN_TEXT("smollm2"));
    respan_span_set_string(s, RESPAN_TEXT("gen_ai.prompt.0.content"),
                           RESPAN_TEXT("What is the capital of France?"));
    respan_span_set_int(s, RESPAN_TEXT("gen_ai.usage.input_tokens"), 17);
    respan_span_set_int(s, RESPAN_TEXT("gen_ai.usage.output_tokens"), i);
    respan_span_set_double(s, RESPAN_TEXT("gen_ai.request.temperature"), 0.35);
    return s;
}

static void one_trace(respan_client *c) {
    respan_span *root = begin(c, NULL, 0);
    respan_span_context parent = respan_span_get_context(root);
    for (int i = 1; i < PER_TRACE; i++) respan_span_end(begin(c, &parent, i), 0);
    respan_span_end(root, 0);
}

static void sleep_seconds(double seconds) {
    struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&t, NULL);
}

static void *work(void *context) {
    job *j = context;
    uint64_t began = rs_clock_mono_ns();
    for (size_t i = 0; i < j->traces; i++) {
        uint64_t now = rs_clock_mono_ns();
        double ahead = j->rate > 0 ? (double)i / j->rate - (double)(now - began) / 1e9 : 0;
        if (ahead > 0.001) sleep_seconds(ahead), now = rs_clock_mono_ns();
        one_trace(j->client);
        j->took[i] = rs_clock_mono_ns() - now;
    }
    return NULL;
}

/* ---- resident memory, sampled ---------------------------------------------------------------------------- */

static size_t resident(void) {
    size_t pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%*u %zu", &pages) != 1) pages = 0;
    if (f) fclose(f);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

typedef struct watch {
    _Atomic bool stop;
    size_t most;
} watch;

static void *watch_memory(void *context) {
    watch *w = context;
    while (!w->stop) {
        size_t now = resident();
        if (now > w->most) w->most = now;
        sleep_seconds(0.02);
    }
    return NULL;
}

/* ---- main ------------------------------------------------------------------------------------------------ */

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int fail(const char *what) {
    fprintf(stderr, "bench_sustained: %s\n", what);
    return 1;
}

int main(int argc, char **argv) {
    size_t traces = argc > 1 ? strtoul(argv[1], NULL, 10) / PER_TRACE / THREADS : 0;
    double rate = argc > 2 ? strtod(argv[2], NULL) : 0;
    if (traces == 0) return fail("usage: bench_sustained SPANS RATE");
    if (!own_state_make()) return fail("no folder in /tmp");
    respan_config config;
    respan_config_init(&config);
    config.app_name = "bench";
    respan_client *client;
    respan_error err;
    if (respan_client_open(&config, &client, &err) != RESPAN_OK) return fail(err.message);
    for (int i = 0; i < 1000; i++) one_trace(client);
    if (respan_client_flush(client, FLUSH_MS) != RESPAN_OK) return fail("the first flush failed");

    uint64_t *took = malloc(sizeof *took * traces * THREADS);
    if (!took) return fail("no memory");
    memset(took, 1, sizeof *took * traces * THREADS); /* its pages are there before memory is looked at */
    size_t before = resident();
    watch watched = {.most = before};
    pthread_t watcher, threads[THREADS];
    job jobs[THREADS];
    uint64_t began = rs_clock_mono_ns();
    if (pthread_create(&watcher, NULL, watch_memory, &watched) != 0) return fail("no thread");
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (job){client, traces, rate / THREADS / PER_TRACE, took + traces * (size_t)i};
        if (pthread_create(&threads[i], NULL, work, &jobs[i]) != 0) return fail("no thread");
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    double produced = (double)(rs_clock_mono_ns() - began) / 1e9;
    bool flushed = respan_client_flush(client, FLUSH_MS) == RESPAN_OK;
    double seconds = (double)(rs_clock_mono_ns() - began) / 1e9;
    watched.stop = true;
    pthread_join(watcher, NULL);
    respan_client_close(client, 1000, NULL);

    size_t n = traces * THREADS;
    qsort(took, n, sizeof *took, by_value);
    printf("{\"spans\": %zu, \"seconds\": %.4f, \"produced_s\": %.4f, \"flushed\": %s, \"p999_us\": %.3f, "
           "\"max_us\": %.3f, \"rss_growth_mb\": %.3f}\n",
           n * PER_TRACE, seconds, produced, flushed ? "true" : "false", (double)took[n * 999 / 1000] / 1e3,
           (double)took[n - 1] / 1e3, (double)(watched.most - before) / 1e6);
    return 0;
}
