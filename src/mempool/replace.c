/* replace.c - what a transaction does to the clusters that it joins and to those that it takes transactions from: limits, and the rules of
 * replacement (anything may be replaced, BIP125's signal is not asked for). Called by accept.c; validation thread. */
#include <stdlib.h>

#include "mempool/internal.h"
#include "util/mem.h"

#define MAX_CONFLICTING_CLUSTERS 100

/* Adds a cluster's members that are not to be removed (those carry no mark), once. taken: clusters seen. */
struct cluster_set {
    struct cluster **c;
    size_t n;
};

static void cluster_set_add(struct cluster_set *s, struct cluster *c)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->c[i] == c)
            return;
    }
    s->c[s->n++] = c;
}

static void clusters_concerned(const struct attempt *a, struct cluster_set *s)
{
    s->n = 0;
    s->c = (struct cluster **)xmalloc((a->direct.n + a->entry->n_parents + 1) * sizeof(struct cluster *));
    for (size_t i = 0; i < a->direct.n; i++)
        cluster_set_add(s, a->direct.e[i]->cluster);
    for (uint32_t i = 0; i < a->entry->n_parents; i++)
        cluster_set_add(s, a->entry->parent[i]->cluster);
}

/* What would remain of the clusters concerned, and the new entry, in a->remaining. */
static void gather_remaining(struct attempt *a, const struct cluster_set *s)
{
    a->m->mark++;
    for (size_t i = 0; i < a->conflicts.n; i++)
        a->conflicts.e[i]->mark = a->m->mark;
    a->remaining.n = 0;
    for (size_t i = 0; i < s->n; i++) {
        for (unsigned k = 0; k < s->c[i]->n; k++) {
            if (s->c[i]->tx[k].e->mark != a->m->mark)
                pool_list_add(&a->remaining, s->c[i]->tx[k].e);
        }
    }
    pool_list_add(&a->remaining, a->entry);
}

static bool within_limits(const struct mempool *m, struct entry *const *set, size_t n)
{
    int64_t weight = 0;
    for (size_t i = 0; i < n; i++)
        weight += set[i]->adjusted_weight;
    return n <= m->o.policy.cluster_count && weight <= m->o.policy.cluster_vsize * WITNESS_SCALE_FACTOR;
}

bool attempt_check_cluster(struct attempt *a)
{
    struct cluster_set s;
    size_t *ends, parts, first = 0;
    bool ok = true;

    clusters_concerned(a, &s);
    gather_remaining(a, &s);
    free(s.c);
    parts = entries_part(a->m, a->remaining.e, a->remaining.n, &ends);
    for (size_t p = 0; p < parts && ok; first = ends[p++])
        ok = within_limits(a->m, a->remaining.e + first, ends[p] - first);
    free(ends);
    return ok || verdict_invalid(a->v, TX_MEMPOOL_POLICY, "too-large-cluster", NULL);
}

/* ---- fee rate diagrams: cumulated fees over cumulated weight, chunks by falling rate ---- */

struct diagram {
    struct fee_weight *chunk;
    size_t n, cap;
};

static void diagram_add(struct diagram *d, const struct cluster *c)
{
    for (unsigned i = 0; i < c->n_chunks; i++) {
        if (d->n == d->cap) {
            d->cap = d->cap ? 2 * d->cap : 64;
            d->chunk = (struct fee_weight *)xrealloc(d->chunk, d->cap * sizeof(*d->chunk));
        }
        d->chunk[d->n++] = c->chunk[i].rate;
    }
}

static int by_falling_rate(const void *a, const void *b)
{
    return rate_cmp(*(const struct fee_weight *)b, *(const struct fee_weight *)a);
}

/* Sign of the point (weight, fee) against the line from a corner with that rate. */
static int point_against_line(struct fee_weight point, struct fee_weight corner, struct fee_weight rate)
{
    __int128 l = ((__int128)point.fee - corner.fee) * rate.weight, r = (__int128)rate.fee * (point.weight - corner.weight);
    return l < r ? -1 : l > r;
}

