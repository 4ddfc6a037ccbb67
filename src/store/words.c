#include "store/word_bytes.h"

#include <endian.h>
#include <strings.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { PART = RS_BYTE_PART, ASCII = RS_BYTE_ASCII, OTHER = RS_BYTE_OTHER };

const uint8_t rs_byte_classes[256] = {
    ['0' ... '9'] = ASCII, ['A' ... 'Z'] = ASCII, ['a' ... 'z'] = ASCII, [0x80 ... 0xff] = OTHER};
#define classes rs_byte_classes

/* ---- hashes -------------------------------------------------------------------------------------------- */

#define SEED       0x2545f4914f6cdd1dull
#define EACH(byte) (0x0101010101010101ull * (byte))

/* ASCII capitals of eight bytes made small. */
static uint64_t fold_bytes(uint64_t x) {
    uint64_t low = x & EACH(0x7f), from_a = low + EACH(0x80 - 'A'), past_z = low + EACH(0x7f - 'Z');
    return x | ((from_a ^ past_z) & ~x & EACH(0x80)) >> 2;
}

static uint64_t mix(uint64_t h, uint64_t x) {
    h = (h ^ x) * 0x9fb21c651e98df25ull;
    return h ^ h >> 32;
}

/* `room`: bytes that may be read from p on, at least n. */
static uint64_t hash_word(const char *p, size_t n, size_t room) {
    uint64_t x, h = SEED ^ (n > RS_WORD_MAX ? RS_WORD_MAX : n);
    if (n > RS_WORD_MAX) n = RS_WORD_MAX;
    for (; n > 8; n -= 8, p += 8, room -= 8) {
        memcpy(&x, p, 8);
        h = mix(h, fold_bytes(le64toh(x)));
    }
    x = 0;
    if (room >= 8) {
        memcpy(&x, p, 8);
        x = le64toh(x) & (~0ull >> (64 - 8 * n)); /* n >= 1 */
    } else {
        memcpy(&x, p, n);
        x = le64toh(x);
    }
    h = mix(mix(h, fold_bytes(x)), 0);
    return h ? h : 1;
}

static uint64_t hash_pair(uint64_t a, uint64_t b) {
    uint64_t h = mix(mix(a, b), 2);
    return h ? h : 1;
}

/* ---- code points --------------------------------------------------------------------------------------- */

uint32_t rs_word_decode(const uint8_t *p, size_t left, size_t *n) {
    uint32_t c = p[0];
    size_t more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc2 ? 1 : 0;
    *n = 1;
    if (c < 0x80) return c;
    if (more == 0 || more >= left) return ' ';
    c &= 0x3fu >> more;
    for (size_t i = 1; i <= more; i++) {
        if ((p[i] & 0xc0) != 0x80) return ' ';
        c = c << 6 | (p[i] & 0x3f);
    }
    *n = more + 1;
    return c;
}

