#include "server/heavy.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { THREADS = 2, STACK = 512 << 10, NICE = 3 };

struct rs_heavy {
    pthread_mutex_t lock; /* the following */
    pthread_cond_t wake;
    rs_heavy_job *first, **last;
    bool is_ending;
    pthread_t threads[THREADS];
    int n;
};

static void *work(void *arg) {
    rs_heavy *h = arg;
    setpriority(PRIO_PROCESS, 0,
                getpriority(PRIO_PROCESS, 0) + NICE); /* of this thread alone (Linux): who asks comes first */
    pthread_mutex_lock(&h->lock);
    while (h->first || !h->is_ending) {
        rs_heavy_job *job = h->first;
        if (!job) {
            pthread_cond_wait(&h->wake, &h->lock);
            continue;
        }
        h->first = job->next;
        if (!h->first) h->last = &h->first;
        bool is_ending = h->is_ending;
        pthread_mutex_unlock(&h->lock);
        job->run(job, is_ending);
        pthread_mutex_lock(&h->lock);
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

rs_status rs_heavy_start(rs_heavy **out, rs_err *err) {
    pthread_attr_t attr;
    rs_heavy *h = calloc(1, sizeof *h);
    *out = NULL;
    if (!h) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    h->last = &h->first;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->wake, NULL);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK);
    while (h->n < THREADS && pthread_create(&h->threads[h->n], &attr, work, h) == 0) h->n++;
    pthread_attr_destroy(&attr);
    if (h->n == THREADS) {
        *out = h;
        return RS_OK;
    }
    rs_heavy_stop(h);
    return rs_fail(err, RS_ERR_MEMORY, 0, "cannot start a thread");
}

void rs_heavy_push(rs_heavy *h, rs_heavy_job *job) {
    job->next = NULL;
    pthread_mutex_lock(&h->lock);
    *h->last = job;
    h->last = &job->next;
    pthread_cond_signal(&h->wake);
    pthread_mutex_unlock(&h->lock);
}

void rs_heavy_stop(rs_heavy *h) {
    if (!h) return;
    pthread_mutex_lock(&h->lock);
    h->is_ending = true;
    pthread_cond_broadcast(&h->wake);
    pthread_mutex_unlock(&h->lock);
    for (int i = 0; i < h->n; i++) pthread_join(h->threads[i], NULL);
    pthread_cond_destroy(&h->wake);
    pthread_mutex_destroy(&h->lock);
    free(h);
}
