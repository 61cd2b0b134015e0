/* block_coins.h - private to the library: the coins that a caller gave for a block, matched with its inputs. */
#ifndef FARTHING_LIB_BLOCK_COINS_H
#define FARTHING_LIB_BLOCK_COINS_H

#include "farthingconsensus.h"
#include "primitives/block.h"
#include "primitives/coin.h"

#define MTP_UNKNOWN (-1)

/* Arrays in the order of the block's inputs, without the coinbase's. */
struct block_coins {
    struct arena arena;
    struct coin *coin; /* what is not known is filled so that rules about it pass */
    struct tx_out *spent;
    int64_t *mtp_before; /* MTP_UNKNOWN if not known */
    size_t n;
};

/** Fills c. In: b: a block that check_block accepts; prev_mtp: of its parent, MTP_UNKNOWN if not known. What c holds is borrowed from b and
 *  coins. Returns: false if there is not exactly one coin for each input, a coin is spent twice, or one contradicts the block. */
bool block_coins_init(struct block_coins *c, const struct block *b, int32_t height, int64_t prev_mtp,
                      const struct farthing_coin *coins, size_t n_coins);
void block_coins_clear(struct block_coins *c);

#endif
