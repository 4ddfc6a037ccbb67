/* The JSON form of a filter -> the tree. */
#include "query/filter.h"

typedef struct reading {
    rs_filter_builder build;
    rs_json_reader *r;
    rs_str *at_fault;
    rs_err *err;
} reading;

static rs_status fail(reading *in, const char *says, rs_str what) {
    return rs_fail(in->err, RS_ERR_INVALID, in->r->value_at, says, RS_STR_ARG(rs_str_cut_utf8(what, 60)));
}

static rs_status no_memory(reading *in) { return rs_fail(in->err, RS_ERR_MEMORY, 0, "out of memory"); }

/* ---- conditions ---------------------------------------------------------------------------------------- */

typedef struct values {
    rs_str *items;
    size_t n, cap;
} values;

/* "value": a scalar or an array of scalars. */
static rs_status read_values(reading *in, values *v) {
    rs_json_token t = rs_json_read(in->r);
    bool many = t == RS_JSON_ARRAY;
    if (many) t = rs_json_read(in->r);
    for (; !many || t != RS_JSON_ARRAY_END; t = rs_json_read(in->r)) {
        rs_str text;
        if (!rs_json_scalar(in->r, t, &text))
            return fail(in, "a filter's value is text, a number, true, false or a list of them%.*s",
                        (rs_str){0});
        if (!rs_arena_grow(in->build.arena, (void **)&v->items, v->n, &v->cap, sizeof *v->items))
            return no_memory(in);
        v->items[v->n++] = text;
        if (!many) break;
    }
    return RS_OK;
}

static rs_status read_operator(reading *in, rs_filter_op *op) {
    if (rs_json_read(in->r) != RS_JSON_STRING)
        return fail(in, "a filter's operator is text%.*s", (rs_str){0});
    return rs_filter_op_from_name(in->r->text, op) ? RS_OK
                                                   : fail(in, "there is no operator '%.*s'", in->r->text);
}

/* {"operator": …, "value": …}, its brace read already. */
static rs_status read_condition(reading *in, rs_str name, rs_filter_node *parent) {
    rs_filter_op op = RS_OP_EQUAL;
    values v = {0};
    rs_status st = RS_OK;
    rs_json_token t = RS_JSON_ERROR;
    size_t at = in->r->value_at;
    rs_filter_node *node = NULL;
    while (st == RS_OK && (t = rs_json_read(in->r)) == RS_JSON_KEY) {
        if (rs_str_eq(in->r->text, RS_STR("operator"))) st = read_operator(in, &op);
        else if (rs_str_eq(in->r->text, RS_STR("value"))) st = read_values(in, &v);
        else st = fail(in, "a filter has 'operator' and 'value', not '%.*s'", in->r->text);
    }
    if (st == RS_OK && t == RS_JSON_ERROR) return RS_ERR_INVALID; /* the reader's own message is reported */
    if (st == RS_OK) st = rs_filter_condition(&in->build, name, op, v.items, v.n, &node, in->err);
    if (st == RS_OK) rs_filter_append(parent, node);
    else if (in->err && in->err->offset == 0) in->err->offset = at;
    return st;
}

static rs_status read_conditions(reading *in, rs_str name, rs_filter_node *parent) {
    rs_json_token t = rs_json_read(in->r);
    if (t == RS_JSON_OBJECT) return read_condition(in, name, parent);
    rs_status st = t == RS_JSON_ARRAY ? RS_OK : RS_ERR_INVALID;
    while (st == RS_OK && (t = rs_json_read(in->r)) == RS_JSON_OBJECT) st = read_condition(in, name, parent);
    if (st == RS_OK && t != RS_JSON_ARRAY_END) st = RS_ERR_INVALID;
    if (st == RS_ERR_INVALID && t != RS_JSON_ERROR && (!in->err || in->err->code == RS_OK))
        return fail(in, "a filter is an object with 'operator' and 'value', or a list of such%.*s",
                    (rs_str){0});
    return st;
}

/* ---- objects ------------------------------------------------------------------------------------------- */

/* All of an object's members, as one node below `parent`. */
static rs_status read_object(reading *in, rs_filter_node *parent);

