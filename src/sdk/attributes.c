#include "sdk/attributes.h"

#include "otlp/encode.h"
#include "otlp/protobuf.h"
#include "sdk/frame.h"
#include "sdk/redact.h"
#include <stdlib.h>

enum { SET_MAX_BYTES = 64 << 20, SET_MAX_CONTENT = 4 << 20, FIELD_HEAD_MAX = 1 + 5 };

/* NULL is an empty text, whatever length comes with it. */
static rs_str text_of(respan_text t) { return (rs_str){t.p, t.p ? t.n : 0}; }

/* s itself if it is UTF-8, else its repaired copy in `scratch`. */
static rs_str repaired(rs_str s, rs_buf *scratch) {
    if (__builtin_expect(rs_str_is_utf8(s), 1)) return s;
    rs_buf_put_utf8(scratch, s);
    return rs_buf_slice(scratch);
}

/* ASCII, and without a secret. Most texts are plain, which is decided in line. */
static __attribute__((noinline)) bool is_clean(const rs_fields *f, rs_str s) {
    rs_secret secret;
    return rs_str_is_ascii(s) && (f->keeps_secrets || !rs_redact_find(s, 0, &secret));
}
static inline bool goes_as_it_is(const rs_fields *f, rs_str s) {
    return rs_redact_is_plain(s) || is_clean(f, s);
}

/* At most max bytes of valid UTF-8 in which secrets are masked: s itself, or what is made of it in `scratch` and `masked`. */
static rs_str made_fit(const rs_fields *f, rs_str s, size_t max, rs_buf *scratch, rs_buf *masked) {
    rs_secret secret;
    if (f->keeps_secrets) return repaired(rs_str_cut_utf8(s, max), scratch);
    size_t seen = max < SIZE_MAX - RS_REDACT_LOOKAHEAD ? max + RS_REDACT_LOOKAHEAD : max;
    s = repaired(rs_str_cut_utf8(s, seen), scratch);
    if (rs_redact_find(s, 0, &secret)) {
        rs_redact(masked, s);
        if (masked->failed != RS_OK) scratch->failed = masked->failed;
        s = rs_buf_slice(masked);
    }
    return rs_str_cut_utf8(s, max);
}

/* ---- single fields ------------------------------------------------------------------------------------- */

static inline char *put_head(char *p, uint32_t field, unsigned wire_type, uint64_t n) {
    *p++ = (char)(field << 3 | wire_type);
    return (char *)rs_pb_put_varint((uint8_t *)p, n);
}

static inline __attribute__((always_inline)) char *put_bytes(char *p, uint32_t field, rs_str s) {
    p = put_head(p, field, RS_PB_BYTES, s.n);
    rs_copy_short(p, s.p, s.n);
    return p + s.n;
}

static inline char *put_fixed64(char *p, uint32_t field, uint64_t v) {
    *p++ = (char)(field << 3 | RS_PB_FIXED64);
    v = htole64(v);
    memcpy(p, &v, sizeof v);
    return p + sizeof v;
}

void rs_fields_set_message(rs_fields *f, uint32_t field, rs_field_kind kind, rs_str body) {
    char *p = rs_fields_room(f, FIELD_HEAD_MAX + body.n);
    if (p) rs_fields_commit(f, (size_t)(put_bytes(p, field, body) - p), kind, RS_RANK_OWN, (rs_str){0});
}

static __attribute__((noinline)) void set_odd_text(rs_fields *f, uint32_t field, rs_field_kind kind,
                                                   rs_str text, size_t max) {
    rs_buf scratch, masked;
    rs_buf_init(&scratch);
    rs_buf_init(&masked);
    text = made_fit(f, text, max, &scratch, &masked);
    if (rs_buf_status(&scratch) == RS_OK) rs_fields_set_message(f, field, kind, text);
    else f->left_out++, f->why = RS_ERR_MEMORY;
    rs_buf_deinit(&scratch);
    rs_buf_deinit(&masked);
}

