#include "base/clock.h"
#include "store/control/internal.h"

#define COLUMNS "id, role, email, created, expires, organization"

static void read_row(sqlite3_stmt *stmt, int at, rs_invite *out) {
    *out = (rs_invite){.id = (uint64_t)sqlite3_column_int64(stmt, at),
                       .organization = (uint64_t)sqlite3_column_int64(stmt, at + 5),
                       .role = (rs_role)sqlite3_column_int(stmt, at + 1),
                       .created_ns = (uint64_t)sqlite3_column_int64(stmt, at + 3),
                       .expires_ns = (uint64_t)sqlite3_column_int64(stmt, at + 4)};
    rs_control_copy(out->email, sizeof out->email, rs_db_column_str(stmt, at + 2));
}

/* Whom it is for: an address, or whoever is to be that. */
static rs_str target_of(const rs_invite *invite) {
    return rs_str_of(invite->email[0] ? invite->email : rs_role_name(invite->role));
}

/* In the transaction: when he asked he was one, which another process may have changed since. */
static rs_status check_owner(rs_control *c, uint64_t organization, uint64_t user, rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st = rs_control_first(
        c, "SELECT 1 FROM membership WHERE user = ?1 AND organization = ?2 AND role = 3",
        RS_SQL(rs_sql_int(user), rs_sql_int(organization)), "only an owner may do this", &stmt, err);
    rs_control_done(stmt);
    return st == RS_ERR_NOT_FOUND ? rs_fail(err, RS_ERR_DENIED, 0, "only an owner may do this") : st;
}

rs_status rs_control_create_invite(rs_control *c, uint64_t organization, rs_role role, const char *email,
                                   const rs_actor *by, char token[RS_SECRET_MAX], rs_invite *out,
                                   rs_err *err) {
    uint64_t now = rs_clock_wall_ns(), inviter = by ? by->user : 0;
    rs_status st = email[0] ? rs_control_check_email(email, err) : RS_OK;
    if (st != RS_OK) return st;
    rs_digest d = rs_secret_make("", token);
    *out = (rs_invite){.organization = organization,
                       .role = role,
                       .created_ns = now,
                       .expires_ns = now + RS_INVITE_LIFETIME_S * RS_NS_PER_S};
    rs_control_copy(out->email, sizeof out->email, rs_str_of(email));
    if ((st = rs_control_begin(c, err)) != RS_OK) return st;
    if (inviter) st = check_owner(c, organization, inviter, err);
    if (st == RS_OK)
        st = rs_control_run(c, "DELETE FROM invite WHERE expires <= ?1", RS_SQL(rs_sql_int(now)), err);
    if (st == RS_OK)
        st =
            rs_control_run(c,
                           "INSERT INTO invite(prefix, hash, role, email, created, expires, organization,"
                           " inviter) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                           RS_SQL(rs_sql_int((uint64_t)d.prefix), rs_sql_blob(d.hash, sizeof d.hash),
                                  rs_sql_int(role), rs_sql_text(email), rs_sql_int(now),
                                  rs_sql_int(out->expires_ns), rs_sql_int(organization), rs_sql_int(inviter)),
                           err);
    out->id = (uint64_t)sqlite3_last_insert_rowid(c->db);
    if (st == RS_OK) st = rs_control_log_in(c, by, "invite.create", target_of(out), organization, err);
    return rs_control_finish(c, st, err);
}

rs_status rs_control_list_invites(rs_control *c, uint64_t organization, rs_invite_fn fn, void *ctx,
                                  rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    pthread_mutex_lock(&c->lock);
    rs_status st = rs_control_ask(
        c, "SELECT " COLUMNS " FROM invite WHERE organization = ?1 AND expires > ?2 ORDER BY id",
        RS_SQL(rs_sql_int(organization), rs_sql_int(rs_clock_wall_ns())), &stmt, err);
    while (st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_invite invite;
        read_row(stmt, 0, &invite);
        if (!fn(ctx, &invite)) break;
    }
    rs_control_done(stmt);
    pthread_mutex_unlock(&c->lock);
    return st;
}

static rs_status drop(rs_control *c, uint64_t id, rs_err *err) {
    return rs_control_run(c, "DELETE FROM invite WHERE id = ?1", RS_SQL(rs_sql_int(id)), err);
}

