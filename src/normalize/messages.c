/* Messages that come as one JSON text or structure, and whatever else a function takes or returns. */
#include "normalize/message_writer.h"

#include <endian.h>

rs_status rs_content_text(const rs_value *v, rs_arena *arena, rs_str *out) {
    if (v->type == RS_VALUE_STRING) return *out = v->s, RS_OK;
    rs_buf buf;
    rs_buf_init(&buf);
    rs_json json = rs_json_on(&buf);
    rs_value_write_json(&json, v);
    rs_status st = rs_buf_status(&buf);
    if (st == RS_OK && !(*out = rs_arena_copy(arena, rs_buf_slice(&buf))).p) st = RS_ERR_MEMORY;
    rs_buf_deinit(&buf);
    return st;
}

rs_status rs_content_from_value(const rs_value *value, rs_arena *arena, rs_content *out) {
    *out = (rs_content){0};
    rs_status st = rs_content_text(value, arena, &out->text);
    if (st != RS_OK) return st;
    out->is_json = rs_message_is_structure(out->text);
    if (!out->is_json && out->text.n >= 2 && out->text.p[0] == '"') {
        rs_json_reader r;
        rs_json_read_init(&r, out->text, arena);
        if (rs_json_read(&r) == RS_JSON_STRING) {
            rs_str inner = r.text;
            if (rs_json_read(&r) == RS_JSON_END) out->text = inner;
        }
    }
    out->gist = out->text;
    return RS_OK;
}

/* ---- arrays of messages -------------------------------------------------------------------------------- */

/* One element of "parts": {"type":"text","content":…}, {"type":"tool_call",…}, {"type":"tool_call_response","id":…,"response":…}. */
struct piece {
    rs_str type, text;        /* text: unescaped */
    rs_str raw, response, id; /* as JSON */
};

static bool read_string(rs_json_reader *r, rs_str raw, rs_str *out) {
    rs_json_reader inner;
    rs_json_read_init(&inner, raw, r->arena);
    if (rs_json_read(&inner) != RS_JSON_STRING) return false;
    *out = inner.text;
    return true;
}

static bool read_piece(rs_str piece, rs_arena *arena, struct piece *out) {
    *out = (struct piece){.raw = piece};
    rs_json_reader in;
    rs_json_read_init(&in, piece, arena);
    if (rs_json_read(&in) != RS_JSON_OBJECT) return true;
    while (rs_json_read(&in) == RS_JSON_KEY) {
        rs_str key = in.text, raw;
        if (!rs_json_read_skip(&in, &raw)) return false;
        if (rs_str_eq(key, RS_STR("type"))) read_string(&in, raw, &out->type);
        else if (rs_str_eq(key, RS_STR("content")) || rs_str_eq(key, RS_STR("text")))
            read_string(&in, raw, &out->text);
        else if (rs_str_eq(key, RS_STR("id"))) out->id = raw;
        else if (rs_str_eq(key, RS_STR("response")) || rs_str_eq(key, RS_STR("result"))) out->response = raw;
    }
    return true;
}

/* Adds to an array that the caller ends. */
static void put_raw(rs_buf *array, rs_str raw) {
    rs_buf_byte(array, array->n ? ',' : '[');
    rs_buf_str(array, raw);
}

static void end_array(rs_message_writer *w, rs_str key, rs_buf *array) {
    if (!array->n) return;
    rs_buf_byte(array, ']');
    rs_json_key(&w->json, key);
    rs_json_raw(&w->json, rs_buf_slice(array));
    w->plain = false;
}

/* What a tool answered, and to which call. */
static void write_response(rs_message_writer *w, const struct piece *answer) {
    rs_json_key(&w->json, RS_STR("content"));
    rs_json_raw(&w->json, answer->response);
    if (answer->id.n) rs_json_key(&w->json, RS_STR("tool_call_id")), rs_json_raw(&w->json, answer->id);
    w->plain = false;
}

/* Text as a piece of a content that is not text alone. */
static void put_text(rs_buf *array, rs_str text) {
    rs_buf_byte(array, array->n ? ',' : '[');
    rs_json json = rs_json_on(array);
    rs_json_object(&json);
    rs_json_put_str(&json, "type", RS_STR("text"));
    rs_json_put_str(&json, "text", text);
    rs_json_object_end(&json);
}

/* The raw array of parts as one message's content: texts joined, or texts and media in their order, or else the first response;
 * tool calls and all other pieces kept. */
