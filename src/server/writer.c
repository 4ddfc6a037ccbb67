#include "server/writer.h"
#include "base/clock.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* A group commit takes what is queued, up to this: larger groups only delay their first job's answer. */
enum { GROUP_JOBS = 128, GROUP_BYTES = 16 << 20 };

/* What was freed goes back to the system once there is nothing to do, and now and then while there is: between what stays, holes
 * add up that nothing is put into. */
enum { IDLE_TRIM_S = 2, BUSY_TRIM_S = 1 };

/* Jobs of over a sixteenth of the queue's limit have a lane of their own: whoever sends them takes neither room nor turns from those with
 * small ones. The lanes take turns. */
enum { LARGE_PART = 16, SMALL = 0, LARGE, LANES };

typedef struct lane {
    rs_job *first, **last;
    size_t bytes; /* queued or being committed */
} lane;

struct rs_writer {
    rs_store *store;
    rs_writer_complete complete;
    rs_writer_stored stored;
    void *ctx; /* of stored */
    size_t limit;
    pthread_t thread;
    pthread_mutex_t lock; /* the following */
    pthread_cond_t wake;
    lane lanes[LANES];
    int turn; /* whose job was committed last */
    bool stopping;
    uint64_t commits, commit_ns, failures;
    rs_status last_status;
};

static bool has_work(const rs_writer *w) { return w->lanes[SMALL].first || w->lanes[LARGE].first; }

static lane *lane_of(rs_writer *w, const rs_job *job) {
    return &w->lanes[job->bytes > w->limit / LARGE_PART ? LARGE : SMALL];
}

/* Takes jobs for one commit off the queue, of which there are some; under the lock. */
static size_t take_group(rs_writer *w, rs_job *group[GROUP_JOBS], size_t *bytes) {
    if (w->lanes[!w->turn].first) w->turn = !w->turn;
    lane *l = &w->lanes[w->turn];
    size_t n = 0;
    *bytes = 0;
    while (l->first && n < GROUP_JOBS && (n == 0 || *bytes + l->first->bytes <= GROUP_BYTES)) {
        rs_job *job = l->first;
        l->first = job->next;
        if (!l->first) l->last = &l->first;
        *bytes += job->bytes;
        group[n++] = job;
    }
    return n;
}

/* Before anybody is answered: who has an answer may ask how it stands. */
static void note_commit(rs_writer *w, rs_status st, uint64_t began_ns) {
    pthread_mutex_lock(&w->lock);
    w->commits++;
    w->commit_ns += rs_clock_mono_ns() - began_ns;
    w->failures += st != RS_OK;
    w->last_status = st;
    pthread_mutex_unlock(&w->lock);
}

/* A job that cannot be stored does not take along those it was grouped with: each is then tried alone. No room
 * is no room for any of them. */
static void commit_group(rs_writer *w, rs_job *group[], size_t n) {
    rs_store_batch batches[GROUP_JOBS] = {0};
    bool failed[GROUP_JOBS] = {false};
    rs_err err = {0};
    rs_arena arena;
    rs_arena_init(&arena, 0);
    uint64_t began_ns = rs_clock_mono_ns();
    for (size_t i = 0; i < n; i++) batches[i] = group[i]->batch;
    rs_store_begin(w->store); /* a trace that is completed is not deleted before it is committed */
    rs_status st = w->complete ? w->complete(w->store, group, batches, n, &arena, &err) : RS_OK;
    if (st == RS_OK) st = rs_store_commit(w->store, batches, n, failed, &err);
    else memset(failed, true, sizeof failed);
    rs_store_end(w->store);
    for (size_t i = 0; w->stored && i < n; i++)
        if (st == RS_OK || !failed[i]) w->stored(w->ctx, &batches[i]);
    rs_arena_deinit(&arena);
    if (st != RS_OK && err.code == RS_OK) (void)!rs_fail(&err, st, 0, "%s", rs_status_text(st));
    note_commit(w, st, began_ns);
    bool final = n == 1 || st == RS_ERR_FULL;
    for (size_t i = 0; i < n; i++) {
        if (st == RS_OK || !failed[i]) group[i]->done(group[i], NULL);
        else if (final) group[i]->done(group[i], &err);
        else commit_group(w, &group[i], 1);
    }
}

