/* template.c - which of the standard forms an output script has, and the keys and hashes in it (Bitcoin Core's Solver). Called by policy,
 * RPC and the wallet. Pure; any thread. */
#include "script/checksig.h"
#include "script/number.h"
#include "script/script.h"

#include <string.h>

static void add_item(struct script_solution *s, const uint8_t *data, size_t len)
{
    s->item[s->n] = data;
    s->item_len[s->n++] = (uint8_t)len;
}

static enum script_type solve_witness(struct script_solution *s, const uint8_t *script, size_t script_len)
{
    const uint8_t *program;
    size_t len;

    if (!script_is_witness_program(script, script_len, &s->witness_version, &program, &len))
        return SCRIPT_NONSTANDARD;
    if (s->witness_version == 0 && len != 20 && len != 32)
        return SCRIPT_NONSTANDARD;
    if (script_is_p2a(script, script_len))
        return SCRIPT_ANCHOR;
    add_item(s, program, len);
    if (s->witness_version == 0)
        return len == 20 ? SCRIPT_WITNESS_V0_KEYHASH : SCRIPT_WITNESS_V0_SCRIPTHASH;
    return s->witness_version == 1 && len == 32 ? SCRIPT_WITNESS_V1_TAPROOT : SCRIPT_WITNESS_UNKNOWN;
}

static bool solve_pubkey(struct script_solution *s, const uint8_t *script, size_t len)
{
    if ((len != 35 && len != 67) || script[0] != len - 2 || script[len - 1] != OP_CHECKSIG ||
        !pubkey_size_is_valid(script + 1, len - 2))
        return false;
    add_item(s, script + 1, len - 2);
    return true;
}

static bool solve_pubkeyhash(struct script_solution *s, const uint8_t *script, size_t len)
{
    if (len != 25 || script[0] != OP_DUP || script[1] != OP_HASH160 || script[2] != 20 || script[23] != OP_EQUALVERIFY ||
        script[24] != OP_CHECKSIG)
        return false;
    add_item(s, script + 3, 20);
    return true;
}

/* A count of a multisig: OP_1 to OP_16, or a minimal push of a minimal number (of use for 17 to 20). */
static bool read_count(unsigned *out, uint8_t op, const uint8_t *data, size_t len)
{
    int64_t n;

    if (op >= OP_1 && op <= OP_16) {
        *out = op - OP_1 + 1u;
        return true;
    }
    if (len != 1 || op != 1 || !script_number_decode(&n, data, len, 4, true) || n <= 16 || n > MAX_PUBKEYS_PER_MULTISIG)
        return false;
    *out = (unsigned)n;
    return true;
}

static bool solve_multisig(struct script_solution *s, const uint8_t *script, size_t script_len)
{
    const uint8_t *pos = script, *end = script + script_len, *data;
    unsigned total;
    size_t len;
    uint8_t op;

    if (script_len == 0 || end[-1] != OP_CHECKMULTISIG || !script_next(&pos, end, &op, &data, &len) ||
        !read_count(&s->required, op, data, len))
        return false;
    for (;;) {
        if (!script_next(&pos, end, &op, &data, &len))
            return false;
        if (!data || !pubkey_size_is_valid(data, len))
            break;
        if (s->n == MAX_PUBKEYS_PER_MULTISIG)
            return false;
        add_item(s, data, len);
    }
    return read_count(&total, op, data, len) && total == s->n && s->required <= total && pos + 1 == end;
}

enum script_type script_solve(struct script_solution *out, const uint8_t *script, size_t len)
{
    const uint8_t *program;
    size_t program_len;
    int version;

    memset(out, 0, sizeof(*out));
    if (script_is_p2sh(script, len)) {
        add_item(out, script + 2, 20);
        out->type = SCRIPT_SCRIPTHASH;
    } else if (script_is_witness_program(script, len, &version, &program, &program_len)) {
        out->type = solve_witness(out, script, len);
    } else if (len >= 1 && script[0] == OP_RETURN && script_is_push_only(script + 1, len - 1)) {
        out->type = SCRIPT_NULLDATA;
    } else if (solve_pubkey(out, script, len)) {
        out->type = SCRIPT_PUBKEY;
    } else if (solve_pubkeyhash(out, script, len)) {
        out->type = SCRIPT_PUBKEYHASH;
    } else if (solve_multisig(out, script, len)) {
        out->type = SCRIPT_MULTISIG;
    } else {
        memset(out, 0, sizeof(*out));
        out->type = SCRIPT_NONSTANDARD;
    }
    return out->type;
}

const char *script_type_name(enum script_type type)
{
    static const char *const type_names[] = {
        [SCRIPT_NONSTANDARD] = "nonstandard",
        [SCRIPT_PUBKEY] = "pubkey",
        [SCRIPT_PUBKEYHASH] = "pubkeyhash",
        [SCRIPT_SCRIPTHASH] = "scripthash",
        [SCRIPT_MULTISIG] = "multisig",
        [SCRIPT_NULLDATA] = "nulldata",
        [SCRIPT_WITNESS_V0_KEYHASH] = "witness_v0_keyhash",
        [SCRIPT_WITNESS_V0_SCRIPTHASH] = "witness_v0_scripthash",
        [SCRIPT_WITNESS_V1_TAPROOT] = "witness_v1_taproot",
        [SCRIPT_ANCHOR] = "anchor",
        [SCRIPT_WITNESS_UNKNOWN] = "witness_unknown",
    };

    return (unsigned)type <= SCRIPT_WITNESS_UNKNOWN ? type_names[type] : "nonstandard";
}
