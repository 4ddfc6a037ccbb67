#include "sdk/ring.h"

#include "base/clock.h"
#include "base/log.h"
#include "otlp/encode.h"
#include "sdk/process_end.h"
#include <stdlib.h>
#include <time.h>

enum { BATCH_START = 16 << 10, COOL_AT_ONCE = 64, FETCHED_LINES = 6 };
static const uint64_t throttle_ns = 20000, draining_ns = 500000000;
static const uint64_t pulse_min_ns = 50000000, pulse_max_ns = 1000000000;

/* ---- batches ------------------------------------------------------------------------------------------- */

/* With the lock held where b stands in the spool. */
static void batch_free(rs_ring *ring, rs_batch *b) {
    if (!b) return;
    if (b->place.base) rs_spool_release(ring->spool, &b->place);
    else free(b->bytes);
    free(b);
}

static rs_batch *batch_on_heap(rs_ring *ring) {
    rs_batch *b = ring->spares;
    if (b) {
        ring->spares = b->next;
        ring->spare_bytes -= b->cap;
    } else if (!(b = calloc(1, sizeof *b))) {
        return NULL;
    }
    *b = (rs_batch){.from = ring->limits.headroom,
                    .n = ring->limits.headroom,
                    .cap = b->cap,
                    .bytes = b->bytes,
                    .opened_ns = rs_clock_mono_ns()};
    return b;
}

/* The spool's failure is no news for the program: the ring goes on without it. */
static bool make_spool(rs_ring *ring) {
    if (ring->spool) return true;
    if (!ring->setup) return false;
    rs_err err = {0};
    if (rs_spool_create(ring->setup, &ring->spool, &err) == RS_OK) return true;
    __atomic_store_n(&ring->setup, NULL, __ATOMIC_RELAXED);
    const char *debug = getenv("RESPAN_DEBUG");
    if (debug && *debug && *debug != '0') rs_log("no spool: %s; spans are kept in memory", err.message);
    return false;
}

static rs_status batch_in_spool(rs_ring *ring, size_t frame, rs_batch **out) {
    rs_batch *b = calloc(1, sizeof *b);
    if (!b) return RS_ERR_MEMORY;
    *b = (rs_batch){
        .from = ring->limits.headroom, .n = ring->limits.headroom, .opened_ns = rs_clock_mono_ns()};
    rs_status st = rs_spool_claim(ring->spool, frame, &b->place, &b->bytes, &b->cap);
    if (st == RS_OK) *out = b;
    else free(b);
    return st;
}

static bool batch_reserve(rs_ring *ring, rs_batch *b, size_t n) {
    if (b->place.base)
        return b->n + n <= b->cap || rs_spool_grow(ring->spool, &b->place, b->n + n - b->cap, &b->cap);
    if (n > ring->limits.bytes - ring->held) return false;
    if (b->n + n <= b->cap) return true;
    size_t cap = b->cap ? b->cap * 2 : BATCH_START;
    if (cap < b->n + n) cap = b->n + n;
    char *bytes = realloc(b->bytes, cap);
    if (!bytes) return false;
    b->bytes = bytes;
    b->cap = cap;
    return true;
}

/* Keeps b for later; false if there are enough, and the caller frees it. */
static bool batch_keep(rs_ring *ring, rs_batch *b) {
    if (ring->stopped || ring->spare_bytes + b->cap > ring->limits.batch_bytes) return false;
    b->next = ring->spares;
    ring->spares = b;
    ring->spare_bytes += b->cap;
    return true;
}

size_t rs_batch_cut(const rs_batch *b, size_t at, size_t most, uint32_t most_spans, uint32_t *spans) {
    size_t n = 0;
    for (*spans = 0; at + n < b->n && *spans < most_spans; (*spans)++) {
        size_t body = 0, head = 1;
        unsigned shift = 0;
        uint8_t byte;
        do {
            byte = (uint8_t)b->bytes[at + n + head++];
            body |= (size_t)(byte & 0x7f) << shift;
            shift += 7;
        } while (byte & 0x80);
        if (*spans && n + head + body > most) break;
        n += head + body;
    }
    return n;
}

