/* inputs.c - the form that inputs and witnesses must have, given the outputs that they spend. Called by the memory pool before any script
 * runs; pure, any thread. */
#include "policy/policy.h"
#include "script/verify.h"

#define MAX_P2SH_SIGOPS 15
#define MAX_TX_LEGACY_SIGOPS 2500 /* BIP54 */
#define MAX_P2WSH_SCRIPT_SIZE 3600
#define MAX_P2WSH_STACK_ITEMS 100
#define MAX_P2WSH_ITEM_SIZE 80
#define MAX_TAPSCRIPT_ITEM_SIZE 80
#define ANNEX_TAG 0x50
#define TAPROOT_LEAF_MASK 0xfe
#define TAPROOT_LEAF_TAPSCRIPT 0xc0

/* What running a scriptSig of pushes leaves on top of the stack. */
struct top_item {
    enum script_error error;
    bool empty; /* nothing was pushed */
    const uint8_t *data;
    size_t len;
    uint8_t small[1]; /* OP_1NEGATE..OP_16 */
};

/* A scriptSig that does more than push fails by consensus for P2SH; here it reads as a bad opcode. */
static void run_pushes(struct top_item *top, const uint8_t *script, size_t len)
{
    const uint8_t *pos = script, *end = script + len, *data;
    size_t items = 0, data_len;
    uint8_t opcode;

    *top = (struct top_item){.error = SCRIPT_ERR_OK, .empty = true};
    if (len > MAX_SCRIPT_SIZE) {
        top->error = SCRIPT_ERR_SCRIPT_SIZE;
        return;
    }
    while (pos < end) {
        if (!script_next(&pos, end, &opcode, &data, &data_len) || opcode > OP_16 || opcode == OP_RESERVED)
            top->error = SCRIPT_ERR_BAD_OPCODE;
        else if (data_len > MAX_SCRIPT_ELEMENT_SIZE)
            top->error = SCRIPT_ERR_PUSH_SIZE;
        else if (++items > MAX_STACK_SIZE)
            top->error = SCRIPT_ERR_STACK_SIZE;
        if (top->error != SCRIPT_ERR_OK)
            return;
        top->empty = false;
        top->data = data;
        top->len = data_len;
        if (opcode >= OP_1NEGATE) {
            top->small[0] = opcode == OP_1NEGATE ? 0x81 : (uint8_t)(opcode - OP_1 + 1);
            top->data = top->small;
            top->len = 1;
        }
    }
}

/* Sigops that run when the transaction does, the spent output's included; witnesses are not looked at. */
static bool legacy_sigops_in_bounds(const struct tx *tx, const struct tx_out *spent)
{
    uint64_t sigops = 0;
    for (uint32_t i = 0; i < tx->n_in; i++) {
        const struct tx_in *in = &tx->in[i];
        sigops += script_sigops(in->script, in->script_len, true);
        if (script_is_p2sh(spent[i].script, spent[i].script_len))
            sigops += script_p2sh_sigops(spent[i].script, spent[i].script_len, in->script, in->script_len);
        else
            sigops += script_sigops(spent[i].script, spent[i].script_len, true);
        if (sigops > MAX_TX_LEGACY_SIGOPS)
            return false;
    }
    return true;
}

static const char nonstandard_inputs[] = "bad-txns-nonstandard-inputs";

static bool p2sh_input_standard(const struct tx_in *in, uint32_t i, struct verdict *v)
{
    struct top_item top;
    unsigned sigops;

    run_pushes(&top, in->script, in->script_len);
    if (top.error != SCRIPT_ERR_OK)
        return verdict_invalid(v, TX_INPUTS_NOT_STANDARD, nonstandard_inputs, "p2sh scriptsig malformed (input %u: %s)", i,
                               script_error_text(top.error));
    if (top.empty)
        return verdict_invalid(v, TX_INPUTS_NOT_STANDARD, nonstandard_inputs, "input %u P2SH redeemscript missing", i);
    sigops = script_sigops(top.data, top.len, true);
    if (sigops > MAX_P2SH_SIGOPS)
        return verdict_invalid(v, TX_INPUTS_NOT_STANDARD, nonstandard_inputs,
                               "p2sh redeemscript sigops exceed limit (input %u: %u > %u)", i, sigops, MAX_P2SH_SIGOPS);
    return true;
}

