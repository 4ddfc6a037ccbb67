/* The table `tag`: which traces have a tag. A row has the keys of traces that one commit gave the tag, near each other: most tags
 * (a model, a status, a name) are of many traces of a commit, and a row for each of them would be most of what a commit writes.
 *
 * A row is found by the last of its keys. Rows of a tag may overlap, but no row reaches further than `spread` (at most
 * RS_TAG_SPREAD_MAX), so that is as far as a question looks around. A key is in one row of a tag. */
#ifndef RS_STORE_SQLITE_TAG_INDEX_H
#define RS_STORE_SQLITE_TAG_INDEX_H

#include "store/sqlite/partition.h"
#include "store/sqlite/wire.h"

enum { RS_TAG_SPREAD_MAX = 4 << 20 /* µs, as keys are */ };

/* A row at hand, of a statement that gives last, reach, before: its last key, then how far each is before the one behind it. */
typedef struct rs_tag_keys {
    int64_t key;
    rs_cursor rest;
} rs_tag_keys;
rs_tag_keys rs_tag_keys_of(sqlite3_stmt *stmt);
bool rs_tag_keys_previous(rs_tag_keys *row); /* false: that was the first */

/* The first key in [low, high], from the end or from the beginning; those of tag_recent aside. */
RS_MUST_CHECK rs_status rs_tag_seek(rs_index *x, int64_t hash, int64_t low, int64_t high, bool oldest,
                                    int64_t spread, int64_t *key, bool *found, rs_err *err);
/* Traces that have it. */
RS_MUST_CHECK rs_status rs_tag_count(rs_index *x, int64_t hash, uint64_t *out, rs_err *err);

enum { RS_TAG_MARKS = 16 };

/* How many keys a tag has, row by row without unpacking them. */
typedef struct rs_tag_tally {
    size_t most; /* rows that may be read; 0: all */
    uint64_t keys;
    bool is_complete;
    int64_t edge; /* if not: of those from here on */
    /* Where they are: so many from this key on downwards, newest first. Neighbours are put together when there are too many. */
    struct rs_tag_mark {
        int64_t last;
        uint64_t n;
    } marks[RS_TAG_MARKS];
    unsigned nmarks, rows_a_mark;
} rs_tag_tally;
/* Of rows that have a key in [low, high], and of tag_recent what lies in there. In a transaction, so that what moves from one table to
 * the other is counted once. */
RS_MUST_CHECK rs_status rs_tag_tally_make(rs_index *x, int64_t hash, int64_t low, int64_t high,
                                          int64_t spread, rs_tag_tally *tally, rs_err *err);

/* Which of the sorted keys each tag has: calls fn for each pair, tags in order. Goes through the whole table. */
typedef rs_status (*rs_tag_fn)(void *ctx, int64_t hash, int64_t key, rs_err *err);
RS_MUST_CHECK rs_status rs_tag_find_keys(rs_index *x, const int64_t *sorted, size_t n, rs_tag_fn fn,
                                         void *ctx, rs_err *err);

/* The writer. Keys that the tag does not have yet, ascending; scratch is cleared. *spread grows to that of the rows made. */
RS_MUST_CHECK rs_status rs_tag_put(rs_index *x, int64_t hash, const int64_t *keys, size_t n, rs_buf *scratch,
                                   int64_t *spread, rs_err *err);
RS_MUST_CHECK rs_status rs_tag_drop(rs_index *x, int64_t hash, int64_t key, int64_t spread, rs_buf *scratch,
                                    rs_err *err);

#endif
