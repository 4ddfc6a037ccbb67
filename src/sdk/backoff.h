/* How long an exporter waits before it tries a batch again. Pure. */
#ifndef RS_SDK_BACKOFF_H
#define RS_SDK_BACKOFF_H

#include <stdint.h>

/* Nanoseconds after attempt 0, 1, 2 …: exponential up to 30 s, of which a half is jitter, so that clients that lost a
 * server together do not return together; with Retry-After (0: none) that, up to 10 minutes, and a little jitter more. */
uint64_t rs_backoff_ns(unsigned attempt, uint64_t retry_after_s, uint64_t random);

#endif
