#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>

rs_status rs_fail(rs_err *err, rs_status code, size_t offset, const char *fmt, ...) {
    if (!err || err->code != RS_OK) return code;
    err->code = code;
    err->offset = offset;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->message, sizeof err->message, fmt, ap);
    va_end(ap);
    return code;
}

const char *rs_status_text(rs_status code) {
    switch (code) {
    case RS_OK:
        return "ok";
    case RS_ERR_MEMORY:
        return "out of memory";
    case RS_ERR_INVALID:
        return "invalid input";
    case RS_ERR_TRUNCATED:
        return "truncated input";
    case RS_ERR_TOO_LARGE:
        return "too large";
    case RS_ERR_UNSUPPORTED:
        return "not supported";
    case RS_ERR_IO:
        return "input/output error";
    case RS_ERR_FULL:
        return "no room";
    case RS_ERR_NOT_FOUND:
        return "not found";
    case RS_ERR_CORRUPT:
        return "corrupt data";
    case RS_ERR_DENIED:
        return "not permitted";
    case RS_ERR_TIMEOUT:
        return "timed out";
    case RS_ERR_CLOSED:
        return "closed";
    }
    return "unknown error";
}
