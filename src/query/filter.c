#include "query/filter.h"

#include "base/clock.h"
#include "base/json_read.h"
#include <math.h>
#include <stdio.h>

static const rs_str op_names[RS_OP_COUNT] = {
    [RS_OP_EQUAL] = RS_STR(""),
    [RS_OP_NOT] = RS_STR("not"),
    [RS_OP_IEXACT] = RS_STR("iexact"),
    [RS_OP_LT] = RS_STR("lt"),
    [RS_OP_LTE] = RS_STR("lte"),
    [RS_OP_GT] = RS_STR("gt"),
    [RS_OP_GTE] = RS_STR("gte"),
    [RS_OP_CONTAINS] = RS_STR("contains"),
    [RS_OP_ICONTAINS] = RS_STR("icontains"),
    [RS_OP_STARTSWITH] = RS_STR("startswith"),
    [RS_OP_ENDSWITH] = RS_STR("endswith"),
    [RS_OP_IN] = RS_STR("in"),
    [RS_OP_ISNULL] = RS_STR("isnull"),
};

static const rs_str metadata_prefix = RS_STR("metadata__"), model_prefix = RS_STR("respan.model.");

bool rs_filter_op_from_name(rs_str name, rs_filter_op *out) {
    for (int op = 0; op < RS_OP_COUNT; op++)
        if (rs_str_eq(op_names[op], name)) return *out = (rs_filter_op)op, true;
    return false;
}

static bool is_order_op(rs_filter_op op) { return op >= RS_OP_LT && op <= RS_OP_GTE; }

static bool is_text_op(rs_filter_op op) {
    return op == RS_OP_IEXACT || (op >= RS_OP_CONTAINS && op <= RS_OP_ENDSWITH);
}

/* ---- building ------------------------------------------------------------------------------------------ */

static bool parse_bool(rs_str s, int64_t *out) {
    bool yes = rs_str_eq_nocase(s, RS_STR("true")) || rs_str_eq(s, RS_STR("1"));
    if (!yes && !rs_str_eq_nocase(s, RS_STR("false")) && !rs_str_eq(s, RS_STR("0"))) return false;
    *out = yes;
    return true;
}

/* Reads one value as the type wants it; false if it is none such. */
static bool parse_value(rs_field_type type, rs_str s, rs_field_value *out) {
    uint64_t ns;
    switch (type) {
    case RS_FIELD_INT:
    case RS_FIELD_REAL:
        return rs_str_to_double(s, &out->real) && isfinite(out->real);
    case RS_FIELD_BOOL:
        return parse_bool(s, &out->integer);
    case RS_FIELD_TIME:
        if (!rs_clock_parse(s, &ns)) return false;
        out->integer = (int64_t)ns;
        return true;
    case RS_FIELD_TEXT:
    case RS_FIELD_JSON:
        break;
    }
    return true;
}

static const char *type_phrase(rs_field_type type) {
    switch (type) {
    case RS_FIELD_INT:
    case RS_FIELD_REAL:
        return "a number";
    case RS_FIELD_BOOL:
        return "true or false";
    case RS_FIELD_TIME:
        return "an RFC 3339 time or Unix seconds";
    case RS_FIELD_TEXT:
    case RS_FIELD_JSON:
        break;
    }
    return "text";
}

/* Finds the field or the metadata key that a name means. */
static rs_status resolve(const rs_filter *f, rs_str name, rs_condition *c, rs_err *err) {
    c->field = rs_field_find(f->table, name);
    if (c->field && c->field->type == RS_FIELD_JSON)
        return rs_fail(err, RS_ERR_INVALID, 0, "field '%.*s' is filtered by its keys: %.*s__KEY",
                       RS_STR_ARG(name), RS_STR_ARG(name));
    if (c->field) return RS_OK;
    if (f->table->metadata && rs_str_starts(name, metadata_prefix) && name.n > metadata_prefix.n) {
        c->key = rs_str_from(name, metadata_prefix.n);
        return RS_OK;
    }
    if (rs_str_starts(name, model_prefix) && name.n > model_prefix.n) {
        c->key = name;
        c->of_model = true;
        return RS_OK;
    }
    return rs_fail(err, RS_ERR_INVALID, 0, "a %s has no field '%.*s'", f->table->what,
                   RS_STR_ARG(rs_str_cut_utf8(name, 80)));
}

