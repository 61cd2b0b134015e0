/* sync.h - what peers say to each other: handshake, headers, block download, serving, transaction relay. Sans-I/O: messages come in, calls on
 * struct sync_host go out; time is time_now(). Loop thread only, unless stated. Nothing here blocks or does I/O. */
#ifndef FARTHING_SYNC_SYNC_H
#define FARTHING_SYNC_SYNC_H

#include "chain/chain.h"
#include "net/message.h"

typedef int64_t peer_id;

enum connection_type {
    CONN_INBOUND,
    CONN_OUTBOUND_FULL_RELAY,
    CONN_MANUAL,
    CONN_FEELER,
    CONN_BLOCK_RELAY,
    CONN_ADDR_FETCH,
    CONN_PRIVATE_BROADCAST
};
/** "inbound", "outbound-full-relay", "manual", "feeler", "block-relay-only", "addr-fetch", "private-broadcast" */
const char *connection_type_name(enum connection_type t);

/* What a peer's connection says of itself. */
struct peer_wire {
    int64_t last_send, last_recv; /* when bytes of any kind went and came (time_now; 0: never) */
    const char *transport;        /* "v1", "v2", "detecting" (not settled yet) */
};

/* A piece of the index of basic block filters (BIP157): a filter, its hash, its header. */
enum filter_part { FILTER_PART_BYTES, FILTER_PART_HASH, FILTER_PART_HEADER };
struct filter_want {
    const struct block_entry *entry;
    enum filter_part part;
};

/* What is known of a block that a peer sent, before the chain judges it. */
enum block_outcome {
    BLOCK_READY,       /* decoded (and, out of parts: it is what its header commits to) */
    BLOCK_MALFORMED,   /* the message does not decode: `problem` */
    BLOCK_MISMATCH,    /* not the transactions that were missing */
    BLOCK_NOT_REBUILT, /* the parts do not make what the header commits to: short ids may have collided */
};
/* A block on its way from a peer to the chain: the bytes of a block message, or the parts of a compact block. sync makes it on the loop, sync_block_prepare
 * turns it into a block on any other thread, sync_block_precheck and the chain judge it on the validation thread. */
struct sync_block {
    struct block_hash hash;
    bool requested;
    uint8_t *bytes; /* malloc'ed payload of block or blocktxn; NULL: no part is missing */
    size_t len;
    struct block_header header; /* of a compact block */
    struct tx **parts;          /* its transactions, references; NULL where one is missing. NULL: a whole block */
    uint32_t n_parts;
    uint32_t n_prefilled, n_pool, n_extra; /* where they are from (log) */
    bool segwit;                           /* BIP141 is in force for it */
    bool wanted;                           /* its sender was asked for it */
    bool counts;                           /* as being here, until it is judged: nobody is asked for it meanwhile */
    bool first;                            /* out of parts: as the first one */
    size_t unread;                         /* what the queue counts: bytes that wait */
    /* Set by sync_block_prepare. */
    enum block_outcome outcome;
    const char *problem;
    struct block *block;
    struct block_precheck pre;
    /* Set by the host before sync_block_done. */
    bool is_new;
    struct verdict verdict;
};

