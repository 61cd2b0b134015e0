/* sighash_v0.c - the signature hash of witness version 0 (BIP143). Called by the signature checks and by signers. Pure; any thread. */
#include "script/hash_parts.h"
#include "script/sighash_memo.h"

/* The double hash of all outpoints, sequence numbers or outputs: shared if the transaction's midstate has it. */
typedef void (*part_fn)(uint8_t out[32], const struct tx *tx);
static void hash_shared(struct sha256 *ctx, const struct tx *tx, const uint8_t *shared, part_fn part)
{
    uint8_t h[32];

    if (!shared) {
        part(h, tx);
        sha256(h, h, 32);
        shared = h;
    }
    sha256_write(ctx, shared, 32);
}

static const uint8_t zero_hash[32];

static void hash_outputs_field(struct sha256 *ctx, const struct tx *tx, uint32_t n, int32_t hash_type,
                               const struct tx_midstate *mid)
{
    struct sha256 one;
    uint8_t h[32];

    if (!sighash_is_single(hash_type) && !sighash_is_none(hash_type)) {
        hash_shared(ctx, tx, mid ? mid->outputs_double : NULL, hash_outputs);
    } else if (sighash_is_single(hash_type) && n < tx->n_out) {
        sha256_init(&one);
        hash_output(&one, &tx->out[n]);
        sha256d_finish(&one, h);
        sha256_write(ctx, h, 32);
    } else {
        sha256_write(ctx, zero_hash, 32);
    }
}

void sighash_v0_start(struct sha256 *ctx, const struct tx *tx, uint32_t n, const uint8_t *code, size_t len, int64_t amount,
                      int32_t hash_type, const struct tx_midstate *mid)
{
    const bool any = hash_type & SIGHASH_ANYONECANPAY;
    const bool sequences = !any && !sighash_is_single(hash_type) && !sighash_is_none(hash_type);
    uint8_t outpoint[OUTPOINT_SIZE], tail[12];

    if (mid && !mid->has_v0)
        mid = NULL;
    sha256_init(ctx);
    hash_u32(ctx, tx->version);
    if (any)
        sha256_write(ctx, zero_hash, 32);
    else
        hash_shared(ctx, tx, mid ? mid->prevouts_double : NULL, hash_prevouts);
    if (sequences)
        hash_shared(ctx, tx, mid ? mid->sequences_double : NULL, hash_sequences);
    else
        sha256_write(ctx, zero_hash, 32);
    put_outpoint(outpoint, tx->in[n].prevout);
    sha256_write(ctx, outpoint, sizeof(outpoint));
    hash_var_bytes(ctx, code, len);
    put_le64(tail, (uint64_t)amount);
    put_le32(tail + 8, tx->in[n].sequence);
    sha256_write(ctx, tail, sizeof(tail));
    hash_outputs_field(ctx, tx, n, hash_type, mid);
    hash_u32(ctx, tx->lock_time);
}

void sighash_v0(uint8_t out[32], const struct tx *tx, uint32_t n, const uint8_t *script, size_t len, int64_t amount,
                int32_t hash_type, const struct tx_midstate *mid)
{
    struct sha256 ctx;

    sighash_v0_start(&ctx, tx, n, script, len, amount, hash_type, mid);
    sighash_finish(out, &ctx, hash_type);
}
