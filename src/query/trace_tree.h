/* Spans -> a tree, for any spans at all.
 *
 * Nodes are in an array beside the spans (node i is span i), linked by index, so that nothing recurses
 * however deep a trace is. Every span is in the tree exactly once:
 *   - a span whose parent is not among the spans is a root;
 *   - of spans with one id, children hang below the one that started first;
 *   - a cycle of parents is cut at its earliest span, which becomes a root.
 * Roots and children are in start order (equal starts: order of the input). O(n) for spans in start order, as
 * the store gives them; other orders are sorted first. Pure; any thread. */
#ifndef RS_QUERY_TRACE_TREE_H
#define RS_QUERY_TRACE_TREE_H

#include "store/store.h"

enum { RS_TREE_NONE = UINT32_MAX };

typedef struct rs_tree_node {
    uint32_t parent, first_child, next_sibling; /* RS_TREE_NONE where there is none */
    uint32_t depth;                             /* 0 for a root */
} rs_tree_node;

typedef struct rs_trace_tree {
    rs_tree_node *nodes; /* n of them, in the arena */
    uint32_t n, first_root;
} rs_trace_tree;

RS_MUST_CHECK rs_status rs_trace_tree_build(const rs_span_place *spans, size_t n, rs_arena *arena,
                                            rs_trace_tree *out);

/* The node that follows in tree order (parents before children); RS_TREE_NONE at the end. */
uint32_t rs_trace_tree_next(const rs_trace_tree *tree, uint32_t node);

#endif
