/* The details of a block's spans: attributes, events, links, resource, scope; and their content: the long
 * texts.
 *
 * Two raw sections. Details: dictionaries (attribute keys, resources, scopes), then one record a span.
 * Content: the bytes of prompts, completions, inputs, outputs and of every other value longer than
 * RS_INLINE_MAX, in record order. A record is read with the extent that its head gives. See
 * docs/store-format.md. */
#ifndef RS_STORE_SQLITE_DETAILS_H
#define RS_STORE_SQLITE_DETAILS_H

#include "store/sqlite/heads.h"

enum { RS_INLINE_MAX = 256, RS_LIKELY_KEYS = 32 };

/* ---- encoding ------------------------------------------------------------------------------------------ */

typedef struct rs_details_writer {
    rs_buf records, content;
    rs_intern keys, resources, scopes; /* the latter two: encoded bodies, in `bodies` */
    rs_arena bodies;
    uint32_t likely[RS_LIKELY_KEYS];  /* keys of the last attributes in these places */
    const rs_resource *last_resource; /* spans come grouped by theirs */
    const rs_scope *last_scope;
    uint32_t last_resource_number, last_scope_number;
    rs_buf scratch;
} rs_details_writer;

void rs_details_writer_init(rs_details_writer *w);
void rs_details_writer_deinit(rs_details_writer *w);
void rs_details_writer_clear(rs_details_writer *w);

/* Adds a record; says how many bytes it took in each section. Borrows the span until rs_details_finish. */
void rs_details_add(rs_details_writer *w, const rs_span *s, size_t *details, size_t *content);
/* The raw details section, appended to out; the content section is w->content. */
RS_MUST_CHECK rs_status rs_details_finish(rs_details_writer *w, rs_buf *out);

/* ---- decoding ------------------------------------------------------------------------------------------ */

typedef struct rs_details {
    rs_str records, content;
    rs_str *keys; /* owned, with the rest below */
    uint32_t nkeys;
    rs_str *resources, *scopes; /* encoded bodies */
    uint32_t nresources, nscopes;
    /* what was decoded last, in the arena it was decoded into */
    const rs_arena *arena;
    rs_str *arena_keys;
    const rs_resource **decoded_resources;
    const rs_scope **decoded_scopes;
} rs_details;

/* RS_ERR_CORRUPT if the dictionaries are not whole. Borrows both sections. Close it in any case. */
RS_MUST_CHECK rs_status rs_details_open(rs_details *d, rs_str details, rs_str content, rs_err *err);
/* Completes a span that heads gave. What it points to is copied into the arena. */
RS_MUST_CHECK rs_status rs_details_read(rs_details *d, const rs_extent *extent, rs_arena *arena, rs_span *s,
                                        rs_err *err);
/* Its attributes, events and links alone, as slices of both sections; the arena has the arrays. */
RS_MUST_CHECK rs_status rs_details_borrow(rs_details *d, const rs_extent *extent, rs_arena *arena, rs_span *s,
                                          rs_err *err);
void rs_details_close(rs_details *d);

#endif
