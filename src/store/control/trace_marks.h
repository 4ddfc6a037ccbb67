/* What people said of single traces (control.h, which includes this), beside the spans: that whoever has a link may see it, and that
 * it is kept however old it gets. Both go with their project; whether the store still has the trace is not known here. */
#ifndef RS_STORE_CONTROL_TRACE_MARKS_H
#define RS_STORE_CONTROL_TRACE_MARKS_H

#include "store/control.h"

/* What a trace that is deleted is remembered by: should its id come again, it is neither shared nor pinned. */
RS_MUST_CHECK rs_status rs_control_forget_traces(rs_control *c, uint64_t project, const uint8_t (*ids)[16],
                                                 size_t n, rs_err *err);

/* ---- links --------------------------------------------------------------------------------------------- */

typedef struct rs_share {
    uint64_t project;
    uint8_t trace_id[16];
    bool content; /* else: what was asked, answered and attached stays with the project */
    uint64_t created_ns;
} rs_share;

/* A trace has at most one link: the one before it ends. */
RS_MUST_CHECK rs_status rs_control_share_trace(rs_control *c, uint64_t project, const uint8_t trace_id[16],
                                               bool content, const rs_actor *by, char token[RS_SECRET_MAX],
                                               rs_share *out, rs_err *err);
/* RS_ERR_NOT_FOUND: it has none. */
RS_MUST_CHECK rs_status rs_control_get_share(rs_control *c, uint64_t project, const uint8_t trace_id[16],
                                             rs_share *out, rs_err *err);
/* Ends the link; none is no error. */
RS_MUST_CHECK rs_status rs_control_unshare_trace(rs_control *c, uint64_t project, const uint8_t trace_id[16],
                                                 const rs_actor *by, rs_err *err);
/* Whose link it is. RS_ERR_NOT_FOUND. Compares hashes in constant time. */
RS_MUST_CHECK rs_status rs_control_find_share(rs_control *c, rs_str token, rs_share *out, rs_err *err);

/* ---- pins ---------------------------------------------------------------------------------------------- */

enum { RS_PINS_MOST = 10000 }; /* of a project */

/* RS_ERR_INVALID: the project has RS_PINS_MOST. Again is no error. */
RS_MUST_CHECK rs_status rs_control_pin_trace(rs_control *c, uint64_t project, const uint8_t trace_id[16],
                                             const rs_actor *by, rs_err *err);
RS_MUST_CHECK rs_status rs_control_unpin_trace(rs_control *c, uint64_t project, const uint8_t trace_id[16],
                                               const rs_actor *by, rs_err *err);
RS_MUST_CHECK rs_status rs_control_is_pinned(rs_control *c, uint64_t project, const uint8_t trace_id[16],
                                             bool *out, rs_err *err);
/* All of them, in order; *out is the caller's to free. */
RS_MUST_CHECK rs_status rs_control_list_pins(rs_control *c, uint64_t project, uint8_t (**out)[16], size_t *n,
                                             rs_err *err);

#endif
