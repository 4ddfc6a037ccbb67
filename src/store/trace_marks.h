/* What people said of single traces, beside the spans: that whoever has a link may see it, and that it is kept however old it gets.
 * Two tables of control.db, which go with their project; whether the store still has the trace is not known here.
 *
 * Any thread; calls are serialised inside, on a connection of their own. Link tokens are 256-bit random and stored only as BLAKE2b
 * hashes. */
#ifndef RS_STORE_TRACE_MARKS_H
#define RS_STORE_TRACE_MARKS_H

#include "base/status.h"
#include "base/str.h"
#include <stdint.h>

typedef struct rs_trace_marks rs_trace_marks;

/* In a directory whose control plane was opened before (control.h): that makes the file, or brings it to this version. */
RS_MUST_CHECK rs_status rs_trace_marks_open(const char *dir, rs_trace_marks **out, rs_err *err);
void rs_trace_marks_close(rs_trace_marks *m);

/* What a trace that is deleted is remembered by: should its id come again, it is neither shared nor pinned. */
RS_MUST_CHECK rs_status rs_trace_marks_forget(rs_trace_marks *m, uint64_t project, const uint8_t (*ids)[16],
                                              size_t n, rs_err *err);

/* ---- links --------------------------------------------------------------------------------------------- */

enum { RS_SHARE_TOKEN_MAX = 48 }; /* characters and the NUL */

typedef struct rs_share {
    uint64_t project;
    uint8_t trace_id[16];
    bool content; /* else: what was asked, answered and attached stays with the project */
    uint64_t created_ns;
} rs_share;

/* A trace has at most one link: the one before it ends. */
RS_MUST_CHECK rs_status rs_trace_marks_share(rs_trace_marks *m, uint64_t project, const uint8_t trace_id[16],
                                             bool content, char token[RS_SHARE_TOKEN_MAX], rs_err *err);
/* RS_ERR_NOT_FOUND: it has none. */
RS_MUST_CHECK rs_status rs_trace_marks_get_share(rs_trace_marks *m, uint64_t project,
                                                 const uint8_t trace_id[16], rs_share *out, rs_err *err);
/* Ends the link; none is no error. */
RS_MUST_CHECK rs_status rs_trace_marks_unshare(rs_trace_marks *m, uint64_t project,
                                               const uint8_t trace_id[16], rs_err *err);
/* Whose link it is. RS_ERR_NOT_FOUND. Compares hashes in constant time. */
RS_MUST_CHECK rs_status rs_trace_marks_find_share(rs_trace_marks *m, rs_str token, rs_share *out,
                                                  rs_err *err);

/* ---- pins ---------------------------------------------------------------------------------------------- */

enum { RS_PINS_MOST = 10000 }; /* of a project */

/* RS_ERR_INVALID: the project has RS_PINS_MOST. Again is no error. */
RS_MUST_CHECK rs_status rs_trace_marks_pin(rs_trace_marks *m, uint64_t project, const uint8_t trace_id[16],
                                           rs_err *err);
RS_MUST_CHECK rs_status rs_trace_marks_unpin(rs_trace_marks *m, uint64_t project, const uint8_t trace_id[16],
                                             rs_err *err);
RS_MUST_CHECK rs_status rs_trace_marks_is_pinned(rs_trace_marks *m, uint64_t project,
                                                 const uint8_t trace_id[16], bool *out, rs_err *err);
/* All of them, in order; *out is the caller's to free. */
RS_MUST_CHECK rs_status rs_trace_marks_list_pins(rs_trace_marks *m, uint64_t project, uint8_t (**out)[16],
                                                 size_t *n, rs_err *err);

#endif
