#include "store/control/internal.h"

#include <stdio.h>

#define COLUMNS "project.id, project.name, keep_ns, keep_bytes, project.organization"
/* What a user sees, and as what. */
#define SEEN                                                                                                 \
    "SELECT " COLUMNS ", membership.role FROM project"                                                       \
    " JOIN membership ON membership.organization = project.organization WHERE membership.user = ?1"

static void read_row(sqlite3_stmt *stmt, rs_project *out) {
    *out = (rs_project){
        .id = (uint64_t)sqlite3_column_int64(stmt, 0),
        .organization = (uint64_t)sqlite3_column_int64(stmt, 4),
        .role = (rs_role)sqlite3_column_int(stmt, 5),
        .keep = {(uint64_t)sqlite3_column_int64(stmt, 2), (uint64_t)sqlite3_column_int64(stmt, 3)}};
    rs_control_copy(out->name, sizeof out->name, rs_db_column_str(stmt, 1));
}

static rs_status find(rs_control *c, const char *sql, const rs_sql_value *values, size_t n, rs_project *out,
                      rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st = rs_control_first(c, sql, values, n, "no such project", &stmt, err);
    if (st == RS_OK) read_row(stmt, out);
    rs_control_done(stmt);
    return st;
}

static rs_status find_locked(rs_control *c, const char *sql, const rs_sql_value *values, size_t n,
                             rs_project *out, rs_err *err) {
    pthread_mutex_lock(&c->lock);
    rs_status st = find(c, sql, values, n, out, err);
    pthread_mutex_unlock(&c->lock);
    return st;
}

static const char by_name[] = "SELECT " COLUMNS ", 0 FROM project WHERE organization = ?1 AND name = ?2",
                  by_id[] = "SELECT " COLUMNS ", 0 FROM project WHERE id = ?1",
                  in_order[] =
                      "SELECT " COLUMNS ", 0 FROM project WHERE organization = ?1 OR ?1 = 0 ORDER BY id",
                  seen_one[] = SEEN " AND project.id = ?2", seen_first[] = SEEN " ORDER BY project.id",
                  seen[] = SEEN " ORDER BY project.organization, project.id";

rs_status rs_control_get_project(rs_control *c, uint64_t id, rs_project *out, rs_err *err) {
    return find_locked(c, by_id, RS_SQL(rs_sql_int(id)), out, err);
}

rs_status rs_control_see_project(rs_control *c, uint64_t user, uint64_t id, rs_project *out, rs_err *err) {
    return find_locked(c, seen_one, RS_SQL(rs_sql_int(user), rs_sql_int(id)), out, err);
}

rs_status rs_control_first_project(rs_control *c, uint64_t organization, rs_project *out, rs_err *err) {
    return find_locked(c, in_order, RS_SQL(rs_sql_int(organization)), out, err);
}

rs_status rs_control_first_project_of_user(rs_control *c, uint64_t user, rs_project *out, rs_err *err) {
    return find_locked(c, seen_first, RS_SQL(rs_sql_int(user)), out, err);
}

rs_status rs_control_find_project_in(rs_control *c, uint64_t organization, const char *name, rs_project *out,
                                     rs_err *err) {
    return find_locked(c, by_name, RS_SQL(rs_sql_int(organization), rs_sql_text(name)), out, err);
}

static rs_status list(rs_control *c, const char *sql, uint64_t of, rs_project_fn fn, void *ctx, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    pthread_mutex_lock(&c->lock);
    rs_status st = rs_control_ask(c, sql, RS_SQL(rs_sql_int(of)), &stmt, err);
    while (st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_project project;
        read_row(stmt, &project);
        if (!fn(ctx, &project)) break;
    }
    rs_control_done(stmt);
    pthread_mutex_unlock(&c->lock);
    return st;
}

rs_status rs_control_list_projects(rs_control *c, uint64_t organization, rs_project_fn fn, void *ctx,
                                   rs_err *err) {
    return list(c, in_order, organization, fn, ctx, err);
}

