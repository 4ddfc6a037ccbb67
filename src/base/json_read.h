/* A pull reader over JSON text (RFC 8259), for JSON that comes from outside in bulk (OTLP/JSON, content strings).
 * No tree, no allocation but for strings that hold escapes. Nesting is bounded; input must be UTF-8.
 * One thread per reader. Any error is sticky: the reader then returns RS_JSON_ERROR for ever. */
#ifndef RS_BASE_JSON_READ_H
#define RS_BASE_JSON_READ_H

#include "base/arena.h"
#include "base/status.h"

enum { RS_JSON_MAX_DEPTH = 512 }; /* room for OTLP's values nested 32 deep, and for leaving out deeper ones */

typedef enum rs_json_token {
    RS_JSON_ERROR,
    RS_JSON_END, /* the document was complete and nothing but white space follows */
    RS_JSON_OBJECT,
    RS_JSON_OBJECT_END,
    RS_JSON_ARRAY,
    RS_JSON_ARRAY_END,
    RS_JSON_KEY,    /* text: the key, unescaped */
    RS_JSON_STRING, /* text: the value, unescaped */
    RS_JSON_NUMBER, /* text: the number as written */
    RS_JSON_TRUE,
    RS_JSON_FALSE,
    RS_JSON_NULL,
} rs_json_token;

typedef struct rs_json_reader {
    rs_str in;
    size_t at;       /* offset of the next byte */
    rs_arena *arena; /* for unescaped strings; NULL: strings are only checked, and text keeps its escapes */
    rs_str text;     /* of the last KEY, STRING or NUMBER */
    size_t value_at; /* offset where the last token began */
    rs_err err;
    uint32_t depth;
    uint8_t expect;
    uint8_t kinds[RS_JSON_MAX_DEPTH]; /* '{' or '[' per level */
} rs_json_reader;

void rs_json_read_init(rs_json_reader *r, rs_str in, rs_arena *arena);
rs_json_token rs_json_read(rs_json_reader *r);

/* Skips the value that comes next (a whole object or array, or a scalar); gives its text in *raw if not NULL.
 * Call where a value is expected: after a KEY, or inside an array. False on error. */
bool rs_json_read_skip(rs_json_reader *r, rs_str *raw);

/* Inside an array: the text of the next element; false at its end, which is read, and on error. */
bool rs_json_read_element(rs_json_reader *r, rs_str *raw);

/* The text of a scalar token that was read last: a string's, a number's, true or false; false for anything else. */
bool rs_json_scalar(const rs_json_reader *r, rs_json_token t, rs_str *out);

/* At an object's beginning: goes to the value of that key; false if it has none, or is no object. */
bool rs_json_find_key(rs_json_reader *r, rs_str key);

/* True if s is one whole JSON value, valid UTF-8, nested no deeper than RS_JSON_MAX_DEPTH. */
bool rs_json_is_valid(rs_str s);

#endif
