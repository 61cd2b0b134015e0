/* records.h - keys and values of the indexes' databases as bytes. Pure; any thread. */
#ifndef FARTHING_INDEX_RECORDS_H
#define FARTHING_INDEX_RECORDS_H

#include "storage/blockfiles.h"
#include "util/bytes.h"

/* Where a transaction stands on disk: Core's CDiskTxPos. */
struct tx_position {
    struct disk_pos block;
    uint32_t offset; /* behind the block's header */
};
void tx_position_encode(struct writer *w, const struct tx_position *at);
/** Returns: false (reader failed) if malformed. As all below. */
bool tx_position_decode(struct tx_position *at, struct reader *r);

/* ---- txindex ---- */
#define TX_ROW_HASH_BYTES 5
struct tx_row {
    uint64_t hash; /* TX_ROW_HASH_BYTES of it */
    uint32_t number;
    uint32_t offset; /* from the block's first byte; below 2^24 */
};
void tx_row_prefix(struct writer *w, uint64_t hash);
void tx_row_encode(struct writer *w, const struct tx_row *row);
bool tx_row_decode(struct tx_row *row, struct reader *r);
/** The key of a block's number. */
void block_number_key(struct writer *w, uint32_t number);

/* ---- txospenderindex ---- */
struct spender_row {
    uint64_t hash; /* of the outpoint */
    struct tx_position at;
};
void spender_row_prefix(struct writer *w, uint64_t hash);
void spender_row_encode(struct writer *w, const struct spender_row *row);
bool spender_row_decode(struct spender_row *row, struct reader *r);

#endif
