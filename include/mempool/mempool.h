/* mempool.h - unconfirmed transactions: acceptance under Core's policy, relations, eviction, removal by blocks. Validation thread only, unless
 * a description says otherwise; coins and tip come through a struct of functions. */
#ifndef FARTHING_MEMPOOL_MEMPOOL_H
#define FARTHING_MEMPOOL_MEMPOOL_H

#include "consensus/check.h"
#include "policy/policy.h"
#include "util/rc.h"

struct mempool;
struct sig_cache;
struct fees; /* mempool/fees.h */

/* The chain as the mempool sees it; all called on the validation thread. */
struct mempool_chain {
    void *ctx;
    enum rc (*get_coin)(void *ctx, struct coin *c, const struct outpoint *o, struct arena *arena);
    const struct header_node *(*tip)(void *ctx);
    bool (*settled)(void *ctx); /* are the coins those of the tip, with no block beyond it being connected? NULL: always */
    /* For fee estimates: is the tip that of the network, so that what comes in now competes for the next block? NULL: always. And does the
     * node still download the chain for the first time? NULL: never. */
    bool (*current)(void *ctx);
    bool (*initial_download)(void *ctx);
};
/* All on the validation thread; tx may be tx_ref'ed. */
struct mempool_events {
    void *ctx;
    void (*added)(void *ctx, struct tx *tx, int64_t fee, uint64_t sequence);
    void (*removed)(void *ctx, struct tx *tx, const char *reason,
                    uint64_t sequence); /* "block" "conflict" "replaced" "expiry" "sizelimit" "reorg" */
};
struct mempool_options {
    const struct chain_params *params;
    struct policy policy;
    size_t max_bytes; /* -maxmempool */
    int64_t expiry;   /* seconds */
    unsigned check;   /* -checkmempool: mempool_check after every so many changes; 0: never */
    struct sig_cache *sig_cache;
    struct fees *fees; /* borrowed: is told what comes and goes; NULL: nobody estimates */
    struct mempool_chain chain;
    struct mempool_events events;
};
struct mempool *mempool_new(const struct mempool_options *o);
void mempool_free(struct mempool *m);

enum mempool_result_kind {
    MEMPOOL_ACCEPTED,
    MEMPOOL_REJECTED,
    MEMPOOL_ALREADY_THERE,
    MEMPOOL_OTHER_WITNESS, /* packages only: the pool has it with other witnesses */
    MEMPOOL_NOT_JUDGED     /* packages only: another's fault came first */
};
struct mempool_result {
    enum mempool_result_kind kind;
    struct verdict verdict;
    int64_t fee, vsize;
    size_t n_replaced;
    int64_t
        effective_rate; /* satoshi per 1,000 vbytes at which it was judged, with what prioritisetransaction added; 0 unless includes */
    uint32_t includes;  /* whose fees and sizes make that rate: bit i for the i-th of the package (alone: bit 0); 0: not known */
    struct wtxid other; /* MEMPOOL_OTHER_WITNESS: the one in the pool */
};
/** Tries to add a transaction (tx is ref'ed if added). test_only: nothing changes (testmempoolaccept). bypass_limits: reorganisation.
 *  Out: *r: the verdict has Core's reject reason and the code that tells sync how to treat the peer (TX_MISSING_INPUTS: an orphan);
 *  kind is MEMPOOL_ALREADY_THERE for a transaction with the same wtxid; fee and vsize are 0 if it was refused before they were known.
 *  Returns: true if it was (or, with test_only, would be) added. */
bool mempool_accept(struct mempool *m, struct tx *tx, bool test_only, bool bypass_limits, struct mempool_result *r);
/** Adds a transaction of one's own, if its fee is not above max_fee (0: any). Out: *r: as mempool_accept's.
 *  Returns: true if it was added; false with a valid verdict if its fee alone keeps it out. */
bool mempool_accept_up_to(struct mempool *m, struct tx *tx, int64_t max_fee, struct mempool_result *r);

/* The scripts of a transaction, to be run on any thread before it is accepted, so that the validation thread need not. */
struct mempool_scripts;
/** Judges a transaction in all but its scripts; nothing changes. Returns: its scripts; NULL if it is refused without them. Validation thread. */
struct mempool_scripts *mempool_look(struct mempool *m, struct tx *tx);
/** Runs them: if they pass, mempool_accept finds that remembered. Any thread, while the pool exists. */
void mempool_scripts_run(struct mempool_scripts *w_take);
void mempool_scripts_free(struct mempool_scripts *w);

