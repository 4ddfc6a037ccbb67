/* Users of the control plane (control.h, which includes this). What each may, his memberships say (members.h). The
 * first one, an owner of the server's organization without a password, is there from the beginning: a one-time link signs him in. */
#ifndef RS_STORE_CONTROL_USERS_H
#define RS_STORE_CONTROL_USERS_H

#include "store/control.h"

typedef enum rs_role {
    RS_ROLE_NONE,
    RS_ROLE_VIEWER, /* reads */
    RS_ROLE_MEMBER, /* also makes keys, deletes traces */
    RS_ROLE_OWNER,  /* all */
} rs_role;
const char *rs_role_name(rs_role role);
rs_role rs_role_of(rs_str name); /* RS_ROLE_NONE: there is none such */

typedef struct rs_user {
    uint64_t id;
    char email[256]; /* lower and upper case are the same */
    char name[128];
    rs_role role; /* in the organization that was asked about; RS_ROLE_NONE: none was */
    bool has_password;
    uint64_t created_ns;
    uint64_t seen_ns; /* to the minute; 0: never */
} rs_user;

RS_MUST_CHECK rs_status rs_control_get_user(rs_control *c, uint64_t id, rs_user *out, rs_err *err);
RS_MUST_CHECK rs_status rs_control_find_user(rs_control *c, const char *email, rs_user *out, rs_err *err);
typedef bool (*rs_user_fn)(void *ctx, const rs_user *user);

/* Into an organization. RS_ERR_INVALID: the e-mail address is none, or somebody has it. `password`: a hash, or "". */
RS_MUST_CHECK rs_status rs_control_add_user(rs_control *c, uint64_t organization, const char *email,
                                            const char *name, rs_role role, const char *password,
                                            const rs_actor *by, rs_user *out, rs_err *err);
RS_MUST_CHECK rs_status rs_control_check_email(const char *email, rs_err *err);
RS_MUST_CHECK rs_status rs_control_check_user_name(const char *name, rs_err *err);
RS_MUST_CHECK rs_status rs_control_set_account(rs_control *c, uint64_t id, const char *email,
                                               const char *name, const rs_actor *by, rs_err *err);

/* Passwords. */
enum { RS_PASSWORD_LEAST = 10, RS_PASSWORD_MOST = 512, RS_PASSWORD_HASH = 128 };
/* RS_ERR_INVALID: too short or too long. */
RS_MUST_CHECK rs_status rs_password_check(rs_str password, rs_err *err);
/* Argon2id: takes some 12 ms and 19 MiB. */
RS_MUST_CHECK rs_status rs_password_hash(rs_str password, char out[RS_PASSWORD_HASH], rs_err *err);
/* Whether it is the one of that hash. Takes as long, and says no, where the hash is "". */
bool rs_password_is(const char *hash, rs_str password);
/* The stored hash; "" if he has none. */
RS_MUST_CHECK rs_status rs_control_get_password(rs_control *c, uint64_t id, char out[RS_PASSWORD_HASH],
                                                rs_err *err);
/* Ends his sessions, but for `kept` (empty: none), and his links. */
RS_MUST_CHECK rs_status rs_control_set_password(rs_control *c, uint64_t id, const char *hash, rs_str kept,
                                                const rs_actor *by, rs_err *err);
/* Whether anybody can sign in with one. */
RS_MUST_CHECK rs_status rs_control_has_passwords(rs_control *c, bool *has, rs_err *err);

#endif
