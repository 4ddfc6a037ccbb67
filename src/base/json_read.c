#include "base/json_read.h"

#include <endian.h>
#include <stdint.h>

/* What may come next; rs_json_reader.expect. */
enum { VALUE, VALUE_OR_END, KEY, KEY_OR_END, AFTER_VALUE, FINISHED, FAILED };

void rs_json_read_init(rs_json_reader *r, rs_str in, rs_arena *arena) {
    r->in = in.p ? in : RS_STR("");
    r->at = r->value_at = 0;
    r->arena = arena;
    r->text = (rs_str){0};
    r->err.code = RS_OK; /* not the whole message is cleared: many texts are shorter */
    r->err.offset = 0;
    r->err.message[0] = '\0';
    r->depth = 0;
    r->expect = VALUE;
}

static rs_json_token fail(rs_json_reader *r, rs_status code, const char *p, const char *what) {
    r->at = (size_t)(p - r->in.p);
    r->expect = FAILED;
    (void)rs_fail(&r->err, code, r->at, "%s", what);
    return RS_JSON_ERROR;
}

static rs_json_token ends_early(rs_json_reader *r) {
    return fail(r, RS_ERR_TRUNCATED, r->in.p + r->in.n, "the JSON text ends inside a value");
}

/* ---- strings ------------------------------------------------------------------------------------------- */

typedef unsigned char v16 __attribute__((vector_size(16)));
typedef uint64_t v2 __attribute__((vector_size(16)));

#define SPLAT(c) ((v16){0} + (unsigned char)(c))

/* Index of the first byte of a comparison's result that is set, 16 if none is. */
static inline size_t first_set(v16 mask) {
    uint64_t low = ((v2)mask)[0], high = ((v2)mask)[1];
    if (low) return (size_t)__builtin_ctzll(le64toh(low)) / 8;
    return high ? 8 + (size_t)__builtin_ctzll(le64toh(high)) / 8 : 16;
}

static bool stops(unsigned char c) { return c == '"' || c == '\\' || c < 0x20; }

/* The first quote, backslash or control character, or end. Sets a high bit in *high if it passed a byte that is not
 * ASCII (or saw one close behind). */
static const char *find_stop(const char *p, const char *end, uint64_t *high) {
    while (end - p >= 16) {
        v16 v;
        memcpy(&v, p, 16);
        *high |= ((v2)v)[0] | ((v2)v)[1];
        size_t at = first_set((v16)((v == SPLAT('"')) | (v == SPLAT('\\')) | (v < SPLAT(0x20))));
        p += at;
        if (at < 16) return p;
    }
    for (; p < end && !stops((unsigned char)*p); p++) *high |= (uint64_t)(unsigned char)*p;
    return p;
}

static int hex4(const char *p) {
    int v = 0;
    for (int i = 0; i < 4; i++) {
        int c = (unsigned char)p[i], lower = c | 0x20;
        if (c >= '0' && c <= '9') v = v << 4 | (c - '0');
        else if (lower >= 'a' && lower <= 'f') v = v << 4 | (lower - 'a' + 10);
        else return -1;
    }
    return v;
}

/* What a backslash and this character stand for. */
static const char unescaped[256] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};

/* Characters of the escape sequence at p (a backslash), 0 if it is malformed, -1 if the text ends in it. */
static int escape_length(const char *p, const char *end) {
    if (end - p < 2) return -1;
    if (p[1] == 'u') return end - p < 6 ? -1 : hex4(p + 2) < 0 ? 0 : 6;
    return unescaped[(unsigned char)p[1]] ? 2 : 0;
}

static char *put_utf8(char *out, uint32_t c) {
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xC0 | c >> 6);
        *out++ = (char)(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        *out++ = (char)(0xE0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 0x3F));
        *out++ = (char)(0x80 | (c & 0x3F));
    } else {
        *out++ = (char)(0xF0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 0x3F));
        *out++ = (char)(0x80 | (c >> 6 & 0x3F));
        *out++ = (char)(0x80 | (c & 0x3F));
    }
    return out;
}

/* Four hex digits at *p, two of them with \u between if they are a surrogate pair; moves *p behind what it took.
 * Half a pair is U+FFFD. */
static uint32_t code_point(const char **p, const char *end) {
    uint32_t c = (uint32_t)hex4(*p);
    *p += 4;
    if (c < 0xD800 || c > 0xDFFF) return c;
    if (c < 0xDC00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u') {
        uint32_t low = (uint32_t)hex4(*p + 2);
        if (low >= 0xDC00 && low <= 0xDFFF) {
            *p += 6;
            return 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        }
    }
    return 0xFFFD;
}

/* The string's content, whose escapes are known to be well-formed, into out; it never grows, but up to 16 bytes
 * behind its end are scribbled on. Returns the new end. */
