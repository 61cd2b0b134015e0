/* stratum_priv.h - the stratum server's state, shared by stratum.c (work, blocks, clock) and stratum_client.c (connections). Loop thread, but for the
 * atomics. */
#ifndef FARTHING_RPC_STRATUM_PRIV_H
#define FARTHING_RPC_STRATUM_PRIV_H

#include "net/endpoint.h"
#include "rpc/stratum.h"
#include "rpc/stratum_session.h"

#define STRATUM_MAX_CLIENTS 512
#define STRATUM_MAX_LISTENERS 16

struct bufferevent;
struct event;

struct stratum_client {
    struct stratum *server;
    size_t place; /* in the server's list */
    uint64_t id;
    char address[NET_ADDR_TEXT];
    struct bufferevent *be;
    struct turn turn;
    int64_t last_us; /* when its last line came */
    bool dead;       /* to be freed from the loop */
    struct stratum_session s;
};

struct stratum {
    struct rpc_host host;
    struct listener *listeners[STRATUM_MAX_LISTENERS];
    size_t n_listeners;
    struct stratum_client *clients[STRATUM_MAX_CLIENTS];
    size_t n_clients;
    atomic_bool occupied; /* there are clients */
    struct event *tick, *reap;
    int64_t timeout_us; /* for silent clients */
    double difficulty;  /* at the start */

    struct mining_work *work; /* the newest; NULL: none yet */
    int64_t work_time;        /* when it came, seconds of the mockable clock */
    uint32_t bits;            /* of the header as it was sent out */
    atomic_bool asked;        /* a template is under way */
    atomic_bool outdated;     /* the tip has changed since `work` was made */

    uint64_t last_client; /* ids */
    uint32_t next_extra;
    uint64_t accepted, rejected, stale; /* of clients that are gone */
    uint64_t blocks;                    /* that the chain took */
};

/* stratum.c */
/** Has a template made, unless one is under way. */
void stratum_ask(struct stratum *st);
/** Hands a block that a client found to the validation thread. */
void stratum_submit_block(struct stratum *st, struct block *b_take, const char *user);

/* stratum_client.c */
void stratum_client_accept(void *server, evutil_socket_t fd, const struct net_addr *peer, const struct net_addr *local);
/** Sends what the session wrote. */
void stratum_client_flush(struct stratum_client *c);
/** Gone for all but its memory, which goes with the next stratum_reap. */
void stratum_client_drop(struct stratum_client *c, const char *why);
void stratum_reap(struct stratum *st);

#endif
