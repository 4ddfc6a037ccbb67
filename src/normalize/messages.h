/* Prompts and completions of any dialect -> what a reader wants to see: plain text, or a JSON array of messages
 * [{"role","content",…}].
 *
 * Dialects say messages in two ways: as flat attributes (gen_ai.prompt.0.role), gathered here as parts, and as one JSON
 * text or structure (gen_ai.input.messages). Both end in the same form. A text completion with one prompt is plain text; so is
 * a single message that names no role. Internal to normalize/; results live in the arena or are slices of the attributes. */
#ifndef RS_NORMALIZE_MESSAGES_H
#define RS_NORMALIZE_MESSAGES_H

#include "otlp/span.h"

/* One flat attribute of a message. Order: message, kind, number within the message, arrival. */
typedef enum rs_part_kind {
    RS_PART_ROLE,
    RS_PART_CONTENT,
    RS_PART_CONTENT_ITEM, /* contents.M.…: a message of several pieces */
    RS_PART_TOOL_CALL,    /* tool_calls.M.… */
    RS_PART_OTHER,        /* finish_reason, name, tool_call_id, … */
} rs_part_kind;

typedef struct rs_part {
    uint32_t message, number, arrival;
    rs_part_kind kind;
    rs_str name; /* the plain name of what this is: "content", "arguments", "finish_reason" */
    const rs_value *value;
} rs_part;

typedef struct rs_parts {
    rs_part *items;
    size_t n, cap;
    unsigned rank; /* of all items: a better dialect's parts replace a worse one's */
} rs_parts;

/* Adds the attribute whose name ends in `rest` ("0.role", "2.message.tool_calls.0.tool_call.id"); a rest that is
 * no part of a message is left alone. */
RS_MUST_CHECK rs_status rs_parts_add(rs_parts *p, unsigned rank, rs_str rest, const rs_value *value,
                                     rs_arena *arena);
/* Adds one part of message number `message` directly (events). */
RS_MUST_CHECK rs_status rs_parts_put(rs_parts *p, unsigned rank, const rs_part *part, rs_arena *arena);

/* Adds the attribute of a tool's definition whose name ends in `rest` ("0.name", "1.tool.json_schema"). */
RS_MUST_CHECK rs_status rs_parts_add_tool(rs_parts *p, unsigned rank, rs_str rest, const rs_value *value,
                                          rs_arena *arena);
void rs_parts_put_in_order(rs_parts *p);

typedef struct rs_content {
    rs_str text;
    bool is_json;
    rs_str gist; /* the piece of it that a one-line preview is cut from */
} rs_content;

typedef struct rs_content_style {
    rs_str role;     /* of messages that name none, where there are several */
    bool completion; /* a text completion: one message is plain text whatever its role */
    bool last;       /* the gist is the last message's text, not the first's */
    bool gist_only;  /* the text is not needed: it comes out empty where that saves making it */
} rs_content_style;

RS_MUST_CHECK rs_status rs_content_from_parts(rs_parts *p, const rs_content_style *style, rs_arena *arena,
                                              rs_content *out);
/* A JSON array of messages, as text or as a structure; anything else is taken as rs_content_from_value takes it.
 * system: a system prompt that stands before them, or NULL. */
RS_MUST_CHECK rs_status rs_content_from_messages(const rs_value *messages, const rs_value *system,
                                                 const rs_content_style *style, rs_arena *arena,
                                                 rs_content *out);
/* A function's arguments or result: JSON arrays and objects stay JSON, a JSON string becomes its text. */
RS_MUST_CHECK rs_status rs_content_from_value(const rs_value *value, rs_arena *arena, rs_content *out);

/* A value as text, in the arena: a string as it is, anything else as JSON. */
RS_MUST_CHECK rs_status rs_content_text(const rs_value *v, rs_arena *arena, rs_str *out);

/* Definitions of tools as a JSON array: of a JSON text or a structure (whose elements may be JSON texts), or of parts.
 * *out stays as it is where there are none. */
RS_MUST_CHECK rs_status rs_tools_from_value(const rs_value *v, rs_arena *arena, rs_str *out);
RS_MUST_CHECK rs_status rs_tools_from_parts(rs_parts *p, rs_arena *arena, rs_str *out);

/* At most RS_PREVIEW_MAX bytes of s on one line: white space and control characters become single spaces. */
RS_MUST_CHECK rs_status rs_content_preview(rs_str s, rs_arena *arena, rs_str *out);

#endif
