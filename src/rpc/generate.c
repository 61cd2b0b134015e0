/* generate.c - mining on test networks: generatetoaddress, generatetodescriptor, generateblock. Templates and blocks pass through the validation
 * thread; the search for a nonce runs on the pool thread. */
#include <stdlib.h>

#include "descriptor/descriptor.h"
#include "rpc/mining_priv.h"

#define DEFAULT_MAX_TRIES 1000000

struct payee {
    uint8_t *script;
    size_t len;
};

static bool payee_from_address(struct payee *p, const char *text, const struct chain_params *params)
{
    p->script = xmalloc(ADDRESS_SCRIPT_MAX);
    if (address_decode(p->script, &p->len, NULL, text, &params->address))
        return true;
    free(p->script);
    p->script = NULL;
    return false;
}

/* Returns: false with *error (to free) if it is no descriptor, or with the call's error set if it is one that cannot be mined to. */
static bool payee_from_descriptor(struct rpc_call *call, struct payee *p, const char *text, char **error)
{
    struct descriptor *d = descriptor_parse(text, call->host->params, false, error);
    struct descriptor_scripts scripts;

    if (!d)
        return false;
    if (descriptor_paths(d) > 1) {
        rpc_error(call, RPC_INVALID_PARAMETER, "Multipath descriptor not accepted");
    } else if (descriptor_is_range(d)) {
        rpc_error(call, RPC_INVALID_PARAMETER, "Ranged descriptor not accepted. Maybe pass through deriveaddresses first?");
    } else if (!descriptor_expand(&scripts, NULL, d, 0, 0, false)) {
        rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Cannot derive script without private keys");
    } else {
        unsigned pick = scripts.n == 4 ? 2 : scripts.n == 2; /* combo: P2WPKH, or P2PKH for an uncompressed key */
        if (scripts.n) {
            p->script = xmemdup(scripts.script[pick].bytes, scripts.script[pick].len);
            p->len = scripts.script[pick].len;
        } else {
            rpc_error(call, RPC_INVALID_PARAMETER, "Descriptor has no scripts");
        }
        descriptor_scripts_clear(&scripts);
    }
    descriptor_free(d);
    return p->script != NULL;
}

struct build_op {
    struct rpc_call *call;
    const struct payee *payee;
    bool listed; /* exactly these transactions */
    struct tx **txs;
    struct json_object *names; /* of txs, where an id was given */
    size_t n;
    struct block *block;
    struct verdict verdict;
};

/* Transactions given by id come out of the pool. */
static bool look_up_listed(struct build_op *op)
{
    for (size_t i = 0; i < op->n; i++) {
        struct mempool_entry e;
        struct txid id;
        const char *text = json_object_get_string(json_object_array_get_idx(op->names, i));
        if (op->txs[i])
            continue;
        hash_from_hex(id.b, text);
        if (!op->call->host->mempool || !mempool_get(op->call->host->mempool, &e, &id))
            return rpc_error(op->call, RPC_INVALID_ADDRESS_OR_KEY, "Transaction %s not in mempool.", text);
        op->txs[i] = tx_ref(e.tx);
    }
    return true;
}

static void build_block(void *arg)
{
    struct build_op *op = arg;
    const struct rpc_host *host = op->call->host;
    struct mining_options o;
    struct block_template *t;

    rpc_mining_options(&o, host);
    chain_drain(host->chain);
    verdict_init(&op->verdict);
    if (op->listed && !look_up_listed(op))
        return;
    t = op->listed ? mining_template_of(host->chain, op->txs, op->n, &o) : mining_template(host->chain, host->mempool, &o);
    if (!t)
        return;
    /* the transactions of a list were not chosen */
    template_cache_note(rpc_template_cache(op->call), op->listed ? 0 : t->n_txs, op->listed ? o.reserved_weight : t->weight);
    op->block = mining_build(t, host->params, op->payee->script, op->payee->len, 0);
    block_template_free(t);
    if (op->listed && op->block)
        chain_test_block(host->chain, op->block, false, false, &op->verdict);
}

