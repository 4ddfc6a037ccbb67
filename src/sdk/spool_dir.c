#include "sdk/spool_dir.h"

#include "base/ids.h"
#include "sdk/spool_format.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { UNFINISHED_S = 60 /* after that its maker is dead, not slow */ };

rs_status rs_spool_dir(char out[RS_PATH_MAX], rs_err *err) {
    char state[RS_PATH_MAX];
    rs_status st = rs_path_state(state, err);
    return st == RS_OK ? rs_path_join(out, state, "spool", err) : st;
}

static void hash_name(char out[RS_SPOOL_HASH_N + 1], const char *app, const char *url, uint64_t fingerprint) {
    uint64_t hash = XXH3_64bits_withSeed(url, strlen(url), XXH3_64bits(app, strlen(app)) ^ fingerprint);
    snprintf(out, RS_SPOOL_HASH_N + 1, "%016llx", (unsigned long long)hash);
}

void rs_spool_name(char out[RS_SPOOL_NAME_MAX], const char *app, const char *url, uint64_t fingerprint) {
    char hash[RS_SPOOL_HASH_N + 1];
    hash_name(hash, app, url, fingerprint);
    snprintf(out, RS_SPOOL_NAME_MAX, "%s-%ld-%016llx" RS_SPOOL_SUFFIX, hash, (long)getpid(),
             (unsigned long long)rs_id_random());
}

static bool ends_with(const char *s, const char *end) {
    size_t n = strlen(s), k = strlen(end);
    return n >= k && strcmp(s + n - k, end) == 0;
}

/* ---- the list ------------------------------------------------------------------------------------------ */

static int by_change(const void *a, const void *b) {
    const struct rs_spool_item *x = a, *y = b;
    return (x->changed_ns > y->changed_ns) - (x->changed_ns < y->changed_ns);
}

static bool add_item(rs_spool_names *out, size_t *cap, const char *name, const struct stat *st) {
    if (out->n == *cap) {
        size_t more = *cap ? *cap * 2 : 16;
        struct rs_spool_item *items = realloc(out->items, more * sizeof *items);
        if (!items) return false;
        out->items = items;
        *cap = more;
    }
    struct rs_spool_item *item = &out->items[out->n++];
    *item = (struct rs_spool_item){.changed_ns = (uint64_t)st->st_mtim.tv_sec * 1000000000u +
                                                 (uint64_t)st->st_mtim.tv_nsec,
                                   .bytes = (uint64_t)st->st_blocks * 512};
    memcpy(item->name, name, strlen(name) + 1);
    return true;
}

rs_status rs_spool_list(const char *dir, const char *app, const char *url, uint64_t fingerprint,
                        rs_spool_names *out, rs_err *err) {
    *out = (rs_spool_names){0};
    char hash[RS_SPOOL_HASH_N + 1] = "";
    if (app) hash_name(hash, app, url, fingerprint);
    DIR *d = opendir(dir);
    if (!d && errno == ENOENT) return RS_OK;
    if (!d) return rs_fail(err, RS_ERR_IO, 0, "cannot read %s: %s", dir, strerror(errno));
    size_t cap = 0;
    bool ok = true;
    for (struct dirent *e; ok && (e = readdir(d));) {
        struct stat st;
        bool unfinished = ends_with(e->d_name, RS_SPOOL_SUFFIX RS_SPOOL_UNFINISHED);
        if (!unfinished && !ends_with(e->d_name, RS_SPOOL_SUFFIX)) continue;
        if (strlen(e->d_name) >= RS_SPOOL_NAME_MAX || strncmp(e->d_name, hash, strlen(hash)) != 0 ||
            fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
            continue;
        if (!unfinished) ok = add_item(out, &cap, e->d_name, &st);
        else if (st.st_mtim.tv_sec + UNFINISHED_S < time(NULL)) unlinkat(dirfd(d), e->d_name, 0);
    }
    closedir(d);
    if (!ok) {
        rs_spool_names_deinit(out);
        return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    }
    if (out->n) qsort(out->items, out->n, sizeof *out->items, by_change);
    return RS_OK;
}

void rs_spool_names_deinit(rs_spool_names *names) {
    free(names->items);
    *names = (rs_spool_names){0};
}

/* ---- ownerless files ----------------------------------------------------------------------------------- */

int rs_spool_lock(const char *dir, const char *name) {
    char path[RS_PATH_MAX];
    struct stat st;
    if (rs_path_join(path, dir, name, NULL) != RS_OK) return errno = ENAMETOOLONG, -1;
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return -1;
    int why = 0;
    if (fstat(fd, &st) != 0 || flock(fd, LOCK_EX | LOCK_NB) != 0) why = errno;
    else if (!S_ISREG(st.st_mode) || st.st_uid != geteuid()) why = EPERM;
    else if (fstat(fd, &st) != 0 || st.st_nlink == 0) why = ENOENT; /* sent and removed since it was opened */
    if (!why) return fd;
    close(fd);
    return errno = why, -1;
}

/* Gives its bytes back to the disk; false if it has an owner. */
static bool remove_ownerless(const char *dir, const char *name) {
    char path[RS_PATH_MAX];
    int fd = rs_spool_lock(dir, name);
    if (fd < 0) return false;
    bool removed = rs_path_join(path, dir, name, NULL) == RS_OK && unlink(path) == 0;
    close(fd);
    return removed;
}

static bool is_ownerless(const char *dir, const char *name) {
    int fd = rs_spool_lock(dir, name);
    if (fd < 0) return false;
    close(fd);
    return true;
}

size_t rs_spool_prune(const char *dir, const rs_spool_names *names, uint64_t most) {
    uint64_t all = 0, sum = 0;
    for (size_t i = 0; i < names->n; i++) all += names->items[i].bytes;
    if (all <= most) return 0;
    for (size_t i = 0; i < names->n; i++)
        if (is_ownerless(dir, names->items[i].name)) sum += names->items[i].bytes;
    size_t removed = 0;
    for (size_t i = 0; i < names->n && sum > most; i++) {
        if (!remove_ownerless(dir, names->items[i].name)) continue;
        sum -= names->items[i].bytes;
        removed++;
    }
    return removed;
}
