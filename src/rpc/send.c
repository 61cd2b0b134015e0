/* send.c - sendrawtransaction: acceptance on the validation thread, announcement on the loop thread. The whole command runs on the validation
 * thread where it can (RPC_VALIDATES). */
#include <stdlib.h>

#include "policy/policy.h"
#include "rpc/server_priv.h"
#include "script/script.h"

struct send_op {
    struct rpc_call *call;
    struct tx *tx;
    int64_t max_fee; /* 0: none */
    struct mempool_result result;
    bool in_utxo_set, known, too_expensive;
    enum privcast_state privcast;
    enum private_result queued;
};

/* Is an output of it in the chain already? */
static bool is_confirmed(struct chain *c, const struct tx *tx)
{
    struct outpoint o = {.txid = tx->txid};
    struct arena arena = ARENA_INIT;
    struct coin coin;
    bool found = false;

    for (o.n = 0; o.n < tx->n_out && !found; o.n++)
        found = chain_get_coin(c, &coin, &o, &arena) == RC_OK;
    arena_clear(&arena);
    return found;
}

static void accept_tx(void *arg)
{
    struct send_op *op = arg;
    const struct rpc_host *host = op->call->host;
    struct mempool_entry e;

    op->known = mempool_get(host->mempool, &e, &op->tx->txid);
    if (op->known) { /* announced again, as it stands in the pool */
        tx_unref(op->tx);
        op->tx = tx_ref(e.tx);
        return;
    }
    if (op->privcast == PRIVCAST_ON) { /* it comes into the mempool when the network sends it back */
        mempool_accept(host->mempool, op->tx, true, false, &op->result);
        op->too_expensive = op->max_fee > 0 && op->result.kind == MEMPOOL_ACCEPTED && op->result.fee > op->max_fee;
    } else if (mempool_accept_up_to(host->mempool, op->tx, op->max_fee, &op->result)) {
        mempool_set_unbroadcast(host->mempool, &op->tx->txid, true);
    } else {
        op->too_expensive = op->result.verdict.kind == VERDICT_VALID;
    }
    /* What is in the chain was refused, as its inputs are spent: only then is it worth a look into the database. */
    op->in_utxo_set = op->result.kind != MEMPOOL_ACCEPTED && !op->too_expensive && is_confirmed(host->chain, op->tx);
}

struct announcement {
    struct rpc_host host;
    struct tx *tx;
};

static void announcement_drop(void *arg)
{
    struct announcement *a = arg;

    tx_unref(a->tx);
    free(a);
}

static void announcement_run(void *arg)
{
    struct announcement *a = arg;

    a->host.net_ops->announce_tx(a->host.net, a->tx);
    announcement_drop(a);
}

static void send_privately(void *arg)
{
    struct send_op *op = arg;
    const struct rpc_host *host = op->call->host;

    op->queued = host->net_ops->privcast_add(host->net, op->tx);
}

static void announce(struct send_op *op)
{
    struct announcement *a;

    if (op->privcast == PRIVCAST_ON) {
        rpc_on_loop(op->call, send_privately, op);
        return;
    }
    a = xcalloc(1, sizeof(*a));
    a->host = *op->call->host;
    a->tx = tx_ref(op->tx);
    rpc_post_loop(op->call, announcement_run, announcement_drop, a);
}

static void ask_privcast(void *arg)
{
    struct send_op *op = arg;
    const struct rpc_host *host = op->call->host;

    op->privcast = host->net_ops->privcast_state(host->net);
}

/* How is it to be sent? Returns: false with the error set if it must be in private and cannot be. */
static bool choose_way(struct send_op *op)
{
    struct rpc_call *call = op->call;

    if (!call->host->net || !call->server->sends_privately)
        return true;
    if (!rpc_on_loop(call, ask_privcast, op))
        return false;
    if (op->privcast != PRIVCAST_UNREACHABLE)
        return true;
    return rpc_error(
        call, RPC_MISC_ERROR,
        "-privatebroadcast is enabled, but none of the Tor or I2P networks is reachable. Maybe the location of the Tor "
        "proxy couldn't be retrieved from the Tor daemon at startup. Check whether the Tor daemon is running and that "
        "-torcontrol, -torpassword and -i2psam are configured properly.");
}

static bool judge(struct send_op *op)
{
    struct rpc_call *call = op->call;
    const struct verdict *v = &op->result.verdict;
    char text[sizeof(struct verdict)];

    if (op->in_utxo_set)
        return rpc_error(call, RPC_VERIFY_ALREADY_IN_UTXO_SET, "Transaction outputs already in utxo set");
    if (op->too_expensive)
        return rpc_error(call, RPC_VERIFY_ERROR, "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)");
    if (op->known || op->result.kind == MEMPOOL_ACCEPTED)
        return true;
    return rpc_error(call, v->kind == VERDICT_INTERNAL || v->code == TX_MISSING_INPUTS ? RPC_VERIFY_ERROR : RPC_VERIFY_REJECTED,
                     "%s", verdict_string(v, text));
}

