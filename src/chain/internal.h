/* internal.h - the state of a chain, shared by the files of this module. Nothing here is for other modules.
 *
 * Two tips: `tip` is the last block whose scripts are verified; other threads see it. `head` is the block that the coins
 * cache stands at; between the two are the blocks in flight, whose scripts are still running on the workers. Without blocks
 * in flight both are the same. The validation thread owns everything; `lock` guards what other threads read: the tree's
 * table, the mutable fields of entries, the active chain and the cache of deployment states. */
#ifndef FARTHING_CHAIN_INTERNAL_H
#define FARTHING_CHAIN_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "chain/chain.h"
#include "chain/checkqueue.h"
#include "chain/coins.h"
#include "chain/undo.h"
#include "util/log.h"

#define SEQUENCE_BEST_FROM_DISK 0 /* blocks of the active chain at start: they win among equals */
#define SEQUENCE_FROM_DISK 1      /* all other entries without an order of arrival */
#define MIN_BLOCKS_TO_KEEP 288
#define DISK_SPACE_MIN (50u << 20)

#define ENTRIES_PER_SLAB 256u
struct tree {
    struct block_entry **slots; /* open addressing on the hash's own bytes and a salt */
    size_t mask, count;
    uint64_t salt;
    struct block_entry **slabs;
    size_t n_slabs;
};

/* Entries that could be the best tip: sorted, best last; [first, n) is used. */
struct candidates {
    struct block_entry **e;
    size_t first, n, cap;
};

/* Entries with data whose branch lacks data further back, by parent. */
struct unlinked {
    struct block_entry **slots; /* open addressing on the parent's address */
    size_t mask, count;
};

struct entry_list {
    struct block_entry **e;
    size_t n, cap;
};

/* What a submission waits for: told after the blocks before it have retired. */
struct ticket {
    chain_block_done done;
    void *arg;
    struct block_hash hash;
    bool is_new;
    struct verdict verdict;
};

/* A block between connecting and retiring, or (entry NULL) the ticket of a submission. */
struct inflight {
    struct inflight *next;
    struct block_entry *entry;
    struct block *block;
    uint32_t n_inputs;    /* of all transactions but the coinbase */
    struct coin *coins;   /* what they spend, flat in block order */
    struct tx_out *spent; /* the same outputs side by side, as script checks want them */
    uint32_t *first_in;   /* n_tx + 1: where a transaction's inputs start */
    uint32_t n_applied;   /* transactions whose effects are in the coins */
    uint32_t cap_inputs, cap_tx;
    struct bytes_mem scripts;
    struct check_job job;
    bool checking; /* the job was submitted */
    struct ticket ticket;
};

struct bip9_slot {
    const struct block_entry *entry;
    enum bip9_state state;
};
#define BIP9_SLOTS 64u

/* The coins that are built from genesis on while the active ones began with a snapshot: they go up to the snapshot's base, and
 * then say whether it was right. */
struct background {
    struct coindb *coindb;
    struct coins *coins;
    size_t limit; /* bytes of the cache */
    _Atomic(struct block_entry *) tip;
    _Atomic(const struct block_entry *) flushed;
    _Atomic uint64_t stat_bytes;
    atomic_bool done;         /* the snapshot is validated: the rest of this is idle */
    struct coindb_iter *iter; /* the last look at all the coins */
    struct utxo_hasher *hasher;
};

struct chain {
    struct chain_options o; /* strings are copies */
    const struct chain_params *params;
    struct blockfiles *files;
    struct blockdb *index;
    struct coindb *coindb;
    struct coins *coins;
    size_t coins_limit;
    size_t cache_total; /* of coins, for both when there are two */
    struct check_queue *queue;

    /* Snapshots: all unset, the coins were built from genesis on. */
    char *snapshot_dir;                      /* .../chainstate_snapshot */
    const struct assumed_point *assumed;     /* what the active coins began with */
    _Atomic(struct block_entry *) base;      /* its block */
    _Atomic(struct background *) background; /* stays once it is there */
    atomic_bool loading;                     /* a snapshot file is being read */

    pthread_rwlock_t lock;
    struct tree tree;
    struct block_entry **active; /* by height up to the tip */
    int32_t active_cap;
    _Atomic(struct block_entry *) tip;
    _Atomic(struct block_entry *) best_header;
    _Atomic(const struct block_entry *) flushed; /* what the coins on disk stand at */
    atomic_bool initial_download, reindexing, have_pruned;
    _Atomic uint64_t stat_coins, stat_bytes;
    _Atomic uint64_t disk_size;

