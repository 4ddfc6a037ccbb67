/* What the bytes of a database are worth, read from its files as they are: every page against its checksum (page_vfs.h), whether
 * anything refers to it or not, and the write-ahead log against SQLite's, of which SQLite itself drops what follows a damaged frame
 * without a word. Changes nothing; others may write meanwhile. */
#ifndef RS_STORE_PAGE_CHECK_H
#define RS_STORE_PAGE_CHECK_H

#include "base/status.h"
#include <sqlite3.h>

/* One line about what is wrong: the file's name and where. */
typedef void (*rs_page_problem_fn)(void *ctx, const char *what);

/* Of an open database. `since`: the user_version from which on the pages of such a file have checksums. RS_ERR_IO, RS_ERR_MEMORY: it could not look. */
RS_MUST_CHECK rs_status rs_page_check(sqlite3 *db, int since, rs_page_problem_fn fn, void *ctx, rs_err *err);

#endif
