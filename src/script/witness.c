/* witness.c - witness version 0 (P2WPKH, P2WSH), taproot's key and script paths, and what later versions do today: anything goes. Called
 * by verify.c on the thread that verifies the input. */
#include "script/witness.h"

#include "crypto/keys.h"
#include "crypto/sha256.h"
#include "primitives/serialize.h"
#include "script/hash_parts.h"

#include <string.h>

#define ANNEX_TAG 0x50
#define LEAF_MASK 0xfe
#define LEAF_TAPSCRIPT 0xc0
#define CONTROL_BASE 33
#define CONTROL_NODE 32
#define CONTROL_MAX (CONTROL_BASE + CONTROL_NODE * 128)
#define WEIGHT_OFFSET 50 /* BIP342: budget on top of the witness size */

/* Looks for OP_SUCCESSx, which overrides everything. Returns: true if the script is decided by that, with the verdict in *ok. */
static bool decided_by_success(struct vm *vm, const struct witness_item *script, bool *ok)
{
    const uint8_t *pos = script->data, *end = pos + script->len, *data;
    size_t n;
    uint8_t op;

    while (pos < end) {
        if (!script_next(&pos, end, &op, &data, &n)) {
            *ok = vm_fail(vm, SCRIPT_ERR_BAD_OPCODE);
            return true;
        }
        if (opcode_is_success(op)) {
            *ok = !(vm->flags & SCRIPT_VERIFY_DISCOURAGE_OP_SUCCESS) || vm_fail(vm, SCRIPT_ERR_DISCOURAGE_OP_SUCCESS);
            return true;
        }
    }
    return false;
}

/* Runs a script over the first n witness items; it must leave one true element. */
static bool run_script(struct vm *vm, const struct witness_item *items, uint32_t n, const struct witness_item *script,
                       enum sig_version version)
{
    bool ok;

    if (version == SIG_TAPSCRIPT) {
        if (decided_by_success(vm, script, &ok))
            return ok;
        if (n > MAX_STACK_SIZE)
            return vm_fail(vm, SCRIPT_ERR_STACK_SIZE);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (items[i].len > MAX_SCRIPT_ELEMENT_SIZE)
            return vm_fail(vm, SCRIPT_ERR_PUSH_SIZE);
    }
    vm->stack.len = 0;
    stack_reserve(&vm->stack, n);
    for (uint32_t i = 0; i < n; i++)
        stack_push_ref(&vm->stack, items[i].data, items[i].len);
    if (!vm_run(vm, script->data, script->len, version))
        return false;
    if (vm->stack.len != 1)
        return vm_fail(vm, SCRIPT_ERR_CLEANSTACK);
    return item_is_true(stack_at(&vm->stack, 0)) || vm_fail(vm, SCRIPT_ERR_EVAL_FALSE);
}

static bool verify_v0(struct vm *vm, const struct witness_program *program, const struct witness_item *items, uint32_t n)
{
    uint8_t hash[32];

    if (program->len == 32) {
        if (n == 0)
            return vm_fail(vm, SCRIPT_ERR_WITNESS_PROGRAM_WITNESS_EMPTY);
        sha256(hash, items[n - 1].data, items[n - 1].len);
        if (memcmp(hash, program->data, 32) != 0)
            return vm_fail(vm, SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH);
        return run_script(vm, items, n - 1, &items[n - 1], SIG_V0);
    }
    if (program->len == 20) {
        /* The script that the program stands for: P2PKH of the same hash. */
        uint8_t script[25] = {OP_DUP, OP_HASH160, 20, [23] = OP_EQUALVERIFY, [24] = OP_CHECKSIG};
        const struct witness_item implied = {script, sizeof(script)};
        if (n != 2)
            return vm_fail(vm, SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH);
        memcpy(script + 3, program->data, 20);
        const bool ok = run_script(vm, items, n, &implied, SIG_V0);
        sighash_memo_clear(&vm->sig.memo); /* it may point at the script, which goes now */
        return ok;
    }
    return vm_fail(vm, SCRIPT_ERR_WITNESS_PROGRAM_WRONG_LENGTH);
}

/* Serialised size of the whole witness: what BIP342's budget is made of. */
static int64_t witness_size(const struct tx_in *in)
{
    int64_t size = compact_size_len(in->witness_count);

    for (uint32_t i = 0; i < in->witness_count; i++)
        size += compact_size_len(in->witness[i].len) + in->witness[i].len;
    return size;
}

/* items: arguments, script, control block. */
static bool verify_script_path(struct vm *vm, const struct witness_program *program, const struct witness_item *items, uint32_t n)
{
    const struct witness_item *control = &items[n - 1], *script = &items[n - 2];
    uint8_t leaf[32], root[32];

    if (control->len < CONTROL_BASE || control->len > CONTROL_MAX || (control->len - CONTROL_BASE) % CONTROL_NODE)
        return vm_fail(vm, SCRIPT_ERR_TAPROOT_WRONG_CONTROL_SIZE);
    const uint8_t version = control->data[0] & LEAF_MASK;
    tapleaf_hash(leaf, version, script->data, script->len);
    taproot_merkle_root(root, control->data, control->len, leaf);
    if (!taproot_tweak_check(program->data, control->data[0] & 1, control->data + 1, root))
        return vm_fail(vm, SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH);
    if (version == LEAF_TAPSCRIPT) {
        vm->tap.leaf_hash = leaf;
        vm->weight_left = witness_size(&vm->sig.tx->in[vm->sig.n]) + WEIGHT_OFFSET;
        const bool ok = run_script(vm, items, n - 2, script, SIG_TAPSCRIPT);
        vm->tap.leaf_hash = NULL;
        return ok;
    }
    return !(vm->flags & SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION) ||
           vm_fail(vm, SCRIPT_ERR_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION);
}

static bool verify_key_path(struct vm *vm, const struct witness_program *program, const struct witness_item *sig)
{
    const enum script_error err = check_schnorr(&vm->sig, sig->data, sig->len, program->data, &vm->tap);

    return !err || vm_fail(vm, err);
}

static bool verify_taproot(struct vm *vm, const struct witness_program *program, const struct witness_item *items, uint32_t n)
{
    uint8_t annex[32];
    bool ok;

    if (!(vm->flags & SCRIPT_VERIFY_TAPROOT))
        return true;
    if (n == 0)
        return vm_fail(vm, SCRIPT_ERR_WITNESS_PROGRAM_WITNESS_EMPTY);
    if (n >= 2 && items[n - 1].len > 0 && items[n - 1].data[0] == ANNEX_TAG) {
        struct sha256 ctx;
        n--;
        sha256_init(&ctx);
        hash_var_bytes(&ctx, items[n].data, items[n].len);
        sha256_finish(&ctx, annex);
        vm->tap.annex_hash = annex;
    }
    if (n > 1)
        ok = verify_script_path(vm, program, items, n);
    else
        ok = verify_key_path(vm, program, &items[0]);
    vm->tap.annex_hash = NULL;
    return ok;
}

bool witness_verify(struct vm *vm, const struct witness_program *program)
{
    const struct tx_in *in = &vm->sig.tx->in[vm->sig.n];

    if (program->version == 0)
        return verify_v0(vm, program, in->witness, in->witness_count);
    if (program->version == 1 && program->len == 32 && !program->p2sh)
        return verify_taproot(vm, program, in->witness, in->witness_count);
    if (program->version == 1 && program->len == 2 && !program->p2sh && program->data[0] == 0x4e && program->data[1] == 0x73)
        return true; /* pay to anchor */
    return !(vm->flags & SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM) ||
           vm_fail(vm, SCRIPT_ERR_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM);
}
