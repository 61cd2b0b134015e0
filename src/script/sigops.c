/* sigops.c - how many signature operations a script may cost, by looking, not running (BIP16, BIP141). Called by the block rules and by
 * policy. Pure; any thread. */
#include "script/script.h"
#include "script/verify.h"

unsigned script_sigops(const uint8_t *script, size_t len, bool accurate)
{
    const uint8_t *end = script + len, *data;
    uint8_t op, last = OP_INVALIDOPCODE;
    unsigned count = 0;
    size_t n;

    for (; script_next(&script, end, &op, &data, &n); last = op) {
        if (op == OP_CHECKSIG || op == OP_CHECKSIGVERIFY)
            count++;
        else if (op == OP_CHECKMULTISIG || op == OP_CHECKMULTISIGVERIFY)
            count += accurate && last >= OP_1 && last <= OP_16 ? last - OP_1 + 1u : MAX_PUBKEYS_PER_MULTISIG;
    }
    return count;
}

/* What the last operation of a push-only script pushes; OP_0 and the small numbers push nothing here, as in Bitcoin Core. */
static bool last_push(const uint8_t *script, size_t len, const uint8_t **data, size_t *data_len)
{
    const uint8_t *end = script + len;
    uint8_t op;

    *data = NULL;
    *data_len = 0;
    while (script < end) {
        if (!script_next(&script, end, &op, data, data_len) || op > OP_16)
            return false;
    }
    return true;
}

unsigned script_p2sh_sigops(const uint8_t *script_pubkey, size_t pk_len, const uint8_t *script_sig, size_t sig_len)
{
    const uint8_t *redeem;
    size_t len;

    if (!script_is_p2sh(script_pubkey, pk_len) || !last_push(script_sig, sig_len, &redeem, &len) || !redeem)
        return 0;
    return script_sigops(redeem, len, true);
}

static unsigned program_sigops(const struct tx_in *in, int version, size_t program_len)
{
    if (version != 0)
        return 0;
    if (program_len == 20)
        return 1;
    if (program_len == 32 && in->witness_count > 0) {
        const struct witness_item *script = &in->witness[in->witness_count - 1];
        return script_sigops(script->data, script->len, true);
    }
    return 0;
}

unsigned script_witness_sigops(const struct tx_in *in, const struct tx_out *spent, uint32_t flags)
{
    const uint8_t *program, *redeem;
    size_t program_len, len;
    int version;

    if (!(flags & SCRIPT_VERIFY_WITNESS))
        return 0;
    if (script_is_witness_program(spent->script, spent->script_len, &version, &program, &program_len))
        return program_sigops(in, version, program_len);
    if (script_is_p2sh(spent->script, spent->script_len) && last_push(in->script, in->script_len, &redeem, &len) &&
        script_is_witness_program(redeem, len, &version, &program, &program_len))
        return program_sigops(in, version, program_len);
    return 0;
}
