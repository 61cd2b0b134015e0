/* chacha.h - ChaCha20 and ChaCha20-Poly1305 (RFC 8439), through OpenSSL. Pure; any thread. */
#ifndef FARTHING_CRYPTO_CHACHA_H
#define FARTHING_CRYPTO_CHACHA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The keystream from block `counter` on. Out: out (len bytes). */
void chacha20_keystream(uint8_t *out, size_t len, const uint8_t key[32], const uint8_t nonce[12], uint32_t counter);
/** Out: out (len + 16 bytes: ciphertext and tag). */
void chacha20poly1305_encrypt(uint8_t *out, const uint8_t *plain, size_t len, const uint8_t *aad, size_t aad_len,
                              const uint8_t key[32], const uint8_t nonce[12]);
/** in: len + 16 bytes. Out: out (len bytes). Returns: false (out zeroed) if the tag does not match. */
bool chacha20poly1305_decrypt(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *aad, size_t aad_len,
                              const uint8_t key[32], const uint8_t nonce[12]);

/* The same for many small texts: OpenSSL's state is made once. One thread at a time. */
struct aead;
struct aead *aead_new(void);
/** NULL is allowed. */
void aead_free(struct aead *a);
/** As chacha20poly1305_encrypt and _decrypt; any key each time; out may be plain, or in. */
void aead_encrypt(struct aead *a, uint8_t *out, const uint8_t *plain, size_t len, const uint8_t *aad, size_t aad_len,
                  const uint8_t key[32], const uint8_t nonce[12]);
bool aead_decrypt(struct aead *a, uint8_t *out, const uint8_t *in, size_t len, const uint8_t *aad, size_t aad_len,
                  const uint8_t key[32], const uint8_t nonce[12]);

#endif