/* Packages: transactions that are judged together, so that a child can pay for its parents. */
#define MEMPOOL_PACKAGE_MAX 25
enum mempool_package_kind {
    MEMPOOL_PACKAGE_VALID,
    MEMPOOL_PACKAGE_POLICY, /* the package as such is refused: none of its transactions has a verdict, unless it had one of its own */
    MEMPOOL_PACKAGE_TX      /* at least one transaction was refused */
};
struct mempool_package_result {
    enum mempool_package_kind kind;
    struct verdict verdict; /* of the package: Core's package_msg is its string, "" if valid */
    size_t n;
    struct mempool_result tx[MEMPOOL_PACKAGE_MAX]; /* one for each, in the package's order */
    struct txid *replaced;                         /* what had to go, sorted as displayed */
    size_t n_replaced;
};
/** Submits a child behind its parents (or one transaction), each alone first, then what failed for fees or lacks its parents together
 *  (Core's ProcessNewPackage). txs: n, parents first; ref'ed if added. max_fee_rate: satoshi per 1,000 vbytes that no transaction may exceed,
 *  0: any. Out: *r, to be cleared. Some may be accepted although the package is refused.
 *  Returns: true if all are in the pool now (MEMPOOL_OTHER_WITNESS counts). Validation thread. */
bool mempool_accept_package(struct mempool *m, struct tx *const *txs, size_t n, int64_t max_fee_rate,
                            struct mempool_package_result *r);
/** The same for what peers relay: a parent that is low on fees, and its child. r->tx[0] is the parent's result, r->tx[1] the child's. */
bool mempool_accept_pair(struct mempool *m, struct tx *parent, struct tx *child, struct mempool_package_result *r);
/** Judges transactions as if each came when those before it were in the pool (testmempoolaccept with several): nothing changes, nothing may
 *  be replaced, each pays for itself. */
bool mempool_test_package(struct mempool *m, struct tx *const *txs, size_t n, struct mempool_package_result *r);
void mempool_package_result_clear(struct mempool_package_result *r);

struct mempool_entry {
    struct tx *tx;
    int64_t fee, modified_fee, vsize, weight, sigop_cost, time;
    int32_t height;
    uint64_t sequence;
    bool spends_coinbase;
    bool unbroadcast;
    uint32_t n_ancestors, n_descendants; /* itself included; fees below are modified ones */
    int64_t ancestor_vsize, ancestor_fees, descendant_vsize, descendant_fees;
    int64_t chunk_fee, chunk_weight; /* of the chunk that it is mined in (weight with sigops taken into account) */
};
/** Out: *e; e->tx is borrowed. Returns: false if absent. */
bool mempool_get(struct mempool *m, struct mempool_entry *e, const struct txid *id);
bool mempool_has_wtxid(struct mempool *m, const struct wtxid *id);
/** The entry with that wtxid. */
bool mempool_get_by_wtxid(struct mempool *m, struct mempool_entry *e, const struct wtxid *id);
/** A coin created by a mempool transaction, spent or not (height MEMPOOL_COIN_HEIGHT; its script belongs to that transaction); and whether
 *  an outpoint is spent by one (out: *spender may be NULL). */
#define MEMPOOL_COIN_HEIGHT 0x7fffffffu
bool mempool_get_coin(struct mempool *m, struct coin *c, const struct outpoint *o);
bool mempool_is_spent(struct mempool *m, const struct outpoint *o, struct txid *spender);
size_t mempool_count(struct mempool *m);
/** Visits every entry in the order in which a miner may take them (parents before children). fn returns false to stop. */
void mempool_each(struct mempool *m, bool (*fn)(void *ctx, const struct mempool_entry *e), void *ctx);
/* Transactions that are worth mining together: each chunk pays the best rate of what its cluster has left. */
struct mempool_chunk {
    const struct mempool_entry *tx; /* n of them, parents before children */
    size_t n;
    int64_t fee;    /* with what prioritisetransaction added */
    int64_t weight; /* sigops taken into account */
};
/** Visits all chunks, best fee rate first (mempool_each in groups). fn returns false to stop. */
void mempool_each_chunk(struct mempool *m, bool (*fn)(void *ctx, const struct mempool_chunk *c), void *ctx);
/** Visits the chunks of the cluster (all that is connected by spending) of one transaction. Returns: false if it is absent. */
bool mempool_cluster_chunks(struct mempool *m, const struct txid *id, bool (*fn)(void *ctx, const struct mempool_chunk *c),
                            void *ctx);
