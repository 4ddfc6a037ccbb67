/* Protobuf's wire format (protobuf.dev/programming-guides/encoding), as much as OTLP needs: a cursor over the
 * bytes of one message. For otlp/ and for the spans of sdk/. Groups are refused: OTLP has none. */
#ifndef RS_OTLP_PROTOBUF_H
#define RS_OTLP_PROTOBUF_H

#include "otlp/span.h"
#include <endian.h>

enum { RS_PB_VARINT = 0, RS_PB_FIXED64 = 1, RS_PB_BYTES = 2, RS_PB_FIXED32 = 5 };

/* Members of AnyValue's oneof. */
enum { RS_ANY_STRING = 1, RS_ANY_BOOL, RS_ANY_INT, RS_ANY_DOUBLE, RS_ANY_ARRAY, RS_ANY_KVLIST, RS_ANY_BYTES };

#define RS_PB_TAG(field, wire) ((uint32_t)(field) << 3 | (wire))

/* Inlined always, so that cursor and field live in registers: half of the decoder's speed. */
#define RS_PB_INLINE static inline __attribute__((always_inline))

typedef struct rs_pb_cursor {
    const uint8_t *p, *end;
    const char *error; /* what is wrong at p; sticky, static storage */
    bool short_of;     /* the error is that the message ends too early */
} rs_pb_cursor;

typedef struct rs_pb_field {
    uint32_t tag; /* RS_PB_TAG(number, wire type) */
    uint64_t n;   /* VARINT, FIXED64, FIXED32 */
    rs_str s;     /* BYTES: a slice of the message */
} rs_pb_field;

RS_PB_INLINE rs_pb_cursor rs_pb_over(rs_str message) {
    const uint8_t *p = (const uint8_t *)message.p;
    return (rs_pb_cursor){.p = p, .end = p ? p + message.n : p};
}

RS_PB_INLINE bool rs_pb_error(rs_pb_cursor *c, const char *what) {
    c->error = what;
    return false;
}

RS_PB_INLINE bool rs_pb_ends_early(rs_pb_cursor *c) {
    c->short_of = true;
    return rs_pb_error(c, "a field runs past the end of its message");
}

/* A varint of more than one byte, or none: its end, or NULL. */
const uint8_t *rs_pb_long_varint(const uint8_t *p, const uint8_t *end, uint64_t *out);

RS_PB_INLINE bool rs_pb_read_varint(rs_pb_cursor *c, uint64_t *out) {
    if (c->p < c->end && *c->p < 0x80) { /* most lengths, and the tags of fields up to 15 */
        *out = *c->p++;
        return true;
    }
    uint64_t v;
    const uint8_t *p = rs_pb_long_varint(c->p, c->end, &v);
    if (!p && c->end - c->p < 10) return rs_pb_ends_early(c);
    if (!p) return rs_pb_error(c, "a varint does not fit 64 bits");
    c->p = p;
    *out = v;
    return true;
}

/* The next field with its payload; false at the end of the message and on error (c->error). */
RS_PB_INLINE bool rs_pb_next(rs_pb_cursor *c, rs_pb_field *f) {
    uint64_t tag;
    uint32_t word;
    if (c->p == c->end || !rs_pb_read_varint(c, &tag)) return false;
    if (tag < 8 || tag > UINT32_MAX) return rs_pb_error(c, "a field has no valid number");
    f->tag = (uint32_t)tag;
    switch (tag & 7) {
    case RS_PB_VARINT:
        return rs_pb_read_varint(c, &f->n);
    case RS_PB_BYTES:
        if (!rs_pb_read_varint(c, &f->n)) return false;
        if (f->n > (size_t)(c->end - c->p)) return rs_pb_ends_early(c);
        f->s = (rs_str){(const char *)c->p, f->n};
        c->p += f->n;
        return true;
    case RS_PB_FIXED64:
        if (c->end - c->p < 8) return rs_pb_ends_early(c);
        memcpy(&f->n, c->p, 8);
        f->n = le64toh(f->n);
        c->p += 8;
        return true;
    case RS_PB_FIXED32:
        if (c->end - c->p < 4) return rs_pb_ends_early(c);
        memcpy(&word, c->p, 4);
        f->n = le32toh(word);
        c->p += 4;
        return true;
    }
    return rs_pb_error(c, "a field has a wire type that OTLP does not use");
}

static inline uint8_t *rs_pb_put_varint(uint8_t *p, uint64_t v) {
    while (v >= 0x80) {
        *p++ = (uint8_t)v | 0x80;
        v >>= 7;
    }
    *p++ = (uint8_t)v;
    return p;
}

/* What to do with a field that a message's reader has no case for: numbers above the last one it knows are
 * skipped (a later version of OTLP), the others have the wrong wire type. */
RS_PB_INLINE bool rs_pb_unknown(rs_pb_cursor *c, const rs_pb_field *f, uint32_t last_known) {
    return f->tag >> 3 > last_known || rs_pb_error(c, "a field has the wrong wire type");
}

/* The body of an AnyValue, not looking into what it holds; the last member wins. */
RS_PB_INLINE bool rs_pb_read_value(rs_pb_cursor *c, rs_value *v) {
    rs_pb_field f = {0};
    *v = (rs_value){0};
    while (rs_pb_next(c, &f)) {
        switch (f.tag) {
        case RS_PB_TAG(RS_ANY_STRING, RS_PB_BYTES):
            *v = (rs_value){RS_VALUE_STRING, .s = f.s};
            break;
        case RS_PB_TAG(RS_ANY_BOOL, RS_PB_VARINT):
            *v = (rs_value){RS_VALUE_BOOL, .b = f.n != 0};
            break;
        case RS_PB_TAG(RS_ANY_INT, RS_PB_VARINT):
            *v = (rs_value){RS_VALUE_INT, .i = (int64_t)f.n};
            break;
        case RS_PB_TAG(RS_ANY_DOUBLE, RS_PB_FIXED64):
            *v = (rs_value){RS_VALUE_DOUBLE};
            memcpy(&v->d, &f.n, sizeof v->d);
            break;
        case RS_PB_TAG(RS_ANY_ARRAY, RS_PB_BYTES):
            *v = (rs_value){RS_VALUE_ARRAY, .s = f.s};
            break;
        case RS_PB_TAG(RS_ANY_KVLIST, RS_PB_BYTES):
            *v = (rs_value){RS_VALUE_KVLIST, .s = f.s};
            break;
        case RS_PB_TAG(RS_ANY_BYTES, RS_PB_BYTES):
            *v = (rs_value){RS_VALUE_BYTES, .s = f.s};
            break;
        default:
            if (!rs_pb_unknown(c, &f, RS_ANY_BYTES)) return false;
        }
    }
    return !c->error;
}

/* The body of a KeyValue, likewise. */
RS_PB_INLINE bool rs_pb_read_pair(rs_pb_cursor *c, rs_str *key, rs_value *v) {
    rs_pb_field f = {0};
    *key = (rs_str){"", 0};
    *v = (rs_value){0};
    while (rs_pb_next(c, &f)) {
        if (f.tag == RS_PB_TAG(1, RS_PB_BYTES)) {
            *key = f.s;
        } else if (f.tag == RS_PB_TAG(2, RS_PB_BYTES)) {
            rs_pb_cursor inner = rs_pb_over(f.s);
            if (rs_pb_read_value(&inner, v)) continue;
            *c = inner;
            return false;
        } else if (!rs_pb_unknown(c, &f, 2)) {
            return false;
        }
    }
    return !c->error;
}

#endif
