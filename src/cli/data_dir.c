#include "cli/data_dir.h"

#include <unistd.h>

rs_status rs_data_dir(const char *option, char out[RS_PATH_MAX], rs_err *err) {
    if (!option) return rs_path_data(out, err);
    size_t n = strlen(option);
    if (n == 0 || n >= RS_PATH_MAX) return rs_fail(err, RS_ERR_INVALID, 0, "--data takes a directory");
    memcpy(out, option, n + 1);
    return RS_OK;
}

rs_status rs_data_open_control(const char *option, rs_control **out, rs_err *err) {
    char dir[RS_PATH_MAX];
    *out = NULL;
    rs_status st = rs_data_dir(option, dir, err);
    if (st == RS_OK && access(dir, F_OK) != 0)
        st = rs_fail(err, RS_ERR_NOT_FOUND, 0,
                     "there is no data in %s: start `respan serve` once, or say --data DIR", dir);
    return st == RS_OK ? rs_control_open(dir, out, err) : st;
}
