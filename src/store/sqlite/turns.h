/* rs_turns: a lock that goes round. Who waits longest gets it next, so that neither the writer, which takes it for each commit,
 * nor anybody beside it is kept out for longer than one turn of each of the others. Whoever has it may take it again. Any thread. */
#ifndef RS_STORE_SQLITE_TURNS_H
#define RS_STORE_SQLITE_TURNS_H

#include <pthread.h>
#include <stdbool.h>

typedef struct rs_turns {
    pthread_mutex_t lock; /* the following */
    pthread_cond_t changed;
    unsigned long next, now; /* tickets */
    pthread_t holder;
    unsigned depth; /* how often the holder has it; 0: nobody has */
} rs_turns;

static inline void rs_turns_init(rs_turns *t) {
    *t = (rs_turns){0};
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->changed, NULL);
}

static inline void rs_turns_deinit(rs_turns *t) {
    pthread_cond_destroy(&t->changed);
    pthread_mutex_destroy(&t->lock);
}

static inline void rs_turns_take(rs_turns *t) {
    pthread_mutex_lock(&t->lock);
    bool again = t->depth > 0 && pthread_equal(t->holder, pthread_self());
    for (unsigned long mine = again ? t->now : t->next++; !again && t->now != mine;)
        pthread_cond_wait(&t->changed, &t->lock);
    t->holder = pthread_self();
    t->depth++;
    pthread_mutex_unlock(&t->lock);
}

static inline void rs_turns_give(rs_turns *t) {
    pthread_mutex_lock(&t->lock);
    if (--t->depth == 0) {
        t->now++;
        pthread_cond_broadcast(&t->changed);
    }
    pthread_mutex_unlock(&t->lock);
}

#endif
