/* relations.c - entries as others see them, and who spends whom. Called by RPC, sync and mining; validation thread. */
#include <stdlib.h>

#include "mempool/internal.h"
#include "util/mem.h"

static void sum(const struct cluster *c, uint64_t set, uint32_t *n, int64_t *vsize, int64_t *fees)
{
    *n = 0;
    *vsize = *fees = 0;
    for (; set; set &= set - 1) {
        const struct entry *e = c->tx[__builtin_ctzll(set)].e;
        ++*n;
        *vsize += entry_vsize(e);
        *fees = fee_add(*fees, e->pub.modified_fee);
    }
}

void entry_facts(struct mempool_entry *out, const struct entry *e)
{
    *out = (struct mempool_entry){.tx = e->pub.tx,
                                  .fee = e->pub.fee,
                                  .modified_fee = e->pub.modified_fee,
                                  .vsize = entry_vsize(e),
                                  .weight = tx_weight(e->pub.tx),
                                  .sigop_cost = e->sigop_cost,
                                  .time = e->time,
                                  .height = (int32_t)e->height,
                                  .sequence = e->pub.sequence,
                                  .spends_coinbase = e->spends_coinbase,
                                  .unbroadcast = e->unbroadcast};
}

void entry_show(struct mempool_entry *out, const struct entry *e)
{
    const struct cluster *c = e->cluster;
    const struct chunk *k = cluster_chunks(c);

    entry_facts(out, e);
    sum(c, c->tx[e->at].ancestors, &out->n_ancestors, &out->ancestor_vsize, &out->ancestor_fees);
    sum(c, c->tx[e->at].descendants, &out->n_descendants, &out->descendant_vsize, &out->descendant_fees);
    while (k->first + k->n <= e->at)
        k++;
    out->chunk_fee = k->fee;
    out->chunk_weight = (int64_t)k->weight;
}

static bool show(struct mempool_entry *out, const struct entry *e)
{
    if (!e)
        return false;
    entry_show(out, e);
    return true;
}

bool mempool_get(struct mempool *m, struct mempool_entry *e, const struct txid *id)
{
    return show(e, index_find(m, id));
}

bool mempool_get_by_wtxid(struct mempool *m, struct mempool_entry *e, const struct wtxid *id)
{
    return show(e, index_find_wtxid(m, id));
}

bool mempool_has_wtxid(struct mempool *m, const struct wtxid *id)
{
    return index_find_wtxid(m, id) != NULL;
}

bool mempool_is_spent(struct mempool *m, const struct outpoint *o, struct txid *spender)
{
    const struct entry *e = index_find_spender(m, o);
    if (e && spender)
        *spender = e->pub.tx->txid;
    return e != NULL;
}

static uint64_t children_of(const struct cluster *c, unsigned at)
{
    uint64_t set = 0;
    for (unsigned i = 0; i < c->n; i++) {
        if (entry_parents(c->tx[i].e) >> at & 1)
            set |= 1ull << i;
    }
    return set;
}

size_t mempool_relatives(struct mempool *m, struct txid **ids, const struct txid *id, enum mempool_relation rel)
{
    const struct entry *e = index_find(m, id);
    uint64_t set = 0;
    size_t n = 0;

    if (e) {
        const struct member *t = &e->cluster->tx[e->at];
        set = rel == MEMPOOL_PARENTS     ? entry_parents(e)
              : rel == MEMPOOL_CHILDREN  ? children_of(e->cluster, e->at)
              : rel == MEMPOOL_ANCESTORS ? t->ancestors
                                         : t->descendants;
        set &= ~(1ull << e->at);
    }
    *ids = (struct txid *)xmalloc(((size_t)__builtin_popcountll(set) + 1) * sizeof(**ids));
    for (; set; set &= set - 1)
        (*ids)[n++] = e->cluster->tx[__builtin_ctzll(set)].e->pub.tx->txid;
    return n;
}
