/* OTLP/JSON below the level of messages: objects and arrays of messages, scalars of protobuf's JSON mapping
 * (protobuf.dev/programming-guides/json), AnyValue. Private to otlp/.
 *
 * null stands for the default value. Functions return false with b.status set when the text is not what is expected, but
 * for rs_ojson_member and rs_ojson_item, which are also false at the end of their object or array. */
#ifndef RS_OTLP_JSON_VALUE_H
#define RS_OTLP_JSON_VALUE_H

#include "base/ids.h"
#include "base/json_read.h"
#include "otlp/build.h"

typedef struct rs_ojson {
    rs_build b;
    rs_json_reader r;
    rs_buf scratch; /* the protobuf of the composite value that is read now */
    bool null;      /* the object or array just entered is a null */
} rs_ojson;

/* The name in the .proto and its lowerCamelCase; parsers take both. */
#define RS_OJSON_IS(key, camel, snake) (rs_str_eq(key, RS_STR(camel)) || rs_str_eq(key, RS_STR(snake)))

bool rs_ojson_fail(rs_ojson *d, rs_status code, const char *what); /* false; at the last token */

bool rs_ojson_enter(rs_ojson *d);               /* { or null comes next */
bool rs_ojson_member(rs_ojson *d, rs_str *key); /* inside an object: the next name */
bool rs_ojson_array(rs_ojson *d);               /* [ or null comes next */
bool rs_ojson_item(rs_ojson *d);                /* inside an array of messages: enters the next one */
bool rs_ojson_skip(rs_ojson *d);                /* the value of a member that nobody knows */
/* After a failure within the object at that depth: forgets it, *why, and goes behind the object. False if more is wrong than a value. */
bool rs_ojson_leave(rs_ojson *d, uint32_t depth, rs_err *why);

bool rs_ojson_text(rs_ojson *d, rs_str *out);
bool rs_ojson_u64(rs_ojson *d, uint64_t *out); /* a number, or a string that holds one */
bool rs_ojson_u32(rs_ojson *d, uint32_t *out);
/* A number below n or one of n names; anything else that is a number or a string is 0. */
bool rs_ojson_enum(rs_ojson *d, const rs_str *names, uint32_t n, uint32_t *out);
/* n bytes in hex; *ok if it was that, *given if it was not empty. */
bool rs_ojson_id(rs_ojson *d, uint8_t *out, size_t n, bool *ok, bool *given);

bool rs_ojson_any_value(rs_ojson *d, rs_value *out);

/* "attributes": [KeyValue, …], onto the stack of attributes. */
bool rs_ojson_attributes(rs_ojson *d);

#endif
