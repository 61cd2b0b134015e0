/* checkqueue.c - script workers: see checkqueue.h. The lock is held to claim a piece and to note its end, nothing else. */
#include "chain/checkqueue.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "script/check.h"
#include "util/mem.h"
#include "util/thread.h"

#define PIECE_INPUTS 24u /* about half a millisecond of signatures */
#define LARGE_TX 48u     /* inputs from which a transaction is cut itself */

struct check_queue {
    pthread_mutex_t lock;
    pthread_cond_t work;            /* a piece can be claimed, or stop */
    pthread_cond_t done;            /* a job's last piece ended */
    struct check_job *first, *last; /* jobs with unclaimed pieces */
    struct fetch_job *fetch;        /* the same, ahead of all */
    bool stop;
    unsigned n_threads;
    pthread_t *threads;
};

/* ---- cutting ---- */

static struct check_piece *piece_add(struct check_job *j)
{
    if (j->n_pieces == j->cap_pieces) {
        j->cap_pieces = j->cap_pieces ? j->cap_pieces * 2 : 64;
        j->pieces = xrealloc(j->pieces, j->cap_pieces * sizeof(*j->pieces));
    }
    return &j->pieces[j->n_pieces++];
}

static void cut_large(struct check_job *j, uint32_t tx, const struct tx_midstate *mid)
{
    uint32_t n_in = j->block->tx[tx].n_in;

    for (uint32_t in = 0; in < n_in; in += PIECE_INPUTS) {
        uint32_t end = n_in - in < PIECE_INPUTS ? n_in : in + PIECE_INPUTS;
        *piece_add(j) = (struct check_piece){tx, tx + 1, in, end, mid};
    }
}

static void large_midstates(struct check_job *j)
{
    const struct block *b = j->block;
    uint32_t n = 0;

    for (uint32_t i = 1; i < b->n_tx; i++)
        n += b->tx[i].n_in >= LARGE_TX;
    free(j->mids);
    j->mids = n ? xmalloc(n * sizeof(*j->mids)) : NULL;
    j->n_mids = 0;
}

void check_job_init(struct check_job *j, const struct block *b, const struct tx_out *spent, const uint32_t *first_in,
                    uint32_t flags, struct sig_cache *cache, bool use_tx_cache, bool store)
{
    uint32_t begin = 1, inputs = 0;

    j->block = b;
    j->spent = spent;
    j->first_in = first_in;
    j->flags = flags;
    j->cache = cache;
    j->use_tx_cache = use_tx_cache && cache;
    j->store = store && cache;
    j->n_pieces = 0;
    large_midstates(j);
    for (uint32_t i = 1; i < b->n_tx; i++) {
        if (b->tx[i].n_in >= LARGE_TX) {
            struct tx_midstate *mid = &j->mids[j->n_mids++];

            if (i > begin)
                *piece_add(j) = (struct check_piece){begin, i, 0, 0, NULL};
            tx_midstate_init(mid, &b->tx[i], spent + first_in[i], false);
            cut_large(j, i, mid);
            begin = i + 1;
            inputs = 0;
            continue;
        }
        inputs += b->tx[i].n_in;
        if (inputs >= PIECE_INPUTS || i + 1 == b->n_tx) {
            *piece_add(j) = (struct check_piece){begin, i + 1, 0, 0, NULL};
            begin = i + 1;
            inputs = 0;
        }
    }
    j->next = NULL;
    j->claimed = 0;
    j->left = j->n_pieces;
    j->fail_at = UINT64_MAX;
    j->fail_error = SCRIPT_ERR_OK;
}

void check_job_clear(struct check_job *j)
{
    free(j->pieces);
    free(j->mids);
    j->pieces = NULL;
    j->mids = NULL;
    j->n_pieces = j->cap_pieces = j->n_mids = 0;
}

/* ---- running ---- */

struct failure {
    uint64_t at;
    enum script_error error;
};

static bool run_inputs(const struct check_job *j, uint32_t tx, uint32_t in, uint32_t in_end, const struct tx_midstate *mid,
                       struct failure *f)
{
    const struct tx_out *spent = j->spent + j->first_in[tx];

    for (; in < in_end; in++) {
        struct script_check check = {&j->block->tx[tx], in, j->flags, &spent[in], mid};

        if (script_check_run(&check, j->cache, j->store, &f->error))
            continue;
        f->at = (uint64_t)tx << 32 | in;
        return false;
    }
    return true;
}

static bool run_tx(const struct check_job *j, uint32_t i, struct failure *f)
{
    const struct tx *tx = &j->block->tx[i];
    struct tx_midstate mid;
    uint8_t key[32];

    if (j->use_tx_cache) {
        sig_cache_tx_key(key, j->cache, &tx->wtxid, j->flags);
        if (sig_cache_has(j->cache, key, !j->store))
            return true;
    }
    tx_midstate_init(&mid, tx, j->spent + j->first_in[i], false);
    if (!run_inputs(j, i, 0, tx->n_in, &mid, f))
        return false;
    if (j->use_tx_cache && j->store)
        sig_cache_add(j->cache, key);
    return true;
}

static void run_piece(const struct check_job *j, const struct check_piece *p, struct failure *f)
{
    f->at = UINT64_MAX;
    f->error = SCRIPT_ERR_OK;
    if (p->mid) {
        run_inputs(j, p->tx, p->in, p->in_end, p->mid, f);
        return;
    }
    for (uint32_t i = p->tx; i < p->tx_end; i++)
        if (!run_tx(j, i, f))
            return;
}

