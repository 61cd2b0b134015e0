/* sighash_legacy.c - the signature hash from before segwit: the transaction, with the other inputs' scripts blanked and the script code
 * in place of this input's. Called by the signature checks and by signers. Pure; any thread. */
#include "script/hash_parts.h"
#include "script/script.h"
#include "script/sighash_memo.h"

/* Where Bitcoin Core's reader stands after a push that is cut short: behind the opcode, and behind the length where that was there. */
static const uint8_t *after_cut_push(const uint8_t *pos, const uint8_t *end)
{
    const size_t head = *pos < OP_PUSHDATA1 ? 0 : (size_t)1 << (*pos - OP_PUSHDATA1);

    pos++;
    return (size_t)(end - pos) >= head ? pos + head : pos;
}

/* The script code without its OP_CODESEPARATORs. Its length is written before what follows a cut push is dropped, as Core does. */
static void hash_script_code(struct sha256 *ctx, const uint8_t *code, size_t len)
{
    const uint8_t *end = code + len, *pos = code, *from = code, *data;
    size_t n, separators = 0;
    uint8_t op;

    while (script_next(&pos, end, &op, &data, &n))
        separators += op == OP_CODESEPARATOR;
    const uint8_t *stop = pos < end ? after_cut_push(pos, end) : end;
    hash_compact_size(ctx, len - separators);
    for (pos = code; separators && script_next(&pos, end, &op, &data, &n);) {
        if (op != OP_CODESEPARATOR)
            continue;
        sha256_write(ctx, from, (size_t)(pos - from) - 1);
        from = pos;
        separators--;
    }
    if (from < stop)
        sha256_write(ctx, from, (size_t)(stop - from));
}

static void hash_own_input(struct sha256 *ctx, const struct tx_in *in, const uint8_t *code, size_t len)
{
    uint8_t b[OUTPOINT_SIZE];

    put_outpoint(b, in->prevout);
    sha256_write(ctx, b, sizeof(b));
    hash_script_code(ctx, code, len);
    hash_u32(ctx, in->sequence);
}

/* Inputs first to last - 1 without their scripts, a few dozen at a time: large transactions spend most of their time here. */
static void hash_other_inputs(struct sha256 *ctx, const struct tx *tx, uint32_t first, uint32_t last, bool keep_sequences)
{
    uint8_t b[(OUTPOINT_SIZE + 1 + 4) * 24], *p = b;

    for (uint32_t i = first; i < last; i++) {
        put_outpoint(p, tx->in[i].prevout);
        p[OUTPOINT_SIZE] = 0;
        put_le32(p + OUTPOINT_SIZE + 1, keep_sequences ? tx->in[i].sequence : 0);
        p += OUTPOINT_SIZE + 1 + 4;
        if (p == b + sizeof(b)) {
            sha256_write(ctx, b, sizeof(b));
            p = b;
        }
    }
    sha256_write(ctx, b, (size_t)(p - b));
}

static void hash_outputs_part(struct sha256 *ctx, const struct tx *tx, uint32_t n, int32_t hash_type)
{
    static const uint8_t blank[9] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0}; /* value -1, no script */

    if (sighash_is_none(hash_type)) {
        hash_compact_size(ctx, 0);
    } else if (sighash_is_single(hash_type)) {
        hash_compact_size(ctx, (uint64_t)n + 1);
        for (uint32_t i = 0; i < n; i++)
            sha256_write(ctx, blank, sizeof(blank));
        hash_output(ctx, &tx->out[n]);
    } else {
        hash_compact_size(ctx, tx->n_out);
        for (uint32_t i = 0; i < tx->n_out; i++)
            hash_output(ctx, &tx->out[i]);
    }
}

void sighash_legacy_start(struct sha256 *ctx, const struct tx *tx, uint32_t n, const uint8_t *code, size_t len, int32_t hash_type)
{
    const bool keep_sequences = !sighash_is_none(hash_type) && !sighash_is_single(hash_type);

    sha256_init(ctx);
    hash_u32(ctx, tx->version);
    if (hash_type & SIGHASH_ANYONECANPAY) {
        hash_compact_size(ctx, 1);
        hash_own_input(ctx, &tx->in[n], code, len);
    } else {
        hash_compact_size(ctx, tx->n_in);
        hash_other_inputs(ctx, tx, 0, n, keep_sequences);
        hash_own_input(ctx, &tx->in[n], code, len);
        hash_other_inputs(ctx, tx, n + 1, tx->n_in, keep_sequences);
    }
    hash_outputs_part(ctx, tx, n, hash_type);
    hash_u32(ctx, tx->lock_time);
}

void sighash_finish(uint8_t out[32], struct sha256 *ctx, int32_t hash_type)
{
    hash_u32(ctx, (uint32_t)hash_type);
    sha256d_finish(ctx, out);
}

/* SIGHASH_SINGLE without an output to sign is, since the first version, a signature over the number one. */
bool sighash_signs_one(uint8_t out[32], const struct tx *tx, uint32_t n, int32_t hash_type)
{
    if (!sighash_is_single(hash_type) || n < tx->n_out)
        return false;
    memset(out, 0, 32);
    out[0] = 1;
    return true;
}

void sighash_legacy(uint8_t out[32], const struct tx *tx, uint32_t n, const uint8_t *script, size_t len, int32_t hash_type)
{
    struct sha256 ctx;

    if (sighash_signs_one(out, tx, n, hash_type))
        return;
    sighash_legacy_start(&ctx, tx, n, script, len, hash_type);
    sighash_finish(out, &ctx, hash_type);
}
