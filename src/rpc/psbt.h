/* psbt.h - what the psbt*.c files share. */
#ifndef FARTHING_RPC_PSBT_H
#define FARTHING_RPC_PSBT_H

#include "psbt/psbt.h"
#include "rpc/priv.h"

/** Reads base64. Returns: NULL with the error set. */
struct psbt *rpc_psbt_of(struct rpc_call *call, struct json_object *text);
/** Writes a PSBT as base64, a JSON string. */
void jw_psbt(struct json_writer *j, const struct psbt *p);

#endif
