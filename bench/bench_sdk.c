/* What a span costs the thread that makes it: start, six attributes, end, with the exporter sending to a sink in this
 * process; and, measured in turns with it, what cannot be saved: reading the clock twice and copying the span's bytes
 * into a mapped file. Nanoseconds of CPU on the calling thread, and of wall time; the median of ROUNDS. A round is
 * bursts of BURST spans, after each of which all is flushed, untimed.
 *
 *     bench_sdk [SPANS of a round, default 200000] */
#include "base/clock.h"
#include "own_state.h"
#include "respan.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { THREADS_MAX = 4, ROUNDS = 9, BURST = 10000 };

/* ---- the sink: reads requests, answers 200, keeps nothing ---------------------------------------------- */

static _Atomic size_t body_bytes; /* of all requests */

static void *serve(void *context) {
    int fd = *(int *)context;
    static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    static char buffer[1 << 16];
    size_t have = 0, left = 0;
    for (ssize_t n; (n = recv(fd, buffer + have, sizeof buffer - 1 - have, 0)) > 0;) {
        size_t got = have + (size_t)n;
        have = 0;
        if (left == 0) {
            buffer[got] = 0;
            char *end = strstr(buffer, "\r\n\r\n"), *length = strcasestr(buffer, "content-length:");
            if (!end) {
                have = got;
                continue;
            }
            size_t body = length && length < end ? strtoul(length + 15, NULL, 10) : 0;
            body_bytes += body;
            left = (size_t)(end + 4 - buffer) + body;
        }
        left -= got < left ? got : left;
        if (left == 0 && send(fd, ok, sizeof ok - 1, MSG_NOSIGNAL) < 0) break;
    }
    close(fd);
    return NULL;
}

static void *accept_one(void *context) {
    int fd = accept(*(int *)context, NULL, NULL);
    return fd < 0 ? NULL : serve(&fd);
}

static int listen_somewhere(char *url, size_t size) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, n) != 0 || listen(fd, 8) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) != 0) {
        perror("socket");
        exit(1);
    }
    snprintf(url, size, "http://127.0.0.1:%d/api", ntohs(a.sin_port));
    return fd;
}

/* ---- the program that is traced ------------------------------------------------------------------------ */

typedef struct job {
    respan_client *client;
    int spans;
    double cpu_ns; /* per span */
} job;

static double cpu_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void one_span(respan_client *c, int i) {
    respan_span *s = respan_span_start(c, RESPAN_TEXT("chat smollm2"), NULL, 0);
    respan_span_set_string(s, RESPAN_TEXT("respan.entity.log_type"), RESPAN_TEXT("chat"));
    respan_span_set_string(s, RESPAN_TEXT("gen_ai.request.model"), RESPAN_TEXT("smollm2"));
    respan_span_set_string(s, RESPAN_TEXT("gen_ai.prompt.0.content"),
                           RESPAN_TEXT("What is the capital of France?"));
    respan_span_set_int(s, RESPAN_TEXT("gen_ai.usage.input_tokens"), 17);
    respan_span_set_int(s, RESPAN_TEXT("gen_ai.usage.output_tokens"), i);
    respan_span_set_double(s, RESPAN_TEXT("gen_ai.request.temperature"), 0.35);
    respan_span_end(s, 0);
}

static void *work(void *context) {
    job *j = context;
    double began = cpu_seconds();
    for (int i = 0; i < j->spans; i++) one_span(j->client, i);
    j->cpu_ns = (cpu_seconds() - began) / j->spans * 1e9;
    return NULL;
}

typedef struct cost {
    double cpu, wall; /* ns per span */
} cost;

