/* The tree of any spans at all: each of them exactly once, in start order, whatever their parents say. */
#include "query/trace_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static rs_span_place span_of(uint8_t id, uint8_t parent, uint64_t start) {
    return (rs_span_place){
        .span_id = {[7] = id}, .parent_id = {[7] = parent}, .has_parent = parent != 0, .start_ns = start};
}

/* "a(b c(d)) e": ids as letters, in tree order. */
static void draw(const rs_span_place *spans, size_t n, char *out, size_t cap) {
    rs_arena arena;
    rs_arena_init(&arena, 0);
    rs_trace_tree tree;
    assert_int_equal(rs_trace_tree_build(spans, n, &arena, &tree), RS_OK);
    size_t at = 0, seen = 0;
    uint32_t depth = 0;
    for (uint32_t i = tree.first_root; i != RS_TREE_NONE; i = rs_trace_tree_next(&tree, i), seen++) {
        assert_true(at + 8 < cap);
        if (tree.nodes[i].depth > depth) out[at++] = '(';
        for (; depth > tree.nodes[i].depth; depth--) out[at++] = ')';
        if (at > 0 && out[at - 1] != '(') out[at++] = ' ';
        depth = tree.nodes[i].depth;
        out[at++] = (char)spans[i].span_id[7];
    }
    while (depth-- > 0) out[at++] = ')';
    out[at] = 0;
    assert_int_equal(seen, n);
    rs_arena_deinit(&arena);
}

static void assert_tree(const rs_span_place *spans, size_t n, const char *expected) {
    char drawn[256];
    draw(spans, n, drawn, sizeof drawn);
    assert_string_equal(drawn, expected);
}

static void test_children_in_start_order(void **state) {
    (void)state;
    rs_span_place spans[] = {span_of('a', 0, 1), span_of('c', 'a', 2), span_of('b', 'a', 3),
                             span_of('d', 'c', 4)};
    assert_tree(spans, 4, "a(c(d) b)");
}

static void test_input_in_any_order(void **state) {
    (void)state;
    rs_span_place spans[] = {span_of('d', 'c', 4), span_of('b', 'a', 3), span_of('c', 'a', 2),
                             span_of('a', 0, 1)};
    assert_tree(spans, 4, "a(c(d) b)");
}

static void test_missing_parent_is_a_root(void **state) {
    (void)state;
    rs_span_place spans[] = {span_of('a', 0, 1), span_of('b', 'x', 2), span_of('c', 'b', 3)};
    assert_tree(spans, 3, "a b(c)");
}

static void test_child_before_parent(void **state) {
    (void)state;
    rs_span_place spans[] = {span_of('b', 'a', 1), span_of('a', 0, 5)};
    assert_tree(spans, 2, "a(b)");
}

static void test_own_parent(void **state) {
    (void)state;
    rs_span_place spans[] = {span_of('a', 'a', 1), span_of('b', 'a', 2)};
    assert_tree(spans, 2, "a(b)");
}

static void test_cycle_is_cut_at_its_earliest(void **state) {
    (void)state;
    rs_span_place spans[] = {span_of('t', 'b', 0), span_of('b', 'c', 1), span_of('c', 'a', 2),
                             span_of('a', 'b', 3)};
    assert_tree(spans, 4, "b(t a(c))");
    rs_span_place two[] = {span_of('a', 'b', 1), span_of('b', 'a', 1), span_of('c', 'd', 2),
                           span_of('d', 'c', 3)};
    assert_tree(two, 4, "a(b) c(d)");
}

static void test_one_id_twice(void **state) {
    (void)state;
    rs_span_place spans[] = {span_of('a', 0, 1), span_of('b', 'a', 2), span_of('b', 'a', 3),
                             span_of('c', 'b', 4)};
    assert_tree(spans, 4, "a(b(c) b)");
    rs_span_place under_itself[] = {span_of('a', 0, 1), span_of('a', 'a', 2)};
    assert_tree(under_itself, 2, "a(a)");
}

static void test_nothing(void **state) {
    (void)state;
    assert_tree(NULL, 0, "");
}

static rs_span_place *numbered(size_t n) {
    rs_span_place *spans = calloc(n, sizeof *spans);
    assert_non_null(spans);
    for (size_t i = 0; i < n; i++) {
        uint64_t id = i + 1;
        memcpy(spans[i].span_id, &id, 8);
        spans[i].start_ns = i;
    }
    return spans;
}

static void test_deep_chain(void **state) {
    (void)state;
    enum { N = 100000 };
    rs_span_place *spans = numbered(N);
    for (size_t i = 1; i < N; i++) {
        spans[i].has_parent = true;
        memcpy(spans[i].parent_id, spans[i - 1].span_id, 8);
    }
    rs_arena arena;
    rs_arena_init(&arena, 0);
    rs_trace_tree tree;
    assert_int_equal(rs_trace_tree_build(spans, N, &arena, &tree), RS_OK);
    assert_int_equal(tree.nodes[N - 1].depth, N - 1);
    spans[0].has_parent = true; /* and the whole of it a ring */
    memcpy(spans[0].parent_id, spans[N - 1].span_id, 8);
    assert_int_equal(rs_trace_tree_build(spans, N, &arena, &tree), RS_OK);
    assert_int_equal(tree.first_root, 0);
    assert_int_equal(tree.nodes[N - 1].depth, N - 1);
    rs_arena_deinit(&arena);
    free(spans);
}

/* Random parents, ids and starts: always a forest that holds each span once, siblings in start order. */
static void test_random_graphs(void **state) {
    (void)state;
    srand(7);
    for (int round = 0; round < 2000; round++) {
        size_t n = 1 + (size_t)rand() % 24;
        rs_span_place spans[24];
        for (size_t i = 0; i < n; i++)
            spans[i] = span_of((uint8_t)(1 + rand() % 20), (uint8_t)(rand() % 22), (uint64_t)(rand() % 10));
        rs_arena arena;
        rs_arena_init(&arena, 0);
        rs_trace_tree tree;
        assert_int_equal(rs_trace_tree_build(spans, n, &arena, &tree), RS_OK);
        bool seen[24] = {0};
        size_t count = 0;
        for (uint32_t i = tree.first_root; i != RS_TREE_NONE; i = rs_trace_tree_next(&tree, i)) {
            assert_false(seen[i]);
            seen[i] = true;
            count++;
            uint32_t next = tree.nodes[i].next_sibling;
            if (next != RS_TREE_NONE) assert_true(spans[i].start_ns <= spans[next].start_ns);
        }
        assert_int_equal(count, n);
        rs_arena_deinit(&arena);
    }
}

static void test_out_of_memory(void **state) {
    (void)state;
    rs_span_place *spans = numbered(1000);
    rs_arena arena;
    rs_arena_init(&arena, 20000);
    rs_trace_tree tree;
    assert_int_equal(rs_trace_tree_build(spans, 1000, &arena, &tree), RS_ERR_MEMORY);
    rs_arena_deinit(&arena);
    free(spans);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_children_in_start_order),
        cmocka_unit_test(test_input_in_any_order),
        cmocka_unit_test(test_missing_parent_is_a_root),
        cmocka_unit_test(test_child_before_parent),
        cmocka_unit_test(test_own_parent),
        cmocka_unit_test(test_cycle_is_cut_at_its_earliest),
        cmocka_unit_test(test_one_id_twice),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_deep_chain),
        cmocka_unit_test(test_random_graphs),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
