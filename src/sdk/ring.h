/* rs_ring: ended spans on their way from the program's threads to the one exporter thread.
 *
 * Structure. A first-in first-out list of batches; a batch is one allocation that becomes one request body:
 *
 *     [ headroom | frame frame frame … | room to grow ]
 *
 * A frame is a Span as it stands inside ScopeSpans (tag, length, body). The headroom takes the opening of the
 * request (resource, scope and their lengths), written right before the first frame when the batch is sent.
 * So a span is copied once, from its own buffer to the very bytes that go to the socket.
 *
 * A batch's bytes are a region of the spool file (spool.h), which is made when the first span starts, or, where there
 * is none (it is switched off, the disk is full), an allocation of the heap. The ring has the open spans too
 * (open_spans.h), since they stand in that file and to end one is to put it.
 *
 * Invariants, all under `lock`:
 *  - Only the last batch is open, that is, may grow; the others are sealed. It is sealed when the next span
 * would take it past batch_bytes or when it has batch_spans spans (in the spool: as many as a region has room for, so
 * that small batches do not fill it with little while the server is away). Only a batch of a single span may be
 * larger than batch_bytes.
 *  - The consumer owns at most one batch, `taken`, which is in the list no more.
 *  - held = frame bytes of the heap's batches, `taken` included; held <= limit. Full: the newest span is dropped
 * and counted. Spool full: the oldest batch of the list is, so that what is kept is what happened last.
 *  - Spans are done in the order in which they were put: put - done of them are in the list and in `taken`.
 *  - done = acknowledged + rejected + lost + kept; ended = put + dropped for want of room. kept: the ring was
 * stopped and they stand in the spool, where the next process finds them.
 * Heap is at most about twice `held` (batches grow by doubling), and spare batches of batch_bytes together,
 * kept so that a steady flow allocates nothing and touches no fresh page.
 *
 * Threads. Any thread puts; it holds `lock` for one copy of the span, and waits for some 20 us before that where the
 * spool is nearly full and a server is emptying it. It wakes the consumer (one futex call)
 * only if the consumer sleeps without an end in sight, or if it sealed a batch for which the consumer waits.
 * One consumer takes and finishes. Fork: rs_ring_lock / rs_ring_unlock around fork, rs_ring_reset in the
 * child. */
#ifndef RS_SDK_RING_H
#define RS_SDK_RING_H

#include "base/buf.h"
#include "sdk/lock.h"
#include "sdk/open_spans.h"
#include "sdk/spool.h"
#include <stdint.h>

typedef struct rs_batch {
    struct rs_batch *next;
    uint64_t opened_ns; /* monotonic, when its first span was put */
    size_t from;        /* offset of the first frame: the headroom's size */
    size_t n, cap;      /* bytes used and held of `bytes`, headroom included */
    uint32_t spans;
    bool sealed,
        full,   /* full: it has batch_spans spans and is due; in the spool it may grow until it is taken */
        cooled; /* see rs_spool_cool */
    char *bytes;
    rs_spool_place place; /* of `bytes` in the spool; place.base NULL: they are the heap's */
} rs_batch;

typedef struct rs_ring_limits {
    size_t bytes;       /* frames held at most on the heap */
    size_t headroom;    /* bytes kept free before the first frame of a batch */
    uint32_t spans;     /* per batch */
    size_t batch_bytes; /* per batch */
    uint64_t interval_ns;
} rs_ring_limits;

typedef struct rs_ring_counts {
    uint64_t put, acknowledged, rejected, lost, kept; /* lost: put, then given up */
    uint64_t overflowed;                              /* dropped for want of room or memory */
    uint64_t evicted;                                 /* of the lost: dropped for what was newer */
} rs_ring_counts;

typedef enum rs_ring_wait { RS_RING_AWAKE, RS_RING_IDLE, RS_RING_GATHERING } rs_ring_wait;

typedef struct rs_ring {
    rs_lock lock;
    rs_signal work;     /* the consumer waits here */
    rs_signal progress; /* flushers wait here */
    rs_ring_limits limits;
    const rs_spool_setup *setup; /* NULL: no spool, or it could not be had */
    rs_spool *spool;             /* NULL: not made yet */
    rs_batch *first, *last, *taken, *spares;
    size_t held, spare_bytes;
    rs_ring_counts counts;
    uintptr_t next_frame; /* atomic: where the next one goes, as a hint; nothing is read there */
    rs_open_spans open;
    uint64_t discarded;
    uint64_t open_since_ns; /* the consumer's: monotonic, since when it found spans open; 0: it did not */
    uint64_t unreported;    /* atomic: dropped spans of which no span has said so yet */
    uint64_t flush_to;      /* spans before this number go out without waiting for a full batch */
    unsigned flushers;
    bool progress_raised;     /* and they are to be notified */
    rs_ring_wait waiting;     /* what the consumer sleeps for */
    bool tight;               /* atomic: the spool is nearly full */
    uint64_t acknowledged_ns; /* atomic, monotonic: when a server last took spans */
    unsigned throttled;       /* atomic: threads that wait for room */
    bool deserted;            /* the process is over but for its exporters */
    uint64_t looked_ns;       /* monotonic: when the consumer last asked for that */
    bool stopped;
} rs_ring;

