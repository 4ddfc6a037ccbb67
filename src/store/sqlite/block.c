/* Raw dictionaries with a hash table of a chosen size: in zstd's interface since 1.2, if not in its stable part. */
#define ZSTD_STATIC_LINKING_ONLY
#include "store/sqlite/block.h"

#include "base/xxh.h"

#define MAGIC "RSPB"
enum {
    VERSION_BEFORE = 1, /* without a word filter; one more: it needs a dictionary */
    VERSION = 3,        /* the same with one */
    LEVEL = 1,
    MIN_MATCH = 7,
    WINDOW_LOG = 21,
    SEALED_LEVEL = 6,
    SEALED_WINDOW_LOG = 23, /* a block and its dictionary */
    SEALED_SMALL_LOG = 17,
    KEPT_BYTES = 2 * RS_BLOCK_FULL_BYTES,
};

static const char *const section_names[RS_SECTION_COUNT] = {"heads", "details", "content"};
/* Tables of positions: content comes again all over a block and its dictionary, and wants room for all of it; the others are small. */
static const int hash_logs[RS_SECTION_COUNT] = {14, 14, 17};

size_t rs_block_length(const rs_block_header *h, rs_section last) {
    size_t n = h->length + (last > RS_SECTION_HEADS ? h->words : 0);
    for (int i = 0; i <= (int)last; i++) n += h->sections[i].stored;
    return n;
}

/* ---- writing ------------------------------------------------------------------------------------------- */

/* Empties a buffer; one that an unusually large span blew up is given back. */
static void clear_buf(rs_buf *b) {
    if (b->cap > KEPT_BYTES) rs_buf_deinit(b);
    rs_buf_clear(b);
    b->limit = RS_BLOCK_SECTION_LIMIT;
}

rs_status rs_block_writer_init(rs_block_writer *w, rs_err *err) {
    *w = (rs_block_writer){0};
    rs_heads_writer_init(&w->heads);
    rs_details_writer_init(&w->details);
    rs_block_writer_clear(w);
    w->zstd = ZSTD_createCCtx();
    if (!w->zstd) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_minMatch, MIN_MATCH);
    ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_windowLog, WINDOW_LOG);
    /* A dictionary's table is looked up where it is: copying it is more work. */
    ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_forceAttachDict, ZSTD_dictForceAttach);
    return RS_OK;
}

void rs_block_writer_seal(rs_block_writer *w) {
    w->is_sealing = true;
    ZSTD_CCtx_reset(w->zstd, ZSTD_reset_session_and_parameters);
    ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, SEALED_LEVEL);
    ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_windowLog, SEALED_WINDOW_LOG);
}

void rs_block_writer_deinit(rs_block_writer *w) {
    rs_heads_writer_deinit(&w->heads);
    rs_details_writer_deinit(&w->details);
    rs_word_set_deinit(&w->words);
    rs_buf_deinit(&w->raw);
    ZSTD_freeCCtx(w->zstd);
    w->zstd = NULL;
}

void rs_block_writer_clear(rs_block_writer *w) {
    rs_heads_writer_clear(&w->heads);
    rs_details_writer_clear(&w->details);
    rs_word_set_clear(&w->words);
    clear_buf(&w->details.records);
    clear_buf(&w->details.content);
    clear_buf(&w->raw);
    w->n = 0;
}

void rs_block_writer_use(rs_block_writer *w, const rs_block_dictionary *dictionary) {
    w->dictionary = dictionary;
}

static ZSTD_compressionParameters packing_parameters(int section, size_t n, bool is_sealing) {
    ZSTD_compressionParameters p = ZSTD_getCParams(is_sealing ? SEALED_LEVEL : LEVEL, 0, n);
    p.windowLog = is_sealing ? SEALED_WINDOW_LOG : WINDOW_LOG;
    if (is_sealing && section != RS_SECTION_CONTENT) { /* small: three tables of the usual size take 9 MB */
        p.hashLog = SEALED_SMALL_LOG;
        p.chainLog = SEALED_SMALL_LOG;
    }
    if (is_sealing) return p;
    p.hashLog = (unsigned)hash_logs[section];
    p.minMatch = MIN_MATCH;
    return p;
}

