/* hash.c - the hashes that come from OpenSSL or from combining others, the MACs, and the care for secrets. Pure; any thread. */
#include "crypto/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "crypto/sha256.h"
#include "util/assert.h"

/* Fails only when OpenSSL was built without the hash or memory is out: nothing to go on with. */
static void digest(uint8_t *out, const void *data, size_t len, const EVP_MD *md)
{
    int ok = EVP_Digest(data, len, out, NULL, md, NULL);
    ASSERT(ok == 1);
}

void sha1(uint8_t out[20], const void *data, size_t len)
{
    digest(out, data, len, EVP_sha1());
}

void sha512(uint8_t out[64], const void *data, size_t len)
{
    digest(out, data, len, EVP_sha512());
}

void sha3_256(uint8_t out[32], const void *data, size_t len)
{
    digest(out, data, len, EVP_sha3_256());
}

void hash160(uint8_t out[20], const void *data, size_t len)
{
    uint8_t h[32];

    sha256(h, data, len);
    ripemd160(out, h, sizeof(h));
}

void hmac_sha256(uint8_t out[32], const void *key, size_t key_len, const void *data, size_t len)
{
    uint8_t block[64] = {0};
    struct sha256 ctx;

    if (key_len > sizeof(block))
        sha256(block, key, key_len);
    else if (key_len)
        memcpy(block, key, key_len);
    for (size_t i = 0; i < sizeof(block); i++)
        block[i] ^= 0x36;
    sha256_init(&ctx);
    sha256_write(&ctx, block, sizeof(block));
    sha256_write(&ctx, data, len);
    sha256_finish(&ctx, out);
    for (size_t i = 0; i < sizeof(block); i++)
        block[i] ^= 0x36 ^ 0x5c;
    sha256_init(&ctx);
    sha256_write(&ctx, block, sizeof(block));
    sha256_write(&ctx, out, 32);
    sha256_finish(&ctx, out);
    crypto_wipe(block, sizeof(block));
    crypto_wipe(&ctx, sizeof(ctx));
}

void hmac_sha512(uint8_t out[64], const void *key, size_t key_len, const void *data, size_t len)
{
    unsigned char *done;

    ASSERT(key_len <= 1 << 30);
    done = HMAC(EVP_sha512(), key_len ? key : "", (int)key_len, data, len, out, NULL);
    ASSERT(done);
}

int crypto_memcmp(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len);
}

void crypto_wipe(void *data, size_t len)
{
    OPENSSL_cleanse(data, len);
}
