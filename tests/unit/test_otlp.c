#include "random_spans.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

typedef rs_status decode_fn(rs_str body, rs_arena *arena, rs_spans *out, rs_err *err);

enum { ROUNDS = 200 };

/* Decodes a copy of exactly the body's size, so that a sanitizer sees a read past its end. */
static rs_status decode_exact(decode_fn *decode, rs_str body, size_t limit, size_t *nspans) {
    char *copy = malloc(body.n ? body.n : 1);
    assert_non_null(copy);
    if (body.n) memcpy(copy, body.p, body.n);
    rs_arena arena;
    rs_arena_init(&arena, limit);
    rs_spans spans;
    rs_err err = {0};
    rs_status status = decode((rs_str){copy, body.n}, &arena, &spans, &err);
    assert_int_equal(err.code, status);
    if (status != RS_OK) {
        assert_int_equal(spans.n, 0);
        assert_true(err.offset <= body.n);
        assert_true(err.message[0]);
    }
    if (nspans) *nspans = spans.n;
    rs_arena_deinit(&arena);
    free(copy);
    return status;
}

static void assert_same_spans(const rs_spans *a, const rs_spans *b, uint64_t seed) {
    assert_int_equal(a->n, b->n);
    assert_int_equal(b->rejected, 0);
    for (size_t i = 0; i < a->n; i++) {
        const char *what = spans_differ(&a->items[i], &b->items[i]);
        if (what) fail_msg("seed %d, span %zu: %s", (int)seed, i, what);
    }
}

static void decoding_protobuf_undoes_encoding(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        rs_arena arena;
        rs_arena_init(&arena, 0);
        rs_spans spans = random_spans(seed, 1 + seed % 5, &arena), back;
        rs_buf body;
        rs_buf_init(&body);
        request_protobuf(&body, &spans);
        assert_int_equal(rs_buf_status(&body), RS_OK);
        rs_err err = {0};
        assert_int_equal(rs_otlp_decode_protobuf(rs_buf_slice(&body), &arena, &back, &err), RS_OK);
        assert_same_spans(&spans, &back, seed);
        rs_buf_deinit(&body);
        rs_arena_deinit(&arena);
    }
}

static void truncated_protobuf_is_an_error_or_fewer_spans(void **state) {
    (void)state;
    rs_arena arena;
    rs_arena_init(&arena, 0);
    rs_spans spans = random_spans(7, 3, &arena);
    rs_buf body;
    rs_buf_init(&body);
    request_protobuf(&body, &spans);
    for (size_t n = 1; n < body.n; n++)
        assert_int_equal(decode_exact(rs_otlp_decode_protobuf, (rs_str){body.p, n}, 0, NULL),
                         RS_ERR_TRUNCATED);
    rs_buf_deinit(&body);
    rs_arena_deinit(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoding_protobuf_undoes_encoding),
        cmocka_unit_test(truncated_protobuf_is_an_error_or_fewer_spans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
