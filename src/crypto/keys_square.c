/* keys_square.c - whether a number is the x coordinate of a point, by the Jacobi symbol of x^3 + 7: a few times as fast as the square root that
 * parsing a key takes. For what is shown to users only, a hundred thousand times a second; signatures are checked by libsecp256k1. Not constant
 * time. Pure; any thread. */
#include "crypto/keys.h"

#include "util/bytes.h"

#define LIMBS 4
#define FOLD 0x1000003d1ULL /* 2^256 modulo p */

/* Numbers of 256 bits, the lowest limb first. */
static const uint64_t prime[LIMBS] = {0xfffffffefffffc2fULL, UINT64_MAX, UINT64_MAX, UINT64_MAX};

static bool below_prime(const uint64_t a[LIMBS])
{
    return a[3] != UINT64_MAX || a[2] != UINT64_MAX || a[1] != UINT64_MAX || a[0] < prime[0];
}

/* r += v. Returns: the carry. */
static uint64_t add_small(uint64_t r[LIMBS], unsigned __int128 v)
{
    for (unsigned i = 0; i < LIMBS; i++) {
        v += r[i];
        r[i] = (uint64_t)v;
        v >>= 64;
    }
    return (uint64_t)v;
}

/* r = a * b modulo p; not always the least residue, but below 2^256. */
static void multiply(uint64_t r[LIMBS], const uint64_t a[LIMBS], const uint64_t b[LIMBS])
{
    uint64_t t[2 * LIMBS] = {0};
    unsigned __int128 c = 0;

    for (unsigned i = 0; i < LIMBS; i++) {
        uint64_t carry = 0;
        for (unsigned k = 0; k < LIMBS; k++) {
            unsigned __int128 v = (unsigned __int128)a[i] * b[k] + t[i + k] + carry;
            t[i + k] = (uint64_t)v;
            carry = (uint64_t)(v >> 64);
        }
        t[i + LIMBS] = carry;
    }
    for (unsigned i = 0; i < LIMBS; i++) {
        c += (unsigned __int128)t[LIMBS + i] * FOLD + t[i];
        r[i] = (uint64_t)c;
        c >>= 64;
    }
    for (uint64_t top = (uint64_t)c; top;)
        top = add_small(r, (unsigned __int128)top * FOLD);
}

static void shift_right(uint64_t a[LIMBS], unsigned n)
{
    for (unsigned i = 0; i + 1 < LIMBS; i++)
        a[i] = a[i] >> n | a[i + 1] << 1 << (63 - n);
    a[LIMBS - 1] >>= n;
}

static bool is_zero(const uint64_t a[LIMBS])
{
    return (a[0] | a[1] | a[2] | a[3]) == 0;
}

/* With both odd: (a, n) becomes (|a - n|, the smaller). Returns: all ones if they changed places. */
static uint64_t subtract_or_swap(uint64_t a[LIMBS], uint64_t n[LIMBS])
{
    uint64_t d[LIMBS], borrow = 0, swapped, carry;

    for (unsigned i = 0; i < LIMBS; i++) {
        unsigned __int128 v = (unsigned __int128)a[i] - n[i] - borrow;
        d[i] = (uint64_t)v;
        borrow = (uint64_t)(v >> 64) & 1;
    }
    swapped = 0 - borrow;
    carry = borrow;
    for (unsigned i = 0; i < LIMBS; i++) {
        unsigned __int128 v = (unsigned __int128)(d[i] ^ swapped) + carry;
        n[i] ^= (n[i] ^ a[i]) & swapped;
        a[i] = (uint64_t)v;
        carry = (uint64_t)(v >> 64);
    }
    return swapped;
}

/* Is a, below 2^256, a square modulo p (zero is none: no point has y = 0)? a is used up. */
static bool is_square(uint64_t a[LIMBS])
{
    uint64_t n[LIMBS] = {prime[0], prime[1], prime[2], prime[3]}, flips = 0;

    while (!is_zero(a)) {
        uint64_t low;
        if (!a[0]) { /* 2^64 is a square whatever n is */
            a[0] = a[1], a[1] = a[2], a[2] = a[3], a[3] = 0;
            continue;
        }
        unsigned z = (unsigned)__builtin_ctzll(a[0]);
        shift_right(a, z);
        flips ^= z & (n[0] >> 1 ^ n[0] >> 2); /* (2/n) is -1 for n = 3, 5 modulo 8 */
        low = a[0] & n[0] & 2;                /* reciprocity: -1 if both are 3 modulo 4 */
        flips ^= (subtract_or_swap(a, n) & low) >> 1;
    }
    return n[0] == 1 && (n[1] | n[2] | n[3]) == 0 && !(flips & 1);
}

bool xonly_is_on_curve(const uint8_t pubkey_x[32])
{
    uint64_t x[LIMBS], y[LIMBS];

    for (unsigned i = 0; i < LIMBS; i++)
        x[i] = (uint64_t)get_be32(pubkey_x + 24 - 8 * i) << 32 | get_be32(pubkey_x + 28 - 8 * i);
    if (!below_prime(x))
        return false;
    multiply(y, x, x);
    multiply(y, y, x);
    if (add_small(y, 7))
        add_small(y, FOLD);
    return is_square(y);
}
