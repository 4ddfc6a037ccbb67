#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

static int lower(unsigned char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

bool rs_str_eq_nocase(rs_str a, rs_str b) {
    if (a.n != b.n) return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower((unsigned char)a.p[i]) != lower((unsigned char)b.p[i])) return false;
    return true;
}

rs_str rs_str_cut_utf8(rs_str s, size_t max) {
    if (s.n <= max) return s;
    size_t n = max;
    while (n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80) n--;
    return (rs_str){s.p, n};
}

/* Length of the well-formed sequence at p (1 to 4), 0 if there is none; table 3-7 of the Unicode standard. */
static size_t utf8_sequence(const unsigned char *p, const unsigned char *end) {
    unsigned char c = p[0];
    if (c < 0x80) return 1;
    size_t len = c >= 0xC2 && c <= 0xDF ? 2 : (c & 0xF0) == 0xE0 ? 3 : c >= 0xF0 && c <= 0xF4 ? 4 : 0;
    if (len == 0 || (size_t)(end - p) < len) return 0;
    unsigned char low = 0x80, high = 0xBF;
    if (c == 0xE0) low = 0xA0;
    if (c == 0xED) high = 0x9F;
    if (c == 0xF0) low = 0x90;
    if (c == 0xF4) high = 0x8F;
    if (p[1] < low || p[1] > high) return 0;
    for (size_t i = 2; i < len; i++)
        if ((p[i] & 0xC0) != 0x80) return 0;
    return len;
}

static bool has_high_bit(const unsigned char *p) {
    uint64_t w;
    memcpy(&w, p, 8);
    return (w & 0x8080808080808080u) != 0;
}

/* The first byte that is not ASCII, or end. Most text is ASCII, most of it long: 32 bytes at once, then 8,
 * then the last 8 again rather than one by one. */
static const unsigned char *skip_ascii(const unsigned char *p, const unsigned char *end) {
    const unsigned char *begin = p;
    while (end - p >= 32) {
        uint64_t w[4];
        memcpy(w, p, 32);
        if ((w[0] | w[1] | w[2] | w[3]) & 0x8080808080808080u) break;
        p += 32;
    }
    while (end - p >= 8 && !has_high_bit(p)) p += 8;
    if (end - p < 8 && end - begin >= 8 && !has_high_bit(end - 8)) return end;
    while (p < end && *p < 0x80) p++;
    return p;
}

/* Of 4 to 31 bytes, by two looks that may overlap. */
static bool is_short_ascii(const char *p, size_t n) {
    uint64_t w[4] = {0};
    if (n >= 16) memcpy(w, p, 16), memcpy(w + 2, p + n - 16, 16);
    else if (n >= 8) memcpy(w, p, 8), memcpy(w + 1, p + n - 8, 8);
    else memcpy(w, p, 4), memcpy(w + 1, p + n - 4, 4);
    return ((w[0] | w[1] | w[2] | w[3]) & 0x8080808080808080u) == 0;
}

static __attribute__((noinline)) size_t prefix_of(rs_str s) {
    const unsigned char *begin = (const unsigned char *)s.p, *p = begin, *end = p + s.n;
    while ((p = skip_ascii(p, end)) < end) {
        do {
            size_t len = utf8_sequence(p, end);
            if (len == 0) return (size_t)(p - begin);
            p += len;
        } while (p < end && *p >= 0x80);
    }
    return s.n;
}

size_t rs_str_utf8_prefix(rs_str s) {
    bool is_short = s.n >= 4 && s.n < 32; /* most keys and values are, and ASCII */
    return s.n == 0 || (is_short && is_short_ascii(s.p, s.n)) ? s.n : prefix_of(s);
}

bool rs_str_is_utf8(rs_str s) { return rs_str_utf8_prefix(s) == s.n; }

bool rs_str_to_u64(rs_str s, unsigned long long *out) {
    if (s.n == 0 || s.n > 20) return false;
    unsigned long long v = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned d = (unsigned char)s.p[i] - '0';
        if (d > 9 || (i == 19 && v > (UINT64_MAX - d) / 10)) return false; /* 19 digits always fit */
        v = v * 10 + d;
    }
    *out = v;
    return true;
}

bool rs_str_to_i64(rs_str s, long long *out) {
    bool negative = s.n > 0 && s.p[0] == '-';
    unsigned long long v;
    if (!rs_str_to_u64(rs_str_from(s, negative), &v)) return false;
    if (v > (unsigned long long)INT64_MAX + negative) return false;
    *out = negative ? (long long)(0 - v) : (long long)v;
    return true;
}

bool rs_str_to_double(rs_str s, double *out) {
    char tmp[64]; /* strtod needs a terminator; longer numbers carry no more precision than a double has */
    if (s.n == 0 || s.n >= sizeof tmp || isspace((unsigned char)s.p[0])) return false;
    memcpy(tmp, s.p, s.n);
    tmp[s.n] = 0;
    char *end;
    double v = strtod(tmp, &end);
    bool is_hex = s.n > 1 && strpbrk(tmp, "xX") != NULL;
    if (end != tmp + s.n || is_hex || !isfinite(v)) return false;
    *out = v;
    return true;
}
