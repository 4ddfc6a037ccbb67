#include "base/json_write.h"

#include "base/clock.h"
#include "base/ids.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

static void separate(rs_json *j) {
    if (j->comma) rs_buf_byte(j->out, ',');
    j->comma = true;
}

static void open_with(rs_json *j, char c) {
    separate(j);
    rs_buf_byte(j->out, (uint8_t)c);
    j->comma = false;
}

static void close_with(rs_json *j, char c) {
    rs_buf_byte(j->out, (uint8_t)c);
    j->comma = true;
}

void rs_json_object(rs_json *j) { open_with(j, '{'); }
void rs_json_object_end(rs_json *j) { close_with(j, '}'); }
void rs_json_array(rs_json *j) { open_with(j, '['); }
void rs_json_array_end(rs_json *j) { close_with(j, ']'); }

/* Room for n more bytes: the call is saved where they are there, which is nearly always. */
static inline char *room(rs_buf *b, size_t n) {
    if (__builtin_expect(n <= b->cap - b->n && b->failed == RS_OK && b->p, 1)) return b->p + b->n;
    return rs_buf_reserve(b, n);
}

static bool is_plain(unsigned char c, bool any_utf8) {
    return c >= 0x20 && c != '"' && c != '\\' && (c < 0x80 || any_utf8);
}

/* Eight at once; may say no of eight that are. What a byte borrows from the next one matters only where that is looked at anyway. */
static bool are_plain(const char *p) {
    const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
    uint64_t w;
    memcpy(&w, p, sizeof w);
    uint64_t quote = (w ^ ones * '"') - ones, backslash = (w ^ ones * '\\') - ones;
    return ((w | (w - ones * 0x20) | quote | backslash) & tops) == 0;
}

#if defined(__SSE2__)
/* A bit for each of sixteen bytes that does not stand for itself. */
static unsigned special_of(__m128i v, bool any_utf8) {
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
    __m128i mark =
        _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
    unsigned high = any_utf8 ? 0 : (unsigned)_mm_movemask_epi8(v);
    return high | (unsigned)_mm_movemask_epi8(_mm_or_si128(control, mark));
}

static __m128i load16(const char *p) { return _mm_loadu_si128((const __m128i *)(const void *)p); }
static void store16(char *p, __m128i v) { _mm_storeu_si128((__m128i *)(void *)p, v); }

/* Four to fifteen bytes, if all are plain: their first and their last four or eight, which may be the same in part. */
static bool copy_few(char *to, const char *from, size_t n, bool any_utf8) {
    if (n >= 8) {
        uint64_t first, last;
        memcpy(&first, from, 8);
        memcpy(&last, from + n - 8, 8);
        memcpy(to, &first, 8);
        memcpy(to + n - 8, &last, 8);
        return special_of(_mm_set_epi64x((long long)last, (long long)first), any_utf8) == 0;
    }
    uint32_t first, last;
    memcpy(&first, from, 4);
    memcpy(&last, from + n - 4, 4);
    memcpy(to, &first, 4);
    memcpy(to + n - 4, &last, 4);
    return special_of(_mm_set_epi32(' ' * 0x01010101, ' ' * 0x01010101, (int)last, (int)first), any_utf8) ==
           0;
}
#endif

/* Copies bytes that stand for themselves, up to the first that does not; with any_utf8, those over 0x7f do. Returns how many. What is
 * in `to` behind them, up to n bytes, is anything. */
static size_t copy_plain(char *to, const char *from, size_t n, bool any_utf8) {
    size_t at = 0;
#if defined(__SSE2__)
    if (n >= 4 && n < 16 && copy_few(to, from, n, any_utf8)) return n;
    for (; n - at >= 16; at += 16) {
        __m128i v = load16(from + at);
        store16(to + at, v);
        unsigned special = special_of(v, any_utf8);
        if (special) return at + (size_t)__builtin_ctz(special);
    }
    if (at > 0 && at < n) { /* the last sixteen, of which some were copied */
        __m128i v = load16(from + n - 16);
        store16(to + n - 16, v);
        unsigned special = special_of(v, any_utf8);
        return special ? n - 16 + (size_t)__builtin_ctz(special) : n;
    }
#endif
    for (; n - at >= 8 && are_plain(from + at); at += 8) memcpy(to + at, from + at, 8);
    for (; at < n && is_plain((unsigned char)from[at], any_utf8); at++) to[at] = from[at];
    return at;
}

/* The escape of a byte that needs one; returns its length, at most ESCAPE_MOST. */
enum { ESCAPE_MOST = 6 };
static size_t escape(char *to, unsigned char c) {
    static const char letters[0x20] = {['\t'] = 't', ['\n'] = 'n', ['\r'] = 'r'};
    char letter = c < 0x20 ? letters[c] : (char)c;
    to[0] = '\\';
    to[1] = letter;
    if (letter) return 2;
    memcpy(to + 1, "u00", 3);
    to[4] = "01"[c >> 4];
    to[5] = "0123456789abcdef"[c & 15];
    return 6;
}

/* Quoted, escaped, made UTF-8. */
static void put_string(rs_buf *b, rs_str s) {
    size_t at = 0, valid = 0; /* valid: up to there it is known to be UTF-8 */
    char *to = room(b, s.n + 2);
    if (!to) return;
    *to++ = '"';
    while (at < s.n) {
        bool any_utf8 = at < valid;
        size_t run = copy_plain(to, s.p + at, (any_utf8 ? valid : s.n) - at, any_utf8);
        at += run;
        to += run;
        if (at == s.n) break;
        if (any_utf8 && at == valid) continue;
        b->n = (size_t)(to - b->p);
        if (!(to = room(b, s.n - at + ESCAPE_MOST + 1))) return;
        unsigned char c = (unsigned char)s.p[at];
        if (c < 0x80) {
            to += escape(to, c);
            at++;
            continue;
        }
        valid = at + rs_str_utf8_prefix(rs_str_from(s, at));
        if (valid > at) continue;
        memcpy(to, "\xEF\xBF\xBD", 3);
        to += 3;
        at++;
    }
    *to++ = '"';
    b->n = (size_t)(to - b->p);
}

