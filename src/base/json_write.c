#include "base/json_write.h"

#include "base/clock.h"
#include "base/ids.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static bool is_plain(unsigned char c) { return c >= 0x20 && c != '"' && c != '\\' && c < 0x80; }

/* Eight at once; may say no of eight that are. What a byte borrows from the next one matters only where that is looked at anyway. */
static bool are_plain(const char *p) {
    const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
    uint64_t w;
    memcpy(&w, p, sizeof w);
    uint64_t quote = (w ^ ones * '"') - ones, backslash = (w ^ ones * '\\') - ones;
    return ((w | (w - ones * 0x20) | quote | backslash) & tops) == 0;
}

static void put_escaped(rs_buf *b, unsigned char c) {
    switch (c) {
    case '"':
        rs_buf_text(b, "\\\"");
        break;
    case '\\':
        rs_buf_text(b, "\\\\");
        break;
    case '\n':
        rs_buf_text(b, "\\n");
        break;
    case '\r':
        rs_buf_text(b, "\\r");
        break;
    case '\t':
        rs_buf_text(b, "\\t");
        break;
    default:
        rs_buf_printf(b, "\\u%04x", c);
    }
}

/* Bytes of the UTF-8 sequence at the start of s, 0 if it is malformed. */
static size_t sequence_at(rs_str s) {
    for (size_t len = 2; len <= 4 && len <= s.n; len++)
        if (rs_str_is_utf8((rs_str){s.p, len})) return len;
    return 0;
}

static void put_string(rs_buf *b, rs_str s) {
    rs_buf_byte(b, '"');
    size_t at = 0;
    while (at < s.n) {
        size_t run = at;
        while (s.n - run >= 8 && are_plain(s.p + run)) run += 8;
        while (run < s.n && is_plain((unsigned char)s.p[run])) run++;
        rs_buf_put(b, s.p + at, run - at);
        at = run;
        if (at == s.n) break;
        unsigned char c = (unsigned char)s.p[at];
        if (c < 0x80) {
            put_escaped(b, c);
            at++;
            continue;
        }
        size_t len = sequence_at(rs_str_from(s, at));
        if (len) rs_buf_put(b, s.p + at, len);
        else rs_buf_text(b, "\xEF\xBF\xBD");
        at += len ? len : 1;
    }
    rs_buf_byte(b, '"');
}

void rs_json_key(rs_json *j, rs_str key) {
    separate(j);
    put_string(j->out, key);
    rs_buf_byte(j->out, ':');
    j->comma = false;
}

void rs_json_str(rs_json *j, rs_str s) {
    separate(j);
    put_string(j->out, s);
}

void rs_json_int(rs_json *j, int64_t v) {
    separate(j);
    rs_buf_printf(j->out, "%lld", (long long)v);
}

void rs_json_uint(rs_json *j, uint64_t v) {
    separate(j);
    rs_buf_printf(j->out, "%llu", (unsigned long long)v);
}

/* Durations and rates have few decimals: a whole number of 1e-9 that divides back to v is v's own text. */
static bool put_decimal(rs_buf *b, double v) {
    double units = nearbyint(v * 1e9);
    if (!(fabs(units) < 9e15) || units / 1e9 != v || (v == 0 && signbit(v))) return false;
    char digits[32];
    uint64_t left = (uint64_t)fabs(units);
    size_t at = sizeof digits, end = at;
    for (int i = 0; i < 9; i++, left /= 10) {
        digits[--at] = (char)('0' + left % 10);
        if (digits[at] == '0' && at + 1 == end) end = at; /* no zeros at the end */
    }
    if (at < end) digits[--at] = '.';
    do digits[--at] = (char)('0' + left % 10);
    while ((left /= 10) > 0);
    if (v < 0) digits[--at] = '-';
    rs_buf_put(b, digits + at, end - at);
    return true;
}

void rs_json_double(rs_json *j, double v) {
    separate(j);
    if (!isfinite(v)) {
        rs_buf_text(j->out, "null");
        return;
    }
    if (put_decimal(j->out, v)) return;
    char t[40];
    for (int digits = 15; digits <= 17; digits++) { /* 17 always read back the same; fewer are nicer */
        snprintf(t, sizeof t, "%.*g", digits, v);
        if (strtod(t, NULL) == v) break;
    }
    rs_buf_text(j->out, t);
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

void rs_json_put_time(rs_json *j, const char *key, uint64_t wall_ns) {
    if (wall_ns == 0) {
        rs_json_put_null(j, key);
        return;
    }
    char t[RS_RFC3339_LEN + 1];
    rs_clock_format(wall_ns, t);
    rs_json_put_str(j, key, (rs_str){t, RS_RFC3339_LEN});
}

void rs_json_put_hex(rs_json *j, const char *key, const uint8_t *bytes, size_t n) {
    char t[65];
    if (n > 32) n = 32;
    rs_hex(bytes, n, t);
    rs_json_put_str(j, key, (rs_str){t, 2 * n});
}
