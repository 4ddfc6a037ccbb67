/* control.db: a handful of rows. Its format, and what older ones become. */
#include "base/paths.h"
#include "store/control/internal.h"
#include "store/store.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

enum { FORMAT = 7, FORMAT_OF_ONE_ORGANIZATION = 5 };

/* Little is written: each commit goes into the file at once, and is not in the log alone. */
static const char pragmas[] =
    "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=1; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
    "PRAGMA cache_size=-256; PRAGMA temp_store=MEMORY;";

/* Who, and with him the first owner (role 3: users.h). */
#define PEOPLE                                                                                               \
    "CREATE TABLE user(id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL UNIQUE COLLATE NOCASE,"     \
    "  name TEXT NOT NULL, role INTEGER NOT NULL, password TEXT NOT NULL DEFAULT '',"                        \
    "  created INTEGER NOT NULL);"                                                                           \
    "INSERT INTO user(email, name, role, created) VALUES('owner@localhost', 'Owner', 3,"                     \
    "  CAST(strftime('%s', 'now') AS INTEGER) * 1000000000);"                                                \
    "CREATE TABLE link(prefix INTEGER NOT NULL, hash BLOB NOT NULL,"                                         \
    "  user INTEGER NOT NULL REFERENCES user ON DELETE CASCADE, expires INTEGER NOT NULL);"                  \
    "CREATE INDEX link_prefix ON link(prefix);"                                                              \
    "CREATE TABLE session(prefix INTEGER NOT NULL, hash BLOB NOT NULL,"                                      \
    "  user INTEGER NOT NULL REFERENCES user ON DELETE CASCADE, created INTEGER NOT NULL,"                   \
    "  expires INTEGER NOT NULL);"                                                                           \
    "CREATE INDEX session_prefix ON session(prefix);"                                                        \
    "CREATE TABLE invite(id INTEGER PRIMARY KEY AUTOINCREMENT, prefix INTEGER NOT NULL, hash BLOB NOT NULL," \
    "  role INTEGER NOT NULL, email TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL);"     \
    "CREATE INDEX invite_prefix ON invite(prefix);"                                                          \
    "CREATE TABLE audit(id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, actor TEXT NOT NULL,"   \
    "  action TEXT NOT NULL, target TEXT NOT NULL, project INTEGER NOT NULL, address TEXT NOT NULL);"        \
    "CREATE TABLE server_key(id INTEGER PRIMARY KEY CHECK(id = 1), key BLOB NOT NULL);"

/* What came with version 5. */
#define VIEWS                                                                                                \
    "CREATE TABLE IF NOT EXISTS saved_view(id INTEGER PRIMARY KEY AUTOINCREMENT,"                            \
    "  project INTEGER NOT NULL REFERENCES project ON DELETE CASCADE,"                                       \
    "  user INTEGER REFERENCES user ON DELETE SET NULL,"                                                     \
    "  page INTEGER NOT NULL, shared INTEGER NOT NULL, is_default INTEGER NOT NULL, position INTEGER NOT "   \
    "NULL,"                                                                                                  \
    "  name TEXT NOT NULL, q TEXT NOT NULL, starts TEXT NOT NULL, ends TEXT NOT NULL, sort TEXT NOT NULL,"   \
    "  options TEXT NOT NULL, columns TEXT NOT NULL, created INTEGER NOT NULL, changed INTEGER NOT NULL);"   \
    "CREATE INDEX IF NOT EXISTS saved_view_project ON saved_view(project);"

/* What was said of traces. Some of version 4 have these tables, and keep what is in them. */
#define TRACE_MARKS                                                                                          \
    "CREATE TABLE IF NOT EXISTS share(project INTEGER NOT NULL REFERENCES project ON DELETE CASCADE,"        \
    "  trace BLOB NOT NULL, prefix INTEGER NOT NULL, hash BLOB NOT NULL, content INTEGER NOT NULL,"          \
    "  created INTEGER NOT NULL, PRIMARY KEY(project, trace)) WITHOUT ROWID;"                                \
    "CREATE INDEX IF NOT EXISTS share_prefix ON share(prefix);"                                              \
    "CREATE TABLE IF NOT EXISTS pin(project INTEGER NOT NULL REFERENCES project ON DELETE CASCADE,"          \
    "  trace BLOB NOT NULL, created INTEGER NOT NULL, PRIMARY KEY(project, trace)) WITHOUT ROWID;"

