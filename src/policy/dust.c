/* dust.c - outputs that cost more to spend than they are worth. Called by standardness and the memory pool; pure, any thread. */
#include "policy/policy.h"
#include "primitives/coin.h"
#include "primitives/serialize.h"

/* Bytes of an input beside its outpoint's 36: script length, signature and key (a quarter of them in a witness), sequence. */
#define SPEND_SIZE_LEGACY (36 + 1 + 107 + 4)
#define SPEND_SIZE_WITNESS (36 + 1 + 107 / WITNESS_SCALE_FACTOR + 4)

int64_t policy_dust_threshold(const struct tx_out *out, int64_t dust_fee_rate)
{
    const uint8_t *program;
    size_t program_len;
    int version;
    int64_t size;

    if (script_is_unspendable(out->script, out->script_len))
        return 0;
    size = 8 + (int64_t)compact_size_len(out->script_len) + out->script_len;
    if (script_is_witness_program(out->script, out->script_len, &version, &program, &program_len))
        size += SPEND_SIZE_WITNESS;
    else
        size += SPEND_SIZE_LEGACY;
    return policy_fee(dust_fee_rate, size);
}

bool policy_is_dust(const struct tx_out *out, int64_t dust_fee_rate)
{
    return out->value < policy_dust_threshold(out, dust_fee_rate);
}

uint32_t policy_dust_count(const struct tx *tx, int64_t dust_fee_rate)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < tx->n_out; i++)
        n += policy_is_dust(&tx->out[i], dust_fee_rate);
    return n;
}
