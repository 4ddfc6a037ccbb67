/* Blocks that were made before their commit, by the thread that had the spans, and the block writers that such threads share. */
#ifndef RS_STORE_SQLITE_PREPARE_H
#define RS_STORE_SQLITE_PREPARE_H

#include "store/sqlite/view.h"
#include <pthread.h>

typedef struct rs_prepared_block {
    rs_block_ref ref; /* first and at are not known yet */
    rs_block_header header;
    rs_str bytes;
} rs_prepared_block;

struct rs_prepared {
    uint32_t partition, dictionary; /* whose dictionary they need, if that is not 0 */
    size_t n;
    rs_prepared_block blocks[];
};

/* Idle writers: each has some megabytes. */
typedef struct rs_block_writers {
    pthread_mutex_t lock;
    struct rs_idle_writer *idle;
    unsigned count;
} rs_block_writers;

void rs_block_writers_init(rs_block_writers *w);
void rs_block_writers_deinit(rs_block_writers *w);

#endif
