/* net_jobs.c - sync's requests carried to where they belong: headers, blocks and transactions to the validation thread in order, reads of blocks
 * to the I/O pool; and the answers back to the loop. */
#include <stdlib.h>
#include <string.h>

#include "node/net_private.h"
#include "util/log.h"
#include "util/mem.h"

/* ---- headers ---- */

struct headers_job {
    struct node_net *net;
    peer_id peer;
    struct block_header *headers;
    size_t n;
    bool min_pow_checked;
    const struct block_entry *last;
    struct verdict v;
};

static void headers_drop(void *arg)
{
    struct headers_job *j = arg;
    free(j->headers);
    free(j);
}

static void headers_answer(void *arg)
{
    struct headers_job *j = arg;
    sync_headers_done(j->net->sync, j->peer, j->last, &j->v, j->n);
    headers_drop(j);
}

static void headers_run(void *arg)
{
    struct headers_job *j = arg;
    verdict_init(&j->v);
    chain_accept_headers(j->net->chain, j->headers, j->n, j->min_pow_checked, &j->last, &j->v);
    loop_post(j->net->loop, headers_answer, headers_drop, j);
}

static void submit_headers(void *ctx, peer_id peer, struct block_header *headers_take, size_t n, bool min_pow_checked)
{
    struct node_net *net = ctx;
    struct headers_job *j = xcalloc(1, sizeof(*j));

    j->net = net;
    j->peer = peer;
    j->headers = headers_take;
    j->n = n;
    j->min_pow_checked = min_pow_checked;
    queue_push(net->validation, headers_run, headers_drop, j, n * sizeof(*headers_take));
}

/* ---- blocks ----
 * A block is prepared (decoded, checked ahead) by one thread, which keeps their order, and goes on to validation from there. What is decoded can be
 * many times as large as the message, so preparing waits while validation has its fill, and the loop takes no more while messages pile up. */

struct block_job {
    struct node_net *net;
    peer_id peer;
    struct sync_block *b;
    size_t unread; /* bytes of it that count as waiting for preparation */
};

static void block_drop(void *arg)
{
    struct block_job *j = arg;
    sync_block_free(j->b);
    free(j);
}

static void block_answer(void *arg)
{
    struct block_job *j = arg;
    sync_block_done(j->net->sync, j->peer, j->b);
    block_drop(j);
}

/* The chain has judged the block. Validation thread. */
static void block_judged(void *arg, const struct block_hash *hash, bool is_new, const struct verdict *v)
{
    struct block_job *j = arg;
    (void)hash;
    j->b->is_new = is_new;
    j->b->verdict = *v;
    loop_post(j->net->loop, block_answer, block_drop, j);
}

static void block_run(void *arg)
{
    struct block_job *j = arg;
    struct sync_block *b = j->b;
    struct block *block = b->block;
    struct block_precheck pre;
    bool enough_work = false;

    if (!sync_block_precheck(j->net->chain, &j->net->config->min_chain_work, b, &enough_work)) {
        loop_post(j->net->loop, block_answer, block_drop, j);
        return;
    }
    pre = b->pre;
    b->block = NULL; /* not kept beyond its processing; and j may be gone when the chain returns */
    chain_process_checked_block(j->net->chain, block, &pre, b->requested, enough_work, block_judged, j);
    block_unref(block);
}

/* The preparing thread. */
static void block_prepare(void *arg)
{
    struct block_job *j = arg;

    queue_wait_room(j->net->validation);
    sync_block_prepare(j->net->chain, j->b);
    atomic_fetch_sub(&j->net->unprepared, j->unread);
    if (j->b->outcome == BLOCK_READY)
        queue_push(j->net->validation, block_run, block_drop, j, block_memory(j->b->block));
    else
        loop_post(j->net->loop, block_answer, block_drop, j);
}

static void submit_block(void *ctx, peer_id peer, struct sync_block *b_take)
{
    struct node_net *net = ctx;
    struct block_job *j = xcalloc(1, sizeof(*j));

    j->net = net;
    j->peer = peer;
    j->b = b_take;
    j->unread = b_take->unread;
    atomic_fetch_add(&net->unprepared, j->unread);
    pool_push(net->prepare, block_prepare, j, 0); /* bounded by host_busy */
}

