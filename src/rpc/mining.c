/* mining.c - submitblock, submitheader, and what miners ask about. Blocks go to the validation thread; a pool thread waits for the verdict. */
#include <stdlib.h>

#include "consensus/check.h"
#include "policy/policy.h"
#include "rpc/mining_priv.h"
#include "rpc/server_priv.h"

void rpc_mining_options(struct mining_options *o, const struct rpc_host *host)
{
    const struct args *a = host->args;
    int64_t rate;

    if (host->mining) {
        *o = *host->mining;
        return;
    }
    memset(o, 0, sizeof(*o));
    o->max_weight = a ? args_int(a, "blockmaxweight", MAX_BLOCK_WEIGHT) : MAX_BLOCK_WEIGHT;
    o->reserved_weight = a ? args_int(a, "blockreservedweight", 8000) : 8000;
    o->min_fee_rate = 1;
    if (a && args_is_set(a, "blockmintxfee") && parse_fixed_point(&rate, args_str(a, "blockmintxfee", "0"), 8))
        o->min_fee_rate = rate;
    o->version = a ? (int32_t)args_int(a, "blockversion", 0) : 0;
}

double rpc_network_hashps(struct rpc_call *call, int64_t lookup, int64_t height)
{
    const struct block_entry *tip = chain_tip(call->host->chain);
    const struct header_node *last = height >= 0 ? header_node_ancestor(&tip->node, (int32_t)height) : &tip->node, *first;
    int64_t interval = call->host->params->pow_timespan / call->host->params->pow_spacing, least, most;

    if (!last || last->height == 0)
        return 0;
    if (lookup == -1)
        lookup = last->height % interval + 1;
    if (lookup > last->height)
        lookup = last->height;
    first = last;
    least = most = first->time;
    for (int64_t i = 0; i < lookup; i++) {
        first = first->prev;
        least = first->time < least ? first->time : least;
        most = first->time > most ? first->time : most;
    }
    if (least == most)
        return 0;
    return u256_to_double(u256_sub(last->chain_work, first->chain_work)) / (double)(most - least);
}

static void getnetworkhashps(struct rpc_call *call)
{
    int64_t lookup, height, tip = chain_height(call->host->chain);

    if (!rpc_int(call, &lookup, 0, 120) || !rpc_int(call, &height, 1, -1))
        return;
    if (lookup < -1 || lookup == 0)
        rpc_error(call, RPC_INVALID_PARAMETER, "Invalid nblocks. Must be a positive number or -1.");
    else if (height < -1 || height > tip)
        rpc_error(call, RPC_INVALID_PARAMETER, "Block does not exist at specified height");
    else
        jw_double(&call->out, rpc_network_hashps(call, lookup, height));
}

struct pool_size {
    struct mempool *mempool;
    size_t n;
};

static void count_pool(void *arg)
{
    struct pool_size *p = arg;

    p->n = mempool_count(p->mempool);
}

static void write_next(struct rpc_call *call, const struct block_entry *tip)
{
    struct json_writer *j = &call->out;
    int64_t now = time_now(), least = mining_min_time(call->host->params, &tip->node);
    uint32_t bits = next_work_required(call->host->params, &tip->node, (uint32_t)(now > least ? now : least));

    jw_key(j, "next");
    jw_obj_begin(j);
    jw_kv_int(j, "height", tip->node.height + 1);
    jw_kv_hex32(j, "bits", bits);
    jw_kv_double(j, "difficulty", difficulty_from_bits(bits));
    jw_kv_str(j, "target", rpc_target_hex(bits).s);
    jw_obj_end(j);
}

static void getmininginfo(struct rpc_call *call)
{
    const struct block_entry *tip = chain_tip(call->host->chain);
    struct pool_size p = {call->host->mempool, 0};
    struct json_writer *j = &call->out;
    struct mining_options o;
    size_t n_txs;
    int64_t weight;

    if (!rpc_need_mempool(call) || !rpc_on_validation(call, count_pool, &p))
        return;
    rpc_mining_options(&o, call->host);
    jw_obj_begin(j);
    jw_kv_int(j, "blocks", tip->node.height);
    if (template_cache_last(rpc_template_cache(call), &n_txs, &weight)) {
        jw_kv_int(j, "currentblockweight", weight);
        jw_kv_uint(j, "currentblocktx", n_txs);
    }
    jw_kv_hex32(j, "bits", tip->node.bits);
    jw_kv_double(j, "difficulty", difficulty_from_bits(tip->node.bits));
    jw_kv_str(j, "target", rpc_target_hex(tip->node.bits).s);
    jw_kv_double(j, "networkhashps", rpc_network_hashps(call, 120, -1));
    jw_kv_uint(j, "pooledtx", p.n);
    jw_kv_amount(j, "blockmintxfee", o.min_fee_rate);
    jw_kv_str(j, "chain", call->host->params->name);
    write_next(call, tip);
    jw_signet_challenge(call);
    jw_warnings(call);
    jw_obj_end(j);
}

