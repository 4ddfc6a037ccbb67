#include "store/sqlite/dictionary.h"
#include "base/log.h"
#include "store/sqlite/dictionary_copy.h"
#include "store/sqlite/view.h"

#include <pthread.h>
#include <stdlib.h>

struct rs_dictionary {
    uint64_t segment; /* its id */
    rs_block_dictionary blocks;
    rs_buf raw[RS_SECTION_COUNT];
    pthread_mutex_t lock; /* over making what packing takes */
    size_t bytes;         /* atomic: that it takes; more once it is packed with */
    unsigned users;       /* atomic: borrowers, and the cache while it has it */
};

/* Those used last, the last of them first. */
static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;
static rs_dictionary *kept[RS_DICTIONARIES_MAX];
static size_t nkept;

/* ---- making one ---------------------------------------------------------------------------------------- */

rs_status rs_dictionary_choose(const rs_segment *segment, uint32_t *number, rs_err *err) {
    uint64_t at = 0;
    *number = 0;
    if (segment->end < RS_DICTIONARY_STORED) return RS_OK;
    while (at < RS_DICTIONARY_STORED) {
        rs_block_header h;
        rs_status st = rs_view_header(segment, at, &h, err);
        if (st != RS_OK) return st;
        at += rs_block_length(&h, RS_SECTION_CONTENT);
        if (h.dictionary || at > segment->end || at > RS_DICTIONARY_END_MAX) return RS_OK;
    }
    *number = (uint32_t)at;
    return RS_OK;
}

static rs_status add_block(rs_dictionary *d, const rs_block_header *h, rs_str block, ZSTD_DCtx *zstd,
                           rs_buf *raw, rs_err *err) {
    if (h->dictionary) return rs_fail(err, RS_ERR_CORRUPT, 0, "a block of a dictionary needs one itself");
    for (int i = 0; i < RS_SECTION_COUNT; i++) {
        rs_buf *to = &d->raw[i];
        if (to->n >= RS_DICTIONARY_SECTION_MAX) continue;
        rs_status st = rs_block_unpack(h, (rs_section)i, block, NULL, zstd, raw, err);
        if (st != RS_OK) return st;
        size_t room = RS_DICTIONARY_SECTION_MAX - to->n;
        rs_buf_put(to, raw->p, raw->n < room ? raw->n : room);
        if (rs_buf_status(to) != RS_OK)
            return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory for a dictionary");
    }
    return RS_OK;
}

/* A buffer grows ahead of what is put into it; this one stays as it is. */
static void fit(rs_buf *b) {
    char *p = b->n < b->cap ? realloc(b->p, b->n ? b->n : 1) : NULL;
    if (p) b->p = p, b->cap = b->n;
}

/* From the segment's bytes below its number. */
static rs_status fill(rs_dictionary *d, rs_str bytes, ZSTD_DCtx *zstd, rs_err *err) {
    rs_buf raw;
    rs_status st = RS_OK;
    rs_buf_init(&raw);
    while (st == RS_OK && bytes.n > 0) {
        rs_block_header h;
        if ((st = rs_block_read_header(bytes, &h, err)) != RS_OK) break;
        size_t n = rs_block_length(&h, RS_SECTION_CONTENT);
        if (n > bytes.n) st = rs_fail(err, RS_ERR_CORRUPT, 0, "no block ends where a dictionary does");
        else st = add_block(d, &h, bytes, zstd, &raw, err);
        if (st == RS_OK) bytes = rs_str_from(bytes, n);
    }
    rs_buf_deinit(&raw);
    d->bytes = sizeof *d;
    for (int i = 0; i < RS_SECTION_COUNT; i++) {
        fit(&d->raw[i]);
        d->blocks.raw[i] = rs_buf_slice(&d->raw[i]);
        d->bytes += d->raw[i].cap;
    }
    return st;
}

/* From the copy, should there be one. What was wrong stays in *err if there is none. */
static rs_status fill_from_copy(rs_dictionary *d, const rs_segment *segment, ZSTD_DCtx *zstd) {
    rs_buf bytes;
    rs_err why;
    uint32_t number;
    rs_buf_init(&bytes);
    bool fits = rs_dictionary_copy_read(segment, &number, &bytes) == RS_DICTIONARY_COPY_FITS &&
                number == d->blocks.number;
    for (int i = 0; i < RS_SECTION_COUNT; i++) rs_buf_clear(&d->raw[i]);
    rs_status st = fits ? fill(d, rs_buf_slice(&bytes), zstd, &why) : RS_ERR_CORRUPT;
    if (st == RS_OK)
        rs_log("%s: what its blocks are packed against is damaged: the copy is read", segment->path);
    rs_buf_deinit(&bytes);
    return st;
}

