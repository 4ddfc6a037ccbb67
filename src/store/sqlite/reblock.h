/* Writing a partition's blocks anew: as many spans to a block as it is good for, compressed harder, and in the place of every
 * span that counts no more (superseded, or deleted with its trace) an empty one, so that all others keep their arrival numbers.
 *
 * The connection has the old index as `main`, in a transaction that makes it stand still, and the new one as `fresh`; rows of
 * blocks and of trace_block are written there. Used by rewrite.c alone, on its thread. */
#ifndef RS_STORE_SQLITE_REBLOCK_H
#define RS_STORE_SQLITE_REBLOCK_H

#include "store/sqlite/dictionary.h"
#include "store/sqlite/partition.h"

typedef struct rs_reblock {
    rs_index *x;
    rs_segment to; /* the new segment */
    rs_block_writer writer;
    bool has_chosen;             /* whether there is a dictionary … */
    rs_dictionary *dictionary;   /* … this one: NULL, or borrowed … */
    rs_block_dictionary against; /* … and what packing as hard takes of it */
    rs_arena arena;              /* spans of the block being made */
    rs_block_ref ref;
    uint8_t last_trace[16];
    rs_intern traces; /* of that block … */
    struct rs_block_member {
        uint32_t trace, fingerprint;
    } * members; /* … and its spans, without the empty ones */
    size_t n, cap;
    rs_buf bytes, ids;
    sqlite3_stmt *add_block, *add_part, *find_key, *carry;
} rs_reblock;

/* Makes the new segment in folder `dir`. Deinit it in any case. */
RS_MUST_CHECK rs_status rs_reblock_init(rs_reblock *r, rs_index *x, const char *dir, rs_err *err);
void rs_reblock_deinit(rs_reblock *r);

/* All blocks of the old index. RS_ERR_CLOSED once *stop (atomic) is set. */
RS_MUST_CHECK rs_status rs_reblock_run(rs_reblock *r, const bool *stop, rs_err *err);
/* The blocks from that arrival number on as they are: what came since. */
RS_MUST_CHECK rs_status rs_reblock_carry(rs_reblock *r, uint64_t from, rs_err *err);

#endif
