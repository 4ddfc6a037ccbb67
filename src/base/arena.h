/* rs_arena: memory that is freed whole.
 *
 * Everything made while answering one request (or taking in one body) lives in one arena; nothing in it is freed
 * alone. `limit` bounds the bytes it may hold: past it, allocations return NULL exactly as if memory had run out.
 * Owned by one thread at a time; the arena, the body it points into and the spans made from them travel together. */
#ifndef RS_BASE_ARENA_H
#define RS_BASE_ARENA_H

#include "base/str.h"
#include <stdint.h>

typedef struct rs_arena_chunk rs_arena_chunk;

typedef struct rs_arena {
    rs_arena_chunk *chunks; /* newest first; only the newest has room */
    rs_arena_chunk *spare;  /* kept by rs_arena_reset */
    char *at, *end;
    size_t held, limit; /* bytes; limit 0: none */
    bool is_over_limit; /* an allocation failed for the limit, not for want of memory */
} rs_arena;

static inline void rs_arena_init(rs_arena *a, size_t limit) { *a = (rs_arena){.limit = limit}; }
void rs_arena_deinit(rs_arena *a);
/* Forgets all that was allocated and keeps its memory for what is allocated next; it still counts towards `held` and the limit. */
void rs_arena_reset(rs_arena *a);

/* n bytes aligned for any type, not zeroed; NULL when memory or the limit is exhausted. n == 0 gives a valid pointer. */
void *rs_arena_alloc(rs_arena *a, size_t n);
/* count * size zeroed bytes, overflow checked. */
void *rs_arena_zalloc(rs_arena *a, size_t count, size_t size);
/* A copy of s in the arena with a NUL behind it; p is NULL on failure. */
rs_str rs_arena_copy(rs_arena *a, rs_str s);

/* A growing array in an arena: makes room for one more element of `size` bytes in *items (count used, *cap held).
 * Returns false on exhaustion; *items is moved when it grows and the old place stays until the arena goes. */
bool rs_arena_grow(rs_arena *a, void **items, size_t count, size_t *cap, size_t size);

#endif
