/* script_index.h - which transactions of the mempool touch a script: the unconfirmed part of balances and histories, kept only where -addressindex
 * or the Electrum server wants it. Filled by the mempool's events on the validation thread, read by any thread under a lock of its own that is
 * held for microseconds. Scripts are named by the SHA-256 of the scriptPubKey. */
#ifndef FARTHING_MEMPOOL_SCRIPT_INDEX_H
#define FARTHING_MEMPOOL_SCRIPT_INDEX_H

#include "mempool/mempool.h"

struct script_index;
struct script_index *script_index_new(void);
void script_index_free(struct script_index *x);

/* What one output spent by a transaction was: of the chain or of the pool. */
struct script_spend {
    const uint8_t *script;
    size_t len;
    int64_t value;
};
/** A transaction came into the pool. spent: what its inputs spend, in their order. unconfirmed_parents: does it spend outputs of the pool?
 *  Validation thread. */
void script_index_add(struct script_index *x, struct tx *tx, const struct script_spend *spent, int64_t fee, int64_t vsize,
                      bool unconfirmed_parents, int64_t time);
/** It left the pool, for whatever reason. Validation thread. */
void script_index_remove(struct script_index *x, const struct tx *tx);
/** Parents of a transaction were mined or came back: does it spend outputs of the pool now? Validation thread. */
void script_index_set_parents(struct script_index *x, const struct txid *id, bool unconfirmed_parents);

struct script_tx {
    struct txid txid;
    int64_t fee, vsize, time;
    bool unconfirmed_parents;
    int64_t received, spent; /* satoshi, of that script by this transaction */
};
/** The transactions that touch a script, by txid. Out: *out (malloc'ed). Returns: their number. Any thread. */
size_t script_index_txs(struct script_index *x, struct script_tx **out, const uint8_t script_hash[32]);
/** Sums of the same. Returns: their number. Any thread. */
size_t script_index_sums(struct script_index *x, int64_t *received, int64_t *spent, const uint8_t script_hash[32]);

/* Outputs of the pool that belong to a script and that nothing in the pool spends, and outputs of the chain that something there spends. */
struct script_coin {
    struct outpoint outpoint;
    int64_t value;
};
size_t script_index_coins(struct script_index *x, struct script_coin **out, const uint8_t script_hash[32]);
size_t script_index_spent(struct script_index *x, struct outpoint **out, const uint8_t script_hash[32]);

/** The scripts that one transaction touches, each once. Out: *out (malloc'ed, 32 bytes each). Returns: their number; 0: not in the pool. */
size_t script_index_touched(struct script_index *x, uint8_t (**out)[32], const struct txid *id);

#endif
