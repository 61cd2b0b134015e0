/* evict.c - bounds of the pool: age, bytes, and the fee rate that newcomers must pay after something was pushed out. Validation thread. */
#include <math.h>

#include "mempool/internal.h"
#include "util/log.h"
#include "util/time.h"

#define ROLLING_HALFLIFE (60 * 60 * 12)
#define ROLLING_STEP 10 /* seconds */

void pool_expire(struct mempool *m)
{
    int64_t cutoff = time_now() - m->o.expiry;
    struct pool_list gone = {NULL, 0, 0};
    struct heap_node *oldest;
    size_t n = 0;

    while ((oldest = heap_top(&m->by_time)) && entry_of_time(oldest)->time < cutoff) {
        pool_new_mark(m);
        gone.n = 0;
        pool_list_add_descendants(m, &gone, entry_of_time(oldest));
        pool_remove(m, gone.e, gone.n, REMOVED_EXPIRY);
        n += gone.n;
    }
    pool_list_clear(&gone);
    if (n)
        log_debug(LOG_MEMPOOL, "Expired %zu transactions from the memory pool", n);
}

int64_t pool_min_fee_rate(struct mempool *m)
{
    int64_t now, incremental = m->o.policy.incremental_fee_rate, rate;

    if (!m->block_since_bump || m->rolling_rate == 0)
        return llround(m->rolling_rate);
    now = time_now();
    if (now > m->rolling_time + ROLLING_STEP) {
        double halflife = ROLLING_HALFLIFE;
        size_t usage = pool_usage(m);
        if (usage < m->o.max_bytes / 4)
            halflife /= 4;
        else if (usage < m->o.max_bytes / 2)
            halflife /= 2;
        m->rolling_rate /= pow(2.0, (double)(now - m->rolling_time) / halflife);
        m->rolling_time = now;
        if (m->rolling_rate < (double)incremental / 2) {
            m->rolling_rate = 0;
            return 0;
        }
    }
    rate = llround(m->rolling_rate);
    return rate > incremental ? rate : incremental;
}

/* Satoshi per 1,000 virtual bytes of a chunk, rounded down. */
static int64_t rate_per_kvb(struct fee_weight rate)
{
    __int128 per = (__int128)rate.fee * 1000 / ((rate.weight + WITNESS_SCALE_FACTOR - 1) / WITNESS_SCALE_FACTOR);
    return per > INT64_MAX ? INT64_MAX : per < 0 ? 0 : (int64_t)per;
}

void pool_trim(struct mempool *m, size_t max_bytes)
{
    struct pool_list gone = {NULL, 0, 0};
    int64_t highest = 0;
    size_t n = 0;

    while (m->by_worst.n && pool_usage(m) > max_bytes) {
        const struct cluster *c = cluster_of_worst(heap_top(&m->by_worst));
        const struct chunk *last = &cluster_chunks(c)[c->n_chunks - 1];
        int64_t rate = fee_add(rate_per_kvb(chunk_rate(last)), m->o.policy.incremental_fee_rate);

        gone.n = 0;
        for (unsigned i = 0; i < last->n; i++)
            pool_list_add(&gone, c->tx[last->first + i].e);
        pool_remove(m, gone.e, gone.n, REMOVED_SIZE);
        n += gone.n;
        /* What was pushed out may not come back at once for the same price. */
        if ((double)rate > m->rolling_rate) {
            m->rolling_rate = (double)rate;
            m->block_since_bump = false;
        }
        if (rate > highest)
            highest = rate;
    }
    pool_list_clear(&gone);
    if (n)
        log_debug(LOG_MEMPOOL, "Removed %zu txn, rolling minimum fee bumped to %lld sat/kvB", n, (long long)highest);
}
