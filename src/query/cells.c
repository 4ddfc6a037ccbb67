#include "query/cells.h"

#include "base/xxh.h"

enum { FIRST_SLOTS = 256 };

/* Room for one more; false if memory is exhausted. Slots hold number + 1, and hash() says where one belongs. */
static bool make_slots(rs_arena *arena, uint32_t **slots, uint32_t *mask, size_t n,
                       uint64_t (*hash)(const void *ctx, size_t i), const void *ctx) {
    if (*mask && n < *mask / 2) return true;
    uint32_t size = *mask ? (*mask + 1) * 2 : FIRST_SLOTS;
    uint32_t *made = rs_arena_zalloc(arena, size, sizeof *made);
    if (!made) return false;
    for (size_t i = 0; i < n; i++) {
        uint32_t at = (uint32_t)hash(ctx, i) & (size - 1);
        while (made[at]) at = (at + 1) & (size - 1);
        made[at] = (uint32_t)i + 1;
    }
    *slots = made;
    *mask = size - 1;
    return true;
}

/* ---- groups -------------------------------------------------------------------------------------------- */

static uint64_t hash_group(const rs_group *g) {
    uint64_t seed = g->field * 4u + g->is_others * 2u + g->is_null;
    return XXH3_64bits_withSeed(g->value.p ? g->value.p : "", g->value.n, seed);
}

static uint64_t hash_of_group(const void *ctx, size_t i) {
    return hash_group(&((const rs_cells *)ctx)->groups[i]);
}

static bool same(const rs_group *a, const rs_group *b) {
    return a->field == b->field && a->is_others == b->is_others && a->is_null == b->is_null &&
           rs_str_eq(a->value, b->value);
}

static rs_status find_group(rs_cells *c, const rs_group *wanted, bool make, uint32_t *out) {
    *out = UINT32_MAX;
    if (!make_slots(c->arena, &c->group_slots, &c->group_mask, c->ngroups, hash_of_group, c))
        return RS_ERR_MEMORY;
    uint32_t at = (uint32_t)hash_group(wanted) & c->group_mask;
    for (; c->group_slots[at]; at = (at + 1) & c->group_mask)
        if (same(&c->groups[c->group_slots[at] - 1], wanted)) return *out = c->group_slots[at] - 1, RS_OK;
    if (!make) return RS_OK;
    if (!rs_arena_grow(c->arena, (void **)&c->groups, c->ngroups, &c->groups_cap, sizeof *c->groups))
        return RS_ERR_MEMORY;
    rs_group *g = &c->groups[c->ngroups];
    *g = *wanted;
    g->value = rs_arena_copy(c->arena, wanted->value);
    if (!g->value.p) return RS_ERR_MEMORY;
    c->of_field[g->field]++;
    c->texts += g->value.n;
    *out = (uint32_t)c->ngroups++;
    c->group_slots[at] = *out + 1;
    return RS_OK;
}

rs_status rs_cells_others(rs_cells *c, unsigned field, uint32_t *out) {
    rs_group others = {.field = field, .is_others = true};
    c->overflowed = true;
    return find_group(c, &others, true, out);
}

rs_status rs_cells_group(rs_cells *c, unsigned field, rs_str text, uint32_t *out) {
    rs_group wanted = {
        .field = field, .is_null = text.p == NULL, .value = rs_str_cut_utf8(text, RS_CELLS_TEXT_MAX)};
    uint32_t most = c->most ? c->most : RS_CELLS_GROUPS;
    bool has_room = c->of_field[field] < most && c->texts + wanted.value.n <= RS_CELLS_TEXTS_MAX;
    rs_status st = find_group(c, &wanted, has_room, out);
    return st == RS_OK && *out == UINT32_MAX ? rs_cells_others(c, field, out) : st;
}

/* ---- cells --------------------------------------------------------------------------------------------- */

static uint64_t hash_cell(uint32_t group, uint64_t bucket) {
    uint64_t v = bucket * 0x9e3779b97f4a7c15u + group;
    v = (v ^ v >> 32) * 0xbf58476d1ce4e5b9u;
    return v ^ v >> 32;
}

static uint64_t hash_of_cell(const void *ctx, size_t i) {
    const rs_cell *cell = &((const rs_cells *)ctx)->items[i];
    return hash_cell(cell->group, cell->bucket);
}

rs_status rs_cells_at(rs_cells *c, uint32_t group, uint64_t bucket, rs_cell **out) {
    if (!make_slots(c->arena, &c->slots, &c->mask, c->n, hash_of_cell, c)) return RS_ERR_MEMORY;
    uint32_t at = (uint32_t)hash_cell(group, bucket) & c->mask;
    for (; c->slots[at]; at = (at + 1) & c->mask) {
        rs_cell *cell = &c->items[c->slots[at] - 1];
        if (cell->group == group && cell->bucket == bucket) return *out = cell, RS_OK;
    }
    if (c->n == RS_CELLS_MAX) return RS_ERR_TOO_LARGE;
    if (!rs_arena_grow(c->arena, (void **)&c->items, c->n, &c->cap, sizeof *c->items)) return RS_ERR_MEMORY;
    c->items[c->n] = (rs_cell){.group = group, .bucket = bucket};
    *out = &c->items[c->n++];
    c->slots[at] = (uint32_t)c->n;
    return RS_OK;
}

void rs_cell_see(rs_cell *c, uint64_t start_ns, const uint8_t trace_id[16]) {
    if (start_ns == 0) return;
    if (c->first_ns == 0 || start_ns < c->first_ns) c->first_ns = start_ns;
    if (start_ns <= c->last_ns) return;
    c->last_ns = start_ns;
    memcpy(c->last_trace, trace_id, sizeof c->last_trace);
}

rs_status rs_cell_merge(rs_cell *c, const rs_cell *from, double scale, rs_arena *arena) {
    rs_cell_see(c, from->first_ns, from->last_trace);
    rs_cell_see(c, from->last_ns, from->last_trace);
    return rs_sums_merge(&c->sums, &from->sums, scale, arena);
}

rs_status rs_cells_merge(rs_cells *c, const rs_cells *from, double scale) {
    rs_status st = RS_OK;
    for (size_t i = 0; i < from->n && st == RS_OK; i++) {
        const rs_cell *cell = &from->items[i];
        const rs_group *g = &from->groups[cell->group];
        uint32_t group;
        rs_cell *to;
        st = g->is_others ? rs_cells_others(c, g->field, &group)
                          : rs_cells_group(c, g->field, g->is_null ? (rs_str){0} : g->value, &group);
        if (st == RS_OK) st = rs_cells_at(c, group, cell->bucket, &to);
        if (st == RS_OK) st = rs_cell_merge(to, cell, scale, c->arena);
    }
    return st;
}
