#include "query/field.h"

#include "base/ids.h"
#include <math.h>

static bool is_alias(const char *aliases, rs_str name) {
    while (aliases && *aliases) {
        size_t n = strcspn(aliases, " ");
        if (rs_str_eq((rs_str){aliases, n}, name)) return true;
        aliases += n + (aliases[n] == ' ');
    }
    return false;
}

const rs_field *rs_field_find(const rs_field_table *table, rs_str name) {
    for (size_t i = 0; i < table->n; i++)
        if (rs_str_eq(rs_str_of(table->fields[i].name), name)) return &table->fields[i];
    for (size_t i = 0; i < table->n; i++)
        if (is_alias(table->fields[i].aliases, name)) return &table->fields[i];
    return NULL;
}

double rs_field_sort_value(const rs_field *field, const void *row) {
    rs_field_value v;
    if (!field->get(row, &v)) return -INFINITY;
    return field->type == RS_FIELD_REAL ? v.real : (double)v.integer;
}

bool rs_field_set_text(rs_field_value *out, rs_str s) {
    out->text = s;
    return s.n > 0;
}

bool rs_field_set_hex(rs_field_value *out, const uint8_t *id, size_t n) {
    rs_hex(id, n, out->hex);
    out->text = (rs_str){out->hex, 2 * n};
    return true;
}

bool rs_field_set_count(rs_field_value *out, int64_t v) {
    out->integer = v;
    return v >= 0;
}

bool rs_field_set_sum(rs_field_value *out, int64_t a, int64_t b) {
    if (a < 0 || b < 0) return rs_field_set_count(out, a < 0 ? b : a);
    if (__builtin_add_overflow(a, b, &out->integer)) out->integer = INT64_MAX;
    return true;
}

bool rs_field_set_real(rs_field_value *out, double v) {
    out->real = v;
    return isfinite(v);
}

bool rs_field_set_time(rs_field_value *out, uint64_t ns) {
    out->integer = (int64_t)ns;
    return ns > 0;
}
