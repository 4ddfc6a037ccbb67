/* Requests and responses of a model's API that a dialect keeps whole: {"model", "messages", "tools", "temperature", …} and {"choices",
 * "usage", …}. Of spans that are no model call they are what a function took and returned. */
#include "base/json_read.h"
#include "normalize/gather.h"

static rs_value text_value(rs_str s) { return (rs_value){.type = RS_VALUE_STRING, .s = s}; }

static bool is_any(rs_str key, const rs_str *names, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (rs_str_eq(key, names[i])) return true;
    return false;
}
#define IS_ANY(key, names) is_any(key, names, RS_ARRAY_LEN(names))

static const rs_str messages_keys[] = {RS_STR("messages"), RS_STR("input"), RS_STR("prompt"),
                                       RS_STR("contents")};
static const rs_str system_keys[] = {RS_STR("system"), RS_STR("instructions"), RS_STR("system_instruction")};

/* The next member of an object: false at its end. */
static bool next_member(rs_json_reader *r, rs_str *key, rs_str *raw) {
    if (rs_json_read(r) != RS_JSON_KEY) return false;
    *key = r->text;
    return rs_json_read_skip(r, raw);
}

static rs_status take_request_member(rs_gather *g, unsigned rank, rs_str key, rs_str raw) {
    if (rs_str_eq(key, RS_STR("tools"))) return rs_gather_put_copy(g, RS_FIELD_TOOLS, rank, text_value(raw));
    rs_value v = rs_value_of_json(raw, g->arena);
    if (v.type == RS_VALUE_EMPTY) return RS_OK;
    if (IS_ANY(key, messages_keys)) return rs_gather_put_copy(g, RS_FIELD_INPUT_MESSAGES, rank, v);
    if (IS_ANY(key, system_keys)) return rs_gather_put_copy(g, RS_FIELD_SYSTEM_MESSAGE, rank, v);
    if (rs_str_eq(key, RS_STR("model")))
        return v.type == RS_VALUE_STRING ? rs_gather_put_copy(g, RS_FIELD_MODEL, rank, v) : RS_OK;
    return rs_gather_parameter(g, rank, key, &v);
}

static bool is_request(rs_str json, rs_arena *arena) {
    rs_json_reader r;
    rs_str key, raw;
    bool found = false;
    rs_json_read_init(&r, json, arena);
    if (rs_json_read(&r) != RS_JSON_OBJECT) return false;
    while (next_member(&r, &key, &raw)) {
        if (rs_str_eq(key, RS_STR("role"))) return false; /* one message */
        found |= IS_ANY(key, messages_keys) || rs_str_eq(key, RS_STR("model"));
    }
    return found;
}

static rs_status take_request(rs_gather *g) {
    const rs_value *v = g->best[RS_FIELD_REQUEST];
    unsigned rank = g->rank[RS_FIELD_REQUEST];
    rs_str key, raw, json;
    rs_status st = rs_content_text(v, g->arena, &json);
    if (st != RS_OK) return st;
    if (!rs_str_starts(json, RS_STR("{")) || !rs_json_is_valid(json) || !is_request(json, g->arena))
        return rs_gather_put(g, RS_FIELD_INPUT_MESSAGES, rank, v), RS_OK;
    rs_json_reader r;
    rs_json_read_init(&r, json, g->arena);
    rs_json_read(&r);
    while (st == RS_OK && next_member(&r, &key, &raw)) st = take_request_member(g, rank, key, raw);
    return st;
}