/* What sync asks of the rest of the node. Jobs are answered later, on the loop thread, through the sync_..._done function of the same name. */
struct sync_host {
    void *ctx;
    /* Sends a message (payload borrowed; type e.g. "headers"). */
    void (*send)(void *ctx, peer_id peer, const char *type, const void *payload, size_t len);
    void (*disconnect)(void *ctx, peer_id peer);
    void (*discourage)(void *ctx, peer_id peer); /* misbehaved: remember the address and disconnect unless noban/manual */
    /* Validation: strictly in order of the calls. headers_take malloc'ed. */
    void (*submit_headers)(void *ctx, peer_id peer, struct block_header *headers_take, size_t n, bool min_pow_checked);
    /* The job runs sync_block_prepare off the loop, then, in order, sync_block_precheck on the validation thread before it gives the block to
     * the chain. The same b comes back with sync_block_done. */
    void (*submit_block)(void *ctx, peer_id peer, struct sync_block *b_take);
    void (*submit_tx)(void *ctx, peer_id peer, struct tx *tx_take);
    /* A parent that is low on fees and its child, to be judged together (mempool_accept_pair). */
    void (*submit_package)(void *ctx, peer_id peer, struct tx *parent_take, struct tx *child_take);
    /* Reads a block on an I/O thread: its raw bytes, or, with decode, the block. */
    void (*read_block)(void *ctx, peer_id peer, const struct block_entry *e, bool decode);
    /* Reads parts of the index of block filters on an I/O thread. May be NULL unless local_services has NODE_COMPACT_FILTERS.
     * wants_take: malloc'ed. */
    void (*read_filters)(void *ctx, peer_id peer, struct filter_want *wants_take, size_t n);
    /* Is the validation queue (with the blocks that wait for their preparation) over its bound? Blocks and transactions of peers wait then. */
    bool (*busy)(void *ctx);
    /* Is the peer's send queue over its bound? Its messages wait then. */
    bool (*send_full)(void *ctx, peer_id peer);
    /* Its connection's own account. May be NULL: then messages are all there is, in v1. */
    void (*wire)(void *ctx, peer_id peer, struct peer_wire *out);
    /* A peer has fetched a transaction of sync_announce_own_tx, the first one to do so. May be NULL. */
    void (*tx_taken)(void *ctx, const struct txid *id);
    /* So many more (or fewer, if negative) connections of type CONN_PRIVATE_BROADCAST are to be opened, to peers that know nothing of us.
     * May be NULL. */
    void (*private_wanted)(void *ctx, int connections);
    /* sync_due is to be called at that time (time_now_us; INT64_MAX: nothing is due; it replaces what was said before). A mocked clock
     * needs no timer, as sync_tick does the same. May be NULL. */
    void (*wake_at)(void *ctx, int64_t time);
    /* Addresses of other nodes; all of these may be NULL (no address manager: nothing is kept or handed out). */
    struct sync_addr_host {
        /* A peer told us of these: as many as its rate limit allows, of reachable networks and clean, with sane times. The host adds its own
         * penalty to the times (Core: two hours). */
        void (*heard)(void *ctx, peer_id peer, const struct addr_entry *entries, size_t n);
        /* The answer to its getaddr, once for each inbound peer: malloc'ed, at most 1,000 and 23 percent, from a cache that lasts about a
         * day, one for each network and own address (all: a peer with the addr permission, answered without the cache). Returns: the count. */
        size_t (*sample)(void *ctx, peer_id peer, bool all, struct addr_entry **out);
        /* May it be kept and passed on: is it neither banned nor discouraged? NULL: all may. */
        bool (*clean)(void *ctx, const struct net_addr *a);
        /* Is its network one that we connect to? NULL: all are. */
        bool (*reachable)(void *ctx, const struct net_addr *a);
        /* A peer that we connected to offers these services (they replace what was known of it); it may yet be disconnected for them. */
        void (*services)(void *ctx, peer_id peer, uint64_t services);
        /* A peer that we connected to has sent an acceptable version message with these services: it is a good address (Core's
         * AddrMan::Good). Feelers are disconnected right behind this. */
        void (*handshake_done)(void *ctx, peer_id peer, uint64_t services);
        /* Any peer's version message told us how it sees our address: as it came, perhaps unroutable or zero. Before handshake_done. */
        void (*seen_as)(void *ctx, peer_id peer, const struct net_addr *us);
        /* The best of our own addresses to tell this peer: asked after the handshake and about daily, outside of the initial download. Only
         * out->addr is read; sync fills in services and time and logs "Advertising address". Returns: false if there is none (not listening,
         * unknown). */
        bool (*own)(void *ctx, peer_id peer, struct addr_entry *out);
    } addr;
    /* Slots and limits of connections; all of these may be NULL (no limits). */
    struct sync_conn_host {
        /* An inbound peer relays transactions from now on: is there a slot for that? Evicts another such peer if need be; the peer itself may be
         * chosen too unless protect. Returns: false if nobody could be evicted. */
        bool (*tx_slot)(void *ctx, peer_id peer, bool protect);
        /* Has -maxuploadtarget been reached? historical: counting what new blocks will need. */
        bool (*upload_reached)(void *ctx, bool historical);
    } conn;
};

