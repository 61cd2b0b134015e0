/* internal.h - what the files of the memory pool share.
 *
 * An entry is a transaction in the pool. Entries connected by spending form a cluster of at most 64; each cluster keeps its members in the
 * order in which a miner would take them, cut into chunks of falling fee rate. Mining takes the best chunk of all clusters first, eviction
 * the worst, a replacement must make the chunks better. All of it belongs to the validation thread. */
#ifndef FARTHING_MEMPOOL_INTERNAL_H
#define FARTHING_MEMPOOL_INTERNAL_H

#include <stdatomic.h>
#include <stddef.h>

#include "mempool/fees.h"
#include "mempool/mempool.h"

#define CLUSTER_MAX 64 /* members; sets of them are bits of a uint64_t */

/* ---- heap.c: binary heap of things that know their place ---- */

struct heap_node {
    uint32_t pos;
};
struct heap {
    struct heap_node **node;
    uint32_t n, cap;
    bool (*before)(const struct heap_node *a, const struct heap_node *b);
};
void heap_add(struct heap *h, struct heap_node *n);
void heap_remove(struct heap *h, struct heap_node *n);
static inline struct heap_node *heap_top(const struct heap *h)
{
    return h->n ? h->node[0] : NULL;
}

/* ---- entries ---- */

struct entry;
struct cluster;

/* When the inputs' relative locks let it into a block. */
struct entry_lock {
    struct sequence_lock lock;
    const struct header_node *block; /* the lock holds as long as this block is in the chain */
};

/* There may be a million of these: no member that can be had otherwise, none larger than it must be. */
struct entry {
    struct {
        struct tx *tx;
        int64_t fee, modified_fee;
        uint64_t sequence;
    } pub;
    struct entry_lock *lock; /* NULL: none */
    struct entry **parent;
    struct cluster *cluster;
    uint32_t time;            /* seconds, cut off at both ends */
    uint32_t adjusted_weight; /* saturates: beyond any block */
    uint32_t mark;            /* scratch: equals m->mark if visited */
    struct heap_node by_time;
    uint32_t slot;            /* scratch: place in the set that was marked */
    uint32_t height : 24;     /* of the tip when it came */
    uint32_t at : 8;          /* place in the cluster */
    uint32_t sigop_cost : 28; /* enough for what 4 MB of script can say */
    uint32_t in_pool : 1, spends_coinbase : 1, unbroadcast : 1;
    uint16_t n_parents; /* at most one for each input: a transaction has room for 24,390 */
    uint16_t fees_mark; /* see fees_tx_added */
};

static inline struct entry *entry_of_time(const struct heap_node *n)
{
    return (struct entry *)(void *)((char *)(uintptr_t)n - offsetof(struct entry, by_time));
}

/** An entry that is not in the pool yet; takes a reference to tx. Parents are looked up. */
struct entry *entry_new(struct mempool *m, struct tx *tx);
void entry_free(struct entry *e);
/** Bytes on the heap, the transaction included. */
size_t entry_usage(const struct entry *e);
static inline int64_t entry_vsize(const struct entry *e)
{
    return ((int64_t)e->adjusted_weight + WITNESS_SCALE_FACTOR - 1) / WITNESS_SCALE_FACTOR;
}
void entry_set_lock(struct entry *e, struct sequence_lock lock, const struct header_node *block);
/** Does parent occur among e's parents? */
bool entry_has_parent(const struct entry *e, const struct entry *parent);
void entry_add_parent(struct entry *e, struct entry *parent);
/** Puts parents into the order in which Core looks at them, and reports faults. */
void entry_sort_parents(struct entry *e);
void entry_drop_parent(struct entry *e, const struct entry *parent);
/** What malloc takes for a block of that size. */
size_t heap_bytes(size_t size);

/* ---- clusters ---- */

struct fee_weight {
    int64_t fee, weight; /* weight > 0 */
};
/** <0, 0, >0: fee rate of a against b. */
static inline int rate_cmp(struct fee_weight a, struct fee_weight b)
{
    __int128 l = (__int128)a.fee * b.weight, r = (__int128)b.fee * a.weight;
    return l < r ? -1 : l > r;
}
int64_t fee_add(int64_t a, int64_t b); /* saturates */

/* ---- diagram.c, linearise.c: arithmetic of fee rates ---- */

