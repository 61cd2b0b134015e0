/* privcast.c - getprivatebroadcastinfo and abortprivatebroadcast. On the loop thread, where the queue lives. */
#include <stdlib.h>

#include "rpc/priv.h"

static bool need_privcast(struct rpc_call *call)
{
    if (!rpc_need_net(call))
        return false;
    if (call->host->net_ops->privcast_state(call->host->net) != PRIVCAST_OFF)
        return true;
    return rpc_error(call, RPC_METHOD_NOT_FOUND,
                     "Private broadcast is not enabled. Ensure you're running Bitcoin Core with -privatebroadcast=1.");
}

static void write_tx(struct json_writer *j, const struct tx *tx)
{
    struct writer w = WRITER_INIT;

    tx_write(&w, tx, true);
    jw_kv_hash(j, "txid", tx->txid.b);
    jw_kv_hash(j, "wtxid", tx->wtxid.b);
    jw_kv_hex(j, "hex", w.data, w.len);
    writer_clear(&w);
}

static void getprivatebroadcastinfo(struct rpc_call *call)
{
    struct json_writer *j = &call->out;
    struct private_info *list;
    size_t n;

    if (!need_privcast(call))
        return;
    n = call->host->net_ops->privcast_list(call->host->net, &list);
    jw_obj_begin(j);
    jw_key(j, "transactions");
    jw_arr_begin(j);
    for (size_t i = 0; i < n; i++) {
        jw_obj_begin(j);
        write_tx(j, list[i].tx);
        jw_kv_int(j, "time_added", list[i].added);
        jw_kv_uint(j, "attempts_remaining", list[i].attempts_left);
        jw_key(j, "peers");
        jw_arr_begin(j);
        for (unsigned k = 0; k < list[i].n_peers; k++) {
            char text[NET_ADDR_TEXT];
            net_addr_text(text, &list[i].peers[k].addr);
            jw_obj_begin(j);
            jw_kv_str(j, "address", text);
            jw_kv_int(j, "sent", list[i].peers[k].sent);
            if (list[i].peers[k].received)
                jw_kv_int(j, "received", list[i].peers[k].received);
            jw_obj_end(j);
        }
        jw_arr_end(j);
        jw_obj_end(j);
    }
    jw_arr_end(j);
    jw_obj_end(j);
    free(list);
}

static void abortprivatebroadcast(struct rpc_call *call)
{
    struct json_writer *j = &call->out;
    struct tx **list;
    uint8_t id[32];
    size_t n;

    if (!need_privcast(call) || !rpc_hash(call, id, 0, "id"))
        return;
    n = call->host->net_ops->privcast_abort(call->host->net, id, &list);
    if (!n) {
        rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Transaction not in private broadcast queue. Check getprivatebroadcastinfo.");
        return;
    }
    jw_obj_begin(j);
    jw_key(j, "removed_transactions");
    jw_arr_begin(j);
    for (size_t i = 0; i < n; i++) {
        jw_obj_begin(j);
        write_tx(j, list[i]);
        jw_obj_end(j);
        tx_unref(list[i]);
    }
    jw_arr_end(j);
    jw_obj_end(j);
    free(list);
}

const struct rpc_command rpc_privcast_commands[] = {
    {"rawtransactions", "getprivatebroadcastinfo", getprivatebroadcastinfo, NULL, RPC_INLINE,
     "Returns information about transactions tracked for private broadcast.\n"
     "Transactions that have reached the send-attempt limit remain in the result with attempts_remaining=0.\n"
     "This method is only available when running with -privatebroadcast enabled.\n"},
    {"rawtransactions", "abortprivatebroadcast", abortprivatebroadcast,
     RPC_PARAMS(
         {"id", RPC_HEX, RPC_REQUIRED, NULL, "The txid or wtxid of what is to be given up; a txid may stand for several", NULL}),
     RPC_INLINE,
     "Abort private broadcast attempts for a transaction currently being privately broadcast.\n"
     "The transaction will be removed from the private broadcast queue.\n"
     "This method is only available when running with -privatebroadcast enabled.\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