/* ---- submitting ---- */

static void note_verdict(void *arg, const struct block_hash *hash, bool is_new, const struct verdict *v)
{
    struct submit_op *op = arg;

    (void)hash;
    op->done = true;
    op->is_new = is_new;
    op->verdict = *v;
}

void rpc_submit_on_validation(void *arg)
{
    struct submit_op *op = arg;
    const struct block_entry *e;
    struct block_hash hash = op->block->hash;
    bool was_connected;

    verdict_init(&op->verdict);
    e = chain_lookup(op->chain, &hash);
    was_connected = e && chain_contains(op->chain, e); /* pruned since: it is stored again, but not judged again */
    chain_process_block(op->chain, op->block, true, true, note_verdict, op);
    chain_drain(op->chain);
    e = chain_lookup(op->chain, &hash);
    op->connected = !was_connected && e && chain_contains(op->chain, e);
}

/* Miners may send a block whose coinbase lacks the witness that the commitment needs (BIP22 before BIP141): it can only be zeroes. */
static struct block *complete_witness(struct rpc_call *call, struct block *b_take)
{
    static const uint8_t zeroes[32];
    const struct witness_item nonce = {zeroes, 32};
    const struct block_entry *prev = chain_lookup(call->host->chain, &b_take->header.prev);
    const struct tx *cb = b_take->n_tx ? &b_take->tx[0] : NULL;
    struct tx_builder builder;
    struct writer w = WRITER_INIT;
    struct block *b;
    struct tx *tx;

    if (!prev || !cb || cb->n_in == 0 || cb->has_witness || block_witness_commitment_index(b_take) < 0 ||
        !deployment_active_after(call->host->params, &prev->node, DEPLOYMENT_SEGWIT))
        return b_take;
    tx_builder_init(&builder, cb->version, cb->lock_time);
    for (uint32_t i = 0; i < cb->n_in; i++)
        tx_builder_add_in(&builder, cb->in[i].prevout, cb->in[i].script, cb->in[i].script_len, cb->in[i].sequence);
    for (uint32_t i = 0; i < cb->n_out; i++)
        tx_builder_add_out(&builder, cb->out[i].value, cb->out[i].script, cb->out[i].script_len);
    tx_builder_set_witness(&builder, 0, &nonce, 1);
    tx = tx_build(&builder);
    tx_builder_clear(&builder);
    write_bytes(&w, b_take->raw, BLOCK_HEADER_SIZE);
    write_compact_size(&w, b_take->n_tx);
    tx_write(&w, tx, true);
    tx_unref(tx);
    for (uint32_t i = 1; i < b_take->n_tx; i++)
        tx_write(&w, &b_take->tx[i], true);
    b = block_decode(w.data, w.len);
    if (!b)
        return b_take;
    block_unref(b_take);
    return b;
}

struct block *rpc_decode_block(const char *hex)
{
    size_t len = strlen(hex) / 2;
    uint8_t *data;

    if (!*hex || !hex_is_valid(hex))
        return NULL;
    data = xmalloc(len);
    hex_decode(data, len, hex);
    return block_decode_front(data, len);
}

void rpc_bip22_result(struct rpc_call *call, const struct verdict *v)
{
    char text[sizeof(struct verdict)];

    if (v->kind == VERDICT_VALID)
        return; /* null */
    if (v->kind == VERDICT_INTERNAL)
        rpc_error(call, RPC_VERIFY_ERROR, "%s", verdict_string(v, text));
    else
        jw_str(&call->out, v->reason[0] ? v->reason : "rejected");
}

