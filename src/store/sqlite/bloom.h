/* rs_bloom: what a partition may have, by 64-bit hashes: ids and keys of its traces, spans of them. A blocked Bloom filter: one
 * cache line and a few bits of it a hash, 16 bits of memory each.
 *
 * "No" is certain; "yes" is wrong for about one hash in some hundred, and the index is asked. It grows by layers that never
 * move, so that one thread (the writer) may add while others ask.
 * Source of the scheme: Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom Filters" (2007). */
#ifndef RS_STORE_SQLITE_BLOOM_H
#define RS_STORE_SQLITE_BLOOM_H

#include "base/status.h"
#include "base/str.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RS_BLOOM_LAYER = 128 << 10, /* bytes */
    RS_BLOOM_LAYERS = 64,       /* past them every answer is "yes" */
};

typedef struct rs_bloom {
    uint64_t *layers[RS_BLOOM_LAYERS]; /* atomic */
    uint64_t added;                    /* hashes; the writer's */
    bool is_full;                      /* atomic: some could not be added, so it knows of nothing */
} rs_bloom;

/* All zero is an empty one. */
void rs_bloom_deinit(rs_bloom *f);

/* The writer. Without memory it answers "yes" from then on. */
void rs_bloom_add(rs_bloom *f, uint64_t hash);
/* A trace's id, if it is one, and key. */
void rs_bloom_add_trace(rs_bloom *f, rs_str trace_id, int64_t key);
/* Any thread. */
bool rs_bloom_may_have(const rs_bloom *f, uint64_t hash);

uint64_t rs_bloom_hash_id(const uint8_t trace_id[16]);
uint64_t rs_bloom_hash_ids(const uint8_t trace_id[16], const uint8_t span_id[8]);
uint64_t rs_bloom_hash_key(int64_t key);
/* A span, by its trace's key and its fingerprint (rs_span_fingerprint). */
uint64_t rs_bloom_hash_span(int64_t key, uint32_t fingerprint);

/* As a file, for a partition that gets no new traces any more. Written beside and renamed; what it is written for (`traces`,
 * the number of traces in the index) comes back only if it is still the same and nothing in it is damaged. */
RS_MUST_CHECK rs_status rs_bloom_save(const rs_bloom *f, uint64_t traces, const char *path, rs_err *err);
typedef enum rs_bloom_file { RS_BLOOM_FITS, RS_BLOOM_NONE, RS_BLOOM_OLD, RS_BLOOM_DAMAGED } rs_bloom_file;
/* Unless it fits the filter is empty. OLD: it was written for another number of traces. */
rs_bloom_file rs_bloom_load(rs_bloom *f, uint64_t traces, const char *path);

#endif
