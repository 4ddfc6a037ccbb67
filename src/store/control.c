/* control.db: a handful of rows. Each secret is found by the first 8 bytes of its hash, so that the index
 * learns nothing more, and then its whole hash is compared in constant time. */
#include "store/control.h"
#include "base/clock.h"
#include "base/paths.h"
#include "store/db.h"
#include "store/store.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FORMAT = 3, SECRET_BYTES = 32, HASH_BYTES = crypto_generichash_BYTES };
#define NS_PER_S        1000000000ull
#define USE_NOTED_EVERY (60 * NS_PER_S)
#define KEY_PREFIX      "rsp_"

/* Little is written: each commit goes into the file at once, and is not in the log alone. */
static const char pragmas[] =
    "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=1; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
    "PRAGMA cache_size=-256; PRAGMA temp_store=MEMORY;";

static const char schema[] =
    "CREATE TABLE project(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"
    "  keep_ns INTEGER NOT NULL DEFAULT 0, keep_bytes INTEGER NOT NULL DEFAULT 0);" /* retention.h */
    "CREATE TABLE api_key(id INTEGER PRIMARY KEY AUTOINCREMENT, project INTEGER NOT NULL REFERENCES project,"
    "  name TEXT NOT NULL, hint TEXT NOT NULL, prefix INTEGER NOT NULL, hash BLOB NOT NULL,"
    "  created INTEGER NOT NULL, last_used INTEGER NOT NULL DEFAULT 0, revoked INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX api_key_prefix ON api_key(prefix);"
    "CREATE TABLE link(prefix INTEGER NOT NULL, hash BLOB NOT NULL, project INTEGER NOT NULL REFERENCES "
    "project,"
    "  expires INTEGER NOT NULL);"
    "CREATE INDEX link_prefix ON link(prefix);"
    "CREATE TABLE session(prefix INTEGER NOT NULL, hash BLOB NOT NULL, project INTEGER NOT NULL REFERENCES "
    "project,"
    "  expires INTEGER NOT NULL);"
    "CREATE INDEX session_prefix ON session(prefix);";

static const char *const upgrades[FORMAT - 1] = {
    "ALTER TABLE project ADD COLUMN keep_ns INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE project ADD COLUMN keep_bytes INTEGER NOT NULL DEFAULT 0;",
    "", /* 3: pages have checksums */
};

typedef enum query {
    FIND_PROJECT,
    GET_PROJECT,
    ADD_PROJECT,
    LIST_PROJECTS,
    SET_RETENTION,
    ADD_KEY,
    REVOKE_KEY,
    LIST_KEYS,
    FIND_KEY,
    NOTE_USE,
    ADD_LINK,
    FIND_LINK,
    DROP_LINK,
    DROP_OLD_LINKS,
    ADD_SESSION,
    FIND_SESSION,
    DROP_SESSION,
    DROP_OLD_SESSIONS,
    QUERY_COUNT,
} query;

#define PROJECT_COLUMNS "id, name, keep_ns, keep_bytes"
#define KEY_COLUMNS     "id, project, name, hint, created, last_used, revoked"

