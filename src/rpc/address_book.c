/* address_book.c - commands about what the node knows of others' addresses: the address manager and bans. Its state lives on the loop thread;
 * the long lists are written on a pool thread. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "rpc/priv.h"

static const struct {
    const char *name;
    enum net_network network;
} networks[] = {{"ipv4", NET_IPV4}, {"ipv6", NET_IPV6}, {"onion", NET_ONION}, {"i2p", NET_I2P}, {"cjdns", NET_CJDNS}};

/* The network that an address counts for (Core's GetNetClass). */
static const char *class_name(const struct net_addr *a)
{
    enum net_network class = net_addr_class(a);

    if (net_addr_is_internal(a))
        return "internal";
    for (size_t i = 0; i < ARRAY_LEN(networks); i++)
        if (networks[i].network == class)
            return networks[i].name;
    return "not_publicly_routable";
}

/* A numeric address without a port. Returns: false if it is not one. */
static bool parse_ip(struct rpc_call *call, struct net_addr *a, const char *text)
{
    if (!net_addr_parse(a, text, 0) || a->port)
        return false;
    if (call->host->net_ops->has_cjdns(call->host->net))
        net_addr_flip_cjdns(a);
    return true;
}

/* --- The address manager ------------------------------------------------------------------------------------------------------------- */

struct known_op {
    const struct rpc_host *host;
    size_t max;
    enum net_network network;
    struct addr_entry *list;
    struct addrman_place *places;
    size_t n;
};

static void fetch_known(void *arg)
{
    struct known_op *op = arg;

    op->n = op->host->net_ops->known(op->host->net, &op->list, op->max, op->network);
}

static void write_known(struct json_writer *j, const struct addr_entry *e)
{
    char ip[NET_ADDR_TEXT];

    net_addr_ip_text(ip, &e->addr);
    jw_obj_begin(j);
    jw_kv_uint(j, "time", e->time);
    jw_kv_uint(j, "services", e->services);
    jw_kv_str(j, "address", ip);
    jw_kv_uint(j, "port", e->addr.port);
    jw_kv_str(j, "network", class_name(&e->addr));
    jw_obj_end(j);
}

static void getnodeaddresses(struct rpc_call *call)
{
    struct known_op op = {.host = call->host, .network = NET_UNKNOWN};
    const char *name;
    int64_t count;

    if (!rpc_need_net(call) || !rpc_int(call, &count, 0, 1))
        return;
    if (count < 0) {
        rpc_error(call, RPC_INVALID_PARAMETER, "Address count out of range");
        return;
    }
    if (!rpc_text(call, &name, 1, NULL))
        return;
    for (size_t i = 0; name && i < ARRAY_LEN(networks); i++)
        if (strcasecmp(name, networks[i].name) == 0)
            op.network = networks[i].network;
    if (name && op.network == NET_UNKNOWN) {
        rpc_error(call, RPC_INVALID_PARAMETER, "Network not recognized: %s", name);
        return;
    }
    op.max = (size_t)count;
    if (!rpc_on_loop(call, fetch_known, &op))
        return;
    jw_arr_begin(&call->out);
    for (size_t i = 0; i < op.n; i++)
        write_known(&call->out, &op.list[i]);
    jw_arr_end(&call->out);
    free(op.list);
}

static void write_counts(struct rpc_call *call, const char *key, enum net_network network)
{
    const struct net_host_ops *ops = call->host->net_ops;
    struct node_net *net = call->host->net;

    jw_key(&call->out, key);
    jw_obj_begin(&call->out);
    jw_kv_uint(&call->out, "new", ops->known_count(net, network, ADDRMAN_NEW));
    jw_kv_uint(&call->out, "tried", ops->known_count(net, network, ADDRMAN_TRIED));
    jw_kv_uint(&call->out, "total", ops->known_count(net, network, ADDRMAN_BOTH));
    jw_obj_end(&call->out);
}

static void getaddrmaninfo(struct rpc_call *call)
{
    if (!rpc_need_net(call))
        return;
    jw_obj_begin(&call->out);
    for (size_t i = 0; i < ARRAY_LEN(networks); i++)
        write_counts(call, networks[i].name, networks[i].network);
    write_counts(call, "all_networks", NET_UNKNOWN);
    jw_obj_end(&call->out);
}

static void fetch_places(void *arg)
{
    struct known_op *op = arg;

    op->n = op->host->net_ops->known_places(op->host->net, &op->places, ADDRMAN_BOTH);
}

