/* chain.h - the block tree, the active chain and its coins: acceptance of headers and blocks, connecting, reorganising, flushing, events.
 *
 * Everything runs on the validation thread unless its description says "any thread". Entries of the tree are append-only and live as long as
 * the chain; their mutable fields are guarded by one rwlock that is held for microseconds, never over I/O or scripts. */
#ifndef FARTHING_CHAIN_CHAIN_H
#define FARTHING_CHAIN_CHAIN_H

#include <stdatomic.h>

#include "consensus/check.h"
#include "storage/blockdb.h"
#include "storage/blockfiles.h"
#include "storage/coindb.h"

struct sig_cache;
struct chain;

/* A known header and what is known of its block. `node` never changes once the entry is in the tree: any thread reads it freely. */
struct block_entry {
    struct header_node node; /* first: a header_node pointer of this tree is an entry pointer */
    uint32_t status;         /* enum block_status */
    uint32_t n_tx;           /* 0: data never seen */
    uint64_t chain_tx;       /* transactions in the branch up to here; 0 while an ancestor's data are missing */
    int32_t file;
    uint32_t data_pos, undo_pos;
    int32_t sequence_id; /* order of arrival: the first seen wins among equal work */
    bool dirty;          /* differs from the database */
};
static inline const struct block_entry *entry_of(const struct header_node *n)
{
    return (const struct block_entry *)(const void *)n;
}
static inline const struct block_entry *entry_prev(const struct block_entry *e)
{
    return entry_of(e->node.prev);
}

/* The mutable facts of an entry, copied under the lock. */
struct entry_facts {
    uint32_t status, n_tx;
    uint64_t chain_tx;
    struct disk_pos pos;
    uint32_t undo_pos;
    bool active; /* in the active chain */
};

/* What the chain tells others. All on the validation thread; entries may be kept, blocks must be block_ref'ed to be kept. Each may be NULL. */
struct chain_events {
    void *ctx;
    /* A block became part of / left the active chain; its scripts are verified. */
    void (*block_connected)(void *ctx, const struct block_entry *e, struct block *block);
    /* Right after block_connected, unless it is genesis: the block's undo record (see block_undo_decode; borrowed), NULL if it is on disk from
     * an earlier connection. */
    void (*block_spent)(void *ctx, const struct block_entry *e, struct block *block, const uint8_t *undo, size_t undo_len);
    void (*block_disconnected)(void *ctx, const struct block_entry *e, struct block *block);
    /* chain_invalidate has just disconnected the n-th block in a row (from 1), and more may follow before tip_changed. */
    void (*block_given_up)(void *ctx, unsigned n);
    /* The tip moved, after all connected/disconnected of that step. fork: last block common with the old tip. */
    void (*tip_changed)(void *ctx, const struct block_entry *tip, const struct block_entry *fork, bool initial_download);
    /* A header with more work than any before was accepted. */
    void (*header_tip)(void *ctx, const struct block_entry *best, bool initial_download);
    /* A block that was submitted has been fully judged, right or wrong (Core's BlockChecked). */
    void (*block_checked)(void *ctx, const struct block_hash *hash, const struct verdict *v);
    /* A branch with more than six blocks' work over the active chain's is invalid, or no longer is there (Core's
     * CheckForkWarningConditions). Called whenever that may have changed. */
    void (*invalid_ahead)(void *ctx, bool ahead);
    /* A new block on top of the tip passed everything that needs no coins: may be announced now (compact blocks). */
    void (*new_pow_valid_block)(void *ctx, const struct block_entry *e, struct block *block);
    /* An error that the chain cannot go on after (disk full, corruption). The node must stop; text says what. */
    void (*fatal)(void *ctx, const char *text);
    /* stop_at_height was reached. */
    void (*stop_requested)(void *ctx);
    /* Between two blocks of an import, which may take hours: other work of the validation thread may run here. */
    void (*between_blocks)(void *ctx);
    /* Asked before pruning: the lowest height whose block somebody still reads (an index); INT32_MAX: none. */
    int32_t (*needed_from)(void *ctx);
    /* A snapshot was loaded, and history is fetched and validated behind it (complete: false), or that is done. */
    void (*history_changed)(void *ctx, bool complete);
    /* Validation of history came further. */
    void (*history_moved)(void *ctx);
    /* Progress of long work at start or reindex: "Verifying blocks…", percent 0..100. */
    void (*progress)(void *ctx, const char *title, int percent);
};

