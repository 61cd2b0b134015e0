/* target.c - 256-bit arithmetic for targets and chain work, and the compact form of targets. Exact to the bit where consensus
 * depends on it (SetCompact, GetCompact, GetBlockProof of Bitcoin Core). Pure, any thread. */
#include "primitives/target.h"

#include <stddef.h>

#include "util/assert.h"
#include "util/bytes.h"
#include "util/hex.h"

__extension__ typedef unsigned __int128 u128;

struct u256 u256_from_u64(uint64_t v)
{
    struct u256 r = {{v, 0, 0, 0}};
    return r;
}

struct u256 u256_from_le(const uint8_t b[32])
{
    struct u256 r;
    for (unsigned i = 0; i < 4; i++)
        r.w[i] = get_le64(b + 8 * i);
    return r;
}

void u256_to_le(uint8_t b[32], struct u256 v)
{
    for (unsigned i = 0; i < 4; i++)
        put_le64(b + 8 * i, v.w[i]);
}

bool u256_from_hex(struct u256 *out, const char *text)
{
    uint8_t le[32];
    if (!hex_decode_reversed(le, sizeof(le), text))
        return false;
    *out = u256_from_le(le);
    return true;
}

struct hash_hex u256_hex(struct u256 v)
{
    uint8_t le[32];
    u256_to_le(le, v);
    return hash_to_hex(le);
}

int u256_cmp(struct u256 a, struct u256 b)
{
    for (int i = 3; i >= 0; i--) {
        if (a.w[i] != b.w[i])
            return a.w[i] < b.w[i] ? -1 : 1;
    }
    return 0;
}

bool u256_is_zero(struct u256 a)
{
    return (a.w[0] | a.w[1] | a.w[2] | a.w[3]) == 0;
}

struct u256 u256_add(struct u256 a, struct u256 b)
{
    u128 sum = 0;
    for (unsigned i = 0; i < 4; i++) {
        sum += (u128)a.w[i] + b.w[i];
        a.w[i] = (uint64_t)sum;
        sum >>= 64;
    }
    return a;
}

struct u256 u256_not(struct u256 a)
{
    for (unsigned i = 0; i < 4; i++)
        a.w[i] = ~a.w[i];
    return a;
}

struct u256 u256_sub(struct u256 a, struct u256 b)
{
    uint64_t borrow = 0;
    for (unsigned i = 0; i < 4; i++) {
        u128 diff = (u128)a.w[i] - b.w[i] - borrow;
        a.w[i] = (uint64_t)diff;
        borrow = (uint64_t)(diff >> 64) & 1;
    }
    return a;
}

struct u256 u256_mul_u64(struct u256 a, uint64_t b)
{
    u128 product = 0;
    for (unsigned i = 0; i < 4; i++) {
        product += (u128)a.w[i] * b;
        a.w[i] = (uint64_t)product;
        product >>= 64;
    }
    return a;
}

struct u256 u256_shl(struct u256 a, unsigned n)
{
    struct u256 r = {{0, 0, 0, 0}};
    unsigned words = n / 64, bits = n % 64;

    for (unsigned i = words; i < 4; i++) {
        r.w[i] = a.w[i - words] << bits;
        if (bits && i > words)
            r.w[i] |= a.w[i - words - 1] >> (64 - bits);
    }
    return r;
}

struct u256 u256_shr(struct u256 a, unsigned n)
{
    struct u256 r = {{0, 0, 0, 0}};
    unsigned words = n / 64, bits = n % 64;

    for (unsigned i = 0; i + words < 4; i++) {
        r.w[i] = a.w[i + words] >> bits;
        if (bits && i + words < 3)
            r.w[i] |= a.w[i + words + 1] << (64 - bits);
    }
    return r;
}

unsigned u256_bits(struct u256 a)
{
    for (unsigned i = 4; i > 0; i--) {
        if (a.w[i - 1])
            return 64 * i - (unsigned)__builtin_clzll(a.w[i - 1]);
    }
    return 0;
}

/* Little-endian 32-bit digits of v into d[8]. */
static void to_digits(uint32_t d[8], struct u256 v)
{
    for (unsigned i = 0; i < 8; i++)
        d[i] = (uint32_t)(v.w[i / 2] >> 32 * (i % 2));
}

