/* rs_str: a borrowed slice of bytes, not NUL-terminated. It owns nothing; who owns the bytes is said where the
 * slice is handed out. The empty slice may have p == NULL. */
#ifndef RS_BASE_STR_H
#define RS_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct rs_str {
    const char *p;
    size_t n;
} rs_str;

#define RS_STR(literal) ((rs_str){(literal), sizeof(literal) - 1})
#define RS_STR_ARG(s)   (int)(s).n, (s).n ? (s).p : "" /* for "%.*s" */
#define RS_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static inline rs_str rs_str_of(const char *z) { return (rs_str){z, z ? strlen(z) : 0}; }

static inline bool rs_str_eq(rs_str a, rs_str b) {
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool rs_str_starts(rs_str s, rs_str prefix) {
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline bool rs_str_ends(rs_str s, rs_str suffix) {
    return s.n >= suffix.n && (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

static inline rs_str rs_str_from(rs_str s, size_t at) {
    if (at >= s.n) return (rs_str){s.n ? s.p + s.n : s.p, 0}; /* p may be NULL */
    return (rs_str){s.p + at, s.n - at};
}

/* What stands behind the last slash: "tiny-gpt2" of "sshleifer/tiny-gpt2". Empty: there is no slash, or nothing behind it. */
static inline rs_str rs_str_behind_slash(rs_str s) {
    size_t at = s.n;
    while (at > 0 && s.p[at - 1] != '/') at--;
    return at > 0 ? rs_str_from(s, at) : (rs_str){0};
}

/* ASCII case-insensitive equality (HTTP tokens, booleans in environment variables). */
bool rs_str_eq_nocase(rs_str a, rs_str b);

/* The longest prefix of s of at most max bytes that does not cut a UTF-8 sequence in two. */
rs_str rs_str_cut_utf8(rs_str s, size_t max);

/* Length of the longest prefix of s that is well-formed UTF-8. */
size_t rs_str_utf8_prefix(rs_str s);

/* True if s is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool rs_str_is_utf8(rs_str s);

/* True if s has no byte above 0x7f. For short texts in a hot path: no call, eight bytes at a time. */
static inline bool rs_str_is_ascii(rs_str s) {
    const char *p = s.p, *end = s.n ? s.p + s.n : s.p;
    uint64_t word, any = 0;
    if (s.n < 8) {
        for (; p < end; p++) any |= (unsigned char)*p;
        return (any & 0x80) == 0;
    }
    for (; end - p > 8; p += 8) {
        memcpy(&word, p, 8);
        any |= word;
    }
    memcpy(&word, end - 8, 8);
    return ((any | word) & 0x8080808080808080u) == 0;
}

/* memcpy for what is mostly short: at most 32 bytes go by two overlapping moves. */
static inline void rs_copy_short(char *to, const char *from, size_t n) {
    if (n > 32) {
        memcpy(to, from, n);
    } else if (n >= 16) {
        char first[16], last[16];
        memcpy(first, from, 16);
        memcpy(last, from + n - 16, 16);
        memcpy(to, first, 16);
        memcpy(to + n - 16, last, 16);
    } else if (n >= 8) {
        uint64_t first, last;
        memcpy(&first, from, 8);
        memcpy(&last, from + n - 8, 8);
        memcpy(to, &first, 8);
        memcpy(to + n - 8, &last, 8);
    } else if (n >= 4) {
        uint32_t first, last;
        memcpy(&first, from, 4);
        memcpy(&last, from + n - 4, 4);
        memcpy(to, &first, 4);
        memcpy(to + n - 4, &last, 4);
    } else {
        for (size_t i = 0; i < n; i++) to[i] = from[i];
    }
}

/* Whole-slice numbers; false (and *out untouched) on anything but a complete number in range. */
bool rs_str_to_u64(rs_str s, unsigned long long *out);
bool rs_str_to_i64(rs_str s, long long *out);
bool rs_str_to_double(rs_str s, double *out);

#endif
