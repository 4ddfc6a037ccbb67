#include "store/words.h"

#include <endian.h>
#include <strings.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { PART, ASCII, OTHER };

/* Letters and digits of ASCII; bytes of UTF-8 beyond it. */
static const uint8_t classes[256] = {
    ['0' ... '9'] = ASCII, ['A' ... 'Z'] = ASCII, ['a' ... 'z'] = ASCII, [0x80 ... 0xff] = OTHER};

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

/* The code point at p, of at least one byte; *n: its bytes. What is not UTF-8 is a code point of one byte that parts words. */
static uint32_t decode(const uint8_t *p, size_t left, size_t *n) {
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

/* \uXXXX at p. */
static bool take_unit(const char *p, size_t left, uint32_t *out) {
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
        c = decode((const uint8_t *)p, left, n);
    } else if (take_unit(p, left, &c)) {
        *n = 6;
        if (c >= 0xd800 && c < 0xdc00 && take_unit(p + 6, left - 6, &low) && low >= 0xdc00 && low < 0xe000)
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00), *n = 12;
    } else {
        *n = left > 1 ? 2 : 1; /* \n and the like, and \\ */
        return ' ';
    }
    if (c < 0x80) return classes[c] == ASCII ? c : ' ';
    return parts_words(c) ? ' ' : c;
}

enum {
    DOT_ABOVE = 0x307
}; /* what is left of a Turkish capital's dot behind an i, where it was made small by Unicode's rules */

