/* assume.c - which blocks may skip script verification (-assumevalid), by Bitcoin Core's conditions. Validation thread. */
#include "chain/internal.h"

#define TWO_WEEKS (60 * 60 * 24 * 7 * 2)

/* The time that the work between two blocks would take at the difficulty of the later one (GetBlockProofEquivalentTime). */
static int64_t equivalent_time(const struct chain_params *p, const struct block_entry *to, const struct block_entry *from)
{
    int sign = 1;
    struct u256 r;

    if (u256_cmp(to->node.chain_work, from->node.chain_work) > 0) {
        r = u256_sub(to->node.chain_work, from->node.chain_work);
    } else {
        r = u256_sub(from->node.chain_work, to->node.chain_work);
        sign = -1;
    }
    r = u256_div(u256_mul_u64(r, (uint64_t)p->pow_spacing), work_from_bits(to->node.bits));
    if (u256_bits(r) > 63)
        return sign * INT64_MAX;
    return sign * (int64_t)r.w[0];
}

const char *script_check_reason(struct chain *c, const struct block_entry *e)
{
    const struct block_entry *best = best_header_of(c), *assumed;

    if (hash_is_zero(c->o.assume_valid.b))
        return "assumevalid=0 (always verify)";
    assumed = tree_find(&c->tree, &c->o.assume_valid);
    if (!assumed)
        return "assumevalid hash not in headers";
    if (entry_ancestor(assumed, e->node.height) != e)
        return e->node.height > assumed->node.height ? "block height above assumevalid height" : "block not in assumevalid chain";
    if (entry_ancestor(best, e->node.height) != e)
        return "block not in best header chain";
    if (u256_cmp(best->node.chain_work, c->o.min_chain_work) < 0)
        return "best header chainwork below minimumchainwork";
    if (equivalent_time(c->params, best, e) <= TWO_WEEKS)
        return "block too recent relative to best header";
    return NULL;
}

void log_script_check_reason(struct chain *c, const struct block_entry *e, const char *reason)
{
    if (c->check_reason_known && c->check_reason == reason)
        return;
    c->check_reason_known = true;
    c->check_reason = reason;
    if (reason)
        log_info("Enabling script verification at block #%d (%s): %s.", e->node.height, block_hash_hex(&e->node.hash).s, reason);
    else
        log_info("Disabling script verification at block #%d (%s).", e->node.height, block_hash_hex(&e->node.hash).s);
}
