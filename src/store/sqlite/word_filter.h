/* A block's word filter: which words its spans' texts may have (span_text.h), so that a search unpacks few blocks for nothing.
 *
 * A Bloom filter in lines of RS_WORD_LINE bytes, of which a word needs one: it is read without the others. A filter smaller than a
 * line is one line. "No" is certain; "yes" is wrong for one word in some fifty thousand, or fewer bits are spent where a block has few spans: it is
 * unpacked as quickly. Format: docs/store-format.md. */
#ifndef RS_STORE_SQLITE_WORD_FILTER_H
#define RS_STORE_SQLITE_WORD_FILTER_H

#include "store/span_text.h"

enum {
    RS_WORD_LINE = 512,
    RS_WORD_FILTER_MAX = 4 << 20,
    RS_WORD_PROBES = 10, /* bits of a word, at most */
    /* What is left of a filter's bytes divided by 8: by which rules it was made. */
    RS_WORD_RULES = 6,     /* today's, of many spans */
    RS_WORD_RULES_FEW = 2, /* today's, of few; before, of any: seven bits a word */
    RS_WORD_RULES_NEAR_BITS =
        4, /* before: where some words had bits in common; 0 yet before: words were cut otherwise, too */
};

/* ---- making one ---------------------------------------------------------------------------------------- */

/* All zero is an empty one. One thread at a time; reused from block to block. */
typedef struct rs_word_set {
    uint64_t *slots; /* words and, so that they are not cut up again, texts; 0: free */
    uint32_t mask;   /* slots - 1; 0: none yet */
    uint32_t used, words;
    rs_buf scratch;
    rs_status failed; /* sticky */
} rs_word_set;

void rs_word_set_deinit(rs_word_set *set);
void rs_word_set_clear(rs_word_set *set);
void rs_word_set_add(rs_word_set *set, const rs_span *s);
/* Appends the filter of all that was added, of a block of so many spans. */
RS_MUST_CHECK rs_status rs_word_set_finish(rs_word_set *set, uint32_t spans, rs_buf *out);

/* ---- asking one ---------------------------------------------------------------------------------------- */

/* False: there is no filter, or its words were cut by older rules (words.h), which is what its size tells. */
static inline bool rs_word_filter_is_current(size_t filter) { return filter % 8 != 0 && filter % 2 == 0; }
/* Where in a filter of that size the line of a word begins. */
size_t rs_word_filter_line(size_t filter, uint64_t word);
/* How long a line is. */
static inline size_t rs_word_filter_line_size(size_t filter) {
    return filter < RS_WORD_LINE ? filter : RS_WORD_LINE;
}
/* Whether that line, of a filter of that size, may have the word. */
bool rs_word_line_may_have(size_t filter, const char *line, uint64_t word);
/* Which bits of the line are those of the word, and how many. */
int rs_word_line_bits(size_t filter, uint64_t word, uint32_t out[RS_WORD_PROBES]);

#endif
