#include "store/histogram.h"

#include <math.h>

enum { SUB_BITS = 4, SUBS = 1 << SUB_BITS, ROOM = 16 };

unsigned rs_histogram_range(uint64_t v) {
    if (v < SUBS) return (unsigned)v;
    unsigned shift = 63 - (unsigned)__builtin_clzll(v) - SUB_BITS;
    return (shift + 1) * SUBS + (unsigned)(v >> shift & (SUBS - 1));
}

uint64_t rs_histogram_middle(unsigned range) {
    if (range < SUBS) return range;
    unsigned shift = range / SUBS - 1;
    uint64_t low = (uint64_t)(SUBS + range % SUBS) << shift;
    return low + ((UINT64_C(1) << shift) >> 1);
}

/* Makes [low, high] part of the window, with room on both sides, since what comes next is near. */
static rs_status widen(rs_histogram *h, uint32_t low, uint32_t high, rs_arena *arena) {
    uint32_t end = h->from + h->n;
    if (h->n > 0 && low >= h->from && high < end) return RS_OK;
    uint32_t room = h->n / 2 > ROOM ? h->n / 2 : ROOM, from = h->from, to = end;
    if (h->n == 0) from = low, to = high + 1;
    if (h->n == 0 || low < from) from = low > room ? low - room : 0;
    if (h->n == 0 || high >= to)
        to = high + room < RS_HISTOGRAM_RANGES ? high + room + 1 : RS_HISTOGRAM_RANGES;
    int64_t *counts = rs_arena_zalloc(arena, to - from, sizeof *counts);
    if (!counts) return RS_ERR_MEMORY;
    if (h->n > 0) memcpy(counts + (h->from - from), h->counts, h->n * sizeof *counts);
    h->counts = counts;
    h->from = from;
    h->n = to - from;
    return RS_OK;
}

rs_status rs_histogram_add(rs_histogram *h, uint64_t value, int64_t times, rs_arena *arena) {
    unsigned range = rs_histogram_range(value);
    rs_status st = widen(h, range, range, arena);
    if (st != RS_OK) return st;
    h->counts[range - h->from] += times;
    h->sum += (double)value * (double)times;
    return RS_OK;
}

rs_status rs_histogram_merge(rs_histogram *h, const rs_histogram *other, double scale, rs_arena *arena) {
    if (other->n == 0) return RS_OK;
    rs_status st = widen(h, other->from, other->from + other->n - 1, arena);
    if (st != RS_OK) return st;
    int64_t *to = h->counts + (other->from - h->from);
    if (scale == 1) /* the usual case, which the compiler makes quick */
        for (uint32_t i = 0; i < other->n; i++) to[i] += other->counts[i];
    else
        for (uint32_t i = 0; i < other->n; i++) to[i] += llround((double)other->counts[i] * scale);
    h->sum += other->sum * scale;
    return RS_OK;
}

int64_t rs_histogram_count(const rs_histogram *h) {
    int64_t n = 0;
    for (uint32_t i = 0; i < h->n; i++) n += h->counts[i] > 0 ? h->counts[i] : 0;
    return n;
}

uint64_t rs_histogram_quantile(const rs_histogram *h, double q) {
    int64_t n = rs_histogram_count(h), left = (int64_t)(q * (double)(n - 1));
    for (uint32_t i = 0; i < h->n; i++) {
        if (h->counts[i] <= 0) continue;
        if (left < h->counts[i]) return rs_histogram_middle(h->from + i);
        left -= h->counts[i];
    }
    return 0;
}
