#include "server/parquet.h"

#include <stdlib.h>
#include <zstd.h>

enum { ZSTD_LEVEL = 1 };

/* Of parquet.thrift. */
enum { TYPE_BOOLEAN = 0, TYPE_INT64 = 2, TYPE_DOUBLE = 5, TYPE_BYTE_ARRAY = 6 };
enum { ENCODING_PLAIN = 0, ENCODING_RLE = 3, CODEC_ZSTD = 6, REPETITION_OPTIONAL = 1, CONVERTED_UTF8 = 0 };

static const char magic[] = "PAR1";

/* What the row group at hand has of a column. */
typedef struct column_data {
    rs_buf levels; /* a bit for each row: whether it has a value */
    rs_buf values;
    size_t bits; /* values of a boolean column */
} column_data;

struct rs_parquet {
    const rs_parquet_column *columns;
    size_t n;
    column_data *data;
    size_t rows, bytes; /* of the group at hand */
    uint64_t at;        /* bytes of the file that were appended to out */
    uint64_t all_rows, ngroups;
    rs_buf groups; /* their metadata, for the footer */
    rs_buf page, packed, header;
    ZSTD_CCtx *zstd;
    rs_status failed;
};

rs_parquet *rs_parquet_new(const rs_parquet_column *columns, size_t n) {
    rs_parquet *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    p->columns = columns;
    p->n = n;
    p->data = calloc(n, sizeof *p->data);
    p->zstd = ZSTD_createCCtx();
    if (p->data && p->zstd) return p;
    rs_parquet_free(p);
    return NULL;
}

void rs_parquet_free(rs_parquet *p) {
    if (!p) return;
    for (size_t i = 0; p->data && i < p->n; i++) {
        rs_buf_deinit(&p->data[i].levels);
        rs_buf_deinit(&p->data[i].values);
    }
    free(p->data);
    rs_buf_deinit(&p->groups);
    rs_buf_deinit(&p->page);
    rs_buf_deinit(&p->packed);
    rs_buf_deinit(&p->header);
    ZSTD_freeCCtx(p->zstd);
    free(p);
}

/* ---- Thrift's compact protocol ------------------------------------------------------------------------- */

enum { T_TRUE = 1, T_I32 = 5, T_I64 = 6, T_BINARY = 8, T_LIST = 9, T_STRUCT = 12 };

static void put_varint(rs_buf *b, uint64_t v) {
    for (; v >= 0x80; v >>= 7) rs_buf_byte(b, (uint8_t)(v | 0x80));
    rs_buf_byte(b, (uint8_t)v);
}

static void put_zigzag(rs_buf *b, int64_t v) { put_varint(b, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63)); }

/* A field's header; *last is the id of the one before it in the struct. */
static void put_field(rs_buf *b, int *last, int id, int type) {
    rs_buf_byte(b, (uint8_t)((id - *last) << 4 | type)); /* ours are less than 16 apart */
    *last = id;
}

static void put_number(rs_buf *b, int *last, int id, int type, int64_t v) {
    put_field(b, last, id, type);
    put_zigzag(b, v);
}

static void put_binary(rs_buf *b, rs_str s) {
    put_varint(b, s.n);
    rs_buf_str(b, s);
}

static void put_list(rs_buf *b, int *last, int id, int type, size_t n) {
    put_field(b, last, id, T_LIST);
    rs_buf_byte(b, (uint8_t)((n < 15 ? n : 15) << 4 | (unsigned)type));
    if (n >= 15) put_varint(b, n);
}

static void put_stop(rs_buf *b) { rs_buf_byte(b, 0); }

/* ---- values -------------------------------------------------------------------------------------------- */

static void put_bit(rs_buf *b, size_t at, bool bit) {
    if (at % 8 == 0) rs_buf_byte(b, 0);
    if (bit && b->failed == RS_OK) b->p[b->n - 1] = (char)(b->p[b->n - 1] | 1 << at % 8);
}

static void put_level(rs_parquet *p, size_t column, bool known) {
    put_bit(&p->data[column].levels, p->rows, known);
}

static void put_fixed(rs_parquet *p, size_t column, const void *value, size_t n) {
    put_level(p, column, true);
    rs_buf_put(&p->data[column].values, value,
               n); /* little-endian, as every machine that this is built for */
    p->bytes += n;
}

void rs_parquet_null(rs_parquet *p, size_t column) { put_level(p, column, false); }

