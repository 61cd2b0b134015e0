/* events.c - fans the events of chain and mempool out to mempool, network, RPC and the user's commands. Validation thread. */
#include <stdio.h>
#include <string.h>

#include "node/daemon.h"
#include "node/private.h"
#include "util/log.h"
#include "util/time.h"
#include "zmq/publisher.h"

#define MOST_PUT_BACK 10 /* blocks of one invalidateblock */

static void on_block_connected(void *ctx, const struct block_entry *e, struct block *block)
{
    struct node *n = ctx;
    if (n->mempool)
        mempool_block_connected(n->mempool, block, e->node.height);
    node_zmq_connected(n, block);
    if (n->net)
        node_net_block_connected(n->net, e, block);
}

static void on_block_spent(void *ctx, const struct block_entry *e, struct block *block, const uint8_t *undo, size_t undo_len)
{
    node_indexes_offer(ctx, e, block, undo, undo_len);
}

static void on_pow_valid(void *ctx, const struct block_entry *e, struct block *block)
{
    struct node *n = ctx;
    if (n->net)
        node_net_pow_valid(n->net, e, block);
}

static void on_block_disconnected(void *ctx, const struct block_entry *e, struct block *block)
{
    struct node *n = ctx;
    node_indexes_disconnected(n, e);
    if (n->mempool)
        mempool_block_disconnected(n->mempool, block);
    node_zmq_disconnected(n, block);
}

/* Blocks taken away by hand: the pool follows at each, but what deep ones held is not put back. */
static void on_block_given_up(void *ctx, unsigned count)
{
    struct node *n = ctx;
    if (!n->mempool)
        return;
    if (count > MOST_PUT_BACK)
        mempool_forget_disconnected(n->mempool);
    mempool_tip_changed(n->mempool);
}

static void say_progress(struct node *n, const struct block_entry *tip)
{
    char text[120], status[140];

    if (!progress_update(&n->progress, chain_progress(n->chain, tip), time_mono_us(), text, sizeof(text)))
        return;
    log_info("%s (height %d)", text, tip->node.height);
    snprintf(status, sizeof(status), "STATUS=%s", text);
    daemon_notify_systemd(status);
}

/* Tells the user's command of a new warning. */
static void say_warning(struct node *n, const char *text)
{
    const char *command = args_str(n->config->args, "alertnotify", "");
    char quoted[WARNING_SIZE + 2];

    if (!*command)
        return;
    snprintf(quoted, sizeof(quoted), "'%s'", text); /* our own words: nothing in them needs escaping */
    daemon_run_command(command, quoted);
}

static void on_invalid_ahead(void *ctx, bool ahead)
{
    static const char text[] =
        "Warning: Found invalid chain more than 6 blocks longer than our best chain. This could be due to database "
        "corruption or consensus incompatibility with peers.";
    struct node *n = ctx;

    if (warnings_set(&n->warnings, WARNING_INVALID_CHAIN, ahead ? text : NULL))
        say_warning(n, text);
}

static void on_tip_changed(void *ctx, const struct block_entry *tip, const struct block_entry *fork, bool initial_download)
{
    struct node *n = ctx;
    const char *command = args_str(n->config->args, "blocknotify", "");
    char warning[WARNING_SIZE];

    if (n->mempool && !n->net)
        node_chain_opened(n);
    if (n->mempool)
        mempool_tip_changed(n->mempool);
    node_zmq_tip_changed(n, tip, fork, initial_download);
    if (n->net)
        node_net_tip_changed(n->net, tip, fork, initial_download);
    if (n->rpc)
        rpc_server_tip_changed(n->rpc, tip);
    if (n->miner)
        cpu_miner_tip_changed(n->miner);
    if (n->stratum)
        stratum_tip_changed(n->stratum);
    node_indexes_wake(n);
    if (n->electrum)
        electrum_tip_changed(n->electrum);
    if (initial_download)
        say_progress(n, tip);
    else if (warnings_new_tip(&n->warnings, warning, &n->config->params, &tip->node))
        say_warning(n, warning);
    if (*command && !initial_download)
        daemon_run_command(command, block_hash_hex(&tip->node.hash).s);
}

static void on_history_changed(void *ctx, bool complete)
{
    struct node *n = ctx;
    if (n->net)
        node_net_history_changed(n->net, complete);
    node_indexes_wake(n);
}

static void on_history_moved(void *ctx)
{
    node_indexes_wake(ctx);
}

static void on_header_tip(void *ctx, const struct block_entry *best, bool initial_download)
{
    struct node *n = ctx;
    (void)initial_download;
    if (n->net)
        node_net_header_tip(n->net, best);
}

static void on_block_checked(void *ctx, const struct block_hash *hash, const struct verdict *v)
{
    struct node *n = ctx;
    if (n->net)
        node_net_block_checked(n->net, hash, v);
}

static void on_fatal(void *ctx, const char *text)
{
    char whole[1408];

    snprintf(whole, sizeof(whole), "A fatal internal error occurred, see debug.log for details: %s", text);
    node_fatal(ctx, whole);
}

static void on_progress(void *ctx, const char *title, int percent)
{
    struct node *n = ctx;
    char status[160];

    if (n->rpc && !n->net) /* RPC warms up until the network is there */
        rpc_server_warmup(n->rpc, title);
    snprintf(status, sizeof(status), "STATUS=%s %d%%", title, percent);
    daemon_notify_systemd(status);
}

/* An import keeps the validation thread for long: what RPC and peers ask for is done in between. */
static void on_between_blocks(void *ctx)
{
    struct node *n = ctx;
    while (queue_run_one(n->validation, 0))
        continue;
}

static int32_t on_needed_from(void *ctx)
{
    return node_indexes_need_from(ctx);
}

struct chain_events node_chain_events(struct node *n)
{
    return (struct chain_events){
        .ctx = n,
        .block_connected = on_block_connected,
        .block_spent = on_block_spent,
        .block_disconnected = on_block_disconnected,
        .block_given_up = on_block_given_up,
        .new_pow_valid_block = on_pow_valid,
        .tip_changed = on_tip_changed,
        .header_tip = on_header_tip,
        .history_changed = on_history_changed,
        .history_moved = on_history_moved,
        .block_checked = on_block_checked,
        .invalid_ahead = on_invalid_ahead,
        .fatal = on_fatal,
        .needed_from = on_needed_from,
        .progress = on_progress,
        .stop_requested = node_request_stop,
        .between_blocks = on_between_blocks,
    };
}

static void on_tx_added(void *ctx, struct tx *tx, int64_t fee, uint64_t sequence)
{
    struct node *n = ctx;
    struct mempool_entry e;
    bool known;

    zmq_publish_tx_added(n->zmq.publisher, tx, sequence);
    node_scripts_added(n, tx, fee);
    if (!n->net)
        return;
    known = mempool_get(n->mempool, &e, &tx->txid);
    node_net_tx_added(n->net, tx, fee, known && e.chunk_weight ? (double)e.chunk_fee / (double)e.chunk_weight : 0,
                      known && e.sequence == 0);
}

static void on_tx_removed(void *ctx, struct tx *tx, const char *reason, uint64_t sequence)
{
    struct node *n = ctx;
    node_scripts_removed(n, tx);
    if (strcmp(reason, "block") != 0)
        zmq_publish_tx_removed(n->zmq.publisher, tx, sequence);
    if (n->net)
        node_net_tx_removed(n->net, tx, strcmp(reason, "replaced") == 0);
}

struct mempool_events node_mempool_events(struct node *n)
{
    return (struct mempool_events){.ctx = n, .added = on_tx_added, .removed = on_tx_removed};
}
