/* internal.h - the state that the files of sync share: struct sync, struct peer, and what each duty offers the others. Loop thread only.
 *
 * A message is taken by sync.c, which keeps the order, and goes to the duty's handler through the table in dispatch.c. After each message and
 * each answered job of a peer, peer_flush sends what is due to it; the tick does the same for all. */
#ifndef FARTHING_SYNC_INTERNAL_H
#define FARTHING_SYNC_INTERNAL_H

#include <inttypes.h>
#include <stdlib.h>
#include <uthash.h>

#include "net/message.h"
#include "net/message_compact.h"
#include "net/permissions.h"
#include "sync/bloom.h"
#include "sync/orphanage.h"
#include "sync/places.h"
#include "sync/recent.h"
#include "sync/sync.h"
#include "sync/table.h"
#include "sync/tx_request.h"
#include "util/assert.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/random.h"
#include "util/time.h"

#define US 1000000LL                 /* microseconds in a second */
#define BLOCKS_IN_FLIGHT 16          /* asked of one peer at a time, as long as its speed is not known */
#define MIN_BLOCKS_IN_FLIGHT 4       /* of a slow one */
#define MAX_BLOCKS_IN_FLIGHT 64      /* of a fast one: about what it delivers in a second */
#define MAX_ASKED 3                  /* peers that are asked for the same block at a time */
#define MAX_PENDING_BYTES (16 << 20) /* of one peer's blocks waiting for validation */
#define DOWNLOAD_WINDOW 1024         /* blocks ahead of the last common one */
#define HEADERS_RESPONSE_TIME 120    /* s */
#define MAX_ANNOUNCE 8               /* blocks announced by headers at once */
#define MAX_PENDING_JOBS 64          /* blocks or transactions of one peer waiting for validation */
#define STALL_TIMEOUT_MIN (2 * US)
#define STALL_TIMEOUT_MAX (64 * US)
#define INACTIVITY_TIMEOUT (20 * 60) /* s */

enum job_kind { JOB_NONE, JOB_HEADERS, JOB_BLOCK, JOB_TX, JOB_COMPACT };

struct partial; /* compact_fill.c: a compact block and what we have of its transactions */

/* Somebody who was asked for a block. */
struct asked {
    peer_id peer;
    struct partial *partial;   /* NULL: the whole block was asked for */
    int64_t since, since_mono; /* us */
};
/* A block that was asked for, or that has arrived and is being validated (processing > 0), or both. */
struct flight {
    struct block_hash hash;
    const struct block_entry *entry; /* NULL: came unasked, header unknown */
    struct asked asked[MAX_ASKED];   /* in order of the requests */
    unsigned n_asked;
    unsigned processing;
    UT_hash_handle hh;
};

/* Who sent a block that is not fully judged yet. */
struct block_source {
    struct block_hash hash;
    peer_id peer;
    bool compact; /* as a compact block, which may be relayed before it is fully checked */
    UT_hash_handle hh;
};

/* Growing list of hashes or entries. */
struct hash_list {
    struct block_hash *v;
    size_t n, cap;
};
void hash_list_push(struct hash_list *l, const struct block_hash *h);
void hash_list_clear(struct hash_list *l);

struct private_tx;   /* private_broadcast.c: an own transaction that is told in private */
struct filter_query; /* filters.c: what a peer is being sent of the filters */
struct relay_tx;     /* relay.c: a transaction that may be asked for */
struct presync;      /* presync.c: a chain of headers whose work is not known to be enough yet */

/* What we know of a peer, and what is under way with it. */
struct peer {
    peer_id id;
    struct peer_facts facts;
    UT_hash_handle hh;
    bool closing;           /* disconnect was asked for: nothing more happens */
    bool should_discourage; /* misbehaved; acted upon by the next flush */
    int64_t connected;      /* time_now of the connection */
    int64_t last_send, last_recv, last_tx, last_block;

