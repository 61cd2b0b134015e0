/* mining.h - block templates, their cache, and a CPU miner for test networks. Validation thread, unless a description says otherwise. */
#ifndef FARTHING_MINING_MINING_H
#define FARTHING_MINING_MINING_H

#include <stdatomic.h>

#include "chain/chain.h"
#include "mempool/mempool.h"
#include "script/sign.h"

/* A template's transaction besides the coinbase. */
struct template_tx {
    struct tx *tx; /* one reference */
    int64_t fee;
    int64_t sigop_cost;
};
/* Whoever keeps a template holds a reference, and then changes nothing in it: it can be read on any thread. */
struct block_template {
    atomic_uint refs;
    uint64_t pool_updates; /* mempool_updates when it was made */
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
    const struct keyring *signet_keys; /* borrowed; mining_build signs with them; NULL: none */
};
struct mining_options {
    int64_t max_weight;                /* -blockmaxweight: 4000000 */
    int64_t reserved_weight;           /* -blockreservedweight: 8000 */
    int64_t min_fee_rate;              /* -blockmintxfee: 1 sat/kvB */
    int32_t version;                   /* -blockversion on regtest; 0: computed */
    bool print_fees;                   /* -printpriority: log the fee rate of what is taken */
    const struct keyring *signet_keys; /* -signetkey; outlives all templates; NULL: none */
};
/** Picks transactions for a block on the present tip (mempool may be NULL: empty block). */
struct block_template *mining_template(struct chain *c, struct mempool *m, const struct mining_options *o);
/** A template with exactly these transactions (generateblock), in that order; their fees count as 0: the coinbase takes the subsidy
 *  alone, as Core's does. txs: tx_ref'ed by the template. */
struct block_template *mining_template_of(struct chain *c, struct tx *const *txs, size_t n, const struct mining_options *o);
struct block_template *block_template_ref(struct block_template *t);
/** Drops a reference (t may be NULL). Any thread. */
void block_template_free(struct block_template *t);
/** The time that a block begun now has (never before the template's), and the bits, which depend on it on testnets. Any thread. */
void block_template_now(const struct block_template *t, const struct chain_params *p, uint32_t *time, uint32_t *bits);
/** Moves a template that nobody else holds on to that time. */
void block_template_update_time(struct block_template *t, const struct chain_params *p);

/* The latest template, for all who ask (getblocktemplate, the CPU miner, the stratum server): it is made anew after a new tip, and at most every 5 seconds when the pool has changed (as
 * getblocktemplate in Core). Belongs to one chain, pool and set of options. */
struct template_cache;
struct template_cache *template_cache_new(void);
void template_cache_free(struct template_cache *k);
/** The latest template, if it still does: a reference; NULL: one must be made. m may be NULL. Any thread. */
struct block_template *template_cache_peek(struct template_cache *k, struct chain *c, const struct mempool *m);
/** As template_cache_peek, but makes what is missing. Validation thread. */
struct block_template *template_cache_get(struct template_cache *k, struct chain *c, struct mempool *m,
                                          const struct mining_options *o);
/* What getmininginfo says of the last template that was made, by whomever. Any thread. */
void template_cache_note(struct template_cache *k, size_t n_txs, int64_t weight);
/** Returns: false if there was none yet. */
bool template_cache_last(const struct template_cache *k, size_t *n_txs, int64_t *weight);

/** Earliest time of a block after prev: median time past + 1, and not more than 600 s before prev at the first block of a period (BIP94,
 *  kept on all networks as Core does). */
int64_t mining_min_time(const struct chain_params *p, const struct header_node *prev);
/** The coinbase's scriptSig: height (BIP34), OP_0 up to height 16 so that it is long enough, the extra nonce if not 0. */
void mining_coinbase_script(struct writer *w, int32_t height, uint32_t extra_nonce);
/** Builds the block: coinbase paying coinbase_value to script, commitment, Merkle root; nonce 0, unsolved; on a signet with its solution, if
 *  the template has the keys for it. Returns: one reference. */
struct block *mining_build(const struct block_template *t, const struct chain_params *p, const uint8_t *script, size_t script_len,
                           uint32_t extra_nonce);
/** Adds the solution of a signet's block (BIP325); nothing but the nonce may change after. Kinds of challenges: those that sign_input knows.
 *  Returns: a new block with another Merkle root (the same block if it needs no solution), NULL if these keys do not satisfy the challenge.
 *  Any thread. */
struct block *mining_sign_signet(const struct block *b, const struct chain_params *p, const struct keyring *keys);
/** Tries nonces from block's on, at most *tries (decremented by those that failed). Returns: the solved block (a new reference), NULL if tries ran out, all nonces
 *  failed, or stop was set. Any thread. */
struct block *mining_solve(const struct block *b, const struct chain_params *p, uint64_t *tries, const atomic_bool *stop);

#endif