enum diagram_order { DIAGRAM_SAME, DIAGRAM_BETTER, DIAGRAM_WORSE, DIAGRAM_MIXED };
/** Compares the diagrams of chunks by falling rate: better is nowhere below and somewhere above. */
enum diagram_order diagram_compare(const struct fee_weight *a, size_t n_a, const struct fee_weight *b, size_t n_b);

/* A cluster's transaction, known by its place in an array. */
struct lin_tx {
    struct fee_weight rate;
    uint64_t ancestors; /* bits of places, with itself */
    const uint8_t *id;  /* 32 bytes: decides where nothing else does */
};
/** Orders n (up to CLUSTER_MAX) transactions with all of their ancestors for a miner. Out: order: places, parents first; cut into chunks it is
 *  the best there is, with chunks as small as can be; of chunks that pay the same the smaller come first. steps: bound on the work: where it
 *  is reached, the order is no worse than the one of places (made to have parents first), and each chunk hangs together.
 *  Returns: is it known to be the best? */
bool linearise(unsigned *order, const struct lin_tx *t, unsigned n, uint64_t steps);
/** Improves n places of one chunk, parents first, in place: one pass from each end, in which what pays more than its neighbours moves past them. */
void lin_smooth(unsigned *order, const struct lin_tx *t, unsigned n);
/** Cuts an order into chunks: neighbours are merged wherever the later one pays more. Out: chunk, members (n at most). Returns: chunks. */
size_t lin_chunks(struct fee_weight *chunk, uint64_t *members, const struct lin_tx *t, const unsigned *order, unsigned n);

struct member {
    struct entry *e;
    uint64_t ancestors, descendants; /* bits of places, with itself */
};
struct chunk {
    int64_t fee;
    uint64_t weight : 48, first : 8, n : 8;
};
struct cluster {
    struct heap_node by_worst; /* first */
    uint8_t n, n_chunks;
    bool optimal;       /* no better order exists */
    struct member tx[]; /* in mining order; then the chunks */
};
static inline struct chunk *cluster_chunks(const struct cluster *c)
{
    return (struct chunk *)(void *)(uintptr_t)(c->tx + c->n);
}
static inline struct fee_weight chunk_rate(const struct chunk *k)
{
    return (struct fee_weight){k->fee, (int64_t)k->weight};
}
/** Bits of the places of an entry's parents. */
static inline uint64_t entry_parents(const struct entry *e)
{
    uint64_t set = 0;
    for (uint32_t i = 0; i < e->n_parents; i++)
        set |= 1ull << e->parent[i]->at;
    return set;
}
static inline struct cluster *cluster_of_worst(const struct heap_node *n)
{
    return (struct cluster *)(void *)(uintptr_t)n;
}

/** Orders and cuts a connected set of at most CLUSTER_MAX entries. The entries are not changed but for their scratch. */
struct cluster *cluster_build(struct mempool *m, struct entry *const *set, size_t n);
/** Parts a set of entries into connected ones. Out: set is reordered, part by part; *ends: end of each part (malloc'ed). Returns: parts. */
size_t entries_part(struct mempool *m, struct entry **set, size_t n, size_t **ends);
/** Builds the clusters of a set and makes the entries theirs. The entries' old clusters must have been let go. */
void clusters_adopt(struct mempool *m, struct entry **set, size_t n);
/** Takes a cluster out of the pool and frees it; its entries are in none until they are adopted. */
void cluster_release(struct mempool *m, struct cluster *c);
size_t cluster_usage(const struct cluster *c);
/** What decides between chunks of the same rate in different clusters: weight of the chunks of that rate up to this one, then the id that
 *  comes last in it. */
int64_t chunk_prefix(const struct cluster *c, unsigned index);
const struct txid *chunk_last_id(const struct cluster *c, unsigned index);

/* A growing list of entries. */
struct pool_list {
    struct entry **e;
    size_t n, cap;
};
void pool_list_add(struct pool_list *l, struct entry *e);
void pool_list_clear(struct pool_list *l);
/** Adds e's descendants (itself included) that do not carry the current mark, and marks them. */
void pool_list_add_descendants(struct mempool *m, struct pool_list *l, const struct entry *e);

/* ---- the pool ---- */

/* Entries by one of their hashes. A slot is a pointer and, in its upper 16 bits, a piece of the hash. */
struct table {
    uint64_t *slot;
    size_t cap, n, gone; /* gone: slots of what was removed, not empty yet */
};

/* Transactions of disconnected blocks that wait for tip_changed, the latest first. */
struct waiting {
    struct tx **tx;
    size_t n, cap, bytes;
};