static size_t encode(uint32_t c, char *out) {
    if (c < 0x80) return out[0] = (char)c, 1;
    if (c < 0x800) return out[0] = (char)(0xc0 | c >> 6), out[1] = (char)(0x80 | (c & 0x3f)), 2;
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

typedef struct span_of {
    uint32_t first, last;
} span_of;

static bool is_among(uint32_t c, const span_of *spans, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (c >= spans[i].first && c <= spans[i].last) return true;
    return false;
}

/* Punctuation, spaces and symbols beyond ASCII. */
static bool parts_words(uint32_t c) {
    static const span_of spans[] = {{0x80, 0xa9},     {0xab, 0xb4},      {0xb6, 0xb9},     {0xbb, 0xbf},
                                    {0xd7, 0xd7},     {0xf7, 0xf7},      {0x2000, 0x206f}, {0x20a0, 0x20cf},
                                    {0x2190, 0x23ff}, {0x2500, 0x257f},  {0x2e00, 0x2e7f}, {0x3000, 0x3004},
                                    {0x3008, 0x3020}, {0x30fb, 0x30fb},  {0xd800, 0xf8ff}, {0xfe00, 0xfe6f},
                                    {0xff00, 0xff0f}, {0xff1a, 0xff20},  {0xff3b, 0xff40}, {0xff5b, 0xff65},
                                    {0xfff0, 0xffff}, {0x1f3fb, 0x1f3ff}};
    return is_among(c, spans, RS_ARRAY_LEN(spans));
}

static bool is_emoji(uint32_t c) { return (c >= 0x2580 && c <= 0x2bff) || (c >= 0x1f000 && c <= 0x1faff); }

/* A character that is a word of its own. */
static bool stands_alone(uint32_t c) {
    static const span_of spans[] = {{0x0e00, 0x0eff}, {0x1000, 0x109f},   {0x1100, 0x11ff},  {0x1780, 0x17ff},
                                    {0x2e80, 0x9fff}, {0xa960, 0xa97f},   {0xac00, 0xd7ff},  {0xf900, 0xfaff},
                                    {0xff66, 0xffdc}, {0x1b000, 0x1b2ff}, {0x20000, 0x3ffff}};
    return c >= 0x0e00 && (is_emoji(c) || is_among(c, spans, RS_ARRAY_LEN(spans)));
}

/* Small letters of Latin, Greek, Cyrillic and Armenian. Of what is beyond ASCII only the Turkish i, with a dot or without, becomes a
 * letter of it: is_spelt_otherwise relies on that. */
static uint32_t fold(uint32_t c) {
    switch (c) {
    case 'A' ... 'Z':
    case 0xc0 ... 0xde:
    case 0x391 ... 0x3ab:
    case 0x410 ... 0x42f:
        return c + 32;
    case 0x100 ... 0x12f:
    case 0x132 ... 0x137:
    case 0x14a ... 0x177:
    case 0x1a0 ... 0x1a5:
    case 0x1de ... 0x1ef:
    case 0x1f8 ... 0x21f:
    case 0x222 ... 0x233:
    case 0x460 ... 0x481:
    case 0x48a ... 0x4bf:
    case 0x4d0 ... 0x52f:
    case 0x1e00 ... 0x1e95:
    case 0x1ea0 ... 0x1eff:
        return c | 1;
    case 0x139 ... 0x148:
    case 0x179 ... 0x17e:
    case 0x1af ... 0x1b0:
    case 0x1cd ... 0x1dc:
    case 0x4c1 ... 0x4ce:
        return c + (c & 1);
    case 0x400 ... 0x40f:
        return c + 80;
    case 0x531 ... 0x556:
        return c + 48;
    case 0x388 ... 0x38a:
        return c + 37;
    case 0x130:
    case 0x131:
        return 'i';
    case 0x178:
        return 0xff;
    case 0x386:
        return 0x3ac;
    case 0x38c:
        return 0x3cc;
    case 0x38e:
    case 0x38f:
        return c + 63;
    case 0x3c2: /* the sigma at a word's end */
        return 0x3c3;
    case 0x1e9e:
        return 0xdf;
    default:
        return c;
    }
}

/* Letters whose cases are two letters in a filter that was made by older rules. */
static bool is_folded_since(uint32_t c) {
    switch (c) {
    case 0xdf:
    case 0xff:
    case 0x130 ... 0x131:
    case 0x178:
    case 0x1a0 ... 0x233:
    case 0x386 ... 0x390:
    case 0x3aa ... 0x3b0:
    case 0x3ca ... 0x3ce:
    case 0x48a ... 0x586:
    case 0x1e9e:
        return true;
    default:
        return false;
    }
}

/* ---- reading ------------------------------------------------------------------------------------------- */

static bool is_json_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

rs_words rs_words_of(rs_str text, bool pairs) {
    size_t at = 0;
    while (at < text.n && is_json_space(text.p[at])) at++;
    bool is_json = at < text.n && (text.p[at] == '{' || text.p[at] == '[' || text.p[at] == '"');
    return (rs_words){.text = text, .is_json = is_json, .pairs = pairs};
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool rs_word_take_unit(const char *p, size_t left, uint32_t *out) {
    *out = 0;
    if (left < 6 || p[0] != '\\' || p[1] != 'u') return false;
    for (int i = 2; i < 6; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0) return false;
        *out = *out << 4 | (uint32_t)digit;
    }
    return true;
}

/* The character at `at`, whatever it is written as; ' ' for all that parts words. */
static uint32_t character(const rs_words *w, size_t at, size_t *n) {
    const char *p = w->text.p + at;
    size_t left = w->text.n - at;
    uint32_t c, low;
    if (!w->is_json || p[0] != '\\') {
        c = rs_word_decode((const uint8_t *)p, left, n);
    } else if (rs_word_take_unit(p, left, &c)) {
        *n = 6;
        if (c >= 0xd800 && c < 0xdc00 && rs_word_take_unit(p + 6, left - 6, &low) && low >= 0xdc00 &&
            low < 0xe000)
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00), *n = 12;
    } else {
        *n = left > 1 ? 2 : 1; /* \n and the like, and \\ */
        return ' ';
    }
    if (c < 0x80) return classes[c] == ASCII ? c : ' ';
    return parts_words(c) ? ' ' : c;
}