/* ---- transactions ---- */

struct tx_job {
    struct node_net *net;
    peer_id peer;
    struct tx *tx;
    struct mempool_result_summary result;
    int64_t fee_rate; /* of the full mempool */
};

static void tx_drop(void *arg)
{
    struct tx_job *j = arg;
    tx_unref(j->tx);
    free(j);
}

static void tx_answer(void *arg)
{
    struct tx_job *j = arg;
    sync_set_mempool_fee_rate(j->net->sync, j->fee_rate);
    sync_tx_done(j->net->sync, j->peer, j->tx, &j->result);
    tx_drop(j);
}

static void say_accepted(struct node_net *n, peer_id peer, const struct tx *tx)
{
    struct mempool_stats stats;

    mempool_stats(n->mempool, &stats);
    log_debug(LOG_MEMPOOL, "AcceptToMemoryPool: peer=%lld: accepted %s (wtxid=%s) (poolsz %zu txn, %zu kB)", (long long)peer,
              txid_hex(&tx->txid).s, wtxid_hex(&tx->wtxid).s, stats.count, stats.usage / 1000);
}

/* The rate below which a full pool refuses, 0 if it is not full. */
static int64_t full_pool_rate(struct node_net *n)
{
    struct mempool_stats stats;

    mempool_stats(n->mempool, &stats);
    return stats.min_fee_rate > n->config->policy.min_relay_fee_rate ? stats.min_fee_rate : 0;
}

static void tx_run(void *arg)
{
    struct tx_job *j = arg;
    struct mempool_result r;

    memset(&r, 0, sizeof(r));
    chain_drain(j->net->chain); /* the tip that it is judged against must stand */
    mempool_accept(j->net->mempool, j->tx, false, false, &r);
    j->result.accepted = r.kind == MEMPOOL_ACCEPTED;
    j->result.already_there = r.kind == MEMPOOL_ALREADY_THERE;
    j->result.verdict = r.verdict;
    j->fee_rate = full_pool_rate(j->net);
    if (j->result.accepted)
        say_accepted(j->net, j->peer, j->tx);
    loop_post(j->net->loop, tx_answer, tx_drop, j);
}

static void submit_tx(void *ctx, peer_id peer, struct tx *tx_take)
{
    struct node_net *net = ctx;
    struct tx_job *j = xcalloc(1, sizeof(*j));

    j->net = net;
    j->peer = peer;
    j->tx = tx_take;
    queue_push(net->validation, tx_run, tx_drop, j, tx_take->raw_len);
}

/* ---- packages ---- */

struct package_job {
    struct node_net *net;
    peer_id peer;
    struct tx *txs[2]; /* parent, child */
    struct package_result_summary result;
    int64_t fee_rate;
};

static void package_drop(void *arg)
{
    struct package_job *j = arg;
    tx_unref(j->txs[0]);
    tx_unref(j->txs[1]);
    free(j);
}

static void package_answer(void *arg)
{
    struct package_job *j = arg;
    sync_set_mempool_fee_rate(j->net->sync, j->fee_rate);
    sync_package_done(j->net->sync, j->peer, j->txs[0], j->txs[1], &j->result);
    package_drop(j);
}

static void package_run(void *arg)
{
    struct package_job *j = arg;
    struct mempool_package_result r;

    chain_drain(j->net->chain);
    j->result.valid = mempool_accept_pair(j->net->mempool, j->txs[0], j->txs[1], &r);
    for (size_t i = 0; i < 2; i++) {
        enum mempool_result_kind kind = r.tx[i].kind;
        j->result.tx[i].outcome = PACKAGE_TX_NOT_JUDGED;
        j->result.tx[i].verdict = r.tx[i].verdict;
        if (kind == MEMPOOL_ACCEPTED)
            j->result.tx[i].outcome = PACKAGE_TX_ACCEPTED;
        else if (kind == MEMPOOL_REJECTED && r.tx[i].verdict.kind == VERDICT_INVALID)
            j->result.tx[i].outcome = PACKAGE_TX_REJECTED;
        if (kind == MEMPOOL_ACCEPTED)
            say_accepted(j->net, j->peer, j->txs[i]);
    }
    mempool_package_result_clear(&r);
    j->fee_rate = full_pool_rate(j->net);
    loop_post(j->net->loop, package_answer, package_drop, j);
}