/* What the store's tags alone know of is found by one value. */
static rs_status check_tagged(const rs_filter *f, const rs_condition *c, const rs_str *values, rs_err *err) {
    bool tagged = c->of_model && !f->table->attributes;
    if (!tagged || (c->op == RS_OP_EQUAL && c->nvalues == 1 && values[0].n > 0)) return RS_OK;
    return rs_fail(err, RS_ERR_INVALID, 0,
                   "'%.*s' of a %s is asked for by one value; lists of spans take every operator",
                   RS_STR_ARG(rs_str_cut_utf8(c->key, 80)), f->table->what);
}

static rs_status check_op(const rs_condition *c, rs_str name, size_t nvalues, rs_err *err) {
    rs_str op = op_names[c->op], shown = rs_str_cut_utf8(name, 80);
    bool is_text = !c->field || c->field->type == RS_FIELD_TEXT,
         is_bool = c->field && c->field->type == RS_FIELD_BOOL;
    if ((is_text_op(c->op) && !is_text) || (is_order_op(c->op) && ((c->field && is_text) || is_bool)))
        return rs_fail(err, RS_ERR_INVALID, 0, "operator '%.*s' does not go with field '%.*s', which is %s",
                       RS_STR_ARG(op), RS_STR_ARG(shown), type_phrase(c->field->type));
    if (nvalues > RS_FILTER_MAX_VALUES)
        return rs_fail(err, RS_ERR_INVALID, 0, "field '%.*s' has more than %d values", RS_STR_ARG(shown),
                       RS_FILTER_MAX_VALUES);
    bool many = c->op == RS_OP_IN || c->op == RS_OP_EQUAL || c->op == RS_OP_NOT;
    if (nvalues == 0 || (nvalues > 1 && !many))
        return rs_fail(err, RS_ERR_INVALID, 0, "operator '%.*s' of field '%.*s' takes %s value",
                       RS_STR_ARG(op), RS_STR_ARG(shown), many ? "at least one" : "one");
    return RS_OK;
}

/* What a condition's values are read as: its field's type, but for operators that say it themselves. */
static rs_field_type operand_type(const rs_condition *c) {
    if (c->op == RS_OP_ISNULL) return RS_FIELD_BOOL;
    if (!c->field) return is_order_op(c->op) ? RS_FIELD_REAL : RS_FIELD_TEXT;
    return c->field->type;
}

rs_status rs_filter_add(rs_filter *f, rs_str name, rs_filter_op op, const rs_str *values, size_t n,
                        rs_arena *arena, rs_err *err) {
    rs_condition c = {.op = op, .nvalues = n};
    rs_status st = resolve(f, name, &c, err);
    if (st == RS_OK) st = check_op(&c, name, n, err);
    if (st == RS_OK) st = check_tagged(f, &c, values, err);
    if (st != RS_OK) return st;
    if (f->n == RS_FILTER_MAX)
        return rs_fail(err, RS_ERR_INVALID, 0, "more than %d conditions", RS_FILTER_MAX);
    c.values = rs_arena_zalloc(arena, n, sizeof *c.values);
    if (!c.field) c.key = rs_arena_copy(arena, c.key);
    if (!c.values || (!c.field && !c.key.p)) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    rs_field_type type = operand_type(&c);
    for (size_t i = 0; i < n; i++) {
        c.values[i].text = rs_arena_copy(arena, values[i]);
        if (!c.values[i].text.p) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
        if (!parse_value(type, values[i], &c.values[i]))
            return rs_fail(err, RS_ERR_INVALID, 0, "'%.*s' of field '%.*s' is not %s",
                           RS_STR_ARG(rs_str_cut_utf8(values[i], 60)), RS_STR_ARG(rs_str_cut_utf8(name, 60)),
                           type_phrase(type));
    }
    f->items[f->n++] = c;
    return RS_OK;
}

