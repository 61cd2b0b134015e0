/* sigops.c - the cost of a transaction's signature checks as the block limit counts it (BIP141). Called by block connection and the
 * memory pool; pure, any thread. */
#include "consensus/check.h"
#include "script/script.h"
#include "script/verify.h"
#include "tx_sigops.h"

unsigned tx_legacy_sigops(const struct tx *tx)
{
    unsigned n = 0;
    for (uint32_t i = 0; i < tx->n_in; i++)
        n += script_sigops(tx->in[i].script, tx->in[i].script_len, false);
    for (uint32_t i = 0; i < tx->n_out; i++)
        n += script_sigops(tx->out[i].script, tx->out[i].script_len, false);
    return n;
}

int64_t tx_sigop_cost(const struct tx *tx, const struct tx_out *spent, uint32_t flags)
{
    int64_t cost = (int64_t)tx_legacy_sigops(tx) * WITNESS_SCALE_FACTOR;
    if (tx_is_coinbase(tx))
        return cost;
    for (uint32_t i = 0; i < tx->n_in; i++) {
        if (flags & SCRIPT_VERIFY_P2SH)
            cost += (int64_t)script_p2sh_sigops(spent[i].script, spent[i].script_len, tx->in[i].script, tx->in[i].script_len) *
                    WITNESS_SCALE_FACTOR;
        cost += script_witness_sigops(&tx->in[i], &spent[i], flags);
    }
    return cost;
}
