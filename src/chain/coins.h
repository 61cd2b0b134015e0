/* coins.h - the cache of unspent coins: an own hash table over the coin database, or over another cache (a view in which
 * something is tried out). Validation thread only. Interface private to chain/.
 *
 * A coin that was made and spent since the last flush never reaches the database: FRESH says that the base has no such coin,
 * DIRTY that it differs from the base. A spent coin that the base has stays as a tombstone until the flush. */
#ifndef FARTHING_CHAIN_COINS_H
#define FARTHING_CHAIN_COINS_H

#include "primitives/coin.h"
#include "storage/coindb.h"

struct coins;

/* Bytes that live until bytes_mem_reset: where the scripts of coins that were taken out go. Packed, unlike an arena. */
struct bytes_mem {
    struct arena arena;
    uint8_t *pos;
    size_t left;
};
uint8_t *bytes_mem_take(struct bytes_mem *m, size_t len);
void bytes_mem_reset(struct bytes_mem *m);
void bytes_mem_clear(struct bytes_mem *m);

/** A cache over a database (db) or over another cache (parent); one of them is NULL. Both are borrowed. */
struct coins *coins_new(struct coindb *db, struct coins *parent);
void coins_free(struct coins *cs);
/** Tells whether the database may hold coins; false saves every look into it. Set by coins_new and coins_flush. */
void coins_base_empty(struct coins *cs, bool empty);

/** Looks a coin up. Out: *out, its script in mem. keep: a coin that came from the base stays cached. RC_NOT_FOUND: none. */
enum rc coins_get(struct coins *cs, struct coin *out, const struct outpoint *o, struct bytes_mem *mem, bool keep);
/** Is there an unspent coin? */
enum rc coins_have(struct coins *cs, bool *have, const struct outpoint *o);
/** Takes a coin out. Out: *out (may be NULL), its script in mem. RC_NOT_FOUND: none. */
enum rc coins_spend(struct coins *cs, struct coin *out, const struct outpoint *o, struct bytes_mem *mem);
/** Puts a coin in. may_exist: the base may have a coin there already, which this one replaces. */
void coins_add(struct coins *cs, const struct outpoint *o, const struct coin *c, bool may_exist);
/** Puts in what the base is known to hold, clean; nothing happens if the outpoint is cached already (even spent). */
void coins_insert_clean(struct coins *cs, const struct outpoint *o, const struct coin *c);
/** Is anything known of that outpoint without asking the base? */
bool coins_cached(const struct coins *cs, const struct outpoint *o);
/** The database below, if it may hold coins that are not cached; else NULL. */
struct coindb *coins_database(const struct coins *cs);
/** Starts loading the record of that outpoint; coins_touch came before. */
void coins_touch_record(const struct coins *cs, const struct outpoint *o);
/** Starts loading the memory that an access to that outpoint will touch. */
void coins_touch(const struct coins *cs, const struct outpoint *o);

/** Could the database not be read at some time? */
bool coins_read_failed(const struct coins *cs);
/** Number of coins and tombstones, of those that differ from the base, and bytes of memory. */
size_t coins_count(const struct coins *cs);
size_t coins_dirty(const struct coins *cs);
size_t coins_bytes(const struct coins *cs);

/** Writes all differences to the database, in key order, as the coin set at that block. keep: what is unspent stays cached,
 *  clean; else the cache is empty afterwards. On failure the cache is unchanged. */
enum rc coins_flush(struct coins *cs, const struct block_hash *best, bool keep);

#endif
