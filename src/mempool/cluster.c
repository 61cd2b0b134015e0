/* cluster.c - connected sets of transactions in the order in which a miner takes them. Called when entries come and go; validation thread.
 *
 * The order is linearise's. Neighbours are merged into chunks wherever the later one pays more, which is what a miner would do with it. */
#include <stdlib.h>
#include <string.h>

#include "mempool/internal.h"
#include "util/assert.h"
#include "util/mem.h"

#define MOST_STEPS 100000 /* of ordering one cluster: ten times what the hardest of 20,000 random ones of 64 took */

int64_t fee_add(int64_t a, int64_t b)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return a < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}

/* Bits of places: parents from the entries, then ancestors and descendants until nothing is added. */
static void relate(struct mempool *m, struct member *t, struct entry *const *set, unsigned n)
{
    uint64_t parents[CLUSTER_MAX];
    bool more = true;
    pool_new_mark(m);
    for (unsigned i = 0; i < n; i++) {
        set[i]->mark = m->mark;
        set[i]->slot = i;
    }
    for (unsigned i = 0; i < n; i++) {
        t[i] = (struct member){.e = set[i], .ancestors = 1ull << i, .descendants = 0};
        parents[i] = 0;
        for (uint32_t k = 0; k < set[i]->n_parents; k++) {
            if (set[i]->parent[k]->mark == m->mark)
                parents[i] |= 1ull << set[i]->parent[k]->slot;
        }
    }
    while (more) {
        more = false;
        for (unsigned i = 0; i < n; i++) {
            uint64_t old = t[i].ancestors;
            for (uint64_t p = parents[i]; p; p &= p - 1)
                t[i].ancestors |= t[__builtin_ctzll(p)].ancestors;
            more |= t[i].ancestors != old;
        }
    }
    for (unsigned i = 0; i < n; i++) {
        for (uint64_t a = t[i].ancestors; a; a &= a - 1)
            t[__builtin_ctzll(a)].descendants |= 1ull << i;
    }
}

static bool find_order(unsigned *order, const struct member *t, unsigned n)
{
    struct lin_tx lin[CLUSTER_MAX];

    if (n == 1) {
        order[0] = 0;
        return true;
    }
    for (unsigned i = 0; i < n; i++)
        lin[i] = (struct lin_tx){{t[i].e->pub.modified_fee, t[i].e->adjusted_weight}, t[i].ancestors, t[i].e->pub.tx->txid.b};
    return linearise(order, lin, n, MOST_STEPS);
}

static void cut_chunks(struct cluster *c)
{
    for (unsigned i = 0; i < c->n; i++) {
        const struct entry *e = c->tx[i].e;
        struct chunk *k = &cluster_chunks(c)[c->n_chunks++];
        *k = (struct chunk){e->pub.modified_fee, e->adjusted_weight, (uint8_t)i, 1};
        for (; c->n_chunks > 1 && rate_cmp(chunk_rate(k), chunk_rate(&k[-1])) > 0; k--) {
            k[-1].fee = fee_add(k[-1].fee, k->fee);
            k[-1].weight = (k[-1].weight + k->weight) & 0xffffffffffffu;
            k[-1].n = (uint8_t)(k[-1].n + k->n);
            c->n_chunks--;
        }
    }
}

static uint64_t permute(uint64_t set, const unsigned *place)
{
    uint64_t out = 0;
    for (; set; set &= set - 1)
        out |= 1ull << place[__builtin_ctzll(set)];
    return out;
}

static size_t cluster_size(size_t n)
{
    return sizeof(struct cluster) + n * (sizeof(struct member) + sizeof(struct chunk));
}

size_t cluster_usage(const struct cluster *c)
{
    return heap_bytes(cluster_size(c->n));
}

struct cluster *cluster_build(struct mempool *m, struct entry *const *set, size_t n)
{
    struct cluster *c = (struct cluster *)xcalloc(1, cluster_size(n));
    struct member t[CLUSTER_MAX];
    unsigned order[CLUSTER_MAX], place[CLUSTER_MAX];

