#include "store/control/internal.h"

#include <math.h>
#include <stdio.h>

/* ---- what is right ------------------------------------------------------------------------------------- */

static rs_status blame(const char **field, const char *name, rs_status st) {
    if (field && st != RS_OK) *field = name;
    return st;
}

/* `needed`: NaN will not do. */
static rs_status check_amount(const char *name, double v, double most, const char *unit, bool needed,
                              const char **field, rs_err *err) {
    if (isnan(v) && !needed) return RS_OK;
    if (isfinite(v) && v >= 0 && v < most) return RS_OK;
    return blame(
        field, name,
        rs_fail(err, RS_ERR_INVALID, 0, "'%s' is a number of %s from 0 and below %.0f", name, unit, most));
}

static rs_status check_price(const rs_set_price *p, const char **field, rs_err *err) {
    static const char unit[] = "dollars for a million tokens";
    rs_str model = rs_str_of(p->model);
    rs_status st = rs_control_check_name("the model", p->model, sizeof p->model, err);
    if (st == RS_OK && model.n == sizeof p->model - 1 && model.p[model.n - 1] != '*')
        st = rs_fail(err, RS_ERR_TOO_LARGE, 0, "the model is longer than %zu bytes", sizeof p->model - 2);
    if (st == RS_OK && memchr(model.p, '*', model.n - 1))
        st = rs_fail(err, RS_ERR_INVALID, 0, "'*' stands at a model's end only, for whatever begins so");
    if (st != RS_OK) return blame(field, "model", st);
    if (p->provider[0]) st = rs_control_check_name("the provider", p->provider, sizeof p->provider, err);
    if (st == RS_OK && strchr(p->provider, '*'))
        st = rs_fail(err, RS_ERR_INVALID, 0, "leave the provider empty for whoever is asked");
    if (st != RS_OK) return blame(field, "provider", st);
    st = check_amount("input", p->input, 1e9, unit, true, field, err);
    if (st == RS_OK) st = check_amount("output", p->output, 1e9, unit, false, field, err);
    if (st == RS_OK) st = check_amount("cached", p->cached, 1e9, unit, false, field, err);
    if (st == RS_OK) st = check_amount("reasoning", p->reasoning, 1e9, unit, false, field, err);
    if (st == RS_OK && p->limit > INT64_MAX)
        st = blame(field, "limit", rs_fail(err, RS_ERR_INVALID, 0, "no prompt has so many tokens"));
    return st;
}

static bool is_device(const char *name) {
    if (strcmp(name, "*") == 0) return true;
    for (const char *p = name; *p; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || strchr(":_-.", *p))) return false;
    return name[0] != 0;
}

static rs_status check_time_price(const rs_set_time_price *p, const char **field, rs_err *err) {
    bool by_energy = !isnan(p->watts) || !isnan(p->per_kwh);
    if (!is_device(p->device))
        return blame(field, "device",
                     rs_fail(err, RS_ERR_INVALID, 0,
                             "the device is cuda, cuda:1, cpu, mps, … as spans tell it, server or *"));
    if (by_energy && !isnan(p->per_hour))
        return blame(field, "per_hour",
                     rs_fail(err, RS_ERR_INVALID, 0, "give dollars an hour, or watts and dollars a kWh"));
    if (!by_energy)
        return check_amount("per_hour", p->per_hour, 1e6, "dollars for an hour", true, field, err);
    rs_status st = check_amount("watts", p->watts, 1e6, "watts", true, field, err);
    return st == RS_OK
               ? check_amount("per_kwh", p->per_kwh, 1e6, "dollars for a kilowatt hour", true, field, err)
               : st;
}

double rs_set_time_price_dollars(const rs_set_time_price *p) {
    return isnan(p->per_hour) ? p->watts / 1000 * p->per_kwh : p->per_hour;
}

/* ---- rows ---------------------------------------------------------------------------------------------- */

#define PRICE      "id, model, provider, input, output, cached, reasoning, most"
#define TIME_PRICE "id, device, per_hour, watts, per_kwh"

static double real_at(sqlite3_stmt *stmt, int column) {
    return sqlite3_column_type(stmt, column) == SQLITE_NULL ? NAN : sqlite3_column_double(stmt, column);
}