rs_str rs_batch_request(rs_batch *b, size_t at, size_t n, rs_str opening) {
    char *begin = b->bytes + at - opening.n;
    memcpy(begin, opening.p, opening.n);
    return (rs_str){begin, opening.n + n};
}

/* ---- life ---------------------------------------------------------------------------------------------- */

void rs_ring_init(rs_ring *ring, rs_ring_limits limits, const rs_spool_setup *setup) {
    *ring = (rs_ring){.limits = limits, .setup = setup};
}

/* Forgets batches whose regions stay as they are. */
static void forget_batches(rs_batch *b) {
    while (b) {
        rs_batch *next = b->next;
        if (!b->place.base) free(b->bytes);
        free(b);
        b = next;
    }
}

static void forget_all(rs_ring *ring) {
    forget_batches(ring->first);
    forget_batches(ring->spares);
    forget_batches(ring->taken);
    ring->first = ring->last = ring->spares = ring->taken = NULL;
}

void rs_ring_deinit(rs_ring *ring) {
    forget_all(ring);
    rs_open_deinit(&ring->open);
    rs_spool_finish(ring->spool, true);
    rs_spool_free(ring->spool);
}

void rs_ring_lock(rs_ring *ring) { rs_lock_take(&ring->lock); }
void rs_ring_unlock(rs_ring *ring) { rs_lock_give(&ring->lock); }

uint64_t rs_ring_reset(rs_ring *ring) {
    forget_all(ring);
    rs_spool_free(ring->spool);
    rs_open_spans open = ring->open;
    uint64_t out = rs_open_reset(&open);
    rs_ring_init(ring, ring->limits, ring->setup);
    ring->open = open;
    return out;
}

void rs_ring_stop(rs_ring *ring) {
    rs_lock_take(&ring->lock);
    ring->stopped = true;
    rs_signal_raise(&ring->work);
    rs_signal_raise(&ring->progress);
    rs_lock_give(&ring->lock);
    rs_signal_notify(&ring->work);
    rs_signal_notify(&ring->progress);
}

bool rs_ring_keep(rs_ring *ring) {
    rs_lock_take(&ring->lock);
    for (const rs_batch *b = ring->first; b; b = b->next) {
        if (b->place.base) ring->counts.kept += b->spans;
        else ring->counts.lost += b->spans;
    }
    forget_batches(ring->first);
    ring->first = ring->last = NULL;
    bool has_open = rs_open_close(&ring->open);
    if (!ring->taken) rs_spool_finish(ring->spool, has_open);
    else if (ring->taken->place.base) ring->counts.kept += ring->taken->spans;
    bool none = rs_open_count(&ring->open) == 0;
    rs_lock_give(&ring->lock);
    return none;
}

void rs_ring_count(rs_ring *ring, rs_ring_counts *out) {
    rs_lock_take(&ring->lock);
    *out = ring->counts;
    rs_lock_give(&ring->lock);
}

uint64_t rs_ring_started(rs_ring *ring) {
    rs_lock_take(&ring->lock);
    uint64_t started =
        ring->counts.put + ring->counts.overflowed + ring->discarded + rs_open_count(&ring->open);
    rs_lock_give(&ring->lock);
    return started;
}

/* ---- producers ----------------------------------------------------------------------------------------- */

static void seal(rs_ring *ring, bool *wake) {
    ring->last->sealed = true;
    if (ring->waiting == RS_RING_GATHERING) *wake = true;
}

static void fill(rs_ring *ring, rs_batch *b, bool *wake) {
    if (!b->place.base || b->spans >= ring->setup->capacity) seal(ring, wake);
    if (b->full) return;
    b->full = true;
    if (ring->waiting == RS_RING_GATHERING) *wake = true;
}

