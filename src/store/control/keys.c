#include "base/clock.h"
#include "store/control/internal.h"

#include <stdio.h>

#define USE_NOTED_EVERY (60 * RS_NS_PER_S)
#define KEY_PREFIX      "rsp_"
#define COLUMNS         "id, project, name, hint, created, last_used, revoked, scopes, environment, expires"

const char *const rs_scope_names[RS_SCOPE_COUNT] = {"ingest", "read", "gateway"};

unsigned rs_scope_of(rs_str name) {
    for (unsigned i = 0; i < RS_SCOPE_COUNT; i++)
        if (rs_str_eq(name, rs_str_of(rs_scope_names[i]))) return 1u << i;
    return 0;
}

/* `at`: where its columns begin. */
static void read_row(sqlite3_stmt *stmt, int at, rs_api_key *out) {
    *out = (rs_api_key){
        .id = (uint64_t)sqlite3_column_int64(stmt, at),
        .project = (uint64_t)sqlite3_column_int64(stmt, at + 1),
        .created_ns = (uint64_t)sqlite3_column_int64(stmt, at + 4),
        .last_used_ns = (uint64_t)sqlite3_column_int64(stmt, at + 5),
        .revoked_ns = (uint64_t)sqlite3_column_int64(stmt, at + 6),
        .scopes = (unsigned)sqlite3_column_int(stmt, at + 7),
        .expires_ns = (uint64_t)sqlite3_column_int64(stmt, at + 9),
    };
    rs_control_copy(out->name, sizeof out->name, rs_db_column_str(stmt, at + 2));
    rs_control_copy(out->hint, sizeof out->hint, rs_db_column_str(stmt, at + 3));
    rs_control_copy(out->environment, sizeof out->environment, rs_db_column_str(stmt, at + 8));
}

/* "key 7 (laptop)" */
static rs_status log_key(rs_control *c, const rs_actor *by, const char *action, const rs_api_key *key,
                         rs_err *err) {
    char target[96];
    snprintf(target, sizeof target, "key %llu (%s)", (unsigned long long)key->id, key->name);
    return rs_control_log(c, by, action, rs_str_of(target), key->project, err);
}

static rs_status check_wish(const rs_key_wish *wish, rs_err *err) {
    rs_status st = rs_control_check_name("the key's name", wish->name, sizeof((rs_api_key *)0)->name, err);
    if (st == RS_OK && wish->environment)
        st = rs_control_check_name("the environment", wish->environment, RS_ENVIRONMENT_MAX, err);
    if (st == RS_OK && (wish->scopes & ~(unsigned)RS_SCOPE_ALL))
        st = rs_fail(err, RS_ERR_INVALID, 0, "there is no such scope");
    if (st == RS_OK && wish->expires_ns && wish->expires_ns <= rs_clock_wall_ns())
        st = rs_fail(err, RS_ERR_INVALID, 0, "the key would have expired already");
    if (st == RS_OK && wish->expires_ns > INT64_MAX)
        st = rs_fail(err, RS_ERR_INVALID, 0, "no key lasts that long");
    return st;
}

static rs_status insert(rs_control *c, const rs_digest *d, rs_api_key *key, rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st = rs_control_first(c, "SELECT id FROM project WHERE id = ?1",
                                    RS_SQL(rs_sql_int(key->project)), "no such project", &stmt, err);
    rs_control_done(stmt);
    if (st != RS_OK) return st;
    st = rs_control_run(
        c,
        "INSERT INTO api_key(project, name, hint, prefix, hash, created, scopes, environment, expires)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        RS_SQL(rs_sql_int(key->project), rs_sql_text(key->name), rs_sql_text(key->hint),
               rs_sql_int((uint64_t)d->prefix), rs_sql_blob(d->hash, sizeof d->hash),
               rs_sql_int(key->created_ns), rs_sql_int(key->scopes), rs_sql_text(key->environment),
               rs_sql_int(key->expires_ns)),
        err);
    key->id = (uint64_t)sqlite3_last_insert_rowid(c->db);
    return st;
}

rs_status rs_control_create_key(rs_control *c, uint64_t project, const rs_key_wish *wish, const rs_actor *by,
                                char secret[RS_SECRET_MAX], rs_api_key *out, rs_err *err) {
    rs_status st = check_wish(wish, err);
    if (st != RS_OK) return st;
    rs_digest d = rs_secret_make(KEY_PREFIX, secret);
    *out = (rs_api_key){.project = project,
                        .created_ns = rs_clock_wall_ns(),
                        .scopes = wish->scopes ? wish->scopes : RS_SCOPE_INGEST | RS_SCOPE_READ,
                        .expires_ns = wish->expires_ns};
    rs_control_copy(out->name, sizeof out->name, rs_str_of(wish->name));
    rs_control_copy(out->hint, sizeof out->hint, (rs_str){secret, sizeof KEY_PREFIX - 1 + 6});
    rs_control_copy(out->environment, sizeof out->environment, rs_str_of(wish->environment));
    if ((st = rs_control_begin(c, err)) != RS_OK) return st;
    st = insert(c, &d, out, err);
    if (st == RS_OK) st = log_key(c, by, "key.create", out, err);
    return rs_control_finish(c, st, err);
}

