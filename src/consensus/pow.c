/* pow.c - proof of work and its target: what bits a header must have, and whether its hash meets them. Called for every header;
 * pure, any thread. Follows Bitcoin Core, its networks' special rules included. */
#include "consensus/header.h"
#include "util/assert.h"

/* A testnet block that came 20 minutes late may have the lowest difficulty; one that did not has that of the last block before it
 * which was not such an exception (a period's first block never is). */
static uint32_t testnet_work_required(const struct chain_params *p, const struct header_node *prev, uint32_t block_time)
{
    uint32_t lowest = target_to_bits(p->pow_limit);
    if ((int64_t)block_time > (int64_t)prev->time + 2 * p->pow_spacing)
        return lowest;
    while (prev->prev && prev->height % chain_params_interval(p) != 0 && prev->bits == lowest)
        prev = prev->prev;
    return prev->bits;
}

/* A target after a period that took that many seconds, before the limit and rounding. */
static struct u256 target_scaled(const struct chain_params *p, uint32_t bits, int64_t seconds)
{
    struct u256 t = u256_mul_u64(target_from_bits(bits, NULL, NULL), (uint64_t)seconds);
    t = u256_div(t, u256_from_u64((uint64_t)p->pow_timespan));
    return u256_cmp(t, p->pow_limit) > 0 ? p->pow_limit : t;
}

uint32_t next_work_required(const struct chain_params *p, const struct header_node *prev, uint32_t block_time)
{
    int32_t interval = chain_params_interval(p);
    const struct header_node *first;
    int64_t seconds;
    if ((prev->height + 1) % interval != 0)
        return p->pow_min_difficulty_blocks ? testnet_work_required(p, prev, block_time) : prev->bits;
    if (p->pow_no_retargeting)
        return prev->bits;

    first = header_node_ancestor(prev, prev->height - (interval - 1));
    ASSERT(first);
    seconds = (int64_t)prev->time - (int64_t)first->time; /* of one block less than the period has: Bitcoin's oldest bug */
    if (seconds < p->pow_timespan / 4)
        seconds = p->pow_timespan / 4;
    if (seconds > p->pow_timespan * 4)
        seconds = p->pow_timespan * 4;
    /* BIP94: a period's first block has its true difficulty, the last one may be a 20-minute exception. */
    return target_to_bits(target_scaled(p, p->enforce_bip94 ? first->bits : prev->bits, seconds));
}

bool check_proof_of_work(const struct chain_params *p, const struct block_hash *hash, uint32_t bits)
{
    bool negative, overflow;
    struct u256 target = target_from_bits(bits, &negative, &overflow);
    if (negative || overflow || u256_is_zero(target) || u256_cmp(target, p->pow_limit) > 0)
        return false;
    return u256_cmp(u256_from_le(hash->b), target) <= 0;
}

bool permitted_difficulty_transition(const struct chain_params *p, int32_t height, uint32_t old_bits, uint32_t new_bits)
{
    struct u256 target, easiest, hardest;
    if (p->pow_min_difficulty_blocks)
        return true;
    if (height % chain_params_interval(p) != 0)
        return old_bits == new_bits;
    target = target_from_bits(new_bits, NULL, NULL);
    /* Rounded as a real retarget would be. */
    easiest = target_from_bits(target_to_bits(target_scaled(p, old_bits, p->pow_timespan * 4)), NULL, NULL);
    hardest = target_from_bits(target_to_bits(target_scaled(p, old_bits, p->pow_timespan / 4)), NULL, NULL);
    return u256_cmp(target, easiest) <= 0 && u256_cmp(target, hardest) >= 0;
}
