/* rbf.c - arithmetic of replacing transactions. Called by the memory pool; pure, any thread. */
#include "policy/policy.h"
#include "primitives/amount.h"

#define MAX_BIP125_SEQUENCE 0xfffffffdu

bool policy_signals_rbf(const struct tx *tx)
{
    for (uint32_t i = 0; i < tx->n_in; i++) {
        if (tx->in[i].sequence <= MAX_BIP125_SEQUENCE)
            return true;
    }
    return false;
}

/* As Core's FormatMoney: at least two decimals, no more zeros than that. */
static const char *money(char out[24], int64_t satoshi)
{
    size_t len = amount_format(out, satoshi);
    const char *dot = out + len - 8;
    while (out + len > dot + 2 && out[len - 1] == '0')
        out[--len] = 0;
    return out;
}

bool policy_pays_for_replacement(const struct policy *p, const struct txid *id, int64_t old_fees, int64_t new_fees, int64_t vsize,
                                 const char *reason, struct verdict *v)
{
    int64_t relay = policy_fee(p->incremental_fee_rate, vsize), more;
    char a[24], b[24];

    if (new_fees < old_fees)
        return verdict_invalid(v, TX_RECONSIDERABLE, reason, "rejecting replacement %s, less fees than conflicting txs; %s < %s",
                               txid_hex(id).s, money(a, new_fees), money(b, old_fees));
    if (__builtin_sub_overflow(new_fees, old_fees, &more))
        more = INT64_MAX;
    if (more < relay)
        return verdict_invalid(v, TX_RECONSIDERABLE, reason,
                               "rejecting replacement %s, not enough additional fees to relay; %s < %s", txid_hex(id).s,
                               money(a, more), money(b, relay));
    return true;
}
