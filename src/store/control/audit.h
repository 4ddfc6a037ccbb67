/* The log of the control plane (control.h, which includes this): who changed what, when, from which address. Never a secret. The
 * newest RS_AUDIT_KEPT are kept. */
#ifndef RS_STORE_CONTROL_AUDIT_H
#define RS_STORE_CONTROL_AUDIT_H

#include "store/control.h"

enum { RS_AUDIT_KEPT = 100000, RS_AUDIT_TARGET = 256 /* bytes of a target, at most */ };

typedef struct rs_audit_row {
    uint64_t id, time_ns, organization, project; /* 0: it is of none */
    rs_str actor, action, target, address;
} rs_audit_row;

/* What is no change of the control plane itself: sign-ins that failed, traces deleted. `target` is cut where it is long. */
RS_MUST_CHECK rs_status rs_control_note(rs_control *c, const rs_actor *by, const char *action, rs_str target,
                                        uint64_t project, rs_err *err);

/* What an entry has to be: each text NULL or "" where it does not matter. Upper and lower case of ASCII are the same. */
typedef struct rs_audit_filter {
    const char *actor, *action; /* whole, but for an action that ends with '.': then all that begin so */
    const char *text;           /* somewhere in any of its texts */
    uint64_t organization; /* in which it was done, 0: whichever; in the server's is what is of none, too */
} rs_audit_filter;

typedef bool (*rs_audit_fn)(void *ctx, const rs_audit_row *row);
/* Newest first, those with an id below `before` (0: all), at most n. The row is borrowed during the call. */
RS_MUST_CHECK rs_status rs_control_list_audit(rs_control *c, const rs_audit_filter *filter, uint64_t before,
                                              size_t n, rs_audit_fn fn, void *ctx, rs_err *err);

#endif
