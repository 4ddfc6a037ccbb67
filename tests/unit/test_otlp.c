#include "otlp/encode_json.h"
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

/* The spans of `seed` through one encoding and back. */
static void round_trip(uint64_t seed, bool json) {
    rs_arena arena;
    rs_arena_init(&arena, 0);
    rs_spans spans = random_spans(seed, 1 + seed % 5, &arena), back;
    rs_buf body;
    rs_buf_init(&body);
    if (json) request_json(&body, &spans, seed);
    else request_protobuf(&body, &spans);
    assert_int_equal(rs_buf_status(&body), RS_OK);
    rs_err err = {0};
    rs_status status =
        (json ? rs_otlp_decode_json : rs_otlp_decode_protobuf)(rs_buf_slice(&body), &arena, &back, &err);
    if (status != RS_OK) fail_msg("seed %d: %s at byte %zu", (int)seed, err.message, err.offset);
    assert_same_spans(&spans, &back, seed);
    rs_buf_deinit(&body);
    rs_arena_deinit(&arena);
}

static void decoding_undoes_encoding(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        round_trip(seed, false);
        round_trip(seed, true);
    }
}

static void every_truncation_is_an_error(void **state) {
    (void)state;
    rs_arena arena;
    rs_arena_init(&arena, 0);
    rs_spans spans = random_spans(7, 2, &arena);
    rs_buf protobuf, json;
    rs_buf_init(&protobuf);
    rs_buf_init(&json);
    request_protobuf(&protobuf, &spans);
    request_json(&json, &spans, 7);
    for (size_t n = 1; n < protobuf.n; n++)
        assert_int_equal(decode_exact(rs_otlp_decode_protobuf, (rs_str){protobuf.p, n}, 0, NULL),
                         RS_ERR_TRUNCATED);
    for (size_t n = 0; n < json.n; n++)
        assert_true(decode_exact(rs_otlp_decode_json, (rs_str){json.p, n}, 0, NULL) != RS_OK);
    rs_buf_deinit(&protobuf);
    rs_buf_deinit(&json);
    rs_arena_deinit(&arena);
}

/* With every limit from nothing to plenty: the request as a whole, or RS_ERR_MEMORY. */
static void exhausted_memory_is_an_error(void **state) {
    (void)state;
    rs_arena arena;
    rs_arena_init(&arena, 0);
    rs_spans spans = random_spans(11, 20, &arena);
    rs_buf protobuf, json;
    rs_buf_init(&protobuf);
    rs_buf_init(&json);
    request_protobuf(&protobuf, &spans);
    request_json(&json, &spans, 11);
    int failures = 0;
    for (size_t limit = 16; limit < 1 << 18; limit += limit / 40 + 16) {
        size_t n;
        rs_status status = decode_exact(rs_otlp_decode_protobuf, rs_buf_slice(&protobuf), limit, &n);
        assert_true(status == RS_OK ? n == 20 : status == RS_ERR_MEMORY);
        failures += status != RS_OK;
        status = decode_exact(rs_otlp_decode_json, rs_buf_slice(&json), limit, &n);
        assert_true(status == RS_OK ? n == 20 : status == RS_ERR_MEMORY);
        failures += status != RS_OK;
    }
    assert_true(failures > 100);
    assert_int_equal(decode_exact(rs_otlp_decode_json, rs_buf_slice(&json), 1 << 20, NULL), RS_OK);
    rs_buf_deinit(&protobuf);
    rs_buf_deinit(&json);
    rs_arena_deinit(&arena);
}

/* What a span is shown as is what its sender could have sent. */
static void a_span_as_json_is_the_same_span(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        rs_arena arena;
        rs_arena_init(&arena, 0);
        rs_spans spans = random_spans(seed, 1, &arena), back;
        rs_buf body;
        rs_buf_init(&body);
        rs_json j = rs_json_on(&body);
        rs_otlp_write_json(&j, &spans.items[0]);
        assert_int_equal(rs_buf_status(&body), RS_OK);
        rs_err err = {0};
        if (rs_otlp_decode_json(rs_buf_slice(&body), &arena, &back, &err) != RS_OK)
            fail_msg("seed %d: %s at byte %zu", (int)seed, err.message, err.offset);
        assert_same_spans(&spans, &back, seed);
        rs_buf_deinit(&body);
        rs_arena_deinit(&arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoding_undoes_encoding),
        cmocka_unit_test(a_span_as_json_is_the_same_span),
        cmocka_unit_test(every_truncation_is_an_error),
        cmocka_unit_test(exhausted_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
