/* The control plane: who may do what. Organizations, their projects and members, API keys, users, browser
 * sessions, one-time links, invites, saved views, links to traces and pins, and a log of who changed what. One small SQLite database (control.db beside the traces), whatever
 * holds the traces.
 *
 * Any thread; calls are serialised inside, and what they call back must not call the control plane. Several processes may have it
 * open (the server and `respan keys`). Secrets are 256-bit random and stored only as BLAKE2b hashes (libsodium crypto_generichash),
 * passwords as argon2id. What changes something takes an rs_actor and is in the log with it, or neither is. */
#ifndef RS_STORE_CONTROL_H
#define RS_STORE_CONTROL_H

#include "base/status.h"
#include "base/str.h"
#include <stdint.h>

typedef struct rs_control rs_control;

enum { RS_CONTROL_VERSION_CHECKED = 3 }; /* of the file: since then its pages have checksums */

RS_MUST_CHECK rs_status rs_control_open(const char *dir, rs_control **out, rs_err *err);
void rs_control_close(rs_control *c);

/* Whether this version reads the control plane in `dir`, without changing it. RS_ERR_NOT_FOUND; RS_ERR_UNSUPPORTED. */
RS_MUST_CHECK rs_status rs_control_look(const char *dir, rs_err *err);

enum { RS_SECRET_MAX = 80 }; /* characters of any secret (key, session, token of a link) and its NUL */

/* Who changes something, for the log. NULL in its place: the command line. */
typedef struct rs_actor {
    uint64_t user;       /* 0: none */
    const char *name;    /* what he is called if there is no such user; NULL: "" */
    const char *address; /* where from; NULL: "" */
} rs_actor;

#include "store/control/audit.h"
#include "store/control/invites.h"
#include "store/control/keys.h"
#include "store/control/members.h"
#include "store/control/organizations.h"
#include "store/control/prices.h"
#include "store/control/projects.h"
#include "store/control/sessions.h"
#include "store/control/trace_marks.h"
#include "store/control/users.h"
#include "store/control/views.h"

#endif
