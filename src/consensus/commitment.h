/* commitment.h - private to consensus: the two checks that a block's data are what its header commits to. */
#ifndef FARTHING_CONSENSUS_COMMITMENT_H
#define FARTHING_CONSENSUS_COMMITMENT_H

#include "consensus/check.h"

/** bad-txnmrklroot, bad-txns-duplicate. */
bool check_merkle_root(const struct block *b, struct verdict *v);
/** bad-witness-nonce-size, bad-witness-merkle-match, unexpected-witness. expected: segwit is active, a commitment counts. */
bool check_witness_commitment(const struct block *b, bool expected, struct verdict *v);

#endif
