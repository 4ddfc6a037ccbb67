#include "query/top.h"

#include <stdlib.h>

int rs_top_compare(const rs_top *t, const rs_top_entry *a, const rs_top_entry *b) {
    int order = a->value != b->value ? (a->value > b->value) - (a->value < b->value)
                                     : (a->key > b->key) - (a->key < b->key);
    return t->ascending ? order : -order;
}

static void sift_up(rs_top *t, size_t at) {
    while (at > 0) {
        size_t up = (at - 1) / 2;
        if (rs_top_compare(t, &t->heap[at], &t->heap[up]) <= 0) return;
        rs_top_entry e = t->heap[at];
        t->heap[at] = t->heap[up];
        t->heap[up] = e;
        at = up;
    }
}

static void sift_down(rs_top *t) {
    for (size_t at = 0;;) {
        size_t last = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < t->n; child++)
            if (rs_top_compare(t, &t->heap[child], &t->heap[last]) > 0) last = child;
        if (last == at) return;
        rs_top_entry e = t->heap[at];
        t->heap[at] = t->heap[last];
        t->heap[last] = e;
        at = last;
    }
}

rs_status rs_top_offer(rs_top *t, const rs_top_entry *e) {
    if (t->limit == 0) return RS_OK;
    if (t->n == t->limit) {
        if (rs_top_compare(t, e, &t->heap[0]) >= 0) return RS_OK;
        t->heap[0] = *e;
        sift_down(t);
        return RS_OK;
    }
    if (!rs_arena_grow(t->arena, (void **)&t->heap, t->n, &t->cap, sizeof *t->heap)) return RS_ERR_MEMORY;
    t->heap[t->n++] = *e;
    sift_up(t, t->n - 1);
    return RS_OK;
}

static int by_order(const void *a, const void *b, void *ctx) { return rs_top_compare(ctx, a, b); }

void rs_top_sort(rs_top *t) {
    if (t->n > 1) qsort_r(t->heap, t->n, sizeof *t->heap, by_order, t);
}
