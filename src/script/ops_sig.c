/* ops_sig.c - hashes, CODESEPARATOR and the signature operations but CHECKMULTISIG. Called through the table in interp.c, on the thread
 * that verifies the input. */
#include "crypto/hash.h"
#include "crypto/sha256.h"
#include "script/find_delete.h"
#include "script/interp.h"

#include <stdlib.h>

#define SIG_WEIGHT 50 /* BIP342: weight that each signature check uses up */

bool op_hash(struct vm *vm, uint8_t op)
{
    uint8_t out[32];
    size_t len = 20;

    if (!vm_needs(vm, 1))
        return false;
    const struct stack_item *it = stack_at(&vm->stack, 0);
    const uint8_t *data = item_data(it);
    if (op == OP_RIPEMD160) {
        ripemd160(out, data, it->len);
    } else if (op == OP_SHA1) {
        sha1(out, data, it->len);
    } else if (op == OP_HASH160) {
        hash160(out, data, it->len);
    } else {
        len = 32;
        if (op == OP_SHA256)
            sha256(out, data, it->len);
        else
            sha256d(out, data, it->len);
    }
    stack_drop(&vm->stack, 1);
    stack_push_copy(&vm->stack, out, len);
    return true;
}

bool op_codeseparator(struct vm *vm, uint8_t op)
{
    (void)op;
    vm->code = vm->pos;
    vm->tap.codesep_pos = vm->op_index;
    return true;
}

bool vm_check_encodings(struct vm *vm, const struct stack_item *sig, const struct stack_item *key)
{
    enum script_error err = sig_check_encoding(item_data(sig), sig->len, vm->flags);

    if (!err)
        err = pubkey_check_encoding(item_data(key), key->len, vm->flags, vm->version == SIG_V0);
    return !err || vm_fail(vm, err);
}

/* Returns: false if the script fails here; else whether the signature is valid in *valid. */
static bool check_ecdsa_op(struct vm *vm, const struct stack_item *sig, const struct stack_item *key, bool *valid)
{
    struct code_edit edit = {{vm->code, (size_t)(vm->end - vm->code), true}, NULL};
    bool ok = true;

    if (vm->version == SIG_LEGACY && code_delete_push(&edit, item_data(sig), sig->len) &&
        (vm->flags & SCRIPT_VERIFY_CONST_SCRIPTCODE))
        ok = vm_fail(vm, SCRIPT_ERR_SIG_FINDANDDELETE);
    ok = ok && vm_check_encodings(vm, sig, key);
    if (ok) {
        *valid = check_ecdsa(&vm->sig, item_data(sig), sig->len, item_data(key), key->len, &edit.code, vm->version == SIG_V0);
        if (!*valid && (vm->flags & SCRIPT_VERIFY_NULLFAIL) && sig->len)
            ok = vm_fail(vm, SCRIPT_ERR_SIG_NULLFAIL);
    }
    free(edit.owned);
    return ok;
}

/* BIP342. The order is consensus: budget, empty key, signature; keys of unknown size pass any signature. */
static bool check_schnorr_op(struct vm *vm, const struct stack_item *sig, const struct stack_item *key, bool *valid)
{
    *valid = sig->len > 0;
    if (*valid) {
        vm->weight_left -= SIG_WEIGHT;
        if (vm->weight_left < 0)
            return vm_fail(vm, SCRIPT_ERR_TAPSCRIPT_VALIDATION_WEIGHT);
    }
    if (key->len == 0)
        return vm_fail(vm, SCRIPT_ERR_TAPSCRIPT_EMPTY_PUBKEY);
    if (key->len != 32) {
        if (vm->flags & SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_PUBKEYTYPE)
            return vm_fail(vm, SCRIPT_ERR_DISCOURAGE_UPGRADABLE_PUBKEYTYPE);
        return true;
    }
    if (!*valid)
        return true;
    const enum script_error err = check_schnorr(&vm->sig, item_data(sig), sig->len, item_data(key), &vm->tap);
    return !err || vm_fail(vm, err);
}

static bool check_sig(struct vm *vm, const struct stack_item *sig, const struct stack_item *key, bool *valid)
{
    *valid = false;
    return vm->version == SIG_TAPSCRIPT ? check_schnorr_op(vm, sig, key, valid) : check_ecdsa_op(vm, sig, key, valid);
}

/* (sig key -- bool) */
bool op_checksig(struct vm *vm, uint8_t op)
{
    bool valid;

    if (!vm_needs(vm, 2) || !check_sig(vm, stack_at(&vm->stack, 1), stack_at(&vm->stack, 0), &valid))
        return false;
    stack_drop(&vm->stack, 2);
    return vm_result(vm, valid, op == OP_CHECKSIGVERIFY, SCRIPT_ERR_CHECKSIGVERIFY);
}

/* (sig n key -- n or n+1) */
bool op_checksigadd(struct vm *vm, uint8_t op)
{
    int64_t n;
    bool valid;

    (void)op;
    if (vm->version != SIG_TAPSCRIPT)
        return vm_fail(vm, SCRIPT_ERR_BAD_OPCODE);
    if (!vm_needs(vm, 3) || !vm_number(vm, &n, 1, 4) || !check_sig(vm, stack_at(&vm->stack, 2), stack_at(&vm->stack, 0), &valid))
        return false;
    stack_drop(&vm->stack, 3);
    stack_push_number(&vm->stack, n + valid);
    return true;
}
