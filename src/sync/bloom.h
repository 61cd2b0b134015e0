/* bloom.h - the Bloom filter that a light client sets on its connection (BIP37): what it wants to hear of. Pure. */
#ifndef FARTHING_SYNC_BLOOM_H
#define FARTHING_SYNC_BLOOM_H

#include "primitives/block.h"

#define BLOOM_MAX_BYTES 36000u
#define BLOOM_MAX_HASHES 50u

struct bloom {
    uint8_t *bits; /* len bytes; without any everything matches */
    size_t len;
    uint32_t n_hashes, tweak;
    uint8_t flags; /* the low two bits: which outputs are added when their script matches: 0 none, 1 all, 2 keys and multisig */
};

enum bloom_result { BLOOM_OK, BLOOM_TOO_LARGE, BLOOM_MALFORMED };
/** The payload of filterload. Out: *f, cleared unless BLOOM_OK. */
enum bloom_result bloom_decode(struct bloom *f, const void *data, size_t len);
void bloom_clear(struct bloom *f);
void bloom_insert(struct bloom *f, const void *data, size_t len);
bool bloom_contains(const struct bloom *f, const void *data, size_t len);
/** Does the filter match the transaction: its txid, data in its scripts, the outputs that it spends? Adds outputs as the flags say. */
bool bloom_match_tx(struct bloom *f, const struct tx *tx);

#endif
