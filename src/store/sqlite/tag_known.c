#include "store/sqlite/tag_known.h"
#include "store/sqlite/tag_index.h"

#include <stdlib.h>

enum { KEPT = 32 /* 10 kB */ };

struct rs_tag_known_item {
    int64_t hash;
    uint64_t changes;
    rs_tag_tally tally;
};

void rs_tag_known_init(rs_tag_known *k) {
    *k = (rs_tag_known){0};
    pthread_mutex_init(&k->lock, NULL);
}

void rs_tag_known_deinit(rs_tag_known *k) {
    pthread_mutex_destroy(&k->lock);
    free(k->items);
}

/* Under the lock. */
static struct rs_tag_known_item *find(rs_tag_known *k, int64_t hash) {
    for (unsigned i = 0; i < k->n; i++)
        if (k->items[i].hash == hash) return &k->items[i];
    return NULL;
}

void rs_tag_known_put(rs_tag_known *k, int64_t hash, uint64_t changes, const rs_tag_tally *tally) {
    pthread_mutex_lock(&k->lock);
    struct rs_tag_known_item *at = find(k, hash);
    if (!k->items) k->items = calloc(KEPT, sizeof *k->items); /* without memory it is not known */
    if (k->items && !at) {
        at = &k->items[k->next];
        k->next = (k->next + 1) % KEPT;
        if (k->n < KEPT) k->n++;
    }
    if (at) *at = (struct rs_tag_known_item){hash, changes, *tally};
    pthread_mutex_unlock(&k->lock);
}

bool rs_tag_known_find(rs_tag_known *k, int64_t hash, uint64_t changes, rs_tag_tally *out) {
    pthread_mutex_lock(&k->lock);
    const struct rs_tag_known_item *at = find(k, hash);
    bool found = at && at->changes == changes;
    if (found) *out = at->tally;
    pthread_mutex_unlock(&k->lock);
    return found;
}
