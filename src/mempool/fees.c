/* fees.c - the block policy estimator: which transactions count, what blocks tell of them, and how the three horizons make one estimate.
 * Fed by the pool, asked by RPC; validation thread. */
#include "mempool/fees.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mempool/fees_priv.h"
#include "util/assert.h"
#include "util/log.h"
#include "util/mem.h"

#define BUCKET_FIRST 100.0
#define BUCKET_LAST 1e7
#define BUCKET_STEP 1.05
#define BUCKET_REST 1e99

#define OLD_MAX (6 * 1008) /* blocks after which what a file says of its span is worth nothing */

/* Share of transactions that must have been mined, within half, all and twice of the target. */
#define HALF_SHARE .6
#define FULL_SHARE .85
#define DOUBLE_SHARE .95

static const struct {
    unsigned periods, scale;
    double decay;
    double enough; /* transactions a block */
} shape[] = {
    [FEES_SHORT] = {12, 1, .962, .5},   /* half of it fades in 18 blocks */
    [FEES_MEDIUM] = {24, 2, .9952, .1}, /* 144 */
    [FEES_LONG] = {42, 24, .99931, .1}, /* 1008 */
};

struct fees *fees_new(void)
{
    struct fees *f = (struct fees *)xcalloc(1, sizeof(*f));
    unsigned n = 0;

    f->limit = (double *)xcalloc(FEES_BUCKETS_MAX, sizeof(*f->limit));
    for (double limit = BUCKET_FIRST; limit <= BUCKET_LAST; limit *= BUCKET_STEP)
        f->limit[n++] = limit;
    f->limit[n++] = BUCKET_REST;
    f->n_buckets = n;
    for (unsigned i = 0; i < ARRAY_LEN(shape); i++)
        horizon_init(&f->horizon[i], n, shape[i].periods, shape[i].scale, shape[i].decay);
    return f;
}

void fees_free(struct fees *f)
{
    if (!f)
        return;
    for (unsigned i = 0; i < ARRAY_LEN(shape); i++)
        horizon_clear(&f->horizon[i]);
    free(f->limit);
    free(f);
}

/* ---- what happens ---- */

