#include "base/clock.h"
#include "store/control/internal.h"

#include <sodium.h>

#define USE_NOTED_EVERY (60 * RS_NS_PER_S)

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

/* Whatever somebody sent: it is shown in terminals, too. */
static rs_str printable(const char *text, char out[sizeof((rs_session_row *)0)->agent]) {
    size_t n = 0;
    for (; text && text[n] && n < sizeof((rs_session_row *)0)->agent - 1; n++)
        out[n] = text[n] >= ' ' && text[n] < 0x7f ? text[n] : '?';
    return (rs_str){out, n};
}

static rs_status start(rs_control *c, uint64_t user, const char *how, const rs_signin_from *from,
                       char session[RS_SECRET_MAX], rs_err *err) {
    char agent[sizeof((rs_session_row *)0)->agent];
    rs_digest d = rs_secret_make("", session);
    uint64_t now = rs_clock_wall_ns();
    rs_status st = rs_control_run(c, "DELETE FROM session WHERE expires <= ?1", RS_SQL(rs_sql_int(now)), err);
    if (st == RS_OK)
        st = rs_control_run(c,
                            "INSERT INTO session(prefix, hash, user, created, expires, used, address, agent)"
                            " VALUES(?1, ?2, ?3, ?4, ?5, ?4, ?6, ?7)",
                            RS_SQL(rs_sql_int((uint64_t)d.prefix), rs_sql_blob(d.hash, sizeof d.hash),
                                   rs_sql_int(user), rs_sql_int(now),
                                   rs_sql_int(lasting(RS_SESSION_LIFETIME_S)), rs_sql_text(from->address),
                                   rs_sql_str(printable(from->agent, agent))),
                            err);
    if (st == RS_OK)
        st = rs_control_run(c, "UPDATE user SET seen = ?2 WHERE id = ?1",
                            RS_SQL(rs_sql_int(user), rs_sql_int(now)), err);
    rs_actor by = {.user = user, .address = from->address};
    return st == RS_OK ? rs_control_log(c, &by, "signin", rs_str_of(how), 0, err) : st;
}

rs_status rs_control_redeem_link(rs_control *c, rs_str token, const rs_signin_from *from,
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
    if (st == RS_OK) st = start(c, user, "by link", from, session, err);
    return rs_control_finish(c, st, err);
}

rs_status rs_control_start_session(rs_control *c, uint64_t user, const rs_signin_from *from,
                                   char session[RS_SECRET_MAX], rs_err *err) {
    rs_status st = rs_control_begin(c, err);
    return st == RS_OK ? rs_control_finish(c, start(c, user, "by password", from, session, err), err) : st;
}

/* Failing to note a use is no reason to refuse it. */
static void note_use(rs_control *c, uint64_t rowid, uint64_t user, uint64_t used, uint64_t now) {
    if (now < used + USE_NOTED_EVERY) return;
    if (rs_control_run(c, "UPDATE session SET used = ?2 WHERE rowid = ?1",
                       RS_SQL(rs_sql_int(rowid), rs_sql_int(now)), NULL) != RS_OK)
        return;
    (void)!rs_control_run(c, "UPDATE user SET seen = ?2 WHERE id = ?1",
                          RS_SQL(rs_sql_int(user), rs_sql_int(now)), NULL);
}

