#include "normalize/gather.h"
#include "base/json_read.h"
#include "otlp/decode.h"

void rs_gather_init(rs_gather *g, rs_arena *arena) {
    memset(g->best, 0, sizeof g->best);
    g->arena = arena;
    g->log_type = RS_LOG_UNKNOWN;
    g->log_rank = UINT8_MAX;
    g->input = (rs_parts){.items = g->room[0], .cap = RS_ARRAY_LEN(g->room[0])};
    g->output = (rs_parts){.items = g->room[1], .cap = RS_ARRAY_LEN(g->room[1])};
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
    if (field <= RS_FIELD_PROVIDER) return v->type == RS_VALUE_STRING ? v->s.n > 0 : v->type == RS_VALUE_INT;
    if (field <= RS_FIELD_TOKENS_PER_SECOND) return is_number(v);
    if (field == RS_FIELD_INTERRUPTED) return v->type == RS_VALUE_BOOL || v->type == RS_VALUE_STRING;
    return v->type != RS_VALUE_EMPTY && (v->type != RS_VALUE_STRING || v->s.n > 0);
}

static void take_slot(rs_gather *g, rs_field field, unsigned rank, const rs_value *v) {
    if ((g->best[field] && rank > g->rank[field]) || !fits(field, v)) return;
    g->best[field] = v;
    g->rank[field] = (uint8_t)rank;
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

static rs_value value_of_json(rs_json_reader *r, rs_str raw) {
    rs_json_reader in;
    rs_json_read_init(&in, raw, r->arena);
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
        rs_value value = value_of_json(&r, raw);
        if (value.type != RS_VALUE_EMPTY) st = take_item(list, arena, rank, key, &value);
    }
    return st;
}

/* ---- the pass ------------------------------------------------------------------------------------------ */

static rs_status take(rs_gather *g, const rs_dialect *d, const rs_row *row, unsigned rank, rs_str rest,
                      const rs_attr *a) {
    switch (row->field) {
    case RS_FIELD_LOG_TYPE:
        take_log_type(g, d, rank, &a->value);
        return RS_OK;
    case RS_FIELD_INPUT_PART:
        return rs_parts_add(&g->input, rank, rest, &a->value, g->arena);
    case RS_FIELD_OUTPUT_PART:
        return rs_parts_add(&g->output, rank, rest, &a->value, g->arena);
    case RS_FIELD_PARAMETER:
        return take_item(&g->parameters, g->arena, rank, rest.n ? rest : row->plain, &a->value);
    case RS_FIELD_PARAMETERS_JSON:
        return take_object(&g->parameters, g->arena, rank, &a->value);
    case RS_FIELD_METADATA_JSON:
        return take_object(&g->metadata, g->arena, rank, &a->value);
    case RS_FIELD_METADATA: /* a leading underscore is an SDK talking to its own back end */
        return rest.p[0] == '_' ? RS_OK : take_item(&g->metadata, g->arena, rank, rest, &a->value);
    case RS_FIELD_MODEL_FACT:
        return take_item(&g->model_facts, g->arena, rank, rest, &a->value);
    case RS_FIELD_KEPT:
        return RS_OK;
    default:
        take_slot(g, row->field, rank, &a->value);
        return RS_OK;
    }
}

rs_status rs_gather_attrs(rs_gather *g, const rs_attrs *attrs, unsigned rank) {
    rs_status st = RS_OK;
    for (uint32_t i = 0; st == RS_OK && i < attrs->n; i++) {
        const rs_attr *a = &attrs->items[i];
        for (unsigned d = 0; d < RS_DIALECTS; d++) {
            rs_str rest;
            const rs_row *row = rs_dialect_find(rs_dialects[d], a->key, &rest);
            if (!row) continue;
            st = take(g, rs_dialects[d], row, rank + d * RS_RANKS + row->rank, rest, a);
            break;
        }
    }
    return st;
}

/* ---- events -------------------------------------------------------------------------------------------- */

static const struct event_row {
    rs_str name;
    bool output;
    rs_value role;
} event_rows[] = {
    {RS_STR("gen_ai.system.message"), false, {.type = RS_VALUE_STRING, .s = RS_STR("system")}},
    {RS_STR("gen_ai.developer.message"), false, {.type = RS_VALUE_STRING, .s = RS_STR("developer")}},
    {RS_STR("gen_ai.user.message"), false, {.type = RS_VALUE_STRING, .s = RS_STR("user")}},
    {RS_STR("gen_ai.assistant.message"), false, {.type = RS_VALUE_STRING, .s = RS_STR("assistant")}},
    {RS_STR("gen_ai.tool.message"), false, {.type = RS_VALUE_STRING, .s = RS_STR("tool")}},
    {RS_STR("gen_ai.choice"), true, {.type = RS_VALUE_STRING, .s = RS_STR("assistant")}},
};

