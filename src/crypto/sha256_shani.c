/* sha256_shani.c - SHA-256 with the x86 SHA extensions; compiled with -msha -msse4.1, empty on other machines.
 *
 * The rounds of one message wait for each other, so multi-message functions run two messages at once and fill the gaps.
 * Called by sha256.c through the kernel table, on any thread. */
#include "crypto/sha256_scan_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

/* The state as the instructions want it: {F, E, B, A} and {H, G, D, C} from the lowest word up. */
struct state {
    __m128i abef, cdgh;
};

static inline __m128i load(const void *p)
{
    return _mm_loadu_si128(p);
}

static inline void store(void *p, __m128i v)
{
    _mm_storeu_si128(p, v);
}

static inline __m128i load_be(const void *p)
{
    return _mm_shuffle_epi8(load(p), _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
}

static inline struct state state_from_words(__m128i dcba, __m128i hgfe)
{
    __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1), efgh = _mm_shuffle_epi32(hgfe, 0x1b);
    struct state s = {_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xf0)};
    return s;
}

static inline void state_to_words(const struct state *s, __m128i *dcba, __m128i *hgfe)
{
    __m128i feba = _mm_shuffle_epi32(s->abef, 0x1b), dchg = _mm_shuffle_epi32(s->cdgh, 0xb1);
    *dcba = _mm_blend_epi16(feba, dchg, 0xf0);
    *hgfe = _mm_alignr_epi8(dchg, feba, 8);
}

static inline struct state state_init(void)
{
    return state_from_words(load(SHA256_INIT), load(SHA256_INIT + 4));
}

static inline void state_add(struct state *s, const struct state *t)
{
    s->abef = _mm_add_epi32(s->abef, t->abef);
    s->cdgh = _mm_add_epi32(s->cdgh, t->cdgh);
}

/* Four rounds. kw: constants plus message words. */
static inline __attribute__((always_inline)) void quad(struct state *s, __m128i kw)
{
    s->cdgh = _mm_sha256rnds2_epu32(s->cdgh, s->abef, kw);
    s->abef = _mm_sha256rnds2_epu32(s->abef, s->cdgh, _mm_shuffle_epi32(kw, 0x0e));
}

/* Replaces the oldest four of 16 message words by the next four. */
static inline __attribute__((always_inline)) void schedule(__m128i *w0, __m128i w1, __m128i w2, __m128i w3)
{
    *w0 = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(*w0, w1), _mm_alignr_epi8(w3, w2, 4)), w3);
}

#define KW(w, i) _mm_add_epi32((w)[(i)&3], load(SHA256_K + 4 * (i)))
#define NEXT(w, i) schedule(&(w)[(i)&3], (w)[((i) + 1) & 3], (w)[((i) + 2) & 3], (w)[((i) + 3) & 3])
#define SIXTEEN(Q) (Q(0), Q(1), Q(2), Q(3), Q(4), Q(5), Q(6), Q(7), Q(8), Q(9), Q(10), Q(11), Q(12), Q(13), Q(14), Q(15))

/* One block of one message. w is used up. */
static inline __attribute__((always_inline)) void compress1(struct state *s, __m128i w[4])
{
    struct state t = *s;

#define ONE(i) ((i) < 4 ? (void)0 : NEXT(w, i), quad(&t, KW(w, i)))
    SIXTEEN(ONE);
    state_add(s, &t);
}

/* One block of each of two messages. */
static inline __attribute__((always_inline)) void compress2(struct state *s, __m128i w[4], struct state *u, __m128i x[4])
{
    struct state t = *s, v = *u;

#define TWO(i) ((i) < 4 ? (void)0 : (NEXT(w, i), NEXT(x, i)), quad(&t, KW(w, i)), quad(&v, KW(x, i)))
    SIXTEEN(TWO);
    state_add(s, &t);
    state_add(u, &v);
}

/* One block with a schedule known beforehand for each of two messages. */
static inline __attribute__((always_inline)) void compress2_fixed(struct state *s, struct state *u, const uint32_t kw[64])
{
    struct state t = *s, v = *u;

#define FIXED(i) (quad(&t, load(kw + 4 * (i))), quad(&v, load(kw + 4 * (i))))
    SIXTEEN(FIXED);
    state_add(s, &t);
    state_add(u, &v);
}

static void transform(uint32_t state[8], const uint8_t *blocks, size_t n)
{
    struct state s = state_from_words(load(state), load(state + 4));
    __m128i w[4];

    for (; n; n--, blocks += 64) {
        for (int i = 0; i < 4; i++)
            w[i] = load_be(blocks + 16 * i);
        compress1(&s, w);
    }
    state_to_words(&s, &w[0], &w[1]);
    store(state, w[0]);
    store(state + 4, w[1]);
}

/* Makes the block of the second hash out of the state after the first. */
static inline void second_block(__m128i w[4], const struct state *s)
{
    state_to_words(s, &w[0], &w[1]);
    w[2] = _mm_set_epi32(0, 0, 0, (int)0x80000000);
    w[3] = _mm_set_epi32(256, 0, 0, 0);
}