static void submit_package(void *ctx, peer_id peer, struct tx *parent_take, struct tx *child_take)
{
    struct node_net *net = ctx;
    struct package_job *j = xcalloc(1, sizeof(*j));

    j->net = net;
    j->peer = peer;
    j->txs[0] = parent_take;
    j->txs[1] = child_take;
    queue_push(net->validation, package_run, package_drop, j, parent_take->raw_len + (size_t)child_take->raw_len);
}

/* ---- reading blocks ---- */

struct read_job {
    struct node_net *net;
    peer_id peer;
    const struct block_entry *entry;
    bool decode;
    struct block *block;
    uint8_t *raw;
    size_t len;
    enum rc rc;
};

static void read_drop(void *arg)
{
    struct read_job *j = arg;
    block_unref(j->block);
    free(j->raw);
    free(j);
}

static void read_answer(void *arg)
{
    struct read_job *j = arg;
    sync_block_read(j->net->sync, j->peer, j->entry, j->block, j->raw, j->len, j->rc);
    read_drop(j);
}

static void read_run(void *arg)
{
    struct read_job *j = arg;
    if (j->decode)
        j->rc = chain_read_block(j->net->chain, &j->block, j->entry);
    else
        j->rc = chain_read_raw(j->net->chain, &j->raw, &j->len, j->entry);
    loop_post(j->net->loop, read_answer, read_drop, j);
}

static void read_block(void *ctx, peer_id peer, const struct block_entry *e, bool decode)
{
    struct node_net *net = ctx;
    struct read_job *j = xcalloc(1, sizeof(*j));

    j->net = net;
    j->peer = peer;
    j->entry = e;
    j->decode = decode;
    pool_push(net->io, read_run, j, 0); /* one for each peer at a time, so it needs no bound */
}

/* ---- connections ---- */

static void host_send(void *ctx, peer_id peer, const char *type, const void *payload, size_t len)
{
    struct net_peer *p = net_peer_find(ctx, peer);
    if (p)
        net_peer_send(p, type, payload, len);
}

static void host_disconnect(void *ctx, peer_id peer)
{
    struct net_peer *p = net_peer_find(ctx, peer);
    if (p)
        net_peer_close(p, NULL);
}

static void host_discourage(void *ctx, peer_id peer)
{
    net_discourage(ctx, peer);
}

static bool host_busy(void *ctx)
{
    struct node_net *net = ctx;
    return queue_full(net->validation) || atomic_load(&net->unprepared) > MAX_UNPREPARED;
}

static bool host_send_full(void *ctx, peer_id peer)
{
    struct net_peer *p = net_peer_find(ctx, peer);
    return p && connection_send_full(p->conn);
}

static void host_wire(void *ctx, peer_id peer, struct peer_wire *out)
{
    struct net_peer *p = net_peer_find(ctx, peer);
    if (!p)
        return;
    out->last_send = connection_last_send(p->conn);
    out->last_recv = connection_last_recv(p->conn);
    out->transport = connection_transport(p->conn);
}

struct sync_host net_sync_host(struct node_net *n)
{
    return (struct sync_host){
        .ctx = n,
        .send = host_send,
        .disconnect = host_disconnect,
        .discourage = host_discourage,
        .submit_headers = submit_headers,
        .submit_block = submit_block,
        .submit_tx = submit_tx,
        .submit_package = submit_package,
        .read_block = read_block,
        .read_filters = net_read_filters,
        .busy = host_busy,
        .send_full = host_send_full,
        .wire = host_wire,
        .tx_taken = net_tx_taken,
        .private_wanted = net_privcast_wanted,
        .addr = net_addr_host(),
        .wake_at = net_wake_at,
        .conn = {.tx_slot = net_slot_for_txs, .upload_reached = net_upload_reached},
    };
}
