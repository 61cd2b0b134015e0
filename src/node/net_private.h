/* net_private.h - the state of the network glue, shared by src/node/net_*.c. Loop thread, but for the queues it posts to. */
#ifndef FARTHING_NODE_NET_PRIVATE_H
#define FARTHING_NODE_NET_PRIVATE_H

#include <stdatomic.h>
#include <uthash.h>

#include "net/addrman.h"
#include "net/bans.h"
#include "net/connection.h"
#include "net/endpoint.h"
#include "net/local.h"
#include "net/permissions.h"
#include "node/net.h"
#include "node/net_proxy.h"

#define MAX_OUTBOUND_FULL 8
#define MAX_OUTBOUND_BLOCKS 2
#define MAX_FEELERS 1
#define MAX_UNPREPARED ((size_t)16 << 20)
#define MAX_ADDED 8 /* connections by addnode at a time */

/* Everything that the options say about the network. */
struct net_settings {
    char user_agent[MAX_USER_AGENT + 1];
    uint64_t services, services_full; /* what is offered now, and with all of history */
    bool listen, bind_any, active, dns, blocks_only, whitelist_relay, whitelist_forcerelay, discover, log_ips;
    bool automatic; /* connect to peers of its own choice: neither -connect nor -noconnect */
    bool dns_seed, force_dns_seed, fixed_seeds;
    bool v2; /* -v2transport: BIP324 is spoken with those who can, and services say so */
    bool capture;
    uint16_t listen_port, public_port; /* public_port: told to others, where no other is known */
    int connect_timeout_ms;
    int64_t peer_timeout, max_connections, tx_send_rate;
    size_t max_send, max_recv; /* bytes for each connection */
    int64_t inbound_relay_percent;
    uint64_t max_upload; /* bytes a day; 0: no limit */
    size_t extra_txs;    /* -blockreconstructionextratxn */
    struct net_addr *binds, *onion_binds, *external;
    size_t n_binds, n_onion_binds, n_external;
    struct whitebind *whitebinds;
    size_t n_whitebinds;
    struct whitelist_entry *whitelist;
    size_t n_whitelist;
    struct net_ways ways;
    bool private_broadcast;
    const char *const *added, *const *connect, *const *seed_nodes; /* of args */
    size_t n_added, n_connect, n_seed_nodes;
};

/* One connection. */
struct net_peer {
    peer_id id;
    struct node_net *net;
    struct connection *conn;
    enum connection_type type;
    struct net_addr addr;
    char name[256]; /* as the user gave it, "" */
    struct peer_facts facts;
    int64_t connected;       /* time_now */
    bool prefer_evict;       /* discouraged before it came */
    struct net_addr seen_as; /* how it sees our address */
    evutil_socket_t control; /* I2P: keeps the destination of this connection alive; -1: none */
    UT_hash_handle hh;
};

/* Whom to connect to. */
struct net_target {
    char name[256];       /* as the user gave it; "": the address counts */
    struct net_addr addr; /* of the address manager or a seed */
    enum connection_type type;
    bool v2;            /* BIP324 first; when that fails, v1 follows by a target of its own */
    bool count_failure; /* a failure counts against the address in the address manager */
};

/* A connection that is being opened. */
struct net_attempt {
    struct node_net *net;
    struct net_target target;
    struct dial *dial;
    struct net_attempt *prev, *next;
};

/* A node to keep connected to (-addnode, addnode, -connect). */
struct net_wanted {
    char name[256];
    bool from_connect; /* -connect: not shown by getaddednodeinfo */
    bool v2;
    int64_t next_try; /* time_mono_us */
    unsigned tries;
    struct net_wanted *prev, *next;
};

struct net_listener {
    struct node_net *net;
    struct listener *listener;
    uint32_t permissions;
    bool onion;
};

/* How many connections of each kind there may be. */
struct net_slots {
    unsigned full_relay, block_relay, outbound; /* outbound: of all kinds but manual ones */
    size_t inbound, inbound_txs;                /* inbound_txs: that relay transactions */
};

/* What net_book.c keeps beside the address manager and the bans. */
struct net_book {
    char *peers_path, *bans_path;
    int64_t ban_time; /* -bantime */
    bool bans_dirty, writing_peers, writing_bans;
};

/* A node to fetch addresses from (-seednode, a DNS seed behind a proxy). */
struct net_fetch {
    char name[256];
    struct net_fetch *prev, *next;
};

/* net_outbound.c: the search for peers. */
struct net_outbound {
    int64_t started_us, next_feeler, next_block_relay, next_network; /* time_now_us */
    int64_t next_round, feeler_due;                                  /* time_mono_us */
    int64_t seed_node_time;                                          /* time_now */
    bool add_fixed_seeds, fetch_seed_node, feeler_waits;
    const char **seed_nodes; /* shuffled; the last one is the next */
    size_t n_seed_nodes, n_anchors;
    struct addr_entry anchors[MAX_OUTBOUND_BLOCKS];
    struct net_target feeler; /* chosen, to be opened in a moment */
    struct net_fetch *fetches;
};

