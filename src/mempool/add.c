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

/* All that will be one cluster with e. */
static void gather_all(struct mempool *m, struct pool_list *all, struct entry *e)
{
    pool_new_mark(m);
    e->mark = m->mark;
    pool_list_add(all, e);
    for (uint32_t i = 0; i < e->n_parents; i++)
        gather_cluster(m, all, e->parent[i]);
}

void pool_insert(struct mempool *m, struct entry *e)
{
    struct pool_list all = {NULL, 0, 0};

    gather_all(m, &all, e);
    for (size_t i = 0; i < all.n; i++) {
        if (all.e[i]->cluster)
            cluster_release(m, all.e[i]->cluster);
    }
    index_add(m, e);
    atomic_fetch_add(&m->updates, 1);
    heap_add(&m->by_time, &e->by_time);
    m->inner_usage += entry_usage(e);
    m->vsize += (size_t)entry_vsize(e);
    m->fees += e->pub.fee;
    clusters_adopt(m, all.e, all.n);
    pool_list_clear(&all);
}
