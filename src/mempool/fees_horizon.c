/* fees_horizon.c - one horizon of the fee estimator: counts by fee rate of what was mined within how many periods, of what waits and of what
 * gave up, all fading with each block; and the rate that follows from them. Called by fees.c; validation thread. */
#include <stdlib.h>
#include <string.h>

#include "mempool/fees_priv.h"
#include "util/mem.h"

void horizon_init(struct horizon *h, unsigned n_buckets, unsigned periods, unsigned scale, double decay)
{
    size_t rows = (size_t)periods * scale;
    *h = (struct horizon){.n_buckets = n_buckets, .periods = periods, .scale = scale, .decay = decay};
    h->rates = (double *)xcalloc(n_buckets, sizeof(double));
    h->mined = (double *)xcalloc(n_buckets, sizeof(double));
    h->within = (double *)xcalloc((size_t)periods * n_buckets, sizeof(double));
    h->failed = (double *)xcalloc((size_t)periods * n_buckets, sizeof(double));
    h->waiting = (int32_t *)xcalloc(rows * n_buckets, sizeof(int32_t));
    h->waiting_longer = (int32_t *)xcalloc(n_buckets, sizeof(int32_t));
}

void horizon_clear(struct horizon *h)
{
    free(h->rates);
    free(h->mined);
    free(h->within);
    free(h->failed);
    free(h->waiting);
    free(h->waiting_longer);
    memset(h, 0, sizeof(*h));
}

static int32_t *waiting_row(const struct horizon *h, uint32_t height)
{
    return h->waiting + (size_t)(height % horizon_max_target(h)) * h->n_buckets;
}

static void fade(double *value, size_t n, double decay)
{
    for (size_t i = 0; i < n; i++)
        value[i] *= decay;
}

void horizon_next_block(struct horizon *h, uint32_t height)
{
    int32_t *row = waiting_row(h, height);

    for (unsigned i = 0; i < h->n_buckets; i++) {
        h->waiting_longer[i] += row[i];
        row[i] = 0;
    }
    fade(h->rates, h->n_buckets, h->decay);
    fade(h->mined, h->n_buckets, h->decay);
    fade(h->within, (size_t)h->periods * h->n_buckets, h->decay);
    fade(h->failed, (size_t)h->periods * h->n_buckets, h->decay);
}

void horizon_record(struct horizon *h, unsigned bucket, uint32_t blocks, double rate)
{
    uint64_t period = ((uint64_t)blocks + h->scale - 1) / h->scale;

    for (uint64_t i = period ? period - 1 : 0; i < h->periods; i++)
        h->within[i * h->n_buckets + bucket]++;
    h->mined[bucket]++;
    h->rates[bucket] += rate;
}

void horizon_enter(struct horizon *h, unsigned bucket, uint32_t height)
{
    waiting_row(h, height)[bucket]++;
}

void horizon_leave(struct horizon *h, unsigned bucket, uint32_t height, uint32_t best, bool mined)
{
    uint32_t age = best && best > height ? best - height : 0;
    int32_t *count = age >= horizon_max_target(h) ? &h->waiting_longer[bucket] : &waiting_row(h, height)[bucket];

    if (*count > 0)
        --*count;
    /* It failed for those periods that it waited through as a whole. */
    for (uint32_t i = 0; !mined && i < age / h->scale && i < h->periods; i++)
        h->failed[(size_t)i * h->n_buckets + bucket]++;
}

/* ---- the estimate ---- */

/* Buckets next to each other, counted together. */
struct group {
    unsigned low, high;
    double within, confirmed, left;
    int64_t in_pool;
};

static struct fees_range group_range(const struct group *g, const double *limits)
{
    return (struct fees_range){.start = g->low ? limits[g->low - 1] : 0,
                               .end = limits[g->high],
                               .within_target = g->within,
                               .confirmed = g->confirmed,
                               .in_pool = (double)g->in_pool,
                               .left_pool = g->left};
}

/* By bucket: how many are in the pool that came `target` blocks ago or earlier. Below the height that a horizon spans, heights wrap as
 * Core's do, and some are counted twice: the chain's first week. */
static int64_t *count_waiting(const struct horizon *h, unsigned target, uint32_t best)
{
    int64_t *sum = (int64_t *)xcalloc(h->n_buckets, sizeof(*sum));

    for (unsigned i = 0; i < h->n_buckets; i++)
        sum[i] = h->waiting_longer[i];
    for (unsigned age = target; age < horizon_max_target(h); age++) {
        const int32_t *row = waiting_row(h, best - age);
        for (unsigned i = 0; i < h->n_buckets; i++)
            sum[i] += row[i];
    }
    return sum;
}

/* The average rate of the bucket that has the median of the group's transactions: single rates are not kept. */
static double group_median(const struct horizon *h, const struct group *g)
{
    double half = 0;

    for (unsigned i = g->low; i <= g->high; i++)
        half += h->mined[i];
    half /= 2;
    for (unsigned i = g->low; half > 0 && i <= g->high; i++) {
        if (h->mined[i] >= half)
            return h->rates[i] / h->mined[i];
        half -= h->mined[i];
    }
    return -1;
}

double horizon_estimate(const struct horizon *h, struct fees_detail *d, const double *limits, unsigned target, double enough,
                        double threshold, uint32_t best)
{
    static const struct fees_range none = {.start = -1, .end = -1};
    size_t row = (size_t)((target + h->scale - 1) / h->scale - 1) * h->n_buckets;
    int64_t *waiting = count_waiting(h, target, best);
    struct group g = {0}, passed = {0};
    struct fees_range fail = none, pass = none;
    bool begun = false, failing = false, found = false;
    double news = 0, median = -1;

    /* From the best paid down: buckets are taken together until they tell enough, then judged. A group that fails is not closed: what pays
     * less is added to it, and may save it. */
    for (unsigned i = h->n_buckets; i-- > 0;) {
        if (!begun)
            g = (struct group){.high = i};
        begun = true;
        g.low = i;
        g.within += h->within[row + i];
        g.confirmed += h->mined[i];
        g.left += h->failed[row + i];
        g.in_pool += waiting[i];
        news += h->mined[i];
        if (news < enough / (1 - h->decay))
            continue;
        news = 0;
        if (g.within / (g.confirmed + g.left + (double)g.in_pool) < threshold) {
            if (!failing)
                fail = group_range(&g, limits);
            failing = true;
            continue;
        }
        passed = g;
        found = true;
        begun = failing = false;
        fail = none;
    }
    free(waiting);
    if (begun && !failing) /* the last ones are too few to tell */
        fail = group_range(&g, limits);
    if (found) {
        pass = group_range(&passed, limits);
        median = group_median(h, &passed);
    }
    if (d)
        *d = (struct fees_detail){pass, fail, h->decay, h->scale};
    return median;
}
