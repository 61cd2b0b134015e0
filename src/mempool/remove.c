/* remove.c - taking transactions out of the pool, and what a connected block does to it. Validation thread. */
#include <stdlib.h>
#include <string.h>

#include "mempool/internal.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/time.h"

static const char *removal_name(enum removal why)
{
    static const char *const name[] = {"block", "conflict", "replaced", "expiry", "sizelimit", "reorg"};
    return name[why];
}

static void forget(struct mempool *m, struct entry *e)
{
    index_remove(m, e);
    heap_remove(&m->by_time, &e->by_time);
    m->inner_usage -= entry_usage(e);
    m->vsize -= (size_t)entry_vsize(e);
    m->fees -= e->pub.fee;
    if (e->unbroadcast) {
        m->n_unbroadcast--;
        log_debug(LOG_MEMPOOL, "Removed %s from set of unbroadcast txns before confirmation that txn was sent out",
                  txid_hex(&e->pub.tx->txid).s);
    }
}

/* A member of a cluster that loses others: parents that are gone are forgotten. */
static void keep(struct mempool *m, struct entry *e)
{
    m->inner_usage -= entry_usage(e);
    for (uint32_t i = 0; i < e->n_parents;) {
        if (e->parent[i]->in_pool)
            i++;
        else
            entry_drop_parent(e, e->parent[i]);
    }
    m->inner_usage += entry_usage(e);
}

void pool_remove(struct mempool *m, struct entry *const *set, size_t n, enum removal why)
{
    struct pool_list left = {NULL, 0, 0};

    atomic_fetch_add(&m->updates, n);
    for (size_t i = 0; i < n; i++)
        forget(m, set[i]);
    for (size_t i = 0; i < n; i++) {
        struct cluster *c = set[i]->cluster;
        if (!c)
            continue; /* released with another of its members */
        for (unsigned k = 0; k < c->n; k++) {
            if (c->tx[k].e->in_pool)
                pool_list_add(&left, c->tx[k].e);
        }
        cluster_release(m, c);
    }
    for (size_t i = 0; i < left.n; i++)
        keep(m, left.e[i]);
    clusters_adopt(m, left.e, left.n);
    pool_list_clear(&left);
    for (size_t i = 0; i < n; i++) {
        uint64_t sequence = m->sequence++;
        if (m->o.fees && why != REMOVED_BLOCK)
            fees_tx_removed(m->o.fees, set[i]->fees_mark, set[i]->height);
        if (m->o.events.removed)
            m->o.events.removed(m->o.events.ctx, set[i]->pub.tx, removal_name(why), sequence);
        entry_free(set[i]);
    }
}

void pool_remove_recursive(struct mempool *m, const struct tx *tx, enum removal why)
{
    struct pool_list gone = {NULL, 0, 0};
    struct entry *e = index_find(m, &tx->txid);

    pool_new_mark(m);
    if (e) {
        pool_list_add_descendants(m, &gone, e);
    } else {
        struct outpoint o = {.txid = tx->txid};
        for (; o.n < tx->n_out; o.n++) {
            const struct entry *child = index_find_spender(m, &o);
            if (child)
                pool_list_add_descendants(m, &gone, child);
        }
    }
    if (gone.n)
        pool_remove(m, gone.e, gone.n, why);
    pool_list_clear(&gone);
}

/* Those of a block's transactions that were in the pool, for the fee estimator. */
struct known_txs {
    struct fees_mined *tx;
    size_t n;
    int64_t weight;
};

static void remove_confirmed(struct mempool *m, const struct block *b, struct known_txs *known)
{
    struct pool_list gone = {NULL, 0, 0};
    for (uint32_t i = 0; i < b->n_tx; i++) {
        struct entry *e = index_find(m, &b->tx[i].txid);
        if (e)
            pool_list_add(&gone, e);
    }
    if (m->o.fees && gone.n)
        known->tx = (struct fees_mined *)xmalloc(gone.n * sizeof(*known->tx));
    for (size_t i = 0; known->tx && i < gone.n; i++) {
        const struct entry *e = gone.e[i];
        known->tx[known->n++] = (struct fees_mined){e->fees_mark, e->height, policy_rate(e->pub.fee, entry_vsize(e))};
        known->weight += tx_weight(e->pub.tx);
    }
    pool_remove(m, gone.e, gone.n, REMOVED_BLOCK);
    pool_list_clear(&gone);
}

static void tell_fees(struct mempool *m, const struct block *b, int32_t height, struct known_txs *known)
{
    struct fees_block block = {.hash = b->hash, .height = height, .known_weight = known->weight};

    if (m->o.fees && !(m->o.chain.initial_download && m->o.chain.initial_download(m->o.chain.ctx))) {
        for (uint32_t i = 1; i < b->n_tx; i++)
            block.weight += tx_weight(&b->tx[i]);
        fees_block_connected(m->o.fees, &block, known->tx, known->n);
    }
    free(known->tx);
}

void mempool_forget_fees(struct mempool *m)
{
    for (size_t i = 0; m->o.fees && i < m->by_time.n; i++) {
        struct entry *e = entry_of_time(m->by_time.node[i]);
        fees_tx_removed(m->o.fees, e->fees_mark, e->height);
        e->fees_mark = 0;
    }
}

/* What spends the same as a transaction of a block, which may be in the pool itself. */
static void remove_conflicts(struct mempool *m, const struct tx *tx)
{
    for (uint32_t i = 0; i < tx->n_in; i++) {
        const struct entry *other = index_find_spender(m, tx->in[i].prevout);
        if (other && !txid_equal(&other->pub.tx->txid, &tx->txid)) {
            pool_forget_delta(m, &other->pub.tx->txid);
            pool_remove_recursive(m, other->pub.tx, REMOVED_CONFLICT);
        }
    }
}

static int txid_cmp(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct txid));
}

/* Transactions that wait to come back after a reorganisation are confirmed again. */
static void remove_waiting(struct mempool *m, const struct block *b)
{
    struct txid *ids = (struct txid *)xmalloc(b->n_tx * sizeof(*ids));
    struct waiting *w = &m->waiting;
    size_t kept = 0;

    for (uint32_t i = 0; i < b->n_tx; i++)
        ids[i] = b->tx[i].txid;
    qsort(ids, b->n_tx, sizeof(*ids), txid_cmp);
    for (size_t i = 0; i < w->n; i++) {
        if (bsearch(&w->tx[i]->txid, ids, b->n_tx, sizeof(*ids), txid_cmp)) {
            w->bytes -= w->tx[i]->raw_len;
            tx_unref(w->tx[i]);
        } else {
            w->tx[kept++] = w->tx[i];
        }
    }
    w->n = kept;
    free(ids);
}

void mempool_block_connected(struct mempool *m, const struct block *b, int32_t height)
{
    struct known_txs known = {NULL, 0, 0};

    if (m->waiting.n)
        remove_waiting(m, b);
    if (m->by_txid.n) {
        for (uint32_t i = 0; i < b->n_tx && m->by_txid.n; i++)
            remove_conflicts(m, &b->tx[i]); /* first: their sequence numbers are published, those of the confirmed are not */
        remove_confirmed(m, b, &known);
    }
    for (uint32_t i = 0; i < b->n_tx && m->n_delta; i++)
        pool_forget_delta(m, &b->tx[i].txid);
    m->rolling_time = time_now();
    m->block_since_bump = true;
    tell_fees(m, b, height, &known);
}
