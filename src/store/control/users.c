#include "base/clock.h"
#include "store/control/internal.h"

#define COLUMNS "id, email, name, 0, password <> '', created, seen"
#define NOBODY  "no such user"

static const char *const role_names[] = {"none", "viewer", "member", "owner"};

const char *rs_role_name(rs_role role) { return role_names[role]; }

rs_role rs_role_of(rs_str name) {
    for (int role = RS_ROLE_VIEWER; role <= RS_ROLE_OWNER; role++)
        if (rs_str_eq(name, rs_str_of(role_names[role]))) return (rs_role)role;
    return RS_ROLE_NONE;
}

void rs_control_read_user(sqlite3_stmt *stmt, rs_user *out) {
    *out = (rs_user){.id = (uint64_t)sqlite3_column_int64(stmt, 0),
                     .role = (rs_role)sqlite3_column_int(stmt, 3),
                     .has_password = sqlite3_column_int(stmt, 4) != 0,
                     .created_ns = (uint64_t)sqlite3_column_int64(stmt, 5),
                     .seen_ns = (uint64_t)sqlite3_column_int64(stmt, 6)};
    rs_control_copy(out->email, sizeof out->email, rs_db_column_str(stmt, 1));
    rs_control_copy(out->name, sizeof out->name, rs_db_column_str(stmt, 2));
}

static rs_status find(rs_control *c, const char *sql, const rs_sql_value *values, size_t n, rs_user *out,
                      rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st = rs_control_first(c, sql, values, n, NOBODY, &stmt, err);
    if (st == RS_OK) rs_control_read_user(stmt, out);
    rs_control_done(stmt);
    return st;
}

static rs_status find_locked(rs_control *c, const char *sql, const rs_sql_value *values, size_t n,
                             rs_user *out, rs_err *err) {
    pthread_mutex_lock(&c->lock);
    rs_status st = find(c, sql, values, n, out, err);
    pthread_mutex_unlock(&c->lock);
    return st;
}

static const char by_id[] = "SELECT " COLUMNS " FROM user WHERE id = ?1",
                  by_email[] = "SELECT " COLUMNS " FROM user WHERE email = ?1";

rs_status rs_control_get_user(rs_control *c, uint64_t id, rs_user *out, rs_err *err) {
    return find_locked(c, by_id, RS_SQL(rs_sql_int(id)), out, err);
}

rs_status rs_control_find_user(rs_control *c, const char *email, rs_user *out, rs_err *err) {
    return find_locked(c, by_email, RS_SQL(rs_sql_text(email)), out, err);
}

/* ---- changes ------------------------------------------------------------------------------------------- */

/* Something@something without blanks: whether mail arrives nobody here finds out. */
rs_status rs_control_check_email(const char *email, rs_err *err) {
    rs_status st = rs_control_check_name("the e-mail address", email, sizeof((rs_user *)0)->email, err);
    if (st != RS_OK) return st;
    const char *at = strchr(email, '@');
    if (!at || at == email || !at[1] || strchr(at + 1, '@') || strpbrk(email, " <>,;\""))
        return rs_fail(err, RS_ERR_INVALID, 0, "this is no e-mail address");
    return RS_OK;
}

rs_status rs_control_check_user_name(const char *name, rs_err *err) {
    return rs_control_check_name("the name", name, sizeof((rs_user *)0)->name, err);
}

static rs_status check_free(rs_control *c, const char *email, uint64_t id, rs_err *err) {
    rs_user other;
    rs_err unused = {0};
    rs_status st = find(c, by_email, RS_SQL(rs_sql_text(email)), &other, &unused);
    if (st == RS_ERR_NOT_FOUND || (st == RS_OK && other.id == id)) return RS_OK;
    if (st == RS_OK) return rs_fail(err, RS_ERR_INVALID, 0, "there is a user with this e-mail address");
    if (err) *err = unused;
    return st;
}

rs_status rs_control_insert_user(rs_control *c, uint64_t organization, const char *email, const char *name,
                                 rs_role role, const char *password, rs_user *out, rs_err *err) {
    rs_status st = check_free(c, email, 0, err);
    *out = (rs_user){.role = role, .has_password = password[0] != 0, .created_ns = rs_clock_wall_ns()};
    rs_control_copy(out->email, sizeof out->email, rs_str_of(email));
    rs_control_copy(out->name, sizeof out->name, rs_str_of(name));
    if (st == RS_OK)
        st = rs_control_run(
            c, "INSERT INTO user(email, name, password, created) VALUES(?1, ?2, ?3, ?4)",
            RS_SQL(rs_sql_text(email), rs_sql_text(name), rs_sql_text(password), rs_sql_int(out->created_ns)),
            err);
    out->id = (uint64_t)sqlite3_last_insert_rowid(c->db);
    return st == RS_OK ? rs_control_insert_member(c, organization, out->id, role, err) : st;
}

rs_status rs_control_add_user(rs_control *c, uint64_t organization, const char *email, const char *name,
                              rs_role role, const char *password, const rs_actor *by, rs_user *out,
                              rs_err *err) {
    rs_status st = rs_control_check_email(email, err);
    if (st == RS_OK) st = rs_control_check_user_name(name, err);
    if (st != RS_OK || (st = rs_control_begin(c, err)) != RS_OK) return st;
    st = rs_control_insert_user(c, organization, email, name, role, password, out, err);
    if (st == RS_OK) st = rs_control_log_in(c, by, "user.add", rs_str_of(email), organization, err);
    return rs_control_finish(c, st, err);
}

rs_status rs_control_set_account(rs_control *c, uint64_t id, const char *email, const char *name,
                                 const rs_actor *by, rs_err *err) {
    rs_status st = rs_control_check_email(email, err);
    if (st == RS_OK) st = rs_control_check_user_name(name, err);
    if (st != RS_OK || (st = rs_control_begin(c, err)) != RS_OK) return st;
    st = check_free(c, email, id, err);
    if (st == RS_OK)
        st = rs_control_run(c, "UPDATE user SET email = ?2, name = ?3 WHERE id = ?1",
                            RS_SQL(rs_sql_int(id), rs_sql_text(email), rs_sql_text(name)), err);
    if (st == RS_OK && sqlite3_changes(c->db) == 0) st = rs_fail(err, RS_ERR_NOT_FOUND, 0, NOBODY);
    if (st == RS_OK) st = rs_control_log(c, by, "user.account", rs_str_of(email), 0, err);
    return rs_control_finish(c, st, err);
}