static void read_price(sqlite3_stmt *stmt, rs_set_price *out) {
    *out = (rs_set_price){.id = (uint64_t)sqlite3_column_int64(stmt, 0),
                          .input = real_at(stmt, 3),
                          .output = real_at(stmt, 4),
                          .cached = real_at(stmt, 5),
                          .reasoning = real_at(stmt, 6),
                          .limit = (uint64_t)sqlite3_column_int64(stmt, 7)};
    rs_control_copy(out->model, sizeof out->model, rs_db_column_str(stmt, 1));
    rs_control_copy(out->provider, sizeof out->provider, rs_db_column_str(stmt, 2));
}

static void read_time_price(sqlite3_stmt *stmt, rs_set_time_price *out) {
    *out = (rs_set_time_price){.id = (uint64_t)sqlite3_column_int64(stmt, 0),
                               .per_hour = real_at(stmt, 2),
                               .watts = real_at(stmt, 3),
                               .per_kwh = real_at(stmt, 4)};
    rs_control_copy(out->device, sizeof out->device, rs_db_column_str(stmt, 1));
}

rs_status rs_control_list_prices(rs_control *c, rs_set_price_fn fn, void *ctx, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    pthread_mutex_lock(&c->lock);
    rs_status st = rs_control_ask(c, "SELECT " PRICE " FROM price ORDER BY id", NULL, 0, &stmt, err);
    while (st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_set_price price;
        read_price(stmt, &price);
        if (!fn(ctx, &price)) break;
    }
    rs_control_done(stmt);
    pthread_mutex_unlock(&c->lock);
    return st;
}

rs_status rs_control_list_time_prices(rs_control *c, rs_set_time_price_fn fn, void *ctx, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    pthread_mutex_lock(&c->lock);
    rs_status st =
        rs_control_ask(c, "SELECT " TIME_PRICE " FROM time_price ORDER BY id", NULL, 0, &stmt, err);
    while (st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_set_time_price price;
        read_time_price(stmt, &price);
        if (!fn(ctx, &price)) break;
    }
    rs_control_done(stmt);
    pthread_mutex_unlock(&c->lock);
    return st;
}

rs_status rs_control_get_prices_mark(rs_control *c, rs_prices_mark *out, rs_err *err) {
    sqlite3_stmt *stmt;
    *out = (rs_prices_mark){0};
    pthread_mutex_lock(&c->lock);
    rs_status st = rs_control_first(c,
                                    "SELECT (SELECT max(id) FROM price), (SELECT count(*) FROM price),"
                                    " (SELECT max(id) FROM time_price), (SELECT count(*) FROM time_price)",
                                    NULL, 0, "no prices", &stmt, err);
    if (st == RS_OK)
        *out = (rs_prices_mark){
            (uint64_t)sqlite3_column_int64(stmt, 0), (uint64_t)sqlite3_column_int64(stmt, 1),
            (uint64_t)sqlite3_column_int64(stmt, 2), (uint64_t)sqlite3_column_int64(stmt, 3)};
    rs_control_done(stmt);
    pthread_mutex_unlock(&c->lock);
    return st;
}

/* ---- changing them ------------------------------------------------------------------------------------- */

static rs_status check_room(rs_control *c, const char *sql, rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st = rs_control_first(c, sql, NULL, 0, "no prices", &stmt, err);
    if (st == RS_OK && sqlite3_column_int64(stmt, 0) >= RS_SET_PRICES_MAX)
        st = rs_fail(err, RS_ERR_TOO_LARGE, 0,
                     "%d prices are set, which is the most: put them into a file (respan serve --prices)",
                     RS_SET_PRICES_MAX);
    rs_control_done(stmt);
    return st;
}

/* What the log says of an amount: at most 24 characters. */
static const char *text_of(double v, char out[32]) {
    if (isnan(v)) return "-";
    snprintf(out, 32, "%.10g", v);
    return out;
}

static rs_status log_price(rs_control *c, const rs_set_price *p, const char *action, const rs_actor *by,
                           rs_err *err) {
    char line[512], a[32], b[32], d[32], r[32];
    snprintf(line, sizeof line, "%s%s%s: $%s in, $%s out, $%s cached, $%s reasoning", p->model,
             p->provider[0] ? " of " : "", p->provider, text_of(p->input, a), text_of(p->output, b),
             text_of(p->cached, d), text_of(p->reasoning, r));
    return rs_control_log(c, by, action, rs_str_of(line), 0, err);
}

static rs_status log_time_price(rs_control *c, const rs_set_time_price *p, const char *action,
                                const rs_actor *by, rs_err *err) {
    char line[128], a[32];
    snprintf(line, sizeof line, "%s: $%s an hour", p->device, text_of(rs_set_time_price_dollars(p), a));
    return rs_control_log(c, by, action, rs_str_of(line), 0, err);
}

