/* block.h - headers and blocks. A block is immutable and reference counted: one allocation of raw bytes, one arena for what
 * was decoded from them; transactions point into the raw bytes. */
#ifndef FARTHING_PRIMITIVES_BLOCK_H
#define FARTHING_PRIMITIVES_BLOCK_H

#include "primitives/tx.h"

#define BLOCK_HEADER_SIZE 80
#define MAX_BLOCK_WEIGHT 4000000
#define MAX_BLOCK_SERIALIZED_SIZE 4000000
#define WITNESS_SCALE_FACTOR 4
#define MAX_BLOCK_SIGOPS_COST 80000

struct block_header {
    int32_t version;
    struct block_hash prev;
    struct hash256 merkle_root;
    uint32_t time;
    uint32_t bits;
    uint32_t nonce;
};

/** Fixed 80-byte form. */
void block_header_decode(struct block_header *h, const uint8_t bytes[80]);
void block_header_encode(uint8_t bytes[80], const struct block_header *h);
void block_header_hash(struct block_hash *out, const struct block_header *h);

struct block {
    struct block_header header;
    struct block_hash hash;
    uint32_t n_tx;
    struct tx *tx; /* array of n_tx; each lives as long as the block */
    const uint8_t *raw;
    uint32_t raw_len;
    uint32_t stripped_len; /* size without witnesses */
};

/** BIP141 weight of the whole block. */
static inline int64_t block_weight(const struct block *b)
{
    return 3LL * b->stripped_len + b->raw_len;
}

/** Decodes a block from exactly these bytes; transactions may carry witnesses (BIP144). data_take: malloc'ed, taken over in any
 *  case. Returns: one reference, NULL if malformed or if bytes follow. Any thread; the cost is linear in len. */
struct block *block_decode(uint8_t *data_take, size_t len);
/** The same, but ignores bytes behind the block, as Bitcoin Core does with what peers and submitters send. */
struct block *block_decode_front(uint8_t *data_take, size_t len);
/** block_decode from borrowed bytes (copied). */
struct block *block_decode_copy(const void *data, size_t len);
/** Puts a block together: header and n transactions (borrowed, copied; their ids are taken over, not computed again). Returns: one
 *  reference; NULL if there are none or the result would be larger than any valid block. Any thread. */
struct block *block_assemble(const struct block_header *h, const struct tx *const *tx, uint32_t n);
/** What a block holds in memory: its bytes and what was decoded from them, which may be 16 times as much. */
size_t block_memory(const struct block *b);
/** Adds / drops a reference (block_unref: NULL is ignored). Any thread. */
struct block *block_ref(struct block *b);
void block_unref(struct block *b);
/* What a list of a block's transactions needs. */
struct block_outline {
    uint32_t n_tx;
    struct txid *txid;  /* of each */
    struct tx coinbase; /* points into the block's bytes */
    uint32_t raw_len, stripped_len;
    struct arena arena;
};
/** Reads it from exactly a block's bytes, which were found valid before: no rule is checked here. The bytes must outlive it. Returns: false
 *  (nothing to clear) if they are cut short or malformed. Any thread. */
bool block_outline_read(struct block_outline *o, const uint8_t *raw, size_t len);
void block_outline_clear(struct block_outline *o);
/** Serialises without witnesses (peers that did not ask for them). */
void block_write_stripped(struct writer *w, const struct block *b);

#endif