static bool write_pieces(rs_message_writer *w, rs_str parts) {
    rs_buf text, mixed, calls, others;
    rs_buf_init(&text), rs_buf_init(&mixed), rs_buf_init(&calls), rs_buf_init(&others);
    rs_json_reader r;
    rs_json_read_init(&r, parts, w->arena);
    bool ok = rs_json_read(&r) == RS_JSON_ARRAY, media = false;
    struct piece answer = {0};
    rs_str raw, reasoning = {0};
    while (ok && rs_json_read_element(&r, &raw)) {
        struct piece piece;
        if (!(ok = read_piece(raw, w->arena, &piece))) break;
        if (piece.text.p && (!piece.type.p || rs_str_eq(piece.type, RS_STR("text")))) {
            if (text.n) rs_buf_byte(&text, '\n');
            rs_buf_str(&text, piece.text);
            put_text(&mixed, piece.text);
        } else if (rs_message_is_media(piece.type)) {
            media = true;
            put_raw(&mixed, raw);
        } else if (rs_str_eq(piece.type, RS_STR("reasoning")) && piece.text.n && !reasoning.p) {
            reasoning = piece.text;
        } else if (piece.response.p && !answer.raw.p) {
            answer = piece;
        } else {
            put_raw(rs_str_eq(piece.type, RS_STR("tool_call")) ? &calls : &others, raw);
        }
    }
    rs_str joined = rs_arena_copy(w->arena, rs_buf_slice(&text));
    bool has_content = text.n || media;
    if (answer.raw.p && has_content) put_raw(&others, answer.raw);
    if (!joined.p || text.failed || mixed.failed || calls.failed || others.failed)
        w->buf.failed = RS_ERR_MEMORY;
    if (media) {
        end_array(w, RS_STR("content"), &mixed);
        rs_message_gist(w, joined.n ? joined : RS_MEDIA_GIST);
    } else if (answer.raw.p && !has_content) {
        write_response(w, &answer);
    } else {
        rs_message_text(w, joined);
    }
    if (reasoning.p) rs_json_put_str(&w->json, "reasoning", reasoning), w->plain = false;
    end_array(w, RS_STR("tool_calls"), &calls);
    end_array(w, RS_STR("parts"), &others);
    rs_buf_deinit(&text), rs_buf_deinit(&mixed), rs_buf_deinit(&calls), rs_buf_deinit(&others);
    return ok;
}

static void write_content(rs_message_writer *w, rs_str raw) {
    rs_json_reader r;
    rs_json_read_init(&r, raw, w->arena);
    if (rs_json_read(&r) == RS_JSON_STRING) {
        rs_message_text(w, r.text);
    } else {
        rs_json_key(&w->json, RS_STR("content"));
        rs_json_raw(&w->json, raw);
        rs_message_gist(w, rs_message_first_text(raw, w->arena));
        w->plain = false;
    }
}

/* The keys of a message that we put in places of our own. */
struct message {
    rs_str role, content, parts;
};

static bool read_message(rs_str raw, rs_arena *arena, struct message *m, rs_message_writer *others) {
    rs_json_reader r;
    rs_json_read_init(&r, raw, arena);
    if (rs_json_read(&r) != RS_JSON_OBJECT) return false;
    while (rs_json_read(&r) == RS_JSON_KEY) {
        rs_str key = r.text, value;
        if (!rs_json_read_skip(&r, &value)) return false;
        if (rs_str_eq(key, RS_STR("role"))) read_string(&r, value, &m->role);
        else if (rs_str_eq(key, RS_STR("content"))) m->content = value;
        else if (rs_str_eq(key, RS_STR("parts"))) m->parts = value;
        else if (others && !rs_str_eq(value, RS_STR("null")))
            rs_json_key(&others->json, key), rs_json_raw(&others->json, value);
    }
    return true;
}

static bool write_message(rs_message_writer *w, rs_str raw) {
    struct message m = {0};
    if (!read_message(raw, w->arena, &m, NULL) || !(m.role.p || m.content.p || m.parts.p)) return false;
    rs_value role = {.type = RS_VALUE_STRING, .s = m.role};
    rs_message_begin(w, &role);
    if (m.content.p) write_content(w, m.content);
    else if (!m.parts.p || !write_pieces(w, m.parts)) rs_message_text(w, (rs_str){0});
    bool ok = read_message(raw, w->arena, &m, w);
    rs_message_end(w);
    return ok;
}

