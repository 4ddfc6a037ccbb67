/* rs_trace_filter: which traces a partition may have, by 64-bit hashes of their ids and of their keys. A blocked Bloom
 * filter: one cache line and a few bits of it a hash, 16 bits of memory each.
 *
 * "No" is certain; "yes" is wrong for about one hash in a thousand, and the index is asked. It grows by layers that never
 * move, so that one thread (the writer) may add while others ask.
 * Source of the scheme: Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom Filters" (2007). */
#ifndef RS_STORE_SQLITE_TRACE_FILTER_H
#define RS_STORE_SQLITE_TRACE_FILTER_H

#include "base/status.h"
#include "base/str.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RS_TRACE_FILTER_LAYER = 128 << 10, /* bytes */
    RS_TRACE_FILTER_LAYERS = 64,       /* past them every answer is "yes" */
};

typedef struct rs_trace_filter {
    uint64_t *layers[RS_TRACE_FILTER_LAYERS]; /* atomic */
    uint64_t added;                           /* hashes; the writer's */
    bool is_full;                             /* atomic: some could not be added, so it knows of nothing */
} rs_trace_filter;

/* All zero is an empty one. */
void rs_trace_filter_deinit(rs_trace_filter *f);

/* The writer. Without memory it answers "yes" from then on. */
void rs_trace_filter_add(rs_trace_filter *f, uint64_t hash);
/* Any thread. */
bool rs_trace_filter_may_have(const rs_trace_filter *f, uint64_t hash);

uint64_t rs_trace_filter_hash_id(const uint8_t trace_id[16]);
uint64_t rs_trace_filter_hash_key(int64_t key);

/* As a file, for a partition that gets no new traces any more. Written beside and renamed; what it is written for (`traces`,
 * the number of traces in the index) comes back only if it is still the same and nothing in it is damaged. */
RS_MUST_CHECK rs_status rs_trace_filter_save(const rs_trace_filter *f, uint64_t traces, const char *path,
                                             rs_err *err);
/* False: there is none that fits; the filter is empty. */
bool rs_trace_filter_load(rs_trace_filter *f, uint64_t traces, const char *path);

#endif
