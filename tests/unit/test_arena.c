#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void allocations_are_aligned_and_apart(void **state) {
    (void)state;
    rs_arena a;
    rs_arena_init(&a, 0);
    char *last = NULL;
    for (size_t n = 0; n < 3000; n++) {
        char *p = rs_arena_alloc(&a, n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        memset(p, (int)n, n);
        if (n > 1) assert_int_equal((unsigned char)last[n - 2], (unsigned char)(n - 1));
        last = p;
    }
    rs_arena_deinit(&a);
    assert_null(a.chunks);
}

static void what_is_reset_is_used_again(void **state) {
    (void)state;
    rs_arena a;
    rs_arena_init(&a, 0);
    size_t held = 0;
    for (int round = 0; round < 5; round++) {
        char *last = NULL;
        for (size_t n = 1; n < 100000; n += n / 3 + 1) {
            char *p = rs_arena_alloc(&a, n);
            assert_non_null(p);
            memset(p, round, n);
            if (last) assert_int_equal(*last, round);
            last = p;
        }
        if (round > 0) assert_int_equal(a.held, held);
        held = a.held;
        rs_arena_reset(&a);
    }
    assert_non_null(rs_arena_alloc(&a, held * 2));
    assert_true(a.held > held);
    rs_arena_deinit(&a);
    assert_int_equal(a.held, 0);
}

static void the_limit_holds(void **state) {
    (void)state;
    for (size_t limit = 1; limit < 20000; limit += 777) {
        rs_arena a;
        rs_arena_init(&a, limit);
        while (rs_arena_alloc(&a, 40)) {
        }
        assert_true(a.held <= limit);
        assert_true(a.held + 48 > limit); /* and is used up: 40 rounded up to the alignment */
        assert_null(rs_arena_alloc(&a, limit + 1));
        rs_arena_deinit(&a);
        assert_int_equal(a.limit, limit);
    }
}

static void absurd_sizes_are_refused(void **state) {
    (void)state;
    rs_arena a;
    rs_arena_init(&a, 0);
    assert_null(rs_arena_alloc(&a, SIZE_MAX));
    assert_null(rs_arena_alloc(&a, SIZE_MAX - 20));
    assert_null(rs_arena_zalloc(&a, SIZE_MAX / 4, 8));
    void *items = NULL;
    size_t cap = SIZE_MAX / 2;
    assert_false(rs_arena_grow(&a, &items, cap, &cap, 8));
    rs_arena_deinit(&a);
}

static void copies_end_in_nul(void **state) {
    (void)state;
    rs_arena a;
    rs_arena_init(&a, 0);
    rs_str s = rs_arena_copy(&a, RS_STR("text"));
    assert_string_equal(s.p, "text");
    assert_int_equal(s.n, 4);
    assert_string_equal(rs_arena_copy(&a, (rs_str){0}).p, "");
    unsigned char *zero = rs_arena_zalloc(&a, 100, 3);
    for (int i = 0; i < 300; i++) assert_int_equal(zero[i], 0);
    rs_arena_deinit(&a);
}

static void arrays_grow(void **state) {
    (void)state;
    rs_arena a;
    rs_arena_init(&a, 0);
    void *items = NULL;
    size_t cap = 0;
    for (size_t n = 0; n < 1000; n++) {
        assert_true(rs_arena_grow(&a, &items, n, &cap, sizeof(size_t)));
        ((size_t *)items)[n] = n * n;
    }
    for (size_t n = 0; n < 1000; n++) assert_int_equal(((size_t *)items)[n], n * n);
    rs_arena_deinit(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_and_apart),
        cmocka_unit_test(what_is_reset_is_used_again),
        cmocka_unit_test(the_limit_holds),
        cmocka_unit_test(absurd_sizes_are_refused),
        cmocka_unit_test(copies_end_in_nul),
        cmocka_unit_test(arrays_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
