/* send.c - sendrawtransaction and testmempoolaccept: acceptance on the validation thread, announcement on the loop thread. */
#include <stdlib.h>

#include "policy/policy.h"
#include "rpc/priv.h"
#include "script/script.h"

#define DEFAULT_MAX_FEE_RATE (COIN / 10)
#define PACKAGE_MAX 25

struct send_op {
    struct rpc_call *call;
    struct tx *tx;
    int64_t max_fee; /* 0: none */
    struct mempool_result result;
    bool in_utxo_set, known, too_expensive;
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

    op->in_utxo_set = is_confirmed(host->chain, op->tx);
    if (op->in_utxo_set)
        return;
    op->known = mempool_get(host->mempool, &e, &op->tx->txid);
    if (op->known) { /* announced again, as it stands in the pool */
        tx_unref(op->tx);
        op->tx = tx_ref(e.tx);
        return;
    }
    if (op->max_fee > 0) {
        mempool_accept(host->mempool, op->tx, true, false, &op->result);
        if (op->result.kind != MEMPOOL_ACCEPTED)
            return;
        op->too_expensive = op->result.fee > op->max_fee;
        if (op->too_expensive)
            return;
    }
    mempool_accept(host->mempool, op->tx, false, false, &op->result);
    if (op->result.kind == MEMPOOL_ACCEPTED)
        mempool_set_unbroadcast(host->mempool, &op->tx->txid, true);
}

static void announce(void *arg)
{
    struct send_op *op = arg;

    op->call->host->net_ops->announce_tx(op->call->host->net, op->tx);
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

static bool burns_too_much(const struct tx *tx, int64_t max_burn)
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
    if (burns_too_much(op.tx, max_burn))
        rpc_error(call, RPC_VERIFY_ERROR, "Unspendable output exceeds maximum configured by user (maxburnamount)");
    else if (rpc_fee_rate(call, &rate, 1, DEFAULT_MAX_FEE_RATE) && rpc_need_mempool(call)) {
        op.max_fee = policy_fee(rate, tx_vsize(op.tx));
        if (rpc_on_validation(call, accept_tx, &op) && judge(&op)) {
            if (call->host->net)
                rpc_on_loop(call, announce, &op);
            jw_hash(&call->out, op.tx->txid.b);
        }
    }
    tx_unref(op.tx);
}

/* ---- testmempoolaccept ---- */

struct test_op {
    struct mempool *mempool;
    struct tx *txs[PACKAGE_MAX];
    struct mempool_result results[PACKAGE_MAX];
    size_t n, done;
};

static void test_all(void *arg)
{
    struct test_op *op = arg;

    for (op->done = 0; op->done < op->n; op->done++) {
        mempool_accept(op->mempool, op->txs[op->done], true, false, &op->results[op->done]);
        if (op->results[op->done].kind != MEMPOOL_ACCEPTED && op->n > 1) {
            op->done++;
            break;
        }
    }
}

static void write_accepted(struct json_writer *j, const struct tx *tx, const struct mempool_result *r)
{
    jw_kv_bool(j, "allowed", true);
    jw_kv_int(j, "vsize_adjusted", r->vsize);
    jw_kv_int(j, "vsize", r->vsize);
    jw_kv_int(j, "vsize_bip141", tx_vsize(tx));
    jw_key(j, "fees");
    jw_obj_begin(j);
    jw_kv_amount(j, "base", r->fee);
    jw_kv_amount(j, "effective-feerate", r->vsize ? r->fee * 1000 / r->vsize : 0);
    jw_key(j, "effective-includes");
    jw_arr_begin(j);
    jw_hash(j, tx->wtxid.b);
    jw_arr_end(j);
    jw_obj_end(j);
}

static void write_refused(struct json_writer *j, const struct mempool_result *r)
{
    char text[sizeof(struct verdict)];

    jw_kv_bool(j, "allowed", false);
    if (r->verdict.code == TX_MISSING_INPUTS) {
        jw_kv_str(j, "reject-reason", "missing-inputs");
        return;
    }
    jw_kv_str(j, "reject-reason", r->verdict.reason);
    jw_kv_str(j, "reject-details", verdict_string(&r->verdict, text));
}

