/* sha256_scan_lanes.h - the search for nonces with LANES hashes side by side, each vector holding one word of all of them. Compilers lay GNU
 * vectors out for the processor that the file is compiled for: sha256_scan_{portable,avx2,avx512}.c include this with their LANES and flags. */
#include <string.h>

#include "crypto/sha256_scan_kernels.h"

typedef uint32_t vec __attribute__((vector_size(LANES * 4)));

#define ALWAYS static inline __attribute__((always_inline))
#define ROTR(x, n) ((x) >> (n) | (x) << (32 - (n)))

ALWAYS vec splat(uint32_t v)
{
    return v - (vec){0};
}

ALWAYS vec swap_bytes(vec x)
{
    return x >> 24 | (x >> 8 & 0xff00) | (x << 8 & 0xff0000) | x << 24;
}

/* Round t: the names of the state's words move, not the words. */
ALWAYS void step(vec v[8], unsigned t, vec kw)
{
    vec a = v[(0 - t) & 7], b = v[(1 - t) & 7], c = v[(2 - t) & 7], e = v[(4 - t) & 7], f = v[(5 - t) & 7], g = v[(6 - t) & 7];
    vec t1 = v[(7 - t) & 7] + kw + (ROTR(e, 6) ^ ROTR(e, 11) ^ ROTR(e, 25)) + (g ^ (e & (f ^ g)));

    v[(3 - t) & 7] += t1;
    v[(7 - t) & 7] = t1 + (ROTR(a, 2) ^ ROTR(a, 13) ^ ROTR(a, 22)) + ((a & b) | (c & (a | b)));
}

/* Word t of the message schedule, from 16 on, in the place of word t - 16. */
ALWAYS vec word(vec w[16], unsigned t)
{
    vec x = w[(t + 1) & 15], y = w[(t + 14) & 15];

    return w[t & 15] += (ROTR(x, 7) ^ ROTR(x, 18) ^ x >> 3) + w[(t + 9) & 15] + (ROTR(y, 17) ^ ROTR(y, 19) ^ y >> 10);
}

#define FIRST(t) step(v, t, w[t] + SHA256_K[t])
#define LATER(t) step(v, t, word(w, t) + SHA256_K[t])
#define EIGHT(F, t) (F(t), F((t) + 1), F((t) + 2), F((t) + 3), F((t) + 4), F((t) + 5), F((t) + 6), F((t) + 7))

/* Out: w: the digest of the headers, and the padding of the second hash. */
ALWAYS void first_hash(vec w[16], const struct sha256_scan *s, vec nonces)
{
    vec v[8];

    for (unsigned i = 0; i < 8; i++)
        v[(i - 3) & 7] = splat(s->state3[i]);
    for (int i = 5; i < 15; i++)
        w[i] = splat(0);
    for (int i = 0; i < 3; i++)
        w[i] = splat(s->tail[i]);
    w[3] = swap_bytes(nonces);
    w[4] = splat(0x80000000);
    w[15] = splat(640);
    (FIRST(3), FIRST(4), FIRST(5), FIRST(6), FIRST(7));
    EIGHT(FIRST, 8);
    step(v, 16, (w[0] = splat(s->w16)) + SHA256_K[16]);
    step(v, 17, (w[1] = splat(s->w17)) + SHA256_K[17]);
    (LATER(18), LATER(19), LATER(20), LATER(21), LATER(22), LATER(23));
    EIGHT(LATER, 24);
    EIGHT(LATER, 32);
    EIGHT(LATER, 40);
    EIGHT(LATER, 48);
    EIGHT(LATER, 56);
    for (int i = 0; i < 8; i++)
        w[i] = v[i] + s->midstate[i];
    w[8] = splat(0x80000000);
    for (int i = 9; i < 15; i++)
        w[i] = splat(0);
    w[15] = splat(256);
}

/* The last word of the second hash. It stands after 61 rounds: what is the state's fifth word then only moves on. */
ALWAYS vec second_hash(vec w[16])
{
    vec v[8];

    for (int i = 0; i < 8; i++)
        v[i] = splat(SHA256_INIT[i]);
    EIGHT(FIRST, 0);
    EIGHT(FIRST, 8);
    EIGHT(LATER, 16);
    EIGHT(LATER, 24);
    EIGHT(LATER, 32);
    EIGHT(LATER, 40);
    EIGHT(LATER, 48);
    (LATER(56), LATER(57), LATER(58), LATER(59), LATER(60));
    return v[(3 - 60) & 7] + SHA256_INIT[7];
}

static uint32_t scan(const struct sha256_scan *s, uint32_t first, uint32_t n, uint32_t limit)
{
    vec nonces = splat(first), w[16];

    for (uint32_t i = 0; i < LANES; i++)
        nonces[i] += i;
    for (uint32_t done = 0; done < n; nonces += LANES) {
        vec hits;
        uint64_t any[LANES / 2], all = 0;
        first_hash(w, s, nonces);
        hits = (vec)(swap_bytes(second_hash(w)) <= splat(limit));
        memcpy(any, &hits, sizeof(any));
        for (int i = 0; i < LANES / 2; i++)
            all |= any[i];
        for (uint32_t i = 0; all && i < LANES && done + i < n; i++) {
            if (hits[i])
                return done + i;
        }
        if (n - done <= LANES)
            break;
        done += LANES;
    }
    return n;
}