static void submitblock(struct rpc_call *call)
{
    struct submit_op op = {.chain = call->host->chain};
    const char *hex;

    if (!rpc_text(call, &hex, 0, ""))
        return;
    op.block = rpc_decode_block(hex);
    if (!op.block) {
        rpc_error(call, RPC_DESERIALIZATION_ERROR, "Block decode failed");
        return;
    }
    op.block = complete_witness(call, op.block);
    if (rpc_on_validation(call, rpc_submit_on_validation, &op)) {
        if (op.done && op.verdict.kind != VERDICT_VALID)
            rpc_bip22_result(call, &op.verdict);
        else if (op.done && !op.is_new)
            jw_str(&call->out, "duplicate");
        else if (!op.connected)
            jw_str(&call->out, "inconclusive");
    }
    block_unref(op.block);
}

/* Of use to miners that build blocks themselves. */
static void signsignetblock(struct rpc_call *call)
{
    struct block *b, *with_solution = NULL;
    struct mining_options o;
    const char *hex;

    rpc_mining_options(&o, call->host);
    if (!rpc_text(call, &hex, 0, ""))
        return;
    if (!o.signet_keys) {
        rpc_error(call, RPC_MISC_ERROR, "This node has no key of a signet (-signetkey)");
        return;
    }
    b = rpc_decode_block(hex);
    if (!b) {
        rpc_error(call, RPC_DESERIALIZATION_ERROR, "Block decode failed");
        return;
    }
    if (b->n_tx)
        with_solution = mining_sign_signet(b, call->host->params, o.signet_keys);
    if (with_solution)
        jw_hex(&call->out, with_solution->raw, with_solution->raw_len);
    else
        rpc_error(call, RPC_VERIFY_ERROR,
                  "The keys of this node do not satisfy the challenge, or the block has no witness commitment");
    block_unref(with_solution);
    block_unref(b);
}

struct header_op {
    struct chain *chain;
    struct block_header header;
    struct verdict verdict;
    bool ok;
};

static void submit_header(void *arg)
{
    struct header_op *op = arg;

    verdict_init(&op->verdict);
    op->ok = chain_accept_headers(op->chain, &op->header, 1, true, NULL, &op->verdict);
}

static void submitheader(struct rpc_call *call)
{
    struct header_op op = {.chain = call->host->chain};
    uint8_t raw[BLOCK_HEADER_SIZE];
    char head[2 * BLOCK_HEADER_SIZE + 1] = "", text[sizeof(struct verdict)];
    const char *hex;

    if (!rpc_text(call, &hex, 0, ""))
        return;
    /* what follows the header, as in a whole block, is not looked at */
    if (strlen(hex) >= 2 * BLOCK_HEADER_SIZE && hex_is_valid(hex)) {
        memcpy(head, hex, 2 * BLOCK_HEADER_SIZE);
        head[2 * BLOCK_HEADER_SIZE] = 0;
    }
    if (!*head || !hex_decode(raw, sizeof(raw), head)) {
        rpc_error(call, RPC_DESERIALIZATION_ERROR, "Block header decode failed");
        return;
    }
    block_header_decode(&op.header, raw);
    if (!chain_lookup(op.chain, &op.header.prev)) {
        rpc_error(call, RPC_VERIFY_ERROR, "Must submit previous header (%s) first", block_hash_hex(&op.header.prev).s);
        return;
    }
    if (!rpc_on_validation(call, submit_header, &op) || op.ok)
        return;
    rpc_error(call, RPC_VERIFY_ERROR, "%s",
              op.verdict.kind == VERDICT_INTERNAL ? verdict_string(&op.verdict, text) : op.verdict.reason);
}

/* ---- priorities ---- */

struct priority_op {
    struct rpc_call *call;
    struct mempool *mempool;
    struct txid id;
    int64_t delta;
};

static void prioritise(void *arg)
{
    struct priority_op *op = arg;
    const struct policy *p = mempool_policy(op->mempool);
    struct mempool_entry e;

    /* Dust is let in only without a fee, so that nobody mines it alone. */
    if (p->require_standard && mempool_get(op->mempool, &e, &op->id) && policy_dust_count(e.tx, p->dust_fee_rate)) {
        rpc_error(op->call, RPC_INVALID_PARAMETER, "Priority is not supported for transactions with dust outputs.");
        return;
    }
    mempool_prioritise(op->mempool, &op->id, op->delta);
    jw_bool(&op->call->out, true);
}

