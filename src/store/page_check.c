#include "store/page_check.h"
#include "base/files.h"
#include "base/paths.h"
#include "store/page_vfs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A page, or the log, that is just being written looks damaged, too: but not for long. */
enum { TRIES = 3 };

enum {
    HEADER = 100,        /* of the file: https://sqlite.org/fileformat2.html */
    AT_RESERVED = 20,    /* bytes at the end of each page */
    AT_VERSION = 60,     /* user_version */
    LOCK_BYTE = 1 << 30, /* the page that it is in is never written */
    LOG_HEADER = 32,
    FRAME_HEADER = 24,
    MOST_PAGE = 65536,
};

typedef struct looked {
    rs_page_problem_fn fn;
    void *ctx;
    const char *name; /* of the file, without its folder */
    size_t page;      /* bytes */
    uint8_t *in_log;  /* a bit for each page that the log has: the file's counts no more … */
    uint64_t pages;   /* … of the first so many */
} looked;

static void __attribute__((format(printf, 2, 3))) tell(looked *l, const char *fmt, ...) {
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    l->fn(l->ctx, text);
}

/* 1 ms, 9 ms. */
static void wait_before(int attempt) {
    if (attempt > 0) nanosleep(&(struct timespec){.tv_nsec = 1000000L * (8 * attempt - 7)}, NULL);
}

static uint32_t be32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* ---- the write-ahead log ------------------------------------------------------------------------------- */

typedef struct sum {
    uint32_t a, b;
} sum;

/* Each sum goes on from the one before: a frame that fits the sum in the one before it was written behind that. */
static sum add_to_sum(sum s, bool big_endian, const uint8_t *p, size_t n) {
    for (size_t i = 0; i + 8 <= n; i += 8) {
        uint32_t x = be32(p + i), y = be32(p + i + 4);
        s.a += (big_endian ? x : __builtin_bswap32(x)) + s.b;
        s.b += (big_endian ? y : __builtin_bswap32(y)) + s.a;
    }
    return s;
}

static sum stored_sum(const uint8_t *p) { return (sum){be32(p), be32(p + 4)}; }
static bool same_sum(sum x, sum y) { return x.a == y.a && x.b == y.b; }

static void note_in_log(looked *l, uint32_t page) {
    if (page > 0 && page <= l->pages) l->in_log[(page - 1) / 8] |= (uint8_t)(1u << ((page - 1) % 8));
}

/* The first frame of a commit that is damaged, from 1; 0: none is. SQLite reads up to the first frame that does not fit. Behind it there
 * may be frames of a commit that was given up, or that was being written as the process died; but no end of a commit. */
static uint64_t walk_frames(looked *l, int fd, const uint8_t *header, uint64_t frames, uint8_t *frame) {
    bool big_endian = be32(header) & 1, fits = true;
    sum before = stored_sum(header + 24);
    uint64_t broken = 0;
    for (uint64_t i = 0; i < frames; i++) {
        size_t size = FRAME_HEADER + l->page;
        if (!rs_file_read_at(fd, frame, size, LOG_HEADER + i * size)) break;
        bool is_of_now = memcmp(frame + 8, header + 16, 8) == 0, ends_commit = be32(frame + 4) != 0;
        sum s =
            add_to_sum(add_to_sum(before, big_endian, frame, 8), big_endian, frame + FRAME_HEADER, l->page);
        before = stored_sum(frame + 16);
        fits = fits && is_of_now && same_sum(s, before);
        if (fits) note_in_log(l, be32(frame));
        else if (!broken) broken = i + 1;
        if (!fits && is_of_now && ends_commit) return broken;
    }
    return 0;
}

/* False: something is wrong, and `what` says what. */
static bool walk_log(looked *l, int fd, uint8_t *frame, char *what, size_t cap) {
    struct stat st;
    uint8_t header[LOG_HEADER];
    memset(l->in_log, 0, l->pages / 8 + 1);
    if (fstat(fd, &st) != 0 || st.st_size == 0) return true;
    snprintf(what, cap, "its header does not match its checksum");
    if (!rs_file_read_at(fd, header, sizeof header, 0)) return false;
    sum s = add_to_sum((sum){0, 0}, be32(header) & 1, header, 24);
    if (be32(header) >> 1 != 0x377f0682 >> 1 || be32(header + 8) != l->page ||
        !same_sum(s, stored_sum(header + 24)))
        return false;
    uint64_t size = FRAME_HEADER + l->page, bytes = (uint64_t)st.st_size - LOG_HEADER;
    uint64_t broken = walk_frames(l, fd, header, bytes / size, frame);
    snprintf(what, cap, "frame %llu does not match its checksum: what was committed since is lost",
             (unsigned long long)broken);
    return broken ==
           0; /* that it ends within a frame is what a process leaves that is killed as it writes one */
}

