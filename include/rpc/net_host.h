/* net_host.h - what the network commands ask of the node: implemented by node's network glue. */
#ifndef FARTHING_RPC_NET_HOST_H
#define FARTHING_RPC_NET_HOST_H

#include "net/addrman.h"
#include "net/bans.h"
#include "sync/sync.h"

struct node_net;

/* -maxuploadtarget. */
struct net_upload_info {
    uint64_t target, bytes_left; /* target 0: no limit */
    bool reached, serve_historical;
    int64_t time_left; /* s */
};
struct net_totals {
    uint64_t bytes_recv, bytes_sent;
    struct net_upload_info upload;
};
struct net_local_address {
    char address[128];
    uint16_t port;
    int score;
};
/* How a network is reached. */
struct net_way {
    bool reachable;  /* and wanted (-onlynet) */
    char proxy[128]; /* "127.0.0.1:9050", "unix:/path"; "" for none */
    bool randomize;  /* other credentials for each connection */
};
struct added_node {
    char address[256];
    bool connected;
    bool inbound;
    char connected_addr[128];
};

/* -privatebroadcast: not wanted, usable, wanted but neither Tor nor I2P can be reached. */
enum privcast_state { PRIVCAST_OFF, PRIVCAST_ON, PRIVCAST_UNREACHABLE };

/* All of these: the loop thread (commands go there with loop_call). */
size_t node_net_peers(struct node_net *n, struct peer_info **out); /* malloc'ed, byte counters filled in */
void node_net_totals(struct node_net *n, struct net_totals *out);
unsigned node_net_count(struct node_net *n, bool in, bool out);
const char *node_net_user_agent(struct node_net *n);
uint64_t node_net_local_services(struct node_net *n);
bool node_net_active(struct node_net *n);
void node_net_set_active(struct node_net *n, bool on);
size_t node_net_local_addresses(struct node_net *n, struct net_local_address **out);
void node_net_way(struct node_net *n, enum net_network network, struct net_way *out);
/** addnode "add"/"remove"/"onetry". Returns: NULL, or Core's error text. */
const char *node_net_add(struct node_net *n, const char *addr, bool v2);
const char *node_net_remove(struct node_net *n, const char *addr);
void node_net_onetry(struct node_net *n, const char *addr, bool v2);
/** Is a connection being opened that was asked for by that name (addnode "onetry")? */
bool node_net_opening(struct node_net *n, const char *addr);
size_t node_net_added(struct node_net *n, struct added_node **out);
/** addconnection (tests). Returns: false if the type's slots are full. */
bool node_net_add_connection(struct node_net *n, const char *addr, enum connection_type type, bool v2);
/** Is a connection to that name (as given to one of the above) being opened? */
bool node_net_is_opening(struct node_net *n, const char *addr);
/** disconnectnode. Returns: false if there is no such peer. */
bool node_net_disconnect_addr(struct node_net *n, const char *addr);
bool node_net_disconnect_id(struct node_net *n, peer_id id);
void node_net_ping_all(struct node_net *n);
/** sendrawtransaction: announce to peers. */
void node_net_announce_tx(struct node_net *n, struct tx *tx);
/** sendrawtransaction under -privatebroadcast, and what RPC shows of it (sync_private_...). */
enum privcast_state node_net_privcast_state(struct node_net *n);
enum private_result node_net_privcast_add(struct node_net *n, struct tx *tx);
size_t node_net_privcast_list(struct node_net *n, struct private_info **out);
size_t node_net_privcast_abort(struct node_net *n, const uint8_t id[32], struct tx ***out);
/** sendmsgtopeer (tests). */
bool node_net_send(struct node_net *n, peer_id id, const char *type, const void *payload, size_t len);
/** getblockfrompeer: NULL or Core's error text. */
const char *node_net_fetch_block(struct node_net *n, peer_id id, const struct block_entry *e);
/** getnetworkinfo: what limits the announcements of transactions. */
struct tx_relay_info node_net_tx_relay(struct node_net *n);
/** mockscheduler (tests): timers that follow no mocked clock go off as if so many seconds had passed. */
void node_net_forward(struct node_net *n, int64_t seconds);
/** getorphantxs: malloc'ed, the transactions borrowed from sync. */
size_t node_net_orphans(struct node_net *n, struct orphan_info **out);

/* The address book (net_book.c, net_bans.c). */
/** getnodeaddresses: at most max (0: all) of a network (NET_UNKNOWN: any). Out: *out malloc'ed. */
size_t node_net_known(struct node_net *n, struct addr_entry **out, size_t max, enum net_network network);
size_t node_net_known_count(struct node_net *n, enum net_network network, enum addrman_table table);
/** getrawaddrman. Out: *out malloc'ed. */
size_t node_net_known_places(struct node_net *n, struct addrman_place **out, enum addrman_table table);
/** The autonomous system of an address, 0 if not mapped. Any thread. */
uint32_t node_net_asn(struct node_net *n, const struct net_addr *a);
/** addpeeraddress: hears of an address from itself and, if tried, takes it for good. Returns: NULL, or Core's word for what failed. */
const char *node_net_add_known(struct node_net *n, const struct net_addr *a, bool tried);
/** Is IPv6 of fc00::/8 CJDNS here (-cjdnsreachable)? */
bool node_net_has_cjdns(struct node_net *n);
/** Bans for offset seconds, or until that time if absolute (not above zero: -bantime from now), and disconnects. */
void node_net_ban(struct node_net *n, const struct subnet *s, int64_t offset, bool absolute);
bool node_net_unban(struct node_net *n, const struct subnet *s);
void node_net_clear_bans(struct node_net *n);
/** exact: is that very subnet banned; else: is its base address inside of one that is? */
bool node_net_is_banned(struct node_net *n, const struct subnet *s, bool exact);
size_t node_net_bans(struct node_net *n, struct ban **out);