struct mempool {
    struct mempool_options o;
    uint64_t salt[2];
    struct table by_txid, by_wtxid;
    struct table spent;          /* by the outpoints of their inputs */
    struct heap by_time;         /* oldest entry first */
    struct heap by_worst;        /* cluster with the worst chunk first */
    struct mempool_delta *delta; /* sorted by txid */
    size_t n_delta, cap_delta;
    size_t n_unbroadcast;
    uint64_t sequence;
    uint32_t mark;                /* of the set that is being gathered: see pool_new_mark */
    uint64_t changes;             /* asked for a check */
    atomic_uint_fast64_t updates; /* see mempool_updates */
    size_t inner_usage;           /* of entries and clusters */
    size_t n_unfinished;          /* clusters whose order may not be the best */
    size_t vsize;
    int64_t fees;
    double rolling_rate; /* sat/kvB; falls with time once a block has come */
    int64_t rolling_time;
    bool block_since_bump;
    struct waiting waiting;
    bool reorganised; /* blocks were disconnected since the last tip_changed */
    struct arena scratch;
    struct sig_cache *signatures; /* of the latest transactions: the second run of their scripts finds them there */
};

/** Begins a new set: no entry carries its mark yet. */
static inline void pool_new_mark(struct mempool *m)
{
    if (++m->mark == 0) { /* once in four thousand million */
        for (uint32_t i = 0; i < m->by_time.n; i++)
            entry_of_time(m->by_time.node[i])->mark = 0;
        m->mark = 1;
    }
}

/* index.c */
struct entry *index_find(const struct mempool *m, const struct txid *id);
struct entry *index_find_wtxid(const struct mempool *m, const struct wtxid *id);
/** Who spends that outpoint. */
struct entry *index_find_spender(const struct mempool *m, const struct outpoint *o);
void index_add(struct mempool *m, struct entry *e);
void index_remove(struct mempool *m, struct entry *e);
void index_init(struct mempool *m);
void index_clear(struct mempool *m);
size_t index_usage(const struct mempool *m);

/* pool.c */
int64_t pool_delta(const struct mempool *m, const struct txid *id);
void pool_forget_delta(struct mempool *m, const struct txid *id);
size_t pool_usage(const struct mempool *m);
/** The public form of an entry, without its relations; with them. */
void entry_facts(struct mempool_entry *out, const struct entry *e);
void entry_show(struct mempool_entry *out, const struct entry *e);

/* add.c */
/** Puts an entry into the pool, which owns it from now on. After a reorganisation the pool may hold transactions that spend its outputs: they do
 *  not know it as their parent before pool_rejoin. */
void pool_insert(struct mempool *m, struct entry *e);

/* rejoin.c */
/** Makes entries that came back from blocks the parents of those that spend them; of clusters that become too large so, the worst go. */
void pool_rejoin(struct mempool *m, struct entry *const *back, size_t n);

/* remove.c */
enum removal { REMOVED_BLOCK, REMOVED_CONFLICT, REMOVED_REPLACED, REMOVED_EXPIRY, REMOVED_SIZE, REMOVED_REORG };
/** Removes exactly these entries (no duplicates); those that spend them and are not among them become entries without that parent. */
void pool_remove(struct mempool *m, struct entry *const *set, size_t n, enum removal why);
/** Removes a transaction, if it is there, and all that spends it. */
void pool_remove_recursive(struct mempool *m, const struct tx *tx, enum removal why);

/* change.c: what is to be added, and what has to go for it. */
struct change {
    struct mempool *m;
    struct entry *added[MEMPOOL_PACKAGE_MAX]; /* parents first; theirs who made them until the change is applied */
    size_t n_added;
    struct pool_list direct;     /* conflicts, and the sibling that gives way */
    struct pool_list conflicts;  /* with their descendants */
    struct pool_list remaining;  /* what would stay of all clusters concerned, with what is added */
    int64_t old_fees, old_vsize; /* of the conflicts */
};
void change_clear(struct change *c);
/** Finds what must go with the direct conflicts. Returns: false (with reason) if those are in too many clusters. who: named as replacing. */
bool change_gather_conflicts(struct change *c, const struct txid *who, const char *reason, struct verdict *v);
/** Does no cluster become too large? To be asked before change_improves. */
bool change_within_limits(struct change *c);
/** Does the fee rate diagram of the clusters concerned become better? */
bool change_improves(struct change *c);
/** Takes the conflicts out and puts the entries in: they are the pool's from now on. */
void change_apply(struct change *c);

