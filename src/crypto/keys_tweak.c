/* keys_tweak.c - keys made of others: BIP32's steps and BIP327's aggregation. Called by the descriptor side; pure, any thread. */
#include <secp256k1.h>
#include <string.h>

#include "crypto/hash.h"
#include "crypto/keys.h"
#include "crypto/sha256.h"

static bool parse(secp256k1_pubkey *key, const uint8_t in[33])
{
    return secp256k1_ec_pubkey_parse(secp256k1_context_static, key, in, 33);
}

static bool serialize(uint8_t out[33], const secp256k1_pubkey *key)
{
    size_t len = 33;

    return secp256k1_ec_pubkey_serialize(secp256k1_context_static, out, &len, key, SECP256K1_EC_COMPRESSED);
}

bool seckey_tweak_add(uint8_t key[32], const uint8_t tweak[32])
{
    return secp256k1_ec_seckey_tweak_add(secp256k1_context_static, key, tweak);
}

bool pubkey_tweak_add(uint8_t out[33], const uint8_t in[33], const uint8_t tweak[32])
{
    secp256k1_pubkey key;

    return parse(&key, in) && secp256k1_ec_pubkey_tweak_add(secp256k1_context_static, &key, tweak) && serialize(out, &key);
}

/* The first key that differs from the first one: its coefficient is 1. */
static const uint8_t *second_key(const uint8_t (*keys)[33], size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (memcmp(keys[i], keys[0], 33) != 0)
            return keys[i];
    }
    return NULL;
}

static void coefficient(uint8_t out[32], const uint8_t list_hash[32], const uint8_t key[33])
{
    struct sha256 ctx;

    sha256_init_tagged(&ctx, "KeyAgg coefficient");
    sha256_write(&ctx, list_hash, 32);
    sha256_write(&ctx, key, 33);
    sha256_finish(&ctx, out);
}

bool pubkey_aggregate(uint8_t out[33], const uint8_t (*keys)[33], size_t n)
{
    const uint8_t *second = second_key(keys, n);
    secp256k1_pubkey sum, key, before;
    uint8_t list_hash[32], factor[32];
    struct sha256 ctx;

    sha256_init_tagged(&ctx, "KeyAgg list");
    sha256_write(&ctx, keys, 33 * n);
    sha256_finish(&ctx, list_hash);
    for (size_t i = 0; i < n; i++) {
        const secp256k1_pubkey *parts[2] = {&before, &key};
        if (!parse(&key, keys[i]))
            return false;
        if (!second || memcmp(keys[i], second, 33) != 0) {
            coefficient(factor, list_hash, keys[i]);
            if (!secp256k1_ec_pubkey_tweak_mul(secp256k1_context_static, &key, factor))
                return false;
        }
        if (i > 0 && !secp256k1_ec_pubkey_combine(secp256k1_context_static, &sum, parts, 2))
            return false; /* keys that cancel each other out on the way are a hash collision away */
        if (i == 0)
            sum = key;
        before = sum;
    }
    return serialize(out, &sum);
}