    /* handshake.c */
    bool version_sent, version_seen, handshake_done;
    int32_t version, common_version;
    uint64_t services, our_services, nonce;
    char subver[MAX_USER_AGENT + 1];
    int32_t starting_height;
    int64_t time_offset;
    bool wants_addrv2, wtxid_relay, prefers_headers, sent_sendheaders;
    bool provides_cmpct, hb_from;                                               /* hb_from: it wants compact blocks unasked */
    bool preferred;                                                             /* we like to download from it */
    enum { RECONCILE_NONE, RECONCILE_OFFERED, RECONCILE_REGISTERED } reconcile; /* reconcile.c */

    /* private_broadcast.c */
    struct tx *private_tx; /* that was announced to it */
    bool private_confirmed;

    /* ping.c */
    uint64_t ping_nonce;         /* 0: none outstanding */
    int64_t ping_start;          /* us */
    int64_t ping_last, ping_min; /* us, -1: none */
    bool ping_queued;

    /* order of messages (sync.c) */
    unsigned pending;           /* jobs that are not answered */
    size_t pending_bytes;       /* of blocks */
    unsigned malformed_answers; /* blocks that were asked for and do not decode */
    struct block_hash spoiled;  /* the last of them: this peer is not asked for it again */
    enum job_kind pending_kind;
    bool held; /* `held_message` waits for its turn */
    struct message held_message;
    uint8_t *held_payload;
    bool told_busy; /* sync_message returned false; the owner waits for the ready callback */

    /* headers.c */
    bool sync_started;
    int64_t headers_timeout; /* us; INT64_MAX: none */
    int64_t last_getheaders; /* s */
    int64_t headers_hope;    /* s: until then something may come of what it was asked; 0: nothing */
    bool inv_triggered_getheaders;
    struct {
        size_t n;
        bool fresh;
        bool more;
        bool full;
        bool compact; /* the header of `cmpct` */
    } headers_job;
    const struct block_entry *best_known, *best_sent, *last_common;
    struct block_hash last_unknown; /* zero: none */
    struct presync *presync;

    /* download.c */
    struct flight **in_flight; /* in order of the requests */
    size_t n_in_flight, cap_in_flight;
    int64_t downloading_since, stalling_since; /* us, 0: not */
    /* flights.c: how fast it delivers */
    int64_t block_us;                          /* mean time of a block, us */
    int64_t last_delivery, last_delivery_mono; /* us */
    uint64_t deliveries;
    unsigned overtaken; /* blocks in a row that others had to deliver in its place */

    /* compact.c */
    struct msg_cmpctblock *cmpct; /* being looked at */
    bool cmpct_waits;             /* until another copy of that block is done with */
    bool hb_to;                   /* we asked it for compact blocks unasked */

    /* lagging.c */
    int64_t lag_timeout;
    const struct block_entry *lag_work;
    bool lag_getheaders_sent, lag_protected;

    /* upkeep.c */
    int64_t last_announcement; /* of a block with more work than our tip, s */

    /* serve.c */
    struct inv *getdata;
    size_t n_getdata, getdata_pos;
    bool reading; /* a block is being read for it */
    struct inv reading_inv;
    struct msg_getblocktxn blocktxn; /* what it asked of the block that is being read; n 0: it asked for the block */
    struct block_hash continuation;  /* zero: none */

    /* announce.c */
    struct hash_list announce_headers, announce_inv;

    struct bloom *bloom;               /* filtered.c; NULL: none */
    struct filter_query *filter_query; /* filters.c; NULL: none. Its other messages wait while there is one */

    /* relay.c */
    bool tx_relay;  /* transactions may be announced to it at all */
    bool relay_txs; /* it asked for them */
    struct recent tx_known;
    uint64_t told;    /* what it has read of its backlog's log */
    int64_t next_inv; /* us; 0: nothing was announced to it yet */
    uint64_t last_inv_sequence;
    bool send_mempool;
    int64_t fee_filter;                       /* what it wants at least */
    int64_t fee_filter_sent, next_fee_filter; /* us */

    /* tx_fetch.c */
    struct tx_announcer *announcer; /* NULL: closing */

