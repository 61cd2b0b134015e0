/* work.h - a template made ready for those who search nonces: its Merkle branch, coinbases with room for an extra nonce, and the block that comes
 * of it. Immutable once made, reference counted; any thread. Used by the CPU miner and the stratum server. */
#ifndef FARTHING_MINING_WORK_H
#define FARTHING_MINING_WORK_H

#include "mining/mining.h"

struct sha256_scan;

#define MINING_EXTRA_MAX 16 /* bytes of extra nonce */

struct mining_work {
    atomic_uint refs;
    struct block_template *t;
    struct hash256 *branch; /* what the coinbase's id is hashed with, from the bottom up */
    size_t n_branch;
};

/** Validation thread, or where else nobody changes t. Returns: one reference. */
struct mining_work *mining_work_new(struct block_template *t_take);
struct mining_work *mining_work_ref(struct mining_work *w);
void mining_work_unref(struct mining_work *w);
/** The coinbase without witness, in two parts with room for `extra` bytes (at most MINING_EXTRA_MAX) of extra nonce between them; it pays everything to
 *  script. Out: head, tail: appended to. */
void mining_work_coinbase(struct writer *head, struct writer *tail, const struct mining_work *w, const uint8_t *script, size_t len,
                          size_t extra);
/** The Merkle root over a coinbase's id and the template's transactions. */
struct hash256 mining_work_root(const struct mining_work *w, const uint8_t coinbase_id[32]);
/** The block of a solved header and its coinbase without witness, whole. Returns: one reference; NULL if these make no block. */
struct block *mining_work_block(const struct mining_work *w, const uint8_t header[80], const uint8_t *coinbase, size_t len);
/** Sets the time (never below the least) and the bits that go with it on networks where these depend on it. Returns: did the header change? */
bool mining_work_set_time(uint8_t header[80], const struct mining_work *w, const struct chain_params *p, int64_t now);

/** Tries n nonces from first on. s: of header. Returns: the offset of the first one that meets the target, put into header; n if none does. */
uint32_t mining_scan(uint8_t header[80], const struct sha256_scan *s, struct u256 target, uint32_t first, uint32_t n);
/** Is there a point in mining? Not while blocks are known that are yet to come, nor, on the main network, before the tip is recent. */
bool mining_ready(struct chain *c);

#endif
