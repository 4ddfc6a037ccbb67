/* What is said on standard error between hear() and heard(). */
#ifndef RS_TEST_HEARD_H
#define RS_TEST_HEARD_H

#include <stdlib.h>
#include <unistd.h>

static inline int hear(void) {
    char path[] = "/tmp/respan-test-XXXXXX";
    int fd = mkstemp(path), saved = dup(STDERR_FILENO);
    if (fd < 0 || saved < 0) abort();
    unlink(path);
    dup2(fd, STDERR_FILENO);
    close(fd);
    return saved;
}

/* Valid until the next call. */
static inline const char *heard(int saved) {
    static char said[4096];
    off_t n = lseek(STDERR_FILENO, 0, SEEK_END);
    ssize_t got = pread(STDERR_FILENO, said, sizeof said - 1, 0);
    dup2(saved, STDERR_FILENO);
    close(saved);
    if (got < 0 || got != n) abort();
    said[got] = 0;
    return said;
}

#endif
