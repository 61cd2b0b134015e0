/* rejoin.c - after a reorganisation: transactions that came back from blocks meet those in the pool that spend them. Clusters that would become
 * too large lose transactions. Called by reorg.c; validation thread.
 *
 * What stays is found as Core finds it: each cluster is taken from its front, always the one whose next transaction is in the best chunk; who
 * would make the cluster so far too large is left out, and all that stands behind it in its old cluster or spends it. */
#include <stdlib.h>
#include <string.h>

#include "mempool/internal.h"
#include "util/mem.h"

struct node {
    struct heap_node place; /* first; among those whose turn may be next */
    struct entry *e;
    struct fee_weight chunk;
    size_t up, n; /* part that it is in; for its root: members and weight */
    int64_t weight;
    size_t after;      /* the next of its cluster, NONE at the end */
    size_t first_link; /* links to what spends it */
    size_t waits;      /* for so many to be taken */
    bool taken;
};

struct link {
    size_t parent, child, next; /* next of the same parent */
};

#define NONE SIZE_MAX

struct rejoin {
    struct mempool *m;
    struct node *node;
    size_t n;
    struct link *link;
    size_t n_links, cap_links;
};

static bool better(const struct heap_node *a, const struct heap_node *b)
{
    const struct node *x = (const struct node *)(const void *)a, *y = (const struct node *)(const void *)b;
    int cmp = rate_cmp(x->chunk, y->chunk);

    if (cmp)
        return cmp > 0;
    if (x->chunk.weight != y->chunk.weight)
        return x->chunk.weight < y->chunk.weight;
    return memcmp(x->e->pub.tx->txid.b, y->e->pub.tx->txid.b, 32) < 0;
}

static size_t root_of(struct rejoin *r, size_t i)
{
    while (r->node[i].up != i) {
        r->node[i].up = r->node[r->node[i].up].up;
        i = r->node[i].up;
    }
    return i;
}

static size_t unite(struct rejoin *r, size_t a, size_t b)
{
    a = root_of(r, a);
    b = root_of(r, b);
    if (a == b)
        return a;
    if (r->node[a].n < r->node[b].n) {
        size_t c = a;
        a = b;
        b = c;
    }
    r->node[b].up = a;
    r->node[a].n += r->node[b].n;
    r->node[a].weight += r->node[b].weight;
    return a;
}

static void alone(struct node *x, size_t i)
{
    x->up = i;
    x->n = 1;
    x->weight = x->e->adjusted_weight;
}

/* ---- who is concerned ---- */

/* All members of e's cluster, in its order. slot and mark of the entries say who is there already. */
static void add_cluster(struct rejoin *r, size_t *cap, const struct entry *e)
{
    const struct cluster *c = e->cluster;
    unsigned k = 0;

    if (e->mark == r->m->mark)
        return;
    if (r->n + c->n > *cap) {
        *cap = 2 * *cap + c->n;
        r->node = (struct node *)xrealloc(r->node, *cap * sizeof(*r->node));
    }
    for (unsigned i = 0; i < c->n; i++) {
        k += i == cluster_chunks(c)[k].first + cluster_chunks(c)[k].n;
        r->node[r->n] =
            (struct node){.e = c->tx[i].e, .chunk = chunk_rate(&cluster_chunks(c)[k]), .first_link = NONE, .waits = i > 0};
        r->node[r->n].after = i + 1 < c->n ? r->n + 1 : NONE;
        c->tx[i].e->mark = r->m->mark;
        c->tx[i].e->slot = (uint32_t)r->n++;
    }
}

/* Calls fn for each input in the pool that spends e but does not know it as a parent. */
static void each_new_child(struct rejoin *r, size_t *cap, struct entry *e,
                           void (*fn)(struct rejoin *, size_t *, struct entry *, struct entry *))
{
    struct outpoint o = {.txid = e->pub.tx->txid};

    for (; o.n < e->pub.tx->n_out; o.n++) {
        struct entry *child = index_find_spender(r->m, &o);
        if (child && !entry_has_parent(child, e))
            fn(r, cap, e, child);
    }
}

static void note_clusters(struct rejoin *r, size_t *cap, struct entry *parent, struct entry *child)
{
    add_cluster(r, cap, parent);
    add_cluster(r, cap, child);
}

static void note_link(struct rejoin *r, size_t *cap, struct entry *parent, struct entry *child)
{
    struct node *p = &r->node[parent->slot];

    (void)cap;
    if (r->n_links == r->cap_links) {
        r->cap_links = r->cap_links ? 2 * r->cap_links : 64;
        r->link = (struct link *)xrealloc(r->link, r->cap_links * sizeof(*r->link));
    }
    r->link[r->n_links] = (struct link){parent->slot, child->slot, p->first_link};
    p->first_link = r->n_links++;
    r->node[child->slot].waits++;
}

/* ---- who stays ---- */

static bool fits(const struct mempool *m, size_t n, int64_t weight)
{
    return n <= m->o.policy.cluster_count && weight <= m->o.policy.cluster_vsize * WITNESS_SCALE_FACTOR;
}

/* Marks as taken all whose future cluster is within the limits. Returns: is that all of them? */
static bool take_what_fits(struct rejoin *r)
{
    bool all = true;

    for (size_t i = 0; i < r->n; i++)
        alone(&r->node[i], i);
    for (size_t i = 0; i < r->n; i++) {
        if (r->node[i].after != NONE)
            unite(r, i, r->node[i].after);
    }
    for (size_t i = 0; i < r->n_links; i++)
        unite(r, r->link[i].parent, r->link[i].child);
    for (size_t i = 0; i < r->n; i++) {
        const struct node *root = &r->node[root_of(r, i)];
        r->node[i].taken = fits(r->m, root->n, root->weight);
        all &= r->node[i].taken;
    }
    return all;
}