rs_status rs_control_check_session(rs_control *c, rs_str session, rs_session *out, rs_err *err) {
    sqlite3_stmt *stmt;
    uint64_t rowid = 0, used = 0, now = rs_clock_wall_ns();
    pthread_mutex_lock(&c->lock);
    rs_status st = rs_control_find_secret(c,
                                          "SELECT session.hash, session.expires, user.id,"
                                          " EXISTS(SELECT 1 FROM membership WHERE user = session.user"
                                          "  AND organization = 1 AND role = 3),"
                                          " session.rowid, session.used"
                                          " FROM session JOIN user ON user.id = session.user"
                                          " WHERE session.prefix = ?1",
                                          session, &stmt, err);
    bool valid = st == RS_OK && stmt && (uint64_t)sqlite3_column_int64(stmt, 1) > now;
    if (valid) {
        *out = (rs_session){(uint64_t)sqlite3_column_int64(stmt, 2), sqlite3_column_int(stmt, 3) != 0};
        rowid = (uint64_t)sqlite3_column_int64(stmt, 4), used = (uint64_t)sqlite3_column_int64(stmt, 5);
    }
    rs_control_done(stmt);
    if (valid) note_use(c, rowid, out->user, used, now);
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

/* ---- a user's own --------------------------------------------------------------------------------------- */

static void read_row(sqlite3_stmt *stmt, const rs_digest *mine, rs_session_row *out) {
    rs_str hash = rs_db_column_str(stmt, 6);
    *out = (rs_session_row){.id = (uint64_t)sqlite3_column_int64(stmt, 0),
                            .created_ns = (uint64_t)sqlite3_column_int64(stmt, 1),
                            .used_ns = (uint64_t)sqlite3_column_int64(stmt, 2),
                            .expires_ns = (uint64_t)sqlite3_column_int64(stmt, 3),
                            .is_asked = hash.n == sizeof mine->hash &&
                                        sodium_memcmp(hash.p, mine->hash, hash.n) == 0};
    rs_control_copy(out->address, sizeof out->address, rs_db_column_str(stmt, 4));
    rs_control_copy(out->agent, sizeof out->agent, rs_db_column_str(stmt, 5));
}

rs_status rs_control_list_sessions(rs_control *c, uint64_t user, rs_str mine, rs_session_fn fn, void *ctx,
                                   rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    rs_digest d = rs_digest_of(mine);
    pthread_mutex_lock(&c->lock);
    rs_status st = rs_control_ask(c,
                                  "SELECT rowid, created, used, expires, address, agent, hash FROM session"
                                  " WHERE user = ?1 AND expires > ?2 ORDER BY used DESC, rowid DESC",
                                  RS_SQL(rs_sql_int(user), rs_sql_int(rs_clock_wall_ns())), &stmt, err);
    while (st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_session_row found;
        read_row(stmt, &d, &found);
        if (!fn(ctx, &found)) break;
    }
    rs_control_done(stmt);
    pthread_mutex_unlock(&c->lock);
    return st;
}

/* Of a user that there is. */
static rs_status log_end(rs_control *c, uint64_t user, const rs_actor *by, rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st = rs_control_first(c, "SELECT email FROM user WHERE id = ?1", RS_SQL(rs_sql_int(user)),
                                    "no such user", &stmt, err);
    if (st == RS_OK) st = rs_control_log(c, by, "session.end", rs_db_column_str(stmt, 0), 0, err);
    rs_control_done(stmt);
    return st;
}

rs_status rs_control_end_session_of(rs_control *c, uint64_t user, uint64_t id, const rs_actor *by,
                                    rs_err *err) {
    rs_status st = rs_control_begin(c, err);
    if (st != RS_OK) return st;
    st = rs_control_run(c, "DELETE FROM session WHERE rowid = ?1 AND user = ?2",
                        RS_SQL(rs_sql_int(id), rs_sql_int(user)), err);
    if (st == RS_OK && sqlite3_changes(c->db) == 0)
        st = rs_fail(err, RS_ERR_NOT_FOUND, 0, "there is no such session: it may have ended");
    if (st == RS_OK) st = log_end(c, user, by, err);
    return rs_control_finish(c, st, err);
}

rs_status rs_control_end_other_sessions(rs_control *c, uint64_t user, rs_str kept, const rs_actor *by,
                                        uint64_t *ended, rs_err *err) {
    rs_digest d = rs_digest_of(kept);
    *ended = 0;
    rs_status st = rs_control_begin(c, err);
    if (st != RS_OK) return st;
    st = rs_control_run(c, "DELETE FROM session WHERE user = ?1 AND hash <> ?2",
                        RS_SQL(rs_sql_int(user), rs_sql_blob(d.hash, sizeof d.hash)), err);
    if (st == RS_OK) *ended = (uint64_t)sqlite3_changes(c->db);
    if (st == RS_OK && *ended) st = log_end(c, user, by, err);
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
