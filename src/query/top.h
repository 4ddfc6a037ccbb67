/* The first `limit` entries, in an order, of any number offered: a bounded heap. In an arena; one thread. */
#ifndef RS_QUERY_TOP_H
#define RS_QUERY_TOP_H

#include "base/arena.h"
#include "base/status.h"

typedef struct rs_top_entry {
    double value;
    int64_t key;
    uint8_t trace_id[16];
} rs_top_entry;

typedef struct rs_top {
    rs_arena *arena;
    bool ascending; /* by value, then by key */
    size_t limit, n, cap;
    rs_top_entry *heap; /* the last in the order at 0, until rs_top_sort */
} rs_top;

/* Negative, 0 or positive as a comes before, with or behind b in the order. */
int rs_top_compare(const rs_top *t, const rs_top_entry *a, const rs_top_entry *b);
RS_MUST_CHECK rs_status rs_top_offer(rs_top *t, const rs_top_entry *e);
/* Puts heap[0..n) into the order; nothing may be offered afterwards. */
void rs_top_sort(rs_top *t);

#endif
