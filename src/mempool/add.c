/* add.c - an accepted transaction becomes part of the pool. Called by accept.c; validation thread. */
#include <stdlib.h>

#include "mempool/internal.h"

/* Adds the members of e's cluster that do not carry the mark. */
static void gather_cluster(struct mempool *m, struct pool_list *l, const struct entry *e)
{
    for (unsigned i = 0; e->cluster && i < e->cluster->n; i++) {
        struct entry *other = e->cluster->tx[i].e;
        if (other->mark != m->mark) {
            other->mark = m->mark;
            pool_list_add(l, other);
        }
    }
}

/* Transactions of the pool that spend e's outputs: after a reorganisation only. */
static void gather_children(struct mempool *m, struct pool_list *l, const struct entry *e)
{
    struct outpoint o = {.txid = e->pub.tx->txid};
    m->mark++;
    for (; o.n < e->pub.tx->n_out; o.n++) {
        struct spend *s = index_find_spend(m, &o);
        if (s && s->by->mark != m->mark) {
            s->by->mark = m->mark;
            pool_list_add(l, s->by);
        }
    }
}

/* All that would be one cluster with e. */
static int64_t gather_all(struct mempool *m, struct pool_list *all, struct entry *e, const struct pool_list *children)
{
    int64_t weight = 0;
    all->n = 0;
    m->mark++;
    e->mark = m->mark;
    pool_list_add(all, e);
    for (uint32_t i = 0; i < e->n_parents; i++)
        gather_cluster(m, all, e->parent[i]);
    for (size_t i = 0; i < children->n; i++)
        gather_cluster(m, all, children->e[i]);
    for (size_t i = 0; i < all->n; i++)
        weight += all->e[i]->adjusted_weight;
    return weight;
}

/* Removes the worst last chunk of the children's clusters; with e's own it was within the limits before they came. */
static void drop_worst(struct mempool *m, const struct pool_list *children)
{
    struct pool_list gone = {NULL, 0, 0};
    const struct cluster *worst = children->e[0]->cluster;
    const struct chunk *last;

    for (size_t i = 1; i < children->n; i++) {
        const struct cluster *c = children->e[i]->cluster;
        if (rate_cmp(c->chunk[c->n_chunks - 1].rate, worst->chunk[worst->n_chunks - 1].rate) < 0)
            worst = c;
    }
    last = &worst->chunk[worst->n_chunks - 1];
    for (unsigned i = 0; i < last->n; i++)
        pool_list_add(&gone, worst->tx[last->first + i].e);
    pool_remove(m, gone.e, gone.n, REMOVED_SIZE);
    pool_list_clear(&gone);
}

/* The children that stay. Out: all: the future cluster. */
static void gather_within_limits(struct mempool *m, struct pool_list *all, struct entry *e, struct pool_list *children,
                                 bool may_have_children)
{
    const struct policy *p = &m->o.policy;
    for (;;) {
        children->n = 0;
        if (may_have_children)
            gather_children(m, children, e);
        int64_t weight = gather_all(m, all, e, children);
        if (!children->n || (all->n <= p->cluster_count && weight <= p->cluster_vsize * WITNESS_SCALE_FACTOR))
            return;
        drop_worst(m, children);
    }
}

void pool_insert(struct mempool *m, struct entry *e, bool may_have_children)
{
    struct pool_list all = {NULL, 0, 0}, children = {NULL, 0, 0};

    gather_within_limits(m, &all, e, &children, may_have_children);
    for (size_t i = 0; i < children.n; i++) {
        if (!entry_has_parent(children.e[i], e)) {
            m->inner_usage -= children.e[i]->usage;
            entry_add_parent(children.e[i], e);
            m->inner_usage += children.e[i]->usage;
        }
    }
    for (size_t i = 0; i < all.n; i++) {
        if (all.e[i]->cluster)
            cluster_release(m, all.e[i]->cluster);
    }
    index_add(m, e);
    atomic_fetch_add(&m->updates, 1);
    heap_add(&m->by_time, &e->by_time);
    m->inner_usage += e->usage;
    m->vsize += (size_t)e->pub.vsize;
    m->fees += e->pub.fee;
    clusters_adopt(m, all.e, all.n);
    pool_list_clear(&all);
    pool_list_clear(&children);
}
