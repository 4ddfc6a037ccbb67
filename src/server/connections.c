#include "server/connections.h"

#include "base/clock.h"

#include <malloc.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GRACE_NS (30 * 1000000000ull) /* a body, and an answer, may take this long, and … */
enum {
    SLOWEST = 16 << 10, /* … a second more for each of these bytes */
    LOOK_EVERY_S = 5,   /* for those that are late */
    MANY = 256,
};

struct rs_connection {
    rs_connection *before, *after; /* in the list of those idle, or of those at work */
    uint8_t address[16];
    uint64_t deadline_ns; /* 0: none */
    int fd;
    bool is_idle, is_local, is_closing;
};

typedef struct list {
    rs_connection *first, *last;
} list;

struct rs_connections {
    pthread_mutex_t lock; /* all that follows */
    pthread_cond_t changed;
    pthread_t watch; /* closes those that are late */
    list idle, busy; /* the longest idle first */
    unsigned limit, open, nidle;
    unsigned most; /* that were open since memory was last given back */
    unsigned long long evicted, late, refused;
    bool is_ending;
};

/* ---- lists --------------------------------------------------------------------------------------------- */

static void append(list *l, rs_connection *one) {
    one->before = l->last;
    one->after = NULL;
    *(l->last ? &l->last->after : &l->first) = one;
    l->last = one;
}

static void take_out(list *l, rs_connection *one) {
    *(one->before ? &one->before->after : &l->first) = one->after;
    *(one->after ? &one->after->before : &l->last) = one->before;
}

static void move(rs_connections *c, rs_connection *one, bool idle) {
    take_out(one->is_idle ? &c->idle : &c->busy, one);
    c->nidle -= one->is_idle;
    one->is_idle = idle && !one->is_closing;
    c->nidle += one->is_idle;
    append(one->is_idle ? &c->idle : &c->busy, one);
}

/* ---- addresses ----------------------------------------------------------------------------------------- */

/* As IPv6; of that, the network of a site. */
static void address_of(const struct sockaddr *from, uint8_t out[16], bool *is_local) {
    memset(out, 0, 16);
    *is_local = false;
    if (from && from->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)from;
        out[10] = out[11] = 0xff;
        memcpy(out + 12, &v4->sin_addr, 4);
        *is_local = out[12] == 127;
    } else if (from && from->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)from;
        bool mapped = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);
        memcpy(out, &v6->sin6_addr, mapped ? 16 : 8);
        *is_local = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) || (mapped && out[12] == 127);
    }
}

static unsigned count_of(const rs_connections *c, const uint8_t address[16]) {
    unsigned n = 0;
    const rs_connection *const lists[] = {c->idle.first, c->busy.first};
    for (int i = 0; i < 2; i++)
        for (const rs_connection *at = lists[i]; at; at = at->after)
            n += !at->is_closing && memcmp(at->address, address, 16) == 0;
    return n;
}

/* ---- closing ------------------------------------------------------------------------------------------- */

static void shut(rs_connections *c, rs_connection *one) {
    one->is_closing = true; /* no more of the limit: its thread will close it in a moment */
    one->deadline_ns = 0;
    move(c, one, false);
    c->open--;
    shutdown(one->fd, SHUT_RDWR);
}

/* The longest idle, of that address or (NULL) of any. */
static bool evict(rs_connections *c, const uint8_t *address) {
    for (rs_connection *at = c->idle.first; at; at = at->after) {
        if (address && memcmp(at->address, address, 16) != 0) continue;
        shut(c, at);
        c->evicted++;
        return true;
    }
    return false;
}

bool rs_connections_admit(rs_connections *c, const struct sockaddr *from) {
    uint8_t address[16];
    bool is_local, fits = true;
    address_of(from, address, &is_local);
    pthread_mutex_lock(&c->lock);
    unsigned share = c->limit / 2;
    if (!is_local && c->open >= share && count_of(c, address) >= share) fits = evict(c, address);
    if (fits && c->open >= c->limit) fits = evict(c, NULL);
    c->refused += !fits;
    pthread_mutex_unlock(&c->lock);
    return fits;
}

static uint64_t close_late(rs_connections *c) {
    uint64_t now = rs_clock_mono_ns(), waiting = 0;
    for (rs_connection *at = c->busy.first, *next; at; at = next) {
        next = at->after;
        if (!at->deadline_ns) continue;
        waiting++;
        if (now < at->deadline_ns) continue;
        shut(c, at); /* moves it to the end, where nothing is due */
        c->late++;
    }
    return waiting;
}

