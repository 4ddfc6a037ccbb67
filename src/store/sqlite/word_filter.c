#include "store/sqlite/word_filter.h"

#include "base/xxh.h"
#include <stdlib.h>

enum {
    FIRST_SLOTS = 1 << 12,
    KEPT_SLOTS = 1 << 17,
    MOST_SLOTS = 1 << 22, /* past it a filter knows nothing: every answer is "yes" */
    TOGETHER = 64,        /* words that are cut off a text at once */
    FEW_SPANS = 256,
    FEW_PROBES = 7,
};

/* ---- the set ------------------------------------------------------------------------------------------- */

void rs_word_set_deinit(rs_word_set *set) {
    free(set->slots);
    rs_buf_deinit(&set->scratch);
    *set = (rs_word_set){0};
}

void rs_word_set_clear(rs_word_set *set) {
    if (set->mask >= KEPT_SLOTS || set->scratch.cap > KEPT_SLOTS) rs_word_set_deinit(set);
    if (set->slots && set->used) memset(set->slots, 0, ((size_t)set->mask + 1) * sizeof *set->slots);
    set->used = set->words = 0;
    set->failed = RS_OK;
}

/* Where h is, or belongs. */
static uint64_t *place(uint64_t *slots, uint32_t mask, uint64_t h) {
    uint32_t at = (uint32_t)(h >> 20) & mask;
    while (slots[at] && slots[at] != h) at = (at + 1) & mask;
    return &slots[at];
}

static bool grow(rs_word_set *set) {
    uint32_t n = set->mask ? (set->mask + 1) * 2 : FIRST_SLOTS;
    uint64_t *slots = n > MOST_SLOTS ? NULL : calloc(n, sizeof *slots);
    if (!slots) {
        set->failed = n > MOST_SLOTS ? RS_ERR_TOO_LARGE : RS_ERR_MEMORY;
        return false;
    }
    for (uint32_t i = 0; set->mask && i <= set->mask; i++)
        if (set->slots[i]) *place(slots, n - 1, set->slots[i]) = set->slots[i];
    free(set->slots);
    set->slots = slots;
    set->mask = n - 1;
    return true;
}

/* Room for as many as a text gives at once, and for itself: at most three quarters of the slots are ever in use. */
static bool has_room(rs_word_set *set) {
    return (uint64_t)(set->used + TOGETHER + 1) * 4 <= (uint64_t)set->mask * 3 || grow(set);
}

/* False: it was there. The lowest bit says what it is: a word (1) or a text. */
static inline bool put(rs_word_set *set, uint64_t h) {
    uint64_t *slot = place(set->slots, set->mask, h);
    if (*slot) return false;
    *slot = h;
    set->used++;
    return true;
}

static bool add_text(void *ctx, rs_str text) {
    rs_word_set *set = ctx;
    if (!has_room(set)) return false;
    if (!put(set, (XXH3_64bits(text.p, text.n) & ~1ull) | 2))
        return true; /* the same text came before, with all its words */
    rs_words w = rs_words_of(text, true);
    uint64_t some[TOGETHER];
    for (size_t n = TOGETHER; n == TOGETHER && has_room(set);) {
        n = rs_words_take(&w, some, TOGETHER);
        for (size_t i = 0; i < n; i++) set->words += put(set, some[i] | 1);
    }
    return set->failed == RS_OK;
}

void rs_word_set_add(rs_word_set *set, const rs_span *s) {
    if (set->failed != RS_OK) return;
    rs_status st = rs_span_each_text(s, &set->scratch, add_text, set);
    if (set->failed == RS_OK) set->failed = st;
}

/* ---- the filter ---------------------------------------------------------------------------------------- */

size_t rs_word_filter_line(size_t filter, uint64_t word) {
    size_t lines = filter / RS_WORD_LINE;
    return lines < 2 ? 0 : (size_t)((word >> 32) * lines >> 32) * RS_WORD_LINE;
}

/* Each is of the upper half of the word's hash, multiplied once more. */
static void spread(uint64_t word, uint32_t bits, int probes, uint32_t *out) {
    uint64_t at = word | 1;
    for (int i = 0; i < probes; i++) {
        at *= 0x9e3779b97f4a7c15u;
        out[i] = (uint32_t)((at >> 32) * bits >> 32);
    }
}

/* As it was: where b happens to be near a small fraction of 2^32 some of them are the same, in every filter. */
static void spread_near(uint64_t word, uint32_t bits, uint32_t *out) {
    uint32_t a = (uint32_t)(word | 1) * 0x9e3779b1u, b = (uint32_t)(word >> 17) * 0x85ebca6bu | 1;
    for (uint32_t i = 0; i < FEW_PROBES; i++) out[i] = (uint32_t)((uint64_t)(a + i * b) * bits >> 32);
}

int rs_word_line_bits(size_t filter, uint64_t word, uint32_t out[RS_WORD_PROBES]) {
    uint32_t bits = (uint32_t)rs_word_filter_line_size(filter) * 8, rules = filter % 8;
    int probes = rules == RS_WORD_RULES ? RS_WORD_PROBES : FEW_PROBES;
    if (rules == RS_WORD_RULES || rules == RS_WORD_RULES_FEW) spread(word, bits, probes, out);
    else spread_near(word, bits, out);
    return probes;
}

bool rs_word_line_may_have(size_t filter, const char *line, uint64_t word) {
    uint32_t bits[RS_WORD_PROBES];
    bool may = true;
    if (filter == 0) return true;
    int probes = rs_word_line_bits(filter, word, bits);
    for (int i = 0; i < probes && may; i++) may = (uint8_t)line[bits[i] / 8] >> bits[i] % 8 & 1;
    return may;
}

/* Bytes for so many words: of few sizes, so that many filters have the same (word_rows.h). */
static size_t size_for(uint32_t words, uint32_t spans) {
    bool few = spans < FEW_SPANS;
    uint64_t bits = (uint64_t)words * (!few ? 24 : spans >= 64 ? 11 : 8);
    size_t bytes = (size_t)(bits / 64 + 1) * 8, step = RS_WORD_LINE;
    while (step * 16 <= bytes) step *= 2;
    if (bytes > RS_WORD_LINE) bytes = (bytes + step / 2) / step * step;
    return bytes + (few ? RS_WORD_RULES_FEW : RS_WORD_RULES);
}

rs_status rs_word_set_finish(rs_word_set *set, uint32_t spans, rs_buf *out) {
    size_t n = size_for(set->words, spans);
    if (set->failed == RS_ERR_TOO_LARGE || n > RS_WORD_FILTER_MAX)
        return RS_OK; /* no filter: all is possible */
    if (set->failed != RS_OK) return set->failed;
    char *to = rs_buf_reserve(out, n);
    if (!to) return rs_buf_status(out);
    memset(to, 0, n);
    uint32_t bits[RS_WORD_PROBES];
    for (uint32_t i = 0; set->mask && i <= set->mask; i++) {
        uint64_t word = set->slots[i];
        if (!(word & 1)) continue;
        char *at = to + rs_word_filter_line(n, word);
        int probes = rs_word_line_bits(n, word, bits);
        for (int k = 0; k < probes; k++) at[bits[k] / 8] = (char)(at[bits[k] / 8] | 1 << bits[k] % 8);
    }
    out->n += n;
    return RS_OK;
}