/* net_seeds.c: what is asked of DNS seeds. */
enum net_seeds_phase { SEEDS_DONE, SEEDS_NODES, SEEDS_BEGIN, SEEDS_ASK, SEEDS_WAIT };
struct net_dns_seeds {
    enum net_seeds_phase phase;
    const char **names; /* shuffled */
    size_t n_names, next_name, right_now, found;
    unsigned peers;                         /* full-relay ones, when -seednode had had its time */
    int64_t started, wait_until, next_look; /* the first time_now, the others time_mono_us */
    bool looking_up, told_inactive;
    struct resolver *resolver;
};

/* What is assumed of nodes that seeds name. */
#define SEED_SERVICES (NODE_NETWORK | NODE_WITNESS | NODE_P2P_V2)

struct net_sample;

struct node_net {
    const struct node_config *config;
    struct net_settings set;
    struct loop *loop;
    struct chain *chain;
    struct mempool *mempool;
    struct filter_index *filters; /* NULL: none */
    struct queue *validation;
    struct pool *io;
    struct pool *prepare;     /* one thread: blocks on their way to validation */
    atomic_size_t unprepared; /* bytes of blocks that wait for it */
    struct sync *sync;
    struct dialer *dialer; /* made by node_net_start */
    char *i2p_key_path;
    struct i2p_listener *i2p_listener;
    struct net_tor *tor;
    struct {
        size_t to_open, n_dials;
        struct privcast_dial *dials;
        bool tor_works;         /* a peer behind it has answered */
        int64_t next_warning;   /* time_now */
        int64_t next_reattempt; /* steady us; 0: not begun */
    } privcast;
    bool reachable[NET_CJDNS + 1]; /* index: enum net_network */
    struct net_peer *peers;
    struct net_attempt *attempts;
    struct net_wanted *wanted;
    struct net_listener *listeners;
    size_t n_listeners;
    struct netgroup *groups; /* these three: from node_net_start on */
    struct addrman *addrman;
    struct bans *bans;
    struct net_book book;
    peer_id next_id;
    struct net_slots slots;
    struct local_addrs local;
    struct net_outbound out;
    struct net_dns_seeds dns;
    struct net_sample *samples; /* net_addr.c */
    struct {
        int64_t cycle_start; /* time_now; 0: nothing was sent yet */
        uint64_t seen, base; /* bytes sent in all: last time, and when the cycle began */
    } upload;
    struct {
        size_t peak; /* most peers since memory was last given back */
        int64_t due; /* steady us; 0: no reason to */
    } trim;
    uint64_t group_key[2];             /* of net_group_of */
    uint64_t closed_sent, closed_recv; /* bytes of connections that are gone */
    bool active, stopping;
    int64_t next_reannounce; /* steady us; 0: not begun */
    struct event *due;       /* sync_due */
};

/* net_settings.c */
bool net_settings_read(struct net_settings *s, const struct node_config *c, char **error);
void net_settings_clear(struct net_settings *s);

/* net_peers.c */
/* A connected socket that becomes a peer. */
struct net_arrival {
    evutil_socket_t fd; /* taken */
    enum connection_type type;
    struct net_addr addr, local; /* the peer's (NET_UNKNOWN: only a proxy knows) and our end */
    const char *name;            /* as the user gave it; "" or NULL: none */
    uint32_t permissions;
    bool onion;        /* came through the listener for Tor */
    bool proxied;      /* went through a proxy */
    bool v2;           /* BIP324 */
    bool prefer_evict; /* discouraged before it came: the first to go */
};
/** Takes a connected socket as a new peer. */
struct net_peer *net_peer_add(struct node_net *n, const struct net_arrival *from);
/** Keyed hash of an address's network group, stable for this run. */
uint64_t net_group_of(const struct node_net *n, const struct net_addr *addr);
struct net_peer *net_peer_find(struct node_net *n, peer_id id);
/** Closes soon, logging "<why>, disconnecting peer=N" unless why is NULL. */
void net_peer_close(struct net_peer *p, const char *why);
bool net_listen(struct node_net *n, char **error);
/** An inbound connection: becomes a peer if there is room. flags: permissions of the way by which it came. */
void net_accept(struct node_net *n, const struct net_arrival *from, uint32_t flags);
void net_close_all(struct node_net *n);
uint32_t net_permissions_for(const struct node_net *n, uint32_t flags, const struct net_addr *addr, bool inbound);
void net_discourage(struct node_net *n, peer_id id);

/** Sends a message (and captures it, where asked for). */
void net_peer_send(struct net_peer *p, const char *type, const void *payload, size_t len);

/* net_slots.c */
void net_slots_init(struct node_net *n);
size_t net_count_type(const struct node_net *n, enum connection_type type);
/** Is there room for one more inbound connection? Evicts another if need be. */
bool net_slot_for_inbound(struct node_net *n);
/** sync_conn_host.tx_slot and upload_reached. */
bool net_slot_for_txs(void *node_net, peer_id peer, bool protect);
bool net_upload_reached(void *node_net, bool historical);
void net_upload_tick(struct node_net *n);
void net_upload_state(struct node_net *n, struct net_upload_info *out);

