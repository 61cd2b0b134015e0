/* relations.c - entries as others see them, and who spends whom. Called by RPC, sync and mining; validation thread. */
#include <stdlib.h>

#include "mempool/internal.h"
#include "util/mem.h"

static void sum(const struct cluster *c, uint64_t set, uint32_t *n, int64_t *vsize, int64_t *fees)
{
    *n = 0;
    *vsize = *fees = 0;
    for (; set; set &= set - 1) {
        const struct mempool_entry *e = &c->tx[__builtin_ctzll(set)].e->pub;
        ++*n;
        *vsize += e->vsize;
        *fees = fee_add(*fees, e->modified_fee);
    }
}

void entry_refresh(struct entry *e)
{
    const struct cluster *c = e->cluster;
    const struct chunk *k = c->chunk;
    struct mempool_entry *p = &e->pub;

    sum(c, c->tx[e->at].ancestors, &p->n_ancestors, &p->ancestor_vsize, &p->ancestor_fees);
    sum(c, c->tx[e->at].descendants, &p->n_descendants, &p->descendant_vsize, &p->descendant_fees);
    while (k->first + k->n <= e->at)
        k++;
    p->chunk_fee = k->rate.fee;
    p->chunk_weight = k->rate.weight;
}

static bool show(struct mempool_entry *out, struct entry *e)
{
    if (!e)
        return false;
    entry_refresh(e);
    *out = e->pub;
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
    const struct spend *s = index_find_spend(m, o);
    if (s && spender)
        *spender = s->by->pub.tx->txid;
    return s != NULL;
}

static uint64_t children_of(const struct cluster *c, unsigned at)
{
    uint64_t set = 0;
    for (unsigned i = 0; i < c->n; i++) {
        if (c->tx[i].parents >> at & 1)
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
        set = rel == MEMPOOL_PARENTS     ? t->parents
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
