#include "otlp/json_value.h"

#include "otlp/encode.h"
#include "otlp/protobuf.h"
#include <math.h>
#include <stdlib.h>

bool rs_ojson_fail(rs_ojson *d, rs_status code, const char *what) {
    return rs_build_fail(&d->b, code, d->r.value_at, what);
}

/* For a token that is not what is expected: the reader's own error if it has one. */
static bool unexpected(rs_ojson *d, rs_json_token t, const char *what) {
    if (t != RS_JSON_ERROR) return rs_ojson_fail(d, RS_ERR_INVALID, what);
    return rs_build_fail(&d->b, d->r.err.code, d->r.err.offset, d->r.err.message);
}

/* ---- objects and arrays -------------------------------------------------------------------------------- */

static bool open_or_null(rs_ojson *d, rs_json_token want, const char *what) {
    rs_json_token t = rs_json_read(&d->r);
    d->null = t == RS_JSON_NULL;
    return t == want || d->null || unexpected(d, t, what);
}

bool rs_ojson_enter(rs_ojson *d) { return open_or_null(d, RS_JSON_OBJECT, "an object is expected here"); }
bool rs_ojson_array(rs_ojson *d) { return open_or_null(d, RS_JSON_ARRAY, "an array is expected here"); }

/* Field by field: loading the 16 bytes at once right after two stores of 8 stalls, and this is done for each token. */
static void take_text(const rs_ojson *d, rs_str *out) {
    out->p = d->r.text.p;
    out->n = d->r.text.n;
}

/* True if it was a null that was entered: there is nothing in it. */
static bool leave_null(rs_ojson *d) {
    bool null = d->null;
    d->null = false;
    return null;
}

bool rs_ojson_member(rs_ojson *d, rs_str *key) {
    if (leave_null(d)) return false;
    rs_json_token t = rs_json_read(&d->r);
    take_text(d, key);
    if (t == RS_JSON_KEY) return true;
    return t != RS_JSON_OBJECT_END && unexpected(d, t, "the name of a member is expected here");
}

bool rs_ojson_item(rs_ojson *d) {
    if (leave_null(d)) return false;
    rs_json_token t = rs_json_read(&d->r);
    if (t == RS_JSON_OBJECT) return true;
    return t != RS_JSON_ARRAY_END && unexpected(d, t, "an object is expected here");
}

bool rs_ojson_skip(rs_ojson *d) { return rs_json_read_skip(&d->r, NULL) || unexpected(d, RS_JSON_ERROR, ""); }

bool rs_ojson_leave(rs_ojson *d, uint32_t depth, rs_err *why) {
    bool may = d->b.status == RS_ERR_INVALID || d->b.status == RS_ERR_TOO_LARGE; /* too deep */
    if (!may || d->r.err.code != RS_OK) return false;
    rs_arena *arena = d->r.arena;
    rs_json_token t = RS_JSON_NULL;
    d->r.arena = NULL; /* nobody will look at its strings */
    while (t != RS_JSON_ERROR && d->r.depth >= depth) t = rs_json_read(&d->r);
    d->r.arena = arena;
    d->null = false;
    *why = *d->b.err;
    *d->b.err = (rs_err){0};
    d->b.status = RS_OK;
    return t != RS_JSON_ERROR || unexpected(d, t, "");
}

/* ---- scalars: each from a token that was read ---------------------------------------------------------- */

static bool to_text(rs_ojson *d, rs_json_token t, rs_str *out) {
    *out = (rs_str){"", 0};
    if (t == RS_JSON_STRING) take_text(d, out);
    return t == RS_JSON_STRING || t == RS_JSON_NULL || unexpected(d, t, "a string is expected here");
}

