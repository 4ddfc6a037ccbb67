/* Sums: what is counted of a set of spans, or of traces. Two sets' sums add up to those of both, and what was added can be
 * taken away again. In the arena that is given; all zero is of nothing. One thread. */
#ifndef RS_STORE_SUMS_H
#define RS_STORE_SUMS_H

#include "otlp/span.h"
#include "store/histogram.h"

typedef struct rs_trace_row rs_trace_row; /* store.h */

typedef struct rs_sums {
    int64_t n;      /* spans, or traces */
    int64_t calls;  /* model calls: of spans themselves, or in the traces */
    int64_t errors; /* of the n, those that failed */
    int64_t prompt_tokens,
        completion_tokens; /* of model calls alone: a workflow that repeats its calls' counts once */
    int64_t cached_tokens,
        reasoning_tokens; /* of those: from a cache, of reasoning. Not of traces, whose rows do not say */
    double cost;          /* the same; USD */
    rs_histogram latency, ttft; /* in ns: from start to end; to the first token where known */
    rs_histogram speed;         /* tokens per 1000 s, where known */
} rs_sums;

/* sign 1: it is there now; -1: no longer. Numbers out of this world are left out. arena NULL: without histograms.
 * RS_ERR_MEMORY. */
RS_MUST_CHECK rs_status rs_sums_add_span(rs_sums *sums, const rs_span *head, int sign, rs_arena *arena);
RS_MUST_CHECK rs_status rs_sums_add_trace(rs_sums *sums, const rs_trace_row *row, int sign, rs_arena *arena);
/* Adds `other` `scale` times, each sum rounded. */
RS_MUST_CHECK rs_status rs_sums_merge(rs_sums *sums, const rs_sums *other, double scale, rs_arena *arena);

#endif
