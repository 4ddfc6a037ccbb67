/* Bytes of a block, put and taken: varints (LEB128), zigzag, little-endian words, strings with their length
 * before them.
 *
 * Putting goes to an rs_buf with its sticky failure. Taking goes through a cursor whose failure is sticky
 * too: a read past the end gives zeros, empties the cursor and sets `bad`, so a decoder checks once. Any
 * thread. */
#ifndef RS_STORE_SQLITE_WIRE_H
#define RS_STORE_SQLITE_WIRE_H

#include "base/buf.h"
#include <endian.h>
#include <stdint.h>

/* ---- putting ------------------------------------------------------------------------------------------- */

static inline void rs_wire_varint(rs_buf *b, uint64_t v) {
    char *d = rs_buf_reserve(b, 10);
    if (!d) return;
    size_t n = 0;
    for (; v >= 0x80; v >>= 7) d[n++] = (char)(v | 0x80);
    d[n++] = (char)v;
    b->n += n;
}

static inline void rs_wire_zigzag(rs_buf *b, int64_t v) {
    rs_wire_varint(b, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}

static inline void rs_wire_u16(rs_buf *b, uint16_t v) { v = htole16(v), rs_buf_put(b, &v, sizeof v); }
static inline void rs_wire_u32(rs_buf *b, uint32_t v) { v = htole32(v), rs_buf_put(b, &v, sizeof v); }
static inline void rs_wire_u64(rs_buf *b, uint64_t v) { v = htole64(v), rs_buf_put(b, &v, sizeof v); }

static inline void rs_wire_double(rs_buf *b, double d) {
    uint64_t v;
    memcpy(&v, &d, sizeof v);
    rs_wire_u64(b, v);
}

static inline void rs_wire_str(rs_buf *b, rs_str s) {
    rs_wire_varint(b, s.n);
    rs_buf_str(b, s);
}

/* ---- taking -------------------------------------------------------------------------------------------- */

typedef struct rs_cursor {
    const uint8_t *at, *end;
    bool bad;
} rs_cursor;

static inline rs_cursor rs_cursor_on(rs_str s) {
    const uint8_t *p = (const uint8_t *)(s.p ? s.p : "");
    return (rs_cursor){.at = p, .end = p + s.n};
}

static inline size_t rs_cursor_left(const rs_cursor *c) { return (size_t)(c->end - c->at); }

static inline void rs_cursor_fail(rs_cursor *c) { c->at = c->end, c->bad = true; }

static inline uint64_t rs_cursor_varint(rs_cursor *c) {
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64 && c->at < c->end; shift += 7) {
        uint8_t byte = *c->at++;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return v;
    }
    rs_cursor_fail(c);
    return 0;
}

static inline int64_t rs_cursor_zigzag(rs_cursor *c) {
    uint64_t v = rs_cursor_varint(c);
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static inline rs_str rs_cursor_bytes(rs_cursor *c, uint64_t n) {
    if (n > rs_cursor_left(c)) {
        rs_cursor_fail(c);
        return (rs_str){0};
    }
    rs_str s = {(const char *)c->at, (size_t)n};
    c->at += n;
    return s;
}

/* Exactly n bytes into out; zeros if there are fewer. */
static inline void rs_cursor_copy(rs_cursor *c, void *out, size_t n) {
    rs_str s = rs_cursor_bytes(c, n);
    if (s.n == n) memcpy(out, s.p, n);
    else memset(out, 0, n);
}

static inline rs_str rs_cursor_str(rs_cursor *c) { return rs_cursor_bytes(c, rs_cursor_varint(c)); }

static inline uint8_t rs_cursor_byte(rs_cursor *c) {
    if (c->at < c->end) return *c->at++;
    rs_cursor_fail(c);
    return 0;
}

static inline uint16_t rs_cursor_u16(rs_cursor *c) {
    uint16_t v;
    rs_cursor_copy(c, &v, sizeof v);
    return le16toh(v);
}

static inline uint32_t rs_cursor_u32(rs_cursor *c) {
    uint32_t v;
    rs_cursor_copy(c, &v, sizeof v);
    return le32toh(v);
}

static inline uint64_t rs_cursor_u64(rs_cursor *c) {
    uint64_t v;
    rs_cursor_copy(c, &v, sizeof v);
    return le64toh(v);
}

static inline double rs_cursor_double(rs_cursor *c) {
    uint64_t v = rs_cursor_u64(c);
    double d;
    memcpy(&d, &v, sizeof d);
    return d;
}

#endif
