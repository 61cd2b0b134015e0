/* address_rows.h - keys and values of the address index as they stand in its database, and their decoding. doc/files.md describes them. Pure. */
#ifndef FARTHING_INDEX_ADDRESS_ROWS_H
#define FARTHING_INDEX_ADDRESS_ROWS_H

#include "index/address_index.h"
#include "primitives/coin.h"
#include "util/bytes.h"

#define ADDRESS_FORMAT 1
#define SHORT_KEY 12              /* bytes of a shortened hash */
#define ADDRESS_SECRETS 8         /* numbers that the shortening is keyed with */
#define MAX_PLACE_HEIGHT 0xffffff /* what three bytes hold */

/* First bytes of the keys. 'B' is the follower's. */
#define ROW_HISTORY 'h'
#define ROW_COIN 'u'
#define ROW_TOTALS 'c'
#define ROW_BLOCK 'b'
#define ROW_TXIDS 't'
#define ROW_WAY_BACK 'z'
#define ROW_STATE 'M'
#define ROW_FORMAT 'F'

/* A hash of 12 bytes under a secret of this database: nobody outside can search for two that are the same. */
struct short_key {
    uint64_t a;
    uint32_t b;
};
static inline bool short_key_equal(const struct short_key *x, const struct short_key *y)
{
    return x->a == y->a && x->b == y->b;
}
struct address_secret {
    uint64_t k[ADDRESS_SECRETS];
};
struct short_key short_script(const struct address_secret *s, const struct script_hash *h);
struct short_key short_outpoint(const struct address_secret *s, const struct outpoint *o);

/* Places in the order of the chain as one number: height * 2^16 + position; a block has fewer than 2^15 transactions. */
static inline uint64_t place_number(int32_t height, uint32_t pos)
{
    return (uint64_t)height << 16 | pos;
}
static inline int32_t place_height(uint64_t place)
{
    return (int32_t)(place >> 16);
}
static inline uint32_t place_pos(uint64_t place)
{
    return (uint32_t)(place & 0xffff);
}

/* ---- keys; out has room for the length given, which is also returned ---- */
#define SCRIPT_PREFIX (1 + SHORT_KEY)
#define HISTORY_KEY (SCRIPT_PREFIX + 5)
#define COIN_KEY (SCRIPT_PREFIX + 3 + SHORT_KEY)
#define TOTALS_KEY (SCRIPT_PREFIX + 3)
#define BLOCK_KEY 4
#define TXIDS_KEY 6
size_t key_script(uint8_t *out, char row, const struct short_key *script);
/** First place of the row. */
size_t key_history(uint8_t *out, const struct short_key *script, uint64_t first);
/** Height of the block that made it. */
size_t key_coin(uint8_t *out, const struct short_key *script, int32_t height, const struct short_key *outpoint);
/** Later heights come first. */
size_t key_totals(uint8_t *out, const struct short_key *script, int32_t height);
/** ROW_BLOCK, ROW_WAY_BACK. */
size_t key_block(uint8_t *out, char row, int32_t height);
size_t key_txids(uint8_t *out, int32_t height, uint32_t group);
/** Reads behind the script of a history row's key. Returns: false if it is malformed. */
bool history_key_place(uint64_t *first, struct reader key);

/* ---- history: some transactions of one script, one after the other ---- */
#define HISTORY_ROW_ITEMS 128
struct history_item {
    uint64_t place;
    uint32_t n_out, n_in;
    int64_t received, spent; /* satoshi; 0 where there are no outputs, or inputs */
};
/** Appends an item. prev: place of the one in front, or the place of the row's key for its first, which must have that place. */
void write_history_item(struct writer *w, const struct history_item *item, uint64_t prev, bool first);
/** Reads the next item, out of any bytes. Returns: false if the row is over or malformed (r->failed). */
bool read_history_item(struct history_item *item, struct reader *r, uint64_t prev, bool first);

/* ---- unspent outputs ---- */
struct coin_row {
    uint32_t pos; /* of the transaction in its block */
    uint32_t n;
    int64_t value;
};
void write_coin_row(struct writer *w, const struct coin_row *c);
bool read_coin_row(struct coin_row *c, struct reader r);

/* ---- sums of a script's history up to a place ---- */
struct script_totals {
    uint64_t last; /* place of the last item that is counted; rows behind it are not */
    int64_t received, balance;
    uint64_t n_txs, n_coins;
    int32_t first_height;
};
void totals_add(struct script_totals *t, const struct history_item *item);
void write_totals(struct writer *w, const struct script_totals *t);
bool read_totals(struct script_totals *t, struct reader r);

/* ---- blocks: hash, and what the coinbase pays to whom ---- */
struct coinbase_pay {
    struct short_key script;
    int64_t value;
};
void write_coinbase_pay(struct writer *w, const struct coinbase_pay *p);
/** Reads the next one behind the hash. Returns: false at the end, or if it is malformed (r->failed). */
bool read_coinbase_pay(struct coinbase_pay *p, struct reader *r);

#define TXIDS_GROUP 32 /* transaction ids in one row */

#endif
