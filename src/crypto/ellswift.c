/* ellswift.c - XElligatorSwift (BIP324) over OpenSSL's numbers, as Debian's libsecp256k1 comes without that module. A handshake needs one or two of
 * these, so clarity counts more than speed. Pure, any thread. */
#include <openssl/bn.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/bip324.h"
#include "crypto/keys.h"
#include "crypto/sha256.h"
#include "util/assert.h"
#include "util/bytes.h"

/* Field arithmetic: every value is reduced, every result is a number of the context. */
struct field {
    BN_CTX *ctx;
    BIGNUM *p, *root; /* the prime, and the square root of -3 that BIP324 names */
};
typedef const BIGNUM *num;

static void field_open(struct field *f)
{
    f->p = f->root = NULL;
    f->ctx = BN_CTX_new();
    ASSERT(f->ctx && BN_hex2bn(&f->p, "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f") &&
           BN_hex2bn(&f->root, "0a2d2ba93507f1df233770c2a797962cc61f6d15da14ecd47d8d27ae1cd5f852"));
    BN_CTX_start(f->ctx);
}

static void field_close(struct field *f)
{
    BN_CTX_end(f->ctx);
    BN_free(f->p);
    BN_free(f->root);
    BN_CTX_free(f->ctx);
}

static BIGNUM *new_num(struct field *f)
{
    BIGNUM *r = BN_CTX_get(f->ctx);
    ASSERT(r);
    return r;
}

static num add(struct field *f, num a, num b)
{
    BIGNUM *r = new_num(f);
    ASSERT(BN_mod_add(r, a, b, f->p, f->ctx));
    return r;
}
static num sub(struct field *f, num a, num b)
{
    BIGNUM *r = new_num(f);
    ASSERT(BN_mod_sub(r, a, b, f->p, f->ctx));
    return r;
}
static num mul(struct field *f, num a, num b)
{
    BIGNUM *r = new_num(f);
    ASSERT(BN_mod_mul(r, a, b, f->p, f->ctx));
    return r;
}
static num small(struct field *f, unsigned long v)
{
    BIGNUM *r = new_num(f);
    ASSERT(BN_set_word(r, v));
    return r;
}
static num neg(struct field *f, num a)
{
    return sub(f, small(f, 0), a);
}
/* a / b; 0 where b is 0. */
static num quotient(struct field *f, num a, num b)
{
    BIGNUM *r = new_num(f);
    if (BN_is_zero(b))
        return small(f, 0);
    ASSERT(BN_mod_inverse(r, b, f->p, f->ctx));
    return mul(f, a, r);
}
/* a^((p+1)/4) if that is a root of a, else NULL. */
static num root_of(struct field *f, num a)
{
    BIGNUM *e = new_num(f), *r = new_num(f);
    ASSERT(BN_copy(e, f->p) && BN_add_word(e, 1) && BN_rshift(e, e, 2) && BN_mod_exp(r, a, e, f->p, f->ctx));
    return BN_cmp(mul(f, r, r), a) == 0 ? r : NULL;
}
/* u^3 + 7 */
static num curve(struct field *f, num u)
{
    return add(f, mul(f, mul(f, u, u), u), small(f, 7));
}
static bool is_x(struct field *f, num x)
{
    return root_of(f, curve(f, x)) != NULL;
}
static num from_bytes(struct field *f, const uint8_t b[32])
{
    BIGNUM *r = new_num(f);
    ASSERT(BN_bin2bn(b, 32, r) && BN_nnmod(r, r, f->p, f->ctx));
    return r;
}

void ellswift_decode(uint8_t out[32], const uint8_t ell[64])
{
    struct field f;
    num u, t, g, x, y, ratio, two, candidate;

    field_open(&f);
    two = small(&f, 2);
    u = from_bytes(&f, ell);
    t = from_bytes(&f, ell + 32);
    if (BN_is_zero(u))
        u = small(&f, 1);
    if (BN_is_zero(t))
        t = small(&f, 1);
    g = curve(&f, u);
    if (BN_is_zero(add(&f, g, mul(&f, t, t))))
        t = add(&f, t, t);
    x = quotient(&f, sub(&f, g, mul(&f, t, t)), mul(&f, two, t));
    y = quotient(&f, add(&f, x, t), mul(&f, f.root, u));
    ratio = quotient(&f, x, y);
    candidate = add(&f, u, mul(&f, small(&f, 4), mul(&f, y, y)));
    if (!is_x(&f, candidate))
        candidate = quotient(&f, sub(&f, neg(&f, ratio), u), two);
    if (!is_x(&f, candidate))
        candidate = quotient(&f, sub(&f, ratio, u), two);
    ASSERT(is_x(&f, candidate) && BN_bn2binpad(candidate, out, 32) == 32);
    field_close(&f);
}

/* s and v of BIP324's XSwiftECInv. Returns: false if this way has no solution. */
static bool inverse_parts(struct field *f, num *s, num *v, num x, num u, unsigned way)
{
    num uu = mul(f, u, u), g = curve(f, u), r;

    if (!(way & 2)) {
        if (is_x(f, sub(f, neg(f, x), u)))
            return false;
        *v = x;
        *s = neg(f, quotient(f, g, add(f, uu, add(f, mul(f, u, x), mul(f, x, x)))));
        return true;
    }
    *s = sub(f, x, u);
    if (BN_is_zero(*s))
        return false;
    r = root_of(f, neg(f, mul(f, *s, add(f, mul(f, small(f, 4), g), mul(f, small(f, 3), mul(f, *s, uu))))));
    if (!r || ((way & 1) && BN_is_zero(r)))
        return false;
    *v = quotient(f, add(f, neg(f, u), quotient(f, r, *s)), small(f, 2));
    return true;
}

bool ellswift_inverse(uint8_t out[32], const uint8_t x_bytes[32], const uint8_t u_bytes[32], unsigned way)
{
    struct field f;
    num u, x, s, v, w = NULL, half, t;

    field_open(&f);
    u = from_bytes(&f, u_bytes);
    x = from_bytes(&f, x_bytes);
    if (inverse_parts(&f, &s, &v, x, u, way) && (w = root_of(&f, s)) != NULL) {
        half = way & 1 ? add(&f, small(&f, 1), f.root) : sub(&f, small(&f, 1), f.root);
        t = mul(&f, w, add(&f, quotient(&f, mul(&f, u, half), small(&f, 2)), v));
        if ((way & 5) == 0 || (way & 5) == 5)
            t = neg(&f, t);
        ASSERT(BN_bn2binpad(t, out, 32) == 32);
    }
    field_close(&f);
    return w != NULL;
}

bool ellswift_create(uint8_t ell[64], const uint8_t key[32], const uint8_t seed[32])
{
    uint8_t point[33], counter[4], way[32];
    struct sha256 h;

    if (!pubkey_create(point, key, true))
        return false;
    for (uint32_t i = 0;; i++) {
        put_le32(counter, i);
        sha256_init_tagged(&h, "farthing/ellswift_create"); /* any u and way will do that the peer cannot foresee */
        sha256_write(&h, seed, 32);
        sha256_write(&h, counter, sizeof(counter));
        sha256_finish(&h, ell);
        sha256_init(&h);
        sha256_write(&h, ell, 32);
        sha256_write(&h, seed, 32);
        sha256_finish(&h, way);
        if (ellswift_inverse(ell + 32, point + 1, ell, way[0] & 7))
            return true;
    }
}