    struct block_entry *head;
    struct block_entry *best_invalid, *notified_header;
    struct candidates candidates;
    struct unlinked unlinked;
    struct entry_list dirty;
    int32_t next_sequence, reverse_sequence;
    struct u256 precious_work;

    struct inflight *first, *last, *spare;
    size_t inflight_bytes;
    unsigned inflight_blocks;
    struct ticket *current;             /* the submission being processed */
    const struct block_entry *step_tip; /* the tip that a reorganisation left, until a better one stands */
    uint64_t failures;                  /* blocks found invalid: plans made before are void */
    unsigned in_event;
    bool importing, stopping, broken, check_for_pruning;
    bool intact;              /* broken, but by something that changed nothing: what is in memory may be written */
    const char *check_reason; /* why scripts were (not) verified, last logged */
    bool check_reason_known;
    int64_t next_write_us;
    unsigned holders; /* of blocks that are not to be pruned: those above held_from */
    int32_t held_from;
    uint64_t last_chunk; /* where block data went last: pruning is considered when a new piece is begun */

    pthread_mutex_t bip9_lock;
    struct bip9_slot bip9[DEPLOYMENT_BIP9_COUNT][BIP9_SLOTS];
};

static inline struct block_entry *mutable_entry(const struct header_node *n)
{
    return (struct block_entry *)(uintptr_t)n;
}
static inline struct block_entry *prev_entry(const struct block_entry *e)
{
    return mutable_entry(e->node.prev);
}
static inline struct block_entry *entry_ancestor(const struct block_entry *e, int32_t height)
{
    return mutable_entry(header_node_ancestor(&e->node, height));
}
static inline struct block_entry *tip_of(struct chain *c)
{
    return atomic_load_explicit(&c->tip, memory_order_acquire);
}
static inline struct block_entry *best_header_of(struct chain *c)
{
    return atomic_load_explicit(&c->best_header, memory_order_acquire);
}
/** The coins of history under way; NULL: there are none, or they are complete. */
static inline struct background *background_of(struct chain *c)
{
    struct background *b = atomic_load_explicit(&c->background, memory_order_acquire);

    return b && !atomic_load_explicit(&b->done, memory_order_acquire) ? b : NULL;
}
/** The block of a snapshot that is not validated yet; NULL: none. */
static inline struct block_entry *assumed_base(struct chain *c)
{
    return background_of(c) ? atomic_load_explicit(&c->base, memory_order_acquire) : NULL;
}
static inline struct block_entry *background_tip(struct background *b)
{
    return atomic_load_explicit(&b->tip, memory_order_acquire);
}
static inline bool entry_failed(const struct block_entry *e)
{
    return (e->status & BLOCK_FAILED_VALID) != 0;
}
/** Valid at least up to a level, and not failed. */
static inline bool entry_valid(const struct block_entry *e, uint32_t level)
{
    return !entry_failed(e) && (e->status & BLOCK_VALID_MASK) >= level;
}
static inline bool interrupted(const struct chain *c)
{
    return c->o.interrupt && atomic_load_explicit(c->o.interrupt, memory_order_relaxed);
}
static inline void write_lock(struct chain *c)
{
    pthread_rwlock_wrlock(&c->lock);
}
static inline void read_lock(struct chain *c)
{
    pthread_rwlock_rdlock(&c->lock);
}
static inline void unlock(struct chain *c)
{
    pthread_rwlock_unlock(&c->lock);
}

/* ---- tree.c ---- */
void tree_init(struct tree *t);
void tree_clear(struct tree *t);
struct block_entry *tree_find(const struct tree *t, const struct block_hash *hash);
/** A new zeroed entry for that hash, in the table; the caller fills it. Write lock. */
struct block_entry *tree_add(struct tree *t, const struct block_hash *hash);
static inline struct block_entry *tree_entry(const struct tree *t, size_t i)
{
    return &t->slabs[i / ENTRIES_PER_SLAB][i % ENTRIES_PER_SLAB];
}

/* ---- candidates.c ---- */
/** Core's order: less work, then later arrival, then an arbitrary but fixed order. */
bool entry_worse(const struct block_entry *a, const struct block_entry *b);
void candidates_insert(struct candidates *s, struct block_entry *e);
void candidates_erase(struct candidates *s, const struct block_entry *e);
bool candidates_has(const struct candidates *s, const struct block_entry *e);
struct block_entry *candidates_best(const struct candidates *s);
/** Drops all that are worse than e. */
void candidates_prune(struct candidates *s, const struct block_entry *e);
void unlinked_init(struct unlinked *u);
void unlinked_add(struct unlinked *u, struct block_entry *e);
/** Takes one child of that parent out. NULL: none. */
struct block_entry *unlinked_take(struct unlinked *u, const struct block_entry *parent);
bool unlinked_has(const struct unlinked *u, const struct block_entry *e);
void unlinked_erase(struct unlinked *u, const struct block_entry *e);
void entry_list_add(struct entry_list *l, struct block_entry *e);

