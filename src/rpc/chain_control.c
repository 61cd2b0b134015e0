/* chain_control.c - commands that change or check the chain: invalidate, reconsider, precious, verify, prune. Their work is done on the
 * validation thread while a pool thread waits. */
#include "rpc/priv.h"

struct chain_op {
    struct rpc_call *call;
    const struct block_entry *entry;
    struct verdict verdict;
    enum { OP_INVALIDATE, OP_RECONSIDER, OP_PRECIOUS } kind;
};

static void run_op(void *arg)
{
    struct chain_op *op = arg;
    struct chain *c = op->call->host->chain;
    bool activate = true;

    verdict_init(&op->verdict);
    switch (op->kind) {
    case OP_INVALIDATE:
        activate = op->entry->node.height > 0 && chain_invalidate(c, op->entry, &op->verdict);
        break;
    case OP_RECONSIDER:
        chain_reconsider(c, op->entry);
        break;
    case OP_PRECIOUS:
        activate = chain_precious(c, op->entry, &op->verdict);
        break;
    }
    if (activate && op->verdict.kind == VERDICT_VALID)
        chain_activate_best(c, &op->verdict);
    chain_drain(c);
}

static void change_chain(struct rpc_call *call, int kind)
{
    struct chain_op op = {.call = call, .kind = kind};
    char text[sizeof(struct verdict)];

    op.entry = rpc_block_arg(call, 0, "blockhash");
    if (!op.entry || !rpc_on_validation(call, run_op, &op))
        return;
    if (op.verdict.kind != VERDICT_VALID)
        rpc_error(call, RPC_DATABASE_ERROR, "%s", verdict_string(&op.verdict, text));
}

static void invalidateblock(struct rpc_call *call)
{
    change_chain(call, OP_INVALIDATE);
}
static void reconsiderblock(struct rpc_call *call)
{
    change_chain(call, OP_RECONSIDER);
}
static void preciousblock(struct rpc_call *call)
{
    change_chain(call, OP_PRECIOUS);
}

struct verify_op {
    struct chain *chain;
    int level, blocks;
    enum rc rc;
};

static void run_verify(void *arg)
{
    struct verify_op *op = arg;

    chain_drain(op->chain);
    op->rc = chain_verify(op->chain, op->level, op->blocks);
}

static void verifychain(struct rpc_call *call)
{
    struct verify_op op = {.chain = call->host->chain};
    int64_t level, blocks;

    if (!rpc_int(call, &level, 0, 3) || !rpc_int(call, &blocks, 1, 6))
        return;
    op.level = level < 0 ? 0 : level > 4 ? 4 : (int)level;
    op.blocks = blocks < 0 ? 0 : (int)blocks;
    if (rpc_on_validation(call, run_verify, &op))
        jw_bool(&call->out, op.rc == RC_OK);
}

/* ---- pruning ---- */

struct prune_op {
    struct chain *chain;
    int32_t height, reached;
    enum rc rc;
};

static void run_prune(void *arg)
{
    struct prune_op *op = arg;

    op->rc = chain_prune_to(op->chain, op->height, &op->reached);
}

/* First block of the tip's branch on which that time has been reached. The tip may move meanwhile, its branch stays. */
static const struct block_entry *earliest_at(struct chain *c, int64_t time)
{
    const struct block_entry *tip = chain_tip(c);
    int32_t lo = 0, hi = tip->node.height + 1;

    while (lo < hi) {
        int32_t mid = lo + (hi - lo) / 2;
        if (header_node_ancestor(&tip->node, mid)->time_max < time)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo > tip->node.height ? NULL : entry_of(header_node_ancestor(&tip->node, lo));
}

static void pruneblockchain(struct rpc_call *call)
{
    struct prune_op op = {.chain = call->host->chain};
    int64_t height, least, tip = chain_height(call->host->chain);

    if (!call->host->args || args_int(call->host->args, "prune", 0) <= 0) {
        rpc_error(call, RPC_MISC_ERROR, "Cannot prune blocks because node is not in prune mode.");
        return;
    }
    if (!rpc_int(call, &height, 0, 0))
        return;
    if (height < 0) {
        rpc_error(call, RPC_INVALID_PARAMETER, "Negative block height.");
        return;
    }
    if (height > 1000000000) {
        const struct block_entry *e = earliest_at(call->host->chain, height - 2 * 60 * 60);
        if (!e) {
            rpc_error(call, RPC_INVALID_PARAMETER, "Could not find block with at least the specified timestamp.");
            return;
        }
        height = e->node.height;
    }
    least = args_bool(call->host->args, "fastprune", false) ? 100 : (int64_t)call->host->params->prune_after_height;
    if (tip < least) {
        rpc_error(call, RPC_MISC_ERROR, "Blockchain is too short for pruning.");
        return;
    }
    if (height > tip) {
        rpc_error(call, RPC_INVALID_PARAMETER, "Blockchain is shorter than the attempted prune height.");
        return;
    }
    op.height = (int32_t)(height > tip - 288 ? tip - 288 : height);
    if (!rpc_on_validation(call, run_prune, &op))
        return;
    if (op.rc == RC_OK)
        jw_int(&call->out, op.reached);
    else
        rpc_error(call, RPC_MISC_ERROR, "Cannot prune blocks: %s", rc_name(op.rc));
}

#define BLOCK_PARAM(help) RPC_PARAMS({"blockhash", RPC_HEX, RPC_REQUIRED, NULL, help, NULL})

const struct rpc_command rpc_chain_control_commands[] = {
    {"hidden", "invalidateblock", invalidateblock, BLOCK_PARAM("the hash of the block to mark as invalid"), 0,
     "Permanently marks a block as invalid, as if it violated a consensus rule.\n"},
    {"hidden", "reconsiderblock", reconsiderblock, BLOCK_PARAM("the hash of the block to reconsider"), 0,
     "Removes invalidity status of a block, its ancestors and its descendants, reconsider them for activation.\n"
     "This can be used to undo the effects of invalidateblock.\n"},
    {"blockchain", "preciousblock", preciousblock, BLOCK_PARAM("the hash of the block to mark as precious"), 0,
     "Treats a block as if it were received before others with the same work.\n"
     "\nA later preciousblock call can override the effect of an earlier one.\n"
     "\nThe effects of preciousblock are not retained across restarts.\n"},
    {"blockchain", "verifychain", verifychain,
     RPC_PARAMS({"checklevel", RPC_NUM, 0, "3, range=0-4", "How thorough the block verification is.", NULL},
                {"nblocks", RPC_NUM, 0, "6, 0=all", "The number of blocks to check.", NULL}),
     0, "Verifies blockchain database.\n"},
    {"blockchain", "pruneblockchain", pruneblockchain,
     RPC_PARAMS({"height", RPC_NUM, RPC_REQUIRED, NULL,
                 "The block height to prune up to. May be set to a discrete height, or to a UNIX epoch time to prune blocks whose "
                 "block time is "
                 "at least 2 hours older than the provided timestamp.",
                 NULL}),
     0,
     "Attempts to delete block and undo data up to a specified height or timestamp, if eligible for pruning.\n"
     "Requires `-prune` to be enabled at startup.\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
