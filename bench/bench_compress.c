/* What it costs to make a request's body smaller, and what a body costs that is not: one thread's CPU for each coding, and
 * that of both sides of a loopback connection over which the plain body goes.
 *
 *     bench_compress TEXT...      files from which prompts and completions are cut, one piece after the other */
#include "base/ids.h"
#include "sdk/compress.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 200, SPANS = 500, IDS_AND_TIMES = 48, PIECE = 550 };

static void die(const char *what) {
    perror(what);
    exit(1);
}

static double cpu_ms(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static rs_buf read_files(char **paths) {
    rs_buf text;
    rs_buf_init(&text);
    for (; *paths; paths++) {
        FILE *f = fopen(*paths, "r");
        if (!f) die(*paths);
        char block[4096];
        for (size_t n; (n = fread(block, 1, sizeof block, f)) > 0;) rs_buf_put(&text, block, n);
        fclose(f);
    }
    if (text.n < PIECE || rs_buf_status(&text) != RS_OK) die("too little text");
    return text;
}

/* Spans as a decorated function makes them: ids and times that do not repeat, names that do, text of its own. */
static rs_buf make_body(rs_buf text) {
    rs_buf body;
    rs_buf_init(&body);
    size_t at = 0;
    for (int i = 0; i < SPANS; i++) {
        for (size_t k = 0; k < IDS_AND_TIMES; k += 8) rs_buf_put(&body, &(uint64_t){rs_id_random()}, 8);
        rs_buf_text(&body,
                    "answer.task J traceloop.span.kind task J traceloop.entity.name answer J "
                    "traceloop.entity.path answer J respan.entity.log_type task J traceloop.entity.input ");
        if (at + PIECE > text.n) at = 0;
        rs_buf_put(&body, text.p + at, PIECE);
        at += PIECE;
    }
    if (rs_buf_status(&body) != RS_OK) die("memory");
    return body;
}

static void *drain(void *context) {
    static char sink[1 << 16];
    while (recv(*(int *)context, sink, sizeof sink, 0) > 0) {
    }
    return NULL;
}

/* CPU of the whole process for one body over loopback. */
static double loopback_ms(rs_str body) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int listener = socket(AF_INET, SOCK_STREAM, 0), out = socket(AF_INET, SOCK_STREAM, 0), in;
    if (bind(listener, (struct sockaddr *)&a, n) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&a, &n) != 0 ||
        connect(out, (struct sockaddr *)&a, n) != 0 || (in = accept(listener, NULL, NULL)) < 0)
        die("socket");
    pthread_t reader;
    if (pthread_create(&reader, NULL, drain, &in) != 0) die("thread");
    double began = cpu_ms(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; i < ROUNDS; i++)
        for (size_t at = 0; at < body.n;) {
            ssize_t sent = send(out, body.p + at, body.n - at, MSG_NOSIGNAL);
            if (sent < 0) die("send");
            at += (size_t)sent;
        }
    shutdown(out, SHUT_WR);
    pthread_join(reader, NULL);
    double took = cpu_ms(CLOCK_PROCESS_CPUTIME_ID) - began;
    close(in), close(out), close(listener);
    return took / ROUNDS;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: bench_compress TEXT...\n");
        return 2;
    }
    rs_buf text = read_files(argv + 1), body = make_body(text);
    rs_str plain = rs_buf_slice(&body);
    printf("%-5s %8zu bytes  %6.2f ms of CPU over loopback\n", "none", plain.n, loopback_ms(plain));
    for (rs_coding coding = RS_CODING_GZIP; coding <= RS_CODING_ZSTD; coding++) {
        rs_compressor c;
        rs_compressor_init(&c);
        size_t n = rs_compress(&c, coding, plain).n; /* loads the library */
        double began = cpu_ms(CLOCK_THREAD_CPUTIME_ID);
        for (int i = 0; i < ROUNDS; i++) n = rs_compress(&c, coding, plain).n;
        printf("%-5s %8zu bytes  %6.2f ms of CPU\n", rs_coding_name(coding), n,
               (cpu_ms(CLOCK_THREAD_CPUTIME_ID) - began) / ROUNDS);
        rs_compressor_deinit(&c);
    }
    rs_buf_deinit(&body);
    rs_buf_deinit(&text);
    return 0;
}
