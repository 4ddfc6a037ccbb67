/* rs_tag_cursor: the keys of one tag, one after another in the order of a scan. Rows of the table `tag` are read some at a time
 * and unpacked once, so that going on to the next key costs next to nothing and a leap costs one look at the index.
 *
 * All zero but for hash and direction is a cursor at the beginning. It reads through the index that is given at each call, always the
 * same one; between two calls no statement is open. Owned by one thread at a time. */
#ifndef RS_STORE_SQLITE_TAG_CURSOR_H
#define RS_STORE_SQLITE_TAG_CURSOR_H

#include "store/sqlite/tag_index.h"

typedef struct rs_tag_cursor {
    int64_t hash;
    bool oldest_first;
    bool has_recent;         /* keys of table tag_recent were read … */
    bool has_edge, complete; /* … and rows of `tag`; there are no more */
    int64_t edge;            /* `last` of the row that was read last */
    unsigned batch;          /* rows to read at a time */
    int64_t *keys, *spare;   /* unpacked, in order; those before `at` are passed */
    size_t at, n, cap;
} rs_tag_cursor;

void rs_tag_cursor_close(rs_tag_cursor *c);

/* The first key at or behind `from` in the order of the scan, and none behind `limit`. Asked for ever later ones. */
RS_MUST_CHECK rs_status rs_tag_cursor_seek(rs_tag_cursor *c, rs_index *x, int64_t from, int64_t limit,
                                           int64_t spread, int64_t *key, bool *found, rs_err *err);

/* Whether the tag has that one key: of a cursor of which nothing else is asked. Keys may come in any order. For when the next key that is
 * asked for is some rows away: it unpacks no more than the row it may be in. */
RS_MUST_CHECK rs_status rs_tag_cursor_has(rs_tag_cursor *c, rs_index *x, int64_t key, int64_t spread,
                                          bool *has, rs_err *err);

#endif