void rs_fields_set_text(rs_fields *f, uint32_t field, rs_field_kind kind, rs_str text, size_t max) {
    if (text.n <= max && goes_as_it_is(f, text)) rs_fields_set_message(f, field, kind, text);
    else set_odd_text(f, field, kind, text, max);
}

void rs_fields_set_enum(rs_fields *f, uint32_t field, rs_field_kind kind, uint8_t value) {
    char *p = rs_fields_room(f, 2);
    if (p)
        rs_fields_commit(f, (size_t)(put_head(p, field, RS_PB_VARINT, value) - p), kind, RS_RANK_OWN,
                         (rs_str){0});
}

void rs_fields_set_time(rs_fields *f, uint32_t field, uint64_t ns) {
    char *p = rs_fields_room(f, 9);
    if (p)
        rs_fields_commit(f, (size_t)(put_fixed64(p, field, ns) - p), RS_FIELD_KIND_PART, RS_RANK_OWN,
                         (rs_str){0});
}

/* ---- attributes ---------------------------------------------------------------------------------------- */

/* Measured first and written then: field { 1 key, 2 AnyValue }. */
static inline __attribute__((always_inline)) void put(rs_fields *f, uint32_t field, rs_str key,
                                                      const rs_value *v) {
    size_t value_n = v->type == RS_VALUE_BOOL     ? 2
                     : v->type == RS_VALUE_INT    ? 1 + rs_pb_varint_size((uint64_t)v->i)
                     : v->type == RS_VALUE_DOUBLE ? 9
                                                  : 1 + rs_pb_varint_size(v->s.n) + v->s.n;
    size_t body = 1 + rs_pb_varint_size(key.n) + key.n + 1 + rs_pb_varint_size(value_n) + value_n;
    size_t n = 1 + rs_pb_varint_size(body) + body;
    char *p = rs_fields_room(f, n);
    if (!p) return;
    p = put_bytes(put_head(p, field, RS_PB_BYTES, body), 1, key);
    p = put_head(p, 2, RS_PB_BYTES, value_n);
    if (v->type == RS_VALUE_STRING) {
        put_bytes(p, RS_ANY_STRING, v->s);
    } else if (v->type == RS_VALUE_INT) {
        put_head(p, RS_ANY_INT, RS_PB_VARINT, (uint64_t)v->i);
    } else if (v->type == RS_VALUE_DOUBLE) {
        uint64_t bits;
        memcpy(&bits, &v->d, sizeof bits);
        put_fixed64(p, RS_ANY_DOUBLE, bits);
    } else if (v->type == RS_VALUE_BOOL) {
        put_head(p, RS_ANY_BOOL, RS_PB_VARINT, v->b);
    } else {
        put_bytes(p, RS_ANY_ARRAY, v->s);
    }
    rs_fields_commit_attribute(f, n, key);
}

static void array_item(const rs_fields *f, rs_buf *value, const respan_attribute *a, size_t i,
                       size_t max_content) {
    rs_value item = {.type = RS_VALUE_EMPTY};
    rs_buf fixed, masked;
    rs_buf_init(&fixed);
    rs_buf_init(&masked);
    if (a->type == RESPAN_TYPE_STRING_ARRAY) {
        rs_str text = text_of(a->value.strings.items[i]);
        item = (rs_value){.type = RS_VALUE_STRING, .s = made_fit(f, text, max_content, &fixed, &masked)};
    } else if (a->type == RESPAN_TYPE_BOOL_ARRAY) {
        item = (rs_value){.type = RS_VALUE_BOOL, .b = a->value.booleans.items[i]};
    } else if (a->type == RESPAN_TYPE_INT_ARRAY) {
        item = (rs_value){.type = RS_VALUE_INT, .i = a->value.integers.items[i]};
    } else {
        item = (rs_value){.type = RS_VALUE_DOUBLE, .d = a->value.reals.items[i]};
    }
    rs_otlp_encode_value(value, &item);
    if (fixed.failed != RS_OK) value->failed = fixed.failed;
    rs_buf_deinit(&fixed);
    rs_buf_deinit(&masked);
}

