#include "server/export_format.h"

#include "base/clock.h"
#include "server/api_json.h"
#include "server/csv.h"

#include <inttypes.h>

/* ---- columns ------------------------------------------------------------------------------------------- */

struct rs_export_column {
    const char *name;
    rs_field_type type;
    const rs_field *field;                                /* or: */
    rs_str (*text)(const rs_span *span, rs_buf *scratch); /* p NULL: not known */
};

static rs_str text_of_attrs(const rs_attrs *attrs, rs_buf *scratch) {
    rs_json j = rs_json_on(scratch);
    rs_attrs_write_json(&j, attrs);
    return rs_buf_slice(scratch);
}

static rs_str input_of(const rs_span *span, rs_buf *scratch) {
    (void)scratch;
    return span->facts.input;
}
static rs_str output_of(const rs_span *span, rs_buf *scratch) {
    (void)scratch;
    return span->facts.output;
}
static rs_str metadata_of(const rs_span *span, rs_buf *scratch) {
    return text_of_attrs(&span->facts.metadata, scratch);
}
static rs_str parameters_of(const rs_span *span, rs_buf *scratch) {
    return text_of_attrs(&span->facts.parameters, scratch);
}
static rs_str attributes_of(const rs_span *span, rs_buf *scratch) {
    return text_of_attrs(&span->attrs, scratch);
}
static rs_str resource_of(const rs_span *span, rs_buf *scratch) {
    return text_of_attrs(&span->resource->attrs, scratch);
}

static const rs_export_column of_spans[] = {
    {"input", RS_FIELD_TEXT, NULL, input_of},           {"output", RS_FIELD_TEXT, NULL, output_of},
    {"metadata", RS_FIELD_TEXT, NULL, metadata_of},     {"parameters", RS_FIELD_TEXT, NULL, parameters_of},
    {"attributes", RS_FIELD_TEXT, NULL, attributes_of}, {"resource", RS_FIELD_TEXT, NULL, resource_of},
};

static rs_export_column *make_columns(rs_export_writer *w, rs_arena *arena) {
    const rs_field_table *t = w->table;
    rs_export_column *columns = rs_arena_zalloc(arena, t->n + RS_ARRAY_LEN(of_spans), sizeof *columns);
    size_t n = 0;
    if (!columns) return NULL;
    for (size_t i = 0; i < t->n; i++) {
        const rs_field *f = &t->fields[i];
        if (((f->flags & RS_FIELD_CONTENT) && !w->content) || (f->flags & RS_FIELD_ASKED)) continue;
        columns[n++] = (rs_export_column){f->name, f->type, f, NULL};
    }
    for (size_t i = 0; i < RS_ARRAY_LEN(of_spans) && t == &rs_span_fields && w->content; i++)
        columns[n++] = of_spans[i];
    w->ncolumns = n;
    return columns;
}

/* False: not known. */
static bool cell(rs_export_writer *w, const rs_export_column *c, const void *row, rs_field_value *out) {
    if (c->field) return c->field->get(row, out);
    rs_buf_clear(&w->scratch);
    out->text = c->text(row, &w->scratch);
    return out->text.p != NULL;
}

/* ---- JSON lines: the objects of the lists -------------------------------------------------------------- */

static void nothing(rs_export_writer *w, rs_buf *out) { (void)w, (void)out; }

static void write_json_line(rs_export_writer *w, const void *row, rs_buf *out) {
    rs_json j = rs_json_on(out);
    rs_json_object(&j);
    if (w->table == &rs_trace_fields) rs_api_write_trace(&j, row, w->content);
    else rs_api_write_span(&j, row, w->content, NULL);
    rs_json_object_end(&j);
    rs_buf_byte(out, '\n');
}

/* ---- CSV: RFC 4180 ------------------------------------------------------------------------------------- */

static void put_csv_cell(rs_buf *out, rs_field_type type, const rs_field_value *v) {
    char time[RS_RFC3339_LEN + 1];
    rs_json j = rs_json_on(out);
    switch (type) {
    case RS_FIELD_TEXT:
    case RS_FIELD_JSON:
        rs_csv_put_text(out, v->text);
        break;
    case RS_FIELD_INT:
        rs_json_int(&j, v->integer);
        break;
    case RS_FIELD_REAL:
        rs_json_double(&j, v->real);
        break;
    case RS_FIELD_BOOL:
        rs_json_bool(&j, v->integer != 0);
        break;
    case RS_FIELD_TIME:
        rs_clock_format((uint64_t)v->integer, time);
        rs_buf_text(out, time);
        break;
    }
}

