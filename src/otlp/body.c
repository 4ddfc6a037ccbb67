#include "otlp/body.h"

#include <libdeflate.h>
#include <stdint.h>
#include <stdlib.h>
#include <zstd.h>

static rs_str trim(rs_str s) {
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) s = rs_str_from(s, 1);
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t')) s.n--;
    return s;
}

rs_status rs_encoding_parse(rs_str header, rs_encoding *out, rs_err *err) {
    static const struct {
        rs_str name;
        rs_encoding encoding;
    } known[] = {
        {RS_STR(""), RS_ENCODING_IDENTITY}, {RS_STR("identity"), RS_ENCODING_IDENTITY},
        {RS_STR("gzip"), RS_ENCODING_GZIP}, {RS_STR("x-gzip"), RS_ENCODING_GZIP},
        {RS_STR("zstd"), RS_ENCODING_ZSTD}, {RS_STR("deflate"), RS_ENCODING_DEFLATE},
    };
    rs_str name = trim(header);
    for (size_t i = 0; i < RS_ARRAY_LEN(known); i++) {
        if (!rs_str_eq_nocase(name, known[i].name)) continue;
        *out = known[i].encoding;
        return RS_OK;
    }
    rs_str shown = rs_str_cut_utf8(name, 60);
    return rs_fail(err, RS_ERR_UNSUPPORTED, 0,
                   "Content-Encoding \"%.*s\" is none of gzip, deflate, zstd, identity", RS_STR_ARG(shown));
}

static rs_status too_large(size_t max, rs_err *err) {
    return rs_fail(err, RS_ERR_TOO_LARGE, 0, "the body inflates to more than %zu bytes", max);
}

static rs_status out_of_memory(rs_err *err) {
    return rs_fail(err, RS_ERR_MEMORY, 0, "no memory to inflate the body");
}

