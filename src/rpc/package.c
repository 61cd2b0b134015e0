/* package.c - testmempoolaccept and submitpackage: several transactions that are judged together on the validation thread. */
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"
#include "rpc/priv.h"

struct package_op {
    struct rpc_call *call;
    struct tx *txs[MEMPOOL_PACKAGE_MAX];
    size_t n;
    int64_t max_rate;
    struct mempool_package_result *result;
    struct tx *announced[MEMPOOL_PACKAGE_MAX]; /* as they stand in the pool */
    size_t n_announced;
};

static void op_clear(struct package_op *op)
{
    for (size_t i = 0; i < op->n; i++)
        tx_unref(op->txs[i]);
    for (size_t i = 0; i < op->n_announced; i++)
        tx_unref(op->announced[i]);
    if (op->result)
        mempool_package_result_clear(op->result);
    free(op->result);
}

static bool read_txs(struct package_op *op, int64_t max_burn)
{
    struct json_object *list = rpc_arg(op->call, 0);
    size_t n = json_object_array_length(list);

    for (size_t i = 0; i < n; i++) {
        struct json_object *v = json_object_array_get_idx(list, i);
        struct tx *tx;
        if (!rpc_want(op->call, v, RPC_STR))
            return false;
        tx = rpc_decode_tx(json_object_get_string(v), false, true);
        if (!tx)
            return rpc_error(op->call, RPC_DESERIALIZATION_ERROR, "TX decode failed: %s Make sure the tx has at least one input.",
                             json_object_get_string(v));
        op->txs[op->n++] = tx;
        if (rpc_burns_too_much(tx, max_burn))
            return rpc_error(op->call, RPC_VERIFY_ERROR, "Unspendable output exceeds maximum configured by user (maxburnamount)");
    }
    op->result = xcalloc(1, sizeof(*op->result));
    return true;
}

static bool count_fits(struct rpc_call *call)
{
    size_t n = json_object_array_length(rpc_arg(call, 0));

    return (n >= 1 && n <= MEMPOOL_PACKAGE_MAX) ||
           rpc_error(call, RPC_INVALID_PARAMETER, "Array must contain between 1 and %d transactions.", MEMPOOL_PACKAGE_MAX);
}

static void write_includes(struct json_writer *j, const struct package_op *op, const struct mempool_result *r)
{
    jw_kv_amount(j, "effective-feerate", r->effective_rate);
    jw_key(j, "effective-includes");
    jw_arr_begin(j);
    for (size_t i = 0; i < op->n; i++) {
        if (r->includes >> i & 1)
            jw_hash(j, op->txs[i]->wtxid.b);
    }
    jw_arr_end(j);
}

static void write_sizes(struct json_writer *j, const struct tx *tx, const struct mempool_result *r)
{
    jw_kv_int(j, "vsize_adjusted", r->vsize);
    jw_kv_int(j, "vsize", r->vsize);
    jw_kv_int(j, "vsize_bip141", tx_vsize(tx));
}

/* ---- testmempoolaccept ---- */

static void test_all(void *arg)
{
    struct package_op *op = arg;
    struct mempool *m = op->call->host->mempool;

    if (op->n > 1)
        mempool_test_package(m, op->txs, op->n, op->result);
    else
        mempool_accept(m, op->txs[0], true, false, &op->result->tx[0]);
}

static void write_accepted(const struct package_op *op, size_t i)
{
    struct json_writer *j = &op->call->out;
    const struct mempool_result *r = &op->result->tx[i];

    jw_kv_bool(j, "allowed", true);
    write_sizes(j, op->txs[i], r);
    jw_key(j, "fees");
    jw_obj_begin(j);
    jw_kv_amount(j, "base", r->fee);
    write_includes(j, op, r);
    jw_obj_end(j);
}