    /* addr.c, addr_relay.c */
    bool addr_relay, getaddr_seen, getaddr_sent;
    struct recent addr_known;
    struct addr_entry *addr_to_send;
    size_t n_addr_to_send, cap_addr_to_send;
    int64_t next_addr_send, next_own_addr; /* us; 0: not yet */
    double addr_tokens;
    int64_t addr_tokens_time; /* us */
    uint64_t addr_processed, addr_rate_limited;
};

struct sync {
    struct sync_options o;
    struct peer *peers;             /* in order of connection: ids rise */
    struct private_tx *private_txs; /* private_broadcast.c */
    struct rng rng;
    void (*ready)(void *ctx, peer_id peer);
    void *ready_ctx;

    unsigned n_sync_started, n_preferred, n_lag_protected, n_wtxid_peers;
    struct block_hash last_inv_trigger;
    bool headers_complete;    /* a peer had no more headers behind our best one, and that has enough work */
    int64_t headers_progress; /* s: a peer was asked, or headers were new and accepted */
    int64_t headers_hope;     /* s: the latest of all peers */

    struct flight *flights;       /* by hash */
    struct block_source *sources; /* by hash, oldest first */
    size_t n_requested_blocks;
    unsigned n_downloading; /* peers with blocks in flight */
    int64_t stall_timeout;  /* us */
    unsigned headers_jobs;  /* not answered yet, of all peers */

    /* upkeep.c */
    unsigned max_full_relay, max_block_relay;
    bool seeks_peers, wants_extra_peer, initial_sync_done;
    int64_t last_tip_update, next_stale_check; /* s */
    int64_t next_upkeep;                       /* steady us */

    struct block *recent_block;    /* the last one connected, or about to be */
    struct writer recent_cmpct;    /* its compact form, when somebody wanted it */
    bool recent_unjudged;          /* whether it is valid is not known yet */
    int64_t recent_since;          /* us, monotonic: when it came */
    uint32_t *recent_slots;        /* its transactions by txid and wtxid (relay.c): place + 1, 0: empty */
    size_t n_recent_slots;         /* a power of two, 0 without a block */
    uint64_t recent_k0, recent_k1; /* salt of that table */
    const struct block_entry *tip; /* as last told; NULL: not yet */
    int32_t fast_height;           /* of the last block that was announced before its validation */
    peer_id hb_peers[4];           /* who announces to us by compact blocks, the oldest choice first */
    unsigned n_hb_peers;

    struct relay_tx **pool; /* the mempool's transactions, in no order */
    size_t n_pool, cap_pool;
    struct places by_wtxid, by_txid; /* in that */
    uint64_t relay_k0, relay_k1;     /* key of these */
    struct pool_ref *extra;          /* a ring of others that a block may contain */
    size_t n_extra, next_extra;
    uint64_t relay_sequence;
    int64_t mempool_fee_rate, max_fee_filter; /* sat/kvB */

    /* trickle.c */
    struct backlog *backlog[2]; /* for inbound peers, for others */
    struct inv_timer {
        uint64_t key; /* network and address that they came through */
        int64_t next; /* us */
    } * inv_timers;
    size_t n_inv_timers;
    int64_t next_trickle;      /* us: when the next peer is told something; INT64_MAX: nothing waits */
    int64_t trickle_budget;    /* announcements that may still be worked on in this turn of the loop */
    bool trickle_changed;      /* something was let go since then */
    int64_t next_backlog_line; /* us, 0: none */
    uint32_t relay_batch;

    uint64_t addr_k0, addr_k1; /* choose who is told of an address */

    int64_t wake_at; /* us, as the owner was told */
    struct tx_requests *requests;
    struct orphanage *orphanage;
    struct recent rejects;        /* wtxids, and txids whose witness does not matter */
    struct recent reconsiderable; /* low on fees: wtxids, and names of packages */
    struct recent confirmed;
};