struct chain_options {
    const struct chain_params *params;
    const char *blocks_dir;      /* .../blocks */
    const char *block_index_dir; /* .../blocks/index */
    const char *chainstate_dir;  /* .../chainstate */
    size_t dbcache;              /* bytes: coins cache and databases together */
    struct coindb_tuning coins;  /* of every coin database; with a crash ratio no flush waits for an idle moment */
    unsigned script_threads;     /* extra threads beside the validation thread; 0: everything inline */
    struct sig_cache *sig_cache; /* borrowed */
    bool reindex, reindex_chainstate;
    bool blocks_xor, fast_prune;
    bool check_block_index;         /* -checkblockindex: verify the tree's invariants all the time (tests) */
    struct block_hash assume_valid; /* zero: verify every script */
    struct u256 min_chain_work;
    int64_t max_tip_age;           /* seconds; a tip older than that means initial download */
    int32_t stop_at_height;        /* 0: never */
    int check_blocks, check_level; /* -checkblocks (6), -checklevel (3) */
    uint64_t prune_target;         /* bytes; 0: keep all; 1: manual */
    struct chain_events events;
    atomic_bool *interrupt; /* set: long work gives up with RC_INTERRUPTED */
};

/** Opens the databases, loads the tree, replays an unfinished flush, verifies the last blocks. The active chain stands afterwards (at
 *  genesis in a fresh datadir). Returns: RC_OK; else *error (to free) is Core's init error text ("Error opening block database", ...). */
enum rc chain_open(struct chain **out, const struct chain_options *o, char **error);
/** Flushes everything and closes. Returns the outcome of the last flush. */
enum rc chain_close(struct chain *c);
/** -reindex and -loadblock: imports block files; runs until done or interrupted. path NULL: the node's own blk files (when chain_reindexing). */
enum rc chain_import_file(struct chain *c, const char *path);
/** Is a reindex still to be done / under way? Any thread. */
bool chain_reindexing(const struct chain *c);
/** Connects whatever is known and better (after load, after reindex). */
enum rc chain_activate_best(struct chain *c, struct verdict *v);

/* ---- input ---- */

/** Accepts headers that follow each other. Out: *last: entry of the last good one (may be NULL). min_pow_checked: the caller saw enough work
 *  (else a header below the minimum work is refused with "too-little-chainwork"). Returns: false with the verdict of the bad one. */
bool chain_accept_headers(struct chain *c, const struct block_header *headers, size_t n, bool min_pow_checked,
                          const struct block_entry **last, struct verdict *v);

/* Result of chain_process_block. Called on the validation thread, in order of submission, once the block is stored and - if it joined the
 * active chain - all its scripts are verified. is_new: the data were not known before. */
typedef void (*chain_block_done)(void *arg, const struct block_hash *hash, bool is_new, const struct verdict *v);
/** Takes a block: header, context-free and contextual rules, storage, activation. Several blocks may be in flight (scripts still running)
 *  when it returns; chain_drain finishes them. requested: we asked for it (else blocks with too little work or too far ahead are ignored). */
void chain_process_block(struct chain *c, struct block *b, bool requested, bool min_pow_checked, chain_block_done done, void *arg);

/* What can be found out about a block on any thread, before the validation thread takes it. */
struct block_precheck {
    bool context_done;      /* the parent was known: `context` holds the outcome of the rules that need it */
    struct verdict verdict; /* context-free rules */
    struct verdict context;
};
/** Checks a block ahead: context-free rules, and those that need its parent if that is known already. Any thread; b is not changed. */
void chain_precheck(struct chain *c, const struct block *b, struct block_precheck *out);
/** chain_process_block for a block that was checked ahead. */
void chain_process_checked_block(struct chain *c, struct block *b, const struct block_precheck *pre, bool requested,
                                 bool min_pow_checked, chain_block_done done, void *arg);
/** Finishes all blocks in flight and calls their done functions. The validation thread calls it when its queue is empty. */
void chain_drain(struct chain *c);
/** Do the coins stand as the tip left them, with no block beyond it in flight? Validation thread. */
bool chain_settled(const struct chain *c);
/** Would this block be valid on the present tip? (templates, proposals) Nothing is stored. */
bool chain_test_block(struct chain *c, struct block *b, bool check_pow, bool check_merkle, struct verdict *v);

/* ---- operator ---- */
bool chain_invalidate(struct chain *c, const struct block_entry *e, struct verdict *v);
/** Forgets that e, its ancestors and descendants were found invalid (the caller activates then). */
void chain_reconsider(struct chain *c, const struct block_entry *e);
/** Treats e as if it were seen first among blocks of equal work. */
bool chain_precious(struct chain *c, const struct block_entry *e, struct verdict *v);
/** verifychain: checks the last n blocks (0: all) at a level 0..4. RC_CORRUPT: something is wrong; RC_NOT_FOUND: some of them are pruned, or
 *  behind a snapshot; RC_BUSY: the coins were not checked, as
 *  dbcache is too small for it. */
enum rc chain_verify(struct chain *c, int level, int n_blocks);
/** Writes everything to disk: block files, index, coins. */
enum rc chain_flush(struct chain *c);
/** Flushes if it is time to (about hourly); the validation thread calls it when idle. */
void chain_periodic(struct chain *c);
/** Prunes block files up to that height (manual); out: the height that was reached. */
enum rc chain_prune_to(struct chain *c, int32_t height, int32_t *reached);
/** Keeps the blocks of the active chain above a height, and their undo records, from being pruned, until chain_release_blocks; of several
 *  holders the lowest height counts until all have gone. Returns: false, and holds nothing, if some are gone already. */
