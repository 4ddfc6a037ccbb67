/* The words of a text, for full-text search: what is indexed, what is asked for and what is verified are cut up by the same rules.
 *
 * A word is a run of letters and digits, in either case where the alphabet has two (ASCII, Latin, Greek, Cyrillic, Armenian; the Turkish
 * i is one letter, with a dot or without). All else parts words. Of scripts that do not part words by spaces (Han, Kana, Hangul, Thai,
 * Lao, Khmer, Burmese) each character is a word; so is an emoji. A text that begins as JSON does is read with JSON's escapes. Words are known by their hashes; of a long one the first
 * RS_WORD_MAX bytes count. Any thread, no state. */
#ifndef RS_STORE_WORDS_H
#define RS_STORE_WORDS_H

#include "base/arena.h"
#include "base/status.h"

enum { RS_WORD_MAX = 64 };

typedef struct rs_words {
    rs_str text;
    size_t at;
    bool is_json;
    bool
        pairs; /* also gives each two characters of those scripts that no word parts as a word: for indexing */
    bool no_emoji;     /* emoji are left out */
    bool met_emoji;    /* one came, left out or not */
    bool folded_since; /* a word had a letter whose cases differ by older rules; the caller's to reset */
    uint64_t queue;    /* a word that comes next; 0: none */
    uint64_t last;     /* the last character of those scripts, if nothing but emoji came since; 0: none */
} rs_words;

rs_words rs_words_of(rs_str text, bool pairs);
/* The hash of the next word, never 0; 0: that was all. */
uint64_t rs_words_next(rs_words *w);
/* The same of up to n words at once, which is quicker; fewer than n: that was all. */
size_t rs_words_take(rs_words *w, uint64_t *out, size_t n);

/* What is looked for: words that come one after the other, whatever parts them. Emoji between them are passed over, unless the phrase
 * has one itself. */
typedef struct rs_phrase {
    uint64_t *words;
    uint32_t *links; /* of each word: how many of the first words the phrase up to it also ends with */
    uint32_t nwords;
    bool has_emoji;
    uint64_t *keys, *keys_before; /* what an index of the text must have: words, and pairs instead of the
                                     characters that they are of; what one made by older rules must have */
    uint32_t nkeys, nkeys_before;
    rs_str
        longest; /* of its words, in small letters: a text that has the phrase has these bytes, in some case,
                       or letters that are written otherwise; empty: not so */
    rs_str before,
        after; /* its words on either side of the longest, in small letters; empty: none, or not of ASCII alone */
    bool may_be_number; /* longest: a number in a structure, true, false or null is stored in other bytes */
} rs_phrase;

/* In the arena. A text without words gives a phrase without words, which is found nowhere. */
RS_MUST_CHECK rs_status rs_phrase_make(rs_str text, rs_arena *arena, rs_phrase *out);
bool rs_phrase_is_in(const rs_phrase *p, rs_str text);
/* Whether it may be in any text among those bytes, as a block has them: "no" is certain. */
bool rs_phrase_may_be_in(const rs_phrase *p, rs_str bytes);

#endif
