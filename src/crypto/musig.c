/* musig.c - BIP327: partial signatures to one. Called when a PSBT is finalised; pure, any thread. Nothing here is secret. */
#include <secp256k1.h>
#include <string.h>

#include "crypto/keys.h"
#include "crypto/sha256.h"

#define CTX secp256k1_context_static

static const uint8_t zero[33] = {0};

/* A scalar that may be zero, which the library has none of. */
static bool scalar_add(uint8_t out[32], const uint8_t in[32])
{
    if (memcmp(in, zero, 32) == 0)
        return true;
    if (memcmp(out, zero, 32) != 0)
        return secp256k1_ec_seckey_tweak_add(CTX, out, in);
    memcpy(out, in, 32);
    return secp256k1_ec_seckey_verify(CTX, out);
}

static bool serialize(uint8_t out[33], const secp256k1_pubkey *key)
{
    size_t len = 33;

    return secp256k1_ec_pubkey_serialize(CTX, out, &len, key, SECP256K1_EC_COMPRESSED);
}

/* Sum of points, all zeroes being infinity. Returns: false if one is no point. */
static bool point_add(uint8_t sum[33], const uint8_t point[33])
{
    secp256k1_pubkey a, b, c;
    const secp256k1_pubkey *both[2] = {&a, &b};

    if (memcmp(point, zero, 33) == 0)
        return true;
    if (!secp256k1_ec_pubkey_parse(CTX, &b, point, 33))
        return false;
    if (memcmp(sum, zero, 33) == 0) {
        memcpy(sum, point, 33);
        return true;
    }
    if (!secp256k1_ec_pubkey_parse(CTX, &a, sum, 33))
        return false;
    if (secp256k1_ec_pubkey_combine(CTX, &c, both, 2))
        return serialize(sum, &c);
    memset(sum, 0, 33); /* they cancel each other out */
    return true;
}

static bool sum_nonces(uint8_t out[66], const uint8_t (*nonces)[66], size_t n)
{
    memset(out, 0, 66);
    for (size_t i = 0; i < n; i++) {
        if (!pubkey_is_valid(nonces[i], 33) || !pubkey_is_valid(nonces[i] + 33, 33) || !point_add(out, nonces[i]) ||
            !point_add(out + 33, nonces[i] + 33))
            return false;
    }
    return true;
}

/* The key with its tweaks, and what the tweaks add to a signature: sum is added up with the sign that the key has at each. */
static bool apply_tweaks(uint8_t key[33], uint8_t sum[32], const struct musig_tweak *tweaks, size_t n)
{
    memset(sum, 0, 32);
    for (size_t i = 0; i < n; i++) {
        if (tweaks[i].x_only && key[0] == 3) {
            key[0] = 2;
            if (memcmp(sum, zero, 32) != 0 && !secp256k1_ec_seckey_negate(CTX, sum))
                return false;
        }
        if (!pubkey_tweak_add(key, key, tweaks[i].tweak) || !scalar_add(sum, tweaks[i].tweak))
            return false;
    }
    return true;
}

/* R of the session: the first sum of nonces and b times the second one; the generator if that is nothing. */
static bool final_nonce(uint8_t out[33], const uint8_t nonce[66], const uint8_t key_x[32], const uint8_t msg[32])
{
    static const uint8_t one[32] = {[31] = 1};
    uint8_t second[33], b[32];
    secp256k1_pubkey point;
    struct sha256 ctx;

    sha256_init_tagged(&ctx, "MuSig/noncecoef");
    sha256_write(&ctx, nonce, 66);
    sha256_write(&ctx, key_x, 32);
    sha256_write(&ctx, msg, 32);
    sha256_finish(&ctx, b);
    memcpy(out, nonce, 33);
    if (memcmp(nonce + 33, zero, 33) != 0) {
        if (!secp256k1_ec_pubkey_parse(CTX, &point, nonce + 33, 33) || !secp256k1_ec_pubkey_tweak_mul(CTX, &point, b) ||
            !serialize(second, &point) || !point_add(out, second))
            return false;
    }
    return memcmp(out, zero, 33) != 0 || pubkey_create(out, one, true);
}

bool musig_aggregate(uint8_t sig[64], const uint8_t (*keys)[33], const uint8_t (*nonces)[66], const uint8_t (*partial)[32],
                     size_t n, const struct musig_tweak *tweaks, size_t n_tweaks, const uint8_t msg[32])
{
    uint8_t key[33], nonce[66], r[33], e[32], sum[32], s[32] = {0};
    struct sha256 ctx;

    if (!pubkey_aggregate(key, keys, n) || !apply_tweaks(key, sum, tweaks, n_tweaks) || !sum_nonces(nonce, nonces, n) ||
        !final_nonce(r, nonce, key + 1, msg))
        return false;
    sha256_init_tagged(&ctx, "BIP0340/challenge");
    sha256_write(&ctx, r + 1, 32);
    sha256_write(&ctx, key + 1, 32);
    sha256_write(&ctx, msg, 32);
    sha256_finish(&ctx, e);
    for (size_t i = 0; i < n; i++) {
        if (!scalar_add(s, partial[i]))
            return false;
    }
    if (memcmp(sum, zero, 32) != 0) {
        if ((key[0] == 3 && !secp256k1_ec_seckey_negate(CTX, sum)) || !secp256k1_ec_seckey_tweak_mul(CTX, sum, e) ||
            !scalar_add(s, sum))
            return false;
    }
    memcpy(sig, r + 1, 32);
    memcpy(sig + 32, s, 32);
    return schnorr_verify(sig, msg, 32, key + 1);
}
