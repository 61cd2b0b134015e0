/* index.h - a follower of the active chain: walks on a thread of its own from the block up to which an index stands to the tip, hands it each
 * block with the coins that it spent, takes it back out of abandoned branches, and keeps its place in the index's database. What an index
 * stores is its own business (struct index_ops); the place is stored under Bitcoin Core's key 'B' as a locator.
 *
 * While it follows closely it gets blocks and spent coins from the validation thread's memory (index_offer); what it missed, and all of a chain
 * that was there before, it reads from disk.
 *
 * The place on disk never runs ahead of the coins on disk: after a crash the chain is at least as far as any of its indexes. */
#ifndef FARTHING_INDEX_INDEX_H
#define FARTHING_INDEX_INDEX_H

#include "chain/chain.h"
#include "chain/undo.h"
#include "storage/kv.h"

struct index;

/* What an index does; called on its thread, one at a time (start: on the thread that makes it). Any outcome but RC_OK stops the node. */
struct index_ops {
    const char *name;        /* "basic block filter index", as in the log and in getindexinfo */
    const char *thread_name; /* up to 15 characters */
    bool needs_undo;
    bool heals; /* damage is noted, and the next start builds it anew */
    /* The name under which the place is stored; NULL: 'B' alone. With a name, a place under 'B' (of an older format) counts until one is stored. */
    const char *place_name;
    /* Reads its own state. best: the block up to which it stands, NULL: empty. */
    enum rc (*start)(void *impl, const struct block_entry *best);
    /* The next block. undo: NULL for genesis and where it is not needed. */
    enum rc (*append)(void *impl, const struct block_entry *e, const struct block *b, const struct block_undo *undo);
    /* e, the last block appended, left the active chain. */
    enum rc (*remove)(void *impl, const struct block_entry *e);
    /* Makes everything appended durable, or adds it to the batch that stores the place. */
    enum rc (*commit)(void *impl, struct kv_batch *batch);
};

struct index_options {
    struct chain *chain; /* outlives the index's thread */
    struct kv *kv;       /* borrowed, as all below */
    const struct index_ops *ops;
    void *impl;
    void (*fatal)(void *ctx, const char *text); /* the index cannot go on: the node must stop. Any thread */
    void *ctx;
};

/* What opening any index takes. */
struct index_setup {
    struct chain *chain;
    const char *dir;    /* of its database */
    size_t cache_bytes; /* block cache and write buffers */
    bool wipe;          /* -reindex */
    void (*fatal)(void *ctx, const char *text);
    void *ctx;
};

/** Reads the place and the index's state, and checks that the blocks it still needs are not pruned. Returns: RC_OK; else *error (to free) is
 *  Core's text for the user. Validation thread. */
enum rc index_new(struct index **out, const struct index_options *o, char **error);
/** Starts following. Validation thread. */
void index_start(struct index *x);
/** The tip may have moved. Any thread; takes microseconds. */
void index_wake(struct index *x);

/* A block that was just connected, with its undo record, shared by all indexes. */
struct index_block;
/** undo: the record as block_undo_encode writes it (copied), NULL: not at hand. Returns: one reference. Any thread. */
struct index_block *index_block_new(const struct block_entry *e, struct block *block, const uint8_t *undo, size_t undo_len);
void index_block_unref(struct index_block *b);
/** Keeps a reference for the index's thread if it is close behind and has room for it. Validation thread. */
void index_offer(struct index *x, struct index_block *b);

/** A block left the active chain, seen from its tip downwards. An index that follows the tip visits it nevertheless if it has not been there
 *  yet, as Bitcoin Core's do. Validation thread. */
void index_disconnected(struct index *x, const struct block_entry *e);
/** Stops following: an index that had reached the tip before goes there once more, any other stops where it is. Stores the place. The chain is
 *  still open and flushed. Does nothing if it was not started. Validation thread. */
void index_stop(struct index *x);
/** Frees; stopped before. */
void index_free(struct index *x);

/* What getindexinfo shows. */
struct index_summary {
    const char *name;
    bool synced; /* has reached the tip at least once */
    const struct block_entry *best;
};
/** Any thread. */
void index_summary(struct index *x, struct index_summary *out);
/** Is e on the branch that the index stands on, up to its place? Any thread. */
bool index_covers(struct index *x, const struct block_entry *e);
/** Waits until the index covers the present tip. Returns: false at once if it has never reached the tip, or if it stops, or once *interrupt
 *  (may be NULL) is set. Any thread that may block. */
bool index_wait(struct index *x, const atomic_bool *interrupt);
/** The lowest height whose block it still needs: it must not be pruned. Any thread. */
int32_t index_needs_from(struct index *x);

#endif
