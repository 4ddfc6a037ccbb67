/* Messages that came as GenAI's events: gen_ai.user.message, gen_ai.choice, … */
#include "base/json_read.h"
#include "normalize/gather.h"
#include "otlp/decode.h"

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
static rs_status put_map(rs_gather *g, rs_parts *to, uint32_t message, const rs_value *map, bool inner) {
    rs_status st = RS_OK;
    size_t at = 0;
    rs_str key;
    rs_value value;
    while (st == RS_OK && rs_value_next(map, &at, &key, &value)) {
        rs_value *kept = rs_arena_alloc(g->arena, sizeof *kept);
        if (!kept) return RS_ERR_MEMORY;
        *kept = value;
        bool nested = !inner && value.type == RS_VALUE_KVLIST && rs_str_eq(key, RS_STR("message"));
        if (nested) st = put_map(g, to, message, kept, true);
        else if (value.type != RS_VALUE_EMPTY) st = put_part(g, to, message, key, kept);
    }
    return st;
}

/* The body of an event as one JSON object: its keys are the message's, and those of a "message" in it. False if v is no such object. */
static bool put_object(rs_gather *g, rs_parts *to, uint32_t message, const rs_value *v, bool inner,
                       rs_status *st) {
    if (v->type == RS_VALUE_KVLIST) return *st = put_map(g, to, message, v, inner), true;
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
        } else if (!inner && rs_str_eq(key, RS_STR("message"))) {
            *value = (rs_value){.type = RS_VALUE_STRING, .s = raw};
            put_object(g, to, message, value, true, st);
        } else {
            *value = rs_value_of_json(raw, g->arena);
            if (value->type != RS_VALUE_EMPTY) *st = put_part(g, to, message, key, value);
        }
    }
    return true;
}

static const struct event_row *find_row(rs_str name) {
    for (size_t i = 0; i < RS_ARRAY_LEN(event_rows); i++)
        if (rs_str_eq(name, event_rows[i].name)) return &event_rows[i];
    return NULL;
}

rs_status rs_gather_event(rs_gather *g, const rs_event *event, uint32_t number) {
    if (!rs_str_starts(event->name, RS_STR("gen_ai."))) return RS_OK;
    rs_status st = rs_gather_attrs(g, &event->attrs, RS_RANK_EVENT);
    const struct event_row *row = find_row(event->name);
    if (!row || st != RS_OK) return st;
    rs_parts *to = row->output ? &g->output : &g->input;
    st = put_part(g, to, number, RS_STR("role"), &row->role);
    for (uint32_t i = 0; st == RS_OK && i < event->attrs.n; i++) {
        const rs_attr *a = &event->attrs.items[i];
        bool body = rs_str_eq(a->key, RS_STR("message")) || rs_str_eq(a->key, RS_STR("body")) ||
                    rs_str_eq(a->key, RS_STR("gen_ai.event.content"));
        if (body && put_object(g, to, number, &a->value, false, &st)) continue;
        if (st == RS_OK) st = put_part(g, to, number, body ? RS_STR("content") : a->key, &a->value);
    }
    return st;
}

/* ---- events in one attribute: [{"event.name": "gen_ai.user.message", "content": …}, …] ------------------ */

static const struct event_row *row_of_object(rs_str json, rs_arena *arena) {
    rs_json_reader r;
    rs_json_read_init(&r, json, arena);
    bool named = rs_json_find_key(&r, RS_STR("event.name")) && rs_json_read(&r) == RS_JSON_STRING;
    return named ? find_row(r.text) : NULL;
}

rs_status rs_gather_message_events(rs_gather *g, const rs_value *v) {
    rs_json_reader r;
    rs_status st = RS_OK;
    if (v->type != RS_VALUE_STRING) return RS_OK;
    rs_json_read_init(&r, v->s, g->arena);
    if (rs_json_read(&r) != RS_JSON_ARRAY) return RS_OK;
    rs_value one = {.type = RS_VALUE_STRING};
    for (uint32_t number = 0; st == RS_OK && rs_json_read_element(&r, &one.s); number++) {
        const struct event_row *row = row_of_object(one.s, g->arena);
        if (!row) continue;
        rs_parts *to = row->output ? &g->output : &g->input;
        st = put_part(g, to, number, RS_STR("role"), &row->role);
        if (st == RS_OK) put_object(g, to, number, &one, false, &st);
    }
    return st;
}