rs_status rs_block_dictionary_make(rs_block_dictionary *d, bool is_sealing, rs_err *err) {
    for (int i = 0; i < RS_SECTION_COUNT; i++) {
        if (d->raw[i].n == 0 || d->packing[i]) continue;
        d->packing[i] =
            ZSTD_createCDict_advanced(d->raw[i].p, d->raw[i].n, ZSTD_dlm_byRef, ZSTD_dct_rawContent,
                                      packing_parameters(i, d->raw[i].n, is_sealing), ZSTD_defaultCMem);
        if (!d->packing[i]) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory for a dictionary");
    }
    return RS_OK;
}

void rs_block_dictionary_deinit(rs_block_dictionary *d) {
    for (int i = 0; i < RS_SECTION_COUNT; i++) ZSTD_freeCDict(d->packing[i]);
    *d = (rs_block_dictionary){0};
}

size_t rs_block_dictionary_packing(const rs_block_dictionary *d) {
    size_t n = 0;
    for (int i = 0; i < RS_SECTION_COUNT; i++) n += ZSTD_sizeof_CDict(d->packing[i]);
    return n;
}

void rs_block_add(rs_block_writer *w, const rs_span *s) {
    size_t details, content;
    rs_details_add(&w->details, s, &details, &content);
    rs_heads_add(&w->heads, s, details, content);
    rs_word_set_add(&w->words, s);
    w->n++;
}

static size_t raw_bytes(const rs_block_writer *w) { return w->details.records.n + w->details.content.n; }

bool rs_block_is_full(const rs_block_writer *w) {
    return w->n >= (w->is_sealing ? RS_BLOCK_SEALED_SPANS : RS_BLOCK_MAX_SPANS) ||
           raw_bytes(w) >= RS_BLOCK_FULL_BYTES;
}

bool rs_block_is_over(const rs_block_writer *w) {
    return w->n >= RS_BLOCK_SEALED_MOST || raw_bytes(w) >= RS_BLOCK_FULL_BYTES;
}

static rs_status pack(rs_block_writer *w, rs_str raw, rs_section section, rs_buf *out, rs_block_header *h) {
    if (raw.n > RS_BLOCK_SECTION_LIMIT) return RS_ERR_TOO_LARGE;
    h->sections[section].raw = (uint32_t)raw.n;
    h->sections[section].stored = 0;
    if (raw.n > 0) {
        size_t bound = ZSTD_compressBound(raw.n);
        char *to = rs_buf_reserve(out, bound);
        if (!to) return rs_buf_status(out);
        if (!w->is_sealing) ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_hashLog, hash_logs[section]);
        const ZSTD_CDict *against = w->dictionary ? w->dictionary->packing[section] : NULL;
        if (ZSTD_isError(ZSTD_CCtx_refCDict(w->zstd, against))) return RS_ERR_MEMORY;
        size_t n = ZSTD_compress2(w->zstd, to, bound, raw.p, raw.n);
        if (ZSTD_isError(n)) return RS_ERR_MEMORY;
        out->n += n;
        h->sections[section].stored = (uint32_t)n;
    }
    size_t stored = h->sections[section].stored;
    h->sections[section].hash = XXH3_64bits(out->p + out->n - stored, stored);
    return RS_OK;
}

static void put_header(rs_buf *out, size_t at, const rs_block_header *h) {
    size_t end = out->n;
    out->n = at; /* its place was kept */
    rs_buf_put(out, MAGIC, 4);
    bool has_words = h->length == RS_BLOCK_HEADER;
    rs_wire_u16(out, (uint16_t)((has_words ? VERSION : VERSION_BEFORE) + (h->dictionary != 0)));
    rs_wire_u16(out, (uint16_t)(RS_SECTION_COUNT + has_words));
    rs_wire_u64(out, h->first);
    rs_wire_u32(out, h->spans);
    rs_wire_u32(out, h->dictionary);
    for (int i = 0; i < RS_SECTION_COUNT; i++) {
        rs_wire_u32(out, h->sections[i].stored);
        rs_wire_u32(out, h->sections[i].raw);
        rs_wire_u64(out, h->sections[i].hash);
    }
    if (has_words) {
        rs_wire_u32(out, h->words);
        rs_wire_u32(out, h->words);
        rs_wire_u64(out, h->words_hash);
    }
    rs_wire_u64(out, XXH3_64bits(out->p + at, h->length - 8));
    out->n = end;
}

