/* reorg.c - transactions of disconnected blocks wait until the chain has settled, then come back; what is no longer final or mature goes.
 * Called from the chain's events; validation thread. */
#include <stdlib.h>

#include "mempool/internal.h"
#include "util/mem.h"

#define WAITING_MAX_BYTES 20000000

/* Forgets the latest ones above the bound, and with them all in the pool that spends them. */
static void bound_waiting(struct mempool *m)
{
    struct waiting *w = &m->waiting;
    size_t drop = 0;
    for (; w->bytes > WAITING_MAX_BYTES && drop < w->n; drop++) {
        struct tx *tx = w->tx[drop];
        w->bytes -= tx->raw_len;
        pool_remove_recursive(m, tx, REMOVED_REORG);
        tx_unref(tx);
    }
    w->n -= drop;
    for (size_t i = 0; drop && i < w->n; i++)
        w->tx[i] = w->tx[i + drop];
}

void mempool_block_disconnected(struct mempool *m, const struct block *b)
{
    struct waiting *w = &m->waiting;

    m->reorganised = true;
    for (uint32_t i = b->n_tx; i-- > 0;) {
        if (w->n == w->cap) {
            w->cap = w->cap ? 2 * w->cap : 256;
            w->tx = (struct tx **)xrealloc(w->tx, w->cap * sizeof(*w->tx));
        }
        w->tx[w->n++] = tx_clone(&b->tx[i]);
        w->bytes += b->tx[i].raw_len;
    }
    bound_waiting(m);
}

static void put_back(struct mempool *m, bool wanted)
{
    struct waiting w = m->waiting;
    struct pool_list back = {NULL, 0, 0};

    m->waiting = (struct waiting){NULL, 0, 0, 0};
    for (size_t i = w.n; i-- > 0;) { /* the earliest first: parents before children */
        struct mempool_result r;
        if (!wanted || tx_is_coinbase(w.tx[i]) || !mempool_accept(m, w.tx[i], false, true, &r))
            pool_remove_recursive(m, w.tx[i], REMOVED_REORG);
    }
    for (size_t i = w.n; i-- > 0;) {
        struct entry *e = index_find(m, &w.tx[i]->txid);
        if (e)
            pool_list_add(&back, e);
        tx_unref(w.tx[i]);
    }
    pool_rejoin(m, back.e, back.n);
    pool_list_clear(&back);
    free(w.tx);
}

void mempool_forget_disconnected(struct mempool *m)
{
    put_back(m, false);
}

static bool coins_mature(struct mempool *m, const struct header_node *tip, const struct entry *e)
{
    for (uint32_t i = 0; i < e->pub.tx->n_in; i++) {
        struct coin c;
        if (index_find(m, &e->pub.tx->in[i].prevout->txid))
            continue;
        if (pool_coin(m, &c, e->pub.tx->in[i].prevout) != RC_OK)
            return false;
        if (c.coinbase && tip->height + 1 - (int32_t)c.height < COINBASE_MATURITY)
            return false;
    }
    return true;
}

/* The lock depends on heights and times of blocks that the new chain may not have. */
static bool renew_lock(struct mempool *m, const struct header_node *tip, struct entry *e)
{
    const struct tx *tx = e->pub.tx;
    const struct header_node *block = e->lock ? e->lock->block : NULL;
    struct sequence_lock lock;
    struct coin *coins;

    if (!e->lock || (block && header_node_ancestor(tip, block->height) == block))
        return true;
    coins = (struct coin *)arena_alloc(&m->scratch, tx->n_in * sizeof(*coins));
    for (uint32_t i = 0; i < tx->n_in; i++) {
        if (pool_coin(m, &coins[i], tx->in[i].prevout) != RC_OK)
            return false;
    }
    lock = pool_sequence_lock(m, tip, tx, coins, &block);
    m->inner_usage -= entry_usage(e);
    entry_set_lock(e, lock, block);
    m->inner_usage += entry_usage(e);
    return true;
}

static bool still_valid(struct mempool *m, const struct header_node *tip, struct entry *e)
{
    bool ok = pool_is_final(tip, e->pub.tx) && renew_lock(m, tip, e) && (!e->lock || pool_lock_passed(tip, e->lock->lock)) &&
              (!e->spends_coinbase || coins_mature(m, tip, e));
    arena_reset(&m->scratch);
    return ok;
}

static void drop_invalid(struct mempool *m)
{
    const struct header_node *tip = m->o.chain.tip(m->o.chain.ctx);
    struct pool_list bad = {NULL, 0, 0}, gone = {NULL, 0, 0};

    for (size_t i = 0; i < m->by_time.n; i++) {
        struct entry *e = entry_of_time(m->by_time.node[i]);
        if (!still_valid(m, tip, e))
            pool_list_add(&bad, e);
    }
    pool_new_mark(m);
    for (size_t i = 0; i < bad.n; i++)
        pool_list_add_descendants(m, &gone, bad.e[i]);
    if (gone.n)
        pool_remove(m, gone.e, gone.n, REMOVED_REORG);
    pool_list_clear(&bad);
    pool_list_clear(&gone);
}

void mempool_tip_changed(struct mempool *m)
{
    if (m->reorganised) {
        m->reorganised = false;
        put_back(m, true);
        drop_invalid(m);
        pool_expire(m);
        pool_trim(m, m->o.max_bytes);
    }
    pool_check(m);
}