static inline void store_digest(uint8_t *out, const struct state *s)
{
    __m128i lo, hi;

    state_to_words(s, &lo, &hi);
    store(out, load_be(&lo));
    store(out + 16, load_be(&hi));
}

/* The second hash of two messages: state after the first in, digests out. */
static inline void finish2(uint8_t *out0, uint8_t *out1, const struct state *s, const struct state *u)
{
    struct state t = state_init(), v = t;
    __m128i w[4], x[4];

    second_block(w, s);
    second_block(x, u);
    compress2(&t, w, &v, x);
    store_digest(out0, &t);
    store_digest(out1, &v);
}

static inline void first_block2(struct state *s, struct state *u, const uint8_t *in0, const uint8_t *in1)
{
    __m128i w[4], x[4];

    *s = *u = state_init();
    for (int i = 0; i < 4; i++) {
        w[i] = load_be(in0 + 16 * i);
        x[i] = load_be(in1 + 16 * i);
    }
    compress2(s, w, u, x);
}

/* Two messages of 64 bytes. A single one is given twice and its digest written twice. */
static inline void pair64(uint8_t *out0, uint8_t *out1, const uint8_t *in0, const uint8_t *in1)
{
    struct state s, u;

    first_block2(&s, &u, in0, in1);
    compress2_fixed(&s, &u, SHA256_K_PAD64);
    finish2(out0, out1, &s, &u);
}

static inline void tail80(__m128i w[4], const uint8_t *tail)
{
    w[0] = load_be(tail);
    w[1] = _mm_set_epi32(0, 0, 0, (int)0x80000000);
    w[2] = _mm_setzero_si128();
    w[3] = _mm_set_epi32(640, 0, 0, 0);
}

static inline void pair80(uint8_t *out0, uint8_t *out1, const uint8_t *in0, const uint8_t *in1)
{
    struct state s, u;
    __m128i w[4], x[4];

    first_block2(&s, &u, in0, in1);
    tail80(w, in0 + 64);
    tail80(x, in1 + 64);
    compress2(&s, w, &u, x);
    finish2(out0, out1, &s, &u);
}

static void d64(uint8_t *out, const uint8_t *in, size_t n)
{
    for (; n >= 2; n -= 2, in += 128, out += 64)
        pair64(out, out + 32, in, in + 64);
    if (n)
        pair64(out, out, in, in);
}

static void d80(uint8_t *out, const uint8_t *in, size_t n)
{
    for (; n >= 2; n -= 2, in += 160, out += 64)
        pair80(out, out + 32, in, in + 80);
    if (n)
        pair80(out, out, in, in);
}

/* ---- search for nonces ---- */

/* The second block of a header. */
static inline __attribute__((always_inline)) void nonce_block(__m128i w[4], const struct sha256_scan *h, uint32_t nonce)
{
    w[0] = _mm_set_epi32((int)__builtin_bswap32(nonce), (int)h->tail[2], (int)h->tail[1], (int)h->tail[0]);
    w[1] = _mm_set_epi32(0, 0, 0, (int)0x80000000);
    w[2] = _mm_setzero_si128();
    w[3] = _mm_set_epi32(640, 0, 0, 0);
}

/* The last word of the second hash, which stands two rounds before the end. */
static inline __attribute__((always_inline)) void last_words(uint32_t out[2], const struct state *s, const struct state *u)
{
    struct state t = state_init(), v = t;
    __m128i w[4], x[4];

    second_block(w, s);
    second_block(x, u);
    (TWO(0), TWO(1), TWO(2), TWO(3), TWO(4), TWO(5), TWO(6), TWO(7), TWO(8), TWO(9), TWO(10), TWO(11), TWO(12), TWO(13), TWO(14));
    NEXT(w, 15);
    NEXT(x, 15);
    out[0] = (uint32_t)_mm_cvtsi128_si32(_mm_sha256rnds2_epu32(t.cdgh, t.abef, KW(w, 15))) + SHA256_INIT[7];
    out[1] = (uint32_t)_mm_cvtsi128_si32(_mm_sha256rnds2_epu32(v.cdgh, v.abef, KW(x, 15))) + SHA256_INIT[7];
}

static uint32_t scan(const struct sha256_scan *h, uint32_t first, uint32_t n, uint32_t limit)
{
    const struct state mid = state_from_words(load(h->midstate), load(h->midstate + 4));

    for (uint32_t i = 0; i < n; i += 2) {
        struct state s = mid, u = mid;
        __m128i w[4], x[4];
        uint32_t last[2];
        nonce_block(w, h, first + i);
        nonce_block(x, h, first + i + 1);
        compress2(&s, w, &u, x);
        last_words(last, &s, &u);
        if (__builtin_bswap32(last[0]) <= limit)
            return i;
        if (__builtin_bswap32(last[1]) <= limit && i + 1 < n)
            return i + 1;
        if (n - i <= 2)
            break;
    }
    return n;
}

const struct sha256_kernel sha256_kernel_shani = {"sha-ni", sha256_cpu_has_shani, transform, d64, d80};
const struct sha256_scan_kernel sha256_scan_shani = {"sha-ni", sha256_cpu_has_shani, scan};
#else
extern int sha256_shani_unused; /* a translation unit must not be empty */
#endif
