/* fees.h - what a transaction should pay: estimates from how long transactions of each fee rate took to be mined, as Bitcoin Core's block
 * policy estimator makes them, and estimates from what waits in the pool. Validation thread, but for the functions without state.
 *
 * The pool feeds it: each transaction that came alone, without parents in the pool, at a tip that is up to date, counts for the fee rate that
 * it pays. Fee rates are satoshi per 1,000 virtual bytes. One difference to Core: a transaction mined in a block no higher than one that was
 * seen already (a reorganisation) is forgotten, where Core lets it count as waiting for ever. */
#ifndef FARTHING_MEMPOOL_FEES_H
#define FARTHING_MEMPOOL_FEES_H

#include "mempool/mempool.h"

struct fees;
struct fees *fees_new(void);
void fees_free(struct fees *f);

/* ---- what happens; called by the pool ---- */

/** A transaction came. counts: it may be learned from. Returns: the mark that its end is told with; 0: nobody waits for it. */
uint16_t fees_tx_added(struct fees *f, int32_t height, int64_t rate, bool counts);
/** It left the pool unmined. height: as it came. */
void fees_tx_removed(struct fees *f, uint16_t mark, int32_t height);
/** How many marks are out. */
size_t fees_waiting(const struct fees *f);
struct fees_mined {
    uint16_t mark;
    int32_t height; /* as it came */
    int64_t rate;
};
struct fees_block {
    struct block_hash hash;
    int32_t height;
    int64_t weight, known_weight; /* of its transactions without the coinbase; of those that were in the pool */
};
/** A block was connected. txs: n, those of its transactions that were in the pool. */
void fees_block_connected(struct fees *f, const struct fees_block *b, const struct fees_mined *txs, size_t n);

/* ---- estimates from blocks ---- */

enum fees_horizon { FEES_SHORT, FEES_MEDIUM, FEES_LONG };
/* A range of fee rates that was looked at together. Numbers of transactions decay with time, so they are not whole. */
struct fees_range {
    double start, end; /* start -1: there is none */
    double within_target, confirmed, in_pool, left_pool;
};
struct fees_detail {
    struct fees_range pass, fail;
    double decay;
    unsigned scale; /* blocks */
};
/** The highest target, in blocks, that a horizon knows. */
unsigned fees_max_target(const struct fees *f, enum fees_horizon h);
/** The rate of which `threshold` (0..1) of transactions were mined within `target` blocks (estimateRawFee). Out: *d (unchanged where the
 *  target is beyond the horizon). Returns: the rate, 0: no answer. */
int64_t fees_estimate_raw(const struct fees *f, struct fees_detail *d, unsigned target, double threshold, enum fees_horizon h);
/** estimateSmartFee: for the target or the nearest one above it that there is an answer for. Out: *returned_target. Returns: as above. */
int64_t fees_estimate_smart(const struct fees *f, int *returned_target, unsigned target, bool conservative);

/* ---- estimates from the pool ---- */

#define FEES_POOL_TARGET 2 /* blocks; what waits now says nothing of later ones */
#define FEES_WINDOW 6      /* blocks that tell whether the pool knows what miners mine */
enum fees_health { FEES_HEALTHY, FEES_TOO_FEW_BLOCKS, FEES_LOW_COVERAGE };
enum fees_health fees_pool_health(const struct fees *f);
/** The last blocks, the oldest first. Returns: their number. */
size_t fees_window(const struct fees *f, const struct fees_block **blocks);
/* Rates that a transaction needs to be among the next blocks' worth of what waits. */
struct fees_pool {
    int64_t half, three_quarters; /* rate at half and three quarters of the next block: conservative, economical */
    int64_t next_1, next_3, next_6;
};
/** Looks at the pool, or says what it found at the same tip not more than 7 seconds ago (Core's MemPoolFeeRateEstimator). Where too little
 *  waits, the rate is the least that the pool takes. */
void fees_estimate_pool(struct fees *f, struct fees_pool *out, struct mempool *m);
/* What waits, by fee rate. */
struct fees_bin {
    int64_t rate; /* the least in it */
    int64_t vsize;
};
/** Fee histogram, best first, in bins that grow with the depth as ElectrumX makes them. Out: *bins (malloc'ed). Returns: their number. */
size_t fees_histogram(struct fees_bin **bins, struct mempool *m);

/* ---- files, in Core's formats ---- */

#define FEES_FILE_MAX_AGE 60 /* hours */
/** fees/block_policy_estimates.dat. RC_NOT_FOUND: no such file; RC_CORRUPT: not one that can be read, nothing changed; RC_BUSY: older than
 *  60 hours, and accept_stale is not set. Logs what it finds. */
enum rc fees_load(struct fees *f, const char *path, bool accept_stale);
/** Writes the file, making its folder. Logs. */
enum rc fees_save(const struct fees *f, const char *path);
/** fees/mempool_policy_estimator.dat: the window of blocks; taken only if it ends at that tip (NULL: there is none). */
enum rc fees_window_load(struct fees *f, const char *path, const struct header_node *tip);
enum rc fees_window_save(const struct fees *f, const char *path);
/** The formats themselves. decode: false (and nothing changed) with *why if the bytes are not such a file. */
struct writer;
void fees_encode(const struct fees *f, struct writer *w);
bool fees_decode(struct fees *f, const uint8_t *data, size_t len, const char **why);
void fees_window_encode(const struct fees *f, struct writer *w);
bool fees_window_decode(struct fees *f, const uint8_t *data, size_t len, const struct header_node *tip, const char **why);

#endif
