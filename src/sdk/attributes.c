#include "sdk/attributes.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
    WIRE_START = 512,
    COMPACT_FROM = 1024,
    SPAN_ATTRIBUTES = 9,
    SET_MAX_BYTES = 64 << 20,
    SET_MAX_CONTENT = 4 << 20
};

uint64_t rs_key_hash(rs_str key) {
    uint64_t hash = XXH3_64bits(key.p, key.n);
    return hash ? hash : 1;
}

/* ---- fields -------------------------------------------------------------------------------------------- */

void rs_fields_init(rs_fields *f, size_t limit) {
    rs_buf_init(&f->wire);
    f->wire.limit = limit < UINT32_MAX / 2 ? limit : UINT32_MAX / 2; /* offsets are 32 bits */
    f->index = f->first;
    f->count = 0;
    f->cap = RS_FIELDS_INLINE;
    f->dead = 0;
    f->left_out = 0;
    f->why = RS_OK;
    f->cut = false;
    if (limit >= WIRE_START) rs_buf_reserve(&f->wire, WIRE_START);
    f->wire.failed = RS_OK;
}

void rs_fields_deinit(rs_fields *f) {
    if (f->index != f->first) free(f->index);
    rs_buf_deinit(&f->wire);
}

const rs_field *rs_fields_find(const rs_fields *f, uint64_t hash) {
    for (uint32_t i = 0; i < f->count; i++)
        if (f->index[i].hash == hash) return &f->index[i];
    return NULL;
}

static bool grow_index(rs_fields *f) {
    if (f->count < f->cap) return true;
    if (f->cap > UINT32_MAX / 4) return false;
    uint32_t cap = f->cap * 2;
    bool is_inline = f->index == f->first;
    rs_field *index = realloc(is_inline ? NULL : f->index, cap * sizeof *index);
    if (!index) return false;
    if (is_inline) memcpy(index, f->first, sizeof f->first);
    f->index = index;
    f->cap = cap;
    return true;
}

static void leave_out(rs_fields *f, size_t begin) {
    f->why = f->wire.failed != RS_OK ? f->wire.failed : RS_ERR_MEMORY;
    f->wire.n = begin;
    f->wire.failed = RS_OK;
    f->left_out++;
}

void rs_fields_commit(rs_fields *f, size_t begin, uint64_t hash) {
    if (rs_buf_status(&f->wire) != RS_OK) {
        leave_out(f, begin);
        return;
    }
    rs_field *old = hash ? (rs_field *)rs_fields_find(f, hash) : NULL;
    rs_field made = {hash, (uint32_t)begin, (uint32_t)(f->wire.n - begin)};
    if (old) {
        f->dead += old->n;
        *old = made;
        if (f->dead > COMPACT_FROM && f->dead > f->wire.n / 2) rs_fields_compact(f);
    } else if (grow_index(f)) {
        f->index[f->count++] = made;
    } else {
        leave_out(f, begin);
    }
}

void rs_fields_remove(rs_fields *f, uint64_t hash) {
    rs_field *e = (rs_field *)rs_fields_find(f, hash);
    if (!e) return;
    f->dead += e->n;
    memmove(e, e + 1, (size_t)(f->index + f->count - (e + 1)) * sizeof *e);
    f->count--;
}

static int by_place(const void *a, const void *b) {
    uint32_t x = ((const rs_field *)a)->at, y = ((const rs_field *)b)->at;
    return (x > y) - (x < y);
}

void rs_fields_compact(rs_fields *f) {
    if (f->dead == 0) return;
    qsort(f->index, f->count, sizeof *f->index, by_place);
    size_t n = 0;
    for (uint32_t i = 0; i < f->count; i++) {
        memmove(f->wire.p + n, f->wire.p + f->index[i].at, f->index[i].n);
        f->index[i].at = (uint32_t)n;
        n += f->index[i].n;
    }
    f->wire.n = n;
    f->dead = 0;
}

/* ---- values -------------------------------------------------------------------------------------------- */

void rs_pb_text(rs_buf *out, uint32_t field, rs_str text, size_t max) {
    text = rs_str_cut_utf8(text, max);
    if (rs_str_is_utf8(text)) {
        rs_pb_bytes(out, field, text);
        return;
    }
    rs_buf fixed;
    rs_buf_init(&fixed);
    rs_buf_put_utf8(&fixed, text);
    if (fixed.failed != RS_OK) out->failed = fixed.failed;
    else rs_pb_bytes(out, field, rs_buf_slice(&fixed));
    rs_buf_deinit(&fixed);
}

/* NULL is an empty text, whatever length comes with it. */
static rs_str text_of(respan_text t) { return (rs_str){t.p, t.p ? t.n : 0}; }

/* s itself if it is UTF-8, else its repaired copy in `scratch`. */
static rs_str repaired(rs_str s, rs_buf *scratch) {
    if (rs_str_is_utf8(s)) return s;
    rs_buf_put_utf8(scratch, s);
    return rs_buf_slice(scratch);
}