rs_status rs_control_delete_invite(rs_control *c, uint64_t organization, uint64_t id, const rs_actor *by,
                                   rs_err *err) {
    sqlite3_stmt *stmt;
    rs_invite invite;
    rs_status st = rs_control_begin(c, err);
    if (st != RS_OK) return st;
    st = rs_control_first(c, "SELECT " COLUMNS " FROM invite WHERE organization = ?1 AND id = ?2",
                          RS_SQL(rs_sql_int(organization), rs_sql_int(id)), "no such invite", &stmt, err);
    if (st == RS_OK) read_row(stmt, 0, &invite);
    rs_control_done(stmt);
    if (st == RS_OK) st = drop(c, id, err);
    if (st == RS_OK) st = rs_control_log_in(c, by, "invite.delete", target_of(&invite), organization, err);
    return rs_control_finish(c, st, err);
}

rs_status rs_control_end_invites(rs_control *c, uint64_t organization, uint64_t inviter, const rs_actor *by,
                                 rs_err *err) {
    sqlite3_stmt *stmt;
    rs_invite invite;
    rs_status st;
    while ((st = rs_control_first(
                c, "SELECT " COLUMNS " FROM invite WHERE organization = ?1 AND inviter = ?2 ORDER BY id",
                RS_SQL(rs_sql_int(organization), rs_sql_int(inviter)), "", &stmt, err)) == RS_OK) {
        read_row(stmt, 0, &invite);
        rs_control_done(stmt);
        st = drop(c, invite.id, err);
        if (st == RS_OK)
            st = rs_control_log_in(c, by, "invite.delete", target_of(&invite), organization, err);
        if (st != RS_OK) return st;
    }
    return st == RS_ERR_NOT_FOUND ? RS_OK : st;
}

static rs_status find(rs_control *c, rs_str token, rs_invite *out, rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st = rs_control_find_secret(c, "SELECT hash, " COLUMNS " FROM invite WHERE prefix = ?1", token,
                                          &stmt, err);
    bool found = st == RS_OK && stmt;
    if (found) read_row(stmt, 1, out);
    rs_control_done(stmt);
    if (st == RS_OK && (!found || out->expires_ns <= rs_clock_wall_ns()))
        st = rs_fail(err, RS_ERR_DENIED, 0, "this invite is unknown, used or expired");
    return st;
}

rs_status rs_control_find_invite(rs_control *c, rs_str token, rs_invite *out, rs_err *err) {
    pthread_mutex_lock(&c->lock);
    rs_status st = find(c, token, out, err);
    pthread_mutex_unlock(&c->lock);
    return st;
}

/* In the transaction, which takes it back where something goes wrong after. */
static rs_status use(rs_control *c, rs_str token, const char *email, rs_invite *out, rs_err *err) {
    rs_status st = find(c, token, out, err);
    if (st == RS_OK && out->email[0] && !rs_str_eq_nocase(rs_str_of(out->email), rs_str_of(email)))
        st = rs_fail(err, RS_ERR_DENIED, 0, "this invite is for another e-mail address");
    return st == RS_OK ? drop(c, out->id, err) : st;
}

rs_status rs_control_accept_invite(rs_control *c, rs_str token, const char *email, const char *name,
                                   const char *password, const char *address, rs_user *out, rs_err *err) {
    rs_invite invite;
    rs_status st = rs_control_check_email(email, err);
    if (st == RS_OK) st = rs_control_check_user_name(name, err);
    if (st != RS_OK || (st = rs_control_begin(c, err)) != RS_OK) return st;
    st = use(c, token, email, &invite, err);
    if (st == RS_OK)
        st = rs_control_insert_user(c, invite.organization, email, name, invite.role, password, out, err);
    rs_actor by = {.user = out->id, .address = address};
    if (st == RS_OK)
        st = rs_control_log_in(c, &by, "invite.accept", rs_str_of(email), invite.organization, err);
    return rs_control_finish(c, st, err);
}

rs_status rs_control_join_by_invite(rs_control *c, rs_str token, uint64_t user, const char *address,
                                    rs_err *err) {
    rs_invite invite;
    sqlite3_stmt *stmt;
    char email[sizeof invite.email] = "";
    rs_actor by = {.user = user, .address = address};
    rs_status st = rs_control_begin(c, err);
    if (st != RS_OK) return st;
    st = rs_control_first(c, "SELECT email FROM user WHERE id = ?1", RS_SQL(rs_sql_int(user)), "no such user",
                          &stmt, err);
    if (st == RS_OK) rs_control_copy(email, sizeof email, rs_db_column_str(stmt, 0));
    rs_control_done(stmt);
    if (st == RS_OK) st = use(c, token, email, &invite, err);
    if (st == RS_OK) st = rs_control_insert_member(c, invite.organization, user, invite.role, err);
    if (st == RS_OK)
        st = rs_control_log_in(c, &by, "invite.accept", rs_str_of(email), invite.organization, err);
    return rs_control_finish(c, st, err);
}
