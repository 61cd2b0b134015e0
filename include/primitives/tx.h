/* tx.h - transactions: immutable, decoded once; all bytes (scripts, witness) point into the raw serialisation, which it owns
 * or borrows from its block. A stand-alone transaction is one allocation and reference counted (any thread); one inside
 * a block lives as long as the block. */
#ifndef FARTHING_PRIMITIVES_TX_H
#define FARTHING_PRIMITIVES_TX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "primitives/hashes.h"
#include "util/arena.h"
#include "util/bytes.h"

#define COIN 100000000LL
#define MAX_MONEY (21000000LL * COIN)
#define OUTPOINT_NULL_N 0xffffffffu
#define SEQUENCE_FINAL 0xffffffffu

/* In memory as on the wire, so that an input's can be looked at where it stands. */
struct outpoint {
    struct txid txid;
    uint32_t n;
} __attribute__((packed));
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "an outpoint is read where it stands in the serialisation, which is little-endian"
#endif

/* There are many of the next three in blocks and mempool: no gaps in them. */
#define TX_PART __attribute__((packed, aligned(4)))

struct witness_item {
    const uint8_t *data;
    uint32_t len;
} TX_PART;

struct tx_in {
    const struct outpoint *prevout; /* in the serialisation */
    const uint8_t *script;          /* scriptSig */
    const struct witness_item *witness;
    uint32_t script_len;
    uint32_t witness_count;
    uint32_t sequence;
} TX_PART;

struct tx_out {
    int64_t value; /* satoshi; decoded as it stands, range not checked */
    const uint8_t *script;
    uint32_t script_len;
} TX_PART;

struct tx {
    uint32_t version;
    uint32_t lock_time;
    uint32_t n_in;
    uint32_t n_out;
    struct tx_in *in;
    struct tx_out *out;
    const uint8_t *raw;    /* full serialisation, with witness when has_witness */
    uint32_t raw_len;      /* total size in bytes */
    uint32_t stripped_len; /* size without witness */
    uint32_t refs;         /* stand-alone: tx_ref, tx_unref */
    struct txid txid;
    struct wtxid wtxid;
    bool has_witness;
};

/* All of it but the references, which other threads may take and give back meanwhile. */
static inline void tx_copy_fields(struct tx *out, const struct tx *tx)
{
    *out = (struct tx){
        .version = tx->version,
        .lock_time = tx->lock_time,
        .n_in = tx->n_in,
        .n_out = tx->n_out,
        .in = tx->in,
        .out = tx->out,
        .raw = tx->raw,
        .raw_len = tx->raw_len,
        .stripped_len = tx->stripped_len,
        .txid = tx->txid,
        .wtxid = tx->wtxid,
        .has_witness = tx->has_witness,
    };
}

static inline bool money_in_range(int64_t v)
{
    return v >= 0 && v <= MAX_MONEY;
}
static inline bool outpoint_is_null(const struct outpoint *o)
{
    return o->n == OUTPOINT_NULL_N && hash_is_zero(o->txid.b);
}
static inline bool outpoint_equal(const struct outpoint *a, const struct outpoint *b)
{
    return a->n == b->n && txid_equal(&a->txid, &b->txid);
}
/** BIP141 weight: 3 * stripped size + total size. */
static inline int64_t tx_weight(const struct tx *tx)
{
    return 3LL * tx->stripped_len + tx->raw_len;
}
/** Virtual size, rounded up. */
static inline int64_t tx_vsize(const struct tx *tx)
{
    return (tx_weight(tx) + 3) / 4;
}
/** True for one input whose outpoint is null. */
static inline bool tx_is_coinbase(const struct tx *tx)
{
    return tx->n_in == 1 && outpoint_is_null(tx->in[0].prevout);
}

/** Decodes one transaction out of a stream (a block); ids are computed. The arrays come from arena, bytes point into the
 *  input, which must outlive tx. allow_witness: recognise the BIP144 marker (else it reads as an old transaction with no
 *  inputs). Allocates no more than the bytes at hand justify. Returns: false (reader failed) if malformed. */
bool tx_read(struct tx *tx, struct reader *r, struct arena *arena, bool allow_witness);

/** Decodes a stand-alone transaction from exactly these bytes (copied). Tries BIP144 form; where that fails and `try_legacy`,
 *  the form without witness (as RPC decoding does). Returns: a transaction with one reference, NULL if malformed. */
struct tx *tx_decode(const void *data, size_t len, bool try_legacy);
/** Decodes a stand-alone transaction from exactly these bytes in one form only: with BIP144 recognised or as an old one.
 *  For callers that choose between the two themselves. Returns: a transaction with one reference, NULL if malformed. */
struct tx *tx_decode_as(const void *data, size_t len, bool allow_witness);
/** A stand-alone copy of any transaction, one reference. */
struct tx *tx_clone(const struct tx *tx);
/** Bytes of the one allocation that a stand-alone transaction is. */
size_t tx_bytes(const struct tx *tx);
/** Adds / drops a reference to a stand-alone transaction (tx_unref: NULL is ignored). Any thread. */
struct tx *tx_ref(struct tx *tx);
void tx_unref(struct tx *tx);
/** Serialises, with or without witness. */
void tx_write(struct writer *w, const struct tx *tx, bool with_witness);

/* A transaction under construction (coinbases, wallet, RPC): plain growing arrays, then tx_build. */
struct tx_builder {
    uint32_t version;
    uint32_t lock_time;
    struct arena arena;
    struct tx_in *in;
    struct tx_out *out;
    uint32_t n_in, n_out, cap_in, cap_out;
};
void tx_builder_init(struct tx_builder *b, uint32_t version, uint32_t lock_time);
/** Scripts and witness are copied. Returns: the index. */
uint32_t tx_builder_add_in(struct tx_builder *b, const struct outpoint *prevout, const void *script, size_t script_len,
                           uint32_t sequence);
uint32_t tx_builder_add_out(struct tx_builder *b, int64_t value, const void *script, size_t script_len);
void tx_builder_set_witness(struct tx_builder *b, uint32_t in, const struct witness_item *items, size_t n);
void tx_builder_set_script(struct tx_builder *b, uint32_t in, const void *script, size_t script_len);
/** Makes the immutable transaction (one reference) and leaves the builder as it is. */
struct tx *tx_build(const struct tx_builder *b);
void tx_builder_clear(struct tx_builder *b);

#endif
