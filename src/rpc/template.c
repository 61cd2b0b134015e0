/* template.c - getblocktemplate (BIP22, BIP23, BIP9, BIP145): templates, long polling, proposals. The template is made on the validation thread;
 * a long poll holds no thread. */
#include <stdio.h>
#include <stdlib.h>

#include "rpc/mining_priv.h"
#include "rpc/server_priv.h"

#define LONG_POLL_MS 60000

struct template_op {
    struct rpc_call *call;
    struct block_template *t;
    uint64_t sequence;
};

static void make_template(void *arg)
{
    struct template_op *op = arg;
    struct mining_options o;
    struct mempool_stats s = {0};

    rpc_mining_options(&o, op->call->host);
    op->t = mining_template(op->call->host->chain, op->call->host->mempool, &o);
    rpc_note_template(op->call, op->t);
    if (op->call->host->mempool)
        mempool_stats(op->call->host->mempool, &s);
    op->sequence = s.sequence;
}

static bool has_rule(struct rpc_call *call, const char *rule)
{
    struct json_object *rules = rpc_member(rpc_arg(call, 0), "rules");

    if (!json_object_is_type(rules, json_type_array))
        return false;
    for (size_t i = 0; i < json_object_array_length(rules); i++) {
        struct json_object *v = json_object_array_get_idx(rules, i);
        if (json_object_is_type(v, json_type_string) && strcmp(json_object_get_string(v), rule) == 0)
            return true;
    }
    return false;
}

static void write_transactions(struct json_writer *j, const struct block_template *t)
{
    jw_key(j, "transactions");
    jw_arr_begin(j);
    for (size_t i = 0; i < t->n_txs; i++) {
        const struct tx *tx = t->txs[i].tx;
        jw_obj_begin(j);
        jw_kv_hex(j, "data", tx->raw, tx->raw_len);
        jw_kv_hash(j, "txid", tx->txid.b);
        jw_kv_hash(j, "hash", tx->wtxid.b);
        jw_key(j, "depends");
        jw_arr_begin(j);
        for (uint32_t n = 0; n < tx->n_in; n++) {
            for (size_t k = 0; k < i; k++) {
                if (txid_equal(&tx->in[n].prevout.txid, &t->txs[k].tx->txid)) {
                    jw_uint(j, k + 1);
                    break;
                }
            }
        }
        jw_arr_end(j);
        jw_kv_int(j, "fee", t->txs[i].fee);
        jw_kv_int(j, "sigops", t->segwit_active ? t->txs[i].sigop_cost : t->txs[i].sigop_cost / WITNESS_SCALE_FACTOR);
        jw_kv_int(j, "weight", tx_weight(tx));
        jw_obj_end(j);
    }
    jw_arr_end(j);
}

/* Signalling by version bits. Returns: the version to show. */
static int32_t write_rules(struct rpc_call *call, const struct block_template *t)
{
    const struct chain_params *p = call->host->params;
    struct json_writer *j = &call->out;
    uint32_t version = (uint32_t)t->version;

    for (int d = 0; d < DEPLOYMENT_BIP9_COUNT; d++) {
        enum bip9_state s = chain_bip9_state(call->host->chain, t->prev, (enum bip9_deployment_id)d);
        if (s == BIP9_LOCKED_IN)
            version |= 1u << p->bip9[d].bit;
    }
    jw_kv_int(j, "version", (int32_t)version);
    jw_key(j, "rules");
    jw_arr_begin(j);
    jw_str(j, "csv");
    if (t->segwit_active) {
        jw_str(j, "!segwit");
        jw_str(j, "taproot");
    }
    if (p->signet)
        jw_str(j, "!signet");
    for (int d = 0; d < DEPLOYMENT_BIP9_COUNT; d++) {
        if (chain_bip9_state(call->host->chain, t->prev, (enum bip9_deployment_id)d) == BIP9_ACTIVE)
            jw_str(j, p->bip9[d].name);
    }
    jw_arr_end(j);
    jw_key(j, "vbavailable");
    jw_obj_begin(j);
    for (int d = 0; d < DEPLOYMENT_BIP9_COUNT; d++) {
        enum bip9_state s = chain_bip9_state(call->host->chain, t->prev, (enum bip9_deployment_id)d);
        if (s == BIP9_STARTED || s == BIP9_LOCKED_IN)
            jw_kv_int(j, p->bip9[d].name, p->bip9[d].bit);
    }
    jw_obj_end(j);
    jw_kv_int(j, "vbrequired", 0);
    return (int32_t)version;
}

