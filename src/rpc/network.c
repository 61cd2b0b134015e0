/* network.c - commands about the node's network as a whole and about connections to make or drop. State lives on the loop thread: these run
 * there, or go there for the moment. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "rpc/priv.h"

#define CLIENT_VERSION 319900
#define ONETRY_WAIT_MS 30000 /* longer than a connection through a proxy takes that comes about */
#define PROTOCOL_VERSION 70017
#define SERVICE_P2P_V2 (1ull << 11)

const struct rpc_host *rpc_need_net(struct rpc_call *call)
{
    if (call->host->net)
        return call->host;
    rpc_error(call, RPC_CLIENT_P2P_DISABLED, "Error: Peer-to-peer functionality missing or disabled");
    return NULL;
}

void jw_service_names(struct json_writer *j, const char *key, uint64_t services)
{
    static const char *const names[] = {"NETWORK", NULL, "BLOOM", "WITNESS",         NULL,    NULL, "COMPACT_FILTERS",
                                        NULL,      NULL, NULL,    "NETWORK_LIMITED", "P2P_V2"};

    jw_key(j, key);
    jw_arr_begin(j);
    for (unsigned i = 0; i < 64; i++) {
        char text[32];
        if (!(services >> i & 1))
            continue;
        if (i < ARRAY_LEN(names) && names[i]) {
            jw_str(j, names[i]);
        } else {
            snprintf(text, sizeof(text), "UNKNOWN[2^%u]", i);
            jw_str(j, text);
        }
    }
    jw_arr_end(j);
}

void jw_services(struct json_writer *j, const char *key, uint64_t services)
{
    char text[24];

    snprintf(text, sizeof(text), "%016llx", (unsigned long long)services);
    jw_kv_str(j, key, text);
}

static void write_networks(struct rpc_call *call)
{
    static const struct {
        const char *name;
        enum net_network network;
    } all[] = {{"ipv4", NET_IPV4}, {"ipv6", NET_IPV6}, {"onion", NET_ONION}, {"i2p", NET_I2P}, {"cjdns", NET_CJDNS}};
    struct json_writer *j = &call->out;

    jw_key(j, "networks");
    jw_arr_begin(j);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct net_way way;
        call->host->net_ops->way(call->host->net, all[i].network, &way);
        jw_obj_begin(j);
        jw_kv_str(j, "name", all[i].name);
        jw_kv_bool(j, "limited", !way.reachable);
        jw_kv_bool(j, "reachable", way.reachable);
        jw_kv_str(j, "proxy", way.proxy);
        jw_kv_bool(j, "proxy_randomize_credentials", way.randomize);
        jw_obj_end(j);
    }
    jw_arr_end(j);
}

static void write_local_addresses(struct rpc_call *call)
{
    struct json_writer *j = &call->out;
    struct net_local_address *list = NULL;
    size_t n = call->host->net_ops->local_addresses(call->host->net, &list);

    jw_key(j, "localaddresses");
    jw_arr_begin(j);
    for (size_t i = 0; i < n; i++) {
        jw_obj_begin(j);
        jw_kv_str(j, "address", list[i].address);
        jw_kv_uint(j, "port", list[i].port);
        jw_kv_int(j, "score", list[i].score);
        jw_obj_end(j);
    }
    jw_arr_end(j);
    free(list);
}

static void write_tx_relay(struct rpc_call *call)
{
    static const char *const names[2] = {"inbound", "outbound"};
    struct tx_relay_info i = call->host->net_ops->tx_relay(call->host->net);
    struct json_writer *j = &call->out;

    jw_kv_int(j, "tx_send_rate", (int64_t)i.rate);
    jw_key(j, "inv_buckets");
    jw_obj_begin(j);
    for (size_t k = 0; k < ARRAY_LEN(names); k++) {
        jw_key(j, names[k]);
        jw_obj_begin(j);
        jw_kv_uint(j, "backlog", i.side[k].backlog);
        jw_kv_double(j, "count_tok", i.side[k].count_tokens);
        jw_kv_double(j, "size_tok", i.side[k].size_tokens);
        jw_obj_end(j);
    }
    jw_obj_end(j);
}

