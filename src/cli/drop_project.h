/* The end of a project's traces, once the control plane knows no such project. */
#ifndef RS_CLI_DROP_PROJECT_H
#define RS_CLI_DROP_PROJECT_H

#include "base/status.h"
#include <stdint.h>

/* By whoever has the store in `dir`: a server that runs, for which it waits, or nobody but this. */
RS_MUST_CHECK rs_status rs_drop_project(const char *dir, uint64_t project, rs_err *err);

#endif
