/* fees_priv.h - what the files of the fee estimator share. */
#ifndef FARTHING_MEMPOOL_FEES_PRIV_H
#define FARTHING_MEMPOOL_FEES_PRIV_H

#include "mempool/fees.h"

#define FEES_BUCKETS_MAX 1000
#define FEES_TARGET_MAX 1008 /* a week of blocks */

/* fees_horizon.c: one memory of the past, that fades at its own pace. Matrices are rows of n_buckets. */
struct horizon {
    unsigned n_buckets, periods, scale; /* a period is `scale` blocks */
    double decay;                       /* a block, 0..1 */
    double *rates;                      /* by bucket: sum of the fee rates of mined transactions */
    double *mined;                      /* by bucket: how many */
    double *within;                     /* by period, bucket: how many in so many periods or less */
    double *failed;                     /* likewise: left the pool unmined after so many periods or more */
    int32_t *waiting;                   /* by height modulo periods * scale, bucket: came then, are in the pool */
    int32_t *waiting_longer;            /* by bucket: came before that */
};
void horizon_init(struct horizon *h, unsigned n_buckets, unsigned periods, unsigned scale, double decay);
void horizon_clear(struct horizon *h);
static inline unsigned horizon_max_target(const struct horizon *h)
{
    return h->periods * h->scale;
}
/** A block at that height came: all fades, and the oldest that waits becomes "longer". */
void horizon_next_block(struct horizon *h, uint32_t height);
void horizon_record(struct horizon *h, unsigned bucket, uint32_t blocks, double rate);
void horizon_enter(struct horizon *h, unsigned bucket, uint32_t height);
/** best: height of the last block seen. mined: else it failed. */
void horizon_leave(struct horizon *h, unsigned bucket, uint32_t height, uint32_t best, bool mined);
/** The lowest rate at which enough were mined within the target, at most horizon_max_target. limits: upper ends of the buckets; enough: mined
 *  a block that a range needs to tell anything. Out: *d (may be NULL). Returns: -1 if there is none. */
double horizon_estimate(const struct horizon *h, struct fees_detail *d, const double *limits, unsigned target, double enough,
                        double threshold, uint32_t best);

/* What was computed from the pool, for a while. */
struct pool_cache {
    bool known;
    struct block_hash tip;
    int64_t time_us;
    struct fees_pool rates;
};

struct fees {
    double *limit; /* upper ends of the buckets, rising; the last takes all that is higher */
    unsigned n_buckets;
    struct horizon horizon[3];    /* by enum fees_horizon */
    uint32_t best;                /* height of the last block seen */
    uint32_t first;               /* height of the first block that taught something since the start; 0: none */
    uint32_t old_first, old_best; /* the same range of what was read from the file */
    unsigned tracked, untracked;  /* transactions since the last block */
    size_t waiting;               /* marks given out */
    struct fees_block window[FEES_WINDOW];
    size_t n_window;
    struct block_hash window_tip;
    struct pool_cache cache;
};
/** Blocks that were learned from since the start / of the file, while that is not too old. */
uint32_t fees_span(const struct fees *f);
uint32_t fees_old_span(const struct fees *f);

#endif
