/* mempool_cluster.c - getmempoolcluster: what a transaction is connected with, in the groups in which it is mined; and getmempoolfeeratediagram.
 * On the validation thread. */
#include "rpc/priv.h"

struct cluster_op {
    struct rpc_call *call;
    struct txid id;
    uint64_t txs;
    int64_t weight;
    struct json_writer chunks;
};

static bool show_chunk(void *arg, const struct mempool_chunk *c)
{
    struct cluster_op *op = arg;
    struct json_writer *j = &op->chunks;

    op->txs += c->n;
    op->weight += c->weight;
    jw_obj_begin(j);
    jw_kv_amount(j, "chunkfee", c->fee);
    jw_kv_int(j, "chunkweight", c->weight);
    jw_key(j, "txs");
    jw_arr_begin(j);
    for (size_t i = 0; i < c->n; i++)
        jw_hash(j, c->tx[i].tx->txid.b);
    jw_arr_end(j);
    jw_obj_end(j);
    return true;
}

static void show_cluster(void *arg)
{
    struct cluster_op *op = arg;
    struct json_writer *j = &op->call->out;

    jw_arr_begin(&op->chunks);
    if (!mempool_cluster_chunks(op->call->host->mempool, &op->id, show_chunk, op)) {
        rpc_error(op->call, RPC_INVALID_ADDRESS_OR_KEY, "Transaction not in mempool");
        return;
    }
    jw_arr_end(&op->chunks);
    jw_obj_begin(j);
    jw_kv_int(j, "clusterweight", op->weight);
    jw_kv_uint(j, "txcount", op->txs);
    jw_key(j, "chunks");
    jw_raw(j, op->chunks.w.data, op->chunks.w.len);
    jw_obj_end(j);
}

static void getmempoolcluster(struct rpc_call *call)
{
    struct cluster_op op = {.call = call, .chunks = JSON_WRITER_INIT};

    if (rpc_hash(call, op.id.b, 0, "txid") && rpc_need_mempool(call))
        rpc_on_validation(call, show_cluster, &op);
    jw_clear(&op.chunks);
}

struct diagram_op {
    struct rpc_call *call;
    int64_t weight, fee;
};

static bool show_corner(void *arg, const struct mempool_chunk *c)
{
    struct diagram_op *op = arg;
    struct json_writer *j = &op->call->out;

    if (c) {
        op->weight += c->weight;
        op->fee += c->fee;
    }
    jw_obj_begin(j);
    jw_kv_int(j, "weight", op->weight);
    jw_kv_amount(j, "fee", op->fee);
    jw_obj_end(j);
    return true;
}

static void show_diagram(void *arg)
{
    struct diagram_op *op = arg;

    jw_arr_begin(&op->call->out);
    show_corner(op, NULL);
    mempool_each_chunk(op->call->host->mempool, show_corner, op);
    jw_arr_end(&op->call->out);
}

static void getmempoolfeeratediagram(struct rpc_call *call)
{
    struct diagram_op op = {.call = call};

    if (rpc_need_mempool(call))
        rpc_on_validation(call, show_diagram, &op);
}

const struct rpc_command rpc_mempool_cluster_commands[] = {
    {"blockchain", "getmempoolcluster", getmempoolcluster,
     RPC_PARAMS({"txid", RPC_HEX, RPC_REQUIRED, NULL, "The txid of a transaction in the cluster", NULL}), 0,
     "Returns mempool data for given cluster\n"},
    {"hidden", "getmempoolfeeratediagram", getmempoolfeeratediagram, NULL, 0,
     "Returns the feerate diagram for the whole mempool: cumulative sigops-adjusted weight and fee at the end of each chunk.\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
