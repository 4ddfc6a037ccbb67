/* Whole pieces of a file, and whole files. What a signal interrupts goes on, what comes in parts is put together. No state, any
 * thread; where something is false, errno says why. */
#ifndef RS_BASE_FILES_H
#define RS_BASE_FILES_H

#include "base/paths.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* All n bytes, from where the file stands or from `at`. A file that ends before is false, with errno 0. */
bool rs_file_read(int fd, void *out, size_t n);
bool rs_file_read_at(int fd, void *out, size_t n, uint64_t at);
/* As many of them as there are; -1: errno. */
ssize_t rs_file_read_some_at(int fd, void *out, size_t n, uint64_t at);
/* All n bytes. */
bool rs_file_write(int fd, const void *bytes, size_t n);
bool rs_file_write_at(int fd, const void *bytes, size_t n, uint64_t at);

/* ---- one that takes the place of another ----------------------------------------------------------------- */

/* Written beside it, under a name that ends in ".new", so that there is always the one or the other. */
typedef struct rs_file_beside {
    int fd; /* to be written to */
    char path[RS_PATH_MAX], beside[RS_PATH_MAX];
} rs_file_beside;

RS_MUST_CHECK rs_status rs_file_begin(rs_file_beside *f, const char *path, rs_err *err);
/* Closes it. ok: it is whole, and takes the place; else errno says why not, and it is removed. */
RS_MUST_CHECK rs_status rs_file_end(rs_file_beside *f, bool ok, rs_err *err);

#endif
