#include "store/trace_marks.h"

#include "base/clock.h"
#include "base/paths.h"
#include "store/db.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

enum { TOKEN_BYTES = 32, HASH_BYTES = crypto_generichash_BYTES };

static const char pragmas[] = "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA wal_autocheckpoint=1;"
                              "PRAGMA cache_size=-128; PRAGMA temp_store=MEMORY;";

/* A link is found by the first 8 bytes of its hash, so that the index learns nothing more. */
static const char schema[] =
    "CREATE TABLE IF NOT EXISTS share(project INTEGER NOT NULL REFERENCES project ON DELETE CASCADE,"
    "  trace BLOB NOT NULL, prefix INTEGER NOT NULL, hash BLOB NOT NULL, content INTEGER NOT NULL,"
    "  created INTEGER NOT NULL, PRIMARY KEY(project, trace)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS share_prefix ON share(prefix);"
    "CREATE TABLE IF NOT EXISTS pin(project INTEGER NOT NULL REFERENCES project ON DELETE CASCADE,"
    "  trace BLOB NOT NULL, created INTEGER NOT NULL, PRIMARY KEY(project, trace)) WITHOUT ROWID;";

typedef enum query {
    PUT_SHARE,
    GET_SHARE,
    DROP_SHARE,
    FIND_SHARE,
    PUT_PIN,
    GET_PIN,
    DROP_PIN,
    COUNT_PINS,
    LIST_PINS,
    QUERY_COUNT,
} query;

static const char *const sql[QUERY_COUNT] = {
    [PUT_SHARE] =
        "REPLACE INTO share(project, trace, prefix, hash, content, created) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    [GET_SHARE] = "SELECT project, trace, content, created FROM share WHERE project = ?1 AND trace = ?2",
    [DROP_SHARE] = "DELETE FROM share WHERE project = ?1 AND trace = ?2",
    [FIND_SHARE] = "SELECT project, trace, content, created, hash FROM share WHERE prefix = ?1",
    [PUT_PIN] = "INSERT INTO pin(project, trace, created) VALUES(?1, ?2, ?3) ON CONFLICT DO NOTHING",
    [GET_PIN] = "SELECT 1 FROM pin WHERE project = ?1 AND trace = ?2",
    [DROP_PIN] = "DELETE FROM pin WHERE project = ?1 AND trace = ?2",
    [COUNT_PINS] = "SELECT count(*) FROM pin WHERE project = ?1 AND trace <> ?2",
    [LIST_PINS] = "SELECT trace FROM pin WHERE project = ?1 ORDER BY trace",
};

struct rs_trace_marks {
    pthread_mutex_t lock; /* over everything below */
    sqlite3 *db;
    sqlite3_stmt *stmts[QUERY_COUNT]; /* prepared at first use */
};

rs_status rs_trace_marks_open(const char *dir, rs_trace_marks **out, rs_err *err) {
    char path[RS_PATH_MAX];
    *out = NULL;
    if (sodium_init() < 0) return rs_fail(err, RS_ERR_IO, 0, "libsodium cannot start");
    rs_status st = rs_path_join(path, dir, "control.db", err);
    if (st != RS_OK) return st;
    rs_trace_marks *m = calloc(1, sizeof *m);
    if (!m) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    pthread_mutex_init(&m->lock, NULL);
    st = rs_db_open(path, false, pragmas, &m->db, err);
    if (st == RS_OK) st = rs_db_exec(m->db, schema, err);
    if (st == RS_OK) *out = m;
    else rs_trace_marks_close(m);
    return st;
}

