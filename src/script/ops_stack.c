/* ops_stack.c - operations that move elements, measure them or compare them as bytes. Called through the table in interp.c, on the
 * thread that verifies the input. */
#include "script/interp.h"

#include "script/number.h"

bool op_alt_stack(struct vm *vm, uint8_t op)
{
    struct stack *from = op == OP_TOALTSTACK ? &vm->stack : &vm->alt;
    struct stack *to = op == OP_TOALTSTACK ? &vm->alt : &vm->stack;

    if (from->len == 0)
        return vm_fail(vm, op == OP_TOALTSTACK ? SCRIPT_ERR_INVALID_STACK_OPERATION : SCRIPT_ERR_INVALID_ALTSTACK_OPERATION);
    *stack_grow(to) = *stack_at(from, 0);
    stack_drop(from, 1);
    return true;
}

bool op_drop(struct vm *vm, uint8_t op)
{
    const uint32_t n = op == OP_2DROP ? 2 : 1;

    if (!vm_needs(vm, n))
        return false;
    stack_drop(&vm->stack, n);
    return true;
}

/* DUP, 2DUP, 3DUP: the top n once more, in the same order. */
bool op_dup(struct vm *vm, uint8_t op)
{
    const uint32_t n = op == OP_DUP ? 1 : op == OP_2DUP ? 2 : 3;

    if (!vm_needs(vm, n))
        return false;
    for (uint32_t i = 0; i < n; i++)
        stack_pick(&vm->stack, n - 1);
    return true;
}

/* OVER, 2OVER: the n elements below the top n. */
bool op_over(struct vm *vm, uint8_t op)
{
    const uint32_t n = op == OP_OVER ? 1 : 2;

    if (!vm_needs(vm, 2 * n))
        return false;
    for (uint32_t i = 0; i < n; i++)
        stack_pick(&vm->stack, 2 * n - 1);
    return true;
}

bool op_rotate(struct vm *vm, uint8_t op)
{
    const uint32_t depth = op == OP_SWAP ? 2 : op == OP_ROT ? 3 : op == OP_2SWAP ? 4 : 6;

    if (!vm_needs(vm, depth))
        return false;
    for (uint32_t i = op == OP_2SWAP || op == OP_2ROT ? 2 : 1; i > 0; i--) {
        stack_pick(&vm->stack, depth - 1);
        stack_remove(&vm->stack, depth);
    }
    return true;
}

bool op_ifdup(struct vm *vm, uint8_t op)
{
    (void)op;
    if (!vm_needs(vm, 1))
        return false;
    if (item_is_true(stack_at(&vm->stack, 0)))
        stack_pick(&vm->stack, 0);
    return true;
}

bool op_depth(struct vm *vm, uint8_t op)
{
    (void)op;
    stack_push_number(&vm->stack, vm->stack.len);
    return true;
}

bool op_nip(struct vm *vm, uint8_t op)
{
    (void)op;
    if (!vm_needs(vm, 2))
        return false;
    stack_remove(&vm->stack, 1);
    return true;
}

bool op_pick_roll(struct vm *vm, uint8_t op)
{
    int64_t number;

    if (!vm_needs(vm, 2) || !vm_number(vm, &number, 0, 4))
        return false;
    stack_drop(&vm->stack, 1);
    const int n = script_number_clamp(number);
    if (n < 0 || (uint32_t)n >= vm->stack.len)
        return vm_fail(vm, SCRIPT_ERR_INVALID_STACK_OPERATION);
    stack_pick(&vm->stack, (uint32_t)n);
    if (op == OP_ROLL)
        stack_remove(&vm->stack, (uint32_t)n + 1);
    return true;
}

/* (x1 x2 -- x2 x1 x2) */
bool op_tuck(struct vm *vm, uint8_t op)
{
    (void)op;
    if (!vm_needs(vm, 2))
        return false;
    stack_swap(&vm->stack, 0, 1);
    stack_pick(&vm->stack, 1);
    return true;
}

bool op_size(struct vm *vm, uint8_t op)
{
    (void)op;
    if (!vm_needs(vm, 1))
        return false;
    stack_push_number(&vm->stack, stack_at(&vm->stack, 0)->len);
    return true;
}

bool op_equal(struct vm *vm, uint8_t op)
{
    if (!vm_needs(vm, 2))
        return false;
    const bool equal = item_equal(stack_at(&vm->stack, 0), stack_at(&vm->stack, 1));
    stack_drop(&vm->stack, 2);
    return vm_result(vm, equal, op == OP_EQUALVERIFY, SCRIPT_ERR_EQUALVERIFY);
}