static void getnetworkinfo(struct rpc_call *call)
{
    struct json_writer *j = &call->out;
    struct node_net *net = call->host->net;
    const struct args *a = call->host->args;

    if (!rpc_need_net(call))
        return;
    jw_obj_begin(j);
    jw_kv_int(j, "version", CLIENT_VERSION);
    jw_kv_str(j, "subversion", call->host->net_ops->user_agent(net));
    jw_kv_int(j, "protocolversion", PROTOCOL_VERSION);
    jw_services(j, "localservices", call->host->net_ops->local_services(net));
    jw_service_names(j, "localservicesnames", call->host->net_ops->local_services(net));
    jw_kv_bool(j, "localrelay", !(a && args_bool(a, "blocksonly", false)));
    jw_kv_int(j, "timeoffset", 0);
    write_tx_relay(call);
    jw_kv_bool(j, "networkactive", call->host->net_ops->active(net));
    jw_kv_uint(j, "connections", call->host->net_ops->count(net, true, true));
    jw_kv_uint(j, "connections_in", call->host->net_ops->count(net, true, false));
    jw_kv_uint(j, "connections_out", call->host->net_ops->count(net, false, true));
    write_networks(call);
    jw_kv_amount(j, "relayfee", call->host->mempool ? mempool_policy(call->host->mempool)->min_relay_fee_rate : 0);
    jw_kv_amount(j, "incrementalfee", call->host->mempool ? mempool_policy(call->host->mempool)->incremental_fee_rate : 0);
    write_local_addresses(call);
    jw_warnings(call);
    jw_obj_end(j);
}

static void getconnectioncount(struct rpc_call *call)
{
    if (rpc_need_net(call))
        jw_uint(&call->out, call->host->net_ops->count(call->host->net, true, true));
}

static void getnettotals(struct rpc_call *call)
{
    struct json_writer *j = &call->out;
    struct net_totals t;

    if (!rpc_need_net(call))
        return;
    call->host->net_ops->totals(call->host->net, &t);
    jw_obj_begin(j);
    jw_kv_uint(j, "totalbytesrecv", t.bytes_recv);
    jw_kv_uint(j, "totalbytessent", t.bytes_sent);
    jw_kv_int(j, "timemillis", time_real_us() / 1000);
    jw_key(j, "uploadtarget");
    jw_obj_begin(j);
    jw_kv_int(j, "timeframe", 86400);
    jw_kv_uint(j, "target", t.upload.target);
    jw_kv_bool(j, "target_reached", t.upload.reached);
    jw_kv_bool(j, "serve_historical_blocks", t.upload.serve_historical);
    jw_kv_uint(j, "bytes_left_in_cycle", t.upload.bytes_left);
    jw_kv_int(j, "time_left_in_cycle", t.upload.time_left);
    jw_obj_end(j);
    jw_obj_end(j);
}

static void setnetworkactive(struct rpc_call *call)
{
    bool on;

    if (!rpc_need_net(call) || !rpc_flag(call, &on, 0, true))
        return;
    call->host->net_ops->set_active(call->host->net, on);
    jw_bool(&call->out, call->host->net_ops->active(call->host->net));
}

static void ping(struct rpc_call *call)
{
    if (rpc_need_net(call))
        call->host->net_ops->ping_all(call->host->net);
}

/* ---- connections ---- */

static bool read_v2(struct rpc_call *call, bool *v2, size_t i, const char *refusal)
{
    bool able = call->host->net_ops->local_services(call->host->net) & SERVICE_P2P_V2;

    if (!rpc_flag(call, v2, i, able))
        return false;
    if (*v2 && !able)
        return rpc_error(call, RPC_INVALID_PARAMETER, "%s", refusal);
    return true;
}

/* Answered when the connection stands or has failed: who asked can tell which. */
static void finish_nothing(struct rpc_call *call)
{
    (void)call;
}

static void try_once(struct rpc_call *call, const char *addr, bool v2)
{
    struct rpc_wait *w = &call->wait;

    call->host->net_ops->onetry(call->host->net, addr, v2);
    if (strlen(addr) >= sizeof(w->name) || !call->host->net_ops->opening(call->host->net, addr))
        return;
    snprintf(w->name, sizeof(w->name), "%s", addr);
    w->kind = RPC_WAIT_OPENING;
    w->timeout_ms = ONETRY_WAIT_MS;
    w->finish = finish_nothing;
}