/* A word that is not of ASCII alone, or may not be. */
static uint64_t slow_word(rs_words *w) {
    char folded[RS_WORD_MAX + 8];
    size_t n = 0, bytes;
    while (w->at < w->text.n) {
        uint32_t c = character(w, w->at, &bytes);
        if (c == ' ' || stands_alone(c)) break;
        w->at += bytes;
        w->folded_since |= is_folded_since(c);
        if (c == RS_DOT_ABOVE && n > 0 && folded[n - 1] == 'i') continue;
        if (n <= RS_WORD_MAX) n += encode(fold(c), folded + n);
    }
    return n ? hash_word(folded, n, sizeof folded) : 0;
}

static uint64_t hash_character(uint32_t c) {
    char utf8[8] = {0};
    return hash_word(utf8, encode(c, utf8), sizeof utf8);
}

/* One of the characters that are words, but no emoji. */
static uint64_t lone_character(rs_words *w, uint32_t c) {
    uint64_t before = w->last, h = w->last = hash_character(c);
    if (!w->pairs || !before) return h;
    w->queue = h;
    return hash_pair(before, h);
}

uint64_t rs_words_next(rs_words *w) {
    const char *p = w->text.p;
    size_t n = w->text.n;
    if (w->queue) {
        uint64_t h = w->queue;
        return w->queue = 0, h;
    }
    while (w->at < n) {
        uint8_t class = classes[(uint8_t)p[w->at]];
        if (class == ASCII) {
            size_t start = w->at, end = start + 1;
            while (end < n && classes[(uint8_t)p[end]] == ASCII) end++;
            w->last = 0;
            bool goes_on = end < n && ((uint8_t)p[end] >= 0x80 || (w->is_json && p[end] == '\\'));
            if (goes_on) return slow_word(w);
            w->at = end;
            return hash_word(p + start, end - start, n - start);
        }
        if (class == PART && !(w->is_json && p[w->at] == '\\')) {
            w->at++;
            continue;
        }
        size_t bytes;
        uint32_t c = character(w, w->at, &bytes);
        if (c != ' ' && !stands_alone(c)) {
            w->last = 0;
            return slow_word(w);
        }
        w->at += bytes;
        if (c != ' ' && !is_emoji(c)) return lone_character(w, c);
        w->met_emoji = w->met_emoji || c != ' ';
        if (c != ' ' && !w->no_emoji) return hash_character(c);
    }
    return 0;
}

/* ---- reading many at once ------------------------------------------------------------------------------ */

enum { WINDOW = 64, BEYOND = 16 }; /* bytes: looked at together; that are loaded behind them at most */

/* A bit for each byte of a window. */
typedef struct window {
    uint64_t words; /* letters and digits of ASCII */
    uint64_t odd;   /* beyond ASCII, or an escape in JSON: what these are, rs_words_next says */
} window;

