/* check.c - the pool's promises to itself, one by one: for tests (-checkmempool and the fuzz target). A fault is a bug: the program ends.
 * Called after changes; validation thread. */
#include <stdlib.h>
#include <string.h>

#include "mempool/internal.h"
#include "util/assert.h"

struct sums {
    size_t vsize, usage, spends, unbroadcast, fee_marks, clusters, unfinished;
    int64_t fees;
};

/* Its inputs are there, nobody else spends them, and its parents are exactly those that made them. */
static void check_inputs(struct mempool *m, const struct entry *e)
{
    bool settled = !m->o.chain.settled || m->o.chain.settled(m->o.chain.ctx);
    const struct tx *tx = e->pub.tx;
    uint32_t n_parents = 0;

    for (uint32_t i = 0; i < tx->n_in; i++) {
        const struct outpoint *o = tx->in[i].prevout;
        const struct entry *parent = index_find(m, &o->txid);
        struct coin c;
        ASSERT(index_find_spender(m, o) == e);
        if (!parent) {
            ASSERT(!settled || pool_coin(m, &c, o) != RC_NOT_FOUND);
            continue;
        }
        ASSERT(parent != e && o->n < parent->pub.tx->n_out && entry_has_parent(e, parent));
        ASSERT(parent->cluster == e->cluster && parent->at < e->at);
    }
    for (uint32_t k = 0; k < e->n_parents; k++) {
        bool spent = false;
        for (uint32_t i = 0; i < tx->n_in && !spent; i++)
            spent = txid_equal(&tx->in[i].prevout->txid, &e->parent[k]->pub.tx->txid);
        ASSERT(spent && e->parent[k]->in_pool);
        for (uint32_t other = 0; other < k; other++)
            ASSERT(e->parent[other] != e->parent[k]);
        n_parents++;
    }
    ASSERT(n_parents == e->n_parents);
    arena_reset(&m->scratch);
}

static void check_entry(struct mempool *m, const struct entry *e, struct sums *s)
{
    const struct tx *tx = e->pub.tx;

    ASSERT(e->in_pool && index_find(m, &tx->txid) == e && index_find_wtxid(m, &tx->wtxid) == e);
    ASSERT(e->pub.modified_fee == fee_add(e->pub.fee, pool_delta(m, &tx->txid)));
    ASSERT((int64_t)e->adjusted_weight >= tx_weight(tx));
    ASSERT(e->cluster && e->at < e->cluster->n && e->cluster->tx[e->at].e == e);
    check_inputs(m, e);
    s->vsize += (size_t)entry_vsize(e);
    s->fees += e->pub.fee;
    s->usage += entry_usage(e);
    s->spends += tx->n_in;
    s->unbroadcast += e->unbroadcast;
    s->fee_marks += e->fees_mark != 0;
}

/* Relations as the parents say; all of it hangs together. */
static void check_relations(const struct cluster *c)
{
    uint64_t part = 1, all = c->n == CLUSTER_MAX ? ~0ull : (1ull << c->n) - 1;

    for (unsigned i = 0; i < c->n; i++) {
        const struct member *t = &c->tx[i];
        uint64_t ancestors = 1ull << i;
        for (uint32_t k = 0; k < t->e->n_parents; k++)
            ancestors |= c->tx[t->e->parent[k]->at].ancestors;
        ASSERT(t->ancestors == ancestors);
        for (unsigned k = 0; k < c->n; k++)
            ASSERT((t->descendants >> k & 1) == (c->tx[k].ancestors >> i & 1));
    }
    for (unsigned round = 0; round < c->n && part != all; round++) {
        for (unsigned i = 0; i < c->n; i++) {
            if (c->tx[i].ancestors & part)
                part |= c->tx[i].ancestors;
        }
    }
    ASSERT(part == all);
}

/* Chunks cover the cluster in order, by falling rates, with the sums of their members. */
static void check_chunks(const struct cluster *c)
{
    unsigned at = 0;

    for (unsigned i = 0; i < c->n_chunks; i++) {
        const struct chunk *k = &cluster_chunks(c)[i];
        int64_t weight = 0;
        ASSERT(k->first == at && k->n > 0 && (i == 0 || rate_cmp(chunk_rate(k), chunk_rate(&k[-1])) <= 0));
        for (; at < k->first + k->n; at++)
            weight += c->tx[at].e->adjusted_weight;
        ASSERT(weight == (int64_t)k->weight);
    }
    ASSERT(at == c->n);
}

static void check_cluster(const struct mempool *m, const struct cluster *c, struct sums *s)
{
    int64_t weight = 0;

    ASSERT(c->n > 0 && c->n <= m->o.policy.cluster_count);
    for (unsigned i = 0; i < c->n; i++) {
        ASSERT(c->tx[i].e->cluster == c && c->tx[i].e->at == i);
        weight += c->tx[i].e->adjusted_weight;
    }
    ASSERT(weight <= m->o.policy.cluster_vsize * WITNESS_SCALE_FACTOR);
    check_relations(c);
    check_chunks(c);
    s->usage += cluster_usage(c);
    s->clusters += c->n;
    s->unfinished += !c->optimal;
}

static void check_heap(const struct heap *h)
{
    for (size_t i = 0; i < h->n; i++)
        ASSERT(h->node[i]->pos == i && (i == 0 || !h->before(h->node[i], h->node[(i - 1) / 2])));
}

/* Whatever the order of mining takes, its parents are taken before. */
static void check_order(struct mempool *m)
{
    struct placed_chunk *order;
    size_t n = pool_chunks(m, &order), seen = 0;
    uint64_t mark = ++m->mark;

    for (size_t i = 0; i < n; i++) {
        const struct chunk *k = &cluster_chunks(order[i].cluster)[order[i].index];
        for (unsigned t = 0; t < k->n; t++, seen++) {
            struct entry *e = order[i].cluster->tx[k->first + t].e;
            for (uint32_t p = 0; p < e->n_parents; p++)
                ASSERT(e->parent[p]->mark == mark);
            e->mark = mark;
        }
    }
    ASSERT(seen == m->by_txid.n);
    free(order);
}

void mempool_check(struct mempool *m)
{
    struct sums s = {0};

    ASSERT(m->by_txid.n == m->by_wtxid.n && m->by_txid.n == m->by_time.n);
    for (size_t i = 0; i < m->by_time.n; i++)
        check_entry(m, entry_of_time(m->by_time.node[i]), &s);
    for (size_t i = 0; i < m->by_worst.n; i++)
        check_cluster(m, cluster_of_worst(m->by_worst.node[i]), &s);
    check_heap(&m->by_time);
    check_heap(&m->by_worst);
    check_order(m);
    ASSERT(s.clusters == m->by_txid.n && s.spends == m->spent.n);
    ASSERT(s.vsize == m->vsize && s.fees == m->fees && s.usage == m->inner_usage);
    ASSERT(!m->o.fees || s.fee_marks == fees_waiting(m->o.fees));
    ASSERT(s.unbroadcast == m->n_unbroadcast && s.unfinished == m->n_unfinished);
    for (size_t i = 0; i < m->n_delta; i++)
        ASSERT(m->delta[i].delta != 0 && (i == 0 || memcmp(m->delta[i - 1].txid.b, m->delta[i].txid.b, 32) < 0));
}

void pool_check(struct mempool *m)
{
    if (!m->o.check || ++m->changes % m->o.check != 0)
        return;
    mempool_check(m);
}
