#include "query/trace_tree.h"

#include "base/ids.h"
#include <stdlib.h>

/* The spans being linked. order[] lists them by start; slots[] finds the first of an id (open addressing, at
 * most half full; the hash is keyed anew per tree, so nobody can choose ids that collide). */
typedef struct builder {
    const rs_span_place *spans;
    uint32_t n, mask;
    uint32_t *order, *rank, *slots;
    uint64_t seed;
    rs_tree_node *nodes;
} builder;

static uint32_t slot_of(const builder *b, const uint8_t id[8]) {
    uint64_t v;
    memcpy(&v, id, 8);
    v = (v ^ b->seed) * 0x9e3779b97f4a7c15u;
    v = (v ^ v >> 29) * 0xbf58476d1ce4e5b9u;
    return (uint32_t)(v >> 32) & b->mask;
}

/* The slot that holds the id, or the empty one where it belongs. */
static uint32_t *find_slot(const builder *b, const uint8_t id[8]) {
    uint32_t at = slot_of(b, id);
    while (b->slots[at] != RS_TREE_NONE && memcmp(b->spans[b->slots[at]].span_id, id, 8) != 0)
        at = (at + 1) & b->mask;
    return &b->slots[at];
}

static int by_start(const void *a, const void *b, void *ctx) {
    const rs_span_place *spans = ctx;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    if (spans[x].start_ns != spans[y].start_ns) return spans[x].start_ns < spans[y].start_ns ? -1 : 1;
    return x < y ? -1 : x > y;
}

static void put_in_order(builder *b) {
    bool sorted = true;
    for (uint32_t i = 0; i < b->n; i++) {
        b->order[i] = i;
        sorted = sorted && (i == 0 || b->spans[i - 1].start_ns <= b->spans[i].start_ns);
    }
    if (!sorted) qsort_r(b->order, b->n, sizeof b->order[0], by_start, (void *)b->spans);
    for (uint32_t i = 0; i < b->n; i++) b->rank[b->order[i]] = i;
}

static void find_parents(builder *b) {
    for (uint32_t i = 0; i <= b->mask; i++) b->slots[i] = RS_TREE_NONE;
    for (uint32_t i = 0; i < b->n; i++) {
        uint32_t *slot = find_slot(b, b->spans[b->order[i]].span_id);
        if (*slot == RS_TREE_NONE) *slot = b->order[i];
    }
    for (uint32_t i = 0; i < b->n; i++)
        b->nodes[i].parent = b->spans[i].has_parent ? *find_slot(b, b->spans[i].parent_id) : RS_TREE_NONE;
}

/* Cuts the cycle that `member` is on at its earliest span. */
static void cut_cycle(builder *b, uint32_t member) {
    uint32_t earliest = member;
    for (uint32_t at = b->nodes[member].parent; at != member; at = b->nodes[at].parent)
        if (b->rank[at] < b->rank[earliest]) earliest = at;
    b->nodes[earliest].parent = RS_TREE_NONE;
}

/* Walks up from each span until known ground; a walk that meets itself is on a cycle. Each node is walked
 * once. */
static void cut_cycles(builder *b) {
    uint32_t *walked_by = b->slots; /* the ids are resolved: their table holds n entries and more */
    for (uint32_t i = 0; i < b->n; i++) walked_by[i] = RS_TREE_NONE;
    for (uint32_t i = 0; i < b->n; i++) {
        uint32_t at = i;
        while (at != RS_TREE_NONE && walked_by[at] == RS_TREE_NONE) {
            walked_by[at] = i;
            at = b->nodes[at].parent;
        }
        if (at != RS_TREE_NONE && walked_by[at] == i) cut_cycle(b, at);
    }
}

/* Prepends in reverse start order, so that lists come out in start order. */
static uint32_t link_children(builder *b) {
    uint32_t first_root = RS_TREE_NONE;
    for (uint32_t i = b->n; i-- > 0;) {
        rs_tree_node *node = &b->nodes[b->order[i]];
        uint32_t *head = node->parent == RS_TREE_NONE ? &first_root : &b->nodes[node->parent].first_child;
        node->next_sibling = *head;
        *head = b->order[i];
    }
    return first_root;
}

rs_status rs_trace_tree_build(const rs_span_place *spans, size_t n, rs_arena *arena, rs_trace_tree *out) {
    *out = (rs_trace_tree){.first_root = RS_TREE_NONE};
    if (n >= RS_TREE_NONE / 4) return RS_ERR_TOO_LARGE;
    builder b = {.spans = spans, .n = (uint32_t)n, .mask = 1, .seed = rs_id_random()};
    while (b.mask < 2 * n) b.mask = b.mask * 2 + 1;
    b.nodes = rs_arena_zalloc(arena, n, sizeof *b.nodes);
    b.order = rs_arena_zalloc(arena, n, sizeof *b.order);
    b.rank = rs_arena_zalloc(arena, n, sizeof *b.rank);
    b.slots = rs_arena_zalloc(arena, (size_t)b.mask + 1, sizeof *b.slots);
    if (!b.nodes || !b.order || !b.rank || !b.slots) return RS_ERR_MEMORY;
    for (uint32_t i = 0; i < b.n; i++) b.nodes[i].first_child = RS_TREE_NONE;
    put_in_order(&b);
    find_parents(&b);
    cut_cycles(&b);
    *out = (rs_trace_tree){.nodes = b.nodes, .n = b.n, .first_root = link_children(&b)};
    for (uint32_t i = out->first_root; i != RS_TREE_NONE; i = rs_trace_tree_next(out, i))
        if (b.nodes[i].parent != RS_TREE_NONE) b.nodes[i].depth = b.nodes[b.nodes[i].parent].depth + 1;
    return RS_OK;
}

uint32_t rs_trace_tree_next(const rs_trace_tree *tree, uint32_t node) {
    if (tree->nodes[node].first_child != RS_TREE_NONE) return tree->nodes[node].first_child;
    while (node != RS_TREE_NONE && tree->nodes[node].next_sibling == RS_TREE_NONE)
        node = tree->nodes[node].parent;
    return node == RS_TREE_NONE ? RS_TREE_NONE : tree->nodes[node].next_sibling;
}
