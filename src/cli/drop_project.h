/* The end of projects: whether it is meant, and their traces, once the control plane knows no such project. One thread. */
#ifndef RS_CLI_DROP_PROJECT_H
#define RS_CLI_DROP_PROJECT_H

#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

/* Asks on standard error for the name of what is to go, of which "all `what`" `go`, and says so if what is typed is not that. For whoever
 * does not say --yes. */
bool rs_drop_is_meant(const char *what, const char *name, const char *go);

/* By whoever has the store in `dir`: a server that runs, for which it waits, or nobody but this. */
RS_MUST_CHECK rs_status rs_drop_project(const char *dir, uint64_t project, rs_err *err);

#endif
