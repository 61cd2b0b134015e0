/* cache.h - bounded, salted memories of work done: signatures that verified, and transactions whose scripts all passed under given
 * flags (Core's signature and script-execution caches). Any thread; internally locked in stripes. */
#ifndef FARTHING_SCRIPT_CACHE_H
#define FARTHING_SCRIPT_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "primitives/hashes.h"

struct sig_cache;
/** max_bytes: bound of the table, which begins small and doubles. */
struct sig_cache *sig_cache_new(size_t max_bytes);
void sig_cache_free(struct sig_cache *c);
/** A salted key over everything that decides a signature's validity. kind: 'E' ECDSA, 'S' Schnorr. Out: key (32). */
void sig_cache_key(uint8_t key[32], const struct sig_cache *c, char kind, const uint8_t hash[32], const uint8_t *pubkey,
                   size_t pubkey_len, const uint8_t *sig, size_t sig_len);
/** The key of a whole transaction under flags. */
void sig_cache_tx_key(uint8_t key[32], const struct sig_cache *c, const struct wtxid *wtxid, uint32_t flags);
/** Is it there? erase: it will not be asked again (block connection); it may be overwritten first. */
bool sig_cache_has(struct sig_cache *c, const uint8_t key[32], bool erase);
void sig_cache_add(struct sig_cache *c, const uint8_t key[32]);

#endif
