/* rs_buf: a growable byte buffer with a sticky failure.
 *
 * Owned by its caller (init/deinit), one thread at a time. Appending never reports: if memory runs out or `limit`
 * would be passed, `failed` is set, nothing more is written and the caller checks once at the end (rs_buf_status).
 * Content is not NUL-terminated; rs_buf_cstr adds a terminator behind it. */
#ifndef RS_BASE_BUF_H
#define RS_BASE_BUF_H

#include "base/status.h"
#include "base/str.h"
#include <stdint.h>

typedef struct rs_buf {
    char *p;
    size_t n, cap, limit; /* limit 0: none */
    rs_status failed;     /* RS_OK, RS_ERR_MEMORY or RS_ERR_TOO_LARGE */
} rs_buf;

static inline void rs_buf_init(rs_buf *b) { *b = (rs_buf){0}; }
void rs_buf_deinit(rs_buf *b);
static inline void rs_buf_clear(rs_buf *b) { b->n = 0, b->failed = RS_OK; }

/* The same where there is no room yet. */
char *rs_buf_reserve_more(rs_buf *b, size_t n);

/* Room for n more bytes at the end, or NULL (sticky). The caller adds what it wrote to b->n. */
static inline char *rs_buf_reserve(rs_buf *b, size_t n) {
    bool has_room = b->p && n <= b->cap - b->n && b->failed == RS_OK;
    return __builtin_expect(has_room, 1) ? b->p + b->n : rs_buf_reserve_more(b, n);
}

static inline void rs_buf_put(rs_buf *b, const void *p, size_t n) {
    char *d = n ? rs_buf_reserve(b, n) : NULL;
    if (!d) return;
    memcpy(d, p, n);
    b->n += n;
}
/* Appends s with each byte that is not part of well-formed UTF-8 replaced by U+FFFD. */
void rs_buf_put_utf8(rs_buf *b, rs_str s);
void rs_buf_printf(rs_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* s percent-encoded, but for the unreserved characters of RFC 3986: fits any part of a URL. */
void rs_buf_url(rs_buf *b, rs_str s);

static inline void rs_buf_byte(rs_buf *b, uint8_t c) {
    if (__builtin_expect(b->n < b->cap && b->failed == RS_OK, 1)) b->p[b->n++] = (char)c;
    else rs_buf_put(b, &c, 1);
}
static inline void rs_buf_str(rs_buf *b, rs_str s) { rs_buf_put(b, s.p, s.n); }
static inline void rs_buf_text(rs_buf *b, const char *z) { rs_buf_put(b, z, strlen(z)); }
static inline rs_str rs_buf_slice(const rs_buf *b) { return (rs_str){b->p, b->n}; }
static inline rs_status rs_buf_status(const rs_buf *b) { return b->failed; }

/* The content with a NUL behind it, or NULL if that could not be had. Valid until the next append. */
const char *rs_buf_cstr(rs_buf *b);

#endif