static unsigned bucket_of(const struct fees *f, double rate)
{
    unsigned low = 0, high = f->n_buckets - 1;
    while (low < high) {
        unsigned mid = (low + high) / 2;
        if (f->limit[mid] >= rate)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

uint16_t fees_tx_added(struct fees *f, int32_t height, int64_t rate, bool counts)
{
    unsigned bucket;

    /* Not in step with the chain: a reorganisation, or no block came yet. */
    if ((uint32_t)height != f->best)
        return 0;
    if (!counts) {
        f->untracked++;
        return 0;
    }
    bucket = bucket_of(f, (double)rate);
    for (unsigned i = 0; i < ARRAY_LEN(shape); i++)
        horizon_enter(&f->horizon[i], bucket, (uint32_t)height);
    f->tracked++;
    f->waiting++;
    return (uint16_t)(bucket + 1);
}

size_t fees_waiting(const struct fees *f)
{
    return f->waiting;
}

static void leave(struct fees *f, uint16_t mark, int32_t height, bool mined)
{
    ASSERT(mark <= f->n_buckets && f->waiting > 0);
    for (unsigned i = 0; i < ARRAY_LEN(shape); i++)
        horizon_leave(&f->horizon[i], mark - 1u, (uint32_t)height, f->best, mined);
    f->waiting--;
}

void fees_tx_removed(struct fees *f, uint16_t mark, int32_t height)
{
    if (mark)
        leave(f, mark, height, false);
}

static bool learn(struct fees *f, uint32_t height, const struct fees_mined *tx)
{
    if (!tx->mark)
        return false;
    leave(f, tx->mark, tx->height, true);
    if ((uint32_t)tx->height >= height)
        return false;
    for (unsigned i = 0; i < ARRAY_LEN(shape); i++)
        horizon_record(&f->horizon[i], bucket_of(f, (double)tx->rate), height - (uint32_t)tx->height, (double)tx->rate);
    return true;
}

static unsigned max_usable(const struct fees *f);

static void add_to_window(struct fees *f, const struct fees_block *b)
{
    while (f->n_window && f->window[f->n_window - 1].height >= b->height)
        f->n_window--; /* of a branch that was left */
    if (f->n_window && f->window[f->n_window - 1].height + 1 != b->height)
        f->n_window = 0;
    if (f->n_window == FEES_WINDOW)
        memmove(&f->window[0], &f->window[1], --f->n_window * sizeof(f->window[0]));
    f->window[f->n_window++] = *b;
    f->window_tip = b->hash;
    f->cache.known = false;
}

void fees_block_connected(struct fees *f, const struct fees_block *b, const struct fees_mined *txs, size_t n)
{
    unsigned learned = 0;

    add_to_window(f, b);
    if ((uint32_t)b->height <= f->best) { /* a reorganisation: these blocks teach nothing */
        for (size_t i = 0; i < n; i++) {
            if (txs[i].mark)
                leave(f, txs[i].mark, txs[i].height, true);
        }
        return;
    }
    f->best = (uint32_t)b->height;
    for (unsigned i = 0; i < ARRAY_LEN(shape); i++)
        horizon_next_block(&f->horizon[i], f->best);
    for (size_t i = 0; i < n; i++)
        learned += learn(f, f->best, &txs[i]);
    if (!f->first && learned) {
        f->first = f->best;
        log_debug(LOG_ESTIMATEFEE, "Blockpolicy first recorded height %u", f->first);
    }
    log_debug(LOG_ESTIMATEFEE,
              "Blockpolicy estimates updated by %u of %zu block txs, since last block %u of %u tracked, mempool map size %zu, max "
              "target %u from %s",
              learned, n, f->tracked, f->tracked + f->untracked, f->waiting, max_usable(f),
              fees_old_span(f) > fees_span(f) ? "historical" : "current");
    f->tracked = f->untracked = 0;
}

/* ---- estimates ---- */

uint32_t fees_span(const struct fees *f)
{
    return f->first ? f->best - f->first : 0;
}

uint32_t fees_old_span(const struct fees *f)
{
    return f->old_first && f->best - f->old_best <= OLD_MAX ? f->old_best - f->old_first : 0;
}

unsigned fees_max_target(const struct fees *f, enum fees_horizon h)
{
    return horizon_max_target(&f->horizon[h]);
}

/* Half of what was seen: transactions need as long again to fail. */
static unsigned max_usable(const struct fees *f)
{
    uint32_t span = fees_span(f), old = fees_old_span(f), half = (span > old ? span : old) / 2;
    unsigned most = fees_max_target(f, FEES_LONG);
    return half < most ? half : most;
}

static double estimate(const struct fees *f, struct fees_detail *d, enum fees_horizon h, unsigned target, double share)
{
    struct fees_detail detail;
    double rate = horizon_estimate(&f->horizon[h], &detail, f->limit, target, shape[h].enough, share, f->best);

    log_debug(LOG_ESTIMATEFEE,
              "FeeEst: %u > %.0f%% decay %.5f: feerate: %g from (%g - %g) %.1f/(%.1f %.0f mem %.1f out) Fail: (%g - %g) "
              "%.1f/(%.1f %.0f mem %.1f out)",
              target, 100 * share, detail.decay, rate, detail.pass.start, detail.pass.end, detail.pass.within_target,
              detail.pass.confirmed, detail.pass.in_pool, detail.pass.left_pool, detail.fail.start, detail.fail.end,
              detail.fail.within_target, detail.fail.confirmed, detail.fail.in_pool, detail.fail.left_pool);
    if (d)
        *d = detail;
    return rate;
}

/* Numbers of a file may be anything; a rate above all money a byte is none. */
static int64_t whole(double rate)
{
    return rate >= 0 && rate < (double)MAX_MONEY ? llround(rate) : 0;
}

int64_t fees_estimate_raw(const struct fees *f, struct fees_detail *d, unsigned target, double threshold, enum fees_horizon h)
{
    if (target == 0 || target > fees_max_target(f, h) || threshold > 1)
        return 0;
    return whole(estimate(f, d, h, target, threshold));
}

/* At the shortest horizon that knows the target. shorter_too: the answer for the last target of a shorter horizon counts if it is lower, so
 * that estimates do not rise with the target. */
static double combined(const struct fees *f, unsigned target, double share, bool shorter_too)
{
    int h = FEES_SHORT;
    double rate;

    if (target == 0 || target > fees_max_target(f, FEES_LONG))
        return -1;
    while (h < FEES_LONG && target > fees_max_target(f, (enum fees_horizon)h))
        h++;
    rate = estimate(f, NULL, (enum fees_horizon)h, target, share);
    for (int s = FEES_MEDIUM; shorter_too && s >= FEES_SHORT; s--) {
        unsigned most = fees_max_target(f, (enum fees_horizon)s);
        double other;
        if (target <= most)
            continue;
        other = estimate(f, NULL, (enum fees_horizon)s, most, share);
        if (other > 0 && (rate < 0 || other < rate))
            rate = other;
    }
    return rate;
}

/* What the horizons beyond the shortest one that knows the target ask for. */
static double conservative_rate(const struct fees *f, unsigned target)
{
    double rate = -1;

    for (int h = FEES_MEDIUM; h <= FEES_LONG; h++) {
        double other;
        if (target > fees_max_target(f, (enum fees_horizon)(h - 1)))
            continue;
        other = estimate(f, NULL, (enum fees_horizon)h, target, DOUBLE_SHARE);
        if (other > rate)
            rate = other;
    }
    return rate;
}

int64_t fees_estimate_smart(const struct fees *f, int *returned_target, unsigned target, bool conservative)
{
    unsigned usable = max_usable(f);
    double rate;

    *returned_target = (int)target;
    if (target == 0 || target > fees_max_target(f, FEES_LONG))
        return 0;
    if (target == 1) /* nobody can tell */
        target = 2;
    if (target > usable)
        target = usable;
    *returned_target = (int)target;
    if (target <= 1)
        return 0;
    rate = combined(f, target / 2, HALF_SHARE, true);
    rate = fmax(rate, combined(f, target, FULL_SHARE, true));
    rate = fmax(rate, combined(f, 2 * target, DOUBLE_SHARE, !conservative));
    if (conservative || rate < 0)
        rate = fmax(rate, conservative_rate(f, 2 * target));
    log_debug(LOG_ESTIMATEFEE, "estimateSmartFee Selected feerate: %g Tgt: %u", rate, target);
    return whole(rate);
}
