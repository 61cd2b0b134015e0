/* ops_multisig.c - CHECKMULTISIG with all its historic peculiarities. Called through the table in interp.c, on the thread that verifies
 * the input. */
#include "script/find_delete.h"
#include "script/interp.h"

#include <stdlib.h>

/* The arguments of one CHECKMULTISIG; positions count from the top of the stack. */
struct multisig {
    uint32_t keys, sigs;           /* how many */
    uint32_t first_key, first_sig; /* where */
    uint32_t dummy;
};

/* A count on the stack, between 0 and max. */
static bool read_count(struct vm *vm, uint32_t *out, uint32_t below, uint32_t max, enum script_error err)
{
    int64_t n;

    if (!vm_needs(vm, below + 1) || !vm_number(vm, &n, below, 4))
        return false;
    if (n < 0 || n > (int64_t)max)
        return vm_fail(vm, err);
    *out = (uint32_t)n;
    return true;
}

/* ([dummy] [sig ...] m [key ...] n) */
static bool read_arguments(struct vm *vm, struct multisig *m)
{
    if (!read_count(vm, &m->keys, 0, MAX_PUBKEYS_PER_MULTISIG, SCRIPT_ERR_PUBKEY_COUNT))
        return false;
    vm->op_count += (int)m->keys;
    if (vm->op_count > MAX_OPS_PER_SCRIPT)
        return vm_fail(vm, SCRIPT_ERR_OP_COUNT);
    m->first_key = 1;
    if (!read_count(vm, &m->sigs, 1 + m->keys, m->keys, SCRIPT_ERR_SIG_COUNT))
        return false;
    m->first_sig = m->keys + 2;
    m->dummy = m->first_sig + m->sigs;
    return vm_needs(vm, m->dummy + 1);
}

/* Signatures must come in the order of their keys. Keys are tried from the top down; which pairs are looked at decides which encoding
 * errors show, so that the order is consensus. */
static bool match_signatures(struct vm *vm, const struct multisig *m, const struct script_code *code, bool *valid)
{
    uint32_t keys = m->keys, sigs = m->sigs, key = m->first_key, sig = m->first_sig;

    for (; sigs > 0 && sigs <= keys; key++, keys--) {
        const struct stack_item *s = stack_at(&vm->stack, sig), *k = stack_at(&vm->stack, key);
        if (!vm_check_encodings(vm, s, k))
            return false;
        if (check_ecdsa(&vm->sig, item_data(s), s->len, item_data(k), k->len, code, vm->version == SIG_V0)) {
            sig++;
            sigs--;
        }
    }
    *valid = sigs == 0;
    return true;
}

static bool delete_signatures(struct vm *vm, const struct multisig *m, struct code_edit *edit)
{
    for (uint32_t i = 0; i < m->sigs; i++) {
        const struct stack_item *s = stack_at(&vm->stack, m->first_sig + i);
        if (code_delete_push(edit, item_data(s), s->len) && (vm->flags & SCRIPT_VERIFY_CONST_SCRIPTCODE))
            return vm_fail(vm, SCRIPT_ERR_SIG_FINDANDDELETE);
    }
    return true;
}

/* What is left to check once it is known whether the signatures match; the element too many is the oldest bug of all. */
static bool check_leftovers(struct vm *vm, const struct multisig *m, bool valid)
{
    if (!valid && (vm->flags & SCRIPT_VERIFY_NULLFAIL)) {
        for (uint32_t i = 0; i < m->sigs; i++) {
            if (stack_at(&vm->stack, m->first_sig + i)->len)
                return vm_fail(vm, SCRIPT_ERR_SIG_NULLFAIL);
        }
    }
    if ((vm->flags & SCRIPT_VERIFY_NULLDUMMY) && stack_at(&vm->stack, m->dummy)->len)
        return vm_fail(vm, SCRIPT_ERR_SIG_NULLDUMMY);
    return true;
}

bool op_checkmultisig(struct vm *vm, uint8_t op)
{
    struct code_edit edit = {{vm->code, (size_t)(vm->end - vm->code), true}, NULL};
    struct multisig m;
    bool valid = false;

    if (vm->version == SIG_TAPSCRIPT)
        return vm_fail(vm, SCRIPT_ERR_TAPSCRIPT_CHECKMULTISIG);
    if (!read_arguments(vm, &m))
        return false;
    const bool ok = (vm->version != SIG_LEGACY || delete_signatures(vm, &m, &edit)) && match_signatures(vm, &m, &edit.code, &valid);
    free(edit.owned);
    if (!ok || !check_leftovers(vm, &m, valid))
        return false;
    stack_drop(&vm->stack, m.dummy + 1);
    return vm_result(vm, valid, op == OP_CHECKMULTISIGVERIFY, SCRIPT_ERR_CHECKMULTISIGVERIFY);
}
