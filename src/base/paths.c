#include "base/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *home_dir(void) {
    const char *home = getenv("HOME");
    if (home && home[0] == '/') return home;
    const struct passwd *user = getpwuid(getuid()); /* services often run without HOME */
    return user ? user->pw_dir : NULL;
}

static rs_status xdg(char out[RS_PATH_MAX], const char *variable, const char *fallback, rs_err *err) {
    const char *base = getenv(variable);
    int n;
    if (base && base[0] == '/') {
        n = snprintf(out, RS_PATH_MAX, "%s/respan", base);
    } else {
        const char *home = home_dir();
        if (!home) return rs_fail(err, RS_ERR_NOT_FOUND, 0, "no home directory: set HOME or %s", variable);
        n = snprintf(out, RS_PATH_MAX, "%s/%s/respan", home, fallback);
    }
    if (n < 0 || n >= RS_PATH_MAX)
        return rs_fail(err, RS_ERR_TOO_LARGE, 0, "%s is too long a path", variable);
    return RS_OK;
}

rs_status rs_path_data(char out[RS_PATH_MAX], rs_err *err) {
    return xdg(out, "XDG_DATA_HOME", ".local/share", err);
}
rs_status rs_path_config(char out[RS_PATH_MAX], rs_err *err) {
    return xdg(out, "XDG_CONFIG_HOME", ".config", err);
}
rs_status rs_path_state(char out[RS_PATH_MAX], rs_err *err) {
    return xdg(out, "XDG_STATE_HOME", ".local/state", err);
}

rs_status rs_path_make_dirs(const char *path, rs_err *err) {
    char part[RS_PATH_MAX];
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof part)
        return rs_fail(err, RS_ERR_TOO_LARGE, 0, "directory path is too long or empty");
    memcpy(part, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (part[i] != '/' && part[i] != 0) continue;
        char kept = part[i];
        part[i] = 0;
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return rs_fail(err, errno == ENOSPC ? RS_ERR_FULL : RS_ERR_IO, 0, "cannot make directory %s: %s",
                           part, strerror(errno));
        part[i] = kept;
    }
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return rs_fail(err, RS_ERR_IO, 0, "%s is not a directory", path);
    return RS_OK;
}

rs_status rs_path_sync_dir(const char *path, rs_err *err) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    int e = errno;
    if (fd >= 0) close(fd);
    return ok ? RS_OK : rs_fail(err, RS_ERR_IO, 0, "cannot sync %s: %s", path, strerror(e));
}

rs_status rs_path_join(char out[RS_PATH_MAX], const char *dir, const char *name, rs_err *err) {
    int n = snprintf(out, RS_PATH_MAX, "%s/%s", dir, name);
    if (n < 0 || n >= RS_PATH_MAX)
        return rs_fail(err, RS_ERR_TOO_LARGE, 0, "path %s/%s is too long", dir, name);
    return RS_OK;
}
