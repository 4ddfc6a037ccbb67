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
    uint64_t fingerprint; /* of the API key that its program gave; 0: none, or is_older */
    bool is_older;        /* of a version that did not say whose key it is for */
    uint64_t alive_ns;    /* when its process last said that it lives, or the file changed */
    uint64_t dropped;     /* ended spans that it had no room for */
    struct rs_spool_found {
        uint64_t number, at; /* of the region, and of its first byte in the file */
        uint32_t capacity, sent;
        uint64_t slot_bytes; /* 0: it holds ended spans; else slots of open ones, `capacity` of them */
    } * regions; /* with spans to send, in the order in which they were claimed; behind them those with slots */
    size_t n;
} rs_spool_file;

/* RS_ERR_CORRUPT: no header; RS_ERR_UNSUPPORTED: of another version; RS_ERR_IO. To be closed also on failure. */
RS_MUST_CHECK rs_status rs_spool_read_open(rs_spool_file *f, int fd, rs_err *err);
void rs_spool_read_close(rs_spool_file *f);

typedef struct rs_spool_got {
    uint32_t spans, damaged, open; /* open: how many of `spans` had not ended: interrupted */
} rs_spool_got;

/* Appends the frames of region i < n that are whole and unsent, in order. */
RS_MUST_CHECK rs_status rs_spool_read_region(rs_spool_file *f, size_t i, rs_buf *frames, rs_spool_got *got,
                                             rs_err *err);
/* The server has them (or refuses them for good): nobody sends the region again. */
void rs_spool_read_done(rs_spool_file *f, size_t i);

struct rs_spool_slot;
/* Any thread: appends the frame of a span that is still open, without an end, from a slot and its fields as they were read; without fields
 * of more than `most` bytes. False, with nothing appended, if they are none that a span writes, or for want of memory. */
bool rs_spool_open_frame(const struct rs_spool_slot *slot, rs_str wire, size_t most, rs_buf *frames);

/* For spool_slots.c, which reads what is in slots. False if the file does not have n bytes there. */
bool rs_spool_read_bytes(const rs_spool_file *f, uint64_t at, void *out, size_t n);
rs_status rs_spool_read_slots(const rs_spool_file *f, const struct rs_spool_found *region, rs_buf *frames,
                              rs_spool_got *got);

#endif
