/* order.c - the pool in the order in which a miner takes it: all chunks of all clusters by falling fee rate. Called by mining, RPC and
 * persist.c; validation thread. */
#include <stdlib.h>
#include <string.h>

#include "mempool/internal.h"
#include "util/mem.h"

/* Equal rates: what is behind less of that rate in its cluster first, then by id; a cluster's own chunks stay in their order. */
static int chunk_cmp(const void *x, const void *y)
{
    const struct placed_chunk *a = (const struct placed_chunk *)x, *b = (const struct placed_chunk *)y;
    int cmp = rate_cmp(b->cluster->chunk[b->index].rate, a->cluster->chunk[a->index].rate);
    if (cmp)
        return cmp;
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix ? -1 : 1;
    return memcmp(a->last->b, b->last->b, 32);
}

size_t pool_chunks(const struct mempool *m, struct placed_chunk **out)
{
    size_t n = 0;
    for (size_t i = 0; i < m->by_worst.n; i++)
        n += cluster_of_worst(m->by_worst.node[i])->n_chunks;
    *out = (struct placed_chunk *)xmalloc((n + 1) * sizeof(**out));
    n = 0;
    for (size_t i = 0; i < m->by_worst.n; i++) {
        const struct cluster *c = cluster_of_worst(m->by_worst.node[i]);
        for (unsigned k = 0; k < c->n_chunks; k++)
            (*out)[n++] = (struct placed_chunk){c, k, chunk_prefix(c, k), chunk_last_id(c, k)};
    }
    qsort(*out, n, sizeof(**out), chunk_cmp);
    return n;
}

/* A chunk's members as others see them. Out: tx (CLUSTER_MAX). */
static struct mempool_chunk show_chunk(struct mempool_entry *tx, const struct cluster *c, unsigned index)
{
    const struct chunk *k = &c->chunk[index];
    for (unsigned t = 0; t < k->n; t++) {
        struct entry *e = c->tx[k->first + t].e;
        entry_refresh(e);
        tx[t] = e->pub;
    }
    return (struct mempool_chunk){tx, k->n, k->rate.fee, k->rate.weight};
}

bool mempool_cluster_chunks(struct mempool *m, const struct txid *id, bool (*fn)(void *ctx, const struct mempool_chunk *c),
                            void *ctx)
{
    const struct entry *e = index_find(m, id);
    struct mempool_entry tx[CLUSTER_MAX];
    bool go_on = true;

    for (unsigned i = 0; e && i < e->cluster->n_chunks && go_on; i++) {
        struct mempool_chunk c = show_chunk(tx, e->cluster, i);
        go_on = fn(ctx, &c);
    }
    return e != NULL;
}

/* One walk for all: visits chunks, and leaves out the rest of clusters of which one was left out. */
static void walk(struct mempool *m, enum mempool_visit (*fn)(void *ctx, const struct mempool_chunk *c), void *ctx)
{
    struct mempool_entry tx[CLUSTER_MAX];
    struct placed_chunk *order;
    size_t n = pool_chunks(m, &order);
    enum mempool_visit visit = MEMPOOL_TAKEN;
    uint64_t left_out = ++m->mark; /* carried by the first member of such clusters */

    for (size_t i = 0; i < n && visit != MEMPOOL_STOP; i++) {
        const struct cluster *c = order[i].cluster;
        struct mempool_chunk out;
        if (c->tx[0].e->mark == left_out)
            continue;
        out = show_chunk(tx, c, order[i].index);
        visit = fn(ctx, &out);
        if (visit == MEMPOOL_LEFT_OUT)
            c->tx[0].e->mark = left_out;
    }
    free(order);
}

void mempool_take_chunks(struct mempool *m, enum mempool_visit (*fn)(void *ctx, const struct mempool_chunk *c), void *ctx)
{
    walk(m, fn, ctx);
}

struct each {
    bool (*entry)(void *ctx, const struct mempool_entry *e);
    bool (*chunk)(void *ctx, const struct mempool_chunk *c);
    void *ctx;
};

static enum mempool_visit visit_chunk(void *ctx, const struct mempool_chunk *c)
{
    const struct each *each = (const struct each *)ctx;
    bool go_on = true;
    if (each->chunk)
        go_on = each->chunk(each->ctx, c);
    for (size_t i = 0; each->entry && i < c->n && go_on; i++)
        go_on = each->entry(each->ctx, &c->tx[i]);
    return go_on ? MEMPOOL_TAKEN : MEMPOOL_STOP;
}

void mempool_each(struct mempool *m, bool (*fn)(void *ctx, const struct mempool_entry *e), void *ctx)
{
    struct each each = {fn, NULL, ctx};
    walk(m, visit_chunk, &each);
}

void mempool_each_chunk(struct mempool *m, bool (*fn)(void *ctx, const struct mempool_chunk *c), void *ctx)
{
    struct each each = {NULL, fn, ctx};
    walk(m, visit_chunk, &each);
}
