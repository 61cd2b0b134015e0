/* ripemd160.c - RIPEMD-160: own code, as OpenSSL 3 offers it through its legacy provider only. Pure; any thread.
 *
 * Source: Dobbertin, Bosselaers, Preneel, "RIPEMD-160: A Strengthened Version of RIPEMD" (1996). */
#include <string.h>

#include "crypto/hash.h"
#include "util/bytes.h"

#define F1(x, y, z) ((x) ^ (y) ^ (z))
#define F2(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
#define F3(x, y, z) (((x) | ~(y)) ^ (z))
#define F4(x, y, z) ((y) ^ ((z) & ((x) ^ (y))))
#define F5(x, y, z) ((x) ^ ((y) | ~(z)))

static inline uint32_t rotl(uint32_t v, int n)
{
    return v << n | v >> (32 - n);
}

/* One step: message word i, rotation s. The caller rotates the names instead of moving values. */
#define STEP(f, k, a, b, c, d, e, i, s)                                                                                            \
    do {                                                                                                                           \
        a = rotl(a + f(b, c, d) + w[i] + (k), s) + e;                                                                              \
        c = rotl(c, 10);                                                                                                           \
    } while (0)
/* A round: pairs of message word and rotation. */
#define SIXTEEN(f, k, a, b, c, d, e, i0, s0, i1, s1, i2, s2, i3, s3, i4, s4, i5, s5, i6, s6, i7, s7, i8, s8, i9, s9, ia, sa, ib,   \
                sb, ic, sc, id, sd, ie, se, if, sf)                                                                                \
    do {                                                                                                                           \
        STEP(f, k, a, b, c, d, e, i0, s0);                                                                                         \
        STEP(f, k, e, a, b, c, d, i1, s1);                                                                                         \
        STEP(f, k, d, e, a, b, c, i2, s2);                                                                                         \
        STEP(f, k, c, d, e, a, b, i3, s3);                                                                                         \
        STEP(f, k, b, c, d, e, a, i4, s4);                                                                                         \
        STEP(f, k, a, b, c, d, e, i5, s5);                                                                                         \
        STEP(f, k, e, a, b, c, d, i6, s6);                                                                                         \
        STEP(f, k, d, e, a, b, c, i7, s7);                                                                                         \
        STEP(f, k, c, d, e, a, b, i8, s8);                                                                                         \
        STEP(f, k, b, c, d, e, a, i9, s9);                                                                                         \
        STEP(f, k, a, b, c, d, e, ia, sa);                                                                                         \
        STEP(f, k, e, a, b, c, d, ib, sb);                                                                                         \
        STEP(f, k, d, e, a, b, c, ic, sc);                                                                                         \
        STEP(f, k, c, d, e, a, b, id, sd);                                                                                         \
        STEP(f, k, b, c, d, e, a, ie, se);                                                                                         \
        STEP(f, k, a, b, c, d, e, if, sf);                                                                                         \
    } while (0)

static void left_line(uint32_t v[5], const uint32_t w[16])
{
    uint32_t a = v[0], b = v[1], c = v[2], d = v[3], e = v[4];

    SIXTEEN(F1, 0, a, b, c, d, e, 0, 11, 1, 14, 2, 15, 3, 12, 4, 5, 5, 8, 6, 7, 7, 9, 8, 11, 9, 13, 10, 14, 11, 15, 12, 6, 13, 7,
            14, 9, 15, 8);
    SIXTEEN(F2, 0x5a827999, e, a, b, c, d, 7, 7, 4, 6, 13, 8, 1, 13, 10, 11, 6, 9, 15, 7, 3, 15, 12, 7, 0, 12, 9, 15, 5, 9, 2, 11,
            14, 7, 11, 13, 8, 12);
    SIXTEEN(F3, 0x6ed9eba1, d, e, a, b, c, 3, 11, 10, 13, 14, 6, 4, 7, 9, 14, 15, 9, 8, 13, 1, 15, 2, 14, 7, 8, 0, 13, 6, 6, 13, 5,
            11, 12, 5, 7, 12, 5);
    SIXTEEN(F4, 0x8f1bbcdc, c, d, e, a, b, 1, 11, 9, 12, 11, 14, 10, 15, 0, 14, 8, 15, 12, 9, 4, 8, 13, 9, 3, 14, 7, 5, 15, 6, 14,
            8, 5, 6, 6, 5, 2, 12);
    SIXTEEN(F5, 0xa953fd4e, b, c, d, e, a, 4, 9, 0, 15, 5, 5, 9, 11, 7, 6, 12, 8, 2, 13, 10, 12, 14, 5, 1, 12, 3, 13, 8, 14, 11, 11,
            6, 8, 15, 5, 13, 6);
    v[0] = a, v[1] = b, v[2] = c, v[3] = d, v[4] = e;
}

