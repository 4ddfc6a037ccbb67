/* rs_open_teller: what the server is told of spans that have not ended, so that it can show them meanwhile.
 *
 * The exporter's thread looks at the open spans' slots (open_spans.h) about twice a second and reads them as they stand in the
 * spool's file: a copy whose sum is right, and whose slot still holds the same span, is one that was whole; any other is
 * looked at again. Nobody who writes a span waits for that or does anything for it. What is told: a span that has been open for
 * OPEN_AGE_MS, once, again when it has changed (the larger it is the more seldom), and else every OPEN_BEAT_MS that it is still
 * open, by its ids alone. At most OPEN_SPANS_MAX spans and OPEN_BYTES_MAX at a time; of a span over OPEN_SPAN_MAX bytes the fields over
 * OPEN_FIELD_MAX are left out. Not told: what is not in the file (the heap's), withheld or not sampled. The exporter's
 * thread alone. */
#ifndef RS_SDK_OPEN_TELL_H
#define RS_SDK_OPEN_TELL_H

#include "sdk/ring.h"

enum {
    OPEN_LOOK_MS = 500,
    OPEN_AGE_MS = 1000,
    OPEN_BEAT_MS = 10000,
    OPEN_SPANS_MAX = 512,
    OPEN_BYTES_MAX = 1 << 20,
    OPEN_SPAN_MAX = 256 << 10,
    OPEN_FIELD_MAX = 16 << 10,
    OPEN_BYTES_PER_MS = 64, /* a span is told again no faster */
};

typedef struct rs_open_teller {
    bool is_off;         /* the server does not take them, or they are not to be told */
    bool is_understood;  /* it has said that it does */
    uint64_t next_ns;    /* monotonic: when to look again */
    uint64_t epoch;      /* what was told in another one is told anew */
    uint64_t anew_ns;    /* when that was last begun */
    rs_open_chunk *from; /* where the next look begins; NULL: with the first */
    rs_buf frames;       /* of what is to be told now */
    rs_buf slot;
} rs_open_teller;

void rs_open_teller_init(rs_open_teller *t, bool is_off);
void rs_open_teller_deinit(rs_open_teller *t);
/* In a child of fork: it has nothing told, and memory of its own. */
void rs_open_teller_reset(rs_open_teller *t);

/* When it wants to look (monotonic); UINT64_MAX: never. */
static inline uint64_t rs_open_teller_next(const rs_open_teller *t) {
    return t->is_off ? UINT64_MAX : t->next_ns;
}
/* Makes t->frames, and counts on their being told now. How many there are. */
unsigned rs_open_teller_look(rs_open_teller *t, rs_ring *ring, uint64_t now_ns);
/* All is told anew: it may not have arrived. */
void rs_open_teller_forget(rs_open_teller *t, uint64_t now_ns);

#endif
