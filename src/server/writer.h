/* rs_writer: the one thread that commits. HTTP threads push jobs; it takes all that are queued, commits them
 * in one go (group commit), and tells each job how it went.
 *
 * The queue is bounded in bytes, for small jobs and as much again for large ones, which take turns with them: full is RS_ERR_FULL, and
 * the sender is told to come back. A job lives in its
 * request's arena and is the writer's from push until `done` is called. */
#ifndef RS_SERVER_WRITER_H
#define RS_SERVER_WRITER_H

#include "store/store.h"

typedef struct rs_writer rs_writer;

typedef struct rs_job {
    rs_store_batch batch;
    size_t bytes;     /* what it holds in memory, for the queue's limit */
    uint32_t refused; /* of the batch's events: their span has too many */
    /* On the writer thread, once; err is NULL if the batch is safe. The job may be gone when it returns. */
    void (*done)(struct rs_job *job, const rs_err *err);
    struct rs_job *next; /* the queue's */
} rs_job;

enum { RS_WRITER_QUEUE_BYTES = 64 << 20 };

typedef struct rs_writer_stats {
    uint64_t queued_bytes, queue_bytes; /* now; at most */
    uint64_t commits, commit_ns, failures;
    rs_status last; /* how the last commit went */
    bool is_stopping;
} rs_writer_stats;

/* Before each commit, on the writer thread: may put other spans and events into the batches, which are copies of those of the jobs,
 * from the arena, which lives until the commit is done. An error is one of the commit. */
typedef rs_status (*rs_writer_complete)(rs_store *store, rs_job *const jobs[], rs_store_batch batches[],
                                        size_t n, rs_arena *arena, rs_err *err);

/* After each commit, on the writer thread, of each batch that was stored: to be quick. */
typedef void (*rs_writer_stored)(void *ctx, const rs_store_batch *batch);

/* complete and stored may be NULL. */
RS_MUST_CHECK rs_status rs_writer_start(rs_store *store, size_t queue_bytes, rs_writer_complete complete,
                                        rs_writer_stored stored, void *ctx, rs_writer **out, rs_err *err);
/* RS_ERR_FULL, or RS_ERR_CLOSED once stopping: the job stays the caller's. */
RS_MUST_CHECK rs_status rs_writer_push(rs_writer *w, rs_job *job);
void rs_writer_get_stats(rs_writer *w, rs_writer_stats *out);
/* Takes no more jobs, commits those queued, ends the thread. Others may still push: they get RS_ERR_CLOSED. */
void rs_writer_stop(rs_writer *w);
/* Frees a stopped writer; nobody may push any more. */
void rs_writer_free(rs_writer *w);

#endif
