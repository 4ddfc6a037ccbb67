#include "normalize/gather.h"
#include "base/json_read.h"

void rs_gather_init(rs_gather *g, rs_arena *arena) {
    memset(g->best, 0, sizeof g->best);
    g->arena = arena;
    g->log_type = RS_LOG_UNKNOWN;
    g->log_rank = UINT8_MAX;
    g->input = (rs_parts){.items = g->room[0], .cap = RS_ARRAY_LEN(g->room[0])};
    g->output = (rs_parts){.items = g->room[1], .cap = RS_ARRAY_LEN(g->room[1])};
    g->tools = (rs_parts){0};
    g->parameters.items = g->metadata.items = g->model_facts.items = NULL;
    g->parameters.n = g->metadata.n = g->model_facts.n = 0;
    g->parameters.cap = g->metadata.cap = g->model_facts.cap = 0;
}

/* ---- single values ------------------------------------------------------------------------------------- */

static bool is_number(const rs_value *v) {
    double d;
    return v->type == RS_VALUE_INT || v->type == RS_VALUE_DOUBLE ||
           (v->type == RS_VALUE_STRING && rs_str_to_double(v->s, &d));
}

static bool fits(rs_field field, const rs_value *v) {
    if (field <= RS_FIELD_FIRST_TOKEN_TIME)
        return v->type == RS_VALUE_STRING ? v->s.n > 0 : v->type == RS_VALUE_INT;
    if (field <= RS_FIELD_TOKENS_PER_SECOND) return is_number(v);
    if (field == RS_FIELD_INTERRUPTED || field == RS_FIELD_NESTED)
        return v->type == RS_VALUE_BOOL || v->type == RS_VALUE_STRING;
    return v->type != RS_VALUE_EMPTY && (v->type != RS_VALUE_STRING || v->s.n > 0);
}

void rs_gather_put(rs_gather *g, rs_field field, unsigned rank, const rs_value *v) {
    if ((g->best[field] && rank > g->rank[field]) || !fits(field, v)) return;
    g->best[field] = v;
    g->rank[field] = (uint8_t)rank;
}

rs_status rs_gather_put_copy(rs_gather *g, rs_field field, unsigned rank, rs_value v) {
    rs_value *copy = rs_arena_alloc(g->arena, sizeof *copy);
    if (!copy) return RS_ERR_MEMORY;
    *copy = v;
    rs_gather_put(g, field, rank, copy);
    return RS_OK;
}

static void take_log_type(rs_gather *g, const rs_dialect *d, unsigned rank, const rs_value *v) {
    if (v->type != RS_VALUE_STRING || rank > g->log_rank) return;
    rs_log_type type = rs_log_type_from_name(v->s);
    for (size_t i = 0; type == RS_LOG_UNKNOWN && i < d->nlog_types; i++)
        if (rs_str_eq_nocase(v->s, d->log_types[i].name)) type = d->log_types[i].type;
    for (int t = 1; type == RS_LOG_UNKNOWN && t < RS_LOG_TYPE_COUNT; t++)
        if (rs_str_eq_nocase(v->s, rs_log_type_name((rs_log_type)t))) type = (rs_log_type)t;
    if (type == RS_LOG_UNKNOWN) return;
    g->log_type = type;
    g->log_rank = (uint8_t)rank;
}

/* ---- lists --------------------------------------------------------------------------------------------- */

static rs_status take_item(rs_gathered_list *list, rs_arena *arena, unsigned rank, rs_str key,
                           const rs_value *v) {
    if (key.n == 0) return RS_OK;
    size_t i = 0;
    while (i < list->n && !rs_str_eq(list->items[i].key, key)) i++;
    if (i == RS_GATHER_MAX || (i < list->n && rank > list->rank[i])) return RS_OK;
    if (!rs_arena_grow(arena, (void **)&list->items, list->n, &list->cap, sizeof *list->items))
        return RS_ERR_MEMORY;
    list->items[i] = (rs_attr){key, *v};
    list->rank[i] = (uint8_t)rank;
    if (i == list->n) list->n++;
    return RS_OK;
}