/* net_ways.c */
/** Makes the dialer out of the settings. */
void net_ways_open(struct node_net *n);
/** Begins to accept from I2P, if wanted. */
void net_ways_listen(struct node_net *n);
void net_ways_close(struct node_net *n);
/** Are connections to that network possible and wanted (-onlynet)? */
bool net_reachable(const struct node_net *n, enum net_network network);
/** Tor's SOCKS proxy became known. */
void net_ways_set_onion(struct node_net *n, const struct proxy *p);

/* net_capture.c */
/** -capturemessages: appends a message to a file of its peer's. */
void net_capture(const struct node_net *n, const struct net_addr *peer, bool incoming, const char *type, const void *payload,
                 size_t len);

/* net_tor.c */
/** Keeps up a connection to Tor's control port, if wanted, and has an onion service made. After net_listen and net_ways_open. */
void net_tor_start(struct node_net *n);
void net_tor_stop(struct node_net *n);

/* net_privcast.c */
/** sync_host.private_wanted. */
void net_privcast_wanted(void *node_net, int connections);
/** A peer of such a connection did not answer to BIP324: the same with v1, by the same way. */
void net_privcast_again(struct node_net *n, const struct net_addr *a);
void net_privcast_tick(struct node_net *n);
void net_privcast_stop(struct node_net *n);

/* net_open.c */
/** Reads a numeric address with the chain's default port, knowing about CJDNS. Returns: false if it is a name or malformed. */
bool net_parse(const struct node_net *n, struct net_addr *a, const char *name);
/** Begins to connect unless such a connection or attempt exists. */
void net_open(struct node_net *n, const struct net_target *t);
/** The same for a name of the user's. */
void net_open_name(struct node_net *n, const char *name, enum connection_type type, bool v2);
void net_open_cancel_all(struct node_net *n);
struct net_wanted *net_want(struct node_net *n, const char *name, bool from_connect, bool v2);
void net_unwant(struct node_net *n, struct net_wanted *w);
struct net_wanted *net_wanted_find(struct node_net *n, const char *name);
/** Every half second: nodes that should be connected and are not. */
void net_wanted_tick(void *node_net);
bool net_connected_to(struct node_net *n, const char *name, const struct net_peer **peer);

/* net_outbound.c */
/** Once the address manager is there. */
void net_outbound_start(struct node_net *n);
/** At each tick. */
void net_outbound_tick(struct node_net *n);
/** Before the peers are closed: writes anchors.dat. */
void net_outbound_stop(struct node_net *n);
void net_outbound_free(struct node_net *n);
/** Soon connects to a node to ask it for addresses. */
void net_fetch_addrs_from(struct node_net *n, const char *name);

/* net_seeds.c */
void net_seeds_start(struct node_net *n);
/** Twice a second. */
void net_seeds_tick(struct node_net *n);
void net_seeds_stop(struct node_net *n);
/** Adds the fixed seeds when it is time for that. */
void net_fixed_seeds_tick(struct node_net *n);

/* net_addr.c */
struct sync_addr_host net_addr_host(void);
/** A peer is about to go. */
void net_addr_closing(struct net_peer *p);
void net_addr_free(struct node_net *n);

/* net_local.c */
/** Adds what the options and interfaces say. */
void net_local_start(struct node_net *n);
/** A new address of ours. score: LOCAL_IF... Returns: false if it is unroutable, of no use, or discovery is off and the score low. */
bool net_local_add(struct node_net *n, const struct net_addr *a, int score, bool even_unreachable);
void net_local_remove(struct node_net *n, const struct net_addr *a);
bool net_is_own(const struct node_net *n, const struct net_addr *a);
/** sync_addr_host.seen_as and own. */
void net_seen_as(void *node_net, peer_id peer, const struct net_addr *us);
bool net_own_address(void *node_net, peer_id peer, struct addr_entry *out);

/* net_book.c */
/** Network groups (-asmap), peers.dat, banlist.json. Returns: false with Core's text in *error (to free). */
bool net_book_open(struct node_net *n, char **error);
/** Saves and frees. The pool must have ended. */
void net_book_close(struct node_net *n);
/** Call after each change of n->bans: they go to disk soon. */
void net_bans_changed(struct node_net *n);

/* net_bans.c */
/** banlist.json to and from n->bans. Out: *text to free(). */
size_t net_bans_encode(struct node_net *n, char **text);
bool net_bans_read(struct node_net *n, const char *path);

/* net_own.c */
/** A peer has fetched a transaction of ours. */
void net_tx_taken(void *node_net, const struct txid *id);
/** Often: announces transactions again that no peer has fetched. */
void net_own_tick(struct node_net *n);

/* net_filters.c */
/** sync's reads of the filter index, on the I/O pool. */
void net_read_filters(void *node_net, peer_id peer, struct filter_want *wants_take, size_t n);

/* net_due.c */
/** Sets the timer of sync_due. */
void net_wake_at(void *node_net, int64_t time);
void net_due_free(struct node_net *n);

/* net_jobs.c */
struct sync_host net_sync_host(struct node_net *n);

#endif
