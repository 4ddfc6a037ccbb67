/* A spool file as it stands on disk; docs/spool-format.md is the same in prose. Numbers are in the byte order of
 * the machine: a spool is read where it was written.
 *
 *     [ header | its copy | block 0 | block 1 | … ]
 *
 * A region is one or more blocks one behind the other that hold the spans of one request:
 *
 *     [ rs_spool_region | index: capacity entries | headroom | frame frame frame … ]
 *
 * Every check is XXH3 with the file's random key in it, so that nothing that a span carries can pass for a
 * region or an entry; that of an entry also with the region's number and the entry's place, so that what an
 * earlier use of the same bytes left is not taken for a span of this one. An entry says where its frame is: one
 * that is torn or scribbled loses its own frame and no other. */
#ifndef RS_SDK_SPOOL_FORMAT_H
#define RS_SDK_SPOOL_FORMAT_H

#include <stddef.h>
#include <stdint.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
    RS_SPOOL_VERSION = 1,
    RS_SPOOL_BLOCK = 16 << 10,
    RS_SPOOL_PAGE = 4096,
    RS_SPOOL_CAPACITY_MAX = 4096, /* spans of a region */
    RS_SPOOL_HEADER_MAX = 2 << 20,
};
#define RS_SPOOL_MAGIC     "respspl1"
#define RS_SPOOL_BYTES_MAX ((uint64_t)2 << 30)

typedef struct rs_spool_header {
    char magic[8];
    uint32_t version, block_bytes;
    uint64_t data_at; /* of block 0 */
    uint64_t key;     /* random */
    uint64_t pid, started_ns;
    uint32_t app_n, url_n, resource_n, scope_n; /* bytes right behind this struct, in this order */
    uint64_t check;                             /* of all before it and of those bytes; its seed is 0 */
} rs_spool_header;

typedef struct rs_spool_entry {
    uint64_t check; /* written last: a frame is in the spool from then on */
    uint32_t at, n; /* the frame, counted from the region's first byte */
} rs_spool_entry;

enum { RS_SPOOL_REGION_MAGIC = 0x6e676572, RS_SPOOL_LIVE = 0x6576696c, RS_SPOOL_FREE = 0x65657266 };

typedef struct rs_spool_region {
    uint32_t magic, capacity;
    uint64_t number; /* counts up from 1 over the file's life: the order of spans */
    uint64_t check;  /* of the three before it */
    uint32_t state;  /* anything but RS_SPOOL_FREE: its spans are not acknowledged */
    uint32_t sent;   /* the first so many of its spans are */
    char unused[32];
} rs_spool_region;

static inline uint64_t rs_spool_header_check(const rs_spool_header *h, const char *texts, size_t n) {
    uint64_t of_texts = XXH3_64bits(texts, n);
    return XXH3_64bits_withSeed(h, offsetof(rs_spool_header, check), of_texts);
}

static inline uint64_t rs_spool_region_check(const rs_spool_region *r, uint64_t key) {
    return XXH3_64bits_withSeed(r, offsetof(rs_spool_region, check), key);
}

static inline uint64_t rs_spool_frame_check(const char *frame, uint32_t n, uint64_t key, uint64_t number,
                                            uint32_t place) {
    /* Not the hash's seed: for more than 240 bytes that costs as much as the hash. Never 0: that is no entry. */
    return (XXH3_64bits(frame, n) ^ key ^ (number << 16 | place)) | 1;
}

#endif
