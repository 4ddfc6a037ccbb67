/* dictionary.copy: once more the blocks that a segment's dictionary is made of (dictionary.h), since a flipped byte in them would take
 * all blocks behind them with it. Who finds the dictionary damaged reads the copy, and the keeper puts its bytes back where they belong.
 *
 * Made by the keeper (keep.c), and anew where it is missing or damaged. Any thread reads. Format: docs/store-format.md. */
#ifndef RS_STORE_SQLITE_DICTIONARY_COPY_H
#define RS_STORE_SQLITE_DICTIONARY_COPY_H

#include "store/sqlite/segment.h"

#define RS_DICTIONARY_COPY_FILE "dictionary.copy"

typedef enum rs_dictionary_copy {
    RS_DICTIONARY_COPY_FITS,
    RS_DICTIONARY_COPY_NONE,
    RS_DICTIONARY_COPY_DAMAGED,
} rs_dictionary_copy;

/* The copy that lies beside the segment, appended to out if it is whole. *number: that of its dictionary. */
rs_dictionary_copy rs_dictionary_copy_read(const rs_segment *s, uint32_t *number, rs_buf *out);

/* Sees to it that the first bytes of the segment, as many as `number` says, and their copy are both whole: the one is made from the
 * other. 0: the segment has no dictionary that can be told; then what the copy says counts. RS_ERR_CORRUPT: neither is. */
RS_MUST_CHECK rs_status rs_dictionary_copy_keep(const rs_segment *s, uint32_t number, rs_err *err);

#endif
