/* fees.c - fee rates, virtual sizes and the policy's defaults. Called by the memory pool, mining and RPC; pure, any thread. */
#include "policy/policy.h"

void policy_init(struct policy *p, const struct chain_params *params)
{
    *p = (struct policy){
        .min_relay_fee_rate = 100,
        .incremental_fee_rate = 100,
        .dust_fee_rate = 3000,
        .bytes_per_sigop = 20,
        .require_standard = params->require_standard,
        .permit_bare_multisig = true,
        .max_datacarrier = MAX_STANDARD_TX_WEIGHT / WITNESS_SCALE_FACTOR,
        .max_ancestors = 25,
        .max_descendants = 25,
        .cluster_count = 64,
        .cluster_vsize = 101000,
    };
}

int64_t policy_fee(int64_t rate, int64_t vsize)
{
    __int128 product = (__int128)rate * vsize;
    __int128 fee = product / 1000;
    if (product > 0 && product % 1000)
        fee++;
    if (fee == 0 && rate < 0 && vsize)
        fee = -1;
    return fee > INT64_MAX ? INT64_MAX : fee < INT64_MIN ? INT64_MIN : (int64_t)fee;
}

int64_t policy_rate(int64_t fee, int64_t vsize)
{
    __int128 product = (__int128)fee * 1000, rate;
    if (vsize <= 0)
        return 0;
    rate = product / vsize;
    if (product < 0 && product % vsize)
        rate--;
    return rate > INT64_MAX ? INT64_MAX : rate < INT64_MIN ? INT64_MIN : (int64_t)rate;
}

int64_t policy_weight(int64_t weight, int64_t sigop_cost, unsigned bytes_per_sigop)
{
    int64_t by_sigops = sigop_cost * bytes_per_sigop;
    return weight > by_sigops ? weight : by_sigops;
}

int64_t policy_vsize(int64_t weight, int64_t sigop_cost, unsigned bytes_per_sigop)
{
    return (policy_weight(weight, sigop_cost, bytes_per_sigop) + WITNESS_SCALE_FACTOR - 1) / WITNESS_SCALE_FACTOR;
}
