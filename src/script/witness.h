/* witness.h - witness programs (BIP141, BIP341), run on a machine whose stack is free for them. Private to verify.c. */
#ifndef FARTHING_SCRIPT_WITNESS_H
#define FARTHING_SCRIPT_WITNESS_H

#include "script/interp.h"

struct witness_program {
    int version;
    const uint8_t *data;
    size_t len;
    bool p2sh; /* stands in a redeem script */
};

/** Verifies the input's witness against a program. Returns: false with vm->err. */
bool witness_verify(struct vm *vm, const struct witness_program *program);

#endif
