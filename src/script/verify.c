/* verify.c - the way of an input: scriptSig, output script, what P2SH and witness add. The front door of the interpreter, called by
 * script checks of blocks and transactions on any thread; all state is on that thread's stack. */
#include "script/verify.h"

#include "script/check.h"
#include "script/witness.h"

#include <string.h>

/* The stack's verdict after a script: its top must be there and true. */
static bool ends_true(struct vm *vm)
{
    if (vm->stack.len == 0 || !item_is_true(stack_at(&vm->stack, 0)))
        return vm_fail(vm, SCRIPT_ERR_EVAL_FALSE);
    return true;
}

/* Runs a witness program if the script is one. Out: *had_witness. The stack is clean after it, whatever was on it. */
static bool run_witness(struct vm *vm, const uint8_t *script, size_t len, bool p2sh, bool exact_sig, bool *had_witness)
{
    struct witness_program program = {.p2sh = p2sh};

    if (!(vm->flags & SCRIPT_VERIFY_WITNESS) ||
        !script_is_witness_program(script, len, &program.version, &program.data, &program.len))
        return true;
    *had_witness = true;
    if (!exact_sig)
        return vm_fail(vm, p2sh ? SCRIPT_ERR_WITNESS_MALLEATED_P2SH : SCRIPT_ERR_WITNESS_MALLEATED);
    if (!witness_verify(vm, &program))
        return false;
    vm->stack.len = 0;
    stack_push_bool(&vm->stack, true);
    return true;
}

/* The scriptSig is nothing but the push of this redeem script (of a witness program: at most 42 bytes, one length byte). */
static bool is_single_push(const struct tx_in *in, const uint8_t *script, size_t len)
{
    return in->script_len == len + 1 && in->script[0] == len && memcmp(in->script + 1, script, len) == 0;
}

/* BIP16. The output script has replaced the redeem script by its verdict; all below is as the scriptSig left it. */
static bool run_p2sh(struct vm *vm, const struct stack_item *redeem, bool *had_witness)
{
    const struct tx_in *in = &vm->sig.tx->in[vm->sig.n];
    const uint8_t *script = item_data(redeem);

    if (!script_is_push_only(in->script, in->script_len))
        return vm_fail(vm, SCRIPT_ERR_SIG_PUSHONLY);
    stack_drop(&vm->stack, 1);
    if (!vm_run(vm, script, redeem->len, SIG_LEGACY) || !ends_true(vm))
        return false;
    return run_witness(vm, script, redeem->len, true, is_single_push(in, script, redeem->len), had_witness);
}

static bool run_input(struct vm *vm)
{
    const struct tx_in *in = &vm->sig.tx->in[vm->sig.n];
    const struct tx_out *spent = vm->sig.spent;
    const bool p2sh = (vm->flags & SCRIPT_VERIFY_P2SH) && script_is_p2sh(spent->script, spent->script_len);
    struct stack_item redeem;
    bool had_witness = false;

    if ((vm->flags & SCRIPT_VERIFY_SIGPUSHONLY) && !script_is_push_only(in->script, in->script_len))
        return vm_fail(vm, SCRIPT_ERR_SIG_PUSHONLY);
    if (!vm_run(vm, in->script, in->script_len, SIG_LEGACY))
        return false;
    if (p2sh && vm->stack.len)
        redeem = *stack_at(&vm->stack, 0);
    if (!vm_run(vm, spent->script, spent->script_len, SIG_LEGACY) || !ends_true(vm))
        return false;
    if (!run_witness(vm, spent->script, spent->script_len, false, in->script_len == 0, &had_witness))
        return false;
    if (p2sh && !run_p2sh(vm, &redeem, &had_witness))
        return false;
    if ((vm->flags & SCRIPT_VERIFY_CLEANSTACK) && vm->stack.len != 1)
        return vm_fail(vm, SCRIPT_ERR_CLEANSTACK);
    if ((vm->flags & SCRIPT_VERIFY_WITNESS) && !had_witness && in->witness_count)
        return vm_fail(vm, SCRIPT_ERR_WITNESS_UNEXPECTED);
    return true;
}

/* Rules that only tighten together: witness needs P2SH, a clean stack needs witness (Bitcoin Core asserts it of its callers). */
static uint32_t complete_flags(uint32_t flags)
{
    if (flags & SCRIPT_VERIFY_CLEANSTACK)
        flags |= SCRIPT_VERIFY_WITNESS;
    if (flags & SCRIPT_VERIFY_WITNESS)
        flags |= SCRIPT_VERIFY_P2SH;
    return flags;
}

bool script_verify_input(enum script_error *err, const struct tx *tx, uint32_t n, const struct tx_out *spent, uint32_t flags,
                         const struct tx_midstate *mid, struct sig_cache *cache, bool cache_store)
{
    struct vm vm;

    vm.flags = complete_flags(flags);
    vm.err = SCRIPT_ERR_UNKNOWN;
    vm.sig.tx = tx;
    vm.sig.n = n;
    vm.sig.spent = spent;
    vm.sig.mid = mid;
    vm.sig.cache = cache;
    vm.sig.cache_store = cache_store;
    vm.sig.has_output_hash = false;
    vm.tap = (struct sighash_v1_ctx){NULL, NULL, 0xffffffff, NULL};
    vm.weight_left = 0;
    stack_init(&vm.stack);
    sighash_memo_init(&vm.sig.memo);
    const bool ok = run_input(&vm);
    stack_clear(&vm.stack);
    sighash_memo_clear(&vm.sig.memo);
    if (err)
        *err = ok ? SCRIPT_ERR_OK : vm.err;
    return ok;
}

bool script_check_run(const struct script_check *c, struct sig_cache *cache, bool cache_store, enum script_error *err)
{
    return script_verify_input(err, c->tx, c->n, c->spent, c->flags, c->mid, cache, cache_store);
}
