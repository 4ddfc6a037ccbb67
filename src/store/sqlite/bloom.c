#include "store/sqlite/bloom.h"
#include "base/files.h"
#include "base/xxh.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    WORDS = 8, /* of a line: 64 bytes */
    LINES = RS_BLOOM_LAYER / (WORDS * 8),
    BITS = 6, /* set for each hash, in its line */
    HASHES_PER_LAYER = RS_BLOOM_LAYER / 2,
};

typedef struct header {
    char magic[4];
    uint32_t layers;
    uint64_t added, traces;
    uint64_t check; /* XXH3 of the fields before it, seeded with that of the layers */
} header;

void rs_bloom_deinit(rs_bloom *f) {
    for (size_t i = 0; i < RS_BLOOM_LAYERS; i++) free(f->layers[i]);
    *f = (rs_bloom){0};
}

uint64_t rs_bloom_hash_id(const uint8_t trace_id[16]) { return XXH3_64bits_withSeed(trace_id, 16, 1); }
uint64_t rs_bloom_hash_key(int64_t key) { return XXH3_64bits_withSeed(&key, sizeof key, 2); }

uint64_t rs_bloom_hash_ids(const uint8_t trace_id[16], const uint8_t span_id[8]) {
    return XXH3_64bits_withSeed(trace_id, 16, XXH3_64bits(span_id, 8));
}

uint64_t rs_bloom_hash_span(int64_t key, uint32_t fingerprint) {
    return XXH3_64bits_withSeed(&key, sizeof key, fingerprint);
}

/* The line of a hash, by its upper half; the bits in it are six times nine of the lower one's. */
static size_t line_of(uint64_t hash) { return (size_t)((hash >> 40) % LINES) * WORDS; }

void rs_bloom_add(rs_bloom *f, uint64_t hash) {
    size_t at = f->added / HASHES_PER_LAYER;
    if (f->is_full) return;
    uint64_t *layer = at < RS_BLOOM_LAYERS ? f->layers[at] : NULL;
    if (!layer && at < RS_BLOOM_LAYERS) {
        layer = calloc(1, RS_BLOOM_LAYER);
        __atomic_store_n(&f->layers[at], layer, __ATOMIC_RELEASE);
    }
    if (!layer) {
        __atomic_store_n(&f->is_full, true, __ATOMIC_RELEASE);
        return;
    }
    uint64_t *line = layer + line_of(hash), bits = XXH3_64bits(&hash, sizeof hash);
    for (int i = 0; i < BITS; i++, bits >>= 9)
        __atomic_fetch_or(&line[bits >> 6 & (WORDS - 1)], 1ull << (bits & 63), __ATOMIC_RELAXED);
    f->added++;
}

void rs_bloom_add_trace(rs_bloom *f, rs_str trace_id, int64_t key) {
    if (trace_id.n == 16) rs_bloom_add(f, rs_bloom_hash_id((const uint8_t *)trace_id.p));
    rs_bloom_add(f, rs_bloom_hash_key(key));
}

static bool layer_has(const uint64_t *layer, uint64_t hash, uint64_t bits) {
    const uint64_t *line = layer + line_of(hash);
    for (int i = 0; i < BITS; i++, bits >>= 9)
        if (!(__atomic_load_n(&line[bits >> 6 & (WORDS - 1)], __ATOMIC_RELAXED) >> (bits & 63) & 1))
            return false;
    return true;
}

bool rs_bloom_may_have(const rs_bloom *f, uint64_t hash) {
    uint64_t bits = XXH3_64bits(&hash, sizeof hash);
    if (__atomic_load_n(&f->is_full, __ATOMIC_ACQUIRE)) return true;
    for (size_t i = 0; i < RS_BLOOM_LAYERS; i++) {
        const uint64_t *layer = __atomic_load_n(&f->layers[i], __ATOMIC_ACQUIRE);
        if (!layer) return false;
        if (layer_has(layer, hash, bits)) return true;
    }
    return false;
}

/* ---- as a file ----------------------------------------------------------------------------------------- */

static uint64_t check_of(const header *h, const rs_bloom *f) {
    uint64_t seed = 0;
    for (uint32_t i = 0; i < h->layers; i++) seed = XXH3_64bits_withSeed(f->layers[i], RS_BLOOM_LAYER, seed);
    return XXH3_64bits_withSeed(h, offsetof(header, check), seed);
}

rs_status rs_bloom_save(const rs_bloom *f, uint64_t traces, const char *path, rs_err *err) {
    rs_file_beside file;
    header h = {.magic = "RSTF", .added = f->added, .traces = traces};
    if (f->is_full) return RS_OK; /* it is made anew, then, from the index */
    while (h.layers < RS_BLOOM_LAYERS && f->layers[h.layers]) h.layers++;
    h.check = check_of(&h, f);
    rs_status st = rs_file_begin(&file, path, err);
    if (st != RS_OK) return st;
    bool ok = rs_file_write(file.fd, &h, sizeof h);
    for (uint32_t i = 0; ok && i < h.layers; i++) ok = rs_file_write(file.fd, f->layers[i], RS_BLOOM_LAYER);
    return rs_file_end(&file, ok, err);
}

rs_bloom_file rs_bloom_load(rs_bloom *f, uint64_t traces, const char *path) {
    header h;
    bool has_memory = true;
    char more;
    *f = (rs_bloom){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return RS_BLOOM_NONE;
    bool ok = rs_file_read(fd, &h, sizeof h) && memcmp(h.magic, "RSTF", 4) == 0 &&
              h.layers <= RS_BLOOM_LAYERS && h.added <= (uint64_t)h.layers * HASHES_PER_LAYER;
    for (uint32_t i = 0; ok && i < h.layers; i++) {
        f->layers[i] = malloc(RS_BLOOM_LAYER);
        has_memory = f->layers[i] != NULL;
        ok = has_memory && rs_file_read(fd, f->layers[i], RS_BLOOM_LAYER);
    }
    ok = ok && !rs_file_read(fd, &more, 1) && check_of(&h, f) == h.check;
    close(fd);
    f->added = h.added;
    if (ok && h.traces == traces) return RS_BLOOM_FITS;
    rs_bloom_deinit(f);
    if (!has_memory) return RS_BLOOM_NONE;
    return ok ? RS_BLOOM_OLD : RS_BLOOM_DAMAGED;
}
