/* rs_redact: finds credentials in texts by their shape, so that they leave neither the process nor reach the spool. What is found is
 * listed in docs/privacy.md: tokens by their prefix (hf_, sk-, ghp_, AKIA, …), JSON Web Tokens, `Bearer …`, private key blocks, the
 * passwords of URLs, and values of names such as `password` (x=…, "x": "…").
 *
 * Each pattern has an anchor, a byte that is rare in text. One pass over the text, 16 bytes at a time, finds anchors; around one
 * of these a pattern is compared. A text without anchors costs about a tenth of a nanosecond a byte.
 *
 * Pure functions; any thread; no allocation but the buffer's. A secret that begins in a text is known by its first
 * RS_REDACT_LOOKAHEAD bytes: who cuts texts masks that much more and cuts then. */
#ifndef RS_SDK_REDACT_H
#define RS_SDK_REDACT_H

#include "base/buf.h"

enum { RS_REDACT_LOOKAHEAD = 256 };

typedef struct rs_secret {
    size_t at, end; /* of the bytes to be replaced */
    rs_str by;      /* by this: *** */
} rs_secret;

/* The first secret at or behind `from`. */
bool rs_redact_find(rs_str text, size_t from, rs_secret *out);
/* Appends the text with each secret replaced. */
void rs_redact(rs_buf *out, rs_str text);

typedef uint8_t rs_bytes16 __attribute__((vector_size(16)));

/* 0xff where an anchor is; H and K come along with I and J. */
static inline rs_bytes16 rs_redact_anchors(rs_bytes16 v) {
    return (rs_bytes16)(v == '_') | (rs_bytes16)((v | 0x10) == '=') | (rs_bytes16)(v == ':') |
           (rs_bytes16)((v & 0xfc) == 'H') | (rs_bytes16)(v == 'B');
}

/* 1 to 15 bytes, some of them twice. */
static inline rs_bytes16 rs_redact_load_short(const char *p, size_t n) {
    uint64_t word[2] = {0, 0};
    if (n >= 8) {
        memcpy(&word[0], p, 8);
        memcpy(&word[1], p + n - 8, 8);
    } else if (n >= 4) {
        uint32_t half[2];
        memcpy(&half[0], p, 4);
        memcpy(&half[1], p + n - 4, 4);
        word[0] = half[0] | (uint64_t)half[1] << 32;
    } else {
        word[0] = (uint8_t)p[0] | (uint64_t)(uint8_t)p[n / 2] << 8 | (uint64_t)(uint8_t)p[n - 1] << 16;
    }
    rs_bytes16 v;
    memcpy(&v, word, sizeof v);
    return v;
}

/* True: the text is short and ASCII and has no anchor, so it holds no secret. In line: most texts of spans end here. A longer
 * one would mostly be gone through for nothing. */
enum { RS_REDACT_SHORT = 128 };
static inline bool rs_redact_is_plain(rs_str s) {
    if (s.n == 0) return true;
    if (s.n > RS_REDACT_SHORT) return false;
    rs_bytes16 v, found = {0};
    if (s.n < sizeof v) {
        v = rs_redact_load_short(s.p, s.n);
        found = rs_redact_anchors(v) | (v & 0x80);
    } else {
        const char *p = s.p, *last = s.p + s.n - sizeof v;
        for (; p < last; p += sizeof v) {
            memcpy(&v, p, sizeof v);
            found |= rs_redact_anchors(v) | (v & 0x80);
        }
        memcpy(&v, last, sizeof v);
        found |= rs_redact_anchors(v) | (v & 0x80);
    }
    uint64_t half[2];
    memcpy(half, &found, sizeof half);
    return (half[0] | half[1]) == 0;
}

#endif