/* What a miner says to a chunk: it may be left out, and then what is left of its cluster, which may need it. */
enum mempool_visit { MEMPOOL_TAKEN, MEMPOOL_LEFT_OUT, MEMPOOL_STOP };
/** Visits chunks as mempool_each_chunk does, for filling a block; cheap for who stops early. What the entries say of ancestors,
 *  descendants and chunks may be out of date. */
void mempool_take_chunks(struct mempool *m, enum mempool_visit (*fn)(void *ctx, const struct mempool_chunk *c), void *ctx);
/** In-mempool parents / children / all ancestors / descendants (itself excluded). Out: ids (malloc'ed). Returns: count. */
enum mempool_relation { MEMPOOL_PARENTS, MEMPOOL_CHILDREN, MEMPOOL_ANCESTORS, MEMPOOL_DESCENDANTS };
size_t mempool_relatives(struct mempool *m, struct txid **ids, const struct txid *id, enum mempool_relation rel);
struct mempool_stats {
    size_t count, bytes /* vsize sum */, usage, max_bytes;
    int64_t total_fee;
    int64_t min_fee_rate /* sat/kvB */;
    uint64_t sequence;
    size_t unbroadcast;
    bool optimal; /* the order of mining is known to be the best there is */
};
void mempool_stats(struct mempool *m, struct mempool_stats *out);
/** Grows with every transaction that comes or goes and with every change of a fee delta: a template is as good as new while it stands
 *  still (Core's GetTransactionsUpdated). Any thread. */
uint64_t mempool_updates(const struct mempool *m);
/** The rules that it was made with. Any thread. */
const struct policy *mempool_policy(const struct mempool *m);
/** Adds to (or takes from) the fee that mining and eviction see; deltas of one transaction add up, present in the pool or not. */
void mempool_prioritise(struct mempool *m, const struct txid *id, int64_t fee_delta);
/** All deltas in order of txid. Returns: their number; *out: an array that stays valid until the pool changes. */
struct mempool_delta {
    struct txid txid;
    int64_t delta;
};
size_t mempool_deltas(struct mempool *m, const struct mempool_delta **out);
/** Marks as not yet taken over by any peer (ignored if absent). */
void mempool_set_unbroadcast(struct mempool *m, const struct txid *id, bool on);

/** Holds everything in the pool against everything else, and its inputs against the chain; a fault is a bug and ends the program. Slow:
 *  for tests. Not while a reorganisation is under way. */
void mempool_check(struct mempool *m);

/* The chain moved: called by node from the chain's events, on the validation thread. */
void mempool_block_connected(struct mempool *m, const struct block *b, int32_t height);
void mempool_block_disconnected(struct mempool *m, const struct block *b);
/** Transactions that wait since their block was disconnected are not put back, and what spends them goes. */
void mempool_forget_disconnected(struct mempool *m);
/** After a step of the chain is complete: puts disconnected transactions back, drops what is no longer final or mature, trims. */
void mempool_tip_changed(struct mempool *m);

/** Tells the fee estimator that everything left unmined, as the end of the node makes it look. */
void mempool_forget_fees(struct mempool *m);

/** mempool.dat in Core's format (version 2: obfuscated; version 1 is read too). Out: *count (may be NULL): transactions written / taken
 *  back. mempool_load: RC_NOT_FOUND without a file, RC_CORRUPT if it is not one or cut short (what came before the fault is kept). */
enum rc mempool_save(struct mempool *m, const char *path, size_t *count);
enum rc mempool_load(struct mempool *m, const char *path, size_t *count);
/* What besides the transactions is taken from a file; mempool_load: all of it, and the times of the file. */
struct mempool_import {
    bool use_current_time;  /* as if they came in now */
    bool apply_deltas;      /* of prioritisetransaction */
    bool apply_unbroadcast; /* and they are announced again */
};
/** As mempool_load, from any file and with a choice. */
enum rc mempool_import(struct mempool *m, const char *path, const struct mempool_import *what, size_t *count);

#endif
