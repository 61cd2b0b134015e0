/* net_events.c - events of chain and mempool on their way from the validation thread to sync on the loop, in order. */
#include <stdlib.h>

#include "node/net_private.h"
#include "util/log.h"
#include "util/mem.h"

struct net_event {
    struct node_net *net;
    void (*deliver)(struct net_event *ev);
    const struct block_entry *entry, *fork;
    struct block *block;
    struct tx *tx;
    int64_t fee;
    double score;
    bool from_block, replaced;
    bool initial_download, complete;
    struct block_hash hash;
    struct verdict verdict;
};

static void event_drop(void *arg)
{
    struct net_event *ev = arg;
    block_unref(ev->block);
    tx_unref(ev->tx);
    free(ev);
}

static void event_run(void *arg)
{
    struct net_event *ev = arg;
    ev->deliver(ev);
    event_drop(ev);
}

static void post(struct net_event ev)
{
    struct net_event *copy = xmemdup(&ev, sizeof(ev));
    loop_post(ev.net->loop, event_run, event_drop, copy);
}

static void deliver_block(struct net_event *ev)
{
    sync_block_connected(ev->net->sync, ev->entry, ev->block);
}

static void deliver_pow_valid(struct net_event *ev)
{
    sync_block_pow_valid(ev->net->sync, ev->entry, ev->block);
}

static void deliver_tip(struct net_event *ev)
{
    sync_tip_changed(ev->net->sync, ev->entry, ev->fork, ev->initial_download);
}

static void deliver_header_tip(struct net_event *ev)
{
    sync_header_tip(ev->net->sync, ev->entry);
}

static void deliver_tx_added(struct net_event *ev)
{
    sync_tx_added(ev->net->sync, ev->tx, ev->fee, ev->score, ev->from_block);
}

static void deliver_tx_removed(struct net_event *ev)
{
    sync_tx_removed(ev->net->sync, ev->tx, ev->replaced);
}

static void deliver_checked(struct net_event *ev)
{
    sync_block_checked(ev->net->sync, &ev->hash, &ev->verdict);
}

void node_net_block_checked(struct node_net *n, const struct block_hash *hash, const struct verdict *v)
{
    if (v->kind == VERDICT_VALID && chain_initial_download(n->chain))
        return; /* nothing follows from it, and there are many */
    post((struct net_event){.net = n, .deliver = deliver_checked, .hash = *hash, .verdict = *v});
}

void node_net_pow_valid(struct node_net *n, const struct block_entry *e, struct block *block)
{
    post((struct net_event){.net = n, .deliver = deliver_pow_valid, .entry = e, .block = block_ref(block)});
}

void node_net_block_connected(struct node_net *n, const struct block_entry *e, struct block *block)
{
    /* During initial download nobody asks for these blocks' transactions, and the block need not be kept alive. */
    if (chain_initial_download(n->chain))
        return;
    post((struct net_event){.net = n, .deliver = deliver_block, .entry = e, .block = block_ref(block)});
}

static void deliver_history(struct net_event *ev)
{
    struct node_net *n = ev->net;

    if (!(n->set.services_full & NODE_NETWORK))
        return;
    if (ev->complete)
        log_info("[snapshot] re-enabling NODE_NETWORK services");
    n->set.services = ev->complete ? n->set.services | NODE_NETWORK : n->set.services & ~(uint64_t)NODE_NETWORK;
    sync_set_local_services(n->sync, n->set.services);
}

void node_net_history_changed(struct node_net *n, bool complete)
{
    post((struct net_event){.net = n, .deliver = deliver_history, .complete = complete});
}

void node_net_tip_changed(struct node_net *n, const struct block_entry *tip, const struct block_entry *fork, bool initial_download)
{
    post((struct net_event){.net = n, .deliver = deliver_tip, .entry = tip, .fork = fork, .initial_download = initial_download});
}

void node_net_header_tip(struct node_net *n, const struct block_entry *best)
{
    post((struct net_event){.net = n, .deliver = deliver_header_tip, .entry = best});
}

void node_net_tx_added(struct node_net *n, struct tx *tx, int64_t fee, double score, bool from_block)
{
    post((struct net_event){
        .net = n, .deliver = deliver_tx_added, .tx = tx_ref(tx), .fee = fee, .score = score, .from_block = from_block});
}

void node_net_tx_removed(struct node_net *n, struct tx *tx, bool replaced)
{
    post((struct net_event){.net = n, .deliver = deliver_tx_removed, .tx = tx_ref(tx), .replaced = replaced});
}
