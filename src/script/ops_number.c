/* ops_number.c - arithmetic and comparison of numbers. Operands have at most four bytes, so that no result overflows. Called through the
 * table in interp.c, on the thread that verifies the input. */
#include "script/interp.h"

static int64_t unary(uint8_t op, int64_t a)
{
    switch (op) {
    case OP_1ADD:
        return a + 1;
    case OP_1SUB:
        return a - 1;
    case OP_NEGATE:
        return -a;
    case OP_ABS:
        return a < 0 ? -a : a;
    case OP_NOT:
        return a == 0;
    default: /* OP_0NOTEQUAL */
        return a != 0;
    }
}

bool op_unary(struct vm *vm, uint8_t op)
{
    int64_t a;

    if (!vm_needs(vm, 1) || !vm_number(vm, &a, 0, 4))
        return false;
    stack_drop(&vm->stack, 1);
    stack_push_number(&vm->stack, unary(op, a));
    return true;
}

static int64_t binary(uint8_t op, int64_t a, int64_t b)
{
    switch (op) {
    case OP_ADD:
        return a + b;
    case OP_SUB:
        return a - b;
    case OP_BOOLAND:
        return a != 0 && b != 0;
    case OP_BOOLOR:
        return a != 0 || b != 0;
    case OP_NUMEQUAL:
    case OP_NUMEQUALVERIFY:
        return a == b;
    case OP_NUMNOTEQUAL:
        return a != b;
    case OP_LESSTHAN:
        return a < b;
    case OP_GREATERTHAN:
        return a > b;
    case OP_LESSTHANOREQUAL:
        return a <= b;
    case OP_GREATERTHANOREQUAL:
        return a >= b;
    case OP_MIN:
        return a < b ? a : b;
    default: /* OP_MAX */
        return a > b ? a : b;
    }
}

bool op_binary(struct vm *vm, uint8_t op)
{
    int64_t a, b;

    if (!vm_needs(vm, 2) || !vm_number(vm, &a, 1, 4) || !vm_number(vm, &b, 0, 4))
        return false;
    stack_drop(&vm->stack, 2);
    if (op == OP_NUMEQUALVERIFY)
        return a == b || vm_fail(vm, SCRIPT_ERR_NUMEQUALVERIFY);
    stack_push_number(&vm->stack, binary(op, a, b));
    return true;
}

/* (x min max -- bool): the maximum is outside. */
bool op_within(struct vm *vm, uint8_t op)
{
    int64_t x, min, max;

    (void)op;
    if (!vm_needs(vm, 3) || !vm_number(vm, &x, 2, 4) || !vm_number(vm, &min, 1, 4) || !vm_number(vm, &max, 0, 4))
        return false;
    stack_drop(&vm->stack, 3);
    stack_push_bool(&vm->stack, min <= x && x < max);
    return true;
}
