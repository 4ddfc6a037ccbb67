/* Tallies of tags that were asked about lately, of one partition: most partitions do not change any more, and questions come again.
 * The oldest goes for the next. Any thread. */
#ifndef RS_STORE_SQLITE_TAG_KNOWN_H
#define RS_STORE_SQLITE_TAG_KNOWN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct rs_tag_tally;

typedef struct rs_tag_known {
    pthread_mutex_t lock;
    struct rs_tag_known_item *items; /* made with the first */
    unsigned n, next;
} rs_tag_known;

void rs_tag_known_init(rs_tag_known *k);
void rs_tag_known_deinit(rs_tag_known *k);

/* `changes`: of the partition, read before the transaction that the tally was made in. */
void rs_tag_known_put(rs_tag_known *k, int64_t hash, uint64_t changes, const struct rs_tag_tally *tally);
/* False: it is not known, or of before another change. */
bool rs_tag_known_find(rs_tag_known *k, int64_t hash, uint64_t changes, struct rs_tag_tally *out);

#endif