static void write_refused(struct json_writer *j, const struct mempool_result *r)
{
    char text[VERDICT_STRING_SIZE];

    jw_kv_bool(j, "allowed", false);
    if (r->verdict.code == TX_MISSING_INPUTS) {
        jw_kv_str(j, "reject-reason", "missing-inputs");
        return;
    }
    jw_kv_str(j, "reject-reason", r->verdict.reason);
    jw_kv_str(j, "reject-details", verdict_string(&r->verdict, text));
}

/* Returns: false once a fee is over the limit: the rest is left unjudged. */
static bool write_tested(const struct package_op *op, size_t i, bool judged)
{
    struct json_writer *j = &op->call->out;
    const struct mempool_result *r = &op->result->tx[i];
    int64_t max_fee = policy_fee(op->max_rate, r->vsize);
    bool accepted = judged && r->kind == MEMPOOL_ACCEPTED, over = accepted && max_fee > 0 && r->fee > max_fee;
    char text[VERDICT_STRING_SIZE];

    jw_obj_begin(j);
    jw_kv_hash(j, "txid", op->txs[i]->txid.b);
    jw_kv_hash(j, "wtxid", op->txs[i]->wtxid.b);
    if (op->result->kind == MEMPOOL_PACKAGE_POLICY)
        jw_kv_str(j, "package-error", verdict_string(&op->result->verdict, text));
    if (over) {
        jw_kv_bool(j, "allowed", false);
        jw_kv_str(j, "reject-reason", "max-fee-exceeded");
    } else if (accepted) {
        write_accepted(op, i);
    } else if (judged && r->kind != MEMPOOL_NOT_JUDGED) {
        write_refused(j, r);
    }
    jw_obj_end(j);
    return !over;
}

static void testmempoolaccept(struct rpc_call *call)
{
    struct package_op op = {.call = call};
    bool go_on = true;

    if (count_fits(call) && rpc_fee_rate(call, &op.max_rate, 1, RPC_MAX_FEE_RATE) && read_txs(&op, INT64_MAX) &&
        rpc_need_mempool(call) && rpc_on_validation(call, test_all, &op)) {
        jw_arr_begin(&call->out);
        for (size_t i = 0; i < op.n; i++)
            go_on &= write_tested(&op, i, go_on);
        jw_arr_end(&call->out);
    }
    op_clear(&op);
}

/* ---- submitpackage ---- */

static void submit(void *arg)
{
    struct package_op *op = arg;
    struct mempool *m = op->call->host->mempool;

    mempool_accept_package(m, op->txs, op->n, op->max_rate, op->result);
    for (size_t i = 0; i < op->n; i++) {
        struct mempool_entry e;
        if (mempool_get(m, &e, &op->txs[i]->txid))
            op->announced[op->n_announced++] = tx_ref(e.tx);
    }
}

static void announce(void *arg)
{
    struct package_op *op = arg;

    for (size_t i = 0; i < op->n_announced; i++)
        op->call->host->net_ops->announce_tx(op->call->host->net, op->announced[i]);
}

static void write_result(const struct package_op *op, size_t i)
{
    struct json_writer *j = &op->call->out;
    const struct mempool_result *r = &op->result->tx[i];
    char text[VERDICT_STRING_SIZE];

    jw_obj_begin(j);
    jw_kv_hash(j, "txid", op->txs[i]->txid.b);
    if (r->kind == MEMPOOL_NOT_JUDGED) {
        jw_kv_str(j, "error", "package-not-validated");
    } else if (r->kind == MEMPOOL_OTHER_WITNESS) {
        jw_kv_hash(j, "other-wtxid", r->other.b);
    } else if (r->kind == MEMPOOL_REJECTED) {
        jw_kv_str(j, "error", verdict_string(&r->verdict, text));
    } else {
        write_sizes(j, op->txs[i], r);
        jw_key(j, "fees");
        jw_obj_begin(j);
        jw_kv_amount(j, "base", r->fee);
        if (r->kind == MEMPOOL_ACCEPTED) /* for those that were there before it is not known what they were judged with */
            write_includes(j, op, r);
        jw_obj_end(j);
    }
    jw_obj_end(j);
}