static char *unescape(rs_str raw, char *out) {
    const char *p = raw.p, *end = raw.p + raw.n;
    while (p < end) {
        if (end - p >= 16) {
            v16 v;
            memcpy(&v, p, 16);
            memcpy(out, &v, 16);
            size_t run = first_set((v16)(v == SPLAT('\\')));
            p += run;
            out += run;
            if (run == 16) continue;
        }
        if (*p != '\\') {
            *out++ = *p++;
        } else if (p[1] == 'u') {
            p += 2;
            out = put_utf8(out, code_point(&p, end));
        } else {
            *out++ = unescaped[(unsigned char)p[1]];
            p += 2;
        }
    }
    return out;
}

/* A string whose first character is at p; r->text gets it, *next the place behind the closing quote. */
static bool read_string(rs_json_reader *r, const char *p, const char **next) {
    const char *begin = p, *end = r->in.p + r->in.n;
    uint64_t high = 0;
    bool escaped = false;
    for (;;) {
        p = find_stop(p, end, &high);
        if (p == end) return ends_early(r), false;
        if (*p == '"') break;
        if (*p != '\\') return fail(r, RS_ERR_INVALID, p, "a control character in a string"), false;
        int n = escape_length(p, end);
        if (n < 0) return ends_early(r), false;
        if (n == 0) return fail(r, RS_ERR_INVALID, p, "an escape sequence that JSON does not have"), false;
        escaped = true;
        p += n;
    }
    *next = p + 1;
    rs_str raw = r->text = (rs_str){begin, (size_t)(p - begin)};
    if (high & 0x8080808080808080u) {
        size_t good = rs_str_utf8_prefix(raw);
        if (good != raw.n) return fail(r, RS_ERR_INVALID, begin + good, "a string is not valid UTF-8"), false;
    }
    if (!escaped || !r->arena) return true;
    char *out = rs_arena_alloc(r->arena, raw.n + sizeof(v16));
    if (!out) return fail(r, RS_ERR_MEMORY, begin, "no memory for a string"), false;
    r->text = (rs_str){out, (size_t)(unescape(raw, out) - out)};
    return true;
}

/* ---- numbers and words --------------------------------------------------------------------------------- */

static const char *skip_digits(const char *p, const char *end) {
    while (p < end && *p >= '0' && *p <= '9') p++;
    return p;
}

static rs_json_token read_number(rs_json_reader *r, const char *begin) {
    const char *end = r->in.p + r->in.n, *p = begin + (*begin == '-'), *digits = p;
    p = skip_digits(p, end);
    if (p - digits > 1 && *digits == '0')
        return fail(r, RS_ERR_INVALID, digits + 1, "a number with a leading zero");
    bool ok = p > digits;
    if (ok && p < end && *p == '.') {
        digits = ++p;
        p = skip_digits(p, end);
        ok = p > digits;
    }
    if (ok && p < end && (*p == 'e' || *p == 'E')) {
        if (++p < end && (*p == '+' || *p == '-')) p++;
        digits = p;
        p = skip_digits(p, end);
        ok = p > digits;
    }
    if (!ok) return p == end ? ends_early(r) : fail(r, RS_ERR_INVALID, p, "a malformed number");
    r->text = (rs_str){begin, (size_t)(p - begin)};
    r->at = (size_t)(p - r->in.p);
    return RS_JSON_NUMBER;
}

static rs_json_token read_word(rs_json_reader *r, const char *p, rs_str word, rs_json_token token) {
    rs_str rest = rs_str_from(r->in, (size_t)(p - r->in.p));
    if (!rs_str_starts(rest, word))
        return rs_str_starts(word, rest) ? ends_early(r) : fail(r, RS_ERR_INVALID, p, "not a JSON value");
    r->at = (size_t)(p - r->in.p) + word.n;
    return token;
}

/* ---- structure ----------------------------------------------------------------------------------------- */

static const char *skip_space(const char *p, const char *end) {
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) p++;
    return p;
}

static rs_json_token open_level(rs_json_reader *r, const char *p) {
    if (r->depth == RS_JSON_MAX_DEPTH)
        return fail(r, RS_ERR_TOO_LARGE, p, "the JSON text is nested too deep");
    r->kinds[r->depth++] = (uint8_t)*p;
    r->at = (size_t)(p - r->in.p) + 1;
    r->expect = *p == '{' ? KEY_OR_END : VALUE_OR_END;
    return *p == '{' ? RS_JSON_OBJECT : RS_JSON_ARRAY;
}

static rs_json_token close_level(rs_json_reader *r, const char *p) {
    r->depth--;
    r->at = (size_t)(p - r->in.p) + 1;
    r->expect = r->depth ? AFTER_VALUE : FINISHED;
    return *p == '}' ? RS_JSON_OBJECT_END : RS_JSON_ARRAY_END;
}