/* Returns: false with the error set if the chain did not take it. */
static bool submit(struct rpc_call *call, struct block *b)
{
    struct submit_op op = {.chain = call->host->chain, .block = b};

    if (!rpc_on_validation(call, rpc_submit_on_validation, &op))
        return false;
    if (!op.done || op.verdict.kind != VERDICT_VALID)
        return rpc_error(call, RPC_INTERNAL_ERROR, "ProcessNewBlock, block not accepted");
    return true;
}

static void generate_to(struct rpc_call *call, const struct payee *payee, int64_t count, uint64_t tries)
{
    struct json_writer *j = &call->out;

    jw_arr_begin(j);
    while (count > 0 && !rpc_stopping(call) && !call->code) {
        struct build_op op = {.call = call, .payee = payee};
        struct block *solved;
        if (!rpc_on_validation(call, build_block, &op))
            return;
        if (!op.block) {
            rpc_error(call, RPC_INTERNAL_ERROR, "Unable to make a block template");
            return;
        }
        solved = mining_solve(op.block, call->host->params, &tries, call->host->interrupt);
        block_unref(op.block);
        if (!solved && tries > 0 && !rpc_stopping(call))
            continue; /* no nonce fits: the next template has another time */
        if (!solved)
            break;
        if (submit(call, solved)) {
            jw_hash(j, solved->hash.b);
            count--;
        }
        block_unref(solved);
    }
    jw_arr_end(j);
}

static bool read_tries(struct rpc_call *call, uint64_t *tries)
{
    int64_t n;

    *tries = 0;
    if (!rpc_int64(call, &n, 2, DEFAULT_MAX_TRIES))
        return false;
    if (n < 0)
        return rpc_error(call, RPC_MISC_ERROR, "JSON integer out of range");
    *tries = (uint64_t)n;
    return true;
}

static void generatetoaddress(struct rpc_call *call)
{
    struct payee payee = {NULL, 0};
    const char *text;
    uint64_t tries = 0;
    int64_t count;

    if (!rpc_int(call, &count, 0, 0) || !read_tries(call, &tries) || !rpc_text(call, &text, 1, ""))
        return;
    if (payee_from_address(&payee, text, call->host->params))
        generate_to(call, &payee, count, tries);
    else
        rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Error: Invalid address");
    free(payee.script);
}

static void generatetodescriptor(struct rpc_call *call)
{
    struct payee payee = {NULL, 0};
    const char *text;
    char *error = NULL;
    uint64_t tries = 0;
    int64_t count;

    if (!rpc_int(call, &count, 0, 0) || !read_tries(call, &tries) || !rpc_text(call, &text, 1, ""))
        return;
    if (payee_from_descriptor(call, &payee, text, &error))
        generate_to(call, &payee, count, tries);
    else
        rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "%s", error ? error : "");
    free(error);
    free(payee.script);
}

/* ---- generateblock ---- */

static bool read_listed(struct rpc_call *call, struct build_op *op, struct json_object *list)
{
    op->names = list;
    op->n = json_object_array_length(list);
    op->txs = xcalloc(op->n + 1, sizeof(*op->txs));
    for (size_t i = 0; i < op->n; i++) {
        struct json_object *v = json_object_array_get_idx(list, i);
        uint8_t id[32];
        if (!rpc_want(call, v, RPC_STR))
            return false;
        if (hash_from_hex(id, json_object_get_string(v)))
            continue;
        op->txs[i] = rpc_decode_tx(json_object_get_string(v), false, true);
        if (!op->txs[i])
            return rpc_error(call, RPC_DESERIALIZATION_ERROR,
                             "Transaction decode failed for %s. Make sure the tx has at least one input.",
                             json_object_get_string(v));
    }
    return true;
}

