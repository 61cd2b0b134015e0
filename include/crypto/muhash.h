/* muhash.h - MuHash3072: a hash of a set, to which elements are added and removed in any order (gettxoutsetinfo muhash).
 * Source: Bitcoin Core's MuHash3072: product modulo 2^3072-1103717 of ChaCha20 expansions of SHA256(element). */
#ifndef FARTHING_CRYPTO_MUHASH_H
#define FARTHING_CRYPTO_MUHASH_H

#include <stddef.h>
#include <stdint.h>

struct muhash {
    uint64_t num[48]; /* product of what was added, little-endian limbs */
    uint64_t den[48]; /* product of what was removed */
};
void muhash_init(struct muhash *m);
void muhash_insert(struct muhash *m, const void *data, size_t len);
void muhash_remove(struct muhash *m, const void *data, size_t len);
/** m becomes the union of both (products multiplied). */
void muhash_combine(struct muhash *m, const struct muhash *other);
/** Out: SHA256 of the 384-byte little-endian quotient. m is unchanged. */
void muhash_finish(const struct muhash *m, uint8_t out[32]);

#endif