static rs_status revoke(rs_control *c, uint64_t project, uint64_t id, const rs_actor *by, rs_err *err) {
    sqlite3_stmt *stmt;
    rs_api_key key;
    rs_status st = rs_control_first(c, "SELECT " COLUMNS " FROM api_key WHERE project = ?1 AND id = ?2",
                                    RS_SQL(rs_sql_int(project), rs_sql_int(id)),
                                    "no such key in this project", &stmt, err);
    if (st != RS_OK) return st;
    read_row(stmt, 0, &key);
    rs_control_done(stmt);
    if (key.revoked_ns) return RS_OK;
    st = rs_control_run(c, "UPDATE api_key SET revoked = ?2 WHERE id = ?1",
                        RS_SQL(rs_sql_int(id), rs_sql_int(rs_clock_wall_ns())), err);
    return st == RS_OK ? log_key(c, by, "key.revoke", &key, err) : st;
}

rs_status rs_control_revoke_key(rs_control *c, uint64_t project, uint64_t id, const rs_actor *by,
                                rs_err *err) {
    rs_status st = rs_control_begin(c, err);
    return st == RS_OK ? rs_control_finish(c, revoke(c, project, id, by, err), err) : st;
}

rs_status rs_control_list_keys(rs_control *c, uint64_t project, rs_api_key_fn fn, void *ctx, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    pthread_mutex_lock(&c->lock);
    rs_status st = rs_control_ask(c, "SELECT " COLUMNS " FROM api_key WHERE project = ?1 ORDER BY id",
                                  RS_SQL(rs_sql_int(project)), &stmt, err);
    while (st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_api_key key;
        read_row(stmt, 0, &key);
        if (!fn(ctx, &key)) break;
    }
    rs_control_done(stmt);
    pthread_mutex_unlock(&c->lock);
    return st;
}

/* Failing to note a use is no reason to refuse it. */
static void note_use(rs_control *c, rs_api_key *key, uint64_t now) {
    if (now < key->last_used_ns + USE_NOTED_EVERY) return;
    if (rs_control_run(c, "UPDATE api_key SET last_used = ?2 WHERE id = ?1",
                       RS_SQL(rs_sql_int(key->id), rs_sql_int(now)), NULL) == RS_OK)
        key->last_used_ns = now;
}

rs_status rs_control_check_key(rs_control *c, rs_str secret, rs_api_key *out, rs_err *err) {
    sqlite3_stmt *stmt;
    uint64_t now = rs_clock_wall_ns();
    pthread_mutex_lock(&c->lock);
    rs_status st = rs_control_find_secret(
        c, "SELECT hash, " COLUMNS " FROM api_key WHERE prefix = ?1 AND revoked = 0", secret, &stmt, err);
    bool found = st == RS_OK && stmt;
    if (found) read_row(stmt, 1, out);
    rs_control_done(stmt);
    bool expired = found && out->expires_ns && out->expires_ns <= now;
    if (found && !expired) note_use(c, out, now);
    pthread_mutex_unlock(&c->lock);
    if (st == RS_OK && expired) return rs_fail(err, RS_ERR_DENIED, 0, "this API key has expired");
    if (st == RS_OK && !found) return rs_fail(err, RS_ERR_DENIED, 0, "unknown or revoked API key");
    return st;
}

rs_status rs_control_find_sender(rs_control *c, uint64_t fingerprint, rs_api_key *out, rs_err *err) {
    sqlite3_stmt *stmt;
    pthread_mutex_lock(&c->lock);
    rs_status st = rs_control_first(
        c,
        "SELECT " COLUMNS " FROM api_key WHERE prefix = ?1 AND revoked = 0 AND scopes & ?2"
        " AND (expires = 0 OR expires > ?3)",
        RS_SQL(rs_sql_int(fingerprint), rs_sql_int(RS_SCOPE_INGEST), rs_sql_int(rs_clock_wall_ns())),
        "no key that may send has this fingerprint", &stmt, err);
    if (st == RS_OK) read_row(stmt, 0, out);
    rs_control_done(stmt);
    pthread_mutex_unlock(&c->lock);
    return st;
}
