/* The heads of a block: what lists and trees need of each span, as columns.
 *
 * Raw form: the byte length of each column (u32 each, in the order of rs_heads_column), then the columns.
 * Strings are numbers into one dictionary, trace ids into another. See docs/store-format.md. */
#ifndef RS_STORE_SQLITE_HEADS_H
#define RS_STORE_SQLITE_HEADS_H

#include "otlp/span.h"
#include "store/sqlite/intern.h"
#include "store/sqlite/wire.h"

/* Stored: append only. */
typedef enum rs_heads_column {
    RS_COLUMN_STRINGS, /* dictionary: count, strings */
    RS_COLUMN_TRACES,  /* dictionary: count, 16 bytes each */
    RS_COLUMN_TRACE,   /* number in TRACES */
    RS_COLUMN_SPAN_ID,
    RS_COLUMN_PARENT_ID, /* of those that have one */
    RS_COLUMN_BITS,      /* u16, see heads.c */
    RS_COLUMN_KIND,
    RS_COLUMN_LOG_TYPE,
    RS_COLUMN_USAGE,
    RS_COLUMN_START,    /* zigzag of the distance to the span before */
    RS_COLUMN_DURATION, /* zigzag */
    RS_COLUMN_NAME,     /* from here numbers in STRINGS */
    RS_COLUMN_STATUS_MESSAGE,
    RS_COLUMN_MODEL,
    RS_COLUMN_PROVIDER,
    RS_COLUMN_ENTITY_NAME,
    RS_COLUMN_WORKFLOW,
    RS_COLUMN_PATH,
    RS_COLUMN_CUSTOMER,
    RS_COLUMN_THREAD,
    RS_COLUMN_ENVIRONMENT,
    RS_COLUMN_ERROR_MESSAGE, /* to here */
    RS_COLUMN_TOKENS,        /* zigzag prompt, completion, and cached and reasoning where a bit says so */
    RS_COLUMN_DOUBLES,       /* cost, ttft, tokens per second: those that are known */
    RS_COLUMN_EXTENT,        /* bytes of the span's details, bytes of its content */
    RS_COLUMN_COUNT,
} rs_heads_column;

/* ---- encoding ------------------------------------------------------------------------------------------ */

typedef struct rs_heads_writer {
    rs_buf columns[RS_COLUMN_COUNT];
    rs_intern strings, traces;
    uint32_t likely[RS_COLUMN_COUNT]; /* numbers of the span before */
    uint64_t last_start;
} rs_heads_writer;

void rs_heads_writer_init(rs_heads_writer *w);
void rs_heads_writer_deinit(rs_heads_writer *w);
void rs_heads_writer_clear(rs_heads_writer *w);

/* Borrows the span until rs_heads_finish. */
void rs_heads_add(rs_heads_writer *w, const rs_span *s, size_t details, size_t content);
/* The raw form, appended to out. RS_ERR_MEMORY / RS_ERR_TOO_LARGE of anything since the last clear. */
RS_MUST_CHECK rs_status rs_heads_finish(rs_heads_writer *w, rs_buf *out);

/* ---- decoding: spans one after another, slices into the raw bytes -------------------------------------- */

typedef struct rs_heads {
    rs_cursor columns[RS_COLUMN_COUNT];
    rs_str *strings; /* the dictionary; owned */
    uint32_t nstrings, ntraces, left;
    const uint8_t *traces;
    uint64_t last_start, details_at, content_at;
} rs_heads;

/* Where a span's details and content lie in their sections. */
typedef struct rs_extent {
    uint64_t details_at, content_at;
    size_t details, content;
} rs_extent;

/* RS_ERR_CORRUPT if the bytes are not the heads of n spans. Borrows raw. Close it in any case. */
RS_MUST_CHECK rs_status rs_heads_open(rs_heads *h, rs_str raw, uint32_t n, rs_err *err);
/* The next span; attributes, events and links empty, resource and scope empty. False at the end and on
 * corruption: then rs_heads_is_whole tells which. */
bool rs_heads_next(rs_heads *h, rs_span *out, rs_extent *extent);
bool rs_heads_is_whole(const rs_heads *h);
void rs_heads_close(rs_heads *h);

/* Copies a head's strings into the arena, in one piece; false if it is exhausted. */
bool rs_heads_keep(rs_span *s, rs_arena *arena);

#endif
