/* Where this command's data is: what the commands that open the store's own files share. */
#ifndef RS_CLI_DATA_DIR_H
#define RS_CLI_DATA_DIR_H

#include "base/paths.h"
#include "store/control.h"

/* `option` (--data) if given, else $XDG_DATA_HOME/respan. */
RS_MUST_CHECK rs_status rs_data_dir(const char *option, char out[RS_PATH_MAX], rs_err *err);

/* Opens the control plane of existing data; RS_ERR_NOT_FOUND if no server has ever run there. */
RS_MUST_CHECK rs_status rs_data_open_control(const char *option, rs_control **out, rs_err *err);

#endif