void rs_parquet_int(rs_parquet *p, size_t column, int64_t value) {
    put_fixed(p, column, &value, sizeof value);
}

void rs_parquet_real(rs_parquet *p, size_t column, double value) {
    put_fixed(p, column, &value, sizeof value);
}

void rs_parquet_text(rs_parquet *p, size_t column, rs_str value) {
    uint32_t n = (uint32_t)value.n;
    put_fixed(p, column, &n, sizeof n);
    rs_buf_str(&p->data[column].values, value);
    p->bytes += value.n;
}

void rs_parquet_bool(rs_parquet *p, size_t column, bool value) {
    put_level(p, column, true);
    put_bit(&p->data[column].values, p->data[column].bits++, value);
}

/* ---- a row group --------------------------------------------------------------------------------------- */

static int physical(rs_parquet_type type) {
    switch (type) {
    case RS_PARQUET_TEXT:
        return TYPE_BYTE_ARRAY;
    case RS_PARQUET_REAL:
        return TYPE_DOUBLE;
    case RS_PARQUET_BOOL:
        return TYPE_BOOLEAN;
    case RS_PARQUET_INT:
    case RS_PARQUET_TIME:
        break;
    }
    return TYPE_INT64;
}

/* Definition levels (one bit-packed run of all rows), then the values. */
static void make_page(rs_parquet *p, const column_data *c) {
    rs_buf *b = &p->page;
    uint32_t length;
    rs_buf_clear(b);
    rs_buf_put(b, "\0\0\0", 4);
    put_varint(b, (uint64_t)c->levels.n << 1 | 1);
    rs_buf_str(b, rs_buf_slice(&c->levels));
    length = (uint32_t)(b->n - 4);
    if (b->failed == RS_OK) memcpy(b->p, &length, 4);
    rs_buf_str(b, rs_buf_slice(&c->values));
}

static void pack_page(rs_parquet *p) {
    size_t bound = ZSTD_compressBound(p->page.n);
    rs_buf_clear(&p->packed);
    char *to = rs_buf_reserve(&p->packed, bound);
    size_t n = to ? ZSTD_compressCCtx(p->zstd, to, bound, p->page.p, p->page.n, ZSTD_LEVEL) : 0;
    if (!to || ZSTD_isError(n)) p->failed = RS_ERR_MEMORY;
    else p->packed.n = n;
}

static void make_page_header(rs_parquet *p) {
    int last = 0, inner = 0;
    rs_buf *b = &p->header;
    rs_buf_clear(b);
    put_number(b, &last, 1, T_I32, 0); /* DATA_PAGE */
    put_number(b, &last, 2, T_I32, (int64_t)p->page.n);
    put_number(b, &last, 3, T_I32, (int64_t)p->packed.n);
    put_field(b, &last, 5, T_STRUCT);
    put_number(b, &inner, 1, T_I32, (int64_t)p->rows);
    put_number(b, &inner, 2, T_I32, ENCODING_PLAIN);
    put_number(b, &inner, 3, T_I32, ENCODING_RLE);
    put_number(b, &inner, 4, T_I32, ENCODING_RLE);
    put_stop(b);
    put_stop(b);
}

static void put_chunk_metadata(rs_parquet *p, const rs_parquet_column *column, uint64_t at) {
    int last = 0, inner = 0;
    rs_buf *b = &p->groups;
    int64_t raw = (int64_t)(p->header.n + p->page.n), stored = (int64_t)(p->header.n + p->packed.n);
    put_number(b, &last, 2, T_I64, (int64_t)at);
    put_field(b, &last, 3, T_STRUCT);
    put_number(b, &inner, 1, T_I32, physical(column->type));
    put_list(b, &inner, 2, T_I32, 2);
    put_zigzag(b, ENCODING_PLAIN);
    put_zigzag(b, ENCODING_RLE);
    put_list(b, &inner, 3, T_BINARY, 1);
    put_binary(b, rs_str_of(column->name));
    put_number(b, &inner, 4, T_I32, CODEC_ZSTD);
    put_number(b, &inner, 5, T_I64, (int64_t)p->rows);
    put_number(b, &inner, 6, T_I64, raw);
    put_number(b, &inner, 7, T_I64, stored);
    put_number(b, &inner, 9, T_I64, (int64_t)at);
    put_stop(b);
    put_stop(b);
}

static void append(rs_parquet *p, rs_buf *out, const rs_buf *what) {
    rs_buf_str(out, rs_buf_slice(what));
    p->at += what->n;
    if (what->failed != RS_OK) p->failed = what->failed;
}

