#include "base/clock.h"
#include "store/control/internal.h"

static rs_status add(rs_control *c, const rs_actor *by, const char *action, rs_str target,
                     uint64_t organization, uint64_t project, rs_err *err) {
    static const rs_actor command_line = {.name = "command line"};
    if (!by) by = &command_line;
    rs_status st =
        rs_control_run(c,
                       "INSERT INTO audit(time, actor, action, target, organization, project, address)"
                       " VALUES(?1, coalesce((SELECT email FROM user WHERE id = ?2), ?3), ?4, ?5,"
                       " coalesce((SELECT organization FROM project WHERE id = ?7), ?6), ?7, ?8)",
                       RS_SQL(rs_sql_int(rs_clock_wall_ns()), rs_sql_int(by->user), rs_sql_text(by->name),
                              rs_sql_text(action), rs_sql_str(rs_str_cut_utf8(target, RS_AUDIT_TARGET)),
                              rs_sql_int(organization), rs_sql_int(project), rs_sql_text(by->address)),
                       err);
    if (st != RS_OK) return st;
    return rs_control_run(
        c, "DELETE FROM audit WHERE id <= ?1 - ?2",
        RS_SQL(rs_sql_int((uint64_t)sqlite3_last_insert_rowid(c->db)), rs_sql_int(RS_AUDIT_KEPT)), err);
}

rs_status rs_control_log(rs_control *c, const rs_actor *by, const char *action, rs_str target,
                         uint64_t project, rs_err *err) {
    return add(c, by, action, target, 0, project, err);
}

rs_status rs_control_log_in(rs_control *c, const rs_actor *by, const char *action, rs_str target,
                            uint64_t organization, rs_err *err) {
    return add(c, by, action, target, organization, 0, err);
}

rs_status rs_control_note(rs_control *c, const rs_actor *by, const char *action, rs_str target,
                          uint64_t project, rs_err *err) {
    rs_status st = rs_control_begin(c, err);
    return st == RS_OK ? rs_control_finish(c, rs_control_log(c, by, action, target, project, err), err) : st;
}

rs_status rs_control_list_audit(rs_control *c, const rs_audit_filter *filter, uint64_t before, size_t n,
                                rs_audit_fn fn, void *ctx, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    uint64_t below = before && before < INT64_MAX ? before : INT64_MAX;
    pthread_mutex_lock(&c->lock);
    rs_status st =
        rs_control_ask(c,
                       "SELECT id, time, actor, action, target, project, address, organization"
                       " FROM audit"
                       " WHERE id < ?1 AND (?3 = '' OR actor = ?3 COLLATE NOCASE)"
                       " AND (?4 = '' OR action = ?4 OR (?4 LIKE '%.' AND instr(action, ?4) = 1))"
                       " AND (?5 = '' OR instr(lower(actor || char(10) || action || char(10) ||"
                       " target || char(10) || address), lower(?5)))"
                       " AND (?6 = 0 OR organization = ?6 OR (?6 = ?7 AND organization = 0))"
                       " ORDER BY id DESC LIMIT ?2",
                       RS_SQL(rs_sql_int(below), rs_sql_int(n), rs_sql_text(filter->actor),
                              rs_sql_text(filter->action), rs_sql_text(filter->text),
                              rs_sql_int(filter->organization), rs_sql_int(RS_SERVER_ORGANIZATION)),
                       &stmt, err);
    while (st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_audit_row r = {.id = (uint64_t)sqlite3_column_int64(stmt, 0),
                          .time_ns = (uint64_t)sqlite3_column_int64(stmt, 1),
                          .organization = (uint64_t)sqlite3_column_int64(stmt, 7),
                          .project = (uint64_t)sqlite3_column_int64(stmt, 5),
                          .actor = rs_db_column_str(stmt, 2),
                          .action = rs_db_column_str(stmt, 3),
                          .target = rs_db_column_str(stmt, 4),
                          .address = rs_db_column_str(stmt, 6)};
        if (!fn(ctx, &r)) break;
    }
    rs_control_done(stmt);
    pthread_mutex_unlock(&c->lock);
    return st;
}