static const char *const sql[QUERY_COUNT] = {
    [FIND_PROJECT] = "SELECT " PROJECT_COLUMNS " FROM project WHERE name = ?1",
    [GET_PROJECT] = "SELECT " PROJECT_COLUMNS " FROM project WHERE id = ?1",
    [ADD_PROJECT] = "INSERT INTO project(name) VALUES(?1)",
    [LIST_PROJECTS] = "SELECT " PROJECT_COLUMNS " FROM project ORDER BY id",
    [SET_RETENTION] = "UPDATE project SET keep_ns = ?2, keep_bytes = ?3 WHERE id = ?1",
    [ADD_KEY] =
        "INSERT INTO api_key(project, name, hint, prefix, hash, created) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    [REVOKE_KEY] = "UPDATE api_key SET revoked = CASE revoked WHEN 0 THEN ?3 ELSE revoked END"
                   " WHERE project = ?1 AND id = ?2",
    [LIST_KEYS] = "SELECT " KEY_COLUMNS " FROM api_key WHERE project = ?1 ORDER BY id",
    [FIND_KEY] = "SELECT " KEY_COLUMNS ", hash FROM api_key WHERE prefix = ?1 AND revoked = 0",
    [NOTE_USE] = "UPDATE api_key SET last_used = ?2 WHERE id = ?1",
    [ADD_LINK] = "INSERT INTO link(prefix, hash, project, expires) VALUES(?1, ?2, ?3, ?4)",
    [FIND_LINK] = "SELECT rowid, project, expires, hash FROM link WHERE prefix = ?1",
    [DROP_LINK] = "DELETE FROM link WHERE rowid = ?1",
    [DROP_OLD_LINKS] = "DELETE FROM link WHERE expires <= ?1",
    [ADD_SESSION] = "INSERT INTO session(prefix, hash, project, expires) VALUES(?1, ?2, ?3, ?4)",
    [FIND_SESSION] = "SELECT rowid, project, expires, hash FROM session WHERE prefix = ?1",
    [DROP_SESSION] = "DELETE FROM session WHERE rowid = ?1",
    [DROP_OLD_SESSIONS] = "DELETE FROM session WHERE expires <= ?1",
};

struct rs_control {
    pthread_mutex_t lock; /* over everything below */
    sqlite3 *db;
    sqlite3_stmt *stmts[QUERY_COUNT]; /* prepared at first use */
};

/* A secret as stored. */
typedef struct digest {
    int64_t prefix;
    uint8_t hash[HASH_BYTES];
} digest;

/* ---- open and close ------------------------------------------------------------------------------------ */

rs_status rs_control_open(const char *dir, rs_control **out, rs_err *err) {
    char path[RS_PATH_MAX];
    long holder;
    *out = NULL;
    if (sodium_init() < 0) return rs_fail(err, RS_ERR_IO, 0, "libsodium cannot start");
    rs_status st = rs_path_make_dirs(dir, err);
    if (st == RS_OK) st = rs_path_join(path, dir, "control.db", err);
    if (st != RS_OK) return st;
    rs_control *c = calloc(1, sizeof *c);
    if (!c) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    pthread_mutex_init(&c->lock, NULL);
    st = rs_db_open(path, true, pragmas, &c->db, err);
    if (st == RS_OK && !rs_db_has_checksums(c->db) && (holder = rs_store_holder(dir)) != 0)
        st = rs_fail(err, RS_ERR_UNSUPPORTED, 0, "process %ld has %s open and is older: restart it first",
                     holder, path);
    if (st == RS_OK) st = rs_db_migrate(c->db, FORMAT, schema, upgrades, err);
    if (st == RS_OK) *out = c;
    else rs_control_close(c);
    return st;
}

rs_status rs_control_look(const char *dir, rs_err *err) {
    char path[RS_PATH_MAX];
    sqlite3 *db;
    rs_status st = rs_path_join(path, dir, "control.db", err);
    if (st == RS_OK && access(path, F_OK) != 0 && errno == ENOENT)
        return rs_fail(err, RS_ERR_NOT_FOUND, 0, "there is no %s", path);
    if (st == RS_OK) st = rs_db_open_to_look(path, &db, err);
    if (st != RS_OK) return st;
    st = rs_db_check_version(db, FORMAT, err);
    sqlite3_close(db);
    return st;
}

