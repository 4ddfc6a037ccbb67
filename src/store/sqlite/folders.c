#include "store/sqlite/folders.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool read_number(const char **at, uint32_t *out) {
    char *end;
    unsigned long long n = **at >= '0' && **at <= '9' ? strtoull(*at, &end, 10) : 0;
    if (n == 0 || n >= UINT32_MAX) return false;
    *at = end;
    *out = (uint32_t)n;
    return true;
}

/* False: it is none that counts. *is_ours: but it begins like one. */
static bool read_name(const char *name, rs_folder *out, bool *is_ours) {
    const char *at = name + 1;
    *out = (rs_folder){0, 1};
    *is_ours = name[0] == 'p' && read_number(&at, &out->number);
    if (!*is_ours || *at == 0) return *is_ours;
    *is_ours = *at == '.';
    return *at++ == '.' && read_number(&at, &out->generation) && *at == 0;
}

static int by_number(const void *a, const void *b) {
    const rs_folder *x = a, *y = b;
    if (x->number != y->number) return x->number < y->number ? -1 : 1;
    return (x->generation > y->generation) - (x->generation < y->generation);
}

rs_status rs_folders_list(const char *project, rs_folder **out, size_t *n, rs_err *err) {
    DIR *d = opendir(project);
    size_t cap = 0, kept = 0;
    bool is_ours;
    *out = NULL;
    *n = 0;
    if (!d && errno == ENOENT) return RS_OK;
    if (!d) return rs_fail(err, RS_ERR_IO, 0, "cannot read %s: %s", project, strerror(errno));
    rs_status st = RS_OK;
    for (struct dirent *e; st == RS_OK && (e = readdir(d));) {
        rs_folder folder;
        if (!read_name(e->d_name, &folder, &is_ours)) continue;
        if (*n == cap) {
            rs_folder *more = realloc(*out, (cap = cap ? cap * 2 : 16) * sizeof *more);
            if (more) *out = more;
            else st = rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
        }
        if (st == RS_OK) (*out)[(*n)++] = folder;
    }
    closedir(d);
    if (*n) qsort(*out, *n, sizeof **out, by_number);
    for (size_t i = 0; i < *n; i++)
        if (i + 1 == *n || (*out)[i + 1].number != (*out)[i].number) (*out)[kept++] = (*out)[i];
    *n = kept;
    return st;
}

rs_status rs_folders_find(const char *project, uint32_t number, rs_folder *out, rs_err *err) {
    rs_folder *all;
    size_t n;
    bool found = false;
    rs_status st = rs_folders_list(project, &all, &n, err);
    for (size_t i = 0; i < n; i++)
        if (all[i].number == number) *out = all[i], found = true;
    free(all);
    return st == RS_OK && !found
               ? rs_fail(err, RS_ERR_NOT_FOUND, 0, "%s has no partition %u", project, number)
               : st;
}

rs_status rs_folder_path(const char *project, const rs_folder *folder, char out[RS_PATH_MAX], rs_err *err) {
    char name[32];
    if (folder->generation == 1) snprintf(name, sizeof name, "p%06u", folder->number);
    else snprintf(name, sizeof name, "p%06u.%u", folder->number, folder->generation);
    return rs_path_join(out, project, name, err);
}

static bool counts(const rs_folder *all, size_t n, const rs_folder *folder) {
    for (size_t i = 0; i < n; i++)
        if (by_number(&all[i], folder) == 0) return true;
    return false;
}

void rs_folders_clean(const char *project) {
    rs_folder *all, folder;
    size_t n;
    bool is_ours;
    char path[RS_PATH_MAX];
    rs_err err = {0};
    if (rs_folders_list(project, &all, &n, &err) != RS_OK) {
        rs_log("%s", err.message);
        free(all);
        return;
    }
    DIR *d = opendir(project);
    for (struct dirent *e; d && (e = readdir(d));) {
        bool is_name = read_name(e->d_name, &folder, &is_ours);
        if (!is_ours || (is_name && counts(all, n, &folder))) continue;
        if (rs_path_join(path, project, e->d_name, NULL) == RS_OK) rs_folder_remove(path);
    }
    if (d) closedir(d);
    free(all);
}

void rs_folder_remove(const char *path) {
    char old[RS_PATH_MAX], file[RS_PATH_MAX];
    int n = snprintf(old, sizeof old, "%s.old", path);
    bool is_renamed = n > 0 && (size_t)n < sizeof old && rename(path, old) == 0;
    const char *dir = is_renamed ? old : path;
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.' && rs_path_join(file, dir, e->d_name, NULL) == RS_OK) (void)unlink(file);
    if (d) closedir(d);
    if (rmdir(dir) != 0 && errno != ENOENT) rs_log("cannot remove %s: %s", dir, strerror(errno));
}
