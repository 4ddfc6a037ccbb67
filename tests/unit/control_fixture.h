/* A control plane in a directory of its own, for one test. */
#ifndef TESTS_CONTROL_FIXTURE_H
#define TESTS_CONTROL_FIXTURE_H

#include "store/control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const rs_signin_from nowhere;

typedef struct fixture {
    char dir[64];
    char path[128]; /* of control.db */
    rs_control *c;
    /* what the test's own setup makes or finds */
    rs_project project;
    rs_user owner, users[2];
    rs_actor by[2];
} fixture;

/* What came with version 5 and is no table: it is not there in one of version 4. */
#define WITHOUT_SIGNED_IN                                                                                    \
    "ALTER TABLE session DROP COLUMN used; ALTER TABLE session DROP COLUMN address;"                         \
    "ALTER TABLE session DROP COLUMN agent; ALTER TABLE user DROP COLUMN seen;"

/* What came with version 7. */
#define WITHOUT_INVITERS "ALTER TABLE invite DROP COLUMN inviter;"

/* What came with version 6: it is not there in older ones. */
#define WITHOUT_ORGANIZATIONS                                                                                \
    "CREATE TABLE old_user(id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL UNIQUE COLLATE NOCASE," \
    "  name TEXT NOT NULL, role INTEGER NOT NULL, password TEXT NOT NULL DEFAULT '',"                        \
    "  created INTEGER NOT NULL, seen INTEGER NOT NULL DEFAULT 0);"                                          \
    "INSERT INTO old_user SELECT id, email, name, role, password, created, seen FROM user"                   \
    "  JOIN membership ON membership.user = user.id;"                                                        \
    "DROP TABLE user; ALTER TABLE old_user RENAME TO user; DROP TABLE membership;"                           \
    "CREATE TABLE old_project(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"              \
    "  keep_ns INTEGER NOT NULL DEFAULT 0, keep_bytes INTEGER NOT NULL DEFAULT 0);"                          \
    "INSERT INTO old_project SELECT id, name, keep_ns, keep_bytes FROM project;"                             \
    "DROP TABLE project; ALTER TABLE old_project RENAME TO project;" WITHOUT_INVITERS                        \
    "ALTER TABLE invite DROP COLUMN organization; ALTER TABLE audit DROP COLUMN organization;"               \
    "DROP TABLE organization;"

static fixture *open_control(void **state) {
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    snprintf(f->dir, sizeof f->dir, "/tmp/test_control.XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof f->path, "%s/control.db", f->dir);
    assert_int_equal(rs_control_open(f->dir, &f->c, NULL), RS_OK);
    *state = f;
    return f;
}

static int close_control(void **state) {
    static const char *const ends[] = {"", "-wal", "-shm"};
    fixture *f = *state;
    char path[140];
    rs_control_close(f->c);
    for (size_t i = 0; i < RS_ARRAY_LEN(ends); i++) {
        snprintf(path, sizeof path, "%s%s", f->path, ends[i]);
        unlink(path);
    }
    rmdir(f->dir);
    free(f);
    return 0;
}

#endif
