/* words.rows: the word filters of a partition's blocks the other way round, so that one read answers for all of them.
 *
 * Filters of one size have the bits of a word at the same places. Of each size that many blocks have, the file has a row for each bit:
 * that bit of one filter after the other. A word is asked of all blocks by a few short rows, and what they say is what the filters say.
 * The file is of the blocks that lie below a byte of the segment, where nothing changes any more: blocks that come later, or whose
 * filter has a size of its own, are asked one by one. Without the file all are. Format: docs/store-format.md.
 *
 * Made by the keeper (keep.c) of a partition that takes no new traces. Any thread asks. */
#ifndef RS_STORE_SQLITE_WORD_ROWS_H
#define RS_STORE_SQLITE_WORD_ROWS_H

#include "store/sqlite/view.h"

#define RS_WORD_ROWS_FILE "words.rows"

enum { RS_WORD_ROWS_LEAST = 8 /* blocks of a size: of fewer the filters are as quickly asked */ };

/* Made of the blocks, in the order of the segment, which are all that lie below `end`. Nothing is written, and what was there is removed,
 * if no size is that of many. */
RS_MUST_CHECK rs_status rs_word_rows_make(const rs_segment *segment, const rs_block_ref *blocks, size_t n,
                                          uint64_t end, const char *path, rs_err *err);

typedef enum rs_word_rows_file {
    RS_WORD_ROWS_FITS,
    RS_WORD_ROWS_NONE,
    RS_WORD_ROWS_DAMAGED
} rs_word_rows_file;

/* Whether there is one, of a segment that ends there or earlier, with all its bytes; its own end in *end. In `whole` the rows are read, too, and
 * compared with their checksum; else the rest is. */
rs_word_rows_file rs_word_rows_look(const char *path, uint64_t segment_end, bool whole, uint64_t *end);

/* What it says: the first arrival numbers of blocks below `next` that may have the phrase, in order. */
typedef struct rs_word_rows_answer {
    uint64_t *may; /* owned */
    bool *is_sure; /* of each of them: its filter was asked; owned */
    size_t n, of;  /* so many of so many blocks */
    uint64_t next; /* blocks from there on it does not know */
} rs_word_rows_answer;

/* False: there is none that can be read, and the answer is empty. */
bool rs_word_rows_ask(const char *path, const rs_phrase *phrase, rs_word_rows_answer *out);
void rs_word_rows_answer_deinit(rs_word_rows_answer *a);

#endif
