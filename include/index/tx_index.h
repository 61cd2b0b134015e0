/* tx_index.h - -txindex: where each transaction of the chain stands, in Bitcoin Core's format (indexes/txindex). Core 32 names a transaction by
 * five bytes of a salted hash, and its block by a number; the rows that Core 31 and older wrote (whole txid to position) are read as well. */
#ifndef FARTHING_INDEX_TX_INDEX_H
#define FARTHING_INDEX_TX_INDEX_H

#include "index/index.h"

#define TX_INDEX_NAME "txindex"

struct tx_index;
/** Opens or makes it; index_start(tx_index_base()) sets it off. Returns: RC_OK; else *error (to free). Validation thread. */
enum rc tx_index_open(struct tx_index **out, const struct index_setup *setup, char **error);
/** Closes; the follower is stopped before. NULL is ignored. */
void tx_index_close(struct tx_index *x);
struct index *tx_index_base(struct tx_index *x);

/** Finds a transaction; one in the active chain before any other. Out: *tx (one reference), *block. Returns: RC_NOT_FOUND also if what the index
 *  points at cannot be read (the log says so); RC_IO, RC_CORRUPT of the index itself. Any thread; blocking I/O. */
enum rc tx_index_find(struct tx_index *x, struct tx **tx, const struct block_entry **block, const struct txid *id);

#endif
