#include "cli/report.h"

#include "cli/cmd.h"

#include <stdio.h>

int rs_report_failure(const rs_err *err) {
    fprintf(stderr, "respan: %s\n", err->message);
    return RS_EXIT_NOT_FOUND;
}

int rs_report_json(rs_buf *json) {
    rs_buf_byte(json, '\n');
    bool ok = rs_buf_status(json) == RS_OK && fwrite(json->p, 1, json->n, stdout) == json->n;
    if (!ok) fputs("respan: cannot write the answer\n", stderr);
    rs_buf_deinit(json);
    return ok ? RS_EXIT_DONE : RS_EXIT_NOT_FOUND;
}
