#include "sdk/open_spans.h"

#include <stdlib.h>

struct rs_open_chunk {
    rs_open_chunk *next;
    char *heap; /* the slots' memory, where it is not the spool's */
    respan_span spans[RS_SPOOL_SLOTS];
    rs_open_told told[RS_SPOOL_SLOTS]; /* the exporter's, of the span in the same place */
};

enum { SMALL_ROOM = RS_SPOOL_SLOT - sizeof(rs_spool_slot), LINE = 64 };

/* The span writes into its own slot. */
static void go_home(respan_span *s) {
    s->slot = s->home;
    s->fields.wire.p = (char *)(s->home + 1);
    s->fields.wire.cap = SMALL_ROOM;
}

/* ---- the pool ------------------------------------------------------------------------------------------ */

static bool add_chunk(rs_open_spans *o, rs_spool *spool) {
    rs_open_chunk *chunk = calloc(1, sizeof *chunk);
    if (!chunk) return false;
    char *slots = spool ? (char *)rs_spool_claim_slots(spool) : NULL;
    uint64_t key = slots ? rs_spool_key(spool) : 0;
    if (!slots) slots = chunk->heap = aligned_alloc(LINE, RS_SPOOL_SLOTS * RS_SPOOL_SLOT);
    if (!slots) {
        free(chunk);
        return false;
    }
    for (int i = RS_SPOOL_SLOTS - 1; i >= 0; i--) {
        respan_span *s = &chunk->spans[i];
        rs_fields_init(&s->fields, 0);
        s->home = (rs_spool_slot *)(slots + i * RS_SPOOL_SLOT);
        s->key = key;
        s->is_in_file = !chunk->heap;
        if (chunk->heap) s->home->check = 0;
        go_home(s);
        s->next = o->free;
        o->free = s;
    }
    o->made += RS_SPOOL_SLOTS;
    o->free_n += RS_SPOOL_SLOTS;
    chunk->next = o->chunks;
    o->chunks = chunk;
    return true;
}

respan_span *rs_open_take(rs_open_spans *o, rs_spool *spool) {
    if (__builtin_expect(!o->free, 0) && !add_chunk(o, spool)) return NULL;
    respan_span *s = o->free;
    o->free = s->next;
    o->free_n--;
    return s;
}

/* A larger slot, or a large allocation. */
static void drop_large(respan_span *s, rs_spool *spool) {
    if (s->is_large_on_heap) free(s->fields.wire.p);
    s->is_large_on_heap = false;
    if (s->place.base) {
        rs_open_withdraw(s);
        rs_spool_release_slot(spool, &s->place);
    }
}

void rs_open_give(rs_open_spans *o, rs_spool *spool, respan_span *s, bool stays) {
    if (__builtin_expect(stays, 0)) { /* the pool is closed, and the slot nobody else's from here on */
        rs_fields_reset(&s->fields);
        o->free_n++;
        return;
    }
    if (__builtin_expect(s->is_large_on_heap || s->place.base, 0)) {
        drop_large(s, spool);
        go_home(s);
    }
    rs_fields_reset(&s->fields);
    rs_open_withdraw(s);
    if (!o->closed && !__atomic_load_n(&o->at_hand, __ATOMIC_RELAXED)) {
        __atomic_store_n(&o->at_hand, s, __ATOMIC_RELEASE); /* nobody else puts one there: the lock is held */
        return;
    }
    s->next = o->free;
    o->free = s;
    o->free_n++;
}

uint64_t rs_open_count(const rs_open_spans *o) {
    return o->made - o->free_n - (__atomic_load_n(&o->at_hand, __ATOMIC_RELAXED) != NULL);
}