static bool to_real(rs_ojson *d, rs_json_token t, double *out) {
    rs_str s = d->r.text;
    if (t != RS_JSON_NUMBER && t != RS_JSON_STRING) return unexpected(d, t, "a number is expected here");
    if (rs_str_to_double(s, out)) return true;
    s = rs_arena_copy(d->b.arena, s); /* very long, or not finite: "NaN", "Infinity", "-Infinity", 1e999 */
    if (!s.p) return rs_ojson_fail(d, RS_ERR_MEMORY, "no memory for a number");
    char *end;
    *out = strtod(s.p, &end);
    return (s.n && end == s.p + s.n) || rs_ojson_fail(d, RS_ERR_INVALID, "a number is expected here");
}

/* Whole numbers may be written as strings, which is how JSON keeps all 64 bits, and as 1e3 or 5.0. */
static bool to_u64(rs_ojson *d, rs_json_token t, uint64_t *out) {
    unsigned long long whole;
    double real;
    *out = 0;
    if (t == RS_JSON_NULL) return true;
    if ((t == RS_JSON_NUMBER || t == RS_JSON_STRING) && rs_str_to_u64(d->r.text, &whole)) {
        *out = whole;
        return true;
    }
    if (!to_real(d, t, &real)) return false;
    if (!(real >= 0 && real < 0x1p64 && real == floor(real)))
        return rs_ojson_fail(d, RS_ERR_INVALID, "an unsigned 64-bit number is expected here");
    *out = (uint64_t)real;
    return true;
}

static bool to_i64(rs_ojson *d, rs_json_token t, int64_t *out) {
    long long whole;
    double real;
    if ((t == RS_JSON_NUMBER || t == RS_JSON_STRING) && rs_str_to_i64(d->r.text, &whole)) {
        *out = whole;
        return true;
    }
    if (!to_real(d, t, &real)) return false;
    if (!(real >= -0x1p63 && real < 0x1p63 && real == floor(real)))
        return rs_ojson_fail(d, RS_ERR_INVALID, "a 64-bit number is expected here");
    *out = (int64_t)real;
    return true;
}

static int base64_digit(unsigned char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+' || c == '-') return 62; /* the alphabet of URLs too */
    if (c == '/' || c == '_') return 63;
    return -1;
}

/* Base64 with or without padding. */
static bool to_bytes(rs_ojson *d, rs_json_token t, rs_str *out) {
    rs_str s;
    if (!to_text(d, t, &s)) return false;
    while (s.n && s.p[s.n - 1] == '=') s.n--;
    char *p = rs_arena_alloc(d->b.arena, s.n / 4 * 3 + 3);
    if (!p) return rs_ojson_fail(d, RS_ERR_MEMORY, "no memory for bytes");
    *out = (rs_str){p, 0};
    uint32_t bits = 0;
    for (size_t i = 0; i < s.n; i++) {
        int digit = base64_digit((unsigned char)s.p[i]);
        if (digit < 0) return rs_ojson_fail(d, RS_ERR_INVALID, "bytes must be base64");
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4) *p++ = (char)(bits >> (6 - 2 * (i % 4)));
    }
    out->n = (size_t)(p - out->p);
    return s.n % 4 != 1 || rs_ojson_fail(d, RS_ERR_INVALID, "bytes must be base64");
}

bool rs_ojson_text(rs_ojson *d, rs_str *out) { return to_text(d, rs_json_read(&d->r), out); }
bool rs_ojson_u64(rs_ojson *d, uint64_t *out) { return to_u64(d, rs_json_read(&d->r), out); }

bool rs_ojson_u32(rs_ojson *d, uint32_t *out) {
    uint64_t v;
    if (!rs_ojson_u64(d, &v)) return false;
    *out = v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
    return true;
}

bool rs_ojson_enum(rs_ojson *d, const rs_str *names, uint32_t n, uint32_t *out) {
    rs_json_token t = rs_json_read(&d->r);
    unsigned long long v;
    *out = 0;
    if (t == RS_JSON_NUMBER || t == RS_JSON_STRING) {
        for (uint32_t i = 0; i < n; i++)
            if (rs_str_eq(d->r.text, names[i])) *out = i;
        if (rs_str_to_u64(d->r.text, &v) && v < n) *out = (uint32_t)v;
        return true;
    }
    return t == RS_JSON_NULL || unexpected(d, t, "a number or a name is expected here");
}

