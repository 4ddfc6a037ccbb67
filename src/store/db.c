#include "store/db.h"
#include "store/page_vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BUSY_TIMEOUT_MS = 5000, LOOK_TIMEOUT_MS = 1000 };

/* rc: an extended result code. SQLite calls ENOSPC full, but EFBIG, EDQUOT and a -shm file that cannot grow I/O errors, and its
 * errno is overwritten by the time it reports them: a write that fails means no room, so that senders try again. */
static rs_status status_of(int rc) {
    if (rc == SQLITE_IOERR_WRITE || rc == SQLITE_IOERR_SHMSIZE) return RS_ERR_FULL;
    if (rc == SQLITE_IOERR_DATA) return RS_ERR_CORRUPT;
    switch (rc & 0xff) {
    case SQLITE_FULL:
        return RS_ERR_FULL;
    case SQLITE_NOMEM:
        return RS_ERR_MEMORY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return RS_ERR_CORRUPT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return RS_ERR_TIMEOUT;
    default:
        return RS_ERR_IO;
    }
}

rs_status rs_db_fail(sqlite3 *db, int rc, const char *what, rs_err *err) {
    const char *path = db ? sqlite3_db_filename(db, "main") : NULL;
    rs_status st = status_of(rc);
    if (!path) path = "database";
    if (st == RS_ERR_FULL) return rs_fail(err, st, 0, "no room on the disk for %s", path);
    if (rc == SQLITE_IOERR_DATA)
        return rs_fail(err, st, 0, "%s: %s: a page does not match its checksum", path, what);
    return rs_fail(err, st, 0, "%s: %s: %s", path, what,
                   db && sqlite3_errcode(db) != SQLITE_OK ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
}

/* A new file, and one that is made anew, gets room for checksums; that of another says what it has. */
static rs_status open_db(const char *path, int flags, const char *vfs, sqlite3 **out, rs_err *err) {
    int reserved = RS_PAGE_CHECK;
    *out = NULL;
    if (!rs_page_vfs()) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    int rc = sqlite3_open_v2(path, out, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, vfs);
    if (rc == SQLITE_OK && vfs)
        rc = sqlite3_file_control(*out, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
    if (rc == SQLITE_OK) return RS_OK;
    rs_status st = rs_db_fail(*out, rc, "cannot open", err);
    sqlite3_close(*out);
    *out = NULL;
    return st;
}

/* SQLite would make it with the umask's mode. Never opens one that exists: closing it would drop the locks that this process has on
 * it. */
static rs_status make_file(const char *path, rs_err *err) {
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno != EEXIST)
        return rs_fail(err, errno == ENOSPC ? RS_ERR_FULL : RS_ERR_IO, 0, "cannot make %s: %s", path,
                       strerror(errno));
    if (fd >= 0) close(fd);
    return RS_OK;
}

/* What is overwritten is to be zeros, so that every page of a file was written, with its checksum. */
static rs_status open_to_write(const char *path, bool create, const char *vfs, const char *pragmas,
                               sqlite3 **out, rs_err *err) {
    *out = NULL;
    rs_status st = create ? make_file(path, err) : RS_OK;
    if (st == RS_OK) st = open_db(path, SQLITE_OPEN_READWRITE, vfs, out, err);
    if (st != RS_OK) return st;
    sqlite3_busy_timeout(*out, BUSY_TIMEOUT_MS);
    st = rs_db_exec(*out, "PRAGMA secure_delete=ON", err);
    if (st == RS_OK && pragmas) st = rs_db_exec(*out, pragmas, err);
    if (st == RS_OK) return st;
    sqlite3_close(*out);
    *out = NULL;
    return st;
}

rs_status rs_db_open(const char *path, bool create, const char *pragmas, sqlite3 **out, rs_err *err) {
    return open_to_write(path, create, rs_page_vfs(), pragmas, out, err);
}

rs_status rs_db_open_to_look(const char *path, sqlite3 **out, rs_err *err) {
    rs_status st = open_db(path, SQLITE_OPEN_READONLY, rs_page_vfs(), out, err);
    if (st == RS_OK) sqlite3_busy_timeout(*out, LOOK_TIMEOUT_MS);
    return st;
}

bool rs_db_has_checksums(sqlite3 *db) { return rs_page_vfs_checks(db); }

/* Pages are copied as they are: those of an older version have no room for checksums. */
rs_status rs_db_copy(const char *from, const char *to, rs_err *err) {
    sqlite3 *source = NULL, *target = NULL;
    rs_status st = rs_db_open_to_look(from, &source, err);
    if (st == RS_OK)
        st = open_to_write(to, true, rs_db_has_checksums(source) ? rs_page_vfs() : NULL,
                           "PRAGMA synchronous=OFF;", &target, err); /* the caller syncs it */
    if (st == RS_OK) {
        sqlite3_backup *copy = sqlite3_backup_init(target, "main", source, "main");
        if (copy) sqlite3_backup_step(copy, -1);
        int rc = copy ? sqlite3_backup_finish(copy) : sqlite3_errcode(target);
        if (rc != SQLITE_OK) st = rs_db_fail(target, rc, "cannot copy", err);
    }
    if (st == RS_OK) st = rs_db_exec(target, "PRAGMA journal_mode=DELETE", err);
    sqlite3_close(target);
    sqlite3_close(source);
    return st;
}

rs_status rs_db_exec(sqlite3 *db, const char *sql, rs_err *err) {
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? RS_OK : rs_db_fail(db, rc, sql, err);
}

static rs_status user_version(sqlite3 *db, int *version, rs_err *err) {
    sqlite3_stmt *stmt = NULL;
    bool row = false;
    rs_status st = rs_db_prepare(db, "PRAGMA user_version", &stmt, err);
    if (st == RS_OK) st = rs_db_step(stmt, &row, err);
    if (st == RS_OK) *version = row ? sqlite3_column_int(stmt, 0) : 0;
    sqlite3_finalize(stmt);
    return st;
}

static rs_status fail_version(sqlite3 *db, int found, int version, rs_err *err) {
    return rs_fail(err, RS_ERR_UNSUPPORTED, 0, "%s has format %d, this respan reads %d",
                   sqlite3_db_filename(db, "main"), found, version);
}

rs_status rs_db_check_version(sqlite3 *db, int version, rs_err *err) {
    int found;
    rs_status st = user_version(db, &found, err);
    return st != RS_OK || (found > 0 && found <= version) ? st : fail_version(db, found, version, err);
}

/* Of a file that an older version made; all of it is written anew, by way of a file: it does not fit into memory. */
static rs_status add_checksums(sqlite3 *db, rs_err *err) {
    rs_status st = rs_db_exec(db, "PRAGMA temp_store=FILE; VACUUM; PRAGMA temp_store=MEMORY", err);
    if (st == RS_OK) st = rs_db_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", err);
    if (st != RS_OK || rs_db_has_checksums(db)) return st;
    return rs_fail(err, RS_ERR_TIMEOUT, 0, "%s is being read, try again", sqlite3_db_filename(db, "main"));
}

rs_status rs_db_migrate(sqlite3 *db, int version, const char *schema, const char *const *upgrades,
                        rs_err *err) {
    int found;
    rs_status st = user_version(db, &found, err);
    if (st != RS_OK) return st;
    if (found == version && !rs_db_has_checksums(db))
        return rs_fail(err, RS_ERR_CORRUPT, 0, "%s: its header is damaged", sqlite3_db_filename(db, "main"));
    if (found == version) return RS_OK;
    if (found > 0 && found < version && upgrades && !rs_db_has_checksums(db))
        if ((st = add_checksums(db, err)) != RS_OK) return st;
    if ((st = rs_db_exec(db, "BEGIN IMMEDIATE", err)) != RS_OK) return st;
    st = user_version(db, &found, err); /* another process may have been quicker */
    if (st == RS_OK && found != version) {
        char set[64];
        snprintf(set, sizeof set, "PRAGMA user_version=%d", version);
        if (found < 0 || found > version || (found != 0 && !upgrades))
            st = fail_version(db, found, version, err);
        if (st == RS_OK && found == 0) st = rs_db_exec(db, schema, err);
        for (int v = found; st == RS_OK && v > 0 && v < version; v++)
            st = rs_db_exec(db, upgrades[v - 1], err);
        if (st == RS_OK) st = rs_db_exec(db, set, err);
    }
    if (st == RS_OK) st = rs_db_exec(db, "COMMIT", err);
    if (st != RS_OK && !sqlite3_get_autocommit(db)) sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return st;
}

rs_status rs_db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **stmt, rs_err *err) {
    if (*stmt) return RS_OK;
    int rc = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL);
    return rc == SQLITE_OK ? RS_OK : rs_db_fail(db, rc, sql, err);
}

