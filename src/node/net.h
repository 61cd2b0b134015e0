/* net.h - the node's network: listening, connecting, and the glue between connections (net), protocol (sync) and validation. What RPC asks of
 * it stands in rpc/net_host.h. */
#ifndef FARTHING_NODE_NET_H
#define FARTHING_NODE_NET_H

#include "chain/chain.h"
#include "index/filter_index.h"
#include "mempool/mempool.h"
#include "net/loop.h"
#include "node/config.h"
#include "rpc/net_host.h"

/** Sets options that follow from others (Core's parameter interaction), with a log line for each. Once, before all that reads them. */
void node_net_interact(struct args *a);
/** Checks the network options alone, so that a mistake is reported before the chain is loaded. Returns: false with Core's text in *error
 *  (to free), such as "Invalid netmask specified in -whitelist: '1.2.3.4.5'". */
bool node_net_check(const struct node_config *config, char **error);
/** The same for -zmqpub<topic> ("Invalid port specified in -zmqpubrawtx: 'a:b'"). */
bool node_zmq_check(const struct args *a, char **error);
/** Makes the parts; nothing is opened yet. The options have passed node_net_check. Everything passed must outlive it. filters: NULL: there is no
 *  such index. Any one thread. */
struct node_net *node_net_new(const struct node_config *config, struct loop *loop, struct chain *chain, struct mempool *mempool,
                              struct filter_index *filters, struct queue *validation, struct pool *io);
/** Listens and begins to connect. Loop thread. Returns: false with Core's text in *error (to free). */
bool node_net_start(struct node_net *n, char **error);
/** Closes all connections and listeners. The loop must not run any more, or this is called on it. */
void node_net_stop(struct node_net *n);
/** After the validation queue and the pool are empty and node_net_stop. */
void node_net_free(struct node_net *n);

/* Events of chain and mempool: called on the validation thread, passed on to the loop in their order. */
void node_net_pow_valid(struct node_net *n, const struct block_entry *e, struct block *block);
void node_net_block_connected(struct node_net *n, const struct block_entry *e, struct block *block);
void node_net_block_checked(struct node_net *n, const struct block_hash *hash, const struct verdict *v);
/** Blocks of the past can(not) be served from now on: the services that peers are told of say so, unless blocks are pruned anyway. */
void node_net_history_changed(struct node_net *n, bool complete);
void node_net_tip_changed(struct node_net *n, const struct block_entry *tip, const struct block_entry *fork, bool initial_download);
void node_net_header_tip(struct node_net *n, const struct block_entry *best);
void node_net_tx_added(struct node_net *n, struct tx *tx, int64_t fee, double score, bool from_block);
void node_net_tx_removed(struct node_net *n, struct tx *tx, bool replaced);

#endif