static void free_dictionary(rs_dictionary *d) {
    rs_block_dictionary_deinit(&d->blocks);
    for (int i = 0; i < RS_SECTION_COUNT; i++) rs_buf_deinit(&d->raw[i]);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

static rs_status load(const rs_segment *segment, uint32_t number, rs_dictionary **out, rs_err *err) {
    rs_buf bytes;
    rs_status st = RS_ERR_MEMORY;
    if (number > RS_DICTIONARY_END_MAX)
        return rs_fail(err, RS_ERR_CORRUPT, 0, "a dictionary is over its limit");
    rs_buf_init(&bytes);
    ZSTD_DCtx *zstd = ZSTD_createDCtx();
    rs_dictionary *d = calloc(1, sizeof *d);
    if (!zstd || !d) {
        (void)!rs_fail(err, st, 0, "out of memory for a dictionary");
        free(d);
        goto out;
    }
    *d = (rs_dictionary){.segment = segment->id, .blocks = {.number = number}, .users = 1};
    pthread_mutex_init(&d->lock, NULL);
    for (int i = 0; i < RS_SECTION_COUNT; i++) {
        rs_buf_init(&d->raw[i]);
        d->raw[i].limit = RS_DICTIONARY_SECTION_MAX;
    }
    st = rs_segment_read(segment, 0, number, &bytes, err);
    if (st == RS_OK && bytes.n < number) st = rs_fail(err, RS_ERR_CORRUPT, 0, "a dictionary is cut off");
    if (st == RS_OK) st = fill(d, rs_buf_slice(&bytes), zstd, err);
    if (st == RS_ERR_CORRUPT) st = fill_from_copy(d, segment, zstd);
    if (st == RS_OK) *out = d;
    else free_dictionary(d);
out:
    ZSTD_freeDCtx(zstd);
    rs_buf_deinit(&bytes);
    return st;
}

/* ---- keeping them -------------------------------------------------------------------------------------- */

static void use_once_more(rs_dictionary *d) { __atomic_fetch_add(&d->users, 1, __ATOMIC_RELAXED); }

void rs_dictionary_return(rs_dictionary *d) {
    if (__atomic_sub_fetch(&d->users, 1, __ATOMIC_ACQ_REL) == 0) free_dictionary(d);
}

static size_t bytes_of(const rs_dictionary *d) { return __atomic_load_n(&d->bytes, __ATOMIC_RELAXED); }

/* Moves the i-th to the front. Under the lock. */
static void put_first(size_t i) {
    rs_dictionary *d = kept[i];
    for (; i > 0; i--) kept[i] = kept[i - 1];
    kept[0] = d;
}

/* The one that is kept, borrowed; NULL. */
static rs_dictionary *find(uint64_t segment, uint32_t number) {
    rs_dictionary *found = NULL;
    pthread_mutex_lock(&kept_lock);
    for (size_t i = 0; i < nkept && !found; i++) {
        if (kept[i]->segment != segment || kept[i]->blocks.number != number) continue;
        found = kept[i];
        use_once_more(found);
        put_first(i);
    }
    pthread_mutex_unlock(&kept_lock);
    return found;
}

/* Makes it the cache's, too; those that were used longest ago make room. Should two threads load the same, one of them goes in time. */
static void keep(rs_dictionary *d) {
    rs_dictionary *fallen[RS_DICTIONARIES_MAX];
    size_t n = 0, bytes = bytes_of(d);
    use_once_more(d);
    pthread_mutex_lock(&kept_lock);
    for (size_t i = 0; i < nkept; i++) bytes += bytes_of(kept[i]);
    while (nkept > 0 && (nkept == RS_DICTIONARIES_MAX || bytes > RS_DICTIONARIES_BYTES)) {
        fallen[n] = kept[--nkept];
        bytes -= bytes_of(fallen[n++]);
    }
    kept[nkept] = d;
    put_first(nkept++);
    pthread_mutex_unlock(&kept_lock);
    while (n > 0) rs_dictionary_return(fallen[--n]);
}

void rs_dictionary_forget(const rs_segment *segment) {
    rs_dictionary *fallen[RS_DICTIONARIES_MAX];
    size_t n = 0, stay = 0;
    pthread_mutex_lock(&kept_lock);
    for (size_t i = 0; i < nkept; i++)
        if (kept[i]->segment == segment->id) fallen[n++] = kept[i];
        else kept[stay++] = kept[i];
    nkept = stay;
    pthread_mutex_unlock(&kept_lock);
    while (n > 0) rs_dictionary_return(fallen[--n]);
}

rs_status rs_dictionary_borrow(const rs_segment *segment, uint32_t number, rs_dictionary **out, rs_err *err) {
    *out = find(segment->id, number);
    if (*out) return RS_OK;
    rs_status st = load(segment, number, out, err);
    if (st == RS_OK) keep(*out);
    return st;
}

const rs_block_dictionary *rs_dictionary_blocks(const rs_dictionary *d) { return &d->blocks; }

rs_status rs_dictionary_to_pack(rs_dictionary *d, const rs_block_dictionary **out, rs_err *err) {
    pthread_mutex_lock(&d->lock);
    size_t before = rs_block_dictionary_packing(&d->blocks);
    rs_status st = rs_block_dictionary_make(&d->blocks, false, err);
    __atomic_fetch_add(&d->bytes, rs_block_dictionary_packing(&d->blocks) - before, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&d->lock);
    *out = &d->blocks;
    return st;
}
