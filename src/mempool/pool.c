/* pool.c - the pool as a whole: creation, totals, fee deltas, the unbroadcast set. Called by node and RPC; validation thread. */
#include <stdlib.h>
#include <string.h>

#include "mempool/internal.h"
#include "script/cache.h"
#include "util/log.h"
#include "util/mem.h"

#define SIGNATURE_BYTES 131072 /* of memory for signatures that verified: more than any standard transaction has */

static bool older(const struct heap_node *a, const struct heap_node *b)
{
    const struct entry *x = entry_of_time(a), *y = entry_of_time(b);
    return x->time < y->time;
}

/* Of equal rates the one goes first that a miner would take last. */
static bool worse(const struct heap_node *a, const struct heap_node *b)
{
    const struct cluster *x = cluster_of_worst(a), *y = cluster_of_worst(b);
    unsigned i = x->n_chunks - 1, k = y->n_chunks - 1;
    int cmp = rate_cmp(chunk_rate(&cluster_chunks(x)[i]), chunk_rate(&cluster_chunks(y)[k]));
    int64_t before_x, before_y;

    if (cmp)
        return cmp < 0;
    before_x = chunk_prefix(x, i);
    before_y = chunk_prefix(y, k);
    return before_x != before_y ? before_x > before_y : memcmp(chunk_last_id(x, i)->b, chunk_last_id(y, k)->b, 32) > 0;
}

struct mempool *mempool_new(const struct mempool_options *o)
{
    struct mempool *m = (struct mempool *)xcalloc(1, sizeof(*m));
    m->o = *o;
    if (m->o.policy.cluster_count > CLUSTER_MAX || m->o.policy.cluster_count == 0)
        m->o.policy.cluster_count = CLUSTER_MAX;
    m->sequence = 1;
    m->by_time.before = older;
    m->by_worst.before = worse;
    index_init(m);
    m->signatures = sig_cache_new(SIGNATURE_BYTES);
    return m;
}

void mempool_free(struct mempool *m)
{
    if (!m)
        return;
    while (m->by_worst.n)
        cluster_release(m, (struct cluster *)(void *)heap_top(&m->by_worst));
    for (size_t i = 0; i < m->by_time.n; i++)
        entry_free(entry_of_time(m->by_time.node[i]));
    for (size_t i = 0; i < m->waiting.n; i++)
        tx_unref(m->waiting.tx[i]);
    free(m->waiting.tx);
    free(m->by_time.node);
    free(m->by_worst.node);
    free(m->delta);
    index_clear(m);
    arena_clear(&m->scratch);
    sig_cache_free(m->signatures);
    free(m);
}

size_t pool_usage(const struct mempool *m)
{
    return m->inner_usage + index_usage(m) + heap_bytes(m->by_time.cap * sizeof(void *)) +
           heap_bytes(m->by_worst.cap * sizeof(void *)) + heap_bytes(m->cap_delta * sizeof(*m->delta));
}

size_t mempool_count(struct mempool *m)
{
    return m->by_txid.n;
}

void mempool_stats(struct mempool *m, struct mempool_stats *out)
{
    int64_t rolling = pool_min_fee_rate(m), relay = m->o.policy.min_relay_fee_rate;
    *out = (struct mempool_stats){
        .count = m->by_txid.n,
        .bytes = m->vsize,
        .usage = m->by_txid.n ? pool_usage(m) : 0,
        .max_bytes = m->o.max_bytes,
        .total_fee = m->fees,
        .min_fee_rate = rolling > relay ? rolling : relay,
        .sequence = m->sequence,
        .unbroadcast = m->n_unbroadcast,
        .optimal = m->n_unfinished == 0,
    };
}

uint64_t mempool_updates(const struct mempool *m)
{
    return atomic_load(&m->updates);
}

const struct policy *mempool_policy(const struct mempool *m)
{
    return &m->o.policy;
}

/* ---- fee deltas ---- */

/* Place of an id, or where it belongs. */
static size_t delta_place(const struct mempool *m, const struct txid *id, bool *found)
{
    size_t low = 0, high = m->n_delta;
    *found = false;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int cmp = memcmp(m->delta[mid].txid.b, id->b, 32);
        if (cmp == 0) {
            *found = true;
            return mid;
        }
        if (cmp < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

int64_t pool_delta(const struct mempool *m, const struct txid *id)
{
    bool found;
    size_t at = delta_place(m, id, &found);
    return found ? m->delta[at].delta : 0;
}

void pool_forget_delta(struct mempool *m, const struct txid *id)
{
    bool found;
    size_t at = delta_place(m, id, &found);
    if (found)
        memmove(&m->delta[at], &m->delta[at + 1], (--m->n_delta - at) * sizeof(*m->delta));
}

static int64_t change_delta(struct mempool *m, const struct txid *id, int64_t change)
{
    bool found;
    size_t at = delta_place(m, id, &found);
    int64_t sum = fee_add(found ? m->delta[at].delta : 0, change);

    if (sum == 0) {
        pool_forget_delta(m, id);
        return 0;
    }
    if (!found) {
        if (m->n_delta == m->cap_delta) {
            m->cap_delta = m->cap_delta ? 2 * m->cap_delta : 16;
            m->delta = (struct mempool_delta *)xrealloc(m->delta, m->cap_delta * sizeof(*m->delta));
        }
        memmove(&m->delta[at + 1], &m->delta[at], (m->n_delta++ - at) * sizeof(*m->delta));
    }
    m->delta[at] = (struct mempool_delta){*id, sum};
    return sum;
}

void mempool_prioritise(struct mempool *m, const struct txid *id, int64_t fee_delta)
{
    int64_t sum = change_delta(m, id, fee_delta);
    struct entry *e = index_find(m, id);

    atomic_fetch_add(&m->updates, 1);
    if (e) {
        struct pool_list all = {NULL, 0, 0};
        e->pub.modified_fee = fee_add(e->pub.fee, sum);
        for (unsigned i = 0; i < e->cluster->n; i++)
            pool_list_add(&all, e->cluster->tx[i].e);
        cluster_release(m, e->cluster);
        clusters_adopt(m, all.e, all.n);
        pool_list_clear(&all);
    }
    log_info("PrioritiseTransaction: %s (%sin mempool) fee += %lld, new delta=%lld", txid_hex(id).s, e ? "" : "not ",
             (long long)fee_delta, (long long)sum);
}

size_t mempool_deltas(struct mempool *m, const struct mempool_delta **out)
{
    *out = m->delta;
    return m->n_delta;
}

/* ---- unbroadcast ---- */

void mempool_set_unbroadcast(struct mempool *m, const struct txid *id, bool on)
{
    struct entry *e = index_find(m, id);
    if (!e || e->unbroadcast == on)
        return;
    e->unbroadcast = on;
    if (on)
        m->n_unbroadcast++;
    else
        m->n_unbroadcast--;
}
