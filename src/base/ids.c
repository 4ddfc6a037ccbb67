#include "base/ids.h"

#include "base/clock.h"
#include <pthread.h>
#include <sys/random.h>
#include <unistd.h>

/* xoshiro256** 1.0, Blackman and Vigna, public domain (prng.di.unimi.it): long period, a few ns per id. */
static _Thread_local struct {
    uint64_t s[4];
    unsigned epoch; /* of the last seeding; differs from fork_epoch when this thread must seed anew */
} generator;

static unsigned fork_epoch = 1; /* bumped in the child by pthread_atfork, before it has a second thread */
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void after_fork(void) { __atomic_add_fetch(&fork_epoch, 1, __ATOMIC_RELAXED); }
static void watch_fork(void) { pthread_atfork(NULL, NULL, after_fork); }

static void seed(void) {
    pthread_once(&fork_once, watch_fork);
    if (getrandom(generator.s, sizeof generator.s, GRND_NONBLOCK) != sizeof generator.s) {
        /* Only before the kernel has entropy, early at boot: clocks, process and thread still differ. */
        uint64_t x = rs_clock_wall_ns() ^ (uint64_t)getpid() << 32 ^ (uint64_t)(uintptr_t)&generator;
        for (int i = 0; i < 4; i++) {
            x += 0x9e3779b97f4a7c15u;
            generator.s[i] = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u ^ rs_clock_mono_ns();
        }
    }
    generator.s[0] |= 1; /* the all-zero state is a fixed point */
    generator.epoch = __atomic_load_n(&fork_epoch, __ATOMIC_RELAXED);
}

static uint64_t rotl(uint64_t x, int k) { return x << k | x >> (64 - k); }

uint64_t rs_id_random(void) {
    if (__builtin_expect(generator.epoch != __atomic_load_n(&fork_epoch, __ATOMIC_RELAXED), 0)) seed();
    uint64_t *s = generator.s, result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

void rs_id_span(uint8_t out[8]) {
    uint64_t v;
    do v = rs_id_random();
    while (v == 0);
    memcpy(out, &v, 8);
}

void rs_id_trace(uint8_t out[16]) {
    rs_id_span(out);
    rs_id_span(out + 8);
}

void rs_hex(const uint8_t *bytes, size_t n, char *out) {
    for (size_t i = 0; i < n; i++) {
        *out++ = "0123456789abcdef"[bytes[i] >> 4];
        *out++ = "0123456789abcdef"[bytes[i] & 15];
    }
    *out = 0;
}

/* A digit's value plus one; 0 for what is no digit. */
static const uint8_t hex_digit[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16};

bool rs_unhex(rs_str s, uint8_t *out, size_t n) {
    if (s.n != 2 * n) return false;
    for (size_t i = 0; i < n; i++) {
        unsigned high = hex_digit[(unsigned char)s.p[2 * i]], low = hex_digit[(unsigned char)s.p[2 * i + 1]];
        if (!high || !low) return false;
        out[i] = (uint8_t)((high - 1) << 4 | (low - 1));
    }
    return true;
}