static void write_limits(struct json_writer *j, const struct block_template *t)
{
    static const char *const mutable_parts[] = {"time", "transactions", "prevblock"};
    int64_t part = t->segwit_active ? 1 : WITNESS_SCALE_FACTOR;

    jw_kv_int(j, "mintime", t->min_time);
    jw_key(j, "mutable");
    jw_arr_begin(j);
    for (size_t i = 0; i < ARRAY_LEN(mutable_parts); i++)
        jw_str(j, mutable_parts[i]);
    jw_arr_end(j);
    jw_kv_str(j, "noncerange", "00000000ffffffff");
    jw_kv_int(j, "sigoplimit", MAX_BLOCK_SIGOPS_COST / part);
    jw_kv_int(j, "sizelimit", MAX_BLOCK_SERIALIZED_SIZE / part);
    if (t->segwit_active)
        jw_kv_int(j, "weightlimit", MAX_BLOCK_WEIGHT);
}

static void write_template(struct rpc_call *call, const struct block_template *t, uint64_t sequence)
{
    struct json_writer *j = &call->out;
    int64_t now = time_now();
    char *id;

    jw_obj_begin(j);
    jw_key(j, "capabilities");
    jw_arr_begin(j);
    jw_str(j, "proposal");
    jw_arr_end(j);
    write_rules(call, t);
    jw_kv_hash(j, "previousblockhash", t->prev->node.hash.b);
    write_transactions(j, t);
    jw_key(j, "coinbaseaux");
    jw_obj_begin(j);
    jw_obj_end(j);
    jw_kv_int(j, "coinbasevalue", t->coinbase_value);
    id = xasprintf("%s%llu", block_hash_hex(&t->prev->node.hash).s, (unsigned long long)sequence);
    jw_kv_str(j, "longpollid", id);
    free(id);
    jw_kv_str(j, "target", rpc_target_hex(t->bits).s);
    write_limits(j, t);
    jw_kv_int(j, "curtime", now > t->min_time ? now : t->min_time);
    jw_kv_hex32(j, "bits", t->bits);
    jw_kv_int(j, "height", t->height);
    jw_signet_challenge(call);
    if (t->commitment)
        jw_kv_hex(j, "default_witness_commitment", t->commitment, t->commitment_len);
    jw_obj_end(j);
}

static void give_template(struct rpc_call *call)
{
    struct template_op op = {.call = call};

    if (rpc_stopping(call)) {
        rpc_error(call, RPC_CLIENT_NOT_CONNECTED, "Shutting down");
        return;
    }
    if (call->host->params->signet && !has_rule(call, "signet")) {
        rpc_error(call, RPC_INVALID_PARAMETER,
                  "getblocktemplate must be called with the signet rule set (call with {\"rules\": [\"segwit\", "
                  "\"signet\"]})");
        return;
    }
    if (!has_rule(call, "segwit")) {
        rpc_error(call, RPC_INVALID_PARAMETER,
                  "getblocktemplate must be called with the segwit rule set (call with {\"rules\": [\"segwit\"]})");
        return;
    }
    if (!rpc_on_validation(call, make_template, &op))
        return;
    if (op.t)
        write_template(call, op.t, op.sequence);
    else
        rpc_error(call, RPC_INTERNAL_ERROR, "Unable to make a block template");
    block_template_free(op.t);
}

/* ---- proposals ---- */

struct proposal_op {
    struct chain *chain;
    struct block *block;
    struct verdict verdict;
};

static void test_proposal(void *arg)
{
    struct proposal_op *op = arg;

    verdict_init(&op->verdict);
    chain_drain(op->chain);
    chain_test_block(op->chain, op->block, false, true, &op->verdict);
}

