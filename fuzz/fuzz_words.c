/* A phrase and (behind a NUL) a text: what is found in the text is in the index of its words, one at a time or many. */
#include "store/words.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has_key(rs_str text, uint64_t key) {
    rs_words w = rs_words_of(text, true);
    for (uint64_t h; (h = rs_words_next(&w)) != 0;)
        if (h == key) return true;
    return false;
}

static void compare(rs_str text, bool pairs) {
    rs_words one = rs_words_of(text, pairs), many = one;
    uint64_t some[16];
    for (size_t n = 16; n == 16;) {
        n = rs_words_take(&many, some, 16);
        for (size_t i = 0; i < n; i++)
            if (some[i] != rs_words_next(&one)) abort();
    }
    if (rs_words_next(&one) != 0) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    rs_str in = {(const char *)data, size};
    const char *nul = size ? memchr(in.p, 0, size) : NULL;
    rs_str words = {in.p, nul ? (size_t)(nul - in.p) : size}, text = rs_str_from(in, words.n + 1);
    rs_arena arena;
    rs_phrase phrase;
    if (size > 1 << 14) return 0;
    rs_arena_init(&arena, 8 << 20);
    compare(text, false);
    compare(text, true);
    if (rs_phrase_make(words, &arena, &phrase) == RS_OK && rs_phrase_is_in(&phrase, text))
        for (uint32_t i = 0; i < phrase.nkeys; i++)
            if (!has_key(text, phrase.keys[i])) abort();
    rs_phrase_may_be_in(&phrase, text);
    rs_arena_deinit(&arena);
    return 0;
}