struct sync_options {
    const struct chain_params *params;
    struct chain *chain; /* read side only */
    struct sync_host host;
    const char *user_agent; /* "/Satoshi:31.99.0/Farthing:0.1.0(comment)/" */
    uint64_t local_services;
    bool blocks_only;
    bool tx_reconciliation;       /* -txreconciliation */
    int64_t min_fee_rate;         /* -minrelaytxfee, sat/kvB: the least that feefilter asks for */
    int64_t incremental_fee_rate; /* -incrementalrelayfee, sat/kvB: half of it is the first step of feefilter */
    double tx_send_rate;          /* -txsendrate: transactions a second that inbound peers are told of, in the long run */
    int64_t peer_timeout;         /* -peertimeout */
    bool log_ips;                 /* -logips */
    struct u256 min_chain_work;
    size_t
        max_announcements; /* of transactions, by all inbound peers, before each of them may have no more than its share; 0: 200,000 */
    size_t extra_txs;      /* -blockreconstructionextratxn: transactions kept for compact blocks beside the mempool */
    uint64_t seed;         /* of the random choices (tests); 0: from the kernel */
};
struct sync;
struct sync *sync_new(const struct sync_options *o);
void sync_free(struct sync *s);

/* Input from net. permissions: enum net_permission bits of net/permissions.h. */
struct peer_facts {
    enum connection_type type;
    char addr[128];       /* "1.2.3.4:8333", as getpeerinfo shows it */
    char addr_bind[128];  /* our end */
    char addr_local[128]; /* filled by the peer's version message */
    char addr_name[256];  /* as given by the user (addnode), "" */
    char network[24];     /* "ipv4", "ipv6", "onion", "i2p", "cjdns", "not_publicly_routable" */
    bool v2;              /* outgoing: opened with the encrypted transport, which the peer may not speak */
    uint32_t permissions;
    struct net_addr remote; /* its address and port */
    struct net_addr local;  /* our end of the connection */
    bool inbound_onion;     /* came through the listener for Tor */
    bool proxied;           /* we went through a proxy: what it says of our address means nothing */
    uint64_t net_group;     /* keyed hash of its network group (stable for this run) */
    uint32_t mapped_as;     /* by -asmap; 0: none */
};
void sync_peer_connected(struct sync *s, peer_id peer, const struct peer_facts *facts);
void sync_peer_disconnected(struct sync *s, peer_id peer);
/** One whole message. Returns: false if the peer may not send more until sync_peer_ready says so (backpressure and strict order:
 *  a message is handled only when all earlier jobs of its peer are done; headers, blocks and transactions queue behind each other). */
bool sync_message(struct sync *s, peer_id peer, const struct message *m);
/** May the next message of this peer be given to sync_message? */
bool sync_peer_ready(struct sync *s, peer_id peer);
/** The peer's send queue is no longer full. */
void sync_peer_writable(struct sync *s, peer_id peer);
/** Set by the owner: called when a peer becomes ready again. */
void sync_set_ready_callback(struct sync *s, void (*fn)(void *ctx, peer_id peer), void *ctx);
/** Every 100 ms or so: timeouts, pings, announcements, requests. */
void sync_tick(struct sync *s);
/** At the time that wake_at said: what is due just now, so that nothing waits for the tick. */
void sync_due(struct sync *s);

