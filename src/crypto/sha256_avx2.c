/* sha256_avx2.c - eight double SHA-256 at once with AVX2; compiled with -mavx2, empty on machines other than x86.
 *
 * A vector holds one word of each of eight messages. Called by sha256.c through the kernel table, on any thread. */
#include "crypto/sha256_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define LANES 8

typedef __m256i vec;

#define ADD(a, b) _mm256_add_epi32(a, b)
#define XOR(a, b) _mm256_xor_si256(a, b)
#define AND(a, b) _mm256_and_si256(a, b)
#define OR(a, b) _mm256_or_si256(a, b)
#define SHR(a, n) _mm256_srli_epi32(a, n)
#define ROTR(a, n) OR(SHR(a, n), _mm256_slli_epi32(a, 32 - (n)))

static inline vec splat(uint32_t v)
{
    return _mm256_set1_epi32((int)v);
}

/* One round; names rotate instead of values. */
static inline __attribute__((always_inline)) void one_round(vec a, vec b, vec c, vec *d, vec e, vec f, vec g, vec *h, vec kw)
{
    vec s1 = XOR(XOR(ROTR(e, 6), ROTR(e, 11)), ROTR(e, 25)), s0 = XOR(XOR(ROTR(a, 2), ROTR(a, 13)), ROTR(a, 22));
    vec t1 = ADD(ADD(ADD(*h, kw), s1), XOR(g, AND(e, XOR(f, g))));

    *d = ADD(*d, t1);
    *h = ADD(ADD(t1, s0), OR(AND(a, b), AND(c, OR(a, b))));
}

#define EIGHT_ROUNDS(s, KW)                                                                                                        \
    do {                                                                                                                           \
        one_round((s)[0], (s)[1], (s)[2], &(s)[3], (s)[4], (s)[5], (s)[6], &(s)[7], KW(0));                                        \
        one_round((s)[7], (s)[0], (s)[1], &(s)[2], (s)[3], (s)[4], (s)[5], &(s)[6], KW(1));                                        \
        one_round((s)[6], (s)[7], (s)[0], &(s)[1], (s)[2], (s)[3], (s)[4], &(s)[5], KW(2));                                        \
        one_round((s)[5], (s)[6], (s)[7], &(s)[0], (s)[1], (s)[2], (s)[3], &(s)[4], KW(3));                                        \
        one_round((s)[4], (s)[5], (s)[6], &(s)[7], (s)[0], (s)[1], (s)[2], &(s)[3], KW(4));                                        \
        one_round((s)[3], (s)[4], (s)[5], &(s)[6], (s)[7], (s)[0], (s)[1], &(s)[2], KW(5));                                        \
        one_round((s)[2], (s)[3], (s)[4], &(s)[5], (s)[6], (s)[7], (s)[0], &(s)[1], KW(6));                                        \
        one_round((s)[1], (s)[2], (s)[3], &(s)[4], (s)[5], (s)[6], (s)[7], &(s)[0], KW(7));                                        \
    } while (0)

static inline __attribute__((always_inline)) vec schedule(vec w[16], int t)
{
    vec x = w[(t + 1) & 15], y = w[(t + 14) & 15];
    vec s0 = XOR(XOR(ROTR(x, 7), ROTR(x, 18)), SHR(x, 3)), s1 = XOR(XOR(ROTR(y, 17), ROTR(y, 19)), SHR(y, 10));

    return w[t & 15] = ADD(ADD(w[t & 15], s0), ADD(w[(t + 9) & 15], s1));
}

static inline void state_init(vec s[8])
{
    for (int i = 0; i < 8; i++)
        s[i] = splat(SHA256_INIT[i]);
}

static inline void state_add(vec s[8], const vec t[8])
{
    for (int i = 0; i < 8; i++)
        s[i] = ADD(s[i], t[i]);
}

static void compress(vec s[8], vec w[16])
{
    vec v[8];

    for (int i = 0; i < 8; i++)
        v[i] = s[i];
#define FIRST(i) ADD(splat(SHA256_K[t + (i)]), w[t + (i)])
#define LATER(i) ADD(splat(SHA256_K[t + (i)]), schedule(w, t + (i)))
    for (int t = 0; t < 16; t += 8)
        EIGHT_ROUNDS(v, FIRST);
    for (int t = 16; t < 64; t += 8)
        EIGHT_ROUNDS(v, LATER);
    state_add(s, v);
}