/* [{"message": {…}, "finish_reason": …}, …] as an array of the messages. */
static rs_status take_choices(rs_gather *g, unsigned rank, rs_str choices) {
    rs_json_reader all, one;
    rs_str key, raw, choice, text;
    rs_buf buf;
    rs_buf_init(&buf);
    rs_json_read_init(&all, choices, g->arena);
    bool some = rs_json_read(&all) == RS_JSON_ARRAY;
    while (some && rs_json_read_element(&all, &choice)) {
        rs_json_read_init(&one, choice, g->arena);
        if (rs_json_read(&one) != RS_JSON_OBJECT) continue;
        while (next_member(&one, &key, &raw))
            if (rs_str_eq(key, RS_STR("message")))
                rs_buf_byte(&buf, buf.n ? ',' : '['), rs_buf_str(&buf, raw);
    }
    if (buf.n) rs_buf_byte(&buf, ']');
    rs_status st = rs_buf_status(&buf);
    if (st == RS_OK && buf.n) {
        text = rs_arena_copy(g->arena, rs_buf_slice(&buf));
        st = text.p ? rs_gather_put_copy(g, RS_FIELD_OUTPUT_MESSAGES, rank, text_value(text)) : RS_ERR_MEMORY;
    }
    rs_buf_deinit(&buf);
    return st;
}

/* A member that says what was answered; *taken then. */
static rs_status take_response_member(rs_gather *g, unsigned rank, rs_str key, rs_str raw, bool *taken) {
    static const rs_str vectors[] = {RS_STR("data"), RS_STR("embeddings")};
    rs_value whole = text_value(raw);
    if (rs_str_eq(key, RS_STR("usage"))) return rs_gather_usage(g, rank, &whole);
    if (rs_str_eq(key, RS_STR("model")) && !g->best[RS_FIELD_MODEL])
        return rs_gather_put_copy(g, RS_FIELD_MODEL, rank, rs_value_of_json(raw, g->arena));
    if (rs_str_eq(key, RS_STR("choices"))) return *taken = true, take_choices(g, rank, raw);
    bool says = rs_str_eq(key, RS_STR("message")) || rs_str_eq(key, RS_STR("output"));
    if (says && (raw.p[0] == '{' || raw.p[0] == '['))
        return *taken = true, rs_gather_put_copy(g, RS_FIELD_OUTPUT_MESSAGES, rank, whole);
    if (g->log_type == RS_LOG_EMBEDDING && IS_ANY(key, vectors))
        *taken = true; /* numbers say nothing to a reader */
    return RS_OK;
}

static rs_status take_response(rs_gather *g) {
    const rs_value *v = g->best[RS_FIELD_RESPONSE];
    unsigned rank = g->rank[RS_FIELD_RESPONSE];
    rs_json_reader r;
    rs_str key, raw, json;
    bool taken = false;
    rs_status st = rs_content_text(v, g->arena, &json);
    if (st == RS_OK && rs_str_starts(json, RS_STR("{")) && rs_json_is_valid(json)) {
        rs_json_read_init(&r, json, g->arena);
        rs_json_read(&r);
        while (st == RS_OK && next_member(&r, &key, &raw))
            st = take_response_member(g, rank, key, raw, &taken);
    }
    if (st == RS_OK && !taken) rs_gather_put(g, RS_FIELD_OUTPUT_MESSAGES, rank, v);
    return st;
}

/* NULL for what says that there is nothing. */
static const rs_value *body_of(const rs_gather *g, rs_field field) {
    const rs_value *v = g->best[field];
    return v && v->type == RS_VALUE_STRING && rs_str_eq(v->s, RS_STR("null")) ? NULL : v;
}

rs_status rs_gather_bodies(rs_gather *g) {
    bool call = rs_log_type_is_model_call(g->log_type);
    const rs_value *request = body_of(g, RS_FIELD_REQUEST), *response = body_of(g, RS_FIELD_RESPONSE);
    rs_status st = RS_OK;
    if (request && !call) rs_gather_put(g, RS_FIELD_INPUT, g->rank[RS_FIELD_REQUEST], request);
    else if (request && !g->input.n && !g->best[RS_FIELD_INPUT_MESSAGES]) st = take_request(g);
    if (st != RS_OK) return st;
    if (response && !call) rs_gather_put(g, RS_FIELD_OUTPUT, g->rank[RS_FIELD_RESPONSE], response);
    else if (response && !g->output.n && !g->best[RS_FIELD_OUTPUT_MESSAGES]) st = take_response(g);
    return st;
}