static cost one_burst(respan_client *client, int threads, int spans) {
    pthread_t t[THREADS_MAX];
    job jobs[THREADS_MAX];
    cost c = {0};
    uint64_t began = rs_clock_mono_ns();
    for (int i = 0; i < threads; i++) {
        jobs[i] = (job){client, spans / threads, 0};
        if (pthread_create(&t[i], NULL, work, &jobs[i]) != 0) exit(1);
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(t[i], NULL);
        c.cpu += jobs[i].cpu_ns / threads;
    }
    c.wall = (double)(rs_clock_mono_ns() - began) / spans;
    if (respan_client_flush(client, 30000) != RESPAN_OK) fprintf(stderr, "bench_sdk: a flush failed\n");
    return c;
}

static cost measure(respan_client *client, int threads, int spans) {
    cost sum = {0};
    int bursts = spans > BURST ? spans / BURST : 1;
    for (int i = 0; i < bursts; i++) {
        cost c = one_burst(client, threads, spans / bursts);
        sum.cpu += c.cpu / bursts;
        sum.wall += c.wall / bursts;
    }
    return sum;
}

/* ---- what cannot be saved ------------------------------------------------------------------------------ */

enum { MAPPED = 1 << 20, BYTES_MAX = 4096 };

static char *map_file(void) {
    FILE *file = tmpfile();
    if (!file || ftruncate(fileno(file), MAPPED) != 0) return NULL;
    char *p = mmap(NULL, MAPPED, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
    return p == MAP_FAILED ? NULL : p;
}

static double measure_floor(char *mapped, size_t bytes, int spans) {
    static char source[BYTES_MAX];
    double began = cpu_seconds();
    for (int i = 0; i < spans; i++) {
        uint64_t times[2] = {rs_clock_wall_ns(), rs_clock_wall_ns()};
        memcpy(source, times, sizeof times);
        char *to = mapped + (size_t)i * bytes % (MAPPED - BYTES_MAX);
        memcpy(to, source, bytes);
        __asm__ volatile("" : : "r"(to) : "memory"); /* the copy is made */
    }
    return (cpu_seconds() - began) / spans * 1e9;
}

/* ---- main ---------------------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double values[ROUNDS]) {
    qsort(values, ROUNDS, sizeof *values, by_value);
    return values[ROUNDS / 2];
}

int main(int argc, char **argv) {
    int spans = argc > 1 ? atoi(argv[1]) : 200000;
    char url[64], *mapped = map_file();
    int listener = listen_somewhere(url, sizeof url);
    pthread_t sink;
    if (spans < THREADS_MAX || !own_state_make() || !mapped ||
        pthread_create(&sink, NULL, accept_one, &listener) != 0)
        return 2;
    respan_config config;
    respan_config_init(&config);
    config.base_url = url;
    config.api_key = "bench";
    respan_client *client;
    respan_error err;
    if (respan_client_open(&config, &client, &err) != RESPAN_OK)
        return fprintf(stderr, "%s\n", err.message), 1;
    (void)measure(client, 1, spans); /* pages, branch predictors, and how long a span is */
    size_t bytes = body_bytes / (size_t)spans;
    if (bytes > BYTES_MAX) bytes = BYTES_MAX;
    static const int threads[] = {1, THREADS_MAX};
    double cpu[2][ROUNDS], wall[2][ROUNDS], least[ROUNDS], ratio[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        least[round] = measure_floor(mapped, bytes, spans);
        for (int i = 0; i < 2; i++) {
            cost c = measure(client, threads[i], spans);
            cpu[i][round] = c.cpu;
            wall[i][round] = c.wall;
        }
        ratio[round] = cpu[0][round] / least[round];
    }
    for (int i = 0; i < 2; i++)
        printf("threads=%d cpu_ns=%.0f wall_ns=%.0f\n", threads[i], median(cpu[i]), median(wall[i]));
    printf("bytes=%zu floor_ns=%.0f ratio=%.2f\n", bytes, median(least), median(ratio));
    respan_stats s;
    (void)respan_client_close(client, 30000, &s);
    printf("ended=%llu acknowledged=%llu dropped=%llu\n", (unsigned long long)s.ended,
           (unsigned long long)s.acknowledged, (unsigned long long)s.dropped);
    return s.acknowledged == s.ended ? 0 : 1;
}