size_t rs_open_look(const rs_open_spans *o, rs_open_chunk **at, rs_open_seen out[RS_SPOOL_SLOTS]) {
    rs_open_chunk *c = *at ? *at : o->chunks;
    size_t n = 0;
    for (int i = 0; c && i < RS_SPOOL_SLOTS; i++) {
        const respan_span *s = &c->spans[i];
        if (!s->is_in_file && !s->place.base) continue;
        uint64_t check = __atomic_load_n(&s->slot->check, __ATOMIC_ACQUIRE);
        if (check == 0) continue;
        size_t room = SMALL_ROOM;
        if (s->place.base)
            room = (size_t)s->place.blocks * RS_SPOOL_BLOCK - sizeof(rs_spool_slots) - sizeof(rs_spool_slot);
        out[n++] = (rs_open_seen){.slot = s->slot,
                                  .room = room,
                                  .check = check,
                                  .written = __atomic_load_n(&s->slot->written, __ATOMIC_ACQUIRE),
                                  .told = &c->told[i]};
    }
    *at = c ? c->next : NULL;
    return n;
}

bool rs_open_close(rs_open_spans *o) {
    o->closed = true;
    respan_span *s = rs_open_take_at_hand(o);
    if (s) {
        s->next = o->free;
        o->free = s;
        o->free_n++;
    }
    for (rs_open_chunk *c = o->chunks; c; c = c->next)
        for (int i = 0; i < RS_SPOOL_SLOTS; i++) {
            s = &c->spans[i];
            bool in_file = s->is_in_file || s->place.base;
            if (in_file && __atomic_load_n(&s->slot->check, __ATOMIC_RELAXED)) return true;
        }
    return false;
}

uint64_t rs_open_reset(rs_open_spans *o) {
    rs_open_chunk **last = &o->chunks;
    while (*last) last = &(*last)->next;
    *last = o->stale;
    uint64_t out = rs_open_count(o);
    *o = (rs_open_spans){.stale = o->chunks};
    return out;
}

static void free_chunks(rs_open_chunk *c) {
    while (c) {
        rs_open_chunk *next = c->next;
        for (int i = 0; i < RS_SPOOL_SLOTS; i++) {
            if (c->spans[i].is_large_on_heap) free(c->spans[i].fields.wire.p);
            rs_fields_reset(&c->spans[i].fields);
        }
        free(c->heap);
        free(c);
        c = next;
    }
}

void rs_open_deinit(rs_open_spans *o) {
    free_chunks(o->chunks);
    free_chunks(o->stale);
    *o = (rs_open_spans){0};
}

/* ---- one span ------------------------------------------------------------------------------------------ */

void rs_open_publish(respan_span *s) {
    if (s->unseen) return;
    rs_spool_slot *slot = s->slot;
    memcpy(slot->trace_id, s->context.trace_id, sizeof slot->trace_id);
    memcpy(slot->span_id, s->context.span_id, sizeof slot->span_id);
    memcpy(slot->parent_id, s->parent_id, sizeof slot->parent_id);
    slot->start_ns = s->start_ns;
    slot->end_ns = 0;
    rs_open_note(s, 0);
    __atomic_store_n(&slot->check, rs_spool_slot_check(slot, s->key), __ATOMIC_RELEASE);
}

static bool move_to_heap(respan_span *s, size_t need) {
    char *to = malloc(need), *old = s->is_large_on_heap ? s->fields.wire.p : NULL;
    if (!to) return false;
    rs_fields_moved(&s->fields, to, need);
    s->sum = (rs_spool_sum){0};
    free(old);
    s->is_large_on_heap = true; /* what the slot says stays: it is better than nothing */
    return true;
}

bool rs_open_move(respan_span *s, rs_spool *spool, size_t room) {
    size_t need = rs_fields_live_size(&s->fields) + room, bytes;
    if (need < UINT32_MAX / 4) need *= 2; /* it is likely to grow on */
    rs_spool_place before = s->place, place;
    rs_spool_slot *slot =
        spool && !s->is_large_on_heap ? rs_spool_claim_slot(spool, need, &place, &bytes) : NULL;
    if (!slot) return move_to_heap(s, need);
    rs_fields_moved(&s->fields, (char *)(slot + 1), bytes - sizeof *slot);
    rs_spool_slot *old = s->slot;
    s->slot = slot;
    s->place = place;
    s->sum = (rs_spool_sum){0};
    rs_open_publish(s);
    __atomic_store_n(&old->check, 0, __ATOMIC_RELEASE);
    if (before.base) rs_spool_release_slot(spool, &before);
    return true;
}
