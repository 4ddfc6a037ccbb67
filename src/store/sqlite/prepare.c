#include "store/sqlite/prepare.h"
#include "store/sqlite/dictionary.h"
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
    ref->words = out->header.words;
    out->bytes = rs_arena_copy(arena, rs_buf_slice(&w->bytes));
    return out->bytes.p ? RS_OK : rs_fail(err, RS_ERR_MEMORY, 0, "out of memory for a block");
}

/* The dictionary that blocks of new traces use by now; NULL: they use none. */
static rs_dictionary *borrow_dictionary(rs_store *s, uint64_t project, rs_prepared *as) {
    rs_project_data *p;
    rs_dictionary *d = NULL;
    if (rs_store_find_project(s, project, false, &p, NULL) != RS_OK || !p) return NULL;
    const rs_partition_set *set = rs_project_data_hold(p);
    rs_partition *last = set->n ? set->items[set->n - 1] : NULL;
    as->dictionary = last ? __atomic_load_n(&last->dictionary, __ATOMIC_ACQUIRE) : 0;
    as->partition = last ? last->folder.number : 0;
    if (as->dictionary && rs_dictionary_borrow(&last->segment, as->dictionary, &d, NULL) != RS_OK) d = NULL;
    rs_project_data_let_go(p, set);
    if (!d) as->dictionary = 0;
    return d;
}

static rs_status make_blocks(struct rs_idle_writer *w, const rs_span *spans, size_t n, rs_arena *arena,
                             const rs_prepared *as, const rs_prepared **out, rs_err *err) {
    size_t cap = 0, count = 0, at = 0;
    void *blocks = NULL;
    rs_status st = RS_OK;
    while (st == RS_OK && at < n) {
        if (!rs_arena_grow(arena, &blocks, count, &cap, sizeof(rs_prepared_block))) st = RS_ERR_MEMORY;
        else st = make_block(w, spans, n, &at, arena, (rs_prepared_block *)blocks + count++, err);
    }
    if (st != RS_OK) return st;
    rs_prepared *made = rs_arena_alloc(arena, sizeof *made + count * sizeof(rs_prepared_block));
    if (!made) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory for a block");
    *made = *as;
    made->n = count;
    memcpy(made->blocks, blocks, count * sizeof(rs_prepared_block));
    *out = made;
    return RS_OK;
}

rs_status rs_store_prepare(rs_store *s, uint64_t project, const rs_span *spans, size_t n, rs_arena *arena,
                           const rs_prepared **out, rs_err *err) {
    rs_prepared as = {0};
    const rs_block_dictionary *against = NULL;
    *out = NULL;
    if (n < PREPARE_FROM) return RS_OK;
    struct rs_idle_writer *w = borrow(&s->writers, err);
    if (!w) return RS_ERR_MEMORY;
    rs_dictionary *d = borrow_dictionary(s, project, &as);
    rs_status st = d ? rs_dictionary_to_pack(d, &against, err) : RS_OK;
    rs_block_writer_use(&w->writer, against);
    if (st == RS_OK) st = make_blocks(w, spans, n, arena, &as, out, err);
    rs_block_writer_use(&w->writer, NULL);
    give_back(&s->writers, w);
    if (d) rs_dictionary_return(d);
    return st;
}