/** How many outbound peers of a kind the node keeps (more are evicted), and whether it looks for them by itself now. */
void sync_set_outbound(struct sync *s, unsigned full_relay, unsigned block_relay, bool seeks);
/** What we offer has changed: peers that come from now on are told. */
void sync_set_local_services(struct sync *s, uint64_t services);
/** The tip has not changed for long: one more full-relay peer is wanted. */
bool sync_wants_extra_peer(const struct sync *s);
/** Was the tip close to the present once? Extra block-relay peers make sense from then on. */
bool sync_initial_sync_done(const struct sync *s);
/** Are these all the services that we want of a peer that we choose (Core's HasAllDesirableServiceFlags)? */
bool sync_wants_services(const struct sync *s, uint64_t services);
/* What speaks for keeping a peer. */
struct peer_merit {
    bool handshake_done, closing, relays_txs, bloom, wanted_services;
    uint64_t services;
    int64_t min_ping_us;         /* -1: none */
    int64_t last_block, last_tx; /* unix seconds, 0: never */
};
/** Returns: false if there is no such peer. */
bool sync_peer_merit(struct sync *s, peer_id peer, struct peer_merit *out);

/** Decodes the block or puts it together, and checks what can be checked ahead: b->outcome and, if that is BLOCK_READY, b->block and b->pre. Its
 *  bytes and parts are free afterwards. chain NULL: nothing is checked ahead. Any thread; linear in the bytes. */
void sync_block_prepare(struct chain *chain, struct sync_block *b);
/** NULL is ignored. Any thread. */
void sync_block_free(struct sync_block *b);
/** What the validation thread settles first about a block that is ready, when the blocks before it are in the tree: are its data what its header
 *  commits to, and is there enough work behind it? b->pre is done again if the parent was not known then.
 *  Out: *min_pow_checked for chain_process_checked_block. Returns: false with b->verdict set ("mutated block"). */
bool sync_block_precheck(struct chain *chain, const struct u256 *min_chain_work, struct sync_block *b, bool *min_pow_checked);

/* Answers of jobs. Everything passed is borrowed. */
void sync_headers_done(struct sync *s, peer_id peer, const struct block_entry *last, const struct verdict *v, size_t n);
/** Verdict and is_new count only where the outcome is BLOCK_READY. */
void sync_block_done(struct sync *s, peer_id peer, const struct sync_block *b);
struct mempool_result_summary {
    bool accepted;
    bool already_there;
    struct verdict verdict;
};
void sync_tx_done(struct sync *s, peer_id peer, struct tx *tx, const struct mempool_result_summary *r);
struct package_result_summary {
    bool valid; /* both are in the pool */
    struct {
        enum { PACKAGE_TX_NOT_JUDGED, PACKAGE_TX_ACCEPTED, PACKAGE_TX_REJECTED } outcome;
        struct verdict verdict;
    } tx[2]; /* parent, child */
};
void sync_package_done(struct sync *s, peer_id peer, struct tx *parent, struct tx *child, const struct package_result_summary *r);
/** block: NULL unless it was asked for (raw is NULL then). */
void sync_block_read(struct sync *s, peer_id peer, const struct block_entry *e, struct block *block, const uint8_t *raw, size_t len,
                     enum rc rc);
/** data: for each want in order 32 bytes, or a filter with its length in front (CompactSize); nothing unless rc is RC_OK, which is otherwise the
 *  first failure (RC_NOT_FOUND: the index has not come that far). */
void sync_filters_read(struct sync *s, peer_id peer, const uint8_t *data, size_t len, enum rc rc);

/* Events of chain and mempool, forwarded to the loop in order. */
void sync_tip_changed(struct sync *s, const struct block_entry *tip, const struct block_entry *fork, bool initial_download);
void sync_header_tip(struct sync *s, const struct block_entry *best);
/** A block was fully judged, perhaps long after it arrived (it was on a branch that is only now tried): its sender answers for it. */
void sync_block_checked(struct sync *s, const struct block_hash *hash, const struct verdict *v);
/** A new block on the tip has passed everything that needs no coins (chain_events.new_pow_valid_block): it is announced by compact blocks at
 *  once, and served from memory. Its validation goes on. */
