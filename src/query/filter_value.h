/* One value against a condition's operands. Any thread. */
#ifndef RS_QUERY_FILTER_VALUE_H
#define RS_QUERY_FILTER_VALUE_H

#include "query/filter.h"

static inline bool rs_op_is_order(rs_filter_op op) { return op >= RS_OP_LT && op <= RS_OP_GTE; }
static inline bool rs_op_is_text(rs_filter_op op) {
    return op == RS_OP_IEXACT || (op >= RS_OP_CONTAINS && op <= RS_OP_ENDSWITH);
}

/* An operand as text -> a value of the type. False: it is none such. */
bool rs_operand_parse(const rs_field *field, rs_field_type type, rs_str s, rs_field_value *out);
/* "a number" … */
const char *rs_field_type_phrase(rs_field_type type);

/* How a truth value may have been written by whoever sent it as text: Python's str() of one is "True". NULL: it is none. */
enum { RS_TRUTH_SPELLINGS = 3 };
const rs_str *rs_truth_spellings(rs_str s);

bool rs_text_has(rs_str s, rs_str word);
bool rs_text_has_nocase(rs_str s, rs_str word); /* ASCII */

/* Whether the condition holds of a value; `known`: there is one. */
bool rs_condition_decide(const rs_condition *c, bool known, const rs_field_value *v);
/* The same of metadata in a JSON object, or among attributes; of attributes also a fact of the model. */
bool rs_condition_decide_json(const rs_condition *c, rs_str object);
bool rs_condition_decide_attrs(const rs_condition *c, const rs_attrs *attrs);

/* What a span was sent with under a key of metadata: a string's characters, else JSON; p NULL: nothing. Text that has to be made is in
 * the arena. */
rs_str rs_metadata_of_attrs(const rs_attrs *attrs, rs_str key, rs_arena *arena);
/* The same of metadata in a JSON object. */
rs_str rs_metadata_of_json(rs_str object, rs_str key, rs_arena *arena);

#endif
