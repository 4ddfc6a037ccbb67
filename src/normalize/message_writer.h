/* Writes messages one by one as a JSON array, and remembers enough to give plain text instead where that says as much.
 * Internal to normalize/. init, then for each message begin … end, then finish, which frees. */
#ifndef RS_NORMALIZE_MESSAGE_WRITER_H
#define RS_NORMALIZE_MESSAGE_WRITER_H

#include "base/json_read.h"
#include "normalize/messages.h"

typedef struct rs_message_writer {
    const rs_content_style *style;
    rs_arena *arena;
    rs_buf buf;
    rs_json json;
    size_t n;   /* messages so far */
    bool plain; /* nothing but text so far */
    bool any_role;
    bool from_user;     /* the message being written is a user's */
    rs_str first;       /* the first message's text */
    rs_str gist, asked; /* the gist by position; the last text that a user said */
} rs_message_writer;

void rs_message_writer_init(rs_message_writer *w, const rs_content_style *style, rs_arena *arena);
void rs_message_begin(rs_message_writer *w, const rs_value *role); /* NULL: none given */
/* One of these writes "content". */
void rs_message_text(rs_message_writer *w, rs_str text);
void rs_message_content(rs_message_writer *w, const rs_value *value);
/* Says what of this message a one-line preview may show, where that is not the whole content. */
void rs_message_gist(rs_message_writer *w, rs_str text);
void rs_message_end(rs_message_writer *w);
RS_MUST_CHECK rs_status rs_message_writer_finish(rs_message_writer *w, rs_content *out);

/* True if s is a JSON object or array. */
bool rs_message_is_structure(rs_str s);

/* A piece's "type" says that it is an image, a sound, a film or a file, in some API's words. */
bool rs_message_is_media(rs_str type);

/* What a preview says of a message that is media alone: the data is no line to read. */
#define RS_MEDIA_GIST RS_STR("[media]")

/* The first "text" in a JSON array of pieces; of pieces that are media, RS_MEDIA_GIST; empty if there is none. */
rs_str rs_message_first_text(rs_str pieces, rs_arena *arena);

#endif
