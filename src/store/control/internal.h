/* What the files of the control plane share: the connection and its lock, statements by their text, secrets. */
#ifndef RS_STORE_CONTROL_INTERNAL_H
#define RS_STORE_CONTROL_INTERNAL_H

#include "store/control.h"
#include "store/db.h"

#include <pthread.h>

enum { RS_CONTROL_STATEMENTS = 192, RS_DIGEST_BYTES = 32 };
#define RS_NS_PER_S 1000000000ull

struct rs_control {
    pthread_mutex_t lock; /* over everything below */
    sqlite3 *db;
    struct {
        const char *sql;
        sqlite3_stmt *stmt;
    } statements[RS_CONTROL_STATEMENTS]; /* prepared at first use; found by the address of their text */
    size_t nstatements;
};

/* ---- statements: under the lock ------------------------------------------------------------------------ */

typedef struct rs_sql_value {
    bool is_blob, is_text, is_real;
    int64_t number;
    double real;
    rs_str bytes; /* borrowed until the statement is done */
} rs_sql_value;
static inline rs_sql_value rs_sql_int(uint64_t v) { return (rs_sql_value){.number = (int64_t)v}; }
/* NaN is NULL. */
static inline rs_sql_value rs_sql_real(double v) { return (rs_sql_value){.is_real = true, .real = v}; }
static inline rs_sql_value rs_sql_str(rs_str s) { return (rs_sql_value){.is_text = true, .bytes = s}; }
static inline rs_sql_value rs_sql_text(const char *z) { return rs_sql_str(rs_str_of(z)); }
static inline rs_sql_value rs_sql_blob(const void *p, size_t n) {
    return (rs_sql_value){.is_blob = true, .bytes = {p, n}};
}
#define RS_SQL(...)                                                                                          \
    (rs_sql_value[]){__VA_ARGS__}, sizeof((rs_sql_value[]){__VA_ARGS__}) / sizeof(rs_sql_value)

/* Prepared (`sql` is static storage) and bound; step it, then rs_control_done. */
RS_MUST_CHECK rs_status rs_control_ask(rs_control *c, const char *sql, const rs_sql_value *values, size_t n,
                                       sqlite3_stmt **out, rs_err *err);
void rs_control_done(sqlite3_stmt *stmt); /* NULL will do */
/* The same of one that gives no rows. */
RS_MUST_CHECK rs_status rs_control_run(rs_control *c, const char *sql, const rs_sql_value *values, size_t n,
                                       rs_err *err);
/* The first row, or RS_ERR_NOT_FOUND with that message. *out is to be done if RS_OK. */
RS_MUST_CHECK rs_status rs_control_first(rs_control *c, const char *sql, const rs_sql_value *values, size_t n,
                                         const char *missing, sqlite3_stmt **out, rs_err *err);

/* Each takes the lock; finish lets it go, and commits if st is RS_OK. */
RS_MUST_CHECK rs_status rs_control_begin(rs_control *c, rs_err *err);
RS_MUST_CHECK rs_status rs_control_finish(rs_control *c, rs_status st, rs_err *err);

/* In the transaction that makes the change. What is of a project (not 0) is of its organization. */
RS_MUST_CHECK rs_status rs_control_log(rs_control *c, const rs_actor *by, const char *action, rs_str target,
                                       uint64_t project, rs_err *err);
/* The same of what is of no project, in an organization; 0: of the server. */
RS_MUST_CHECK rs_status rs_control_log_in(rs_control *c, const rs_actor *by, const char *action,
                                          rs_str target, uint64_t organization, rs_err *err);
/* Inside a transaction, for those who have accepted an invite and those who were added. */
RS_MUST_CHECK rs_status rs_control_insert_user(rs_control *c, uint64_t organization, const char *email,
                                               const char *name, rs_role role, const char *password,
                                               rs_user *out, rs_err *err);
/* Inside a transaction. RS_ERR_INVALID: he is in it already. */
RS_MUST_CHECK rs_status rs_control_insert_member(rs_control *c, uint64_t organization, uint64_t user,
                                                 rs_role role, rs_err *err);
/* Inside a transaction: the invites into it that a user made can be used no more. */
RS_MUST_CHECK rs_status rs_control_end_invites(rs_control *c, uint64_t organization, uint64_t inviter,
                                               const rs_actor *by, rs_err *err);
/* Of id, email, name, role, whether there is a password, created, seen. */
void rs_control_read_user(sqlite3_stmt *stmt, rs_user *out);

/* ---- texts --------------------------------------------------------------------------------------------- */

void rs_control_copy(char *out, size_t size, rs_str s);
/* Fits into `size` bytes with its NUL, is not empty, and is UTF-8 without control characters. */
RS_MUST_CHECK rs_status rs_control_check_name(const char *what, const char *name, size_t size, rs_err *err);

/* ---- secrets: found by the first 8 bytes of their hash, so that the index learns nothing more ----------- */

typedef struct rs_digest {
    int64_t prefix;
    uint8_t hash[RS_DIGEST_BYTES];
} rs_digest;
rs_digest rs_digest_of(rs_str secret);
rs_digest rs_secret_make(const char *prefix, char out[RS_SECRET_MAX]);
/* Steps `sql`, which takes the prefix and whose first column is a hash, to the row of that secret; its whole hash is compared, in
 * constant time. NULL: there is none. *out is to be done. */
RS_MUST_CHECK rs_status rs_control_find_secret(rs_control *c, const char *sql, rs_str secret,
                                               sqlite3_stmt **out, rs_err *err);

#endif
