/* How much of a project is kept; 0: all of it. Whole partitions go (store.h), so somewhat more is kept than is said. */
#ifndef RS_STORE_RETENTION_H
#define RS_STORE_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct rs_retention {
    uint64_t age_ns; /* spans that began longer ago may go, */
    uint64_t bytes;  /* and the oldest while there are more on the disk */
    bool is_deleted; /* all of it goes, at once */
} rs_retention;

/* Traces that stay however old they are: their ids, in order. What holds them counts for no bytes. */
typedef struct rs_pins {
    uint8_t (*ids)[16];
    size_t n;
} rs_pins;

#endif
