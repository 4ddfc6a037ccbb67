/* A lock for what takes no longer than a copy, and signals to wait for.
 *
 * rs_lock: taken by one atomic exchange and given back by a plain store. A mutex is given back by an atomic operation,
 * which waits until the bytes that were just copied have left the core: a third of what a span costs. Who finds it held
 * spins, then yields, then sleeps in short steps, since its holder may have lost its processor.
 *
 * rs_signal: a number that is raised under the lock, and threads that sleep until it differs from what they saw under the
 * lock (futex(2)). To notify touches no memory, so whoever owns the signal may be gone by then.
 *
 * Zero is the initial state, in the child of a fork too. Any thread. */
#ifndef RS_SDK_LOCK_H
#define RS_SDK_LOCK_H

#include <stdbool.h>
#include <stdint.h>

typedef struct rs_lock {
    uint32_t held;
} rs_lock;

void rs_lock_wait(rs_lock *lock); /* spins until it has it */

static inline void rs_lock_take(rs_lock *lock) {
    if (__builtin_expect(__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE), 0)) rs_lock_wait(lock);
}
static inline void rs_lock_give(rs_lock *lock) { __atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE); }

typedef struct rs_signal {
    uint32_t number;
} rs_signal;

/* With the lock held. What a thread that is to wait must have seen; and what it waits for. */
static inline uint32_t rs_signal_seen(const rs_signal *e) {
    return __atomic_load_n(&e->number, __ATOMIC_RELAXED);
}
static inline void rs_signal_raise(rs_signal *e) { __atomic_add_fetch(&e->number, 1, __ATOMIC_RELEASE); }

/* Without the lock. Wakes all who wait, after rs_signal_raise. */
void rs_signal_notify(rs_signal *e);
/* Without the lock. Sleeps until it was raised, or until the deadline (monotonic ns; UINT64_MAX: none); may return early.
 * False once the deadline has passed. */
bool rs_signal_wait(rs_signal *e, uint32_t seen, uint64_t deadline_ns);

#endif
