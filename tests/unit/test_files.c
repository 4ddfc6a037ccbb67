/* Files in whole pieces: what comes in parts, what ends too early, a disk that is full; and one that takes another's place. */
#include "base/files.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { BIG = 4 << 20 };

typedef struct fixture {
    char dir[64], path[128];
} fixture;

static int setup(void **state) {
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    snprintf(f->dir, sizeof f->dir, "/tmp/test_files.XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof f->path, "%s/file", f->dir);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    fixture *f = *state;
    unlink(f->path);
    assert_int_equal(rmdir(f->dir), 0); /* nothing was left beside it */
    free(f);
    return 0;
}

static void pieces_of_a_file(void **state) {
    fixture *f = *state;
    char got[8] = "";
    int fd = open(f->path, O_RDWR | O_CREAT, 0600);
    assert_true(rs_file_write(fd, "0123456789", 10));
    assert_true(rs_file_write_at(fd, "ab", 2, 4));
    assert_true(rs_file_write_at(fd, "", 0, 99));
    assert_true(rs_file_read_at(fd, got, 5, 2));
    assert_string_equal(got, "23ab6");
    assert_int_equal(lseek(fd, 8, SEEK_SET), 8);
    assert_true(rs_file_read(fd, got, 2));
    assert_memory_equal(got, "89", 2);
    errno = EIO;
    assert_false(rs_file_read(fd, got, 1));
    assert_int_equal(errno, 0); /* it ended */
    assert_false(rs_file_read_at(fd, got, 5, 6));
    assert_int_equal(errno, 0);
    assert_int_equal(rs_file_read_some_at(fd, got, 5, 6), 4);
    assert_int_equal(rs_file_read_some_at(fd, got, 5, 100), 0);
    assert_int_equal(close(fd), 0);
    assert_false(rs_file_read_at(fd, got, 1, 0));
    assert_int_equal(errno, EBADF);
    assert_int_equal(rs_file_read_some_at(fd, got, 1, 0), -1);
    assert_false(rs_file_write(fd, "x", 1));
    assert_int_equal(errno, EBADF);
}

static void ignore(int signal) { (void)signal; }

typedef struct sending {
    int to;
    char *bytes;
    bool ok;
} sending;

static void *send_all(void *ctx) {
    sending *s = ctx;
    s->ok = rs_file_write(s->to, s->bytes, BIG);
    close(s->to);
    return NULL;
}

/* A pipe takes and gives some of it at a time, and signals come between. */
static void in_parts_and_interrupted(void **state) {
    (void)state;
    int ends[2];
    pthread_t thread;
    sending s = {.bytes = malloc(BIG)};
    char *got = malloc(BIG);
    struct sigaction action = {.sa_handler = ignore}, was; /* without SA_RESTART */
    assert_true(s.bytes && got);
    for (size_t i = 0; i < BIG; i++) s.bytes[i] = (char)(i * 2654435761u >> 7);
    assert_int_equal(sigaction(SIGUSR1, &action, &was), 0);
    assert_int_equal(pipe(ends), 0);
    s.to = ends[1];
    assert_int_equal(pthread_create(&thread, NULL, send_all, &s), 0);
    for (size_t at = 0; at < BIG; at += BIG / 64) {
        pthread_kill(thread, SIGUSR1);
        assert_true(rs_file_read(ends[0], got + at, BIG / 64));
    }
    pthread_join(thread, NULL);
    assert_int_equal(sigaction(SIGUSR1, &was, NULL), 0);
    assert_true(s.ok);
    assert_memory_equal(got, s.bytes, BIG);
    assert_false(rs_file_read(ends[0], got, 1));
    close(ends[0]);
    free(got);
    free(s.bytes);
}

static void a_full_disk(void **state) {
    (void)state;
    int fd = open("/dev/full", O_WRONLY);
    assert_true(fd >= 0);
    assert_false(rs_file_write(fd, "x", 1));
    assert_int_equal(errno, ENOSPC);
    close(fd);
}

static void assert_reads(const char *path, const char *text) {
    char got[16] = "";
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(rs_file_read_some_at(fd, got, sizeof got - 1, 0), strlen(text));
    close(fd);
    assert_string_equal(got, text);
}

static void one_takes_the_place(void **state) {
    fixture *f = *state;
    rs_file_beside b;
    struct stat st;
    rs_err err = {0};
    assert_int_equal(rs_file_begin(&b, f->path, NULL), RS_OK);
    assert_int_equal(rs_file_end(&b, rs_file_write(b.fd, "first", 5), NULL), RS_OK);
    assert_reads(f->path, "first");
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(rs_file_begin(&b, f->path, NULL), RS_OK);
    assert_true(rs_file_write(b.fd, "sec", 3));
    assert_reads(f->path, "first"); /* until the other one is whole */
    errno = ENOSPC;
    assert_int_equal(rs_file_end(&b, false, &err), RS_ERR_FULL);
    assert_non_null(strstr(err.message, f->path));
    assert_reads(f->path, "first");
    assert_int_equal(rs_file_begin(&b, f->path, NULL), RS_OK);
    assert_int_equal(rs_file_end(&b, rs_file_write(b.fd, "second", 6), NULL), RS_OK);
    assert_reads(f->path, "second");
}

static void where_there_is_no_place(void **state) {
    fixture *f = *state;
    rs_file_beside b;
    char path[RS_PATH_MAX + 8];
    rs_err err = {0};
    snprintf(path, sizeof path, "%s/none/file", f->dir);
    assert_int_equal(rs_file_begin(&b, path, &err), RS_ERR_IO);
    assert_non_null(strstr(err.message, path));
    assert_int_equal(b.fd, -1);
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = 0;
    assert_int_equal(rs_file_begin(&b, path, NULL), RS_ERR_TOO_LARGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pieces_of_a_file, setup, teardown),
        cmocka_unit_test(in_parts_and_interrupted),
        cmocka_unit_test(a_full_disk),
        cmocka_unit_test_setup_teardown(one_takes_the_place, setup, teardown),
        cmocka_unit_test_setup_teardown(where_there_is_no_place, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