    ASSERT(n > 0 && n <= CLUSTER_MAX);
    c->n = (uint8_t)n;
    relate(m, t, set, c->n);
    c->optimal = find_order(order, t, c->n);
    for (unsigned i = 0; i < c->n; i++)
        place[order[i]] = i;
    for (unsigned i = 0; i < c->n; i++) {
        const struct member *from = &t[order[i]];
        c->tx[i] = (struct member){from->e, permute(from->ancestors, place), permute(from->descendants, place)};
    }
    cut_chunks(c);
    return c;
}

int64_t chunk_prefix(const struct cluster *c, unsigned index)
{
    int64_t weight = (int64_t)cluster_chunks(c)[index].weight;
    while (index-- && rate_cmp(chunk_rate(&cluster_chunks(c)[index]), chunk_rate(&cluster_chunks(c)[index + 1])) == 0)
        weight += (int64_t)cluster_chunks(c)[index].weight;
    return weight;
}

const struct txid *chunk_last_id(const struct cluster *c, unsigned index)
{
    const struct chunk *k = &cluster_chunks(c)[index];
    const struct txid *last = &c->tx[k->first].e->pub.tx->txid;
    for (unsigned i = 1; i < k->n; i++) {
        const struct txid *id = &c->tx[k->first + i].e->pub.tx->txid;
        if (memcmp(id->b, last->b, 32) > 0)
            last = id;
    }
    return last;
}

/* The part that i belongs to; paths are halved on the way. */
static size_t root_of(size_t *up, size_t i)
{
    while (up[i] != i) {
        up[i] = up[up[i]];
        i = up[i];
    }
    return i;
}

size_t entries_part(struct mempool *m, struct entry **set, size_t n, size_t **ends)
{
    size_t *up = (size_t *)xmalloc((n + 1) * 3 * sizeof(*up)), *count = up + n + 1, *start = count + n + 1;
    struct entry **sorted = (struct entry **)xmalloc((n + 1) * sizeof(*sorted));
    size_t parts = 0, at = 0;

    pool_new_mark(m);
    for (size_t i = 0; i < n; i++) {
        set[i]->mark = m->mark;
        up[i] = i;
        set[i]->slot = (uint32_t)i;
        count[i] = 0;
    }
    for (size_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < set[i]->n_parents; k++) {
            if (set[i]->parent[k]->mark == m->mark)
                up[root_of(up, set[i]->parent[k]->slot)] = root_of(up, i);
        }
    }
    for (size_t i = 0; i < n; i++)
        parts += count[root_of(up, i)]++ == 0;
    *ends = (size_t *)xmalloc((parts + 1) * sizeof(**ends));
    parts = 0;
    for (size_t i = 0; i < n; i++) {
        if (!count[i])
            continue;
        start[i] = at;
        at += count[i];
        (*ends)[parts++] = at;
    }
    for (size_t i = 0; i < n; i++)
        sorted[start[root_of(up, i)]++] = set[i];
    for (size_t i = 0; i < n; i++)
        set[i] = sorted[i];
    free(sorted);
    free(up);
    return parts;
}

void clusters_adopt(struct mempool *m, struct entry **set, size_t n)
{
    size_t *ends, parts = entries_part(m, set, n, &ends), first = 0;
    for (size_t p = 0; p < parts; p++) {
        struct cluster *c = cluster_build(m, set + first, ends[p] - first);
        for (unsigned i = 0; i < c->n; i++) {
            c->tx[i].e->cluster = c;
            c->tx[i].e->at = (uint8_t)i;
        }
        heap_add(&m->by_worst, &c->by_worst);
        m->inner_usage += cluster_usage(c);
        m->n_unfinished += !c->optimal;
        first = ends[p];
    }
    free(ends);
}

void cluster_release(struct mempool *m, struct cluster *c)
{
    for (unsigned i = 0; i < c->n; i++)
        c->tx[i].e->cluster = NULL;
    heap_remove(&m->by_worst, &c->by_worst);
    m->inner_usage -= cluster_usage(c);
    m->n_unfinished -= !c->optimal;
    free(c);
}
