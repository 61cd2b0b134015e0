/* find_delete.h - the removal of signatures from a legacy script code. Private to the signature operations. */
#ifndef FARTHING_SCRIPT_FIND_DELETE_H
#define FARTHING_SCRIPT_FIND_DELETE_H

#include "script/sighash_memo.h"

/* A script code under work: borrowed until something is taken out of it. */
struct code_edit {
    struct script_code code;
    uint8_t *owned; /* free() it when done; NULL while borrowed */
};

/** Takes each push of this signature out of the code where it stands at an operation's start. Returns: true if there was one. */
bool code_delete_push(struct code_edit *e, const uint8_t *sig, size_t sig_len);

#endif
