/* How commands that open the data directory themselves say what came of it. */
#ifndef RS_CLI_REPORT_H
#define RS_CLI_REPORT_H

#include "base/buf.h"
#include "base/status.h"

/* Says it on standard error; the exit status. */
int rs_report_failure(const rs_err *err);
/* A line of JSON on standard output; takes what is in the buffer. The exit status. */
int rs_report_json(rs_buf *json);

#endif