static rs_status check_log(looked *l, const char *path, rs_err *err) {
    char log[RS_PATH_MAX + 8], what[160];
    bool is_whole = true;
    snprintf(log, sizeof log, "%s-wal", path);
    uint8_t *frame = malloc(FRAME_HEADER + l->page);
    if (!frame) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    for (int i = 0; i < TRIES && (i == 0 || !is_whole); i++) {
        wait_before(i);
        int fd = open(log, O_RDONLY | O_CLOEXEC);
        is_whole = fd < 0 || walk_log(l, fd, frame, what, sizeof what);
        if (fd >= 0) close(fd);
    }
    if (!is_whole) tell(l, "%s-wal: %s", l->name, what);
    free(frame);
    return RS_OK;
}

/* ---- the file ------------------------------------------------------------------------------------------ */

static bool page_is_whole(looked *l, sqlite3_file *f, uint64_t number, uint8_t *page) {
    sqlite3_int64 at = (sqlite3_int64)((number - 1) * l->page);
    for (int i = 0; i < TRIES; i++) {
        wait_before(i);
        if (f->pMethods->xRead(f, page, (int)l->page, at) == SQLITE_OK &&
            rs_page_is_whole(page, l->page, number))
            return true;
    }
    return false;
}

static rs_status check_pages(looked *l, sqlite3_file *f, rs_err *err) {
    enum { TOLD = 10 };
    uint64_t broken = 0;
    uint8_t *page = malloc(l->page);
    if (!page) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    for (uint64_t n = 1; n <= l->pages; n++) {
        if (l->in_log[(n - 1) / 8] >> ((n - 1) % 8) & 1 || n == LOCK_BYTE / l->page + 1) continue;
        if (page_is_whole(l, f, n, page) || ++broken > TOLD) continue;
        tell(l, "%s: page %llu does not match its checksum", l->name, (unsigned long long)n);
    }
    if (broken > TOLD) tell(l, "%s: nor do %llu more pages", l->name, (unsigned long long)(broken - TOLD));
    free(page);
    return RS_OK;
}

static rs_status check_file(looked *l, const char *path, sqlite3_file *f, int since, rs_err *err) {
    uint8_t header[HEADER];
    sqlite3_int64 size = 0;
    if (f->pMethods->xFileSize(f, &size) != SQLITE_OK ||
        f->pMethods->xRead(f, header, sizeof header, 0) != SQLITE_OK || !(l->page = rs_page_size_of(header)))
        return rs_fail(err, RS_ERR_CORRUPT, 0, "%s is no database", path);
    l->pages = ((uint64_t)size + l->page - 1) / l->page;
    if (!(l->in_log = calloc(1, l->pages / 8 + 1))) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    rs_status status = check_log(l, path, err);
    bool has_checksums = header[AT_RESERVED] == RS_PAGE_CHECK;
    if (!has_checksums && be32(header + AT_VERSION) >= (uint32_t)since)
        tell(l, "%s: its header is damaged", l->name);
    return status == RS_OK && has_checksums ? check_pages(l, f, err) : status;
}

rs_status rs_page_check(sqlite3 *db, int since, rs_page_problem_fn fn, void *ctx, rs_err *err) {
    const char *path = sqlite3_db_filename(db, "main"), *slash = strrchr(path, '/');
    looked l = {.fn = fn, .ctx = ctx, .name = slash ? slash + 1 : path};
    sqlite3_file *f = rs_page_vfs_file(db);
    rs_status st =
        f ? check_file(&l, path, f, since, err) : rs_fail(err, RS_ERR_IO, 0, "%s is not open", path);
    free(l.in_log);
    return st;
}