/* ---- sync.c ---- */
struct peer *sync_peer(struct sync *s, peer_id id);
/** A job was handed out / answered for p (NULL: gone). */
void job_begin(struct peer *p, enum job_kind kind);
void job_end(struct peer *p);
/** Goes on with whatever p has waiting, sends what is due, and reports readiness. After anything that may have unblocked it. */
void peer_advance(struct sync *s, struct peer *p);
/** After anything has happened: what has become due to other peers is sent, and the owner is told when to call next. */
void sync_settle(struct sync *s);

/* ---- peer.c ---- */
static inline bool peer_inbound(const struct peer *p)
{
    return p->facts.type == CONN_INBOUND;
}
static inline bool peer_has(const struct peer *p, uint32_t permission)
{
    return net_has_permission(p->facts.permissions, permission);
}
static inline bool peer_serves_blocks(const struct peer *p)
{
    return p->services & (NODE_NETWORK | NODE_NETWORK_LIMITED);
}
static inline bool peer_is_limited(const struct peer *p)
{
    return (p->services & NODE_NETWORK_LIMITED) && !(p->services & NODE_NETWORK);
}
static inline bool peer_serves_witness(const struct peer *p)
{
    return p->services & NODE_WITNESS;
}
static inline bool peer_is_outbound_auto(const struct peer *p)
{
    return p->facts.type == CONN_OUTBOUND_FULL_RELAY || p->facts.type == CONN_BLOCK_RELAY;
}
/** Time-outs apply only this long after the connection. */
bool peer_checks_inactivity(const struct sync *s, const struct peer *p);
/** What its connection says. */
struct peer_wire peer_wire_of(const struct sync *s, const struct peer *p);
void peer_send(struct sync *s, struct peer *p, const char *type, const void *payload, size_t len);
/** Sends what a writer holds and clears it. */
void peer_send_writer(struct sync *s, struct peer *p, const char *type, struct writer *w);
/** The same for n items of a getdata, in parts that the peer takes. */
void peer_send_getdata(struct sync *s, struct peer *p, struct writer *items, size_t n);
/** Ends the connection; the caller has logged why with DISCONNECT_FMT. */
void peer_disconnect(struct sync *s, struct peer *p);
#define DISCONNECT_FMT "disconnecting peer=%" PRId64
/** Marks the peer for discouragement and logs "Misbehaving: peer=N: message". */
void peer_misbehaving(struct peer *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** A payload that does not decode: logged as Core does, otherwise ignored. */
void peer_malformed(const struct peer *p, const struct message *m, const char *what);
/** Everything that is due to be sent or checked now. */
void peer_flush(struct sync *s, struct peer *p);
void peer_free(struct sync *s, struct peer *p);

/* ---- dispatch.c ---- */
void dispatch(struct sync *s, struct peer *p, const struct message *m);

/* ---- handshake.c ---- */
void handshake_send_version(struct sync *s, struct peer *p);
void handshake_flush(struct sync *s, struct peer *p);
/** What we want of the services of a peer that we chose ourselves, if it offers these. */
uint64_t wanted_services(const struct sync *s, uint64_t offered);
void on_version(struct sync *s, struct peer *p, const struct message *m);
void on_verack(struct sync *s, struct peer *p, const struct message *m);
void on_sendheaders(struct sync *s, struct peer *p, const struct message *m);
void on_sendcmpct(struct sync *s, struct peer *p, const struct message *m);
void on_wtxidrelay(struct sync *s, struct peer *p, const struct message *m);
void on_sendaddrv2(struct sync *s, struct peer *p, const struct message *m);
void on_feature(struct sync *s, struct peer *p, const struct message *m);

/* ---- reconcile.c ---- */
/** Offers reconciliation where Core does. */
void reconcile_offer(struct sync *s, struct peer *p);
/** There is no agreement, or none any more. */
void reconcile_forget(struct peer *p);
void on_sendtxrcncl(struct sync *s, struct peer *p, const struct message *m);

/* ---- ping.c ---- */
void ping_flush(struct sync *s, struct peer *p);
void on_ping(struct sync *s, struct peer *p, const struct message *m);
void on_pong(struct sync *s, struct peer *p, const struct message *m);

/* ---- addr.c ---- */
/** Asks for addresses, if addresses are exchanged with this peer. */
void addr_start(struct sync *s, struct peer *p);
/** From now on addresses are exchanged with the peer. Returns: false if they never are (block-relay-only, feeler). */
bool addr_setup(struct peer *p);
void on_addr(struct sync *s, struct peer *p, const struct message *m);
void on_addrv2(struct sync *s, struct peer *p, const struct message *m);

/* ---- private_broadcast.c ---- */
void private_free_all(struct sync *s);
/** Is it a connection for one private transaction and nothing else? What else it may send and be sent. */
bool peer_private(const struct peer *p);
bool private_may_send(const char *type);
bool private_may_handle(const struct peer *p, const char *type);
void private_fill_version(struct msg_version *v);
/** The steps of such a connection. */
void private_on_version(struct sync *s, struct peer *p);
void private_on_verack(struct sync *s, struct peer *p);
void private_on_getdata(struct sync *s, struct peer *p, const struct inv *items, size_t n);
void private_on_pong(struct sync *s, struct peer *p);
void private_flush(struct sync *s, struct peer *p);
void private_forget_peer(struct sync *s, struct peer *p);
/** Any peer sent a transaction: one of ours that has come back needs no more connections. */
void private_received(struct sync *s, const struct peer *p, const struct tx *tx);

/* ---- addr_relay.c ---- */
/** The peer knows the address. */
void addr_remember(struct peer *p, const struct net_addr *a);
/** Queues a fresh address for one or two peers, the same ones for a day. */
void addr_pass_on(struct sync *s, const struct peer *from, const struct addr_entry *e, bool reachable);
/** Our own address and what is queued, when it is their time. */
void addr_flush(struct sync *s, struct peer *p);
void addr_clear(struct peer *p);
void on_getaddr(struct sync *s, struct peer *p, const struct message *m);

/* ---- filters.c ---- */
void filters_clear(struct peer *p);
/** Goes on with the peer's query for filters, if it can take more. */
void filters_advance(struct sync *s, struct peer *p);
void on_getcfilters(struct sync *s, struct peer *p, const struct message *m);
void on_getcfheaders(struct sync *s, struct peer *p, const struct message *m);
void on_getcfcheckpt(struct sync *s, struct peer *p, const struct message *m);

/* ---- filtered.c ---- */
void filtered_clear(struct peer *p);
/** A merkleblock and the transactions that match the peer's filter; nothing without a filter. */
void filtered_send_block(struct sync *s, struct peer *p, const struct block *b);
void on_filterload(struct sync *s, struct peer *p, const struct message *m);
void on_filteradd(struct sync *s, struct peer *p, const struct message *m);
void on_filterclear(struct sync *s, struct peer *p, const struct message *m);

/* ---- headers.c ---- */
void on_headers(struct sync *s, struct peer *p, const struct message *m);
/** Asks for headers after e's chain unless a request is outstanding. */
bool headers_request(struct sync *s, struct peer *p, const struct block_entry *e);
/** Starts headers sync with the peer when it is its turn; time-outs. */
void headers_flush(struct sync *s, struct peer *p, bool may_sync);
/** Nothing will come of what p was asked for: others need not wait for it. */
void headers_no_hope(struct sync *s, struct peer *p);
void headers_check_timeout(struct sync *s, struct peer *p);
/** The header of an announcement is in the tree: what it tells about the peer, and the block is asked for. */
void headers_announced(struct sync *s, struct peer *p, const struct block_entry *last);
/** Hands headers over to validation. */
void headers_submit(struct sync *s, struct peer *p, struct block_header *headers_take, size_t n, bool fresh);
void headers_log_new(struct sync *s, const struct peer *p, const struct block_entry *e, bool compact);
/** The peer has that block. */
void headers_update_known(struct sync *s, struct peer *p, const struct block_hash *hash);
void headers_resolve_unknown(struct sync *s, struct peer *p);
bool peer_has_header(const struct peer *p, const struct block_entry *e);
struct u256 headers_work_threshold(struct chain *chain, const struct u256 *min_chain_work);
/** Punishes a peer for what it sent, as the verdict says. compact: it came by compact block, which is relayed before it is fully checked. */
void peer_punish(struct sync *s, struct peer *p, const struct verdict *v, bool compact, const char *message);

/* ---- presync.c ---- */
/** Begins to look through a low-work chain that starts behind e. */
void presync_start(struct sync *s, struct peer *p, const struct block_entry *e);
/** Feeds headers of the peer's message. Out: *release (malloc'ed) and *n_release: headers that may be accepted now.
 *  Returns: false if the peer broke the rules or has no more (presync ended; nothing is released). */
bool presync_headers(struct sync *s, struct peer *p, const struct block_header *headers, const struct block_hash *hashes, size_t n,
                     struct block_header **release, size_t *n_release);
void presync_end(struct peer *p);
int32_t presync_height(const struct peer *p);

/* ---- flights.c ---- */
struct flight *flight_find(struct sync *s, const struct block_hash *hash);
/** Finds or makes it. */
struct flight *flight_get(struct sync *s, const struct block_hash *hash);
void flight_drop_if_idle(struct sync *s, struct flight *f);
/** p is asked for that block. Returns: NULL if it was already, or enough others are. */
struct asked *flight_ask(struct sync *s, struct peer *p, const struct block_entry *e);
/** Returns: NULL if f is NULL or the peer was not asked. */
struct asked *flight_asked(struct flight *f, peer_id peer);
/** Takes the request back, from one peer or from all. f may be idle then. */
void flight_unask(struct sync *s, struct flight *f, peer_id peer);
void flight_unask_all(struct sync *s, struct flight *f);
/** The block has come from p: its speed is measured, and those who were asked before it lose trust. */
void flight_delivered(struct sync *s, struct peer *p, struct flight *f);
/** How many blocks may be asked of p at a time. */
unsigned flight_limit(const struct peer *p);
struct block_source *source_find(struct sync *s, const struct block_hash *hash);
void source_drop(struct sync *s, struct block_source *b);
/** The first sender counts. */
void source_add(struct sync *s, const struct block_hash *hash, peer_id peer, bool compact);
bool download_known(struct sync *s, const struct block_hash *hash);
bool download_request(struct sync *s, struct peer *p, const struct block_entry *e);
/** Forgets requests of that block: of everybody (NULL) or of one peer. */
void download_forget(struct sync *s, const struct block_hash *hash, const struct peer *from);
void download_forget_peer(struct sync *s, struct peer *p);
void download_clear(struct sync *s);

/* ---- download.c ---- */
bool download_may_fetch_directly(struct sync *s);
/** New headers of the peer end in `last`: asks for the blocks at once when we are near the tip. */
void download_direct(struct sync *s, struct peer *p, const struct block_entry *last);
/** The chain grew: the time that a staller is given goes back to normal step by step. */
void download_progress(struct sync *s, int32_t blocks);
void download_check_stall(struct sync *s, struct peer *p);
void download_flush(struct sync *s, struct peer *p, bool may_sync, struct writer *getdata, size_t *n_getdata);

/* ---- block.c ---- */
void on_block(struct sync *s, struct peer *p, const struct message *m);
/** Hands a block over to validation. Takes b. */
void block_submit(struct sync *s, struct peer *p, struct sync_block *b);

/* ---- compact.c ---- */
void on_cmpctblock(struct sync *s, struct peer *p, const struct message *m);
void on_blocktxn(struct sync *s, struct peer *p, const struct message *m);
/** The header of p->cmpct has been judged. */
void compact_header_done(struct sync *s, struct peer *p, const struct block_entry *last, const struct verdict *v);
/** Goes on with a compact block that waited, if it need not wait any more. */
void compact_recheck(struct sync *s, struct peer *p);
void compact_recheck_all(struct sync *s);
/** What became of a block that was put together. b->outcome is not BLOCK_READY. */
void compact_failed(struct sync *s, struct peer *p, const struct sync_block *b);
/** Should `last`, the only block asked for, be asked for in compact form? */
bool compact_wanted(struct sync *s, struct peer *p, const struct block_entry *last);
void compact_peer_free(struct peer *p);
/** Core's choice of the three peers that announce by compact blocks: p was the first to send a good block. */
void compact_choose_peer(struct sync *s, struct peer *p);
void compact_forget_peer(struct sync *s, struct peer *p);

/* ---- compact_fill.c ---- */
struct pool_ref {
    struct wtxid id;
    struct tx *tx;
};
enum fill { FILL_OK, FILL_INVALID, FILL_FAILED }; /* FAILED: nobody's fault (short ids collide) */
/** Finds transactions of m in the mempool and the extra pool. Out: *out (on FILL_OK). */
enum fill partial_new(struct partial **out, struct sync *s, const struct msg_cmpctblock *m);
void partial_free(struct partial *p);
/** The places that are missing, rising. Out: indexes (room for CMPCT_MAX_TXS). Returns: the count. */
size_t partial_missing(const struct partial *p, uint16_t *indexes);
/** Its transactions go into a block that is to be put together; it stays as a mark that this was tried. */
struct sync_block *partial_take(struct partial *p, bool segwit);
/** Such a mark. */
struct partial *partial_new_spent(void);
bool partial_spent(const struct partial *p);
/** A transaction that is not in the mempool but may be in a block. */
void extra_add(struct sync *s, struct tx *tx);
void extra_clear(struct sync *s);

/* ---- compact_serve.c ---- */
/** The compact form of the recent block. */
const struct writer *compact_recent(struct sync *s);
/** Sends the recent block in compact form as an announcement. */
void compact_announce(struct sync *s, struct peer *p, const struct block_entry *e);
void on_getblocktxn(struct sync *s, struct peer *p, const struct message *m);
void compact_send_txs(struct sync *s, struct peer *p, const struct block *b, const struct msg_getblocktxn *r);

/* ---- lagging.c ---- */
void lagging_flush(struct sync *s, struct peer *p);

/* ---- upkeep.c ---- */
/** At each tick; the check itself comes every 45 seconds. */
void upkeep_tick(struct sync *s);
void upkeep_check(struct sync *s);
/** p was the first to tell us of a header. */
void upkeep_announced(struct sync *s, struct peer *p, const struct block_entry *e);
/** p relays transactions from now on. protect: others go before it. Returns: true if there was no slot and it was disconnected. */
bool upkeep_refuses_txs(struct sync *s, struct peer *p, const char *message, bool protect);

/* ---- serve.c ---- */
void on_getheaders(struct sync *s, struct peer *p, const struct message *m);
void on_getblocks(struct sync *s, struct peer *p, const struct message *m);
void on_getdata(struct sync *s, struct peer *p, const struct message *m);
bool serve_allowed(struct sync *s, const struct block_entry *e);
/** Reads a block for p: for its getdata item i, or for what p->blocktxn asks of it. */
void serve_read(struct sync *s, struct peer *p, const struct inv *i, const struct block_entry *e);
/** Answers a getdata of one item. */
void serve_one(struct sync *s, struct peer *p, const struct inv *i);
/** Works on the peer's getdata queue. Returns: true if it is empty. */
bool serve_getdata(struct sync *s, struct peer *p);

/* ---- announce.c ---- */
void announce_flush(struct sync *s, struct peer *p);

/* ---- inv.c ---- */
void on_inv(struct sync *s, struct peer *p, const struct message *m);
void on_notfound(struct sync *s, struct peer *p, const struct message *m);
void on_feefilter(struct sync *s, struct peer *p, const struct message *m);
void on_mempool(struct sync *s, struct peer *p, const struct message *m);

/* ---- backlog.c ---- */
/** Announces a transaction of the mempool to all peers, in time. */
void relay_announce(struct sync *s, const struct wtxid *id);
/** The number of announcements that wait for p. */
size_t trickle_waiting(const struct sync *s, const struct peer *p);
void backlog_forget_peer(struct sync *s, const struct peer *p);
/** Every tick: lets more go as time passes. */
void backlog_tick(struct sync *s);

/* ---- trickle.c ---- */
void trickle_init(struct sync *s);
void trickle_clear(struct sync *s);
/** Tells p what is due to it. */
void relay_flush(struct sync *s, struct peer *p);
/** A new turn of the loop. */
void trickle_refresh(struct sync *s);
/** Tells those whose time has come, as long as the budget lasts. s->next_trickle is right afterwards. */
void trickle_due(struct sync *s);
/** Exponentially distributed. */
int64_t trickle_random_delay(struct sync *s, int64_t mean);

/* ---- fee_filter.c ---- */
void relay_fee_filter(struct sync *s, struct peer *p);

/* ---- relay.c ---- */
/** For getdata: NULL if the peer may not have it. hash: wtxid or txid as is_wtxid says. */
struct tx *relay_find(struct sync *s, const struct peer *p, const uint8_t hash[32], bool is_wtxid);
/** A peer was sent it. */
void relay_taken(struct sync *s, const struct tx *tx);
bool relay_has(struct sync *s, const uint8_t hash[32], bool is_wtxid);
/** The block's transactions may be asked for until the next one comes. */
void relay_block_connected(struct sync *s, struct block *b);
void relay_clear(struct sync *s);

/* ---- tx.c ---- */
/** May the peer send us transactions? */
bool tx_refuses(const struct sync *s, const struct peer *p);
/** reconsiderable: does one that was refused for its fee alone count? */
bool tx_already_have(struct sync *s, const uint8_t hash[32], bool is_wtxid, bool reconsiderable);
void on_tx(struct sync *s, struct peer *p, const struct message *m);
/** A transaction was judged; it came from p (NULL: gone). first: it is neither an orphan that was tried again nor part of a package. */
void tx_accepted(struct sync *s, struct tx *tx);
void tx_rejected(struct sync *s, struct peer *p, peer_id from, struct tx *tx, const struct verdict *v, bool first);
/** What was refused may be fine on another tip; after blocks were disconnected, their transactions may come again. */
void tx_tip_changed(struct sync *s, bool disconnected);
void tx_block_connected(struct sync *s, const struct block *b);

/* ---- tx_package.c ---- */
/** The parent is low on fees: submits it with a child that p announced, if there is one to try. */
void package_try(struct sync *s, struct peer *p, struct tx *parent);

/* ---- tx_fetch.c ---- */
/** p announced a transaction. Returns: true if we have it, or it is an orphan that is being resolved. */
bool tx_fetch_announced(struct sync *s, struct peer *p, const uint8_t hash[32], bool is_wtxid);
/** May p resolve an orphan, as if it had announced the missing parents? They are asked of it then. */
bool tx_fetch_parents(struct sync *s, struct peer *p, const struct wtxid *orphan, const struct txid *parents, size_t n);
/** p answered (or said notfound). */
void tx_fetch_answered(struct sync *s, struct peer *p, const uint8_t hash[32]);
/** Nobody needs to be asked any more, for either id. */
void tx_fetch_forget(struct sync *s, const struct tx *tx);
/** Appends what is to be asked of p now. */
void tx_fetch_flush(struct sync *s, struct peer *p, struct writer *getdata, size_t *n_getdata);
/** Sends the requests that are due to all who are to be asked. */
void tx_fetch_due(struct sync *s);

/* ---- orphans.c ---- */
/** The transactions that tx spends, each once. Out: malloc'ed. Returns: the count. */
size_t tx_parents(const struct tx *tx, struct txid **out);
/** Leaves those that we do not have. Returns: the count. */
size_t tx_parents_missing(struct sync *s, struct txid *parents, size_t n);
/** tx of p (may be NULL) lacks inputs: kept for all who announced it, unless it cannot become valid. */
void orphan_found(struct sync *s, struct peer *p, struct tx *tx);
/** Submits those orphans of p that are in its work set. */
void orphans_run(struct sync *s, struct peer *p);
/** The same for all peers that have any. */
void orphans_run_all(struct sync *s);

#endif
