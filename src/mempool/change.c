/* change.c - what a set of new transactions does to the clusters that it joins and to those that it takes transactions from: limits, fee rate
 * diagram, and the change itself. Called by accept.c, replace.c and package.c; validation thread. */
#include <stdio.h>
#include <stdlib.h>

#include "mempool/internal.h"
#include "util/log.h"
#include "util/mem.h"

#define MAX_CONFLICTING_CLUSTERS 100

void change_clear(struct change *c)
{
    pool_list_clear(&c->direct);
    pool_list_clear(&c->conflicts);
    pool_list_clear(&c->remaining);
}

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

/* Clusters of conflicts and of parents; parents that are new themselves have none. */
static void clusters_concerned(const struct change *c, struct cluster_set *s)
{
    size_t most = c->direct.n + 1;
    for (size_t i = 0; i < c->n_added; i++)
        most += c->added[i]->n_parents;
    s->n = 0;
    s->c = (struct cluster **)xmalloc(most * sizeof(struct cluster *));
    for (size_t i = 0; i < c->direct.n; i++)
        cluster_set_add(s, c->direct.e[i]->cluster);
    for (size_t i = 0; i < c->n_added; i++) {
        for (uint32_t k = 0; k < c->added[i]->n_parents; k++) {
            if (c->added[i]->parent[k]->cluster)
                cluster_set_add(s, c->added[i]->parent[k]->cluster);
        }
    }
}

bool change_gather_conflicts(struct change *c, const struct txid *who, const char *reason, struct verdict *v)
{
    struct cluster_set s = {(struct cluster **)xmalloc((c->direct.n + 1) * sizeof(struct cluster *)), 0};
    size_t n;

    for (size_t i = 0; i < c->direct.n; i++)
        cluster_set_add(&s, c->direct.e[i]->cluster);
    n = s.n;
    free(s.c);
    if (n > MAX_CONFLICTING_CLUSTERS)
        return verdict_invalid(v, TX_MEMPOOL_POLICY, reason, "rejecting replacement %s; too many conflicting clusters (%zu > %d)",
                               txid_hex(who).s, n, MAX_CONFLICTING_CLUSTERS);
    pool_new_mark(c->m);
    for (size_t i = 0; i < c->direct.n; i++)
        pool_list_add_descendants(c->m, &c->conflicts, c->direct.e[i]);
    for (size_t i = 0; i < c->conflicts.n; i++) {
        c->old_fees = fee_add(c->old_fees, c->conflicts.e[i]->pub.modified_fee);
        c->old_vsize += entry_vsize(c->conflicts.e[i]);
    }
    return true;
}

/* What would remain of the clusters concerned, and what is added, in c->remaining. */
static void gather_remaining(struct change *c, const struct cluster_set *s)
{
    pool_new_mark(c->m);
    for (size_t i = 0; i < c->conflicts.n; i++)
        c->conflicts.e[i]->mark = c->m->mark;
    c->remaining.n = 0;
    for (size_t i = 0; i < s->n; i++) {
        for (unsigned k = 0; k < s->c[i]->n; k++) {
            if (s->c[i]->tx[k].e->mark != c->m->mark)
                pool_list_add(&c->remaining, s->c[i]->tx[k].e);
        }
    }
    for (size_t i = 0; i < c->n_added; i++)
        pool_list_add(&c->remaining, c->added[i]);
}

static bool set_within_limits(const struct mempool *m, struct entry *const *set, size_t n)
{
    int64_t weight = 0;
    for (size_t i = 0; i < n; i++)
        weight += set[i]->adjusted_weight;
    return n <= m->o.policy.cluster_count && weight <= m->o.policy.cluster_vsize * WITNESS_SCALE_FACTOR;
}

