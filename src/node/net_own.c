/* net_own.c - transactions that came in through RPC, until a peer has fetched them: announced again every ten to fifteen minutes, and struck off
 * the memory pool's list of unbroadcast ones. Loop thread; the list itself belongs to the validation thread. */
#include <stdlib.h>

#include "node/net_private.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/random.h"
#include "util/time.h"

#define REANNOUNCE_US 600000000
#define REANNOUNCE_SPREAD_US 300000000

struct own_job {
    struct node_net *net;
    struct txid id;  /* taken by a peer */
    struct tx **txs; /* to be announced again, one reference each */
    size_t n;
};

static void job_free(void *arg)
{
    struct own_job *j = arg;

    for (size_t i = 0; i < j->n; i++)
        tx_unref(j->txs[i]);
    free(j->txs);
    free(j);
}

static void strike_off(void *arg)
{
    struct own_job *j = arg;

    mempool_set_unbroadcast(j->net->mempool, &j->id, false);
    job_free(j);
}

void net_tx_taken(void *ctx, const struct txid *id)
{
    struct node_net *n = ctx;
    struct own_job *j = xcalloc(1, sizeof(*j));

    j->net = n;
    j->id = *id;
    queue_push(n->validation, strike_off, job_free, j, 0);
}

static void announce_all(void *arg)
{
    struct own_job *j = arg;

    for (size_t i = 0; i < j->n; i++)
        sync_announce_own_tx(j->net->sync, j->txs[i]);
    job_free(j);
}

static bool collect(void *ctx, const struct mempool_entry *e)
{
    struct own_job *j = ctx;

    if (e->unbroadcast) {
        j->txs = xrealloc(j->txs, (j->n + 1) * sizeof(struct tx *));
        j->txs[j->n++] = tx_ref(e->tx);
    }
    return true;
}

static void collect_all(void *arg)
{
    struct own_job *j = arg;
    struct mempool_stats stats;

    mempool_stats(j->net->mempool, &stats);
    if (stats.unbroadcast == 0) {
        job_free(j);
        return;
    }
    mempool_each(j->net->mempool, collect, j);
    log_debug(LOG_NET, "Announcing %zu transactions again that no peer has taken yet", j->n);
    loop_post(j->net->loop, announce_all, job_free, j);
}

void net_own_tick(struct node_net *n)
{
    int64_t now = time_mono_us();
    bool due = n->next_reannounce != 0 && now >= n->next_reannounce;
    struct own_job *j;

    if (n->next_reannounce != 0 && !due)
        return;
    n->next_reannounce = now + REANNOUNCE_US + (int64_t)(random_u64() % REANNOUNCE_SPREAD_US);
    if (!due || !n->mempool)
        return;
    j = xcalloc(1, sizeof(*j));
    j->net = n;
    queue_push(n->validation, collect_all, job_free, j, 0);
}

void node_net_forward(struct node_net *n, int64_t seconds)
{
    /* The first ticks may be still to come: what they would plan is what time goes on for. */
    net_own_tick(n);
    net_privcast_tick(n);
    n->next_reannounce -= seconds * 1000000;
    net_own_tick(n);
    if (n->privcast.next_reattempt)
        n->privcast.next_reattempt -= seconds * 1000000;
    net_privcast_tick(n);
}
