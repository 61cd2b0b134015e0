/* template.c - getblocktemplate (BIP22, BIP23, BIP9, BIP145): templates, long polling, proposals. A template is made on the validation thread
 * if the last one is out of date, and written on a pool thread; a long poll holds no thread. */
#include <stdlib.h>

#include "rpc/mining_priv.h"
#include "rpc/server_priv.h"
#include "util/time.h"

#define LONG_POLL_MS 60000

struct template_op {
    struct rpc_call *call;
    struct block_template *t;
};

static void make_template(void *arg)
{
    struct template_op *op = arg;
    const struct rpc_host *host = op->call->host;
    struct mining_options o;

    rpc_mining_options(&o, host);
    op->t = template_cache_get(rpc_template_cache(op->call), host->chain, host->mempool, &o);
}

static bool has_rule(struct rpc_call *call, const char *rule)
{
    struct json_object *rules = rpc_member(rpc_arg(call, 0), "rules");

    if (!json_object_is_type(rules, json_type_array))
        return false;
    for (size_t i = 0; i < json_object_array_length(rules); i++) {
        if (strcmp(json_object_get_string(json_object_array_get_idx(rules, i)), rule) == 0)
            return true;
    }
    return false;
}

static bool check_rules(struct rpc_call *call)
{
    struct json_object *rules = rpc_member(rpc_arg(call, 0), "rules");

    if (!json_object_is_type(rules, json_type_array))
        return true;
    for (size_t i = 0; i < json_object_array_length(rules); i++) {
        if (!rpc_want(call, json_object_array_get_idx(rules, i), RPC_STR))
            return false;
    }
    return true;
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
    op.t = template_cache_peek(rpc_template_cache(call), call->host->chain, call->host->mempool);
    if (!op.t && !rpc_on_validation(call, make_template, &op))
        return;
    if (op.t && op.t->min_time > time_now() + MAX_FUTURE_SECONDS) { /* our clock is far behind: nobody's block would do for us */
        rpc_error(call, RPC_MISC_ERROR, "TestBlockValidity failed: time-too-new, block timestamp too far in the future");
    } else if (op.t) {
        atomic_store(&call->server->template_updates, op.t->pool_updates);
        rpc_write_template(call, op.t);
    } else {
        rpc_error(call, RPC_INTERNAL_ERROR, "Unable to make a block template");
    }
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

/* The id names a tip and a state of the pool: <64 hex digits><updates>. */
static bool read_long_poll(struct rpc_call *call, struct json_object *id)
{
    call->wait.hash = chain_tip(call->host->chain)->node.hash;
    call->wait.updates = atomic_load(&call->server->template_updates);
    if (json_object_is_type(id, json_type_string)) {
        const char *text = json_object_get_string(id);
        size_t len = strnlen(text, 64);
        struct json_object *hash = json_object_new_string_len(text, (int)len);
        bool ok = rpc_hash_of(call, call->wait.hash.b, hash, "longpollid");
        json_object_put(hash);
        if (!ok)
            return false;
        call->wait.updates = strtoull(text + len, NULL, 10);
    }
    call->wait.timeout_ms = LONG_POLL_MS;
    return true;
}

/* Out: *proposal. */
static bool read_mode(struct rpc_call *call, bool *proposal)
{
    struct json_object *mode = rpc_member(rpc_arg(call, 0), "mode");
    const char *text = json_object_is_type(mode, json_type_string) ? json_object_get_string(mode) : NULL;

    *proposal = text && strcmp(text, "proposal") == 0;
    if (mode && !text)
        return rpc_error(call, RPC_INVALID_PARAMETER, "Invalid mode");
    if (*proposal)
        return true;
    if (!check_rules(call))
        return false;
    return !text || strcmp(text, "template") == 0 || rpc_error(call, RPC_INVALID_PARAMETER, "Invalid mode");
}

static void getblocktemplate(struct rpc_call *call)
{
    struct json_object *id = rpc_member(rpc_arg(call, 0), "longpollid");
    bool proposal;

    if (!read_mode(call, &proposal))
        return;
    if (!proposal && (!may_mine(call) || !rpc_need_mempool(call) || (id && !read_long_poll(call, id))))
        return;
    call->wait.kind = proposal || !id ? RPC_WAIT_NOTHING : RPC_WAIT_TEMPLATE;
    call->wait.pool_after = true;
    call->wait.finish = finish;
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