/* Returns: false once a fee is over the limit: the rest is left unjudged. */
static bool write_result(struct json_writer *j, const struct tx *tx, const struct mempool_result *r, int64_t rate)
{
    int64_t max_fee = r ? policy_fee(rate, r->vsize) : 0;
    bool over = r && r->kind == MEMPOOL_ACCEPTED && max_fee > 0 && r->fee > max_fee;

    jw_obj_begin(j);
    jw_kv_hash(j, "txid", tx->txid.b);
    jw_kv_hash(j, "wtxid", tx->wtxid.b);
    if (over) {
        jw_kv_bool(j, "allowed", false);
        jw_kv_str(j, "reject-reason", "max-fee-exceeded");
    } else if (r && r->kind == MEMPOOL_ACCEPTED) {
        write_accepted(j, tx, r);
    } else if (r) {
        write_refused(j, r);
    }
    jw_obj_end(j);
    return !over;
}

static bool read_txs(struct rpc_call *call, struct test_op *op)
{
    struct json_object *list = rpc_arg(call, 0);
    size_t n = json_object_array_length(list);

    if (n < 1 || n > PACKAGE_MAX)
        return rpc_error(call, RPC_INVALID_PARAMETER, "Array must contain between 1 and %d transactions.", PACKAGE_MAX);
    while (op->n < n) {
        struct json_object *v = json_object_array_get_idx(list, op->n);
        if (!rpc_want(call, v, RPC_STR))
            return false;
        op->txs[op->n] = rpc_decode_tx(json_object_get_string(v), false, true);
        if (!op->txs[op->n])
            return rpc_error(call, RPC_DESERIALIZATION_ERROR, "TX decode failed: %s Make sure the tx has at least one input.",
                             json_object_get_string(v));
        op->n++;
    }
    return true;
}

/* The fault is of all of them together: none is judged. */
static void write_package_error(struct json_writer *j, const struct test_op *op, const char *fault)
{
    jw_arr_begin(j);
    for (size_t i = 0; i < op->n; i++) {
        jw_obj_begin(j);
        jw_kv_hash(j, "txid", op->txs[i]->txid.b);
        jw_kv_hash(j, "wtxid", op->txs[i]->wtxid.b);
        jw_kv_str(j, "package-error", fault);
        jw_obj_end(j);
    }
    jw_arr_end(j);
}

static void testmempoolaccept(struct rpc_call *call)
{
    struct test_op op = {.mempool = call->host->mempool};
    const char *fault;
    int64_t rate;
    bool go_on = true;

    if (!rpc_need_mempool(call) || !rpc_fee_rate(call, &rate, 1, DEFAULT_MAX_FEE_RATE) || !read_txs(call, &op)) {
        /* the error is set */
    } else if ((fault = policy_package_error(op.txs, op.n)) != NULL) {
        write_package_error(&call->out, &op, fault);
    } else if (rpc_on_validation(call, test_all, &op)) {
        jw_arr_begin(&call->out);
        for (size_t i = 0; i < op.n; i++)
            go_on &= write_result(&call->out, op.txs[i], go_on && i < op.done ? &op.results[i] : NULL, rate);
        jw_arr_end(&call->out);
    }
    for (size_t i = 0; i < op.n; i++)
        tx_unref(op.txs[i]);
}

#define MAX_FEE_RATE_PARAM                                                                                                         \
    {                                                                                                                              \
        "maxfeerate", RPC_AMOUNT, 0, "\"0.10\"",                                                                                   \
            "Reject transactions whose fee rate is higher than the specified value, expressed in BTC/kvB. Fee rates larger than "  \
            "1BTC/kvB are rejected. Set "                                                                                          \
            "to 0 to accept any fee rate.",                                                                                        \
            NULL                                                                                                                   \
    }

const struct rpc_command rpc_send_commands[] = {
    {"rawtransactions", "sendrawtransaction", sendrawtransaction,
     RPC_PARAMS({"hexstring", RPC_HEX, RPC_REQUIRED, NULL, "The hex string of the raw transaction", NULL}, MAX_FEE_RATE_PARAM,
                {"maxburnamount", RPC_AMOUNT, 0, "\"0.00\"",
                 "Reject transactions with provably unspendable outputs (e.g. 'datacarrier' outputs that use the OP_RETURN opcode) "
                 "greater than the "
                 "specified value, expressed in BTC.",
                 NULL}),
     0,
     "Submit a raw transaction (serialized, hex-encoded) to the network.\n\n"
     "The transaction is added to the mempool and announced to all peers.\n"},
    {"rawtransactions", "testmempoolaccept", testmempoolaccept,
     RPC_PARAMS({"rawtxs", RPC_ARR, RPC_REQUIRED, NULL, "An array of hex strings of raw transactions.", "[\"rawtx\",...]"},
                MAX_FEE_RATE_PARAM),
     0,
     "Returns result of mempool acceptance tests indicating if raw transaction(s) (serialized, hex-encoded) would be accepted by "
     "mempool.\n"
     "\nThis checks if transactions violate the consensus or policy rules.\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
