/* server.h - the Electrum server's state, shared by server.c (life, options), client.c and lines.c (connections), data.c and data_script.c
 * (what sessions ask) and notify.c (what they are told). */
#ifndef FARTHING_ELECTRUM_SERVER_H
#define FARTHING_ELECTRUM_SERVER_H

#include <stdatomic.h>

#include "crypto/tls_context.h"
#include "electrum/electrum.h"
#include "header_tree.h"
#include "net/endpoint.h"
#include "rpc/local.h"
#include "session.h"

#define ELECTRUM_LISTENERS 16
#define ELECTRUM_CLIENTS 10000

struct bufferevent;
struct event;

/* What sessions ask; pool threads. */
#define BLOCKS_KEPT 4
#define PLACE_WAYS 4
struct tx_place {
    uint64_t id; /* of the txid, with a secret; 0: none */
    int32_t height;
    uint32_t pos;
};
struct electrum_data {
    struct rpc_host host;
    struct watch_table *watches;
    struct header_tree *headers;
    struct rpc_local *rpc;
    atomic_bool stopping;
    pthread_mutex_t lock;              /* of what follows */
    struct block *blocks[BLOCKS_KEPT]; /* read last */
    unsigned next_block;
    struct tx_place *places; /* of transactions that histories named; NULL: -txindex knows all */
    size_t n_sets;
    uint64_t secret[2];
    void (*hosts)(void *ctx, struct json_writer *j);
    void *hosts_ctx;
    void (*again)(void *ctx); /* scripts are touched: the notifier is to look */
    void *again_ctx;
};
void electrum_data_init(struct electrum_data *d, const struct rpc_host *host);
void electrum_data_clear(struct electrum_data *d);
/** The table through which sessions ask. */
void electrum_data_source(struct electrum_data *d, struct electrum_source *src);
/** Waits until the index is at the tip. Out: the tip. Returns: false: it is still being built, or the node stops. */
bool electrum_data_follow(struct electrum_data *d, const struct block_entry **tip);
/** Out: *rows: of the history. */
enum electrum_rc electrum_data_status(struct electrum_data *d, struct script_status *out, size_t *rows,
                                      const struct script_hash *h);
/** data_script.c's part of the table. */
void electrum_data_script_source(struct electrum_source *src);
/** Where a history's transactions are, for known_tx. */
void electrum_data_remember(struct electrum_data *d, const struct script_history *h);
enum electrum_rc electrum_outcome(enum rc rc);

/* What clients are told, by a thread of its own. */
struct notifier;
/** fn is called on the loop thread with the lines for one client; header (line included, NULL: none) for all who subscribed. */
struct notify_target {
    void *ctx;
    void (*lines)(void *ctx, uint64_t client, const uint8_t *lines, size_t len);
    void (*header)(void *ctx, int32_t height, const uint8_t header[BLOCK_HEADER_SIZE]);
};
struct notifier *notifier_new(struct electrum_data *d, const struct notify_target *target);
void notifier_tip_changed(struct notifier *n); /* any thread */
void notifier_wake(struct notifier *n);        /* any thread: scripts are touched */
/** Ends the thread. */
void notifier_stop(struct notifier *n);
void notifier_free(struct notifier *n);

/* Connections; loop thread. */
struct electrum_client;
struct electrum {
    struct rpc_host host;
    struct electrum_data data;
    struct electrum_source source;
    struct notifier *notifier;
    struct pool *pool;
    struct tls_context *tls;
    struct listen_at {
        struct electrum *server;
        struct listener *listener;
        uint16_t port;
        bool tls;
    } listeners[ELECTRUM_LISTENERS];
    size_t n_listeners;
    struct electrum_client **clients; /* by place */
    size_t n_clients, max_clients;
    struct electrum_client *by_id;
    unsigned long_lines; /* clients that send one */
    int32_t height;      /* the header that clients were told of last */
    uint8_t header[BLOCK_HEADER_SIZE];
    size_t unread; /* bytes that clients have not taken yet, as of the last tick */
    struct event *tick, *reap;
    bool stopping;
    uint64_t served; /* clients, ever */
    char *banner;
};

void electrum_accept(void *listen_at, evutil_socket_t fd, const struct net_addr *peer, const struct net_addr *local);
/** Hangs up on those who are silent or do not read, lets those go on who had to wait. */
void electrum_clients_tick(struct electrum *e);
void electrum_clients_reap(struct electrum *e);
/** The pool has ended. */
void electrum_clients_close(struct electrum *e);
void electrum_client_lines(void *server, uint64_t client, const uint8_t *lines, size_t len);
void electrum_client_header(void *server, int32_t height, const uint8_t header[BLOCK_HEADER_SIZE]);

#endif