static void addnode(struct rpc_call *call)
{
    const char *addr, *command, *error = NULL;
    bool v2;

    if (!rpc_text(call, &addr, 0, "") || !rpc_text(call, &command, 1, ""))
        return;
    if (strcmp(command, "onetry") != 0 && strcmp(command, "add") != 0 && strcmp(command, "remove") != 0) {
        rpc_error_usage(call, RPC_MISC_ERROR);
        return;
    }
    if (!rpc_need_net(call))
        return;
    if (addr[strspn(addr, " \f\n\r\t\v")] == 0) {
        rpc_error(call, RPC_INVALID_PARAMETER, "Error: Node address cannot be empty");
        return;
    }
    if (!read_v2(call, &v2, 2, "Error: v2transport requested but not enabled (see -v2transport)"))
        return;
    if (command[0] == 'o')
        try_once(call, addr, v2);
    else if (command[0] == 'a')
        error = call->host->net_ops->add(call->host->net, addr, v2);
    else
        error = call->host->net_ops->remove(call->host->net, addr);
    if (error)
        rpc_error(call, command[0] == 'a' ? RPC_CLIENT_NODE_ALREADY_ADDED : RPC_CLIENT_NODE_NOT_ADDED, "%s", error);
}

static void write_added(struct json_writer *j, const struct added_node *a)
{
    jw_obj_begin(j);
    jw_kv_str(j, "addednode", a->address);
    jw_kv_bool(j, "connected", a->connected);
    jw_key(j, "addresses");
    jw_arr_begin(j);
    if (a->connected) {
        jw_obj_begin(j);
        jw_kv_str(j, "address", a->connected_addr);
        jw_kv_str(j, "connected", a->inbound ? "inbound" : "outbound");
        jw_obj_end(j);
    }
    jw_arr_end(j);
    jw_obj_end(j);
}

static void getaddednodeinfo(struct rpc_call *call)
{
    struct added_node *list = NULL;
    const char *node;
    bool found = false;
    size_t n;

    if (!rpc_need_net(call) || !rpc_text(call, &node, 0, NULL))
        return;
    n = call->host->net_ops->added(call->host->net, &list);
    jw_arr_begin(&call->out);
    for (size_t i = 0; i < n; i++) {
        if (node && strcmp(node, list[i].address) != 0)
            continue;
        write_added(&call->out, &list[i]);
        found = true;
    }
    jw_arr_end(&call->out);
    free(list);
    if (node && !found)
        rpc_error(call, RPC_CLIENT_NODE_NOT_ADDED, "Error: Node has not been added.");
}

/* One connection of addconnection. */
struct connect_op {
    struct rpc_call *call;
    const char *addr;
    enum connection_type type;
    bool v2, ok;
};

static void connect_start(void *arg)
{
    struct connect_op *op = arg;
    const struct rpc_host *h = op->call->host;
    op->ok = h->net_ops->add_connection(h->net, op->addr, op->type, op->v2);
}

static void connect_check(void *arg)
{
    struct connect_op *op = arg;
    const struct rpc_host *h = op->call->host;
    op->ok = !h->net_ops->is_opening(h->net, op->addr);
}

/* Who asked for the connection expects it to stand, or to have failed, when the answer comes. */
static void connect_wait(struct connect_op *op)
{
    struct timespec pause = {.tv_nsec = 5000000};

    do {
        nanosleep(&pause, NULL);
        op->ok = true;
        rpc_on_loop(op->call, connect_check, op);
    } while (!op->ok && !rpc_stopping(op->call));
}

static void addconnection(struct rpc_call *call)
{
    static const struct {
        const char *name;
        enum connection_type type;
    } types[] = {{"outbound-full-relay", CONN_OUTBOUND_FULL_RELAY},
                 {"block-relay-only", CONN_BLOCK_RELAY},
                 {"addr-fetch", CONN_ADDR_FETCH},
                 {"feeler", CONN_FEELER}};
    const char *addr, *type;
    struct connect_op op;
    size_t i = 0;
    bool v2;

    if (call->host->params->id != CHAIN_REGTEST) {
        rpc_error(call, RPC_MISC_ERROR, "addconnection is for regression testing (-regtest mode) only.");
        return;
    }
    if (!rpc_text(call, &addr, 0, "") || !rpc_text(call, &type, 1, ""))
        return;
    while (i < ARRAY_LEN(types) && strcmp(types[i].name, type) != 0)
        i++;
    if (i == ARRAY_LEN(types)) {
        rpc_error_usage(call, RPC_INVALID_PARAMETER);
        return;
    }
    if (!rpc_need_net(call) ||
        !read_v2(call, &v2, 2, "Error: Adding v2transport connections requires -v2transport init flag to be set."))
        return;
    op = (struct connect_op){.call = call, .addr = addr, .type = types[i].type, .v2 = v2};
    rpc_on_loop(call, connect_start, &op);
    if (!op.ok) {
        rpc_error(call, RPC_CLIENT_NODE_CAPACITY_REACHED, "Error: Already at capacity for specified connection type.");
        return;
    }
    connect_wait(&op);
    jw_obj_begin(&call->out);
    jw_kv_str(&call->out, "address", addr);
    jw_kv_str(&call->out, "connection_type", type);
    jw_obj_end(&call->out);
}

