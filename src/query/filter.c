#include "query/filter.h"

#include "base/ids.h"
#include "query/filter_value.h"
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

bool rs_filter_op_from_name(rs_str name, rs_filter_op *out) {
    for (int op = 0; op < RS_OP_COUNT; op++)
        if (rs_str_eq(op_names[op], name)) return *out = (rs_filter_op)op, true;
    return false;
}

static rs_status no_memory(rs_err *err) { return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory"); }

/* ---- the tree ------------------------------------------------------------------------------------------ */

rs_filter_builder rs_filter_build(rs_filter *f, rs_arena *arena) {
    return (rs_filter_builder){.filter = f, .table = f->table, .arena = arena};
}

rs_status rs_filter_enter(rs_filter_builder *b, rs_err *err) {
    if (b->depth == RS_FILTER_MAX_DEPTH)
        return rs_fail(err, RS_ERR_INVALID, 0, "a filter is nested at most %d deep", RS_FILTER_MAX_DEPTH);
    b->depth++;
    return RS_OK;
}

rs_filter_node *rs_filter_make(const rs_filter_builder *b, rs_filter_kind kind, rs_filter_node *child) {
    rs_filter_node *node = rs_arena_zalloc(b->arena, 1, sizeof *node);
    if (node) node->kind = kind, node->child = child;
    return node;
}

void rs_filter_append(rs_filter_node *parent, rs_filter_node *child) {
    rs_filter_node **at = &parent->child;
    while (*at) at = &(*at)->next;
    *at = child;
}

rs_status rs_filter_require(const rs_filter_builder *b, rs_filter_node *node, rs_err *err) {
    rs_filter *f = b->filter;
    if (!f->root && !(f->root = rs_filter_make(b, RS_FILTER_AND, NULL))) return no_memory(err);
    rs_filter_append(f->root, node);
    return RS_OK;
}

static rs_status count_leaf(const rs_filter_builder *b, rs_err *err) {
    if (b->filter->leaves == RS_FILTER_MAX)
        return rs_fail(err, RS_ERR_INVALID, 0, "more than %d conditions", RS_FILTER_MAX);
    b->filter->leaves++;
    return RS_OK;
}

/* ---- conditions ---------------------------------------------------------------------------------------- */

static const rs_str metadata_prefixes[] = {RS_STR("metadata__"), RS_STR("metadata.")};
static const rs_str model_prefix = RS_STR("respan.model."), short_model_prefix = RS_STR("model.");

static bool is_below(rs_str name, rs_str prefix) { return name.n > prefix.n && rs_str_starts(name, prefix); }

/* The key that a name means, of metadata or (of_model) of a fact of the model. */
static bool loose_key(rs_str name, rs_str *key, bool *of_model) {
    *of_model = is_below(name, model_prefix) || is_below(name, short_model_prefix);
    *key = name;
    if (*of_model) return true;
    for (size_t i = 0; i < RS_ARRAY_LEN(metadata_prefixes); i++)
        if (is_below(name, metadata_prefixes[i])) {
            *key = rs_str_from(name, metadata_prefixes[i].n);
            return true;
        }
    return false;
}

bool rs_filter_knows(const rs_field_table *table, rs_str name) {
    rs_str key;
    bool of_model;
    return rs_field_find(table, name) || rs_str_eq(name, RS_STR("text")) || loose_key(name, &key, &of_model);
}

static rs_status resolve(const rs_field_table *table, rs_str name, rs_condition *c, rs_err *err) {
    c->field = rs_field_find(table, name);
    if (c->field && c->field->type == RS_FIELD_JSON)
        return rs_fail(err, RS_ERR_INVALID, 0, "field '%.*s' is filtered by its keys: %.*s__KEY",
                       RS_STR_ARG(name), RS_STR_ARG(name));
    if (c->field || loose_key(name, &c->key, &c->of_model)) return RS_OK;
    return rs_fail(err, RS_ERR_INVALID, 0, "a %s has no field '%.*s'", table->what,
                   RS_STR_ARG(rs_str_cut_utf8(name, 80)));
}

static rs_status check_op(const rs_condition *c, rs_str name, size_t nvalues, rs_err *err) {
    rs_str op = op_names[c->op], shown = rs_str_cut_utf8(name, 80);
    bool is_text = !c->field || c->field->type == RS_FIELD_TEXT,
         is_bool = c->field && c->field->type == RS_FIELD_BOOL;
    if ((rs_op_is_text(c->op) && !is_text) || (rs_op_is_order(c->op) && is_bool))
        return rs_fail(err, RS_ERR_INVALID, 0, "operator '%.*s' does not go with field '%.*s', which is %s",
                       RS_STR_ARG(op), RS_STR_ARG(shown), rs_field_type_phrase(c->field->type));
    if (nvalues > RS_FILTER_MAX_VALUES)
        return rs_fail(err, RS_ERR_INVALID, 0, "field '%.*s' has more than %d values", RS_STR_ARG(shown),
                       RS_FILTER_MAX_VALUES);
    bool many = c->op == RS_OP_IN || c->op == RS_OP_EQUAL || c->op == RS_OP_NOT;
    if (nvalues == 0 || (nvalues > 1 && !many))
        return rs_fail(err, RS_ERR_INVALID, 0, "operator '%.*s' of field '%.*s' takes %s value",
                       RS_STR_ARG(op), RS_STR_ARG(shown), many ? "at least one" : "one");
    return RS_OK;
}

/* What a condition's values are read and compared as. What has no type of its own is a number where it is put in order with one. */
static rs_field_type operand_type(const rs_condition *c, const rs_str *values) {
    double number;
    if (c->op == RS_OP_ISNULL) return RS_FIELD_BOOL;
    if (c->field) return c->field->type;
    return rs_op_is_order(c->op) && rs_str_to_double(values[0], &number) ? RS_FIELD_REAL : RS_FIELD_TEXT;
}

/* Its own copy; of a fact of the model under the attribute's whole name. */
static rs_str copy_key(const rs_condition *c, rs_arena *arena) {
    if (!c->of_model || rs_str_starts(c->key, model_prefix)) return rs_arena_copy(arena, c->key);
    rs_str fact = rs_str_from(c->key, short_model_prefix.n);
    char *name = rs_arena_alloc(arena, model_prefix.n + fact.n);
    if (!name) return (rs_str){0};
    memcpy(name, model_prefix.p, model_prefix.n);
    memcpy(name + model_prefix.n, fact.p, fact.n);
    return (rs_str){name, model_prefix.n + fact.n};
}

static rs_status read_values(rs_condition *c, rs_str name, const rs_str *values, size_t n, rs_arena *arena,
                             rs_err *err) {
    c->nvalues = n;
    c->values = rs_arena_zalloc(arena, n, sizeof *c->values);
    if (!c->field) c->key = copy_key(c, arena);
    if (!c->values || (!c->field && !c->key.p)) return no_memory(err);
    for (size_t i = 0; i < n; i++) {
        c->values[i].text = rs_arena_copy(arena, values[i]);
        if (!c->values[i].text.p) return no_memory(err);
        if (!rs_operand_parse(c->field, c->type, values[i], &c->values[i]))
            return rs_fail(err, RS_ERR_INVALID, 0, "'%.*s' of field '%.*s' is not %s",
                           RS_STR_ARG(rs_str_cut_utf8(values[i], 60)), RS_STR_ARG(rs_str_cut_utf8(name, 60)),
                           rs_field_type_phrase(c->type));
    }
    return RS_OK;
}

/* What a trace, or a span, says. */
static rs_status text_condition(const rs_filter_builder *b, rs_filter_op op, const rs_str *values, size_t n,
                                rs_filter_node **out, rs_err *err) {
    bool goes = op == RS_OP_EQUAL || op == RS_OP_NOT || op == RS_OP_CONTAINS || op == RS_OP_ICONTAINS;
    if (!goes || n != 1)
        return rs_fail(err, RS_ERR_INVALID, 0,
                       "'text' is asked for one word or phrase, by equality or 'icontains'");
    rs_status st = rs_filter_word(b, values[0], true, out, err);
    if (st != RS_OK || op != RS_OP_NOT) return st;
    *out = rs_filter_make(b, RS_FILTER_NOT, *out);
    return *out ? RS_OK : no_memory(err);
}

rs_status rs_filter_condition(const rs_filter_builder *b, rs_str name, rs_filter_op op, const rs_str *values,
                              size_t n, rs_filter_node **out, rs_err *err) {
    rs_condition c = {.op = op};
    *out = NULL;
    if (rs_str_eq(name, RS_STR("text"))) return text_condition(b, op, values, n, out, err);
    rs_status st = resolve(b->table, name, &c, err);
    if (st == RS_OK) st = check_op(&c, name, n, err);
    if (st == RS_OK) st = count_leaf(b, err);
    if (st != RS_OK) return st;
    rs_str is_true = RS_STR("true");
    bool is_unknown = c.field && c.field->type != RS_FIELD_TEXT && n == 1 && values[0].n == 0;
    if (op == RS_OP_NOT || op == RS_OP_IN) c.op = RS_OP_EQUAL;
    if (is_unknown && c.op == RS_OP_EQUAL) c.op = RS_OP_ISNULL, values = &is_true;
    bool of_trace = c.of_model && b->table == &rs_trace_fields;
    for (size_t i = 0; of_trace && c.op == RS_OP_EQUAL && i < n; i++)
        if (values[i].n == 0)
            return rs_fail(err, RS_ERR_INVALID, 0,
                           "whether a trace has '%.*s' is asked by 'isnull', or %.*s:*",
                           RS_STR_ARG(rs_str_cut_utf8(name, 60)), RS_STR_ARG(rs_str_cut_utf8(name, 60)));
    c.type = operand_type(&c, values);
    if ((st = read_values(&c, name, values, n, b->arena, err)) != RS_OK) return st;
    rs_filter_node *node = rs_filter_make(b, RS_FILTER_CONDITION, NULL);
    bool has_none = of_trace && c.op == RS_OP_ISNULL && c.values[0].integer; /* no span has it */
    if (has_none) c.values[0].integer = 0;
    if (node) node->condition = c;
    if (node && (op == RS_OP_NOT || has_none)) node = rs_filter_make(b, RS_FILTER_NOT, node);
    *out = node;
    return node ? RS_OK : no_memory(err);
}

rs_status rs_filter_word(const rs_filter_builder *b, rs_str word, bool is_text, rs_filter_node **out,
                         rs_err *err) {
    *out = NULL;
    if (b->filter->words == RS_FILTER_MAX_WORDS)
        return rs_fail(err, RS_ERR_INVALID, 0, "more than %d words", RS_FILTER_MAX_WORDS);
    unsigned number = b->filter->words++;
    rs_status st = count_leaf(b, err);
    if (st != RS_OK) return st;
    rs_filter_node *node = rs_filter_make(b, RS_FILTER_WORD, NULL);
    if (node) node->word = rs_arena_copy(b->arena, word);
    if (!node || !node->word.p || rs_phrase_make(node->word, b->arena, &node->phrase) != RS_OK)
        return no_memory(err);
    if (is_text && node->phrase.nwords == 0)
        return rs_fail(err, RS_ERR_INVALID, 0, "there is no word in '%.*s' to look for",
                       RS_STR_ARG(rs_str_cut_utf8(word, 60)));
    node->is_text = is_text;
    node->is_trace = !is_text && rs_unhex(word, node->trace_id, sizeof node->trace_id);
    node->is_span = !is_text && rs_unhex(word, node->span_id, sizeof node->span_id);
    node->number = number;
    *out = node;
    return RS_OK;
}

rs_status rs_filter_add(rs_filter *f, rs_str name, rs_filter_op op, const rs_str *values, size_t n,
                        rs_arena *arena, rs_err *err) {
    rs_filter_builder b = rs_filter_build(f, arena);
    rs_filter_node *node;
    rs_status st = rs_filter_condition(&b, name, op, values, n, &node, err);
    return st == RS_OK ? rs_filter_require(&b, node, err) : st;
}

/* ---- without a field ----------------------------------------------------------------------------------- */

/* Every condition below it is of that field, and there is no word. */
static bool is_only_of(const rs_filter_node *node, const rs_field *field, rs_str key) {
    const rs_condition *c = &node->condition;
    if (node->kind == RS_FILTER_WORD || node->kind == RS_FILTER_SPAN) return false;
    if (node->kind == RS_FILTER_CONDITION)
        return c->field == field && (field || (!c->of_model && rs_str_eq(c->key, key)));
    for (const rs_filter_node *child = node->child; child; child = child->next)
        if (!is_only_of(child, field, key)) return false;
    return true;
}

/* A copy of an AND. NULL: nothing is left, or no memory. */
static rs_filter_node *copy_without(const rs_filter_builder *b, const rs_filter_node *all,
                                    const rs_field *field, rs_str key, bool *found, bool *failed) {
    rs_filter_node *copy = NULL;
    for (const rs_filter_node *c = all->child; c && !*failed; c = c->next) {
        bool is_of = is_only_of(c, field, key);
        *found = *found || is_of;
        if (is_of) continue;
        rs_filter_node *kept = c->kind == RS_FILTER_AND ? copy_without(b, c, field, key, found, failed)
                                                        : rs_filter_make(b, c->kind, NULL);
        if (kept && c->kind != RS_FILTER_AND) *kept = *c, kept->next = NULL;
        if (kept && !copy) copy = rs_filter_make(b, RS_FILTER_AND, NULL);
        *failed = *failed || !kept || !copy;
        if (!*failed) rs_filter_append(copy, kept);
    }
    return copy;
}

bool rs_filter_without(const rs_filter *f, const rs_field *field, rs_str key, rs_arena *arena, rs_filter *out,
                       bool *failed) {
    bool found = false;
    *out = *f;
    *failed = false;
    if (!f->root) return false;
    rs_filter_builder b = rs_filter_build(out, arena);
    out->root = copy_without(&b, f->root, field, key, &found, failed);
    return found && !*failed;
}
