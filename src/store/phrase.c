/* Phrases: words that come one after the other. */
#include "store/word_bytes.h"

#include <strings.h>

static char small_letter(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c; }

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

static uint8_t class_at(rs_str text, size_t at) { return rs_byte_classes[(uint8_t)text.p[at]]; }

/* The word of the phrase beside that run; empty if it is not one of ASCII letters and digits with plain bytes around it, or a long one. */
static rs_str beside(rs_str text, rs_str run, int step) {
    size_t from = (size_t)(run.p - text.p), to = from + run.n;
    if (step > 0) {
        for (from = to; from < text.n && class_at(text, from) == RS_BYTE_PART;) from++;
        for (to = from; to < text.n && class_at(text, to) == RS_BYTE_ASCII;) to++;
    } else {
        for (to = from; to > 0 && class_at(text, to - 1) == RS_BYTE_PART;) to--;
        for (from = to; from > 0 && class_at(text, from - 1) == RS_BYTE_ASCII;) from--;
    }
    bool is_plain = (from == 0 || class_at(text, from - 1) == RS_BYTE_PART) &&
                    (to == text.n || class_at(text, to) == RS_BYTE_PART) && to - from < RS_WORD_MAX;
    return is_plain ? (rs_str){text.p + from, to - from} : (rs_str){0};
}

static rs_str small_copy(rs_arena *arena, rs_str s) {
    char *small = rs_arena_alloc(arena, s.n);
    for (size_t i = 0; small && i < s.n; i++) small[i] = small_letter(s.p[i]);
    return (rs_str){small, s.n};
}

/* The longest run of ASCII letters and digits that is a whole word, or RS_WORD_MAX bytes of one; what may be a number only if there is no other. */
static rs_status keep_longest(rs_str text, rs_arena *arena, rs_phrase *out) {
    rs_str best = {0};
    bool may_be_number = true;
    for (size_t at = 0, end; at < text.n; at = end + 1) {
        for (end = at; end < text.n && rs_byte_classes[(uint8_t)text.p[end]] == RS_BYTE_ASCII;) end++;
        rs_str run = {text.p + at, end - at};
        bool whole =
            (at == 0 || (uint8_t)text.p[at - 1] < 0x80) && (end == text.n || (uint8_t)text.p[end] < 0x80);
        bool number = whole && may_be_no_text(run);
        if (!whole || (number && !may_be_number)) continue;
        if (run.n <= best.n && number == may_be_number) continue;
        best = run;
        may_be_number = number;
    }
    if (best.n == 0) return RS_OK;
    rs_str before = beside(text, best, -1), after = beside(text, best, 1);
    if (best.n > RS_WORD_MAX) best.n = RS_WORD_MAX;
    out->longest = small_copy(arena, best);
    out->before = small_copy(arena, before);
    out->after = small_copy(arena, after);
    out->may_be_number = may_be_number;
    return out->longest.p && out->before.p && out->after.p ? RS_OK : RS_ERR_MEMORY;
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
        if (small_letter(p[i]) != small.p[i]) return false;
    return true;
}

static bool has_any(rs_bytes16 places) {
    uint64_t any[2];
    memcpy(&any, &places, 16);
    return (any[0] | any[1]) != 0;
}

/* Whether what stands behind `at` (step -1: before it) may be that word. Where anything but plain letters of ASCII is near, a word may
 * be spelt otherwise: then it may. */
static bool may_follow(rs_str text, size_t at, int step, rs_str word) {
    size_t matched = 0;
    uint8_t class = RS_BYTE_PART;
    for (; step > 0 ? at < text.n : at > 0; at += (size_t)step) {
        char c = text.p[step > 0 ? at : at - 1];
        class = rs_byte_classes[(uint8_t)c];
        if (class == RS_BYTE_OTHER || c == '\\') return true;
        if (class == RS_BYTE_PART && matched == 0) continue;
        bool same = matched < word.n && small_letter(c) == word.p[step > 0 ? matched : word.n - 1 - matched];
        if (!same) break;
        matched++;
    }
    bool at_end = step > 0 ? at == text.n : at == 0;
    if (matched == word.n && (at_end || class == RS_BYTE_PART)) return true;
    if (step > 0) return false;
    while (at > 0 && class_at(text, at - 1) == RS_BYTE_ASCII) at--; /* the letters of an escape? */
    return at > 0 && class_at(text, at - 1) != RS_BYTE_PART ? true : at > 0 && text.p[at - 1] == '\\';
}

