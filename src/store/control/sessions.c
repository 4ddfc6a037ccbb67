#include "base/clock.h"
#include "store/control/internal.h"

static uint64_t lasting(uint64_t lifetime_s) { return rs_clock_wall_ns() + lifetime_s * RS_NS_PER_S; }

rs_status rs_control_create_link(rs_control *c, uint64_t user, char token[RS_SECRET_MAX], rs_err *err) {
    sqlite3_stmt *stmt;
    rs_digest d = rs_secret_make("", token);
    rs_status st = rs_control_begin(c, err);
    if (st != RS_OK) return st;
    st = rs_control_first(c, "SELECT id FROM user WHERE id = ?1", RS_SQL(rs_sql_int(user)), "no such user",
                          &stmt, err);
    rs_control_done(stmt);
    if (st == RS_OK)
        st = rs_control_run(c, "DELETE FROM link WHERE expires <= ?1", RS_SQL(rs_sql_int(rs_clock_wall_ns())),
                            err);
    if (st == RS_OK)
        st = rs_control_run(c, "INSERT INTO link(prefix, hash, user, expires) VALUES(?1, ?2, ?3, ?4)",
                            RS_SQL(rs_sql_int((uint64_t)d.prefix), rs_sql_blob(d.hash, sizeof d.hash),
                                   rs_sql_int(user), rs_sql_int(lasting(RS_LINK_LIFETIME_S))),
                            err);
    return rs_control_finish(c, st, err);
}

static rs_status start(rs_control *c, uint64_t user, const char *how, const char *address,
                       char session[RS_SECRET_MAX], rs_err *err) {
    rs_digest d = rs_secret_make("", session);
    uint64_t now = rs_clock_wall_ns();
    rs_status st = rs_control_run(c, "DELETE FROM session WHERE expires <= ?1", RS_SQL(rs_sql_int(now)), err);
    if (st == RS_OK)
        st = rs_control_run(
            c, "INSERT INTO session(prefix, hash, user, created, expires) VALUES(?1, ?2, ?3, ?4, ?5)",
            RS_SQL(rs_sql_int((uint64_t)d.prefix), rs_sql_blob(d.hash, sizeof d.hash), rs_sql_int(user),
                   rs_sql_int(now), rs_sql_int(lasting(RS_SESSION_LIFETIME_S))),
            err);
    rs_actor by = {.user = user, .address = address};
    return st == RS_OK ? rs_control_log(c, &by, "signin", rs_str_of(how), 0, err) : st;
}

rs_status rs_control_redeem_link(rs_control *c, rs_str token, const char *address,
                                 char session[RS_SECRET_MAX], rs_err *err) {
    sqlite3_stmt *stmt;
    int64_t rowid = 0;
    uint64_t user = 0;
    rs_status st = rs_control_begin(c, err);
    if (st != RS_OK) return st;
    st = rs_control_find_secret(c, "SELECT hash, rowid, user, expires FROM link WHERE prefix = ?1", token,
                                &stmt, err);
    bool valid = st == RS_OK && stmt && (uint64_t)sqlite3_column_int64(stmt, 3) > rs_clock_wall_ns();
    if (valid) rowid = sqlite3_column_int64(stmt, 1), user = (uint64_t)sqlite3_column_int64(stmt, 2);
    rs_control_done(stmt);
    if (st == RS_OK && !valid)
        st = rs_fail(err, RS_ERR_DENIED, 0, "this sign-in link is unknown, used or expired");
    if (st == RS_OK)
        st = rs_control_run(c, "DELETE FROM link WHERE rowid = ?1", RS_SQL(rs_sql_int((uint64_t)rowid)), err);
    if (st == RS_OK) st = start(c, user, "by link", address, session, err);
    return rs_control_finish(c, st, err);
}

rs_status rs_control_start_session(rs_control *c, uint64_t user, const char *address,
                                   char session[RS_SECRET_MAX], rs_err *err) {
    rs_status st = rs_control_begin(c, err);
    return st == RS_OK ? rs_control_finish(c, start(c, user, "by password", address, session, err), err) : st;
}

rs_status rs_control_check_session(rs_control *c, rs_str session, rs_session *out, rs_err *err) {
    sqlite3_stmt *stmt;
    pthread_mutex_lock(&c->lock);
    rs_status st = rs_control_find_secret(c,
                                          "SELECT session.hash, session.expires, user.id, user.role"
                                          " FROM session JOIN user ON user.id = session.user"
                                          " WHERE session.prefix = ?1",
                                          session, &stmt, err);
    bool valid = st == RS_OK && stmt && (uint64_t)sqlite3_column_int64(stmt, 1) > rs_clock_wall_ns();
    if (valid)
        *out = (rs_session){(uint64_t)sqlite3_column_int64(stmt, 2), (rs_role)sqlite3_column_int(stmt, 3)};
    rs_control_done(stmt);
    pthread_mutex_unlock(&c->lock);
    return st == RS_OK && !valid ? rs_fail(err, RS_ERR_DENIED, 0, "no such session") : st;
}

rs_status rs_control_end_session(rs_control *c, rs_str session, rs_err *err) {
    rs_digest d = rs_digest_of(session);
    rs_status st = rs_control_begin(c, err);
    if (st != RS_OK) return st;
    st = rs_control_run(c, "DELETE FROM session WHERE prefix = ?1 AND hash = ?2",
                        RS_SQL(rs_sql_int((uint64_t)d.prefix), rs_sql_blob(d.hash, sizeof d.hash)), err);
    return rs_control_finish(c, st, err);
}

rs_status rs_control_get_server_key(rs_control *c, uint8_t out[RS_SERVER_KEY], rs_err *err) {
    sqlite3_stmt *stmt;
    pthread_mutex_lock(&c->lock);
    rs_status st =
        rs_control_first(c, "SELECT key FROM server_key", NULL, 0, "there is no key yet", &stmt, err);
    rs_str key = st == RS_OK ? rs_db_column_str(stmt, 0) : (rs_str){0};
    if (key.n == RS_SERVER_KEY) memcpy(out, key.p, RS_SERVER_KEY);
    else if (st == RS_OK) st = rs_fail(err, RS_ERR_CORRUPT, 0, "control.db: the server's key is damaged");
    rs_control_done(stmt);
    pthread_mutex_unlock(&c->lock);
    return st;
}
