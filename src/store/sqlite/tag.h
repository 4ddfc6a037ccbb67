/* Tags: each fact of a span that an equality filter may ask for, as a hash of key and value beside the
 * trace's key.
 *
 * A commit collects the tags of its spans and writes them sorted, so that neighbours in the table are written
 * together. The writer thread only, but for rs_tag_hash. */
#ifndef RS_STORE_SQLITE_TAG_H
#define RS_STORE_SQLITE_TAG_H

#include "store/sqlite/partition.h"

int64_t rs_tag_hash(rs_str key, rs_str value);

enum { RS_TAGS_MET = 128 };

typedef struct rs_tags {
    struct rs_tag_row {
        int64_t hash, trace;
        bool may_exist; /* the trace had tags before */
    } * rows;
    size_t n, cap;
    int64_t met[RS_TAGS_MET]; /* of the trace being collected, each where its lowest bits say */
    bool is_old;              /* it had some before */
    int64_t *keys;            /* scratch: those of one tag */
    size_t keys_cap;
    rs_buf text;      /* a metadata value or key, as text */
    rs_status failed; /* sticky */
} rs_tags;

void rs_tags_init(rs_tags *t);
void rs_tags_deinit(rs_tags *t);
void rs_tags_clear(rs_tags *t);

/* Spans added from here on are of this trace; is_old: it is in the index already. */
void rs_tags_begin_trace(rs_tags *t, bool is_old);
void rs_tags_add(rs_tags *t, const rs_span *s, int64_t trace_key);
/* One that is known by its hash. False if memory is exhausted. */
bool rs_tags_put(rs_tags *t, int64_t hash, int64_t trace, bool may_exist);

/* Gives their traces the tags: puts them to those of the last commits (*recent of them), or with these where they belong. *spread: see
 * tag_index.h. */
RS_MUST_CHECK rs_status rs_tags_write(rs_tags *t, rs_index *x, int64_t *recent, int64_t *spread, rs_err *err);
/* Those of the last commits go where they belong. */
RS_MUST_CHECK rs_status rs_tags_settle(rs_index *x, int64_t *recent, int64_t *spread, rs_err *err);
/* The same of a partition whose writer's connection is open, in a transaction of its own. */
RS_MUST_CHECK rs_status rs_tags_settle_partition(rs_partition *p, rs_err *err);
/* Takes them away. */
RS_MUST_CHECK rs_status rs_tags_erase(rs_tags *t, rs_index *x, int64_t *recent, int64_t *spread, rs_err *err);

#endif
