/* Changes a database of a store behind its back, as the store itself would write it: its pages keep their checksums. */
#ifndef TESTS_RUN_SQL_H
#define TESTS_RUN_SQL_H

#include "store/db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static inline void run_sql(const char *path, const char *sql) {
    sqlite3 *db;
    rs_err err = {0};
    if (rs_db_open(path, false, sql, &db, &err) != RS_OK) fail_msg("%s", err.message);
    sqlite3_close(db);
}

#endif