static void disconnectnode(struct rpc_call *call)
{
    const char *addr;
    int64_t id;
    bool ok;

    if (!rpc_need_net(call) || !rpc_text(call, &addr, 0, NULL) || !rpc_int64(call, &id, 1, 0))
        return;
    if (addr && !rpc_has(call, 1)) {
        ok = call->host->net_ops->disconnect_addr(call->host->net, addr);
    } else if (rpc_has(call, 1) && (!addr || !*addr)) {
        ok = call->host->net_ops->disconnect_id(call->host->net, id);
    } else {
        rpc_error(call, RPC_INVALID_PARAMS, "Only one of address and nodeid should be provided.");
        return;
    }
    if (!ok)
        rpc_error(call, RPC_CLIENT_NODE_NOT_CONNECTED, "Node not found in connected nodes");
}

static void getblockfrompeer(struct rpc_call *call)
{
    const struct block_entry *e;
    struct block_hash hash;
    struct entry_facts f;
    const char *error;
    int64_t peer;

    if (!rpc_hash(call, hash.b, 0, "blockhash") || !rpc_int64(call, &peer, 1, 0) || !rpc_need_net(call))
        return;
    e = chain_lookup(call->host->chain, &hash);
    if (!e) {
        rpc_error(call, RPC_MISC_ERROR, "Block header missing");
        return;
    }
    chain_facts(call->host->chain, e, &f);
    if (call->host->args && args_int(call->host->args, "prune", 0) > 0 && e->node.height > chain_height(call->host->chain)) {
        rpc_error(call, RPC_MISC_ERROR,
                  "In prune mode, only blocks that the node has already synced previously can be fetched from a peer");
        return;
    }
    if (f.status & BLOCK_HAVE_DATA) {
        rpc_error(call, RPC_MISC_ERROR, "Block already downloaded");
        return;
    }
    error = call->host->net_ops->fetch_block(call->host->net, peer, e);
    if (error) {
        rpc_error(call, RPC_MISC_ERROR, "%s", error);
        return;
    }
    jw_obj_begin(&call->out);
    jw_obj_end(&call->out);
}

/* Hex that may have white space between its bytes. Returns: NULL if it is something else; to free. */
static uint8_t *decode_spaced(size_t *len, const char *hex)
{
    uint8_t *out = xmalloc(strlen(hex) / 2 + 1);
    char pair[3] = {0};

    for (*len = 0;; hex += 2) {
        hex += strspn(hex, " \f\n\r\t\v");
        if (!*hex)
            return out;
        memcpy(pair, hex, 2);
        if (!hex_decode(out + *len, 1, pair))
            break;
        ++*len;
    }
    free(out);
    return NULL;
}

static void sendmsgtopeer(struct rpc_call *call)
{
    const char *type, *hex;
    uint8_t *data;
    size_t len;
    int64_t peer;
    bool ok;

    if (!rpc_int64(call, &peer, 0, 0) || !rpc_text(call, &type, 1, "") || !rpc_text(call, &hex, 2, "") || !rpc_need_net(call))
        return;
    if (strlen(type) > 12) {
        rpc_error(call, RPC_INVALID_PARAMETER, "Error: msg_type too long, max length is 12");
        return;
    }
    data = decode_spaced(&len, hex);
    if (!data) {
        rpc_error(call, RPC_INVALID_PARAMETER, "Error parsing input for msg");
        return;
    }
    ok = call->host->net_ops->send(call->host->net, peer, type, data, len);
    free(data);
    if (!ok) {
        rpc_error(call, RPC_MISC_ERROR, "Error: Could not send message to peer");
        return;
    }
    jw_obj_begin(&call->out);
    jw_obj_end(&call->out);
}