/* Waits for work; after a while without any, gives freed memory back to the system. Under the lock. */
static void wait_for_work(rs_writer *w, bool *worked) {
    while (!has_work(w) && !w->stopping) {
        if (!*worked) {
            pthread_cond_wait(&w->wake, &w->lock);
            continue;
        }
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += IDLE_TRIM_S;
        if (pthread_cond_timedwait(&w->wake, &w->lock, &until) == 0 || has_work(w)) continue;
        *worked = false;
        pthread_mutex_unlock(&w->lock);
        malloc_trim(0);
        pthread_mutex_lock(&w->lock);
    }
}

static void *run(void *arg) {
    rs_writer *w = arg;
    rs_job *group[GROUP_JOBS];
    bool worked = true; /* starting up left things to trim */
    uint64_t trimmed_ns = 0;
    pthread_mutex_lock(&w->lock);
    for (;;) {
        wait_for_work(w, &worked);
        if (!has_work(w)) break;
        size_t bytes, n = take_group(w, group, &bytes);
        lane *from = &w->lanes[w->turn];
        pthread_mutex_unlock(&w->lock);
        commit_group(w, group, n);
        uint64_t now = rs_clock_mono_ns();
        if (now - trimmed_ns >= BUSY_TRIM_S * 1000000000ull) {
            malloc_trim(0);
            trimmed_ns = now;
        }
        worked = true;
        pthread_mutex_lock(&w->lock);
        from->bytes -= bytes;
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

rs_status rs_writer_start(rs_store *store, size_t queue_bytes, rs_writer_complete complete,
                          rs_writer_stored stored, void *ctx, rs_writer **out, rs_err *err) {
    *out = NULL;
    rs_writer *w = calloc(1, sizeof *w);
    if (!w) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    w->store = store;
    w->complete = complete;
    w->stored = stored;
    w->ctx = ctx;
    w->limit = queue_bytes;
    for (int i = 0; i < LANES; i++) w->lanes[i].last = &w->lanes[i].first;
    pthread_mutex_init(&w->lock, NULL);
    rs_clock_cond_init(&w->wake);
    if (pthread_create(&w->thread, NULL, run, w) != 0) {
        pthread_cond_destroy(&w->wake);
        pthread_mutex_destroy(&w->lock);
        free(w);
        return rs_fail(err, RS_ERR_MEMORY, 0, "cannot start the writer thread");
    }
    *out = w;
    return RS_OK;
}

rs_status rs_writer_push(rs_writer *w, rs_job *job) {
    rs_status st = RS_OK;
    lane *l = lane_of(w, job);
    job->next = NULL;
    pthread_mutex_lock(&w->lock);
    if (w->stopping) {
        st = RS_ERR_CLOSED;
    } else if (l->bytes && l->bytes + job->bytes > w->limit) { /* alone, a job of any size is taken */
        st = RS_ERR_FULL;
    } else {
        *l->last = job;
        l->last = &job->next;
        l->bytes += job->bytes;
        pthread_cond_signal(&w->wake);
    }
    pthread_mutex_unlock(&w->lock);
    return st;
}

void rs_writer_get_stats(rs_writer *w, rs_writer_stats *out) {
    pthread_mutex_lock(&w->lock);
    *out = (rs_writer_stats){.queued_bytes = w->lanes[SMALL].bytes + w->lanes[LARGE].bytes,
                             .queue_bytes = LANES * w->limit,
                             .commits = w->commits,
                             .commit_ns = w->commit_ns,
                             .failures = w->failures,
                             .last = w->last_status,
                             .is_stopping = w->stopping};
    pthread_mutex_unlock(&w->lock);
}

void rs_writer_stop(rs_writer *w) {
    if (!w) return;
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
}

void rs_writer_free(rs_writer *w) {
    if (!w) return;
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