/* Takes the oldest batch of the spool out of the list; false if there is none. */
static bool drop_oldest(rs_ring *ring) {
    rs_batch *before = NULL, *b = ring->first;
    for (; b && !b->place.base; b = b->next) before = b;
    if (!b) return false;
    if (before) before->next = b->next;
    else ring->first = b->next;
    if (ring->last == b) ring->last = before;
    ring->counts.lost += b->spans;
    ring->counts.evicted += b->spans;
    rs_spool_note_dropped(ring->spool, b->spans);
    __atomic_add_fetch(&ring->unreported, b->spans, __ATOMIC_RELAXED);
    batch_free(ring, b);
    rs_signal_raise(&ring->progress);
    ring->progress_raised = true;
    return true;
}

static rs_batch *new_batch(rs_ring *ring, size_t frame) {
    rs_batch *b = NULL;
    while (make_spool(ring)) {
        rs_status st = batch_in_spool(ring, frame, &b);
        if (st == RS_OK) return b;
        if (st == RS_ERR_IO) break; /* the disk is full: the heap has room */
        if (st != RS_ERR_FULL || !drop_oldest(ring)) return NULL;
    }
    b = batch_on_heap(ring);
    if (b && !batch_reserve(ring, b, frame)) {
        batch_free(ring, b);
        b = NULL;
    }
    return b;
}

static void note_room(rs_ring *ring) {
    __atomic_store_n(&ring->tight, ring->spool && rs_spool_is_tight(ring->spool), __ATOMIC_RELAXED);
}

/* The open batch with room for `frame` more bytes, or NULL. */
static rs_batch *open_batch(rs_ring *ring, size_t frame, bool *wake) {
    rs_batch *b = ring->last;
    if (b && !b->sealed && b->n - b->from + frame > ring->limits.batch_bytes) seal(ring, wake);
    if (b && !b->sealed) {
        if (batch_reserve(ring, b, frame)) return b;
        if (!b->place.base) return NULL;
        seal(ring, wake); /* another region stands behind it */
    }
    b = new_batch(ring, frame);
    note_room(ring);
    if (!b) return NULL;
    if (ring->last) ring->last->next = b;
    else ring->first = b;
    return ring->last = b;
}

static bool store(rs_ring *ring, const respan_span *s, rs_str lead, uint64_t sum, bool *wake) {
    size_t frame = lead.n + rs_fields_live_size(&s->fields);
    rs_batch *b = ring->stopped ? NULL : open_batch(ring, frame, wake);
    if (!b) return false;
    char *to = b->bytes + b->n;
    memcpy(to, lead.p, lead.n);
    rs_fields_copy_live(&s->fields, to + lead.n);
    if (__builtin_expect(s->fields.dead, 0)) /* it was of all */
        sum = rs_spool_sum_to(&(rs_spool_sum){0}, to + lead.n, (uint32_t)(frame - lead.n));
    b->n += frame;
    __atomic_store_n(&ring->next_frame, (uintptr_t)(to + frame), __ATOMIC_RELAXED);
    if (b->place.base) rs_spool_commit(ring->spool, &b->place, to, frame, lead, sum);
    else ring->held += frame;
    ring->counts.put++;
    if (++b->spans >= ring->limits.spans) fill(ring, b, wake);
    if (ring->waiting == RS_RING_IDLE) *wake = true;
    return true;
}

/* With the lock held, which it gives back. */
static rs_ring_put_result give_back(rs_ring *ring, respan_span *s, bool stored, bool stays, bool wake) {
    rs_open_give(&ring->open, ring->spool, s, stays && ring->open.closed);
    rs_ring_put_result result = {stored, ring->open.closed && rs_open_count(&ring->open) == 0};
    bool progress = ring->progress_raised && ring->flushers;
    ring->progress_raised = false;
    if (wake) {
        ring->waiting = RS_RING_AWAKE; /* one producer wakes, the others need not */
        rs_signal_raise(&ring->work);
    }
    rs_lock_give(&ring->lock);
    if (__builtin_expect(wake, 0)) rs_signal_notify(&ring->work);
    if (__builtin_expect(progress, 0)) rs_signal_notify(&ring->progress);
    return result;
}

