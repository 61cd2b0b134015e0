/* stats_index.h - -coinstatsindex: the size, worth and hash of the coin set after every block that was ever in the active chain since the index
 * was begun, in Bitcoin Core's format (indexes/coinstatsindex/db, versions 30 and later): 't' + height big-endian, 's' + block hash for
 * abandoned blocks, 'M' the running hash, stored together with the place 'B'. */
#ifndef FARTHING_INDEX_STATS_INDEX_H
#define FARTHING_INDEX_STATS_INDEX_H

#include "index/index.h"

#define STATS_INDEX_NAME "coinstatsindex"

/* Sums over all blocks up to one, in satoshi where nothing else is said. */
struct coin_stats {
    uint8_t muhash[32]; /* of the coin set; internal order */
    uint64_t txouts, bogosize;
    int64_t total_amount, subsidy;
    unsigned __int128 prevouts_spent, new_outputs, coinbase; /* new_outputs: but those of coinbases, which are in coinbase */
    /* what nobody can spend: the genesis coinbase, coinbases that were overwritten, scripts, what miners left */
    int64_t genesis, bip30, scripts, unclaimed;
};
/** A stored record. Returns: false if malformed. Any thread. */
struct reader;
bool coin_stats_decode(struct coin_stats *s, struct reader *r);
void coin_stats_encode(struct writer *w, const struct coin_stats *s);

struct stats_index;
/** Opens or makes it; index_start(stats_index_base()) sets it off. setup->dir: .../indexes/coinstatsindex/db. Returns: RC_OK; else *error (to
 *  free). Validation thread. */
enum rc stats_index_open(struct stats_index **out, const struct index_setup *setup, char **error);
/** Closes; the follower is stopped before. NULL is ignored. */
void stats_index_close(struct stats_index *x);
struct index *stats_index_base(struct stats_index *x);

/** The statistics after a block. Returns: RC_NOT_FOUND: not indexed; RC_CORRUPT, RC_IO. Any thread; blocking I/O. */
enum rc stats_index_find(struct stats_index *x, struct coin_stats *out, const struct block_entry *e);

#endif