void sync_block_pow_valid(struct sync *s, const struct block_entry *e, struct block *block);
void sync_block_connected(struct sync *s, const struct block_entry *e, struct block *block);
/** score: fee rate of the chunk that it is mined in (the best are announced first). from_block: it is back from a block that was disconnected, and may be fetched at once by whoever knows it. */
void sync_tx_added(struct sync *s, struct tx *tx, int64_t fee, double score, bool from_block);
/** replaced: by another one (BIP125); a miner may still prefer it. */
void sync_tx_removed(struct sync *s, struct tx *tx, bool replaced);
/** The fee rate below which a full mempool refuses (sat/kvB; 0: it is not full): what feefilter tells peers. */
void sync_set_mempool_fee_rate(struct sync *s, int64_t rate);
/** Announces a transaction of our own (sendrawtransaction) to all peers: the host is told when the first one fetches it. */
void sync_announce_own_tx(struct sync *s, struct tx *tx);

/* Private broadcast: own transactions that go to a few peers over connections of their own, and not into the mempool before the network has
 * sent them back. */
enum private_result { PRIVATE_ADDED, PRIVATE_ALREADY, PRIVATE_FULL };
/** Queues it and asks for connections. */
enum private_result sync_private_add(struct sync *s, struct tx *tx);
/** Those that should have come back by now. Out: malloc'ed array with one reference each. Returns: the count. */
size_t sync_private_stale(struct sync *s, struct tx ***out);
/** What became of a stale one. why: the mempool would refuse it: it is given up; NULL: it is sent to one more. */
void sync_private_settle(struct sync *s, struct tx *tx, const char *why);
/** Gives up those with that txid or wtxid. Out: malloc'ed array with one reference each. Returns: the count. */
size_t sync_private_abort(struct sync *s, const uint8_t id[32], struct tx ***out);
struct private_peer {
    struct net_addr addr;
    int64_t sent, received; /* received: 0: not yet */
};
struct private_info {
    struct tx *tx; /* borrowed */
    int64_t added;
    unsigned attempts_left;
    const struct private_peer *peers; /* part of the list's allocation */
    unsigned n_peers;
};
/** Out: malloc'ed, one allocation. Returns: the count. */
size_t sync_private_list(struct sync *s, struct private_info **out);

/* For RPC (on the loop thread, by loop_call). */
struct peer_info {
    peer_id id;
    struct peer_facts facts;
    uint64_t services;
    bool relay_txs, bip152_hb_to, bip152_hb_from, addr_relay_enabled;
    int64_t last_send, last_recv, last_transaction, last_block, conn_time, time_offset; /* seconds */
    int64_t ping_us, min_ping_us, ping_wait_us;                                         /* -1: none */
    uint64_t bytes_sent, bytes_recv;
    uint32_t version;
    char subver[257];
    int32_t starting_height, presynced_headers, synced_headers, synced_blocks;
    int32_t inflight[64]; /* heights */
    unsigned n_inflight;
    int64_t min_fee_filter;
    uint64_t addr_processed, addr_rate_limited;
    uint64_t last_inv_sequence, inv_to_send;
    bool handshake_done;
    const char *transport;  /* filled by the node: "v1", "v2", "detecting" */
    uint8_t session_id[32]; /* likewise; of v2 only */
    struct {
        char type[13];
        uint64_t sent, recv;
    } per_msg[48]; /* "" ends; "*other*" collects unknown types */
};
/** Out: malloc'ed array ordered by id; n. What the connection knows (bytes, transport) is filled by the node. */
size_t sync_peers(struct sync *s, struct peer_info **out);
void sync_ping_all(struct sync *s);
/** getblockfrompeer. Returns: NULL, or Core's error text. */
const char *sync_fetch_block(struct sync *s, peer_id peer, const struct block_entry *e);
/* What limits the announcements of transactions (getnetworkinfo). */
struct tx_relay_info {
    double rate;
    struct {
        size_t backlog; /* announcements that wait */
        double count_tokens, size_tokens;
    } side[2]; /* of inbound peers, of others */
};
struct tx_relay_info sync_tx_relay(const struct sync *s);
/* An orphan transaction (getorphantxs). */
struct orphan_info {
    struct tx *tx;       /* borrowed */
    const peer_id *from; /* n_from peers, ascending; part of the list's allocation */
    size_t n_from;
};
/** Out: malloc'ed, one allocation. Returns: the count. */
size_t sync_orphans(struct sync *s, struct orphan_info **out);

#endif