static void array_item(rs_buf *value, const respan_attribute *a, size_t i, size_t max_content) {
    rs_value item = {.type = RS_VALUE_EMPTY};
    if (a->type == RESPAN_TYPE_STRING_ARRAY) {
        rs_pb_text(value, 1, text_of(a->value.strings.items[i]), max_content);
    } else if (a->type == RESPAN_TYPE_BOOL_ARRAY) {
        item = (rs_value){.type = RS_VALUE_BOOL, .b = a->value.booleans.items[i]};
    } else if (a->type == RESPAN_TYPE_INT_ARRAY) {
        item = (rs_value){.type = RS_VALUE_INT, .i = a->value.integers.items[i]};
    } else {
        item = (rs_value){.type = RS_VALUE_DOUBLE, .d = a->value.reals.items[i]};
    }
    rs_otlp_encode_value(value, &item);
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
static __attribute__((noinline)) rs_str array_value(const respan_attribute *a, size_t max_content,
                                                    rs_buf *body) {
    rs_buf value;
    rs_buf_init(&value);
    for (size_t i = 0, n = array_count(a); i < n && body->failed == RS_OK; i++) {
        rs_buf_clear(&value);
        array_item(&value, a, i, max_content);
        if (value.failed != RS_OK) body->failed = value.failed;
        rs_pb_bytes(body, 1, rs_buf_slice(&value));
    }
    rs_buf_deinit(&value);
    return rs_buf_slice(body);
}

static void put(rs_fields *f, uint32_t field, const rs_attr *a, const rs_buf *scratch) {
    size_t begin = rs_fields_begin(f);
    rs_otlp_encode_attr(&f->wire, field, a);
    if (scratch->failed != RS_OK) f->wire.failed = scratch->failed;
    rs_fields_commit(f, begin, rs_key_hash(a->key));
}

/* `<key>.full_length`: set when a string was cut, taken away when a later value is whole. */
static void mark_cut(rs_fields *f, uint32_t field, rs_str key, size_t full, bool was_cut) {
    static const rs_str suffix = RS_STR(".full_length");
    char name[3 * RS_KEY_MAX + 16]; /* repairing a key may triple it */
    memcpy(name, key.p, key.n);
    memcpy(name + key.n, suffix.p, suffix.n);
    rs_attr mark = {.key = {name, key.n + suffix.n}, .value = {.type = RS_VALUE_INT, .i = (int64_t)full}};
    if (!was_cut) {
        rs_fields_remove(f, rs_key_hash(mark.key));
        return;
    }
    size_t begin = rs_fields_begin(f);
    rs_otlp_encode_attr(&f->wire, field, &mark);
    rs_fields_commit(f, begin, rs_key_hash(mark.key));
    f->cut = true;
}

void rs_fields_set(rs_fields *f, uint32_t field, const respan_attribute *a, size_t max_content) {
    rs_str key = {a->key.p, a->key.n};
    if (key.n == 0 || !key.p) return;
    key = rs_str_cut_utf8(key, RS_KEY_MAX);
    rs_buf key_scratch, scratch;
    rs_buf_init(&key_scratch);
    rs_buf_init(&scratch);
    rs_attr made = {.key = repaired(key, &key_scratch)};
    if (key_scratch.failed != RS_OK) scratch.failed = key_scratch.failed;
    size_t full = 0;
    switch (a->type) {
    case RESPAN_TYPE_STRING: {
        rs_str whole = text_of(a->value.string);
        full = whole.n;
        made.value =
            (rs_value){.type = RS_VALUE_STRING, .s = repaired(rs_str_cut_utf8(whole, max_content), &scratch)};
        break;
    }
    case RESPAN_TYPE_BOOL:
        made.value = (rs_value){.type = RS_VALUE_BOOL, .b = a->value.boolean};
        break;
    case RESPAN_TYPE_INT:
        made.value = (rs_value){.type = RS_VALUE_INT, .i = a->value.integer};
        break;
    case RESPAN_TYPE_DOUBLE:
        made.value = (rs_value){.type = RS_VALUE_DOUBLE, .d = a->value.real};
        break;
    case RESPAN_TYPE_STRING_ARRAY:
    case RESPAN_TYPE_BOOL_ARRAY:
    case RESPAN_TYPE_INT_ARRAY:
    case RESPAN_TYPE_DOUBLE_ARRAY:
        made.value = (rs_value){.type = RS_VALUE_ARRAY, .s = array_value(a, max_content, &scratch)};
        break;
    default:
        goto out;
    }
    put(f, field, &made, &scratch);
    if (full > max_content || f->cut) mark_cut(f, field, made.key, full, full > max_content);
out:
    if (key_scratch.p) rs_buf_deinit(&key_scratch);
    if (scratch.p) rs_buf_deinit(&scratch);
}

/* ---- shared sets --------------------------------------------------------------------------------------- */

RESPAN_API respan_attributes *respan_attributes_new(const respan_attribute *attributes, size_t count) {
    respan_attributes *set = malloc(sizeof *set);
    if (!set) return NULL;
    set->references = 1;
    rs_fields_init(&set->fields, SET_MAX_BYTES);
    for (size_t i = 0; attributes && i < count; i++)
        rs_fields_set(&set->fields, SPAN_ATTRIBUTES, &attributes[i], SET_MAX_CONTENT);
    rs_fields_compact(&set->fields);
    if (set->fields.left_out) {
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
