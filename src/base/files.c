#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- pieces -------------------------------------------------------------------------------------------- */

enum { ON = -1 }; /* in place of an offset: from where the file stands */

static ssize_t read_some(int fd, void *out, size_t n, off_t at) {
    size_t done = 0;
    while (done < n) {
        char *to = (char *)out + done;
        ssize_t got = at == ON ? read(fd, to, n - done) : pread(fd, to, n - done, at + (off_t)done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -1;
        if (got == 0) break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

static bool read_all(int fd, void *out, size_t n, off_t at) {
    ssize_t got = read_some(fd, out, n, at);
    if (got >= 0 && (size_t)got < n) errno = 0;
    return got >= 0 && (size_t)got == n;
}

static bool write_all(int fd, const void *bytes, size_t n, off_t at) {
    size_t done = 0;
    while (done < n) {
        const char *from = (const char *)bytes + done;
        ssize_t put = at == ON ? write(fd, from, n - done) : pwrite(fd, from, n - done, at + (off_t)done);
        if (put < 0 && errno == EINTR) continue;
        if (put == 0) errno = ENOSPC;
        if (put <= 0) return false;
        done += (size_t)put;
    }
    return true;
}

bool rs_file_read(int fd, void *out, size_t n) { return read_all(fd, out, n, ON); }

bool rs_file_read_at(int fd, void *out, size_t n, uint64_t at) { return read_all(fd, out, n, (off_t)at); }

ssize_t rs_file_read_some_at(int fd, void *out, size_t n, uint64_t at) {
    return read_some(fd, out, n, (off_t)at);
}

bool rs_file_write(int fd, const void *bytes, size_t n) { return write_all(fd, bytes, n, ON); }

bool rs_file_write_at(int fd, const void *bytes, size_t n, uint64_t at) {
    return write_all(fd, bytes, n, (off_t)at);
}

/* ---- one that takes the place of another ----------------------------------------------------------------- */

static rs_status fail(const char *path, rs_err *err) {
    int e = errno;
    bool full = e == ENOSPC || e == EDQUOT || e == EFBIG;
    return rs_fail(err, full ? RS_ERR_FULL : RS_ERR_IO, 0, "cannot write %s: %s", path, strerror(e));
}

rs_status rs_file_begin(rs_file_beside *f, const char *path, rs_err *err) {
    f->fd = -1;
    int n = snprintf(f->path, sizeof f->path, "%s", path);
    int m = snprintf(f->beside, sizeof f->beside, "%s.new", path);
    if (n < 0 || m < 0 || (size_t)m >= sizeof f->beside)
        return rs_fail(err, RS_ERR_TOO_LARGE, 0, "path %s is too long", path);
    f->fd = open(f->beside, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return f->fd >= 0 ? RS_OK : fail(path, err);
}

rs_status rs_file_end(rs_file_beside *f, bool ok, rs_err *err) {
    int e = errno;
    if (close(f->fd) != 0 && ok) ok = false, e = errno;
    f->fd = -1;
    if (ok && rename(f->beside, f->path) == 0) return RS_OK;
    if (ok) e = errno;
    unlink(f->beside);
    errno = e;
    return fail(f->path, err);
}