rs_status rs_control_list_projects_of_user(rs_control *c, uint64_t user, rs_project_fn fn, void *ctx,
                                           rs_err *err) {
    return list(c, seen, user, fn, ctx, err);
}

/* ---- by what it is called ------------------------------------------------------------------------------ */

/* ORGANIZATION/NAME or NAME, of which the server's own goes before others'; who is one by the first and another by the second is nobody:
 * who may name his own would be taken for the other. */
static const char called[] =
    "SELECT " COLUMNS ", 0, organization.name, project.name, project.name <> ?1 FROM project"
    " JOIN organization ON organization.id = project.organization"
    " WHERE project.name = ?1 OR organization.name = ?2 AND project.name = ?3"
    " ORDER BY project.organization";

rs_status rs_control_find_project(rs_control *c, const char *name, rs_project *out, rs_err *err) {
    sqlite3_stmt *stmt;
    char candidates[256] = "";
    size_t n = 0;
    bool row = true, is_qualified = false;
    const char *slash = strchr(name, '/');
    rs_str organization = {name, slash ? (size_t)(slash - name) : 0};
    pthread_mutex_lock(&c->lock);
    rs_status st = rs_control_first(
        c, called, RS_SQL(rs_sql_text(name), rs_sql_str(organization), rs_sql_text(slash ? slash + 1 : "")),
        "no such project", &stmt, err);
    if (st == RS_OK) read_row(stmt, out);
    while (st == RS_OK && row) {
        rs_str of = rs_db_column_str(stmt, 6), is = rs_db_column_str(stmt, 7);
        size_t used = strlen(candidates);
        snprintf(candidates + used, sizeof candidates - used, "%s%.*s/%.*s", n++ ? ", " : "", RS_STR_ARG(of),
                 RS_STR_ARG(is));
        is_qualified |= sqlite3_column_int(stmt, 8) != 0;
        st = rs_db_step(stmt, &row, err);
    }
    rs_control_done(stmt);
    pthread_mutex_unlock(&c->lock);
    if (st == RS_OK && n > 1 && (is_qualified || out->organization != RS_SERVER_ORGANIZATION))
        st = rs_fail(err, RS_ERR_INVALID, 0, "several projects are called that: %s", candidates);
    return st;
}

/* ---- changes ------------------------------------------------------------------------------------------- */

/* A new one: "ORGANIZATION/NAME" is to be one project's name only. */
static rs_status check_name(const char *name, rs_err *err) {
    rs_status st = rs_control_check_name("the project's name", name, sizeof((rs_project *)0)->name, err);
    return st == RS_OK && strchr(name, '/') ? rs_fail(err, RS_ERR_INVALID, 0, "the project's name has a '/'")
                                            : st;
}

/* Nobody else in it but `id` (0: nobody at all) is called that. */
static rs_status check_free(rs_control *c, uint64_t organization, const char *name, uint64_t id,
                            rs_err *err) {
    rs_project other;
    rs_err unused = {0};
    rs_status st = find(c, by_name, RS_SQL(rs_sql_int(organization), rs_sql_text(name)), &other, &unused);
    if (st == RS_ERR_NOT_FOUND || (st == RS_OK && other.id == id)) return RS_OK;
    if (st == RS_OK) return rs_fail(err, RS_ERR_INVALID, 0, "a project named %s exists already", name);
    if (err) *err = unused;
    return st;
}

rs_status rs_control_create_project(rs_control *c, uint64_t organization, const char *name,
                                    const rs_actor *by, rs_project *out, rs_err *err) {
    rs_status st = check_name(name, err);
    if (st != RS_OK || (st = rs_control_begin(c, err)) != RS_OK) return st;
    st = check_free(c, organization, name, 0, err);
    if (st == RS_OK)
        st = rs_control_run(c, "INSERT INTO project(organization, name) VALUES(?1, ?2)",
                            RS_SQL(rs_sql_int(organization), rs_sql_text(name)), err);
    *out = (rs_project){.id = (uint64_t)sqlite3_last_insert_rowid(c->db), .organization = organization};
    rs_control_copy(out->name, sizeof out->name, rs_str_of(name));
    if (st == RS_OK) st = rs_control_log(c, by, "project.create", rs_str_of(name), out->id, err);
    return rs_control_finish(c, st, err);
}

