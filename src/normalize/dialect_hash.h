/* The hash by which the index of all dialects' names is made (make_index.c) and asked (dialect.c). Internal to normalize/. */
#ifndef RS_NORMALIZE_DIALECT_HASH_H
#define RS_NORMALIZE_DIALECT_HASH_H

#include "normalize/dialect.h"

enum { RS_INDEX_SLOTS = 1024, RS_INDEX_BUCKETS = 64 };

/* Where a row is: in rs_dialects[dialect], number `row` of its exact names or its prefixes. */
typedef struct rs_index_slot {
    uint8_t dialect; /* RS_DIALECTS: nothing here */
    uint8_t row;
} rs_index_slot;

typedef struct rs_index_bucket {
    uint8_t first, n; /* of the index's list of prefixes */
} rs_index_bucket;

static inline uint64_t rs_hash_word(const char *p) {
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

/* Names differ in their ends and their middle; they begin alike. */
static inline uint32_t rs_hash_name(rs_str name) {
    uint64_t h = name.n * 0x9e3779b97f4a7c15u;
    if (name.n < 8) {
        uint64_t word = 0;
        memcpy(&word, name.p, name.n);
        h ^= word;
    } else {
        h ^= rs_hash_word(name.p + name.n - 8);
        h = h * 0xff51afd7ed558ccdu ^ rs_hash_word(name.p + name.n / 2 - 4);
    }
    h *= 0xc4ceb9fe1a85ec53u;
    return (uint32_t)(h >> 54); /* below RS_INDEX_SLOTS */
}

/* Of a name of at least RS_PREFIX_MIN bytes. */
static inline uint32_t rs_hash_prefix(const char *p) {
    return (uint32_t)(rs_hash_word(p) * 0x9e3779b97f4a7c15u >> 58); /* below RS_INDEX_BUCKETS */
}

#endif
