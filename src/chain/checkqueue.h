/* checkqueue.h - the threads that verify scripts. The validation thread submits the jobs of whole blocks and joins in while it
 * waits; jobs are run in order of submission, in pieces of a few inputs. Private to chain/. */
#ifndef FARTHING_CHAIN_CHECKQUEUE_H
#define FARTHING_CHAIN_CHECKQUEUE_H

#include "primitives/block.h"
#include "script/cache.h"
#include "script/verify.h"
#include "storage/coindb.h"

struct check_queue;

/* A piece of work: whole transactions [tx, tx_end), or inputs [in, in_end) of a large one. */
struct check_piece {
    uint32_t tx, tx_end;
    uint32_t in, in_end;
    const struct tx_midstate *mid; /* of a large transaction, computed once */
};

/* The script checks of one block. Filled by check_job_init; the queue's lock guards what follows `next`. */
struct check_job {
    const struct block *block;
    const struct tx_out *spent; /* flat */
    const uint32_t *first_in;   /* offsets into it, by transaction */
    uint32_t flags;
    struct sig_cache *cache;
    bool use_tx_cache; /* transactions may have been verified before */
    bool store;        /* remember what verifies */
    struct check_piece *pieces;
    uint32_t n_pieces, cap_pieces;
    struct tx_midstate *mids;
    uint32_t n_mids;

    struct check_job *next;
    uint32_t claimed, left;
    uint64_t fail_at; /* transaction << 32 | input of the first failure, UINT64_MAX: none */
    enum script_error fail_error;
};

/* Coins to be read from the database by all threads at once. */
struct fetch_job {
    struct coindb *db;
    const struct outpoint *points;
    uint32_t n;
    struct coin *coins;  /* out, where found */
    bool *found;         /* out */
    struct arena *arena; /* one for each piece: holds its scripts */
    uint32_t n_pieces, claimed, left;
};
#define FETCH_PIECE 16u

/** threads: extra ones; 0: everything runs in check_queue_wait. */
struct check_queue *check_queue_new(unsigned threads);
void check_queue_free(struct check_queue *q);
/** Cuts the block's checks into pieces. The job must have been zeroed once; its buffers are reused. */
void check_job_init(struct check_job *j, const struct block *b, const struct tx_out *spent, const uint32_t *first_in,
                    uint32_t flags, struct sig_cache *cache, bool use_tx_cache, bool store);
void check_job_clear(struct check_job *j);
void check_queue_submit(struct check_queue *q, struct check_job *j);
/** Is it finished? */
bool check_queue_done(struct check_queue *q, const struct check_job *j);
/** Works until the job is finished. */
void check_queue_wait(struct check_queue *q, struct check_job *j);
/** Runs a fetch job to its end, before anything else that is queued. One at a time. */
void check_queue_fetch(struct check_queue *q, struct fetch_job *j);
unsigned check_queue_threads(const struct check_queue *q);
/** Drops what no one has begun and waits for the rest. */
void check_queue_cancel(struct check_queue *q, struct check_job *j);

#endif