rs_status rs_control_rename_project(rs_control *c, uint64_t id, const char *name, const rs_actor *by,
                                    rs_err *err) {
    rs_project project;
    rs_status st = check_name(name, err);
    if (st != RS_OK || (st = rs_control_begin(c, err)) != RS_OK) return st;
    st = find(c, by_id, RS_SQL(rs_sql_int(id)), &project, err);
    if (st == RS_OK) st = check_free(c, project.organization, name, id, err);
    if (st == RS_OK)
        st = rs_control_run(c, "UPDATE project SET name = ?2 WHERE id = ?1",
                            RS_SQL(rs_sql_int(id), rs_sql_text(name)), err);
    if (st == RS_OK) st = rs_control_log(c, by, "project.rename", rs_str_of(name), id, err);
    return rs_control_finish(c, st, err);
}

rs_status rs_control_set_retention(rs_control *c, uint64_t id, const rs_retention *keep, const rs_actor *by,
                                   rs_err *err) {
    rs_project project;
    if (keep->age_ns > INT64_MAX || keep->bytes > INT64_MAX)
        return rs_fail(err, RS_ERR_INVALID, 0, "so much cannot be kept");
    rs_status st = rs_control_begin(c, err);
    if (st != RS_OK) return st;
    st = find(c, by_id, RS_SQL(rs_sql_int(id)), &project, err);
    if (st == RS_OK)
        st = rs_control_run(c, "UPDATE project SET keep_ns = ?2, keep_bytes = ?3 WHERE id = ?1",
                            RS_SQL(rs_sql_int(id), rs_sql_int(keep->age_ns), rs_sql_int(keep->bytes)), err);
    if (st == RS_OK) st = rs_control_log(c, by, "project.retention", rs_str_of(project.name), id, err);
    return rs_control_finish(c, st, err);
}

rs_status rs_control_delete_project(rs_control *c, uint64_t id, const rs_actor *by, rs_err *err) {
    rs_project project, first;
    rs_status st = rs_control_begin(c, err);
    if (st != RS_OK) return st;
    st = find(c, by_id, RS_SQL(rs_sql_int(id)), &project, err);
    if (st == RS_OK) {
        st = find(c, "SELECT " COLUMNS ", 0 FROM project WHERE organization = ?2 AND id <> ?1",
                  RS_SQL(rs_sql_int(id), rs_sql_int(project.organization)), &first, NULL);
        if (st == RS_ERR_NOT_FOUND)
            st = rs_fail(err, RS_ERR_INVALID, 0,
                         "%s is the only project of its organization: make another first", project.name);
    }
    /* before it is gone: the entry is in its organization */
    if (st == RS_OK) st = rs_control_log(c, by, "project.delete", rs_str_of(project.name), id, err);
    if (st == RS_OK)
        st = rs_control_run(c, "DELETE FROM api_key WHERE project = ?1", RS_SQL(rs_sql_int(id)), err);
    if (st == RS_OK) st = rs_control_run(c, "DELETE FROM project WHERE id = ?1", RS_SQL(rs_sql_int(id)), err);
    return rs_control_finish(c, st, err);
}

/* What numbers were given SQLite remembers (AUTOINCREMENT). */
rs_status rs_control_was_project_deleted(rs_control *c, uint64_t id, bool *deleted, rs_err *err) {
    sqlite3_stmt *stmt;
    *deleted = false;
    pthread_mutex_lock(&c->lock);
    rs_status st = rs_control_ask(c,
                                  "SELECT 1 FROM sqlite_sequence WHERE name = 'project' AND seq >= ?1"
                                  " AND NOT EXISTS(SELECT 1 FROM project WHERE id = ?1)",
                                  RS_SQL(rs_sql_int(id)), &stmt, err);
    if (st == RS_OK) st = rs_db_step(stmt, deleted, err);
    rs_control_done(stmt);
    pthread_mutex_unlock(&c->lock);
    return st;
}