static rs_status put_part(rs_gather *g, rs_parts *to, uint32_t message, rs_str key, const rs_value *value) {
    rs_part part = {.message = message, .kind = RS_PART_OTHER, .name = key, .value = value};
    if (rs_str_eq(key, RS_STR("role"))) part.kind = RS_PART_ROLE;
    if (rs_str_eq(key, RS_STR("content")) || rs_str_eq(key, RS_STR("gen_ai.event.content")))
        part.kind = RS_PART_CONTENT;
    bool said_otherwise = memchr(key.p, '.', key.n) || rs_str_eq(key, RS_STR("index"));
    if (part.kind == RS_PART_OTHER && said_otherwise) return RS_OK;
    return rs_parts_put(to, RS_RANK_EVENT, &part, g->arena);
}

/* The same as a structure: how log records have it. */
static rs_status put_map(rs_gather *g, rs_parts *to, uint32_t message, const rs_value *map) {
    rs_status st = RS_OK;
    size_t at = 0;
    rs_str key;
    rs_value value;
    while (st == RS_OK && rs_value_next(map, &at, &key, &value)) {
        rs_value *kept = rs_arena_alloc(g->arena, sizeof *kept);
        if (!kept) return RS_ERR_MEMORY;
        *kept = value;
        if (value.type != RS_VALUE_EMPTY) st = put_part(g, to, message, key, kept);
    }
    return st;
}

/* The body of an event as one JSON object: its keys are the message's. False if v is no such object. */
static bool put_object(rs_gather *g, rs_parts *to, uint32_t message, const rs_value *v, rs_status *st) {
    if (v->type == RS_VALUE_KVLIST) return *st = put_map(g, to, message, v), true;
    if (v->type != RS_VALUE_STRING || !rs_str_starts(v->s, RS_STR("{")) || !rs_json_is_valid(v->s))
        return false;
    rs_json_reader r;
    rs_json_read_init(&r, v->s, g->arena);
    if (rs_json_read(&r) != RS_JSON_OBJECT) return false;
    while (*st == RS_OK && rs_json_read(&r) == RS_JSON_KEY) {
        rs_str key = r.text, raw;
        rs_value *value = rs_arena_alloc(g->arena, sizeof *value);
        if (!value || !rs_json_read_skip(&r, &raw)) {
            *st = RS_ERR_MEMORY;
        } else if (rs_str_eq(key, RS_STR("message"))) {
            *value = (rs_value){.type = RS_VALUE_STRING, .s = raw};
            put_object(g, to, message, value, st);
        } else {
            *value = value_of_json(&r, raw);
            if (value->type != RS_VALUE_EMPTY) *st = put_part(g, to, message, key, value);
        }
    }
    return true;
}

rs_status rs_gather_event(rs_gather *g, const rs_event *event, uint32_t number) {
    if (!rs_str_starts(event->name, RS_STR("gen_ai."))) return RS_OK;
    rs_status st = rs_gather_attrs(g, &event->attrs, RS_RANK_EVENT);
    const struct event_row *row = NULL;
    for (size_t i = 0; !row && i < RS_ARRAY_LEN(event_rows); i++)
        if (rs_str_eq(event->name, event_rows[i].name)) row = &event_rows[i];
    if (!row || st != RS_OK) return st;
    rs_parts *to = row->output ? &g->output : &g->input;
    st = put_part(g, to, number, RS_STR("role"), &row->role);
    for (uint32_t i = 0; st == RS_OK && i < event->attrs.n; i++) {
        const rs_attr *a = &event->attrs.items[i];
        bool body = rs_str_eq(a->key, RS_STR("message")) || rs_str_eq(a->key, RS_STR("body")) ||
                    rs_str_eq(a->key, RS_STR("gen_ai.event.content"));
        if (body && put_object(g, to, number, &a->value, &st)) continue;
        if (st == RS_OK) st = put_part(g, to, number, body ? RS_STR("content") : a->key, &a->value);
    }
    return st;
}
