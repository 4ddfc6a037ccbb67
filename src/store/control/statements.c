#include "store/control/internal.h"

rs_status rs_control_ask(rs_control *c, const char *sql, const rs_sql_value *values, size_t n,
                         sqlite3_stmt **out, rs_err *err) {
    size_t i = 0;
    *out = NULL;
    while (i < c->nstatements && c->statements[i].sql != sql) i++;
    if (i == RS_CONTROL_STATEMENTS) return rs_fail(err, RS_ERR_MEMORY, 0, "no room for another statement");
    rs_status st = rs_db_prepare(c->db, sql, &c->statements[i].stmt, err);
    if (st != RS_OK) return st;
    if (i == c->nstatements) c->statements[c->nstatements++].sql = sql;
    sqlite3_stmt *stmt = *out = c->statements[i].stmt;
    for (size_t v = 0; v < n; v++)
        if (values[v].is_blob) rs_db_bind_blob(stmt, (int)v + 1, values[v].bytes.p, values[v].bytes.n);
        else if (values[v].is_text) rs_db_bind_str(stmt, (int)v + 1, values[v].bytes);
        else if (values[v].is_real) sqlite3_bind_double(stmt, (int)v + 1, values[v].real);
        else sqlite3_bind_int64(stmt, (int)v + 1, values[v].number);
    return RS_OK;
}

void rs_control_done(sqlite3_stmt *stmt) {
    if (!stmt) return;
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
}

rs_status rs_control_run(rs_control *c, const char *sql, const rs_sql_value *values, size_t n, rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st = rs_control_ask(c, sql, values, n, &stmt, err);
    if (st == RS_OK) st = rs_db_run(stmt, err);
    rs_control_done(stmt);
    return st;
}

rs_status rs_control_first(rs_control *c, const char *sql, const rs_sql_value *values, size_t n,
                           const char *missing, sqlite3_stmt **out, rs_err *err) {
    bool row = false;
    rs_status st = rs_control_ask(c, sql, values, n, out, err);
    if (st == RS_OK) st = rs_db_step(*out, &row, err);
    if (st == RS_OK && !row) st = rs_fail(err, RS_ERR_NOT_FOUND, 0, "%s", missing);
    if (st == RS_OK) return RS_OK;
    rs_control_done(*out);
    *out = NULL;
    return st;
}

rs_status rs_control_begin(rs_control *c, rs_err *err) {
    pthread_mutex_lock(&c->lock);
    rs_status st = rs_db_exec(c->db, "BEGIN IMMEDIATE", err);
    if (st != RS_OK) pthread_mutex_unlock(&c->lock);
    return st;
}

rs_status rs_control_finish(rs_control *c, rs_status st, rs_err *err) {
    if (st == RS_OK) st = rs_db_exec(c->db, "COMMIT", err);
    if (st != RS_OK && !sqlite3_get_autocommit(c->db)) sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
    pthread_mutex_unlock(&c->lock);
    return st;
}

void rs_control_copy(char *out, size_t size, rs_str s) {
    size_t n = s.n < size ? s.n : size - 1;
    if (n) memcpy(out, s.p, n);
    out[n] = 0;
}

/* In UTF-8 that ends with a NUL: C0, DEL, C1, and what parts lines or turns text around (U+2028 to U+202E, U+2066 to U+2069), by which a
 * name would pass for another one, or be a command to a terminal. */
static bool is_control(const unsigned char *p) {
    if (p[0] < 0x20 || p[0] == 0x7f) return true;
    if (p[0] == 0xc2) return p[1] < 0xa0;
    if (p[0] != 0xe2) return false;
    return p[1] == 0x80 ? p[2] >= 0xa8 && p[2] <= 0xae : p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9;
}

rs_status rs_control_check_name(const char *what, const char *name, size_t size, rs_err *err) {
    rs_str s = rs_str_of(name);
    if (s.n == 0) return rs_fail(err, RS_ERR_INVALID, 0, "%s is empty", what);
    if (s.n >= size) return rs_fail(err, RS_ERR_TOO_LARGE, 0, "%s is longer than %zu bytes", what, size - 1);
    if (!rs_str_is_utf8(s)) return rs_fail(err, RS_ERR_INVALID, 0, "%s is not UTF-8", what);
    for (size_t i = 0; i < s.n; i++)
        if (is_control((const unsigned char *)s.p + i))
            return rs_fail(err, RS_ERR_INVALID, 0, "%s has a control character", what);
    return RS_OK;
}