/* Looks at the corners of both lines; beyond its end a diagram goes on level. Returns: a is nowhere below b, and somewhere above. */
static bool diagram_improves(const struct diagram *a, const struct diagram *b)
{
    const struct diagram *d[2] = {a, b};
    struct fee_weight at[2] = {{0, 0}, {0, 0}}; /* corners reached */
    size_t i[2] = {0, 0};
    bool above = false;

    while (i[0] < d[0]->n || i[1] < d[1]->n) {
        struct fee_weight next[2], rate[2];
        int k, cmp;
        for (k = 0; k < 2; k++) {
            rate[k] = i[k] < d[k]->n ? d[k]->chunk[i[k]] : (struct fee_weight){0, 1};
            next[k] = (struct fee_weight){fee_add(at[k].fee, rate[k].fee), at[k].weight + rate[k].weight};
        }
        /* The nearer of the next corners is compared with the other line there. */
        if (i[0] >= d[0]->n)
            k = 1;
        else if (i[1] >= d[1]->n)
            k = 0;
        else
            k = next[0].weight > next[1].weight;
        cmp = point_against_line(next[k], at[!k], rate[!k]);
        if (k == 1)
            cmp = -cmp;
        if (cmp < 0)
            return false;
        above |= cmp > 0;
        at[k] = next[k];
        i[k]++;
    }
    return above;
}

static bool improves(struct attempt *a)
{
    struct diagram before = {NULL, 0, 0}, after = {NULL, 0, 0};
    size_t *ends, parts, first = 0;
    struct cluster_set s;
    bool better;

    clusters_concerned(a, &s);
    for (size_t i = 0; i < s.n; i++)
        diagram_add(&before, s.c[i]);
    free(s.c);
    parts = entries_part(a->m, a->remaining.e, a->remaining.n, &ends);
    for (size_t p = 0; p < parts; first = ends[p++]) {
        struct cluster *c = cluster_build(a->m, a->remaining.e + first, ends[p] - first);
        diagram_add(&after, c);
        free(c);
    }
    free(ends);
    qsort(before.chunk, before.n, sizeof(*before.chunk), by_falling_rate);
    qsort(after.chunk, after.n, sizeof(*after.chunk), by_falling_rate);
    better = diagram_improves(&after, &before);
    free(before.chunk);
    free(after.chunk);
    return better;
}

/* ---- rules ---- */

static bool gather_conflicts(struct attempt *a, const char *reason)
{
    struct cluster_set s = {(struct cluster **)xmalloc((a->direct.n + 1) * sizeof(struct cluster *)), 0};
    size_t n;

    for (size_t i = 0; i < a->direct.n; i++)
        cluster_set_add(&s, a->direct.e[i]->cluster);
    n = s.n;
    free(s.c);
    if (n > MAX_CONFLICTING_CLUSTERS)
        return verdict_invalid(a->v, TX_MEMPOOL_POLICY, reason,
                               "rejecting replacement %s; too many conflicting clusters (%zu > %d)", txid_hex(&a->tx->txid).s, n,
                               MAX_CONFLICTING_CLUSTERS);
    a->m->mark++;
    for (size_t i = 0; i < a->direct.n; i++)
        pool_list_add_descendants(a->m, &a->conflicts, a->direct.e[i]);
    return true;
}

bool attempt_check_replacement(struct attempt *a)
{
    const struct mempool_entry *e = &a->entry->pub;
    int64_t old_fees = 0;

    if (!gather_conflicts(a, a->sibling ? "too many potential replacements (including sibling eviction)"
                                        : "too many potential replacements"))
        return false;
    for (size_t i = 0; i < a->conflicts.n; i++)
        old_fees = fee_add(old_fees, a->conflicts.e[i]->pub.modified_fee);
    if (!policy_pays_for_replacement(&a->m->o.policy, &a->tx->txid, old_fees, e->modified_fee, e->vsize,
                                     a->sibling ? "insufficient fee (including sibling eviction)" : "insufficient fee", a->v))
        return false;
    if (!attempt_check_cluster(a))
        return false;
    if (!improves(a))
        return verdict_invalid(a->v, TX_RECONSIDERABLE, "replacement-failed",
                               "insufficient feerate: does not improve feerate diagram");
    return true;
}

/* Nothing may spend what it takes away itself. */
bool attempt_check_ancestry(struct attempt *a)
{
    for (uint32_t i = 0; i < a->entry->n_parents; i++) {
        const struct entry *parent = a->entry->parent[i];
        for (size_t k = 0; k < a->direct.n; k++) {
            const struct entry *d = a->direct.e[k];
            if (d->cluster == parent->cluster && parent->cluster->tx[parent->at].ancestors >> d->at & 1)
                return verdict_invalid(a->v, TX_CONSENSUS, "bad-txns-spends-conflicting-tx", "%s spends conflicting transaction %s",
                                       txid_hex(&a->tx->txid).s, txid_hex(&d->pub.tx->txid).s);
        }
    }
    return true;
}