static void ready(struct heap *h, struct node *x)
{
    if (--x->waits == 0)
        heap_add(h, &x->place);
}

/* It joins the parts of those that it stands behind or spends, unless these would be too large together. before: whom it stands behind. */
static bool join(struct rejoin *r, size_t i, const size_t *before, const size_t *parents, size_t n_parents)
{
    size_t roots = 0, n = 1, *root = (size_t *)xmalloc((n_parents + 1) * sizeof(*root));
    int64_t weight = r->node[i].e->adjusted_weight;
    bool ok;

    for (size_t k = 0; k <= n_parents; k++) {
        size_t at = k < n_parents ? root_of(r, parents[k]) : before[i] != NONE ? root_of(r, before[i]) : NONE;
        bool known = at == NONE;
        for (size_t j = 0; j < roots && !known; j++)
            known = root[j] == at;
        if (known)
            continue;
        root[roots++] = at;
        n += r->node[at].n;
        weight += r->node[at].weight;
    }
    ok = fits(r->m, n, weight);
    for (size_t k = 0; k < roots && ok; k++)
        unite(r, i, root[k]);
    free(root);
    return ok;
}

static int by_child(const void *a, const void *b)
{
    const struct link *x = (const struct link *)a, *y = (const struct link *)b;
    return x->child < y->child ? -1 : x->child > y->child;
}

struct family {
    size_t *before;  /* by node: whom it stands behind in its old cluster */
    size_t *first;   /* by node: where its parents start; the next node's start is their end */
    size_t *parents; /* by links, those of a child together */
};

static struct family find_families(const struct rejoin *r)
{
    struct family f = {(size_t *)xmalloc((r->n + 1) * sizeof(size_t)), (size_t *)xmalloc((r->n + 1) * sizeof(size_t)),
                       (size_t *)xmalloc((r->n_links + 1) * sizeof(size_t))};
    struct link *sorted = (struct link *)xmalloc((r->n_links + 1) * sizeof(*sorted));
    size_t at = 0;

    memcpy(sorted, r->link, r->n_links * sizeof(*sorted));
    qsort(sorted, r->n_links, sizeof(*sorted), by_child);
    for (size_t i = 0; i < r->n; i++)
        f.before[i] = NONE;
    for (size_t i = 0; i < r->n; i++) {
        if (r->node[i].after != NONE)
            f.before[r->node[i].after] = i;
        f.first[i] = at;
        for (; at < r->n_links && sorted[at].child == i; at++)
            f.parents[at] = sorted[at].parent;
    }
    f.first[r->n] = at;
    free(sorted);
    return f;
}

/* The others, one after another. */
static void take_best(struct rejoin *r)
{
    struct family f = find_families(r);
    struct heap h = {.before = better};

    for (size_t i = 0; i < r->n; i++) {
        if (r->node[i].taken)
            continue;
        alone(&r->node[i], i);
        if (r->node[i].waits == 0)
            heap_add(&h, &r->node[i].place);
    }
    while (h.n) {
        struct node *x = (struct node *)(void *)heap_top(&h);
        size_t i = (size_t)(x - r->node);
        heap_remove(&h, &x->place);
        x->taken = join(r, i, f.before, f.parents + f.first[i], f.first[i + 1] - f.first[i]);
        if (!x->taken)
            continue;
        if (x->after != NONE)
            ready(&h, &r->node[x->after]);
        for (size_t k = x->first_link; k != NONE; k = r->link[k].next)
            ready(&h, &r->node[r->link[k].child]);
    }
    free(h.node);
    free(f.before);
    free(f.first);
    free(f.parents);
}

/* ---- what becomes of it ---- */

static void connect_links(struct rejoin *r)
{
    for (size_t i = 0; i < r->n_links; i++) {
        const struct node *parent = &r->node[r->link[i].parent], *child = &r->node[r->link[i].child];
        if (!parent->taken || !child->taken || entry_has_parent(child->e, parent->e))
            continue;
        r->m->inner_usage -= entry_usage(child->e);
        entry_add_parent(child->e, parent->e);
        entry_sort_parents(child->e);
        r->m->inner_usage += entry_usage(child->e);
    }
}

static void rebuild(struct rejoin *r, bool all)
{
    struct pool_list gone = {NULL, 0, 0}, stay = {NULL, 0, 0};

    for (size_t i = 0; i < r->n; i++)
        pool_list_add(r->node[i].taken ? &stay : &gone, r->node[i].e);
    connect_links(r);
    if (!all)
        pool_remove(r->m, gone.e, gone.n, REMOVED_SIZE);
    for (size_t i = 0; i < stay.n; i++) {
        if (stay.e[i]->cluster)
            cluster_release(r->m, stay.e[i]->cluster);
    }
    clusters_adopt(r->m, stay.e, stay.n);
    pool_list_clear(&gone);
    pool_list_clear(&stay);
}

void pool_rejoin(struct mempool *m, struct entry *const *back, size_t n)
{
    struct rejoin r = {.m = m};
    size_t cap = 0;

    pool_new_mark(m);
    for (size_t i = 0; i < n; i++)
        each_new_child(&r, &cap, back[i], note_clusters);
    for (size_t i = 0; i < n && r.n; i++) {
        if (back[i]->mark == m->mark)
            each_new_child(&r, &cap, back[i], note_link);
    }
    if (r.n_links) {
        bool all = take_what_fits(&r);
        if (!all)
            take_best(&r);
        rebuild(&r, all);
    }
    free(r.node);
    free(r.link);
}