const struct rpc_command rpc_network_commands[] = {
    {"network", "getconnectioncount", getconnectioncount, NULL, RPC_INLINE, "Returns the number of connections to other nodes.\n"},
    {"network", "ping", ping, NULL, RPC_INLINE,
     "Requests that a ping be sent to all other nodes, to measure ping time.\n"
     "Results are provided in getpeerinfo.\n"
     "Ping command is handled in queue with all other commands, so it measures processing backlog, not just network ping.\n"},
    {"network", "addnode", addnode,
     RPC_PARAMS(
         {"node", RPC_STR, RPC_REQUIRED, NULL, "The IP address/hostname optionally followed by :port of the peer to connect to",
          NULL},
         {"command", RPC_STR, RPC_REQUIRED, NULL,
          "'add' to add a node to the list, 'remove' to remove a node from the list, 'onetry' to try a connection to the node once",
          NULL},
         {"v2transport", RPC_BOOL, 0, "set by -v2transport",
          "Attempt to connect using BIP324 v2 transport protocol (ignored for 'remove' command)", NULL}),
     RPC_WAITS,
     "Attempts to add or remove a node from the addnode list.\nOr try a connection to a node once.\n"
     "Nodes added using addnode (or -connect) are protected from DoS disconnection and are not required to be\n"
     "full nodes/support SegWit as other outbound peers are (though such peers will not be synced from).\n"},
    {"network", "disconnectnode", disconnectnode,
     RPC_PARAMS({"address", RPC_STR, 0, "fallback to nodeid", "The IP address/port of the node or subnet", NULL},
                {"nodeid", RPC_NUM, 0, "fallback to address", "The node ID (see getpeerinfo for node IDs)", NULL}),
     RPC_INLINE,
     "Immediately disconnects from the specified peer node or all peers on the specified subnet.\n"
     "\nStrictly one out of 'address' and 'nodeid' can be provided to identify the node.\n"
     "\nTo disconnect by nodeid, either set 'address' to the empty string, or call using the named 'nodeid' argument only.\n"},
    {"network", "getaddednodeinfo", getaddednodeinfo,
     RPC_PARAMS({"node", RPC_STR, 0, "all nodes",
                 "If provided, return information about this specific node, otherwise all nodes are returned.", NULL}),
     RPC_INLINE,
     "Returns information about the given added node, or all added nodes\n(note that onetry addnodes are not listed here)\n"},
    {"network", "getnettotals", getnettotals, NULL, RPC_INLINE,
     "Returns information about network traffic, including bytes in, bytes out,\nand current system time."},
    {"network", "getnetworkinfo", getnetworkinfo, NULL, RPC_INLINE,
     "Returns an object containing various state info regarding P2P networking.\n\n"
     "Members of \"networks\": limited, reachable and proxy of each network (ipv4, ipv6, onion, i2p, cjdns)\n"},
    {"network", "setnetworkactive", setnetworkactive,
     RPC_PARAMS({"state", RPC_BOOL, RPC_REQUIRED, NULL, "true to enable networking, false to disable", NULL}), RPC_INLINE,
     "Disable/enable all p2p network activity.\n"},
    {"blockchain", "getblockfrompeer", getblockfrompeer,
     RPC_PARAMS({"blockhash", RPC_HEX, RPC_REQUIRED, NULL, "The block hash to try to fetch", NULL},
                {"peer_id", RPC_NUM, RPC_REQUIRED, NULL, "The peer to fetch it from (see getpeerinfo for peer IDs)", NULL}),
     RPC_INLINE,
     "Attempt to fetch block from a given peer.\n\nWe must have the header for this block, e.g. using submitheader.\n"
     "Returns an empty JSON object if the request was successfully scheduled."},
    {"hidden", "addconnection", addconnection,
     RPC_PARAMS({"address", RPC_STR, RPC_REQUIRED, NULL, "The IP address and port to attempt connecting to.", NULL},
                {"connection_type", RPC_STR, RPC_REQUIRED, NULL,
                 "Type of connection to open (\"outbound-full-relay\", \"block-relay-only\", \"addr-fetch\" or \"feeler\").", NULL},
                {"v2transport", RPC_BOOL, RPC_REQUIRED, NULL, "Attempt to connect using BIP324 v2 transport protocol", NULL}),
     0, "Open an outbound connection to a specified node. This RPC is for testing only.\n"},
    {"hidden", "sendmsgtopeer", sendmsgtopeer,
     RPC_PARAMS(
         {"peer_id", RPC_NUM, RPC_REQUIRED, NULL, "The peer to send the message to.", NULL},
         {"msg_type", RPC_STR, RPC_REQUIRED, NULL, "The message type (maximum length 12)", NULL},
         {"msg", RPC_HEX, RPC_REQUIRED, NULL, "The serialized message body to send, in hex, without a message header", NULL}),
     RPC_INLINE,
     "Send a p2p message to a peer specified by id.\nThe message type and body must be provided, the message header will be "
     "generated.\n"
     "This RPC is for testing only."},
    {NULL, NULL, NULL, NULL, 0, NULL}};
