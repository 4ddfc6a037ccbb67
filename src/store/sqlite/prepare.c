#include "store/sqlite/prepare.h"
#include "store/sqlite/sqlite_store.h"

#include <stdlib.h>

enum {
    PREPARE_FROM = 100, /* spans: fewer make too small a block */
    KEPT_WRITERS = 4,
};

struct rs_idle_writer {
    rs_block_writer writer;
    rs_buf bytes;
    struct rs_idle_writer *next;
};

/* ---- writers ------------------------------------------------------------------------------------------- */

static void writer_free(struct rs_idle_writer *w) {
    rs_block_writer_deinit(&w->writer);
    rs_buf_deinit(&w->bytes);
    free(w);
}

void rs_block_writers_init(rs_block_writers *w) {
    *w = (rs_block_writers){0};
    pthread_mutex_init(&w->lock, NULL);
}

void rs_block_writers_deinit(rs_block_writers *w) {
    for (struct rs_idle_writer *at = w->idle, *next; at; at = next) {
        next = at->next;
        writer_free(at);
    }
    pthread_mutex_destroy(&w->lock);
}

static struct rs_idle_writer *borrow(rs_block_writers *w, rs_err *err) {
    pthread_mutex_lock(&w->lock);
    struct rs_idle_writer *one = w->idle;
    if (one) w->idle = one->next, w->count--;
    pthread_mutex_unlock(&w->lock);
    if (one) return one;
    one = calloc(1, sizeof *one);
    if (!one) {
        (void)!rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
        return NULL;
    }
    rs_buf_init(&one->bytes);
    if (rs_block_writer_init(&one->writer, err) == RS_OK) return one;
    writer_free(one);
    return NULL;
}

static void give_back(rs_block_writers *w, struct rs_idle_writer *one) {
    rs_block_writer_clear(&one->writer);
    if (one->bytes.cap > RS_BLOCK_FULL_BYTES) rs_buf_deinit(&one->bytes);
    rs_buf_clear(&one->bytes);
    pthread_mutex_lock(&w->lock);
    bool stays = w->count < KEPT_WRITERS;
    if (stays) {
        one->next = w->idle;
        w->idle = one;
        w->count++;
    }
    pthread_mutex_unlock(&w->lock);
    if (!stays) writer_free(one);
}

/* ---- blocks -------------------------------------------------------------------------------------------- */

/* Spans from *at on, as many as a block takes. */
static rs_status make_block(struct rs_idle_writer *w, const rs_span *spans, size_t n, size_t *at,
                            rs_arena *arena, rs_prepared_block *out, rs_err *err) {
    rs_block_ref *ref = &out->ref;
    *ref = (rs_block_ref){.min_start = UINT64_MAX};
    while (*at < n && !rs_block_is_full(&w->writer)) {
        const rs_span *s = &spans[(*at)++];
        if (s->start_ns < ref->min_start) ref->min_start = s->start_ns;
        if (s->start_ns > ref->max_start) ref->max_start = s->start_ns;
        rs_block_add(&w->writer, s);
    }
    rs_buf_clear(&w->bytes);
    rs_status st = rs_block_finish(&w->writer, 0, &w->bytes, &out->header, err);
    if (st != RS_OK) return st;
    ref->spans = out->header.spans;
    ref->length = rs_block_length(&out->header, RS_SECTION_CONTENT);
    ref->heads_length = rs_block_length(&out->header, RS_SECTION_HEADS);
    out->bytes = rs_arena_copy(arena, rs_buf_slice(&w->bytes));
    return out->bytes.p ? RS_OK : rs_fail(err, RS_ERR_MEMORY, 0, "out of memory for a block");
}

rs_status rs_store_prepare(rs_store *s, const rs_span *spans, size_t n, rs_arena *arena,
                           const rs_prepared **out, rs_err *err) {
    *out = NULL;
    if (n < PREPARE_FROM) return RS_OK;
    struct rs_idle_writer *w = borrow(&s->writers, err);
    rs_prepared *made = NULL;
    size_t cap = 0, count = 0, at = 0;
    void *blocks = NULL;
    rs_status st = w ? RS_OK : RS_ERR_MEMORY;
    while (st == RS_OK && at < n) {
        if (!rs_arena_grow(arena, &blocks, count, &cap, sizeof(rs_prepared_block))) st = RS_ERR_MEMORY;
        else st = make_block(w, spans, n, &at, arena, (rs_prepared_block *)blocks + count++, err);
    }
    if (st == RS_OK) made = rs_arena_alloc(arena, sizeof *made + count * sizeof(rs_prepared_block));
    if (w) give_back(&s->writers, w);
    if (st != RS_OK) return st;
    if (!made) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory for a block");
    made->n = count;
    memcpy(made->blocks, blocks, count * sizeof(rs_prepared_block));
    *out = made;
    return RS_OK;
}
