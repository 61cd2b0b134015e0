/* block_tool.h - for the tests of consensus and of its library: blocks out of files, and blocks made to order (regtest). */
#ifndef FARTHING_TEST_BLOCK_TOOL_H
#define FARTHING_TEST_BLOCK_TOOL_H

#include "consensus/check.h"
#include "crypto/sha256.h"
#include "primitives/serialize.h"
#include "script/script.h"
#include "util/mem.h"
#include "vectors.h"

/** Steps through a .dat file: magic, length, block. Returns: the next block's bytes, NULL at the end. */
static inline const uint8_t *dat_next(struct reader *r, uint32_t *len)
{
    read_u32(r);
    *len = read_u32(r);
    return r->failed ? NULL : read_bytes(r, *len);
}

/** A transaction with one input and one output. In: prevout NULL: a coinbase; script: of the output (NULL: OP_TRUE). */
static inline struct tx *make_tx(const struct outpoint *prevout, const void *sig, size_t sig_len, uint32_t sequence, int64_t value,
                                 const void *script, size_t script_len)
{
    static const struct outpoint null_outpoint = {.n = OUTPOINT_NULL_N};
    static const uint8_t op_true = 0x51;
    struct tx_builder b;
    struct tx *tx;
    tx_builder_init(&b, 2, 0);
    tx_builder_add_in(&b, prevout ? prevout : &null_outpoint, sig, sig_len, sequence);
    tx_builder_add_out(&b, value, script ? script : &op_true, script ? script_len : 1);
    tx = tx_build(&b);
    tx_builder_clear(&b);
    return tx;
}

/** The coinbase of a height: its number and one more byte. */
static inline struct tx *make_coinbase(int32_t height, int64_t value)
{
    struct writer w = WRITER_INIT;
    struct tx *tx;
    script_write_int(&w, height);
    write_u8(&w, OP_0);
    tx = make_tx(NULL, w.data, w.len, SEQUENCE_FINAL, value, NULL, 0);
    writer_clear(&w);
    return tx;
}

/** Finds a nonce (regtest: two tries). */
static inline void mine_header(uint8_t header[80], const struct chain_params *p)
{
    struct block_hash hash;
    for (;;) {
        sha256d(hash.b, header, 80);
        if (check_proof_of_work(p, &hash, get_le32(header + 72)))
            return;
        put_le32(header + 76, get_le32(header + 76) + 1);
    }
}

/** Bytes of a regtest block with these transactions. root: NULL for the right one. */
static inline struct writer make_block_bytes(const struct chain_params *p, const struct block_hash *prev, uint32_t time,
                                             struct tx *const *txs, size_t n, const struct hash256 *root)
{
    struct block_header h = {.version = 0x20000000, .time = time, .bits = 0x207fffff};
    struct writer w = WRITER_INIT;
    uint8_t *hashes = (uint8_t *)xmalloc(32 * n + 1);
    if (prev)
        h.prev = *prev;
    for (size_t i = 0; i < n; i++)
        memcpy(hashes + 32 * i, txs[i]->txid.b, 32);
    if (root)
        h.merkle_root = *root;
    else if (n)
        h.merkle_root = merkle_root(hashes, n, NULL);
    free(hashes);
    block_header_encode(writer_extend(&w, 80), &h);
    mine_header(w.data, p);
    write_compact_size(&w, n);
    for (size_t i = 0; i < n; i++)
        tx_write(&w, txs[i], true);
    return w;
}

static inline struct block *make_block(const struct chain_params *p, struct tx *const *txs, size_t n, const struct hash256 *root)
{
    struct writer w = make_block_bytes(p, NULL, 1700000000, txs, n, root);
    return block_decode(w.data, w.len);
}

#endif