bool change_within_limits(struct change *c)
{
    struct cluster_set s;
    size_t *ends, parts, first = 0;
    bool ok = true;

    clusters_concerned(c, &s);
    gather_remaining(c, &s);
    free(s.c);
    if (c->remaining.n == 1)
        return set_within_limits(c->m, c->remaining.e, 1);
    parts = entries_part(c->m, c->remaining.e, c->remaining.n, &ends);
    for (size_t p = 0; p < parts && ok; first = ends[p++])
        ok = set_within_limits(c->m, c->remaining.e + first, ends[p] - first);
    free(ends);
    return ok;
}

/* ---- fee rate diagram ---- */

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
        d->chunk[d->n++] = chunk_rate(&cluster_chunks(c)[i]);
    }
}

static int by_falling_rate(const void *a, const void *b)
{
    return rate_cmp(*(const struct fee_weight *)b, *(const struct fee_weight *)a);
}

bool change_improves(struct change *c)
{
    struct diagram before = {NULL, 0, 0}, after = {NULL, 0, 0};
    size_t *ends, parts, first = 0;
    struct cluster_set s;
    bool better;

    clusters_concerned(c, &s);
    for (size_t i = 0; i < s.n; i++)
        diagram_add(&before, s.c[i]);
    free(s.c);
    parts = entries_part(c->m, c->remaining.e, c->remaining.n, &ends);
    for (size_t p = 0; p < parts; first = ends[p++]) {
        struct cluster *k = cluster_build(c->m, c->remaining.e + first, ends[p] - first);
        diagram_add(&after, k);
        free(k);
    }
    free(ends);
    qsort(before.chunk, before.n, sizeof(*before.chunk), by_falling_rate);
    qsort(after.chunk, after.n, sizeof(*after.chunk), by_falling_rate);
    better = diagram_compare(after.chunk, after.n, before.chunk, before.n) == DIAGRAM_BETTER;
    free(before.chunk);
    free(after.chunk);
    return better;
}

/* ---- the change itself ---- */

static void log_replaced(const struct change *c, int64_t fees, int64_t vsize)
{
    struct tx *txs[MEMPOOL_PACKAGE_MAX];
    struct hash256 package;

    for (size_t i = 0; i < c->n_added; i++)
        txs[i] = c->added[i]->pub.tx;
    package = policy_package_hash(txs, c->n_added);
    for (size_t i = 0; i < c->conflicts.n; i++) {
        const struct entry *old = c->conflicts.e[i];
        char by[256];
        if (c->n_added == 1)
            snprintf(by, sizeof(by), "tx %s (wtxid=%s,", txid_hex(&txs[0]->txid).s, wtxid_hex(&txs[0]->wtxid).s);
        else
            snprintf(by, sizeof(by), "package %s with %zu txs,", hash_to_hex(package.b).s, c->n_added);
        log_debug(LOG_MEMPOOL, "replacing mempool tx %s (wtxid=%s, fees=%lld, vsize=%lld). New %s fees=%lld, vsize=%lld%s",
                  txid_hex(&old->pub.tx->txid).s, wtxid_hex(&old->pub.tx->wtxid).s, (long long)old->pub.fee,
                  (long long)entry_vsize(old), by, (long long)fees, (long long)vsize, c->n_added == 1 ? ")" : "");
    }
    log_debug(LOG_MEMPOOL, "replaced %zu mempool transactions with %zu new %s for %lld additional fees, %lld delta bytes",
              c->conflicts.n, c->n_added, c->n_added == 1 ? "transaction" : "one(s)", (long long)fee_add(fees, -c->old_fees),
              (long long)(vsize - c->old_vsize));
}

void change_apply(struct change *c)
{
    int64_t fees = 0, vsize = 0;

    for (size_t i = 0; i < c->n_added; i++) {
        fees = fee_add(fees, c->added[i]->pub.modified_fee);
        vsize += entry_vsize(c->added[i]);
    }
    if (c->conflicts.n) {
        log_replaced(c, fees, vsize);
        pool_remove(c->m, c->conflicts.e, c->conflicts.n, REMOVED_REPLACED);
    }
    for (size_t i = 0; i < c->n_added; i++)
        pool_insert(c->m, c->added[i]);
    c->n_added = 0;
}
