#include "store/control/internal.h"

#define COLUMNS "id, name, keep_ns, keep_bytes"

static void read_row(sqlite3_stmt *stmt, rs_project *out) {
    *out = (rs_project){
        .id = (uint64_t)sqlite3_column_int64(stmt, 0),
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

static const char by_name[] = "SELECT " COLUMNS " FROM project WHERE name = ?1",
                  by_id[] = "SELECT " COLUMNS " FROM project WHERE id = ?1",
                  in_order[] = "SELECT " COLUMNS " FROM project ORDER BY id";

rs_status rs_control_find_project(rs_control *c, const char *name, rs_project *out, rs_err *err) {
    return find_locked(c, by_name, RS_SQL(rs_sql_text(name)), out, err);
}

rs_status rs_control_get_project(rs_control *c, uint64_t id, rs_project *out, rs_err *err) {
    return find_locked(c, by_id, RS_SQL(rs_sql_int(id)), out, err);
}

rs_status rs_control_first_project(rs_control *c, rs_project *out, rs_err *err) {
    return find_locked(c, in_order, NULL, 0, out, err);
}

rs_status rs_control_list_projects(rs_control *c, rs_project_fn fn, void *ctx, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    pthread_mutex_lock(&c->lock);
    rs_status st = rs_control_ask(c, in_order, NULL, 0, &stmt, err);
    while (st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_project project;
        read_row(stmt, &project);
        if (!fn(ctx, &project)) break;
    }
    rs_control_done(stmt);
    pthread_mutex_unlock(&c->lock);
    return st;
}

/* Nobody else but `id` (0: nobody at all) is called that. */
static rs_status check_free(rs_control *c, const char *name, uint64_t id, rs_err *err) {
    rs_project other;
    rs_err unused = {0};
    rs_status st = find(c, by_name, RS_SQL(rs_sql_text(name)), &other, &unused);
    if (st == RS_ERR_NOT_FOUND || (st == RS_OK && other.id == id)) return RS_OK;
    if (st == RS_OK) return rs_fail(err, RS_ERR_INVALID, 0, "a project named %s exists already", name);
    if (err) *err = unused;
    return st;
}

rs_status rs_control_create_project(rs_control *c, const char *name, const rs_actor *by, rs_project *out,
                                    rs_err *err) {
    rs_status st = rs_control_check_name("the project's name", name, sizeof out->name, err);
    if (st != RS_OK || (st = rs_control_begin(c, err)) != RS_OK) return st;
    st = check_free(c, name, 0, err);
    if (st == RS_OK)
        st = rs_control_run(c, "INSERT INTO project(name) VALUES(?1)", RS_SQL(rs_sql_text(name)), err);
    *out = (rs_project){.id = (uint64_t)sqlite3_last_insert_rowid(c->db)};
    rs_control_copy(out->name, sizeof out->name, rs_str_of(name));
    if (st == RS_OK) st = rs_control_log(c, by, "project.create", rs_str_of(name), out->id, err);
    return rs_control_finish(c, st, err);
}

rs_status rs_control_rename_project(rs_control *c, uint64_t id, const char *name, const rs_actor *by,
                                    rs_err *err) {
    rs_project project;
    rs_status st = rs_control_check_name("the project's name", name, sizeof project.name, err);
    if (st != RS_OK || (st = rs_control_begin(c, err)) != RS_OK) return st;
    st = find(c, by_id, RS_SQL(rs_sql_int(id)), &project, err);
    if (st == RS_OK) st = check_free(c, name, id, err);
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
        st = find(c, "SELECT " COLUMNS " FROM project WHERE id <> ?1", RS_SQL(rs_sql_int(id)), &first, NULL);
        if (st == RS_ERR_NOT_FOUND)
            st = rs_fail(err, RS_ERR_INVALID, 0, "%s is the only project: make another first", project.name);
    }
    if (st == RS_OK)
        st = rs_control_run(c, "DELETE FROM api_key WHERE project = ?1", RS_SQL(rs_sql_int(id)), err);
    if (st == RS_OK) st = rs_control_run(c, "DELETE FROM project WHERE id = ?1", RS_SQL(rs_sql_int(id)), err);
    if (st == RS_OK) st = rs_control_log(c, by, "project.delete", rs_str_of(project.name), id, err);
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
