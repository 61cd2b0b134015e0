/* signet.c - signs blocks of a signet whose key the user holds (BIP325): the solution goes into the coinbase, behind the witness commitment.
 * Called by coinbase.c and RPC; any thread. */
#include <stdlib.h>

#include "consensus/check.h"
#include "mining/mining.h"
#include "primitives/serialize.h"
#include "util/mem.h"

static const uint8_t tag[4] = {0xec, 0xc7, 0xda, 0xa2};

/* The coinbase with another commitment output. */
static struct tx *change_coinbase(const struct tx *cb, uint32_t index, const struct writer *script)
{
    struct tx_builder t;
    struct tx *changed;

    tx_builder_init(&t, cb->version, cb->lock_time);
    for (uint32_t i = 0; i < cb->n_in; i++) {
        tx_builder_add_in(&t, cb->in[i].prevout, cb->in[i].script, cb->in[i].script_len, cb->in[i].sequence);
        tx_builder_set_witness(&t, i, cb->in[i].witness, cb->in[i].witness_count);
    }
    for (uint32_t i = 0; i < cb->n_out; i++) {
        bool here = i == index;
        tx_builder_add_out(&t, cb->out[i].value, here ? script->data : cb->out[i].script,
                           here ? script->len : cb->out[i].script_len);
    }
    changed = tx_build(&t);
    tx_builder_clear(&t);
    return changed;
}

/* The block with data pushed at the end of its commitment, and the Merkle root that goes with it. */
static struct block *with_push(const struct block *b, uint32_t index, const uint8_t *data, size_t len)
{
    struct writer script = WRITER_INIT, raw = WRITER_INIT;
    struct block_header h = b->header;
    uint8_t *ids = (uint8_t *)xmalloc(32 * (size_t)b->n_tx);
    struct tx *coinbase;

    write_bytes(&script, b->tx[0].out[index].script, b->tx[0].out[index].script_len);
    script_write_push(&script, data, len);
    coinbase = change_coinbase(&b->tx[0], index, &script);
    memcpy(ids, coinbase->txid.b, 32);
    for (uint32_t i = 1; i < b->n_tx; i++)
        memcpy(ids + 32 * (size_t)i, b->tx[i].txid.b, 32);
    h.merkle_root = merkle_root(ids, b->n_tx, NULL);
    block_header_encode(writer_extend(&raw, BLOCK_HEADER_SIZE), &h);
    write_compact_size(&raw, b->n_tx);
    tx_write(&raw, coinbase, true);
    for (uint32_t i = 1; i < b->n_tx; i++)
        tx_write(&raw, &b->tx[i], true);
    tx_unref(coinbase);
    free(ids);
    writer_clear(&script);
    return block_decode(raw.data, raw.len);
}

/* The transaction that spends the challenge, signed as far as the keys go. */
static struct tx *sign_spending(const struct tx *spending, const struct tx_out *challenge, const struct keyring *keys)
{
    const struct tx_in *in = &spending->in[0];
    struct tx_midstate mid;
    struct sign_job job = {.tx = spending, .spent = challenge, .mid = &mid, .ring = keys, .hash_type = SIGHASH_DEFAULT};
    struct tx_builder t;
    struct tx *signed_tx;

    tx_midstate_init(&mid, spending, challenge, true);
    tx_builder_init(&t, spending->version, spending->lock_time);
    tx_builder_add_in(&t, in->prevout, NULL, 0, in->sequence);
    tx_builder_add_out(&t, spending->out[0].value, spending->out[0].script, spending->out[0].script_len);
    sign_input(&t, &job);
    signed_tx = tx_build(&t);
    tx_builder_clear(&t);
    return signed_tx;
}

/* The tag, then the input's script and witness as they would stand in a transaction. */
static void write_solution(struct writer *w, const struct tx_in *in)
{
    write_bytes(w, tag, sizeof(tag));
    write_compact_size(w, in->script_len);
    write_bytes(w, in->script, in->script_len);
    write_compact_size(w, in->witness_count);
    for (uint32_t i = 0; i < in->witness_count; i++) {
        write_compact_size(w, in->witness[i].len);
        write_bytes(w, in->witness[i].data, in->witness[i].len);
    }
}

struct block *mining_sign_signet(const struct block *b, const struct chain_params *p, const struct keyring *keys)
{
    int index = block_witness_commitment_index(b);
    struct block *open, *solved = NULL;
    struct tx *to_spend, *spending, *signed_tx;
    struct writer solution = WRITER_INIT;

    if (index < 0 || check_signet_solution(p, b)) /* a challenge that asks for nothing */
        return index < 0 ? NULL : block_decode_copy(b->raw, b->raw_len);
    open = with_push(b, (uint32_t)index, tag, sizeof(tag));
    if (open && signet_transactions(&to_spend, &spending, p, open)) {
        signed_tx = sign_spending(spending, &to_spend->out[0], keys);
        write_solution(&solution, &signed_tx->in[0]);
        solved = with_push(b, (uint32_t)index, solution.data, solution.len);
        tx_unref(signed_tx);
        tx_unref(spending);
        tx_unref(to_spend);
    }
    if (solved && !check_signet_solution(p, solved)) {
        block_unref(solved);
        solved = NULL;
    }
    block_unref(open);
    writer_clear(&solution);
    return solved;
}