/* num[0..n] -= q * den[0..n-1]; returns q, one less where it was too large by one. */
static uint32_t subtract_multiple(uint32_t *num, const uint32_t *den, unsigned n, uint64_t q)
{
    uint64_t carry = 0, borrow = 0;

    for (unsigned i = 0; i < n; i++) {
        carry += q * den[i];
        uint64_t diff = (uint64_t)num[i] - (uint32_t)carry - borrow;
        num[i] = (uint32_t)diff;
        borrow = diff >> 63;
        carry >>= 32;
    }
    uint64_t top = (uint64_t)num[n] - carry - borrow;
    num[n] = (uint32_t)top;
    if (!(top >> 63))
        return (uint32_t)q;
    carry = 0;
    for (unsigned i = 0; i < n; i++) {
        carry += (uint64_t)num[i] + den[i];
        num[i] = (uint32_t)carry;
        carry >>= 32;
    }
    num[n] += (uint32_t)carry;
    return (uint32_t)q - 1;
}

/* Schoolbook division with 32-bit digits: the divisor is shifted until its top bit is set, so that an estimate from the top
 * digits is at most two too large, and at most one after the correction with the second digit. */
struct u256 u256_div(struct u256 a, struct u256 b)
{
    struct u256 quotient = {{0, 0, 0, 0}};
    uint32_t num[9], den[8];

    ASSERT(!u256_is_zero(b));
    if (u256_cmp(a, b) < 0)
        return quotient;
    unsigned n = (u256_bits(b) + 31) / 32;
    unsigned shift = 32 * n - u256_bits(b);
    to_digits(num, u256_shl(a, shift));
    num[8] = shift ? (uint32_t)(a.w[3] >> (64 - shift)) : 0;
    to_digits(den, u256_shl(b, shift));
    for (unsigned j = 8 - n + 1; j-- > 0;) {
        uint64_t top = (uint64_t)num[j + n] << 32 | num[j + n - 1];
        uint64_t q = top / den[n - 1], rest = top % den[n - 1];
        while (rest <= UINT32_MAX && (q > UINT32_MAX || (n > 1 && q * den[n - 2] > (rest << 32 | num[j + n - 2])))) {
            q--;
            rest += den[n - 1];
        }
        quotient.w[j / 2] |= (uint64_t)subtract_multiple(num + j, den, n, q) << 32 * (j % 2);
    }
    return quotient;
}

double u256_to_double(struct u256 a)
{
    /* Adds up from below in 32-bit steps, as Core does: the rounding shows in RPC results. */
    double sum = 0, factor = 1;
    uint32_t d[8];

    to_digits(d, a);
    for (unsigned i = 0; i < 8; i++) {
        sum += factor * d[i];
        factor *= 4294967296.0;
    }
    return sum;
}

struct u256 target_from_bits(uint32_t bits, bool *negative, bool *overflow)
{
    unsigned size = bits >> 24; /* bytes of the number, of which the mantissa is the top three */
    uint32_t mantissa = bits & 0x7fffff;
    struct u256 target;

    if (size <= 3) {
        mantissa >>= 8 * (3 - size);
        target = u256_from_u64(mantissa);
    } else {
        target = u256_shl(u256_from_u64(mantissa), 8 * (size - 3));
    }
    /* Core looks at what is left of the mantissa after the shift. */
    if (negative)
        *negative = mantissa != 0 && (bits & 0x800000) != 0;
    if (overflow)
        *overflow = mantissa != 0 && (size > 34 || (mantissa > 0xff && size > 33) || (mantissa > 0xffff && size > 32));
    return target;
}

uint32_t target_to_bits(struct u256 target)
{
    uint32_t size = (u256_bits(target) + 7) / 8;
    uint32_t mantissa = size <= 3 ? (uint32_t)target.w[0] << 8 * (3 - size) : (uint32_t)u256_shr(target, 8 * (size - 3)).w[0];

    /* The mantissa's top bit means a negative number: move it out of the way. */
    if (mantissa & 0x800000) {
        mantissa >>= 8;
        size++;
    }
    return size << 24 | mantissa;
}

struct u256 work_from_bits(uint32_t bits)
{
    bool negative, overflow;
    struct u256 target = target_from_bits(bits, &negative, &overflow);
    struct u256 one = u256_from_u64(1);

    if (negative || overflow || u256_is_zero(target))
        return u256_from_u64(0);
    /* 2^256 / (t+1) does not fit its numerator: it is (2^256 - (t+1)) / (t+1) + 1, and 2^256 - (t+1) is ~t. */
    return u256_add(u256_div(u256_not(target), u256_add(target, one)), one);
}

double difficulty_from_bits(uint32_t bits)
{
    double difficulty = (double)0xffff / (double)(bits & 0xffffff);

    for (unsigned size = bits >> 24; size < 29; size++)
        difficulty *= 256;
    for (unsigned size = bits >> 24; size > 29; size--)
        difficulty /= 256;
    return difficulty;
}
