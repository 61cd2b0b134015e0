/* undo.h - the coins that a block spent: what disconnecting needs, and what RPC and indexes show of inputs. Immutable once made; any thread. */
#ifndef FARTHING_CHAIN_UNDO_H
#define FARTHING_CHAIN_UNDO_H

#include "primitives/block.h"
#include "primitives/coin.h"

struct tx_undo {
    uint32_t n;
    struct coin *coin; /* one for each input, in order */
};
struct block_undo {
    uint32_t n_tx; /* transactions of the block - 1: none for the coinbase */
    struct tx_undo *tx;
    struct arena arena; /* holds all of it */
};
/** Decodes a record of an undo file. Returns: NULL if malformed. */
struct block_undo *block_undo_decode(const uint8_t *data, size_t len);
void block_undo_encode(struct writer *w, const struct block_undo *u);
void block_undo_free(struct block_undo *u);

#endif
