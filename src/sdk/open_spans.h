/* rs_open_spans: the spans that have started and not ended, and the memory that they are written in.
 *
 * A span object and its slot are made once, fifteen at a time, and used again and again: to start a span allocates
 * nothing. The slot is in the spool's file (spool_format.h), so that a span that was open when the process died is found
 * there with its ids, its start and the fields that it had; or on the heap, where there is no file or no room in it. A
 * span that outgrows its slot moves to a larger one, and back to its own when it ends.
 *
 * Threads. The pool is under the ring's lock, but for one span that is kept at hand: to start with that one takes no
 * lock. A span is its owner's alone, who writes to its slot without one: the fields'
 * bytes first, then how many of them count.
 *
 * Ends of life. The mapping is there until the last span is back: the pool holds a reference to the client until
 * it is closed and nothing is out. In a child of fork the spans of before are the parent's: their slots are not
 * touched, each keeps a reference of its own, and the pool starts anew. */
#ifndef RS_SDK_OPEN_SPANS_H
#define RS_SDK_OPEN_SPANS_H

#include "respan.h"
#include "sdk/fields.h"
#include "sdk/spool.h"
#include "sdk/spool_format.h"

struct respan_span {
    rs_fields fields;
    respan_client *client;
    uint64_t start_ns;
    respan_span_context context;
    uint8_t parent_id[8];
    bool has_parent;
    bool is_kind_set, has_shared;
    bool is_sampled; /* else it goes nowhere when it ends */
    bool is_in_file; /* home is */
    bool unseen; /* nobody is to find it in its slot: that is the heap's, or it is withheld, or not sampled */
    unsigned generation;   /* of the process that started it */
    rs_spool_slot *slot;   /* where it is written; in the pool: home */
    rs_spool_slot *home;   /* its own small one */
    rs_spool_place place;  /* of a larger slot in the spool */
    bool is_large_on_heap; /* fields.wire is an allocation; slot is as it was when they moved there */
    rs_spool_sum sum;
    uint64_t key; /* the spool's, or 0 */
    respan_span *next;
};

typedef struct rs_open_chunk rs_open_chunk;

typedef struct rs_open_spans {
    respan_span *at_hand; /* atomic */
    respan_span *free;
    rs_open_chunk *chunks, *stale; /* stale: of the process before the fork */
    uint64_t made, free_n;
    bool closed; /* nothing is put at hand any more */
} rs_open_spans;

/* Any thread, without a lock. The span at hand, with empty fields, in its own slot, which says nothing yet; or NULL. */
static inline respan_span *rs_open_take_at_hand(rs_open_spans *o) {
    return __atomic_exchange_n(&o->at_hand, NULL, __ATOMIC_ACQUIRE);
}
/* Another such; NULL without memory. `spool` may be NULL. */
respan_span *rs_open_take(rs_open_spans *o, rs_spool *spool);
/* The span is over, and its slot empty again; `stays`: but that it says that the span was open, until the client is no
 * more. */
void rs_open_give(rs_open_spans *o, rs_spool *spool, respan_span *span, bool stays);
/* How many are out: none is lost between two calls. */
uint64_t rs_open_count(const rs_open_spans *o);
/* At the client's close. True if the file holds open spans: whoever reads it next delivers them as interrupted ones. */
bool rs_open_close(rs_open_spans *o);
/* In a child of fork: see above. How many were out. */
uint64_t rs_open_reset(rs_open_spans *o);
void rs_open_deinit(rs_open_spans *o);

/* What the exporter's thread told the server of the span in a slot (open_tell.h): its alone. */
typedef struct rs_open_told {
    uint64_t check, written; /* as the slot had them */
    uint64_t epoch, again_ns, beat_ns;
} rs_open_told;

typedef struct rs_open_seen {
    const rs_spool_slot *slot; /* another's as soon as the lock is given back: to be read from the file */
    size_t room;               /* for fields */
    uint64_t check, written;
    rs_open_told *told;
} rs_open_seen;

/* The exporter's thread, with the lock: which slots of a chunk hold an open span, in the file. *at: the chunk, NULL for the first;
 * then the one that comes next, NULL at the end. Chunks stay where they are until deinit. */
size_t rs_open_look(const rs_open_spans *o, rs_open_chunk **at, rs_open_seen out[RS_SPOOL_SLOTS]);

/* Its owner, with the ring's lock: other memory for its fields, `room` bytes more than they have now. spool NULL: the
 * heap. */
bool rs_open_move(respan_span *span, rs_spool *spool, size_t room);

/* Its owner. From here on it is found if the process dies, unless it is `unseen`. */
void rs_open_publish(respan_span *span);
/* Its owner. What was set since is found too. Gives the sum of the fields. */
static inline uint64_t rs_open_note(respan_span *s, uint64_t end_ns) {
    uint32_t n = (uint32_t)s->fields.wire.n;
    uint64_t sum = rs_spool_sum_to(&s->sum, s->fields.wire.p, n);
    if (__builtin_expect(!s->is_large_on_heap && !s->unseen, 1))
        __atomic_store_n(&s->slot->written, rs_spool_written(sum, n, end_ns, s->key), __ATOMIC_RELEASE);
    return sum;
}
/* Its owner. It is not found any more. */
static inline void rs_open_withdraw(respan_span *s) {
    __atomic_store_n(&s->slot->check, 0, __ATOMIC_RELEASE);
}

#endif