static rs_status put_words(rs_block_writer *w, rs_buf *out, rs_block_header *h) {
    size_t at = out->n;
    rs_status st = rs_word_set_finish(&w->words, w->n, out);
    if (st != RS_OK) return st;
    h->words = (uint32_t)(out->n - at);
    h->words_hash = XXH3_64bits(out->p + at, h->words);
    return RS_OK;
}

rs_status rs_block_finish(rs_block_writer *w, uint64_t first, rs_buf *out, rs_block_header *header,
                          rs_err *err) {
    size_t at = out->n;
    *header = (rs_block_header){.first = first,
                                .spans = w->n,
                                .dictionary = w->dictionary ? w->dictionary->number : 0,
                                .length = RS_BLOCK_HEADER};
    rs_status st = RS_ERR_MEMORY;
    if (!rs_buf_reserve(out, RS_BLOCK_HEADER)) goto out;
    out->n += RS_BLOCK_HEADER;
    if ((st = rs_heads_finish(&w->heads, &w->raw)) != RS_OK) goto out;
    if ((st = pack(w, rs_buf_slice(&w->raw), RS_SECTION_HEADS, out, header)) != RS_OK) goto out;
    if ((st = put_words(w, out, header)) != RS_OK) goto out;
    rs_buf_clear(&w->raw);
    if ((st = rs_details_finish(&w->details, &w->raw)) != RS_OK) goto out;
    if ((st = pack(w, rs_buf_slice(&w->raw), RS_SECTION_DETAILS, out, header)) != RS_OK) goto out;
    st = pack(w, rs_buf_slice(&w->details.content), RS_SECTION_CONTENT, out, header);
    if (st == RS_OK) put_header(out, at, header);
out:
    if (st != RS_OK) out->n = at, rs_fail(err, st, 0, "cannot make a block of %u spans", w->n);
    rs_block_writer_clear(w);
    return st;
}

void rs_block_put(rs_buf *out, rs_str block, rs_block_header *h, uint64_t first) {
    size_t at = out->n;
    rs_buf_str(out, block);
    h->first = first;
    if (out->failed == RS_OK) put_header(out, at, h);
}

/* ---- reading ------------------------------------------------------------------------------------------- */

rs_status rs_block_read_header(rs_str bytes, rs_block_header *out, rs_err *err) {
    rs_cursor c = rs_cursor_on(bytes);
    if (bytes.n < RS_BLOCK_HEADER_BEFORE) return rs_fail(err, RS_ERR_CORRUPT, 0, "block header is cut off");
    if (memcmp(bytes.p, MAGIC, 4) != 0) return rs_fail(err, RS_ERR_CORRUPT, 0, "no block begins here");
    rs_cursor_bytes(&c, 4);
    uint16_t version = rs_cursor_u16(&c), sections = rs_cursor_u16(&c);
    bool has_words = version >= VERSION && version <= VERSION + 1;
    *out = (rs_block_header){.length = has_words ? RS_BLOCK_HEADER : RS_BLOCK_HEADER_BEFORE};
    if (bytes.n < out->length) return rs_fail(err, RS_ERR_CORRUPT, 0, "block header is cut off");
    out->first = rs_cursor_u64(&c);
    out->spans = rs_cursor_u32(&c);
    out->dictionary = rs_cursor_u32(&c);
    for (int i = 0; i < RS_SECTION_COUNT; i++) {
        out->sections[i].stored = rs_cursor_u32(&c);
        out->sections[i].raw = rs_cursor_u32(&c);
        out->sections[i].hash = rs_cursor_u64(&c);
    }
    if (has_words) {
        out->words = rs_cursor_u32(&c);
        rs_cursor_u32(&c);
        out->words_hash = rs_cursor_u64(&c);
    }
    if (rs_cursor_u64(&c) != XXH3_64bits(bytes.p, out->length - 8))
        return rs_fail(err, RS_ERR_CORRUPT, 0, "block header does not match its checksum");
    unsigned expected = (has_words ? VERSION : VERSION_BEFORE) + (unsigned)(out->dictionary != 0);
    if (version != expected || sections != RS_SECTION_COUNT + has_words)
        return rs_fail(err, RS_ERR_UNSUPPORTED, 0, "block format %u is not one that this respan reads",
                       version);
    if (out->spans > RS_BLOCK_SPANS_LIMIT)
        return rs_fail(err, RS_ERR_CORRUPT, 0, "block claims too many spans");
    if (out->words > RS_WORD_FILTER_MAX)
        return rs_fail(err, RS_ERR_CORRUPT, 0, "block's word filter is over its limit");
    for (int i = 0; i < RS_SECTION_COUNT; i++)
        if (out->sections[i].raw > RS_BLOCK_SECTION_LIMIT ||
            out->sections[i].stored > RS_BLOCK_SECTION_LIMIT * 2u)
            return rs_fail(err, RS_ERR_CORRUPT, 0, "block section is over its limit");
    return RS_OK;
}

