/* What a model was offered to call, as one JSON array of definitions. */
#include "base/json_read.h"
#include "normalize/message_writer.h"

static rs_status finish(rs_buf *buf, size_t n, rs_arena *arena, rs_str *out) {
    rs_status st = rs_buf_status(buf);
    if (st == RS_OK && n && !(*out = rs_arena_copy(arena, rs_buf_slice(buf))).p) st = RS_ERR_MEMORY;
    rs_buf_deinit(buf);
    return st;
}

/* A definition that came as a text is opened. */
static void put_tool(rs_json *j, rs_str raw, rs_arena *arena) {
    rs_json_reader r;
    rs_json_read_init(&r, raw, arena);
    bool text = rs_json_read(&r) == RS_JSON_STRING;
    rs_json_raw(j, text && rs_message_is_structure(r.text) ? r.text : raw);
}

rs_status rs_tools_from_value(const rs_value *v, rs_arena *arena, rs_str *out) {
    rs_str json, raw;
    rs_status st = rs_content_text(v, arena, &json);
    if (st != RS_OK || !rs_message_is_structure(json)) return st;
    rs_buf buf;
    rs_buf_init(&buf);
    rs_json j = rs_json_on(&buf);
    rs_json_reader r;
    rs_json_read_init(&r, json, arena);
    size_t n = 0;
    rs_json_array(&j);
    if (rs_json_read(&r) != RS_JSON_ARRAY) {
        rs_json_raw(&j, json);
        n = 1;
    } else {
        for (; rs_json_read_element(&r, &raw); n++) put_tool(&j, raw, arena);
    }
    rs_json_array_end(&j);
    return finish(&buf, n, arena, out);
}

/* A part that is the whole definition, or NULL. */
static const rs_part *whole(const rs_part *from, const rs_part *to) {
    for (const rs_part *p = from; p < to; p++)
        if (rs_str_eq(p->name, RS_STR("json_schema")) && p->value->type == RS_VALUE_STRING &&
            rs_message_is_structure(p->value->s))
            return p;
    return NULL;
}

static void put_parts(rs_json *j, const rs_part *from, const rs_part *to) {
    const rs_part *all = whole(from, to);
    if (all) {
        rs_json_raw(j, all->value->s);
        return;
    }
    rs_json_object(j);
    for (const rs_part *p = from; p < to; p++) {
        rs_json_key(j, p->name);
        bool structure = p->value->type == RS_VALUE_STRING && rs_message_is_structure(p->value->s);
        if (structure) rs_json_raw(j, p->value->s);
        else rs_value_write_json(j, p->value);
    }
    rs_json_object_end(j);
}

rs_status rs_tools_from_parts(rs_parts *p, rs_arena *arena, rs_str *out) {
    rs_buf buf;
    rs_buf_init(&buf);
    rs_json j = rs_json_on(&buf);
    rs_parts_put_in_order(p);
    rs_json_array(&j);
    for (const rs_part *at = p->items, *end = p->items + p->n, *next; at < end; at = next) {
        for (next = at + 1; next < end && next->message == at->message;) next++;
        put_parts(&j, at, next);
    }
    rs_json_array_end(&j);
    return finish(&buf, p->n, arena, out);
}
