#include "base/clock.h"
#include "store/control/internal.h"

#define COLUMNS "organization.id, organization.name, organization.created"
#define UNKNOWN "no such organization"

static void read_row(sqlite3_stmt *stmt, rs_organization *out) {
    *out = (rs_organization){.id = (uint64_t)sqlite3_column_int64(stmt, 0),
                             .created_ns = (uint64_t)sqlite3_column_int64(stmt, 2),
                             .role = (rs_role)sqlite3_column_int(stmt, 3)};
    rs_control_copy(out->name, sizeof out->name, rs_db_column_str(stmt, 1));
}

static rs_status find(rs_control *c, const char *sql, const rs_sql_value *values, size_t n,
                      rs_organization *out, rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st = rs_control_first(c, sql, values, n, UNKNOWN, &stmt, err);
    if (st == RS_OK) read_row(stmt, out);
    rs_control_done(stmt);
    return st;
}

static rs_status find_locked(rs_control *c, const char *sql, const rs_sql_value *values, size_t n,
                             rs_organization *out, rs_err *err) {
    pthread_mutex_lock(&c->lock);
    rs_status st = find(c, sql, values, n, out, err);
    pthread_mutex_unlock(&c->lock);
    return st;
}

static const char by_id[] = "SELECT " COLUMNS ", 0 FROM organization WHERE id = ?1",
                  by_name[] = "SELECT " COLUMNS ", 0 FROM organization WHERE name = ?1",
                  all[] = "SELECT " COLUMNS ", 0 FROM organization ORDER BY id",
                  of_user[] = "SELECT " COLUMNS ", membership.role FROM organization"
                              " JOIN membership ON membership.organization = organization.id"
                              " WHERE membership.user = ?1 ORDER BY organization.id",
                  seen[] = "SELECT " COLUMNS ", membership.role FROM organization"
                           " JOIN membership ON membership.organization = organization.id"
                           " WHERE membership.user = ?1 AND organization.id = ?2";

rs_status rs_control_get_organization(rs_control *c, uint64_t id, rs_organization *out, rs_err *err) {
    return find_locked(c, by_id, RS_SQL(rs_sql_int(id)), out, err);
}

rs_status rs_control_find_organization(rs_control *c, const char *name, rs_organization *out, rs_err *err) {
    if (!name) return rs_control_get_organization(c, RS_SERVER_ORGANIZATION, out, err);
    return find_locked(c, by_name, RS_SQL(rs_sql_text(name)), out, err);
}

rs_status rs_control_see_organization(rs_control *c, uint64_t user, uint64_t id, rs_organization *out,
                                      rs_err *err) {
    return find_locked(c, seen, RS_SQL(rs_sql_int(user), rs_sql_int(id)), out, err);
}

rs_status rs_control_list_organizations(rs_control *c, uint64_t user, rs_organization_fn fn, void *ctx,
                                        rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    pthread_mutex_lock(&c->lock);
    rs_status st = rs_control_ask(c, user ? of_user : all, RS_SQL(rs_sql_int(user)), &stmt, err);
    while (st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_organization organization;
        read_row(stmt, &organization);
        if (!fn(ctx, &organization)) break;
    }
    rs_control_done(stmt);
    pthread_mutex_unlock(&c->lock);
    return st;
}

/* ---- changes ------------------------------------------------------------------------------------------- */

/* One that could be taken for another one, or for a number, is none. */
static rs_status check_name(const char *name, rs_err *err) {
    rs_status st =
        rs_control_check_name("the organization's name", name, sizeof((rs_organization *)0)->name, err);
    if (st != RS_OK) return st;
    if (strchr(name, '/')) return rs_fail(err, RS_ERR_INVALID, 0, "the organization's name has a '/'");
    if (name[0] == ' ' || name[strlen(name) - 1] == ' ')
        return rs_fail(err, RS_ERR_INVALID, 0, "the organization's name has a space around it");
    if (!name[strspn(name, "0123456789")])
        return rs_fail(err, RS_ERR_INVALID, 0, "the organization's name is a number, as its id is");
    return RS_OK;
}

