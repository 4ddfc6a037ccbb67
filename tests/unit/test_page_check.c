#include "base/paths.h"
#include "run_sql.h"
#include "store/page_check.h"
#include "store/page_vfs.h"
#include "store_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { PAGE = 4096, SINCE = 8, FRAME = 24 + PAGE };

/* ---- a database ---------------------------------------------------------------------------------------- */

static const char pragmas[] = "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;";
/* Some pages with rows, with what does not fit into one, and free ones. */
static const char filling[] = "CREATE TABLE t(id INTEGER PRIMARY KEY, text TEXT);"
                              "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)"
                              " INSERT INTO t SELECT i, hex(randomblob(i * 20)) FROM n;"
                              "INSERT INTO t VALUES(1000, hex(zeroblob(20000)));"
                              "DELETE FROM t WHERE id BETWEEN 20 AND 40; PRAGMA user_version=8;";

typedef struct database {
    fixture *f;
    char path[128], log[136];
    char *whole; /* bytes of the file */
    size_t n;
} database;

static char *read_file(const char *path, size_t *n) {
    struct stat st;
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    char *bytes = malloc((size_t)st.st_size + 1);
    assert_non_null(bytes);
    *n = (size_t)read(fd, bytes, (size_t)st.st_size);
    assert_int_equal(*n, st.st_size);
    close(fd);
    return bytes;
}

static void write_file(const char *path, const char *bytes, size_t n) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), n);
    close(fd);
}

static int setup(void **state) {
    database *d = calloc(1, sizeof *d);
    assert_int_equal(fixture_setup((void **)&d->f), 0);
    snprintf(d->path, sizeof d->path, "%s/some.db", d->f->dir);
    snprintf(d->log, sizeof d->log, "%s-wal", d->path);
    *state = d;
    return 0;
}

static int teardown(void **state) {
    database *d = *state;
    void *f = d->f;
    free(d->whole);
    free(d);
    return fixture_teardown(&f);
}

static void fill(database *d) {
    sqlite3 *db;
    assert_int_equal(rs_db_open(d->path, true, pragmas, &db, NULL), RS_OK);
    assert_int_equal(rs_db_exec(db, filling, NULL), RS_OK);
    assert_true(rs_db_has_checksums(db));
    sqlite3_close(db);
    d->whole = read_file(d->path, &d->n);
    assert_true(d->n >= 10 * PAGE && d->n % PAGE == 0);
}

static void count(void *ctx, const char *what) {
    assert_non_null(what);
    ++*(unsigned *)ctx;
}

static unsigned problems(database *d) {
    unsigned n = 0;
    sqlite3 *db;
    assert_int_equal(rs_db_open_to_look(d->path, &db, NULL), RS_OK);
    if (rs_page_check(db, SINCE, count, &n, NULL) != RS_OK) n++;
    sqlite3_close(db);
    return n;
}

/* All of its rows; -1: it says that something is wrong. */
static int64_t sum(const char *path) {
    sqlite3 *db;
    sqlite3_stmt *stmt = NULL;
    bool row = false;
    rs_err err = {0};
    assert_int_equal(rs_db_open_to_look(path, &db, NULL), RS_OK);
    rs_status st = rs_db_prepare(db, "SELECT sum(id) + sum(length(text)) + count(*) FROM t", &stmt, &err);
    if (st == RS_OK) st = rs_db_step(stmt, &row, &err);
    int64_t n = st == RS_OK && row ? sqlite3_column_int64(stmt, 0) : -1;
    assert_true(st == RS_OK || err.message[0]);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return n;
}

/* ---- the file ------------------------------------------------------------------------------------------ */

static void every_page_is_under_a_checksum(void **state) {
    database *d = *state;
    fill(d);
    int64_t rows = sum(d->path);
    assert_true(rows > 0);
    assert_int_equal(problems(d), 0);
    for (size_t at = 0; at < d->n; at += at < 100 ? 5 : (at + 9) % PAGE < 10 ? 4 : 2003) {
        char was = d->whole[at];
        d->whole[at] = (char)(was ^ 1 << at % 8);
        write_file(d->path, d->whole, d->n);
        if (problems(d) == 0) fail_msg("byte %zu is missed", at);
        d->whole[at] = was;
    }
    write_file(d->path, d->whole, d->n);
    assert_int_equal(problems(d), 0);
    assert_int_equal(sum(d->path), rows);
}

