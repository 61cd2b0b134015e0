/* private.h - the node's own state, shared by the files of src/node. */
#ifndef FARTHING_NODE_PRIVATE_H
#define FARTHING_NODE_PRIVATE_H

#include <stdatomic.h>

#include "chain/chain.h"
#include "electrum/electrum.h"
#include "index/address_index.h"
#include "index/filter_index.h"
#include "index/spender_index.h"
#include "index/stats_index.h"
#include "index/tx_index.h"
#include "mempool/fees.h"
#include "mempool/script_index.h"
#include "mining/cpu_miner.h"
#include "net/loop.h"
#include "node/config.h"
#include "node/net.h"
#include "node/progress.h"
#include "node/warnings.h"
#include "rpc/rpc.h"
#include "rpc/stratum.h"
#include "script/cache.h"

struct event;
struct zmq_publisher;

/* Notifications over ZeroMQ, and blocks that wait for the end of their step. Validation thread. */
struct node_zmq {
    struct zmq_publisher *publisher; /* NULL: none */
    struct block **held;
    size_t n_held, cap_held, held_bytes;
    struct block *last; /* connected last */
};

#define NODE_INDEXES 5

struct node {
    struct node_config *config;
    struct loop *loop;
    struct queue *validation;
    struct pool *io;
    pthread_t validation_thread;
    struct sig_cache *sig_cache;
    struct chain *chain;          /* made, used and closed by the validation thread; its read side by all */
    struct mempool *mempool;      /* likewise */
    struct script_index *scripts; /* likewise, by script; NULL: not wanted */
    struct filter_index *filters; /* likewise; NULL: not wanted, as the next three */
    struct tx_index *txs;
    struct stats_index *coin_stats;
    struct spender_index *spenders;
    struct address_index *addresses;
    struct index *indexes[NODE_INDEXES]; /* all of them that are open */
    size_t n_indexes;
    struct fees *fees;                   /* likewise; NULL: with -blocksonly */
    int64_t fees_flushed;                /* monotonic microseconds */
    struct template_cache *templates;    /* of all who mine */
    struct cpu_miner *miner;             /* made when the chain stands */
    _Atomic(struct stratum *) stratum;   /* NULL: off */
    _Atomic(struct electrum *) electrum; /* likewise */
    struct node_zmq zmq;
    struct node_net *net;
    bool net_started;
    struct rpc_server *rpc;
    struct event *signals[3], *watchdog; /* watchdog NULL: nobody asked */
    atomic_bool interrupt;               /* long work gives up */
    atomic_int exit_code;
    int ready_fd;             /* see daemon_ready */
    struct progress progress; /* validation thread */
    struct warnings warnings;
    atomic_bool mempool_loaded;
};

/* node.c */
void node_request_stop(void *ctx);                 /* any thread */
void node_fatal(struct node *n, const char *text); /* any thread: reports, stops, exit code 1 */
void node_chain_opened(struct node *n);            /* validation thread: chain and mempool stand */

/* validation.c */
void *node_validation_main(void *node); /* the validation thread */
void node_parts_close(struct node *n);  /* main thread, after the validation thread has ended */

/* indexes.c; validation thread */
bool node_indexes_open(struct node *n, char **error);   /* what the options ask for; false with *error, Core's text */
bool node_wants_addresses(const struct node_config *c); /* -addressindex, or what needs it; any thread */
size_t node_indexes_cache(const struct node_config *c); /* bytes, out of -dbcache, that they take */
void node_indexes_wake(struct node *n);
void node_indexes_offer(struct node *n, const struct block_entry *e, struct block *block, const uint8_t *undo, size_t undo_len);
void node_indexes_disconnected(struct node *n, const struct block_entry *e);
int32_t node_indexes_need_from(struct node *n); /* the lowest height that must not be pruned */
void node_indexes_close(struct node *n);        /* the chain is flushed */

/* scripts.c; validation thread */
void node_scripts_open(struct node *n); /* if the options ask for it */
void node_scripts_added(struct node *n, struct tx *tx, int64_t fee);
void node_scripts_removed(struct node *n, const struct tx *tx);
void node_scripts_close(struct node *n);

/* fees.c; validation thread */
void node_fees_open(struct node *n);                /* the chain stands, the mempool is about to */
void node_fees_periodic(struct node *n);            /* writes the files if it is time */
void node_fees_forward(void *ctx, int64_t seconds); /* as if so much time had passed */
void node_fees_close(struct node *n);               /* writes them for the last time */
bool node_fees_current(void *ctx);                  /* see struct mempool_chain */
bool node_fees_initial_download(void *ctx);

/* zmq.c */
void node_zmq_open(struct node *n);  /* main thread, before validation begins */
void node_zmq_close(struct node *n); /* main thread, after it has ended */
void node_zmq_connected(struct node *n, struct block *b);
void node_zmq_disconnected(struct node *n, struct block *b);
/* After the mempool has followed. */
void node_zmq_tip_changed(struct node *n, const struct block_entry *tip, const struct block_entry *fork, bool initial_download);

/* events.c */
struct chain_events node_chain_events(struct node *n);
struct mempool_events node_mempool_events(struct node *n);

#endif
