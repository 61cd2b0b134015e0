/* snapshot.h - coin sets in files (dumptxoutset, loadtxoutset), in Bitcoin Core's format, version 2: magic "utxo\xff", version, network magic,
 * base block, number of coins; then for each transaction its id, the number of its coins, and each coin with its index before it. */
#ifndef FARTHING_CHAIN_SNAPSHOT_H
#define FARTHING_CHAIN_SNAPSHOT_H

#include <stdio.h>

#include "chain/chain.h"

struct snapshot_head {
    struct block_hash base; /* the block after which the coins are as they are */
    uint64_t coins;
};

/** Writes a snapshot. it: the coins, from the beginning; head->coins must be their number (RC_CORRUPT if it is not). interrupt may be NULL.
 *  Returns: RC_IO with errno set, RC_INTERRUPTED, or what the iterator says. Any thread. */
enum rc snapshot_write(FILE *f, const struct chain_params *p, const struct snapshot_head *head, struct coindb_iter *it,
                       const atomic_bool *interrupt);

/** Collects in d what takes the coins back from one block of the active chain to an older one, from the blocks and undo records on disk. Any
 *  thread; blocking I/O. Out: *failed: the block that could not be read or undone. Returns: RC_INTERRUPTED, RC_NOT_FOUND (pruned), ... */
enum rc snapshot_roll_back(struct chain *c, struct coindb_diff *d, const struct block_entry *from, const struct block_entry *to,
                           const atomic_bool *interrupt, const struct block_entry **failed);

#endif