/* Where the spool is about to overflow and a server is taking what is in it, the program waits a moment, so that a burst
 * is slowed down rather than cut. */
static void wait_for_room(rs_ring *ring) {
    uint64_t now = rs_clock_mono_ns();
    if (now > __atomic_load_n(&ring->acknowledged_ns, __ATOMIC_RELAXED) + draining_ns) return;
    __atomic_add_fetch(&ring->throttled, 1, __ATOMIC_RELAXED);
    (void)rs_signal_wait(&ring->progress, rs_signal_seen(&ring->progress), now + throttle_ns);
    __atomic_sub_fetch(&ring->throttled, 1, __ATOMIC_RELAXED);
}

rs_ring_put_result rs_ring_put(rs_ring *ring, respan_span *s, rs_str lead, uint64_t sum) {
    bool wake = false;
    if (__builtin_expect(__atomic_load_n(&ring->tight, __ATOMIC_RELAXED), 0)) wait_for_room(ring);
    rs_lock_take(&ring->lock);
    bool stored = store(ring, s, lead, sum, &wake);
    if (!stored) {
        ring->counts.overflowed++;
        __atomic_add_fetch(&ring->unreported, 1, __ATOMIC_RELAXED);
    }
    return give_back(ring, s, stored, !stored, wake);
}

rs_ring_put_result rs_ring_discard(rs_ring *ring, respan_span *s, bool stays) {
    rs_lock_take(&ring->lock);
    ring->discarded++;
    return give_back(ring, s, false, stays, false);
}

/* Where the span will go when it ends is fetched while it is made: else the end waits for memory that the exporter's
 * core had last. */
static void fetch_ahead(const rs_ring *ring) {
    uintptr_t at = __atomic_load_n(&ring->next_frame, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < FETCHED_LINES; i++) __builtin_prefetch((const void *)(at + i * 64), 1);
}

respan_span *rs_ring_open(rs_ring *ring) {
    fetch_ahead(ring);
    respan_span *s = rs_open_take_at_hand(&ring->open);
    if (__builtin_expect(s != NULL, 1)) return s;
    rs_lock_take(&ring->lock);
    if (!ring->stopped) {
        (void)make_spool(ring);
        s = rs_open_take(&ring->open, ring->spool);
    }
    rs_lock_give(&ring->lock);
    return s;
}

bool rs_ring_move(rs_ring *ring, respan_span *s, size_t room) {
    rs_lock_take(&ring->lock);
    bool moved = rs_open_move(s, ring->stopped ? NULL : ring->spool, room);
    rs_lock_give(&ring->lock);
    return moved;
}

/* ---- waiting ------------------------------------------------------------------------------------------- */

/* With the lock held, which is given back meanwhile. False once the deadline has passed. */
static bool wait_until(rs_ring *ring, rs_signal *signal, uint64_t deadline_ns) {
    uint32_t seen = rs_signal_seen(signal);
    rs_lock_give(&ring->lock);
    bool in_time = rs_signal_wait(signal, seen, deadline_ns);
    rs_lock_take(&ring->lock);
    return in_time;
}

static uint64_t done_count(const rs_ring *ring) {
    const rs_ring_counts *c = &ring->counts;
    return c->acknowledged + c->rejected + c->lost + c->kept;
}

rs_ring_mark rs_ring_mark_now(rs_ring *ring) {
    rs_lock_take(&ring->lock);
    rs_ring_mark mark = {ring->counts.put, done_count(ring), ring->counts.acknowledged};
    rs_lock_give(&ring->lock);
    return mark;
}

