/* peers.c - getpeerinfo and getorphantxs: what sync knows of its peers and keeps from them. Loop thread. */
#include <stdlib.h>

#include "net/permissions.h"
#include "rpc/priv.h"

static void write_times(struct json_writer *j, const struct peer_info *p)
{
    jw_kv_int(j, "lastsend", p->last_send);
    jw_kv_int(j, "lastrecv", p->last_recv);
    jw_kv_int(j, "last_transaction", p->last_transaction);
    jw_kv_int(j, "last_block", p->last_block);
    jw_kv_uint(j, "bytessent", p->bytes_sent);
    jw_kv_uint(j, "bytesrecv", p->bytes_recv);
    jw_kv_int(j, "conntime", p->conn_time);
    jw_kv_int(j, "timeoffset", p->time_offset);
    if (p->ping_us > 0)
        jw_kv_double(j, "pingtime", (double)p->ping_us / 1e6);
    if (p->min_ping_us >= 0)
        jw_kv_double(j, "minping", (double)p->min_ping_us / 1e6);
    if (p->ping_wait_us > 0)
        jw_kv_double(j, "pingwait", (double)p->ping_wait_us / 1e6);
}

static void write_permissions(struct json_writer *j, uint32_t flags)
{
    const char *names[7];
    size_t n = net_permission_names(names, flags);

    jw_key(j, "permissions");
    jw_arr_begin(j);
    for (size_t i = 0; i < n; i++)
        jw_str(j, names[i]);
    jw_arr_end(j);
}

struct msg_bytes {
    const char *type;
    uint64_t bytes;
};

static int by_type(const void *a, const void *b)
{
    return strcmp(((const struct msg_bytes *)a)->type, ((const struct msg_bytes *)b)->type);
}

/* Bytes for each type of message, types in the order of their names. */
static void write_per_msg(struct json_writer *j, const char *key, const struct peer_info *p, bool sent)
{
    struct msg_bytes list[ARRAY_LEN(p->per_msg)];
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(p->per_msg) && p->per_msg[i].type[0]; i++) {
        uint64_t bytes = sent ? p->per_msg[i].sent : p->per_msg[i].recv;
        if (bytes)
            list[n++] = (struct msg_bytes){p->per_msg[i].type, bytes};
    }
    qsort(list, n, sizeof(list[0]), by_type);
    jw_key(j, key);
    jw_obj_begin(j);
    for (size_t i = 0; i < n; i++) {
        jw_key_text(j, list[i].type, strlen(list[i].type));
        jw_uint(j, list[i].bytes);
    }
    jw_obj_end(j);
}

static void write_sync(struct json_writer *j, const struct peer_info *p)
{
    jw_kv_bool(j, "bip152_hb_to", p->bip152_hb_to);
    jw_kv_bool(j, "bip152_hb_from", p->bip152_hb_from);
    if (p->version)                                         /* before that it is not known */
        jw_kv_int(j, "startingheight", p->starting_height); /* older nodes' field, still read by clients */
    jw_kv_int(j, "presynced_headers", p->presynced_headers);
    jw_kv_int(j, "synced_headers", p->synced_headers);
    jw_kv_int(j, "synced_blocks", p->synced_blocks);
    jw_key(j, "inflight");
    jw_arr_begin(j);
    for (unsigned i = 0; i < p->n_inflight && i < ARRAY_LEN(p->inflight); i++)
        jw_int(j, p->inflight[i]);
    jw_arr_end(j);
    jw_kv_bool(j, "addr_relay_enabled", p->addr_relay_enabled);
    jw_kv_uint(j, "addr_processed", p->addr_processed);
    jw_kv_uint(j, "addr_rate_limited", p->addr_rate_limited);
}