/* NULL is an empty list. */
static size_t array_count(const respan_attribute *a) {
    switch (a->type) {
    case RESPAN_TYPE_STRING_ARRAY:
        return a->value.strings.items ? a->value.strings.count : 0;
    case RESPAN_TYPE_BOOL_ARRAY:
        return a->value.booleans.items ? a->value.booleans.count : 0;
    case RESPAN_TYPE_INT_ARRAY:
        return a->value.integers.items ? a->value.integers.count : 0;
    default:
        return a->value.reals.items ? a->value.reals.count : 0;
    }
}

/* The body of an ArrayValue: field 1 (AnyValue) for each. Kept out of the way of the other types, which are the rule. */
static __attribute__((noinline)) rs_str array_value(const rs_fields *f, const respan_attribute *a,
                                                    size_t max_content, rs_buf *body) {
    rs_buf value;
    rs_buf_init(&value);
    for (size_t i = 0, n = array_count(a); i < n && body->failed == RS_OK; i++) {
        rs_buf_clear(&value);
        array_item(f, &value, a, i, max_content);
        if (value.failed != RS_OK) body->failed = value.failed;
        rs_pb_bytes(body, 1, rs_buf_slice(&value));
    }
    rs_buf_deinit(&value);
    return rs_buf_slice(body);
}

/* `<key>.full_length`: set when a string was cut, taken away when a later value is whole. */
static __attribute__((noinline)) void mark_cut(rs_fields *f, uint32_t field, rs_str key, size_t full,
                                               bool was_cut) {
    static const rs_str suffix = RS_STR(".full_length");
    char name[3 * RS_KEY_MAX + 16]; /* repairing a key may triple it */
    memcpy(name, key.p, key.n);
    memcpy(name + key.n, suffix.p, suffix.n);
    rs_str mark = {name, key.n + suffix.n};
    if (!was_cut) {
        rs_fields_remove(f, mark);
        return;
    }
    put(f, field, mark, &(rs_value){.type = RS_VALUE_INT, .i = (int64_t)full});
    f->cut = true;
}

/* Text that is to be repaired, masked or cut: what is rare, or large anyway. */
static __attribute__((noinline)) void put_odd(rs_fields *f, uint32_t field, rs_str key, rs_value value,
                                              size_t max_content) {
    rs_buf key_scratch, scratch, masked;
    rs_buf_init(&key_scratch);
    rs_buf_init(&scratch);
    rs_buf_init(&masked);
    size_t full = 0;
    key = repaired(rs_str_cut_utf8(key, RS_KEY_MAX), &key_scratch);
    if (value.type == RS_VALUE_STRING) {
        full = value.s.n;
        value.s = made_fit(f, value.s, max_content, &scratch, &masked);
    }
    if (key_scratch.failed != RS_OK || scratch.failed != RS_OK) {
        f->left_out++;
        f->why = RS_ERR_MEMORY;
    } else {
        put(f, field, key, &value);
        if (full > max_content || f->cut) mark_cut(f, field, key, full, full > max_content);
    }
    rs_buf_deinit(&key_scratch);
    rs_buf_deinit(&scratch);
    rs_buf_deinit(&masked);
}

static __attribute__((noinline)) void put_array(rs_fields *f, uint32_t field, rs_str key,
                                                const respan_attribute *a, size_t max_content) {
    rs_buf scratch;
    rs_buf_init(&scratch);
    rs_value value = {.type = RS_VALUE_ARRAY, .s = array_value(f, a, max_content, &scratch)};
    if (scratch.failed == RS_OK) put_odd(f, field, key, value, max_content);
    else f->left_out++, f->why = RS_ERR_MEMORY;
    rs_buf_deinit(&scratch);
}

