/* Spans with numbers in them, so that a test can tell whether each arrived, and once. */
#ifndef RS_TEST_NUMBERED_SPANS_H
#define RS_TEST_NUMBERED_SPANS_H

#include "fake_http.h"
#include "respan.h"

/* A quiet client for f; aborts if it cannot be had. */
respan_client *numbered_open(fake_http *f, respan_config *config);

typedef struct numbered_job {
    respan_client *client;
    int first, count;
} numbered_job;

/* A thread's work: spans with the attribute number = first … first + count - 1. */
void *numbered_make(void *numbered_job);

/* Decodes all that f received: times[number] counts the arrivals of each number below total. Aborts if a span is
 * malformed, has another number, or shares its id with another. Gives the count of spans. */
size_t numbered_count(fake_http *f, unsigned *times, int total);

#endif