static void fetch_piece(const struct fetch_job *j, uint32_t piece)
{
    uint32_t end = (piece + 1) * FETCH_PIECE;

    for (uint32_t i = piece * FETCH_PIECE; i < end && i < j->n; i++)
        j->found[i] = coindb_get(j->db, &j->coins[i], &j->points[i], &j->arena[piece]) == RC_OK;
}

/* As run_one, for coins. */
static bool fetch_one(struct check_queue *q)
{
    struct fetch_job *j = q->fetch;
    uint32_t piece;

    if (!j)
        return false;
    piece = j->claimed++;
    if (j->claimed == j->n_pieces)
        q->fetch = NULL;
    pthread_mutex_unlock(&q->lock);
    fetch_piece(j, piece);
    pthread_mutex_lock(&q->lock);
    if (--j->left == 0)
        pthread_cond_broadcast(&q->done);
    return true;
}

/* Claims and runs one piece; the lock is held on entry and exit. Returns: false if there was none. */
static bool run_one(struct check_queue *q)
{
    struct check_job *j = q->first;
    const struct check_piece *p;
    struct failure f;
    bool skip;

    if (!j)
        return false;
    p = &j->pieces[j->claimed++];
    if (j->claimed == j->n_pieces) {
        q->first = j->next;
        if (!q->first)
            q->last = NULL;
    }
    /* Behind a failure nothing matters any more; before it, an earlier one is still to be found. */
    skip = j->fail_at < ((uint64_t)p->tx << 32 | p->in);
    pthread_mutex_unlock(&q->lock);
    f.at = UINT64_MAX;
    if (!skip)
        run_piece(j, p, &f);
    pthread_mutex_lock(&q->lock);
    if (f.at < j->fail_at) {
        j->fail_at = f.at;
        j->fail_error = f.error;
    }
    if (--j->left == 0)
        pthread_cond_broadcast(&q->done);
    return true;
}

static void *worker(void *arg)
{
    struct check_queue *q = arg;

    pthread_mutex_lock(&q->lock);
    while (!q->stop)
        if (!fetch_one(q) && !run_one(q))
            pthread_cond_wait(&q->work, &q->lock);
    pthread_mutex_unlock(&q->lock);
    return NULL;
}

struct check_queue *check_queue_new(unsigned threads)
{
    struct check_queue *q = xcalloc(1, sizeof(*q));

    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->work, NULL);
    pthread_cond_init(&q->done, NULL);
    q->n_threads = threads;
    q->threads = xcalloc(threads ? threads : 1, sizeof(*q->threads));
    for (unsigned i = 0; i < threads; i++) {
        char name[16];
        snprintf(name, sizeof(name), "scriptch.%u", i % 1000);
        q->threads[i] = thread_start(name, worker, q);
    }
    return q;
}

void check_queue_free(struct check_queue *q)
{
    if (!q)
        return;
    pthread_mutex_lock(&q->lock);
    q->stop = true;
    pthread_cond_broadcast(&q->work);
    pthread_mutex_unlock(&q->lock);
    for (unsigned i = 0; i < q->n_threads; i++)
        pthread_join(q->threads[i], NULL);
    free(q->threads);
    pthread_cond_destroy(&q->work);
    pthread_cond_destroy(&q->done);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

void check_queue_submit(struct check_queue *q, struct check_job *j)
{
    if (!j->n_pieces)
        return;
    pthread_mutex_lock(&q->lock);
    if (q->last)
        q->last->next = j;
    else
        q->first = j;
    q->last = j;
    pthread_cond_broadcast(&q->work);
    pthread_mutex_unlock(&q->lock);
}

bool check_queue_done(struct check_queue *q, const struct check_job *j)
{
    bool done;

    pthread_mutex_lock(&q->lock);
    done = j->left == 0;
    pthread_mutex_unlock(&q->lock);
    return done;
}

void check_queue_wait(struct check_queue *q, struct check_job *j)
{
    pthread_mutex_lock(&q->lock);
    while (j->left)
        if (!run_one(q))
            pthread_cond_wait(&q->done, &q->lock);
    pthread_mutex_unlock(&q->lock);
}

unsigned check_queue_threads(const struct check_queue *q)
{
    return q->n_threads;
}

void check_queue_fetch(struct check_queue *q, struct fetch_job *j)
{
    j->claimed = 0;
    j->left = j->n_pieces = (j->n + FETCH_PIECE - 1) / FETCH_PIECE;
    if (!j->n)
        return;
    pthread_mutex_lock(&q->lock);
    q->fetch = j;
    pthread_cond_broadcast(&q->work);
    while (j->left)
        if (!fetch_one(q))
            pthread_cond_wait(&q->done, &q->lock);
    pthread_mutex_unlock(&q->lock);
}

static void unqueue(struct check_queue *q, struct check_job *j)
{
    struct check_job **at = &q->first, *before = NULL;

    while (*at && *at != j) {
        before = *at;
        at = &(*at)->next;
    }
    if (!*at)
        return;
    *at = j->next;
    if (q->last == j)
        q->last = before;
    j->left -= j->n_pieces - j->claimed;
    j->claimed = j->n_pieces;
}

void check_queue_cancel(struct check_queue *q, struct check_job *j)
{
    pthread_mutex_lock(&q->lock);
    unqueue(q, j);
    while (j->left)
        pthread_cond_wait(&q->done, &q->lock);
    pthread_mutex_unlock(&q->lock);
}
