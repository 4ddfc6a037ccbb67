#include "base/fingerprint.h"

#include <endian.h>
#include <stdbool.h>

enum { BLOCK = 128, WORDS = 16, ROUNDS = 12, DIGEST = 32 };

static const uint64_t start[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                                  0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                                  0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

static const uint8_t order[10][WORDS] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

static uint64_t turn(uint64_t x, unsigned by) { return x >> by | x << (64 - by); }

static void mix(uint64_t *v, unsigned a, unsigned b, unsigned c, unsigned d, uint64_t x, uint64_t y) {
    v[a] += v[b] + x;
    v[d] = turn(v[d] ^ v[a], 32);
    v[c] += v[d];
    v[b] = turn(v[b] ^ v[c], 24);
    v[a] += v[b] + y;
    v[d] = turn(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = turn(v[b] ^ v[c], 63);
}

/* `upto`: bytes of the text so far, this block's included. */
static void take_block(uint64_t h[8], const char block[BLOCK], uint64_t upto, bool last) {
    uint64_t m[WORDS], v[WORDS];
    memcpy(m, block, sizeof m);
    for (unsigned i = 0; i < WORDS; i++) m[i] = le64toh(m[i]);
    memcpy(v, h, sizeof start);
    memcpy(v + 8, start, sizeof start);
    v[12] ^= upto;
    if (last) v[14] = ~v[14];
    for (unsigned r = 0; r < ROUNDS; r++) {
        const uint8_t *s = order[r % 10];
        for (unsigned i = 0; i < 4; i++) /* columns */
            mix(v, i, 4 + i, 8 + i, 12 + i, m[s[2 * i]], m[s[2 * i + 1]]);
        for (unsigned i = 0; i < 4; i++) /* diagonals */
            mix(v, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, m[s[8 + 2 * i]], m[s[9 + 2 * i]]);
    }
    for (unsigned i = 0; i < 8; i++) h[i] ^= v[i] ^ v[8 + i];
}

uint64_t rs_fingerprint(rs_str key) {
    uint64_t h[8];
    memcpy(h, start, sizeof h);
    h[0] ^= 0x01010000 ^ DIGEST;
    size_t at = 0;
    for (; key.n - at > BLOCK; at += BLOCK) take_block(h, key.p + at, at + BLOCK, false);
    char rest[BLOCK] = {0};
    if (key.n > at) memcpy(rest, key.p + at, key.n - at);
    take_block(h, rest, key.n, true);
    return htole64(h[0]);
}