/* A word that is not of ASCII alone, or may not be. */
static uint64_t slow_word(rs_words *w) {
    char folded[RS_WORD_MAX + 8];
    size_t n = 0, bytes;
    while (w->at < w->text.n) {
        uint32_t c = character(w, w->at, &bytes);
        if (c == ' ' || stands_alone(c)) break;
        w->at += bytes;
        w->folded_since |= is_folded_since(c);
        if (c == DOT_ABOVE && n > 0 && folded[n - 1] == 'i') continue;
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

typedef uint8_t bytes16 __attribute__((vector_size(16)));

/* The highest bits of the bytes, that of the first one lowest. */
static uint64_t bits_of(bytes16 bytes) {
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
        bytes16 x, words, odd;
        memcpy(&x, p + 16 * i, 16);
        words = (bytes16)((bytes16)((x | 0x20) - 'a') < 26) | (bytes16)((bytes16)(x - '0') < 10);
        odd = is_json ? x | (bytes16)(x == '\\') : x;
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

/* ---- phrases ------------------------------------------------------------------------------------------- */

/* Whether it may be how a number, true, false or null of a structure is written, whose bytes are others. */
static bool may_be_no_text(rs_str run) {
    static const rs_str names[] = {RS_STR("true"), RS_STR("false"), RS_STR("null")};
    size_t i = 0;
    while (i < run.n && ((run.p[i] >= '0' && run.p[i] <= '9') || (i > 0 && (run.p[i] | 0x20) == 'e'))) i++;
    bool may = i == run.n;
    for (i = 0; i < RS_ARRAY_LEN(names) && !may; i++)
        may = run.n == names[i].n && strncasecmp(run.p, names[i].p, run.n) == 0;
    return may;
}

/* The longest run of ASCII letters and digits that is a whole word, or RS_WORD_MAX bytes of one; what may be a number only if there is no other. */
static rs_status keep_longest(rs_str text, rs_arena *arena, rs_phrase *out) {
    rs_str best = {0};
    bool may_be_number = true;
    for (size_t at = 0, end; at < text.n; at = end + 1) {
        for (end = at; end < text.n && classes[(uint8_t)text.p[end]] == ASCII;) end++;
        rs_str run = {text.p + at, end - at};
        bool whole =
            (at == 0 || (uint8_t)text.p[at - 1] < 0x80) && (end == text.n || (uint8_t)text.p[end] < 0x80);
        bool number = whole && may_be_no_text(run);
        if (!whole || (number && !may_be_number)) continue;
        if (run.n <= best.n && number == may_be_number) continue;
        best = run;
        may_be_number = number;
    }
    if (best.n > RS_WORD_MAX) best.n = RS_WORD_MAX;
    if (best.n == 0) return RS_OK;
    char *small = rs_arena_alloc(arena, best.n);
    if (!small) return RS_ERR_MEMORY;
    for (size_t i = 0; i < best.n; i++) small[i] = (char)fold((uint8_t)best.p[i]);
    out->longest = (rs_str){small, best.n};
    out->may_be_number = may_be_number;
    return RS_OK;
}

/* Knuth, Morris and Pratt's: how many of its first words the phrase up to each word also ends with. */
static void link_words(rs_phrase *p) {
    for (uint32_t i = 1, n = 0; i < p->nwords; i++) {
        while (n > 0 && p->words[i] != p->words[n]) n = p->links[n - 1];
        n += p->words[i] == p->words[n];
        p->links[i] = n;
    }
}

rs_status rs_phrase_make(rs_str text, rs_arena *arena, rs_phrase *out) {
    *out = (rs_phrase){0};
    size_t most = text.n + 1; /* no word is shorter than a byte */
    out->words = rs_arena_alloc(arena, most * sizeof *out->words);
    out->links = rs_arena_zalloc(arena, most, sizeof *out->links);
    out->keys = rs_arena_alloc(arena, most * sizeof *out->keys);
    out->keys_before = rs_arena_alloc(arena, most * sizeof *out->keys_before);
    if (!out->words || !out->links || !out->keys || !out->keys_before) return RS_ERR_MEMORY;
    rs_words w = rs_words_of(text, true);
    w.is_json = false;
    for (uint64_t key, alone = 0; (key = rs_words_next(&w)) != 0;) {
        bool is_pair = w.queue != 0; /* and the character behind it comes next */
        uint64_t word = is_pair ? rs_words_next(&w) : key;
        if (is_pair && alone) out->nkeys--; /* a pair stands for both of its characters */
        alone = !is_pair && w.last == word ? word : 0;
        out->words[out->nwords++] = word;
        out->keys[out->nkeys++] = key;
        if (!w.folded_since) out->keys_before[out->nkeys_before++] = word;
        w.folded_since = false;
    }
    out->has_emoji = w.met_emoji;
    link_words(out);
    return keep_longest(text, arena, out);
}

static bool is_at(const char *p, rs_str small) {
    for (size_t i = 0; i < small.n; i++)
        if ((char)fold((uint8_t)p[i]) != small.p[i]) return false;
    return true;
}

static bool has_any(bytes16 places) {
    uint64_t any[2];
    memcpy(&any, &places, 16);
    return (any[0] | any[1]) != 0;
}

/* First and last byte are compared at sixteen places at once. */
static bool has_bytes(rs_str bytes, rs_str small) {
    size_t at = 0, n = small.n;
    uint8_t first = (uint8_t)small.p[0], last = (uint8_t)small.p[n - 1];
    uint8_t first_case = first >= 'a' ? 0x20 : 0, last_case = last >= 'a' ? 0x20 : 0; /* else a digit */
    for (; at + n + 15 <= bytes.n; at += 16) {
        bytes16 a, b;
        memcpy(&a, bytes.p + at, 16);
        memcpy(&b, bytes.p + at + n - 1, 16);
        bytes16 both = (bytes16)((a | first_case) == first) & (bytes16)((b | last_case) == last);
        if (!has_any(both)) continue;
        for (size_t i = 0; i < 16; i++)
            if (both[i] && is_at(bytes.p + at + i, small)) return true;
    }
    for (; at + n <= bytes.n; at++)
        if (is_at(bytes.p + at, small)) return true;
    return false;
}

static bool is_dotted(uint32_t c) { return c == DOT_ABOVE || c == 0x130 || c == 0x131; }

/* A letter or digit of ASCII in JSON's escape, or a Turkish i or what its dot became, escaped or not. */
static bool is_odd_letter(const char *p, size_t left) {
    uint32_t c;
    size_t n;
    if (take_unit(p, left, &c)) return (c < 0x80 && classes[c] == ASCII) || is_dotted(c);
    return is_dotted(decode((const uint8_t *)p, left, &n));
}

/* Whether letters of ASCII may be written in other bytes than their own. */
static bool is_spelt_otherwise(rs_str bytes) {
    size_t at = 0;
    for (; at + 17 <= bytes.n; at += 16) {
        bytes16 a, b;
        memcpy(&a, bytes.p + at, 16);
        memcpy(&b, bytes.p + at + 1, 16);
        bytes16 odd = (bytes16)(a == '\\') & (bytes16)(b == 'u');
        odd |= (bytes16)(a == 0xc4) & (bytes16)((b | 1) == 0xb1);
        odd |= (bytes16)(a == 0xcc) & (bytes16)(b == 0x87);
        if (!has_any(odd)) continue;
        for (size_t i = 0; i < 16; i++)
            if (odd[i] && is_odd_letter(bytes.p + at + i, bytes.n - at - i)) return true;
    }
    for (; at < bytes.n; at++)
        if (is_odd_letter(bytes.p + at, bytes.n - at)) return true;
    return false;
}

bool rs_phrase_may_be_in(const rs_phrase *p, rs_str bytes) {
    if (p->longest.n == 0 || p->may_be_number) return p->nwords > 0;
    return has_bytes(bytes, p->longest) || is_spelt_otherwise(bytes);
}

bool rs_phrase_is_in(const rs_phrase *p, rs_str text) {
    uint64_t some[64];
    uint32_t at = 0;
    if (p->nwords == 0) return false;
    if (p->longest.n > 0 && !has_bytes(text, p->longest) && !is_spelt_otherwise(text))
        return false; /* it need not be cut up */
    rs_words w = rs_words_of(text, false);
    w.no_emoji = !p->has_emoji;
    for (size_t n = RS_ARRAY_LEN(some); n == RS_ARRAY_LEN(some);) {
        n = rs_words_take(&w, some, RS_ARRAY_LEN(some));
        for (size_t i = 0; i < n; i++) {
            while (at > 0 && some[i] != p->words[at]) at = p->links[at - 1];
            at += some[i] == p->words[at];
            if (at == p->nwords) return true;
        }
    }
    return false;
}
