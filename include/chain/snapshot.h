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

/* ---- loading: begin and activate on the validation thread, the long part between them on any ---- */

/** Reads the head of a snapshot file. Returns: false with Core's text in *error (to free). Any thread. */
bool snapshot_read_head(struct snapshot_head *head, FILE *f, const struct chain_params *p, char **error);
/** May this snapshot be loaded? Out: *l, to be given to snapshot_load_free in any case. Returns: false with Core's text in *error (to free). */
struct snapshot_load;
bool snapshot_begin(struct snapshot_load **l, struct chain *c, const struct snapshot_head *head, char **error);
/** Would its block be the better tip? */
bool snapshot_has_more_work(struct chain *c, const struct snapshot_load *l);
/** Reads the coins behind the head into the folder chainstate_snapshot, and compares their hash. interrupt may be NULL. Returns: as above. */
bool snapshot_populate(struct snapshot_load *l, FILE *f, const atomic_bool *interrupt, char **error);
/** Makes the coins the active ones, with the snapshot's block as the tip; history is validated behind it from now on (chain_background).
 *  Events: history_changed, tip_changed. Returns: as above. */
bool snapshot_activate(struct chain *c, struct snapshot_load *l, char **error);
/** Frees it; what was not activated is deleted. Any thread. */
void snapshot_load_free(struct snapshot_load *l);
const struct block_entry *snapshot_base(const struct snapshot_load *l);

/* ---- history behind a snapshot ---- */

/** Validates some of the history behind the snapshot, for about 50 ms; nothing may be in flight (chain_drain). The validation thread calls it
 *  when its queue is empty. Returns: is there more to do at once? */
bool chain_background(struct chain *c);
/** Is history under way? Out: the block that its coins stand at, and the snapshot's block. Any thread. */
bool chain_history(struct chain *c, const struct block_entry **tip, const struct block_entry **target);
/** The last block below which everything is validated and on disk (indexes go no further): history's, or the tip. Any thread. */
const struct block_entry *chain_validated_tip(struct chain *c);

struct chain_state {
    const struct block_entry *tip;
    const struct block_entry *base; /* of the snapshot that it began with, NULL: none */
    bool validated;
    uint64_t cache_bytes;
};
/** History if it is under way, and the active coins. Out: states. Returns: their number, 1 or 2. Any thread. */
size_t chain_states(struct chain *c, struct chain_state out[2]);

#endif