static void judge_proposal(struct rpc_call *call, struct json_object *data)
{
    struct proposal_op op = {.chain = call->host->chain};
    const struct block_entry *e;
    struct entry_facts f;

    if (!json_object_is_type(data, json_type_string)) {
        rpc_error(call, RPC_TYPE_ERROR, "Missing data String key for proposal");
        return;
    }
    op.block = rpc_decode_block(json_object_get_string(data));
    if (!op.block) {
        rpc_error(call, RPC_DESERIALIZATION_ERROR, "Block decode failed");
        return;
    }
    e = chain_lookup(op.chain, &op.block->hash);
    if (e) {
        chain_facts(op.chain, e, &f);
        if (f.status & (BLOCK_FAILED_VALID | BLOCK_FAILED_CHILD))
            jw_str(&call->out, "duplicate-invalid");
        else
            jw_str(&call->out, (f.status & BLOCK_VALID_MASK) >= BLOCK_VALID_SCRIPTS ? "duplicate" : "duplicate-inconclusive");
    } else if (rpc_on_validation(call, test_proposal, &op)) {
        rpc_bip22_result(call, &op.verdict);
    }
    block_unref(op.block);
}

/* ---- the command: looks at the request on the loop thread, and lets the pool do the work ---- */

static void finish(struct rpc_call *call)
{
    struct json_object *request = rpc_arg(call, 0);
    const char *mode = json_object_get_string(rpc_member(request, "mode"));

    if (mode && strcmp(mode, "proposal") == 0)
        judge_proposal(call, rpc_member(request, "data"));
    else
        give_template(call);
}

struct net_state {
    const struct rpc_host *host;
    unsigned peers;
};

static void count_peers(void *arg)
{
    struct net_state *s = arg;

    s->peers = s->host->net_ops->count(s->host->net, true, true);
}

/* Templates of networks with value need peers and a chain that is up to date. */
static bool may_mine(struct rpc_call *call)
{
    struct net_state s = {call->host, 0};

    if (call->host->params->id != CHAIN_MAIN)
        return true;
    if (!rpc_need_net(call) || !rpc_on_loop(call, count_peers, &s))
        return false;
    if (s.peers == 0)
        return rpc_error(call, RPC_CLIENT_NOT_CONNECTED, "Farthing is not connected!");
    if (chain_initial_download(call->host->chain))
        return rpc_error(call, RPC_CLIENT_IN_INITIAL_DOWNLOAD, "Farthing is in initial sync and waiting for blocks...");
    return true;
}

static bool read_long_poll(struct rpc_call *call, struct json_object *id)
{
    char hash[65];

    call->wait.hash = chain_tip(call->host->chain)->node.hash;
    if (json_object_is_type(id, json_type_string)) {
        struct json_object *text;
        bool ok;
        snprintf(hash, sizeof(hash), "%.64s", json_object_get_string(id));
        text = json_object_new_string(hash);
        ok = rpc_hash_of(call, call->wait.hash.b, text, "longpollid");
        json_object_put(text);
        if (!ok)
            return false;
    }
    call->wait.timeout_ms = LONG_POLL_MS;
    return true;
}

static void getblocktemplate(struct rpc_call *call)
{
    struct json_object *request = rpc_arg(call, 0), *mode = rpc_member(request, "mode"), *id = rpc_member(request, "longpollid");
    bool proposal = false;

    if (mode && !json_object_is_type(mode, json_type_string)) {
        rpc_error(call, RPC_INVALID_PARAMETER, "Invalid mode");
        return;
    }
    if (mode) {
        proposal = strcmp(json_object_get_string(mode), "proposal") == 0;
        if (!proposal && strcmp(json_object_get_string(mode), "template") != 0) {
            rpc_error(call, RPC_INVALID_PARAMETER, "Invalid mode");
            return;
        }
    }
    if (!proposal && (!may_mine(call) || (id && !read_long_poll(call, id))))
        return;
    call->wait.kind = RPC_WAIT_TIP_CHANGE;
    call->wait.pool_after = true;
    call->wait.finish = finish;
    if (proposal || !id)
        call->wait.kind = RPC_WAIT_NOTHING;
}

const struct rpc_command rpc_template_commands[] = {
    {"mining", "getblocktemplate", getblocktemplate,
     RPC_PARAMS({"template_request", RPC_OBJ, RPC_REQUIRED, NULL, "Format of the template",
                 "{\"mode\":\"str\",\"capabilities\":[\"str\",...],\"rules\":[\"segwit\",\"str\",...],\"longpollid\":\"str\","
                 "\"data\":\"hex\"}"}),
     RPC_WAITS,
     "If the request parameters include a 'mode' key, that is used to explicitly select between the default 'template' request or "
     "a 'proposal'.\n"
     "It returns data needed to construct a block to work on.\n"
     "For full specification, see BIPs 22, 23, 9, and 145.\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
