/* rpc.h - JSON-RPC over HTTP: server, authentication, dispatch, and one file per command group with a const table of commands. */
#ifndef FARTHING_RPC_RPC_H
#define FARTHING_RPC_RPC_H

#include "chain/chain.h"
#include "index/address_index.h"
#include "index/filter_index.h"
#include "index/spender_index.h"
#include "index/stats_index.h"
#include "index/tx_index.h"
#include "mempool/mempool.h"
#include "mempool/script_index.h"
#include "mining/mining.h"
#include "net/loop.h"
#include "sync/sync.h"
#include "util/args.h"

struct cpu_miner;
struct stratum;
struct zmq_publisher;

/* The node's parts as commands use them. Filled by node; all outlive the server. */
struct rpc_host {
    const struct chain_params *params;
    const struct args *args;
    const char *datadir; /* the network's own folder */
    const char *log_path;
    struct chain *chain;
    struct mempool *mempool;      /* validation thread */
    struct script_index *scripts; /* NULL: the mempool is not kept by script */
    struct fees *fees;            /* likewise; NULL: fees are not estimated */
    struct filter_index *filters; /* NULL: there is no such index, as the next three */
    struct tx_index *txs;
    struct stats_index *coin_stats;
    struct spender_index *spenders;
    struct address_index *addresses;
    struct index *const *indexes; /* all that there are, as getindexinfo shows them */
    size_t n_indexes;
    struct loop *loop;
    struct queue *validation; /* jobs for the validation thread */
    struct pool *io;          /* blocking jobs */
    struct node_net *net;     /* peers and connections; NULL: none. Reached through net_ops (rpc/net_host.h) */
    const struct net_host_ops *net_ops;
    const struct mining_options *mining;
    struct template_cache *templates; /* shared with the miners; NULL: the server has one of its own */
    struct cpu_miner *miner;          /* NULL: none */
    struct stratum *stratum;          /* NULL: off; loop thread */
    struct zmq_publisher *zmq;        /* NULL: no notifications */
    atomic_bool *interrupt;
    const atomic_bool
        *loaded; /* start is complete: reindex, imports and mempool.dat are done (getmempoolinfo "loaded"); NULL: always */
    void *ctx;
    void (*request_stop)(void *ctx);
    void (*forward)(void *ctx,
                    int64_t seconds); /* timers of the validation thread, on it, as if so much time had passed; NULL: none */
    /* Out: the i-th thing that the user should know. Returns: false if there are not so many. Any thread. NULL: nothing ever. */
    bool (*warning)(void *ctx, unsigned i, char *text, size_t size);
};

struct rpc_server;
/** Starts listening as the options say (-rpcbind, -rpcport, -rpcallowip, -rpcauth...). Commands answer -28 with the warm-up text until
 *  rpc_server_ready. Loop thread. Returns: false with *error (to free). */
bool rpc_server_start(struct rpc_server **out, const struct rpc_host *host, char **error);
/** Sets the warm-up text ("Loading block index…"). Any thread. */
void rpc_server_warmup(struct rpc_server *s, const char *text);
/** host is complete from now on. Any thread. */
void rpc_server_ready(struct rpc_server *s, const struct rpc_host *host);
/** Stops accepting, wakes long polls, waits for running commands. Loop thread. */
void rpc_server_stop(struct rpc_server *s);
void rpc_server_free(struct rpc_server *s);
/** Events that long polls wait for. Any thread. */
void rpc_server_tip_changed(struct rpc_server *s, const struct block_entry *tip);

#endif
