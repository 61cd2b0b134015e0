/* feed.h - the blocks that the validation thread hands to an index while it follows closely, so that they need not be read back. Guarded by the
 * index's lock. */
#ifndef FARTHING_INDEX_FEED_H
#define FARTHING_INDEX_FEED_H

#include "index/index.h"

#define FEED_BLOCKS 128u
#define FEED_BYTES ((size_t)2 << 20) /* as the blocks are in memory; one block is always taken */
#define FEED_AHEAD 1024              /* blocks: an index further behind reads from disk */

/* In the order of connection. */
struct feed {
    struct index_block *block[FEED_BLOCKS];
    unsigned first, n;
    size_t bytes;
};

/** Takes a reference unless the feed is full or the index (at best, NULL: nowhere) is far behind. */
void feed_offer(struct feed *f, struct index_block *b, const struct block_entry *best);
/** Takes e's block out, and all that come before its height. Returns: one reference, NULL if it is not there. */
struct index_block *feed_take(struct feed *f, const struct block_entry *e);
void feed_clear(struct feed *f);

/* ---- the blocks; any thread ---- */
struct block *index_block_get(struct index_block *b);
/** Its undo record, decoded once for all indexes. Returns: NULL if there is none or if it is malformed. */
const struct block_undo *index_block_undo(struct index_block *b);

#endif