bool rs_ojson_id(rs_ojson *d, uint8_t *out, size_t n, bool *ok, bool *given) {
    rs_str s;
    if (!rs_ojson_text(d, &s)) return false;
    *given = s.n > 0;
    *ok = rs_unhex(s, out, n);
    if (!*ok) memset(out, 0, n);
    return true;
}

/* ---- AnyValue ------------------------------------------------------------------------------------------ */

/* The member of AnyValue of that name; RS_VALUE_EMPTY for none of them. */
static rs_value_type member_type(rs_str key) {
    if (RS_OJSON_IS(key, "stringValue", "string_value")) return RS_VALUE_STRING;
    if (RS_OJSON_IS(key, "intValue", "int_value")) return RS_VALUE_INT;
    if (RS_OJSON_IS(key, "doubleValue", "double_value")) return RS_VALUE_DOUBLE;
    if (RS_OJSON_IS(key, "boolValue", "bool_value")) return RS_VALUE_BOOL;
    if (RS_OJSON_IS(key, "arrayValue", "array_value")) return RS_VALUE_ARRAY;
    if (RS_OJSON_IS(key, "kvlistValue", "kvlist_value")) return RS_VALUE_KVLIST;
    if (RS_OJSON_IS(key, "bytesValue", "bytes_value")) return RS_VALUE_BYTES;
    return RS_VALUE_EMPTY;
}

static bool is_composite(rs_value_type type) { return type == RS_VALUE_ARRAY || type == RS_VALUE_KVLIST; }

static bool scalar(rs_ojson *d, rs_value_type type, rs_value *v) {
    rs_json_token t = rs_json_read(&d->r);
    *v = (rs_value){t == RS_JSON_NULL ? RS_VALUE_EMPTY : type};
    switch (v->type) {
    case RS_VALUE_STRING:
        return to_text(d, t, &v->s);
    case RS_VALUE_INT:
        return to_i64(d, t, &v->i);
    case RS_VALUE_DOUBLE:
        return to_real(d, t, &v->d);
    case RS_VALUE_BYTES:
        return to_bytes(d, t, &v->s);
    case RS_VALUE_BOOL:
        v->b = t == RS_JSON_TRUE;
        return t == RS_JSON_TRUE || t == RS_JSON_FALSE || unexpected(d, t, "true or false is expected here");
    default:
        return true;
    }
}

/* Composites become protobuf in d->scratch. What encloses a message is known by its length only when the message is
 * complete: it is put in front of it then. */
static void insert(rs_buf *b, size_t at, const void *bytes, size_t n) {
    if (n == 0 || !rs_buf_reserve(b, n)) return;
    memmove(b->p + at + n, b->p + at, b->n - at);
    memcpy(b->p + at, bytes, n);
    b->n += n;
}

static void insert_head(rs_buf *b, size_t at, uint32_t field, size_t n) {
    uint8_t head[16], *end = rs_pb_put_varint(rs_pb_put_varint(head, RS_PB_TAG(field, RS_PB_BYTES)), n);
    insert(b, at, head, (size_t)(end - head));
}

static bool encode_list(rs_ojson *d, rs_value_type type, unsigned depth);

/* The members of an AnyValue as the body of one; the last of them wins. */
static bool encode_value(rs_ojson *d, unsigned depth) {
    size_t at = d->scratch.n;
    rs_str key;
    bool ok = true;
    while (ok && rs_ojson_member(d, &key)) {
        rs_value v = {member_type(key)};
        if (v.type == RS_VALUE_EMPTY) {
            ok = rs_ojson_skip(d);
            continue;
        }
        d->scratch.n = at;
        if (is_composite(v.type)) {
            ok = encode_list(d, v.type, depth + 1);
            insert_head(&d->scratch, at, v.type == RS_VALUE_ARRAY ? RS_ANY_ARRAY : RS_ANY_KVLIST,
                        d->scratch.n - at);
        } else {
            ok = scalar(d, v.type, &v);
            if (ok) rs_otlp_encode_value(&d->scratch, &v);
        }
    }
    return ok && d->b.status == RS_OK;
}

