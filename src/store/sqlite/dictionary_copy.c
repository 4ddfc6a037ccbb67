#include "store/sqlite/dictionary_copy.h"
#include "base/files.h"
#include "base/log.h"
#include "base/xxh.h"
#include "store/sqlite/dictionary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "RSDC"

enum { VERSION = 1 };

/* Then the bytes. Little-endian. */
typedef struct header {
    char magic[4];
    uint32_t version, number, reserved;
    uint64_t check; /* XXH3-64 of the bytes, seeded with their number */
} header;

static uint64_t check_of(rs_str bytes) { return XXH3_64bits_withSeed(bytes.p, bytes.n, bytes.n); }

static rs_status path_of(const rs_segment *s, char path[RS_PATH_MAX], rs_err *err) {
    const char *slash = strrchr(s->path, '/');
    int n = slash ? snprintf(path, RS_PATH_MAX, "%.*s/%s", (int)(slash - s->path), s->path,
                             RS_DICTIONARY_COPY_FILE)
                  : -1;
    return n > 0 && n < RS_PATH_MAX ? RS_OK
                                    : rs_fail(err, RS_ERR_TOO_LARGE, 0, "path %s is too long", s->path);
}

/* ---- reading ------------------------------------------------------------------------------------------- */

static rs_dictionary_copy read_file(int fd, uint32_t *number, rs_buf *out) {
    header h;
    struct stat st;
    bool ok = rs_file_read(fd, &h, sizeof h) && memcmp(h.magic, MAGIC, 4) == 0 && h.version == VERSION &&
              h.number <= RS_DICTIONARY_END_MAX && fstat(fd, &st) == 0 &&
              (uint64_t)st.st_size == sizeof h + h.number;
    if (!ok) return RS_DICTIONARY_COPY_DAMAGED;
    char *to = rs_buf_reserve(out, h.number);
    if (!to) return RS_DICTIONARY_COPY_NONE;
    if (!rs_file_read(fd, to, h.number) || check_of((rs_str){to, h.number}) != h.check)
        return RS_DICTIONARY_COPY_DAMAGED;
    out->n += h.number;
    *number = h.number;
    return RS_DICTIONARY_COPY_FITS;
}

rs_dictionary_copy rs_dictionary_copy_read(const rs_segment *s, uint32_t *number, rs_buf *out) {
    char path[RS_PATH_MAX];
    *number = 0;
    int fd = path_of(s, path, NULL) == RS_OK ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return RS_DICTIONARY_COPY_NONE;
    rs_dictionary_copy found = read_file(fd, number, out);
    close(fd);
    return found;
}

/* Whether all of its blocks are there, and what their checksums say. */
static bool is_whole(rs_str bytes) {
    rs_buf ignored;
    rs_err err;
    rs_buf_init(&ignored);
    ZSTD_DCtx *zstd = ZSTD_createDCtx();
    bool ok = zstd != NULL && bytes.n > 0;
    while (ok && bytes.n > 0) {
        rs_block_header h;
        rs_str words;
        ok = rs_block_read_header(bytes, &h, &err) == RS_OK &&
             rs_block_length(&h, RS_SECTION_CONTENT) <= bytes.n &&
             rs_block_words(&h, bytes, &words, &err) == RS_OK;
        for (int i = 0; i < RS_SECTION_COUNT && ok; i++)
            ok = rs_block_unpack(&h, (rs_section)i, bytes, NULL, zstd, &ignored, &err) == RS_OK;
        if (ok) bytes = rs_str_from(bytes, rs_block_length(&h, RS_SECTION_CONTENT));
    }
    ZSTD_freeDCtx(zstd);
    rs_buf_deinit(&ignored);
    return ok;
}

/* ---- making it ----------------------------------------------------------------------------------------- */

static rs_status save(const rs_segment *s, rs_str bytes, rs_err *err) {
    char path[RS_PATH_MAX];
    rs_file_beside f;
    header h = {.magic = MAGIC, .version = VERSION, .number = (uint32_t)bytes.n, .check = check_of(bytes)};
    rs_status st = path_of(s, path, err);
    if (st == RS_OK) st = rs_file_begin(&f, path, err);
    if (st != RS_OK) return st;
    bool ok = rs_file_write(f.fd, &h, sizeof h) && rs_file_write(f.fd, bytes.p, bytes.n) && fsync(f.fd) == 0;
    return rs_file_end(&f, ok, err);
}

/* Bytes below a segment's end never change, so whoever reads them meanwhile finds the damaged ones or these. */
static rs_status put_back(const rs_segment *s, rs_str bytes, rs_err *err) {
    if (!rs_file_write_at(s->fd, bytes.p, bytes.n, 0))
        return rs_fail(err, RS_ERR_IO, 0, "cannot mend %s: %s", s->path, strerror(errno));
    rs_log("%s: what its blocks are packed against was damaged, and is whole again: its copy was", s->path);
    return fdatasync(s->fd) == 0 ? RS_OK
                                 : rs_fail(err, RS_ERR_IO, 0, "cannot sync %s: %s", s->path, strerror(errno));
}

rs_status rs_dictionary_copy_keep(const rs_segment *s, uint32_t number, rs_err *err) {
    rs_buf copy, own;
    uint32_t of_copy;
    rs_buf_init(&copy);
    rs_buf_init(&own);
    rs_dictionary_copy found = rs_dictionary_copy_read(s, &of_copy, &copy);
    bool fits = found == RS_DICTIONARY_COPY_FITS && (number == 0 || of_copy == number);
    if (number == 0) number = of_copy;
    rs_status st = number ? rs_segment_read(s, 0, number, &own, err) : RS_OK;
    bool is_good = st == RS_OK && own.n == number && is_whole(rs_buf_slice(&own));
    if (st == RS_OK && number > 0) {
        if (is_good && !(fits && rs_str_eq(rs_buf_slice(&own), rs_buf_slice(&copy))))
            st = save(s, rs_buf_slice(&own), err);
        else if (!is_good && fits && is_whole(rs_buf_slice(&copy)))
            st = put_back(s, rs_buf_slice(&copy), err);
        else if (!is_good)
            st = rs_fail(
                err, RS_ERR_CORRUPT, 0,
                "%s: what its blocks are packed against is damaged, and there is no copy that is whole",
                s->path);
    }
    rs_buf_deinit(&copy);
    rs_buf_deinit(&own);
    return st;
}
