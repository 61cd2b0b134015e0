/* check.h - rules of transactions and blocks. Pure functions: no clock, no I/O, no lock, no state; what one allocates on
 * the way is free again when it returns. Reject reasons are Bitcoin Core's. Any thread. */
#ifndef FARTHING_CONSENSUS_CHECK_H
#define FARTHING_CONSENSUS_CHECK_H

#include "consensus/header.h"
#include "primitives/coin.h"
#include "util/arena.h"

#define COINBASE_MATURITY 100

/** Context-free rules of a transaction (CheckTransaction): sizes, money ranges, duplicate inputs, coinbase script length. */
bool check_transaction(const struct tx *tx, struct verdict *v);
/** BIP113/nLockTime. block_time: median time past of the parent, or the block's time before CSV. */
bool is_final_tx(const struct tx *tx, int32_t height, int64_t block_time);

/** Merkle root over txids; *mutated (may be NULL): duplicated subtrees (CVE-2012-2459). scratch: arena for the hashes. */
struct hash256 block_merkle_root(const struct block *b, bool *mutated, struct arena *scratch);
/** Merkle root over wtxids with the coinbase as zero. */
struct hash256 block_witness_merkle_root(const struct block *b, struct arena *scratch);
/** Merkle root of any list of 32-byte hashes (in place: hashes are destroyed). n > 0. */
struct hash256 merkle_root(uint8_t *hashes, size_t n, bool *mutated);
/** Index of the coinbase output with the BIP141 commitment, -1 if none. */
int block_witness_commitment_index(const struct block *b);

/** Context-free rules of a block (CheckBlock): proof of work, signet solution, Merkle root, sizes, coinbase position, transactions, legacy sigops. */
bool check_block(const struct chain_params *p, const struct block *b, bool check_pow, bool check_merkle, struct verdict *v);
/** Rules that need the parent (ContextualCheckBlock): finality, BIP34 height, witness commitment, weight. */
bool check_block_context(const struct chain_params *p, const struct block *b, const struct header_node *prev, struct verdict *v);
/** The same from bare facts, for callers without a tree: height of b and median time past of its parent. */
bool check_block_at(const struct chain_params *p, const struct block *b, int32_t height, int64_t prev_mtp, struct verdict *v);
/** BIP325 solution of a signet block. */
bool check_signet_solution(const struct chain_params *p, const struct block *b);
/** The two transactions of BIP325: one whose output is the challenge and which commits to the block without its solution, and the one that
 *  spends it by means of the solution (with an empty input if the block has none). Out: one reference each. Returns: false (nothing out) if
 *  the block has no commitment or its solution is malformed. */
bool signet_transactions(struct tx **to_spend, struct tx **spending, const struct chain_params *p, const struct block *b);
/** Are the block's data possibly not what its header commits to (Merkle root, witness commitment)? Core's IsBlockMutated. */
bool block_is_mutated(const struct block *b, bool check_witness_root);

/** BIP68 result: both must be below the block's height / its parent's median time past. */
struct sequence_lock {
    int32_t height;
    int64_t time;
};
/* The times of the coins that a transaction spends: median time past of the block BEFORE the one at that height (asked only for
 * time locks). */
struct sequence_source {
    void *ctx;
    int64_t (*mtp_before)(void *ctx, uint32_t coin_height); /* mtp of the block at max(coin_height-1, 0) */
    const int64_t *known; /* if not NULL: those times themselves, one an input, in place of the function; negative: no lock */
};
#define COIN_HEIGHT_UNKNOWN UINT32_MAX /* height of a coin whose relative height lock is not to be looked at */
/** coin_heights: n_in values. enforce: CSV active. A version below 2 has no locks. */
struct sequence_lock sequence_locks(const struct tx *tx, const uint32_t *coin_heights, bool enforce,
                                    const struct sequence_source *src);

/** Weighted sigop cost (BIP141) of a transaction with the outputs it spends (n_in of them; none for a coinbase). */
int64_t tx_sigop_cost(const struct tx *tx, const struct tx_out *spent, uint32_t flags);
/** Maturity, money ranges, no money out of nothing (CheckTxInputs). coins: n_in. Out: *fee. */
bool check_tx_inputs(const struct tx *tx, const struct coin *coins, int32_t spend_height, int64_t *fee, struct verdict *v);

/* Rules of connecting a block's transactions one by one, given the coins that each spends. Shared by the chain and the library. */
struct block_connect {
    const struct chain_params *params;
    const struct block *block;
    int32_t height;
    int64_t prev_mtp;
    uint32_t flags; /* script flags */
    bool csv;       /* BIP68 in force */
    struct sequence_source seq;
    int64_t fees;
    int64_t sigop_cost;
};
/** seq: copied; c->seq.known may be set before each transaction. */
void block_connect_init(struct block_connect *c, const struct chain_params *p, const struct block *b, int32_t height,
                        int64_t prev_mtp, uint32_t flags, const struct sequence_source *seq);
/** Transaction i (in order, coinbase included with coins and spent NULL). coins/spent: n_in each, same outputs. Its fee is what
 *  c->fees grows by. */
bool block_connect_tx(struct block_connect *c, uint32_t i, const struct coin *coins, const struct tx_out *spent, struct verdict *v);
/** After the last one: the coinbase pays at most subsidy and fees (bad-cb-amount). */
bool block_connect_finish(const struct block_connect *c, struct verdict *v);
/** BIP30 needs to be checked for a block at that place? (true before BIP34 took over, with the two historic exceptions false) */
bool bip30_applies(const struct chain_params *p, const struct header_node *n);
/** Is it one of the two blocks whose coinbase overwrote an older one (91842, 91880)? */
bool bip30_is_repeat(const struct header_node *n);
/** Is it one of the two blocks whose coinbase was overwritten before it was spent (91722, 91812)? For statistics of the coins. */
bool bip30_is_unspendable(int32_t height, const struct block_hash *hash);

#endif
