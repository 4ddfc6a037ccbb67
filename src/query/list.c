#include "query/list.h"

#include "base/clock.h"
#include "base/json_read.h"
#include <math.h>
#include <stdio.h>

/* ---- cursors: "f" or "b", 4 hex digits of the order, 16 of the value's bits, 16 of the key ----------------------------- */

void rs_cursor_format(const rs_cursor *c, char out[RS_CURSOR_LEN + 1]) {
    uint64_t bits;
    memcpy(&bits, &c->value, sizeof bits);
    snprintf(out, RS_CURSOR_LEN + 1, "%c%04x%016llx%016llx", c->backward ? 'b' : 'f', c->order,
             (unsigned long long)bits, (unsigned long long)c->key);
}

static bool parse_hex(const char *p, int n, uint64_t *out) {
    *out = 0;
    for (int i = 0; i < n; i++) {
        const char *digits = "0123456789abcdef", *at = p[i] ? strchr(digits, p[i]) : NULL;
        if (!at) return false;
        *out = *out << 4 | (uint64_t)(at - digits);
    }
    return true;
}

bool rs_cursor_parse(rs_str s, rs_cursor *out) {
    uint64_t order, bits, key;
    if (s.n != RS_CURSOR_LEN || (s.p[0] != 'f' && s.p[0] != 'b')) return false;
    if (!parse_hex(s.p + 1, 4, &order) || !parse_hex(s.p + 5, 16, &bits) || !parse_hex(s.p + 21, 16, &key))
        return false;
    *out = (rs_cursor){.backward = s.p[0] == 'b', .order = (uint16_t)order, .key = (int64_t)key};
    memcpy(&out->value, &bits, sizeof bits);
    return !isnan(out->value);
}

/* ---- parameters ---------------------------------------------------------------------------------------- */

void rs_list_init(rs_list *list, const rs_field_table *table) {
    *list = (rs_list){.table = table,
                      .filter = {.table = table},
                      .page = 1,
                      .page_size = RS_LIST_PAGE_SIZE,
                      .content = true,
                      .scan_max = RS_LIST_SCAN_MAX};
}

uint16_t rs_list_order(const rs_list *l) {
    unsigned field = l->sort ? (unsigned)(l->sort - l->table->fields) + 1 : 0;
    return (uint16_t)((l->table == &rs_span_fields) << 15 | field << 1 | l->ascending);
}

static rs_status set_number(rs_str name, rs_str value, uint32_t max, uint32_t *out, rs_err *err) {
    unsigned long long v;
    if (!rs_str_to_u64(value, &v) || v < 1 || v > max)
        return rs_fail(err, RS_ERR_INVALID, 0, "'%.*s' is a whole number from 1 to %u", RS_STR_ARG(name),
                       max);
    *out = (uint32_t)v;
    return RS_OK;
}

static rs_status set_page(rs_list *l, rs_str name, rs_str value, rs_err *err) {
    return set_number(name, value, UINT32_MAX, &l->page, err);
}

static rs_status set_page_size(rs_list *l, rs_str name, rs_str value, rs_err *err) {
    return set_number(name, value, RS_LIST_PAGE_SIZE_MAX, &l->page_size, err);
}

static rs_status set_cursor(rs_list *l, rs_str name, rs_str value, rs_err *err) {
    if (!rs_cursor_parse(value, &l->cursor))
        return rs_fail(err, RS_ERR_INVALID, 0, "'%.*s' is not one that 'next' or 'previous' gave",
                       RS_STR_ARG(name));
    l->has_cursor = true;
    return RS_OK;
}

static rs_status set_sort_by(rs_list *l, rs_str name, rs_str value, rs_err *err) {
    bool descending = value.n > 0 && value.p[0] == '-';
    rs_str wanted = descending ? rs_str_from(value, 1) : value;
    const rs_field *field = rs_field_find(l->table, wanted);
    bool is_start = rs_str_eq(wanted, RS_STR("start_time"));
    bool goes = field && ((field->flags & RS_FIELD_SORTS) || (is_start && descending));
    if (!goes)
        return rs_fail(err, RS_ERR_INVALID, 0, "'%.*s': a list of %ss is not sorted by '%.*s'",
                       RS_STR_ARG(name), l->table->what, RS_STR_ARG(rs_str_cut_utf8(value, 60)));
    l->sort = is_start ? NULL : field;
    l->ascending = !descending;
    return RS_OK;
}

static rs_status set_time(rs_str name, rs_str value, uint64_t *out, rs_err *err) {
    if (!rs_clock_parse_bound(value, out))
        return rs_fail(err, RS_ERR_INVALID, 0,
                       "'%.*s' is an RFC 3339 time or Unix seconds (not milliseconds), not '%.*s'",
                       RS_STR_ARG(name), RS_STR_ARG(rs_str_cut_utf8(value, 60)));
    return RS_OK;
}

static rs_status set_start_time(rs_list *l, rs_str name, rs_str value, rs_err *err) {
    l->has_start = true;
    return set_time(name, value, &l->start_min_ns, err);
}

