/* coindb.h - chainstate: the coins of the active chain, in Bitcoin Core's format ('C' + txid + VARINT index; 'B' best block; 'H' head
 * blocks while a flush in several batches is under way). Reads: any thread. Writes: the flush. */
#ifndef FARTHING_STORAGE_COINDB_H
#define FARTHING_STORAGE_COINDB_H

#include "primitives/coin.h"
#include "storage/kv.h"

struct coindb;
/** Returns: RC_OK; else *error (to free) is the cause: RC_INVALID: a format of before Bitcoin Core 0.15, with Core's text. */
enum rc coindb_open(struct coindb **db, const char *dir, size_t cache_bytes, bool wipe, char **error);
void coindb_close(struct coindb *db);
/** The store below (compaction, tests). */
struct kv *coindb_kv(struct coindb *db);

/** Reads a coin. Out: *c, its script in arena. RC_NOT_FOUND: no such coin (not an error). Any thread. */
enum rc coindb_get(struct coindb *db, struct coin *c, const struct outpoint *o, struct arena *arena);
/** False also when the database cannot be read (logged); where that matters, coindb_get tells. Any thread. */
bool coindb_has(struct coindb *db, const struct outpoint *o);
/** Block up to which the coins stand. RC_NOT_FOUND if empty or in transition. */
enum rc coindb_best_block(struct coindb *db, struct block_hash *out);
/** The two heads of an unfinished flush: [0] new tip, [1] old tip (zero hash: from nothing). RC_NOT_FOUND if none. */
enum rc coindb_head_blocks(struct coindb *db, struct block_hash heads[2]);

/* One flush: the first batch begins with the head blocks, put/remove collect and write a batch (synced) whenever it is over batch_bytes, end
 * writes the new best block and erases the heads. A flush that fits one batch is atomic. A crash between batches leaves head blocks, and the
 * chain replays the blocks between them with a flush to the same new best block (begin to any other: RC_INVALID). After an error the
 * flush can only be abandoned. */
struct coindb_flush;
/* How flushes are written where that is not left to them: for tests of what a crash leaves. */
struct coindb_tuning {
    size_t batch_bytes; /* -dbbatchsize, in place of what a flush begins with; 0: none */
    uint64_t
        crash_ratio; /* -dbcrashratio: after a batch that is not a flush's last the process ends at once, one time in so many; 0: never */
};
/** Before the first flush. */
void coindb_tune(struct coindb *db, const struct coindb_tuning *tuning);
enum rc coindb_flush_begin(struct coindb_flush **f, struct coindb *db, const struct block_hash *new_best, size_t batch_bytes);
enum rc coindb_flush_put(struct coindb_flush *f, const struct outpoint *o, const struct coin *c);
enum rc coindb_flush_remove(struct coindb_flush *f, const struct outpoint *o);
/** Frees f. */
enum rc coindb_flush_end(struct coindb_flush *f);
/** Frees f without finishing: as a crash would leave it. */
void coindb_flush_abandon(struct coindb_flush *f);

/* Changes to a coin set beside the database: what a roll back to an older block makes of it. One thread at a time. */
struct coindb_diff;
/** dir: where a temporary database of the changes is made (what is there goes); NULL: all of them stay in memory. */
enum rc coindb_diff_new(struct coindb_diff **d, const char *dir, char **error);
/** The coin is there / is not there. The last word on an outpoint counts. */
enum rc coindb_diff_put(struct coindb_diff *d, const struct outpoint *o, const struct coin *c);
enum rc coindb_diff_remove(struct coindb_diff *d, const struct outpoint *o);
/** No more changes come: puts them in order. */
enum rc coindb_diff_end(struct coindb_diff *d);
/** Deletes the temporary database as well. Returns: false if that failed. */
bool coindb_diff_free(struct coindb_diff *d);

/* Iteration in key order over a snapshot. */
struct coindb_iter;
struct coindb_iter *coindb_iter_new(struct coindb *db);
/** From now on it shows the set as the changes leave it, from the beginning. d: ended, borrowed, outlives the iterator. */
void coindb_iter_apply(struct coindb_iter *it, struct coindb_diff *d);
/** Goes back to before the first coin. */
void coindb_iter_rewind(struct coindb_iter *it);
/** Out: *o, *c (script valid until the next call). Returns: RC_NOT_FOUND at the end, RC_CORRUPT, RC_IO. */
enum rc coindb_iter_next(struct coindb_iter *it, struct outpoint *o, struct coin *c);
void coindb_iter_free(struct coindb_iter *it);
/** Bytes on disk of the coins (estimate). */
uint64_t coindb_disk_size(struct coindb *db);

#endif
