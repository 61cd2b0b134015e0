/* mining_priv.h - what mining.c, template.c and generate.c share. */
#ifndef FARTHING_RPC_MINING_PRIV_H
#define FARTHING_RPC_MINING_PRIV_H

#include "mining/mining.h"
#include "primitives/serialize.h"
#include "rpc/priv.h"

struct submit_op {
    struct chain *chain;
    struct block *block;
    struct verdict verdict;
    bool done, is_new, connected;
};
/** Validation thread: submits op->block and waits for its verdict. arg: struct submit_op. */
void rpc_submit_on_validation(void *arg);
void rpc_mining_options(struct mining_options *o, const struct rpc_host *host);
/** The templates that all calls share. */
struct template_cache *rpc_template_cache(const struct rpc_call *call);
/** Writes a template as the result. Pool threads. */
void rpc_write_template(struct rpc_call *call, struct block_template *t);
/** NULL if the hex is no block. */
struct block *rpc_decode_block(const char *hex);
/** null, the reject reason, or an error. */
void rpc_bip22_result(struct rpc_call *call, const struct verdict *v);

#endif
