#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>

struct rs_arena_chunk {
    rs_arena_chunk *next;
    size_t size;
    alignas(max_align_t) char data[];
};

enum { FIRST_CHUNK = 4096, LARGEST_CHUNK = 1 << 20, ALIGN = alignof(max_align_t) };

static void free_chunks(rs_arena_chunk *chunks) {
    for (rs_arena_chunk *c = chunks, *next; c; c = next) {
        next = c->next;
        free(c);
    }
}

void rs_arena_deinit(rs_arena *a) {
    free_chunks(a->chunks);
    free_chunks(a->spare);
    *a = (rs_arena){.limit = a->limit};
}

void rs_arena_reset(rs_arena *a) {
    for (rs_arena_chunk *c = a->chunks, *next; c; c = next) {
        next = c->next;
        c->next = a->spare;
        a->spare = c;
    }
    a->chunks = NULL;
    a->at = a->end = NULL;
}

static rs_arena_chunk *take_spare(rs_arena *a, size_t n) {
    for (rs_arena_chunk **at = &a->spare, *c; (c = *at); at = &c->next) {
        if (c->size < n) continue;
        *at = c->next;
        return c;
    }
    return NULL;
}

static void *begin_chunk(rs_arena *a, rs_arena_chunk *c, size_t n) {
    c->next = a->chunks;
    a->chunks = c;
    a->at = c->data + n;
    a->end = c->data + c->size;
    return c->data;
}

void *rs_arena_alloc(rs_arena *a, size_t n) {
    if (n > SIZE_MAX / 2) return a->is_over_limit = true, NULL;
    n = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (a->at && n <= (size_t)(a->end - a->at)) {
        void *p = a->at;
        a->at += n;
        return p;
    }
    rs_arena_chunk *c = a->spare ? take_spare(a, n) : NULL;
    if (c) return begin_chunk(a, c, n);
    size_t size = a->held < FIRST_CHUNK ? FIRST_CHUNK : a->held > LARGEST_CHUNK ? LARGEST_CHUNK : a->held;
    if (size < n) size = n;
    if (a->limit && a->held + size > a->limit) {
        size = n;
        if (a->held + size > a->limit) return a->is_over_limit = true, NULL;
    }
    if (!(c = malloc(sizeof *c + size))) return NULL;
    c->size = size;
    a->held += size;
    return begin_chunk(a, c, n);
}

void *rs_arena_zalloc(rs_arena *a, size_t count, size_t size) {
    size_t n;
    if (__builtin_mul_overflow(count, size, &n)) return NULL;
    void *p = rs_arena_alloc(a, n);
    if (p) memset(p, 0, n);
    return p;
}

rs_str rs_arena_copy(rs_arena *a, rs_str s) {
    char *p = rs_arena_alloc(a, s.n + 1);
    if (!p) return (rs_str){0};
    if (s.n) memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return (rs_str){p, s.n};
}

bool rs_arena_grow(rs_arena *a, void **items, size_t count, size_t *cap, size_t size) {
    if (count < *cap) return true;
    size_t more = *cap ? *cap * 2 : 8, bytes;
    if (__builtin_mul_overflow(more, size, &bytes)) return false;
    void *p = rs_arena_alloc(a, bytes);
    if (!p) return false;
    if (count) memcpy(p, *items, count * size);
    *items = p;
    *cap = more;
    return true;
}
