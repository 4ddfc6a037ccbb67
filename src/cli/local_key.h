/* The local user's API key: what `respan serve` keeps in the credentials file, so that he configures nothing. */
#ifndef RS_CLI_LOCAL_KEY_H
#define RS_CLI_LOCAL_KEY_H

#include "store/control.h"

/* Sees to it that the credentials file holds a key that is valid here, for `url` (this server). Makes project
 * "default" if there is none. Leaves the file alone, and says so on standard error, when it is for another
 * server: one that is not on this machine, or one that runs on another port. `data`: what --data said, or NULL. */
RS_MUST_CHECK rs_status rs_local_key_ensure(rs_control *control, const char *url, const char *data,
                                            rs_project *project, rs_err *err);

#endif
