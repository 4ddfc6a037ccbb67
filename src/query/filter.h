/* Filters: conditions on fields, all of which must hold, and words to be found.
 *
 * Built once per request from parameters that strangers wrote (list_params.c), then asked for every row of a
 * scan. Everything lives in the request's arena. Limits: RS_FILTER_MAX conditions, RS_FILTER_MAX_VALUES
 * values each. One thread. */
#ifndef RS_QUERY_FILTER_H
#define RS_QUERY_FILTER_H

#include "base/arena.h"
#include "base/status.h"
#include "query/field.h"
#include "store/store.h"

enum { RS_FILTER_MAX = 64, RS_FILTER_MAX_VALUES = 1000, RS_FILTER_MAX_WORDS = 16 };

typedef enum rs_filter_op {
    RS_OP_EQUAL,
    RS_OP_NOT,
    RS_OP_IEXACT,
    RS_OP_LT,
    RS_OP_LTE,
    RS_OP_GT,
    RS_OP_GTE,
    RS_OP_CONTAINS,
    RS_OP_ICONTAINS,
    RS_OP_STARTSWITH,
    RS_OP_ENDSWITH,
    RS_OP_IN,
    RS_OP_ISNULL,
    RS_OP_COUNT,
} rs_filter_op;

/* "" "not" "iexact" …; false if it is none of them. */
bool rs_filter_op_from_name(rs_str name, rs_filter_op *out);

typedef struct rs_condition {
    const rs_field *field; /* NULL: metadata, or a fact of the model */
    rs_str key;            /* of metadata; of a fact of the model its attribute's name, respan.model.FACT */
    bool of_model;
    rs_filter_op op;
    rs_field_value *values; /* of the field's type; where there is no field, text, or real for < and > */
    size_t nvalues;
    bool driven; /* the scan's tags see to it: the row is not asked (rs_filter_drive) */
} rs_condition;

typedef struct rs_filter {
    const rs_field_table *table;
    rs_condition items[RS_FILTER_MAX];
    size_t n;
    rs_str words[RS_FILTER_MAX_WORDS]; /* each must be found in one of the searched fields, in any case
                                          (ASCII) */
    size_t nwords;
} rs_filter;

/* Adds a condition. `name` is a field of the table, "metadata__KEY" or "respan.model.FACT" (of traces, equality alone).
 * Copies what it keeps. RS_ERR_INVALID, with a message that names field, operator or value, for what the table does
 * not have or the type does not take. */
RS_MUST_CHECK rs_status rs_filter_add(rs_filter *f, rs_str name, rs_filter_op op, const rs_str *values,
                                      size_t n, rs_arena *arena, rs_err *err);
RS_MUST_CHECK rs_status rs_filter_add_words(rs_filter *f, rs_str text, rs_arena *arena, rs_err *err);

/* The tags that serve the filter's equalities, for rs_trace_scan; at most RS_FILTER_MAX of them. Conditions
 * that hold if any span has the value are marked driven. Returns how many. */
size_t rs_filter_drive(rs_filter *f, rs_arena *arena, rs_tag tags[RS_FILTER_MAX]);

/* True if every condition that is not driven holds and every word is found. */
bool rs_filter_matches(const rs_filter *f, const void *row);

/* True if rows have to come with their attributes to be decided. */
bool rs_filter_needs_attributes(const rs_filter *f);

/* True if the condition holds of a row, driven or not. */
bool rs_condition_holds(const rs_filter *f, const rs_condition *c, const void *row);

static inline bool rs_filter_is_empty(const rs_filter *f) { return f->n == 0 && f->nwords == 0; }

#endif
