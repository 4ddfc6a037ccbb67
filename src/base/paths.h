/* Where files live (XDG Base Directory Specification) and the credentials file in it.
 * Reads the environment at each call; any thread as long as nobody changes the environment meanwhile. */
#ifndef RS_BASE_PATHS_H
#define RS_BASE_PATHS_H

#include "base/status.h"

enum { RS_PATH_MAX = 4096 };

/* Writes "$XDG_DATA_HOME/respan" (default ~/.local/share/respan), "$XDG_CONFIG_HOME/respan" (~/.config/respan) or
 * "$XDG_STATE_HOME/respan" (~/.local/state/respan). Relative XDG values are ignored, as the specification says. */
RS_MUST_CHECK rs_status rs_path_data(char out[RS_PATH_MAX], rs_err *err);
RS_MUST_CHECK rs_status rs_path_config(char out[RS_PATH_MAX], rs_err *err);
RS_MUST_CHECK rs_status rs_path_state(char out[RS_PATH_MAX], rs_err *err);

/* mkdir -p with mode 0700 for what is missing. */
RS_MUST_CHECK rs_status rs_path_make_dirs(const char *path, rs_err *err);

/* Waits until the entries of a directory (what was made, renamed or removed in it) are on the disk. */
RS_MUST_CHECK rs_status rs_path_sync_dir(const char *path, rs_err *err);

/* Joins with one slash; RS_ERR_TOO_LARGE if it does not fit. */
RS_MUST_CHECK rs_status rs_path_join(char out[RS_PATH_MAX], const char *dir, const char *name, rs_err *err);

#endif
