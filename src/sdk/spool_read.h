/* Reads a spool file that has no owner: whatever a killed process, a torn page or a scribbler left there. Nothing in
 * it is believed before its checksum is; a bad header has a copy, a bad region loses its spans, a bad entry or
 * frame loses that frame. The file is read, never mapped: it may be cut while it is.
 *
 * One thread at a time; the caller owns the fd (rs_spool_lock) and outlives this. */
#ifndef RS_SDK_SPOOL_READ_H
#define RS_SDK_SPOOL_READ_H

#include "base/buf.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct rs_spool_file {
    int fd;
    rs_buf texts; /* backs the next four */
    rs_str app, url, resource, scope;
    uint64_t key, data_at, bytes, pid, started_ns;
    struct rs_spool_found {
        uint64_t number, at; /* of the region, and of its first byte in the file */
        uint32_t capacity, sent;
    } * regions; /* with spans to send, in the order in which they were claimed */
    size_t n;
} rs_spool_file;

/* RS_ERR_CORRUPT: no header; RS_ERR_UNSUPPORTED: of another version; RS_ERR_IO. To be closed also on failure. */
RS_MUST_CHECK rs_status rs_spool_read_open(rs_spool_file *f, int fd, rs_err *err);
void rs_spool_read_close(rs_spool_file *f);

typedef struct rs_spool_got {
    uint32_t spans, damaged;
} rs_spool_got;

/* Appends the frames of region i < n that are whole and unsent, in order. */
RS_MUST_CHECK rs_status rs_spool_read_region(rs_spool_file *f, size_t i, rs_buf *frames, rs_spool_got *got,
                                             rs_err *err);
/* The server has them (or refuses them for good): nobody sends the region again. */
void rs_spool_read_done(rs_spool_file *f, size_t i);

#endif
