/* The control plane: projects, API keys, browser sessions, one-time sign-in links. One small SQLite database
 * (control.db beside the traces), whatever holds the traces.
 *
 * Any thread; calls are serialised inside. Several processes may have it open (the server and `respan keys`).
 * Secrets are 256-bit random and stored only as BLAKE2b hashes (libsodium crypto_generichash). */
#ifndef RS_STORE_CONTROL_H
#define RS_STORE_CONTROL_H

#include "base/status.h"
#include "base/str.h"
#include "store/retention.h"
#include <stdint.h>

typedef struct rs_control rs_control;

enum { RS_CONTROL_VERSION_CHECKED = 3 }; /* of the file: since then its pages have checksums */

RS_MUST_CHECK rs_status rs_control_open(const char *dir, rs_control **out, rs_err *err);
void rs_control_close(rs_control *c);

/* Whether this version reads the control plane in `dir`, without changing it. RS_ERR_NOT_FOUND; RS_ERR_UNSUPPORTED. */
RS_MUST_CHECK rs_status rs_control_look(const char *dir, rs_err *err);

enum { RS_SECRET_MAX = 80 }; /* characters of any secret below and its NUL */

/* Projects. */
typedef struct rs_project {
    uint64_t id; /* from 1 */
    char name[64];
    rs_retention keep;
} rs_project;
RS_MUST_CHECK rs_status rs_control_find_project(rs_control *c, const char *name, rs_project *out,
                                                rs_err *err);
RS_MUST_CHECK rs_status rs_control_get_project(rs_control *c, uint64_t id, rs_project *out, rs_err *err);
RS_MUST_CHECK rs_status rs_control_create_project(rs_control *c, const char *name, rs_project *out,
                                                  rs_err *err);

typedef bool (*rs_project_fn)(void *ctx, const rs_project *project);
/* By id. Return false to stop. */
RS_MUST_CHECK rs_status rs_control_list_projects(rs_control *c, rs_project_fn fn, void *ctx, rs_err *err);
RS_MUST_CHECK rs_status rs_control_set_retention(rs_control *c, uint64_t project, const rs_retention *keep,
                                                 rs_err *err);

/* API keys: "rsp_" and 43 base64url characters. */
typedef struct rs_api_key {
    uint64_t id, project;
    char name[64];
    char hint[16];                     /* first characters of the key, to tell keys apart */
    uint64_t created_ns;               /* wall clock */
    uint64_t last_used_ns, revoked_ns; /* 0: never */
} rs_api_key;
RS_MUST_CHECK rs_status rs_control_create_key(rs_control *c, uint64_t project, const char *name,
                                              char secret[RS_SECRET_MAX], rs_api_key *out, rs_err *err);
RS_MUST_CHECK rs_status rs_control_revoke_key(rs_control *c, uint64_t project, uint64_t id, rs_err *err);
typedef bool (*rs_api_key_fn)(void *ctx, const rs_api_key *key);
RS_MUST_CHECK rs_status rs_control_list_keys(rs_control *c, uint64_t project, rs_api_key_fn fn, void *ctx,
                                             rs_err *err);
/* RS_ERR_DENIED for an unknown or revoked key. Compares hashes in constant time; notes the use (at most once a minute). */
RS_MUST_CHECK rs_status rs_control_check_key(rs_control *c, rs_str secret, rs_api_key *out, rs_err *err);

/* Sign-in: a link token works once and for RS_LINK_LIFETIME_S; it buys a session for RS_SESSION_LIFETIME_S. */
enum { RS_LINK_LIFETIME_S = 24 * 3600, RS_SESSION_LIFETIME_S = 30 * 24 * 3600 };
RS_MUST_CHECK rs_status rs_control_create_link(rs_control *c, uint64_t project, char token[RS_SECRET_MAX],
                                               rs_err *err);
RS_MUST_CHECK rs_status rs_control_redeem_link(rs_control *c, rs_str token, char session[RS_SECRET_MAX],
                                               rs_err *err);
RS_MUST_CHECK rs_status rs_control_check_session(rs_control *c, rs_str session, uint64_t *project,
                                                 rs_err *err);
RS_MUST_CHECK rs_status rs_control_end_session(rs_control *c, rs_str session, rs_err *err);

#endif
