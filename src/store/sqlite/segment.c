#include "store/sqlite/segment.h"
#include "base/files.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static rs_status fail(const rs_segment *s, const char *what, rs_err *err) {
    int e = errno;
    bool full = e == ENOSPC || e == EDQUOT || e == EFBIG;
    return rs_fail(err, full ? RS_ERR_FULL : RS_ERR_IO, 0, "cannot %s %s: %s", what, s->path, strerror(e));
}

static uint64_t new_id(void) {
    static uint64_t last; /* atomic */
    return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

rs_status rs_segment_open(rs_segment *s, const char *dir, uint64_t end, rs_err *err) {
    struct stat st;
    *s = (rs_segment){.fd = -1, .id = new_id(), .end = end};
    rs_status status = rs_path_join(s->path, dir, "segment", err);
    if (status != RS_OK) return status;
    s->fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->fd < 0) return fail(s, "open", err);
    if (fstat(s->fd, &st) != 0) return fail(s, "look at", err);
    if ((uint64_t)st.st_size < end)
        rs_log("%s is %llu bytes short: spans were lost", s->path,
               (unsigned long long)(end - (uint64_t)st.st_size));
    if ((uint64_t)st.st_size <= end) return RS_OK;
    rs_log("%s: %llu bytes behind the last commit are cut: the process died before it committed them, or the "
           "index lost it",
           s->path, (unsigned long long)((uint64_t)st.st_size - end));
    return ftruncate(s->fd, (off_t)end) == 0 ? RS_OK : fail(s, "cut", err);
}

rs_status rs_segment_open_to_read(rs_segment *s, const char *dir, rs_err *err) {
    *s = (rs_segment){.fd = -1, .id = new_id()};
    rs_status status = rs_path_join(s->path, dir, "segment", err);
    if (status != RS_OK) return status;
    s->fd = open(s->path, O_RDONLY | O_CLOEXEC);
    return s->fd < 0 ? fail(s, "open", err) : RS_OK;
}

void rs_segment_close(rs_segment *s) {
    if (s->fd >= 0) close(s->fd);
    s->fd = -1;
}

rs_status rs_segment_append(rs_segment *s, rs_str bytes, rs_err *err) {
    struct stat st;
    if (fstat(s->fd, &st) == 0 && st.st_nlink == 0) /* what is written there nobody will find again */
        return rs_fail(err, RS_ERR_CLOSED, 0, "%s was removed: restart the server", s->path);
    if (rs_file_write_at(s->fd, bytes.p, bytes.n, s->end)) return RS_OK;
    rs_status failed = fail(s, "write to", err);
    rs_segment_cut(s);
    return failed;
}

rs_status rs_segment_sync(rs_segment *s, rs_err *err) {
    return fdatasync(s->fd) == 0 ? RS_OK : fail(s, "sync", err);
}

void rs_segment_keep(rs_segment *s, uint64_t end) { s->end = end; }

/* Should the cut fail, the next append writes over the orphan, and the next open cuts it. */
void rs_segment_cut(rs_segment *s) {
    if (ftruncate(s->fd, (off_t)s->end) != 0) rs_log("cannot cut %s: %s", s->path, strerror(errno));
}

rs_status rs_segment_read(const rs_segment *s, uint64_t at, size_t n, rs_buf *out, rs_err *err) {
    char *to = rs_buf_reserve(out, n);
    if (!to) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    ssize_t got = rs_file_read_some_at(s->fd, to, n, at);
    if (got < 0) return fail(s, "read", err);
    out->n += (size_t)got;
    return RS_OK;
}

bool rs_segment_peek(const rs_segment *s, uint64_t at, char *out, size_t n) {
    return rs_file_read_at(s->fd, out, n, at);
}
