/* blockfilter.h - compact block filters (BIP158): a Golomb-coded set of the scripts that a block touches, and the chain of filter headers
 * (BIP157). Pure; any thread. */
#ifndef FARTHING_INDEX_BLOCKFILTER_H
#define FARTHING_INDEX_BLOCKFILTER_H

#include "primitives/block.h"

struct block_undo;

#define FILTER_P 19      /* bits of a difference's remainder */
#define FILTER_M 784931u /* one false match in about that many */

/* An element of a set, borrowed. */
struct filter_item {
    const uint8_t *data;
    size_t len;
};

/** Encodes a set: CompactSize N, then the sorted hashes' differences, Golomb-Rice coded. Equal items count once. Out: appended to w.
 *  block: its first 16 bytes are the SipHash key. n: below 2^25. */
void filter_encode(struct writer *w, const struct block_hash *block, const struct filter_item *items, size_t n);
/** Are these bytes a whole filter: N elements and nothing behind them? Allocates nothing. */
bool filter_is_valid(const uint8_t *filter, size_t len);
/** True if any of the items may be in the set: always so if one is, else with a chance of 1 in FILTER_M for each. The filter may be any bytes
 *  (what does not decode matches nothing more). */
bool filter_match(const uint8_t *filter, size_t len, const struct block_hash *block, const struct filter_item *items, size_t n);

/** The basic filter of a block: output scripts but empty and OP_RETURN ones, and the scripts of the coins that it spends but empty ones. Out:
 *  appended to w. undo: of that block, NULL for genesis. */
void filter_encode_basic(struct writer *w, const struct block *b, const struct block_undo *undo);

/** SHA256d of a filter. */
void filter_hash(struct hash256 *out, const uint8_t *filter, size_t len);
/** SHA256d of the filter's hash and the header before it (zeroes in front of genesis). out may be prev. */
void filter_header(struct hash256 *out, const struct hash256 *hash, const struct hash256 *prev);

#endif
