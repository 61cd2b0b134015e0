/* tx_sigops.h - private to consensus: sigops of a transaction's own scripts, without what it spends. */
#ifndef FARTHING_CONSENSUS_TX_SIGOPS_H
#define FARTHING_CONSENSUS_TX_SIGOPS_H

#include "primitives/tx.h"

/** Unweighted count over all scriptSigs and scriptPubKeys; CHECKMULTISIG counts 20. */
unsigned tx_legacy_sigops(const struct tx *tx);

#endif