/* That needs neither repair nor cutting. */
static inline bool is_plain_key(const rs_fields *f, rs_str key) {
    return key.n <= RS_KEY_MAX && !f->cut && rs_str_is_ascii(key);
}

void rs_fields_set_string(rs_fields *f, uint32_t field, rs_str key, rs_str text, size_t max_content) {
    if (key.n == 0 || !key.p) return;
    rs_value value = {.type = RS_VALUE_STRING, .s = text};
    if (__builtin_expect(text.n <= max_content && is_plain_key(f, key) && goes_as_it_is(f, text), 1))
        put(f, field, key, &value);
    else put_odd(f, field, key, value, max_content);
}

/* One function for each type, so that what depends on it is decided by the compiler. */
static inline __attribute__((always_inline)) void set_scalar(rs_fields *f, uint32_t field, rs_str key,
                                                             rs_value value) {
    if (key.n == 0 || !key.p) return;
    if (__builtin_expect(is_plain_key(f, key), 1)) put(f, field, key, &value);
    else put_odd(f, field, key, value, SIZE_MAX);
}

void rs_fields_set_int(rs_fields *f, uint32_t field, rs_str key, int64_t i) {
    set_scalar(f, field, key, (rs_value){.type = RS_VALUE_INT, .i = i});
}

void rs_fields_set_double(rs_fields *f, uint32_t field, rs_str key, double d) {
    set_scalar(f, field, key, (rs_value){.type = RS_VALUE_DOUBLE, .d = d});
}

void rs_fields_set_bool(rs_fields *f, uint32_t field, rs_str key, bool b) {
    set_scalar(f, field, key, (rs_value){.type = RS_VALUE_BOOL, .b = b});
}

void rs_fields_set(rs_fields *f, uint32_t field, const respan_attribute *a, size_t max_content) {
    rs_str key = {a->key.p, a->key.n};
    switch (a->type) {
    case RESPAN_TYPE_STRING:
        rs_fields_set_string(f, field, key, text_of(a->value.string), max_content);
        break;
    case RESPAN_TYPE_BOOL:
        rs_fields_set_bool(f, field, key, a->value.boolean);
        break;
    case RESPAN_TYPE_INT:
        rs_fields_set_int(f, field, key, a->value.integer);
        break;
    case RESPAN_TYPE_DOUBLE:
        rs_fields_set_double(f, field, key, a->value.real);
        break;
    case RESPAN_TYPE_STRING_ARRAY:
    case RESPAN_TYPE_BOOL_ARRAY:
    case RESPAN_TYPE_INT_ARRAY:
    case RESPAN_TYPE_DOUBLE_ARRAY:
        if (key.n && key.p) put_array(f, field, key, a, max_content);
        break;
    }
}

/* ---- shared sets --------------------------------------------------------------------------------------- */

RESPAN_API respan_attributes *respan_attributes_new(const respan_attribute *attributes, size_t count) {
    respan_attributes *set = malloc(sizeof *set);
    if (!set) return NULL;
    set->references = 1;
    rs_fields_init(&set->fields, SET_MAX_BYTES);
    for (size_t i = 0; attributes && i < count; i++)
        rs_fields_set(&set->fields, RS_SPAN_ATTRIBUTES, &attributes[i], SET_MAX_CONTENT);
    rs_fields_compact(&set->fields);
    if (set->fields.left_out || set->fields.dead) {
        respan_attributes_free(set);
        return NULL;
    }
    return set;
}

void rs_attributes_retain(respan_attributes *set) {
    __atomic_add_fetch(&set->references, 1, __ATOMIC_RELAXED);
}

RESPAN_API void respan_attributes_free(respan_attributes *set) {
    if (!set || __atomic_sub_fetch(&set->references, 1, __ATOMIC_ACQ_REL) != 0) return;
    rs_fields_deinit(&set->fields);
    free(set);
}
