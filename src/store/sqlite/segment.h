/* The segment: an append-only file of blocks, back to back. What its index knows of it ends at `end`; what
 * lies behind is an orphan of a crash or of a failed commit and is cut.
 *
 * The writer thread appends and cuts; any thread reads below `end` at the time of its read snapshot. */
#ifndef RS_STORE_SQLITE_SEGMENT_H
#define RS_STORE_SQLITE_SEGMENT_H

#include "base/buf.h"
#include "base/paths.h"

typedef struct rs_segment {
    int fd;       /* -1: closed */
    uint64_t id;  /* of this opening, in this process */
    uint64_t end; /* the writer's */
    char path[RS_PATH_MAX];
} rs_segment;

/* Opens or makes the file and cuts what lies behind `end`. A file that is shorter (the machine lost power) is
 * left so: its lost blocks then read as corrupt, and new ones go behind `end`. */
RS_MUST_CHECK rs_status rs_segment_open(rs_segment *s, const char *dir, uint64_t end, rs_err *err);
/* To look at it beside its owner: it must be there, and is not cut. */
RS_MUST_CHECK rs_status rs_segment_open_to_read(rs_segment *s, const char *dir, rs_err *err);
void rs_segment_close(rs_segment *s);

/* Writes all of it behind `end`, which stays where it is; RS_ERR_FULL if there is no room, and then nothing
 * of it is left; RS_ERR_CLOSED if the file was removed. */
RS_MUST_CHECK rs_status rs_segment_append(rs_segment *s, rs_str bytes, rs_err *err);
/* What was appended is on the disk. */
RS_MUST_CHECK rs_status rs_segment_sync(rs_segment *s, rs_err *err);
/* The bytes appended are committed / are not. */
void rs_segment_keep(rs_segment *s, uint64_t end);
void rs_segment_cut(rs_segment *s);

/* Exactly n bytes at `at`; false: they cannot be had. */
bool rs_segment_peek(const rs_segment *s, uint64_t at, char *out, size_t n);
/* Up to n bytes at `at`, appended to out: fewer only at the end of the file. */
RS_MUST_CHECK rs_status rs_segment_read(const rs_segment *s, uint64_t at, size_t n, rs_buf *out, rs_err *err);

#endif
