/* Clocks. Any thread, no state, cannot fail on Linux. */
#ifndef RS_BASE_CLOCK_H
#define RS_BASE_CLOCK_H

#include "base/buf.h"
#include <pthread.h>
#include <stdint.h>

uint64_t rs_clock_wall_ns(void); /* since the Unix epoch, UTC; what spans carry */
uint64_t rs_clock_mono_ns(void); /* for durations and deadlines; unaffected by clock steps */
uint64_t rs_clock_cpu_ns(void);  /* that the calling thread has worked */
/* A condition whose timed waits end at a time of CLOCK_MONOTONIC, the clock of rs_clock_mono_ns. The caller destroys it. */
void rs_clock_cond_init(pthread_cond_t *cond);

/* RFC 3339 with nanoseconds, "2026-11-24T12:38:41.207000000Z"; writes 30 bytes and a NUL. */
enum { RS_RFC3339_LEN = 30 };
void rs_clock_format(uint64_t wall_ns, char out[RS_RFC3339_LEN + 1]);

/* Parses RFC 3339 (any fraction, Z or ±hh:mm; a space for T; missing zone means UTC) or whole Unix seconds.
 * False on anything else or outside 1970..2554. */
bool rs_clock_parse(rs_str s, uint64_t *wall_ns);
/* The same of a bound, which may lie outside: before it is 0, past it UINT64_MAX. */
bool rs_clock_parse_bound(rs_str s, uint64_t *wall_ns);

#endif