rs_status rs_gather_parameter(rs_gather *g, unsigned rank, rs_str name, const rs_value *v) {
    return take_item(&g->parameters, g->arena, rank, name, v);
}

rs_value rs_value_of_json(rs_str raw, rs_arena *arena) {
    rs_json_reader in;
    rs_json_read_init(&in, raw, arena);
    long long i;
    double d;
    switch (rs_json_read(&in)) {
    case RS_JSON_STRING:
        return (rs_value){.type = RS_VALUE_STRING, .s = in.text};
    case RS_JSON_TRUE:
        return (rs_value){.type = RS_VALUE_BOOL, .b = true};
    case RS_JSON_FALSE:
        return (rs_value){.type = RS_VALUE_BOOL, .b = false};
    case RS_JSON_NULL:
        return (rs_value){.type = RS_VALUE_EMPTY};
    case RS_JSON_NUMBER:
        if (rs_str_to_i64(in.text, &i)) return (rs_value){.type = RS_VALUE_INT, .i = i};
        if (rs_str_to_double(in.text, &d)) return (rs_value){.type = RS_VALUE_DOUBLE, .d = d};
        break;
    default:
        break;
    }
    return (rs_value){.type = RS_VALUE_STRING, .s = raw};
}

/* {"key": value, …}: each key an item; a value that is itself a structure is kept as its JSON text. */
static rs_status take_object(rs_gathered_list *list, rs_arena *arena, unsigned rank, const rs_value *v) {
    if (v->type != RS_VALUE_STRING || !rs_json_is_valid(v->s)) return RS_OK;
    rs_json_reader r;
    rs_json_read_init(&r, v->s, arena);
    if (rs_json_read(&r) != RS_JSON_OBJECT) return RS_OK;
    rs_status st = RS_OK;
    while (st == RS_OK && rs_json_read(&r) == RS_JSON_KEY) {
        rs_str key = r.text, raw;
        if (!rs_json_read_skip(&r, &raw)) break;
        rs_value value = rs_value_of_json(raw, arena);
        if (value.type != RS_VALUE_EMPTY) st = take_item(list, arena, rank, key, &value);
    }
    return st;
}

/* Among the parameters of a call that failed may be all that names its model. */
static rs_status take_parameters(rs_gather *g, unsigned rank, const rs_value *v) {
    rs_status st = take_object(&g->parameters, g->arena, rank, v);
    for (size_t i = 0; st == RS_OK && i < g->parameters.n; i++)
        if (rs_str_eq(g->parameters.items[i].key, RS_STR("model")))
            st = rs_gather_put_copy(g, RS_FIELD_MODEL, RS_RANK_LAST, g->parameters.items[i].value);
    return st;
}

rs_status rs_gather_listed(rs_gather *g, const rs_attrs *attrs) {
    enum { LISTED_MAX = 64 }; /* each is looked for among all attributes */
    const rs_value *v = g->best[RS_FIELD_SCHEMA];
    rs_json_reader r;
    rs_str key;
    rs_status st = RS_OK;
    rs_found found;
    if (!v || v->type != RS_VALUE_STRING || !rs_json_is_valid(v->s)) return RS_OK;
    rs_json_read_init(&r, v->s, g->arena);
    if (!rs_json_find_key(&r, RS_STR("properties")) || rs_json_read(&r) != RS_JSON_OBJECT) return RS_OK;
    for (int n = 0; st == RS_OK && n < LISTED_MAX && rs_json_read(&r) == RS_JSON_KEY; n++) {
        key = r.text;
        const rs_attr *a = rs_dialect_find(key, &found) ? NULL : rs_attrs_find(attrs, key);
        if (a) st = take_item(&g->metadata, g->arena, RS_RANK_LAST, key, &a->value);
        if (!rs_json_read_skip(&r, NULL)) break;
    }
    return st;
}

