#include "store/control/internal.h"

#include <sodium.h>

/* OWASP's least for argon2id. */
enum { PASSES = 2, MEMORY = 19 << 20 };
_Static_assert(RS_PASSWORD_HASH >= crypto_pwhash_STRBYTES, "a hash fits");

rs_status rs_password_check(rs_str password, rs_err *err) {
    if (password.n < RS_PASSWORD_LEAST)
        return rs_fail(err, RS_ERR_INVALID, 0, "a password has at least %d characters", RS_PASSWORD_LEAST);
    if (password.n > RS_PASSWORD_MOST)
        return rs_fail(err, RS_ERR_INVALID, 0, "a password has at most %d characters", RS_PASSWORD_MOST);
    return RS_OK;
}

rs_status rs_password_hash(rs_str password, char out[RS_PASSWORD_HASH], rs_err *err) {
    if (crypto_pwhash_str(out, password.p, password.n, PASSES, MEMORY) == 0) return RS_OK;
    return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory for the password");
}

bool rs_password_is(const char *hash, rs_str password) {
    char unused[RS_PASSWORD_HASH];
    if (hash[0]) return crypto_pwhash_str_verify(hash, password.p, password.n) == 0;
    (void)!rs_password_hash(password, unused, NULL); /* who asks cannot tell whether there is one */
    return false;
}

rs_status rs_control_get_password(rs_control *c, uint64_t id, char out[RS_PASSWORD_HASH], rs_err *err) {
    sqlite3_stmt *stmt;
    pthread_mutex_lock(&c->lock);
    rs_status st = rs_control_first(c, "SELECT password FROM user WHERE id = ?1", RS_SQL(rs_sql_int(id)),
                                    "no such user", &stmt, err);
    if (st == RS_OK) rs_control_copy(out, RS_PASSWORD_HASH, rs_db_column_str(stmt, 0));
    rs_control_done(stmt);
    pthread_mutex_unlock(&c->lock);
    return st;
}

static rs_status set(rs_control *c, uint64_t id, const char *hash, rs_str kept, const rs_actor *by,
                     rs_err *err) {
    sqlite3_stmt *stmt;
    char email[sizeof((rs_user *)0)->email];
    rs_digest d = rs_digest_of(kept);
    rs_status st = rs_control_first(c, "SELECT email FROM user WHERE id = ?1", RS_SQL(rs_sql_int(id)),
                                    "no such user", &stmt, err);
    if (st != RS_OK) return st;
    rs_control_copy(email, sizeof email, rs_db_column_str(stmt, 0));
    rs_control_done(stmt);
    st = rs_control_run(c, "UPDATE user SET password = ?2 WHERE id = ?1",
                        RS_SQL(rs_sql_int(id), rs_sql_text(hash)), err);
    if (st == RS_OK)
        st = rs_control_run(c, "DELETE FROM session WHERE user = ?1 AND hash <> ?2",
                            RS_SQL(rs_sql_int(id), rs_sql_blob(d.hash, sizeof d.hash)), err);
    if (st == RS_OK) st = rs_control_run(c, "DELETE FROM link WHERE user = ?1", RS_SQL(rs_sql_int(id)), err);
    return st == RS_OK ? rs_control_log(c, by, "user.password", rs_str_of(email), 0, err) : st;
}

rs_status rs_control_set_password(rs_control *c, uint64_t id, const char *hash, rs_str kept,
                                  const rs_actor *by, rs_err *err) {
    rs_status st = rs_control_begin(c, err);
    return st == RS_OK ? rs_control_finish(c, set(c, id, hash, kept, by, err), err) : st;
}

rs_status rs_control_has_passwords(rs_control *c, bool *has, rs_err *err) {
    sqlite3_stmt *stmt;
    *has = false;
    pthread_mutex_lock(&c->lock);
    rs_status st = rs_control_ask(c, "SELECT 1 FROM user WHERE password <> '' LIMIT 1", NULL, 0, &stmt, err);
    if (st == RS_OK) st = rs_db_step(stmt, has, err);
    rs_control_done(stmt);
    pthread_mutex_unlock(&c->lock);
    return st;
}