void rs_json_key(rs_json *j, rs_str key) {
    separate(j);
    j->comma = false;
    char *to = room(j->out, key.n + 3);
    if (to && copy_plain(to + 1, key.p, key.n, false) == key.n) {
        to[0] = '"';
        memcpy(to + key.n + 1, "\":", 2);
        j->out->n += key.n + 3;
        return;
    }
    put_string(j->out, key);
    rs_buf_byte(j->out, ':');
}

void rs_json_str(rs_json *j, rs_str s) {
    separate(j);
    put_string(j->out, s);
}

static void put_whole(rs_buf *b, bool is_negative, uint64_t v) {
    char digits[21];
    size_t at = sizeof digits;
    do digits[--at] = (char)('0' + v % 10);
    while ((v /= 10) > 0);
    if (is_negative) digits[--at] = '-';
    rs_buf_put(b, digits + at, sizeof digits - at);
}

void rs_json_int(rs_json *j, int64_t v) {
    separate(j);
    put_whole(j->out, v < 0, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void rs_json_uint(rs_json *j, uint64_t v) {
    separate(j);
    put_whole(j->out, false, v);
}

static void put_billionths(rs_buf *b, bool is_negative, uint64_t left) {
    char digits[32];
    size_t at = sizeof digits, end = at;
    for (int i = 0; i < 9; i++, left /= 10) {
        digits[--at] = (char)('0' + left % 10);
        if (digits[at] == '0' && at + 1 == end) end = at; /* no zeros at the end */
    }
    if (at < end) digits[--at] = '.';
    do digits[--at] = (char)('0' + left % 10);
    while ((left /= 10) > 0);
    if (is_negative) digits[--at] = '-';
    rs_buf_put(b, digits + at, end - at);
}

/* Durations and rates have few decimals: a whole number of 1e-9 that divides back to v is v's own text. */
static bool put_decimal(rs_buf *b, double v) {
    double units = nearbyint(v * 1e9);
    if (!(fabs(units) < 9e15) || units / 1e9 != v || (v == 0 && signbit(v))) return false;
    put_billionths(b, v < 0, (uint64_t)fabs(units));
    return true;
}

void rs_json_double(rs_json *j, double v) {
    separate(j);
    if (!isfinite(v)) {
        rs_buf_text(j->out, "null");
        return;
    }
    if (put_decimal(j->out, v)) return;
    char t[40], other[40];
    snprintf(t, sizeof t, "%.16g", v); /* mostly enough; 17 digits always read back the same, 15 are nicer */
    bool same = strtod(t, NULL) == v;
    snprintf(other, sizeof other, same ? "%.15g" : "%.17g", v);
    rs_buf_text(j->out, !same || strtod(other, NULL) == v ? other : t);
}

void rs_json_time(rs_json *j, uint64_t wall_ns) {
    char t[RS_RFC3339_LEN + 1];
    if (wall_ns == 0) {
        rs_json_null(j);
        return;
    }
    rs_clock_format(wall_ns, t);
    rs_json_str(j, (rs_str){t, RS_RFC3339_LEN});
}

void rs_json_bool(rs_json *j, bool v) { rs_json_raw(j, v ? RS_STR("true") : RS_STR("false")); }
void rs_json_null(rs_json *j) { rs_json_raw(j, RS_STR("null")); }

void rs_json_raw(rs_json *j, rs_str json) {
    separate(j);
    rs_buf_str(j->out, json);
}

void rs_json_put_str(rs_json *j, const char *key, rs_str s) {
    rs_json_key(j, rs_str_of(key));
    rs_json_str(j, s);
}

void rs_json_put_str_or_null(rs_json *j, const char *key, rs_str s) {
    rs_json_key(j, rs_str_of(key));
    if (s.n) rs_json_str(j, s);
    else rs_json_null(j);
}

void rs_json_put_int(rs_json *j, const char *key, int64_t v) {
    rs_json_key(j, rs_str_of(key));
    rs_json_int(j, v);
}

void rs_json_put_double(rs_json *j, const char *key, double v) {
    rs_json_key(j, rs_str_of(key));
    rs_json_double(j, v);
}

void rs_json_put_bool(rs_json *j, const char *key, bool v) {
    rs_json_key(j, rs_str_of(key));
    rs_json_bool(j, v);
}

void rs_json_put_null(rs_json *j, const char *key) {
    rs_json_key(j, rs_str_of(key));
    rs_json_null(j);
}

void rs_json_put_seconds(rs_json *j, const char *key, int64_t ns) {
    rs_json_key(j, rs_str_of(key));
    separate(j);
    put_billionths(j->out, ns < 0, ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns);
}

void rs_json_put_time(rs_json *j, const char *key, uint64_t wall_ns) {
    rs_json_key(j, rs_str_of(key));
    rs_json_time(j, wall_ns);
}

void rs_json_put_hex(rs_json *j, const char *key, const uint8_t *bytes, size_t n) {
    char t[65];
    if (n > 32) n = 32;
    rs_hex(bytes, n, t);
    rs_json_put_str(j, key, (rs_str){t, 2 * n});
}
