/* script_index.h - which transactions of the mempool touch a script: the unconfirmed part of balances and histories, kept only where -addressindex
 * or the Electrum server wants it. Filled by the mempool's events on the validation thread, read by any thread under a lock of its own that is
 * held for as long as it takes to walk one script's transactions. Scripts are named by the SHA-256 of the scriptPubKey; outputs that nobody can
 * spend touch none. */
#ifndef FARTHING_MEMPOOL_SCRIPT_INDEX_H
#define FARTHING_MEMPOOL_SCRIPT_INDEX_H

#include "mempool/mempool.h"

struct script_index;
struct script_index *script_index_new(void);
/** NULL is ignored. */
void script_index_free(struct script_index *x);

/* What one output spent by a transaction was: of the chain or of the pool. */
struct script_spend {
    const uint8_t *script; /* NULL: not known, touches none */
    size_t len;
    int64_t value;
};
/** A transaction came into the pool (ref'ed). spent: what its inputs spend, in their order. One that is there already is left alone. Validation
 *  thread. */
void script_index_add(struct script_index *x, struct tx *tx, const struct script_spend *spent, int64_t fee, int64_t vsize,
                      int64_t time);
/** It left the pool, for whatever reason. Unknown ones are ignored. Validation thread. */
void script_index_remove(struct script_index *x, const struct txid *id);

struct script_tx {
    struct txid txid;
    int64_t fee, vsize, time;
    bool unconfirmed_parents; /* it spends outputs of the pool (Electrum: height -1) */
    int64_t received, spent;  /* satoshi, of that script by this transaction */
};
/** The transactions that touch a script, by txid (in the order of its bytes). Out: *out (malloc'ed). Returns: their number. As all below: any
 *  thread, in time that grows with the number of transactions found. */
size_t script_index_txs(struct script_index *x, struct script_tx **out, const uint8_t script_hash[32]);
/** Sums of the same. Returns: their number. */
size_t script_index_sums(struct script_index *x, int64_t *received, int64_t *spent, const uint8_t script_hash[32]);

/** Outputs of the pool that belong to a script and that nothing in the pool spends, by outpoint. */
struct script_coin {
    struct outpoint outpoint;
    int64_t value;
};
size_t script_index_coins(struct script_index *x, struct script_coin **out, const uint8_t script_hash[32]);
/** All outputs of a script, of the chain or of the pool, that something in the pool spends, by outpoint (see outpoint_order). */
size_t script_index_spent(struct script_index *x, struct outpoint **out, const uint8_t script_hash[32]);
/** For qsort and bsearch over outpoints: by the bytes of the txid, then by number. */
int outpoint_order(const void *a, const void *b);

/* One output or input that touches a script. */
struct script_delta {
    struct txid txid; /* whose it is */
    uint32_t index;   /* of the output or input */
    bool input;
    struct outpoint prevout; /* inputs: what it spends */
    int64_t value;           /* satoshi, positive */
    int64_t time;
};
/** All of them, by txid, outputs first. */
size_t script_index_deltas(struct script_index *x, struct script_delta **out, const uint8_t script_hash[32]);

/** The scripts that one transaction touches, each once. Out: *out (malloc'ed, 32 bytes each). Returns: their number; 0: not in the pool. */
size_t script_index_touched(struct script_index *x, uint8_t (**out)[32], const struct txid *id);

#endif
