/* What a span costs the thread that makes it: start, six attributes, end, with the exporter sending to a sink in this
 * process. Prints nanoseconds per span, of CPU on the calling thread and of wall time.
 *
 *     bench_sdk [SPANS per thread, default 200000] */
#include "base/clock.h"
#include "respan.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { THREADS_MAX = 16, ROUNDS = 5 };

/* ---- the sink: reads requests, answers 200, keeps nothing ---------------------------------------------- */

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
            left = (size_t)(end + 4 - buffer) + strtoul(length + 15, NULL, 10);
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

/* Best of ROUNDS: other programs on the machine only ever add. */
static void measure(respan_client *client, int threads, int spans) {
    double best_cpu = 1e18, best_wall = 1e18;
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t t[THREADS_MAX];
        job jobs[THREADS_MAX];
        uint64_t began = rs_clock_mono_ns();
        for (int i = 0; i < threads; i++) {
            jobs[i] = (job){client, spans, 0};
            if (pthread_create(&t[i], NULL, work, &jobs[i]) != 0) exit(1);
        }
        double cpu = 0;
        for (int i = 0; i < threads; i++) {
            pthread_join(t[i], NULL);
            cpu += jobs[i].cpu_ns / threads;
        }
        double wall = (double)(rs_clock_mono_ns() - began) / ((double)spans * threads);
        if (cpu < best_cpu) best_cpu = cpu;
        if (wall < best_wall) best_wall = wall;
        if (respan_client_flush(client, 30000) != RESPAN_OK) printf("flush failed\n");
    }
    printf("%d thread%s: %.0f ns of CPU per span on the calling thread, %.0f ns of wall time per span\n",
           threads, threads == 1 ? "" : "s", best_cpu, best_wall);
}

int main(int argc, char **argv) {
    int spans = argc > 1 ? atoi(argv[1]) : 200000;
    char url[64];
    int listener = listen_somewhere(url, sizeof url);
    pthread_t sink;
    if (spans <= 0 || pthread_create(&sink, NULL, accept_one, &listener) != 0) return 2;
    respan_config config;
    respan_config_init(&config);
    config.base_url = url;
    config.api_key = "bench";
    config.ring_bytes = (size_t)1 << 30;
    respan_client *client;
    respan_error err;
    if (respan_client_open(&config, &client, &err) != RESPAN_OK)
        return fprintf(stderr, "%s\n", err.message), 1;
    measure(client, 1, spans);
    measure(client, 4, spans / 4);
    respan_stats s;
    (void)respan_client_close(client, 30000, &s);
    printf("%llu spans, %llu acknowledged, %llu dropped\n", (unsigned long long)s.ended,
           (unsigned long long)s.acknowledged, (unsigned long long)s.dropped);
    return s.acknowledged == s.ended ? 0 : 1;
}
