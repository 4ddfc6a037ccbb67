/* Attribute values and texts as fields (fields.h), and the shared sets of the public interface. No I/O; whoever owns the
 * fields. */
#ifndef RS_SDK_ATTRIBUTES_H
#define RS_SDK_ATTRIBUTES_H

#include "respan.h"
#include "sdk/fields.h"

/* Sets an attribute as field number `field` (below 16) of the message. Text is made valid UTF-8, and secrets in it are
 * masked unless f keeps them; a string longer than max_content is cut on a UTF-8 boundary, and its length in bytes set as the integer attribute
 * `<key>.full_length`. Empty keys and unknown types are ignored. */
void rs_fields_set(rs_fields *f, uint32_t field, const respan_attribute *a, size_t max_content);
/* The same for one type each. */
void rs_fields_set_string(rs_fields *f, uint32_t field, rs_str key, rs_str text, size_t max_content);
void rs_fields_set_int(rs_fields *f, uint32_t field, rs_str key, int64_t value);
void rs_fields_set_double(rs_fields *f, uint32_t field, rs_str key, double value);
void rs_fields_set_bool(rs_fields *f, uint32_t field, rs_str key, bool value);

/* Sets a text, made valid UTF-8, masked and cut to max bytes, as the field that `kind` is. */
void rs_fields_set_text(rs_fields *f, uint32_t field, rs_field_kind kind, rs_str text, size_t max);
/* Sets the bytes of a message. */
void rs_fields_set_message(rs_fields *f, uint32_t field, rs_field_kind kind, rs_str body);
/* Sets a small number, below 128. */
void rs_fields_set_enum(rs_fields *f, uint32_t field, rs_field_kind kind, uint8_t value);
/* Sets a fixed64. */
void rs_fields_set_time(rs_fields *f, uint32_t field, uint64_t ns);

/* The set behind the public type: fields number 9 (Span.attributes), compacted, immutable. */
struct respan_attributes {
    unsigned references; /* atomic */
    rs_fields fields;
};
void rs_attributes_retain(respan_attributes *set);

#endif