bool chain_hold_blocks(struct chain *c, int32_t height);
void chain_release_blocks(struct chain *c);

/* ---- coins ---- */
/** An unspent coin of the active chain; its script in arena. Drains first, unless it is called out of an event. A coin that cannot be read ends
 *  the node (event fatal): RC_NOT_FOUND means that there is none. */
enum rc chain_get_coin(struct chain *c, struct coin *coin, const struct outpoint *o, struct arena *arena);
/** Number and bytes of the cached coins (any thread). */
void chain_cache_stats(const struct chain *c, uint64_t *coins, uint64_t *bytes);
/** Flushes, and opens an iterator over the coin set at the present tip, to be read (and freed) on any thread. Out: *tip. */
enum rc chain_coins_snapshot(struct chain *c, struct coindb_iter **it, const struct block_entry **tip);
uint64_t chain_coins_disk_size(struct chain *c); /* any thread */

/* ---- reading, any thread ---- */
const struct chain_params *chain_get_params(const struct chain *c);
const struct block_entry *chain_tip(struct chain *c);
int32_t chain_height(struct chain *c);
/** The block at which the coins on disk stand: a restart after a crash begins there or later. While history is validated behind a snapshot:
 *  the block at which history stands. NULL: none yet. */
const struct block_entry *chain_flushed(struct chain *c);
/** The header with the most work that is not known to be invalid. */
const struct block_entry *chain_best_header(struct chain *c);
const struct block_entry *chain_lookup(struct chain *c, const struct block_hash *hash);
/** NULL above the tip or below 0. */
const struct block_entry *chain_at(struct chain *c, int32_t height);
bool chain_contains(struct chain *c, const struct block_entry *e);
/** Successor in the active chain, NULL for the tip or an inactive block. */
const struct block_entry *chain_next(struct chain *c, const struct block_entry *e);
void chain_facts(struct chain *c, const struct block_entry *e, struct entry_facts *out);
/** Last block common to e and the active chain. */
const struct block_entry *chain_fork(struct chain *c, const struct block_entry *e);
/** Exponentially thinning hashes from e (NULL: the tip) back to genesis. Out: hashes (room for 64). Returns: the count. */
size_t chain_locator(struct chain *c, const struct block_entry *e, struct block_hash hashes[64]);
/** The first of these hashes that is in the active chain; genesis if none (an invalid tip: as Core's FindForkInGlobalIndex). */
const struct block_entry *chain_find_fork(struct chain *c, const struct block_hash *hashes, size_t n);
/** Once false it stays false, as in Core. */
bool chain_initial_download(struct chain *c);
/** Estimated progress 0..1 up to e (GuessVerificationProgress). */
double chain_progress(struct chain *c, const struct block_entry *e);
/** Calls fn for every entry of the tree, under the read lock: fn must be short and must not call back. */
void chain_each_entry(struct chain *c, void (*fn)(void *ctx, const struct block_entry *e), void *ctx);
/** Reads a block / its undo record from disk. any thread; blocking I/O. RC_NOT_FOUND: no data (pruned or never had). */
enum rc chain_read_block(struct chain *c, struct block **out, const struct block_entry *e);
enum rc chain_read_raw(struct chain *c, uint8_t **data, size_t *len, const struct block_entry *e);
/** A block's bytes if they can be had without waiting for a disk (RC_BUSY: they can't) and are not more than `cap` (RC_INVALID). Any thread. */
enum rc chain_read_raw_cached(struct chain *c, uint8_t *out, size_t *len, size_t cap, const struct block_entry *e);
/** `len` bytes of it at `offset`. RC_INVALID: none are asked for, or more than there are. */
enum rc chain_read_part(struct chain *c, uint8_t *out, const struct block_entry *e, uint32_t offset, uint32_t len);
/** Is the file there that e's block stands in, and with `undo` that of its undo record? One look at the folder each, nothing is read: for what was
 *  read before. Any thread. */
bool chain_files_exist(struct chain *c, const struct block_entry *e, bool undo);
struct block_undo;
enum rc chain_read_undo(struct chain *c, struct block_undo **out, const struct block_entry *e);
/** Reads one transaction, `offset` bytes behind the start of e's block, without the rest of the block. Out: *tx (one reference). RC_CORRUPT: none
 *  stands there; the caller compares its id. */
enum rc chain_read_tx(struct chain *c, struct tx **tx, const struct block_entry *e, uint32_t offset);
/** The same by the block's place on disk. Out: *e. RC_INVALID: no known block stands there (after a crash others may have taken its place). */
enum rc chain_read_tx_at(struct chain *c, struct tx **tx, const struct block_entry **e, struct disk_pos block, uint32_t offset);
uint64_t chain_disk_size(const struct chain *c);
bool chain_pruned(const struct chain *c);
/** BIP9 state after a block (entry may be NULL), cached; any thread. */
enum bip9_state chain_bip9_state(struct chain *c, const struct block_entry *e, enum bip9_deployment_id d);

#endif
