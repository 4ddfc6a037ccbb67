/* SQLite in our terms: opening, statements, and its result codes as rs_status with a message.
 *
 * Used by the control plane and by the SQLite trace store only. A connection and its statements belong to one
 * thread at a time; whoever shares one holds a lock. */
#ifndef RS_STORE_DB_H
#define RS_STORE_DB_H

#include "base/status.h"
#include "base/str.h"
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/* Opens `path`, made with mode 0600 if `create`; then runs `pragmas` (may be NULL). The -wal and -shm files
 * inherit the mode. */
RS_MUST_CHECK rs_status rs_db_open(const char *path, bool create, const char *pragmas, sqlite3 **out,
                                   rs_err *err);

/* Opens an existing database to look at it while its owner may be at work: nothing in it is changed or locked for long. */
RS_MUST_CHECK rs_status rs_db_open_to_look(const char *path, sqlite3 **out, rs_err *err);
/* Each page is compared with its checksum as it is read (page_vfs.h): RS_ERR_CORRUPT. Not so where an older version made the file. */
bool rs_db_has_checksums(sqlite3 *db);
/* RS_ERR_UNSUPPORTED unless it has that version or an older one. */
RS_MUST_CHECK rs_status rs_db_check_version(sqlite3 *db, int version, rs_err *err);

/* Brings a database to `version` in one transaction: a new one (version 0) by running `schema`, an older one by the upgrades
 * from its version on (upgrades[0] is from 1 to 2; NULL: there are none). RS_ERR_UNSUPPORTED if a newer respan made it. */
RS_MUST_CHECK rs_status rs_db_migrate(sqlite3 *db, int version, const char *schema,
                                      const char *const *upgrades, rs_err *err);

/* Makes `to` (mode 0600) what `from` is at one moment, while others write to that; without a write-ahead log, so that it can be read
 * where nothing can be written. */
RS_MUST_CHECK rs_status rs_db_copy(const char *from, const char *to, rs_err *err);

RS_MUST_CHECK rs_status rs_db_exec(sqlite3 *db, const char *sql, rs_err *err);

/* Prepares on first use into *stmt, which the caller finalizes before it closes the connection. */
RS_MUST_CHECK rs_status rs_db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **stmt, rs_err *err);

/* RS_OK with *row saying whether a row came. On the last row and on failure the statement is reset. */
RS_MUST_CHECK rs_status rs_db_step(sqlite3_stmt *stmt, bool *row, rs_err *err);
/* Steps a statement that gives no rows, and resets it. */
RS_MUST_CHECK rs_status rs_db_run(sqlite3_stmt *stmt, rs_err *err);

/* Fills err from a result code of SQLite: FULL for no room, TIMEOUT for a lock that stayed, CORRUPT, MEMORY,
 * else IO. */
rs_status rs_db_fail(sqlite3 *db, int rc, const char *what, rs_err *err);

void rs_db_bind_str(sqlite3_stmt *stmt, int at, rs_str s);                 /* text; borrowed until reset */
void rs_db_bind_blob(sqlite3_stmt *stmt, int at, const void *p, size_t n); /* borrowed until reset */
rs_str rs_db_column_str(sqlite3_stmt *stmt, int at); /* text or blob; until the next step */

#endif