/* What owners set (prices.h). */
#define PRICES                                                                                               \
    "CREATE TABLE IF NOT EXISTS price(id INTEGER PRIMARY KEY AUTOINCREMENT, model TEXT NOT NULL"             \
    "  COLLATE NOCASE, provider TEXT NOT NULL COLLATE NOCASE, input REAL NOT NULL, output REAL, cached "     \
    "REAL,"                                                                                                  \
    "  reasoning REAL, most INTEGER NOT NULL, UNIQUE(model, provider));"                                     \
    "CREATE TABLE IF NOT EXISTS time_price(id INTEGER PRIMARY KEY AUTOINCREMENT,"                            \
    "  device TEXT NOT NULL UNIQUE, per_hour REAL, watts REAL, per_kwh REAL);"

/* As well: where sessions are, and who was here. */
#define SIGNED_IN                                                                                            \
    "ALTER TABLE session ADD COLUMN used INTEGER NOT NULL DEFAULT 0;"                                        \
    "ALTER TABLE session ADD COLUMN address TEXT NOT NULL DEFAULT '';"                                       \
    "ALTER TABLE session ADD COLUMN agent TEXT NOT NULL DEFAULT '';"                                         \
    "ALTER TABLE user ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;"

/* What came with version 6: what there was becomes one organization's, and roles are in it. Tables that lose something are made
 * anew; the numbers that they gave stay given. */
#define ORGANIZATIONS                                                                                        \
    "CREATE TABLE organization(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"             \
    "  created INTEGER NOT NULL);"                                                                           \
    "INSERT INTO organization(id, name, created) VALUES(1, 'default',"                                       \
    "  CAST(strftime('%s', 'now') AS INTEGER) * 1000000000);"                                                \
    "CREATE TABLE membership(user INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,"                       \
    "  organization INTEGER NOT NULL REFERENCES organization ON DELETE CASCADE, role INTEGER NOT NULL,"      \
    "  PRIMARY KEY(user, organization)) WITHOUT ROWID;"                                                      \
    "INSERT INTO membership(user, organization, role) SELECT id, 1, role FROM user;"                         \
    "CREATE TABLE new_user(id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL UNIQUE COLLATE NOCASE," \
    "  name TEXT NOT NULL, password TEXT NOT NULL DEFAULT '', created INTEGER NOT NULL,"                     \
    "  seen INTEGER NOT NULL DEFAULT 0);"                                                                    \
    "INSERT INTO new_user SELECT id, email, name, password, created, seen FROM user;"                        \
    "DELETE FROM sqlite_sequence WHERE name = 'new_user';"                                                   \
    "INSERT INTO sqlite_sequence(name, seq) SELECT 'new_user', seq FROM sqlite_sequence WHERE name = "       \
    "'user';"                                                                                                \
    "DROP TABLE user; ALTER TABLE new_user RENAME TO user;"                                                  \
    "CREATE TABLE new_project(id INTEGER PRIMARY KEY AUTOINCREMENT,"                                         \
    "  organization INTEGER NOT NULL REFERENCES organization, name TEXT NOT NULL,"                           \
    "  keep_ns INTEGER NOT NULL DEFAULT 0, keep_bytes INTEGER NOT NULL DEFAULT 0,"                           \
    "  UNIQUE(organization, name));"                                                                         \
    "INSERT INTO new_project SELECT id, 1, name, keep_ns, keep_bytes FROM project;"                          \
    "DELETE FROM sqlite_sequence WHERE name = 'new_project';"                                                \
    "INSERT INTO sqlite_sequence(name, seq) SELECT 'new_project', seq FROM sqlite_sequence"                  \
    "  WHERE name = 'project';"                                                                              \
    "DROP TABLE project; ALTER TABLE new_project RENAME TO project;"                                         \
    "ALTER TABLE invite ADD COLUMN organization INTEGER REFERENCES organization ON DELETE CASCADE;"          \
    "UPDATE invite SET organization = 1;"                                                                    \
    "ALTER TABLE audit ADD COLUMN organization INTEGER NOT NULL DEFAULT 0;"                                  \
    "UPDATE audit SET organization = 1 WHERE project > 0 OR action IN ('user.add', 'user.role',"             \
    "  'user.remove') OR action LIKE 'invite.%';"

/* What came with version 7: the user who made an invite; 0: the command line, or nobody knows. */
#define INVITERS "ALTER TABLE invite ADD COLUMN inviter INTEGER NOT NULL DEFAULT 0;"

static const char schema[] =
    "CREATE TABLE project(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"
    "  keep_ns INTEGER NOT NULL DEFAULT 0, keep_bytes INTEGER NOT NULL DEFAULT 0);" /* retention.h */
    "CREATE TABLE api_key(id INTEGER PRIMARY KEY AUTOINCREMENT, project INTEGER NOT NULL REFERENCES project,"
    "  name TEXT NOT NULL, hint TEXT NOT NULL, prefix INTEGER NOT NULL, hash BLOB NOT NULL,"
    "  created INTEGER NOT NULL, last_used INTEGER NOT NULL DEFAULT 0, revoked INTEGER NOT NULL DEFAULT 0,"
    "  scopes INTEGER NOT NULL DEFAULT 7, environment TEXT NOT NULL DEFAULT '',"
    "  expires INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX api_key_prefix ON api_key(prefix);" PEOPLE VIEWS TRACE_MARKS PRICES SIGNED_IN ORGANIZATIONS
        INVITERS;

