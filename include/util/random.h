/* random.h - randomness from the kernel, and a fast deterministic generator for shuffles and tests. */
#ifndef FARTHING_UTIL_RANDOM_H
#define FARTHING_UTIL_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/** Fills out with cryptographic randomness (getrandom(2)). Ends the process if the kernel has none. Any thread. */
void random_bytes(void *out, size_t len);
uint64_t random_u64(void);

/* A small generator with its own state (xoshiro256**), not for secrets. One thread. */
struct rng {
    uint64_t s[4];
};
/** Seeds from the kernel. */
void rng_init(struct rng *r);
/** Seeds from a number: the same sequence each time (tests). */
void rng_init_seed(struct rng *r, uint64_t seed);
uint64_t rng_u64(struct rng *r);
/** Uniform in [0, n), n > 0, without bias. */
uint64_t rng_below(struct rng *r, uint64_t n);

#endif
