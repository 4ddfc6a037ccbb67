#include "sdk/lock.h"

#include "base/clock.h"
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { SPINS = 100, YIELDS = 20, SLEEP_NS = 50000 };

static void pause_core(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

void rs_lock_wait(rs_lock *lock) {
    for (unsigned round = 0;; round++) {
        for (int i = 0; i < SPINS; i++) {
            if (!__atomic_load_n(&lock->held, __ATOMIC_RELAXED) &&
                !__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE))
                return;
            pause_core();
        }
        if (round < YIELDS) sched_yield();
        else nanosleep(&(struct timespec){.tv_nsec = SLEEP_NS}, NULL);
    }
}

/* As librespan's callers may look at errno after any of their own calls, it stays as it was. */
static long futex(uint32_t *at, int operation, uint32_t value, const struct timespec *deadline) {
    int before = errno;
    long result =
        syscall(SYS_futex, at, operation | FUTEX_PRIVATE_FLAG, value, deadline, NULL, FUTEX_BITSET_MATCH_ANY);
    errno = before;
    return result;
}

void rs_signal_notify(rs_signal *e) { futex(&e->number, FUTEX_WAKE_BITSET, INT_MAX, NULL); }

bool rs_signal_wait(rs_signal *e, uint32_t seen, uint64_t deadline_ns) {
    struct timespec t = {.tv_sec = (time_t)(deadline_ns / 1000000000u),
                         .tv_nsec = (long)(deadline_ns % 1000000000u)};
    futex(&e->number, FUTEX_WAIT_BITSET, seen, deadline_ns == UINT64_MAX ? NULL : &t);
    return deadline_ns == UINT64_MAX || rs_clock_mono_ns() < deadline_ns;
}