static void write_place(struct rpc_call *call, const struct addrman_place *p)
{
    struct json_writer *j = &call->out;
    char text[NET_ADDR_TEXT];
    uint32_t asn = call->host->net_ops->asn(call->host->net, &p->entry.addr);
    int len = snprintf(text, sizeof(text), "%d/%d", p->bucket, p->position);

    jw_key_text(j, text, (size_t)len);
    jw_obj_begin(j);
    net_addr_ip_text(text, &p->entry.addr);
    jw_kv_str(j, "address", text);
    if (asn)
        jw_kv_uint(j, "mapped_as", asn);
    jw_kv_uint(j, "port", p->entry.addr.port);
    jw_kv_uint(j, "services", p->entry.services);
    jw_kv_uint(j, "time", p->entry.time);
    jw_kv_str(j, "network", class_name(&p->entry.addr));
    net_addr_ip_text(text, &p->source);
    jw_kv_str(j, "source", text);
    jw_kv_str(j, "source_network", class_name(&p->source));
    asn = call->host->net_ops->asn(call->host->net, &p->source);
    if (asn)
        jw_kv_uint(j, "source_mapped_as", asn);
    jw_obj_end(j);
}

static void getrawaddrman(struct rpc_call *call)
{
    struct known_op op = {.host = call->host};

    if (!rpc_need_net(call) || !rpc_on_loop(call, fetch_places, &op))
        return;
    jw_obj_begin(&call->out);
    for (int tried = 0; tried < 2; tried++) {
        jw_key(&call->out, tried ? "tried" : "new");
        jw_obj_begin(&call->out);
        for (size_t i = 0; i < op.n; i++)
            if (op.places[i].tried == tried)
                write_place(call, &op.places[i]);
        jw_obj_end(&call->out);
    }
    jw_obj_end(&call->out);
    free(op.places);
}

static void addpeeraddress(struct rpc_call *call)
{
    const char *text, *problem;
    struct net_addr a;
    int64_t port;
    bool tried;

    if (!rpc_need_net(call) || !rpc_text(call, &text, 0, "") || !rpc_int_of(call, &port, rpc_arg(call, 1), 0, UINT16_MAX) ||
        !rpc_flag(call, &tried, 2, false))
        return;
    if (!parse_ip(call, &a, text)) {
        rpc_error(call, RPC_CLIENT_INVALID_IP_OR_SUBNET, "Invalid IP address");
        return;
    }
    a.port = (uint16_t)port;
    problem = call->host->net_ops->add_known(call->host->net, &a, tried);
    jw_obj_begin(&call->out);
    if (problem)
        jw_kv_str(&call->out, "error", problem);
    jw_kv_bool(&call->out, "success", !problem);
    jw_obj_end(&call->out);
}

static void exportasmap(struct rpc_call *call)
{
    const char *path;

    if (rpc_text(call, &path, 0, ""))
        rpc_error(call, RPC_MISC_ERROR, "No embedded ASMap data available");
}

/* --- Bans ---------------------------------------------------------------------------------------------------------------------------- */

/* The subnet that a command names: a range, or one address. */
static bool subnet_arg(struct rpc_call *call, struct subnet *s, bool *range)
{
    const char *text;
    struct net_addr a;

    if (!rpc_text(call, &text, 0, ""))
        return false;
    *range = strchr(text, '/') != NULL;
    if (*range && subnet_parse(s, text))
        return true;
    if (!*range && parse_ip(call, &a, text) && net_addr_is_valid(&a)) {
        subnet_of_addr(s, &a);
        return true;
    }
    return rpc_error(call, RPC_CLIENT_INVALID_IP_OR_SUBNET, "Error: Invalid IP/Subnet");
}

static void ban(struct rpc_call *call, const struct subnet *s, bool range)
{
    const struct net_host_ops *ops = call->host->net_ops;
    int64_t seconds;
    bool absolute;

    if (ops->is_banned(call->host->net, s, range)) {
        rpc_error(call, RPC_CLIENT_NODE_ALREADY_ADDED, "Error: IP/Subnet already banned");
        return;
    }
    if (!rpc_int64(call, &seconds, 2, 0) || !rpc_flag(call, &absolute, 3, false))
        return;
    if (absolute && seconds < time_now())
        rpc_error(call, RPC_INVALID_PARAMETER, "Error: Absolute timestamp is in the past");
    else
        ops->ban(call->host->net, s, seconds, absolute);
}

static void setban(struct rpc_call *call)
{
    const char *command;
    struct subnet s;
    bool range, add;

    if (!rpc_text(call, &command, 1, ""))
        return;
    add = strcmp(command, "add") == 0;
    if (!add && strcmp(command, "remove") != 0) {
        rpc_error_usage(call, RPC_MISC_ERROR);
        return;
    }
    if (!rpc_need_net(call) || !subnet_arg(call, &s, &range))
        return;
    if (add)
        ban(call, &s, range);
    else if (!call->host->net_ops->unban(call->host->net, &s))
        rpc_error(call, RPC_CLIENT_INVALID_IP_OR_SUBNET,
                  "Error: Unban failed. Requested address/subnet was not previously manually banned.");
}