/* A changed byte of a text is no other text, and no page stands for another. */
static void what_is_damaged_is_not_read(void **state) {
    database *d = *state;
    fill(d);
    int64_t rows = sum(d->path);
    unsigned refused = 0;
    for (size_t at = PAGE + PAGE / 2; at < d->n; at += PAGE) {
        d->whole[at] ^= 1;
        write_file(d->path, d->whole, d->n);
        int64_t now = sum(d->path);
        assert_true(now == -1 || now == rows); /* it is of no row */
        refused += now == -1;
        d->whole[at] ^= 1;
    }
    assert_true(refused >= 5);
    char page[PAGE];
    memcpy(page, d->whole + 3 * PAGE, PAGE);
    memcpy(d->whole + 3 * PAGE, d->whole + 4 * PAGE, PAGE);
    memcpy(d->whole + 4 * PAGE, page, PAGE);
    write_file(d->path, d->whole, d->n);
    assert_int_equal(problems(d), 2);
    assert_int_equal(sum(d->path), -1);
}

static void a_torn_file(void **state) {
    database *d = *state;
    fill(d);
    for (size_t n = d->n - 1; n > 0; n = n > 3001 ? n - 3001 : 0) {
        write_file(d->path, d->whole, n);
        if (n % PAGE != 0 && problems(d) == 0) fail_msg("missed at %zu", n);
        assert_int_equal(sum(d->path), -1); /* where a page ends it says so, too */
    }
}

/* Not all of it is in memory at once, and the first page is not written first. */
static void large_transactions(void **state) {
    database *d = *state;
    sqlite3 *db;
    static const char *const modes[] = {"PRAGMA journal_mode=WAL", "PRAGMA journal_mode=DELETE",
                                        "PRAGMA journal_mode=OFF"};
    for (size_t i = 0; i < RS_ARRAY_LEN(modes); i++) {
        unlink(d->path);
        assert_int_equal(rs_db_open(d->path, true, "PRAGMA cache_size=5", &db, NULL), RS_OK);
        assert_int_equal(rs_db_exec(db, modes[i], NULL), RS_OK);
        assert_int_equal(rs_db_exec(db, "BEGIN", NULL), RS_OK);
        assert_int_equal(rs_db_exec(db, filling, NULL), RS_OK);
        assert_int_equal(rs_db_exec(db, "COMMIT", NULL), RS_OK);
        sqlite3_close(db);
        assert_int_equal(problems(d), 0);
        assert_true(sum(d->path) > 0);
    }
}

static void a_copy_has_them_too(void **state) {
    database *d = *state;
    char copy[140];
    sqlite3 *db;
    fill(d);
    assert_int_equal(rs_db_open(d->path, false, pragmas, &db, NULL), RS_OK);
    assert_int_equal(rs_db_exec(db, "INSERT INTO t VALUES(2000, hex(zeroblob(300000)))", NULL), RS_OK);
    snprintf(copy, sizeof copy, "%s.copy", d->path); /* of what is in the log alone, too */
    assert_int_equal(rs_db_copy(d->path, copy, NULL), RS_OK);
    assert_int_equal(sum(copy), sum(d->path));
    sqlite3_close(db);
    memcpy(d->path, copy, sizeof d->path - 1);
    assert_int_equal(problems(d), 0);
    assert_int_equal(rs_db_open_to_look(copy, &db, NULL), RS_OK);
    assert_true(rs_db_has_checksums(db));
    sqlite3_close(db);
}

/* ---- an older one -------------------------------------------------------------------------------------- */

static const char *const no_change[SINCE - 1] = {"", "", "", "", "", "", ""};

