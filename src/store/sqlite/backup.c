/* rs_store_copy: a store's files as they were at one moment each, read beside the process that has it open, or without any. */
#include "base/files.h"
#include "store/db.h"
#include "store/sqlite/folders.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/segment.h"
#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TRIES = 5, PIECE = 1 << 20 };

static rs_status fail(const char *what, const char *path, rs_err *err) {
    int e = errno;
    bool full = e == ENOSPC || e == EDQUOT || e == EFBIG;
    return rs_fail(err, full ? RS_ERR_FULL : RS_ERR_IO, 0, "cannot %s %s: %s", what, path, strerror(e));
}

static rs_status sync_file(const char *path, rs_err *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    rs_status st = ok ? RS_OK : fail("sync", path, err);
    if (fd >= 0) close(fd);
    return st;
}

/* ---- one partition ------------------------------------------------------------------------------------- */

/* What was committed: bytes below `end` never change. A segment that is shorter stays so. */
static rs_status copy_bytes(const rs_segment *from, int to, const char *path, uint64_t end, rs_err *err) {
    rs_buf piece;
    rs_status st = RS_OK;
    uint64_t at = 0;
    rs_buf_init(&piece);
    while (st == RS_OK && at < end) { /* shared, not copied, where the file system can */
        off_t from_at = (off_t)at;
        ssize_t n = copy_file_range(from->fd, &from_at, to, NULL, end - at, 0);
        if (n <= 0) break;
        at += (uint64_t)n;
    }
    while (st == RS_OK && at < end) {
        rs_buf_clear(&piece);
        st = rs_segment_read(from, at, end - at < PIECE ? (size_t)(end - at) : PIECE, &piece, err);
        if (st == RS_OK && piece.n == 0) break;
        if (st == RS_OK && !rs_file_write(to, piece.p, piece.n)) st = fail("write to", path, err);
        at += piece.n;
    }
    rs_buf_deinit(&piece);
    return st;
}

static rs_status copy_segment(const rs_segment *from, const char *dir, uint64_t end, rs_err *err) {
    char path[RS_PATH_MAX];
    rs_status st = rs_path_join(path, dir, "segment", err);
    if (st != RS_OK) return st;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return fail("make", path, err);
    st = copy_bytes(from, fd, path, end, err);
    if (st == RS_OK && fsync(fd) != 0) st = fail("sync", path, err);
    if (close(fd) != 0 && st == RS_OK) st = fail("close", path, err);
    return st;
}

/* SQLite's copy is of one moment, whatever is written meanwhile; `end`: of the segment at that moment. */
static rs_status copy_index(const char *from, const char *to, uint64_t *end, rs_err *err) {
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    bool row = false;
    rs_status st = rs_db_copy(from, to, err);
    if (st == RS_OK) st = rs_db_open_to_look(to, &db, err);
    if (st == RS_OK) st = rs_db_check_version(db, RS_SCHEMA_VERSION, err);
    if (st == RS_OK) st = rs_db_prepare(db, "SELECT segment_end FROM state", &stmt, err);
    if (st == RS_OK) st = rs_db_step(stmt, &row, err);
    if (st == RS_OK && !row) st = rs_fail(err, RS_ERR_CORRUPT, 0, "%s has no state", from);
    *end = row ? (uint64_t)sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return st == RS_OK ? sync_file(to, err) : st;
}

/* The segment is opened first: then it is that of the index, even if another folder takes the place of this one. */
static rs_status copy_partition(const char *from, const char *to, rs_err *err) {
    char from_index[RS_PATH_MAX], to_index[RS_PATH_MAX];
    rs_segment segment = {.fd = -1};
    uint64_t end;
    rs_status st = rs_path_make_dirs(to, err);
    if (st == RS_OK) st = rs_path_join(from_index, from, "index.db", err);
    if (st == RS_OK) st = rs_path_join(to_index, to, "index.db", err);
    if (st == RS_OK) st = rs_segment_open_to_read(&segment, from, err);
    if (st == RS_OK) st = copy_index(from_index, to_index, &end, err);
    if (st == RS_OK) st = copy_segment(&segment, to, end, err);
    rs_segment_close(&segment);
    return st == RS_OK ? rs_path_sync_dir(to, err) : st;
}

