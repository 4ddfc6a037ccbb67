/* Fields: the one list of what a trace and a span have, by which they are filtered, sorted and written as
 * JSON.
 *
 * A field is a name, a type and a getter over a row (rs_trace_row or rs_span with its small facts). A new
 * field is a new line in trace_fields.c or span_fields.c. Tables are static and constant; any thread. */
#ifndef RS_QUERY_FIELD_H
#define RS_QUERY_FIELD_H

#include "otlp/span.h"

typedef enum rs_field_type {
    RS_FIELD_TEXT,
    RS_FIELD_INT,
    RS_FIELD_REAL,
    RS_FIELD_TIME, /* in integer: ns since the epoch */
    RS_FIELD_BOOL, /* in integer: 0 or 1 */
    RS_FIELD_JSON, /* text: a JSON value; shown, not filtered */
} rs_field_type;

/* A field's value in one row. text may point into the row or into hex. */
typedef struct rs_field_value {
    rs_str text;
    int64_t integer;
    double real;
    char hex[33];
} rs_field_value;

enum {
    RS_FIELD_SORTS = 1,   /* may be named by sort_by */
    RS_FIELD_CONTENT = 2, /* left out where content is not wanted */
    RS_FIELD_ANY_SPAN =
        4, /* equality holds if any span of the trace has the value, not the trace's own alone */
    RS_FIELD_SEARCHED = 8,    /* `q` looks here */
    RS_FIELD_SECONDS = 16,    /* a time that may be asked for as 500ms or 2h */
    RS_FIELD_TAGS_ERROR = 32, /* the tag tells of the value "error" alone */
    RS_FIELD_LAST_PART =
        64, /* what a value without a slash is equal to, or begins, may be what is behind the last slash */
    RS_FIELD_ASKED = 128, /* asked by alone: no member and no column of a row */
};

typedef struct rs_field {
    const char *name;
    rs_field_type type;
    bool (*get)(const void *row, rs_field_value *out); /* false: not known (null) */
    const char *tag; /* key of the store's tag that serves equality, or NULL */
    unsigned flags;
    const char *aliases; /* shorter names that may be asked by, apart by one space; or NULL */
} rs_field;

typedef struct rs_field_table {
    const char *what; /* "trace" or "span", for messages */
    const rs_field *fields;
    size_t n;
    rs_str (*metadata)(const void *row); /* the JSON object behind metadata__KEY; NULL: rows have none */
    /* those behind respan.model.FACT; NULL: of a trace's spans the store's tags alone know */
    const rs_attrs *(*attributes)(const void *row);
} rs_field_table;

extern const rs_field_table rs_trace_fields; /* rows are rs_trace_row */
extern const rs_field_table rs_span_fields;  /* rows are rs_span */

/* By its name or an alias; NULL if the table has no such field. */
const rs_field *rs_field_find(const rs_field_table *table, rs_str name);

/* The value by which a list is sorted: what is not known sorts below everything. */
double rs_field_sort_value(const rs_field *field, const void *row);

/* For getters: false where nothing is known. */
bool rs_field_set_sum(rs_field_value *out, int64_t a, int64_t b);        /* of two counts; capped */
bool rs_field_set_text(rs_field_value *out, rs_str s);                   /* empty: not known */
bool rs_field_set_hex(rs_field_value *out, const uint8_t *id, size_t n); /* n <= 16 */
bool rs_field_set_count(rs_field_value *out, int64_t v);                 /* negative: not known */
bool rs_field_set_real(rs_field_value *out, double v);                   /* NaN: not known */
bool rs_field_set_time(rs_field_value *out, uint64_t ns);                /* 0: not known */

#endif
