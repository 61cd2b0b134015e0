/* coins_table.h - the memory behind the coins cache, shared by coins.c and coins_flush.c. Private to these two.
 *
 * Records of 64 to 528 bytes in classes of 16 bytes, carved out of mapped chunks and named by 32-bit references; an
 * open-addressing table of {hash, reference} pairs finds them. The hash in the slot settles nearly every miss without
 * touching the record, and lets the table grow and shrink its clusters without reading records either. */
#ifndef FARTHING_CHAIN_COINS_TABLE_H
#define FARTHING_CHAIN_COINS_TABLE_H

#include <stddef.h>

#include "chain/coins.h"

#define COIN_UNIT 16u
#define COIN_CHUNK_BITS 16u /* units in a chunk: 1 MiB */
#define COIN_CHUNK_UNITS (1u << COIN_CHUNK_BITS)
#define COIN_INLINE_MAX 476u /* longer scripts are allocated one by one */
#define COIN_CLASSES 34u

enum coin_flag { COIN_DIRTY = 1, COIN_FRESH = 2, COIN_SPENT = 4, COIN_FAR = 8 /* script behind a pointer */ };

struct coin_rec {
    uint8_t txid[32];
    uint32_t n;
    uint32_t code; /* height * 2 + coinbase */
    int64_t value;
    uint16_t script_len;
    uint8_t flags;
    uint8_t units; /* size in COIN_UNIT */
    uint8_t script[];
};

struct coin_slot {
    uint32_t hash;
    uint32_t ref; /* 0: empty */
};

struct coins {
    struct coindb *db;
    struct coins *parent;
    bool base_empty, failed;
    uint64_t k0, k1, k2; /* salt of the hash */
    struct coin_slot *slots;
    uint32_t mask; /* slots - 1 */
    size_t count, dirty, far_bytes;
    uint8_t **chunks;
    uint32_t n_chunks, cap_chunks;
    uint32_t bump, bump_end;          /* units left in the newest chunk */
    uint32_t free_list[COIN_CLASSES]; /* by units; linked through the first bytes */
    struct bytes_mem scratch;
};

static inline struct coin_rec *coin_at(const struct coins *cs, uint32_t ref)
{
    return (struct coin_rec *)(void *)(cs->chunks[ref >> COIN_CHUNK_BITS] + (size_t)(ref & (COIN_CHUNK_UNITS - 1)) * COIN_UNIT);
}
/** The script of a record, wherever it is. */
const uint8_t *coin_rec_script(const struct coin_rec *r);
void coin_rec_coin(struct coin *out, const struct coin_rec *r);
void coins_table_init(struct coins *cs);
/** Drops all records and memory; the table starts small again. */
void coins_table_clear(struct coins *cs);
/** Finds a record. Returns: its slot, or SIZE_MAX. */
size_t coins_table_find(const struct coins *cs, const struct outpoint *o, uint32_t hash);
uint32_t coins_table_hash(const struct coins *cs, const struct outpoint *o);
/** A new record for an outpoint that is not there. */
struct coin_rec *coins_table_insert(struct coins *cs, const struct outpoint *o, uint32_t hash, size_t script_len);
/** Removes the record of a slot. */
void coins_table_remove(struct coins *cs, size_t slot);

#endif
