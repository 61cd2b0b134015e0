/* locks.c - the coins that inputs spend, and when lock times let a transaction into the next block. Called by acceptance and after
 * reorganisations; validation thread. */
#include "mempool/internal.h"
#include "util/mem.h"

enum rc pool_coin(struct mempool *m, struct coin *c, const struct outpoint *o)
{
    const struct entry *e = index_find(m, &o->txid);
    if (!e)
        return m->o.chain.get_coin(m->o.chain.ctx, c, o, &m->scratch);
    if (o->n >= e->pub.tx->n_out)
        return RC_NOT_FOUND;
    *c = (struct coin){.out = e->pub.tx->out[o->n], .height = MEMPOOL_COIN_HEIGHT, .coinbase = false};
    return RC_OK;
}

bool mempool_get_coin(struct mempool *m, struct coin *c, const struct outpoint *o)
{
    return index_find(m, &o->txid) && pool_coin(m, c, o) == RC_OK;
}

static int64_t mtp_before(void *ctx, uint32_t coin_height)
{
    const struct header_node *tip = (const struct header_node *)ctx;
    const struct header_node *n = header_node_ancestor(tip, coin_height ? (int32_t)coin_height - 1 : 0);
    return n ? header_node_mtp(n) : 0;
}

struct sequence_lock pool_sequence_lock(const struct mempool *m, const struct header_node *tip, const struct tx *tx,
                                        const struct coin *coins, const struct header_node **depends)
{
    struct sequence_source source = {.ctx = (void *)(uintptr_t)tip, .mtp_before = mtp_before};
    uint32_t next = (uint32_t)tip->height + 1, highest = 0;
    uint32_t *heights = (uint32_t *)arena_alloc((struct arena *)(uintptr_t)&m->scratch, tx->n_in * sizeof(*heights));

    for (uint32_t i = 0; i < tx->n_in; i++) {
        /* What is unconfirmed is taken to be in the next block. */
        heights[i] = coins[i].height == MEMPOOL_COIN_HEIGHT ? next : coins[i].height;
        if (heights[i] != next && heights[i] > highest)
            highest = heights[i];
    }
    *depends = header_node_ancestor(tip, (int32_t)highest);
    return sequence_locks(tx, heights, true, &source);
}

bool pool_lock_passed(const struct header_node *tip, struct sequence_lock lock)
{
    return lock.height < tip->height + 1 && lock.time < header_node_mtp(tip);
}

bool pool_is_final(const struct header_node *tip, const struct tx *tx)
{
    return is_final_tx(tx, tip->height + 1, header_node_mtp(tip));
}