static void solve_listed(struct rpc_call *call, const struct build_op *op, bool send)
{
    uint64_t tries = DEFAULT_MAX_TRIES;
    struct block *solved;
    char text[sizeof(struct verdict)];

    if (op->verdict.kind != VERDICT_VALID) {
        rpc_error(call, RPC_VERIFY_ERROR, "TestBlockValidity failed: %s", verdict_string(&op->verdict, text));
        return;
    }
    solved = mining_solve(op->block, call->host->params, &tries, call->host->interrupt);
    if (!solved) {
        rpc_error(call, RPC_MISC_ERROR, "Failed to make block.");
        return;
    }
    if (!send || submit(call, solved)) {
        jw_obj_begin(&call->out);
        jw_kv_hash(&call->out, "hash", solved->hash.b);
        if (!send)
            jw_kv_hex(&call->out, "hex", solved->raw, solved->raw_len);
        jw_obj_end(&call->out);
    }
    block_unref(solved);
}

static void generateblock(struct rpc_call *call)
{
    struct payee payee = {NULL, 0};
    struct build_op op = {.call = call, .payee = &payee, .listed = true};
    const char *text;
    char *error = NULL;
    bool send;

    if (!rpc_text(call, &text, 0, "") || !rpc_flag(call, &send, 2, true))
        return;
    if (!payee_from_descriptor(call, &payee, text, &error) && !call->code && !payee_from_address(&payee, text, call->host->params))
        rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Error: Invalid address or descriptor");
    free(error);
    if (!call->code && read_listed(call, &op, rpc_arg(call, 1)) && rpc_on_validation(call, build_block, &op) && !call->code) {
        if (op.block)
            solve_listed(call, &op, send);
        else
            rpc_error(call, RPC_INTERNAL_ERROR, "Unable to make a block template");
    }
    for (size_t i = 0; i < op.n; i++)
        tx_unref(op.txs[i]);
    free(op.txs);
    block_unref(op.block);
    free(payee.script);
}

static void generate(struct rpc_call *call)
{
    rpc_error_usage(call, RPC_METHOD_NOT_FOUND);
}

#define TRIES_PARAM                                                                                                                \
    {                                                                                                                              \
        "maxtries", RPC_NUM, 0, "1000000", "How many iterations to try.", NULL                                                     \
    }

const struct rpc_command rpc_generate_commands[] = {
    {"hidden", "generatetoaddress", generatetoaddress,
     RPC_PARAMS({"nblocks", RPC_NUM, RPC_REQUIRED, NULL, "How many blocks are generated.", NULL},
                {"address", RPC_STR, RPC_REQUIRED, NULL, "The address to send the newly generated bitcoin to.", NULL}, TRIES_PARAM),
     0, "Mine to a specified address and return the block hashes."},
    {"hidden", "generatetodescriptor", generatetodescriptor,
     RPC_PARAMS({"num_blocks", RPC_NUM, RPC_REQUIRED, NULL, "How many blocks are generated.", NULL},
                {"descriptor", RPC_STR, RPC_REQUIRED, NULL, "The descriptor to send the newly generated bitcoin to.", NULL},
                TRIES_PARAM),
     0, "Mine to a specified descriptor and return the block hashes."},
    {"hidden", "generateblock", generateblock,
     RPC_PARAMS(
         {"output", RPC_STR, RPC_REQUIRED, NULL, "The address or descriptor to send the newly generated bitcoin to.", NULL},
         {"transactions", RPC_ARR, RPC_REQUIRED, NULL,
          "An array of hex strings which are either txids or raw transactions. Txids must reference transactions currently in the "
          "mempool. "
          "All transactions must be valid and in valid order, otherwise the block will be rejected.",
          "[\"rawtx/txid\",...]"},
         {"submit", RPC_BOOL, 0, "true", "Whether to submit the block before the RPC call returns or to return it as hex.", NULL}),
     0,
     "Mine a set of ordered transactions to a specified address or descriptor and return the block hash.\n"
     "Transaction fees are not collected in the block reward."},
    {"hidden", "generate", generate, NULL, RPC_INLINE,
     "has been replaced by the -generate cli option. Refer to -help for more information."},
    {NULL, NULL, NULL, NULL, 0, NULL}};