static void right_line(uint32_t v[5], const uint32_t w[16])
{
    uint32_t a = v[0], b = v[1], c = v[2], d = v[3], e = v[4];

    SIXTEEN(F5, 0x50a28be6, a, b, c, d, e, 5, 8, 14, 9, 7, 9, 0, 11, 9, 13, 2, 15, 11, 15, 4, 5, 13, 7, 6, 7, 15, 8, 8, 11, 1, 14,
            10, 14, 3, 12, 12, 6);
    SIXTEEN(F4, 0x5c4dd124, e, a, b, c, d, 6, 9, 11, 13, 3, 15, 7, 7, 0, 12, 13, 8, 5, 9, 10, 11, 14, 7, 15, 7, 8, 12, 12, 7, 4, 6,
            9, 15, 1, 13, 2, 11);
    SIXTEEN(F3, 0x6d703ef3, d, e, a, b, c, 15, 9, 5, 7, 1, 15, 3, 11, 7, 8, 14, 6, 6, 6, 9, 14, 11, 12, 8, 13, 12, 5, 2, 14, 10, 13,
            0, 13, 4, 7, 13, 5);
    SIXTEEN(F2, 0x7a6d76e9, c, d, e, a, b, 8, 15, 6, 5, 4, 8, 1, 11, 3, 14, 11, 14, 15, 6, 0, 14, 5, 6, 12, 9, 2, 12, 13, 9, 9, 12,
            7, 5, 10, 15, 14, 8);
    SIXTEEN(F1, 0, b, c, d, e, a, 12, 8, 15, 5, 10, 12, 4, 9, 1, 12, 5, 5, 8, 14, 7, 6, 6, 8, 2, 13, 13, 6, 14, 5, 0, 15, 3, 13, 9,
            11, 11, 11);
    v[0] = a, v[1] = b, v[2] = c, v[3] = d, v[4] = e;
}

static void transform(uint32_t state[5], const uint8_t *block)
{
    uint32_t w[16], l[5], r[5], t;

    for (int i = 0; i < 16; i++)
        w[i] = get_le32(block + 4 * i);
    memcpy(l, state, sizeof(l));
    memcpy(r, state, sizeof(r));
    left_line(l, w);
    right_line(r, w);
    t = state[1] + l[2] + r[3];
    state[1] = state[2] + l[3] + r[4];
    state[2] = state[3] + l[4] + r[0];
    state[3] = state[4] + l[0] + r[1];
    state[4] = state[0] + l[1] + r[2];
    state[0] = t;
}

void ripemd160(uint8_t out[20], const void *data, size_t len)
{
    uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    const uint8_t *p = data;
    uint8_t tail[128] = {0};
    size_t left = len % 64, padded = left < 56 ? 64 : 128;

    for (size_t i = 0; i < len / 64; i++)
        transform(state, p + 64 * i);
    if (left)
        memcpy(tail, p + len - left, left);
    tail[left] = 0x80;
    put_le64(tail + padded - 8, (uint64_t)len * 8);
    for (size_t i = 0; i < padded; i += 64)
        transform(state, tail + i);
    for (int i = 0; i < 5; i++)
        put_le32(out + 4 * i, state[i]);
}
