#include "base/clock.h"
#include "base/ids.h"
#include "store/control/internal.h"

#include <stdlib.h>

#define OF_TRACE "project = ?1 AND trace = ?2"
/* After the hash, as rs_control_find_secret has it. */
#define SHARE_COLUMNS "hash, project, trace, content, created"

static const char drop_share[] = "DELETE FROM share WHERE " OF_TRACE,
                  drop_pin[] = "DELETE FROM pin WHERE " OF_TRACE;

/* In the transaction that marks it; what changed nothing is not in the log. */
static rs_status log_change(rs_control *c, const rs_actor *by, const char *action, uint64_t project,
                            const uint8_t trace_id[16], rs_err *err) {
    char hex[33];
    if (sqlite3_changes(c->db) == 0) return RS_OK;
    rs_hex(trace_id, 16, hex);
    return rs_control_log(c, by, action, rs_str_of(hex), project, err);
}

static rs_status drop(rs_control *c, const char *sql, uint64_t project, const uint8_t trace_id[16],
                      rs_err *err) {
    return rs_control_run(c, sql, RS_SQL(rs_sql_int(project), rs_sql_blob(trace_id, 16)), err);
}

static rs_status drop_alone(rs_control *c, const char *sql, const char *action, uint64_t project,
                            const uint8_t trace_id[16], const rs_actor *by, rs_err *err) {
    rs_status st = rs_control_begin(c, err);
    if (st != RS_OK) return st;
    st = drop(c, sql, project, trace_id, err);
    if (st == RS_OK) st = log_change(c, by, action, project, trace_id, err);
    return rs_control_finish(c, st, err);
}

rs_status rs_control_forget_traces(rs_control *c, uint64_t project, const uint8_t (*ids)[16], size_t n,
                                   rs_err *err) {
    rs_status st = rs_control_begin(c, err);
    if (st != RS_OK) return st;
    for (size_t i = 0; i < n && st == RS_OK; i++)
        if ((st = drop(c, drop_share, project, ids[i], err)) == RS_OK)
            st = drop(c, drop_pin, project, ids[i], err);
    return rs_control_finish(c, st, err);
}

/* ---- links --------------------------------------------------------------------------------------------- */

/* False: what stands there is no trace's id. */
static bool read_share(sqlite3_stmt *stmt, rs_share *out) {
    rs_str trace = rs_db_column_str(stmt, 2);
    if (trace.n != sizeof out->trace_id) return false;
    *out = (rs_share){.project = (uint64_t)sqlite3_column_int64(stmt, 1),
                      .content = sqlite3_column_int(stmt, 3) != 0,
                      .created_ns = (uint64_t)sqlite3_column_int64(stmt, 4)};
    memcpy(out->trace_id, trace.p, trace.n);
    return true;
}

rs_status rs_control_share_trace(rs_control *c, uint64_t project, const uint8_t trace_id[16], bool content,
                                 const rs_actor *by, char token[RS_SECRET_MAX], rs_share *out, rs_err *err) {
    rs_digest d = rs_secret_make("", token);
    *out = (rs_share){.project = project, .content = content, .created_ns = rs_clock_wall_ns()};
    memcpy(out->trace_id, trace_id, sizeof out->trace_id);
    rs_status st = rs_control_begin(c, err);
    if (st != RS_OK) return st;
    st = rs_control_run(c,
                        "REPLACE INTO share(project, trace, prefix, hash, content, created)"
                        " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                        RS_SQL(rs_sql_int(project), rs_sql_blob(trace_id, 16), rs_sql_int((uint64_t)d.prefix),
                               rs_sql_blob(d.hash, sizeof d.hash), rs_sql_int(content),
                               rs_sql_int(out->created_ns)),
                        err);
    if (st == RS_OK) st = log_change(c, by, "trace.share", project, trace_id, err);
    return rs_control_finish(c, st, err);
}

rs_status rs_control_get_share(rs_control *c, uint64_t project, const uint8_t trace_id[16], rs_share *out,
                               rs_err *err) {
    static const char none[] = "this trace is not shared";
    sqlite3_stmt *stmt;
    pthread_mutex_lock(&c->lock);
    rs_status st = rs_control_first(c, "SELECT " SHARE_COLUMNS " FROM share WHERE " OF_TRACE,
                                    RS_SQL(rs_sql_int(project), rs_sql_blob(trace_id, 16)), none, &stmt, err);
    if (st == RS_OK && !read_share(stmt, out)) st = rs_fail(err, RS_ERR_NOT_FOUND, 0, none);
    rs_control_done(stmt);
    pthread_mutex_unlock(&c->lock);
    return st;
}

