/* order.c - the pool in the order in which a miner takes it: all chunks of all clusters by falling fee rate. Called by mining, RPC and
 * persist.c; validation thread. */
#include <stdlib.h>
#include <string.h>

#include "mempool/internal.h"
#include "util/bytes.h"
#include "util/mem.h"

/* Equal rates: what is behind less of that rate in its cluster first, then by id; a cluster's own chunks stay in their order. */
static int chunk_cmp(const void *x, const void *y)
{
    const struct placed_chunk *a = (const struct placed_chunk *)x, *b = (const struct placed_chunk *)y;
    int cmp = rate_cmp(chunk_rate(&cluster_chunks(b->cluster)[b->index]), chunk_rate(&cluster_chunks(a->cluster)[a->index]));
    if (cmp)
        return cmp;
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix ? -1 : 1;
    return memcmp(a->last->b, b->last->b, 32);
}

static struct placed_chunk place_chunk(const struct cluster *c, unsigned index)
{
    return (struct placed_chunk){c, index, chunk_prefix(c, index), chunk_last_id(c, index)};
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
            (*out)[n++] = place_chunk(c, k);
    }
    qsort(*out, n, sizeof(**out), chunk_cmp);
    return n;
}

/* A chunk's members as others see them. Out: tx (CLUSTER_MAX). */
static struct mempool_chunk show_chunk(struct mempool_entry *tx, const struct cluster *c, unsigned index)
{
    const struct chunk *k = &cluster_chunks(c)[index];
    for (unsigned t = 0; t < k->n; t++) {
        entry_show(&tx[t], c->tx[k->first + t].e);
    }
    return (struct mempool_chunk){tx, k->n, k->fee, (int64_t)k->weight};
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

/* ---- the walk: a heap of the clusters by the best chunk that each has left, so that who stops early has sorted little ---- */

/* What is compared stands here: most comparisons look at no cluster. */
struct next_chunk {
    struct fee_weight rate;
    const struct cluster *cluster;
    unsigned index;
    bool tied;      /* something had the same rate, so that the next two are known */
    int64_t prefix; /* see chunk_cmp */
    uint64_t id;    /* the first bytes of the id */
};
struct walk {
    struct next_chunk *heap;
    size_t n;
};

/* Looked up once: many transactions pay the same. */
static void know_tie(struct next_chunk *n)
{
    if (n->tied)
        return;
    n->tied = true;
    n->prefix = chunk_prefix(n->cluster, n->index);
    n->id = get_be64(chunk_last_id(n->cluster, n->index)->b);
}

static bool comes_first(struct next_chunk *a, struct next_chunk *b)
{
    int cmp = rate_cmp(a->rate, b->rate);
    struct placed_chunk x, y;
    if (cmp)
        return cmp > 0;
    know_tie(a);
    know_tie(b);
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix;
    if (a->id != b->id)
        return a->id < b->id;
    x = place_chunk(a->cluster, a->index);
    y = place_chunk(b->cluster, b->index);
    return chunk_cmp(&x, &y) < 0;
}

static void sift_down(struct walk *w, size_t at)
{
    struct next_chunk moving = w->heap[at];
    for (size_t child; (child = 2 * at + 1) < w->n; at = child) {
        if (child + 1 < w->n && comes_first(&w->heap[child + 1], &w->heap[child]))
            child++;
        if (!comes_first(&w->heap[child], &moving))
            break;
        w->heap[at] = w->heap[child];
    }
    w->heap[at] = moving;
}

static void walk_begin(struct walk *w, const struct mempool *m)
{
    w->n = m->by_worst.n;
    w->heap = (struct next_chunk *)xmalloc((w->n + 1) * sizeof(*w->heap));
    for (size_t i = 0; i < w->n; i++) {
        const struct cluster *c = cluster_of_worst(m->by_worst.node[i]);
        w->heap[i] = (struct next_chunk){.rate = chunk_rate(&cluster_chunks(c)[0]), .cluster = c};
    }
    for (size_t i = w->n / 2; i-- > 0;)
        sift_down(w, i);
}

/* On to the next chunk: of the same cluster, unless the rest of it is left out. */
static void walk_next(struct walk *w, bool leave_out)
{
    struct next_chunk *top = &w->heap[0];
    if (!leave_out && top->index + 1 < top->cluster->n_chunks) {
        top->rate = chunk_rate(&cluster_chunks(top->cluster)[++top->index]);
        top->tied = false;
    } else {
        *top = w->heap[--w->n];
    }
    if (w->n)
        sift_down(w, 0);
}

void mempool_take_chunks(struct mempool *m, enum mempool_visit (*fn)(void *ctx, const struct mempool_chunk *c), void *ctx)
{
    struct mempool_entry tx[CLUSTER_MAX];
    struct walk w;
    enum mempool_visit visit = MEMPOOL_TAKEN;

    walk_begin(&w, m);
    while (w.n && visit != MEMPOOL_STOP) {
        const struct cluster *c = w.heap[0].cluster;
        const struct chunk *k = &cluster_chunks(c)[w.heap[0].index];
        struct mempool_chunk out = {tx, k->n, k->fee, (int64_t)k->weight};
        for (unsigned i = 0; i < k->n; i++)
            entry_facts(&tx[i], c->tx[k->first + i].e);
        visit = fn(ctx, &out);
        walk_next(&w, visit == MEMPOOL_LEFT_OUT);
    }
    free(w.heap);
}

/* All of it, with the relations of each. */
static void walk_all(struct mempool *m, bool (*fn)(void *ctx, const struct mempool_chunk *c), void *ctx)
{
    struct mempool_entry tx[CLUSTER_MAX];
    struct placed_chunk *order;
    size_t n = pool_chunks(m, &order);
    bool go_on = true;

    for (size_t i = 0; i < n && go_on; i++) {
        struct mempool_chunk out = show_chunk(tx, order[i].cluster, order[i].index);
        go_on = fn(ctx, &out);
    }
    free(order);
}

struct each {
    bool (*fn)(void *ctx, const struct mempool_entry *e);
    void *ctx;
};

static bool visit_entries(void *ctx, const struct mempool_chunk *c)
{
    const struct each *each = (const struct each *)ctx;
    bool go_on = true;
    for (size_t i = 0; i < c->n && go_on; i++)
        go_on = each->fn(each->ctx, &c->tx[i]);
    return go_on;
}

void mempool_each(struct mempool *m, bool (*fn)(void *ctx, const struct mempool_entry *e), void *ctx)
{
    struct each each = {fn, ctx};
    walk_all(m, visit_entries, &each);
}

void mempool_each_chunk(struct mempool *m, bool (*fn)(void *ctx, const struct mempool_chunk *c), void *ctx)
{
    walk_all(m, fn, ctx);
}