rs_status rs_ring_flush(rs_ring *ring, const rs_ring_mark *mark, uint64_t deadline_ns) {
    rs_lock_take(&ring->lock);
    if (ring->flush_to < mark->put) ring->flush_to = mark->put;
    ring->flushers++;
    if (done_count(ring) < mark->put) {
        rs_signal_raise(&ring->work);
        rs_lock_give(&ring->lock);
        rs_signal_notify(&ring->work);
        rs_lock_take(&ring->lock);
    }
    bool in_time = true;
    while (done_count(ring) < mark->put && !ring->stopped && in_time)
        in_time = wait_until(ring, &ring->progress, deadline_ns);
    ring->flushers--;
    rs_status status = RS_OK;
    if (done_count(ring) < mark->put) status = ring->stopped ? RS_ERR_CLOSED : RS_ERR_TIMEOUT;
    else if (ring->counts.acknowledged - mark->acknowledged < mark->put - mark->done) status = RS_ERR_DENIED;
    rs_lock_give(&ring->lock);
    return status;
}

/* ---- the consumer -------------------------------------------------------------------------------------- */

static bool is_due(const rs_ring *ring, uint64_t now) {
    const rs_batch *b = ring->first;
    return b && (b->sealed || b->full || ring->flush_to > done_count(ring) ||
                 now >= b->opened_ns + ring->limits.interval_ns);
}

/* Says in the spool that the process lives; gives when it wants to say so next (monotonic): after a tenth of the time that
 * spans are open, so that an interrupted one is about as long as it was. */
static uint64_t pulse(rs_ring *ring, uint64_t now) {
    if (ring->spool) rs_spool_note_alive(ring->spool, rs_clock_wall_ns());
    if (rs_open_count(&ring->open) == 0) {
        ring->open_since_ns = 0;
        return now + pulse_max_ns;
    }
    if (!ring->open_since_ns) ring->open_since_ns = now;
    uint64_t next = (now - ring->open_since_ns) / 10;
    return now + (next < pulse_min_ns ? pulse_min_ns : next > pulse_max_ns ? pulse_max_ns : next);
}

/* The consumer, with the lock held, which it lets go of meanwhile. At most once a second, since it asks the kernel. */
static bool is_deserted(rs_ring *ring, uint64_t now) {
    if (ring->deserted || now < ring->looked_ns + pulse_max_ns) return ring->deserted;
    ring->looked_ns = now;
    rs_lock_give(&ring->lock);
    bool over = rs_process_is_over();
    rs_lock_take(&ring->lock);
    return ring->deserted = over;
}

static void wait_for_work(rs_ring *ring, uint64_t now, uint64_t until_ns) {
    uint64_t until = pulse(ring, now);
    if (until_ns < until) until = until_ns;
    ring->waiting = ring->first ? RS_RING_GATHERING : RS_RING_IDLE;
    if (ring->first && ring->first->opened_ns + ring->limits.interval_ns < until)
        until = ring->first->opened_ns + ring->limits.interval_ns;
    (void)wait_until(ring, &ring->work, until);
    ring->waiting = RS_RING_AWAKE;
}

/* With the lock held, which it lets go of meanwhile. So that what piles up while a server is slow or away is in the file
 * alone. */
static void cool_waiting(rs_ring *ring) {
    rs_spool_place places[COOL_AT_ONCE];
    size_t n;
    do {
        n = 0;
        for (rs_batch *b = ring->first; b && n < COOL_AT_ONCE; b = b->next) {
            if (!b->sealed || b->cooled || !b->place.base) continue;
            b->cooled = true;
            places[n++] = b->place;
        }
        if (n == 0) return;
        rs_lock_give(&ring->lock);
        for (size_t i = 0; i < n; i++) rs_spool_cool(ring->spool, &places[i]);
        rs_lock_take(&ring->lock);
    } while (n == COOL_AT_ONCE);
}

rs_batch *rs_ring_take(rs_ring *ring, uint64_t until_ns) {
    rs_lock_take(&ring->lock);
    cool_waiting(ring);
    for (;;) {
        uint64_t now = rs_clock_mono_ns();
        bool deserted = is_deserted(ring, now); /* first: it lets go of the lock */
        if (ring->stopped || is_due(ring, now)) break;
        if (deserted) {
            ring->stopped = !ring->first; /* what is there is sent, and then it ends */
            break;
        }
        if (now >= until_ns) {
            rs_lock_give(&ring->lock);
            return NULL;
        }
        wait_for_work(ring, now, until_ns);
    }
    rs_batch *b = ring->stopped ? NULL : ring->first;
    if (b) {
        ring->first = b->next;
        if (!ring->first) ring->last = NULL;
        b->next = NULL;
        ring->taken = b;
    }
    rs_lock_give(&ring->lock);
    return b;
}

