/* rs_live_notes: which traces have changed since somebody last asked, of each project to which somebody listens.
 *
 * At most RS_LIVE_NOTES of a project: one that changes more than that overflows by itself, and no other for it. Any thread; one
 * lock, under which nothing waits. */
#ifndef RS_SERVER_LIVE_NOTES_H
#define RS_SERVER_LIVE_NOTES_H

#include "base/status.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RS_LIVE_NOTES = 256 };

typedef struct rs_live_feed rs_live_feed;

typedef struct rs_live_notes {
    pthread_mutex_t lock;
    rs_live_feed *first;
} rs_live_notes;

void rs_live_notes_init(rs_live_notes *n);
void rs_live_notes_deinit(rs_live_notes *n);

/* Somebody more listens to the project. RS_ERR_MEMORY. */
RS_MUST_CHECK rs_status rs_live_notes_join(rs_live_notes *n, uint64_t project);
void rs_live_notes_leave(rs_live_notes *n, uint64_t project);

/* These n traces have changed; their ids lie `stride` bytes apart. Nothing is kept of a project to which nobody listens. */
void rs_live_notes_put(rs_live_notes *n, uint64_t project, const void *ids, size_t stride, size_t count);

/* The projects of which something has changed: up to `most`. */
size_t rs_live_notes_projects(rs_live_notes *n, uint64_t *out, size_t most);
/* What has changed of one, which is forgotten with that. *overflowed: and more. */
size_t rs_live_notes_take(rs_live_notes *n, uint64_t project, uint8_t out[RS_LIVE_NOTES][16],
                          bool *overflowed);

#endif
