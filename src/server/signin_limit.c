#include "server/signin_limit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

enum { SETS = 1024, WAYS = 4, TEXT = 320 };
#define NS_PER_S 1000000000ull

typedef struct entry {
    uint64_t hash, until_ns; /* hash 0: empty */
    unsigned tries;
} entry;

struct rs_signin_limit {
    uint8_t key[crypto_shorthash_KEYBYTES]; /* so that nobody can aim at an entry */
    pthread_mutex_t lock;                   /* entries */
    entry entries[SETS][WAYS];
};

rs_status rs_signin_limit_new(rs_signin_limit **out, rs_err *err) {
    rs_signin_limit *l = *out = calloc(1, sizeof *l);
    if (!l) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    crypto_shorthash_keygen(l->key);
    pthread_mutex_init(&l->lock, NULL);
    return RS_OK;
}

void rs_signin_limit_free(rs_signin_limit *l) {
    if (!l) return;
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* `kind` tells an account, an address and a browser from each other; upper and lower case are one. */
static uint64_t hash_of(const rs_signin_limit *l, char kind, rs_str text) {
    char lower[TEXT] = {kind};
    uint64_t hash;
    size_t n = text.n < TEXT - 1 ? text.n : TEXT - 1;
    for (size_t i = 0; i < n; i++)
        lower[i + 1] = text.p[i] >= 'A' && text.p[i] <= 'Z' ? (char)(text.p[i] | 32) : text.p[i];
    crypto_shorthash((uint8_t *)&hash, (const uint8_t *)lower, n + 1, l->key);
    return hash | 1;
}

/* Whoever has one address of IPv6 has 2^64 of them. */
static rs_str network_of(rs_str address, char storage[INET6_ADDRSTRLEN]) {
    uint8_t bytes[16];
    if (address.n >= INET6_ADDRSTRLEN || !address.n || !memchr(address.p, ':', address.n)) return address;
    memcpy(storage, address.p, address.n);
    storage[address.n] = 0;
    storage[strcspn(storage, "%")] = 0;
    if (inet_pton(AF_INET6, storage, bytes) != 1) return address;
    memset(bytes + 8, 0, 8);
    return inet_ntop(AF_INET6, bytes, storage, INET6_ADDRSTRLEN) ? rs_str_of(storage) : address;
}

static entry *find(rs_signin_limit *l, uint64_t hash, uint64_t now_ns) {
    entry *set = l->entries[(hash >> 32) % SETS], *oldest = set;
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].hash == hash) {
            if (set[i].until_ns <= now_ns) set[i] = (entry){hash, now_ns + RS_SIGNIN_WINDOW_S * NS_PER_S, 0};
            return &set[i];
        }
        if (set[i].until_ns < oldest->until_ns) oldest = &set[i];
    }
    *oldest = (entry){hash, now_ns + RS_SIGNIN_WINDOW_S * NS_PER_S, 0};
    return oldest;
}

static unsigned wait_of(const entry *e, unsigned most, uint64_t now_ns) {
    return e->tries < most ? 0 : (unsigned)((e->until_ns - now_ns) / NS_PER_S) + 1;
}

unsigned rs_signin_limit_begin(rs_signin_limit *l, rs_str address, rs_str account, uint64_t now_ns) {
    char storage[INET6_ADDRSTRLEN];
    uint64_t from = hash_of(l, 'a', network_of(address, storage)), to = hash_of(l, 'e', account);
    pthread_mutex_lock(&l->lock);
    entry *a = find(l, from, now_ns);
    unsigned wait = wait_of(a, RS_SIGNIN_ADDRESS, now_ns);
    if (!wait) {
        a->tries++;
        entry *e = find(l, to, now_ns); /* which may take the place of the other */
        wait = wait_of(e, RS_SIGNIN_ACCOUNT, now_ns);
        if (!wait) e->tries++;
    }
    pthread_mutex_unlock(&l->lock);
    return wait;
}

unsigned rs_signin_limit_begin_known(rs_signin_limit *l, rs_str device, uint64_t now_ns) {
    uint64_t hash = hash_of(l, 'd', device);
    pthread_mutex_lock(&l->lock);
    entry *d = find(l, hash, now_ns);
    unsigned wait = wait_of(d, RS_SIGNIN_ACCOUNT, now_ns);
    if (!wait) d->tries++;
    pthread_mutex_unlock(&l->lock);
    return wait;
}

/* Under the lock. */
static entry *seek(rs_signin_limit *l, uint64_t hash) {
    entry *set = l->entries[(hash >> 32) % SETS];
    for (size_t i = 0; i < WAYS; i++)
        if (set[i].hash == hash) return &set[i];
    return NULL;
}

void rs_signin_limit_forgive(rs_signin_limit *l, rs_str address, rs_str account) {
    char storage[INET6_ADDRSTRLEN];
    uint64_t from = hash_of(l, 'a', network_of(address, storage)), to = hash_of(l, 'e', account);
    pthread_mutex_lock(&l->lock);
    entry *a = seek(l, from), *e = seek(l, to);
    if (a && a->tries) a->tries--;
    if (e) e->tries = 0;
    pthread_mutex_unlock(&l->lock);
}

void rs_signin_limit_forgive_known(rs_signin_limit *l, rs_str device) {
    uint64_t hash = hash_of(l, 'd', device);
    pthread_mutex_lock(&l->lock);
    entry *d = seek(l, hash);
    if (d) d->tries = 0;
    pthread_mutex_unlock(&l->lock);
}