/* Each connection had some memory, which stays with the process unless it is asked. */
static bool is_much_free(const rs_connections *c) { return c->most > MANY && c->open < c->most / 4; }

static void *watch(void *arg) {
    rs_connections *c = arg;
    struct timespec until;
    pthread_mutex_lock(&c->lock);
    while (!c->is_ending) {
        if (is_much_free(c)) {
            c->most = c->open;
            pthread_mutex_unlock(&c->lock);
            malloc_trim(0);
            pthread_mutex_lock(&c->lock);
            continue; /* it may be ending by now, with nobody left to wake it */
        }
        if (close_late(c) == 0 && !c->busy.first) {
            pthread_cond_wait(&c->changed, &c->lock);
            continue;
        }
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += LOOK_EVERY_S;
        pthread_cond_timedwait(&c->changed, &c->lock, &until);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* ---- life ---------------------------------------------------------------------------------------------- */

rs_status rs_connections_new(unsigned limit, rs_connections **out, rs_err *err) {
    rs_connections *c = calloc(1, sizeof *c);
    *out = NULL;
    if (!c) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    c->limit = limit;
    pthread_mutex_init(&c->lock, NULL);
    rs_clock_cond_init(&c->changed);
    if (pthread_create(&c->watch, NULL, watch, c) != 0) {
        pthread_cond_destroy(&c->changed);
        pthread_mutex_destroy(&c->lock);
        free(c);
        return rs_fail(err, RS_ERR_MEMORY, 0, "cannot start a thread");
    }
    *out = c;
    return RS_OK;
}

void rs_connections_free(rs_connections *c) {
    if (!c) return;
    pthread_mutex_lock(&c->lock);
    c->is_ending = true;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->watch, NULL);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

rs_connection *rs_connections_open(rs_connections *c, int fd, const struct sockaddr *from) {
    rs_connection *one = calloc(1, sizeof *one);
    if (!one) return NULL;
    one->fd = fd;
    one->is_idle = true;
    address_of(from, one->address, &one->is_local);
    pthread_mutex_lock(&c->lock);
    append(&c->idle, one);
    if (++c->open > c->most) c->most = c->open;
    c->nidle++;
    pthread_mutex_unlock(&c->lock);
    return one;
}

void rs_connections_close(rs_connections *c, rs_connection *one) {
    if (!one) return;
    pthread_mutex_lock(&c->lock);
    take_out(one->is_idle ? &c->idle : &c->busy, one);
    c->nidle -= one->is_idle;
    c->open -= !one->is_closing;
    if (is_much_free(c)) pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
    free(one);
}

static uint64_t time_for(size_t n) { return n / SLOWEST * 1000000000ull; }

static void set(rs_connections *c, rs_connection *one, bool idle, uint64_t deadline_ns) {
    if (!one) return;
    pthread_mutex_lock(&c->lock);
    if (!one->is_closing) {
        bool was_idle = one->is_idle;
        one->deadline_ns = deadline_ns;
        if (was_idle != idle) move(c, one, idle);
        if (was_idle && !idle && one == c->busy.first && !one->after) pthread_cond_signal(&c->changed);
    }
    pthread_mutex_unlock(&c->lock);
}

void rs_connections_take(rs_connections *c, rs_connection *one) {
    set(c, one, false, rs_clock_mono_ns() + GRACE_NS);
}
void rs_connections_answer(rs_connections *c, rs_connection *one, size_t n) {
    set(c, one, false, rs_clock_mono_ns() + GRACE_NS + time_for(n));
}
void rs_connections_idle(rs_connections *c, rs_connection *one) { set(c, one, true, 0); }
void rs_connections_hold(rs_connections *c, rs_connection *one) { set(c, one, false, 0); }

void rs_connections_grant(rs_connections *c, rs_connection *one, size_t n) {
    if (!one) return;
    pthread_mutex_lock(&c->lock);
    if (one->deadline_ns) one->deadline_ns += time_for(n);
    pthread_mutex_unlock(&c->lock);
}

void rs_connections_count(rs_connections *c, rs_connection_counts *out) {
    pthread_mutex_lock(&c->lock);
    *out = (rs_connection_counts){c->open, c->nidle, c->limit, c->evicted, c->late, c->refused};
    pthread_mutex_unlock(&c->lock);
}
