/* address_priv.h - the state of the address index, shared by its files: what was seen of the last blocks and is not in the database yet
 * (address_cache.c), the way back (address_back.c), following (address_index.c), reading (address_view.c). */
#ifndef FARTHING_INDEX_ADDRESS_PRIV_H
#define FARTHING_INDEX_ADDRESS_PRIV_H

#include <pthread.h>

#include "address_rows.h"

/* One output or input: what it adds to or takes from its script. In the order of the chain. */
struct touch {
    uint64_t a; /* of the script's short key, as b */
    int64_t value;
    uint32_t b;
    int32_t height;
    uint16_t pos;
    bool in;
};

/* A coin that came or went. */
struct coin_change {
    struct short_key script, outpoint;
    int64_t value;
    int32_t height; /* of the block that made it */
    uint32_t n;
    uint16_t pos;
    bool spent;
};

/* Where the rows stand: all of a block's rows are there or none. */
struct rows_tip {
    int32_t height; /* -1: none */
    struct block_hash hash;
};

/* One of the scripts that come often, and how much was written of it since its last row of totals. */
struct busy_script {
    uint16_t tag, weight; /* of its short key; 0: the place is free */
};
#define BUSY_SCRIPTS 65536
#define SEEN_BITS (1u << 20)

struct address_index {
    struct index *base;
    struct kv *kv;
    struct chain *chain;
    struct address_secret secret;
    size_t cache_events; /* touches that are kept before they are written */
    /* weight of a script's rows, about, to one row of totals if it comes seldom; rows that are not worth one. Less in tests */
    uint32_t totals_lot, totals_gap;

    pthread_mutex_t lock; /* guards all that follows: views bring what is pending to the database */
    struct rows_tip rows; /* what is pending included */
    struct kv_batch *batch;
    struct touch *touch;
    struct coin_change *coin;
    size_t n_touch, cap_touch, n_coin, cap_coin;
    bool pending;        /* the batch or the vectors hold something */
    int32_t lowest_back; /* lowest height with a way back in the database; INT32_MAX: none */
    struct busy_script busy[BUSY_SCRIPTS];
    bool seen_all;               /* there were rows at the opening */
    uint8_t seen[SEEN_BITS / 8]; /* a bit for each script that has rows, shared by some once there are many */
};

#define TOTALS_LOT 1024
#define TOTALS_GAP 32

/* address_cache.c; under the lock */
/** Takes a block in, whose parent is where the rows stand. way_back: keeps what is needed to take it back without the chain's help. */
void cache_block(struct address_index *x, const struct block_entry *e, const struct block *b, const struct block_undo *undo,
                 bool way_back);
/** Writes what is pending, in one batch. */
enum rc cache_flush(struct address_index *x);
void cache_clear(struct address_index *x);
/** Adds the state of the rows to a batch. */
void batch_put_tip(struct kv_batch *b, const struct rows_tip *tip);
/** Calls for each output of a block that can be spent, and each coin that it spends. */
struct block_walk {
    void *ctx;
    void (*out)(void *ctx, const struct script_hash *h, const struct outpoint *o, uint32_t pos, int64_t value);
    void (*in)(void *ctx, const struct script_hash *h, const struct outpoint *o, uint32_t pos, const struct coin *coin);
};
void walk_block(const struct block_walk *walk, int32_t height, const struct block *b, const struct block_undo *undo);
/** An order of touches by script that keeps those of one script in their order. Out: order (n numbers). */
void order_touches(uint32_t *order, const struct touch *touch, size_t n);

/* address_index.c; under the lock */
/** Writes what is pending, and brings the rows to the active chain if they are beside it. */
enum rc rows_follow(struct address_index *x);

/* address_back.c; under the lock, nothing pending */
/** Takes the last block off the rows. RC_NOT_FOUND: neither the index nor the chain knows it any more. */
enum rc rows_back(struct address_index *x);
/** The hash of the block that the rows have at a height. */
enum rc rows_block(struct address_index *x, struct block_hash *hash, int32_t height);
/** Forgets the ways back up to a height: their blocks are on disk. */
enum rc rows_forget_ways(struct address_index *x, struct kv_batch *batch, int32_t height);

/* address_view.c; reading with any iterator */
enum rc read_sums(struct script_totals *t, struct kv_iter *it, const struct short_key *script, uint64_t *rows_behind);
enum rc read_txid(struct txid *id, struct kv_iter *it, uint64_t place);
/** Puts the iterator on the history row in which a place is, or the last one in front of it. Returns: false if there is none. */
bool seek_history(struct kv_iter *it, const struct short_key *script, uint64_t place);
/** Is the iterator on a row of this kind and script? */
bool on_script(const struct kv_iter *it, char row, const struct short_key *script);

#endif
