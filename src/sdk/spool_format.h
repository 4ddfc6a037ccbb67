/* A spool file as it stands on disk; docs/spool-format.md is the same in prose. Numbers are in the byte order of
 * the machine: a spool is read where it was written.
 *
 *     [ header | its copy | pulse | block 0 | block 1 | … ]          header: rs_spool_header texts rs_spool_sender
 *
 * A region is one or more blocks one behind the other that hold the ended spans of one request:
 *
 *     [ rs_spool_region | index: capacity entries | headroom | frame frame frame … ]
 *
 * Open spans stand in slots, each with its ids and its fields as they are set: a block of small ones, or one or more
 * blocks that are a single large one:
 *
 *     [ rs_spool_slots | rs_spool_slot fields | rs_spool_slot fields | … ]
 *
 * Every check is XXH3 with the file's random key in it, so that nothing that a span carries can pass for a
 * region or an entry; that of an entry also with the region's number and the entry's place, so that what an
 * earlier use of the same bytes left is not taken for a span of this one. An entry says where its frame is: one
 * that is torn or scribbled loses its own frame and no other. */
#ifndef RS_SDK_SPOOL_FORMAT_H
#define RS_SDK_SPOOL_FORMAT_H

#include "base/str.h"
#include "base/xxh.h"

enum {
    RS_SPOOL_VERSION = 3,
    RS_SPOOL_VERSION_READ = 2, /* from this one on; it has no rs_spool_sender */
    RS_SPOOL_BLOCK = 16 << 10,
    RS_SPOOL_PAGE = 4096,
    RS_SPOOL_CAPACITY_MAX = 4096, /* spans of a region */
    RS_SPOOL_HEADER_MAX = 2 << 20,
    RS_SPOOL_SLOT = 1088, /* bytes of a small slot, its rs_spool_slot included */
    RS_SPOOL_SLOTS = 15,  /* of a block */
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

/* Right behind the texts: whose key is to deliver the spans. */
typedef struct rs_spool_sender {
    uint64_t
        fingerprint; /* of the key that the program gave; 0: none, it uses that of the credentials file */
    uint64_t check;  /* of it, with the header's check */
} rs_spool_sender;

/* In the page before block 0: what its owner says while it lives. Without a check: it is for people to read. */
typedef struct rs_spool_pulse {
    uint64_t alive_ns; /* since 1970, about once a second */
    uint64_t dropped;  /* ended spans that there was no room for, so far */
} rs_spool_pulse;

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

static inline uint64_t rs_spool_sender_check(const rs_spool_sender *s, const rs_spool_header *h) {
    return XXH3_64bits_withSeed(&s->fingerprint, sizeof s->fingerprint, h->check);
}

static inline uint64_t rs_spool_region_check(const rs_spool_region *r, uint64_t key) {
    return XXH3_64bits_withSeed(r, offsetof(rs_spool_region, check), key);
}

/* The sum of a span's fields, which grows as they are appended: each word of 8 bytes times an odd number of its place. It
 * finds a scribble of any one word; XXH3 over all of it with each field would cost more than the field. */
typedef struct rs_spool_sum {
    uint64_t sum; /* of the whole words so far */
    uint32_t n;   /* their bytes */
} rs_spool_sum;

static inline uint64_t rs_spool_word(uint64_t word, uint64_t at) {
    return word * (0x9e3779b97f4a7c15u + at * 0x5851f42d4c957f2eu);
}

/* The sum of all n bytes of the fields, of which s->n were summed before. */
static inline uint64_t rs_spool_sum_to(rs_spool_sum *s, const char *fields, uint32_t n) {
    uint64_t word, sum = s->sum;
    uint32_t at = s->n;
    for (; at + 8 <= n; at += 8) {
        memcpy(&word, fields + at, 8);
        sum += rs_spool_word(word, at);
    }
    s->sum = sum;
    s->n = at;
    if (at == n) return sum;
    if (n >= 8) {
        memcpy(&word, fields + n - 8, 8);
        word >>= 8 * (8 - (n - at));
    } else {
        word = 0;
        for (uint32_t i = 0; i < n; i++) word |= (uint64_t)(unsigned char)fields[i] << 8 * i;
    }
    return sum + rs_spool_word(word, at);
}

/* A slot's `written`. end_ns is 0 while the span is open. */
static inline uint64_t rs_spool_written(uint64_t sum, uint32_t n, uint64_t end_ns, uint64_t key) {
    sum = (sum ^ key ^ end_ns) * 0x9e3779b97f4a7c15u;
    return (sum & 0xffffffff00000000u) | n;
}

/* A frame begins with its tag, its length and the fields up to the end time, its lead; the span's fields stand behind it,
 * and their sum is known when it ends. Never 0: that is no entry. */
static inline uint64_t rs_spool_frame_check(rs_str lead, uint64_t sum, uint64_t key, uint64_t number,
                                            uint32_t place) {
    uint64_t hash = XXH3_64bits_withSeed(lead.p, lead.n, sum);
    return (hash ^ key ^ (number << 16 | place)) | 1;
}

/* ---- slots --------------------------------------------------------------------------------------------- */

enum { RS_SPOOL_SLOTS_MAGIC = 0x746f6c73 };

typedef struct rs_spool_slots {
    uint32_t magic, slots; /* RS_SPOOL_SLOTS, or 1 */
    uint64_t slot_bytes;
    uint64_t check; /* of the two before it */
    char unused[40];
} rs_spool_slots;

/* A slot's beginning; the span's fields stand behind it. */
typedef struct rs_spool_slot {
    uint64_t check; /* of the next 40 bytes, written last; 0: no span stands here */
    uint8_t trace_id[16], span_id[8], parent_id[8]; /* parent_id 0: none */
    uint64_t start_ns;
    uint64_t end_ns;  /* written when it ends, right before its frame is */
    uint64_t written; /* bytes of the fields that count, and over them, see rs_spool_written; at once */
} rs_spool_slot;

static inline uint64_t rs_spool_slots_check(const rs_spool_slots *s, uint64_t key) {
    return XXH3_64bits_withSeed(s, offsetof(rs_spool_slots, check), key);
}

static inline uint64_t rs_spool_slot_check(const rs_spool_slot *s, uint64_t key) {
    rs_spool_sum none = {0};
    return ((rs_spool_sum_to(&none, (const char *)s->trace_id, 40) ^ key) * 0x9e3779b97f4a7c15u) | 1;
}

#endif