/* setup NULL: no spool; else borrowed for the ring's life, with limits.spans <= setup->capacity. */
void rs_ring_init(rs_ring *ring, rs_ring_limits limits, const rs_spool_setup *setup);
void rs_ring_deinit(rs_ring *ring); /* no other thread may use it any more */

/* Any thread. A span to start, see rs_open_take; NULL without memory. */
respan_span *rs_ring_open(rs_ring *ring);
/* Its owner. Other memory for its fields, see rs_open_move. */
bool rs_ring_move(rs_ring *ring, respan_span *span, size_t room);

typedef struct rs_ring_put_result {
    bool stored; /* false: dropped (full, or stopped) */
    bool last;   /* the ring is stopped, and no span is out any more */
} rs_ring_put_result;

/* Its owner. Puts the frame that is `lead` (frame.h) and the span's fields, whose sum is `sum`, and takes the span back. */
rs_ring_put_result rs_ring_put(rs_ring *ring, respan_span *span, rs_str lead, uint64_t sum);
/* Its owner. Takes it back and puts nothing. `stays`: after rs_ring_keep it is left in the spool as it was then: open. */
rs_ring_put_result rs_ring_discard(rs_ring *ring, respan_span *span, bool stays);

/* What had been put at some moment, and how much of it was decided then. */
typedef struct rs_ring_mark {
    uint64_t put, done, acknowledged;
} rs_ring_mark;
rs_ring_mark rs_ring_mark_now(rs_ring *ring);

/* Any thread. Sends what had been put at the mark without further waiting, until all of it is done or the deadline
 * (monotonic ns). RS_OK: all acknowledged; RS_ERR_DENIED: some were rejected or lost; RS_ERR_TIMEOUT;
 * RS_ERR_CLOSED: stopped. */
RS_MUST_CHECK rs_status rs_ring_flush(rs_ring *ring, const rs_ring_mark *mark, uint64_t deadline_ns);

/* Any thread. The consumer's waits end; nothing more is taken or put. */
void rs_ring_stop(rs_ring *ring);
/* After stop. What stands in the spool is counted as kept, the rest of the list as lost, and the spool is let go of, but
 * that a consumer which did not come back keeps it. True if no span is out. */
bool rs_ring_keep(rs_ring *ring);

void rs_ring_count(rs_ring *ring, rs_ring_counts *out);
uint64_t rs_ring_started(rs_ring *ring);
static inline uint64_t rs_ring_pending(const rs_ring_counts *c) {
    return c->put - c->acknowledged - c->rejected - c->lost - c->kept;
}

/* The consumer. Waits until a batch is due (sealed, old enough, or wanted by a flush); NULL when stopped, or at until_ns
 * (monotonic). */
rs_batch *rs_ring_take(rs_ring *ring, uint64_t until_ns);
bool rs_ring_is_stopped(rs_ring *ring);
/* Somebody waits in a flush, or it is stopped. */
bool rs_ring_is_hurried(rs_ring *ring);
/* There is a batch to take. */
bool rs_ring_is_due(rs_ring *ring);

/* The consumer. See rs_open_look; and what to read the slots from. */
typedef struct rs_open_view {
    const rs_spool *spool;
    int fd;
} rs_open_view;
size_t rs_ring_look(rs_ring *ring, rs_open_chunk **at, rs_open_view *view, rs_open_seen out[RS_SPOOL_SLOTS]);
/* The consumer. Bytes of the whole frames at offset `at`: as many as fit `most` bytes and `most_spans` (1 or more), and
 * at least one; *spans is their number. */
size_t rs_batch_cut(const rs_batch *batch, size_t at, size_t most, uint32_t most_spans, uint32_t *spans);
/* The consumer. A request's body: `opening` (at most the headroom) and the n bytes of frames at `at`. It is written over
 * what stands before them, the headroom or frames that were sent already. */
rs_str rs_batch_request(rs_batch *batch, size_t at, size_t n, rs_str opening);
/* The consumer. The server has decided on the first `spans` of the batch: they are not to be sent again. */
void rs_batch_note_sent(const rs_batch *batch, uint32_t spans);
/* The consumer. Takes the batch back: `rejected` and `lost` of its spans were, the rest is acknowledged. Lost because
 * the ring was stopped, and in the spool, is kept. */
void rs_ring_done(rs_ring *ring, rs_batch *batch, uint32_t rejected, uint32_t lost);
/* The consumer. Sleeps for wait_ns; a flush cuts that to hurry_ns. False if stopped. */
bool rs_ring_pause(rs_ring *ring, uint64_t wait_ns, uint64_t hurry_ns);

/* Around fork. Reset: the child, alone and holding the lock, starts empty with no consumer and all counts
 * zero; gives how many spans were out, which are the parent's. */
void rs_ring_lock(rs_ring *ring);
void rs_ring_unlock(rs_ring *ring);
uint64_t rs_ring_reset(rs_ring *ring);

#endif
