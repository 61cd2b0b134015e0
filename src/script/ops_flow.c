/* ops_flow.c - small constants, conditionals, VERIFY and RETURN, no-operations and the two lock times. Called through the table in
 * interp.c, on the thread that verifies the input. */
#include "script/interp.h"

#define SEQUENCE_DISABLE (1u << 31) /* BIP68 */
#define SEQUENCE_TYPE (1u << 22)
#define SEQUENCE_MASK 0xffffu

bool op_push_small(struct vm *vm, uint8_t op)
{
    stack_push_number(&vm->stack, (int)op - (OP_1 - 1));
    return true;
}

bool op_nop(struct vm *vm, uint8_t op)
{
    (void)vm;
    (void)op;
    return true;
}

bool op_nop_upgradable(struct vm *vm, uint8_t op)
{
    (void)op;
    return !(vm->flags & SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_NOPS) || vm_fail(vm, SCRIPT_ERR_DISCOURAGE_UPGRADABLE_NOPS);
}

/* Whether the argument must be empty or exactly 1: a rule of tapscript, policy in witness v0. */
static enum script_error check_minimal_if(const struct vm *vm, const struct stack_item *it)
{
    if (it->len == 0 || (it->len == 1 && item_data(it)[0] == 1))
        return SCRIPT_ERR_OK;
    if (vm->version == SIG_TAPSCRIPT)
        return SCRIPT_ERR_TAPSCRIPT_MINIMALIF;
    return vm->version == SIG_V0 && (vm->flags & SCRIPT_VERIFY_MINIMALIF) ? SCRIPT_ERR_MINIMALIF : SCRIPT_ERR_OK;
}

bool op_if(struct vm *vm, uint8_t op)
{
    bool taken = false;

    if (vm->if_false == IF_ALL_TRUE) {
        if (!vm_needs(vm, 1))
            return false;
        const struct stack_item *it = stack_at(&vm->stack, 0);
        const enum script_error err = check_minimal_if(vm, it);
        if (err)
            return vm_fail(vm, err);
        taken = item_is_true(it) == (op == OP_IF);
        stack_drop(&vm->stack, 1);
        if (!taken)
            vm->if_false = vm->if_depth;
    }
    vm->if_depth++;
    return true;
}

/* Only the outermost branch not taken matters: what is inside it stays dead whatever its own conditions are. */
bool op_else(struct vm *vm, uint8_t op)
{
    (void)op;
    if (vm->if_depth == 0)
        return vm_fail(vm, SCRIPT_ERR_UNBALANCED_CONDITIONAL);
    if (vm->if_false == IF_ALL_TRUE)
        vm->if_false = vm->if_depth - 1;
    else if (vm->if_false == vm->if_depth - 1)
        vm->if_false = IF_ALL_TRUE;
    return true;
}

bool op_endif(struct vm *vm, uint8_t op)
{
    (void)op;
    if (vm->if_depth == 0)
        return vm_fail(vm, SCRIPT_ERR_UNBALANCED_CONDITIONAL);
    vm->if_depth--;
    if (vm->if_false == vm->if_depth)
        vm->if_false = IF_ALL_TRUE;
    return true;
}

bool op_verify(struct vm *vm, uint8_t op)
{
    (void)op;
    if (!vm_needs(vm, 1))
        return false;
    if (!item_is_true(stack_at(&vm->stack, 0)))
        return vm_fail(vm, SCRIPT_ERR_VERIFY);
    stack_drop(&vm->stack, 1);
    return true;
}

bool op_return(struct vm *vm, uint8_t op)
{
    (void)op;
    return vm_fail(vm, SCRIPT_ERR_OP_RETURN);
}

/* BIP65: the transaction's own lock time is of the same kind, not earlier, and in force for this input. */
bool lock_time_reached(const struct tx *tx, uint32_t n, int64_t wanted)
{
    if ((tx->lock_time < LOCKTIME_THRESHOLD) != (wanted < (int64_t)LOCKTIME_THRESHOLD))
        return false;
    return wanted <= (int64_t)tx->lock_time && tx->in[n].sequence != SEQUENCE_FINAL;
}

bool op_lock_time(struct vm *vm, uint8_t op)
{
    int64_t wanted;

    (void)op;
    if (!(vm->flags & SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY))
        return true;
    if (!vm_needs(vm, 1) || !vm_number(vm, &wanted, 0, 5))
        return false;
    if (wanted < 0)
        return vm_fail(vm, SCRIPT_ERR_NEGATIVE_LOCKTIME);
    return lock_time_reached(vm->sig.tx, vm->sig.n, wanted) || vm_fail(vm, SCRIPT_ERR_UNSATISFIED_LOCKTIME);
}

/* BIP112: the input's sequence number is a relative lock (BIP68) of the same kind, and not shorter. */
bool sequence_reached(const struct tx *tx, uint32_t n, int64_t wanted)
{
    const uint32_t sequence = tx->in[n].sequence;
    const uint32_t have = sequence & (SEQUENCE_TYPE | SEQUENCE_MASK);
    const uint32_t want = (uint32_t)wanted & (SEQUENCE_TYPE | SEQUENCE_MASK);

    if (tx->version < 2 || (sequence & SEQUENCE_DISABLE))
        return false;
    return (have & SEQUENCE_TYPE) == (want & SEQUENCE_TYPE) && want <= have;
}

bool op_sequence(struct vm *vm, uint8_t op)
{
    int64_t wanted;

    (void)op;
    if (!(vm->flags & SCRIPT_VERIFY_CHECKSEQUENCEVERIFY))
        return true;
    if (!vm_needs(vm, 1) || !vm_number(vm, &wanted, 0, 5))
        return false;
    if (wanted < 0)
        return vm_fail(vm, SCRIPT_ERR_NEGATIVE_LOCKTIME);
    if (wanted & SEQUENCE_DISABLE)
        return true;
    return sequence_reached(vm->sig.tx, vm->sig.n, wanted) || vm_fail(vm, SCRIPT_ERR_UNSATISFIED_LOCKTIME);
}