static bool is_repeated(const struct package_op *op, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (memcmp(op->txs[k]->wtxid.b, op->txs[i]->wtxid.b, sizeof(op->txs[i]->wtxid.b)) == 0)
            return true;
    }
    return false;
}

static void write_submitted(const struct package_op *op)
{
    const struct mempool_package_result *r = op->result;
    struct json_writer *j = &op->call->out;
    char text[VERDICT_STRING_SIZE];

    jw_obj_begin(j);
    jw_kv_str(j, "package_msg", r->kind == MEMPOOL_PACKAGE_VALID ? "success" : verdict_string(&r->verdict, text));
    jw_key(j, "tx-results");
    jw_obj_begin(j);
    for (size_t i = 0; i < op->n; i++) {
        if (is_repeated(op, i)) /* a name stands in an object once */
            continue;
        jw_key(j, wtxid_hex(&op->txs[i]->wtxid).s);
        write_result(op, i);
    }
    jw_obj_end(j);
    jw_key(j, "replaced-transactions");
    jw_arr_begin(j);
    for (size_t i = 0; i < r->n_replaced; i++)
        jw_hash(j, r->replaced[i].b);
    jw_arr_end(j);
    jw_obj_end(j);
}

static bool shape_fits(const struct package_op *op)
{
    return op->n == 1 || policy_is_child_with_parents(op->txs, op->n, true) ||
           rpc_error(op->call, RPC_VERIFY_ERROR,
                     "package topology disallowed. not child-with-parents or parents depend on each other.");
}

static void submitpackage(struct rpc_call *call)
{
    struct package_op op = {.call = call};
    int64_t max_burn = 0;

    if (count_fits(call) && rpc_fee_rate(call, &op.max_rate, 1, RPC_MAX_FEE_RATE) &&
        (!rpc_has(call, 2) || rpc_amount_of(call, &max_burn, rpc_arg(call, 2))) && read_txs(&op, max_burn) && shape_fits(&op) &&
        rpc_need_mempool(call) && rpc_on_validation(call, submit, &op)) {
        if (call->host->net)
            rpc_on_loop(call, announce, &op);
        write_submitted(&op);
    }
    op_clear(&op);
}

const struct rpc_command rpc_package_commands[] = {
    {"rawtransactions", "submitpackage", submitpackage,
     RPC_PARAMS({"package", RPC_ARR, RPC_REQUIRED, NULL,
                 "An array of raw transactions.\n"
                 "It must consist of a transaction with (some, all, or none of) its unconfirmed parents, the child last.\n"
                 "None of the parents may depend on each other.",
                 "[\"rawtx\",...]"},
                RPC_MAX_FEE_RATE_PARAM, RPC_MAX_BURN_PARAM),
     0,
     "Submit a package of raw transactions (serialized, hex-encoded) to local node.\n"
     "The package will be validated according to consensus and mempool policy rules. If any transaction passes, it will be "
     "accepted "
     "to mempool.\n"
     "Warning: successful submission does not mean the transactions will propagate throughout the network.\n"},
    {"rawtransactions", "testmempoolaccept", testmempoolaccept,
     RPC_PARAMS({"rawtxs", RPC_ARR, RPC_REQUIRED, NULL, "An array of hex strings of raw transactions.", "[\"rawtx\",...]"},
                RPC_MAX_FEE_RATE_PARAM),
     0,
     "Returns result of mempool acceptance tests indicating if raw transaction(s) (serialized, hex-encoded) would be accepted by "
     "mempool.\n"
     "\nIf multiple transactions are passed in, parents must come before children and package policies apply: the transactions "
     "cannot conflict with any mempool transactions or each other.\n"
     "\nIf one transaction fails, other transactions may not be fully validated (the 'allowed' key will be blank).\n"
     "\nThis checks if transactions violate the consensus or policy rules.\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