/* A session of a project becomes one of the owner: whoever had it could do all that there was. */
static const char *const upgrades[FORMAT - 1] = {
    "ALTER TABLE project ADD COLUMN keep_ns INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE project ADD COLUMN keep_bytes INTEGER NOT NULL DEFAULT 0;",
    "", /* 3: pages have checksums */
    "ALTER TABLE api_key ADD COLUMN scopes INTEGER NOT NULL DEFAULT 7;"
    "ALTER TABLE api_key ADD COLUMN environment TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE api_key ADD COLUMN expires INTEGER NOT NULL DEFAULT 0;"
    "DROP INDEX link_prefix; DROP INDEX session_prefix;"
    "ALTER TABLE link RENAME TO old_link; ALTER TABLE session RENAME TO old_session;" PEOPLE
    "INSERT INTO link SELECT prefix, hash, 1, expires FROM old_link;"
    "INSERT INTO session SELECT prefix, hash, 1, expires - 2592000000000000, expires FROM old_session;"
    "DROP TABLE old_link; DROP TABLE old_session;",
    VIEWS TRACE_MARKS PRICES SIGNED_IN,
    ORGANIZATIONS,
    INVITERS,
};

static rs_status ensure_server_key(rs_control *c, rs_err *err) {
    uint8_t key[RS_SERVER_KEY];
    if (rs_control_get_server_key(c, key, NULL) == RS_OK) return RS_OK;
    randombytes_buf(key, sizeof key);
    rs_status st = rs_control_begin(c, err);
    if (st != RS_OK) return st;
    st = rs_control_run(c, "INSERT OR IGNORE INTO server_key(id, key) VALUES(1, ?1)",
                        RS_SQL(rs_sql_blob(key, sizeof key)), err);
    return rs_control_finish(c, st, err);
}

/* Whether it is of a version that a server of that version, which may be at work, cannot go on with once it is of this one. */
static rs_status is_outgrown(sqlite3 *db, bool *out, rs_err *err) {
    sqlite3_stmt *stmt = NULL;
    bool row = false;
    *out = false;
    rs_status st = rs_db_prepare(db, "PRAGMA user_version", &stmt, err);
    if (st == RS_OK) st = rs_db_step(stmt, &row, err);
    int version = st == RS_OK && row ? sqlite3_column_int(stmt, 0) : 0;
    *out = version > 0 && (version <= FORMAT_OF_ONE_ORGANIZATION || !rs_db_has_checksums(db));
    sqlite3_finalize(stmt);
    return st;
}

/* Tables are made anew by it: what refers to them is not to go with the old ones. */
static rs_status migrate(sqlite3 *db, rs_err *err) {
    rs_status st = rs_db_exec(db, "PRAGMA foreign_keys=OFF", err);
    if (st == RS_OK) st = rs_db_migrate(db, FORMAT, schema, upgrades, err);
    if (st == RS_OK) st = rs_db_exec(db, "PRAGMA foreign_keys=ON", err);
    return st;
}

rs_status rs_control_open(const char *dir, rs_control **out, rs_err *err) {
    char path[RS_PATH_MAX];
    long holder;
    bool outgrown = false;
    *out = NULL;
    if (sodium_init() < 0) return rs_fail(err, RS_ERR_IO, 0, "libsodium cannot start");
    rs_status st = rs_path_make_dirs(dir, err);
    if (st == RS_OK) st = rs_path_join(path, dir, "control.db", err);
    if (st != RS_OK) return st;
    rs_control *c = calloc(1, sizeof *c);
    if (!c) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    pthread_mutex_init(&c->lock, NULL);
    st = rs_db_open(path, true, pragmas, &c->db, err);
    if (st == RS_OK) st = is_outgrown(c->db, &outgrown, err);
    if (st == RS_OK && outgrown && (holder = rs_store_holder(dir)) != 0)
        st = rs_fail(err, RS_ERR_UNSUPPORTED, 0, "process %ld has %s open and is older: restart it first",
                     holder, path);
    if (st == RS_OK) st = migrate(c->db, err);
    if (st == RS_OK) st = ensure_server_key(c, err);
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
    for (size_t i = 0; i < c->nstatements; i++) sqlite3_finalize(c->statements[i].stmt);
    sqlite3_close(c->db);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