bool policy_inputs_standard(const struct tx *tx, const struct tx_out *spent, struct verdict *v)
{
    if (!legacy_sigops_in_bounds(tx, spent))
        return verdict_invalid(v, TX_INPUTS_NOT_STANDARD, nonstandard_inputs, "non-witness sigops exceed bip54 limit");
    for (uint32_t i = 0; i < tx->n_in; i++) {
        struct script_solution s;
        switch (script_solve(&s, spent[i].script, spent[i].script_len)) {
        case SCRIPT_NONSTANDARD:
            return verdict_invalid(v, TX_INPUTS_NOT_STANDARD, nonstandard_inputs, "input %u script unknown", i);
        case SCRIPT_WITNESS_UNKNOWN:
            return verdict_invalid(v, TX_INPUTS_NOT_STANDARD, nonstandard_inputs, "input %u witness program is undefined", i);
        case SCRIPT_SCRIPTHASH:
            if (!p2sh_input_standard(&tx->in[i], i, v))
                return false;
            break;
        default:
            break;
        }
    }
    return true;
}

static bool p2wsh_witness_standard(const struct tx_in *in)
{
    uint32_t last = in->witness_count - 1;
    if (in->witness[last].len > MAX_P2WSH_SCRIPT_SIZE || last > MAX_P2WSH_STACK_ITEMS)
        return false;
    for (uint32_t i = 0; i < last; i++) {
        if (in->witness[i].len > MAX_P2WSH_ITEM_SIZE)
            return false;
    }
    return true;
}

static bool taproot_witness_standard(const struct tx_in *in)
{
    uint32_t n = in->witness_count;
    const struct witness_item *control;

    if (n < 2)
        return n == 1; /* by key */
    control = &in->witness[n - 1];
    if (control->len == 0 || control->data[0] == ANNEX_TAG)
        return false; /* nothing, or an annex, which means nothing so far */
    if ((control->data[0] & TAPROOT_LEAF_MASK) != TAPROOT_LEAF_TAPSCRIPT)
        return true;
    for (uint32_t i = 0; i + 2 < n; i++) {
        if (in->witness[i].len > MAX_TAPSCRIPT_ITEM_SIZE)
            return false;
    }
    return true;
}

static bool input_witness_standard(const struct tx_in *in, const struct tx_out *spent)
{
    const uint8_t *script = spent->script, *program;
    size_t len = spent->script_len, program_len;
    struct top_item top;
    bool p2sh = false;
    int version;

    if (script_is_p2a(script, len))
        return false; /* needs no witness: stuffing */
    if (script_is_p2sh(script, len)) {
        run_pushes(&top, in->script, in->script_len);
        if (top.error != SCRIPT_ERR_OK || top.empty)
            return false;
        script = top.data;
        len = top.len;
        p2sh = true;
    }
    if (!script_is_witness_program(script, len, &version, &program, &program_len))
        return false;
    if (version == 0 && program_len == 32)
        return p2wsh_witness_standard(in);
    if (version == 1 && program_len == 32 && !p2sh)
        return taproot_witness_standard(in);
    return true;
}

bool policy_witness_standard(const struct tx *tx, const struct tx_out *spent)
{
    for (uint32_t i = 0; i < tx->n_in; i++) {
        if (tx->in[i].witness_count && !input_witness_standard(&tx->in[i], &spent[i]))
            return false;
    }
    return true;
}

bool policy_spends_witness_program(const struct tx *tx, const struct tx_out *spent)
{
    for (uint32_t i = 0; i < tx->n_in; i++) {
        const uint8_t *script = spent[i].script, *program;
        size_t len = spent[i].script_len, program_len;
        struct top_item top;
        int version;

        if (script_is_witness_program(script, len, &version, &program, &program_len) && !script_is_p2a(script, len))
            return true;
        if (!script_is_p2sh(script, len))
            continue;
        run_pushes(&top, tx->in[i].script, tx->in[i].script_len);
        if (top.error == SCRIPT_ERR_OK && !top.empty &&
            script_is_witness_program(top.data, top.len, &version, &program, &program_len))
            return true;
    }
    return false;
}
