/* A checksum in the last 8 bytes of every page of a database file, made when SQLite writes the page and compared when it reads it:
 * XXH3-64 of the bytes before, seeded with the page's number, so that a page in the place of another is found, too. A page that does not
 * match is SQLITE_IOERR_DATA instead of a wrong answer.
 *
 * It stands between SQLite and the files (a VFS of SQLite's over its own). The header of a file says whether its pages have checksums: 8
 * reserved bytes a page (SQLITE_FCNTL_RESERVE_BYTES); one that was just made is to have them. What is in the write-ahead log has
 * SQLite's own checksums, and gets these as it is brought into the file. Any thread; used by db.c and page_check.c alone. */
#ifndef RS_STORE_PAGE_VFS_H
#define RS_STORE_PAGE_VFS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RS_PAGE_CHECK = 8 }; /* bytes at the end of a page */

/* Its name for sqlite3_open_v2. NULL: it cannot be registered, for want of memory. */
const char *rs_page_vfs(void);

/* Whether the pages of an open database's file have checksums. */
bool rs_page_vfs_checks(sqlite3 *db);
/* The file of an open database as SQLite's own VFS reads it, nothing compared; the database's. (Opening the file once more would not do:
 * closing that drops the locks that this process has on it.) */
sqlite3_file *rs_page_vfs_file(sqlite3 *db);

/* The bytes of the page as they are to be at its end. */
uint64_t rs_page_check_of(const uint8_t *page, size_t size, uint64_t number);
bool rs_page_is_whole(const uint8_t *page, size_t size, uint64_t number);
/* Of the first bytes of a file, 100 at least: 0 if they are none of a database. */
size_t rs_page_size_of(const uint8_t *header);

#endif