/* How transactions are judged. */
struct accept_rules {
    int64_t time;
    bool test_only;       /* nothing changes */
    bool bypass_limits;   /* from a disconnected block */
    bool never_replace;   /* what conflicts is refused */
    bool never_evict;     /* a sibling does not give way */
    bool trim_later;      /* the caller bounds the pool */
    bool together;        /* fees are looked at for the whole package */
    int64_t max_fee_rate; /* 0: none */
    int64_t max_fee;      /* 0: none; what pays more is judged, but not added */
};

/* checks.c: one attempt to add a transaction. */
struct attempt {
    struct mempool *m;
    struct tx *tx;
    const struct accept_rules *rules;
    const struct attempt *before; /* those of the same package that come before it, whose outputs it may spend */
    size_t n_before;
    struct verdict *v;
    const struct header_node *tip;
    struct coin *coins; /* n_in each, in m->scratch */
    struct tx_out *spent;
    struct entry *entry;     /* owned until it is in the pool; its parents are those in the pool */
    struct pool_list direct; /* conflicts, and the sibling that gives way */
    bool sibling;
};
void attempt_init(struct attempt *a, struct mempool *m, struct tx *tx, const struct accept_rules *rules, struct verdict *v);
void attempt_clear(struct attempt *a);
/** Form, inputs, fee and TRUC rules: all that is cheap and concerns this transaction alone. */
bool attempt_precheck(struct attempt *a);
bool attempt_check_max_rate(struct attempt *a);
/** Are these fees above the pool's and the relay's minimum? */
bool pool_check_fee_rate(struct mempool *m, int64_t fee, int64_t vsize, struct verdict *v);
/* scripts.c */
bool attempt_check_scripts(struct attempt *a);
/** What is needed to run the scripts of an attempt that is otherwise fine. */
struct mempool_scripts *scripts_new(const struct attempt *a);
/* checks.c */
/** Fills in what is known: fee and size, and with rate_known the fee rate. */
void attempt_result(const struct attempt *a, struct mempool_result *r, bool rate_known);
/* truc.c */
bool attempt_check_truc(struct attempt *a);
/** The i-th of n as one of a package. Out: *v: the package's verdict. */
bool attempts_check_truc(const struct attempt *all, size_t n, size_t i, struct verdict *v);
/** Is the dust of all parents spent? The entry's parents must be complete. */
bool attempt_check_dust_spends(struct attempt *a);
/* replace.c */
bool attempt_check_replacement(struct attempt *a, struct change *c);
bool attempt_check_ancestry(struct attempt *a);
/** May a parent and a child replace together? Out: *v: the package's verdict. */
bool attempts_check_replacement(const struct attempt *all, size_t n, struct change *c, struct verdict *v);

/* accept.c */
/** Out: *r; replaced (may be NULL): ids of what went are added to it. */
bool pool_accept(struct mempool *m, struct tx *tx, const struct accept_rules *rules, struct mempool_result *r,
                 struct mempool_package_result *replaced);
/** Tells the fee estimator and the events that a transaction was added. */
void pool_tell_added(struct mempool *m, struct tx *tx, int64_t fee, const struct accept_rules *rules);
/** Adds the ids of what a change takes away. */
void pool_note_replaced(struct mempool_package_result *r, const struct change *c);
/* locks.c: when a transaction may be mined. */
struct sequence_lock pool_sequence_lock(const struct mempool *m, const struct header_node *tip, const struct tx *tx,
                                        const struct coin *coins, const struct header_node **depends);
bool pool_lock_passed(const struct header_node *tip, struct sequence_lock lock);
bool pool_is_final(const struct header_node *tip, const struct tx *tx);
/** The coin of an input: of the pool, else of the chain. */
enum rc pool_coin(struct mempool *m, struct coin *c, const struct outpoint *o);

/* evict.c */
int64_t pool_min_fee_rate(struct mempool *m);
void pool_expire(struct mempool *m);
void pool_trim(struct mempool *m, size_t max_bytes);

/* check.c */
/** mempool_check if -checkmempool wants it now. */
void pool_check(struct mempool *m);

/* order.c: all chunks, best first. */
struct placed_chunk {
    const struct cluster *cluster;
    unsigned index;
    int64_t prefix;
    const struct txid *last;
};
size_t pool_chunks(const struct mempool *m, struct placed_chunk **out);

#endif