/* The server may put another folder in the place of one meanwhile, or drop it. */
static rs_status copy_number(const char *from, const char *to, uint32_t number, rs_err *err) {
    char source[RS_PATH_MAX], target[RS_PATH_MAX];
    rs_folder folder;
    rs_status st = RS_OK;
    for (int i = 0; i < TRIES; i++) {
        st = rs_folders_find(from, number, &folder, err);
        if (st == RS_ERR_NOT_FOUND) return RS_OK;
        if (st == RS_OK) st = rs_folder_path(from, &folder, source, err);
        if (st == RS_OK) st = rs_folder_path(to, &folder, target, err);
        if (st == RS_OK) st = copy_partition(source, target, err);
        if (st == RS_OK || access(source, F_OK) == 0) return st;
        rs_folder_remove(target);
    }
    return st;
}

/* ---- all of it ----------------------------------------------------------------------------------------- */

static rs_status copy_project(const char *from, const char *to, rs_err *err) {
    rs_folder *folders;
    size_t n;
    rs_status st = rs_path_make_dirs(to, err);
    if (st != RS_OK) return st;
    st = rs_folders_list(from, &folders, &n, err);
    for (size_t i = 0; i < n && st == RS_OK; i++) st = copy_number(from, to, folders[i].number, err);
    free(folders);
    return st == RS_OK ? rs_path_sync_dir(to, err) : st;
}

static rs_status copy_projects(const char *from, const char *to, rs_err *err) {
    char source[RS_PATH_MAX], target[RS_PATH_MAX];
    rs_status st = rs_path_make_dirs(to, err);
    DIR *d = st == RS_OK ? opendir(from) : NULL;
    if (st != RS_OK) return st;
    if (!d && errno != ENOENT) return fail("read", from, err);
    for (struct dirent *e; d && st == RS_OK && (e = readdir(d));) {
        if (e->d_name[0] < '0' || e->d_name[0] > '9') continue;
        st = rs_path_join(source, from, e->d_name, err);
        if (st == RS_OK) st = rs_path_join(target, to, e->d_name, err);
        if (st == RS_OK) st = copy_project(source, target, err);
    }
    if (d) closedir(d);
    return st == RS_OK ? rs_path_sync_dir(to, err) : st;
}

static rs_status check_empty(const char *dir, rs_err *err) {
    DIR *d = opendir(dir);
    bool is_empty = true;
    if (!d) return errno == ENOENT ? RS_OK : fail("read", dir, err);
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) is_empty = false;
    closedir(d);
    return is_empty ? RS_OK
                    : rs_fail(err, RS_ERR_INVALID, 0,
                              "%s is not empty: nothing is written over, name another folder", dir);
}

static rs_status copy_control(const char *from, const char *to, rs_err *err) {
    char source[RS_PATH_MAX], target[RS_PATH_MAX];
    rs_status st = rs_path_join(source, from, "control.db", err);
    if (st == RS_OK && access(source, F_OK) != 0)
        return rs_fail(err, RS_ERR_NOT_FOUND, 0, "%s is no store: it has no control.db", from);
    if (st == RS_OK) st = rs_path_join(target, to, "control.db", err);
    if (st == RS_OK) st = rs_db_copy(source, target, err);
    return st == RS_OK ? sync_file(target, err) : st;
}

/* `projects` gets its name last: what has none is no whole copy. */
rs_status rs_store_copy(const char *from, const char *to, rs_err *err) {
    char source[RS_PATH_MAX], beside[RS_PATH_MAX], target[RS_PATH_MAX];
    rs_status st = check_empty(to, err);
    if (st == RS_OK) st = rs_path_join(source, from, "projects", err);
    if (st == RS_OK) st = rs_path_join(beside, to, "projects.new", err);
    if (st == RS_OK) st = rs_path_join(target, to, "projects", err);
    if (st == RS_OK) st = rs_path_make_dirs(to, err);
    if (st == RS_OK) st = copy_control(from, to, err);
    if (st == RS_OK) st = copy_projects(source, beside, err);
    if (st == RS_OK && rename(beside, target) != 0) st = fail("rename", beside, err);
    return st == RS_OK ? rs_path_sync_dir(to, err) : st;
}
