/* invalidate.c - what an operator may decide about blocks: invalid, valid again, precious. Validation thread. */
#include "chain/internal.h"

#include <stdint.h>

/* Blocks off the chain that are not worse than the new tip may become it. */
static void add_candidates(struct chain *c)
{
    const struct block_entry *tip = tip_of(c);

    for (size_t i = 0; i < c->tree.count; i++) {
        struct block_entry *e = tree_entry(&c->tree, i);

        if (entry_valid(e, BLOCK_VALID_TRANSACTIONS) && e->chain_tx && !entry_worse(e, tip))
            candidates_insert(&c->candidates, e);
    }
}

/* Disconnects e and all above it; each is marked at once, so that an interruption leaves nothing half done. Out: *lowest: the last
 * that went, NULL if none did. */
static enum rc disconnect_down_to(struct chain *c, const struct block_entry *e, struct block_entry **lowest)
{
    for (unsigned n = 1; chain_contains(c, e); n++) {
        struct block_entry *tip = tip_of(c);
        enum rc rc = interrupted(c) ? RC_INTERRUPTED : disconnect_tip(c);

        if (rc != RC_OK)
            return rc;
        set_status(c, tip, BLOCK_FAILED_VALID, 0);
        candidates_erase(&c->candidates, tip);
        candidates_insert(&c->candidates, tip_of(c));
        *lowest = tip;
        if (c->o.events.block_given_up) {
            c->in_event++;
            c->o.events.block_given_up(c->o.events.ctx, n);
            c->in_event--;
        }
    }
    return RC_OK;
}

static void spread_failure(struct chain *c, struct block_entry *e)
{
    c->failures++;
    invalid_chain_found(c, e, true);
    add_candidates(c);
    end_step(c);
    notify_header_tip(c);
    check_index(c);
}

bool chain_invalidate(struct chain *c, const struct block_entry *entry, struct verdict *v)
{
    struct block_entry *e = (struct block_entry *)(uintptr_t)entry, *lowest = NULL;
    enum rc rc;

    verdict_init(v);
    chain_drain(c);
    if (c->broken || !e->node.prev)
        return verdict_internal(v, "the genesis block cannot be invalidated");
    rc = disconnect_down_to(c, e, &lowest);
    if (rc == RC_OK) {
        set_status(c, e, BLOCK_FAILED_VALID, 0);
        candidates_erase(&c->candidates, e);
        lowest = e;
    }
    if (lowest && !c->broken)
        spread_failure(c, lowest);
    return rc == RC_OK ? true : verdict_internal(v, "Failed to disconnect block.");
}

void chain_reconsider(struct chain *c, const struct block_entry *e)
{
    chain_drain(c);
    for (size_t i = 0; i < c->tree.count; i++) {
        struct block_entry *f = tree_entry(&c->tree, i);

        if (!entry_failed(f) || (entry_ancestor(f, e->node.height) != e && entry_ancestor(e, f->node.height) != f))
            continue;
        set_status(c, f, 0, BLOCK_FAILED_VALID);
        if (entry_valid(f, BLOCK_VALID_TRANSACTIONS) && f->chain_tx)
            try_add_candidate(c, f);
        if (f == c->best_invalid)
            c->best_invalid = NULL;
    }
    recalculate_best_header(c);
}

bool chain_precious(struct chain *c, const struct block_entry *entry, struct verdict *v)
{
    struct block_entry *e = (struct block_entry *)(uintptr_t)entry;
    const struct block_entry *tip;

    verdict_init(v);
    chain_drain(c);
    tip = tip_of(c);
    if (u256_cmp(e->node.chain_work, tip->node.chain_work) < 0)
        return true; /* never the tip by its work */
    if (u256_cmp(tip->node.chain_work, c->precious_work) > 0)
        c->reverse_sequence = -1;
    c->precious_work = tip->node.chain_work;
    candidates_erase(&c->candidates, e);
    write_lock(c);
    e->sequence_id = c->reverse_sequence;
    unlock(c);
    if (c->reverse_sequence > INT32_MIN)
        c->reverse_sequence--;
    if (entry_valid(e, BLOCK_VALID_TRANSACTIONS) && e->chain_tx) {
        candidates_insert(&c->candidates, e);
        candidates_prune(&c->candidates, tip);
    }
    return chain_activate_best(c, v) == RC_OK;
}
