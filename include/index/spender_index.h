/* spender_index.h - -txospenderindex: which transaction of the chain spent an output, in Bitcoin Core's format (indexes/txospenderindex/db: 's',
 * salted hash of the outpoint, position of the transaction; no values). */
#ifndef FARTHING_INDEX_SPENDER_INDEX_H
#define FARTHING_INDEX_SPENDER_INDEX_H

#include "index/index.h"

#define SPENDER_INDEX_NAME "txospenderindex"

struct spender_index;
/** Opens or makes it; index_start(spender_index_base()) sets it off. Returns: RC_OK; else *error (to free). Validation thread. */
enum rc spender_index_open(struct spender_index **out, const struct index_setup *setup, char **error);
/** Closes; the follower is stopped before. NULL is ignored. */
void spender_index_close(struct spender_index *x);
struct index *spender_index_base(struct spender_index *x);

/** Finds the transaction that spent an output. Out: *tx (one reference), *block. Returns: RC_NOT_FOUND: none did; RC_IO, RC_CORRUPT: what the
 *  index points at cannot be read. Any thread; blocking I/O. */
enum rc spender_index_find(struct spender_index *x, struct tx **tx, const struct block_entry **block, const struct outpoint *o);

#endif
