/* muhash.c - MuHash3072: numbers of 48 limbs modulo 2^3072 - 1103717, and the hash made of them.
 *
 * Called by coin statistics for every coin made or spent. Removal multiplies a denominator, so that the one costly step, the
 * inverse, is taken once at the end. Numbers are kept below 2^3072 and made canonical when they are shown. */
#include "crypto/muhash.h"

#include <openssl/bn.h>
#include <stdbool.h>
#include <string.h>

#include "crypto/chacha.h"
#include "crypto/sha256.h"
#include "util/assert.h"
#include "util/bytes.h"

#define LIMBS 48
#define BYTES (LIMBS * 8)
#define PRIME_DIFF 1103717u /* 2^3072 minus the modulus */

typedef unsigned __int128 u128;

/* r += v, folding what runs over 2^3072 back in. */
static void add_small(uint64_t r[LIMBS], uint64_t v)
{
    while (v) {
        uint64_t carry = v;
        for (int i = 0; i < LIMBS && carry; i++)
            carry = __builtin_add_overflow(r[i], carry, &r[i]);
        v = carry ? PRIME_DIFF : 0;
    }
}

/* r = the 96-limb product t, reduced below 2^3072: the upper half counts PRIME_DIFF times. */
static void fold(uint64_t r[LIMBS], const uint64_t t[2 * LIMBS])
{
    uint64_t carry = 0;

    for (int i = 0; i < LIMBS; i++) {
        u128 v = (u128)t[LIMBS + i] * PRIME_DIFF + t[i] + carry;
        r[i] = (uint64_t)v;
        carry = (uint64_t)(v >> 64);
    }
    add_small(r, carry * PRIME_DIFF); /* carry has 21 bits at most */
}

#define BLOCK 8

/* t += a * b for blocks of BLOCK limbs; t reaches on far enough for the carry. Column by column, with low and high words summed
 * apart: fully unrolled that is one multiplication and two additions with carry for each product. Inlined, gcc runs out of registers over it. */
static __attribute__((noinline)) void mul_block(uint64_t *t, const uint64_t a[BLOCK], const uint64_t b[BLOCK])
{
    u128 acc = 0;
    uint64_t carry;

#define PRODUCT(i)                                                                                                                 \
    if ((i) <= k && k - (i) < BLOCK) {                                                                                             \
        u128 p = (u128)a[i] * b[(k - (i)) & (BLOCK - 1)];                                                                          \
        low += (uint64_t)p;                                                                                                        \
        high += p >> 64;                                                                                                           \
    }
#define COLUMN(n)                                                                                                                  \
    do {                                                                                                                           \
        const int k = (n);                                                                                                         \
        u128 low = (u128)(uint64_t)acc + t[k], high = acc >> 64;                                                                   \
        PRODUCT(0) PRODUCT(1) PRODUCT(2) PRODUCT(3) PRODUCT(4) PRODUCT(5) PRODUCT(6) PRODUCT(7) t[k] = (uint64_t)low;              \
        acc = high + (low >> 64);                                                                                                  \
    } while (0)
    /* clang-format off */
    COLUMN(0); COLUMN(1); COLUMN(2); COLUMN(3); COLUMN(4); COLUMN(5); COLUMN(6); COLUMN(7);
    COLUMN(8); COLUMN(9); COLUMN(10); COLUMN(11); COLUMN(12); COLUMN(13); COLUMN(14);
    /* clang-format on */
    acc += t[2 * BLOCK - 1];
    t[2 * BLOCK - 1] = (uint64_t)acc;
    carry = (uint64_t)(acc >> 64);
    for (t += 2 * BLOCK; carry; t++)
        carry = __builtin_add_overflow(*t, carry, t);
}

/* r = a * b; r may be a or b. */
static void mul(uint64_t r[LIMBS], const uint64_t a[LIMBS], const uint64_t b[LIMBS])
{
    uint64_t t[2 * LIMBS] = {0};

    for (int i = 0; i < LIMBS; i += BLOCK)
        for (int j = 0; j < LIMBS; j += BLOCK)
            mul_block(t + i + j, a + i, b + j);
    fold(r, t);
}

/* The canonical number below the modulus, as bytes. */
static void put_canonical(uint8_t out[BYTES], const uint64_t a[LIMBS])
{
    uint64_t r[LIMBS], carry = PRIME_DIFF;

    /* a is at least the modulus exactly if adding PRIME_DIFF runs over 2^3072, and what is left then is the difference. */
    for (int i = 0; i < LIMBS; i++)
        carry = __builtin_add_overflow(a[i], carry, &r[i]);
    if (!carry)
        memcpy(r, a, sizeof(r));
    for (int i = 0; i < LIMBS; i++)
        put_le64(out + 8 * i, r[i]);
}

static void get_limbs(uint64_t r[LIMBS], const uint8_t in[BYTES])
{
    for (int i = 0; i < LIMBS; i++)
        r[i] = get_le64(in + 8 * i);
}

/* r = 1 / a; 0 for 0, as a product that holds a multiple of the modulus has none. */
static void invert(uint64_t r[LIMBS], const uint64_t a[LIMBS])
{
    BIGNUM *num = BN_new(), *modulus = BN_new();
    BN_CTX *ctx = BN_CTX_new();
    uint8_t bytes[BYTES];
    bool ok;

    put_canonical(bytes, a);
    ok = num && modulus && ctx && BN_lebin2bn(bytes, BYTES, num) && BN_set_bit(modulus, LIMBS * 64) &&
         BN_sub_word(modulus, PRIME_DIFF) && (BN_is_zero(num) || BN_mod_inverse(num, num, modulus, ctx)) &&
         BN_bn2lebinpad(num, bytes, BYTES) == BYTES;
    ASSERT(ok);
    get_limbs(r, bytes);
    BN_CTX_free(ctx);
    BN_free(modulus);
    BN_free(num);
}

/* The number that stands for an element. */
static void element(uint64_t r[LIMBS], const void *data, size_t len)
{
    static const uint8_t nonce[12];
    uint8_t key[32], stream[BYTES];

    sha256(key, data, len);
    chacha20_keystream(stream, sizeof(stream), key, nonce, 0);
    get_limbs(r, stream);
}

void muhash_init(struct muhash *m)
{
    memset(m, 0, sizeof(*m));
    m->num[0] = m->den[0] = 1;
}

void muhash_insert(struct muhash *m, const void *data, size_t len)
{
    uint64_t e[LIMBS];

    element(e, data, len);
    mul(m->num, m->num, e);
}

void muhash_remove(struct muhash *m, const void *data, size_t len)
{
    uint64_t e[LIMBS];

    element(e, data, len);
    mul(m->den, m->den, e);
}

void muhash_combine(struct muhash *m, const struct muhash *other)
{
    mul(m->num, m->num, other->num);
    mul(m->den, m->den, other->den);
}

void muhash_finish(const struct muhash *m, uint8_t out[32])
{
    uint64_t r[LIMBS];
    uint8_t bytes[BYTES];

    invert(r, m->den);
    mul(r, r, m->num);
    put_canonical(bytes, r);
    sha256(out, bytes, sizeof(bytes));
}
