#include "sdk/spool_read.h"

#include "base/files.h"
#include "sdk/frame.h"
#include "sdk/spool_format.h"
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

bool rs_spool_read_bytes(const rs_spool_file *f, uint64_t at, void *out, size_t n) {
    /* It may have a bad sector, or have been cut since. */
    return at <= f->bytes && n <= f->bytes - at && rs_file_read_at(f->fd, out, n, at);
}

/* ---- the header ---------------------------------------------------------------------------------------- */

static rs_status read_header(rs_spool_file *f, uint64_t at) {
    rs_spool_header h;
    if (!rs_spool_read_bytes(f, at, &h, sizeof h) || memcmp(h.magic, RS_SPOOL_MAGIC, sizeof h.magic) != 0)
        return RS_ERR_CORRUPT;
    uint64_t texts = (uint64_t)h.app_n + h.url_n + h.resource_n + h.scope_n;
    if (texts > RS_SPOOL_HEADER_MAX) return RS_ERR_CORRUPT;
    rs_buf_clear(&f->texts);
    char *p = rs_buf_reserve(&f->texts, (size_t)texts + 1);
    if (!p) return RS_ERR_MEMORY;
    if (!rs_spool_read_bytes(f, at + sizeof h, p, (size_t)texts) ||
        h.check != rs_spool_header_check(&h, p, (size_t)texts))
        return RS_ERR_CORRUPT;
    if (h.version < RS_SPOOL_VERSION_READ || h.version > RS_SPOOL_VERSION || h.block_bytes != RS_SPOOL_BLOCK)
        return RS_ERR_UNSUPPORTED;
    if (h.data_at % RS_SPOOL_PAGE || h.data_at > 2 * RS_SPOOL_HEADER_MAX) return RS_ERR_CORRUPT;
    rs_spool_sender sender = {0};
    f->is_older = h.version < RS_SPOOL_VERSION;
    if (!f->is_older && (!rs_spool_read_bytes(f, at + sizeof h + texts, &sender, sizeof sender) ||
                         sender.check != rs_spool_sender_check(&sender, &h)))
        return RS_ERR_CORRUPT;
    f->fingerprint = sender.fingerprint;
    f->app = (rs_str){p, h.app_n};
    f->url = (rs_str){p + h.app_n, h.url_n};
    f->resource = (rs_str){f->url.p + h.url_n, h.resource_n};
    f->scope = (rs_str){f->resource.p + h.resource_n, h.scope_n};
    f->key = h.key;
    f->data_at = h.data_at;
    f->pid = h.pid;
    f->started_ns = h.started_ns;
    rs_spool_pulse pulse;
    if (f->data_at >= RS_SPOOL_PAGE &&
        rs_spool_read_bytes(f, f->data_at - RS_SPOOL_PAGE, &pulse, sizeof pulse)) {
        if (pulse.alive_ns) f->alive_ns = pulse.alive_ns;
        f->dropped = pulse.dropped;
    }
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
    int order = (x->number > y->number) - (x->number < y->number);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

static bool is_region(const rs_spool_file *f, const rs_spool_region *r) {
    return r->magic == RS_SPOOL_REGION_MAGIC && r->capacity > 0 && r->capacity <= RS_SPOOL_CAPACITY_MAX &&
           r->check == rs_spool_region_check(r, f->key);
}

static bool are_slots(const rs_spool_file *f, const rs_spool_slots *s) {
    return s->magic == RS_SPOOL_SLOTS_MAGIC && s->slots > 0 && s->slots <= RS_SPOOL_SLOTS &&
           s->slot_bytes > sizeof(rs_spool_slot) && s->slot_bytes <= RS_SPOOL_BYTES_MAX &&
           s->check == rs_spool_slots_check(s, f->key);
}

/* True if something to send may stand there. */
static bool look_at(const rs_spool_file *f, uint64_t at, struct rs_spool_found *out) {
    union {
        rs_spool_region region;
        rs_spool_slots slots;
    } head;
    if (!rs_spool_read_bytes(f, at, &head, sizeof head)) return false;
    const rs_spool_region *r = &head.region;
    const rs_spool_slots *s = &head.slots;
    *out = (struct rs_spool_found){.at = at};
    if (is_region(f, r) && r->state != RS_SPOOL_FREE) {
        out->number = r->number;
        out->capacity = r->capacity;
        out->sent = r->sent <= r->capacity ? r->sent : 0;
        return true;
    }
    if (!are_slots(f, s)) return false;
    out->number = UINT64_MAX; /* last: what ended comes first */
    out->capacity = s->slots;
    out->slot_bytes = s->slot_bytes;
    return true;
}

/* A span that was started says that the process lived. */
static void note_starts(rs_spool_file *f, const struct rs_spool_found *found) {
    uint64_t at = found->at + sizeof(rs_spool_slots);
    for (uint32_t i = 0; i < found->capacity; i++, at += found->slot_bytes) {
        rs_spool_slot slot;
        if (rs_spool_read_bytes(f, at, &slot, sizeof slot) &&
            slot.check == rs_spool_slot_check(&slot, f->key) && slot.start_ns > f->alive_ns)
            f->alive_ns = slot.start_ns;
    }
}

static rs_status find_regions(rs_spool_file *f, rs_err *err) {
    size_t cap = 0;
    for (uint64_t at = f->data_at; at < f->bytes; at += RS_SPOOL_BLOCK) {
        struct rs_spool_found found;
        if (!look_at(f, at, &found)) continue;
        if (found.slot_bytes) note_starts(f, &found);
        if (f->n == cap) {
            cap = cap ? cap * 2 : 16;
            struct rs_spool_found *more = realloc(f->regions, cap * sizeof *more);
            if (!more) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
            f->regions = more;
        }
        f->regions[f->n++] = found;
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
    f->alive_ns = (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
    rs_status status = find_header(f, err);
    return status == RS_OK ? find_regions(f, err) : status;
}

void rs_spool_read_close(rs_spool_file *f) {
    rs_buf_deinit(&f->texts);
    free(f->regions);
    *f = (rs_spool_file){.fd = -1};
}

/* An end that the program gave may be of any time. */
static const uint64_t LIFE_SIGN_MAX_NS = 2000000000;

/* Appends the frame of one entry; false, with nothing appended, if it is not whole. */
static bool read_frame(rs_spool_file *f, const struct rs_spool_found *r, const rs_spool_entry *e,
                       uint32_t place, rs_buf *frames) {
    if (e->n == 0 || r->at > f->bytes || (uint64_t)e->at + e->n > f->bytes - r->at) return false;
    char *p = rs_buf_reserve(frames, e->n);
    if (!p || !rs_spool_read_bytes(f, r->at + e->at, p, e->n)) return false;
    size_t lead = rs_frame_find_lead((rs_str){p, e->n});
    rs_spool_sum none = {0};
    uint64_t sum = rs_spool_sum_to(&none, p + lead, e->n - (uint32_t)lead);
    if (lead == 0 || e->check != rs_spool_frame_check((rs_str){p, lead}, sum, f->key, r->number, place))
        return false;
    uint64_t end_ns; /* the lead's last field */
    memcpy(&end_ns, p + lead - sizeof end_ns, sizeof end_ns);
    end_ns = le64toh(end_ns);
    if (end_ns > f->alive_ns && end_ns < f->alive_ns + LIFE_SIGN_MAX_NS) f->alive_ns = end_ns;
    frames->n += e->n;
    return true;
}

rs_status rs_spool_read_region(rs_spool_file *f, size_t i, rs_buf *frames, rs_spool_got *got, rs_err *err) {
    const struct rs_spool_found *r = &f->regions[i];
    *got = (rs_spool_got){0};
    if (r->slot_bytes) {
        rs_status st = rs_spool_read_slots(f, r, frames, got);
        return st == RS_OK ? st : rs_fail(err, st, 0, "out of memory");
    }
    rs_spool_entry *index = malloc(r->capacity * sizeof *index);
    if (!index) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    uint64_t left = (f->bytes - r->at - sizeof(rs_spool_region)) / sizeof *index; /* of a file that was cut */
    uint32_t capacity = left < r->capacity ? (uint32_t)left : r->capacity;
    if (rs_spool_read_bytes(f, r->at + sizeof(rs_spool_region), index, capacity * sizeof *index))
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
    bool slots = f->regions[i].slot_bytes != 0;
    uint32_t word = slots ? 0 : RS_SPOOL_FREE;
    size_t at = slots ? offsetof(rs_spool_slots, magic) : offsetof(rs_spool_region, state);
    /* A mark that cannot be written means that the spans are sent again, and the store knows them by their ids. */
    (void)rs_file_write_at(f->fd, &word, sizeof word, f->regions[i].at + at);
}
