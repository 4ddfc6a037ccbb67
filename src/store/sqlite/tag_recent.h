/* The table `tag_recent`: tags of the last commits, a row a commit, as they came. A trace has some thirty tags, and each would change
 * another page of the table `tag`; here they are one write, until so many have come that those of one tag are written together.
 *
 * Questions look here first, then in `tag` (tag_cursor.h, rs_tag_count): what moves meanwhile is then seen twice, not never. A tag of a
 * trace may be here several times, and in `tag` as well if it may exist. */
#ifndef RS_STORE_SQLITE_TAG_RECENT_H
#define RS_STORE_SQLITE_TAG_RECENT_H

#include "store/sqlite/tag.h"

enum { RS_TAG_RECENT_MAX = 1 << 14 /* tags; a question goes through all of them */ };

/* The keys that have the tag, ascending and each once. The caller frees them. */
typedef struct rs_recent_keys {
    struct rs_recent_key {
        int64_t key;
        bool may_exist; /* in `tag` as well */
    } * items;
    size_t n, cap;
} rs_recent_keys;
RS_MUST_CHECK rs_status rs_tag_recent_find(rs_index *x, int64_t hash, rs_recent_keys *out, rs_err *err);

/* The writer. */
RS_MUST_CHECK rs_status rs_tag_recent_count(rs_index *x, int64_t *out, rs_err *err);
/* Those of one commit, not sorted yet; scratch is cleared. */
RS_MUST_CHECK rs_status rs_tag_recent_add(rs_index *x, const struct rs_tag_row *rows, size_t n,
                                          rs_buf *scratch, rs_err *err);
/* Moves all of them to those at hand. */
RS_MUST_CHECK rs_status rs_tag_recent_take(rs_index *x, rs_tags *to, rs_err *err);

#endif
