/* hashes.h - the 32-byte ids, distinct as types so that a txid is never taken for a wtxid or a block's hash.
 * Bytes stand in internal order (as serialised); text is reversed. */
#ifndef FARTHING_PRIMITIVES_HASHES_H
#define FARTHING_PRIMITIVES_HASHES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct txid {
    uint8_t b[32];
};
struct wtxid {
    uint8_t b[32];
};
struct block_hash {
    uint8_t b[32];
};
struct hash256 {
    uint8_t b[32];
}; /* a hash of anything else: Merkle root, witness commitment */

static inline bool txid_equal(const struct txid *a, const struct txid *b)
{
    return memcmp(a->b, b->b, 32) == 0;
}
static inline bool wtxid_equal(const struct wtxid *a, const struct wtxid *b)
{
    return memcmp(a->b, b->b, 32) == 0;
}
static inline bool block_hash_equal(const struct block_hash *a, const struct block_hash *b)
{
    return memcmp(a->b, b->b, 32) == 0;
}
static inline bool hash_is_zero(const uint8_t b[32])
{
    static const uint8_t zero[32];
    return memcmp(b, zero, 32) == 0;
}

/* Display form: 64 digits and a NUL, held by value: printf("%s", block_hash_hex(&h).s). */
struct hash_hex {
    char s[65];
};
struct hash_hex hash_to_hex(const uint8_t b[32]);
static inline struct hash_hex txid_hex(const struct txid *h)
{
    return hash_to_hex(h->b);
}
static inline struct hash_hex wtxid_hex(const struct wtxid *h)
{
    return hash_to_hex(h->b);
}
static inline struct hash_hex block_hash_hex(const struct block_hash *h)
{
    return hash_to_hex(h->b);
}
/** For qsort over hashes of any kind: the order of their display forms, which is that of numbers whose last byte counts most. */
int hash_by_number(const void *a, const void *b);
/** Reads the display form (exactly 64 digits). Returns: false if it is not that. */
bool hash_from_hex(uint8_t out[32], const char *text);

#endif