static void compress_fixed(vec s[8], const uint32_t kw[64])
{
    vec v[8];

    for (int i = 0; i < 8; i++)
        v[i] = s[i];
#define FIXED(i) splat(kw[t + (i)])
    for (int t = 0; t < 64; t += 8)
        EIGHT_ROUNDS(v, FIXED);
    state_add(s, v);
}

/* Rows to columns: word i of row j becomes word j of row i. */
static inline void transpose(vec m[8])
{
    vec a[8], b[8];

    for (int i = 0; i < 8; i += 2) {
        a[i] = _mm256_unpacklo_epi32(m[i], m[i + 1]);
        a[i + 1] = _mm256_unpackhi_epi32(m[i], m[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        b[i] = _mm256_unpacklo_epi64(a[i], a[i + 2]);
        b[i + 1] = _mm256_unpackhi_epi64(a[i], a[i + 2]);
        b[i + 2] = _mm256_unpacklo_epi64(a[i + 1], a[i + 3]);
        b[i + 3] = _mm256_unpackhi_epi64(a[i + 1], a[i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        m[i] = _mm256_permute2x128_si256(b[i], b[i + 4], 0x20);
        m[i + 4] = _mm256_permute2x128_si256(b[i], b[i + 4], 0x31);
    }
}

static inline vec swap_bytes(vec v)
{
    return _mm256_shuffle_epi8(v,
                               _mm256_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203, 0x0c0d0e0f08090a0b, 0x0405060700010203));
}

/* Eight words of each message, which are `stride` bytes apart. */
static inline void load_words(vec w[8], const uint8_t *in, size_t stride)
{
    for (size_t i = 0; i < LANES; i++)
        w[i] = swap_bytes(_mm256_loadu_si256((const void *)(in + i * stride)));
    transpose(w);
}

static void first_block(vec s[8], const uint8_t *in, size_t stride)
{
    vec w[16];

    load_words(w, in, stride);
    load_words(w + 8, in + 32, stride);
    state_init(s);
    compress(s, w);
}

/* The second hash; s is the state after the first. */
static void finish(uint8_t *out, vec s[8])
{
    vec w[16];

    for (int i = 0; i < 8; i++)
        w[i] = s[i];
    w[8] = splat(0x80000000);
    for (int i = 9; i < 15; i++)
        w[i] = splat(0);
    w[15] = splat(256);
    state_init(s);
    compress(s, w);
    transpose(s);
    for (int i = 0; i < LANES; i++)
        _mm256_storeu_si256((void *)(out + 32 * i), swap_bytes(s[i]));
}

static void d64(uint8_t *out, const uint8_t *in, size_t n)
{
    vec s[8];

    for (; n >= LANES; n -= LANES, in += LANES * 64, out += LANES * 32) {
        first_block(s, in, 64);
        compress_fixed(s, SHA256_K_PAD64);
        finish(out, s);
    }
    sha256_kernel_portable.d64(out, in, n);
}

/* The last 16 bytes of 80: four words of each message. */
static inline void load_tails(vec w[16], const uint8_t *in)
{
    for (size_t i = 0; i < LANES; i++)
        w[i] = swap_bytes(_mm256_castsi128_si256(_mm_loadu_si128((const void *)(in + i * 80 + 64))));
    transpose(w);
    w[4] = splat(0x80000000);
    for (int i = 5; i < 15; i++)
        w[i] = splat(0);
    w[15] = splat(640);
}

static void d80(uint8_t *out, const uint8_t *in, size_t n)
{
    vec s[8], w[16];

    for (; n >= LANES; n -= LANES, in += LANES * 80, out += LANES * 32) {
        first_block(s, in, 80);
        load_tails(w, in);
        compress(s, w);
        finish(out, s);
    }
    sha256_kernel_portable.d80(out, in, n);
}

/* A single message has no lanes to fill. */
static void transform(uint32_t state[8], const uint8_t *blocks, size_t n)
{
    sha256_kernel_portable.transform(state, blocks, n);
}

const struct sha256_kernel sha256_kernel_avx2 = {"avx2", sha256_cpu_has_avx2, transform, d64, d80};
#else
extern int sha256_avx2_unused; /* a translation unit must not be empty */
#endif