static void write_peer(struct json_writer *j, const struct peer_info *p)
{
    const struct peer_facts *f = &p->facts;
    const char *transport = p->transport ? p->transport : "v1";

    jw_obj_begin(j);
    jw_kv_int(j, "id", p->id);
    jw_kv_str(j, "addr", f->addr_name[0] ? f->addr_name : f->addr);
    if (f->addr_bind[0])
        jw_kv_str(j, "addrbind", f->addr_bind);
    if (f->addr_local[0])
        jw_kv_str(j, "addrlocal", f->addr_local);
    jw_kv_str(j, "network", f->network);
    if (f->mapped_as)
        jw_kv_uint(j, "mapped_as", f->mapped_as);
    jw_services(j, "services", p->services);
    jw_service_names(j, "servicesnames", p->services);
    jw_kv_bool(j, "relaytxes", p->relay_txs);
    jw_kv_uint(j, "last_inv_sequence", p->last_inv_sequence);
    jw_kv_uint(j, "inv_to_send", p->inv_to_send);
    write_times(j, p);
    jw_kv_uint(j, "version", p->version);
    jw_kv_str(j, "subver", p->subver);
    jw_kv_bool(j, "inbound", f->type == CONN_INBOUND);
    write_sync(j, p);
    write_permissions(j, f->permissions);
    jw_kv_amount(j, "minfeefilter", p->min_fee_filter);
    write_per_msg(j, "bytessent_per_msg", p, true);
    write_per_msg(j, "bytesrecv_per_msg", p, false);
    jw_kv_str(j, "connection_type", connection_type_name(f->type));
    jw_kv_str(j, "transport_protocol_type", transport);
    jw_key(j, "session_id");
    jw_hex(j, p->session_id, strcmp(transport, "v2") == 0 ? sizeof(p->session_id) : 0);
    jw_obj_end(j);
}

static void getpeerinfo(struct rpc_call *call)
{
    struct peer_info *list = NULL;
    size_t n;

    if (!rpc_need_net(call))
        return;
    n = call->host->net_ops->peers(call->host->net, &list);
    jw_arr_begin(&call->out);
    for (size_t i = 0; i < n; i++)
        write_peer(&call->out, &list[i]);
    jw_arr_end(&call->out);
    free(list);
}

/* ---- orphans ---- */

struct orphans_op {
    struct rpc_call *call;
    int verbosity;
};

static void write_orphan(struct json_writer *j, const struct orphan_info *o, bool hex)
{
    int64_t vsize = tx_vsize(o->tx);

    jw_obj_begin(j);
    jw_kv_hash(j, "txid", o->tx->txid.b);
    jw_kv_hash(j, "wtxid", o->tx->wtxid.b);
    jw_kv_uint(j, "bytes", o->tx->raw_len);
    jw_kv_int(j, "vsize", vsize);
    jw_kv_int(j, "vsize_bip141", vsize);
    jw_kv_int(j, "weight", tx_weight(o->tx));
    jw_key(j, "from");
    jw_arr_begin(j);
    for (size_t i = 0; i < o->n_from; i++)
        jw_int(j, o->from[i]);
    jw_arr_end(j);
    if (hex)
        jw_kv_hex(j, "hex", o->tx->raw, o->tx->raw_len);
    jw_obj_end(j);
}

/* On the loop, where the orphans are. */
static void write_orphans(void *arg)
{
    struct orphans_op *op = arg;
    const struct rpc_host *host = op->call->host;
    struct json_writer *j = &op->call->out;
    struct orphan_info *list;
    size_t n = host->net_ops->orphans(host->net, &list);

    jw_arr_begin(j);
    for (size_t i = 0; i < n; i++) {
        if (op->verbosity == 0)
            jw_hash(j, list[i].tx->txid.b);
        else
            write_orphan(j, &list[i], op->verbosity == 2);
    }
    jw_arr_end(j);
    free(list);
}

static void getorphantxs(struct rpc_call *call)
{
    struct orphans_op op = {.call = call};

    if (!rpc_need_net(call) || !rpc_verbosity(call, &op.verbosity, 0, 0, false))
        return;
    if (op.verbosity < 0 || op.verbosity > 2)
        rpc_error(call, RPC_INVALID_PARAMETER, "Invalid verbosity value %d", op.verbosity);
    else
        rpc_on_loop(call, write_orphans, &op);
}

const struct rpc_command rpc_peer_commands[] = {
    {"network", "getpeerinfo", getpeerinfo, NULL, RPC_INLINE,
     "Returns data about each connected network peer as a json array of objects.\n"
     "\"network\" is one of (ipv4, ipv6, onion, i2p, cjdns, not_publicly_routable).\n"},
    {"hidden", "getorphantxs", getorphantxs,
     RPC_PARAMS({"verbosity", RPC_NUM, RPC_ANY_TYPE, "0",
                 "0 for an array of txids, 1 for an array of objects with transaction details, and 2 for details from (1) and the "
                 "transaction in hex",
                 NULL}),
     RPC_INLINE, "Shows transactions in the tx orphanage.\n\nEXPERIMENTAL warning: this call may be changed in future releases.\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
