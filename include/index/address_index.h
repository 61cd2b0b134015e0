/* address_index.h - -addressindex: for each script that ever had an output in the active chain, what it received and spent, transaction by
 * transaction, what it holds, and its balance. Scripts are named by the SHA-256 of the scriptPubKey, as the Electrum protocol does. All
 * outputs count but those that nobody can spend; the genesis coinbase does not, as it is no coin.
 *
 * Readers see the index as of one block of the active chain: each reading opens a view, which later blocks do not change. */
#ifndef FARTHING_INDEX_ADDRESS_INDEX_H
#define FARTHING_INDEX_ADDRESS_INDEX_H

#include "index/index.h"

#define ADDRESS_INDEX_NAME "addressindex"

struct script_hash {
    uint8_t bytes[32]; /* SHA-256 of the scriptPubKey; the Electrum protocol shows it reversed */
};
struct script_hash script_hash_of(const uint8_t *script, size_t len);

struct address_index;
/** Opens or makes it (in .../indexes/addressindex); index_start(address_index_base()) sets it off. What is damaged, or of another format, is made anew. Returns: RC_OK; else
 *  *error (to free). Validation thread. */
enum rc address_index_open(struct address_index **out, const struct index_setup *s, char **error);
/** Closes; the follower is stopped before and no view is open. NULL is ignored. */
void address_index_close(struct address_index *x);
struct index *address_index_base(struct address_index *x);
/** A reading found damage (RC_CORRUPT): the index is built anew at the next start. Any thread that may block. */
void address_index_damaged(struct address_index *x);

/* A consistent reading. */
struct address_view;
/** The index as it stands now: what the follower has taken in is all there, for what it had not written yet is written first (some 50 ms during
 *  a sync, nothing once it follows the tip). Returns: RC_OK; RC_IO, RC_CORRUPT without a view. Any thread that may block. */
enum rc address_view_open(struct address_view **out, struct address_index *x);
/** NULL is ignored. */
void address_view_close(struct address_view *v);
/** The block up to which the view goes. NULL: none yet; or the node was killed during a sync, and the chain has not come again to where the index
 *  was: what the view shows is of no use then. */
const struct block_entry *address_view_tip(const struct address_view *v);

struct address_summary {
    int64_t balance;                   /* satoshi: of all unspent outputs, immature ones among them */
    int64_t received;                  /* satoshi: of all outputs ever */
    uint64_t n_txs;                    /* transactions in its history */
    uint64_t n_coins;                  /* unspent outputs */
    int32_t first_height, last_height; /* of its history */
};
/** What a script holds and how much history it has, in time that does not depend on the latter. Returns: RC_NOT_FOUND for a script that never had
 *  an output; RC_IO, RC_CORRUPT. As all below: any thread that may block; one view is used by one thread at a time. */
enum rc address_view_summary(struct address_view *v, struct address_summary *out, const struct script_hash *h);

/** How much of the balance a coinbase paid that the next block may not spend yet. Out: *out (satoshi; 0 for an unknown script). */
enum rc address_view_immature(struct address_view *v, int64_t *out, const struct script_hash *h);

/* A place in the history: transaction `pos` of the block at `height`. */
struct address_place {
    int32_t height;
    uint32_t pos;
};
struct address_tx {
    struct address_place at;
    struct txid txid;
    int64_t received, spent; /* satoshi, by this transaction */
};
/** Visits the history in the order of the chain, from a place (included) on, up to a height (included; negative: all). fn returns false to stop.
 *  Returns: RC_OK, also if nothing is there. */
enum rc address_view_history(struct address_view *v, const struct script_hash *h, struct address_place from, int32_t to_height,
                             bool (*fn)(void *ctx, const struct address_tx *tx), void *ctx);

struct address_coin {
    struct outpoint outpoint;
    struct address_place at; /* of the transaction that made it */
    int64_t value;
    bool coinbase;
};
/** Visits the unspent outputs in the order of the chain, from a place on. */
enum rc address_view_coins(struct address_view *v, const struct script_hash *h, struct address_place from,
                           bool (*fn)(void *ctx, const struct address_coin *coin), void *ctx);

#endif