static rs_json_token read_key(rs_json_reader *r, const char *p) {
    const char *end = r->in.p + r->in.n;
    if (*p != '"')
        return fail(r, RS_ERR_INVALID, p, "a member of an object must begin with its name in quotes");
    if (!read_string(r, p + 1, &p)) return RS_JSON_ERROR;
    p = skip_space(p, end);
    if (p == end) return ends_early(r);
    if (*p != ':') return fail(r, RS_ERR_INVALID, p, "a colon is missing behind a name");
    r->at = (size_t)(p - r->in.p) + 1;
    r->expect = VALUE;
    return RS_JSON_KEY;
}

static rs_json_token read_value(rs_json_reader *r, const char *p) {
    r->expect = r->depth ? AFTER_VALUE : FINISHED;
    switch (*p) {
    case '"':
        if (!read_string(r, p + 1, &p)) return RS_JSON_ERROR;
        r->at = (size_t)(p - r->in.p);
        return RS_JSON_STRING;
    case '{':
    case '[':
        return open_level(r, p);
    case 't':
        return read_word(r, p, RS_STR("true"), RS_JSON_TRUE);
    case 'f':
        return read_word(r, p, RS_STR("false"), RS_JSON_FALSE);
    case 'n':
        return read_word(r, p, RS_STR("null"), RS_JSON_NULL);
    default:
        if (*p == '-' || (*p >= '0' && *p <= '9')) return read_number(r, p);
        return fail(r, RS_ERR_INVALID, p, "not a JSON value");
    }
}

rs_json_token rs_json_read(rs_json_reader *r) {
    if (r->expect == FAILED) return RS_JSON_ERROR;
    const char *end = r->in.p + r->in.n, *p = skip_space(r->in.p + r->at, end);
    if (r->expect == FINISHED) {
        if (p < end) return fail(r, RS_ERR_INVALID, p, "something follows the end of the JSON text");
        r->at = r->in.n;
        return RS_JSON_END;
    }
    if (p == end) return ends_early(r);
    char kind = r->depth ? (char)r->kinds[r->depth - 1] : 0;
    if (r->expect == AFTER_VALUE && *p == ',') {
        r->expect = kind == '{' ? KEY : VALUE;
        p = skip_space(p + 1, end);
        if (p == end) return ends_early(r);
    }
    r->value_at = (size_t)(p - r->in.p);
    switch (r->expect) {
    case VALUE_OR_END:
        if (*p == ']') return close_level(r, p);
        return read_value(r, p);
    case VALUE:
        return read_value(r, p);
    case KEY_OR_END:
        if (*p == '}') return close_level(r, p);
        return read_key(r, p);
    case KEY:
        return read_key(r, p);
    default: /* AFTER_VALUE */
        if (*p == (kind == '{' ? '}' : ']')) return close_level(r, p);
        return fail(r, RS_ERR_INVALID, p,
                    kind == '{' ? "a comma or } is missing" : "a comma or ] is missing");
    }
}

bool rs_json_read_skip(rs_json_reader *r, rs_str *raw) {
    rs_arena *arena = r->arena;
    uint32_t depth = r->depth;
    r->arena = NULL; /* nobody will look at its strings */
    rs_json_token t = rs_json_read(r);
    size_t begin = r->value_at;
    if (t == RS_JSON_KEY || t == RS_JSON_END || r->depth < depth)
        t = fail(r, RS_ERR_INVALID, r->in.p + begin, "a value is missing");
    while (t != RS_JSON_ERROR && r->depth > depth) t = rs_json_read(r);
    r->arena = arena;
    if (t == RS_JSON_ERROR) return false;
    if (raw) *raw = (rs_str){r->in.p + begin, r->at - begin};
    return true;
}

bool rs_json_read_element(rs_json_reader *r, rs_str *raw) {
    size_t at = r->at;
    while (at < r->in.n && memchr(" \t\n\r", r->in.p[at], 4)) at++;
    if (at < r->in.n && r->in.p[at] == ']') return (void)rs_json_read(r), false;
    return rs_json_read_skip(r, raw);
}

bool rs_json_is_valid(rs_str s) {
    rs_json_reader r;
    rs_json_token t;
    rs_json_read_init(&r, s, NULL);
    do t = rs_json_read(&r);
    while (t > RS_JSON_END);
    return t == RS_JSON_END;
}

bool rs_json_scalar(const rs_json_reader *r, rs_json_token t, rs_str *out) {
    *out = t == RS_JSON_TRUE ? RS_STR("true") : t == RS_JSON_FALSE ? RS_STR("false") : r->text;
    return t == RS_JSON_STRING || t == RS_JSON_NUMBER || t == RS_JSON_TRUE || t == RS_JSON_FALSE;
}

bool rs_json_find_key(rs_json_reader *r, rs_str key) {
    if (rs_json_read(r) != RS_JSON_OBJECT) return false;
    while (rs_json_read(r) == RS_JSON_KEY) {
        if (rs_str_eq(r->text, key)) return true;
        if (!rs_json_read_skip(r, NULL)) return false;
    }
    return false;
}