/* The members of a KeyValue as the body of one, the key first whatever their order here. */
static bool encode_pair(rs_ojson *d, unsigned depth) {
    size_t at = d->scratch.n;
    rs_str name, key = {0};
    bool ok = true;
    while (ok && rs_ojson_member(d, &name)) {
        if (rs_str_eq(name, RS_STR("key"))) {
            ok = rs_ojson_text(d, &key);
        } else if (rs_str_eq(name, RS_STR("value"))) {
            d->scratch.n = at;
            ok = rs_ojson_enter(d) && encode_value(d, depth);
            insert_head(&d->scratch, at, 2, d->scratch.n - at);
        } else {
            ok = rs_ojson_skip(d);
        }
    }
    if (key.n) {
        insert(&d->scratch, at, key.p, key.n);
        insert_head(&d->scratch, at, 1, key.n);
    }
    return ok && d->b.status == RS_OK;
}

/* {"values": […]} as the body of an ArrayValue or KeyValueList. */
static bool encode_list(rs_ojson *d, rs_value_type type, unsigned depth) {
    if (depth > RS_VALUE_MAX_DEPTH)
        return rs_ojson_fail(d, RS_ERR_TOO_LARGE, "an attribute's value is nested more than 32 deep");
    size_t at = d->scratch.n;
    rs_str key;
    bool ok = rs_ojson_enter(d);
    while (ok && rs_ojson_member(d, &key)) {
        if (!rs_str_eq(key, RS_STR("values"))) {
            ok = rs_ojson_skip(d);
            continue;
        }
        d->scratch.n = at;
        ok = rs_ojson_array(d);
        while (ok && rs_ojson_item(d)) {
            size_t item = d->scratch.n;
            ok = type == RS_VALUE_KVLIST ? encode_pair(d, depth) : encode_value(d, depth);
            insert_head(&d->scratch, item, 1, d->scratch.n - item);
        }
        ok = ok && d->b.status == RS_OK;
    }
    return ok && d->b.status == RS_OK;
}

static bool composite(rs_ojson *d, rs_value_type type, rs_value *v) {
    rs_buf_clear(&d->scratch);
    if (!encode_list(d, type, 1)) return false;
    *v = (rs_value){type, .s = rs_arena_copy(d->b.arena, rs_buf_slice(&d->scratch))};
    if (rs_buf_status(&d->scratch) == RS_OK && v->s.p) return true;
    return rs_ojson_fail(d, RS_ERR_MEMORY, "no memory for an attribute's value");
}

bool rs_ojson_any_value(rs_ojson *d, rs_value *v) {
    rs_str key;
    bool ok = rs_ojson_enter(d);
    *v = (rs_value){0};
    while (ok && rs_ojson_member(d, &key)) {
        rs_value_type type = member_type(key);
        if (type == RS_VALUE_EMPTY) ok = rs_ojson_skip(d);
        else if (is_composite(type)) ok = composite(d, type, v);
        else ok = scalar(d, type, v);
    }
    return ok && d->b.status == RS_OK;
}

bool rs_ojson_attributes(rs_ojson *d) {
    rs_str name;
    bool ok = rs_ojson_array(d);
    while (ok && rs_ojson_item(d)) {
        rs_attr *a = rs_build_attr(&d->b);
        if (!a) return false;
        a->key = RS_STR("");
        while (ok && rs_ojson_member(d, &name)) {
            if (rs_str_eq(name, RS_STR("key"))) ok = rs_ojson_text(d, &a->key);
            else if (rs_str_eq(name, RS_STR("value"))) ok = rs_ojson_any_value(d, &a->value);
            else ok = rs_ojson_skip(d);
        }
    }
    return ok && d->b.status == RS_OK;
}
