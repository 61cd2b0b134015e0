/* sha256_portable.c - SHA-256 in plain C, for machines without a better kernel, and the tables all kernels share.
 *
 * Called by sha256.c through the kernel table, on any thread. */
#include <string.h>

#include "crypto/sha256_kernels.h"
#include "util/bytes.h"

const uint32_t SHA256_INIT[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

const uint32_t SHA256_K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
    0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
    0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
    0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

const uint32_t SHA256_K_PAD64[64] = {
    0xc28a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
    0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf374, 0x649b69c1, 0xf0fe4786, 0x0fe1edc6, 0x240cf254,
    0x4fe9346f, 0x6cc984be, 0x61b9411e, 0x16f988fa, 0xf2c65152, 0xa88e5a6d, 0xb019fc65, 0xb9d99ec7, 0x9a1231c3, 0xe70eeaa0,
    0xfdb1232b, 0xc7353eb0, 0x3069bad5, 0xcb976d5f, 0x5a0f118f, 0xdc1eeefd, 0x0a35b689, 0xde0b7a04, 0x58f4ca9d, 0xe15d5b16,
    0x007f3e86, 0x37088980, 0xa507ea32, 0x6fab9537, 0x17406110, 0x0d8cd6f1, 0xcdaa3b6d, 0xc0bbbe37, 0x83613bda, 0xdb48a363,
    0x0b02e931, 0x6fd15ca7, 0x521afaca, 0x31338431, 0x6ed41a95, 0x6d437890, 0xc39c91f2, 0x9eccabbd, 0xb5c9a0e6, 0x532fb63c,
    0xd2c741c6, 0x07237ea3, 0xa4954b68, 0x4c191d76,
};

static inline uint32_t rotr(uint32_t v, int n)
{
    return v >> n | v << (32 - n);
}

/* One round; the caller rotates the names of the variables in place of moving them. kw: constant plus message word. */
static inline void one_round(uint32_t a, uint32_t b, uint32_t c, uint32_t *d, uint32_t e, uint32_t f, uint32_t g, uint32_t *h,
                             uint32_t kw)
{
    uint32_t t1 = *h + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + (g ^ (e & (f ^ g))) + kw;

    *d += t1;
    *h = t1 + (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) | (c & (a | b)));
}

#define EIGHT_ROUNDS(KW)                                                                                                           \
    do {                                                                                                                           \
        one_round(a, b, c, &d, e, f, g, &h, KW(0));                                                                                \
        one_round(h, a, b, &c, d, e, f, &g, KW(1));                                                                                \
        one_round(g, h, a, &b, c, d, e, &f, KW(2));                                                                                \
        one_round(f, g, h, &a, b, c, d, &e, KW(3));                                                                                \
        one_round(e, f, g, &h, a, b, c, &d, KW(4));                                                                                \
        one_round(d, e, f, &g, h, a, b, &c, KW(5));                                                                                \
        one_round(c, d, e, &f, g, h, a, &b, KW(6));                                                                                \
        one_round(b, c, d, &e, f, g, h, &a, KW(7));                                                                                \
    } while (0)

#define STATE_LOAD(s) uint32_t a = (s)[0], b = (s)[1], c = (s)[2], d = (s)[3], e = (s)[4], f = (s)[5], g = (s)[6], h = (s)[7]
#define STATE_ADD(s) ((s)[0] += a, (s)[1] += b, (s)[2] += c, (s)[3] += d, (s)[4] += e, (s)[5] += f, (s)[6] += g, (s)[7] += h)

/* Message word t out of the 16 before it, kept in a ring. */
static inline uint32_t schedule(uint32_t w[16], int t)
{
    uint32_t x = w[(t + 1) & 15], y = w[(t + 14) & 15];

    return w[t & 15] += (rotr(x, 7) ^ rotr(x, 18) ^ x >> 3) + w[(t + 9) & 15] + (rotr(y, 17) ^ rotr(y, 19) ^ y >> 10);
}

static void compress(uint32_t state[8], uint32_t w[16])
{
    STATE_LOAD(state);

#define FIRST(i) SHA256_K[t + (i)] + w[t + (i)]
#define LATER(i) SHA256_K[t + (i)] + schedule(w, t + (i))
    for (int t = 0; t < 16; t += 8)
        EIGHT_ROUNDS(FIRST);
    for (int t = 16; t < 64; t += 8)
        EIGHT_ROUNDS(LATER);
    STATE_ADD(state);
}

/* A block whose schedule is known beforehand. */
static void compress_fixed(uint32_t state[8], const uint32_t kw[64])
{
    STATE_LOAD(state);

#define FIXED(i) kw[t + (i)]
    for (int t = 0; t < 64; t += 8)
        EIGHT_ROUNDS(FIXED);
    STATE_ADD(state);
}

static void load_words(uint32_t *w, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        w[i] = get_be32(p + 4 * i);
}

static void transform(uint32_t state[8], const uint8_t *blocks, size_t n)
{
    uint32_t w[16];

    for (; n; n--, blocks += 64) {
        load_words(w, blocks, 16);
        compress(state, w);
    }
}

/* The hash of a 32-byte digest, given as words. */
static void second_hash(uint8_t *out, const uint32_t digest[8])
{
    uint32_t w[16] = {[8] = 0x80000000, [15] = 256}, state[8];

    memcpy(w, digest, 32);
    memcpy(state, SHA256_INIT, 32);
    compress(state, w);
    for (int i = 0; i < 8; i++)
        put_be32(out + 4 * i, state[i]);
}

static void d64(uint8_t *out, const uint8_t *in, size_t n)
{
    uint32_t state[8];

    for (; n; n--, in += 64, out += 32) {
        memcpy(state, SHA256_INIT, 32);
        transform(state, in, 1);
        compress_fixed(state, SHA256_K_PAD64);
        second_hash(out, state);
    }
}

static void d80(uint8_t *out, const uint8_t *in, size_t n)
{
    uint32_t state[8];

    for (; n; n--, in += 80, out += 32) {
        uint32_t w[16] = {[4] = 0x80000000, [15] = 640};
        memcpy(state, SHA256_INIT, 32);
        transform(state, in, 1);
        load_words(w, in + 64, 4);
        compress(state, w);
        second_hash(out, state);
    }
}

static bool usable(void)
{
    return true;
}

const struct sha256_kernel sha256_kernel_portable = {"portable", usable, transform, d64, d80};
