/* mining.h - block templates and a CPU miner for test networks. Validation thread, except mining_solve (any thread). */
#ifndef FARTHING_MINING_MINING_H
#define FARTHING_MINING_MINING_H

#include <stdatomic.h>

#include "chain/chain.h"
#include "mempool/mempool.h"

/* A template's transaction besides the coinbase. */
struct template_tx {
    struct tx *tx; /* one reference */
    int64_t fee;
    int64_t sigop_cost;
};
struct block_template {
    const struct block_entry *prev;
    int32_t height, version;
    uint32_t bits, time; /* time: as chosen for the template */
    int64_t min_time;    /* median time past of prev + 1 (and BIP94's rule) */
    struct template_tx *txs;
    size_t n_txs;
    int64_t fees, coinbase_value;
    int64_t weight, sigop_cost; /* what is reserved for header and coinbase included */
    bool segwit_active;         /* the coinbase has a witness */
    uint8_t *commitment;        /* scriptPubKey of the witness commitment output, there even before segwit is active (as in Core) */
    size_t commitment_len;
};
struct mining_options {
    int64_t max_weight;      /* -blockmaxweight: 4000000 */
    int64_t reserved_weight; /* -blockreservedweight: 8000 */
    int64_t min_fee_rate;    /* -blockmintxfee: 1 sat/kvB */
    int32_t version;         /* -blockversion on regtest; 0: computed */
};
/** Picks transactions for a block on the present tip (mempool may be NULL: empty block). */
struct block_template *mining_template(struct chain *c, struct mempool *m, const struct mining_options *o);
/** A template with exactly these transactions (generateblock), in that order; their fees count as 0: the coinbase takes the subsidy
 *  alone, as Core's does. txs: tx_ref'ed by the template. */
struct block_template *mining_template_of(struct chain *c, struct tx *const *txs, size_t n, const struct mining_options *o);
void block_template_free(struct block_template *t);
/** Moves the time on to now (never back), and the bits with it where they depend on time (testnets). */
void block_template_update_time(struct block_template *t, const struct chain_params *p);
/** Earliest time of a block after prev: median time past + 1, and not more than 600 s before prev at the first block of a period (BIP94,
 *  kept on all networks as Core does). */
int64_t mining_min_time(const struct chain_params *p, const struct header_node *prev);
/** The coinbase's scriptSig: height (BIP34), OP_0 up to height 16 so that it is long enough, the extra nonce if not 0. */
void mining_coinbase_script(struct writer *w, int32_t height, uint32_t extra_nonce);
/** Builds the block: coinbase paying coinbase_value to script, commitment, Merkle root; nonce 0, unsolved. Returns: one reference. */
struct block *mining_build(const struct block_template *t, const struct chain_params *p, const uint8_t *script, size_t script_len,
                           uint32_t extra_nonce);
/** Tries nonces from block's on, at most *tries (decremented by those that failed). Returns: the solved block (a new reference), NULL if tries ran out, all nonces
 *  failed, or stop was set. Any thread. */
struct block *mining_solve(const struct block *b, const struct chain_params *p, uint64_t *tries, const atomic_bool *stop);

#endif