static void prioritisetransaction(struct rpc_call *call)
{
    struct priority_op op = {.call = call, .mempool = call->host->mempool};

    if (!rpc_hash(call, op.id.b, 0, "txid") || !rpc_int64(call, &op.delta, 2, 0) || !rpc_need_mempool(call))
        return;
    if (rpc_has(call, 1) && json_object_get_double(rpc_arg(call, 1)) != 0) {
        rpc_error(call, RPC_INVALID_PARAMETER,
                  "Priority is no longer supported, dummy argument to prioritisetransaction must be 0.");
        return;
    }
    rpc_on_validation(call, prioritise, &op);
}

static void show_priorities(void *arg)
{
    struct rpc_call *call = arg;
    struct mempool *m = call->host->mempool;
    const struct mempool_delta *deltas;
    struct json_writer *j = &call->out;
    size_t n = mempool_deltas(m, &deltas);

    jw_obj_begin(j);
    for (size_t i = 0; i < n; i++) {
        struct mempool_entry e;
        bool there = mempool_get(m, &e, &deltas[i].txid);
        jw_key(j, txid_hex(&deltas[i].txid).s);
        jw_obj_begin(j);
        jw_kv_int(j, "fee_delta", deltas[i].delta);
        jw_kv_bool(j, "in_mempool", there);
        if (there)
            jw_kv_int(j, "modified_fee", e.modified_fee);
        jw_obj_end(j);
    }
    jw_obj_end(j);
}

static void getprioritisedtransactions(struct rpc_call *call)
{
    if (rpc_need_mempool(call))
        rpc_on_validation(call, show_priorities, call);
}

const struct rpc_command rpc_mining_commands[] = {
    {"mining", "getnetworkhashps", getnetworkhashps,
     RPC_PARAMS({"nblocks", RPC_NUM, 0, "120",
                 "The number of previous blocks to calculate estimate from, or -1 for blocks since last difficulty change.", NULL},
                {"height", RPC_NUM, 0, "-1", "To estimate at the time of the given height.", NULL}),
     0,
     "Returns the estimated network hashes per second based on the last n blocks.\n"
     "Pass in [blocks] to override # of blocks, -1 specifies since last difficulty change.\n"
     "Pass in [height] to estimate the network speed at the time when a certain block was found.\n"},
    {"mining", "getmininginfo", getmininginfo, NULL, 0, "Returns a json object containing mining-related information."},
    {"mining", "prioritisetransaction", prioritisetransaction,
     RPC_PARAMS({"txid", RPC_HEX, RPC_REQUIRED, NULL, "The transaction id.", NULL},
                {"dummy", RPC_NUM, 0, NULL, "API-Compatibility for previous API. Must be zero or null.", NULL},
                {"fee_delta", RPC_NUM, RPC_REQUIRED, NULL, "The fee value (in satoshis) to add (or subtract, if negative).", NULL}),
     0, "Accepts the transaction into mined blocks at a higher (or lower) priority\n"},
    {"mining", "getprioritisedtransactions", getprioritisedtransactions, NULL, 0,
     "Returns a map of all user-created (see prioritisetransaction) fee deltas by txid, and whether the tx is present in mempool."},
    {"mining", "submitblock", submitblock,
     RPC_PARAMS({"hexdata", RPC_HEX, RPC_REQUIRED, NULL, "the hex-encoded block data to submit", NULL},
                {"dummy", RPC_STR, 0, "ignored", "dummy value, for compatibility with BIP22. This value is ignored.", NULL}),
     0, "Attempts to submit new block to network.\nSee https://en.bitcoin.it/wiki/BIP_0022 for full specification.\n"},
    {"mining", "submitheader", submitheader,
     RPC_PARAMS({"hexdata", RPC_HEX, RPC_REQUIRED, NULL, "the hex-encoded block header data", NULL}), 0,
     "Decode the given hexdata as a header and submit it as a candidate chain tip if valid.\nThrows when the header is invalid.\n"},
    {"hidden", "signsignetblock", signsignetblock,
     RPC_PARAMS({"hexdata", RPC_HEX, RPC_REQUIRED, NULL, "the hex-encoded block, complete but for its solution and nonce", NULL}),
     0,
     "Adds the solution of the signet's challenge (BIP325) to a block, signed with -signetkey, and returns it: only the nonce may "
     "change "
     "after that."},
    {NULL, NULL, NULL, NULL, 0, NULL}};
