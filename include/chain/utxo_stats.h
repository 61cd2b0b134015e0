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

#endif
