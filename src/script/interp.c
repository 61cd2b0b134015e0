/* interp.c - the loop of the script machine: reads operations, keeps the limits, looks the work up in a table. Called by verify.c for
 * each script of an input, on the thread that verifies it. */
#include "script/interp.h"

#include "script/number.h"

/* Opcode groups and their functions. An opcode without one is unknown where it is executed. */
static const op_fn operations[256] = {
    [OP_1NEGATE] = op_push_small,
    [OP_1... OP_16] = op_push_small,
    [OP_NOP] = op_nop,
    [OP_IF... OP_NOTIF] = op_if,
    [OP_ELSE] = op_else,
    [OP_ENDIF] = op_endif,
    [OP_VERIFY] = op_verify,
    [OP_RETURN] = op_return,
    [OP_TOALTSTACK... OP_FROMALTSTACK] = op_alt_stack,
    [OP_2DROP] = op_drop,
    [OP_2DUP... OP_3DUP] = op_dup,
    [OP_2OVER] = op_over,
    [OP_2ROT... OP_2SWAP] = op_rotate,
    [OP_IFDUP] = op_ifdup,
    [OP_DEPTH] = op_depth,
    [OP_DROP] = op_drop,
    [OP_DUP] = op_dup,
    [OP_NIP] = op_nip,
    [OP_OVER] = op_over,
    [OP_PICK... OP_ROLL] = op_pick_roll,
    [OP_ROT... OP_SWAP] = op_rotate,
    [OP_TUCK] = op_tuck,
    [OP_SIZE] = op_size,
    [OP_EQUAL... OP_EQUALVERIFY] = op_equal,
    [OP_1ADD... OP_1SUB] = op_unary,
    [OP_NEGATE... OP_0NOTEQUAL] = op_unary,
    [OP_ADD... OP_SUB] = op_binary,
    [OP_BOOLAND... OP_MAX] = op_binary,
    [OP_WITHIN] = op_within,
    [OP_RIPEMD160... OP_HASH256] = op_hash,
    [OP_CODESEPARATOR] = op_codeseparator,
    [OP_CHECKSIG... OP_CHECKSIGVERIFY] = op_checksig,
    [OP_CHECKMULTISIG... OP_CHECKMULTISIGVERIFY] = op_checkmultisig,
    [OP_NOP1] = op_nop_upgradable,
    [OP_CHECKLOCKTIMEVERIFY] = op_lock_time,
    [OP_CHECKSEQUENCEVERIFY] = op_sequence,
    [OP_NOP4... OP_NOP10] = op_nop_upgradable,
    [OP_CHECKSIGADD] = op_checksigadd,
};

/* Opcodes that fail a script by standing in it, executed or not (CVE-2010-5137). */
static bool is_disabled(uint8_t op)
{
    return (op >= OP_CAT && op <= OP_RIGHT) || (op >= OP_INVERT && op <= OP_XOR) || op == OP_2MUL || op == OP_2DIV ||
           (op >= OP_MUL && op <= OP_RSHIFT);
}

bool opcode_is_success(uint8_t op)
{
    return op == OP_RESERVED || op == OP_VER || (op >= OP_CAT && op <= OP_RIGHT) || (op >= OP_INVERT && op <= OP_XOR) ||
           (op >= OP_RESERVED1 && op <= OP_RESERVED2) || (op >= OP_2MUL && op <= OP_2DIV) || (op >= OP_MUL && op <= OP_RSHIFT) ||
           (op > OP_CHECKSIGADD && op < OP_INVALIDOPCODE);
}

/* BIP62 rule 3: the shortest opcode for the data. */
static bool is_minimal_push(uint8_t op, const uint8_t *data, size_t len)
{
    if (len == 0)
        return op == OP_0;
    if (len == 1 && ((data[0] >= 1 && data[0] <= 16) || data[0] == 0x81))
        return false; /* has an opcode of its own */
    if (len < OP_PUSHDATA1)
        return op == len;
    if (len <= 0xff)
        return op == OP_PUSHDATA1;
    return len > 0xffff || op == OP_PUSHDATA2;
}

bool vm_number(struct vm *vm, int64_t *out, uint32_t below, size_t max_len)
{
    const struct stack_item *it = stack_at(&vm->stack, below);

    if (script_number_decode(out, item_data(it), it->len, max_len, vm->flags & SCRIPT_VERIFY_MINIMALDATA))
        return true;
    return vm_fail(vm, SCRIPT_ERR_SCRIPTNUM);
}

/* Limits and bans that hold for operations in branches not taken, too. */
static bool check_operation(struct vm *vm, uint8_t op, size_t push_len)
{
    if (push_len > MAX_SCRIPT_ELEMENT_SIZE)
        return vm_fail(vm, SCRIPT_ERR_PUSH_SIZE);
    if (op <= OP_16)
        return true;
    if (vm->version != SIG_TAPSCRIPT && ++vm->op_count > MAX_OPS_PER_SCRIPT)
        return vm_fail(vm, SCRIPT_ERR_OP_COUNT);
    if (is_disabled(op))
        return vm_fail(vm, SCRIPT_ERR_DISABLED_OPCODE);
    if (op == OP_CODESEPARATOR && vm->version == SIG_LEGACY && (vm->flags & SCRIPT_VERIFY_CONST_SCRIPTCODE))
        return vm_fail(vm, SCRIPT_ERR_OP_CODESEPARATOR);
    return true;
}

static bool vm_step(struct vm *vm)
{
    const bool active = vm->if_false == IF_ALL_TRUE;
    const uint8_t *data;
    size_t len;
    uint8_t op;

    if (!script_next(&vm->pos, vm->end, &op, &data, &len))
        return vm_fail(vm, SCRIPT_ERR_BAD_OPCODE);
    if (!check_operation(vm, op, len))
        return false;
    if (op <= OP_PUSHDATA4) {
        if (active && (vm->flags & SCRIPT_VERIFY_MINIMALDATA) && !is_minimal_push(op, data, len))
            return vm_fail(vm, SCRIPT_ERR_MINIMALDATA);
        if (active)
            stack_push_ref(&vm->stack, data, len);
    } else if (active || (op >= OP_IF && op <= OP_ENDIF)) {
        if (!operations[op])
            return vm_fail(vm, SCRIPT_ERR_BAD_OPCODE);
        if (!operations[op](vm, op))
            return false;
    }
    if (vm->stack.len + vm->alt.len > MAX_STACK_SIZE)
        return vm_fail(vm, SCRIPT_ERR_STACK_SIZE);
    return true;
}

bool vm_run(struct vm *vm, const uint8_t *script, size_t len, enum sig_version version)
{
    bool ok = true;

    if (version != SIG_TAPSCRIPT && len > MAX_SCRIPT_SIZE)
        return vm_fail(vm, SCRIPT_ERR_SCRIPT_SIZE);
    vm->version = version;
    vm->pos = vm->code = script;
    vm->end = script + len;
    vm->op_index = 0;
    vm->op_count = 0;
    vm->if_depth = 0;
    vm->if_false = IF_ALL_TRUE;
    vm->tap.codesep_pos = 0xffffffff;
    stack_init(&vm->alt);
    for (; ok && vm->pos < vm->end; vm->op_index++)
        ok = vm_step(vm);
    stack_clear(&vm->alt);
    if (!ok)
        return false;
    return vm->if_depth == 0 || vm_fail(vm, SCRIPT_ERR_UNBALANCED_CONDITIONAL);
}