bool rs_ring_is_stopped(rs_ring *ring) {
    rs_lock_take(&ring->lock);
    bool stopped = ring->stopped;
    rs_lock_give(&ring->lock);
    return stopped;
}

bool rs_ring_is_hurried(rs_ring *ring) {
    rs_lock_take(&ring->lock);
    bool hurried = ring->stopped || ring->flushers;
    rs_lock_give(&ring->lock);
    return hurried;
}

bool rs_ring_is_due(rs_ring *ring) {
    rs_lock_take(&ring->lock);
    bool due = is_due(ring, rs_clock_mono_ns());
    rs_lock_give(&ring->lock);
    return due;
}

size_t rs_ring_look(rs_ring *ring, rs_open_chunk **at, rs_open_view *view, rs_open_seen out[RS_SPOOL_SLOTS]) {
    size_t n = 0;
    rs_lock_take(&ring->lock);
    if (ring->stopped || !ring->spool || rs_open_count(&ring->open) == 0) {
        *at = NULL;
    } else {
        *view = (rs_open_view){ring->spool, rs_spool_fd(ring->spool)};
        n = rs_open_look(&ring->open, at, out);
    }
    rs_lock_give(&ring->lock);
    return n;
}

void rs_batch_note_sent(const rs_batch *b, uint32_t spans) {
    if (b->place.base) rs_spool_note_sent(&b->place, spans);
}

void rs_ring_done(rs_ring *ring, rs_batch *b, uint32_t rejected, uint32_t lost) {
    if (b->place.base) rs_spool_cool(ring->spool, &b->place);
    rs_lock_take(&ring->lock);
    if (rejected > b->spans) rejected = b->spans;
    if (lost > b->spans - rejected) lost = b->spans - rejected;
    bool in_spool = b->place.base, stays = in_spool && lost && ring->stopped;
    ring->counts.rejected += rejected;
    if (stays) ring->counts.kept += lost;
    else ring->counts.lost += lost;
    ring->counts.acknowledged += b->spans - rejected - lost;
    if (!in_spool) ring->held -= b->n - b->from;
    ring->taken = NULL;
    if (b->place.base && !stays) rs_spool_release(ring->spool, &b->place);
    if (b->spans > rejected + lost)
        __atomic_store_n(&ring->acknowledged_ns, rs_clock_mono_ns(), __ATOMIC_RELAXED);
    note_room(ring);
    bool kept = !in_spool && batch_keep(ring, b);
    rs_signal_raise(&ring->progress);
    bool notify = ring->flushers || __atomic_load_n(&ring->throttled, __ATOMIC_RELAXED);
    rs_lock_give(&ring->lock);
    if (notify) rs_signal_notify(&ring->progress);
    if (kept) return;
    if (!in_spool) free(b->bytes);
    free(b);
}

bool rs_ring_pause(rs_ring *ring, uint64_t wait_ns, uint64_t hurry_ns) {
    uint64_t began = rs_clock_mono_ns();
    if (hurry_ns > wait_ns) hurry_ns = wait_ns;
    rs_lock_take(&ring->lock);
    while (!ring->stopped) {
        cool_waiting(ring);
        uint64_t now = rs_clock_mono_ns();
        if (is_deserted(ring, now)) ring->stopped = true;
        uint64_t until = began + (ring->flushers ? hurry_ns : wait_ns);
        if (ring->stopped || now >= until) break;
        uint64_t next = pulse(ring, now);
        (void)wait_until(ring, &ring->work, next < until ? next : until);
    }
    bool go_on = !ring->stopped;
    rs_lock_give(&ring->lock);
    return go_on;
}