/* ---- the pass ------------------------------------------------------------------------------------------ */

static rs_status take_metadata(rs_gather *g, unsigned rank, rs_str key, rs_value v, bool quoted) {
    if (key.p[0] == '_') return RS_OK; /* an SDK talking to its own back end */
    if (quoted && v.type == RS_VALUE_STRING) v = rs_value_of_json(v.s, g->arena);
    return v.type == RS_VALUE_EMPTY ? RS_OK : take_item(&g->metadata, g->arena, rank, key, &v);
}

static bool is_0(const rs_value *v) {
    double d = 1;
    if (v->type == RS_VALUE_STRING) (void)!rs_str_to_double(v->s, &d);
    return v->type == RS_VALUE_INT ? v->i == 0 : v->type == RS_VALUE_DOUBLE ? v->d == 0 : d == 0;
}

/* A string of a dialect whose strings are JSON texts, as its text. */
static const rs_value *unquoted(rs_gather *g, const rs_found *found, const rs_value *v) {
    bool quoted =
        rs_dialects[found->dialect]->json_values && v->type == RS_VALUE_STRING && v->s.n && v->s.p[0] == '"';
    rs_value *plain = quoted ? rs_arena_alloc(g->arena, sizeof *plain) : NULL;
    if (plain) *plain = rs_value_of_json(v->s, g->arena);
    return quoted ? plain : v;
}

static rs_status take(rs_gather *g, const rs_found *found, unsigned rank, const rs_value *v) {
    const rs_row *row = found->row;
    rs_str rest = found->rest.n ? found->rest : row->plain;
    v = unquoted(g, found, v);
    if (!v) return RS_ERR_MEMORY;
    switch (row->field) {
    case RS_FIELD_LOG_TYPE:
        take_log_type(g, rs_dialects[found->dialect], rank, v);
        return RS_OK;
    case RS_FIELD_INPUT_PART:
        return rs_parts_add(&g->input, rank, rest, v, g->arena);
    case RS_FIELD_OUTPUT_PART:
        return rs_parts_add(&g->output, rank, rest, v, g->arena);
    case RS_FIELD_TOOL_PART:
        return rs_parts_add_tool(&g->tools, rank, rest, v, g->arena);
    case RS_FIELD_PARAMETER:
        return take_item(&g->parameters, g->arena, rank, rest, v);
    case RS_FIELD_PARAMETERS_JSON:
        return take_parameters(g, rank, v);
    case RS_FIELD_METADATA_JSON:
        return take_object(&g->metadata, g->arena, rank, v);
    case RS_FIELD_METADATA:
    case RS_FIELD_METADATA_QUOTED:
        return take_metadata(g, rank, rest, *v, row->field == RS_FIELD_METADATA_QUOTED);
    case RS_FIELD_MODEL_FACT:
        return take_item(&g->model_facts, g->arena, rank, rest, v);
    case RS_FIELD_MESSAGE_EVENTS:
        return rs_gather_message_events(g, v);
    case RS_FIELD_COST_BUT_0:
        if (!is_0(v)) rs_gather_put(g, RS_FIELD_COST, rank, v);
        return RS_OK;
    case RS_FIELD_USAGE_JSON:
        return rs_gather_usage(g, rank, v);
    case RS_FIELD_COST_JSON:
        return rs_gather_cost(g, rank, v);
    case RS_FIELD_KEPT:
        return RS_OK;
    default:
        rs_gather_put(g, row->field, rank, v);
        return RS_OK;
    }
}

rs_status rs_gather_attrs(rs_gather *g, const rs_attrs *attrs, unsigned rank) {
    rs_status st = RS_OK;
    for (uint32_t i = 0; st == RS_OK && i < attrs->n; i++) {
        rs_found found;
        if (rs_dialect_find(attrs->items[i].key, &found))
            st = take(g, &found, rank + found.dialect * RS_RANKS + found.row->rank, &attrs->items[i].value);
    }
    return st;
}