/* Nobody else but `id` (0: nobody at all) is called that, in whichever case. */
static rs_status check_free(rs_control *c, const char *name, uint64_t id, rs_err *err) {
    static const char sql[] =
        "SELECT " COLUMNS ", 0 FROM organization WHERE trim(name) = ?1 COLLATE NOCASE AND id <> ?2";
    rs_organization other;
    rs_err unused = {0};
    rs_status st = find(c, sql, RS_SQL(rs_sql_text(name), rs_sql_int(id)), &other, &unused);
    if (st == RS_ERR_NOT_FOUND) return RS_OK;
    if (st == RS_OK)
        return rs_fail(err, RS_ERR_INVALID, 0, "an organization named %s exists already", other.name);
    if (err) *err = unused;
    return st;
}

rs_status rs_control_create_organization(rs_control *c, const char *name, uint64_t owner, const rs_actor *by,
                                         rs_organization *out, rs_err *err) {
    rs_status st = check_name(name, err);
    if (st != RS_OK || (st = rs_control_begin(c, err)) != RS_OK) return st;
    st = check_free(c, name, 0, err);
    *out = (rs_organization){.created_ns = rs_clock_wall_ns(), .role = owner ? RS_ROLE_OWNER : RS_ROLE_NONE};
    rs_control_copy(out->name, sizeof out->name, rs_str_of(name));
    if (st == RS_OK)
        st = rs_control_run(c, "INSERT INTO organization(name, created) VALUES(?1, ?2)",
                            RS_SQL(rs_sql_text(name), rs_sql_int(out->created_ns)), err);
    out->id = (uint64_t)sqlite3_last_insert_rowid(c->db);
    if (st == RS_OK)
        st = rs_control_run(c, "INSERT INTO project(organization, name) VALUES(?1, ?2)",
                            RS_SQL(rs_sql_int(out->id), rs_sql_text(name)), err);
    if (st == RS_OK && owner) st = rs_control_insert_member(c, out->id, owner, RS_ROLE_OWNER, err);
    if (st == RS_OK) st = rs_control_log_in(c, by, "organization.create", rs_str_of(name), out->id, err);
    return rs_control_finish(c, st, err);
}

rs_status rs_control_rename_organization(rs_control *c, uint64_t id, const char *name, const rs_actor *by,
                                         rs_err *err) {
    rs_organization is;
    rs_status st = check_name(name, err);
    if (st != RS_OK || (st = rs_control_begin(c, err)) != RS_OK) return st;
    st = find(c, by_id, RS_SQL(rs_sql_int(id)), &is, err);
    if (st == RS_OK) st = check_free(c, name, id, err);
    if (st == RS_OK)
        st = rs_control_run(c, "UPDATE organization SET name = ?2 WHERE id = ?1",
                            RS_SQL(rs_sql_int(id), rs_sql_text(name)), err);
    if (st == RS_OK) st = rs_control_log_in(c, by, "organization.rename", rs_str_of(name), id, err);
    return rs_control_finish(c, st, err);
}

rs_status rs_control_delete_organization(rs_control *c, uint64_t id, const rs_actor *by, rs_err *err) {
    static const char *const steps[] = {
        "DELETE FROM api_key WHERE project IN (SELECT id FROM project WHERE organization = ?1)",
        "DELETE FROM project WHERE organization = ?1", /* with what is said of its traces, and its views */
        ("DELETE FROM user WHERE id IN (SELECT user FROM membership WHERE organization = ?1)"
         " AND id NOT IN (SELECT user FROM membership WHERE organization <> ?1)"),
        "DELETE FROM organization WHERE id = ?1", /* with its invites and memberships */
    };
    rs_organization is;
    rs_status st = rs_control_begin(c, err);
    if (st != RS_OK) return st;
    st = find(c, by_id, RS_SQL(rs_sql_int(id)), &is, err);
    if (st == RS_OK && id == RS_SERVER_ORGANIZATION)
        st = rs_fail(err, RS_ERR_INVALID, 0, "%s is the server's own organization: it stays", is.name);
    /* the server's: nobody is left to read it in this one */
    if (st == RS_OK) st = rs_control_log_in(c, by, "organization.delete", rs_str_of(is.name), 0, err);
    for (size_t i = 0; i < RS_ARRAY_LEN(steps) && st == RS_OK; i++)
        st = rs_control_run(c, steps[i], RS_SQL(rs_sql_int(id)), err);
    return rs_control_finish(c, st, err);
}