/* The highest bits of the bytes, that of the first one lowest. */
static uint64_t bits_of(rs_bytes16 bytes) {
#ifdef __SSE2__
    return (uint32_t)_mm_movemask_epi8((__m128i)bytes);
#else
    uint64_t bits = 0, x[2];
    memcpy(x, &bytes, 16);
    for (int i = 0; i < 2; i++)
        bits |= ((le64toh(x[i]) >> 7 & EACH(1)) * 0x0102040810204080ull >> 56) << 8 * i;
    return bits;
#endif
}

static window look_at(const char *p, bool is_json) {
    window w = {0, 0};
    for (int i = 0; i < WINDOW / 16; i++) {
        rs_bytes16 x, words, odd;
        memcpy(&x, p + 16 * i, 16);
        words = (rs_bytes16)((rs_bytes16)((x | 0x20) - 'a') < 26) | (rs_bytes16)((rs_bytes16)(x - '0') < 10);
        odd = is_json ? x | (rs_bytes16)(x == '\\') : x;
        w.words |= bits_of(words) << 16 * i;
        w.odd |= bits_of(odd) << 16 * i;
    }
    return w;
}

/* A word of at most 16 bytes, of ASCII letters and digits, which as many may be read at. In those the bit that tells small
 * letters is set in digits, too. */
static uint64_t hash_short(const char *p, size_t n) {
    uint64_t x, h = SEED ^ n;
    memcpy(&x, p, 8);
    x = le64toh(x) | EACH(0x20);
    if (n > 8) {
        h = mix(h, x);
        memcpy(&x, p + 8, 8);
        x = le64toh(x) | EACH(0x20);
        n -= 8;
    }
    h = mix(mix(h, x & (~0ull >> (64 - 8 * n))), 0);
    return h ? h : 1;
}

/* The words that end in the window at p, up to the first that is not of ASCII alone; *used: bytes that are done with. */
static size_t take_window(const char *p, bool is_json, uint64_t *out, size_t cap, size_t *used) {
    window w = look_at(p, is_json);
    uint64_t before = w.words << 1, starts = w.words & ~before;
    uint64_t plain = w.odd ? (w.odd & -w.odd) - 1 : ~0ull; /* before what is odd */
    uint64_t ends = before & ~w.words & plain;
    size_t taken = 0;
    for (; ends && taken < cap; ends &= ends - 1, starts &= starts - 1) {
        size_t start = (size_t)__builtin_ctzll(starts), n = (size_t)__builtin_ctzll(ends) - start;
        out[taken++] = n <= BEYOND ? hash_short(p + start, n) : hash_word(p + start, n, n + BEYOND);
    }
    /* The next one begins in the window and is not whole, or is one too many. */
    starts &= plain;
    *used = starts ? (size_t)__builtin_ctzll(starts) : w.odd ? (size_t)__builtin_ctzll(w.odd) : WINDOW;
    return taken;
}

/* Words of ASCII as long as that is all there is. */
static size_t take_plain(rs_words *w, uint64_t *out, size_t cap) {
    size_t taken = 0;
    while (taken < cap && w->at < w->text.n) {
        char end[WINDOW + BEYOND];
        const char *p = w->text.p + w->at;
        size_t left = w->text.n - w->at, used;
        if (left < sizeof end) { /* what is behind it parts words */
            memset(end, 0, sizeof end);
            p = memcpy(end, p, left);
        }
        size_t got = take_window(p, w->is_json, out + taken, cap - taken, &used);
        if (used == 0) break;
        if (got) w->last = 0;
        taken += got;
        w->at = used < left ? w->at + used : w->text.n;
    }
    return taken;
}

size_t rs_words_take(rs_words *w, uint64_t *out, size_t n) {
    size_t taken = 0;
    while (taken < n) {
        if (!w->queue) taken += take_plain(w, out + taken, n - taken);
        if (taken == n || (out[taken] = rs_words_next(w)) == 0) break;
        taken++;
    }
    return taken;
}
