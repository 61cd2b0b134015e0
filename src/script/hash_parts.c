/* hash_parts.c - hashing of outpoints, sequence numbers and outputs, and the midstates that all inputs of a transaction share.
 * Called by the sighash files and by whoever prepares a transaction for its script checks. Pure; any thread. */
#include "script/hash_parts.h"

#include "script/script.h"
#include "script/sighash.h"

void hash_compact_size(struct sha256 *ctx, uint64_t n)
{
    uint8_t b[9];
    size_t len = 1;

    if (n < 0xfd) {
        b[0] = (uint8_t)n;
    } else if (n <= 0xffff) {
        b[0] = 0xfd;
        put_le16(b + 1, (uint16_t)n);
        len = 3;
    } else if (n <= 0xffffffff) {
        b[0] = 0xfe;
        put_le32(b + 1, (uint32_t)n);
        len = 5;
    } else {
        b[0] = 0xff;
        put_le64(b + 1, n);
        len = 9;
    }
    sha256_write(ctx, b, len);
}

void hash_var_bytes(struct sha256 *ctx, const uint8_t *data, size_t len)
{
    hash_compact_size(ctx, len);
    if (len)
        sha256_write(ctx, data, len);
}

void hash_output(struct sha256 *ctx, const struct tx_out *out)
{
    uint8_t head[64];

    /* Nearly every script is short: value, length and bytes then go in with one call. */
    if (out->script_len <= sizeof(head) - 9) {
        put_le64(head, (uint64_t)out->value);
        head[8] = (uint8_t)out->script_len;
        if (out->script_len)
            memcpy(head + 9, out->script, out->script_len);
        sha256_write(ctx, head, 9 + out->script_len);
        return;
    }
    hash_u64(ctx, (uint64_t)out->value);
    hash_var_bytes(ctx, out->script, out->script_len);
}

void hash_prevouts(uint8_t out[32], const struct tx *tx)
{
    struct sha256 ctx;
    uint8_t b[OUTPOINT_SIZE];

    sha256_init(&ctx);
    for (uint32_t i = 0; i < tx->n_in; i++) {
        put_outpoint(b, tx->in[i].prevout);
        sha256_write(&ctx, b, sizeof(b));
    }
    sha256_finish(&ctx, out);
}

void hash_sequences(uint8_t out[32], const struct tx *tx)
{
    struct sha256 ctx;

    sha256_init(&ctx);
    for (uint32_t i = 0; i < tx->n_in; i++)
        hash_u32(&ctx, tx->in[i].sequence);
    sha256_finish(&ctx, out);
}

void hash_outputs(uint8_t out[32], const struct tx *tx)
{
    struct sha256 ctx;

    sha256_init(&ctx);
    for (uint32_t i = 0; i < tx->n_out; i++)
        hash_output(&ctx, &tx->out[i]);
    sha256_finish(&ctx, out);
}

static void hash_spent(struct tx_midstate *m, const struct tx *tx)
{
    struct sha256 amounts, scripts;

    sha256_init(&amounts);
    sha256_init(&scripts);
    for (uint32_t i = 0; i < tx->n_in; i++) {
        hash_u64(&amounts, (uint64_t)m->spent[i].value);
        hash_var_bytes(&scripts, m->spent[i].script, m->spent[i].script_len);
    }
    sha256_finish(&amounts, m->amounts_single);
    sha256_finish(&scripts, m->scripts_single);
}

/* Which hashes the inputs will ask for. Only spends with a witness ask for any; whether a P2SH input is witness v0 would need its redeem
 * script, so each witness spend that is no taproot form counts as v0. */
static void find_kinds(const struct tx *tx, const struct tx_out *spent, bool *v0, bool *v1)
{
    for (uint32_t i = 0; i < tx->n_in && !(*v0 && *v1); i++) {
        if (tx->in[i].witness_count == 0)
            continue;
        if (spent[i].script_len == 34 && spent[i].script[0] == OP_1)
            *v1 = true;
        else
            *v0 = true;
    }
}

void tx_midstate_init(struct tx_midstate *m, const struct tx *tx, const struct tx_out *spent, bool all)
{
    bool v0 = all || !spent, v1 = all && spent;

    m->spent = spent;
    if (spent && !all)
        find_kinds(tx, spent, &v0, &v1);
    m->has_v0 = v0;
    m->has_v1 = v1;
    if (!v0 && !v1)
        return;
    hash_prevouts(m->prevouts_single, tx);
    hash_sequences(m->sequences_single, tx);
    hash_outputs(m->outputs_single, tx);
    if (v0) {
        sha256(m->prevouts_double, m->prevouts_single, 32);
        sha256(m->sequences_double, m->sequences_single, 32);
        sha256(m->outputs_double, m->outputs_single, 32);
    }
    if (v1)
        hash_spent(m, tx);
}