/* rs_buf's own growth may overshoot; here no more than the maximum is ever held. */
static rs_status set_capacity(rs_buf *out, size_t cap, rs_err *err) {
    char *p = realloc(out->p, cap ? cap : 1);
    if (!p) return out_of_memory(err);
    out->p = p;
    out->cap = cap;
    return RS_OK;
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* A capacity to begin with: what the stream claims, if it is possible, else some times its size. */
static size_t first_capacity(size_t claimed, size_t body, size_t most_possible, size_t max) {
    size_t guess = claimed && claimed <= most_possible ? claimed : smaller(body, SIZE_MAX / 8) * 4 + 1024;
    return smaller(guess, max);
}

/* ---- gzip and zlib ------------------------------------------------------------------------------------- */

typedef enum libdeflate_result inflate_fn(struct libdeflate_decompressor *, const void *in, size_t in_n,
                                          void *out, size_t out_n, size_t *used, size_t *made);

/* gzip's last four bytes say how much the last member inflates to, modulo 2^32: a hint, no more. */
static size_t gzip_claim(rs_str body) {
    const unsigned char *p = (const unsigned char *)body.p + body.n - 4;
    return (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
}

/* One member from in[*at] on. Inflated again from its start when the buffer was too small: four times the buffer
 * each time, so that all tries together cost little more than the last. */
static rs_status inflate_member(struct libdeflate_decompressor *d, inflate_fn *inflate, rs_str in, size_t *at,
                                size_t max, rs_buf *out, rs_err *err) {
    for (;;) {
        size_t used = 0, made = 0;
        switch (inflate(d, in.p + *at, in.n - *at, out->p + out->n, out->cap - out->n, &used, &made)) {
        case LIBDEFLATE_SUCCESS:
            *at += used;
            out->n += made;
            return RS_OK;
        case LIBDEFLATE_INSUFFICIENT_SPACE: {
            if (out->cap == max) return too_large(max, err);
            rs_status status = set_capacity(out, out->cap > max / 4 ? max : out->cap * 4, err);
            if (status != RS_OK) return status;
            break;
        }
        default:
            return rs_fail(err, RS_ERR_INVALID, *at, "the compressed body is damaged or cut short");
        }
    }
}

static rs_status inflate_deflate(rs_encoding enc, rs_str body, size_t max, rs_buf *out, rs_err *err) {
    enum {
        GZIP_LEAST = 18,
        ZLIB_LEAST = 6,
        DEFLATE_MOST = 1032
    }; /* no deflate stream does better than 1032 : 1 */
    bool gzip = enc == RS_ENCODING_GZIP;
    if (body.n < (gzip ? GZIP_LEAST : ZLIB_LEAST))
        return rs_fail(err, RS_ERR_TRUNCATED, body.n,
                       "the compressed body ends before its first byte of content");
    size_t most = body.n > SIZE_MAX / DEFLATE_MOST ? SIZE_MAX : body.n * DEFLATE_MOST;
    rs_status status = set_capacity(out, first_capacity(gzip ? gzip_claim(body) : 0, body.n, most, max), err);
    if (status != RS_OK) return status;
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    if (!d) return out_of_memory(err);
    inflate_fn *inflate = gzip ? libdeflate_gzip_decompress_ex : libdeflate_zlib_decompress_ex;
    size_t at = 0;
    do status = inflate_member(d, inflate, body, &at, max, out, err);
    while (status == RS_OK && gzip && at < body.n); /* gzip files may be concatenated (RFC 1952, 2.2) */
    if (status == RS_OK && at < body.n)
        status = rs_fail(err, RS_ERR_INVALID, at, "bytes follow the end of the compressed body");
    libdeflate_free_decompressor(d);
    return status;
}

/* ---- zstd ---------------------------------------------------------------------------------------------- */

static rs_status zstd_error(size_t result, size_t at, rs_err *err) {
    return rs_fail(err, RS_ERR_INVALID, at, "the compressed body is damaged: %s", ZSTD_getErrorName(result));
}

/* Frames until the input ends. At the maximum, one spare byte tells a body that just fits from a larger one. */
static rs_status inflate_frames(ZSTD_DCtx *ctx, rs_str body, size_t max, rs_buf *out, rs_err *err) {
    ZSTD_inBuffer in = {body.p, body.n, 0};
    for (;;) {
        if (out->n == out->cap && out->cap < max) {
            rs_status status = set_capacity(out, out->cap > max / 2 ? max : out->cap * 2, err);
            if (status != RS_OK) return status;
        }
        char spare;
        bool full = out->n == max;
        ZSTD_outBuffer to = {full ? &spare : out->p + out->n, full ? 1 : out->cap - out->n, 0};
        size_t left = ZSTD_decompressStream(ctx, &to, &in);
        if (ZSTD_isError(left)) return zstd_error(left, in.pos, err);
        if (full && to.pos) return too_large(max, err);
        if (!full) out->n += to.pos;
        if (in.pos < in.size) continue;
        if (left == 0) return RS_OK;
        if (to.pos < to.size)
            return rs_fail(err, RS_ERR_TRUNCATED, body.n, "the compressed body is cut short");
    }
}

static rs_status inflate_zstd(rs_str body, size_t max, rs_buf *out, rs_err *err) {
    enum { WINDOW_LOG_MAX = 23 }; /* 8 MiB, what RFC 9659 lets a sender of Content-Encoding: zstd use */
    if (body.n == 0) return rs_fail(err, RS_ERR_TRUNCATED, 0, "the compressed body is empty");
    unsigned long long claimed = ZSTD_getFrameContentSize(body.p, body.n);
    if (claimed == ZSTD_CONTENTSIZE_UNKNOWN || claimed == ZSTD_CONTENTSIZE_ERROR) claimed = 0;
    else if (claimed > max) return too_large(max, err);
    rs_status status = set_capacity(out, first_capacity((size_t)claimed, body.n, max, max), err);
    if (status != RS_OK) return status;
    ZSTD_DCtx *ctx = ZSTD_createDCtx();
    if (!ctx) return out_of_memory(err);
    size_t result = ZSTD_DCtx_setParameter(ctx, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    status = ZSTD_isError(result) ? zstd_error(result, 0, err) : inflate_frames(ctx, body, max, out, err);
    ZSTD_freeDCtx(ctx);
    return status;
}

rs_status rs_body_inflate(rs_encoding enc, rs_str body, size_t max, rs_buf *out, rs_err *err) {
    switch (enc) {
    case RS_ENCODING_GZIP:
    case RS_ENCODING_DEFLATE:
        return inflate_deflate(enc, body, max, out, err);
    case RS_ENCODING_ZSTD:
        return inflate_zstd(body, max, out, err);
    case RS_ENCODING_IDENTITY:
        break;
    }
    return rs_fail(err, RS_ERR_UNSUPPORTED, 0, "a body that is not compressed cannot be inflated");
}