/* ---- active.c ---- */
/** Appends to / shortens the active chain. */
void active_push(struct chain *c, struct block_entry *e);
void active_pop(struct chain *c);
/** Sets it at start. */
void active_set(struct chain *c, struct block_entry *tip);
/** Does e belong to the chain that ends in head? */
bool head_contains(const struct chain *c, const struct block_entry *e);
/** Notes that an entry must be written. */
void mark_dirty(struct chain *c, struct block_entry *e);
/** Changes status bits under the lock and marks the entry dirty. */
void set_status(struct chain *c, struct block_entry *e, uint32_t set, uint32_t clear);
void raise_validity(struct chain *c, struct block_entry *e, uint32_t level);
/** Leaves initial download if the tip is recent and has the work. */
void update_initial_download(struct chain *c);

/* ---- headers.c ---- */
bool accept_header(struct chain *c, const struct block_header *h, const struct block_hash *hash, bool min_pow_checked,
                   struct block_entry **out, struct verdict *v);
struct block_entry *add_entry(struct chain *c, const struct block_header *h, const struct block_hash *hash);
void recalculate_best_header(struct chain *c);
void notify_header_tip(struct chain *c);

/* ---- accept.c ---- */
/** Everything about a block but connecting it. at: where it stands on disk already (import), NULL: store it. */
bool accept_block(struct chain *c, struct block *b, const struct block_precheck *pre, bool requested, bool min_pow_checked,
                  const struct disk_pos *at, struct block_entry **out, bool *is_new, struct verdict *v);
void received_transactions(struct chain *c, struct block_entry *e, const struct block *b, struct disk_pos pos);
void try_add_candidate(struct chain *c, struct block_entry *e);

/* ---- activate.c ---- */
/** Connects the best known branch; hint: a block that need not be read from disk. */
enum rc activate(struct chain *c, struct block *hint);
/** Connects genesis alone. */
enum rc activate_genesis(struct chain *c, struct block_entry *genesis);

