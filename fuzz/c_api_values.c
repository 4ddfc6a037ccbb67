#include "c_api_values.h"

#include <stdio.h>
#include <stdlib.h>

void must(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "fuzz_c_api: %s\n", what);
    abort();
}

/* ---- texts and keys ------------------------------------------------------------------------------------ */

static char text_byte(text_kind kind, uint32_t i) {
    static const char broken[] = "\xff\x80"
                                 "a\xc3\xed\xa0\x80\xf4\x90";
    switch (kind) {
    case TEXT_WIDE:
        return "\xc3\xa4"[i % 2];
    case TEXT_NULS:
        return i % 3 ? 'n' : 0;
    case TEXT_BROKEN:
        return broken[i % (sizeof broken - 1)];
    default:
        return (char)('a' + i % 26);
    }
}

char *text_make(const text_spec *t) {
    char *p = malloc(t->n ? t->n : 1);
    must(p != NULL, "memory");
    for (uint32_t i = 0; i < t->n; i++) p[i] = text_byte(t->kind, i);
    return p;
}

bool text_matches(rs_str got, const text_spec *t, size_t max) {
    if (!rs_str_is_utf8(got)) return false;
    size_t n = t->is_null ? 0 : t->n < max ? t->n : max;
    if (t->kind == TEXT_BROKEN) return got.n <= 3 * n; /* each byte becomes three at most */
    if (t->kind == TEXT_WIDE) n -= n % 2;
    for (size_t i = 0; i < got.n; i++)
        if (got.p[i] != text_byte(t->kind, (uint32_t)i)) return false;
    return got.n == n;
}

static char long_key[600];

respan_text key_text(int k, unsigned spelling) {
    static const respan_text keys[KEYS] = {{RESPAN_TEXT("a")},          {RESPAN_TEXT("gen_ai.request.model")},
                                           {RESPAN_TEXT("n\0k")},       {RESPAN_TEXT("k\xff")},
                                           {long_key, sizeof long_key}, {RESPAN_TEXT("respan.environment")}};
    if (!long_key[0]) memset(long_key, 'K', sizeof long_key);
    return k == 3 && spelling % 2 ? (respan_text){RESPAN_TEXT("k\x80")} : keys[k];
}

rs_str key_as_sent(int k) {
    respan_text key = key_text(k, 0);
    if (k == 3) return RS_STR("k\xEF\xBF\xBD");
    return (rs_str){key.p, key.n < 512 ? key.n : 512};
}

static bool item_matches(const rs_value *v, const value_spec *s, uint32_t i, size_t max) {
    switch (s->type) {
    case RESPAN_TYPE_STRING_ARRAY:
        return v->type == RS_VALUE_STRING && text_matches(v->s, &s->text, max);
    case RESPAN_TYPE_BOOL_ARRAY:
        return v->type == RS_VALUE_BOOL && v->b == ((s->number + i) % 2 != 0);
    case RESPAN_TYPE_INT_ARRAY:
        return v->type == RS_VALUE_INT && v->i == s->number + i;
    default:
        return v->type == RS_VALUE_DOUBLE && v->d == (double)(s->number + i) / 8;
    }
}

bool value_matches(const rs_value *v, const value_spec *s, size_t max) {
    switch (s->type) {
    case RESPAN_TYPE_STRING:
        return v->type == RS_VALUE_STRING && text_matches(v->s, &s->text, max);
    case RESPAN_TYPE_BOOL:
        return v->type == RS_VALUE_BOOL && v->b == (s->number % 2 != 0);
    case RESPAN_TYPE_INT:
        return v->type == RS_VALUE_INT && v->i == s->number;
    case RESPAN_TYPE_DOUBLE:
        return v->type == RS_VALUE_DOUBLE && v->d == (double)s->number / 8;
    default:
        break;
    }
    size_t at = 0;
    rs_str key;
    rs_value item;
    uint32_t n = 0;
    if (v->type != RS_VALUE_ARRAY) return false;
    for (; rs_value_next(v, &at, &key, &item); n++)
        if (!item_matches(&item, s, n, max)) return false;
    return n == (s->no_items ? 0 : s->count);
}

/* ---- through the API ----------------------------------------------------------------------------------- */

void value_build(built_value *b, const value_spec *v, respan_text key) {
    b->text = text_make(&v->text);
    respan_text text = {v->text.is_null ? NULL : b->text, v->text.n};
    b->attribute = (respan_attribute){.key = key, .type = v->type};
    for (uint32_t i = 0; i < ITEMS_MAX; i++) {
        b->strings[i] = text;
        b->booleans[i] = (v->number + i) % 2 != 0;
        b->integers[i] = v->number + i;
        b->reals[i] = (double)(v->number + i) / 8;
    }
    respan_attribute *a = &b->attribute;
    switch (v->type) {
    case RESPAN_TYPE_STRING:
        a->value.string = text;
        break;
    case RESPAN_TYPE_BOOL:
        a->value.boolean = v->number % 2 != 0;
        break;
    case RESPAN_TYPE_INT:
        a->value.integer = v->number;
        break;
    case RESPAN_TYPE_DOUBLE:
        a->value.real = (double)v->number / 8;
        break;
    case RESPAN_TYPE_STRING_ARRAY:
        a->value.strings.items = v->no_items ? NULL : b->strings;
        a->value.strings.count = v->count;
        break;
    case RESPAN_TYPE_BOOL_ARRAY:
        a->value.booleans.items = v->no_items ? NULL : b->booleans;
        a->value.booleans.count = v->count;
        break;
    case RESPAN_TYPE_INT_ARRAY:
        a->value.integers.items = v->no_items ? NULL : b->integers;
        a->value.integers.count = v->count;
        break;
    case RESPAN_TYPE_DOUBLE_ARRAY:
        a->value.reals.items = v->no_items ? NULL : b->reals;
        a->value.reals.count = v->count;
        break;
    }
}

void value_set(respan_span *s, const value_spec *v, respan_text key) {
    built_value b;
    value_build(&b, v, key);
    respan_text text = {v->text.is_null ? NULL : b.text, v->text.n};
    if (v->type == RESPAN_TYPE_STRING && v->count % 2)
        respan_span_set_string(s, key.p, key.n, text.p, text.n);
    else if (v->type == RESPAN_TYPE_BOOL && v->count % 2)
        respan_span_set_bool(s, key.p, key.n, v->number % 2 != 0);
    else if (v->type == RESPAN_TYPE_INT && v->count % 2) respan_span_set_int(s, key.p, key.n, v->number);
    else if (v->type == RESPAN_TYPE_DOUBLE && v->count % 2)
        respan_span_set_double(s, key.p, key.n, (double)v->number / 8);
    else respan_span_set(s, &b.attribute, 1);
    free(b.text);
}
