/* random.c - the kernel's randomness (any thread) and xoshiro256** (one thread per state). */
#include "util/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "util/assert.h"

void random_bytes(void *out, size_t len)
{
    uint8_t *p = out;

    while (len) {
        ssize_t n = getrandom(p, len, 0);
        if (n < 0) {
            if (errno == EINTR)
                continue;
            fprintf(stderr, "Error: the system gives no randomness: %s\n", strerror(errno));
            abort();
        }
        p += n;
        len -= (size_t)n;
    }
}

uint64_t random_u64(void)
{
    uint64_t v;
    random_bytes(&v, sizeof(v));
    return v;
}

void rng_init(struct rng *r)
{
    do
        random_bytes(r->s, sizeof(r->s));
    while (!(r->s[0] | r->s[1] | r->s[2] | r->s[3])); /* the one state it never leaves */
}

void rng_init_seed(struct rng *r, uint64_t seed)
{
    /* SplitMix64, as xoshiro's authors advise for filling the state out of one word. */
    for (int i = 0; i < 4; i++) {
        uint64_t z = seed += 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        r->s[i] = z ^ z >> 31;
    }
}

static uint64_t rotl(uint64_t v, int n)
{
    return v << n | v >> (64 - n);
}

uint64_t rng_u64(struct rng *r)
{
    uint64_t *s = r->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
    uint64_t excess, v;

    ASSERT(n > 0);
    excess = -n % n; /* 2^64 mod n: so many of the lowest values are dropped to leave a multiple of n */
    do
        v = rng_u64(r);
    while (v < excess);
    return v % n;
}
