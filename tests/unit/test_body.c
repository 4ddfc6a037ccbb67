#include "otlp/body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <libdeflate.h>
#include <zstd.h>

enum { PLENTY = 1 << 20 };
static const rs_encoding encodings[] = {RS_ENCODING_GZIP, RS_ENCODING_DEFLATE, RS_ENCODING_ZSTD};

/* Appends s, compressed. */
static void compress(rs_encoding enc, rs_str s, rs_buf *out) {
    size_t room = s.n + s.n / 10 + 1024, n;
    char *p = rs_buf_reserve(out, room);
    assert_non_null(p);
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(6);
    if (enc == RS_ENCODING_ZSTD) n = ZSTD_compress(p, room, s.p, s.n, 3);
    else if (enc == RS_ENCODING_GZIP) n = libdeflate_gzip_compress(c, s.p, s.n, p, room);
    else n = libdeflate_zlib_compress(c, s.p, s.n, p, room);
    libdeflate_free_compressor(c);
    assert_true(n > 0 && n <= room);
    out->n += n;
}

/* want.p NULL: whatever comes out. */
static rs_status inflate(rs_encoding enc, rs_str body, size_t max, rs_str want) {
    char *exact = malloc(body.n ? body.n : 1); /* a sanitizer sees a read past its end */
    assert_non_null(exact);
    if (body.n) memcpy(exact, body.p, body.n);
    rs_buf out;
    rs_buf_init(&out);
    rs_err err = {0};
    rs_status status = rs_body_inflate(enc, (rs_str){exact, body.n}, max, &out, &err);
    assert_int_equal(err.code, status);
    assert_true(out.cap <= max);
    if (status == RS_OK && want.p) assert_true(rs_str_eq(rs_buf_slice(&out), want));
    rs_buf_deinit(&out);
    free(exact);
    return status;
}

static rs_str repetitive(size_t n) {
    char *p = malloc(n);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++) p[i] = "abcabcabd"[i % 9];
    return (rs_str){p, n};
}

static void sizes_up_to_the_maximum(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 100, 5000, 300000};
    for (size_t i = 0; i < RS_ARRAY_LEN(sizes) * 3; i++) {
        rs_encoding enc = encodings[i % 3];
        rs_str s = repetitive(sizes[i / 3] + 1);
        s.n--;
        rs_buf body;
        rs_buf_init(&body);
        compress(enc, s, &body);
        assert_int_equal(inflate(enc, rs_buf_slice(&body), PLENTY, s), RS_OK);
        assert_int_equal(inflate(enc, rs_buf_slice(&body), s.n, s), RS_OK); /* just fits */
        if (s.n) assert_int_equal(inflate(enc, rs_buf_slice(&body), s.n - 1, s), RS_ERR_TOO_LARGE);
        rs_buf_deinit(&body);
        free((char *)s.p);
    }
}

static void concatenated_members_are_one_body(void **state) {
    (void)state;
    rs_str s = repetitive(60000);
    for (int i = 0; i < 3; i++) {
        rs_buf body;
        rs_buf_init(&body);
        compress(encodings[i], (rs_str){s.p, 45000}, &body);
        compress(encodings[i], (rs_str){s.p + 45000, 15000}, &body);
        bool may = encodings[i] != RS_ENCODING_DEFLATE;
        assert_int_equal(inflate(encodings[i], rs_buf_slice(&body), PLENTY, s), may ? RS_OK : RS_ERR_INVALID);
        if (may) assert_int_equal(inflate(encodings[i], rs_buf_slice(&body), 59999, s), RS_ERR_TOO_LARGE);
        rs_buf_deinit(&body);
    }
    free((char *)s.p);
}

