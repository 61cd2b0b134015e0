/* chacha.c - ChaCha20 and its AEAD through OpenSSL. Used by the encrypted transport and MuHash, on any thread. */
#include "crypto/chacha.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "util/assert.h"
#include "util/bytes.h"
#include "util/mem.h"

#define TAG_LEN 16
#define STEP_MAX (1 << 30) /* OpenSSL counts in int */

/* Fetched once: looking a cipher up by name costs as much as encrypting a small message. Constant afterwards. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static const EVP_CIPHER *stream_cipher, *aead_cipher;

static void ciphers_fetch(void)
{
    stream_cipher = EVP_CIPHER_fetch(NULL, "ChaCha20", NULL);
    aead_cipher = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
    ASSERT(stream_cipher && aead_cipher);
}

static void must(int ok)
{
    ASSERT(ok == 1); /* no input makes these fail, only a broken OpenSSL */
}

/* Encrypts or decrypts in steps that fit an int. */
static void update(EVP_CIPHER_CTX *ctx, uint8_t *out, const uint8_t *in, size_t len)
{
    while (len) {
        int n = len < STEP_MAX ? (int)len : STEP_MAX, done;
        must(EVP_CipherUpdate(ctx, out, &done, in, n));
        ASSERT(done == n);
        if (out)
            out += n;
        in += n;
        len -= (size_t)n;
    }
}

static EVP_CIPHER_CTX *ctx_new(void)
{
    EVP_CIPHER_CTX *ctx;

    pthread_once(&once, ciphers_fetch);
    ctx = EVP_CIPHER_CTX_new();
    ASSERT(ctx);
    return ctx;
}

void chacha20_keystream(uint8_t *out, size_t len, const uint8_t key[32], const uint8_t nonce[12], uint32_t counter)
{
    EVP_CIPHER_CTX *ctx = ctx_new();
    uint8_t iv[16];

    put_le32(iv, counter);
    memcpy(iv + 4, nonce, 12);
    must(EVP_EncryptInit_ex(ctx, stream_cipher, NULL, key, iv));
    memset(out, 0, len);
    update(ctx, out, out, len);
    EVP_CIPHER_CTX_free(ctx);
}

struct aead {
    EVP_CIPHER_CTX *ctx;
};

struct aead *aead_new(void)
{
    struct aead *a = xmalloc(sizeof(*a));

    a->ctx = ctx_new();
    must(EVP_CipherInit_ex(a->ctx, aead_cipher, NULL, NULL, NULL, 1));
    return a;
}

void aead_free(struct aead *a)
{
    if (!a)
        return;
    EVP_CIPHER_CTX_free(a->ctx); /* wipes the key */
    free(a);
}

void aead_encrypt(struct aead *a, uint8_t *out, const uint8_t *plain, size_t len, const uint8_t *aad, size_t aad_len,
                  const uint8_t key[32], const uint8_t nonce[12])
{
    int n;

    must(EVP_CipherInit_ex(a->ctx, NULL, NULL, key, nonce, 1));
    update(a->ctx, NULL, aad, aad_len);
    update(a->ctx, out, plain, len);
    must(EVP_EncryptFinal_ex(a->ctx, out + len, &n));
    must(EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, out + len));
}

bool aead_decrypt(struct aead *a, uint8_t *out, const uint8_t *in, size_t len, const uint8_t *aad, size_t aad_len,
                  const uint8_t key[32], const uint8_t nonce[12])
{
    uint8_t tag[TAG_LEN], spare[TAG_LEN];
    bool ok;
    int n;

    memcpy(tag, in + len, TAG_LEN); /* out may be in: the tag is kept aside, and nothing is written behind out */
    must(EVP_CipherInit_ex(a->ctx, NULL, NULL, key, nonce, 0));
    update(a->ctx, NULL, aad, aad_len);
    update(a->ctx, out, in, len);
    must(EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag));
    ok = EVP_DecryptFinal_ex(a->ctx, spare, &n) == 1;
    if (!ok && len)
        memset(out, 0, len);
    return ok;
}

void chacha20poly1305_encrypt(uint8_t *out, const uint8_t *plain, size_t len, const uint8_t *aad, size_t aad_len,
                              const uint8_t key[32], const uint8_t nonce[12])
{
    struct aead *a = aead_new();

    aead_encrypt(a, out, plain, len, aad, aad_len, key, nonce);
    aead_free(a);
}

bool chacha20poly1305_decrypt(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *aad, size_t aad_len,
                              const uint8_t key[32], const uint8_t nonce[12])
{
    struct aead *a = aead_new();
    bool ok = aead_decrypt(a, out, in, len, aad, aad_len, key, nonce);

    aead_free(a);
    return ok;
}
