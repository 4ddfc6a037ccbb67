#include "store/control/internal.h"

#define MEMBERS                                                                                              \
    "SELECT user.id, email, name, role, password <> '', created, seen"                                       \
    " FROM membership JOIN user ON user.id = membership.user WHERE membership.organization = ?1"

static const char one[] = MEMBERS " AND user.id = ?2", all[] = MEMBERS " ORDER BY user.id",
                  owners[] = MEMBERS " AND role = 3 ORDER BY user.id",
                  other_owner[] = MEMBERS " AND role = 3 AND user.id <> ?2";

static rs_status find(rs_control *c, const char *sql, uint64_t organization, uint64_t user, rs_user *out,
                      rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st = rs_control_first(c, sql, RS_SQL(rs_sql_int(organization), rs_sql_int(user)),
                                    "no such user", &stmt, err);
    if (st == RS_OK) rs_control_read_user(stmt, out);
    rs_control_done(stmt);
    return st;
}

static rs_status find_locked(rs_control *c, const char *sql, uint64_t organization, uint64_t user,
                             rs_user *out, rs_err *err) {
    pthread_mutex_lock(&c->lock);
    rs_status st = find(c, sql, organization, user, out, err);
    pthread_mutex_unlock(&c->lock);
    return st;
}

rs_status rs_control_get_member(rs_control *c, uint64_t organization, uint64_t user, rs_user *out,
                                rs_err *err) {
    return find_locked(c, one, organization, user, out, err);
}

rs_status rs_control_first_owner(rs_control *c, rs_user *out, rs_err *err) {
    return find_locked(c, owners, RS_SERVER_ORGANIZATION, 0, out, err);
}

rs_status rs_control_list_members(rs_control *c, uint64_t organization, rs_user_fn fn, void *ctx,
                                  rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    pthread_mutex_lock(&c->lock);
    rs_status st = rs_control_ask(c, all, RS_SQL(rs_sql_int(organization)), &stmt, err);
    while (st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_user user;
        rs_control_read_user(stmt, &user);
        if (!fn(ctx, &user)) break;
    }
    rs_control_done(stmt);
    pthread_mutex_unlock(&c->lock);
    return st;
}

/* ---- changes ------------------------------------------------------------------------------------------- */

rs_status rs_control_insert_member(rs_control *c, uint64_t organization, uint64_t user, rs_role role,
                                   rs_err *err) {
    rs_user is;
    rs_err unused = {0};
    rs_status st = find(c, one, organization, user, &is, &unused);
    if (st == RS_OK) return rs_fail(err, RS_ERR_INVALID, 0, "%s is in this organization already", is.email);
    if (st != RS_ERR_NOT_FOUND) {
        if (err) *err = unused;
        return st;
    }
    return rs_control_run(c, "INSERT INTO membership(user, organization, role) VALUES(?1, ?2, ?3)",
                          RS_SQL(rs_sql_int(user), rs_sql_int(organization), rs_sql_int(role)), err);
}

rs_status rs_control_add_member(rs_control *c, uint64_t organization, uint64_t user, rs_role role,
                                const rs_actor *by, rs_err *err) {
    rs_user is;
    rs_status st = rs_control_begin(c, err);
    if (st != RS_OK) return st;
    st = rs_control_insert_member(c, organization, user, role, err);
    if (st == RS_OK) st = find(c, one, organization, user, &is, err);
    if (st == RS_OK) st = rs_control_log_in(c, by, "user.add", rs_str_of(is.email), organization, err);
    return rs_control_finish(c, st, err);
}

/* Somebody must be able to let others in. */
static rs_status check_not_last_owner(rs_control *c, uint64_t organization, const rs_user *user,
                                      rs_err *err) {
    rs_user other;
    if (user->role != RS_ROLE_OWNER) return RS_OK;
    rs_status st = find(c, other_owner, organization, user->id, &other, NULL);
    return st == RS_ERR_NOT_FOUND
               ? rs_fail(err, RS_ERR_INVALID, 0, "%s is the only owner: make another first", user->email)
               : st;
}

rs_status rs_control_set_role(rs_control *c, uint64_t organization, uint64_t id, rs_role role,
                              const rs_actor *by, rs_err *err) {
    rs_user user;
    rs_status st = rs_control_begin(c, err);
    if (st != RS_OK) return st;
    st = find(c, one, organization, id, &user, err);
    if (st == RS_OK && role != RS_ROLE_OWNER) st = check_not_last_owner(c, organization, &user, err);
    if (st == RS_OK)
        st = rs_control_run(c, "UPDATE membership SET role = ?3 WHERE user = ?1 AND organization = ?2",
                            RS_SQL(rs_sql_int(id), rs_sql_int(organization), rs_sql_int(role)), err);
    if (st == RS_OK && role != RS_ROLE_OWNER) st = rs_control_end_invites(c, organization, id, by, err);
    if (st == RS_OK) st = rs_control_log_in(c, by, "user.role", rs_str_of(user.email), organization, err);
    return rs_control_finish(c, st, err);
}

/* His own views of its projects; what he shared stays. */
static rs_status drop(rs_control *c, uint64_t organization, uint64_t user, bool *gone, rs_err *err) {
    rs_status st = rs_control_run(c,
                                  "DELETE FROM saved_view WHERE user = ?1 AND NOT shared AND project IN"
                                  " (SELECT id FROM project WHERE organization = ?2)",
                                  RS_SQL(rs_sql_int(user), rs_sql_int(organization)), err);
    if (st == RS_OK)
        st = rs_control_run(c, "DELETE FROM membership WHERE user = ?1 AND organization = ?2",
                            RS_SQL(rs_sql_int(user), rs_sql_int(organization)), err);
    if (st == RS_OK)
        st = rs_control_run(c,
                            "DELETE FROM user WHERE id = ?1"
                            " AND NOT EXISTS(SELECT 1 FROM membership WHERE user = ?1)",
                            RS_SQL(rs_sql_int(user)), err);
    if (st == RS_OK) *gone = sqlite3_changes(c->db) > 0;
    return st;
}

rs_status rs_control_remove_member(rs_control *c, uint64_t organization, uint64_t id, const rs_actor *by,
                                   bool *gone, rs_err *err) {
    rs_user user;
    bool is_gone;
    rs_status st = rs_control_begin(c, err);
    if (st != RS_OK) return st;
    st = find(c, one, organization, id, &user, err);
    if (st == RS_OK) st = check_not_last_owner(c, organization, &user, err);
    /* or he would be back by his own */
    if (st == RS_OK) st = rs_control_end_invites(c, organization, id, by, err);
    /* before he is gone: he may remove himself */
    if (st == RS_OK) st = rs_control_log_in(c, by, "user.remove", rs_str_of(user.email), organization, err);
    if (st == RS_OK) st = drop(c, organization, id, gone ? gone : &is_gone, err);
    return rs_control_finish(c, st, err);
}
