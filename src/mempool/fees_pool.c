/* fees_pool.c - fee estimates from what waits in the pool, and whether the pool knows enough of what miners mine for them; the fee histogram.
 * Called by RPC; validation thread. */
#include <stdlib.h>

#include "mempool/fees_priv.h"
#include "mempool/internal.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/time.h"

#define BLOCK_RESERVED_WEIGHT 8000 /* header and coinbase */
#define COINBASE_SIGOPS 400
#define MAX_FAILURES 1000 /* chunks in a row that did not fit ... */
#define FULL_ENOUGH_WEIGHT 4000
#define CACHE_US 7000000
#define COVERAGE .75 /* share of the mined weight that the pool must have known */
#define DEPTH 6      /* blocks that are looked at */

enum fees_health fees_pool_health(const struct fees *f)
{
    uint64_t weight = 0, known = 0;

    if (f->n_window < FEES_WINDOW)
        return FEES_TOO_FEW_BLOCKS;
    for (size_t i = 0; i < FEES_WINDOW; i++) {
        weight += (uint64_t)f->window[i].weight;
        known += (uint64_t)f->window[i].known_weight;
    }
    if (weight < MAX_BLOCK_WEIGHT) /* less than one block's worth tells nothing against it */
        return FEES_HEALTHY;
    return (double)known / (double)weight >= COVERAGE ? FEES_HEALTHY : FEES_LOW_COVERAGE;
}

size_t fees_window(const struct fees *f, const struct fees_block **blocks)
{
    *blocks = f->window;
    return f->n_window;
}

/* ---- the next blocks ---- */

struct sized_rate {
    int64_t fee, vsize;
};

static int64_t chunk_vsize(const struct mempool_chunk *k)
{
    return (k->weight + WITNESS_SCALE_FACTOR - 1) / WITNESS_SCALE_FACTOR;
}

/* The next block as a template would be filled. */
struct filling {
    struct sized_rate *chunk;
    size_t n, cap;
    int64_t weight, sigops;
    unsigned failures;
};

static enum mempool_visit fill(void *ctx, const struct mempool_chunk *k)
{
    struct filling *f = (struct filling *)ctx;
    int64_t vsize = chunk_vsize(k), sigops = 0;

    if ((__int128)k->fee * 1000 < vsize)
        return MEMPOOL_STOP; /* below 1 satoshi per 1,000 vbytes nothing is mined */
    for (size_t i = 0; i < k->n; i++)
        sigops += k->tx[i].sigop_cost;
    if (f->weight + k->weight >= MAX_BLOCK_WEIGHT || f->sigops + sigops >= MAX_BLOCK_SIGOPS_COST) {
        if (++f->failures > MAX_FAILURES && f->weight + FULL_ENOUGH_WEIGHT > MAX_BLOCK_WEIGHT)
            return MEMPOOL_STOP;
        return MEMPOOL_LEFT_OUT;
    }
    f->failures = 0;
    f->sigops += sigops;
    for (size_t i = 0; i < k->n; i++)
        f->weight += k->tx[i].weight;
    if (f->n == f->cap) {
        f->cap = f->cap ? 2 * f->cap : 256;
        f->chunk = (struct sized_rate *)xrealloc(f->chunk, f->cap * sizeof(*f->chunk));
    }
    f->chunk[f->n++] = (struct sized_rate){k->fee, vsize};
    return MEMPOOL_TAKEN;
}

static int by_falling_rate(const void *a, const void *b)
{
    const struct sized_rate *x = (const struct sized_rate *)a, *y = (const struct sized_rate *)b;
    return -rate_cmp((struct fee_weight){x->fee, x->vsize}, (struct fee_weight){y->fee, y->vsize});
}

