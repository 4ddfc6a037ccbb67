/* What fork does to clients. The list of clients belongs to the process, as fork does: all are in it until they are freed,
 * since another thread may be ending a span of one that is closed.
 *
 * Before: every lock of every client is taken, so that the copy is consistent; nobody is inside the loading
 * of libcurl. Parent: they are released. Child: it has none of the other threads, so ring and connection
 * start anew and empty (what is unsent is the parent's to send), and the next span that ends starts an
 * exporter. Lock order: list, start_lock, ring, exporter, library. Nobody takes two of them otherwise. */
#include "sdk/client.h"
#include "sdk/library.h"

#include <pthread.h>

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static respan_client *clients;
static pthread_once_t watch_once = PTHREAD_ONCE_INIT;
static int watch_result;

static void before_fork(void) {
    pthread_mutex_lock(&list_lock);
    for (respan_client *c = clients; c; c = c->next) {
        pthread_mutex_lock(&c->start_lock);
        rs_ring_lock(&c->ring);
        rs_exporter_lock(&c->exporter);
    }
    rs_library_lock();
}

static void in_parent(void) {
    rs_library_unlock();
    for (respan_client *c = clients; c; c = c->next) {
        rs_exporter_unlock(&c->exporter);
        rs_ring_unlock(&c->ring);
        pthread_mutex_unlock(&c->start_lock);
    }
    pthread_mutex_unlock(&list_lock);
}

static void in_child(void) {
    rs_library_unlock();
    for (respan_client *c = clients; c; c = c->next) {
        /* What is open is the parent's. The child ends or discards its copies all the same, each with a reference. */
        bool is_closed = c->ring.open.closed;
        uint64_t open = rs_ring_reset(&c->ring);
        c->references += open;
        if (is_closed && open)
            c->references--; /* the one of all of them together, which close would have dropped */
        if (!rs_exporter_reset(&c->exporter)) c->ring.stopped = true;
        if (c->running && !c->ended) c->references--; /* the thread's: it is not here */
        c->running = c->ended = false;
        c->generation++;
        pthread_mutex_unlock(&c->start_lock);
    }
    pthread_mutex_unlock(&list_lock);
}

static void watch(void) { watch_result = pthread_atfork(before_fork, in_parent, in_child); }

rs_status rs_fork_watch(respan_client *c) {
    if (pthread_once(&watch_once, watch) != 0 || watch_result != 0) return RS_ERR_MEMORY;
    pthread_mutex_lock(&list_lock);
    c->next = clients;
    if (clients) clients->previous = c;
    clients = c;
    c->watched = true;
    pthread_mutex_unlock(&list_lock);
    return RS_OK;
}

void rs_fork_unwatch(respan_client *c) {
    pthread_mutex_lock(&list_lock);
    if (c->watched) {
        if (c->previous) c->previous->next = c->next;
        else clients = c->next;
        if (c->next) c->next->previous = c->previous;
        c->next = c->previous = NULL;
        c->watched = false;
    }
    pthread_mutex_unlock(&list_lock);
}
