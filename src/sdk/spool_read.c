#include "sdk/spool_read.h"

#include "sdk/spool_format.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* False if the file does not have n bytes there. */
static bool read_at(const rs_spool_file *f, uint64_t at, void *out, size_t n) {
    if (at > f->bytes || n > f->bytes - at) return false;
    for (char *p = out; n;) {
        ssize_t k = pread(f->fd, p, n, (off_t)at);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return false; /* a bad sector, or cut since */
        p += k, n -= (size_t)k, at += (uint64_t)k;
    }
    return true;
}

/* ---- the header ---------------------------------------------------------------------------------------- */

static rs_status read_header(rs_spool_file *f, uint64_t at) {
    rs_spool_header h;
    if (!read_at(f, at, &h, sizeof h) || memcmp(h.magic, RS_SPOOL_MAGIC, sizeof h.magic) != 0)
        return RS_ERR_CORRUPT;
    uint64_t texts = (uint64_t)h.app_n + h.url_n + h.resource_n + h.scope_n;
    if (texts > RS_SPOOL_HEADER_MAX) return RS_ERR_CORRUPT;
    rs_buf_clear(&f->texts);
    char *p = rs_buf_reserve(&f->texts, (size_t)texts + 1);
    if (!p) return RS_ERR_MEMORY;
    if (!read_at(f, at + sizeof h, p, (size_t)texts) ||
        h.check != rs_spool_header_check(&h, p, (size_t)texts))
        return RS_ERR_CORRUPT;
    if (h.version != RS_SPOOL_VERSION || h.block_bytes != RS_SPOOL_BLOCK) return RS_ERR_UNSUPPORTED;
    if (h.data_at % RS_SPOOL_PAGE || h.data_at > 2 * RS_SPOOL_HEADER_MAX) return RS_ERR_CORRUPT;
    f->app = (rs_str){p, h.app_n};
    f->url = (rs_str){p + h.app_n, h.url_n};
    f->resource = (rs_str){f->url.p + h.url_n, h.resource_n};
    f->scope = (rs_str){f->resource.p + h.resource_n, h.scope_n};
    f->key = h.key;
    f->data_at = h.data_at;
    f->pid = h.pid;
    f->started_ns = h.started_ns;
    return RS_OK;
}

/* The first header, or its copy, which stands at the beginning of some later page. */
static rs_status find_header(rs_spool_file *f, rs_err *err) {
    rs_status st = RS_ERR_CORRUPT;
    for (uint64_t at = 0; st == RS_ERR_CORRUPT && at <= RS_SPOOL_HEADER_MAX && at < f->bytes;
         at += RS_SPOOL_PAGE)
        st = read_header(f, at);
    if (st == RS_OK) return st;
    return rs_fail(err, st, 0,
                   st == RS_ERR_CORRUPT       ? "this is not a spool file, or its header is damaged"
                   : st == RS_ERR_UNSUPPORTED ? "the spool file is of another version of respan"
                                              : "out of memory");
}

/* ---- regions ------------------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b) {
    const struct rs_spool_found *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static bool is_region(const rs_spool_file *f, const rs_spool_region *r) {
    return r->magic == RS_SPOOL_REGION_MAGIC && r->capacity > 0 && r->capacity <= RS_SPOOL_CAPACITY_MAX &&
           r->check == rs_spool_region_check(r, f->key);
}

static rs_status find_regions(rs_spool_file *f, rs_err *err) {
    size_t cap = 0;
    for (uint64_t at = f->data_at; at < f->bytes; at += RS_SPOOL_BLOCK) {
        rs_spool_region r;
        if (!read_at(f, at, &r, sizeof r) || !is_region(f, &r) || r.state == RS_SPOOL_FREE) continue;
        if (f->n == cap) {
            cap = cap ? cap * 2 : 16;
            struct rs_spool_found *more = realloc(f->regions, cap * sizeof *more);
            if (!more) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
            f->regions = more;
        }
        f->regions[f->n++] = (struct rs_spool_found){
            .number = r.number, .at = at, .capacity = r.capacity, .sent = r.sent <= r.capacity ? r.sent : 0};
    }
    if (f->n) qsort(f->regions, f->n, sizeof *f->regions, by_number);
    return RS_OK;
}

rs_status rs_spool_read_open(rs_spool_file *f, int fd, rs_err *err) {
    *f = (rs_spool_file){.fd = fd};
    struct stat st;
    if (fstat(fd, &st) != 0)
        return rs_fail(err, RS_ERR_IO, 0, "cannot read the spool file: %s", strerror(errno));
    f->bytes = (uint64_t)st.st_size;
    rs_status status = find_header(f, err);
    return status == RS_OK ? find_regions(f, err) : status;
}

void rs_spool_read_close(rs_spool_file *f) {
    rs_buf_deinit(&f->texts);
    free(f->regions);
    *f = (rs_spool_file){.fd = -1};
}

/* Appends the frame of one entry; false, with nothing appended, if it is not whole. */
static bool read_frame(const rs_spool_file *f, const struct rs_spool_found *r, const rs_spool_entry *e,
                       uint32_t place, rs_buf *frames) {
    if (e->n == 0 || r->at > f->bytes || (uint64_t)e->at + e->n > f->bytes - r->at) return false;
    char *p = rs_buf_reserve(frames, e->n);
    if (!p || !read_at(f, r->at + e->at, p, e->n) ||
        e->check != rs_spool_frame_check(p, e->n, f->key, r->number, place))
        return false;
    frames->n += e->n;
    return true;
}

rs_status rs_spool_read_region(rs_spool_file *f, size_t i, rs_buf *frames, rs_spool_got *got, rs_err *err) {
    const struct rs_spool_found *r = &f->regions[i];
    *got = (rs_spool_got){0};
    rs_spool_entry *index = malloc(r->capacity * sizeof *index);
    if (!index) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    uint64_t left = (f->bytes - r->at - sizeof(rs_spool_region)) / sizeof *index; /* of a file that was cut */
    uint32_t capacity = left < r->capacity ? (uint32_t)left : r->capacity;
    if (read_at(f, r->at + sizeof(rs_spool_region), index, capacity * sizeof *index))
        for (uint32_t k = r->sent; k < capacity; k++) {
            const rs_spool_entry *e = &index[k];
            if (e->check == 0) continue; /* not written, or not to its end */
            if (read_frame(f, r, e, k, frames)) got->spans++;
            else got->damaged++;
        }
    free(index);
    return frames->failed == RS_OK ? RS_OK : rs_fail(err, frames->failed, 0, "out of memory");
}

void rs_spool_read_done(rs_spool_file *f, size_t i) {
    uint32_t state = RS_SPOOL_FREE;
    /* A mark that cannot be written means that the spans are sent again, and the store knows them by their ids. */
    ssize_t k =
        pwrite(f->fd, &state, sizeof state, (off_t)(f->regions[i].at + offsetof(rs_spool_region, state)));
    (void)k;
}
