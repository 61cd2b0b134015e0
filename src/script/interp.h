/* interp.h - one evaluation of scripts: the machine that interp.c steps and that the operations (ops_*.c) work on. Lives on the stack of
 * the thread that verifies an input. */
#ifndef FARTHING_SCRIPT_INTERP_H
#define FARTHING_SCRIPT_INTERP_H

#include "script/checksig.h"
#include "script/script.h"
#include "script/stack.h"

enum sig_version { SIG_LEGACY, SIG_V0, SIG_TAPSCRIPT };

struct vm {
    /* for all scripts of the input */
    uint32_t flags; /* enum script_flag */
    enum script_error err;
    struct stack stack;
    struct sig_context sig;
    /* tapscript only */
    struct sighash_v1_ctx tap;
    int64_t weight_left; /* BIP342 budget */
    /* of the script that runs now */
    enum sig_version version;
    const uint8_t *pos, *end;
    const uint8_t *code; /* behind the last OP_CODESEPARATOR */
    uint32_t op_index;
    int op_count;
    uint32_t if_depth;
    uint32_t if_false; /* depth of the outermost branch not taken, IF_ALL_TRUE if all are */
    struct stack alt;
};

#define IF_ALL_TRUE UINT32_MAX

static inline bool vm_fail(struct vm *vm, enum script_error err)
{
    vm->err = err;
    return false;
}
/** Fails with INVALID_STACK_OPERATION unless the stack has n elements. */
static inline bool vm_needs(struct vm *vm, uint32_t n)
{
    return vm->stack.len >= n || vm_fail(vm, SCRIPT_ERR_INVALID_STACK_OPERATION);
}
/** Reads a number of at most max_len bytes from the stack, fails with SCRIPTNUM. */
bool vm_number(struct vm *vm, int64_t *out, uint32_t below, size_t max_len);
/** Ends an operation that pushes its result, or with `verify` demands it and fails with err. */
static inline bool vm_result(struct vm *vm, bool ok, bool verify, enum script_error err)
{
    if (!verify)
        stack_push_bool(&vm->stack, ok);
    else if (!ok)
        return vm_fail(vm, err);
    return true;
}

/** Fails if signature or key break an encoding rule that the flags ask for. */
bool vm_check_encodings(struct vm *vm, const struct stack_item *sig, const struct stack_item *key);
/** Runs one script on the machine's stack. Returns: false with vm->err. */
bool vm_run(struct vm *vm, const uint8_t *script, size_t len, enum sig_version version);
/** BIP342 OP_SUCCESSx. */
bool opcode_is_success(uint8_t op);

/* Whether input n meets an absolute (BIP65) or a relative lock (BIP112; bit 31 not set). */
bool lock_time_reached(const struct tx *tx, uint32_t n, int64_t wanted);
bool sequence_reached(const struct tx *tx, uint32_t n, int64_t wanted);

/* An operation: opcode groups share one function. */
typedef bool (*op_fn)(struct vm *vm, uint8_t op);
bool op_push_small(struct vm *vm, uint8_t op);
bool op_nop(struct vm *vm, uint8_t op);
bool op_nop_upgradable(struct vm *vm, uint8_t op);
bool op_if(struct vm *vm, uint8_t op);
bool op_else(struct vm *vm, uint8_t op);
bool op_endif(struct vm *vm, uint8_t op);
bool op_verify(struct vm *vm, uint8_t op);
bool op_return(struct vm *vm, uint8_t op);
bool op_lock_time(struct vm *vm, uint8_t op);
bool op_sequence(struct vm *vm, uint8_t op);

bool op_alt_stack(struct vm *vm, uint8_t op);
bool op_drop(struct vm *vm, uint8_t op);
bool op_dup(struct vm *vm, uint8_t op);
bool op_over(struct vm *vm, uint8_t op);
bool op_rotate(struct vm *vm, uint8_t op);
bool op_ifdup(struct vm *vm, uint8_t op);
bool op_depth(struct vm *vm, uint8_t op);
bool op_nip(struct vm *vm, uint8_t op);
bool op_pick_roll(struct vm *vm, uint8_t op);
bool op_tuck(struct vm *vm, uint8_t op);
bool op_size(struct vm *vm, uint8_t op);
bool op_equal(struct vm *vm, uint8_t op);

bool op_unary(struct vm *vm, uint8_t op);
bool op_binary(struct vm *vm, uint8_t op);
bool op_within(struct vm *vm, uint8_t op);

bool op_hash(struct vm *vm, uint8_t op);
bool op_codeseparator(struct vm *vm, uint8_t op);
bool op_checksig(struct vm *vm, uint8_t op);
bool op_checksigadd(struct vm *vm, uint8_t op);
bool op_checkmultisig(struct vm *vm, uint8_t op);

#endif
