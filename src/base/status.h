/* Errors by value.
 *
 * Every function that can fail returns an rs_status; boundary functions (parsers, files, sockets, the store)
 * also take a last `rs_err *` that may be NULL and receives code, byte offset and a message naming the thing
 * and the remedy. The first error set stays: callers add nothing on the way up. Any thread; no allocation. */
#ifndef RS_BASE_STATUS_H
#define RS_BASE_STATUS_H

#include <stddef.h>

typedef enum rs_status {
    RS_OK = 0,
    RS_ERR_MEMORY = -1,      /* an allocation failed */
    RS_ERR_INVALID = -2,     /* input is malformed or of the wrong type */
    RS_ERR_TRUNCATED = -3,   /* input ends inside a value */
    RS_ERR_TOO_LARGE = -4,   /* input or result is over its limit */
    RS_ERR_UNSUPPORTED = -5, /* well-formed, but not something we read */
    RS_ERR_IO = -6,          /* a system call failed */
    RS_ERR_FULL = -7,        /* disk or queue is full: retry later */
    RS_ERR_NOT_FOUND = -8,
    RS_ERR_CORRUPT = -9, /* stored data does not match its checksum */
    RS_ERR_DENIED = -10, /* not permitted */
    RS_ERR_TIMEOUT = -11,
    RS_ERR_CLOSED = -12, /* the object is shutting down */
} rs_status;

#define RS_MUST_CHECK __attribute__((warn_unused_result))

typedef struct rs_err {
    rs_status code;
    size_t offset; /* byte offset in the input, 0 where none applies */
    char message[240];
} rs_err;

/* Fills *err (if not NULL and not already set) and returns code, so that `return rs_fail(...)` reads well. */
rs_status rs_fail(rs_err *err, rs_status code, size_t offset, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* A short lower-case phrase for a code ("out of memory"); never NULL, static storage. */
const char *rs_status_text(rs_status code);

#endif
