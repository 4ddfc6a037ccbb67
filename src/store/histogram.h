/* rs_histogram: how many values lie in each of a fixed series of ranges, from which any quantile can be told.
 *
 * A range is a sixteenth of a power of two (values below 16 are told apart), so what rs_histogram_quantile gives is at most
 * 1/32 (3.2 %) from a value that is there. The ranges are the same everywhere: the histogram of two sets of values is the sum of
 * theirs, and what was added can be taken away again. Which range a value is in costs a shift, no logarithm.
 *
 * Lives in the arena it is given; all zero is empty. One thread. */
#ifndef RS_STORE_HISTOGRAM_H
#define RS_STORE_HISTOGRAM_H

#include "base/arena.h"
#include "base/status.h"

enum { RS_HISTOGRAM_RANGES = 976 }; /* that 64 bits have */

typedef struct rs_histogram {
    int64_t *counts; /* of n ranges from `from` on; those outside are zero */
    uint32_t from, n;
    double sum; /* of the values, exact */
} rs_histogram;

/* The range that a value is in, and the value in its middle. */
unsigned rs_histogram_range(uint64_t value);
uint64_t rs_histogram_middle(unsigned range);

/* `times` may be negative. RS_ERR_MEMORY. */
RS_MUST_CHECK rs_status rs_histogram_add(rs_histogram *h, uint64_t value, int64_t times, rs_arena *arena);
/* Adds `other` `scale` times, each count rounded. */
RS_MUST_CHECK rs_status rs_histogram_merge(rs_histogram *h, const rs_histogram *other, double scale,
                                           rs_arena *arena);

int64_t rs_histogram_count(const rs_histogram *h);
/* The value below which the part q (0 to 1) of all values lies; 0 of an empty one. */
uint64_t rs_histogram_quantile(const rs_histogram *h, double q);

#endif