static void listbanned(struct rpc_call *call)
{
    struct json_writer *j = &call->out;
    int64_t now = time_now();
    struct ban *list;
    char text[SUBNET_TEXT];
    size_t n;

    if (!rpc_need_net(call))
        return;
    n = call->host->net_ops->bans(call->host->net, &list);
    jw_arr_begin(j);
    for (size_t i = 0; i < n; i++) {
        subnet_text(text, &list[i].subnet);
        jw_obj_begin(j);
        jw_kv_str(j, "address", text);
        jw_kv_int(j, "ban_created", list[i].created);
        jw_kv_int(j, "banned_until", list[i].until);
        jw_kv_int(j, "ban_duration", (int64_t)((uint64_t)list[i].until - (uint64_t)list[i].created));
        jw_kv_int(j, "time_remaining", (int64_t)((uint64_t)list[i].until - (uint64_t)now));
        jw_obj_end(j);
    }
    jw_arr_end(j);
    free(list);
}

static void clearbanned(struct rpc_call *call)
{
    if (rpc_need_net(call))
        call->host->net_ops->clear_bans(call->host->net);
}

const struct rpc_command rpc_address_book_commands[] = {
    {"network", "setban", setban,
     RPC_PARAMS({"subnet", RPC_STR, RPC_REQUIRED, NULL,
                 "The IP/Subnet (see getpeerinfo for nodes IP) with an optional netmask (default is /32 = single IP)", NULL},
                {"command", RPC_STR, RPC_REQUIRED, NULL,
                 "'add' to add an IP/Subnet to the list, 'remove' to remove an IP/Subnet from the list", NULL},
                {"bantime", RPC_NUM, 0, "0",
                 "time in seconds how long (or until when if [absolute] is set) the IP is banned (0 or empty means using the "
                 "default time of 24h which can also be overwritten by the -bantime startup argument)",
                 NULL},
                {"absolute", RPC_BOOL, 0, "false", "If set, the bantime must be an absolute timestamp expressed in UNIX epoch time",
                 NULL}),
     RPC_INLINE, "Attempts to add or remove an IP/Subnet from the banned list.\n"},
    {"network", "listbanned", listbanned, NULL, RPC_INLINE, "List all manually banned IPs/Subnets.\n"},
    {"network", "clearbanned", clearbanned, NULL, RPC_INLINE, "Clear all banned IPs.\n"},
    {"network", "getnodeaddresses", getnodeaddresses,
     RPC_PARAMS(
         {"count", RPC_NUM, 0, "1", "The maximum number of addresses to return. Specify 0 to return all known addresses.", NULL},
         {"network", RPC_STR, 0, "all networks",
          "Return only addresses of the specified network. Can be one of: ipv4, ipv6, onion, i2p, cjdns.", NULL}),
     0,
     "Return known addresses, after filtering for quality and recency.\n"
     "These can potentially be used to find new peers in the network.\n"
     "The total number of addresses known to the node may be higher.\n"},
    {"network", "getaddrmaninfo", getaddrmaninfo, NULL, RPC_INLINE,
     "Provides information about the node's address manager by returning the number of addresses in the `new` and `tried` tables "
     "and their sum for all networks.\n"},
    {"network", "exportasmap", exportasmap,
     RPC_PARAMS({"path", RPC_STR, RPC_REQUIRED, NULL, "Path to the output file. If relative, will be prefixed by datadir.", NULL}),
     RPC_INLINE,
     "Export the embedded ASMap data to a file. Any existing file at the path will be overwritten.\n"
     "There is no such data in this build: -asmap takes a file.\n"},
    {"hidden", "addpeeraddress", addpeeraddress,
     RPC_PARAMS({"address", RPC_STR, RPC_REQUIRED, NULL, "The IP address of the peer", NULL},
                {"port", RPC_NUM, RPC_REQUIRED, NULL, "The port of the peer", NULL},
                {"tried", RPC_BOOL, 0, "false", "If true, attempt to add the peer to the tried addresses table", NULL}),
     RPC_INLINE, "Add the address of a potential peer to an address manager table. This RPC is for testing only.\n"},
    {"hidden", "getrawaddrman", getrawaddrman, NULL, 0,
     "EXPERIMENTAL warning: this call may be changed in future releases.\n\n"
     "Returns information on all address manager entries for the new and tried tables.\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
