/* rs_parquet: writes one Parquet file (parquet.apache.org, format version 1) as it goes, in bounded memory.
 *
 * Flat optional columns; PLAIN values, RLE definition levels, one zstd'd data page a column and row group. A row group is written
 * once its values take RS_PARQUET_GROUP bytes, so that (or one row, if that is longer) is what it holds, and some 60 bytes for each
 * column of each group written, for the footer. Failure is sticky in the buffer given to finish or flush. One thread. */
#ifndef RS_SERVER_PARQUET_H
#define RS_SERVER_PARQUET_H

#include "base/buf.h"

enum { RS_PARQUET_GROUP = 8 << 20 };

typedef enum rs_parquet_type {
    RS_PARQUET_TEXT,
    RS_PARQUET_INT,
    RS_PARQUET_REAL,
    RS_PARQUET_BOOL,
    RS_PARQUET_TIME, /* ns since the epoch, UTC */
} rs_parquet_type;

typedef struct rs_parquet_column {
    const char *name;
    rs_parquet_type type;
} rs_parquet_column;

typedef struct rs_parquet rs_parquet;

/* Borrows the columns, and what they point to. NULL: out of memory. */
rs_parquet *rs_parquet_new(const rs_parquet_column *columns, size_t n);
void rs_parquet_free(rs_parquet *p);

/* The value of a column in the row at hand. Every column once a row. */
void rs_parquet_null(rs_parquet *p, size_t column);
void rs_parquet_text(rs_parquet *p, size_t column, rs_str value);
void rs_parquet_int(rs_parquet *p, size_t column, int64_t value); /* int, time */
void rs_parquet_real(rs_parquet *p, size_t column, double value);
void rs_parquet_bool(rs_parquet *p, size_t column, bool value);
/* The row is whole; appends a row group to out if that is due. */
void rs_parquet_end_row(rs_parquet *p, rs_buf *out);
/* Appends what is left and the footer. */
void rs_parquet_finish(rs_parquet *p, rs_buf *out);

#endif
