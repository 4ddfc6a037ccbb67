#include "store/sqlite/intern.h"

#include "base/xxh.h"
#include <stdlib.h>

enum { FIRST_SLOTS = 64, KEPT_SLOTS = 1 << 16 };

void rs_intern_deinit(rs_intern *t) {
    free(t->items);
    free(t->slots);
    *t = (rs_intern){0};
}

void rs_intern_clear(rs_intern *t) {
    if (t->mask >= KEPT_SLOTS) rs_intern_deinit(t);
    if (t->slots) memset(t->slots, 0, ((size_t)t->mask + 1) * sizeof *t->slots);
    t->n = 0;
    t->failed = RS_OK;
}

/* At most half of the slots are ever in use. */
static bool grow(rs_intern *t) {
    uint32_t slots = t->mask ? (t->mask + 1) * 2 : FIRST_SLOTS;
    if (slots == 0) return false;
    rs_str *items = realloc(t->items, slots / 2 * sizeof *items);
    if (items) t->items = items;
    struct rs_intern_slot *place = calloc(slots, sizeof *place);
    if (!items || !place) {
        free(place);
        return false;
    }
    for (uint32_t i = 0; t->mask && i <= t->mask; i++) {
        if (!t->slots[i].number) continue;
        uint32_t at = t->slots[i].hash & (slots - 1);
        while (place[at].number) at = (at + 1) & (slots - 1);
        place[at] = t->slots[i];
    }
    free(t->slots);
    t->slots = place;
    t->mask = slots - 1;
    t->cap = slots / 2;
    return true;
}

static uint32_t hash_of(rs_str s) { return (uint32_t)XXH3_64bits(s.p ? s.p : "", s.n); }

/* The slot that has s, or the free one where it belongs. */
static uint32_t slot_of(const rs_intern *t, rs_str s, uint32_t hash) {
    uint32_t at = hash & t->mask;
    for (; t->slots[at].number; at = (at + 1) & t->mask)
        if (t->slots[at].hash == hash && rs_str_eq(t->items[t->slots[at].number - 1], s)) break;
    return at;
}

uint32_t rs_intern_find(const rs_intern *t, rs_str s) {
    if (t->n == 0) return UINT32_MAX;
    return t->slots[slot_of(t, s, hash_of(s))].number - 1;
}

uint32_t rs_intern_put(rs_intern *t, rs_str s) {
    if (t->failed != RS_OK) return 0;
    if (t->n == t->cap && !grow(t)) {
        t->failed = RS_ERR_MEMORY;
        return 0;
    }
    uint32_t hash = hash_of(s), at = slot_of(t, s, hash);
    if (t->slots[at].number) return t->slots[at].number - 1;
    t->items[t->n] = s;
    t->slots[at] = (struct rs_intern_slot){hash, t->n + 1};
    return t->n++;
}