/* The same functions as a table: that is how commands reach them, so that rpc does not link against what stands above it. */
struct net_host_ops {
    size_t (*peers)(struct node_net *n, struct peer_info **out);
    void (*totals)(struct node_net *n, struct net_totals *out);
    unsigned (*count)(struct node_net *n, bool in, bool out);
    const char *(*user_agent)(struct node_net *n);
    uint64_t (*local_services)(struct node_net *n);
    bool (*active)(struct node_net *n);
    void (*set_active)(struct node_net *n, bool on);
    size_t (*local_addresses)(struct node_net *n, struct net_local_address **out);
    void (*way)(struct node_net *n, enum net_network network, struct net_way *out);
    const char *(*add)(struct node_net *n, const char *addr, bool v2);
    const char *(*remove)(struct node_net *n, const char *addr);
    void (*onetry)(struct node_net *n, const char *addr, bool v2);
    bool (*opening)(struct node_net *n, const char *addr);
    size_t (*added)(struct node_net *n, struct added_node **out);
    bool (*add_connection)(struct node_net *n, const char *addr, enum connection_type type, bool v2);
    bool (*is_opening)(struct node_net *n, const char *addr);
    bool (*disconnect_addr)(struct node_net *n, const char *addr);
    bool (*disconnect_id)(struct node_net *n, peer_id id);
    void (*ping_all)(struct node_net *n);
    enum privcast_state (*privcast_state)(struct node_net *n);
    enum private_result (*privcast_add)(struct node_net *n, struct tx *tx);
    size_t (*privcast_list)(struct node_net *n, struct private_info **out);
    size_t (*privcast_abort)(struct node_net *n, const uint8_t id[32], struct tx ***out);
    void (*announce_tx)(struct node_net *n, struct tx *tx);
    bool (*send)(struct node_net *n, peer_id id, const char *type, const void *payload, size_t len);
    const char *(*fetch_block)(struct node_net *n, peer_id id, const struct block_entry *e);
    size_t (*orphans)(struct node_net *n, struct orphan_info **out);
    struct tx_relay_info (*tx_relay)(struct node_net *n);
    void (*forward)(struct node_net *n, int64_t seconds);
    size_t (*known)(struct node_net *n, struct addr_entry **out, size_t max, enum net_network network);
    size_t (*known_count)(struct node_net *n, enum net_network network, enum addrman_table table);
    size_t (*known_places)(struct node_net *n, struct addrman_place **out, enum addrman_table table);
    uint32_t (*asn)(struct node_net *n, const struct net_addr *a);
    const char *(*add_known)(struct node_net *n, const struct net_addr *a, bool tried);
    bool (*has_cjdns)(struct node_net *n);
    void (*ban)(struct node_net *n, const struct subnet *s, int64_t offset, bool absolute);
    bool (*unban)(struct node_net *n, const struct subnet *s);
    void (*clear_bans)(struct node_net *n);
    bool (*is_banned)(struct node_net *n, const struct subnet *s, bool exact);
    size_t (*bans)(struct node_net *n, struct ban **out);
};
/* For the node: the table of its own functions. */
#define NET_HOST_OPS_INIT                                                                                                          \
    {                                                                                                                              \
        .peers = node_net_peers, .totals = node_net_totals, .count = node_net_count, .user_agent = node_net_user_agent,            \
        .local_services = node_net_local_services, .active = node_net_active, .set_active = node_net_set_active,                   \
        .local_addresses = node_net_local_addresses, .way = node_net_way, .add = node_net_add, .remove = node_net_remove,          \
        .onetry = node_net_onetry, .opening = node_net_opening, .added = node_net_added,                                           \
        .add_connection = node_net_add_connection, .is_opening = node_net_is_opening, .disconnect_addr = node_net_disconnect_addr, \
        .disconnect_id = node_net_disconnect_id, .ping_all = node_net_ping_all, .announce_tx = node_net_announce_tx,               \
        .privcast_state = node_net_privcast_state, .privcast_add = node_net_privcast_add, .privcast_list = node_net_privcast_list, \
        .privcast_abort = node_net_privcast_abort, .send = node_net_send, .fetch_block = node_net_fetch_block,                     \
        .orphans = node_net_orphans, .tx_relay = node_net_tx_relay, .forward = node_net_forward, .known = node_net_known,          \
        .known_count = node_net_known_count, .known_places = node_net_known_places, .asn = node_net_asn,                           \
        .add_known = node_net_add_known, .has_cjdns = node_net_has_cjdns, .ban = node_net_ban, .unban = node_net_unban,            \
        .clear_bans = node_net_clear_bans, .is_banned = node_net_is_banned, .bans = node_net_bans,                                 \
    }

#endif
