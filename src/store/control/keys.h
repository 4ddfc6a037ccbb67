/* API keys of the control plane (control.h, which includes this): "rsp_" and 43 base64url characters. A key belongs to a project and
 * may do what its scopes say, until it expires or is revoked. */
#ifndef RS_STORE_CONTROL_KEYS_H
#define RS_STORE_CONTROL_KEYS_H

#include "store/control.h"

enum { RS_SCOPE_INGEST = 1, RS_SCOPE_READ = 2, RS_SCOPE_GATEWAY = 4, RS_SCOPE_ALL = 7 };
/* The names of the scopes, from the lowest bit: "ingest", "read", "gateway". */
enum { RS_SCOPE_COUNT = 3 };
extern const char *const rs_scope_names[RS_SCOPE_COUNT];
/* 0: there is no such scope. */
unsigned rs_scope_of(rs_str name);

enum { RS_ENVIRONMENT_MAX = 64 };

typedef struct rs_api_key {
    uint64_t id, project;
    char name[64];
    char hint[16]; /* first characters of the key, to tell keys apart */
    unsigned scopes;
    char environment[RS_ENVIRONMENT_MAX]; /* of what is sent with it and says none; "": it stays so */
    uint64_t created_ns;                  /* wall clock */
    uint64_t expires_ns, last_used_ns, revoked_ns; /* 0: never */
} rs_api_key;

/* What somebody wishes for. */
typedef struct rs_key_wish {
    const char *name;
    unsigned scopes;         /* 0: ingest and read */
    const char *environment; /* NULL: none */
    uint64_t expires_ns;     /* 0: never */
} rs_key_wish;

RS_MUST_CHECK rs_status rs_control_create_key(rs_control *c, uint64_t project, const rs_key_wish *wish,
                                              const rs_actor *by, char secret[RS_SECRET_MAX], rs_api_key *out,
                                              rs_err *err);
RS_MUST_CHECK rs_status rs_control_revoke_key(rs_control *c, uint64_t project, uint64_t id,
                                              const rs_actor *by, rs_err *err);
typedef bool (*rs_api_key_fn)(void *ctx, const rs_api_key *key);
RS_MUST_CHECK rs_status rs_control_list_keys(rs_control *c, uint64_t project, rs_api_key_fn fn, void *ctx,
                                             rs_err *err);
/* RS_ERR_DENIED for an unknown, expired or revoked key. Compares hashes in constant time; notes the use (at most once a minute). */
RS_MUST_CHECK rs_status rs_control_check_key(rs_control *c, rs_str secret, rs_api_key *out, rs_err *err);

/* The key whose hash begins with these 8 bytes (rs_fingerprint), for what was left behind by a program that had it. RS_ERR_NOT_FOUND:
 * there is none that may send: unknown, expired, revoked, without the scope. No proof that anybody has the key. */
RS_MUST_CHECK rs_status rs_control_find_sender(rs_control *c, uint64_t fingerprint, rs_api_key *out,
                                               rs_err *err);

#endif
