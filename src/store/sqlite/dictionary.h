/* rs_dictionary: the first blocks of a segment, whose raw sections the blocks behind them are compressed against. Texts, names and
 * shapes come again all over a partition, and a block of few spans has no other way to know of them.
 *
 * Dictionary n of a segment is the blocks that lie below byte n, none of which needs one itself; a block's header says n. So a
 * segment is read by nothing but itself. Those that were used last are kept in memory, as many as fit into RS_DICTIONARIES_BYTES,
 * shared by everybody who reads or writes. Any thread. */
#ifndef RS_STORE_SQLITE_DICTIONARY_H
#define RS_STORE_SQLITE_DICTIONARY_H

#include "store/sqlite/block.h"
#include "store/sqlite/segment.h"

enum {
    RS_DICTIONARY_STORED = 1 << 20,      /* bytes of blocks before there is one */
    RS_DICTIONARY_SECTION_MAX = 2 << 20, /* raw bytes of a section that are used */
    RS_DICTIONARY_END_MAX = 64 << 20,    /* its blocks end before */
    RS_DICTIONARIES_MAX = 64,            /* that are kept for the whole process, … */
    RS_DICTIONARIES_BYTES = 32 << 20,    /* … some 3 MB each */
};

typedef struct rs_dictionary rs_dictionary;

/* The number of the dictionary that a segment's next block is to use; 0: there is none (yet). */
RS_MUST_CHECK rs_status rs_dictionary_choose(const rs_segment *segment, uint32_t *number, rs_err *err);

/* RS_ERR_CORRUPT if its blocks are. */
RS_MUST_CHECK rs_status rs_dictionary_borrow(const rs_segment *segment, uint32_t number, rs_dictionary **out,
                                             rs_err *err);
void rs_dictionary_return(rs_dictionary *d);
/* Of a segment that is read no more, or packed for no more (who reads it next makes it anew, without what packing takes). */
void rs_dictionary_forget(const rs_segment *segment);

const rs_block_dictionary *rs_dictionary_blocks(const rs_dictionary *d);
/* The same, ready to pack with. */
RS_MUST_CHECK rs_status rs_dictionary_to_pack(rs_dictionary *d, const rs_block_dictionary **out, rs_err *err);

#endif