/* ---- failure.c ---- */
void mark_invalid(struct chain *c, struct block_entry *e, const struct verdict *v);
void invalid_chain_found(struct chain *c, struct block_entry *e, bool by_user);
/* Says whether an invalid branch is far ahead of the tip. */
void check_invalid_ahead(struct chain *c);
/* "Block validation error: ..." */
void log_block_error(const struct block_hash *hash, const struct verdict *v);
/** The verdict on a block is known: tells those who wait for it. */
void judge(struct chain *c, const struct block_hash *hash, const struct verdict *v);
void log_verdict(const char *what, const struct block_hash *hash, const struct verdict *v);
enum rc fatal(struct chain *c, enum rc rc, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* ---- connect.c ---- */
enum connect_result { CONNECT_OK, CONNECT_INVALID, CONNECT_ERROR };
/** Applies a block to coins; p->block and n (its place) are given, p gets what was spent. All rules but the scripts. On
 *  failure the coins are as before. */
enum connect_result connect_block(struct chain *c, struct coins *coins, struct inflight *p, const struct header_node *n,
                                  uint32_t flags, struct verdict *v);
/** Takes a connected block's effects back, from memory. */
void connect_revert(struct coins *coins, struct inflight *p);
/** NULL: the scripts of that block need no verification; else why they do. */
const char *script_check_reason(struct chain *c, const struct block_entry *e);
void log_script_check_reason(struct chain *c, const struct block_entry *e, const char *reason);
/** Verifies the scripts of a connected block on all threads, and waits. at_tip: transactions may have been verified before, and what
 *  verifies is remembered for the block to come. Returns: false if one failed (v says which). */
bool check_scripts(struct chain *c, struct inflight *p, uint32_t flags, bool at_tip, struct verdict *v);
/** The verdict that a failed script means. */
void script_verdict(const struct inflight *p, struct verdict *v);

/* ---- fetch.c ---- */
/** Reads what a block spends and the cache lacks from the database, on all threads at once. */
void fetch_coins(struct chain *c, struct coins *coins, const struct block *b);

/* ---- disconnect.c ---- */
enum disconnect_result { DISCONNECT_OK, DISCONNECT_UNCLEAN, DISCONNECT_FAILED };
/** Takes a block's effects back out of coins, with its undo record from disk. */
enum disconnect_result disconnect_block(struct chain *c, struct coins *coins, const struct block_entry *e, const struct block *b);
/** Disconnects the tip; nothing may be in flight. RC_NOT_FOUND: it is pruned, and nothing happened. */
enum rc disconnect_tip(struct chain *c);

/* ---- pipeline.c ---- */
struct inflight *inflight_new(struct chain *c);
void inflight_release(struct chain *c, struct inflight *p);
/** Room for a block's inputs. */
void inflight_reserve(struct inflight *p, const struct block *b);
/** Queues a connected block and starts its scripts. */
void pipeline_push(struct chain *c, struct inflight *p, bool check_scripts, uint32_t flags);
void pipeline_push_ticket(struct chain *c, const struct ticket *t);
/** Retires what is ready; all: waits for everything, else only while too much is in flight. */
enum rc pipeline_advance(struct chain *c, bool all);
/** May blocks be left in flight now? */
bool pipeline_allowed(const struct chain *c);
void pipeline_clear(struct chain *c);
/** Stores what a block spent, if it is not stored yet. Out: the record in w, nothing if it is on disk already. */
enum rc write_undo(struct chain *c, struct writer *w, struct inflight *p);
void fire_tip_changed(struct chain *c, const struct block_entry *fork);
void end_step(struct chain *c);

/* ---- flush.c, prune.c ---- */
enum flush_mode { FLUSH_NONE, FLUSH_IF_NEEDED, FLUSH_PERIODIC, FLUSH_ALWAYS };
/** Writes to disk what the mode asks for; drains first. manual_prune: a height, 0: none. */
enum rc flush_state(struct chain *c, enum flush_mode mode, int32_t manual_prune);
bool flush_wanted(struct chain *c);
/** Chooses files to delete. Returns: their number; *files malloc'ed. */
size_t prune_choose(struct chain *c, unsigned **files, int32_t manual_height);
/** Takes the files' blocks out of the tree; the index has to be written before the files are deleted. */
enum rc prune_forget(struct chain *c, const unsigned *files, size_t n);

/* ---- load.c, replay.c, open.c ---- */
enum rc load_index(struct chain *c, char **error);
enum rc load_genesis(struct chain *c);
enum rc load_tip(struct chain *c, char **error);
/** Fills the set of possible tips from the tree. */
void load_candidates(struct chain *c);
/* The error of a failed start: text with the advice to reindex, and the cause (path, reason; may be NULL) below it. Returns: rc. */
enum rc chain_refuse(enum rc rc, char **error, const char *text, char *cause_take);
enum rc replay_blocks(struct chain *c, struct coindb *db, struct coins *coins);

/* ---- verify.c ---- */
enum verify_result { VERIFY_OK, VERIFY_CORRUPT, VERIFY_INTERRUPTED, VERIFY_SKIPPED, VERIFY_MISSING /* blocks were not there */ };
enum verify_result verify_chain(struct chain *c, struct coins *coins, struct block_entry *tip, int level, int n_blocks);

/* ---- background.c ---- */
/** Takes the coins of history over. tip: where they stand, NULL: nowhere yet. */
void background_start(struct chain *c, struct coindb *db_take, struct coins *coins_take, struct block_entry *tip);
void background_free(struct background *b);
/** Hashes the whole set, which stands at the base, at once (at start). Returns: RC_OK: the snapshot was right; RC_CORRUPT: it was not. */
enum rc background_verify(struct chain *c);
/** The memory for coins goes to those who need it most. */
void share_cache(struct chain *c);

/* ---- snapshot_dir.c ---- */
/** Before anything is opened: finishes what a crash interrupted, and finds a snapshot's coins. Out: c->assumed. */
enum rc snapshot_find(struct chain *c, char **error);
/** Names the snapshot's block in its folder, which makes it count at the next start. */
enum rc snapshot_name_base(const char *dir, const struct block_hash *base);
/** The validated snapshot's coins take the place of the others; no database may be open. */
enum rc snapshot_swap(struct chain *c, char **error);
/** Sets the wrong snapshot's coins aside. Out: the error, to free, NULL: none. */
char *snapshot_set_aside(struct chain *c);

/* ---- check_index.c ---- */
void check_index(struct chain *c);

/* ---- progress.c ---- */
void log_update_tip(struct chain *c, const struct block_entry *tip);
double log2_work(const struct block_entry *e);

#endif