static void begin_csv(rs_export_writer *w, rs_buf *out) {
    for (size_t i = 0; i < w->ncolumns; i++) {
        if (i > 0) rs_buf_byte(out, ',');
        rs_buf_text(out, w->columns[i].name);
    }
    rs_buf_text(out, "\r\n");
}

static void write_csv(rs_export_writer *w, const void *row, rs_buf *out) {
    for (size_t i = 0; i < w->ncolumns; i++) {
        rs_field_value v;
        if (i > 0) rs_buf_byte(out, ',');
        if (cell(w, &w->columns[i], row, &v)) put_csv_cell(out, w->columns[i].type, &v);
    }
    rs_buf_text(out, "\r\n");
}

/* ---- Parquet ------------------------------------------------------------------------------------------- */

static rs_parquet_type parquet_type(rs_field_type type) {
    switch (type) {
    case RS_FIELD_INT:
        return RS_PARQUET_INT;
    case RS_FIELD_REAL:
        return RS_PARQUET_REAL;
    case RS_FIELD_BOOL:
        return RS_PARQUET_BOOL;
    case RS_FIELD_TIME:
        return RS_PARQUET_TIME;
    case RS_FIELD_TEXT:
    case RS_FIELD_JSON:
        break;
    }
    return RS_PARQUET_TEXT;
}

static void write_parquet(rs_export_writer *w, const void *row, rs_buf *out) {
    for (size_t i = 0; i < w->ncolumns; i++) {
        rs_field_value v;
        if (!cell(w, &w->columns[i], row, &v)) {
            rs_parquet_null(w->parquet, i);
            continue;
        }
        switch (parquet_type(w->columns[i].type)) {
        case RS_PARQUET_TIME: /* it ends with 2262 */
            if (v.integer < 0) v.integer = INT64_MAX;
            rs_parquet_int(w->parquet, i, v.integer);
            break;
        case RS_PARQUET_INT:
            rs_parquet_int(w->parquet, i, v.integer);
            break;
        case RS_PARQUET_REAL:
            rs_parquet_real(w->parquet, i, v.real);
            break;
        case RS_PARQUET_BOOL:
            rs_parquet_bool(w->parquet, i, v.integer != 0);
            break;
        case RS_PARQUET_TEXT:
            rs_parquet_text(w->parquet, i, v.text);
            break;
        }
    }
    rs_parquet_end_row(w->parquet, out);
}

static void end_parquet(rs_export_writer *w, rs_buf *out) { rs_parquet_finish(w->parquet, out); }

static rs_status open_parquet(rs_export_writer *w, rs_arena *arena) {
    rs_parquet_column *columns = rs_arena_zalloc(arena, w->ncolumns, sizeof *columns);
    if (!columns) return RS_ERR_MEMORY;
    for (size_t i = 0; i < w->ncolumns; i++)
        columns[i] = (rs_parquet_column){w->columns[i].name, parquet_type(w->columns[i].type)};
    w->parquet = rs_parquet_new(columns, w->ncolumns);
    return w->parquet ? RS_OK : RS_ERR_MEMORY;
}

/* ---- formats ------------------------------------------------------------------------------------------- */

static const rs_export_format formats[] = {
    {"jsonl", "application/x-ndjson", nothing, write_json_line, nothing},
    {"csv", "text/csv; charset=utf-8", begin_csv, write_csv, nothing},
    {"parquet", "application/vnd.apache.parquet", nothing, write_parquet, end_parquet},
};

const rs_export_format *rs_export_format_find(const char *name) {
    for (size_t i = 0; i < RS_ARRAY_LEN(formats); i++)
        if (strcmp(formats[i].name, name) == 0) return &formats[i];
    return NULL;
}

rs_status rs_export_writer_init(rs_export_writer *w, const rs_export_format *format,
                                const rs_field_table *table, bool content, rs_arena *arena) {
    *w = (rs_export_writer){.table = table, .content = content};
    w->columns = make_columns(w, arena);
    if (!w->columns) return RS_ERR_MEMORY;
    return format->row == write_parquet ? open_parquet(w, arena) : RS_OK;
}

void rs_export_writer_deinit(rs_export_writer *w) {
    rs_parquet_free(w->parquet);
    rs_buf_deinit(&w->scratch);
    w->parquet = NULL;
}
