/* coinbase.c - from a template to a block: the coinbase, its commitment, the Merkle root. Called by RPC and work.c; any thread. */
#include <stdlib.h>

#include "mining/coinbase.h"
#include "primitives/serialize.h"
#include "util/assert.h"
#include "util/mem.h"

#define COINBASE_VERSION 2
#define SEQUENCE_LOCKED 0xfffffffeu /* so that the lock time counts */
#define SHORT_HEIGHT 16             /* one byte; a coinbase's script has at least two */

void mining_coinbase_script(struct writer *w, int32_t height, uint32_t extra_nonce)
{
    script_write_int(w, height);
    if (height <= SHORT_HEIGHT)
        write_u8(w, OP_0);
    if (extra_nonce)
        script_write_int(w, extra_nonce);
}

/* Locked to the block before its own: no two coinbases can be the same (BIP30), whatever their scripts. */
struct tx *mining_coinbase(const struct block_template *t, const uint8_t *sig, size_t sig_len, const uint8_t *script,
                           size_t script_len)
{
    static const struct outpoint null = {.n = OUTPOINT_NULL_N};
    static const uint8_t reserved[32];
    static const struct witness_item witness = {reserved, sizeof(reserved)};
    struct tx_builder b;
    struct tx *tx;

    tx_builder_init(&b, COINBASE_VERSION, (uint32_t)t->height - 1);
    tx_builder_add_in(&b, &null, sig, sig_len, SEQUENCE_LOCKED);
    tx_builder_add_out(&b, t->coinbase_value, script, script_len);
    tx_builder_add_out(&b, 0, t->commitment, t->commitment_len);
    if (t->segwit_active)
        tx_builder_set_witness(&b, 0, &witness, 1);
    tx = tx_build(&b);
    tx_builder_clear(&b);
    return tx;
}

static struct tx *make_coinbase(const struct block_template *t, const uint8_t *script, size_t script_len, uint32_t extra_nonce)
{
    struct writer w = WRITER_INIT;
    struct tx *tx;

    mining_coinbase_script(&w, t->height, extra_nonce);
    tx = mining_coinbase(t, w.data, w.len, script, script_len);
    writer_clear(&w);
    return tx;
}

static struct hash256 root_of(const struct block_template *t, const struct tx *coinbase)
{
    uint8_t *ids = (uint8_t *)xmalloc(32 * (t->n_txs + 1));
    struct hash256 root;
    memcpy(ids, coinbase->txid.b, 32);
    for (size_t i = 0; i < t->n_txs; i++)
        memcpy(ids + 32 * (i + 1), t->txs[i].tx->txid.b, 32);
    root = merkle_root(ids, t->n_txs + 1, NULL);
    free(ids);
    return root;
}

struct block *mining_build(const struct block_template *t, const struct chain_params *p, const uint8_t *script, size_t script_len,
                           uint32_t extra_nonce)
{
    struct tx *coinbase = make_coinbase(t, script, script_len, extra_nonce);
    struct block_header h = {.version = t->version, .prev = t->prev->node.hash, .time = t->time, .bits = t->bits};
    struct writer w = WRITER_INIT;
    struct block *b, *with_solution;

    h.merkle_root = root_of(t, coinbase);
    block_header_encode(writer_extend(&w, BLOCK_HEADER_SIZE), &h);
    write_compact_size(&w, t->n_txs + 1);
    tx_write(&w, coinbase, true);
    for (size_t i = 0; i < t->n_txs; i++)
        tx_write(&w, t->txs[i].tx, true);
    tx_unref(coinbase);
    b = block_decode(w.data, w.len);
    ASSERT(b);
    if (p->signet && t->signet_keys && (with_solution = mining_sign_signet(b, p, t->signet_keys))) {
        block_unref(b);
        b = with_solution;
    }
    return b;
}