void rs_control_close(rs_control *c) {
    if (!c) return;
    for (int q = 0; q < QUERY_COUNT; q++) sqlite3_finalize(c->stmts[q]);
    sqlite3_close(c->db);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* ---- secrets ------------------------------------------------------------------------------------------- */

static digest digest_of(rs_str secret) {
    digest d;
    crypto_generichash(d.hash, sizeof d.hash, (const uint8_t *)secret.p, secret.n, NULL, 0);
    memcpy(&d.prefix, d.hash, sizeof d.prefix);
    return d;
}

static digest make_secret(const char *prefix, char out[RS_SECRET_MAX]) {
    uint8_t random[SECRET_BYTES];
    size_t at = strlen(prefix);
    randombytes_buf(random, sizeof random);
    memcpy(out, prefix, at);
    sodium_bin2base64(out + at, RS_SECRET_MAX - at, random, sizeof random,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(random, sizeof random);
    return digest_of(rs_str_of(out));
}

static bool digest_matches(const digest *d, rs_str stored) {
    return stored.n == HASH_BYTES && sodium_memcmp(d->hash, stored.p, HASH_BYTES) == 0;
}

static bool secret_is_plausible(rs_str s) { return s.n > 0 && s.n < RS_SECRET_MAX; }

/* ---- statements ---------------------------------------------------------------------------------------- */

static rs_status prepare(rs_control *c, query q, sqlite3_stmt **out, rs_err *err) {
    rs_status st = rs_db_prepare(c->db, sql[q], &c->stmts[q], err);
    *out = c->stmts[q];
    return st;
}

/* Runs a statement that takes only integers. */
static rs_status run_ints(rs_control *c, query q, const int64_t *values, int n, rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st = prepare(c, q, &stmt, err);
    if (st != RS_OK) return st;
    for (int i = 0; i < n; i++) sqlite3_bind_int64(stmt, i + 1, values[i]);
    return rs_db_run(stmt, err);
}

static rs_status begin(rs_control *c, rs_err *err) {
    pthread_mutex_lock(&c->lock);
    rs_status st = rs_db_exec(c->db, "BEGIN IMMEDIATE", err);
    if (st != RS_OK) pthread_mutex_unlock(&c->lock);
    return st;
}

static rs_status finish(rs_control *c, rs_status st, rs_err *err) {
    if (st == RS_OK) st = rs_db_exec(c->db, "COMMIT", err);
    if (st != RS_OK && !sqlite3_get_autocommit(c->db)) sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
    pthread_mutex_unlock(&c->lock);
    return st;
}

static void copy_text(char *out, size_t size, rs_str s) {
    size_t n = s.n < size ? s.n : size - 1;
    if (n) memcpy(out, s.p, n);
    out[n] = 0;
}

static rs_status check_name(const char *what, const char *name, size_t size, rs_err *err) {
    rs_str s = rs_str_of(name);
    if (s.n == 0) return rs_fail(err, RS_ERR_INVALID, 0, "%s name is empty", what);
    if (s.n >= size)
        return rs_fail(err, RS_ERR_TOO_LARGE, 0, "%s name is longer than %zu bytes", what, size - 1);
    if (!rs_str_is_utf8(s)) return rs_fail(err, RS_ERR_INVALID, 0, "%s name is not UTF-8", what);
    return RS_OK;
}

/* ---- projects ------------------------------------------------------------------------------------------ */

static void read_project(sqlite3_stmt *stmt, rs_project *out) {
    *out = (rs_project){
        .id = (uint64_t)sqlite3_column_int64(stmt, 0),
        .keep = {(uint64_t)sqlite3_column_int64(stmt, 2), (uint64_t)sqlite3_column_int64(stmt, 3)}};
    copy_text(out->name, sizeof out->name, rs_db_column_str(stmt, 1));
}

static rs_status take_project(sqlite3_stmt *stmt, rs_project *out, rs_err *err) {
    bool row;
    rs_status st = rs_db_step(stmt, &row, err);
    if (st != RS_OK) return st;
    if (!row) return rs_fail(err, RS_ERR_NOT_FOUND, 0, "no such project");
    read_project(stmt, out);
    sqlite3_reset(stmt);
    return RS_OK;
}

rs_status rs_control_list_projects(rs_control *c, rs_project_fn fn, void *ctx, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    pthread_mutex_lock(&c->lock);
    rs_status st = prepare(c, LIST_PROJECTS, &stmt, err);
    while (st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_project project;
        read_project(stmt, &project);
        if (fn(ctx, &project)) continue;
        sqlite3_reset(stmt);
        break;
    }
    pthread_mutex_unlock(&c->lock);
    return st;
}

rs_status rs_control_set_retention(rs_control *c, uint64_t project, const rs_retention *keep, rs_err *err) {
    if (keep->age_ns > INT64_MAX || keep->bytes > INT64_MAX)
        return rs_fail(err, RS_ERR_INVALID, 0, "so much cannot be kept");
    int64_t values[] = {(int64_t)project, (int64_t)keep->age_ns, (int64_t)keep->bytes};
    pthread_mutex_lock(&c->lock);
    rs_status st = run_ints(c, SET_RETENTION, values, 3, err);
    if (st == RS_OK && sqlite3_changes(c->db) == 0) st = rs_fail(err, RS_ERR_NOT_FOUND, 0, "no such project");
    pthread_mutex_unlock(&c->lock);
    return st;
}

rs_status rs_control_find_project(rs_control *c, const char *name, rs_project *out, rs_err *err) {
    sqlite3_stmt *stmt;
    pthread_mutex_lock(&c->lock);
    rs_status st = prepare(c, FIND_PROJECT, &stmt, err);
    if (st == RS_OK) {
        rs_db_bind_str(stmt, 1, rs_str_of(name));
        st = take_project(stmt, out, err);
        sqlite3_clear_bindings(stmt);
    }
    pthread_mutex_unlock(&c->lock);
    return st;
}

rs_status rs_control_get_project(rs_control *c, uint64_t id, rs_project *out, rs_err *err) {
    sqlite3_stmt *stmt;
    pthread_mutex_lock(&c->lock);
    rs_status st = prepare(c, GET_PROJECT, &stmt, err);
    if (st == RS_OK) {
        sqlite3_bind_int64(stmt, 1, (int64_t)id);
        st = take_project(stmt, out, err);
    }
    pthread_mutex_unlock(&c->lock);
    return st;
}

rs_status rs_control_create_project(rs_control *c, const char *name, rs_project *out, rs_err *err) {
    sqlite3_stmt *stmt;
    bool exists = false;
    rs_status st = check_name("project", name, sizeof out->name, err);
    if (st != RS_OK || (st = begin(c, err)) != RS_OK) return st;
    if ((st = prepare(c, FIND_PROJECT, &stmt, err)) != RS_OK) goto out;
    rs_db_bind_str(stmt, 1, rs_str_of(name));
    st = rs_db_step(stmt, &exists, err);
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    if (st == RS_OK && exists)
        st = rs_fail(err, RS_ERR_INVALID, 0, "a project named %s exists already", name);
    if (st != RS_OK || (st = prepare(c, ADD_PROJECT, &stmt, err)) != RS_OK) goto out;
    rs_db_bind_str(stmt, 1, rs_str_of(name));
    st = rs_db_run(stmt, err);
    sqlite3_clear_bindings(stmt);
    *out = (rs_project){.id = (uint64_t)sqlite3_last_insert_rowid(c->db)};
    copy_text(out->name, sizeof out->name, rs_str_of(name));
out:
    return finish(c, st, err);
}

/* ---- API keys ------------------------------------------------------------------------------------------ */

static void take_key(sqlite3_stmt *stmt, rs_api_key *out) {
    *out = (rs_api_key){
        .id = (uint64_t)sqlite3_column_int64(stmt, 0),
        .project = (uint64_t)sqlite3_column_int64(stmt, 1),
        .created_ns = (uint64_t)sqlite3_column_int64(stmt, 4),
        .last_used_ns = (uint64_t)sqlite3_column_int64(stmt, 5),
        .revoked_ns = (uint64_t)sqlite3_column_int64(stmt, 6),
    };
    copy_text(out->name, sizeof out->name, rs_db_column_str(stmt, 2));
    copy_text(out->hint, sizeof out->hint, rs_db_column_str(stmt, 3));
}

rs_status rs_control_create_key(rs_control *c, uint64_t project, const char *name, char secret[RS_SECRET_MAX],
                                rs_api_key *out, rs_err *err) {
    sqlite3_stmt *stmt;
    rs_project owner;
    rs_status st = check_name("key", name, sizeof out->name, err);
    if (st == RS_OK) st = rs_control_get_project(c, project, &owner, err);
    if (st != RS_OK) return st;
    digest d = make_secret(KEY_PREFIX, secret);
    *out = (rs_api_key){.project = project, .created_ns = rs_clock_wall_ns()};
    copy_text(out->name, sizeof out->name, rs_str_of(name));
    copy_text(out->hint, sizeof out->hint, (rs_str){secret, sizeof KEY_PREFIX - 1 + 6});
    if ((st = begin(c, err)) != RS_OK) return st;
    if ((st = prepare(c, ADD_KEY, &stmt, err)) == RS_OK) {
        sqlite3_bind_int64(stmt, 1, (int64_t)project);
        rs_db_bind_str(stmt, 2, rs_str_of(out->name));
        rs_db_bind_str(stmt, 3, rs_str_of(out->hint));
        sqlite3_bind_int64(stmt, 4, d.prefix);
        rs_db_bind_blob(stmt, 5, d.hash, sizeof d.hash);
        sqlite3_bind_int64(stmt, 6, (int64_t)out->created_ns);
        st = rs_db_run(stmt, err);
        sqlite3_clear_bindings(stmt);
        out->id = (uint64_t)sqlite3_last_insert_rowid(c->db);
    }
    return finish(c, st, err);
}

rs_status rs_control_revoke_key(rs_control *c, uint64_t project, uint64_t id, rs_err *err) {
    rs_status st = begin(c, err);
    if (st != RS_OK) return st;
    st = run_ints(c, REVOKE_KEY, (int64_t[]){(int64_t)project, (int64_t)id, (int64_t)rs_clock_wall_ns()}, 3,
                  err);
    if (st == RS_OK && sqlite3_changes(c->db) == 0)
        st = rs_fail(err, RS_ERR_NOT_FOUND, 0, "no API key %llu in this project", (unsigned long long)id);
    return finish(c, st, err);
}

rs_status rs_control_list_keys(rs_control *c, uint64_t project, rs_api_key_fn fn, void *ctx, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    pthread_mutex_lock(&c->lock);
    rs_status st = prepare(c, LIST_KEYS, &stmt, err);
    if (st == RS_OK) {
        sqlite3_bind_int64(stmt, 1, (int64_t)project);
        while ((st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
            rs_api_key key;
            take_key(stmt, &key);
            if (!fn(ctx, &key)) break;
        }
        sqlite3_reset(stmt);
    }
    pthread_mutex_unlock(&c->lock);
    return st;
}

/* Failing to note a use is no reason to refuse it. */
static void note_use(rs_control *c, rs_api_key *key) {
    uint64_t now = rs_clock_wall_ns();
    if (now < key->last_used_ns + USE_NOTED_EVERY) return;
    if (run_ints(c, NOTE_USE, (int64_t[]){(int64_t)key->id, (int64_t)now}, 2, NULL) == RS_OK)
        key->last_used_ns = now;
}

rs_status rs_control_check_key(rs_control *c, rs_str secret, rs_api_key *out, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false, found = false;
    if (!secret_is_plausible(secret)) return rs_fail(err, RS_ERR_DENIED, 0, "unknown API key");
    digest d = digest_of(secret);
    pthread_mutex_lock(&c->lock);
    rs_status st = prepare(c, FIND_KEY, &stmt, err);
    if (st == RS_OK) {
        sqlite3_bind_int64(stmt, 1, d.prefix);
        while (!found && (st = rs_db_step(stmt, &row, err)) == RS_OK && row)
            if ((found = digest_matches(&d, rs_db_column_str(stmt, 7)))) take_key(stmt, out);
        sqlite3_reset(stmt);
    }
    if (found) note_use(c, out);
    pthread_mutex_unlock(&c->lock);
    if (st == RS_OK && !found) st = rs_fail(err, RS_ERR_DENIED, 0, "unknown or revoked API key");
    return st;
}

/* ---- links and sessions -------------------------------------------------------------------------------- */

typedef struct token_row {
    int64_t rowid;
    uint64_t project;
    bool found; /* and not expired */
} token_row;

static rs_status find_token(rs_control *c, query q, rs_str token, token_row *out, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    *out = (token_row){0};
    if (!secret_is_plausible(token)) return RS_OK;
    digest d = digest_of(token);
    rs_status st = prepare(c, q, &stmt, err);
    if (st != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, d.prefix);
    while (!out->found && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        if (!digest_matches(&d, rs_db_column_str(stmt, 3))) continue;
        out->rowid = sqlite3_column_int64(stmt, 0);
        out->project = (uint64_t)sqlite3_column_int64(stmt, 1);
        out->found = (uint64_t)sqlite3_column_int64(stmt, 2) > rs_clock_wall_ns();
    }
    sqlite3_reset(stmt);
    return st;
}

static rs_status add_token(rs_control *c, query q, uint64_t project, uint64_t lifetime_s,
                           char token[RS_SECRET_MAX], rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st = prepare(c, q, &stmt, err);
    if (st != RS_OK) return st;
    digest d = make_secret("", token);
    sqlite3_bind_int64(stmt, 1, d.prefix);
    rs_db_bind_blob(stmt, 2, d.hash, sizeof d.hash);
    sqlite3_bind_int64(stmt, 3, (int64_t)project);
    sqlite3_bind_int64(stmt, 4, (int64_t)(rs_clock_wall_ns() + lifetime_s * NS_PER_S));
    st = rs_db_run(stmt, err);
    sqlite3_clear_bindings(stmt);
    return st;
}

rs_status rs_control_create_link(rs_control *c, uint64_t project, char token[RS_SECRET_MAX], rs_err *err) {
    rs_project owner;
    rs_status st = rs_control_get_project(c, project, &owner, err);
    if (st != RS_OK || (st = begin(c, err)) != RS_OK) return st;
    int64_t now = (int64_t)rs_clock_wall_ns();
    st = run_ints(c, DROP_OLD_LINKS, &now, 1, err);
    if (st == RS_OK) st = add_token(c, ADD_LINK, project, RS_LINK_LIFETIME_S, token, err);
    return finish(c, st, err);
}

rs_status rs_control_redeem_link(rs_control *c, rs_str token, char session[RS_SECRET_MAX], rs_err *err) {
    token_row link;
    int64_t now = (int64_t)rs_clock_wall_ns();
    rs_status st = begin(c, err);
    if (st != RS_OK) return st;
    st = find_token(c, FIND_LINK, token, &link, err);
    if (st == RS_OK && !link.found)
        st = rs_fail(err, RS_ERR_DENIED, 0, "this sign-in link is unknown, used or expired");
    if (st == RS_OK) st = run_ints(c, DROP_LINK, &link.rowid, 1, err);
    if (st == RS_OK) st = run_ints(c, DROP_OLD_SESSIONS, &now, 1, err);
    if (st == RS_OK) st = add_token(c, ADD_SESSION, link.project, RS_SESSION_LIFETIME_S, session, err);
    return finish(c, st, err);
}

rs_status rs_control_check_session(rs_control *c, rs_str session, uint64_t *project, rs_err *err) {
    token_row row;
    pthread_mutex_lock(&c->lock);
    rs_status st = find_token(c, FIND_SESSION, session, &row, err);
    pthread_mutex_unlock(&c->lock);
    if (st == RS_OK && !row.found) st = rs_fail(err, RS_ERR_DENIED, 0, "no such session");
    if (st == RS_OK) *project = row.project;
    return st;
}

rs_status rs_control_end_session(rs_control *c, rs_str session, rs_err *err) {
    token_row row;
    rs_status st = begin(c, err);
    if (st != RS_OK) return st;
    st = find_token(c, FIND_SESSION, session, &row, err);
    if (st == RS_OK && row.found) st = run_ints(c, DROP_SESSION, &row.rowid, 1, err);
    return finish(c, st, err);
}
