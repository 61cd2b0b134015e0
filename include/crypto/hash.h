/* hash.h - the other hashes and MACs. Pure; any thread. */
#ifndef FARTHING_CRYPTO_HASH_H
#define FARTHING_CRYPTO_HASH_H

#include <stddef.h>
#include <stdint.h>

void sha1(uint8_t out[20], const void *data, size_t len);
void ripemd160(uint8_t out[20], const void *data, size_t len);
/** RIPEMD160(SHA256(data)). */
void hash160(uint8_t out[20], const void *data, size_t len);
void sha512(uint8_t out[64], const void *data, size_t len);
void sha3_256(uint8_t out[32], const void *data, size_t len);
void hmac_sha256(uint8_t out[32], const void *key, size_t key_len, const void *data, size_t len);
void hmac_sha512(uint8_t out[64], const void *key, size_t key_len, const void *data, size_t len);
/** SipHash-2-4 of bytes. */
uint64_t siphash(uint64_t k0, uint64_t k1, const void *data, size_t len);
/** SipHash-2-4 of a 32-byte hash, and of a hash followed by a 32-bit number (outpoints). */
uint64_t siphash_hash(uint64_t k0, uint64_t k1, const uint8_t hash[32]);
uint64_t siphash_hash_u32(uint64_t k0, uint64_t k1, const uint8_t hash[32], uint32_t extra);
/** A weaker, faster relative for tables: SipHash-1-3 of a 32-byte hash taken in as one block, without padding. Source: Bitcoin Core's
 *  SipHasher13UJ, with which the transaction index names transactions. */
uint64_t siphash13_jumbo(uint64_t k0, uint64_t k1, const uint8_t hash[32]);
/** MurmurHash3 (32 bit), as BIP37 uses it. */
uint32_t murmur3(uint32_t seed, const void *data, size_t len);

/** Compares secrets in constant time. Returns: 0 if equal. */
int crypto_memcmp(const void *a, const void *b, size_t len);
/** Overwrites a secret so that the compiler keeps it. */
void crypto_wipe(void *data, size_t len);

#endif