void rs_trace_marks_close(rs_trace_marks *m) {
    if (!m) return;
    for (int q = 0; q < QUERY_COUNT; q++) sqlite3_finalize(m->stmts[q]);
    sqlite3_close(m->db);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

/* ---- statements ---------------------------------------------------------------------------------------- */

/* With the project and the trace, if there is one, as its first parameters. */
static rs_status prepare(rs_trace_marks *m, query q, uint64_t project, const uint8_t *trace_id,
                         sqlite3_stmt **out, rs_err *err) {
    rs_status st = rs_db_prepare(m->db, sql[q], &m->stmts[q], err);
    *out = m->stmts[q];
    if (st != RS_OK) return st;
    sqlite3_bind_int64(*out, 1, (int64_t)project);
    if (trace_id) rs_db_bind_blob(*out, 2, trace_id, 16);
    return RS_OK;
}

static rs_status run(rs_trace_marks *m, query q, uint64_t project, const uint8_t trace_id[16], rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st = prepare(m, q, project, trace_id, &stmt, err);
    if (st != RS_OK) return st;
    st = rs_db_run(stmt, err);
    sqlite3_clear_bindings(stmt);
    return st;
}

/* A row's first number; *row false: there is none. */
static rs_status get_int(rs_trace_marks *m, query q, uint64_t project, const uint8_t trace_id[16], bool *row,
                         int64_t *value, rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st = prepare(m, q, project, trace_id, &stmt, err);
    if (st != RS_OK) return st;
    st = rs_db_step(stmt, row, err);
    *value = st == RS_OK && *row ? sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    return st;
}

static rs_status run_alone(rs_trace_marks *m, query q, uint64_t project, const uint8_t trace_id[16],
                           rs_err *err) {
    pthread_mutex_lock(&m->lock);
    rs_status st = run(m, q, project, trace_id, err);
    pthread_mutex_unlock(&m->lock);
    return st;
}

static rs_status forget(rs_trace_marks *m, uint64_t project, const uint8_t (*ids)[16], size_t n,
                        rs_err *err) {
    rs_status st = rs_db_exec(m->db, "BEGIN IMMEDIATE", err);
    for (size_t i = 0; i < n && st == RS_OK; i++)
        if ((st = run(m, DROP_SHARE, project, ids[i], err)) == RS_OK)
            st = run(m, DROP_PIN, project, ids[i], err);
    if (st == RS_OK) st = rs_db_exec(m->db, "COMMIT", err);
    if (st != RS_OK && !sqlite3_get_autocommit(m->db)) sqlite3_exec(m->db, "ROLLBACK", NULL, NULL, NULL);
    return st;
}

rs_status rs_trace_marks_forget(rs_trace_marks *m, uint64_t project, const uint8_t (*ids)[16], size_t n,
                                rs_err *err) {
    pthread_mutex_lock(&m->lock);
    rs_status st = forget(m, project, ids, n, err);
    pthread_mutex_unlock(&m->lock);
    return st;
}

/* ---- links --------------------------------------------------------------------------------------------- */

static int64_t hash_token(rs_str token, uint8_t hash[HASH_BYTES]) {
    int64_t prefix;
    crypto_generichash(hash, HASH_BYTES, (const uint8_t *)token.p, token.n, NULL, 0);
    memcpy(&prefix, hash, sizeof prefix);
    return prefix;
}

static bool take_share(sqlite3_stmt *stmt, rs_share *out) {
    rs_str trace = rs_db_column_str(stmt, 1);
    if (trace.n != sizeof out->trace_id) return false;
    *out = (rs_share){.project = (uint64_t)sqlite3_column_int64(stmt, 0),
                      .content = sqlite3_column_int(stmt, 2) != 0,
                      .created_ns = (uint64_t)sqlite3_column_int64(stmt, 3)};
    memcpy(out->trace_id, trace.p, trace.n);
    return true;
}

rs_status rs_trace_marks_share(rs_trace_marks *m, uint64_t project, const uint8_t trace_id[16], bool content,
                               char token[RS_SHARE_TOKEN_MAX], rs_err *err) {
    uint8_t random[TOKEN_BYTES], hash[HASH_BYTES];
    sqlite3_stmt *stmt;
    randombytes_buf(random, sizeof random);
    sodium_bin2base64(token, RS_SHARE_TOKEN_MAX, random, sizeof random,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(random, sizeof random);
    int64_t prefix = hash_token(rs_str_of(token), hash);
    pthread_mutex_lock(&m->lock);
    rs_status st = prepare(m, PUT_SHARE, project, trace_id, &stmt, err);
    if (st == RS_OK) {
        sqlite3_bind_int64(stmt, 3, prefix);
        rs_db_bind_blob(stmt, 4, hash, sizeof hash);
        sqlite3_bind_int(stmt, 5, content);
        sqlite3_bind_int64(stmt, 6, (int64_t)rs_clock_wall_ns());
        st = rs_db_run(stmt, err);
        sqlite3_clear_bindings(stmt);
    }
    pthread_mutex_unlock(&m->lock);
    return st;
}

rs_status rs_trace_marks_get_share(rs_trace_marks *m, uint64_t project, const uint8_t trace_id[16],
                                   rs_share *out, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    pthread_mutex_lock(&m->lock);
    rs_status st = prepare(m, GET_SHARE, project, trace_id, &stmt, err);
    if (st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) row = take_share(stmt, out);
    if (st == RS_OK) {
        sqlite3_reset(stmt);
        sqlite3_clear_bindings(stmt);
    }
    pthread_mutex_unlock(&m->lock);
    return st == RS_OK && !row ? rs_fail(err, RS_ERR_NOT_FOUND, 0, "this trace is not shared") : st;
}

rs_status rs_trace_marks_unshare(rs_trace_marks *m, uint64_t project, const uint8_t trace_id[16],
                                 rs_err *err) {
    return run_alone(m, DROP_SHARE, project, trace_id, err);
}

rs_status rs_trace_marks_find_share(rs_trace_marks *m, rs_str token, rs_share *out, rs_err *err) {
    uint8_t hash[HASH_BYTES];
    sqlite3_stmt *stmt;
    bool row = false, found = false;
    if (token.n == 0 || token.n >= RS_SHARE_TOKEN_MAX)
        return rs_fail(err, RS_ERR_NOT_FOUND, 0, "there is no such link, or it was ended");
    int64_t prefix = hash_token(token, hash);
    pthread_mutex_lock(&m->lock);
    rs_status st = rs_db_prepare(m->db, sql[FIND_SHARE], &m->stmts[FIND_SHARE], err);
    stmt = m->stmts[FIND_SHARE];
    if (st == RS_OK) {
        sqlite3_bind_int64(stmt, 1, prefix);
        while (!found && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
            rs_str stored = rs_db_column_str(stmt, 4);
            found = stored.n == HASH_BYTES && sodium_memcmp(stored.p, hash, HASH_BYTES) == 0 &&
                    take_share(stmt, out);
        }
        sqlite3_reset(stmt);
    }
    pthread_mutex_unlock(&m->lock);
    if (st == RS_OK && !found)
        st = rs_fail(err, RS_ERR_NOT_FOUND, 0, "there is no such link, or it was ended");
    return st;
}

/* ---- pins ---------------------------------------------------------------------------------------------- */

rs_status rs_trace_marks_pin(rs_trace_marks *m, uint64_t project, const uint8_t trace_id[16], rs_err *err) {
    sqlite3_stmt *stmt;
    bool row;
    int64_t others;
    pthread_mutex_lock(&m->lock);
    rs_status st = get_int(m, COUNT_PINS, project, trace_id, &row, &others, err);
    if (st == RS_OK && others >= RS_PINS_MOST)
        st = rs_fail(err, RS_ERR_INVALID, 0, "at most %d traces of a project are pinned: unpin some",
                     RS_PINS_MOST);
    if (st == RS_OK && (st = prepare(m, PUT_PIN, project, trace_id, &stmt, err)) == RS_OK) {
        sqlite3_bind_int64(stmt, 3, (int64_t)rs_clock_wall_ns());
        st = rs_db_run(stmt, err);
        sqlite3_clear_bindings(stmt);
    }
    pthread_mutex_unlock(&m->lock);
    return st;
}

rs_status rs_trace_marks_unpin(rs_trace_marks *m, uint64_t project, const uint8_t trace_id[16], rs_err *err) {
    return run_alone(m, DROP_PIN, project, trace_id, err);
}

rs_status rs_trace_marks_is_pinned(rs_trace_marks *m, uint64_t project, const uint8_t trace_id[16], bool *out,
                                   rs_err *err) {
    int64_t one;
    *out = false;
    pthread_mutex_lock(&m->lock);
    rs_status st = get_int(m, GET_PIN, project, trace_id, out, &one, err);
    pthread_mutex_unlock(&m->lock);
    return st;
}

static rs_status list_pins(rs_trace_marks *m, uint64_t project, uint8_t (*ids)[16], size_t most, size_t *n,
                           rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    rs_status st = prepare(m, LIST_PINS, project, NULL, &stmt, err);
    while (st == RS_OK && *n < most && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_str trace = rs_db_column_str(stmt, 0);
        if (trace.n == 16) memcpy(ids[(*n)++], trace.p, 16);
    }
    if (st == RS_OK) sqlite3_reset(stmt);
    return st;
}

rs_status rs_trace_marks_list_pins(rs_trace_marks *m, uint64_t project, uint8_t (**out)[16], size_t *n,
                                   rs_err *err) {
    bool row;
    int64_t most;
    *out = NULL;
    *n = 0;
    pthread_mutex_lock(&m->lock);
    rs_status st = get_int(m, COUNT_PINS, project, (const uint8_t[16]){0}, &row, &most, err);
    if (st == RS_OK && most > 0) {
        *out = malloc((size_t)most * sizeof **out);
        st = *out ? list_pins(m, project, *out, (size_t)most, n, err)
                  : rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    }
    pthread_mutex_unlock(&m->lock);
    if (st != RS_OK) {
        free(*out);
        *out = NULL;
        *n = 0;
    }
    return st;
}