rs_status rs_control_unshare_trace(rs_control *c, uint64_t project, const uint8_t trace_id[16],
                                   const rs_actor *by, rs_err *err) {
    return drop_alone(c, drop_share, "trace.unshare", project, trace_id, by, err);
}

rs_status rs_control_find_share(rs_control *c, rs_str token, rs_share *out, rs_err *err) {
    sqlite3_stmt *stmt;
    pthread_mutex_lock(&c->lock);
    rs_status st =
        rs_control_find_secret(c, "SELECT " SHARE_COLUMNS " FROM share WHERE prefix = ?1", token, &stmt, err);
    if (st == RS_OK && (!stmt || !read_share(stmt, out)))
        st = rs_fail(err, RS_ERR_NOT_FOUND, 0, "there is no such link, or it was ended");
    rs_control_done(stmt);
    pthread_mutex_unlock(&c->lock);
    return st;
}

/* ---- pins ---------------------------------------------------------------------------------------------- */

/* Those of the project, but for that trace. */
static rs_status count_pins(rs_control *c, uint64_t project, const uint8_t trace_id[16], uint64_t *out,
                            rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st = rs_control_first(c, "SELECT count(*) FROM pin WHERE project = ?1 AND trace <> ?2",
                                    RS_SQL(rs_sql_int(project), rs_sql_blob(trace_id, 16)), "", &stmt, err);
    if (st == RS_OK) *out = (uint64_t)sqlite3_column_int64(stmt, 0);
    rs_control_done(stmt);
    return st;
}

rs_status rs_control_pin_trace(rs_control *c, uint64_t project, const uint8_t trace_id[16],
                               const rs_actor *by, rs_err *err) {
    uint64_t others = 0;
    rs_status st = rs_control_begin(c, err);
    if (st != RS_OK) return st;
    st = count_pins(c, project, trace_id, &others, err);
    if (st == RS_OK && others >= RS_PINS_MOST)
        st = rs_fail(err, RS_ERR_INVALID, 0, "at most %d traces of a project are pinned: unpin some",
                     RS_PINS_MOST);
    if (st == RS_OK)
        st = rs_control_run(
            c, "INSERT INTO pin(project, trace, created) VALUES(?1, ?2, ?3) ON CONFLICT DO NOTHING",
            RS_SQL(rs_sql_int(project), rs_sql_blob(trace_id, 16), rs_sql_int(rs_clock_wall_ns())), err);
    if (st == RS_OK) st = log_change(c, by, "trace.pin", project, trace_id, err);
    return rs_control_finish(c, st, err);
}

rs_status rs_control_unpin_trace(rs_control *c, uint64_t project, const uint8_t trace_id[16],
                                 const rs_actor *by, rs_err *err) {
    return drop_alone(c, drop_pin, "trace.unpin", project, trace_id, by, err);
}

rs_status rs_control_is_pinned(rs_control *c, uint64_t project, const uint8_t trace_id[16], bool *out,
                               rs_err *err) {
    sqlite3_stmt *stmt;
    *out = false;
    pthread_mutex_lock(&c->lock);
    rs_status st = rs_control_ask(c, "SELECT 1 FROM pin WHERE " OF_TRACE,
                                  RS_SQL(rs_sql_int(project), rs_sql_blob(trace_id, 16)), &stmt, err);
    if (st == RS_OK) st = rs_db_step(stmt, out, err);
    rs_control_done(stmt);
    pthread_mutex_unlock(&c->lock);
    return st;
}

static rs_status list_pins(rs_control *c, uint64_t project, uint8_t (*ids)[16], size_t most, size_t *n,
                           rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    rs_status st = rs_control_ask(c, "SELECT trace FROM pin WHERE project = ?1 ORDER BY trace",
                                  RS_SQL(rs_sql_int(project)), &stmt, err);
    while (st == RS_OK && *n < most && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_str trace = rs_db_column_str(stmt, 0);
        if (trace.n == 16) memcpy(ids[(*n)++], trace.p, 16);
    }
    rs_control_done(stmt);
    return st;
}

rs_status rs_control_list_pins(rs_control *c, uint64_t project, uint8_t (**out)[16], size_t *n, rs_err *err) {
    static const uint8_t no_trace[16];
    uint64_t most = 0;
    *out = NULL;
    *n = 0;
    pthread_mutex_lock(&c->lock);
    rs_status st = count_pins(c, project, no_trace, &most, err);
    if (st == RS_OK && most > 0) {
        *out = malloc((size_t)most * sizeof **out);
        st = *out ? list_pins(c, project, *out, (size_t)most, n, err)
                  : rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    }
    pthread_mutex_unlock(&c->lock);
    if (st != RS_OK) {
        free(*out);
        *out = NULL;
        *n = 0;
    }
    return st;
}
