/* rs_fields: keyed fields of a protobuf message, in wire form from the moment they are set.
 *
 * Structure. `wire` holds encoded fields one behind the other; `index` has one entry per field that counts:
 * the hash of its key and where its bytes stand. Setting a key again appends the new bytes and points the
 * entry at them; the old bytes are dead, and once more than half of `wire` is, it is compacted. So a key that
 * is set a thousand times costs no more room than twice its value, and a message without replaced keys is
 * ready to be copied as it stands. Keys are compared by a 64-bit hash (XXH3): two keys of one span that
 * collide by chance, one in 10^15, cost one attribute. A field that cannot be had (memory, `limit`) is left
 * out and counted in `left_out`; what was there before stays.
 *
 * Owned by one thread at a time; init/deinit. */
#ifndef RS_SDK_ATTRIBUTES_H
#define RS_SDK_ATTRIBUTES_H

#include "base/buf.h"
#include "otlp/encode.h"
#include "respan.h"

typedef struct rs_field {
    uint64_t hash; /* of the key; 0: the field has none and is never replaced */
    uint32_t at, n;
} rs_field;

enum { RS_FIELDS_INLINE = 16, RS_KEY_MAX = 512 /* bytes; a longer key is cut */ };

typedef struct rs_fields {
    rs_buf wire;
    rs_field *index; /* points at `first` until it has to grow */
    uint32_t count, cap;
    size_t dead; /* bytes of `wire` that no entry points at */
    uint32_t left_out;
    rs_status why; /* the last of them was: RS_ERR_MEMORY or RS_ERR_TOO_LARGE */
    bool cut;      /* some attribute has a `<key>.full_length` */
    rs_field first[RS_FIELDS_INLINE];
} rs_fields;

void rs_fields_init(rs_fields *f, size_t limit);
void rs_fields_deinit(rs_fields *f);

/* A field is appended to f->wire by its maker between begin (which gives the offset) and commit. */
static inline size_t rs_fields_begin(const rs_fields *f) { return f->wire.n; }
void rs_fields_commit(rs_fields *f, size_t begin, uint64_t hash);
void rs_fields_remove(rs_fields *f, uint64_t hash);
const rs_field *rs_fields_find(const rs_fields *f, uint64_t hash);

/* Moves the live fields together; afterwards dead == 0 and `wire` is the fields, in index order. */
void rs_fields_compact(rs_fields *f);

/* Never 0. */
uint64_t rs_key_hash(rs_str key);

/* Sets an attribute as field number `field` of the message. Text is made valid UTF-8; a string longer than
 * max_content is cut on a UTF-8 boundary, and its length in bytes set as the integer attribute
 * `<key>.full_length`. Empty keys and unknown types are ignored. */
void rs_fields_set(rs_fields *f, uint32_t field, const respan_attribute *a, size_t max_content);

/* Appends a text field (wire type 2) made valid UTF-8 and cut to max bytes. */
void rs_pb_text(rs_buf *out, uint32_t field, rs_str text, size_t max);

/* The set behind the public type: fields number 9 (Span.attributes), compacted, immutable. */
struct respan_attributes {
    unsigned references; /* atomic */
    rs_fields fields;
};
void rs_attributes_retain(respan_attributes *set);

#endif