static bool has_valid_ops(const uint8_t *script, size_t len)
{
    const uint8_t *pos = script, *end = script + len, *data;
    uint8_t op;
    size_t n;

    while (script_next(&pos, end, &op, &data, &n)) {
        if (op > OP_NOP10 + 1 || n > MAX_SCRIPT_ELEMENT_SIZE)
            return false;
    }
    return pos == end;
}

bool rpc_burns_too_much(const struct tx *tx, int64_t max_burn)
{
    for (uint32_t i = 0; i < tx->n_out; i++) {
        const struct tx_out *o = &tx->out[i];
        if (o->value > max_burn && (script_is_unspendable(o->script, o->script_len) || !has_valid_ops(o->script, o->script_len)))
            return true;
    }
    return false;
}

static void sendrawtransaction(struct rpc_call *call)
{
    struct send_op op = {.call = call};
    int64_t max_burn = 0, rate;
    const char *hex;

    if (!rpc_text(call, &hex, 0, "") || (rpc_has(call, 2) && !rpc_amount_of(call, &max_burn, rpc_arg(call, 2))))
        return;
    op.tx = rpc_decode_tx(hex, false, true);
    if (!op.tx) {
        rpc_error(call, RPC_DESERIALIZATION_ERROR, "TX decode failed. Make sure the tx has at least one input.");
        return;
    }
    if (rpc_burns_too_much(op.tx, max_burn))
        rpc_error(call, RPC_VERIFY_ERROR, "Unspendable output exceeds maximum configured by user (maxburnamount)");
    else if (rpc_fee_rate(call, &rate, 1, RPC_MAX_FEE_RATE) && rpc_need_mempool(call)) {
        op.max_fee = policy_fee(rate, tx_vsize(op.tx));
        if (choose_way(&op) && rpc_on_validation(call, accept_tx, &op) && judge(&op)) {
            if (call->host->net)
                announce(&op);
            if (op.queued == PRIVATE_FULL)
                rpc_error(call, RPC_LIMIT_EXCEEDED, "Private broadcast queue is full");
            jw_hash(&call->out, op.tx->txid.b);
        }
    }
    tx_unref(op.tx);
}

struct mempool_scripts *rpc_scripts_ahead(struct rpc_server *s, struct json_object *request)
{
    struct json_object *method = rpc_member(request, "method"), *params = rpc_member(request, "params"), *hex;
    struct mempool_scripts *scripts = NULL;
    struct tx *tx;

    if (!s->host.mempool || atomic_load(&s->helping) >= s->helpers || queue_len(s->host.validation) == 0 ||
        !json_object_is_type(method, json_type_string) || strcmp(json_object_get_string(method), "sendrawtransaction") != 0)
        return NULL;
    hex = json_object_is_type(params, json_type_array) ? json_object_array_get_idx(params, 0) : rpc_member(params, "hexstring");
    tx = json_object_is_type(hex, json_type_string) ? rpc_decode_tx(json_object_get_string(hex), false, true) : NULL;
    if (tx)
        scripts = mempool_look(s->host.mempool, tx);
    tx_unref(tx);
    if (scripts)
        atomic_fetch_add(&s->helping, 1);
    return scripts;
}

void rpc_scripts_run(struct rpc_server *s, struct mempool_scripts *scripts_take)
{
    mempool_scripts_run(scripts_take);
    atomic_fetch_sub(&s->helping, 1);
}

void rpc_scripts_drop(struct rpc_server *s, struct mempool_scripts *scripts_take)
{
    mempool_scripts_free(scripts_take);
    atomic_fetch_sub(&s->helping, 1);
}

const struct rpc_command rpc_send_commands[] = {
    {"rawtransactions", "sendrawtransaction", sendrawtransaction,
     RPC_PARAMS({"hexstring", RPC_HEX, RPC_REQUIRED, NULL, "The hex string of the raw transaction", NULL}, RPC_MAX_FEE_RATE_PARAM,
                RPC_MAX_BURN_PARAM),
     RPC_VALIDATES,
     "Submit a raw transaction (serialized, hex-encoded) to the network.\n\n"
     "The transaction is added to the mempool and announced to all peers.\n"
     "With -privatebroadcast it is sent only over connections made for it, through Tor or I2P, and not added to the mempool "
     "before\n"
     "the network has sent it back: see getprivatebroadcastinfo and abortprivatebroadcast.\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
