/* A block: up to RS_BLOCK_MAX_SPANS spans of one project, as three compressed sections and a filter of the words in their texts, behind
 * a header of RS_BLOCK_HEADER bytes. Layout byte by byte: docs/store-format.md.
 *
 * Bytes in, bytes out: no I/O here. A writer is reused from block to block, by one thread at a time. */
#ifndef RS_STORE_SQLITE_BLOCK_H
#define RS_STORE_SQLITE_BLOCK_H

#include "store/sqlite/details.h"
#include "store/sqlite/heads.h"
#include "store/sqlite/word_filter.h"
#include <zstd.h>

enum {
    RS_BLOCK_HEADER = 96,
    RS_BLOCK_HEADER_BEFORE = 80,  /* of a block that was made without a filter */
    RS_BLOCK_MAX_SPANS = 1024,    /* of a commit; a trace of ten never unpacks more */
    RS_BLOCK_SEALED_SPANS = 2000, /* of a sealed one, and as many more as its last trace has, up to … */
    RS_BLOCK_SEALED_MOST = 4000,
    RS_BLOCK_FULL_BYTES = 8 << 20,   /* raw: a block that has this many takes no more spans */
    RS_BLOCK_SPANS_LIMIT = 1 << 16,  /* read */
    RS_BLOCK_SECTION_LIMIT = 1 << 28 /* raw bytes of one section, made and read */
};

typedef enum rs_section {
    RS_SECTION_HEADS,
    RS_SECTION_DETAILS,
    RS_SECTION_CONTENT,
    RS_SECTION_COUNT,
} rs_section;

/* What blocks are compressed against: the raw sections of other blocks. Dictionary n is that of the segment's blocks below byte n
 * (dictionary.h). */
typedef struct rs_block_dictionary {
    uint32_t number;
    rs_str raw[RS_SECTION_COUNT];
    ZSTD_CDict *packing[RS_SECTION_COUNT]; /* NULL: only to be read with */
} rs_block_dictionary;

typedef struct rs_block_header {
    uint64_t first; /* arrival number of the first span; the others follow */
    uint32_t spans;
    uint32_t dictionary; /* its number; 0: none */
    uint32_t length;     /* of the header itself */
    uint32_t words;      /* bytes of the word filter, which lies behind the heads; 0: there is none */
    uint64_t words_hash;
    struct {
        uint32_t stored, raw; /* bytes */
        uint64_t hash;        /* XXH3 of the stored bytes */
    } sections[RS_SECTION_COUNT];
} rs_block_header;

/* Bytes of the block up to the end of that section. */
size_t rs_block_length(const rs_block_header *h, rs_section last);

/* ---- writing ------------------------------------------------------------------------------------------- */

typedef struct rs_block_writer {
    rs_heads_writer heads;
    rs_details_writer details;
    rs_word_set words;
    rs_buf raw;
    ZSTD_CCtx *zstd;
    const rs_block_dictionary *dictionary;
    uint32_t n;
    bool is_sealing;
} rs_block_writer;

RS_MUST_CHECK rs_status rs_block_writer_init(rs_block_writer *w, rs_err *err);
void rs_block_writer_deinit(rs_block_writer *w);
/* From now on its blocks are larger and smaller: they are written once and read for long. */
void rs_block_writer_seal(rs_block_writer *w);
/* Forgets what was added and not finished. */
void rs_block_writer_clear(rs_block_writer *w);

/* Blocks finished from here on are packed against it; NULL: alone. Borrowed until the next call. */
void rs_block_writer_use(rs_block_writer *w, const rs_block_dictionary *dictionary);

/* Borrows the span until rs_block_finish or rs_block_writer_clear. */
void rs_block_add(rs_block_writer *w, const rs_span *s);
bool rs_block_is_full(const rs_block_writer *w);
/* No room for the rest of a trace either. */
bool rs_block_is_over(const rs_block_writer *w);
/* Appends the block to out and clears the writer. RS_ERR_TOO_LARGE: a section would be over its limit. */
RS_MUST_CHECK rs_status rs_block_finish(rs_block_writer *w, uint64_t first, rs_buf *out,
                                        rs_block_header *header, rs_err *err);

/* Appends a block that was made before, with another first number. */
void rs_block_put(rs_buf *out, rs_str block, rs_block_header *h, uint64_t first);

/* Makes what packing takes of a dictionary whose raw sections are set (and stay) / frees it. */
RS_MUST_CHECK rs_status rs_block_dictionary_make(rs_block_dictionary *d, bool is_sealing, rs_err *err);
void rs_block_dictionary_deinit(rs_block_dictionary *d);
/* Bytes of what packing takes, beside the raw sections. */
size_t rs_block_dictionary_packing(const rs_block_dictionary *d);

/* ---- reading ------------------------------------------------------------------------------------------- */

/* RS_ERR_CORRUPT unless the bytes begin with a header that is whole. */
RS_MUST_CHECK rs_status rs_block_read_header(rs_str bytes, rs_block_header *out, rs_err *err);
/* The word filter of a block, checked; empty if it has none. */
RS_MUST_CHECK rs_status rs_block_words(const rs_block_header *h, rs_str block, rs_str *out, rs_err *err);
/* Checks and decompresses one section of a block (its bytes from the header on) into raw, which is cleared
 * first. `dictionary`: the one that the header names; NULL if it names none. */
RS_MUST_CHECK rs_status rs_block_unpack(const rs_block_header *h, rs_section section, rs_str block,
                                        const rs_block_dictionary *dictionary, ZSTD_DCtx *zstd, rs_buf *raw,
                                        rs_err *err);
/* The same into raw behind its first bytes, which stay: the dictionary's own of that section. Where one piece of memory has both it is
 * quicker. */
RS_MUST_CHECK rs_status rs_block_unpack_behind(const rs_block_header *h, rs_section section, rs_str block,
                                               const rs_block_dictionary *dictionary, ZSTD_DCtx *zstd,
                                               rs_buf *raw, rs_err *err);

#endif