/* "and" and "or": a list of objects. */
static rs_status read_list(reading *in, rs_filter_node *node) {
    rs_json_token t;
    if (rs_json_read(in->r) != RS_JSON_ARRAY)
        return fail(in, "'and' and 'or' are lists of objects%.*s", (rs_str){0});
    while ((t = rs_json_read(in->r)) == RS_JSON_OBJECT) {
        rs_status st = read_object(in, node);
        if (st != RS_OK) return st;
    }
    if (t == RS_JSON_ERROR) return RS_ERR_INVALID;
    if (t != RS_JSON_ARRAY_END) return fail(in, "'and' and 'or' are lists of objects%.*s", (rs_str){0});
    return node->child ? RS_OK : fail(in, "this list of conditions is empty%.*s", (rs_str){0});
}

static rs_status read_one(reading *in, rs_filter_node *node) {
    if (rs_json_read(in->r) != RS_JSON_OBJECT)
        return fail(in, "'not' and 'span' are objects%.*s", (rs_str){0});
    return read_object(in, node);
}

static rs_status read_span(reading *in, rs_filter_node *node) {
    const rs_field_table *outer = in->build.table;
    if (outer == &rs_span_fields)
        return fail(in, "'span' is for lists of traces: here all is about one span%.*s", (rs_str){0});
    in->build.table = &rs_span_fields;
    rs_status st = read_one(in, node);
    in->build.table = outer;
    return st;
}

/* False: the member is a field. */
static bool kind_of(rs_str name, rs_filter_kind *kind) {
    static const struct {
        rs_str name;
        rs_filter_kind kind;
    } kinds[] = {{RS_STR("and"), RS_FILTER_AND},
                 {RS_STR("or"), RS_FILTER_OR},
                 {RS_STR("not"), RS_FILTER_NOT},
                 {RS_STR("span"), RS_FILTER_SPAN}};
    for (size_t i = 0; i < RS_ARRAY_LEN(kinds); i++)
        if (rs_str_eq(kinds[i].name, name)) return *kind = kinds[i].kind, true;
    return false;
}

static rs_status read_member(reading *in, rs_filter_node *parent) {
    rs_str name = in->r->text;
    rs_filter_kind kind;
    *in->at_fault = name;
    if (!kind_of(name, &kind)) return read_conditions(in, name, parent);
    rs_filter_node *node = rs_filter_make(&in->build, kind, NULL);
    rs_status st = node ? rs_filter_enter(&in->build, in->err) : no_memory(in);
    if (st != RS_OK) return st;
    if (kind == RS_FILTER_AND || kind == RS_FILTER_OR) st = read_list(in, node);
    else st = kind == RS_FILTER_NOT ? read_one(in, node) : read_span(in, node);
    in->build.depth--;
    if (st == RS_OK) rs_filter_append(parent, node);
    return st;
}

static rs_status read_members(reading *in, rs_filter_node *parent) {
    rs_json_token t;
    rs_status st = RS_OK;
    while (st == RS_OK && (t = rs_json_read(in->r)) == RS_JSON_KEY) st = read_member(in, parent);
    return st == RS_OK && t == RS_JSON_ERROR ? RS_ERR_INVALID : st;
}

static rs_status read_object(reading *in, rs_filter_node *parent) {
    rs_filter_node *all = rs_filter_make(&in->build, RS_FILTER_AND, NULL);
    rs_status st = all ? read_members(in, all) : no_memory(in);
    if (st == RS_OK && !all->child) st = fail(in, "a condition is missing in this object%.*s", (rs_str){0});
    if (st != RS_OK) return st;
    bool alone = !all->child->next; /* one condition needs no AND around it */
    rs_filter_append(parent, alone ? all->child : all);
    return RS_OK;
}

rs_status rs_filter_add_json(rs_filter *f, rs_json_reader *r, rs_arena *arena, rs_str *at_fault,
                             rs_err *err) {
    reading in = {.build = rs_filter_build(f, arena), .r = r, .at_fault = at_fault, .err = err};
    rs_filter_node *all = rs_filter_make(&in.build, RS_FILTER_AND, NULL);
    if (!all) return no_memory(&in);
    if (rs_json_read(r) != RS_JSON_OBJECT) return fail(&in, "'filters' is an object%.*s", (rs_str){0});
    rs_status st = read_members(&in, all);
    if (st != RS_OK || !all->child) return st;
    for (rs_filter_node *node = all->child, *next; node && st == RS_OK; node = next) {
        next = node->next;
        node->next = NULL;
        st = rs_filter_require(&in.build, node, err);
    }
    return st;
}