rs_status rs_db_step(sqlite3_stmt *stmt, bool *row, rs_err *err) {
    int rc = sqlite3_step(stmt);
    *row = rc == SQLITE_ROW;
    if (*row) return RS_OK;
    rs_status st =
        rc == SQLITE_DONE ? RS_OK : rs_db_fail(sqlite3_db_handle(stmt), rc, sqlite3_sql(stmt), err);
    sqlite3_reset(stmt);
    return st;
}

rs_status rs_db_run(sqlite3_stmt *stmt, rs_err *err) {
    bool row;
    rs_status st = rs_db_step(stmt, &row, err);
    if (row) sqlite3_reset(stmt);
    return st;
}

void rs_db_bind_str(sqlite3_stmt *stmt, int at, rs_str s) {
    sqlite3_bind_text64(stmt, at, s.n ? s.p : "", s.n, SQLITE_STATIC, SQLITE_UTF8);
}

void rs_db_bind_blob(sqlite3_stmt *stmt, int at, const void *p, size_t n) {
    sqlite3_bind_blob64(stmt, at, n ? p : "", n, SQLITE_STATIC);
}

rs_str rs_db_column_str(sqlite3_stmt *stmt, int at) {
    const void *p = sqlite3_column_blob(stmt, at);
    int n = sqlite3_column_bytes(stmt, at);
    return p ? (rs_str){p, (size_t)n} : (rs_str){0};
}