rs_status rs_control_set_price(rs_control *c, const rs_set_price *wish, const rs_actor *by, rs_set_price *out,
                               const char **field, rs_err *err) {
    if (field) *field = NULL;
    rs_status st = check_price(wish, field, err);
    if (st != RS_OK || (st = rs_control_begin(c, err)) != RS_OK) return st;
    *out = *wish;
    st = rs_control_run(c, "DELETE FROM price WHERE model = ?1 AND provider = ?2",
                        RS_SQL(rs_sql_text(wish->model), rs_sql_text(wish->provider)), err);
    if (st == RS_OK) st = check_room(c, "SELECT count(*) FROM price", err);
    if (st == RS_OK)
        st = rs_control_run(c,
                            "INSERT INTO price(model, provider, input, output, cached, reasoning, most)"
                            " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                            RS_SQL(rs_sql_text(wish->model), rs_sql_text(wish->provider),
                                   rs_sql_real(wish->input), rs_sql_real(wish->output),
                                   rs_sql_real(wish->cached), rs_sql_real(wish->reasoning),
                                   rs_sql_int(wish->limit)),
                            err);
    out->id = (uint64_t)sqlite3_last_insert_rowid(c->db);
    if (st == RS_OK) st = log_price(c, wish, "price.set", by, err);
    return rs_control_finish(c, st, err);
}

rs_status rs_control_set_time_price(rs_control *c, const rs_set_time_price *wish, const rs_actor *by,
                                    rs_set_time_price *out, const char **field, rs_err *err) {
    if (field) *field = NULL;
    rs_status st = check_time_price(wish, field, err);
    if (st != RS_OK || (st = rs_control_begin(c, err)) != RS_OK) return st;
    *out = *wish;
    st =
        rs_control_run(c, "DELETE FROM time_price WHERE device = ?1", RS_SQL(rs_sql_text(wish->device)), err);
    if (st == RS_OK) st = check_room(c, "SELECT count(*) FROM time_price", err);
    if (st == RS_OK)
        st = rs_control_run(c,
                            "INSERT INTO time_price(device, per_hour, watts, per_kwh) VALUES(?1, ?2, ?3, ?4)",
                            RS_SQL(rs_sql_text(wish->device), rs_sql_real(wish->per_hour),
                                   rs_sql_real(wish->watts), rs_sql_real(wish->per_kwh)),
                            err);
    out->id = (uint64_t)sqlite3_last_insert_rowid(c->db);
    if (st == RS_OK) st = log_time_price(c, wish, "price.time.set", by, err);
    return rs_control_finish(c, st, err);
}

rs_status rs_control_unset_price(rs_control *c, uint64_t id, const rs_actor *by, rs_err *err) {
    sqlite3_stmt *stmt;
    rs_set_price price;
    rs_status st = rs_control_begin(c, err);
    if (st != RS_OK) return st;
    st = rs_control_first(c, "SELECT " PRICE " FROM price WHERE id = ?1", RS_SQL(rs_sql_int(id)),
                          "no such price is set", &stmt, err);
    if (st == RS_OK) read_price(stmt, &price);
    rs_control_done(stmt);
    if (st == RS_OK) st = rs_control_run(c, "DELETE FROM price WHERE id = ?1", RS_SQL(rs_sql_int(id)), err);
    if (st == RS_OK) st = log_price(c, &price, "price.unset", by, err);
    return rs_control_finish(c, st, err);
}

rs_status rs_control_unset_time_price(rs_control *c, uint64_t id, const rs_actor *by, rs_err *err) {
    sqlite3_stmt *stmt;
    rs_set_time_price price;
    rs_status st = rs_control_begin(c, err);
    if (st != RS_OK) return st;
    st = rs_control_first(c, "SELECT " TIME_PRICE " FROM time_price WHERE id = ?1", RS_SQL(rs_sql_int(id)),
                          "no such price of time is set", &stmt, err);
    if (st == RS_OK) read_time_price(stmt, &price);
    rs_control_done(stmt);
    if (st == RS_OK)
        st = rs_control_run(c, "DELETE FROM time_price WHERE id = ?1", RS_SQL(rs_sql_int(id)), err);
    if (st == RS_OK) st = log_time_price(c, &price, "price.time.unset", by, err);
    return rs_control_finish(c, st, err);
}
