/* The formats of an export: rows of a list, written one after another in bounded memory. One thread. */
#ifndef RS_SERVER_EXPORT_FORMAT_H
#define RS_SERVER_EXPORT_FORMAT_H

#include "query/field.h"
#include "server/parquet.h"

/* A column of a row made flat: a field of the table, or what comes with a span in full. */
typedef struct rs_export_column rs_export_column;

typedef struct rs_export_writer {
    const rs_field_table *table;
    bool content;
    const rs_export_column *columns;
    size_t ncolumns;
    rs_parquet *parquet;
    rs_buf scratch;
} rs_export_writer;

typedef struct rs_export_format {
    const char *name, *content_type;
    void (*begin)(rs_export_writer *w, rs_buf *out);
    void (*row)(rs_export_writer *w, const void *row, rs_buf *out); /* a span with content is normalized */
    void (*end)(rs_export_writer *w, rs_buf *out);
} rs_export_format;

/* "jsonl", "csv", "parquet"; NULL: none of them. */
const rs_export_format *rs_export_format_find(const char *name);

/* RS_ERR_MEMORY. Deinit in any case. */
RS_MUST_CHECK rs_status rs_export_writer_init(rs_export_writer *w, const rs_export_format *format,
                                              const rs_field_table *table, bool content, rs_arena *arena);
void rs_export_writer_deinit(rs_export_writer *w);

#endif