/* Rates at half and three quarters of the next block. */
static void look_at_next(struct fees_pool *out, struct mempool *m, int64_t least)
{
    struct filling f = {.weight = BLOCK_RESERVED_WEIGHT, .sigops = COINBASE_SIGOPS};
    int64_t weight = 0;
    size_t i = 0;

    out->half = out->three_quarters = least;
    mempool_take_chunks(m, fill, &f);
    if (f.n)
        qsort(f.chunk, f.n, sizeof(*f.chunk), by_falling_rate); /* rounding to vbytes may have changed their order a little */
    for (; i < f.n && weight < MAX_BLOCK_WEIGHT / 2; i++)
        weight += f.chunk[i].vsize * WITNESS_SCALE_FACTOR;
    if (weight >= MAX_BLOCK_WEIGHT / 2)
        out->half = policy_rate(f.chunk[i - 1].fee, f.chunk[i - 1].vsize);
    for (; i < f.n && weight < MAX_BLOCK_WEIGHT / 4 * 3; i++)
        weight += f.chunk[i].vsize * WITNESS_SCALE_FACTOR;
    if (weight >= MAX_BLOCK_WEIGHT / 4 * 3)
        out->three_quarters = policy_rate(f.chunk[i - 1].fee, f.chunk[i - 1].vsize);
    free(f.chunk);
}

/* The rate below which so many blocks are full. */
struct depth {
    int64_t weight;
    int64_t rate[DEPTH]; /* of the chunk that does not fit into i + 1 blocks any more; 0: all fits */
    unsigned full;
};

static bool look_deeper(void *ctx, const struct mempool_chunk *k)
{
    struct depth *d = (struct depth *)ctx;

    d->weight += k->weight;
    while (d->full < DEPTH && d->weight > (int64_t)(d->full + 1) * (MAX_BLOCK_WEIGHT - BLOCK_RESERVED_WEIGHT))
        d->rate[d->full++] = policy_rate(k->fee, chunk_vsize(k));
    return d->full < DEPTH;
}

static int64_t at_least(int64_t rate, int64_t least)
{
    return rate > least ? rate : least;
}

void fees_estimate_pool(struct fees *f, struct fees_pool *out, struct mempool *m)
{
    const struct block_hash *tip = &m->o.chain.tip(m->o.chain.ctx)->hash;
    int64_t now = time_now_us();
    struct mempool_stats s;
    struct depth d = {0};

    if (f->cache.known && f->cache.time_us + CACHE_US >= now && block_hash_equal(&f->cache.tip, tip)) {
        *out = f->cache.rates;
        return;
    }
    mempool_stats(m, &s);
    look_at_next(out, m, s.min_fee_rate);
    mempool_each_chunk(m, look_deeper, &d);
    out->next_1 = at_least(d.rate[0], s.min_fee_rate);
    out->next_3 = at_least(d.rate[2], s.min_fee_rate);
    out->next_6 = at_least(d.rate[5], s.min_fee_rate);
    f->cache = (struct pool_cache){true, *tip, now, *out};
    log_debug(LOG_ESTIMATEFEE, "mempool_policy: conservative/economical fee rate: %lld/%lld sat/kvB", (long long)out->half,
              (long long)out->three_quarters);
}

/* ---- histogram ---- */

#define BIN_FIRST 30000 /* vbytes, growing */

struct histogram {
    struct fees_bin *bin;
    size_t n, cap;
    int64_t open, last_rate; /* vbytes of the bin that is being filled */
    double size;
};

static void close_bin(struct histogram *h, int64_t rate)
{
    if (!h->open)
        return;
    if (h->n == h->cap) {
        h->cap = h->cap ? 2 * h->cap : 64;
        h->bin = (struct fees_bin *)xrealloc(h->bin, h->cap * sizeof(*h->bin));
    }
    h->bin[h->n++] = (struct fees_bin){rate, h->open};
    h->open = 0;
    h->size *= 1.1;
}

static bool sort_chunk(void *ctx, const struct mempool_chunk *k)
{
    struct histogram *h = (struct histogram *)ctx;
    int64_t vsize = chunk_vsize(k), rate = policy_rate(k->fee, vsize);

    if (rate < 0) /* prioritisetransaction can make it less than nothing */
        rate = 0;
    if (rate != h->last_rate && (double)h->open > h->size)
        close_bin(h, h->last_rate); /* what pays the same stays together */
    h->open += vsize;
    h->last_rate = rate;
    return true;
}

size_t fees_histogram(struct fees_bin **bins, struct mempool *m)
{
    struct histogram h = {.last_rate = -1, .size = BIN_FIRST};

    mempool_each_chunk(m, sort_chunk, &h);
    close_bin(&h, h.last_rate);
    *bins = h.bin;
    return h.n;
}