/* The messages begin with a system prompt of their own: some senders say it twice. */
static bool begins_with_system(rs_str messages, rs_arena *arena) {
    rs_json_reader r;
    rs_str first;
    struct message m = {0};
    rs_json_read_init(&r, messages, arena);
    return rs_json_read(&r) == RS_JSON_ARRAY && rs_json_read_skip(&r, &first) && first.p[0] == '{' &&
           read_message(first, arena, &m, NULL) && rs_str_eq(m.role, RS_STR("system"));
}

static bool write_system(rs_message_writer *w, rs_str system) {
    rs_value role = {.type = RS_VALUE_STRING, .s = RS_STR("system")};
    rs_message_begin(w, &role);
    bool ok = true;
    if (rs_message_is_structure(system) && system.p[0] == '[') ok = write_pieces(w, system);
    else rs_message_text(w, system);
    w->gist = (rs_str){0}; /* what everybody is told first says little */
    rs_message_end(w);
    return ok;
}

/* An array of messages, or one message. */
static bool write_messages(rs_message_writer *w, rs_str json) {
    rs_json_reader r;
    rs_json_read_init(&r, json, w->arena);
    rs_json_token first = rs_json_read(&r);
    if (first == RS_JSON_OBJECT) return write_message(w, json);
    if (first != RS_JSON_ARRAY) return false;
    for (rs_str raw; rs_json_read_element(&r, &raw);)
        if (!write_message(w, raw)) return false;
    return w->n > 0;
}

rs_status rs_content_from_messages(const rs_value *messages, const rs_value *system,
                                   const rs_content_style *style, rs_arena *arena, rs_content *out) {
    rs_str text, system_text = {0};
    rs_status st = rs_content_text(messages, arena, &text);
    if (st == RS_OK && system) st = rs_content_text(system, arena, &system_text);
    if (st != RS_OK) return st;
    rs_message_writer w;
    rs_message_writer_init(&w, style, arena);
    bool ok = rs_message_is_structure(text);
    bool told = ok && system_text.n && !begins_with_system(text, arena);
    ok = ok && (!told || write_system(&w, system_text)) && write_messages(&w, text);
    st = rs_message_writer_finish(&w, out);
    return st == RS_OK && !ok ? rs_content_from_value(messages, arena, out) : st;
}

/* ---- previews ------------------------------------------------------------------------------------------ */

static inline bool is_blank(char c) { return (unsigned char)c <= ' ' || c == 0x7f; }

#define EACH(byte) (0x0101010101010101ull * (byte))

/* How many of the eight bytes at p stand in the line as they are: all, but for a blank at their end, which is seen with what follows.
 * 0: some do not. */
static size_t take_eight(const char *p) {
    uint64_t x;
    memcpy(&x, p, 8);
    x = le64toh(x);
    uint64_t low = x & EACH(0x7f), high = EACH(0x80);
    uint64_t blanks = (~(low + EACH(0x7f - ' ')) | (low + EACH(1))) & ~x & high;
    uint64_t others = x ^ EACH(' '), spaces = ~(((others & EACH(0x7f)) + EACH(0x7f)) | others) & high;
    if (blanks != spaces || (blanks & blanks << 8)) return 0;
    return blanks >> 63 ? 7 : 8;
}

rs_status rs_content_preview(rs_str s, rs_arena *arena, rs_str *out) {
    *out = (rs_str){0};
    if (!s.n) return RS_OK;
    char *line = rs_arena_alloc(arena, s.n < RS_PREVIEW_MAX ? s.n : RS_PREVIEW_MAX + 1);
    if (!line) return RS_ERR_MEMORY;
    size_t n = 0, eight;
    for (size_t i = 0; i < s.n && n <= RS_PREVIEW_MAX;) {
        bool has_eight = n > 0 && n + 8 <= RS_PREVIEW_MAX && i + 8 <= s.n;
        if (has_eight && (eight = take_eight(s.p + i)) > 0) {
            memcpy(line + n, s.p + i, 8);
            n += eight;
            i += eight;
            continue;
        }
        if (!is_blank(s.p[i])) {
            line[n++] = s.p[i++];
            continue;
        }
        while (i < s.n && is_blank(s.p[i])) i++;
        if (n && i < s.n) line[n++] = ' ';
    }
    *out = rs_str_cut_utf8((rs_str){line, n}, RS_PREVIEW_MAX);
    return RS_OK;
}
