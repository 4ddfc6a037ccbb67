/* Attribute values as they are kept: opening composites, writing JSON. */
#include "otlp/decode.h"
#include "otlp/protobuf.h"
#include <stdlib.h>

bool rs_value_next(const rs_value *composite, size_t *at, rs_str *key, rs_value *value) {
    rs_pb_cursor c = rs_pb_over(rs_str_from(composite->s, *at));
    rs_pb_field f = {0};
    *key = (rs_str){"", 0};
    while (rs_pb_next(&c, &f)) {
        if (f.tag != RS_PB_TAG(1, RS_PB_BYTES)) continue;
        *at = (size_t)((const char *)c.p - composite->s.p);
        rs_pb_cursor inner = rs_pb_over(f.s);
        return composite->type == RS_VALUE_KVLIST ? rs_pb_read_pair(&inner, key, value)
                                                  : rs_pb_read_value(&inner, value);
    }
    return false;
}

static void write_base64(rs_json *j, rs_str s) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = (s.n + 2) / 3 * 4;
    rs_json_raw(j, RS_STR("\""));
    char *out = rs_buf_reserve(j->out, n + 1);
    if (!out) return;
    j->out->n += n + 1;
    for (const unsigned char *p = (const unsigned char *)s.p, *end = p + s.n; p < end; p += 3) {
        size_t left = (size_t)(end - p);
        unsigned v = (unsigned)p[0] << 16 | (left > 1 ? (unsigned)p[1] << 8 : 0) | (left > 2 ? p[2] : 0);
        *out++ = digits[v >> 18];
        *out++ = digits[v >> 12 & 63];
        *out++ = left > 1 ? digits[v >> 6 & 63] : '=';
        *out++ = left > 2 ? digits[v & 63] : '=';
    }
    *out = '"';
}

static void write_value(rs_json *j, const rs_value *v, unsigned depth);

static void write_list(rs_json *j, const rs_value *v, unsigned depth) {
    bool is_map = v->type == RS_VALUE_KVLIST;
    size_t at = 0;
    rs_str key;
    rs_value item;
    if (is_map) rs_json_object(j);
    else rs_json_array(j);
    while (rs_value_next(v, &at, &key, &item)) {
        if (is_map) rs_json_key(j, key);
        write_value(j, &item, depth + 1);
    }
    if (is_map) rs_json_object_end(j);
    else rs_json_array_end(j);
}

static void write_value(rs_json *j, const rs_value *v, unsigned depth) {
    switch (v->type) {
    case RS_VALUE_EMPTY:
        rs_json_null(j);
        break;
    case RS_VALUE_STRING:
        rs_json_str(j, v->s);
        break;
    case RS_VALUE_BOOL:
        rs_json_bool(j, v->b);
        break;
    case RS_VALUE_INT:
        rs_json_int(j, v->i);
        break;
    case RS_VALUE_DOUBLE:
        rs_json_double(j, v->d);
        break;
    case RS_VALUE_BYTES:
        write_base64(j, v->s);
        break;
    case RS_VALUE_ARRAY:
    case RS_VALUE_KVLIST:
        if (depth > RS_VALUE_MAX_DEPTH)
            rs_json_null(j); /* only if the store's bytes are not what was checked */
        else write_list(j, v, depth);
        break;
    }
}

void rs_value_write_json(rs_json *j, const rs_value *v) { write_value(j, v, 1); }

static int by_key_then_place(const void *x, const void *y) {
    const rs_attr *a = *(const rs_attr *const *)x, *b = *(const rs_attr *const *)y;
    size_t n = a->key.n < b->key.n ? a->key.n : b->key.n;
    int order = n ? memcmp(a->key.p, b->key.p, n) : 0;
    if (order == 0) order = (a->key.n > b->key.n) - (a->key.n < b->key.n);
    return order ? order : (a > b) - (a < b);
}

/* For attributes by the thousand: which of them a later one replaces, without comparing each with each.
 * Freed by the caller; NULL when memory has run out. */
static bool *find_replaced(const rs_attrs *a) {
    const rs_attr **sorted = calloc(a->n, sizeof *sorted);
    bool *replaced = calloc(a->n, sizeof *replaced);
    if (sorted && replaced) {
        for (uint32_t i = 0; i < a->n; i++) sorted[i] = &a->items[i];
        qsort(sorted, a->n, sizeof *sorted, by_key_then_place);
        for (uint32_t i = 0; i + 1 < a->n; i++)
            replaced[sorted[i] - a->items] = rs_str_eq(sorted[i]->key, sorted[i + 1]->key);
    } else {
        free(replaced);
        replaced = NULL;
    }
    free(sorted);
    return replaced;
}

/* Of few attributes, those whose key may come again behind them: a bit for each. */
static uint64_t may_be_replaced(const rs_attrs *a) {
    uint64_t keys = 0, may = 0;
    for (uint32_t i = a->n; i-- > 0;) {
        rs_str key = a->items[i].key;
        unsigned ends = key.n ? (unsigned char)key.p[0] * 7u + (unsigned char)key.p[key.n - 1] : 0;
        uint64_t bit = 1ull << ((ends * 5 + key.n) & 63);
        may |= (uint64_t)((keys & bit) != 0) << i;
        keys |= bit;
    }
    return may;
}

void rs_attrs_write_json(rs_json *j, const rs_attrs *a) {
    enum { FEW = 64 };
    bool *replaced = a->n > FEW ? find_replaced(a) : NULL;
    uint64_t doubtful = a->n > FEW ? 0 : may_be_replaced(a);
    if (a->n > FEW && !replaced) j->out->failed = RS_ERR_MEMORY;
    rs_json_object(j);
    for (uint32_t i = 0; i < a->n && j->out->failed == RS_OK; i++) {
        const rs_attr *attr = &a->items[i];
        if (replaced ? replaced[i] : (doubtful >> i & 1) && rs_attrs_find(a, attr->key) != attr) continue;
        rs_json_key(j, attr->key);
        rs_value_write_json(j, &attr->value);
    }
    rs_json_object_end(j);
    free(replaced);
}
