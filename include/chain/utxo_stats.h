/* utxo_stats.h - statistics and hashes of a coin set (gettxoutsetinfo). Any thread; reads a snapshot. */
#ifndef FARTHING_CHAIN_UTXO_STATS_H
#define FARTHING_CHAIN_UTXO_STATS_H

#include <stdatomic.h>

#include "storage/coindb.h"

enum utxo_hash_type { UTXO_HASH_NONE, UTXO_HASH_SERIALIZED, UTXO_HASH_MUHASH };
struct utxo_stats {
    uint64_t transactions, txouts, bogosize;
    int64_t total_amount;
    uint8_t hash[32]; /* internal order; display reversed */
};
/** Consumes the iterator's coins (the caller frees it). interrupt may be NULL. */
enum rc utxo_stats_compute(struct utxo_stats *out, struct coindb_iter *it, enum utxo_hash_type type, const atomic_bool *interrupt);

/* The same piece by piece, for those who have other things to do in between. The iterator is borrowed. */
struct utxo_hasher;
struct utxo_hasher *utxo_hasher_new(struct coindb_iter *it, enum utxo_hash_type type);
/** Takes up to n coins more. Returns: RC_OK; RC_NOT_FOUND at the end, when the statistics are complete; an error of the iterator. */
enum rc utxo_hasher_step(struct utxo_hasher *h, unsigned n);
const struct utxo_stats *utxo_hasher_stats(const struct utxo_hasher *h);
void utxo_hasher_free(struct utxo_hasher *h);

#endif