rs_status rs_block_words(const rs_block_header *h, rs_str block, rs_str *out, rs_err *err) {
    size_t at = rs_block_length(h, RS_SECTION_HEADS);
    *out = (rs_str){0};
    if (at + h->words > block.n) return rs_fail(err, RS_ERR_CORRUPT, 0, "block's word filter is cut off");
    if (h->words > 0) *out = (rs_str){block.p + at, h->words};
    if (h->length == RS_BLOCK_HEADER && XXH3_64bits(block.p + at, h->words) != h->words_hash)
        return rs_fail(err, RS_ERR_CORRUPT, 0, "block's word filter does not match its checksum");
    return RS_OK;
}

/* What lies in raw already is the dictionary, or nothing. */
static rs_status unpack(const rs_block_header *h, rs_section section, rs_str block, rs_str dictionary,
                        ZSTD_DCtx *zstd, rs_buf *raw, rs_err *err) {
    const char *name = section_names[section];
    size_t end = rs_block_length(h, section), n = h->sections[section].stored,
           size = h->sections[section].raw;
    if (end > block.n) return rs_fail(err, RS_ERR_CORRUPT, 0, "block %s are cut off", name);
    const char *stored = block.p + (end - n);
    if (XXH3_64bits(stored, n) != h->sections[section].hash)
        return rs_fail(err, RS_ERR_CORRUPT, 0, "block %s do not match their checksum", name);
    if (size == 0) return RS_OK;
    /* The frame's own size must agree before memory is taken for it. */
    if (ZSTD_getFrameContentSize(stored, n) != size)
        return rs_fail(err, RS_ERR_CORRUPT, 0, "block %s have another size than their header says", name);
    char *to = rs_buf_reserve(raw, size);
    if (!to) return rs_fail(err, raw->failed, 0, "out of memory for block %s", name);
    if (raw->n > 0) dictionary = rs_buf_slice(raw);
    if (ZSTD_isError(ZSTD_DCtx_refPrefix(zstd, dictionary.p, dictionary.n))) /* for the next frame alone */
        return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory for block %s", name);
    size_t got = ZSTD_decompressDCtx(zstd, to, size, stored, n);
    if (got != size) return rs_fail(err, RS_ERR_CORRUPT, 0, "block %s do not decompress", name);
    raw->n += size;
    return RS_OK;
}

static rs_status needs_another(const rs_block_header *h, const rs_block_dictionary *d, rs_section section,
                               rs_err *err) {
    bool fits = h->sections[section].raw == 0 || h->dictionary == (d ? d->number : 0);
    return fits ? RS_OK
                : rs_fail(err, RS_ERR_CORRUPT, 0, "block %s need another dictionary", section_names[section]);
}

rs_status rs_block_unpack(const rs_block_header *h, rs_section section, rs_str block,
                          const rs_block_dictionary *dictionary, ZSTD_DCtx *zstd, rs_buf *raw, rs_err *err) {
    rs_status st = needs_another(h, dictionary, section, err);
    rs_buf_clear(raw);
    if (st != RS_OK) return st;
    return unpack(h, section, block, dictionary ? dictionary->raw[section] : (rs_str){0}, zstd, raw, err);
}

rs_status rs_block_unpack_behind(const rs_block_header *h, rs_section section, rs_str block,
                                 const rs_block_dictionary *dictionary, ZSTD_DCtx *zstd, rs_buf *raw,
                                 rs_err *err) {
    rs_status st = needs_another(h, dictionary, section, err);
    if (st != RS_OK) return st;
    raw->n = dictionary->raw[section].n;
    return unpack(h, section, block, dictionary->raw[section], zstd, raw, err);
}