static void one_without_gets_them(void **state) {
    database *d = *state;
    sqlite3 *db;
    char copy[140];
    assert_int_equal(sqlite3_open(d->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, pragmas, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, filling, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version=7", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    int64_t rows = sum(d->path);
    assert_true(rows > 0);
    assert_int_equal(problems(d), 0); /* it never had any */
    snprintf(copy, sizeof copy, "%s.copy", d->path);
    assert_int_equal(rs_db_copy(d->path, copy, NULL), RS_OK);
    assert_int_equal(sum(copy), rows);
    assert_int_equal(rs_db_open(d->path, false, pragmas, &db, NULL), RS_OK);
    assert_false(rs_db_has_checksums(db));
    assert_int_equal(rs_db_migrate(db, SINCE, "", no_change, NULL), RS_OK);
    assert_true(rs_db_has_checksums(db));
    assert_int_equal(rs_db_exec(db, "INSERT INTO t VALUES(3000, '')", NULL), RS_OK);
    sqlite3_close(db);
    assert_int_equal(sum(d->path), rows + 3001);
    assert_int_equal(problems(d), 0);
    free(d->whole);
    d->whole = read_file(d->path, &d->n);
    for (size_t at = PAGE + 77; at < d->n; at += PAGE) {
        d->whole[at] ^= 4;
        write_file(d->path, d->whole, d->n);
        assert_int_equal(problems(d), 1);
        d->whole[at] ^= 4;
    }
    d->whole[20] = 0; /* as if it had none */
    write_file(d->path, d->whole, d->n);
    assert_true(problems(d) > 0);
    assert_int_equal(rs_db_open(d->path, false, NULL, &db, NULL), RS_OK);
    assert_int_equal(rs_db_migrate(db, SINCE, "", no_change, NULL), RS_ERR_CORRUPT);
    sqlite3_close(db);
}

/* ---- the log ------------------------------------------------------------------------------------------- */

/* What a process that died leaves: the file, and a log with `commits` commits. */
static char *leave_log(database *d, int commits, size_t *n) {
    sqlite3 *db;
    fill(d);
    assert_int_equal(rs_db_open(d->path, false, pragmas, &db, NULL), RS_OK);
    for (int i = 0; i < commits; i++)
        assert_int_equal(rs_db_exec(db, "INSERT INTO t(text) VALUES(hex(randomblob(5000)))", NULL), RS_OK);
    char *log = read_file(d->log, n), *file = d->whole;
    d->whole = read_file(d->path, &d->n);
    free(file);
    sqlite3_close(db);
    write_file(d->path, d->whole, d->n);
    write_file(d->log, log, *n);
    return log;
}

static void a_damaged_log(void **state) {
    database *d = *state;
    size_t n;
    char *log = leave_log(d, 4, &n);
    assert_int_equal(problems(d), 0);
    int64_t rows = sum(d->path);
    for (size_t at = 0; at < n; at += at < 60 ? 5 : 1433) {
        size_t in_frame = at < 32 ? 0 : (at - 32) % FRAME;
        if (at > n - FRAME && in_frame >= 4 && in_frame < 16)
            continue; /* that it is one, and ends a commit */
        log[at] ^= 2;
        write_file(d->log, log, n);
        if (problems(d) == 0) fail_msg("byte %zu of %zu is missed", at, n);
        log[at] ^= 2;
    }
    for (size_t cut = 1; cut < n - 32;
         cut += 1433) { /* as by SIGKILL within a write: what was whole before counts */
        write_file(d->log, log, n - cut);
        if (problems(d) != 0) fail_msg("a log that was cut at %zu is not damaged", n - cut);
    }
    write_file(d->log, log, n);
    assert_int_equal(problems(d), 0);
    assert_int_equal(sum(d->path), rows);
    free(log);
}

/* The log has the page that counts. */
static void a_page_that_is_in_the_log(void **state) {
    database *d = *state;
    size_t n, damaged = 0;
    char *log = leave_log(d, 4, &n);
    int64_t rows = sum(d->path);
    for (size_t page = 0; page * PAGE < d->n; page++) {
        d->whole[page * PAGE + 2000] ^= 1;
        write_file(d->path, d->whole, d->n);
        if (problems(d)) damaged++;
        else assert_int_equal(sum(d->path), rows);
        d->whole[page * PAGE + 2000] ^= 1;
    }
    assert_true(damaged > 0 && damaged * PAGE < d->n);
    free(log);
}

/* What was rolled back lies behind the last commit, until others take its place. */
static void a_commit_that_was_given_up(void **state) {
    database *d = *state;
    sqlite3 *db;
    fill(d);
    assert_int_equal(rs_db_open(d->path, false, pragmas, &db, NULL), RS_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(rs_db_exec(db,
                                    "PRAGMA cache_size=5; BEGIN;"
                                    "INSERT INTO t(text) SELECT hex(randomblob(500)) FROM t, t LIMIT 200;"
                                    "UPDATE t SET text = text || 'x'; ROLLBACK;"
                                    "PRAGMA cache_size=1000; INSERT INTO t(text) VALUES('a')",
                                    NULL),
                         RS_OK);
        assert_int_equal(problems(d), 0);
    }
    sqlite3_close(db);
}

int main(void) {
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_page_is_under_a_checksum),
        TEST(what_is_damaged_is_not_read),
        TEST(a_torn_file),
        TEST(large_transactions),
        TEST(a_copy_has_them_too),
        TEST(one_without_gets_them),
        TEST(a_damaged_log),
        TEST(a_page_that_is_in_the_log),
        TEST(a_commit_that_was_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
