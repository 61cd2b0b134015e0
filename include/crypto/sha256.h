/* sha256.h - SHA-256 with kernels picked at run time (SHA-NI, AVX2, portable), and the multi-lane double SHA-256 that
 * Merkle trees, headers and ids need. Pure; any thread (the choice of kernel is made once, at first use). */
#ifndef FARTHING_CRYPTO_SHA256_H
#define FARTHING_CRYPTO_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
    uint32_t state[8];
    uint64_t bytes;
    uint8_t buf[64];
};

void sha256_init(struct sha256 *ctx);
void sha256_write(struct sha256 *ctx, const void *data, size_t len);
/** Out: out (32 bytes). The context must be initialised again before its next use. */
void sha256_finish(struct sha256 *ctx, uint8_t out[32]);
/** SHA256(data). */
void sha256(uint8_t out[32], const void *data, size_t len);
/** SHA256(SHA256(data)): ids, checksums. */
void sha256d(uint8_t out[32], const void *data, size_t len);
/** Finishes a context into the hash of the hash. */
void sha256d_finish(struct sha256 *ctx, uint8_t out[32]);
/** n double hashes of 64-byte inputs that stand back to back (one Merkle level). out: n*32 bytes; may be in place (out == in). */
void sha256d_64(uint8_t *out, const uint8_t *in, size_t n);
/** n double hashes of 80-byte inputs back to back (block headers). out: n*32 bytes. */
void sha256d_80(uint8_t *out, const uint8_t *in, size_t n);
/** A tagged hash context (BIP340): SHA256(SHA256(tag) | SHA256(tag) | ...). */
void sha256_init_tagged(struct sha256 *ctx, const char *tag);
/** The name of the kernel in use ("sha-ni", "avx2", "portable"), for the log. */
const char *sha256_kernel(void);

#endif
