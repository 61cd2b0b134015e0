/* merkle_block.h - partial Merkle trees (BIP37's merkleblock, gettxoutproof). Pure; any thread. */
#ifndef FARTHING_CONSENSUS_MERKLE_BLOCK_H
#define FARTHING_CONSENSUS_MERKLE_BLOCK_H

#include "primitives/block.h"

/** Header, number of transactions, hashes and flags that prove those transactions whose match[i] is set. match: b->n_tx values. Out: appended
 *  to w. */
void merkle_block_encode(struct writer *w, const struct block *b, const bool *match);

enum merkle_block_result { MERKLE_BLOCK_VALID, MERKLE_BLOCK_WRONG, MERKLE_BLOCK_MALFORMED };
/** Does the tree lead to the header's Merkle root? The header's proof of work is not looked at. Out: *header, *n_tx as claimed, ids (appended,
 *  32 bytes each: the txids that the proof is about; meaningless unless it is valid). */
enum merkle_block_result merkle_block_check(struct block_header *header, uint32_t *n_tx, struct writer *ids, const uint8_t *data,
                                            size_t len);

#endif
