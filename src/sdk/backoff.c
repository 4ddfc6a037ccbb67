#include "sdk/backoff.h"

#define MS 1000000ull
static const uint64_t first_ns = 200 * MS, max_ns = 30000 * MS;
static const uint64_t retry_after_max_s = 600;

uint64_t rs_backoff_ns(unsigned attempt, uint64_t retry_after_s, uint64_t random) {
    uint64_t ns = attempt < 16 ? first_ns << attempt : max_ns;
    if (ns > max_ns) ns = max_ns;
    ns = ns / 2 + random % (ns / 2);
    if (retry_after_s == 0) return ns;
    if (retry_after_s > retry_after_max_s) retry_after_s = retry_after_max_s;
    return retry_after_s * 1000 * MS + ns / 4;
}