static rs_status set_end_time(rs_list *l, rs_str name, rs_str value, rs_err *err) {
    l->has_end = true;
    rs_status st = set_time(name, value, &l->start_max_ns, err);
    if (st == RS_OK && l->start_max_ns == 0) l->start_max_ns = 1; /* before the epoch is before everything */
    if (st == RS_OK && l->start_max_ns == UINT64_MAX) l->start_max_ns = 0; /* no span is past it */
    return st;
}

static rs_status set_content(rs_list *l, rs_str name, rs_str value, rs_err *err) {
    l->content = rs_str_eq(value, RS_STR("true"));
    if (!l->content && !rs_str_eq(value, RS_STR("false")))
        return rs_fail(err, RS_ERR_INVALID, 0, "'%.*s' is true or false", RS_STR_ARG(name));
    return RS_OK;
}

static const struct {
    rs_str name;
    rs_status (*set)(rs_list *l, rs_str name, rs_str value, rs_err *err);
} parameters[] = {
    {RS_STR("page"), set_page},
    {RS_STR("page_size"), set_page_size},
    {RS_STR("cursor"), set_cursor},
    {RS_STR("sort_by"), set_sort_by},
    {RS_STR("start_time"), set_start_time},
    {RS_STR("end_time"), set_end_time},
    {RS_STR("content"), set_content},
};

static rs_status blame(rs_list *l, rs_status st, rs_str name) {
    if (st == RS_ERR_INVALID && l->bad_field[0] == 0)
        snprintf(l->bad_field, sizeof l->bad_field, "%.*s", RS_STR_ARG(rs_str_cut_utf8(name, 63)));
    return st;
}

static rs_status set_extra(rs_list_extra *extra, rs_str value, rs_arena *arena, rs_err *err) {
    extra->value = rs_arena_copy(arena, value);
    return extra->value.p ? RS_OK : rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
}

rs_status rs_list_set(rs_list *l, rs_str name, rs_str value, rs_arena *arena, rs_err *err) {
    for (size_t i = 0; i < l->nextras; i++)
        if (rs_str_eq(rs_str_of(l->extras[i].name), name)) return set_extra(&l->extras[i], value, arena, err);
    if (rs_str_eq(name, RS_STR("q")))
        return blame(l, rs_filter_add_text(&l->filter, value, arena, err), name);
    for (size_t i = 0; i < RS_ARRAY_LEN(parameters); i++)
        if (rs_str_eq(parameters[i].name, name))
            return blame(l, parameters[i].set(l, name, value, err), name);
    return blame(l, rs_filter_add(&l->filter, name, RS_OP_EQUAL, &value, 1, arena, err), name);
}

/* ---- the body ------------------------------------------------------------------------------------------ */

static rs_status read_filters(rs_list *l, rs_json_reader *r, rs_arena *arena, rs_err *err) {
    rs_str at_fault = RS_STR("filters");
    rs_status st = rs_filter_add_json(&l->filter, r, arena, &at_fault, err);
    return blame(l, st, at_fault);
}

static rs_status read_member(rs_list *l, rs_json_reader *r, rs_arena *arena, rs_err *err) {
    rs_str name = r->text, value;
    if (rs_str_eq(name, RS_STR("filters"))) return read_filters(l, r, arena, err);
    rs_json_token t = rs_json_read(r);
    if (t == RS_JSON_NULL) return RS_OK; /* a parameter that is null is not given */
    if (!rs_json_scalar(r, t, &value))
        return blame(l,
                     rs_fail(err, RS_ERR_INVALID, r->value_at, "'%.*s' is not text, a number, true or false",
                             RS_STR_ARG(rs_str_cut_utf8(name, 60))),
                     name);
    return rs_list_set(l, name, value, arena, err);
}

rs_status rs_list_set_json(rs_list *l, rs_str body, rs_arena *arena, rs_err *err) {
    if (body.n > RS_LIST_BODY_MAX)
        return rs_fail(err, RS_ERR_TOO_LARGE, 0, "the body is over %d bytes", RS_LIST_BODY_MAX);
    rs_json_reader r;
    rs_json_read_init(&r, body, arena);
    rs_err why = {0};
    rs_json_token t = rs_json_read(&r);
    rs_status st = RS_OK;
    if (t != RS_JSON_OBJECT && t != RS_JSON_ERROR)
        return rs_fail(err, RS_ERR_INVALID, 0, "the body is a JSON object");
    while (st == RS_OK && (t = rs_json_read(&r)) == RS_JSON_KEY) st = read_member(l, &r, arena, &why);
    if (st == RS_OK && t != RS_JSON_ERROR && rs_json_read(&r) == RS_JSON_END) return RS_OK;
    if (r.err.code != RS_OK) { /* the text itself is at fault, not what it says */
        l->bad_field[0] = 0;
        if (err && err->code == RS_OK) *err = r.err;
        return r.err.code;
    }
    if (err && err->code == RS_OK) *err = why;
    return st != RS_OK ? st : RS_ERR_INVALID;
}