rs_status rs_filter_add_words(rs_filter *f, rs_str text, rs_arena *arena, rs_err *err) {
    rs_str kept = rs_arena_copy(arena, text);
    if (!kept.p) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    for (size_t at = 0; at < kept.n;) {
        size_t start = at;
        while (at < kept.n && !strchr(" \t\r\n", kept.p[at])) at++;
        if (at > start) {
            if (f->nwords == RS_FILTER_MAX_WORDS)
                return rs_fail(err, RS_ERR_INVALID, 0, "'q' has more than %d words", RS_FILTER_MAX_WORDS);
            f->words[f->nwords++] = (rs_str){kept.p + start, at - start};
        }
        at++;
    }
    return RS_OK;
}

size_t rs_filter_drive(rs_filter *f, rs_arena *arena, rs_tag tags[RS_FILTER_MAX]) {
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++) {
        rs_condition *c = &f->items[i];
        rs_str key = c->field ? rs_str_of(c->field->tag) : (rs_str){0};
        if (c->op != RS_OP_EQUAL || c->nvalues != 1 || c->values[0].text.n == 0) continue;
        if (c->of_model) {
            key = c->key;
        } else if (!c->field) { /* a key that does not fit the arena is no loss: the row is asked */
            char *p = rs_arena_alloc(arena, metadata_prefix.n + c->key.n);
            if (!p) continue;
            memcpy(p, metadata_prefix.p, metadata_prefix.n);
            memcpy(p + metadata_prefix.n, c->key.p, c->key.n);
            key = (rs_str){p, metadata_prefix.n + c->key.n};
        }
        if (key.n == 0) continue;
        tags[n++] = (rs_tag){key, c->values[0].text};
        c->driven = c->of_model || (c->field && (c->field->flags & RS_FIELD_ANY_SPAN));
    }
    return n;
}

/* ---- asking -------------------------------------------------------------------------------------------- */

static unsigned char fold(char c) { return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c); }

static bool find(rs_str s, rs_str word) { return word.n == 0 || memmem(s.p, s.n, word.p, word.n) != NULL; }

static bool find_nocase(rs_str s, rs_str word) {
    for (size_t at = 0; at + word.n <= s.n; at++) {
        size_t i = 0;
        while (i < word.n && fold(s.p[at + i]) == fold(word.p[i])) i++;
        if (i == word.n) return true;
    }
    return false;
}

static bool in_order(rs_filter_op op, int order) {
    switch (op) {
    case RS_OP_LT:
        return order < 0;
    case RS_OP_LTE:
        return order <= 0;
    case RS_OP_GT:
        return order > 0;
    case RS_OP_GTE:
        return order >= 0;
    default:
        return order == 0;
    }
}

/* One value against one operand; NOT and ISNULL are the caller's. */
static bool compare(rs_field_type type, rs_filter_op op, const rs_field_value *v,
                    const rs_field_value *operand) {
    double d = type == RS_FIELD_INT ? (double)v->integer : v->real;
    switch (type) {
    case RS_FIELD_INT:
    case RS_FIELD_REAL:
        return in_order(op, (d > operand->real) - (d < operand->real));
    case RS_FIELD_TIME:
    case RS_FIELD_BOOL:
        return in_order(op, (v->integer > operand->integer) - (v->integer < operand->integer));
    case RS_FIELD_TEXT:
    case RS_FIELD_JSON:
        break;
    }
    switch (op) {
    case RS_OP_IEXACT:
        return rs_str_eq_nocase(v->text, operand->text);
    case RS_OP_CONTAINS:
        return find(v->text, operand->text);
    case RS_OP_ICONTAINS:
        return find_nocase(v->text, operand->text);
    case RS_OP_STARTSWITH:
        return rs_str_starts(v->text, operand->text);
    case RS_OP_ENDSWITH:
        return rs_str_ends(v->text, operand->text);
    default:
        return rs_str_eq(v->text, operand->text);
    }
}

