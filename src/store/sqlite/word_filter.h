/* A block's word filter: which words its spans' texts may have (span_text.h), so that a search unpacks few blocks for nothing.
 *
 * A Bloom filter in lines of RS_WORD_LINE bytes, of which a word needs one: it is read without the others. A filter smaller than a
 * line is one line. "No" is certain; "yes" is wrong for one word in some five hundred, or fewer bits are spent where a block has few spans: it is
 * unpacked as quickly. Format: docs/store-format.md. */
#ifndef RS_STORE_SQLITE_WORD_FILTER_H
#define RS_STORE_SQLITE_WORD_FILTER_H

#include "store/span_text.h"

enum {
    RS_WORD_LINE = 512,
    RS_WORD_FILTER_MAX = 4 << 20,
    RS_WORD_RULES =
        4, /* by which words are cut up today: what is left of a filter's bytes divided by 8; 0 before */
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

/* False: there is no filter, or it was made by older rules (words.h), which is what its size tells. */
static inline bool rs_word_filter_is_current(size_t filter) { return filter % 8 == RS_WORD_RULES; }
/* Where in a filter of that size the line of a word begins. */
size_t rs_word_filter_line(size_t filter, uint64_t word);
/* Whether the line may have the word; its size is RS_WORD_LINE, or that of a smaller filter. */
bool rs_word_line_may_have(rs_str line, uint64_t word);

#endif
