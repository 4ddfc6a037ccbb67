/* A view: one block of a segment, read, checked and decompressed as far as asked; the last one stays for the
 * next question. Errors name the segment and the block's offset. Owned by one thread at a time. */
#ifndef RS_STORE_SQLITE_VIEW_H
#define RS_STORE_SQLITE_VIEW_H

#include "store/sqlite/block.h"
#include "store/sqlite/segment.h"
#include "store/store.h"

/* What the index says of a block. */
typedef struct rs_block_ref {
    uint64_t first, at;
    size_t length, heads_length; /* heads_length: with the header */
    uint32_t spans;
    uint64_t min_start, max_start;
    int64_t min_key; /* the smallest of the traces of its spans; INT64_MIN: not known */
    size_t words;    /* bytes of its word filter, behind the heads; 0: it has none */
} rs_block_ref;

typedef struct rs_view {
    const rs_segment *segment;
    rs_block_ref ref;
    bool has_heads, has_full; /* of ref */
    rs_buf stored, raw_heads, raw_details, raw_content;
    /* Whoever reads many blocks in full has their dictionary's bytes before those of details and of content. */
    unsigned in_full; /* blocks of the dictionary `likely` that were read in full, one after the other */
    uint32_t likely;  /* its number; 0: none */
    bool is_behind;   /* both lie behind it, as long as `likely` is what blocks need */
    ZSTD_DCtx *zstd;
    rs_heads heads;     /* the iteration */
    rs_details details; /* open if has_full */
    uint64_t number;    /* of the span that comes next */
} rs_view;

/* A span of the block and its arrival number. */
typedef struct rs_stored_span {
    uint64_t number;
    rs_extent extent;
    rs_span span;
} rs_stored_span;

RS_MUST_CHECK rs_status rs_view_init(rs_view *v, const rs_segment *segment, rs_err *err);
void rs_view_deinit(rs_view *v);

/* Loads the block and begins at its first span. */
RS_MUST_CHECK rs_status rs_view_open(rs_view *v, const rs_block_ref *ref, rs_read_depth depth, rs_err *err);
/* The next span's head: slices into the view, until it opens another block. *more false at the end. */
RS_MUST_CHECK rs_status rs_view_next(rs_view *v, rs_stored_span *out, bool *more, rs_err *err);
/* Moves a head that rs_view_next gave into the arena: its strings, and with RS_READ_FULL its details. */
RS_MUST_CHECK rs_status rs_view_keep(rs_view *v, rs_stored_span *s, rs_read_depth depth, rs_arena *arena,
                                     rs_err *err);
/* Completes a head that rs_view_next gave, of a block that was opened in full, by its attributes, events and links: slices into the view,
 * until it opens another block. Arrays are in the arena. */
RS_MUST_CHECK rs_status rs_view_borrow(rs_view *v, rs_stored_span *s, rs_arena *arena, rs_err *err);
/* The arena that spans were kept in is freed: the next span is read into it, or another, from scratch. */
static inline void rs_view_leave_arena(rs_view *v) { v->details.arena = NULL; }
/* The word filter of the block that was opened in full. */
RS_MUST_CHECK rs_status rs_view_words(rs_view *v, rs_str *out, rs_err *err);
/* Whether a text of the block may have the phrase; reads the lines of its filter that tell. A filter that cannot be read, or is
 * not there, rules nothing out. The view stays as it is. */
bool rs_view_may_say(rs_view *v, const rs_block_ref *ref, const rs_phrase *phrase);
/* Whether the phrase may be in the span's attributes and events, or in any span of the block: of one that was opened in full. */
bool rs_view_span_may_say(const rs_view *v, const rs_extent *extent, const rs_phrase *phrase);
bool rs_view_block_may_say(const rs_view *v, const rs_phrase *phrase);
/* Gives back memory that an unusually large block took. */
void rs_view_trim(rs_view *v);

/* Of the block that begins at that byte of a segment. RS_ERR_CORRUPT: none does. */
RS_MUST_CHECK rs_status rs_view_header(const rs_segment *segment, uint64_t at, rs_block_header *h,
                                       rs_err *err);

#endif