static void begin_file(rs_parquet *p, rs_buf *out) {
    if (p->at > 0) return;
    rs_buf_put(out, magic, 4);
    p->at = 4;
}

static void flush(rs_parquet *p, rs_buf *out) {
    int last = 0;
    uint64_t total = 0;
    if (p->rows == 0) return;
    begin_file(p, out);
    put_list(&p->groups, &last, 1, T_STRUCT, p->n);
    for (size_t i = 0; i < p->n; i++) {
        column_data *c = &p->data[i];
        uint64_t at = p->at;
        if (c->levels.failed != RS_OK || c->values.failed != RS_OK) p->failed = RS_ERR_MEMORY;
        make_page(p, c);
        pack_page(p);
        make_page_header(p);
        append(p, out, &p->header);
        append(p, out, &p->packed);
        put_chunk_metadata(p, &p->columns[i], at);
        total += p->header.n + p->page.n;
        rs_buf_clear(&c->levels);
        rs_buf_clear(&c->values);
        c->bits = 0;
    }
    put_number(&p->groups, &last, 2, T_I64, (int64_t)total);
    put_number(&p->groups, &last, 3, T_I64, (int64_t)p->rows);
    put_stop(&p->groups);
    p->all_rows += p->rows;
    p->ngroups++;
    p->rows = p->bytes = 0;
    if (p->failed != RS_OK) out->failed = p->failed;
}

void rs_parquet_end_row(rs_parquet *p, rs_buf *out) {
    p->rows++;
    p->bytes += p->n / 8 + 1;
    if (p->bytes >= RS_PARQUET_GROUP) flush(p, out);
}

/* ---- the footer ---------------------------------------------------------------------------------------- */

/* LogicalType, a union: STRING, or TIMESTAMP(UTC, NANOS). */
static void put_logical_type(rs_buf *b, int *last, rs_parquet_type type) {
    int chosen = 0, inner = 0, unit = 0;
    if (type != RS_PARQUET_TEXT && type != RS_PARQUET_TIME) return;
    put_field(b, last, 10, T_STRUCT);
    put_field(b, &chosen, type == RS_PARQUET_TEXT ? 1 : 8, T_STRUCT);
    if (type == RS_PARQUET_TIME) {
        put_field(b, &inner, 1, T_TRUE);
        put_field(b, &inner, 2, T_STRUCT);
        put_field(b, &unit, 3, T_STRUCT);
        put_stop(b);
        put_stop(b);
    }
    put_stop(b);
    put_stop(b);
}

static void put_schema(rs_parquet *p, rs_buf *b) {
    int root = 0;
    put_field(b, &root, 4, T_BINARY);
    put_binary(b, RS_STR("rows"));
    put_number(b, &root, 5, T_I32, (int64_t)p->n);
    put_stop(b);
    for (size_t i = 0; i < p->n; i++) {
        int last = 0;
        put_number(b, &last, 1, T_I32, physical(p->columns[i].type));
        put_number(b, &last, 3, T_I32, REPETITION_OPTIONAL);
        put_field(b, &last, 4, T_BINARY);
        put_binary(b, rs_str_of(p->columns[i].name));
        if (p->columns[i].type == RS_PARQUET_TEXT) put_number(b, &last, 6, T_I32, CONVERTED_UTF8);
        put_logical_type(b, &last, p->columns[i].type);
        put_stop(b);
    }
}

void rs_parquet_finish(rs_parquet *p, rs_buf *out) {
    int last = 0;
    rs_buf *b = &p->page;
    begin_file(p, out);
    flush(p, out);
    rs_buf_clear(b);
    put_number(b, &last, 1, T_I32, 1);
    put_list(b, &last, 2, T_STRUCT, p->n + 1);
    put_schema(p, b);
    put_number(b, &last, 3, T_I64, (int64_t)p->all_rows);
    put_list(b, &last, 4, T_STRUCT, p->ngroups);
    rs_buf_str(b, rs_buf_slice(&p->groups));
    put_field(b, &last, 6, T_BINARY);
    put_binary(b, RS_STR("respan " RS_VERSION));
    put_stop(b);
    uint32_t length = (uint32_t)b->n;
    rs_buf_put(b, &length, sizeof length);
    rs_buf_put(b, magic, 4);
    append(p, out, b);
    if (p->groups.failed != RS_OK) p->failed = p->groups.failed;
    if (p->failed != RS_OK) out->failed = p->failed;
}
