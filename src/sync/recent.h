/* recent.h - a bounded memory of hashes that were seen lately: two generations, the older one is dropped when the younger is full. Keeps
 * salted digests: of 64 bits, so that "seen" is wrong once in 2^40 or so, or, where there are many of them and a mistake is cheap, of 32 bits;
 * never by an attacker's choice. One thread at a time. */
#ifndef FARTHING_SYNC_RECENT_H
#define FARTHING_SYNC_RECENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct recent {
    uint64_t k0, k1;
    size_t limit; /* hashes in a generation */
    size_t n[2], cap[2];
    void *slots[2]; /* [0] the younger; open addressing, 0 is free: uint64_t, or uint32_t if small */
    bool small;
};

/** limit: how many are certain to be remembered. */
void recent_init(struct recent *r, size_t limit);
/** The same with digests of 32 bits: of those that were not seen, one in 2^32 / (2 * limit) passes for seen. */
void recent_init_small(struct recent *r, size_t limit);
/** Bytes that it takes now. */
size_t recent_memory(const struct recent *r);
void recent_clear(struct recent *r);
/** Forgets everything, stays usable. */
void recent_reset(struct recent *r);
void recent_add(struct recent *r, const uint8_t hash[32]);
bool recent_has(const struct recent *r, const uint8_t hash[32]);
/** The same for any bytes. */
void recent_add_bytes(struct recent *r, const void *data, size_t len);
bool recent_has_bytes(const struct recent *r, const void *data, size_t len);

#endif