/* Whether the phrase may be around its longest word, which is there. In a text: bytes of several have no words beside each other. */
static bool may_be_around(const rs_phrase *p, rs_str text, size_t at) {
    size_t end = at + p->longest.n;
    if (p->after.n > 0 && !(end < text.n && class_at(text, end) == RS_BYTE_ASCII) &&
        !may_follow(text, end, 1, p->after))
        return false;
    return p->before.n == 0 || (at > 0 && class_at(text, at - 1) == RS_BYTE_ASCII) ||
           may_follow(text, at, -1, p->before);
}

/* First and last byte are compared at sixteen places at once. `around`: only where the phrase may be. */
static bool has_bytes(rs_str bytes, const rs_phrase *p, bool around) {
    rs_str small = p->longest;
    size_t at = 0, n = small.n;
    uint8_t first = (uint8_t)small.p[0], last = (uint8_t)small.p[n - 1];
    uint8_t first_case = first >= 'a' ? 0x20 : 0, last_case = last >= 'a' ? 0x20 : 0; /* else a digit */
    for (; at + n + 15 <= bytes.n; at += 16) {
        rs_bytes16 a, b;
        memcpy(&a, bytes.p + at, 16);
        memcpy(&b, bytes.p + at + n - 1, 16);
        rs_bytes16 both = (rs_bytes16)((a | first_case) == first) & (rs_bytes16)((b | last_case) == last);
        if (!has_any(both)) continue;
        for (size_t i = 0; i < 16; i++)
            if (both[i] && is_at(bytes.p + at + i, small) && (!around || may_be_around(p, bytes, at + i)))
                return true;
    }
    for (; at + n <= bytes.n; at++)
        if (is_at(bytes.p + at, small) && (!around || may_be_around(p, bytes, at))) return true;
    return false;
}

static bool is_dotted(uint32_t c) { return c == RS_DOT_ABOVE || c == 0x130 || c == 0x131; }

/* A letter or digit of ASCII in JSON's escape, or a Turkish i or what its dot became, escaped or not. */
static bool is_odd_letter(const char *p, size_t left) {
    uint32_t c;
    size_t n;
    if (rs_word_take_unit(p, left, &c))
        return (c < 0x80 && rs_byte_classes[c] == RS_BYTE_ASCII) || is_dotted(c);
    return is_dotted(rs_word_decode((const uint8_t *)p, left, &n));
}

/* Whether letters of ASCII may be written in other bytes than their own. */
static bool is_spelt_otherwise(rs_str bytes) {
    size_t at = 0;
    for (; at + 17 <= bytes.n; at += 16) {
        rs_bytes16 a, b;
        memcpy(&a, bytes.p + at, 16);
        memcpy(&b, bytes.p + at + 1, 16);
        rs_bytes16 odd = (rs_bytes16)(a == '\\') & (rs_bytes16)(b == 'u');
        odd |= (rs_bytes16)(a == 0xc4) & (rs_bytes16)((b | 1) == 0xb1);
        odd |= (rs_bytes16)(a == 0xcc) & (rs_bytes16)(b == 0x87);
        if (!has_any(odd)) continue;
        for (size_t i = 0; i < 16; i++)
            if (odd[i] && is_odd_letter(bytes.p + at + i, bytes.n - at - i)) return true;
    }
    for (; at < bytes.n; at++) {
        uint8_t c = (uint8_t)bytes.p[at];
        if ((c == '\\' || c == 0xc4 || c == 0xcc) && is_odd_letter(bytes.p + at, bytes.n - at)) return true;
    }
    return false;
}

bool rs_phrase_may_be_in(const rs_phrase *p, rs_str bytes) {
    if (p->longest.n == 0 || p->may_be_number) return p->nwords > 0;
    return has_bytes(bytes, p, false) || is_spelt_otherwise(bytes);
}

bool rs_phrase_is_in(const rs_phrase *p, rs_str text) {
    uint64_t some[64];
    uint32_t at = 0;
    if (p->nwords == 0) return false;
    if (p->longest.n > 0 && !has_bytes(text, p, true) && !is_spelt_otherwise(text))
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
