/* coinbase.h - the coinbase of a template, for coinbase.c and work.c. */
#ifndef FARTHING_MINING_COINBASE_H
#define FARTHING_MINING_COINBASE_H

#include "mining/mining.h"

/** sig: its script; script: who is paid. Returns: one reference. */
struct tx *mining_coinbase(const struct block_template *t, const uint8_t *sig, size_t sig_len, const uint8_t *script,
                           size_t script_len);

#endif
