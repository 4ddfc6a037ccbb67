#include "normalize/message_writer.h"

void rs_message_writer_init(rs_message_writer *w, const rs_content_style *style, rs_arena *arena) {
    *w = (rs_message_writer){.style = style, .arena = arena, .plain = true};
    rs_buf_init(&w->buf);
    w->json = rs_json_on(&w->buf);
    rs_json_array(&w->json);
}

bool rs_message_is_structure(rs_str s) {
    size_t i = 0;
    while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\n' || s.p[i] == '\t' || s.p[i] == '\r')) i++;
    return i < s.n && (s.p[i] == '{' || s.p[i] == '[') && rs_json_is_valid(s);
}

void rs_message_begin(rs_message_writer *w, const rs_value *role) {
    bool given = role && role->type == RS_VALUE_STRING && role->s.n;
    rs_str name = given ? role->s : w->style->role;
    w->any_role |= given;
    w->from_user = rs_str_eq(name, RS_STR("user")) || rs_str_eq(name, RS_STR("human"));
    rs_json_object(&w->json);
    rs_json_put_str(&w->json, "role", name);
}

void rs_message_text(rs_message_writer *w, rs_str text) {
    if (!w->style->gist_only) rs_json_put_str(&w->json, "content", text);
    if (w->n == 0) w->first = text;
    rs_message_gist(w, text);
}

void rs_message_gist(rs_message_writer *w, rs_str text) {
    if (text.n && (w->style->last || !w->gist.n)) w->gist = text;
    if (text.n && w->from_user) w->asked = text;
}

/* A list of pieces ([{"type":"text",…}]) comes as a JSON text from SDKs that send only strings. */
static bool is_pieces(rs_str s) {
    return rs_str_starts(s, RS_STR("[{")) && memmem(s.p, s.n, "\"type\"", 6) && rs_json_is_valid(s);
}

bool rs_message_is_media(rs_str type) {
    static const rs_str words[] = {RS_STR("image"), RS_STR("audio"), RS_STR("video"), RS_STR("file"),
                                   RS_STR("document")};
    if (!type.n) return false;
    if (rs_str_eq(type, RS_STR("blob")) || rs_str_eq(type, RS_STR("uri"))) return true;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (memmem(type.p, type.n, words[i].p, words[i].n)) return true;
    return false;
}

rs_str rs_message_first_text(rs_str pieces, rs_arena *arena) {
    rs_json_reader r;
    rs_str found = {0};
    rs_json_read_init(&r, pieces, arena);
    for (rs_json_token token; (token = rs_json_read(&r)) != RS_JSON_END && token != RS_JSON_ERROR;) {
        if (token != RS_JSON_KEY) continue;
        bool is_text = rs_str_eq(r.text, RS_STR("text")), is_type = rs_str_eq(r.text, RS_STR("type"));
        if (!(is_text || is_type) || rs_json_read(&r) != RS_JSON_STRING) continue;
        if (is_text) return r.text;
        if (rs_message_is_media(r.text)) found = RS_MEDIA_GIST;
    }
    return found;
}

void rs_message_content(rs_message_writer *w, const rs_value *value) {
    if (value->type == RS_VALUE_STRING && !is_pieces(value->s)) {
        rs_message_text(w, value->s);
        return;
    }
    rs_json_key(&w->json, RS_STR("content"));
    if (value->type == RS_VALUE_STRING)
        rs_json_raw(&w->json, value->s), rs_message_gist(w, rs_message_first_text(value->s, w->arena));
    else rs_value_write_json(&w->json, value);
    w->plain = false;
}

void rs_message_end(rs_message_writer *w) {
    rs_json_object_end(&w->json);
    w->n++;
}

/* ---- replies that only call tools ---------------------------------------------------------------------- */

/* A member as a reader sees it: of a string its text, else its JSON. Empty if there is none. */
static rs_str member(rs_str object, rs_str key, rs_arena *arena) {
    rs_json_reader r;
    rs_str raw = {0};
    rs_json_read_init(&r, object, arena);
    if (!rs_json_find_key(&r, key) || !rs_json_read_skip(&r, &raw) || raw.p[0] != '"') return raw;
    rs_json_read_init(&r, raw, arena);
    return rs_json_read(&r) == RS_JSON_STRING ? r.text : raw;
}

/* {"name", "arguments"}, OpenAI's {"function": {"name", "arguments"}} or {"toolName", "input"}, as name(arguments). */
static void put_call(rs_buf *out, rs_str call, rs_arena *arena) {
    rs_str function = member(call, RS_STR("function"), arena);
    if (function.n) call = function;
    rs_str name = member(call, RS_STR("name"), arena), arguments = member(call, RS_STR("arguments"), arena);
    if (!name.n) name = member(call, RS_STR("toolName"), arena);
    if (!name.n) return;
    if (!arguments.n) arguments = member(call, RS_STR("input"), arena);
    if (!arguments.n) arguments = member(call, RS_STR("args"), arena);
    if (out->n) rs_buf_text(out, ", ");
    rs_buf_str(out, name);
    rs_buf_byte(out, '(');
    rs_buf_str(out, arguments);
    rs_buf_byte(out, ')');
}

/* What a preview says of messages without any text: the tools that they call, each with its arguments. */
static rs_str gist_of_calls(rs_str messages, rs_arena *arena) {
    rs_json_reader all;
    rs_str message, call, gist = {0};
    rs_buf buf;
    rs_buf_init(&buf);
    rs_json_read_init(&all, messages, arena);
    rs_json_read(&all);
    while (buf.n < RS_PREVIEW_MAX && rs_json_read_element(&all, &message)) {
        rs_json_reader calls;
        rs_json_read_init(&calls, message, arena);
        if (!rs_json_find_key(&calls, RS_STR("tool_calls")) || rs_json_read(&calls) != RS_JSON_ARRAY)
            continue;
        while (buf.n < RS_PREVIEW_MAX && rs_json_read_element(&calls, &call)) put_call(&buf, call, arena);
    }
    if (rs_buf_status(&buf) == RS_OK) gist = rs_arena_copy(arena, rs_buf_slice(&buf));
    rs_buf_deinit(&buf);
    return gist;
}

rs_status rs_message_writer_finish(rs_message_writer *w, rs_content *out) {
    rs_json_array_end(&w->json);
    rs_status st = rs_buf_status(&w->buf);
    *out = (rs_content){.gist = w->style->last && w->asked.n ? w->asked : w->gist};
    if (st == RS_OK && w->n == 1 && w->plain && (w->style->completion || !w->any_role)) {
        out->text = w->first;
    } else if (st == RS_OK && w->n && !w->style->gist_only) {
        out->text = rs_arena_copy(w->arena, rs_buf_slice(&w->buf));
        out->is_json = true;
        if (!out->text.p) st = RS_ERR_MEMORY;
        if (st == RS_OK && !out->gist.n) out->gist = gist_of_calls(out->text, w->arena);
        if (!out->gist.n) out->gist = out->text;
    }
    rs_buf_deinit(&w->buf);
    return st;
}
