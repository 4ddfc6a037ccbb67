/* A store seen from outside: its files are read beside the process that has it open, or without any. */
#include "store/db.h"
#include "store/sqlite/folders.h"
#include "store/sqlite/schema.h"
#include "store/store.h"

#include "base/paths.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Who holds the lock. It is tried shared and at once let go, so that a server that starts meanwhile hardly ever finds it
 * taken. */
long rs_store_holder(const char *dir) {
    char path[RS_PATH_MAX], pid[32];
    if (rs_path_join(path, dir, "lock", NULL) != RS_OK) return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return 0;
    long holder = 0;
    if (flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        ssize_t n = pread(fd, pid, sizeof pid - 1, 0);
        pid[n > 0 ? n : 0] = 0;
        holder = strtol(pid, NULL, 10);
        if (holder <= 0) holder = -1;
    }
    close(fd);
    return holder;
}

static rs_status read_index(const char *partition, rs_store_facts *out, rs_err *err) {
    char path[RS_PATH_MAX];
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    bool row = false;
    rs_status st = rs_path_join(path, partition, "index.db", err);
    if (st == RS_OK) st = rs_db_open_to_look(path, &db, err);
    if (st == RS_OK) st = rs_db_check_version(db, RS_SCHEMA_VERSION, err);
    if (st == RS_OK) st = rs_db_prepare(db, "SELECT traces, spans FROM state", &stmt, err);
    if (st == RS_OK) st = rs_db_step(stmt, &row, err);
    if (st == RS_OK && row) {
        out->traces += (uint64_t)sqlite3_column_int64(stmt, 0);
        out->spans += (uint64_t)sqlite3_column_int64(stmt, 1);
    }
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return st;
}

static uint64_t bytes_in(const char *dir) {
    DIR *d = opendir(dir);
    uint64_t bytes = 0;
    for (struct dirent *e; d && (e = readdir(d));) {
        struct stat st;
        if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
            bytes += (uint64_t)st.st_size;
    }
    if (d) closedir(d);
    return bytes;
}

static DIR *open_folder(const char *path, rs_status *st, rs_err *err) {
    DIR *d = opendir(path);
    if (!d && errno != ENOENT) *st = rs_fail(err, RS_ERR_IO, 0, "cannot read %s: %s", path, strerror(errno));
    return d;
}

static rs_status look_at_project(const char *project, rs_store_facts *out, rs_err *err) {
    char partition[RS_PATH_MAX];
    rs_folder *folders;
    size_t n;
    rs_status st = rs_folders_list(project, &folders, &n, err);
    for (size_t i = 0; i < n && st == RS_OK; i++) {
        if ((st = rs_folder_path(project, &folders[i], partition, err)) != RS_OK) break;
        out->bytes += bytes_in(partition);
        st = read_index(partition, out, err);
        /* Another folder may have taken its place meanwhile: its figures are missing then, as those of one just made. */
        if (st != RS_OK && access(partition, F_OK) != 0) st = RS_OK;
    }
    free(folders);
    out->projects += n > 0;
    return st;
}

rs_status rs_store_look(const char *dir, rs_store_facts *out, rs_err *err) {
    char projects[RS_PATH_MAX], project[RS_PATH_MAX];
    *out = (rs_store_facts){.holder = rs_store_holder(dir), .bytes = bytes_in(dir)};
    rs_status st = rs_path_join(projects, dir, "projects", err);
    if (st != RS_OK) return st;
    DIR *d = open_folder(projects, &st, err);
    for (struct dirent *e; d && st == RS_OK && (e = readdir(d));) {
        if (e->d_name[0] == '.') continue;
        if ((st = rs_path_join(project, projects, e->d_name, err)) == RS_OK)
            st = look_at_project(project, out, err);
    }
    if (d) closedir(d);
    return st;
}

rs_status rs_store_has_nothing_of(const char *dir, uint64_t project, bool *nothing, rs_err *err) {
    char name[64], path[RS_PATH_MAX];
    rs_status st = RS_OK;
    *nothing = true;
    snprintf(name, sizeof name, "projects/%llu", (unsigned long long)project);
    if ((st = rs_path_join(path, dir, name, err)) != RS_OK) return st;
    DIR *d = open_folder(path, &st, err);
    for (struct dirent *e; d && *nothing && (e = readdir(d));)
        *nothing = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    if (d) closedir(d);
    return st;
}