static bool decide(const rs_condition *c, rs_field_type type, bool known, const rs_field_value *v) {
    if (c->op == RS_OP_ISNULL) return known != (c->values[0].integer != 0);
    bool any = false;
    for (size_t i = 0; i < c->nvalues && !any; i++) {
        if (known) any = compare(type, c->op, v, &c->values[i]);
        else
            any = type == RS_FIELD_TEXT && !is_text_op(c->op) &&
                  c->values[i].text.n == 0; /* "" is what is not there */
    }
    return any != (c->op == RS_OP_NOT);
}

/* The text of a metadata value: a string's characters, else the JSON as written. False: no such key, or null. */
static bool read_metadata(rs_str object, rs_str key, rs_arena *arena, rs_str *out) {
    rs_json_reader r;
    rs_json_read_init(&r, object, arena);
    if (rs_json_read(&r) != RS_JSON_OBJECT) return false;
    while (rs_json_read(&r) == RS_JSON_KEY) {
        bool wanted = rs_str_eq(r.text, key);
        rs_str raw;
        if (!rs_json_read_skip(&r, &raw)) return false;
        if (!wanted) continue;
        *out = raw;
        if (raw.n > 0 && raw.p[0] == '"') {
            rs_json_reader value;
            rs_json_read_init(&value, raw, arena);
            if (rs_json_read(&value) != RS_JSON_STRING) return false;
            *out = value.text;
        }
        return !rs_str_eq(raw, RS_STR("null"));
    }
    return false;
}

/* The same of an attribute; its JSON is written to buf. False: there is none. */
static bool read_attribute(const rs_attrs *attrs, rs_str key, rs_buf *buf, rs_str *out) {
    const rs_attr *a = attrs ? rs_attrs_find(attrs, key) : NULL;
    if (!a) return false;
    *out = a->value.s;
    if (a->value.type == RS_VALUE_STRING) return true;
    rs_json j = rs_json_on(buf);
    rs_value_write_json(&j, &a->value);
    *out = rs_buf_slice(buf);
    return rs_buf_status(buf) == RS_OK;
}

/* Values that have no type of their own: text, and numbers where they are compared as such. */
static bool loose_value_holds(const rs_filter *f, const rs_condition *c, const void *row) {
    rs_arena arena;
    rs_buf buf;
    rs_arena_init(&arena, 1 << 20);
    rs_buf_init(&buf);
    rs_field_value v = {.real = NAN};
    bool known = c->of_model ? read_attribute(f->table->attributes ? f->table->attributes(row) : NULL, c->key,
                                              &buf, &v.text)
                             : read_metadata(f->table->metadata(row), c->key, &arena, &v.text);
    if (known && is_order_op(c->op)) known = rs_str_to_double(v.text, &v.real);
    bool holds = decide(c, is_order_op(c->op) ? RS_FIELD_REAL : RS_FIELD_TEXT, known, &v);
    rs_buf_deinit(&buf);
    rs_arena_deinit(&arena);
    return holds;
}

bool rs_condition_holds(const rs_filter *f, const rs_condition *c, const void *row) {
    if (!c->field) return loose_value_holds(f, c, row);
    rs_field_value v;
    bool known = c->field->get(row, &v);
    return decide(c, c->field->type, known, &v);
}

bool rs_filter_needs_attributes(const rs_filter *f) {
    for (size_t i = 0; i < f->n; i++)
        if (f->items[i].of_model) return true;
    return false;
}

static bool find_word(const rs_field_table *table, rs_str word, const void *row) {
    for (size_t i = 0; i < table->n; i++) {
        rs_field_value v;
        if ((table->fields[i].flags & RS_FIELD_SEARCHED) && table->fields[i].get(row, &v) &&
            find_nocase(v.text, word))
            return true;
    }
    return false;
}

bool rs_filter_matches(const rs_filter *f, const void *row) {
    for (size_t i = 0; i < f->n; i++)
        if (!f->items[i].driven && !rs_condition_holds(f, &f->items[i], row)) return false;
    for (size_t i = 0; i < f->nwords; i++)
        if (!find_word(f->table, f->words[i], row)) return false;
    return true;
}