static void damage_is_an_error(void **state) {
    (void)state;
    rs_str s = repetitive(3000);
    for (int i = 0; i < 3; i++) {
        rs_buf body;
        rs_buf_init(&body);
        compress(encodings[i], s, &body);
        for (size_t n = 0; n < body.n; n++) {
            rs_status status = inflate(encodings[i], (rs_str){body.p, n}, PLENTY, s);
            assert_true(status == RS_ERR_INVALID || status == RS_ERR_TRUNCATED);
        }
        for (size_t at = 0; at < body.n; at++) {
            body.p[at] ^= 0x41;
            bool summed = encodings[i] != RS_ENCODING_ZSTD; /* zstd has a checksum only if asked for one */
            (void)!inflate(encodings[i], rs_buf_slice(&body), PLENTY, summed ? s : (rs_str){0});
            body.p[at] ^= 0x41;
        }
        rs_buf_put(&body, "garbage", 7);
        assert_int_equal(inflate(encodings[i], rs_buf_slice(&body), PLENTY, s), RS_ERR_INVALID);
        rs_buf_deinit(&body);
    }
    free((char *)s.p);
}

static void a_small_claim_does_not_help_a_bomb(void **state) {
    (void)state;
    rs_str zeros = {calloc(1, 50 << 20), 50 << 20};
    assert_non_null(zeros.p);
    for (int i = 0; i < 3; i++) {
        rs_buf body;
        rs_buf_init(&body);
        compress(encodings[i], zeros, &body);
        assert_true(body.n < 60000);
        assert_int_equal(inflate(encodings[i], rs_buf_slice(&body), PLENTY, zeros), RS_ERR_TOO_LARGE);
        if (encodings[i] == RS_ENCODING_GZIP) { /* the size in the trailer, made small */
            memcpy(body.p + body.n - 4, "\x10\0\0\0", 4);
            assert_int_equal(inflate(encodings[i], rs_buf_slice(&body), PLENTY, zeros), RS_ERR_TOO_LARGE);
            assert_int_equal(inflate(encodings[i], rs_buf_slice(&body), 51 << 20, zeros), RS_ERR_INVALID);
        }
        rs_buf_deinit(&body);
    }
    free((char *)zeros.p);
}

static void zstd_without_a_declared_size(void **state) {
    (void)state;
    rs_str s = repetitive(200000);
    char *packed = malloc(PLENTY);
    ZSTD_CCtx *c = ZSTD_createCCtx();
    assert_true(packed && c);
    ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, 0);
    size_t n = ZSTD_compress2(c, packed, PLENTY, s.p, s.n);
    assert_false(ZSTD_isError(n));
    assert_int_equal(inflate(RS_ENCODING_ZSTD, (rs_str){packed, n}, PLENTY, s), RS_OK);
    assert_int_equal(inflate(RS_ENCODING_ZSTD, (rs_str){packed, n}, s.n, s), RS_OK);
    assert_int_equal(inflate(RS_ENCODING_ZSTD, (rs_str){packed, n}, s.n - 1, s), RS_ERR_TOO_LARGE);
    assert_int_equal(inflate(RS_ENCODING_ZSTD, (rs_str){packed, n - 1}, PLENTY, s), RS_ERR_TRUNCATED);
    ZSTD_freeCCtx(c);
    free(packed);
    free((char *)s.p);
}

static void content_encoding_names(void **state) {
    (void)state;
    static const struct {
        const char *header;
        rs_status status;
        rs_encoding encoding;
    } cases[] = {
        {"", RS_OK, RS_ENCODING_IDENTITY},       {"identity", RS_OK, RS_ENCODING_IDENTITY},
        {" GZip\t", RS_OK, RS_ENCODING_GZIP},    {"x-gzip", RS_OK, RS_ENCODING_GZIP},
        {"deflate", RS_OK, RS_ENCODING_DEFLATE}, {"zstd", RS_OK, RS_ENCODING_ZSTD},
        {"br", RS_ERR_UNSUPPORTED, 0},           {"gzip, zstd", RS_ERR_UNSUPPORTED, 0},
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++) {
        rs_encoding got = RS_ENCODING_IDENTITY;
        rs_err err = {0};
        assert_int_equal(rs_encoding_parse(rs_str_of(cases[i].header), &got, &err), cases[i].status);
        assert_int_equal(got, cases[i].encoding);
        assert_int_equal(err.code, cases[i].status);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_up_to_the_maximum),      cmocka_unit_test(concatenated_members_are_one_body),
        cmocka_unit_test(damage_is_an_error),           cmocka_unit_test(a_small_claim_does_not_help_a_bomb),
        cmocka_unit_test(zstd_without_a_declared_size), cmocka_unit_test(content_encoding_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
